/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page-frame allocator: see frame.h for what it promises, frame_map.h for
 * how its books look. From bottom to top: free runs in one block's bitmap, one
 * block, runs of frames over several blocks, the choice of a block.
 *
 * Frames themselves are never read or written here.
 */
#include "mm/frame.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/irq.h"
#include "mm/frame_map.h"

/* Attempts to have frames freed for one allocation. */
#define RECLAIM_ATTEMPTS 8

struct frame_map frame_map;

static frame_reclaimer *reclaim;

/* ---- Runs in a block's bitmap ---- */

/* Where aligned runs of 2^order can start within a word. */
static const uint64_t run_starts[] = {
	UINT64_MAX,
	0x5555555555555555,
	0x1111111111111111,
	0x0101010101010101,
	0x0001000100010001,
	0x0000000100000001,
	0x0000000000000001,
};

#define WORD_ORDER 6

/*
 * From a bit for each aligned free run of 2^order to a bit for each of
 * 2^(order + 1): where a run and the one behind it are both free.
 */
static bool merge_runs(uint64_t runs[BLOCK_WORDS], unsigned order)
{
	uint64_t any = 0;
	unsigned step;

	for (unsigned w = 0; w < BLOCK_WORDS; w++) {
		if (order < WORD_ORDER) {
			runs[w] &= runs[w] >> (1u << order) & run_starts[order + 1];
		} else {
			step = 1u << (order - WORD_ORDER);
			runs[w] &= w % (2 * step) == 0 ? runs[w + step] : 0;
		}
		any |= runs[w];
	}
	return any != 0;
}

uint8_t frame_largest_run(const uint64_t free[BLOCK_WORDS])
{
	uint64_t runs[BLOCK_WORDS];
	uint64_t any = 0;
	uint8_t order = 0;

	for (unsigned w = 0; w < BLOCK_WORDS; w++)
		any |= runs[w] = free[w];
	if (any == 0)
		return ORDER_NONE;
	while (order < BLOCK_ORDER && merge_runs(runs, order))
		order++;
	return order;
}

/* The first frame of the lowest aligned free run of 2^order, which exists. */
static unsigned lowest_run(const uint64_t free[BLOCK_WORDS], unsigned order)
{
	uint64_t runs[BLOCK_WORDS];
	unsigned w = 0;

	memcpy(runs, free, sizeof(runs));
	for (unsigned o = 0; o < order; o++)
		merge_runs(runs, o);
	while (runs[w] == 0)
		w++;
	return w * 64 + (unsigned)__builtin_ctzll(runs[w]);
}

/* Sets or clears `count` bits from `first` on. */
static void mark_free(uint64_t free[BLOCK_WORDS], unsigned first, unsigned count, bool is_free)
{
	while (count > 0) {
		unsigned bit = first % 64;
		unsigned n = count < 64 - bit ? count : 64 - bit;
		uint64_t mask = UINT64_MAX >> (64 - n) << bit;

		if (is_free)
			free[first / 64] |= mask;
		else
			free[first / 64] &= ~mask;
		first += n;
		count -= n;
	}
}

/* ---- One block ---- */

/* The number of the block that a frame lies in. */
static bool find_block(pfn_t pfn, size_t *number)
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

/* The first frame of a block. */
static pfn_t block_pfn(size_t number)
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

static enum owner owner_in_block(size_t number, unsigned frame)
{
	const struct frame_block *block = &frame_map.block[number];

	if (!bitset_test(&frame_map.known, number))
		return OWNER_FREE;
	return block->owner == OWNER_MIXED ? frame_map.owner[number][frame] : block->owner;
}

