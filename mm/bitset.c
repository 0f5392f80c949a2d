/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bitmap with summaries: bit i of level[n + 1] says whether word i of
 * level[n] has a bit set. The top level is a single word. A change climbs only
 * as long as words become zero by it, or stop being zero.
 */
#include "mm/bitset.h"

#include "kernel/lib/bits.h"

#include <assert.h>
#include <string.h>

#define WORD_BITS 64

static size_t words_for(size_t bits)
{
	return bits / WORD_BITS + (bits % WORD_BITS != 0);
}

static uint64_t bit_of(size_t i)
{
	return (uint64_t)1 << (i % WORD_BITS);
}

size_t bitset_words(size_t size)
{
	size_t bits = size;
	size_t sum = 0;

	do {
		bits = words_for(bits);
		sum += bits;
	} while (bits > 1);
	return sum;
}

void bitset_init(struct bitset *set, size_t size, uint64_t *words)
{
	size_t bits = size;

	assert(size > 0);
	memset(words, 0, bitset_words(size) * sizeof(*words));
	*set = (struct bitset){ .size = size };
	do {
		assert(set->levels < BITSET_LEVELS);
		bits = words_for(bits);
		set->level[set->levels++] = words;
		words += bits;
	} while (bits > 1);
}

void bitset_add(struct bitset *set, size_t i)
{
	assert(i < set->size);
	for (unsigned n = 0; n < set->levels; n++) {
		uint64_t *word = &set->level[n][i / WORD_BITS];
		bool was_empty = *word == 0;

		*word |= bit_of(i);
		if (!was_empty)
			return;
		i /= WORD_BITS;
	}
}

void bitset_remove(struct bitset *set, size_t i)
{
	assert(i < set->size);
	for (unsigned n = 0; n < set->levels; n++) {
		uint64_t *word = &set->level[n][i / WORD_BITS];

		*word &= ~bit_of(i);
		if (*word != 0)
			return;
		i /= WORD_BITS;
	}
}

/* Sets the bits first ... last of one level. */
static void fill(uint64_t *words, size_t first, size_t last)
{
	uint64_t head = UINT64_MAX << (first % WORD_BITS);
	uint64_t tail = UINT64_MAX >> (WORD_BITS - 1 - last % WORD_BITS);
	size_t w = first / WORD_BITS;

	if (w == last / WORD_BITS) {
		words[w] |= head & tail;
		return;
	}
	words[w++] |= head;
	while (w < last / WORD_BITS)
		words[w++] = UINT64_MAX;
	words[w] |= tail;
}

void bitset_add_range(struct bitset *set, size_t first, size_t end)
{
	assert(end <= set->size);
	if (first >= end)
		return;
	/* No word of the range is zero now, so on the next level they are a range, too. */
	for (unsigned n = 0; n < set->levels; n++) {
		fill(set->level[n], first, end - 1);
		first /= WORD_BITS;
		end = (end - 1) / WORD_BITS + 1;
	}
}

/* Follows bit `i` of level `n` down to the lowest member under it. */
static size_t descend(const struct bitset *set, unsigned n, size_t i)
{
	while (n-- > 0) {
		/* Otherwise the level above promised a member that is not there. */
		assert(set->level[n][i] != 0);
		i = i * WORD_BITS + (size_t)__builtin_ctzll(set->level[n][i]);
	}
	return i;
}

size_t bitset_first(const struct bitset *set)
{
	/* The top level is one word: it is zero exactly if the set is empty. */
	if (set->size == 0 || set->level[set->levels - 1][0] == 0)
		return BITSET_NONE;
	return descend(set, set->levels, 0);
}

size_t bitset_next(const struct bitset *set, size_t from)
{
	size_t bits = set->size;

	/* On level n, look at bits from `from` up to `bits`. */
	for (unsigned n = 0; n < set->levels && from < bits; n++) {
		uint64_t word = set->level[n][from / WORD_BITS] & UINT64_MAX << (from % WORD_BITS);

		if (word != 0) {
			from = align_down(from, WORD_BITS) + (size_t)__builtin_ctzll(word);
			return descend(set, n, from);
		}
		from = from / WORD_BITS + 1;
		bits = words_for(bits);
	}
	return BITSET_NONE;
}

/* Follows bit `i` of level `n` down to the highest member under it. */
static size_t descend_high(const struct bitset *set, unsigned n, size_t i)
{
	while (n-- > 0) {
		assert(set->level[n][i] != 0);
		i = i * WORD_BITS + WORD_BITS - 1 - (size_t)__builtin_clzll(set->level[n][i]);
	}
	return i;
}

size_t bitset_previous(const struct bitset *set, size_t end)
{
	assert(end <= set->size);
	/* On level n, look at the bits below `end`. */
	for (unsigned n = 0; n < set->levels && end > 0; n++) {
		size_t last = end - 1;
		uint64_t word = set->level[n][last / WORD_BITS] &
				UINT64_MAX >> (WORD_BITS - 1 - last % WORD_BITS);

		if (word != 0) {
			last = align_down(last, WORD_BITS) + WORD_BITS - 1 -
			       (size_t)__builtin_clzll(word);
			return descend_high(set, n, last);
		}
		end = last / WORD_BITS;
	}
	return BITSET_NONE;
}

void bitset_extend(struct bitset *set, size_t size, uint64_t *words)
{
	struct bitset old = *set;
	size_t used = words_for(old.size);

	assert(size >= old.size);
	bitset_init(set, size, words);
	memcpy(set->level[0], old.level[0], used * sizeof(*words));
	for (unsigned n = 0; n + 1 < set->levels; n++) {
		for (size_t i = 0; i < used; i++)
			if (set->level[n][i] != 0)
				set->level[n + 1][i / WORD_BITS] |= bit_of(i);
		used = words_for(used);
	}
}

size_t bitset_count(const struct bitset *set)
{
	size_t count = 0;

	for (size_t w = 0; w < words_for(set->size); w++)
		count += count_bits(set->level[0][w]);
	return count;
}
