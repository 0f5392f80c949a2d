/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame map and the one operation on it: frames change their owner. First
 * one block, then runs over several, then how the map is made.
 */
#include "mm/frame_map.h"

#include <errno.h>
#include <string.h>

#include "arch/irq.h"
#include "mm/frame.h"

struct frame_map frame_map;

/* ---- One block ---- */

bool frame_map_find(pfn_t pfn, size_t *number)
{
	for (size_t i = 0; i < frame_map.span_count; i++) {
		const struct frame_span *span = &frame_map.span[i];

		if (pfn >= span->start && (pfn - span->start) / BLOCK_FRAMES < span->blocks) {
			*number = span->first + (size_t)((pfn - span->start) / BLOCK_FRAMES);
			return true;
		}
	}
	return false;
}

pfn_t frame_map_pfn(size_t number)
{
	const struct frame_span *span = frame_map.span;

	while (number - span->first >= span->blocks)
		span++;
	return span->start + (number - span->first) * BLOCK_FRAMES;
}

/* The block's record, made now if this is the first time. */
static struct frame_block *know_block(size_t number)
{
	struct frame_block *block = &frame_map.block[number];

	if (!bitset_test(&frame_map.known, number)) {
		bitset_add(&frame_map.known, number);
		*block = (struct frame_block){ BLOCK_FRAMES, OWNER_FREE, BLOCK_ORDER };
	}
	return block;
}

/* Gives every frame of a uniform block its own owner byte and free bit. */
static void break_up(struct frame_block *block, size_t number)
{
	if (block->owner == OWNER_MIXED)
		return;
	memset(frame_map.owner[number], block->owner, BLOCK_FRAMES);
	memset(frame_map.free[number], block->owner == OWNER_FREE ? 0xff : 0,
	       sizeof(frame_map.free[number]));
	block->owner = OWNER_MIXED;
}

enum owner frame_map_owner(size_t number, unsigned frame)
{
	const struct frame_block *block = &frame_map.block[number];

	if (!bitset_test(&frame_map.known, number))
		return OWNER_FREE;
	return block->owner == OWNER_MIXED ? frame_map.owner[number][frame] : block->owner;
}

const uint8_t *frame_map_owners(size_t number)
{
	if (!bitset_test(&frame_map.known, number) || frame_map.block[number].owner != OWNER_MIXED)
		return NULL;
	return frame_map.owner[number];
}

/* How many frames from the first on are `owner`'s; eight are compared at a time. */
static unsigned count_owned(const uint8_t *owners, unsigned count, enum owner owner)
{
	const uint64_t eight = (uint64_t)owner * 0x0101010101010101;
	unsigned n = 0;
	uint64_t word;

	for (; n + sizeof(word) <= count; n += sizeof(word)) {
		__builtin_memcpy(&word, owners + n, sizeof(word));
		if (word != eight)
			break;
	}
	while (n < count && owners[n] == owner)
		n++;
	return n;
}

/* 0 if all the frames are `owner`'s, or why it has to be refused. */
static int check_in_block(size_t number, unsigned first, unsigned count, enum owner owner)
{
	const uint8_t *owners = frame_map.owner[number] + first;
	unsigned n;

	if (!bitset_test(&frame_map.known, number))
		return owner == OWNER_FREE ? 0 : -EPERM;
	if (frame_map.block[number].owner != OWNER_MIXED)
		return frame_map.block[number].owner == owner ? 0 : -EPERM;
	n = count_owned(owners, count, owner);
	if (n == count)
		return 0;
	return owners[n] == OWNER_ABSENT ? -EINVAL : -EPERM;
}

/* Enters a block into the books of free space, or takes it out of them. */
static void list_free(const struct frame_block *block, size_t number)
{
	if (block->order == ORDER_NONE)
		return;
	bitset_add(&frame_map.by_order[block->order], number);
	frame_map.free_by_order[block->order] += block->free;
	if (block->order == BLOCK_ORDER) {
		bitset_add(&frame_map.unreported, number);
		frame_map.unreported_events++;
	}
}

