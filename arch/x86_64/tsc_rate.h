/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rate of the time stamp counter, as the processor and the hypervisor tell it.
 * All of that is input: a rate that no counter has is as good as none.
 */
#ifndef ARCH_X86_64_TSC_RATE_H
#define ARCH_X86_64_TSC_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/cpuid.h"

/* Rates that are believed, of a time stamp counter and of what it is measured against. */
#define TSC_HZ_MIN UINT64_C(1000000)
#define TSC_HZ_MAX UINT64_C(1000000000000)

struct tsc_rate {
	uint64_t hz;	  /* 0: not known */
	const char *from; /* where it comes from, for people */
};

/* What KVM writes into the memory whose address its MSR is given; little-endian. */
struct tsc_pvclock {
	uint32_t version; /* odd while it writes */
	uint32_t pad;
	uint64_t tsc_timestamp;
	uint64_t system_time;
	uint32_t tsc_to_system_mul; /* nanoseconds per 2^32 counts, after the shift */
	int8_t tsc_shift;
	uint8_t flags;
	uint8_t pad2[2];
};

_Static_assert(sizeof(struct tsc_pvclock) == 32, "KVM's pvclock_vcpu_time_info");

/* Tells whether a rate is one that a counter could have. */
bool tsc_rate_is_sound(uint64_t hz);

/* Has KVM fill its structure, and returns the rate that this tells. */
typedef struct tsc_rate pvclock_fn(void);

/*
 * Returns the rate that somebody tells exactly. The hypervisor comes first, as it alone
 * knows whether it scales the guest's counter: its leaf 0x40000010, or Xen's, then, if it is
 * KVM, `ask_pvclock`; the crystal of leaf 0x15 may be the host's. Nothing is asked that CPUID
 * does not announce.
 */
struct tsc_rate tsc_rate_told(cpuid_fn *cpuid, pvclock_fn *ask_pvclock);

/* Returns the nominal rate of leaf 0x16, in whole MHz: where nothing better is known. */
struct tsc_rate tsc_rate_nominal(cpuid_fn *cpuid);

/* Returns the rate that KVM's structure tells. */
struct tsc_rate tsc_rate_from_pvclock(const struct tsc_pvclock *pvclock);

/*
 * Returns the rate of the local APIC's timer in Hz before it is divided, as far as the
 * hypervisor fixes it: its leaf tells it, or it is QEMU's TCG or KVM, which count
 * nanoseconds, or Xen, whose bus has 100 MHz. 0: not known.
 */
uint64_t tsc_rate_of_apic_timer(cpuid_fn *cpuid);

#endif
