/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks that come and leave, and where their records lie: see frame_section.h. Nobody but
 * the frame map has a pointer into a section, so that a section can move.
 */
#include "mm/frame_section.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/irq.h"
#include "arch/phys_map.h"
#include "mm/frame.h"
#include "mm/frame_fill.h"
#include "mm/frame_map.h"

#define SECTION_FRAMES ((sizeof(struct frame_section) + FRAME_SIZE - 1) / FRAME_SIZE)

_Static_assert(SECTION_FRAMES == 19, "what mm/frame_section.h says");

/* Page tables for a region, above those that map its blocks. */
#define READY_TABLES 8

/* Takes contiguous frames for the map; of a power of two the rest is freed again. */
static int alloc_frames(size_t frames, bool boot_only, pfn_t *pfn)
{
	unsigned order = frame_order_for(frames);
	int err;

	err = (boot_only ? frame_alloc_boot : frame_alloc)(order, OWNER_FRAME_MAP, pfn);
	if (err)
		return -ENOMEM;
	if ((size_t)1 << order > frames) {
		err = frame_free(*pfn + frames, ((size_t)1 << order) - frames, OWNER_FRAME_MAP);
		assert(!err);
	}
	return 0;
}

/* ---- One section ---- */

static pfn_t section_pfn(const struct frame_section *section)
{
	return paddr_to_pfn(virt_to_phys(section));
}

static bool is_outside(const struct frame_section *section)
{
	return section_pfn(section) >= frame_map_boot_end();
}

/* Takes frames for a section; what is in them does not matter. NULL: there are none. */
static struct frame_section *alloc_section(bool boot_only)
{
	struct frame_section *section;
	pfn_t pfn;

	if (alloc_frames(SECTION_FRAMES, boot_only, &pfn))
		return NULL;
	section = phys_to_virt(pfn_to_paddr(pfn));
	frame_map.sections_outside += is_outside(section);
	return section;
}

static void free_section(struct frame_section *section)
{
	int err;

	frame_map.sections_outside -= is_outside(section);
	err = frame_free(section_pfn(section), SECTION_FRAMES, OWNER_FRAME_MAP);
	assert(!err);
}

/* Uses the reserve for block `number` and its neighbours, none of which is there. */
static void open_section(size_t number)
{
	struct frame_section *section = frame_map.reserve;

	assert(section);
	frame_map.reserve = NULL;
	for (size_t i = 0; i < SECTION_BLOCKS; i++)
		section->records[i] = frame_map.absent;
	section->present = 0;
	frame_map.sections[frame_map_section_number(number)] = section;
}

/* Frees a section without blocks, or what was in reserve, if that lies in a region. */
static void close_section(size_t number)
{
	struct frame_section *section = frame_map_section(number);
	struct frame_section *reserve = frame_map.reserve;

	assert(section->present == 0 && reserve);
	frame_map.sections[frame_map_section_number(number)] = NULL;
	if (is_outside(reserve) && !is_outside(section)) {
		frame_map.reserve = section;
		section = reserve;
	}
	free_section(section);
}

/* Moves a section into memory of the boot; false: there is no room. */
static bool move_section(struct frame_section **section)
{
	struct frame_section *old = *section;
	struct frame_section *new = alloc_section(true);

	if (!new)
		return false;
	/* The frames of neither are recorded in the copy before the pointer has changed. */
	memcpy(new, old, sizeof(*new));
	*section = new;
	free_section(old);
	return true;
}

void frame_section_settle(void)
{
	size_t i = 0;

	if (frame_map.sections_outside == 0)
		return;
	if (is_outside(frame_map.reserve) && !move_section(&frame_map.reserve))
		return;
	for (; i < frame_map.section_count && frame_map.sections_outside > 0; i++) {
		struct frame_section **section = &frame_map.sections[i];

		if (*section && is_outside(*section) && !move_section(section))
			return;
	}
}

/* ---- One block ---- */

/* Moves a block's frames, and the total with them, so that an interrupt finds the sum right. */
static void move_count(size_t number, enum owner from, enum owner to)
{
	uint64_t flags = irq_save();

	frame_map_move_block_count(number, from, to);
	if (to == OWNER_FREE)
		frame_map.managed += BLOCK_FRAMES;
	else
		frame_map.managed -= BLOCK_FRAMES;
	irq_restore(flags);
}

void frame_section_come(size_t number)
{
	assert(number >= frame_map.boot_count);
	assert(frame_map_record(number)->owner == OWNER_ABSENT);
	if (!frame_map_section(number))
		open_section(number);
	frame_map_section(number)->present++;
	*frame_map_record(number) = (struct frame_record){ BLOCK_FRAMES, OWNER_FREE, BLOCK_ORDER };
	bitset_add(&frame_map.by_order[BLOCK_ORDER], number);
	frame_map.free_by_order[BLOCK_ORDER] += BLOCK_FRAMES;
	move_count(number, OWNER_ABSENT, OWNER_FREE);
	if (frame_fill.poisoner)
		frame_fill_freed(number, frame_map_pfn(number), BLOCK_FRAMES, OWNER_UNPLUGGED);
	if (!frame_map.reserve)
		frame_map.reserve = alloc_section(false);
	/* A whole block is free: at least this one. */
	assert(frame_map.reserve);
}

