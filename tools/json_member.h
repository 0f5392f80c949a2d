/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json_member.c: values out of JSON that somebody else wrote: each is there and
 * of the type that is wanted, or it is not there at all. `object` may be NULL or
 * of any type.
 */
#ifndef TOOLS_JSON_MEMBER_H
#define TOOLS_JSON_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

struct json_object;

/* Stores a whole number from 0 to 2^64 - 1; false: `number` is something else. */
bool json_uint64(struct json_object *number, uint64_t *value);

/* json_uint64() of the member `name`; false also if there is none. */
bool json_member_uint64(struct json_object *object, const char *name, uint64_t *value);

/* Gives the text of the member `name`, which lives as long as `object`; "": there is none. */
const char *json_member_string(struct json_object *object, const char *name);

/*
 * Gives the array in the member `name`, which lives as long as `object`; NULL:
 * there is none. json-c ends the program when anything else is asked for its length.
 */
struct json_object *json_member_array(struct json_object *object, const char *name);

#endif
