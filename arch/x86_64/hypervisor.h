/* SPDX-License-Identifier: BSD-2-Clause */
/* The ranges of CPUID leaves by which hypervisors tell who they are. */
#ifndef ARCH_X86_64_HYPERVISOR_H
#define ARCH_X86_64_HYPERVISOR_H

#include "arch/x86_64/cpuid.h"

#define HYPERVISOR_SIGNATURE_SIZE 12

/* Returns the first leaf of the hypervisor with this signature; 0: it is not there. */
uint32_t hypervisor_find(cpuid_fn *cpuid, const char *signature);

#endif
