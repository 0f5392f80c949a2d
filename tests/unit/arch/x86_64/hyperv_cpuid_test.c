/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of arch/x86_64/hyperv_cpuid.c: Hyper-V's leaves, whole and in part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/x86_64/hyperv_cpuid.h"

#define FIRST 0x40000000u
#define HYPERVISOR_BIT (1u << 31)
#define LEAVES 8

/* From FIRST on. */
static uint32_t leaves[LEAVES][CPUID_REGISTERS];
static uint32_t leaf_1_ecx;

static void fake_cpuid(uint32_t leaf, uint32_t out[CPUID_REGISTERS])
{
	memset(out, 0, CPUID_REGISTERS * sizeof(out[0]));
	if (leaf == 1)
		out[CPUID_ECX] = leaf_1_ecx;
	else if (leaf >= FIRST && leaf - FIRST < LEAVES)
		memcpy(out, leaves[leaf - FIRST], sizeof(leaves[0]));
}

static int begin(void **state)
{
	static const uint32_t hyperv[LEAVES][CPUID_REGISTERS] = {
		{ FIRST + 5, 0, 0, 0 },
		{ 0x31237648, 0, 0, 0 },
		{ 20348, 0x000a0000, 0, 0 },
		{ 0x2e67, 0x00100030, 0, 0x500 },
		{ 0x200, 0, 0, 0 },
	};

	(void)state;
	memcpy(leaves, hyperv, sizeof(leaves));
	memcpy(&leaves[0][CPUID_EBX], "Microsoft Hv", 12);
	leaf_1_ecx = HYPERVISOR_BIT;
	return 0;
}

static void what_it_tells_is_stored(void **state)
{
	struct hyperv_cpuid found;

	(void)state;
	assert_true(hyperv_cpuid_find(fake_cpuid, &found));
	assert_int_equal(found.build, 20348);
	assert_int_equal(found.version, 0x000a0000);
	assert_int_equal(found.access_low, 0x2e67);
	assert_int_equal(found.access_high, 0x00100030);
	assert_int_equal(found.features, 0x500);
	assert_int_equal(found.hints, 0x200);
}

static void expect_none(void)
{
	struct hyperv_cpuid found = { .access_low = 1 };

	assert_false(hyperv_cpuid_find(fake_cpuid, &found));
	assert_int_equal(found.access_low, 0);
}

static void another_hypervisor_is_none(void **state)
{
	(void)state;
	memcpy(&leaves[0][CPUID_EBX], "KVMKVMKVM\0\0", 12);
	expect_none();
	begin(NULL);
	leaf_1_ecx = 0;
	expect_none();
}

static void one_with_fewer_leaves_is_none(void **state)
{
	(void)state;
	leaves[0][CPUID_EAX] = FIRST + 4;
	expect_none();
}

static void one_of_another_interface_is_none(void **state)
{
	(void)state;
	leaves[1][CPUID_EAX]++;
	expect_none();
}

static void one_whose_hypercalls_may_not_be_used_is_none(void **state)
{
	(void)state;
	leaves[3][CPUID_EAX] &= ~0x20u;
	expect_none();
}

/* Others end in an exception. */
static void the_counters_rate_is_told_where_it_is_and_may_be_read(void **state)
{
	struct hyperv_cpuid found;

	(void)state;
	assert_true(hyperv_cpuid_find(fake_cpuid, &found));
	assert_true(hyperv_cpuid_has_tsc_rate(&found));
	found.access_low &= ~0x800u;
	assert_false(hyperv_cpuid_has_tsc_rate(&found));
	found.access_low |= 0x800;
	found.features &= ~0x100u;
	assert_false(hyperv_cpuid_has_tsc_rate(&found));
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_it_tells_is_stored),
		TEST(another_hypervisor_is_none),
		TEST(one_with_fewer_leaves_is_none),
		TEST(one_of_another_interface_is_none),
		TEST(one_whose_hypercalls_may_not_be_used_is_none),
		TEST(the_counters_rate_is_told_where_it_is_and_may_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