static void unlist_free(const struct frame_block *block, size_t number)
{
	if (block->order == ORDER_NONE)
		return;
	bitset_remove(&frame_map.by_order[block->order], number);
	frame_map.free_by_order[block->order] -= block->free;
	if (block->order == BLOCK_ORDER)
		bitset_remove(&frame_map.unreported, number);
}

/*
 * The books of free space follow what a block has now. Mostly its order stays,
 * and with it the block's place in them.
 */
static void set_free(struct frame_block *block, size_t number, unsigned free, uint8_t order)
{
	if (order != block->order) {
		unlist_free(block, number);
		block->free = (uint16_t)free;
		block->order = order;
		list_free(block, number);
	} else if (order != ORDER_NONE) {
		frame_map.free_by_order[order] -= block->free;
		frame_map.free_by_order[order] += free;
		block->free = (uint16_t)free;
	}
}

/* Mostly it is a single one, not worth a call. */
static void set_owners(uint8_t *owners, unsigned count, enum owner owner)
{
	if (count == 1)
		owners[0] = (uint8_t)owner;
	else
		memset(owners, (int)owner, count);
}

/* Changes the frames' records; a whole block stays whole. */
static void mark_owner(struct frame_block *block, size_t number, unsigned first, unsigned count,
		       enum owner from, enum owner to)
{
	if (count == BLOCK_FRAMES) {
		block->owner = (uint8_t)to;
	} else {
		break_up(block, number);
		set_owners(frame_map.owner[number] + first, count, to);
		if (from == OWNER_FREE || to == OWNER_FREE)
			frame_runs_mark(frame_map.free[number], first, count, to == OWNER_FREE);
	}
	if (to != OWNER_FREE && !bitset_test(&frame_map.owned[to], number))
		bitset_add(&frame_map.owned[to], number);
}

/* The largest run, after frames were taken: not larger than it was. */
static uint8_t order_after_take(const struct frame_block *block, size_t number, unsigned free)
{
	return free == 0 ? ORDER_NONE : frame_runs_largest(frame_map.free[number], block->order);
}

/* The same after frames were freed: what it was, or around those. */
static uint8_t order_after_free(const struct frame_block *block, size_t number, unsigned first,
				unsigned count, unsigned free)
{
	uint8_t order;

	if (free == BLOCK_FRAMES)
		return BLOCK_ORDER;
	if ((count & (count - 1)) != 0 || first % count != 0)
		return frame_runs_largest(frame_map.free[number], BLOCK_ORDER);
	order = frame_runs_around(frame_map.free[number], first, (unsigned)__builtin_ctz(count));
	return block->order != ORDER_NONE && block->order > order ? block->order : order;
}

/* The counts move together: an interrupt that reads them finds them whole. */
static void move_count(enum owner from, enum owner to, uint64_t count)
{
	uint64_t flags = irq_save();

	frame_map.count[from] -= count;
	frame_map.count[to] += count;
	irq_restore(flags);
}

void frame_map_change(size_t number, unsigned first, unsigned count, enum owner from, enum owner to)
{
	struct frame_block *block = know_block(number);
	unsigned free = block->free;

	mark_owner(block, number, first, count, from, to);
	if (from == OWNER_FREE) {
		free -= count;
		set_free(block, number, free, order_after_take(block, number, free));
	} else if (to == OWNER_FREE) {
		free += count;
		set_free(block, number, free, order_after_free(block, number, first, count, free));
		if (free == BLOCK_FRAMES)
			block->owner = OWNER_FREE;
	}
	move_count(from, to, count);
}

uint64_t frame_map_free_below(const uint64_t free[BLOCK_WORDS], unsigned w, pfn_t base, pfn_t limit)
{
	pfn_t first = base + w * 64;

	if (limit <= first)
		return 0;
	return limit - first >= 64 ? free[w] : free[w] & (((uint64_t)1 << (limit - first)) - 1);
}

