/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame map and the one operation on it: frames of a block change their
 * owner.
 */
#include "mm/frame_map.h"

#include <assert.h>
#include <string.h>

#include "arch/irq.h"
#include "mm/frame_fill.h"

struct frame_map frame_map;

/* ---- Records of what came later ---- */

/* Where a block of a region stands in its section. */
static size_t section_index(size_t number)
{
	return (number - frame_map.boot_count) % SECTION_BLOCKS;
}

struct frame_record *frame_map_section_record(size_t number)
{
	struct frame_section *section = frame_map_section(number);

	return section ? &section->records[section_index(number)] : &frame_map.absent;
}

uint64_t *frame_map_section_free_bits(size_t number)
{
	return frame_map_section(number)->free_bits[section_index(number)];
}

uint8_t *frame_map_section_owner_bytes(size_t number)
{
	return frame_map_section(number)->owner_bytes[section_index(number)];
}

/* ---- One block ---- */

/* The block's record, which is made now if the block has none. */
static struct frame_record *know_block(size_t number)
{
	struct frame_record *record = frame_map_record(number);

	if (!bitset_test(&frame_map.known, number)) {
		bitset_add(&frame_map.known, number);
		*record = (struct frame_record){ BLOCK_FRAMES, OWNER_FREE, BLOCK_ORDER };
	}
	return record;
}

/* Gives every frame of a uniform block its own owner byte and free bit. */
static void break_up(struct frame_record *record, size_t number)
{
	if (record->owner == OWNER_MIXED)
		return;
	memset(frame_map_owner_bytes(number), record->owner, BLOCK_FRAMES);
	memset(frame_map_free_bits(number), record->owner == OWNER_FREE ? 0xff : 0,
	       BLOCK_WORDS * sizeof(uint64_t));
	record->owner = OWNER_MIXED;
}

enum owner frame_map_owner(size_t number, unsigned frame)
{
	const struct frame_record *record = frame_map_record(number);

	assert(number < frame_map.block_count && frame < BLOCK_FRAMES);
	if (!bitset_test(&frame_map.known, number))
		return OWNER_FREE;
	return record->owner == OWNER_MIXED ? frame_map_owner_bytes(number)[frame] : record->owner;
}

const uint8_t *frame_map_owners(size_t number)
{
	assert(number < frame_map.block_count);
	if (!bitset_test(&frame_map.known, number) ||
	    frame_map_record(number)->owner != OWNER_MIXED)
		return NULL;
	return frame_map_owner_bytes(number);
}

/* Enters a block into the books of free space. */
static void list_free(const struct frame_record *record, size_t number)
{
	if (record->order == ORDER_NONE)
		return;
	bitset_add(&frame_map.by_order[record->order], number);
	frame_map.free_by_order[record->order] += record->free_count;
	if (record->order == BLOCK_ORDER) {
		bitset_add(&frame_map.unreported, number);
		frame_map.unreported_events++;
	}
}

/* Takes a block out of the books of free space. */
static void unlist_free(const struct frame_record *record, size_t number)
{
	if (record->order == ORDER_NONE)
		return;
	assert(frame_map.free_by_order[record->order] >= record->free_count);
	bitset_remove(&frame_map.by_order[record->order], number);
	frame_map.free_by_order[record->order] -= record->free_count;
	if (record->order == BLOCK_ORDER)
		bitset_remove(&frame_map.unreported, number);
}

/*
 * Books what a block has free now. Mostly its order stays the same, and with it
 * the block's place in the books.
 */
static void set_free(struct frame_record *record, size_t number, unsigned free_count, uint8_t order)
{
	if (order != record->order) {
		unlist_free(record, number);
		record->free_count = (uint16_t)free_count;
		record->order = order;
		list_free(record, number);
	} else if (order != ORDER_NONE) {
		frame_map.free_by_order[order] -= record->free_count;
		frame_map.free_by_order[order] += free_count;
		record->free_count = (uint16_t)free_count;
	}
}

/* Mostly it is a single frame; else eight bytes at a time, as runs are short. */
static inline void set_owners(uint8_t *owners, unsigned count, enum owner owner)
{
	const uint64_t eight = (uint64_t)owner * 0x0101010101010101;

	if (count == 1) {
		owners[0] = (uint8_t)owner;
		return;
	}
	for (; count >= 16; count -= 16, owners += 16) {
		__builtin_memcpy(owners, &eight, 8);
		__builtin_memcpy(owners + 8, &eight, 8);
	}
	while (count > 0)
		owners[--count] = (uint8_t)owner;
}

/* Gives a few frames of a block their new owner, each by its own byte and bit. */
static inline void mark_frames(struct frame_record *record, size_t number, unsigned first,
			       unsigned count, enum owner from, enum owner to)
{
	break_up(record, number);
	set_owners(frame_map_owner_bytes(number) + first, count, to);
	if (from == OWNER_FREE || to == OWNER_FREE)
		frame_runs_mark(frame_map_free_bits(number), first, count, to == OWNER_FREE);
}

/* Notes that an owner has frames in a block. */
static inline void index_block(size_t number, enum owner owner)
{
	if (owner >= OWNER_INDEXED && !bitset_test(&frame_map.blocks_of[owner], number))
		bitset_add(&frame_map.blocks_of[owner], number);
}

/* Books that `count` free frames of a block were taken: its largest run has not grown. */
static inline void book_taken(struct frame_record *record, size_t number, unsigned count)
{
	unsigned left = record->free_count - count;
	uint8_t order = ORDER_NONE;

	assert(count <= record->free_count);
	if (left > 0)
		order = frame_runs_largest(frame_map_free_bits(number), record->order);
	set_free(record, number, left, order);
	if (left == 0 && frame_fill.poisoner)
		frame_fill_forget(number);
}