/* 0 if all the frames are `owner`'s, or why it has to be refused. */
static int check_in_block(size_t number, unsigned first, unsigned count, enum owner owner)
{
	const uint8_t *owners = frame_map.owner[number];

	if (!bitset_test(&frame_map.known, number))
		return owner == OWNER_FREE ? 0 : -EPERM;
	if (frame_map.block[number].owner != OWNER_MIXED)
		return frame_map.block[number].owner == owner ? 0 : -EPERM;
	for (unsigned i = first; i < first + count; i++)
		if (owners[i] != owner)
			return owners[i] == OWNER_ABSENT ? -EINVAL : -EPERM;
	return 0;
}

/* Enters a block into the books of free space, or takes it out of them. */
static void list_free(const struct frame_block *block, size_t number)
{
	if (block->order == ORDER_NONE)
		return;
	bitset_add(&frame_map.by_order[block->order], number);
	frame_map.free_by_order[block->order] += block->free;
}

static void unlist_free(const struct frame_block *block, size_t number)
{
	if (block->order == ORDER_NONE)
		return;
	bitset_remove(&frame_map.by_order[block->order], number);
	frame_map.free_by_order[block->order] -= block->free;
}

/* Changes the frames' records and the block's count; a whole block stays whole. */
static void mark_owner(struct frame_block *block, size_t number, unsigned first, unsigned count,
		       enum owner from, enum owner to)
{
	if (count == BLOCK_FRAMES) {
		block->owner = (uint8_t)to;
	} else {
		break_up(block, number);
		memset(frame_map.owner[number] + first, (int)to, count);
		if (from == OWNER_FREE || to == OWNER_FREE)
			mark_free(frame_map.free[number], first, count, to == OWNER_FREE);
	}
	if (from == OWNER_FREE)
		block->free = (uint16_t)(block->free - count);
	if (to == OWNER_FREE)
		block->free = (uint16_t)(block->free + count);
	else
		bitset_add(&frame_map.owned[to], number);
}

static uint8_t largest_run(struct frame_block *block, size_t number)
{
	if (block->free == BLOCK_FRAMES) {
		block->owner = OWNER_FREE;
		return BLOCK_ORDER;
	}
	return block->free == 0 ? ORDER_NONE : frame_largest_run(frame_map.free[number]);
}

/* The counts move together: an interrupt that reads them finds them whole. */
static void move_count(enum owner from, enum owner to, uint64_t count)
{
	uint64_t flags = irq_save();

	frame_map.count[from] -= count;
	frame_map.count[to] += count;
	irq_restore(flags);
}

/* The one operation. The caller has seen that the frames are `from`'s. */
static void change_in_block(size_t number, unsigned first, unsigned count, enum owner from,
			    enum owner to)
{
	struct frame_block *block = know_block(number);
	bool free_space = from == OWNER_FREE || to == OWNER_FREE;

	if (free_space)
		unlist_free(block, number);
	mark_owner(block, number, first, count, from, to);
	if (free_space) {
		block->order = largest_run(block, number);
		list_free(block, number);
	}
	move_count(from, to, count);
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
	return find_block(pfn, &piece->block);
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

/* All or nothing: first every frame is checked, then every frame changed. */
static int change_run(pfn_t pfn, size_t count, enum owner from, enum owner to)
{
	struct piece piece;
	int err = check_run(pfn, count, from);

	if (err) {
		frame_map.refused++;
		return err;
	}
	for (; count > 0; pfn += piece.count, count -= piece.count) {
		if (first_piece(pfn, count, &piece))
			change_in_block(piece.block, piece.first, piece.count, from, to);
	}
	return 0;
}

static bool is_allocated(enum owner owner)
{
	return owner > OWNER_FREE && owner < OWNER_COUNT;
}

int frame_free(pfn_t pfn, size_t count, enum owner owner)
{
	assert(is_allocated(owner));
	return change_run(pfn, count, owner, OWNER_FREE);
}

int frame_change_owner(pfn_t pfn, size_t count, enum owner from, enum owner to)
{
	assert(is_allocated(from) && is_allocated(to));
	return change_run(pfn, count, from, to);
}

int frame_reserve(pfn_t pfn, size_t count, enum owner owner)
{
	assert(is_allocated(owner));
	return change_run(pfn, count, OWNER_FREE, owner);
}

enum owner frame_owner(pfn_t pfn)
{
	size_t number;

