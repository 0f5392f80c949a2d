/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the frame map is made at boot: its arrays, its sets, and the gaps in RAM. How it grows
 * is in mm/frame_section.c.
 */
#include "mm/frame_map.h"

#include <assert.h>

#include "mm/frame_fill.h"

size_t frame_map_bytes(const struct memmap *map)
{
	struct frame_spans spans;
	size_t blocks = frame_spans_make(map, &spans);

	if (blocks == 0)
		return 0;
	return blocks * (sizeof(*frame_map.free_bits) + sizeof(*frame_map.owner_bytes) +
			 sizeof(*frame_map.records)) +
	       FRAME_MAP_SETS * bitset_words(blocks) * sizeof(uint64_t);
}

void frame_map_lay_sets(size_t blocks, uint64_t *words,
			void (*lay)(struct bitset *set, size_t blocks, uint64_t *words))
{
	size_t step = bitset_words(blocks);
	const uint64_t *end = words + FRAME_MAP_SETS * step;

	lay(&frame_map.known, blocks, words);
	lay(&frame_map.unreported, blocks, words += step);
	lay(&frame_fill.unfilled, blocks, words += step);
	for (unsigned o = 0; o <= BLOCK_ORDER; o++)
		lay(&frame_map.by_order[o], blocks, words += step);
	for (unsigned o = OWNER_FREE + 1; o < OWNER_INDEXED; o++)
		frame_map.blocks_of[o] = frame_map.known;
	for (unsigned o = OWNER_INDEXED; o < OWNER_COUNT; o++)
		lay(&frame_map.blocks_of[o], blocks, words += step);
	assert(words + step == end);
}

/* Lays the arrays into `memory`, those with the largest alignment first. */
static void lay_out(size_t blocks, uint8_t *memory)
{
	uint64_t *words;

	frame_map.free_bits = (void *)memory;
	memory += blocks * sizeof(*frame_map.free_bits);
	words = (void *)memory;
	memory += FRAME_MAP_SETS * bitset_words(blocks) * sizeof(*words);
	frame_map.records = (void *)memory;
	memory += blocks * sizeof(*frame_map.records);
	frame_map.owner_bytes = (void *)memory;
	frame_map_lay_sets(blocks, words, bitset_init);
}

/* Marks frames inside a span but outside RAM, from `start` up to `end`, if there are any. */
static void mark_absent(pfn_t start, pfn_t end)
{
	while (start < end) {
		unsigned first = (unsigned)(start % BLOCK_FRAMES);
		unsigned count = (unsigned)min_u64(end - start, BLOCK_FRAMES - first);
		size_t number = BITSET_NONE;
		bool found = frame_map_find(start, &number);

		assert(found);
		frame_map_change(number, first, count, OWNER_FREE, OWNER_ABSENT);
		start += count;
	}
}

/* Marks the gaps around the ranges of RAM, span by span. */
static void mark_gaps(const struct memmap *map)
{
	const struct frame_span *span = frame_map.spans.span;
	pfn_t at = span->start;

	for (size_t i = 0; i < map->count; i++) {
		pfn_t end = span->start + span->blocks * BLOCK_FRAMES;

		if (map->range[i].start >= end) {
			mark_absent(at, end);
			at = (++span)->start;
		}
		mark_absent(at, map->range[i].start);
		at = map->range[i].end;
	}
	mark_absent(at, align_up(at, BLOCK_FRAMES));
}

void frame_map_init(const struct memmap *map, void *memory)
{
	frame_map = (struct frame_map){ 0 };
	frame_fill = (struct frame_fill){ 0 };
	frame_map.absent.order = ORDER_NONE;
	frame_map.block_count = frame_spans_make(map, &frame_map.spans);
	frame_map.boot_count = frame_map.block_count;
	if (frame_map.block_count == 0)
		return;
	assert((uintptr_t)memory % 64 == 0);
	lay_out(frame_map.block_count, memory);
	bitset_add_range(&frame_map.by_order[BLOCK_ORDER], 0, frame_map.block_count);
	bitset_add_range(&frame_map.unreported, 0, frame_map.block_count);
	frame_map.unreported_events = frame_map.block_count;
	frame_map.free_by_order[BLOCK_ORDER] = frame_map.block_count * BLOCK_FRAMES;
	frame_map.count[OWNER_FREE] = frame_map.block_count * BLOCK_FRAMES;
	frame_map.managed = map->frames;
	mark_gaps(map);
	/* Every frame of RAM is free now, and every other one is absent. */
	assert(frame_map.count[OWNER_FREE] == frame_map.managed);
}
