/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of kernel/lib/parse.c: every form, every limit, every wrong form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "kernel/lib/parse.h"

#define UNCHANGED UINT64_C(0xdeadbeef)

struct parse_case {
	const char *text;
	int result;
	uint64_t value;
};

static void check(int (*parse)(const char *, uint64_t *), const struct parse_case *c)
{
	uint64_t value = UNCHANGED;
	int result = parse(c->text, &value);
	uint64_t expected = c->result ? UNCHANGED : c->value;

	if (result != c->result || value != expected)
		fail_msg("\"%s\": %d, %llu", c->text, result, (unsigned long long)value);
}

static void parse_u64_takes_decimal_and_hexadecimal(void **state)
{
	static const struct parse_case cases[] = {
		{ "0", 0, 0 },
		{ "7", 0, 7 },
		{ "007", 0, 7 },
		{ "4294967296", 0, UINT64_C(1) << 32 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "0x0", 0, 0 },
		{ "0xfF", 0, 255 },
		{ "0X10", 0, 16 },
		{ "0xabcdef", 0, 0xabcdef },
		{ "0xABCDEF", 0, 0xabcdef },
		{ "0xffffffffffffffff", 0, UINT64_MAX },
		{ "0x00000000000000000001", 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(parse_u64, &cases[i]);
}

static void parse_u64_refuses_what_is_no_number(void **state)
{
	static const char *const texts[] = {
		"",	" ",   " 1",  "1 ",  "-1",  "+1",   "0x",
		"0xg",	"ff",  "1k",  "1.0", "x1",  "00x1", "99999999999999999999x",
		"\xff", "1\n", "0x@", "0x/", "0x:", "0x`",  "0xG",
		"1a",	"1A",  "a"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		check(parse_u64, &(struct parse_case){ texts[i], -EINVAL, 0 });
}

static void parse_u64_refuses_what_is_too_large(void **state)
{
	static const char *const texts[] = { "18446744073709551616", "18446744073709551620",
					     "99999999999999999999", "0x10000000000000000",
					     "340282366920938463463374607431768211456" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		check(parse_u64, &(struct parse_case){ texts[i], -ERANGE, 0 });
}

static void parse_size_takes_every_suffix(void **state)
{
	static const struct parse_case cases[] = {
		{ "0", 0, 0 },
		{ "4096", 0, 4096 },
		{ "4096k", 0, 4096 * KIB },
		{ "4K", 0, 4 * KIB },
		{ "4kB", 0, 4 * KIB },
		{ "4KiB", 0, 4 * KIB },
		{ "64m", 0, 64 * MIB },
		{ "64M", 0, 64 * MIB },
		{ "64MB", 0, 64 * MIB },
		{ "64MiB", 0, 64 * MIB },
		{ "1g", 0, GIB },
		{ "1GiB", 0, GIB },
		{ "1t", 0, 1024 * GIB },
		{ "1TB", 0, 1024 * GIB },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "16777215T", 0, UINT64_C(16777215) << 40 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(parse_size, &cases[i]);
}

static void parse_size_refuses_other_forms(void **state)
{
	static const char *const texts[] = {
		"",	 "k",	"M",   "-1", "0x10",  "1 M",   " 1M",
		"1M ",	 "1MM", "1b",  "1B", "1iB",   "1mi",   "1Mib",
		"1MiBs", "1p",	"1.5", "G1", "1\xcb", "1,000", "99999999999999999999Q"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		check(parse_size, &(struct parse_case){ texts[i], -EINVAL, 0 });
}

static void parse_size_takes_fractions_of_a_unit(void **state)
{
	static const struct parse_case cases[] = {
		{ "1.5G", 0, 3 * GIB / 2 },
		{ "0.5k", 0, 512 },
		{ "1.50MiB", 0, 3 * MIB / 2 },
		{ "0.0T", 0, 0 },
		{ "0.1G", 0, 107374182 },
		{ "0.000000000931323G", 0, 1 },
		{ "0.000000000931322G", 0, 0 },
		{ "0.999999999999999T", 0, 1024 * GIB - 1 },
		{ "16777215.999999999999999T", 0, UINT64_MAX },
	};
	static const char *const none[] = { "1.G",    ".5G",   "1.5.5G",
					    "1..5G",  "1.5",   "1.0",
					    "1.-5G",  "1.+5G", "1. 5G",
					    "1.5 G",  "1.5Gi", "1.0x1G",
					    "1.5e3M", "1,5G",  "1.0000000000000000G" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(parse_size, &cases[i]);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		check(parse_size, &(struct parse_case){ none[i], -EINVAL, 0 });
	check(parse_size, &(struct parse_case){ "16777216.5T", -ERANGE, 0 });
	check(parse_u64, &(struct parse_case){ "1.5", -EINVAL, 0 });
}

static void parse_seconds_takes_decimals(void **state)
{
	static const struct parse_case cases[] = {
		{ "0", 0, 0 },
		{ "10", 0, 10 * NS_PER_S },
		{ "0.5", 0, NS_PER_S / 2 },
		{ "1.25", 0, NS_PER_S * 5 / 4 },
		{ "0.000000001", 0, 1 },
		{ "0.0000000019", 0, 1 },
		{ "1000000000", 0, 1000000000 * NS_PER_S },
		{ "1000000001", -ERANGE, 0 },
		{ "99999999999999999999", -ERANGE, 0 },
	};
	static const char *const none[] = {
		"",   ".5",  "5.",  "-1",    "1s",  "1 ",
		" 1", "1e3", "0x5", "1.5.5", "1,5", "1.0000000000000000"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(parse_seconds, &cases[i]);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		check(parse_seconds, &(struct parse_case){ none[i], -EINVAL, 0 });
}

static void parse_size_refuses_two_to_the_64(void **state)
{
	static const char *const texts[] = { "18446744073709551616",  "16777216T",
					     "18014398509481984k",    "17179869184G",
					     "18446744073709551615k", "99999999999999999999T" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		check(parse_size, &(struct parse_case){ texts[i], -ERANGE, 0 });
}

static void format_size_rounds_to_nearest(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },
		{ 100, "100 B" },
		{ 1023, "1023 B" },
		{ 1024, "1 KiB" },
		{ 1535, "1 KiB" },
		{ 1536, "2 KiB" },
		{ 4096, "4 KiB" },
		{ 1023 * KIB + 511, "1023 KiB" },
		{ 1023 * KIB + 512, "1.0 MiB" },
		{ MIB, "1.0 MiB" },
		{ 64 * MIB, "64.0 MiB" },
		{ MIB + MIB / 20 - 1, "1.0 MiB" },
		{ MIB + MIB / 20 + 1, "1.1 MiB" },
		{ 1023 * MIB + MIB * 94 / 100, "1023.9 MiB" },
		{ 1023 * MIB + MIB * 96 / 100, "1.0 GiB" },
		{ 1536 * MIB, "1.5 GiB" },
		{ 16 * 1024 * GIB, "16.0 TiB" },
		{ UINT64_C(1) << 50, "1.0 PiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};
	char text[FORMAT_SIZE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_ptr_equal(format_size(cases[i].bytes, text), text);
		assert_string_equal(text, cases[i].text);
	}
}

static void format_size_exact_takes_the_largest_unit_that_is_whole(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "1B" },
		{ 1023, "1023B" },
		{ 1024, "1K" },
		{ 1025, "1025B" },
		{ 4096, "4K" },
		{ 1536 * KIB, "1536K" },
		{ 1026 * MIB, "1026M" },
		{ 8 * GIB, "8G" },
		{ 9 * 1024 * GIB, "9T" },
		{ UINT64_C(1) << 50, "1024T" },
		{ UINT64_C(15) << 60, "15728640T" },
		{ UINT64_MAX, "18446744073709551615B" },
	};
	char text[FORMAT_SIZE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_ptr_equal(format_size_exact(cases[i].bytes, "B", text), text);
		assert_string_equal(text, cases[i].text);
	}
	assert_string_equal(format_size_exact(1023, "", text), "1023");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_u64_takes_decimal_and_hexadecimal),
		cmocka_unit_test(parse_u64_refuses_what_is_no_number),
		cmocka_unit_test(parse_u64_refuses_what_is_too_large),
		cmocka_unit_test(parse_size_takes_every_suffix),
		cmocka_unit_test(parse_size_refuses_other_forms),
		cmocka_unit_test(parse_size_takes_fractions_of_a_unit),
		cmocka_unit_test(parse_seconds_takes_decimals),
		cmocka_unit_test(parse_size_refuses_two_to_the_64),
		cmocka_unit_test(format_size_rounds_to_nearest),
		cmocka_unit_test(format_size_exact_takes_the_largest_unit_that_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
