/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page-frame allocator; frame.h has its contract. This file decides which
 * frames an allocation gets; frame_map.c keeps the books. Whole blocks are given
 * out in frame_blocks.c, and many single frames in frame_bulk.c; frame_fill.c sees
 * to the poison.
 */
#include "mm/frame.h"

#include <assert.h>
#include <errno.h>

#include "mm/frame_change.h"
#include "mm/frame_fill.h"
#include "mm/frame_map.h"
#include "mm/vm_events.h"

/* Calls of the reclaimer for one allocation. */
#define RECLAIM_ATTEMPTS 8

static frame_reclaimer *reclaim;
static void (*on_failure)(unsigned order);
static struct frame_events events;

size_t frame_init_bytes(const struct memmap *map)
{
	return frame_map_bytes(map);
}

void frame_init(const struct memmap *map, void *memory)
{
	reclaim = NULL;
	on_failure = NULL;
	events = (struct frame_events){ 0 };
	frame_change_forget();
	frame_map_init(map, memory);
}

void frame_events(struct frame_events *copy)
{
	*copy = events;
}

/* ---- Changes of owner ---- */

int frame_free(pfn_t pfn, size_t count, enum owner owner)
{
	assert(owner_is_allocated(owner));
	return frame_change_run(pfn, count, owner, OWNER_FREE);
}

int frame_change_owner(pfn_t pfn, size_t count, enum owner from, enum owner to)
{
	assert(owner_is_allocated(from) && owner_is_allocated(to));
	return frame_change_run(pfn, count, from, to);
}

int frame_reserve(pfn_t pfn, size_t count, enum owner owner)
{
	assert(owner_is_allocated(owner));
	return frame_change_run(pfn, count, OWNER_FREE, owner);
}

enum owner frame_owner(pfn_t pfn)
{
	size_t number;

	if (!frame_map_find(pfn, &number))
		return OWNER_ABSENT;
	return frame_map_owner(number, (unsigned)(pfn % BLOCK_FRAMES));
}

/* ---- Choosing what to allocate ---- */

/*
 * Takes a run from the block whose largest free run is the smallest that is large
 * enough, so that crumbs are used up before anything larger is broken; the lowest
 * among those blocks. Only blocks below number `end` are asked.
 */
static bool take_run_below(size_t end, unsigned order, enum owner owner, pfn_t *pfn)
{
	for (unsigned o = order; o <= BLOCK_ORDER; o++) {
		unsigned first = 0;
		size_t number;

		if (frame_map.free_by_order[o] == 0)
			continue;
		number = bitset_first(&frame_map.by_order[o]);
		if (number >= end)
			continue;
		if (o < BLOCK_ORDER)
			first = frame_runs_lowest(frame_map_free_bits(number), order);
		frame_map_change(number, first, 1u << order, OWNER_FREE, owner);
		*pfn = frame_map_pfn(number) + first;
		return true;
	}
	return false;
}

/* Counts the whole free blocks from `number` on, up to the first that is not, at most `count`. */
static size_t count_whole_blocks(size_t number, size_t count)
{
	size_t n = 0;

	while (n < count && bitset_test(&frame_map.by_order[BLOCK_ORDER], number + n))
		n++;
	return n;
}

/* Finds `count` (a power of two) whole free blocks in one span, aligned by their addresses. */
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

/* Takes `count` (a power of two) contiguous blocks below number `end`, aligned by address. */
static bool take_blocks(size_t end, size_t count, enum owner owner, pfn_t *pfn)
{
	size_t number;

	for (size_t i = 0; i < frame_map.spans.count; i++) {
		if (frame_map.spans.span[i].first >= end)
			break;
		if (!find_blocks_in_span(&frame_map.spans.span[i], count, &number))
			continue;
		*pfn = frame_map_pfn(number);
		for (size_t n = 0; n < count; n++) {
			/* Filling a gigabyte takes too long: its owner does it bit by bit. */
			frame_fill_forget(number + n);
			frame_map_change(number + n, 0, BLOCK_FRAMES, OWNER_FREE, owner);
		}
		return true;
	}
	return false;
}

/* Takes 2^order frames of blocks below number `end`, if there are as many now. */
static bool take_below(size_t end, unsigned order, enum owner owner, pfn_t *pfn)
{
	if (order <= BLOCK_ORDER)
		return take_run_below(end, order, owner, pfn);
	return take_blocks(end, (size_t)1 << (order - BLOCK_ORDER), owner, pfn);
}

/* What is small may stay for long: a whole block of the boot is broken before one of a region. */
static bool take(unsigned order, enum owner owner, pfn_t *pfn)
{
	return (order <= BLOCK_ORDER && take_below(frame_map.boot_count, order, owner, pfn)) ||
	       take_below(frame_map.block_count, order, owner, pfn);
}

/* Asks the reclaimer to free frames until the allocation succeeds or nothing helps. */
static bool take_reclaimed(unsigned order, enum owner owner, pfn_t *pfn)
{
	if (!reclaim)
		return false;
	vm_events.stalls++;
	for (unsigned attempt = 0; attempt < RECLAIM_ATTEMPTS && reclaim(order) > 0; attempt++)
		if (take(order, owner, pfn))
			return true;
	return false;
}

int frame_alloc(unsigned order, enum owner owner, pfn_t *pfn)
{
	bool got;

	assert(owner_is_allocated(owner));
	if (order > FRAME_ORDER_MAX)
		return -EINVAL;
	got = take(order, owner, pfn) || take_reclaimed(order, owner, pfn);
	events.failures += !got;
	if (order >= BLOCK_ORDER) {
		events.block_allocs += got;
		events.block_failures += !got;
	}
	if (!got && on_failure)
		on_failure(order);
	return got ? 0 : -ENOMEM;
}

