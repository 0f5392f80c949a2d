/* SPDX-License-Identifier: BSD-2-Clause */
/* Regions: checks what is asked for, and chooses the blocks that leave. See frame_region.h. */
#include "mm/frame_region.h"

#include <assert.h>
#include <errno.h>

#include "mm/frame.h"
#include "mm/frame_change.h"
#include "mm/frame_map.h"
#include "mm/frame_section.h"

/* Stores the number of the first of some blocks of one region; false: they are no such blocks. */
static bool find_blocks(pfn_t pfn, size_t blocks, size_t *number)
{
	if (blocks == 0 || pfn % BLOCK_FRAMES != 0 || !frame_map_find(pfn, number))
		return false;
	return !frame_map_is_boot(*number) && blocks <= frame_spans_left(&frame_map.spans, *number);
}

pfn_t frame_region_boot_end(void)
{
	return frame_map_boot_end();
}

/* Counts what some blocks of one section have free: record by record unless they are all of it. */
static uint64_t free_in_section(size_t number, size_t end)
{
	uint64_t sum = 0;

	if (end - number == SECTION_BLOCKS)
		return *frame_map_section_free(number);
	for (; frame_map_section(number) && number < end; number++)
		sum += frame_map_record(number)->free_count;
	return sum;
}

uint64_t frame_region_free_within(pfn_t start, pfn_t end)
{
	size_t number = max_u64(frame_spans_above(&frame_map.spans, start), frame_map.boot_count);
	size_t last = frame_spans_below(&frame_map.spans, end);
	uint64_t sum = 0;

	for (size_t next; number < last; number = next) {
		next = min_u64(frame_map_next_section(number), last);
		sum += free_in_section(number, next);
	}
	return sum;
}

pfn_t frame_region_find(pfn_t start, pfn_t end, bool absent)
{
	size_t first, number, last;

	if (start >= end || !find_blocks(start, (size_t)((end - start) / BLOCK_FRAMES), &first))
		return end;
	last = first + (size_t)((end - start) / BLOCK_FRAMES);
	for (number = first; number < last;) {
		const struct frame_section *section = frame_map_section(number);
		size_t present = section ? section->present : 0;

		if (present == (absent ? SECTION_BLOCKS : 0))
			number = frame_map_next_section(number);
		else if ((frame_map_record(number)->owner == OWNER_ABSENT) == absent)
			return start + (number - first) * BLOCK_FRAMES;
		else
			number++;
	}
	return end;
}

int frame_region_announce(pfn_t start, size_t blocks)
{
	return frame_section_extend(start, blocks);
}

int frame_region_keep_ready(size_t blocks)
{
	return frame_section_keep_ready(blocks);
}

bool frame_region_use_ready(void)
{
	return frame_section_use_ready();
}

bool frame_region_get(size_t i, struct frame_region_part *region)
{
	const struct frame_spans *spans = &frame_map.spans;

	for (size_t s = 0; s < spans->count; s++) {
		const struct frame_span *span = &spans->span[s];

		if (span->first < frame_map.boot_count || i-- > 0)
			continue;
		*region = (struct frame_region_part){ span->start, span->blocks, 1 };
		return true;
	}
	return false;
}

bool frame_region_contains(pfn_t pfn, size_t blocks)
{
	size_t number;

	return find_blocks(pfn, blocks, &number);
}

/* Finds blocks that are all the owner's. -EINVAL: they are none; -EPERM: they are not his. */
static int find_owned(pfn_t pfn, size_t blocks, enum owner owner, size_t *number)
{
	if (!find_blocks(pfn, blocks, number))
		return -EINVAL;
	for (size_t n = 0; n < blocks; n++)
		if (frame_map_record(*number + n)->owner != owner)
			return -EPERM;
	return 0;
}

int frame_region_check_plug(pfn_t pfn, size_t blocks)
{
	size_t number;

	return find_owned(pfn, blocks, OWNER_ABSENT, &number);
}

int frame_region_plug(pfn_t pfn, size_t blocks)
{
	size_t number;
	int err = find_owned(pfn, blocks, OWNER_ABSENT, &number);

	for (size_t n = 0; !err && n < blocks; n++)
		frame_section_come(number + n);
	return err;
}

int frame_region_leave(pfn_t pfn, size_t blocks)
{
	size_t number;
	int err = find_owned(pfn, blocks, OWNER_UNPLUGGED, &number);

	for (size_t n = 0; !err && n < blocks; n++)
		frame_section_leave(number + n);
	return err;
}

/* ---- What can leave ---- */

/* Stores the number of a part's first block. -EINVAL: see frame_region_claim(). */
static int find_part(const struct frame_region_part *part, size_t *first)
{
	if (!find_blocks(part->start, part->blocks, first))
		return -EINVAL;
	return part->unit == 0 || part->blocks % part->unit != 0 ? -EINVAL : 0;
}

