/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated RAM as memory of the boot and two regions above it, for tests of the balloon
 * beside memory that comes and goes. What is not plugged is lent to nobody, and touching
 * it ends the test.
 */
#ifndef TESTS_UNIT_DRIVERS_BALLOON_REGION_WORLD_H
#define TESTS_UNIT_DRIVERS_BALLOON_REGION_WORLD_H

#include "mm/frame_region.h"
#include "tests/sim/sim_ram.h"

#define WORLD_START (SIM_RAM_START / FRAME_SIZE)

/* In blocks: boot, a hole of one, a region, a hole of one, another region. */
#define BOOT_BLOCKS 6
#define LOWER_BLOCKS 6
#define UPPER_BLOCKS 10

#define BOOT_END (WORLD_START + BOOT_BLOCKS * BLOCK_FRAMES)
#define LOWER (BOOT_END + BLOCK_FRAMES)
#define LOWER_END (LOWER + LOWER_BLOCKS * BLOCK_FRAMES)
#define UPPER (LOWER_END + BLOCK_FRAMES)
#define UPPER_END (UPPER + UPPER_BLOCKS * BLOCK_FRAMES)

/* The allocator begins anew with the boot memory; both regions are announced, and empty. */
void region_world_start(void);

/* Blocks come; must succeed. */
void region_world_plug(pfn_t pfn, size_t blocks);

/* Claimed blocks have left, or are kept. */
void region_world_leave(pfn_t pfn, size_t blocks);
void region_world_keep(pfn_t pfn, size_t blocks);

/* Claims free units of a part; returns how many blocks, 0 if there are none. */
size_t region_world_claim(const struct frame_region_part *part, size_t max, pfn_t *pfn);

/* Counts an owner's frames from `start` to before `end`, one by one. */
uint64_t frames_of(enum owner owner, pfn_t start, pfn_t end);

/* Counts the free frames of the boot memory, one by one. */
uint64_t boot_free(void);

#endif
