/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hyper-V, if the guest runs on it: found by CPUID, set up by MSRs, called through its hypercall
 * page (Hypervisor Top Level Functional Specification 2, 3). What there is to ask it for, and the
 * numbers of MSRs, are in drivers/hyperv/hyperv_abi.h.
 */
#ifndef ARCH_HYPERV_H
#define ARCH_HYPERV_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/lib/types.h"

/* What CPUID tells of it; 0 where there is none. */
struct hyperv_cpuid {
	uint32_t build, version;	  /* version: major << 16 | minor */
	uint32_t access_low, access_high; /* privileges: hyperv_abi.h */
	uint32_t features;
	uint32_t hints;
};

/*
 * Looks for a Hyper-V that has hypercalls, and enables its hypercall page. Once, before anything
 * else of this file, and not where Xen was found, which may imitate Hyper-V; needs no memory, clock
 * or console. Returns whether it is there.
 */
bool hyperv_find(void);

/* Tells whether it was found, and what it says of itself. May be called at any time. */
bool hyperv_is_there(void);
const struct hyperv_cpuid *hyperv_cpuid(void);

/*
 * MSRs of Hyper-V: numbers that its privileges promise, as others end in an exception. Memory that
 * they lead to may be looked at, or changed, by Hyper-V meanwhile. Only if it is there.
 */
uint64_t hyperv_msr_read(uint32_t msr);
void hyperv_msr_write(uint32_t msr, uint64_t value);

/*
 * Makes the value of an MSR that names a page of the guest's and enables it (HYPERCALL, SIEFP,
 * SIMP) out of what was there: bits 11:1 are reserved, and to be kept (TLFS 3.13, 11.8). Pure.
 */
static inline uint64_t hyperv_msr_with_page(uint64_t before, paddr_t page)
{
	return (before & 0xffe) | page | 1;
}

/*
 * Asks Hyper-V. `control` is the hypercall's code with its flags and counts; `input` and `output`
 * are physical addresses of memory that crosses no page, 0 for none; or values, for a fast call.
 * Returns its result: status in bits 15:0, repetitions done in 43:32. Only if
 * Hyper-V is there; may be called from an interrupt.
 */
uint64_t hyperv_hypercall(uint64_t control, uint64_t input, uint64_t output);

#endif
