/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * growth_harness.c: memory that comes and goes, as QEMU has it and as the guest has it.
 * Every function fails the running test when something is not as it must be; waits have
 * a generous deadline, and say what they waited for.
 */
#ifndef TESTS_INTEGRATION_GROWTH_HARNESS_H
#define TESTS_INTEGRATION_GROWTH_HARNESS_H

#include "tests/integration/harness.h"

#define BLOCK (2 * MIB)

/* Gives what QEMU says that is plugged of a device, which must be there. */
uint64_t growth_plugged(struct vm *vm, const char *id);

/* Sets what the host requests of a virtio-mem device. */
void growth_request(struct vm *vm, const char *id, uint64_t bytes);

/* Waits until so much is plugged of a virtio-mem device, and QEMU and the guest agree. */
void growth_wait(struct vm *vm, const char *id, uint64_t bytes);

/* Requests, and waits until it is so. */
void growth_reach(struct vm *vm, const char *id, uint64_t bytes);

/*
 * Waits until the guest has, to the frame, what it had when `base` was asked for and
 * `more` bytes beside it, all of them its own; and checks it all: show_mem in both forms,
 * `audit`, and what lsmem and QEMU say of each device. The balloon may have changed
 * meanwhile, by a target that it has reached.
 */
void growth_check(struct vm *vm, const struct memory *base, uint64_t more);

/* What one line of lsmem -j says of a source, counted from 0 in the order of addresses. */
struct growth_source {
	uint64_t requested, plugged, removable;
	bool has_trouble;
	char trouble[160];
};

/* Finds a source; false: there are not so many. */
bool growth_source(struct vm *vm, size_t index, struct growth_source *source);

/* Waits until the guest says that a source cannot be as the host wants it, and why. */
void growth_wait_trouble(struct vm *vm, size_t index, const char *why);

/* Has the guest hold all that it has, so that not one frame is free. */
void growth_hold_all(struct vm *vm);

/* Has the guest hold so much that at most `bytes` of its boot memory are free. */
void growth_hold(struct vm *vm, uint64_t bytes);

/* Releases all that is held, whose pattern must be as it was. */
void growth_release(struct vm *vm);

/* How often a cycle is to be gone through: more with SLOW=1. */
unsigned growth_rounds(unsigned few, unsigned many);

/* A size in whole blocks up to `most`, the same ones in each run of the tests. */
uint64_t growth_random(uint64_t most);

#endif
