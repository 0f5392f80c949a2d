/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of frames as the simulated hosts keep them: a bit a frame, and a byte a step
 * where most of them are not in the set. Checks walk such sets after each step.
 */
#ifndef TESTS_SIM_SIM_BITS_H
#define TESTS_SIM_SIM_BITS_H

#include "kernel/lib/types.h"

/* Returns whether bit `i` is set. */
static inline bool sim_bits_test(const uint8_t *bits, uint64_t i)
{
	return bits[i / 8] >> (i % 8) & 1;
}

/* Sets bit `i`. */
static inline void sim_bits_add(uint8_t *bits, uint64_t i)
{
	bits[i / 8] |= (uint8_t)(1u << i % 8);
}

/* Clears bit `i`. */
static inline void sim_bits_remove(uint8_t *bits, uint64_t i)
{
	bits[i / 8] &= (uint8_t) ~(1u << i % 8);
}

/* Sets or clears the bits from `i` on and below `end`. */
static inline void sim_bits_set_range(uint8_t *bits, uint64_t i, uint64_t end, bool on)
{
	while (i < end) {
		if (i % 8 == 0 && end - i >= 8) {
			bits[i / 8] = on ? 0xff : 0;
			i += 8;
			continue;
		}
		if (on)
			sim_bits_add(bits, i);
		else
			sim_bits_remove(bits, i);
		i++;
	}
}

/* Returns the lowest bit that is set, from `i` on and below `end`; `end` if there is none. */
static inline uint64_t sim_bits_next(const uint8_t *bits, uint64_t i, uint64_t end)
{
	while (i < end && !sim_bits_test(bits, i))
		i += bits[i / 8] == 0 ? 8 - i % 8 : 1;
	return i < end ? i : end;
}

#endif
