/* SPDX-License-Identifier: BSD-2-Clause */
/* See hyperv_cpuid.h. Leaves are counted from the first one of Hyper-V's range. */
#include "arch/x86_64/hyperv_cpuid.h"

#include "arch/x86_64/hypervisor.h"

#define SIGNATURE "Microsoft Hv"
#define INTERFACE UINT32_C(0x31237648) /* "Hv#1": the rest is as the specification has it */

enum leaf {
	LEAF_INTERFACE = 1,
	LEAF_VERSION = 2,
	LEAF_FEATURES = 3,
	LEAF_HINTS = 4,
	LEAF_LIMITS = 5, /* what has fewer leaves than this one is not Hyper-V's interface */
};

#define ACCESS_HYPERCALL (UINT32_C(1) << 5)
#define ACCESS_RATES (UINT32_C(1) << 11)
#define FEATURE_RATES (UINT32_C(1) << 8)

bool hyperv_cpuid_find(cpuid_fn *cpuid, struct hyperv_cpuid *found)
{
	uint32_t base = hypervisor_find(cpuid, SIGNATURE);
	uint32_t out[CPUID_REGISTERS];

	*found = (struct hyperv_cpuid){ 0 };
	if (base == 0)
		return false;
	cpuid(base, out);
	if (out[CPUID_EAX] < base + LEAF_LIMITS)
		return false;
	cpuid(base + LEAF_INTERFACE, out);
	if (out[CPUID_EAX] != INTERFACE)
		return false;
	cpuid(base + LEAF_FEATURES, out);
	if (!(out[CPUID_EAX] & ACCESS_HYPERCALL))
		return false;
	found->access_low = out[CPUID_EAX];
	found->access_high = out[CPUID_EBX];
	found->features = out[CPUID_EDX];
	cpuid(base + LEAF_VERSION, out);
	found->build = out[CPUID_EAX];
	found->version = out[CPUID_EBX];
	cpuid(base + LEAF_HINTS, out);
	found->hints = out[CPUID_EAX];
	return true;
}

bool hyperv_cpuid_has_tsc_rate(const struct hyperv_cpuid *found)
{
	return (found->access_low & ACCESS_RATES) && (found->features & FEATURE_RATES);
}
