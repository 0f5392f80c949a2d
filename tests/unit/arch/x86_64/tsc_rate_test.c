/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of arch/x86_64/tsc_rate.c: processors and hypervisors that tell rates, or do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "arch/x86_64/tsc_rate.h"

#define MHZ UINT64_C(1000000)
#define HYPERVISOR 0x40000000u
#define HYPERVISOR_BIT (1u << 31)

/* The leaves of a processor; others are zero. */
static struct leaf {
	uint32_t leaf;
	uint32_t out[CPUID_REGISTERS];
} leaves[8];
static size_t leaf_count;

static void fake_cpuid(uint32_t leaf, uint32_t out[CPUID_REGISTERS])
{
	memset(out, 0, CPUID_REGISTERS * sizeof(out[0]));
	for (size_t i = 0; i < leaf_count; i++) {
		if (leaves[i].leaf == leaf)
			memcpy(out, leaves[i].out, sizeof(leaves[i].out));
	}
}

static void add(uint32_t leaf, uint32_t eax, uint32_t ebx, uint32_t ecx)
{
	assert_true(leaf_count < sizeof(leaves) / sizeof(leaves[0]));
	leaves[leaf_count++] = (struct leaf){ leaf, { eax, ebx, ecx, 0 } };
}

/* A hypervisor whose leaves begin at `base` and go up to `last`. */
static void add_hypervisor(uint32_t base, uint32_t last, const char *signature)
{
	struct leaf *leaf;

	add(1, 0, 0, HYPERVISOR_BIT);
	add(base, last, 0, 0);
	leaf = &leaves[leaf_count - 1];
	memcpy(&leaf->out[CPUID_EBX], signature, 12);
}

/* What KVM's pvclock says, and how often it was asked. */
static struct tsc_rate pvclock_rate;
static unsigned asked;

static struct tsc_rate fake_pvclock(void)
{
	asked++;
	return pvclock_rate;
}

static struct tsc_rate told(void)
{
	return tsc_rate_told(fake_cpuid, fake_pvclock);
}

static int forget(void **state)
{
	(void)state;
	leaf_count = 0;
	pvclock_rate = (struct tsc_rate){ 0 };
	asked = 0;
	return 0;
}

static void a_processor_that_tells_nothing_has_no_rate(void **state)
{
	(void)state;
	add(0, 0x16, 0, 0);
	assert_int_equal(told().hz, 0);
	assert_int_equal(tsc_rate_nominal(fake_cpuid).hz, 0);
	assert_int_equal(tsc_rate_of_apic_timer(fake_cpuid), 0);
	assert_int_equal(asked, 0);
}

/* 24 MHz times 216 / 2, as of a processor of 2592 MHz. */
static void the_crystal_gives_the_rate(void **state)
{
	struct tsc_rate rate;

	(void)state;
	add(0, 0x15, 0, 0);
	add(0x15, 2, 216, 24000000);
	rate = told();
	assert_int_equal(rate.hz, 2592 * MHZ);
	assert_string_equal(rate.from, "CPUID leaf 0x15");
}

static void a_crystal_with_a_part_missing_gives_none(void **state)
{
	static const uint32_t parts[][3] = { { 0, 216, 24000000 },
					     { 2, 0, 24000000 },
					     { 2, 216, 0 } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		forget(NULL);
		add(0, 0x16, 0, 0);
		add(0x15, parts[i][0], parts[i][1], parts[i][2]);
		assert_int_equal(told().hz, 0);
	}
}

static void a_leaf_beyond_the_highest_is_not_read(void **state)
{
	(void)state;
	add(0, 0x14, 0, 0);
	add(0x15, 2, 216, 24000000);
	add(0x16, 2600, 0, 0);
	assert_int_equal(told().hz, 0);
	assert_int_equal(tsc_rate_nominal(fake_cpuid).hz, 0);
	leaves[0].out[CPUID_EAX] = 0x15;
	assert_int_equal(tsc_rate_nominal(fake_cpuid).hz, 0);
	leaves[0].out[CPUID_EAX] = 0x16;
	assert_int_equal(tsc_rate_nominal(fake_cpuid).hz, 2600 * MHZ);
}

static void impossible_rates_are_none(void **state)
{
	(void)state;
	add(0, 0x15, 0, 0);
	add(0x15, 1, UINT32_MAX, UINT32_MAX);
	assert_int_equal(told().hz, 0);
	memcpy(leaves[1].out, (uint32_t[]){ 1000, 1, 24000000, 0 }, sizeof(leaves[1].out));
	assert_int_equal(told().hz, 0);
}

