/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two allocators, each over RAM of which nothing is reserved. mm/frame.c
 * never touches a frame, so it gets its map and nothing else; the buddy keeps
 * its lists in free frames, so it gets address space for all of RAM.
 *
 * A kernel maps its memory with huge pages: so both sides get them for what
 * they touch often, as far as the host has any.
 */
#include "tests/bench/contender.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "mm/frame.h"
#include "mm/ledger.h"
#include "tests/bench/buddy.h"

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("bench-alloc: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

/* Address space for one contender, begun at a block's boundary. */
struct space {
	void *base;
	size_t bytes;
	uint8_t *start;
};

static struct space map_space(size_t bytes)
{
	struct space s = { .bytes = bytes + BLOCK_SIZE };

	s.base = mmap(NULL, s.bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s.base == MAP_FAILED)
		die("no %zu MiB of address space (see ulimit -v)", s.bytes >> 20);
	s.start = (uint8_t *)align_up((uintptr_t)s.base, BLOCK_SIZE);
	return s;
}

static void unmap_space(struct space *s)
{
	munmap(s->base, s->bytes);
}

/* Asks for huge pages; without them the figures are a little worse, not wrong. */
static void want_huge_pages(void *start, size_t bytes)
{
	madvise(start, bytes, MADV_HUGEPAGE);
}

/*
 * Where block `i` of the window begins: anywhere in its part of RAM. At equal
 * distances, which are powers of two, all of them would share a few cache sets.
 */
static pfn_t window_block(size_t i, size_t gib)
{
	uint64_t random = (i + 1) * 0x9e3779b97f4a7c15;

	return (i * gib + (size_t)(random >> 32) % gib) * BLOCK_FRAMES;
}

/* Takes all of RAM in runs of 1 GiB, then gives the window's blocks back. */
static void open_window(const struct contender *c, size_t gib)
{
	for (size_t i = 0; i < gib; i++)
		if (c->alloc(FRAME_ORDER_MAX) == PFN_NONE)
			die("%s cannot fill its RAM", c->name);
	for (size_t i = 0; i < WINDOW_BLOCKS; i++)
		c->free(window_block(i, gib), BLOCK_ORDER);
}

static void check_window_is_free(const struct contender *c)
{
	if (c->count_whole_blocks() != WINDOW_BLOCKS)
		die("%s lost blocks: %zu of %zu are left", c->name, (size_t)c->count_whole_blocks(),
		    WINDOW_BLOCKS);
}

/* ---- mm/frame.c ---- */

static struct space frame_space;
static size_t frame_bytes;

static void frame_start(size_t gib)
{
	struct memmap map = { .count = 1, .frames = gib * GIB_FRAMES };

	map.range[0].end = map.frames;
	frame_bytes = frame_init_bytes(&map);
	frame_space = map_space(frame_bytes);
	want_huge_pages(frame_space.start, frame_bytes);
	frame_init(&map, frame_space.start);
	open_window(&contender_frame, gib);
}

static void frame_stop(void)
{
	char verdict[LEDGER_VERDICT_MAX];

	check_window_is_free(&contender_frame);
	if (!ledger_audit(verdict))
		die("Ledger: %s", verdict);
	if (ledger_refused() != 0)
		die("the allocator refused %zu calls", (size_t)ledger_refused());
	unmap_space(&frame_space);
}

static pfn_t frame_alloc_run(unsigned order)
{
	pfn_t pfn;

	return frame_alloc(order, OWNER_HELD, &pfn) ? PFN_NONE : pfn;
}

static void frame_free_run(pfn_t pfn, unsigned order)
{
	frame_free(pfn, (size_t)1 << order, OWNER_HELD);
}

static size_t frame_bulk(size_t count, pfn_t *pfns)
{
	return frame_alloc_bulk(count, PFN_NONE, OWNER_HELD, pfns);
}

static uint64_t frame_metadata(void)
{
	return frame_bytes;
}

const struct contender contender_frame = {
	.name = "Aerostat",
	.start = frame_start,
	.stop = frame_stop,
	.alloc = frame_alloc_run,
	.free = frame_free_run,
	.alloc_bulk = frame_bulk,
	.count_whole_blocks = frame_free_blocks,
	.count_metadata = frame_metadata,
};

/* ---- The buddy ---- */

static struct buddy buddy;
static struct space ram_space, head_space;

static void buddy_start(size_t gib)
{
	size_t frames = gib * GIB_FRAMES;

	ram_space = map_space(frames * FRAME_SIZE);
	head_space = map_space(frames);
	want_huge_pages(head_space.start, frames);
	/* Elsewhere only a page of each GiB is touched. */
	for (size_t i = 0; i < WINDOW_BLOCKS; i++)
		want_huge_pages(ram_space.start + pfn_to_paddr(window_block(i, gib)), BLOCK_SIZE);
	buddy_init(&buddy, ram_space.start, frames, head_space.start);
	open_window(&contender_buddy, gib);
}

static void buddy_stop(void)
{
	check_window_is_free(&contender_buddy);
	unmap_space(&ram_space);
	unmap_space(&head_space);
}

static pfn_t buddy_alloc_run(unsigned order)
{
	return buddy_alloc(&buddy, order);
}

static void buddy_free_run(pfn_t pfn, unsigned order)
{
	buddy_free(&buddy, pfn, order);
}

/* It has no such thing; they are not even sorted, as frame_alloc_bulk()'s are. */
static size_t buddy_bulk(size_t count, pfn_t *pfns)
{
	size_t n = 0;

	while (n < count && (pfns[n] = buddy_alloc(&buddy, 0)) != PFN_NONE)
		n++;
	return n;
}

static uint64_t buddy_whole_blocks(void)
{
	uint64_t blocks = 0;

	for (unsigned o = BLOCK_ORDER; o <= BUDDY_ORDER_MAX; o++)
		blocks += (uint64_t)buddy.count[o] << (o - BLOCK_ORDER);
	return blocks;
}

static uint64_t buddy_metadata(void)
{
	return buddy.frames;
}

const struct contender contender_buddy = {
	.name = "buddy",
	.start = buddy_start,
	.stop = buddy_stop,
	.alloc = buddy_alloc_run,
	.free = buddy_free_run,
	.alloc_bulk = buddy_bulk,
	.count_whole_blocks = buddy_whole_blocks,
	.count_metadata = buddy_metadata,
};
