/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a Xen, a store and a toolstack may say that is not so, or makes no sense: rows of a table,
 * for the test that tells each at each step of the balloon's life, and for the fuzzer.
 */
#ifndef TESTS_UNIT_DRIVERS_BALLOON_PORT_XEN_LIES_H
#define TESTS_UNIT_DRIVERS_BALLOON_PORT_XEN_LIES_H

#include "tests/unit/drivers/balloon/port/xen_world.h"

enum xen_step {
	XEN_STEP_START, /* before the guest looks for the store */
	XEN_STEP_IDLE,
	XEN_STEP_GIVE,
	XEN_STEP_TAKE,
	XEN_STEP_PAUSE, /* Xen has no memory, and will be asked again */
	XEN_STEP_REMOVE,
	XEN_STEPS,
};

#define XEN_ANY_STEP 0
#define XEN_WITH_CALLS (1u << XEN_STEP_GIVE | 1u << XEN_STEP_TAKE)
#define XEN_AFTER_START (((1u << XEN_STEPS) - 1) & ~(1u << XEN_STEP_START))

struct xen_lie {
	const char *name;
	/* Begins it; there are `variants` of it, and at least one. */
	void (*tell)(unsigned variant);
	unsigned variants;
	unsigned only;	  /* steps, as bits */
	bool in_call;	  /* it can begin in mid-call, too */
	bool blind;	  /* who has which frame only Xen can know */
	bool must_break;  /* Xen must be given up, where it is called */
	bool each_domain; /* in each kind of domain; else they take turns */
	bool must_go_on;  /* neither Xen nor the store may be given up */
};

extern const struct xen_lie xen_lies[];
extern const size_t xen_lie_count;

#endif