size_t frame_map_take_lowest(size_t number, size_t count, pfn_t limit, enum owner owner,
			     pfn_t *pfns)
{
	struct frame_block *block = know_block(number);
	uint64_t *free = frame_map.free[number];
	pfn_t base = frame_map_pfn(number);
	size_t n = 0;
	unsigned still_free;

	break_up(block, number);
	for (unsigned w = 0; w < BLOCK_WORDS; w++) {
		uint64_t left = frame_map_free_below(free, w, base, limit);

		for (; left != 0 && n < count; n++, left &= left - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(left);

			free[w] &= ~((uint64_t)1 << bit);
			frame_map.owner[number][w * 64 + bit] = (uint8_t)owner;
			pfns[n] = base + w * 64 + bit;
		}
	}
	still_free = block->free - (unsigned)n;
	set_free(block, number, still_free, order_after_take(block, number, still_free));
	bitset_add(&frame_map.owned[owner], number);
	move_count(OWNER_FREE, owner, n);
	return n;
}

/* ---- Runs of frames, over any number of blocks ---- */

/* The part of a run that lies in its first block. */
struct piece {
	size_t block;
	unsigned first;
	unsigned count;
};

static bool first_piece(pfn_t pfn, size_t count, struct piece *piece)
{
	unsigned first = (unsigned)(pfn % BLOCK_FRAMES);
	size_t room = BLOCK_FRAMES - first;

	piece->first = first;
	piece->count = (unsigned)(count < room ? count : room);
	return frame_map_find(pfn, &piece->block);
}

static int check_run(pfn_t pfn, size_t count, enum owner owner)
{
	struct piece piece;
	int err = 0;

	if (count == 0 || pfn + count < pfn)
		return -EINVAL;
	for (; count > 0 && !err; pfn += piece.count, count -= piece.count) {
		if (!first_piece(pfn, count, &piece))
			return -EINVAL;
		err = check_in_block(piece.block, piece.first, piece.count, owner);
	}
	return err;
}

/* Most runs: those within one block. */
static int change_in_block(pfn_t pfn, unsigned count, enum owner from, enum owner to)
{
	unsigned first = (unsigned)(pfn % BLOCK_FRAMES);
	size_t number;
	int err;

	if (!frame_map_find(pfn, &number))
		return -EINVAL;
	err = check_in_block(number, first, count, from);
	if (!err)
		frame_map_change(number, first, count, from, to);
	return err;
}

/* All or nothing: first every frame is checked, then every frame changed. */
static int change_in_blocks(pfn_t pfn, size_t count, enum owner from, enum owner to)
{
	struct piece piece;
	int err = check_run(pfn, count, from);

	for (; !err && count > 0; pfn += piece.count, count -= piece.count)
		if (first_piece(pfn, count, &piece))
			frame_map_change(piece.block, piece.first, piece.count, from, to);
	return err;
}

int frame_map_change_run(pfn_t pfn, size_t count, enum owner from, enum owner to)
{
	int err;

	if (count > 0 && count <= BLOCK_FRAMES - pfn % BLOCK_FRAMES)
		err = change_in_block(pfn, (unsigned)count, from, to);
	else
		err = change_in_blocks(pfn, count, from, to);
	frame_map.refused += err != 0;
	return err;
}

/* ---- Making the map ---- */

/* Finds the spans of a map; returns the number of blocks. */
static size_t make_spans(const struct memmap *map, struct frame_span span[MEM_RANGES_MAX],
			 size_t *span_count)
{
	size_t blocks = 0;
	size_t spans = 0;

	for (size_t i = 0; i < map->count; i++) {
		pfn_t start = align_down(map->range[i].start, BLOCK_FRAMES);
		pfn_t end = align_up(map->range[i].end, BLOCK_FRAMES);
		pfn_t last = spans > 0
				     ? span[spans - 1].start + span[spans - 1].blocks * BLOCK_FRAMES
				     : 0;

		if (spans > 0 && start <= last) {
			/* Two ranges meet in one block, or side by side. */
			start = last;
		} else {
			span[spans++] = (struct frame_span){ start, blocks, 0 };
		}
		if (end > start) {
			span[spans - 1].blocks += (size_t)((end - start) / BLOCK_FRAMES);
			blocks += (size_t)((end - start) / BLOCK_FRAMES);
		}
	}
	*span_count = spans;
	return blocks;
}

