/* SPDX-License-Identifier: BSD-2-Clause */
/* See xen_cpuid.h. Leaves are counted from the first one of Xen's range. */
#include "arch/x86_64/xen_cpuid.h"

#include "arch/x86_64/hypervisor.h"

#define SIGNATURE_XEN "XenVMMXenVMM"

#define LEAF_PAGES 2 /* EAX: how many pages hypercalls take, EBX: the MSR */
#define LEAF_TIME 3  /* ECX of its first subleaf: kHz of the time stamp counter */

/*
 * The MSRs that Xen keeps for hypervisors: what imitates Hyper-V has the first 0x200 of them, and
 * Xen's own come after those, or are the first where there is no such thing. A write to one that
 * the processor does not have would end the guest before it can say why.
 */
#define MSR_FIRST 0x40000000u
#define MSR_END 0x40000300u

bool xen_cpuid_find(cpuid_fn *cpuid, struct xen_cpuid *found)
{
	uint32_t base = hypervisor_find(cpuid, SIGNATURE_XEN);
	uint32_t out[CPUID_REGISTERS];
	uint32_t highest;

	*found = (struct xen_cpuid){ 0 };
	if (base == 0)
		return false;
	cpuid(base, out);
	highest = out[CPUID_EAX];
	if (highest < base + LEAF_PAGES)
		return false;
	cpuid(base + LEAF_PAGES, out);
	if (out[CPUID_EAX] == 0 || out[CPUID_EBX] < MSR_FIRST || out[CPUID_EBX] >= MSR_END)
		return false;
	found->hypercall_msr = out[CPUID_EBX];
	if (highest >= base + LEAF_TIME) {
		cpuid(base + LEAF_TIME, out);
		found->tsc_khz = out[CPUID_ECX];
	}
	return true;
}
