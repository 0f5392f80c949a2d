/* SPDX-License-Identifier: BSD-2-Clause */
/* Regions and the page tables of their blocks; see memory_region.h. */
#include "mm/memory_region.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "arch/paging.h"
#include "kernel/lib/log.h"
#include "mm/frame.h"

/* Tables that lie are not named without end. */
#define LINES_MAX 8

#define GIB_FRAMES ((size_t)1 << PAGING_BLOCK_TABLE_ORDER << BLOCK_ORDER)

static struct {
	paddr_t spare;	/* a frame for the next table, from the first region on; 0: used */
	size_t outside; /* tables that lie in regions, this one too */
} tables;

static bool (*is_used)(paddr_t start, paddr_t end); /* NULL: nothing else is there */

static bool is_outside(paddr_t table)
{
	return paddr_to_pfn(table) >= frame_region_boot_end();
}

static void free_table(paddr_t table)
{
	int err;

	tables.outside -= is_outside(table);
	err = frame_free(paddr_to_pfn(table), 1, OWNER_PAGE_TABLES);
	assert(!err);
}

/* Calls `each` for the pieces of a run of blocks that one table maps each. */
static void for_each_table(pfn_t pfn, size_t blocks, void (*each)(pfn_t pfn, size_t blocks))
{
	while (blocks > 0) {
		size_t left = (GIB_FRAMES - (size_t)(pfn % GIB_FRAMES)) / BLOCK_FRAMES;
		size_t n = min_u64(left, blocks);

		each(pfn, n);
		pfn += n * BLOCK_FRAMES;
		blocks -= n;
	}
}

void memory_region_set_obstacles(bool (*used)(paddr_t start, paddr_t end))
{
	is_used = used;
}

/* Makes the tables that reach over a whole region. -EINVAL, -EBUSY, -ENOMEM. */
static int prepare(pfn_t start, size_t blocks)
{
	pfn_t frames_max = UINT64_MAX >> FRAME_SHIFT;

	if (blocks == 0 || start % BLOCK_FRAMES != 0 || start < frame_region_boot_end() ||
	    start > frames_max || blocks > (frames_max - start) / BLOCK_FRAMES)
		return -EINVAL;
	if (is_used && is_used(pfn_to_paddr(start), pfn_to_paddr(start + blocks * BLOCK_FRAMES)))
		return -EBUSY;
	return paging_prepare_blocks(pfn_to_paddr(start),
				     pfn_to_paddr(start + blocks * BLOCK_FRAMES));
}

/* Tells whether a region has any of these addresses; the log is told of registers there. */
static bool is_region(paddr_t start, paddr_t end)
{
	static paddr_t told;
	static unsigned lines;
	struct frame_region_part region;

	for (size_t i = 0; frame_region_get(i, &region); i++) {
		if (end <= pfn_to_paddr(region.start) ||
		    start >= pfn_to_paddr(frame_region_part_end(&region)))
			continue;
		if (told != start && lines++ < LINES_MAX)
			log_warn("memory: registers near 0x%" PRIx64 " are not used: they are said "
				 "to lie where memory comes and goes",
				 start);
		told = start;
		return true;
	}
	return false;
}

/* Announces the first region, with which a table comes into reserve. -EINVAL, -ENOSPC, -ENOMEM. */
static int announce_first(pfn_t start, size_t blocks)
{
	pfn_t spare;
	int err;

	if (frame_alloc_boot(0, OWNER_PAGE_TABLES, &spare))
		return -ENOMEM;
	tables.spare = pfn_to_paddr(spare);
	tables.outside = 0;
	err = frame_region_announce(start, blocks);
	if (err)
		free_table(tables.spare);
	return err;
}

static int announce(pfn_t start, size_t blocks)
{
	struct frame_region_part first;
	int err = prepare(start, blocks);

	if (err)
		return err;
	/* Nothing is mapped there now, and nothing else will be. */
	paging_set_taken(is_region);
	if (!frame_region_get(0, &first))
		return announce_first(start, blocks);
	return frame_region_announce(start, blocks);
}

