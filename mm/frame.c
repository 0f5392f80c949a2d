/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page-frame allocator: see frame.h for what it promises. The books, and
 * the one operation on them, are frame_map.c's; here it is decided which frames
 * an allocation gets.
 */
#include "mm/frame.h"

#include <assert.h>
#include <errno.h>

#include "kernel/lib/bits.h"
#include "mm/frame_map.h"

/* Attempts to have frames freed for one allocation. */
#define RECLAIM_ATTEMPTS 8

static frame_reclaimer *reclaim;
static frame_poisoner *poison;
static void (*on_failure)(unsigned order);

/* ---- Changes of owner ---- */

static bool is_allocated(enum owner owner)
{
	return owner > OWNER_FREE && owner < OWNER_COUNT;
}

int frame_free(pfn_t pfn, size_t count, enum owner owner)
{
	int err;

	assert(is_allocated(owner));
	err = frame_map_change_run(pfn, count, owner, OWNER_FREE);
	if (!err && poison)
		poison(pfn, count);
	return err;
}

int frame_change_owner(pfn_t pfn, size_t count, enum owner from, enum owner to)
{
	assert(is_allocated(from) && is_allocated(to));
	return frame_map_change_run(pfn, count, from, to);
}

int frame_reserve(pfn_t pfn, size_t count, enum owner owner)
{
	assert(is_allocated(owner));
	return frame_map_change_run(pfn, count, OWNER_FREE, owner);
}

enum owner frame_owner(pfn_t pfn)
{
	size_t number;

	if (!frame_map_find(pfn, &number))
		return OWNER_ABSENT;
	return frame_map_owner(number, (unsigned)(pfn % BLOCK_FRAMES));
}

/* ---- Choosing what to allocate ---- */

/* The lowest block with the smallest largest run that is large enough. */
static bool take_run(unsigned order, enum owner owner, pfn_t *pfn)
{
	for (unsigned o = order; o <= BLOCK_ORDER; o++) {
		unsigned first = 0;
		size_t number;

		if (frame_map.free_by_order[o] == 0)
			continue;
		number = bitset_first(&frame_map.by_order[o]);
		if (o < BLOCK_ORDER)
			first = frame_runs_lowest(frame_map.free[number], order);
		frame_map_change(number, first, 1u << order, OWNER_FREE, owner);
		*pfn = frame_map_pfn(number) + first;
		return true;
	}
	return false;
}

/* Of `count` blocks from `number` on, those free as a whole before the first that is not. */
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
		*pfn = frame_map_pfn(number);
		for (size_t n = 0; n < count; n++)
			frame_map_change(number + n, 0, BLOCK_FRAMES, OWNER_FREE, owner);
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

/* Has frames freed until the allocation can be had, or nothing helps any more. */
static bool take_reclaimed(unsigned order, enum owner owner, pfn_t *pfn)
{
	if (!reclaim)
		return false;
	frame_map.events.stalls++;
	for (unsigned attempt = 0; attempt < RECLAIM_ATTEMPTS && reclaim(order) > 0; attempt++)
		if (take(order, owner, pfn))
			return true;
	return false;
}

