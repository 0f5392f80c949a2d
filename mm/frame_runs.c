/* SPDX-License-Identifier: BSD-2-Clause */
/* Aligned free runs, found in a word of the bitmap with a few shifts. */
#include "mm/frame_runs.h"

#include <assert.h>

/* Where aligned runs of 2^order can start within a word. */
static const uint64_t run_starts[] = {
	UINT64_MAX,	    0x5555555555555555, 0x1111111111111111,
	0x0101010101010101, 0x0001000100010001, 0x0000000100000001,
};

#define WORD_ORDER 6

_Static_assert(1u << WORD_ORDER == 64, "a word holds 2^WORD_ORDER frames");
_Static_assert(ARRAY_SIZE(run_starts) == WORD_ORDER, "a mask for each order below a word's");

/* A bit where each aligned free run of 2^order starts; for runs smaller than a word. */
static uint64_t runs_in_word(uint64_t word, unsigned order)
{
	for (unsigned o = 0; o < order; o++)
		word &= word >> (1u << o);
	return word & run_starts[order];
}

/* Whether `count` words have all their bits set. */
static bool words_are_free(const uint64_t *bits, unsigned count)
{
	for (unsigned w = 0; w < count; w++)
		if (bits[w] != UINT64_MAX)
			return false;
	return true;
}

/* The lowest run of whole words. */
static unsigned lowest_words(const uint64_t bits[BLOCK_WORDS], unsigned words)
{
	for (unsigned w = 0; w < BLOCK_WORDS; w += words)
		if (words_are_free(bits + w, words))
			return w * 64;
	return RUN_NONE;
}

unsigned frame_runs_lowest(const uint64_t bits[BLOCK_WORDS], unsigned order)
{
	if (order >= WORD_ORDER)
		return lowest_words(bits, 1u << (order - WORD_ORDER));
	for (unsigned w = 0; w < BLOCK_WORDS; w++) {
		uint64_t runs = bits[w] != 0 ? runs_in_word(bits[w], order) : 0;

		if (runs != 0)
			return w * 64 + (unsigned)__builtin_ctzll(runs);
	}
	return RUN_NONE;
}

uint8_t frame_runs_largest(const uint64_t bits[BLOCK_WORDS], unsigned at_most)
{
	unsigned order = at_most;
	while (order > 0 && frame_runs_lowest(bits, order) == RUN_NONE)
		order--;
	return (uint8_t)order;
}

/* Whether an aligned run of 2^order is free. */
static bool run_is_free(const uint64_t bits[BLOCK_WORDS], unsigned first, unsigned order)
{
	if (order >= WORD_ORDER)
		return words_are_free(bits + first / 64, 1u << (order - WORD_ORDER));
	return runs_in_word(bits[first / 64], order) >> (first % 64) & 1;
}

uint8_t frame_runs_around(const uint64_t bits[BLOCK_WORDS], unsigned first, unsigned order)
{
	assert(first < BLOCK_FRAMES);
	/* As a buddy allocator merges: as long as the other half is free, too. */
	while (order < BLOCK_ORDER && run_is_free(bits, first ^ 1u << order, order)) {
		first &= ~(1u << order);
		order++;
	}
	return (uint8_t)order;
}

void frame_runs_mark_words(uint64_t bits[BLOCK_WORDS], unsigned first, unsigned count, bool is_free)
{
	while (count > 0) {
		unsigned n = (unsigned)min_u64(count, 64 - first % 64);

		frame_runs_mark(bits, first, n, is_free);
		first += n;
		count -= n;
	}
}