	if (!find_block(pfn, &number))
		return OWNER_ABSENT;
	return owner_in_block(number, (unsigned)(pfn % BLOCK_FRAMES));
}

/* ---- Choosing what to allocate ---- */

/* The lowest block with the smallest largest run that is large enough. */
static bool take_run(unsigned order, enum owner owner, pfn_t *pfn)
{
	for (unsigned o = order; o <= BLOCK_ORDER; o++) {
		size_t number = bitset_next(&frame_map.by_order[o], 0);
		unsigned first = 0;

		if (number == BITSET_NONE)
			continue;
		if (o < BLOCK_ORDER)
			first = lowest_run(frame_map.free[number], order);
		change_in_block(number, first, 1u << order, OWNER_FREE, owner);
		*pfn = block_pfn(number) + first;
		return true;
	}
	return false;
}

/* How many of the `count` blocks from `number` on are free as a whole, up to the first that is not. */
static size_t count_whole_blocks(size_t number, size_t count)
{
	size_t n = 0;

	while (n < count && bitset_test(&frame_map.by_order[BLOCK_ORDER], number + n))
		n++;
	return n;
}

/* `count` (a power of two) whole blocks in one span, aligned by their addresses. */
static bool find_blocks_in_span(const struct frame_span *span, size_t count, size_t *number)
{
	uint64_t start = span->start / BLOCK_FRAMES;
	uint64_t end = start + span->blocks;

	for (uint64_t at = align_up(start, count); at + count <= end; at += count) {
		*number = span->first + (size_t)(at - start);
		if (count_whole_blocks(*number, count) == count)
			return true;
	}
	return false;
}

static bool take_blocks(size_t count, enum owner owner, pfn_t *pfn)
{
	size_t number;

	for (size_t i = 0; i < frame_map.span_count; i++) {
		if (!find_blocks_in_span(&frame_map.span[i], count, &number))
			continue;
		*pfn = block_pfn(number);
		for (size_t n = 0; n < count; n++)
			change_in_block(number + n, 0, BLOCK_FRAMES, OWNER_FREE, owner);
		return true;
	}
	return false;
}

static bool take(unsigned order, enum owner owner, pfn_t *pfn)
{
	if (order <= BLOCK_ORDER)
		return take_run(order, owner, pfn);
	return take_blocks((size_t)1 << (order - BLOCK_ORDER), owner, pfn);
}

int frame_alloc(unsigned order, enum owner owner, pfn_t *pfn)
{
	assert(is_allocated(owner));
	if (order > FRAME_ORDER_MAX)
		return -EINVAL;
	for (unsigned attempt = 0; !take(order, owner, pfn); attempt++)
		if (!reclaim || attempt == RECLAIM_ATTEMPTS || reclaim(order) == 0)
			return -ENOMEM;
	return 0;
}

/* The number behind the last block that ends at or below `limit`. */
static size_t blocks_below(pfn_t limit)
{
	size_t end = 0;

	for (size_t i = 0; i < frame_map.span_count; i++) {
		const struct frame_span *span = &frame_map.span[i];
		uint64_t below = limit > span->start ? (limit - span->start) / BLOCK_FRAMES : 0;

		end = span->first + (below < span->blocks ? (size_t)below : span->blocks);
		if (below < span->blocks)
			break;
	}
	return end;
}

int frame_alloc_block(pfn_t limit, enum owner owner, pfn_t *pfn)
{
	size_t number = bitset_next(&frame_map.by_order[BLOCK_ORDER], 0);

	assert(is_allocated(owner));
	if (number == BITSET_NONE || number >= blocks_below(limit))
		return -ENOMEM;
	change_in_block(number, 0, BLOCK_FRAMES, OWNER_FREE, owner);
	*pfn = block_pfn(number);
	return 0;
}

/* The lowest block from `from` on that has free frames, but is not free as a whole. */
static size_t next_broken_block(size_t from)
{
	size_t lowest = BITSET_NONE;

	for (unsigned o = 0; o < BLOCK_ORDER; o++) {
		size_t number = bitset_next(&frame_map.by_order[o], from);

		if (number < lowest)
			lowest = number;
	}
	return lowest;
}

/* A block's free frames of word `w` below `limit`, `base` being its first frame. */
static uint64_t free_below(const uint64_t free[BLOCK_WORDS], unsigned w, pfn_t base, pfn_t limit)
{
	pfn_t first = base + w * 64;

	if (limit <= first)
		return 0;
	return limit - first >= 64 ? free[w] : free[w] & (((uint64_t)1 << (limit - first)) - 1);
}

/* Free frames below `limit` in broken blocks. */
static uint64_t count_broken(pfn_t limit)
{
	uint64_t sum = 0;

	if (blocks_below(limit) == frame_map.blocks)
		return frame_map.count[OWNER_FREE] - frame_map.free_by_order[BLOCK_ORDER];
	for (size_t b = next_broken_block(0); b != BITSET_NONE; b = next_broken_block(b + 1)) {
		pfn_t base = block_pfn(b);

		if (base >= limit)
			break;
		for (unsigned w = 0; w < BLOCK_WORDS; w++)
			for (uint64_t free = free_below(frame_map.free[b], w, base, limit); free != 0;
			     free &= free - 1)
				sum++;
	}
	return sum;
}

/* Takes the lowest free frames of a block below `limit`, at most `count`. */
static size_t take_lowest(size_t number, size_t count, pfn_t limit, enum owner owner, pfn_t *pfns)
{
	struct frame_block *block = know_block(number);
	uint64_t *free = frame_map.free[number];
	pfn_t base = block_pfn(number);
	size_t n = 0;

	unlist_free(block, number);
	break_up(block, number);
	for (unsigned w = 0; w < BLOCK_WORDS; w++) {
		uint64_t left = free_below(free, w, base, limit);

		for (; left != 0 && n < count; n++, left &= left - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(left);

			free[w] &= ~((uint64_t)1 << bit);
			frame_map.owner[number][w * 64 + bit] = (uint8_t)owner;
			pfns[n] = base + w * 64 + bit;
		}
	}
	block->free = (uint16_t)(block->free - n);
	block->order = largest_run(block, number);
	list_free(block, number);
	bitset_add(&frame_map.owned[owner], number);
	move_count(OWNER_FREE, owner, n);
	return n;
}

size_t frame_alloc_bulk(size_t count, pfn_t limit, enum owner owner, pfn_t *pfns)
{
	uint64_t broken = count_broken(limit);
	/* From whole blocks, the lowest ones, comes just what the broken ones lack. */
	size_t whole = count > broken ? (size_t)(count - broken) : 0;
	size_t got = 0;
	size_t from = 0;

	assert(is_allocated(owner));
	while (got < count) {
		size_t next = next_broken_block(from);
		size_t block = BITSET_NONE;
		size_t n;

		if (whole > 0)
			block = bitset_next(&frame_map.by_order[BLOCK_ORDER], from);
		from = block < next ? block : next;
		if (from == BITSET_NONE || block_pfn(from) >= limit)
			break;
		n = take_lowest(from, block < next ? whole : count - got, limit, owner, pfns + got);
		whole -= block < next ? n : 0;
		got += n;
		from++;
	}
	return got;
}

/* ---- Reading the map ---- */

static size_t collect_in_block(size_t number, unsigned first, enum owner owner, size_t count,
			       pfn_t *pfns)
{
	pfn_t base = block_pfn(number);
	size_t n = 0;

	for (unsigned frame = first; frame < BLOCK_FRAMES && n < count; frame++)
		if (owner_in_block(number, frame) == owner)
			pfns[n++] = base + frame;
	return n;
}

/* The first block that ends behind `pfn`, and where in it to begin. */
static size_t block_from(pfn_t pfn, unsigned *first)
{
	*first = 0;
	for (size_t i = 0; i < frame_map.span_count; i++) {
		const struct frame_span *span = &frame_map.span[i];

		if (pfn < span->start)
			return span->first;
		if ((pfn - span->start) / BLOCK_FRAMES < span->blocks) {
			*first = (unsigned)(pfn % BLOCK_FRAMES);
			return span->first + (size_t)((pfn - span->start) / BLOCK_FRAMES);
		}
	}
	return frame_map.blocks;
}

size_t frame_collect(enum owner owner, pfn_t from, size_t count, pfn_t *pfns)
{
	struct bitset *owned = &frame_map.owned[owner];
	size_t got = 0;
	unsigned first;
	size_t start = block_from(from, &first);

	assert(is_allocated(owner));
	for (size_t b = bitset_next(owned, start); b != BITSET_NONE && got < count;
	     b = bitset_next(owned, b + 1)) {
		unsigned begin = b == start ? first : 0;
		size_t n = collect_in_block(b, begin, owner, count - got, pfns + got);

		/* The index only knows that the owner had frames here; now it knows better. */
		if (n == 0 && begin == 0)
			bitset_remove(owned, b);
		got += n;
	}
	return got;
}

uint64_t frame_free_by_order(unsigned order)
{
	return order <= BLOCK_ORDER ? frame_map.free_by_order[order] : 0;
}

uint64_t frame_free_blocks(void)
{
	return frame_map.free_by_order[BLOCK_ORDER] / BLOCK_FRAMES;
}

void frame_set_reclaimer(frame_reclaimer *reclaimer)
{
	reclaim = reclaimer;
}

/* ---- Setting up ---- */

/* Finds the spans of a map; returns the number of blocks. */
static size_t make_spans(const struct memmap *map, struct frame_span span[MEM_RANGES_MAX],
			 size_t *span_count)
{
	size_t blocks = 0;
	size_t spans = 0;

	for (size_t i = 0; i < map->count; i++) {
		pfn_t start = align_down(map->range[i].start, BLOCK_FRAMES);
		pfn_t end = align_up(map->range[i].end, BLOCK_FRAMES);
		pfn_t last = spans > 0 ? span[spans - 1].start +
			     span[spans - 1].blocks * BLOCK_FRAMES : 0;

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

#define SET_COUNT (1 + BLOCK_ORDER + 1 + OWNER_COUNT)

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
				change_run(at, (size_t)(end - at), OWNER_FREE, OWNER_ABSENT);
			at = (++span)->start;
		}
		if (at < map->range[i].start)
			change_run(at, (size_t)(map->range[i].start - at), OWNER_FREE,
				   OWNER_ABSENT);
		at = map->range[i].end;
	}
	if (at % BLOCK_FRAMES != 0)
		change_run(at, (size_t)(align_up(at, BLOCK_FRAMES) - at), OWNER_FREE,
			   OWNER_ABSENT);
}

void frame_init(const struct memmap *map, void *memory)
{
	frame_map = (struct frame_map){ 0 };
	reclaim = NULL;
	frame_map.blocks = make_spans(map, frame_map.span, &frame_map.span_count);
	if (frame_map.blocks == 0)
		return;
	lay_out(frame_map.blocks, memory);
	bitset_add_range(&frame_map.by_order[BLOCK_ORDER], 0, frame_map.blocks);
	frame_map.free_by_order[BLOCK_ORDER] = frame_map.blocks * BLOCK_FRAMES;
	frame_map.count[OWNER_FREE] = frame_map.blocks * BLOCK_FRAMES;
	frame_map.managed = map->frames;
	mark_absent(map);
}
