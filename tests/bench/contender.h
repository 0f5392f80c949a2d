/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two allocators of `make bench-alloc` behind one set of functions:
 * mm/frame.c as the guest has it, and the textbook's buddy beside it.
 */
#ifndef TESTS_BENCH_CONTENDER_H
#define TESTS_BENCH_CONTENDER_H

#include "kernel/lib/types.h"

#define GIB_FRAMES ((size_t)(GIB / FRAME_SIZE))

/* The part of the simulated RAM that is worked in: see alloc_work.h. */
#define WINDOW_BLOCKS ((size_t)512)
#define WINDOW_FRAMES (WINDOW_BLOCKS * BLOCK_FRAMES)

struct contender {
	const char *name;

	/*
	 * Simulates `gib` GiB of RAM, all of which is taken but for the window:
	 * WINDOW_BLOCKS blocks, one in every `gib` blocks. stop() ends that, and the
	 * program if the window is not free again or the books are wrong.
	 */
	void (*start)(size_t gib);
	void (*stop)(void);

	/* A run of 2^order frames; PFN_NONE. */
	pfn_t (*alloc)(unsigned order);
	void (*free)(pfn_t pfn, unsigned order);

	/* `count` single frames; returns how many there were. */
	size_t (*alloc_bulk)(size_t count, pfn_t *pfns);

	uint64_t (*count_whole_blocks)(void);

	/* Bytes of metadata, now. */
	uint64_t (*count_metadata)(void);
};

extern const struct contender contender_frame;
extern const struct contender contender_buddy;

/* Prints a line and ends the program. */
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *fmt, ...);

#endif
