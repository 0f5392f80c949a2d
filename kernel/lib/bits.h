/* SPDX-License-Identifier: BSD-2-Clause */
/* Operations for which the processor's baseline has no instruction. */
#ifndef KERNEL_LIB_BITS_H
#define KERNEL_LIB_BITS_H

#include <stdint.h>

/* Counts the bits of a word that are set: pairs, nibbles and bytes are summed side by side. */
static inline unsigned count_bits(uint64_t word)
{
	word -= word >> 1 & 0x5555555555555555;
	word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (unsigned)(word * 0x0101010101010101 >> 56);
}

#endif
