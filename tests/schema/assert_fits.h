/* SPDX-License-Identifier: BSD-2-Clause */
/* A test's answer held against its schema, for cmocka; links schema.c. */
#ifndef TESTS_SCHEMA_ASSERT_FITS_H
#define TESTS_SCHEMA_ASSERT_FITS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "tests/schema/schema.h"

/* Fails the test, showing the text, unless it is one object that fits docs/schemas/NAME.json. */
static inline void assert_fits(const char *name, const char *text)
{
	char error[SCHEMA_ERROR];

	if (schema_check(name, text, error))
		fail_msg("%s\n%s", error, text);
}

#endif
