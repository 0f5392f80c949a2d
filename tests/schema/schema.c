/* SPDX-License-Identifier: BSD-2-Clause */
/* Holds JSON against a schema: see schema.h. */
#include "tests/schema/schema.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#define DEPTH_MAX 16

struct check {
	char *error;
	const char *at; /* the member that is looked at */
	int depth;
};

static bool fits(struct check *check, struct json_object *schema, struct json_object *value);

__attribute__((format(printf, 2, 3))) static bool differs(struct check *check, const char *format,
							  ...)
{
	size_t length = (size_t)snprintf(check->error, SCHEMA_ERROR, "%s: ", check->at);
	va_list args;

	va_start(args, format);
	if (length < SCHEMA_ERROR)
		vsnprintf(check->error + length, SCHEMA_ERROR - length, format, args);
	va_end(args);
	return false;
}

static bool has_type(struct json_object *value, const char *type)
{
	static const struct {
		const char *name;
		json_type type;
	} types[] = {
		{ "object", json_type_object },	  { "array", json_type_array },
		{ "string", json_type_string },	  { "integer", json_type_int },
		{ "boolean", json_type_boolean }, { "number", json_type_double },
		{ "number", json_type_int },	  { "null", json_type_null },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].name, type) && json_object_is_type(value, types[i].type))
			return true;
	return false;
}

/* "type" is a word or an array of words. */
static bool fits_type(struct check *check, struct json_object *type, struct json_object *value)
{
	bool several = json_object_is_type(type, json_type_array);
	size_t count = several ? json_object_array_length(type) : 1;

	for (size_t i = 0; i < count; i++)
		if (has_type(value, json_object_get_string(
					    several ? json_object_array_get_idx(type, i) : type)))
			return true;
	return differs(check, "is not of type %s", json_object_to_json_string(type));
}

static bool fits_enum(struct check *check, struct json_object *words, struct json_object *value)
{
	for (size_t i = 0; i < json_object_array_length(words); i++)
		if (json_object_equal(json_object_array_get_idx(words, i), value))
			return true;
	return differs(check, "%s is not one of %s", json_object_to_json_string(value),
		       json_object_to_json_string(words));
}

static bool fits_minimum(struct check *check, struct json_object *least, struct json_object *value)
{
	if (json_object_get_double(value) >= json_object_get_double(least))
		return true;
	return differs(check, "%s is less than %s", json_object_to_json_string(value),
		       json_object_to_json_string(least));
}

static bool has_required(struct check *check, struct json_object *names, struct json_object *value)
{
	for (size_t i = 0; i < json_object_array_length(names); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(names, i));

		if (!json_object_object_get_ex(value, name, NULL))
			return differs(check, "has no member %s", name);
	}
	return true;
}

static bool fits_members(struct check *check, struct json_object *schema, struct json_object *value)
{
	struct json_object *known = json_object_object_get(schema, "properties");
	struct json_object *others = json_object_object_get(schema, "additionalProperties");

	json_object_object_foreach(value, name, member)
	{
		struct json_object *one = known ? json_object_object_get(known, name) : NULL;
		const char *at = check->at;

		if (!one && json_object_is_type(others, json_type_object))
			one = others;
		if (!one)
			return differs(check, "has a member that nobody knows: %s", name);
		check->at = name;
		if (!fits(check, one, member))
			return false;
		check->at = at;
	}
	return true;
}

static bool fits_items(struct check *check, struct json_object *schema, struct json_object *value)
{
	for (size_t i = 0; i < json_object_array_length(value); i++)
		if (!fits(check, schema, json_object_array_get_idx(value, i)))
			return false;
	return true;
}

/* A word that is not understood would be a promise that nobody keeps. */
static bool knows_words(struct check *check, struct json_object *schema)
{
	static const char *const words[] = { "$schema",	    "$id",	  "title",
					     "description", "type",	  "enum",
					     "required",    "properties", "additionalProperties",
					     "items",	    "minimum" };

	json_object_object_foreach(schema, name, unused)
	{
		bool known = false;

		(void)unused;
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			known |= !strcmp(words[i], name);
		if (!known)
			return differs(check, "the schema's word %s is not known", name);
	}
	return true;
}

static bool fits(struct check *check, struct json_object *schema, struct json_object *value)
{
	struct json_object *rule;
	bool good = knows_words(check, schema) && ++check->depth <= DEPTH_MAX;

	if (good && json_object_object_get_ex(schema, "type", &rule))
		good = fits_type(check, rule, value);
	if (good && json_object_object_get_ex(schema, "enum", &rule))
		good = fits_enum(check, rule, value);
	if (good && json_object_object_get_ex(schema, "minimum", &rule))
		good = fits_minimum(check, rule, value);
	if (good && json_object_is_type(value, json_type_object)) {
		if (json_object_object_get_ex(schema, "required", &rule))
			good = has_required(check, rule, value);
		good = good && fits_members(check, schema, value);
	}
	if (good && json_object_is_type(value, json_type_array) &&
	    json_object_object_get_ex(schema, "items", &rule))
		good = fits_items(check, rule, value);
	check->depth--;
	return good;
}

int schema_check(const char *name, const char *text, char error[SCHEMA_ERROR])
{
	struct check check = { .error = error, .at = name };
	struct json_object *schema, *value;
	char path[128];
	bool good;

	snprintf(path, sizeof(path), "docs/schemas/%s.json", name);
	schema = json_object_from_file(path);
	value = json_tokener_parse(text);
	if (!json_object_is_type(schema, json_type_object))
		good = differs(&check, "%s is no schema", path);
	else if (!json_object_is_type(value, json_type_object))
		good = differs(&check, "no object: %.200s", text);
	else
		good = fits(&check, schema, value);
	json_object_put(schema);
	json_object_put(value);
	return good ? 0 : -1;
}
