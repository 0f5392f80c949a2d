/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen.c: the personality of a Xen with one domain and its store, as the simulated ones of the host
 * tests (tests/sim/sim_xen.h, sim_xenstore.h): the same files. What the test wants the host to
 * have (hv_control.common.target) is memory/target, as by `xl mem-set`. RAM: at most 1 GiB.
 */
#ifndef TESTS_HYPERVISOR_XEN_H
#define TESTS_HYPERVISOR_XEN_H

#include <stdint.h>

#include "tests/hypervisor/control.h"
#include "tests/sim/sim_xen.h"
#include "tests/sim/sim_xenstore.h"

#define XEN_CONTROL_TEXT 256

/* Its page of the control block (HV_CONTROL_XEN). */
struct xen_control {
	/*
	 * Written by the test, `order` last: another one than `done` is an order to set a node
	 * of the store, if `path` is not empty, and to lie as told from then on.
	 */
	char path[XEN_CONTROL_TEXT], value[XEN_CONTROL_TEXT];
	struct sim_xen_faults faults; /* `tell` is not called; all zero: no faults */
	uint64_t lie;		      /* of the store's: enum sim_xenstore_lie */
	uint64_t honest;	      /* so many answers before that */
	uint64_t order;

	/* Written by the hypervisor. */
	uint64_t done;
	uint64_t calls, memory_calls[2], frames_done[2]; /* as in struct sim_xen */
	uint64_t store_answers;
};

_Static_assert(sizeof(struct xen_control) <= HV_CONTROL_PAGE, "a page");

#endif
