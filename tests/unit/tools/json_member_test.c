/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/json_member.c: a value of another type is no value. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "tools/json_member.h"

static struct json_object *parse(const char *text)
{
	struct json_object *object = json_tokener_parse(text);

	assert_non_null(object);
	return object;
}

static void whole_numbers_are_exact_up_to_the_largest(void **state)
{
	struct json_object *object = parse(
		"{\"zero\": 0, \"most\": 18446744073709551615, \"odd\": 9223372036854775809}");
	uint64_t value = 1;

	(void)state;
	assert_true(json_member_uint64(object, "zero", &value));
	assert_int_equal(value, 0);
	assert_true(json_member_uint64(object, "most", &value));
	assert_true(value == UINT64_MAX);
	assert_true(json_member_uint64(object, "odd", &value));
	assert_true(value == (1ull << 63) + 1);
	json_object_put(object);
}

static void other_numbers_are_none(void **state)
{
	struct json_object *object = parse(
		"{\"minus\": -1, \"real\": 1.0, \"text\": \"1\", \"null\": null, \"true\": true}");
	static const char *const names[] = { "minus", "real", "text", "null", "true", "absent" };
	uint64_t value = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(json_member_uint64(object, names[i], &value));
	assert_int_equal(value, 7);
	json_object_put(object);
}

static void text_is_empty_where_there_is_none(void **state)
{
	struct json_object *object = parse(
		"{\"text\": \"abc\", \"number\": 5, \"array\": [\"d\"]}");

	(void)state;
	assert_string_equal(json_member_string(object, "text"), "abc");
	assert_string_equal(json_member_string(object, "number"), "");
	assert_string_equal(json_member_string(object, "array"), "");
	assert_string_equal(json_member_string(object, "absent"), "");
	json_object_put(object);
}

static void only_an_array_is_an_array(void **state)
{
	struct json_object *object = parse("{\"array\": [1, 2], \"object\": {}, \"text\": \"[]\"}");

	(void)state;
	assert_int_equal(json_object_array_length(json_member_array(object, "array")), 2);
	assert_null(json_member_array(object, "object"));
	assert_null(json_member_array(object, "text"));
	assert_null(json_member_array(object, "absent"));
	json_object_put(object);
}

static void what_is_no_object_has_no_members(void **state)
{
	struct json_object *others[] = { NULL, parse("[1]"), parse("5"), parse("\"text\"") };
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_false(json_member_uint64(others[i], "x", &value));
		assert_string_equal(json_member_string(others[i], "x"), "");
		assert_null(json_member_array(others[i], "x"));
		json_object_put(others[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_numbers_are_exact_up_to_the_largest),
		cmocka_unit_test(other_numbers_are_none),
		cmocka_unit_test(text_is_empty_where_there_is_none),
		cmocka_unit_test(only_an_array_is_an_array),
		cmocka_unit_test(what_is_no_object_has_no_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
