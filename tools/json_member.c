/* SPDX-License-Identifier: BSD-2-Clause */
/* Members of JSON objects, checked: see json_member.h. */
#include "tools/json_member.h"

#include <json-c/json.h>

bool json_uint64(struct json_object *number, uint64_t *value)
{
	if (!json_object_is_type(number, json_type_int) || json_object_get_int64(number) < 0)
		return false;
	*value = json_object_get_uint64(number);
	return true;
}

bool json_member_uint64(struct json_object *object, const char *name, uint64_t *value)
{
	struct json_object *number;

	return json_object_object_get_ex(object, name, &number) && json_uint64(number, value);
}

const char *json_member_string(struct json_object *object, const char *name)
{
	struct json_object *string;

	if (!json_object_object_get_ex(object, name, &string) ||
	    !json_object_is_type(string, json_type_string))
		return "";
	return json_object_get_string(string);
}

struct json_object *json_member_array(struct json_object *object, const char *name)
{
	struct json_object *array;

	if (!json_object_object_get_ex(object, name, &array) ||
	    !json_object_is_type(array, json_type_array))
		return NULL;
	return array;
}
