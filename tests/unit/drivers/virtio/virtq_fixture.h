/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A queue on a simulated device, of any kind of ring: what the tests of
 * virtqueues share. `ring` is the kind under test; a program that goes through
 * fixture_rings[] sets it before each group.
 */
#ifndef TESTS_UNIT_DRIVERS_VIRTIO_VIRTQ_FIXTURE_H
#define TESTS_UNIT_DRIVERS_VIRTIO_VIRTQ_FIXTURE_H

#include "tests/sim/sim_frame.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_time.h"
#include "tests/sim/sim_virtio.h"

struct fixture_ring {
	const char *name;
	uint64_t features; /* apart from VERSION_1 */
};

#define FIXTURE_RINGS 10

extern const struct fixture_ring fixture_rings[FIXTURE_RINGS];
extern const struct fixture_ring *ring;

extern struct sim_virtio sim;
extern struct virtq queue;
extern int tokens[VIRTQ_SIZE_MAX];
extern const struct virtq_buffer one;

/* Tells whether the ring of this run has a feature. */
bool ring_has(unsigned bit);

/* A device that has negotiated `ring`, or nothing at all if it is a legacy one. */
void negotiate(bool legacy);

/* Creates queue 0, of `size` descriptors, on a running device. */
void start(uint16_t size);

/* Does start(8), for cmocka, or undoes it. Returns 0. */
int setup(void **state);
int teardown(void **state);

/* Offers a buffer and lets the device take it. Returns the id to push. */
uint16_t offer(int *token);

/* The next used chain is this one. */
void assert_used(int *expected);

/* The queue is dead, the device was reset, one line says so. */
void assert_broken(void);

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
