/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/balloonctl/amount.c: a sign, a size, a share; all of the text counts. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tools/balloonctl/amount.h"

#define GIB (1ull << 30)

static void assert_amount(const char *text, int sign, uint64_t ram, uint64_t bytes)
{
	struct amount amount;
	int err = amount_parse(text, &amount);

	if (err || amount.sign != sign || amount_bytes(&amount, ram) != bytes)
		fail_msg("%s: %d, %d, %llu", text, err, amount.sign,
			 (unsigned long long)amount_bytes(&amount, ram));
}

static void sizes_are_of_no_ram(void **state)
{
	(void)state;
	assert_amount("1.5G", 0, GIB, 3 * GIB / 2);
	assert_amount("+64MiB", 1, GIB, GIB / 16);
	assert_amount("-4096", -1, GIB, 4096);
	assert_amount("0", 0, GIB, 0);
	assert_amount("9223372036854775807", 0, GIB, INT64_MAX);
}

static void shares_are_of_the_ram(void **state)
{
	(void)state;
	assert_amount("50%", 0, GIB, GIB / 2);
	assert_amount("+25%", 1, GIB, GIB / 4);
	assert_amount("-12.5%", -1, GIB, GIB / 8);
	assert_amount("0%", 0, GIB, 0);
	assert_amount("100%", 0, INT64_MAX, INT64_MAX);
	assert_amount("100.000000000000%", 0, GIB, GIB);
	/* Rounded to the nearest byte. */
	assert_amount("33.3%", 0, 1000, 333);
	assert_amount("33.3%", 0, 1001, 333);
	assert_amount("33.3%", 0, 1002, 334);
	assert_amount("50%", 0, 1, 1);
	assert_amount("49.9%", 0, 1, 0);
	assert_amount("0.1%", 0, 1ull << 44, 17592186044);
}

static void all_is_all_of_the_ram(void **state)
{
	struct amount all = AMOUNT_ALL;

	(void)state;
	assert_true(amount_bytes(&all, 12345) == 12345);
	assert_int_equal(all.sign, 0);
}

static void what_is_no_amount_is_refused(void **state)
{
	static const char *const bad[] = { "",	   "+",	  "-",	  "%",	   "+%",    "++1",   "+-1",
					   "1+",   "5 %", " 5%",  "%5",	   "5%%",   "5G%",   "5%G",
					   "-.5%", "5.%", "1e1%", "0x10%", "1,5%",  "5% ",   "all",
					   "1.1",  "--1", "+ 1G", "1G-",   "5MiB%", "5.5.5%" };
	struct amount amount = { .value = 7 };
	char long_text[100];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (amount_parse(bad[i], &amount) != -EINVAL)
			fail_msg("\"%s\" is taken", bad[i]);
	memset(long_text, '0', sizeof(long_text));
	strcpy(long_text + sizeof(long_text) - 2, "%");
	assert_int_equal(amount_parse(long_text, &amount), -EINVAL);
	assert_int_equal(amount.value, 7);
}

/* One that is too long is refused, and none is cut: it would be another number. */
static void long_share_is_read_whole_or_refused(void **state)
{
	char text[64];

	(void)state;
	for (int length = 2; length < 60; length++) {
		struct amount amount = { .value = 7 };
		int err;

		snprintf(text, sizeof(text), "%0*d%%", length, 50);
		err = amount_parse(text, &amount);
		assert_int_equal(err, length <= 46 ? 0 : -EINVAL);
		if (!err)
			assert_int_equal(amount_bytes(&amount, GIB), GIB / 2);
	}
}

static void too_much_is_refused(void **state)
{
	static const char *const much[] = { "100.000000000001%",   "101%",     "+200%", "16777216%",
					    "9223372036854775808", "-8388608T" };
	struct amount amount;

	(void)state;
	for (size_t i = 0; i < sizeof(much) / sizeof(much[0]); i++)
		if (amount_parse(much[i], &amount) != -ERANGE)
			fail_msg("\"%s\" is taken", much[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_of_no_ram),
		cmocka_unit_test(shares_are_of_the_ram),
		cmocka_unit_test(all_is_all_of_the_ram),
		cmocka_unit_test(what_is_no_amount_is_refused),
		cmocka_unit_test(long_share_is_read_whole_or_refused),
		cmocka_unit_test(too_much_is_refused),
	};

	return cmocka_run_group_tests_name("balloonctl/amount", tests, NULL, NULL);
}
