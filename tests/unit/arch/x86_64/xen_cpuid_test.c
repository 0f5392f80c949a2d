/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of arch/x86_64/hypervisor.c and xen_cpuid.c: Xen's leaves, alone and above another's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/x86_64/hypervisor.h"
#include "arch/x86_64/xen_cpuid.h"

#define FIRST 0x40000000u
#define HYPERVISOR_BIT (1u << 31)
#define XEN "XenVMMXenVMM"

/* The leaves of a processor; all others answer with the words of `filler`. */
static struct leaf {
	uint32_t leaf;
	uint32_t out[CPUID_REGISTERS];
} leaves[16];
static size_t leaf_count;
static uint32_t filler;
static unsigned reads;
static bool every_base_is_a_range;

static void fake_cpuid(uint32_t leaf, uint32_t out[CPUID_REGISTERS])
{
	reads++;
	for (size_t i = 0; i < CPUID_REGISTERS; i++)
		out[i] = filler;
	if (every_base_is_a_range)
		out[CPUID_EAX] = leaf + 1;
	for (size_t i = 0; i < leaf_count; i++) {
		if (leaves[i].leaf == leaf)
			memcpy(out, leaves[i].out, sizeof(leaves[i].out));
	}
}

static struct leaf *add(uint32_t leaf, uint32_t eax, uint32_t ebx, uint32_t ecx)
{
	assert_true(leaf_count < sizeof(leaves) / sizeof(leaves[0]));
	leaves[leaf_count] = (struct leaf){ leaf, { eax, ebx, ecx, 0 } };
	return &leaves[leaf_count++];
}

static void add_range(uint32_t base, uint32_t highest, const char *signature)
{
	memcpy(&add(base, highest, 0, 0)->out[CPUID_EBX], signature, HYPERVISOR_SIGNATURE_SIZE);
}

static void add_xen(uint32_t base, uint32_t highest)
{
	add_range(base, highest, XEN);
	add(base + 2, 1, 0x40000200, 0);
	add(base + 3, 0, 2, 2592000);
}

static int forget(void **state)
{
	(void)state;
	leaf_count = 0;
	filler = 0;
	reads = 0;
	every_base_is_a_range = false;
	add(1, 0, 0, HYPERVISOR_BIT);
	return 0;
}

static void xens_leaves_tell_where_its_page_goes_and_its_rate(void **state)
{
	struct xen_cpuid found;

	(void)state;
	add_xen(FIRST, FIRST + 5);
	assert_true(xen_cpuid_find(fake_cpuid, &found));
	assert_int_equal(found.hypercall_msr, 0x40000200);
	assert_int_equal(found.tsc_khz, 2592000);
}

/* Xen imitates Hyper-V for Windows. */
static void xen_is_found_above_another(void **state)
{
	struct xen_cpuid found;

	(void)state;
	add_range(FIRST, FIRST + 6, "Microsoft Hv");
	add(FIRST + 2, 7, 7, 7);
	add_xen(FIRST + 0x100, FIRST + 0x105);
	assert_true(xen_cpuid_find(fake_cpuid, &found));
	assert_int_equal(found.hypercall_msr, 0x40000200);
}

/* Ranges up to 0x4000ff00 are looked at, and none above. */
static void a_hypervisor_has_so_many_ranges_and_no_more(void **state)
{
	(void)state;
	every_base_is_a_range = true;
	add_xen(FIRST + 0xff00, FIRST + 0xff05);
	assert_int_equal(hypervisor_find(fake_cpuid, XEN), FIRST + 0xff00);
	leaf_count = 1;
	add_xen(FIRST + 0x10000, FIRST + 0x10005);
	assert_int_equal(hypervisor_find(fake_cpuid, XEN), 0);
}

static void without_the_hypervisors_bit_there_is_no_xen(void **state)
{
	struct xen_cpuid found;

	(void)state;
	add_xen(FIRST, FIRST + 5);
	leaves[0].out[CPUID_ECX] = 0;
	assert_false(xen_cpuid_find(fake_cpuid, &found));
	assert_int_equal(found.hypercall_msr, 0);
}

