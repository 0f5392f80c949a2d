/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The units that memory and time are counted in. A physical address is a
 * paddr_t, a page frame number a pfn_t; both are 64 bits wide and never an int.
 * A frame is 4 KiB, a block is 512 frames: 2 MiB, the size of a huge page. Host
 * programs include this file.
 */
#ifndef KERNEL_LIB_TYPES_H
#define KERNEL_LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t;
typedef uint64_t pfn_t;

#define PFN_NONE UINT64_MAX

#define FRAME_SHIFT 12
#define FRAME_SIZE ((size_t)1 << FRAME_SHIFT)
#define BLOCK_ORDER 9
#define BLOCK_FRAMES ((size_t)1 << BLOCK_ORDER)
#define BLOCK_SHIFT (FRAME_SHIFT + BLOCK_ORDER)
#define BLOCK_SIZE ((size_t)1 << BLOCK_SHIFT)

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

#define FRAME_KIB (FRAME_SIZE / KIB)

/* Time is counted in ns since boot (arch/clock.h); a deadline is such a moment. */
#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
#define DEADLINE_NEVER UINT64_MAX

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The structure of which `ptr` is the member `member`. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* The smaller of two sizes; each is evaluated once. */
static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The larger of two sizes; each is evaluated once. */
static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* `align` is a power of two. */
static inline uint64_t align_down(uint64_t x, uint64_t align)
{
	return x & ~(align - 1);
}

/* The caller sees to it that x + align does not overflow. */
static inline uint64_t align_up(uint64_t x, uint64_t align)
{
	return align_down(x + align - 1, align);
}

static inline pfn_t paddr_to_pfn(paddr_t paddr)
{
	return paddr >> FRAME_SHIFT;
}

static inline paddr_t pfn_to_paddr(pfn_t pfn)
{
	return pfn << FRAME_SHIFT;
}

#endif
