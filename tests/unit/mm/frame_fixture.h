/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame allocator over a map that the test chooses. Its metadata begins as
 * garbage and lies in heap memory of exactly frame_init_bytes() bytes, so that
 * the address sanitizer sees a byte too many. No frame has memory of its own.
 *
 * Include <cmocka.h> through this file only: it wants four others first.
 */
#ifndef TESTS_UNIT_MM_FRAME_FIXTURE_H
#define TESTS_UNIT_MM_FRAME_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mm/frame.h"

/* Allocates like frame_alloc_blocks(), one block. -ENOMEM: there is none. */
static inline int frame_alloc_block(pfn_t limit, enum owner owner, pfn_t *pfn)
{
	size_t one;

	return frame_alloc_blocks(1, limit, owner, pfn, &one);
}

/* Stored where a call must not store a result. */
#define PFN_UNTOUCHED 0x5aa5a55a5aa5a55a

/* Starts anew with these ranges: sorted, disjoint, not adjacent. */
void fixture_start(const struct mem_range *ranges, size_t count);

/* fixture_start() with one range. */
void fixture_start_one(pfn_t start, pfn_t end);

/* As many frames are managed from now on: blocks have come, or left. */
void fixture_expect_managed(uint64_t frames);

/* The map that the allocator manages now. */
const struct memmap *fixture_map(void);

/* Frees the metadata: for a test's teardown. Returns 0. */
int fixture_stop(void **state);

/*
 * The books are in order: check and audit say so in the words of ledger.h, the
 * free frames by order add up, and interrupts are on.
 */
void fixture_assert_books(void);

/* Checks what fixture_assert_books() does, but without the audit: cheap. */
void fixture_assert_sums(void);

/* Everything that can be asked of the allocator about its small map, except `refused`. */
struct picture;

/* Takes a picture. */
struct picture *fixture_picture(void);

/* Nothing has changed since; frees the picture. */
void fixture_assert_same(struct picture *before);

/* `err` from a call that must have been refused, and counted so, since `refused`. */
void fixture_assert_refused(int err, int expect, uint64_t refused);

/* Every frame of a run has this owner. */
void fixture_assert_owner(pfn_t pfn, size_t count, enum owner owner);

/* Returns the order of a block's largest free run, asked frame by frame; -1: none. */
int fixture_largest_run(pfn_t block);

/* frame_alloc() and friends that must succeed. */
pfn_t fixture_alloc(unsigned order, enum owner owner);
void fixture_reserve(pfn_t pfn, size_t count, enum owner owner);
void fixture_free(pfn_t pfn, size_t count, enum owner owner);

#endif
