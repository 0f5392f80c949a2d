/* SPDX-License-Identifier: BSD-2-Clause */
/* What Hyper-V tells of itself by CPUID (Hypervisor Top Level Functional Specification, 2.4). */
#ifndef ARCH_X86_64_HYPERV_CPUID_H
#define ARCH_X86_64_HYPERV_CPUID_H

#include <stdbool.h>

#include "arch/hyperv.h"
#include "arch/x86_64/cpuid.h"

/*
 * Looks for a Hyper-V whose hypercalls this guest may use; false: there is none, and `found` is
 * all 0. What imitates it, as KVM can, is as good as the original.
 */
bool hyperv_cpuid_find(cpuid_fn *cpuid, struct hyperv_cpuid *found);

/*
 * Tells whether an MSR has the rate of the time stamp counter, and this guest may read it: a
 * machine of generation 2 has nothing that the rate could be measured against.
 */
bool hyperv_cpuid_has_tsc_rate(const struct hyperv_cpuid *found);

#endif
