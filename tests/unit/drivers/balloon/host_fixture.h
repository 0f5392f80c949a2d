/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hypervisor made for one test at a time: its port answers in the call, or when the
 * test says so, and refuses what the test wants refused. Its frames are those of a
 * simulated host: one that is given twice, or given back though it was never given,
 * fails the test.
 */
#ifndef TESTS_UNIT_DRIVERS_BALLOON_HOST_FIXTURE_H
#define TESTS_UNIT_DRIVERS_BALLOON_HOST_FIXTURE_H

#include "drivers/balloon/balloon_port.h"
#include "tests/sim/sim_host.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

struct host {
	struct balloon_port port;   /* operations may be taken away before host_attach() */
	struct balloon_terms terms; /* and these changed */
	uint64_t target;
	uint64_t asks; /* on top of what it has, for a host that asks by deltas */
	bool deltas;
	enum balloon_fault fault; /* what take_finished() says, once */
	/*
	 * Whether it refuses this frame; NULL: it refuses none. BALLOON_REFUSALS as the reason: it
	 * returns the frame, as it was not asked for it.
	 */
	bool (*refuses)(bool deflates, pfn_t pfn, enum balloon_refusal *why);
	int err;      /* what inflate() and deflate() return instead of taking a batch */
	bool late;    /* answers in take_finished() only, */
	bool answers; /* and there only if this is set, once */
	struct balloon_batch *held[BALLOON_BATCHES + 1];
	struct sim_host has; /* its frames; a violation fails the test */
	uint64_t offers;     /* batches that it saw */
	uint64_t starts, resets;
	bool running;
	uint64_t short_of; /* what it was told last */
	uint64_t actual;
};

extern struct host host;

/* A host with a port that has all operations that there are; no balloon yet. Returns 0. */
int set_up_host(void **state);

/* The books are right, and after the end all frames are free. Returns 0. */
int tear_down_host(void **state);

/* The core begins, and takes the port. Returns what balloon_attach() does. */
int host_attach(uint64_t floor);

/* It wants so many frames; and rounds. */
void host_wants(uint64_t frames);

/* Guest, host and the number told are the same. */
void assert_host_has(uint64_t frames);

#define HOST_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_host, tear_down_host)

#endif