/* The hypervisor knows what it does to the guest's counter; the crystal is the host's. */
static void the_hypervisor_is_believed_first(void **state)
{
	struct tsc_rate rate;

	(void)state;
	add(0, 0x15, 0, 0);
	add(0x15, 2, 216, 24000000);
	add_hypervisor(HYPERVISOR, HYPERVISOR + 0x10, "KVMKVMKVM\0\0\0");
	add(HYPERVISOR + 0x10, 2100000, 1000000, 0);
	rate = told();
	assert_int_equal(rate.hz, 2100 * MHZ);
	assert_string_equal(rate.from, "the hypervisor's CPUID leaf");
	assert_int_equal(tsc_rate_of_apic_timer(fake_cpuid), 1000 * MHZ);
}

static void a_hypervisor_that_tells_zero_is_passed(void **state)
{
	(void)state;
	add(0, 0x15, 0, 0);
	add(0x15, 2, 216, 24000000);
	add_hypervisor(HYPERVISOR, HYPERVISOR + 0x10, "VMwareVMware");
	assert_int_equal(told().hz, 2592 * MHZ);
	add(HYPERVISOR + 0x10, 2100000, 66000, 0);
	assert_int_equal(told().hz, 2100 * MHZ);
	assert_int_equal(tsc_rate_of_apic_timer(fake_cpuid), 66 * MHZ);
}

static void a_timing_leaf_beyond_the_hypervisors_highest_is_not_read(void **state)
{
	(void)state;
	add_hypervisor(HYPERVISOR, HYPERVISOR + 0xf, "KVMKVMKVM\0\0\0");
	add(HYPERVISOR + 0x10, 2100000, 66000, 0);
	assert_int_equal(told().hz, 0);
	assert_int_equal(tsc_rate_of_apic_timer(fake_cpuid), 1000 * MHZ);
}

/* Hyper-V's leaves come first where KVM imitates it; its 0x40000010 is something else. */
static void a_hypervisor_is_found_behind_another(void **state)
{
	(void)state;
	add_hypervisor(HYPERVISOR, HYPERVISOR + 0x10, "Microsoft Hv");
	add(HYPERVISOR + 0x10, 9, 9, 0);
	assert_int_equal(told().hz, 0);
	assert_int_equal(tsc_rate_of_apic_timer(fake_cpuid), 0);
	add_hypervisor(HYPERVISOR + 0x100, HYPERVISOR + 0x110, "KVMKVMKVM\0\0\0");
	add(HYPERVISOR + 0x110, 2100000, 0, 0);
	assert_int_equal(told().hz, 2100 * MHZ);
	assert_int_equal(tsc_rate_of_apic_timer(fake_cpuid), 1000 * MHZ);
}

static void without_the_hypervisors_bit_its_leaves_mean_nothing(void **state)
{
	(void)state;
	add_hypervisor(HYPERVISOR, HYPERVISOR + 0x10, "KVMKVMKVM\0\0\0");
	add(HYPERVISOR + 0x10, 2100000, 1000000, 0);
	leaves[0].out[CPUID_ECX] = 0;
	assert_int_equal(told().hz, 0);
	assert_int_equal(tsc_rate_of_apic_timer(fake_cpuid), 0);
}

static void tcg_tells_no_rate_but_its_apic_counts_nanoseconds(void **state)
{
	(void)state;
	add_hypervisor(HYPERVISOR, HYPERVISOR + 1, "TCGTCGTCGTCG");
	add(HYPERVISOR + 0x10, 2100000, 66000, 0);
	assert_int_equal(told().hz, 0);
	assert_int_equal(tsc_rate_of_apic_timer(fake_cpuid), 1000 * MHZ);
	assert_int_equal(asked, 0);
}

/* Xen tells the rate in a leaf of its own; its APIC's bus has 100 MHz. */
static void xens_leaf_is_believed_before_the_crystal(void **state)
{
	struct tsc_rate rate;

	(void)state;
	add(0, 0x15, 0, 0);
	add(0x15, 2, 216, 24000000);
	add_hypervisor(HYPERVISOR, HYPERVISOR + 5, "XenVMMXenVMM");
	add(HYPERVISOR + 2, 1, HYPERVISOR, 0);
	add(HYPERVISOR + 3, 0, 2, 2100123);
	rate = told();
	assert_int_equal(rate.hz, UINT64_C(2100123000));
	assert_string_equal(rate.from, "Xen's CPUID leaf");
	assert_int_equal(tsc_rate_of_apic_timer(fake_cpuid), 100 * MHZ);
	/* One that tells nothing leaves it to the crystal. */
	leaves[5].out[CPUID_ECX] = 0;
	assert_int_equal(told().hz, 2592 * MHZ);
	assert_int_equal(asked, 0);
}

