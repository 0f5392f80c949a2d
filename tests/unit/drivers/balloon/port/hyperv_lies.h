/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a Hyper-V may say that is not so, or makes no sense: rows of a table, for the test that
 * tells each at each step of the balloon's life, and for the fuzzer.
 */
#ifndef TESTS_UNIT_DRIVERS_BALLOON_PORT_HYPERV_LIES_H
#define TESTS_UNIT_DRIVERS_BALLOON_PORT_HYPERV_LIES_H

#include "tests/unit/drivers/balloon/port/hyperv_world.h"

enum hyperv_step {
	HYPERV_STEP_START, /* before the guest looks */
	HYPERV_STEP_IDLE,
	HYPERV_STEP_GIVE,
	HYPERV_STEP_TAKE,
	HYPERV_STEP_ADD,
	HYPERV_STEP_WITHDRAW, /* the channel goes, and comes again */
	HYPERV_STEP_END,
	HYPERV_STEPS,
};

#define HYPERV_STEP_BIT(step) (1u << (step))

struct hyperv_lie_row {
	const char *name;
	/* Begins it; there are `variants` of it, and at least one. */
	void (*tell)(unsigned variant);
	unsigned variants;
	unsigned breaks; /* steps, as bits, at which the host must be given up */
	bool must_go_on; /* it may be given up at none */
	bool blind;	 /* the host's own books are wrong after it */
	bool crossing;	 /* messages of both sides may cross */
};

extern const struct hyperv_lie_row hyperv_lies[];
extern const size_t hyperv_lie_count;

#endif
