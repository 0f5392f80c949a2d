/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/balloonctl/size.c: what people write is taken exactly, or refused. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>

#include "tools/balloonctl/balloonctl.h"

static void assert_size(const char *text, uint64_t bytes)
{
	uint64_t parsed = 1;
	int err = size_parse(text, &parsed);

	if (err || parsed != bytes)
		fail_msg("%s: %d, %llu", text, err, (unsigned long long)parsed);
}

static void assert_refused(const char *text, int err)
{
	uint64_t parsed;
	int is = size_parse(text, &parsed);

	if (is != err)
		fail_msg("\"%s\": %d", text, is);
}

static void units_are_powers_of_1024(void **state)
{
	(void)state;
	assert_size("0", 0);
	assert_size("4096", 4096);
	assert_size("1K", 1024);
	assert_size("64M", 64ull << 20);
	assert_size("64m", 64ull << 20);
	assert_size("64MiB", 64ull << 20);
	assert_size("64MB", 64ull << 20);
	assert_size("3G", 3ull << 30);
	assert_size("16T", 16ull << 40);
	assert_size("007K", 7168);
	assert_size("00", 0);
	assert_size("9223372036854775807", INT64_MAX);
	assert_size("8191T", 8191ull << 40);
}

static void fractions_are_exact_to_the_byte(void **state)
{
	(void)state;
	assert_size("1.5G", 3ull << 29);
	assert_size("0.5K", 512);
	assert_size("0.1G", 107374182);
	assert_size("0.000000000931323G", 1);
	assert_size("1.000000000000000T", 1ull << 40);
	assert_size("8191.999999999999999T", (8192ull << 40) - 1);
}

static void what_is_no_size_is_refused(void **state)
{
	static const char *const bad[] = { "",	   "M",
					   "-1",   "+1",
					   "1 M",  " 1",
					   "1M ",  "1Mb",
					   "1B",   "1P",
					   "1.M",  ".5M",
					   "1.5",  "0x10",
					   "1e3",  "1MM",
					   "1,5",  "inf",
					   "1Mi",  "1.5.5",
					   "1M\n", "1.0000000000000000M" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(bad[i], -EINVAL);
}

static void too_much_is_refused(void **state)
{
	(void)state;
	assert_refused("9223372036854775808", -ERANGE);
	assert_refused("8192P", -EINVAL);
	assert_refused("8388608T", -ERANGE);
	assert_refused("9999999999999999999T", -ERANGE);
	assert_refused("99999999999999999999", -ERANGE);
}

static void assert_shown(uint64_t bytes, const char *text)
{
	char shown[SIZE_TEXT];

	size_format(bytes, shown);
	assert_string_equal(shown, text);
}

static void shown_sizes_have_four_digits(void **state)
{
	(void)state;
	assert_shown(0, "    0 B");
	assert_shown(1023, " 1023 B");
	assert_shown(1024, "1.000 KiB");
	assert_shown(768ull << 20, "768.0 MiB");
	assert_shown(3ull << 29, "1.500 GiB");
	assert_shown(64ull << 20, "64.00 MiB");
	assert_shown(1023ull << 20, " 1023 MiB");
	assert_shown((1024ull << 20) - 1, "1.000 GiB");
	assert_shown((10ull << 20) - 1, "10.00 MiB");
	assert_shown((100ull << 20) - 1, "100.0 MiB");
	assert_shown((1000ull << 20) - 1, " 1000 MiB");
	assert_shown(16ull << 40, "16.00 TiB");
	/* Exactly where a digit more begins. */
	assert_shown(1023 * 1024 + 512, "1.000 MiB");
	assert_shown((uint64_t)(9.9995 * 0x1p50), "10.00 PiB");
	assert_shown((uint64_t)(99.995 * 0x1p50), "100.0 PiB");
	assert_shown((uint64_t)(999.95 * 0x1p50), " 1000 PiB");
	assert_shown(UINT64_MAX, "16.00 EiB");
}

static void seconds_are_whole_and_bounded(void **state)
{
	unsigned seconds = 1;

	(void)state;
	assert_int_equal(seconds_parse("0", &seconds), 0);
	assert_int_equal(seconds, 0);
	assert_int_equal(seconds_parse("31622400", &seconds), 0);
	assert_int_equal(seconds, SECONDS_MAX);
	assert_int_equal(seconds_parse("31622401", &seconds), -EINVAL);
	assert_int_equal(seconds_parse("4294967297", &seconds), -EINVAL);
	assert_int_equal(seconds_parse("-1", &seconds), -EINVAL);
	assert_int_equal(seconds_parse("1s", &seconds), -EINVAL);
	assert_int_equal(seconds_parse("", &seconds), -EINVAL);
}

/* In the largest unit that leaves no fraction, so that it can be read back. */
static void exact_sizes_are_read_back(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0" },
		{ 1, "1" },
		{ 1023, "1023" },
		{ 1024, "1K" },
		{ 1025, "1025" },
		{ 3ull << 20, "3M" },
		{ (3ull << 20) + 1024, "3073K" },
		{ 1536ull << 20, "1536M" },
		{ 4ull << 30, "4G" },
		{ 1024ull << 40, "1024T" },
		{ INT64_MAX, "9223372036854775807" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char text[SIZE_TEXT];

		size_exact(sizes[i].bytes, text);
		assert_string_equal(text, sizes[i].text);
		assert_size(text, sizes[i].bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_are_powers_of_1024),
		cmocka_unit_test(exact_sizes_are_read_back),
		cmocka_unit_test(fractions_are_exact_to_the_byte),
		cmocka_unit_test(what_is_no_size_is_refused),
		cmocka_unit_test(too_much_is_refused),
		cmocka_unit_test(shown_sizes_have_four_digits),
		cmocka_unit_test(seconds_are_whole_and_bounded),
	};

	return cmocka_run_group_tests_name("balloonctl/size", tests, NULL, NULL);
}