/* A KVM that has a pvclock and no timing leaf, on a host whose crystal is in leaf 0x15. */
static void add_kvm_with_pvclock(void)
{
	add(0, 0x15, 0, 0);
	add(0x15, 2, 216, 24000000);
	add_hypervisor(HYPERVISOR, HYPERVISOR + 1, "KVMKVMKVM\0\0\0");
	add(HYPERVISOR + 1, 1u << 3, 0, 0);
}

/* The host's crystal says 2592 MHz, and the host scales the guest's counter to 2100. */
static void pvclock_is_believed_before_the_crystal(void **state)
{
	struct tsc_rate rate;

	(void)state;
	add_kvm_with_pvclock();
	pvclock_rate = (struct tsc_rate){ 2100 * MHZ, "KVM's pvclock" };
	rate = told();
	assert_int_equal(rate.hz, 2100 * MHZ);
	assert_string_equal(rate.from, "KVM's pvclock");
	assert_int_equal(asked, 1);
}

/* Writing the MSR of a pvclock that is not there is a fault. */
static void pvclock_is_asked_only_where_kvm_has_it(void **state)
{
	(void)state;
	add_kvm_with_pvclock();
	pvclock_rate = (struct tsc_rate){ 2100 * MHZ, "KVM's pvclock" };
	leaves[4].out[CPUID_EAX] = 1u << 0;
	assert_int_equal(told().hz, 2592 * MHZ);
	assert_int_equal(asked, 0);
	leaves[4].out[CPUID_EAX] |= 1u << 3;
	assert_int_equal(told().hz, 2100 * MHZ);
	assert_int_equal(asked, 1);
}

static void pvclock_is_not_asked_after_the_hypervisors_leaf(void **state)
{
	(void)state;
	add_kvm_with_pvclock();
	leaves[3].out[CPUID_EAX] = HYPERVISOR + 0x10;
	add(HYPERVISOR + 0x10, 2000000, 1000000, 0);
	assert_int_equal(told().hz, 2000 * MHZ);
	assert_int_equal(asked, 0);
}

static void a_pvclock_that_tells_nothing_is_passed(void **state)
{
	(void)state;
	add_kvm_with_pvclock();
	assert_int_equal(told().hz, 2592 * MHZ);
	assert_int_equal(asked, 1);
}

/* Linux's numbers on a host of 2592 MHz: shift -1, and one of 800 MHz: shift 0 and more. */
static void pvclock_gives_the_rate(void **state)
{
	struct tsc_pvclock pvclock = { .tsc_to_system_mul = 3314017975u, .tsc_shift = -1 };

	(void)state;
	assert_in_range(tsc_rate_from_pvclock(&pvclock).hz, 2592 * MHZ - 1000, 2592 * MHZ + 1000);
	pvclock.tsc_to_system_mul = 1u << 31;
	pvclock.tsc_shift = 1;
	assert_int_equal(tsc_rate_from_pvclock(&pvclock).hz, 1000 * MHZ);
	pvclock.tsc_shift = 0;
	assert_int_equal(tsc_rate_from_pvclock(&pvclock).hz, 2000 * MHZ);
}

static void a_pvclock_that_was_not_filled_gives_none(void **state)
{
	struct tsc_pvclock pvclock = { 0 };

	(void)state;
	assert_int_equal(tsc_rate_from_pvclock(&pvclock).hz, 0);
	pvclock.tsc_to_system_mul = 1;
	for (int shift = -128; shift < -2; shift++) {
		pvclock.tsc_shift = (int8_t)shift;
		assert_int_equal(tsc_rate_from_pvclock(&pvclock).hz, 0);
	}
	pvclock.tsc_shift = 127;
	assert_int_equal(tsc_rate_from_pvclock(&pvclock).hz, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_processor_that_tells_nothing_has_no_rate),
		TEST(the_crystal_gives_the_rate),
		TEST(a_crystal_with_a_part_missing_gives_none),
		TEST(a_leaf_beyond_the_highest_is_not_read),
		TEST(impossible_rates_are_none),
		TEST(the_hypervisor_is_believed_first),
		TEST(a_hypervisor_that_tells_zero_is_passed),
		TEST(a_timing_leaf_beyond_the_hypervisors_highest_is_not_read),
		TEST(a_hypervisor_is_found_behind_another),
		TEST(without_the_hypervisors_bit_its_leaves_mean_nothing),
		TEST(xens_leaf_is_believed_before_the_crystal),
		TEST(tcg_tells_no_rate_but_its_apic_counts_nanoseconds),
		TEST(pvclock_is_believed_before_the_crystal),
		TEST(pvclock_is_asked_only_where_kvm_has_it),
		TEST(pvclock_is_not_asked_after_the_hypervisors_leaf),
		TEST(a_pvclock_that_tells_nothing_is_passed),
		TEST(pvclock_gives_the_rate),
		TEST(a_pvclock_that_was_not_filled_gives_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
