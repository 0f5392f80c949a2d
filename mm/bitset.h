/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of small integers whose lowest member is found in a few steps, however
 * large the set is: a bitmap; above it a bitmap of the words that are not zero;
 * and so on up to a single word.
 *
 * The caller supplies the memory. All operations are O(log64(size)).
 */
#ifndef MM_BITSET_H
#define MM_BITSET_H

#include "kernel/lib/types.h"

#define BITSET_LEVELS 6
#define BITSET_NONE SIZE_MAX

struct bitset {
	size_t size; /* members are 0 ... size - 1 */
	unsigned levels;
	uint64_t *level[BITSET_LEVELS]; /* level[0] has a bit per member */
};

/* Returns how many words a set of this size needs. 0 < size <= 64^BITSET_LEVELS. */
size_t bitset_words(size_t size);

/* Makes an empty set in `words`, an array of bitset_words(size) words. */
void bitset_init(struct bitset *set, size_t size, uint64_t *words);

/* Tells whether `i` is a member. */
static inline bool bitset_test(const struct bitset *set, size_t i)
{
	return set->level[0][i / 64] >> (i % 64) & 1;
}

/* Add or remove a member; nothing changes if it is one already, or is none. */
void bitset_add(struct bitset *set, size_t i);
void bitset_remove(struct bitset *set, size_t i);

/* Adds first, first + 1, ... end - 1, a word at a time; end <= size. */
void bitset_add_range(struct bitset *set, size_t first, size_t end);

/*
 * Makes a set larger: its members move to `words`, an array of bitset_words(size) words,
 * and what it had is no longer used. `size` is no less than before. O(size).
 */
void bitset_extend(struct bitset *set, size_t size, uint64_t *words);

/* Counts the members. O(size). */
size_t bitset_count(const struct bitset *set);

/* Returns the lowest member, or BITSET_NONE; a structure of zeros has none. */
size_t bitset_first(const struct bitset *set);

/* Returns the lowest member that is not below `from`, or BITSET_NONE. */
size_t bitset_next(const struct bitset *set, size_t from);

/* Returns the highest member below `end`, or BITSET_NONE; `end` is at most the size. */
size_t bitset_previous(const struct bitset *set, size_t end);

#endif
