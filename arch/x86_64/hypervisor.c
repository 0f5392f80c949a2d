/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hypervisor that imitates another one has a second range of leaves above the other's, and so
 * on. Above the last of them a processor answers what it likes: the search ends there.
 */
#include "arch/x86_64/hypervisor.h"

#include <stdbool.h>
#include <string.h>

#define LEAF_FEATURES 1
#define ECX_HYPERVISOR (UINT32_C(1) << 31)

#define RANGE_FIRST UINT32_C(0x40000000)
#define RANGE_STEP 0x100
#define RANGE_LAST UINT32_C(0x40010000)

/* The first leaf tells the highest one; early versions of KVM told 0. */
static bool is_range(uint32_t base, const uint32_t out[CPUID_REGISTERS])
{
	uint32_t highest = out[CPUID_EAX];

	return (highest >= base && highest - base < RANGE_STEP) ||
	       (highest == 0 && out[CPUID_EBX] != 0);
}

uint32_t hypervisor_find(cpuid_fn *cpuid, const char *signature)
{
	uint32_t out[CPUID_REGISTERS];

	cpuid(LEAF_FEATURES, out);
	if (!(out[CPUID_ECX] & ECX_HYPERVISOR))
		return 0;
	for (uint32_t base = RANGE_FIRST; base < RANGE_LAST; base += RANGE_STEP) {
		cpuid(base, out);
		if (memcmp(&out[CPUID_EBX], signature, HYPERVISOR_SIGNATURE_SIZE) == 0)
			return base;
		if (!is_range(base, out))
			return 0;
	}
	return 0;
}
