/* SPDX-License-Identifier: BSD-2-Clause */
/* Aligned free runs, found in all words of a bitmap side by side. */
#include "mm/frame_runs.h"

#include <string.h>

/* Where aligned runs of 2^order can start within a word. */
static const uint64_t run_starts[] = {
	UINT64_MAX,	    0x5555555555555555, 0x1111111111111111, 0x0101010101010101,
	0x0001000100010001, 0x0000000100000001, 0x0000000000000001,
};

#define WORD_ORDER 6

/*
 * From a bit for each aligned free run of 2^order to a bit for each of
 * 2^(order + 1): where a run and the one behind it are both free.
 */
static bool merge_runs(uint64_t runs[BLOCK_WORDS], unsigned order)
{
	uint64_t any = 0;
	unsigned step;

	for (unsigned w = 0; w < BLOCK_WORDS; w++) {
		if (order < WORD_ORDER) {
			runs[w] &= runs[w] >> (1u << order) & run_starts[order + 1];
		} else {
			step = 1u << (order - WORD_ORDER);
			runs[w] &= w % (2 * step) == 0 ? runs[w + step] : 0;
		}
		any |= runs[w];
	}
	return any != 0;
}

uint8_t frame_runs_largest(const uint64_t free[BLOCK_WORDS])
{
	uint64_t runs[BLOCK_WORDS];
	uint64_t any = 0;
	uint8_t order = 0;

	for (unsigned w = 0; w < BLOCK_WORDS; w++)
		any |= runs[w] = free[w];
	if (any == 0)
		return ORDER_NONE;
	while (order < BLOCK_ORDER && merge_runs(runs, order))
		order++;
	return order;
}

unsigned frame_runs_lowest(const uint64_t free[BLOCK_WORDS], unsigned order)
{
	uint64_t runs[BLOCK_WORDS];
	unsigned w = 0;

	memcpy(runs, free, sizeof(runs));
	for (unsigned o = 0; o < order; o++)
		merge_runs(runs, o);
	while (runs[w] == 0)
		w++;
	return w * 64 + (unsigned)__builtin_ctzll(runs[w]);
}

void frame_runs_mark(uint64_t free[BLOCK_WORDS], unsigned first, unsigned count, bool is_free)
{
	while (count > 0) {
		unsigned bit = first % 64;
		unsigned n = count < 64 - bit ? count : 64 - bit;
		uint64_t mask = UINT64_MAX >> (64 - n) << bit;

		if (is_free)
			free[first / 64] |= mask;
		else
			free[first / 64] &= ~mask;
		first += n;
		count -= n;
	}
}
