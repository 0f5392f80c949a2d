/* SPDX-License-Identifier: BSD-2-Clause */
/* How VMware tells of itself by CPUID. */
#ifndef ARCH_X86_64_VMWARE_CPUID_H
#define ARCH_X86_64_VMWARE_CPUID_H

#include <stdbool.h>

#include "arch/x86_64/hypervisor.h"

#define VMWARE_SIGNATURE "VMwareVMware"

/* Tells whether a range of the hypervisors' leaves is VMware's. */
static inline bool vmware_cpuid_find(cpuid_fn *cpuid)
{
	return hypervisor_find(cpuid, VMWARE_SIGNATURE) != 0;
}

#endif
