/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio-mem devices that lie, for the test that tells each lie at each step of a device's
 * life, and for the fuzzer.
 */
#ifndef TESTS_UNIT_DRIVERS_MEM_VIRTIO_MEM_LIES_H
#define TESTS_UNIT_DRIVERS_MEM_VIRTIO_MEM_LIES_H

#include "tests/unit/drivers/mem/virtio_mem_fixture.h"

struct mem_lie {
	const char *name; /* a sentence about the device */
	void (*tell)(void);
	/* The device's own books are wrong, too: nobody knows what is plugged. */
	bool blind;
	/* Nothing that a device may not do: it must stay in use. */
	bool must_go_on;
	/* The driver must not believe it where requests are on their way. */
	bool must_break;
	bool split_only;
};

extern const struct mem_lie mem_lies[];
extern const size_t mem_lie_count;

/* From now on the device does as it should, but for what it has done. */
void mem_lies_end(void);

#endif
