/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes of AML (ACPI 6.4, 20.2): lengths, numbers and names, to the byte where each ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "drivers/acpi/acpi_internal.h"

static uint8_t bytes[1100000];

/* AML of these bytes, and `more` zeros. */
static struct aml aml_of(const void *data, size_t size, size_t more)
{
	memset(bytes, 0, size + more);
	memcpy(bytes, data, size);
	return (struct aml){ .at = bytes, .end = bytes + size + more };
}

/* A package of this length in this many bytes: what is in it follows, and ends there. */
static void assert_package(const void *lead, size_t size, size_t length)
{
	struct aml aml = aml_of(lead, size, length - size + 3);

	assert_true(aml_enter_package(&aml));
	assert_int_equal(aml.at - bytes, size);
	assert_int_equal(aml.end - bytes, length);
	/* It may end with what it is in; a byte less is too few. */
	aml = aml_of(lead, size, length - size);
	assert_true(aml_enter_package(&aml));
	assert_int_equal(aml.end - bytes, length);
	if (length > size) {
		aml = aml_of(lead, size, length - size - 1);
		assert_false(aml_enter_package(&aml));
	}
}

/* 20.2.4: six bits in one byte; or four, and eight more in each that follows. */
static void a_package_is_as_long_as_it_says(void **state)
{
	(void)state;
	assert_package("\x01", 1, 1);
	assert_package("\x05", 1, 5);
	assert_package("\x25", 1, 37);
	assert_package("\x3f", 1, 63);
	assert_package("\x42\x00", 2, 2);
	assert_package("\x4f\x01", 2, 0x1f);
	assert_package("\x71\x02", 2, 0x21);
	assert_package("\x82\x01\x01", 3, 0x1012);
	assert_package("\xc1\x02\x00\x01", 4, 0x100021);
}

static void a_package_shorter_than_its_own_length_is_none(void **state)
{
	static const char *const leads[] = { "\x00", "\x40", "\x41", "\x82", "\xc3" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(leads); i++) {
		struct aml aml = aml_of(leads[i], 1, 60);

		assert_false(aml_enter_package(&aml));
	}
}

static void a_length_that_is_cut_is_none(void **state)
{
	struct aml aml = aml_of("", 0, 0);

	(void)state;
	assert_false(aml_enter_package(&aml));
	aml = aml_of("\x42", 1, 0);
	assert_false(aml_enter_package(&aml));
	aml = aml_of("\x82\x00", 2, 0);
	assert_false(aml_enter_package(&aml));
	aml = aml_of("\xc3\x00\x00", 3, 0);
	assert_false(aml_enter_package(&aml));
}

/* A number, and the byte after it. */
static void assert_number(const void *data, size_t size, uint64_t wanted)
{
	struct aml aml = aml_of(data, size, 1);
	uint64_t value = 4711;

	assert_true(aml_read_integer(&aml, &value));
	assert_int_equal(value, wanted);
	assert_int_equal(aml.at - bytes, size);
	for (size_t cut = 0; cut < size; cut++) {
		aml = aml_of(data, cut, 0);
		assert_false(aml_read_integer(&aml, &value));
	}
	aml = aml_of(data, size, 0);
	assert_true(aml_read_integer(&aml, &value));
}

static void numbers_have_up_to_eight_bytes(void **state)
{
	static const uint8_t others[] = { 0x02, 0x0d, 0x0f, 0x12, 0xff };
	uint64_t value;

	(void)state;
	assert_number("\x00", 1, 0);
	assert_number("\x01", 1, 1);
	assert_number("\x0a\xfe", 2, 0xfe);
	assert_number("\x0b\x34\x92", 3, 0x9234);
	assert_number("\x0c\x78\x56\x34\x92", 5, 0x92345678);
	assert_number("\x0e\x78\x56\x34\x12\xef\xcd\xab\x89", 9, UINT64_C(0x89abcdef12345678));
	for (size_t i = 0; i < sizeof(others); i++) {
		struct aml aml = aml_of(&others[i], 1, 8);

		assert_false(aml_read_integer(&aml, &value));
	}
}

/* Whether a name is found in these bytes from `start` on. */
static bool has_name(const char *data, size_t size, size_t start)
{
	struct aml aml = aml_of(data, size, 0);

	aml.at += start;
	return aml_find_name(&aml, "NAME");
}

/* 20.2.2: after NameOp, and perhaps a root's prefix; both within the table. */
static void a_name_follows_its_operator(void **state)
{
	(void)state;
	assert_true(has_name("\x08NAME", 5, 0));
	assert_true(has_name("\x08\\NAME", 6, 0));
	assert_true(has_name("NAME\x08NAME", 9, 0));
	assert_false(has_name("\x09NAME", 5, 0));
	assert_false(has_name("\x08.NAME", 6, 0));
	assert_false(has_name("\x09\\NAME", 6, 0));
	assert_false(has_name("\x08NAME", 5, 1));
	assert_false(has_name("\x08\\NAME", 6, 1));
	assert_false(has_name("\x08\\NAME", 6, 2));
}

/* Also if nothing comes after it. */
static void a_name_is_found_at_the_end(void **state)
{
	struct aml aml = aml_of("\x08NEAR\x08NAME", 10, 0);

	(void)state;
	assert_true(aml_find_name(&aml, "NAME"));
	assert_int_equal(aml.at - bytes, 10);
	assert_false(aml_find_name(&aml, "NAME"));
}

/* Two bytes, and a package of its length alone; it is taken off what is left to read. */
static void the_smallest_device_is_found(void **state)
{
	struct aml aml = aml_of("\x5b\x82\x01", 3, 0), inside;
	uint64_t left = 1;

	(void)state;
	assert_true(aml_find_device(&aml, &inside, &left));
	assert_int_equal(aml.at - bytes, 2);
	assert_int_equal(inside.at - bytes, 3);
	assert_int_equal(inside.end - bytes, 3);
	assert_int_equal(left, 1);
	assert_false(aml_find_device(&aml, &inside, &left));
	aml = aml_of("\x5b\x82", 2, 0);
	assert_false(aml_find_device(&aml, &inside, &left));
}

static void a_search_ends_when_nothing_is_left_to_read(void **state)
{
	struct aml aml = aml_of("\x5b\x82\x09", 3, 8), inside;
	uint64_t left = 9;

	(void)state;
	assert_true(aml_find_device(&aml, &inside, &left));
	assert_int_equal(left, 1);
	left = 8;
	aml.at = bytes;
	assert_false(aml_find_device(&aml, &inside, &left));
	assert_int_equal(left, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_package_is_as_long_as_it_says),
		cmocka_unit_test(a_package_shorter_than_its_own_length_is_none),
		cmocka_unit_test(a_length_that_is_cut_is_none),
		cmocka_unit_test(numbers_have_up_to_eight_bytes),
		cmocka_unit_test(a_name_follows_its_operator),
		cmocka_unit_test(a_name_is_found_at_the_end),
		cmocka_unit_test(the_smallest_device_is_found),
		cmocka_unit_test(a_search_ends_when_nothing_is_left_to_read),
	};

	return cmocka_run_group_tests_name("acpi_aml", tests, NULL, NULL);
}