int memory_region_announce(pfn_t start, size_t blocks)
{
	int err = announce(start, blocks);

	/* What was kept for this is free then, and nobody else has a turn before it is used. */
	if (err == -ENOMEM && frame_region_use_ready())
		err = announce(start, blocks);
	return err;
}

/* ---- Coming ---- */

static void map(pfn_t pfn, size_t blocks)
{
	paging_map_blocks(pfn_to_paddr(pfn), pfn_to_paddr(pfn + blocks * BLOCK_FRAMES),
			  &tables.spare);
}

/* Replaces the spare table if it was used: a block is free, as one has just come. */
static void make_spare(void)
{
	pfn_t spare;
	int err;

	if (tables.spare)
		return;
	err = frame_alloc(0, OWNER_PAGE_TABLES, &spare);
	assert(!err);
	tables.spare = pfn_to_paddr(spare);
	tables.outside += is_outside(tables.spare);
}

static void plug(pfn_t pfn, size_t blocks)
{
	int err;

	map(pfn, blocks);
	err = frame_region_plug(pfn, blocks);
	assert(!err);
	make_spare();
}

int memory_region_plug(pfn_t pfn, size_t blocks)
{
	int err = frame_region_check_plug(pfn, blocks);

	if (err)
		return err;
	for_each_table(pfn, blocks, plug);
	return 0;
}

static void keep(pfn_t pfn, size_t blocks)
{
	int err;

	map(pfn, blocks);
	err = frame_free(pfn, blocks * BLOCK_FRAMES, OWNER_UNPLUGGED);
	assert(!err);
	make_spare();
}

void memory_region_keep(pfn_t pfn, size_t blocks)
{
	for_each_table(pfn, blocks, keep);
}

/* ---- Leaving ---- */

/* Unmaps blocks; of the table that is empty then, and the spare one, the better is kept. */
static void unmap(pfn_t pfn, size_t blocks)
{
	paddr_t table = paging_unmap_blocks(pfn_to_paddr(pfn),
					    pfn_to_paddr(pfn + blocks * BLOCK_FRAMES));

	if (!table)
		return;
	assert(tables.spare);
	if (is_outside(tables.spare)) {
		paddr_t spare = tables.spare;

		tables.spare = table;
		table = spare;
	}
	free_table(table);
}

/* Takes a frame of the boot for a table that lies in a region; 0: it does not, or there is none. */
static paddr_t better_place(paddr_t table)
{
	pfn_t pfn;

	if (!table || !is_outside(table) || frame_alloc_boot(0, OWNER_PAGE_TABLES, &pfn))
		return 0;
	return pfn_to_paddr(pfn);
}

static void settle_region(const struct frame_region_part *region)
{
	pfn_t end = frame_region_part_end(region);

	for (pfn_t at = align_down(region->start, GIB_FRAMES); at < end; at += GIB_FRAMES) {
		paddr_t table = better_place(paging_block_table(pfn_to_paddr(at)));

		if (table)
			free_table(paging_move_block_table(pfn_to_paddr(at), table));
	}
}

/* Moves tables out of regions, as long as memory of the boot has room. */
static void settle(void)
{
	paddr_t table = tables.outside > 0 ? better_place(tables.spare) : 0;
	struct frame_region_part region;

	if (table) {
		free_table(tables.spare);
		tables.spare = table;
	}
	for (size_t i = 0; tables.outside > 0 && frame_region_get(i, &region); i++)
		settle_region(&region);
}

int memory_region_claim(const struct frame_region_part *part, size_t max, pfn_t *pfn,
			size_t *blocks)
{
	int err;

	settle();
	err = frame_region_claim(part, max, pfn, blocks);
	if (!err)
		for_each_table(*pfn, *blocks, unmap);
	return err;
}

int memory_region_leave(pfn_t pfn, size_t blocks)
{
	return frame_region_leave(pfn, blocks);
}