#define SET_COUNT (2 + BLOCK_ORDER + 1 + OWNER_COUNT)

static size_t map_bytes(size_t blocks)
{
	return blocks * (sizeof(*frame_map.free) + sizeof(*frame_map.owner) +
			 sizeof(*frame_map.block)) +
	       SET_COUNT * bitset_words(blocks) * sizeof(uint64_t);
}

size_t frame_map_bytes(const struct memmap *map)
{
	struct frame_span span[MEM_RANGES_MAX];
	size_t spans;
	size_t blocks = make_spans(map, span, &spans);

	return blocks > 0 ? map_bytes(blocks) : 0;
}

/* Lays the arrays into `memory`, those with the largest alignment first. */
static void lay_out(size_t blocks, uint8_t *memory)
{
	size_t words = bitset_words(blocks);
	uint64_t *set;

	frame_map.free = (void *)memory;
	memory += blocks * sizeof(*frame_map.free);
	set = (void *)memory;
	memory += SET_COUNT * words * sizeof(uint64_t);
	frame_map.block = (void *)memory;
	memory += blocks * sizeof(*frame_map.block);
	frame_map.owner = (void *)memory;

	bitset_init(&frame_map.known, blocks, set);
	bitset_init(&frame_map.unreported, blocks, set += words);
	for (unsigned o = 0; o <= BLOCK_ORDER; o++)
		bitset_init(&frame_map.by_order[o], blocks, set += words);
	for (unsigned o = 0; o < OWNER_COUNT; o++)
		bitset_init(&frame_map.owned[o], blocks, set += words);
}

/* Marks what the spans have and the map has not: frames beside RAM in its blocks. */
static void mark_absent(const struct memmap *map)
{
	const struct frame_span *span = frame_map.span;
	pfn_t at = span->start;

	for (size_t i = 0; i < map->count; i++) {
		pfn_t end = span->start + span->blocks * BLOCK_FRAMES;

		if (map->range[i].start >= end) {
			if (at < end)
				frame_map_change_run(at, (size_t)(end - at), OWNER_FREE,
						     OWNER_ABSENT);
			at = (++span)->start;
		}
		if (at < map->range[i].start)
			frame_map_change_run(at, (size_t)(map->range[i].start - at), OWNER_FREE,
					     OWNER_ABSENT);
		at = map->range[i].end;
	}
	if (at % BLOCK_FRAMES != 0)
		frame_map_change_run(at, (size_t)(align_up(at, BLOCK_FRAMES) - at), OWNER_FREE,
				     OWNER_ABSENT);
}

void frame_init(const struct memmap *map, void *memory)
{
	frame_map = (struct frame_map){ 0 };
	frame_set_reclaimer(NULL);
	frame_set_poisoner(NULL);
	frame_set_failure_hook(NULL);
	frame_map.blocks = make_spans(map, frame_map.span, &frame_map.span_count);
	if (frame_map.blocks == 0)
		return;
	lay_out(frame_map.blocks, memory);
	bitset_add_range(&frame_map.by_order[BLOCK_ORDER], 0, frame_map.blocks);
	bitset_add_range(&frame_map.unreported, 0, frame_map.blocks);
	frame_map.unreported_events = frame_map.blocks;
	frame_map.free_by_order[BLOCK_ORDER] = frame_map.blocks * BLOCK_FRAMES;
	frame_map.count[OWNER_FREE] = frame_map.blocks * BLOCK_FRAMES;
	frame_map.managed = map->frames;
	mark_absent(map);
}