void frame_section_leave(size_t number)
{
	struct frame_section *section = frame_map_section(number);

	assert(number >= frame_map.boot_count && section && section->present > 0);
	assert(frame_map_record(number)->owner == OWNER_UNPLUGGED);
	*frame_map_record(number) = frame_map.absent;
	bitset_remove(&frame_map.blocks_of[OWNER_UNPLUGGED], number);
	move_count(number, OWNER_UNPLUGGED, OWNER_ABSENT);
	if (--section->present == 0)
		close_section(number);
}

/* ---- More numbers ---- */

/* Gives `sections`, and their counts, larger arrays, the rest of which is empty. */
static void extend_sections(size_t count, struct frame_section **sections, uint32_t *section_free)
{
	for (size_t i = 0; i < count; i++) {
		sections[i] = i < frame_map.section_count ? frame_map.sections[i] : NULL;
		section_free[i] = i < frame_map.section_count ? frame_map.section_free[i] : 0;
	}
	frame_map.sections = sections;
	frame_map.section_free = section_free;
	frame_map.section_count = count;
}

/* Makes the blocks from number `first` on absent. */
static void add_absent(size_t first, size_t end)
{
	bitset_add_range(&frame_map.known, first, end);
	frame_map.block_count = end;
	frame_map.count[OWNER_ABSENT] += (end - first) * BLOCK_FRAMES;
	frame_map.changes++;
}

/* Frees what the last extension was laid into; the arrays of the boot stay. */
static void free_extension(void)
{
	int err = 0;

	if (frame_map.extension_frames > 0)
		err = frame_free(frame_map.extension, frame_map.extension_frames, OWNER_FRAME_MAP);
	assert(!err);
}

/* Returns how many sections there are with so many blocks, which are more than at boot. */
static size_t sections_of(size_t blocks)
{
	return (blocks - frame_map.boot_count - 1) / SECTION_BLOCKS + 1;
}

/* Returns how many frames sets and sections of so many blocks take. */
static size_t frames_of(size_t blocks)
{
	size_t sections = sections_of(blocks);
	size_t words = FRAME_MAP_SETS * bitset_words(blocks);
	size_t bytes = (words + sections) * sizeof(uint64_t) + sections * sizeof(uint32_t);

	return align_up(bytes, FRAME_SIZE) / FRAME_SIZE;
}

/* Moves sets and sections to where there is room for the last span. -ENOMEM. */
static int make_room(void)
{
	const struct frame_span *span = &frame_map.spans.span[frame_map.spans.count - 1];
	size_t blocks = span->first + span->blocks, sections = sections_of(blocks);
	size_t words = FRAME_MAP_SETS * bitset_words(blocks), frames = frames_of(blocks);
	uint64_t *memory;
	pfn_t pfn;

	assert(span->first == frame_map.block_count && span->blocks > 0);
	if (alloc_frames(frames, true, &pfn))
		return -ENOMEM;
	if (!frame_map.reserve)
		frame_map.reserve = alloc_section(true);
	if (!frame_map.reserve) {
		int err = frame_free(pfn, frames, OWNER_FRAME_MAP);

		assert(!err);
		return -ENOMEM;
	}
	memory = phys_to_virt(pfn_to_paddr(pfn));
	frame_map_lay_sets(blocks, memory, bitset_extend);
	extend_sections(sections, (void *)(memory + words),
			(uint32_t *)(memory + words + sections));
	free_extension();
	frame_map.extension = pfn;
	frame_map.extension_frames = frames;
	add_absent(span->first, blocks);
	return 0;
}

int frame_section_extend(pfn_t start, size_t blocks)
{
	int err = frame_spans_append(&frame_map.spans, start, blocks);

	if (err)
		return err;
	err = make_room();
	if (err)
		frame_map.spans.count--;
	return err;
}

/* ---- What is kept ready for that ---- */

/* Each of the runs that are needed is aligned to its own size: so they fit, in any order. */
static unsigned ready_order_for(size_t blocks)
{
	unsigned books = frame_order_for(frames_of(frame_map.block_count + blocks));

	if (books >= FRAME_ORDER_MAX)
		return FRAME_ORDER_MAX + 1;
	return frame_order_for(((size_t)1 << books) +
			       ((size_t)1 << frame_order_for(SECTION_FRAMES)) + READY_TABLES);
}

int frame_section_keep_ready(size_t blocks)
{
	unsigned order = ready_order_for(blocks);
	pfn_t pfn;

	assert(blocks > 0);
	if (frame_map.is_ready && frame_map.ready_order >= order)
		return 0;
	if (order > FRAME_ORDER_MAX || frame_alloc_boot(order, OWNER_FRAME_MAP, &pfn))
		return -ENOMEM;
	frame_section_use_ready();
	frame_map.ready = pfn;
	frame_map.ready_order = order;
	frame_map.is_ready = true;
	return 0;
}

bool frame_section_use_ready(void)
{
	int err;

	if (!frame_map.is_ready)
		return false;
	frame_map.is_ready = false;
	err = frame_free(frame_map.ready, (size_t)1 << frame_map.ready_order, OWNER_FRAME_MAP);
	assert(!err);
	return true;
}