int frame_alloc_boot(unsigned order, enum owner owner, pfn_t *pfn)
{
	assert(owner_is_allocated(owner));
	if (order > FRAME_ORDER_MAX)
		return -EINVAL;
	return take_below(frame_map.boot_count, order, owner, pfn) ? 0 : -ENOMEM;
}

/* ---- Reading the map ---- */

/* Stores up to `count` frames of `owner` in one block, from frame `first` on. */
static size_t collect_in_block(size_t number, unsigned first, enum owner owner, size_t count,
			       pfn_t *pfns)
{
	const uint8_t *owners = frame_map_owners(number);
	pfn_t base = frame_map_pfn(number);
	size_t n = 0;

	if (!owners && frame_map_owner(number, first) != owner)
		return 0;
	for (unsigned frame = first; frame < BLOCK_FRAMES && n < count; frame++)
		if (!owners || owners[frame] == owner)
			pfns[n++] = base + frame;
	return n;
}

size_t frame_collect(enum owner owner, pfn_t from, size_t count, pfn_t *pfns)
{
	const struct bitset *index = &frame_map.blocks_of[owner];
	size_t got = 0;
	unsigned first;
	size_t start = frame_spans_from(&frame_map.spans, from, &first);

	assert(owner_is_allocated(owner));
	for (size_t b = bitset_next(index, start); b != BITSET_NONE && got < count;
	     b = bitset_next(index, b + 1)) {
		unsigned begin = b == start ? first : 0;
		size_t n = collect_in_block(b, begin, owner, count - got, pfns + got);

		/* The index keeps blocks that the owner has left, until one is looked through. */
		if (n == 0 && begin == 0)
			frame_map_unindex(b, owner);
		got += n;
	}
	return got;
}

/* Counts the PFNs that are contiguous from the first on. */
static size_t run_length(const pfn_t *pfns, size_t count)
{
	size_t n = 1;

	while (n < count && pfns[n] == pfns[0] + n)
		n++;
	return n;
}

/* Or these frames would be found again, for ever. */
static void must_free(pfn_t pfn, size_t count, enum owner owner)
{
	int err = frame_free(pfn, count, owner);

	assert(!err);
}

/* Frees the owner's lowest whole blocks, if they are its lowest frames; at most `count` frames. */
static uint64_t free_owned_blocks(enum owner owner, uint64_t count)
{
	size_t blocks = 0;
	pfn_t pfn;

	if (frame_collect(owner, 0, 1, &pfn) == 1)
		blocks = frame_count_blocks(pfn, (size_t)(count / BLOCK_FRAMES), owner);
	if (blocks > 0)
		must_free(pfn, blocks * BLOCK_FRAMES, owner);
	return blocks * BLOCK_FRAMES;
}

/* Frees the owner's lowest frames, one by one; at most `count`. */
static uint64_t free_owned_frames(enum owner owner, uint64_t count)
{
	pfn_t pfns[64];
	size_t n = frame_collect(owner, 0, min_u64(count, ARRAY_SIZE(pfns)), pfns);

	for (size_t i = 0, run; i < n; i += run) {
		run = run_length(pfns + i, n - i);
		must_free(pfns[i], run, owner);
	}
	return n;
}

uint64_t frame_free_owned(enum owner owner, uint64_t count)
{
	uint64_t freed = 0, n;

	do {
		n = free_owned_blocks(owner, count - freed);
		if (n == 0)
			n = free_owned_frames(owner, count - freed);
		freed += n;
	} while (n > 0);
	return freed;
}

/* ---- Poison ---- */

/* Fills the free frames of one word of a block's bitmap, run by run. */
static void fill_word(pfn_t base, uint64_t bits)
{
	while (bits != 0) {
		unsigned bit = (unsigned)__builtin_ctzll(bits);

		frame_fill_run(base + bit, frame_runs_ones(bits >> bit));
		bits = frame_runs_drop_lowest(bits);
	}
}

bool frame_fill_step(void)
{
	size_t number = bitset_first(&frame_fill.unfilled);
	unsigned word;
	bool whole;

	if (frame_fill.paused || number == BITSET_NONE)
		return false;
	assert(frame_fill.poisoner && frame_map_record(number)->free_count > 0);
	if (number != frame_fill.number)
		frame_fill.word = 0;
	frame_fill.number = number;
	word = frame_fill.word++;
	assert(word < BLOCK_WORDS);
	whole = frame_map_record(number)->owner == OWNER_FREE;
	fill_word(frame_map_pfn(number) + word * 64,
		  whole ? UINT64_MAX : frame_map_free_bits(number)[word]);
	if (frame_fill.word == BLOCK_WORDS) {
		frame_fill_forget(number);
		frame_fill.word = 0;
	}
	return true;
}

/* ---- Figures and hooks ---- */

uint64_t frame_free_by_order(unsigned order)
{
	return order <= BLOCK_ORDER ? frame_map.free_by_order[order] : 0;
}

uint64_t frame_free_blocks(void)
{
	return frame_map.free_by_order[BLOCK_ORDER] / BLOCK_FRAMES;
}

uint64_t frame_boot_free(void)
{
	return frame_map.count[OWNER_FREE] - frame_map.region_free;
}

void frame_set_reclaimer(frame_reclaimer *reclaimer)
{
	reclaim = reclaimer;
}

void frame_set_low_hook(uint64_t frames, void (*hook)(void))
{
	frame_map_set_low(hook ? frames : 0, hook);
}

void frame_set_failure_hook(void (*hook)(unsigned order))
{
	on_failure = hook;
}
