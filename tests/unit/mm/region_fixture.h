/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame allocator whose frames are real memory, for tests of regions: the frame map
 * lays its books there. Only what is plugged can be touched. An access to anything else,
 * and to what is on its way out, ends the program, as it would end a guest whose page
 * tables say the same.
 */
#ifndef TESTS_UNIT_MM_REGION_FIXTURE_H
#define TESTS_UNIT_MM_REGION_FIXTURE_H

#include "tests/unit/mm/frame_fixture.h"

#include "mm/frame_region.h"

/* The first frame of RAM: its address is one that the sanitizers leave to programs. */
#define RAM ((pfn_t)0x200000000)

/* Frames of address space from RAM on: 2 TiB. */
#define RAM_FRAMES ((pfn_t)1 << 29)

/* Reserves the addresses; a group's setup. Returns 0, or -1. */
int region_fixture_reserve(void **state);

/* Starts anew with `frames` of RAM at boot, which can be touched and hold garbage. */
void region_fixture_boot(uint64_t frames);

/* Makes frames touchable, or not; what is in them stays. */
void region_fixture_map(pfn_t pfn, uint64_t frames, bool mapped);

/* Announces a region; must succeed. */
void region_announce(pfn_t start, size_t blocks);

/* Makes blocks touchable and full of garbage, as far as it matters, and plugs them. */
void region_plug(pfn_t pfn, size_t blocks);

/* Claims blocks of a region, which nobody can touch then; returns how many, 0 if none. */
size_t region_claim(const struct frame_region_part *part, size_t max, pfn_t *pfn);

/* The host has taken claimed blocks: they leave. */
void region_leave(pfn_t pfn, size_t blocks);

/* The host would not take claimed blocks: they can be touched again, and are free. */
void region_keep(pfn_t pfn, size_t blocks);

#endif
