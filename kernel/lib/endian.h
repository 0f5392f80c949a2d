/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Little-endian fields of wire structures. The types only tell the reader
 * what a field is; the conversions do the work on every host.
 */
#ifndef KERNEL_LIB_ENDIAN_H
#define KERNEL_LIB_ENDIAN_H

#include <stdint.h>

typedef uint16_t le16;
typedef uint32_t le32;
typedef uint64_t le64;

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "only little-endian processors are supported"
#endif

/* Convert between a number and the field of a wire structure that holds it. */
static inline le16 cpu_to_le16(uint16_t x)
{
	return x;
}

static inline le32 cpu_to_le32(uint32_t x)
{
	return x;
}

static inline le64 cpu_to_le64(uint64_t x)
{
	return x;
}

static inline uint16_t le16_to_cpu(le16 x)
{
	return x;
}

static inline uint32_t le32_to_cpu(le32 x)
{
	return x;
}

static inline uint64_t le64_to_cpu(le64 x)
{
	return x;
}

#endif