/* Each read leaves the guest: what answers nothing, or the same everywhere, is left at once. */
static void a_processor_without_ranges_is_asked_twice(void **state)
{
	static const uint32_t fillers[] = { 0, 0x16, 0x0d, FIRST + 0x100, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++) {
		filler = fillers[i];
		reads = 0;
		assert_int_equal(hypervisor_find(fake_cpuid, XEN), 0);
		assert_int_equal(reads, 2);
	}
}

/* As early versions of KVM did. */
static void a_range_that_tells_no_highest_leaf_is_one(void **state)
{
	(void)state;
	add_range(FIRST, 0, "KVMKVMKVM\0\0");
	add_xen(FIRST + 0x100, FIRST + 0x105);
	assert_int_equal(hypervisor_find(fake_cpuid, XEN), FIRST + 0x100);
	assert_int_equal(hypervisor_find(fake_cpuid, "KVMKVMKVM\0\0"), FIRST);
}

static void a_xen_without_pages_for_calls_is_none(void **state)
{
	struct xen_cpuid found;

	(void)state;
	add_xen(FIRST, FIRST + 1);
	assert_false(xen_cpuid_find(fake_cpuid, &found));
	leaves[1].out[CPUID_EAX] = FIRST + 2;
	assert_true(xen_cpuid_find(fake_cpuid, &found));
	leaves[2].out[CPUID_EAX] = 0;
	assert_false(xen_cpuid_find(fake_cpuid, &found));
}

/* Written to before the guest can catch a fault. */
static void a_xen_that_names_a_register_of_the_processors_is_none(void **state)
{
	static const struct {
		uint32_t msr;
		bool is_xens;
	} msrs[] = {
		{ 0x40000000, true },  { 0x400001ff, true },  { 0x400002ff, true },
		{ 0, false },	       { 0x10, false },	      { 0x3fffffff, false },
		{ 0x40000300, false }, { 0xc0000080, false }, { UINT32_MAX, false },
	};

	(void)state;
	add_xen(FIRST, FIRST + 5);
	for (size_t i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++) {
		struct xen_cpuid found;

		leaves[2].out[CPUID_EBX] = msrs[i].msr;
		assert_int_equal(xen_cpuid_find(fake_cpuid, &found), msrs[i].is_xens);
		assert_int_equal(found.hypercall_msr, msrs[i].is_xens ? msrs[i].msr : 0);
		assert_int_equal(found.tsc_khz, msrs[i].is_xens ? 2592000 : 0);
	}
}

static void a_rate_beyond_xens_highest_leaf_is_not_read(void **state)
{
	struct xen_cpuid found;

	(void)state;
	add_xen(FIRST, FIRST + 2);
	assert_true(xen_cpuid_find(fake_cpuid, &found));
	assert_int_equal(found.tsc_khz, 0);
	leaves[1].out[CPUID_EAX] = FIRST + 3;
	assert_true(xen_cpuid_find(fake_cpuid, &found));
	assert_int_equal(found.tsc_khz, 2592000);
}

#define TEST(name) cmocka_unit_test_setup(name, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(xens_leaves_tell_where_its_page_goes_and_its_rate),
		TEST(xen_is_found_above_another),
		TEST(a_hypervisor_has_so_many_ranges_and_no_more),
		TEST(without_the_hypervisors_bit_there_is_no_xen),
		TEST(a_processor_without_ranges_is_asked_twice),
		TEST(a_range_that_tells_no_highest_leaf_is_one),
		TEST(a_xen_without_pages_for_calls_is_none),
		TEST(a_xen_that_names_a_register_of_the_processors_is_none),
		TEST(a_rate_beyond_xens_highest_leaf_is_not_read),
	};

	return cmocka_run_group_tests_name("xen_cpuid", tests, NULL, NULL);
}
