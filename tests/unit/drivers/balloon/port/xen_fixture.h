/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon's core and its port for Xen, with a simulated Xen and 64 MiB of RAM. The store is
 * only its values: xenstore_read() and xenstore_follow() are here. A frame that Xen has is
 * poisoned: a touch ends the test. When a test ends, the books must be right, and Xen must have
 * seen no mistake.
 */
#ifndef TESTS_UNIT_DRIVERS_BALLOON_PORT_XEN_FIXTURE_H
#define TESTS_UNIT_DRIVERS_BALLOON_PORT_XEN_FIXTURE_H

#include "drivers/balloon/port/xen_balloon.h"
#include "drivers/balloon/port/xen_balloon_pages.h"
#include "tests/sim/sim_xen.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

/* What the domain may have at most: a frame more than its RAM, so that all of it can go. */
#define MAX_KIB ((RAM_FRAMES + 1) * FRAME_SIZE / KIB)
#define MAX_KIB_TEXT "65540"
#define FIRST_FRAME (RAM_START / FRAME_SIZE)

/* What the store has; NULL: there is none. */
struct xen_store {
	const char *static_max;
	const char *target;
	int err;	    /* what every call returns, if it is not 0 */
	int follow_err;	    /* what xenstore_follow() does */
	unsigned followers; /* calls of xenstore_follow() */
};

extern struct xen_store store;

/* Before each test: a domain with all its RAM, which the store wants it to have. Returns 0. */
int set_up_xen(void **state);

/* After each test, in which Xen gets well again. Returns 0. */
int tear_down_xen(void **state);

/* Xen has no faults any more, and memory for all. */
void get_well(void);

/* Xen gets well, and the balloon ends: Xen has given all back. */
void end_xen(void);

/* The simulated Xen has this RAM, and the guest behind it is this program. */
void begin_sim_xen(uint64_t frames);

/* The toolstack writes this as the target, or removes it (NULL); no rounds. */
void put_target(const char *text);

/* The toolstack writes another target, of so many KiB, or of this text; and rounds. */
void write_target(uint64_t kib);
void write_target_text(const char *text);

/* The toolstack wants so many frames in the balloon, and allows the rest; no rounds. */
void ask_for(uint64_t frames);

/* It wants that; and rounds. */
void xen_wants(uint64_t frames);

/* Starts the balloon with a floor, which must succeed; and rounds. */
void begin_xen(uint64_t floor);

/* The balloon has so many frames, and Xen has them. */
void assert_xen_has(uint64_t frames);

#define XEN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_xen, tear_down_xen)

#endif
