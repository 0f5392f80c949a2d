/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers for random tests: the same sequence on every system (Marsaglia's xorshift). */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stdint.h>

/* Gives a number from 0 to below `n`. The state is the caller's, and not 0. */
static inline uint64_t random_below(uint64_t *state, uint64_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state >> 11) % n;
}

#endif
