/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks that lie, for the test that tells each lie at each step of a disk's life, and for
 * the fuzzer.
 */
#ifndef TESTS_UNIT_DRIVERS_BLOCK_BLOCK_LIES_H
#define TESTS_UNIT_DRIVERS_BLOCK_BLOCK_LIES_H

#include "tests/unit/drivers/block/block_fixture.h"

struct block_lie {
	const char *name; /* a sentence about the device */
	void (*tell)(void);
	bool must_break; /* with requests under way it is not believed, and the disk breaks */
	bool must_go_on; /* nothing that a device may not do */
	bool modern_only;
	bool split_only;
	bool needs_queue; /* means nothing before DRIVER_OK */
};

extern const struct block_lie block_lies[];
extern const size_t block_lie_count;

/* From now on the device does as it should, but for what it has done. */
void block_lies_end(void);

#endif
