/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schema.c: holds an object of JSON against one of the schemas in docs/schemas, which are
 * documentation: this test keeps them true. Of JSON Schema it knows what those use: type,
 * enum, minimum (of a number), required, properties, additionalProperties, items. A word of a
 * schema that it does not know is a failure, and so is a member that no schema speaks of.
 */
#ifndef TESTS_SCHEMA_SCHEMA_H
#define TESTS_SCHEMA_SCHEMA_H

#include <stddef.h>

#define SCHEMA_ERROR 300

/*
 * Tells whether `text` is one object that fits docs/schemas/NAME.json, to be called in the
 * project's folder; if not, returns -1, and why is in `error`. Else returns 0.
 */
int schema_check(const char *name, const char *text, char error[SCHEMA_ERROR]);

#endif
