/* SPDX-License-Identifier: BSD-2-Clause */
/* What Xen tells of itself by CPUID (Xen's public/arch-x86/cpuid.h). */
#ifndef ARCH_X86_64_XEN_CPUID_H
#define ARCH_X86_64_XEN_CPUID_H

#include <stdbool.h>

#include "arch/x86_64/cpuid.h"

struct xen_cpuid {
	uint32_t hypercall_msr; /* takes the address of the page for hypercalls */
	uint32_t tsc_khz;	/* of the time stamp counter as the guest sees it; 0: not told */
};

/*
 * Looks for Xen; false: it is not there, has no page for hypercalls, or names an MSR for it that
 * cannot be Xen's.
 */
bool xen_cpuid_find(cpuid_fn *cpuid, struct xen_cpuid *found);

#endif