int frame_alloc(unsigned order, enum owner owner, pfn_t *pfn)
{
	struct ledger_events *events = &frame_map.events;
	bool got;

	assert(is_allocated(owner));
	if (order > FRAME_ORDER_MAX)
		return -EINVAL;
	got = take(order, owner, pfn) || take_reclaimed(order, owner, pfn);
	events->failures += !got;
	if (order >= BLOCK_ORDER) {
		events->block_allocs += got;
		events->block_failures += !got;
	}
	if (!got && on_failure)
		on_failure(order);
	return got ? 0 : -ENOMEM;
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

/* Members of `set` from `number` on, contiguous in memory, at most `max`. */
static size_t count_contiguous(const struct bitset *set, size_t number, size_t max)
{
	pfn_t start = frame_map_pfn(number);
	size_t n = 1;

	while (n < max && number + n < set->size && bitset_test(set, number + n) &&
	       frame_map_pfn(number + n) == start + n * BLOCK_FRAMES)
		n++;
	return n;
}

/* Takes the lowest members of a set of whole free blocks that lie below block `end`. */
static bool take_contiguous(const struct bitset *set, size_t max, size_t end, enum owner owner,
			    pfn_t *pfn, size_t *blocks)
{
	size_t number = bitset_first(set);

	assert(is_allocated(owner) && max > 0);
	if (number == BITSET_NONE || number >= end)
		return false;
	*pfn = frame_map_pfn(number);
	*blocks = count_contiguous(set, number, max < end - number ? max : end - number);
	for (size_t n = 0; n < *blocks; n++)
		frame_map_change(number + n, 0, BLOCK_FRAMES, OWNER_FREE, owner);
	return true;
}

int frame_alloc_blocks(size_t max, pfn_t limit, enum owner owner, pfn_t *pfn, size_t *blocks)
{
	return take_contiguous(&frame_map.by_order[BLOCK_ORDER], max, blocks_below(limit), owner,
			       pfn, blocks)
		       ? 0
		       : -ENOMEM;
}

int frame_alloc_block(pfn_t limit, enum owner owner, pfn_t *pfn)
{
	size_t one;

	return frame_alloc_blocks(1, limit, owner, pfn, &one);
}

int frame_alloc_unreported(size_t max, enum owner owner, pfn_t *pfn, size_t *blocks)
{
	return take_contiguous(&frame_map.unreported, max, frame_map.blocks, owner, pfn, blocks)
		       ? 0
		       : -ENOENT;
}

int frame_free_reported(pfn_t pfn, size_t blocks, enum owner owner)
{
	size_t number;
	int err;

	if (pfn % BLOCK_FRAMES != 0)
		return -EINVAL;
	err = frame_map_change_run(pfn, blocks * BLOCK_FRAMES, owner, OWNER_FREE);
	for (; !err && blocks > 0; blocks--, pfn += BLOCK_FRAMES)
		if (frame_map_find(pfn, &number))
			bitset_remove(&frame_map.unreported, number);
	return err;
}

bool frame_has_unreported(void)
{
	return bitset_first(&frame_map.unreported) != BITSET_NONE;
}

uint64_t frame_unreported_events(void)
{
	return frame_map.unreported_events;
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

/* Free frames below `limit` in broken blocks. */
static uint64_t count_broken(pfn_t limit)
{
	uint64_t sum = 0;

	if (blocks_below(limit) == frame_map.blocks)
		return frame_map.count[OWNER_FREE] - frame_map.free_by_order[BLOCK_ORDER];
	for (size_t b = next_broken_block(0); b != BITSET_NONE; b = next_broken_block(b + 1)) {
		pfn_t base = frame_map_pfn(b);

		if (base >= limit)
			break;
		for (unsigned w = 0; w < BLOCK_WORDS; w++)
			sum += count_bits(frame_map_free_below(frame_map.free[b], w, base, limit));
	}
	return sum;
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
		if (from == BITSET_NONE || frame_map_pfn(from) >= limit)
			break;
		n = frame_map_take_lowest(from, block < next ? whole : count - got, limit, owner,
					  pfns + got);
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
	const uint8_t *owners = frame_map_owners(number);
	pfn_t base = frame_map_pfn(number);
	size_t n = 0;

	if (owners == NULL && frame_map_owner(number, first) != owner)
		return 0;
	for (unsigned frame = first; frame < BLOCK_FRAMES && n < count; frame++)
		if (owners == NULL || owners[frame] == owner)
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

/* How many of the PFNs are contiguous from the first on. */
static size_t run_length(const pfn_t *pfns, size_t count)
{
	size_t n = 1;

	while (n < count && pfns[n] == pfns[0] + n)
		n++;
	return n;
}

uint64_t frame_free_owned(enum owner owner, uint64_t count)
{
	pfn_t pfns[64];
	uint64_t freed = 0;
	size_t n;

	do {
		size_t batch = count - freed < ARRAY_SIZE(pfns) ? (size_t)(count - freed)
								: ARRAY_SIZE(pfns);

		n = frame_collect(owner, 0, batch, pfns);
		for (size_t i = 0, run; i < n; i += run) {
			run = run_length(pfns + i, n - i);
			frame_free(pfns[i], run, owner);
		}
		freed += n;
	} while (n > 0 && freed < count);
	return freed;
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

void frame_set_poisoner(frame_poisoner *poisoner)
{
	poison = poisoner;
}

void frame_set_failure_hook(void (*hook)(unsigned order))
{
	on_failure = hook;
}