/* The largest free run, after frames were freed: what it was, or one around those frames. */
static uint8_t order_after_free(const struct frame_record *record, size_t number, unsigned first,
				unsigned count)
{
	uint8_t order;

	if ((count & (count - 1)) != 0 || first % count != 0)
		return frame_runs_largest(frame_map_free_bits(number), BLOCK_ORDER);
	order = frame_runs_around(frame_map_free_bits(number), first,
				  (unsigned)__builtin_ctz(count));
	return record->order != ORDER_NONE && record->order > order ? record->order : order;
}

/* Books that frames of a block were freed. */
static void book_freed(struct frame_record *record, size_t number, unsigned first, unsigned count)
{
	unsigned free_count = record->free_count + count;

	assert(free_count <= BLOCK_FRAMES);
	if (free_count == BLOCK_FRAMES) {
		record->owner = OWNER_FREE;
		set_free(record, number, free_count, BLOCK_ORDER);
	} else {
		set_free(record, number, free_count,
			 order_after_free(record, number, first, count));
	}
}

/* What is free in regions has a count of its own; few changes are there. */
static void move_region_free(size_t number, enum owner from, enum owner to, uint64_t count)
{
	uint32_t *section = frame_map_section_free(number);

	if (from == OWNER_FREE) {
		assert(frame_map.region_free >= count && *section >= count);
		frame_map.region_free -= count;
		*section -= (uint32_t)count;
	} else if (to == OWNER_FREE) {
		frame_map.region_free += count;
		*section += (uint32_t)count;
	}
}

void frame_map_set_low(uint64_t frames, void (*hook)(void))
{
	frame_map.low = frames;
	frame_map.on_low = hook;
}

/* Moves all counts together, so that an interrupt that reads them finds their sum right. */
static inline void move_count(size_t number, enum owner from, enum owner to, uint64_t count)
{
	uint64_t flags = irq_save();

	assert(frame_map.count[from] >= count);
	frame_map.count[from] -= count;
	frame_map.count[to] += count;
	if (!frame_map_is_boot(number))
		move_region_free(number, from, to, count);
	frame_map.changes++;
	irq_restore(flags);
	if (from == OWNER_FREE && frame_map.count[OWNER_FREE] < frame_map.low)
		frame_map.on_low();
}

void frame_map_move_block_count(size_t number, enum owner from, enum owner to)
{
	move_count(number, from, to, BLOCK_FRAMES);
}

void frame_map_change(size_t number, unsigned first, unsigned count, enum owner from, enum owner to)
{
	struct frame_record *record = know_block(number);

	assert(count > 0 && count <= BLOCK_FRAMES && record != &frame_map.absent);
	assert(first <= BLOCK_FRAMES - count);
	if (count == BLOCK_FRAMES)
		record->owner = (uint8_t)to;
	else
		mark_frames(record, number, first, count, from, to);
	index_block(number, to);
	if (from == OWNER_FREE) {
		if (frame_fill.poisoner)
			frame_fill_taken(number, frame_map_pfn(number) + first, count, to);
		book_taken(record, number, count);
	} else if (to == OWNER_FREE) {
		book_freed(record, number, first, count);
		if (frame_fill.poisoner)
			frame_fill_freed(number, frame_map_pfn(number) + first, count, from);
	}
	move_count(number, from, to, count);
}

/*
 * Gives free frames of one word of a block's bitmap, `wanted`, to `owner`, run by
 * run, the lowest first and at most `count`.
 */
static size_t take_from_word(size_t number, unsigned word, uint64_t wanted, size_t count,
			     enum owner owner, pfn_t *pfns)
{
	pfn_t base = frame_map_pfn(number) + word * 64;
	size_t n = 0;

	while (wanted != 0 && n < count) {
		unsigned bit = (unsigned)__builtin_ctzll(wanted);
		unsigned run = (unsigned)min_u64(frame_runs_ones(wanted >> bit), count - n);

		mark_frames(frame_map_record(number), number, word * 64 + bit, run, OWNER_FREE,
			    owner);
		if (frame_fill.poisoner)
			frame_fill_taken(number, base + bit, run, owner);
		for (unsigned i = 0; i < run; i++)
			pfns[n++] = base + bit + i;
		wanted = frame_runs_drop_lowest(wanted);
	}
	return n;
}

size_t frame_map_take_lowest(size_t number, size_t count, pfn_t limit, enum owner owner,
			     pfn_t *pfns)
{
	struct frame_record *record = know_block(number);
	const uint64_t *free_bits = frame_map_free_bits(number);
	pfn_t base = frame_map_pfn(number);
	size_t n = 0;

	break_up(record, number);
	for (unsigned w = 0; w < BLOCK_WORDS && n < count; w++)
		n += take_from_word(number, w, frame_runs_below(free_bits, w, base, limit),
				    count - n, owner, pfns + n);
	index_block(number, owner);
	book_taken(record, number, (unsigned)n);
	move_count(number, OWNER_FREE, owner, n);
	return n;
}

void frame_map_mark_reported(size_t number)
{
	assert(bitset_test(&frame_map.by_order[BLOCK_ORDER], number));
	bitset_remove(&frame_map.unreported, number);
	/* Whatever it holds is what the host was told. */
	frame_fill_forget(number);
}

void frame_map_unindex(size_t number, enum owner owner)
{
	assert(frame_map_record(number)->owner != owner);
	if (owner >= OWNER_INDEXED)
		bitset_remove(&frame_map.blocks_of[owner], number);
}
