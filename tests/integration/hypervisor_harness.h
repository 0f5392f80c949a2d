/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hypervisor_harness.c: guests inside the hypervisor for tests (docs/hypervisor.md), and its
 * control block. As everywhere in the harness: what is not as it must be fails the test.
 */
#ifndef TESTS_INTEGRATION_HYPERVISOR_HARNESS_H
#define TESTS_INTEGRATION_HYPERVISOR_HARNESS_H

#include <stdint.h>

#include "tests/integration/harness.h"
#include "tools/hypervisor.h"

struct inside {
	struct vm *vm;
	struct hypervisor *hypervisor;
	volatile struct hv_control_common *common;
};

/*
 * Starts a guest inside guest.hypervisor ("plain" if it is NULL), waits for its prompt, and
 * finds the control block. The memory file is this function's to choose.
 */
struct inside inside_boot(struct guest_options guest);

/*
 * Checks that the guest made no mistake, touched nothing that the host has, and that the
 * hypervisor lives; then stops it, and closes the block.
 */
void inside_stop(struct inside *inside);

/* Closes the block of a guest that is stopped already, or has ended. */
void inside_close(struct inside *inside);

/* Rings once, and waits until it was heard. */
void inside_ring(struct inside *inside);

/* Waits until a field of the block, called `what`, has a value. */
void inside_wait(volatile uint64_t *field, uint64_t value, const char *what);

/* Waits until it has that value or a greater one: for what counts on, whoever looks. */
void inside_wait_least(volatile uint64_t *field, uint64_t value, const char *what);

#endif