/* Tells whether every block of a unit is free as a whole. */
static bool unit_is_free(size_t number, size_t unit)
{
	for (size_t n = 0; n < unit; n++)
		if (!bitset_test(&frame_map.by_order[BLOCK_ORDER], number + n))
			return false;
	return true;
}

/* Tells whether all frames of a broken block are free or one of the owners'. */
static bool others_have_none(size_t number, uint32_t owners)
{
	const uint8_t *owner = frame_map_owner_bytes(number);

	for (unsigned f = 0; f < BLOCK_FRAMES; f++)
		if (owner[f] != OWNER_FREE && !(owners & owner_bit(owner[f])))
			return false;
	return true;
}

/* Tells whether all of a unit that is not free is one of the owners', and something is. */
static bool unit_is_held(size_t number, size_t unit, uint32_t owners)
{
	bool some = false;

	for (size_t n = number; n < number + unit; n++) {
		const struct frame_record *record = frame_map_record(n);
		bool theirs;

		if (record->owner == OWNER_MIXED)
			theirs = others_have_none(n, owners);
		else
			theirs = record->owner == OWNER_FREE || (owners & owner_bit(record->owner));
		if (!theirs)
			return false;
		some |= record->free_count < BLOCK_FRAMES;
	}
	return some;
}

/* No owner, for which all of a unit has to be free. */
#define ONLY_FREE UINT32_C(0)

/* Tells whether a unit is free as a whole, with ONLY_FREE, or else as unit_is_held() says. */
static bool unit_is(size_t number, size_t unit, uint32_t owners)
{
	return owners == ONLY_FREE ? unit_is_free(number, unit)
				   : unit_is_held(number, unit, owners);
}

/* Finds the highest block below `end` of which one of the owners has something; or BITSET_NONE. */
static size_t previous_block(size_t end, uint32_t owners)
{
	size_t highest = BITSET_NONE;

	if (owners == ONLY_FREE)
		return bitset_previous(&frame_map.by_order[BLOCK_ORDER], end);
	for (unsigned o = OWNER_FREE + 1; o < OWNER_COUNT; o++) {
		size_t number = BITSET_NONE;

		if (owners & owner_bit(o))
			number = bitset_previous(&frame_map.blocks_of[o], end);
		if (number != BITSET_NONE && (highest == BITSET_NONE || number > highest))
			highest = number;
	}
	return highest;
}

/* Finds the highest unit_is() of a part that ends at or below block `end`; or BITSET_NONE. */
static size_t highest_unit(size_t first, size_t end, size_t unit, uint32_t owners)
{
	size_t number = previous_block(end, owners);

	while (number != BITSET_NONE && number >= first) {
		size_t at = number - (number - first) % unit;

		if (unit_is(at, unit, owners))
			return at;
		number = previous_block(at, owners);
	}
	return BITSET_NONE;
}

/* Finds the highest such units that lie together, at most `max` blocks. -ENOENT: there are none. */
static int highest_units(const struct frame_region_part *part, size_t first, size_t max,
			 uint32_t owners, pfn_t *pfn, size_t *blocks)
{
	size_t n = part->unit;
	size_t at = highest_unit(first, first + part->blocks, n, owners);

	if (at == BITSET_NONE || max < n)
		return -ENOENT;
	while (at > first && max - n >= part->unit &&
	       unit_is(at - part->unit, part->unit, owners)) {
		at -= part->unit;
		n += part->unit;
	}
	*pfn = frame_map_pfn(at);
	*blocks = n;
	return 0;
}

int frame_region_claim(const struct frame_region_part *part, size_t max, pfn_t *pfn, size_t *blocks)
{
	size_t first;
	int err = find_part(part, &first);

	if (err)
		return err;
	frame_section_settle();
	err = highest_units(part, first, max, ONLY_FREE, pfn, blocks);
	if (err)
		return err;
	err = frame_change_run(*pfn, *blocks * BLOCK_FRAMES, OWNER_FREE, OWNER_UNPLUGGED);
	assert(!err);
	return 0;
}

/* All owners that frames can be allocated for. */
#define ALLOCATED \
	(((UINT32_C(1) << OWNER_COUNT) - 1) & ~(owner_bit(OWNER_ABSENT) | owner_bit(OWNER_FREE)))

int frame_region_find_held(const struct frame_region_part *part, size_t max, uint32_t owners,
			   pfn_t *pfn, size_t *blocks)
{
	size_t first;

	if (owners == 0 || owners & ~ALLOCATED || find_part(part, &first))
		return -EINVAL;
	return highest_units(part, first, max, owners, pfn, blocks);
}

size_t frame_region_removable(const struct frame_region_part *part)
{
	size_t first, at, end, n = 0;

	if (find_part(part, &first))
		return 0;
	end = first + part->blocks;
	while ((at = highest_unit(first, end, part->unit, ONLY_FREE)) != BITSET_NONE) {
		n += part->unit;
		end = at;
	}
	return n;
}
