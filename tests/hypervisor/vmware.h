/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmware.c: VMware as its balloon's drivers see it (drivers/balloon/port/vmware_abi.h): CPUID, the
 * backdoor's two commands that drivers use, the balloon's port. Without a plan it is honest, and
 * has all capabilities. A plan is rows of lies, each told at certain commands or frames.
 *
 * What the guest has done that no guest may do is said by machine_violate(); a status says
 * it to the guest as well. A guest that touches a frame that it gave makes the host forget the
 * balloon, as the real one does.
 */
#ifndef TESTS_HYPERVISOR_VMWARE_H
#define TESTS_HYPERVISOR_VMWARE_H

#include "tests/hypervisor/control.h"
#include "tests/hypervisor/personality.h"

#define VMWARE_CONTROL_COMMANDS 16 /* with room for numbers that are none */
#define VMWARE_CONTROL_LIES 8

enum vmware_lie_kind {
	VMWARE_LIE_NONE,
	/* About a command of `commands`: */
	VMWARE_LIE_REFUSES,	 /* it is not obeyed: its status is `value` */
	VMWARE_LIE_PRETENDS,	 /* it is, and its status is `value` all the same */
	VMWARE_LIE_FORGETS,	 /* it is not: the host forgets the balloon, and says so */
	VMWARE_LIE_FORGETS_LATE, /* it is; then the host forgets, and says so next */
	VMWARE_LIE_TARGET,	 /* it is; from then on the host wants `value` frames */
	VMWARE_LIE_RESULT,	 /* it is; `value` is its target, or START's capabilities */
	/* About a frame or an entry of a command of `commands`; `after` and `every` count these: */
	VMWARE_LIE_ONE_REFUSED,	  /* it does not move: its status is `value` */
	VMWARE_LIE_ONE_PRETENDED, /* it moves, and its status is `value` all the same */
	VMWARE_LIE_ADDRESS, /* it moves; its entry's bits that are set in `value` are turned over */
	VMWARE_LIES,
};

/* All zero: none. */
struct vmware_lie {
	uint32_t kind;
	uint32_t commands; /* a bit for each, 1 << its number; 0: all of them */
	uint32_t after;	   /* so many of them go well first, */
	uint32_t every;	   /* and of the others each so many-th does not; 0: each one */
	uint32_t times;	   /* it is told so often; 0: for ever */
	uint32_t unused;
	uint64_t value;
};

/* The page HV_CONTROL_VMWARE. All zero: an honest host. */
struct vmware_control {
	/* Written by the test. */
	uint64_t plan;	     /* another number: counting for the rows below begins anew */
	uint64_t forget;     /* another number: the host forgets the balloon, and says so next */
	uint32_t withheld;   /* capabilities that this host has not */
	uint32_t is_old;     /* it knows of no capabilities: 1 */
	uint32_t is_lenient; /* who has a frame the guest cannot know, after lies: 1 */
	uint32_t unused;
	uint64_t pinned_first, pinned_count; /* frames that it cannot take */
	struct vmware_lie lie[VMWARE_CONTROL_LIES];

	/* Written by the hypervisor; all are counts since power-on, but the first five. */
	uint64_t plan_seen, forget_seen;    /* the numbers above, when they were obeyed */
	uint64_t told[VMWARE_CONTROL_LIES]; /* how often, since the plan */
	uint32_t capabilities;		    /* in common */
	uint32_t is_started;		    /* between START and RESET, or START(0): 1 */
	uint64_t limit;			    /* that the guest gave with GET_TARGET last */
	uint64_t guest_id;
	uint64_t calls[VMWARE_CONTROL_COMMANDS];
	uint64_t failed[VMWARE_CONTROL_COMMANDS]; /* of them, without SUCCESS */
	uint64_t locked[2], unlocked[2];	  /* frames: [0] by 4 KiB, [1] by 2 MiB */
	uint64_t refused[2];			  /* frames that were to be locked */
	uint64_t resets;			  /* that the guest was told */
	uint64_t leaves;			  /* START(0) */
};

_Static_assert(sizeof(struct vmware_control) <= HV_CONTROL_PAGE, "a page of its own");

#endif
