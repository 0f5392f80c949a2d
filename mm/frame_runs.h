/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bitmap of a block's free frames, a bit for each, and the naturally
 * aligned runs of 2^order set bits in it. Host programs include this file.
 */
#ifndef MM_FRAME_RUNS_H
#define MM_FRAME_RUNS_H

#include "kernel/lib/types.h"

#define BLOCK_WORDS (BLOCK_FRAMES / 64)

/* The order of a block in which no frame is free. */
#define ORDER_NONE 0xff

_Static_assert(BLOCK_FRAMES % 64 == 0, "a block's bitmap has no partial word");
_Static_assert(BLOCK_ORDER < ORDER_NONE, "ORDER_NONE is no order");

/* There is no such run. */
#define RUN_NONE UINT32_MAX

/* Returns the first frame of the lowest aligned free run of 2^order, or RUN_NONE. */
unsigned frame_runs_lowest(const uint64_t bits[BLOCK_WORDS], unsigned order);

/*
 * Returns the order of the largest aligned free run, which is known to be
 * `at_most` or less. A frame must be free.
 */
uint8_t frame_runs_largest(const uint64_t bits[BLOCK_WORDS], unsigned at_most);

/* Returns the order of the largest aligned free run around an aligned one of 2^order. */
uint8_t frame_runs_around(const uint64_t bits[BLOCK_WORDS], unsigned first, unsigned order);

/* Sets or clears `count` bits from `first` on, in any number of words. */
void frame_runs_mark_words(uint64_t bits[BLOCK_WORDS], unsigned first, unsigned count,
			   bool is_free);

/* Sets or clears `count` bits, at least one, from `first` on; mostly they are in one word. */
static inline void frame_runs_mark(uint64_t bits[BLOCK_WORDS], unsigned first, unsigned count,
				   bool is_free)
{
	uint64_t mask;

	if (first % 64 + count > 64) {
		frame_runs_mark_words(bits, first, count, is_free);
		return;
	}
	mask = UINT64_MAX >> (64 - count) << first % 64;
	if (is_free)
		bits[first / 64] |= mask;
	else
		bits[first / 64] &= ~mask;
}

/*
 * Returns word `w` of the bitmap of a block that begins with frame `base`, without
 * the bits of frames from `limit` on.
 */
static inline uint64_t frame_runs_below(const uint64_t bits[BLOCK_WORDS], unsigned w, pfn_t base,
					pfn_t limit)
{
	pfn_t first = base + w * 64;

	if (limit <= first)
		return 0;
	return limit - first >= 64 ? bits[w] : bits[w] & (((uint64_t)1 << (limit - first)) - 1);
}

/* Counts the set bits of a word from the lowest bit up to the first clear one. */
static inline unsigned frame_runs_ones(uint64_t word)
{
	return word == UINT64_MAX ? 64 : (unsigned)__builtin_ctzll(~word);
}

/*
 * Clears the lowest run of set bits of a word: the carry of an addition clears it, and
 * sets what `&` clears again.
 */
static inline uint64_t frame_runs_drop_lowest(uint64_t word)
{
	return word & (word + (word & -word));
}

#endif
