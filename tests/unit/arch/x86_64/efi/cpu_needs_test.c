/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of arch/x86_64/efi/cpu_needs.c: processors that lack one thing each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/x86_64/cpu_needs.h"

#define EXTENDED 0x80000000u

/* A processor that has everything up to these leaves, but for some bits of EDX. */
static uint32_t last_leaf, last_extended;
static uint32_t lacks_basic, lacks_extended;

static void fake_cpuid(uint32_t leaf, uint32_t out[4])
{
	uint32_t last = leaf & EXTENDED ? last_extended : last_leaf;

	memset(out, 0xff, 4 * sizeof(out[0]));
	if (leaf == 0 || leaf == EXTENDED)
		out[0] = last;
	else
		out[3] = ~(leaf & EXTENDED ? lacks_extended : lacks_basic);
}

static int make_whole(void **state)
{
	(void)state;
	last_leaf = 1;
	last_extended = EXTENDED + 1;
	lacks_basic = lacks_extended = 0;
	return 0;
}

static void a_whole_processor_lacks_nothing(void **state)
{
	(void)state;
	assert_null(cpu_needs_missing(fake_cpuid));
	lacks_basic = ~(1u << 4 | 1u << 5 | 1u << 6 | 1u << 15 | 1u << 26);
	lacks_extended = ~(1u << 20 | 1u << 29);
	assert_null(cpu_needs_missing(fake_cpuid));
}

static void each_thing_that_is_missing_is_named(void **state)
{
	static const struct {
		unsigned bit;
		const char *name;
	} basic[] = { { 4, "(tsc)" },
		      { 5, "(msr)" },
		      { 6, "(pae)" },
		      { 15, "(cmov)" },
		      { 26, "(sse2)" } },
	  extended[] = { { 20, "(nx)" }, { 29, "(lm)" } };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		lacks_basic = 1u << basic[i].bit;
		assert_non_null(strstr(cpu_needs_missing(fake_cpuid), basic[i].name));
	}
	lacks_basic = 0;
	for (size_t i = 0; i < 2; i++) {
		lacks_extended = 1u << extended[i].bit;
		assert_non_null(strstr(cpu_needs_missing(fake_cpuid), extended[i].name));
	}
}

static void long_mode_is_named_first(void **state)
{
	(void)state;
	lacks_basic = lacks_extended = UINT32_MAX;
	assert_non_null(strstr(cpu_needs_missing(fake_cpuid), "(lm)"));
}

/* What a leaf beyond the highest says is not believed. */
static void a_leaf_that_is_not_there_says_nothing(void **state)
{
	(void)state;
	last_extended = EXTENDED;
	assert_non_null(strstr(cpu_needs_missing(fake_cpuid), "(lm)"));
	last_extended = 0;
	assert_non_null(strstr(cpu_needs_missing(fake_cpuid), "(lm)"));
	make_whole(NULL);
	last_leaf = 0;
	assert_non_null(strstr(cpu_needs_missing(fake_cpuid), "(pae)"));
}

#define TEST(name) cmocka_unit_test_setup(name, make_whole)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_processor_lacks_nothing),
		TEST(each_thing_that_is_missing_is_named),
		TEST(long_mode_is_named_first),
		TEST(a_leaf_that_is_not_there_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
