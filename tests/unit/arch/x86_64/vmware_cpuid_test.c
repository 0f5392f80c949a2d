/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of arch/x86_64/vmware_cpuid.h: VMware is found by what it says of itself, and only so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/vmware_cpuid.h"

#define RANGE 0x40000000u
#define HYPERVISOR_BIT (1u << 31)

static struct {
	bool has_hypervisor;
	uint32_t highest; /* leaf of the first range */
	const char *first, *second;
} processor;

static void fake_cpuid(uint32_t leaf, uint32_t out[CPUID_REGISTERS])
{
	const char *signature = leaf == RANGE ? processor.first : processor.second;

	memset(out, 0, CPUID_REGISTERS * sizeof(out[0]));
	if (leaf == 1)
		out[CPUID_ECX] = processor.has_hypervisor ? HYPERVISOR_BIT : 0;
	if ((leaf != RANGE && leaf != RANGE + 0x100) || !signature)
		return;
	out[CPUID_EAX] = leaf == RANGE ? processor.highest : leaf + 0x10;
	memcpy(&out[CPUID_EBX], signature, HYPERVISOR_SIGNATURE_SIZE);
}

static bool is_found(bool has_hypervisor, const char *first, const char *second)
{
	processor.has_hypervisor = has_hypervisor;
	processor.highest = RANGE + 0x10;
	processor.first = first;
	processor.second = second;
	return vmware_cpuid_find(fake_cpuid);
}

static void vmware_is_found_by_its_signature(void **state)
{
	(void)state;
	assert_true(is_found(true, "VMwareVMware", NULL));
	processor.highest = RANGE;
	assert_true(vmware_cpuid_find(fake_cpuid));
}

static void so_it_is_above_one_that_it_imitates(void **state)
{
	(void)state;
	assert_true(is_found(true, "Microsoft Hv", "VMwareVMware"));
}

static void no_other_hypervisor_is_vmware(void **state)
{
	static const char *const others[] = { "KVMKVMKVM\0\0", "TCGTCGTCGTCG", "XenVMMXenVMM",
					      "Microsoft Hv",  "VMwareVMwarf", "vmwarevmware" };

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(is_found(true, others[i], NULL));
}

static void a_bare_processor_is_not_asked(void **state)
{
	(void)state;
	assert_false(is_found(false, "VMwareVMware", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vmware_is_found_by_its_signature),
		cmocka_unit_test(so_it_is_above_one_that_it_imitates),
		cmocka_unit_test(no_other_hypervisor_is_vmware),
		cmocka_unit_test(a_bare_processor_is_not_asked),
	};

	return cmocka_run_group_tests_name("vmware_cpuid", tests, NULL, NULL);
}
