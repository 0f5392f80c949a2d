/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arch/hyperv.h with nobody behind it: a Hyper-V that answers what a test has put down, and
 * remembers what it was told.
 */
#ifndef TESTS_UNIT_DRIVERS_HYPERV_HYPERV_FIXTURE_H
#define TESTS_UNIT_DRIVERS_HYPERV_HYPERV_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/hyperv.h"
#include "drivers/hyperv/hyperv_abi.h"

#define FAKE_HYPERV_WRITES 16

struct fake_hyperv {
	bool there;
	struct hyperv_cpuid cpuid;
	uint64_t vp_index;
	/* What the SynIC's MSRs say that nobody has written to. */
	uint64_t msr_before;
	unsigned msr_reads;
	/* MSRs that were written to, in this order. */
	struct {
		uint32_t msr;
		uint64_t value;
	} writes[FAKE_HYPERV_WRITES];
	size_t write_count;
	/* Hypercalls: what all of them answer, and how the last one was made. */
	uint64_t result;
	unsigned calls;
	uint64_t control, input, output;
	void (*on_call)(void); /* called in each; NULL: nothing is */
};

extern struct fake_hyperv fake_hyperv;

/* A Hyper-V that lets its guest do everything, and was told nothing. */
void fake_hyperv_reset(void);

/* Returns what was last written to an MSR; fails the test if nothing was. */
uint64_t fake_hyperv_msr(uint32_t msr);

#endif
