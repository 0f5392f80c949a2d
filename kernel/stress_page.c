/* SPDX-License-Identifier: BSD-2-Clause */
/* What a workload's pages hold; see stress_page.h. */
#include "kernel/stress_page.h"

#include <assert.h>
#include <string.h>

#define LINE_WORDS 8
#define LINES (FRAME_SIZE / 64)

/* Of the first line: how often the page was touched, twice, once with all bits turned. */
#define TOUCHES 1
#define TOUCHES_INVERTED 2

/* An odd number whose bits are those of the golden ratio: what it multiplies looks random. */
#define STREW UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t value)
{
	value ^= value >> 32;
	value *= STREW;
	value ^= value >> 29;
	return value;
}

/*
 * A prime above all numbers of pages: with no other do all its multiples differ, whatever their
 * number.
 */
#define STRIDE UINT64_C(2654435761)

/* The word at the beginning of a page's first line; those of the others are STREW more each. */
static uint64_t name_of(uint64_t seed, uint64_t page)
{
	return mix(mix(seed) + page);
}

void stress_page_name(uint8_t *bytes, uint64_t seed, uint64_t page)
{
	uint64_t *words = (uint64_t *)bytes, name = name_of(seed, page);

	for (unsigned line = 0; line < LINES; line++, name += STREW)
		words[line * LINE_WORDS] = name;
	words[TOUCHES_INVERTED] = ~words[TOUCHES];
}

void stress_page_fill(uint8_t *bytes, uint64_t seed, uint64_t page)
{
	memset(bytes, 0, FRAME_SIZE);
	stress_page_name(bytes, seed, page);
}

void stress_page_touch(uint8_t *bytes)
{
	uint64_t *words = (uint64_t *)bytes;

	words[TOUCHES]++;
	words[TOUCHES_INVERTED] = ~words[TOUCHES];
}

bool stress_page_is_right(const uint8_t *bytes, uint64_t seed, uint64_t page)
{
	const uint64_t *words = (const uint64_t *)bytes;
	uint64_t rest = 0, name = name_of(seed, page);

	for (unsigned line = 0; line < LINES; line++, name += STREW) {
		const uint64_t *at = words + line * LINE_WORDS;

		if (at[0] != name)
			return false;
		for (unsigned i = line == 0 ? TOUCHES_INVERTED + 1 : 1; i < LINE_WORDS; i++)
			rest |= at[i];
	}
	return rest == 0 && words[TOUCHES_INVERTED] == ~words[TOUCHES];
}

uint64_t stress_random(uint64_t *state, uint64_t n)
{
	*state += STREW;
	return mix(mix(*state)) % n;
}

uint64_t stress_zipf(uint64_t *state, uint64_t n)
{
	uint64_t start, rank;
	unsigned octaves;

	assert(n > 0 && n < STRIDE);
	octaves = 64 - (unsigned)__builtin_clzll(n);
	do {
		start = UINT64_C(1) << stress_random(state, octaves);
		rank = start + stress_random(state, start);
	} while (rank > n);
	return (rank - 1) * STRIDE % n;
}
