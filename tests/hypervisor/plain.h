/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain.c: no hypervisor to the guest: no leaf, no port, no call. For tests of the hypervisor
 * itself it does, on the test's word, what no hypervisor should: it seizes frames that nobody
 * gave, and interrupts the guest out of the blue.
 */
#ifndef TESTS_HYPERVISOR_PLAIN_H
#define TESTS_HYPERVISOR_PLAIN_H

#include <stdint.h>

/* Its page of the control block (HV_CONTROL_PLAIN). */
struct plain_control {
	/* Written by the test, the number last: another one than `done` is an order. */
	uint64_t first, count; /* frames */
	uint64_t give_back;    /* 0: they are seized, else given back */
	uint64_t order;
	uint64_t ring_vector; /* comes with each ring; 0: none does */

	/* Written by the hypervisor. */
	uint64_t done;	 /* number of the last order that was done */
	uint64_t result; /* of it: enum host_frames_result */
};

#endif
