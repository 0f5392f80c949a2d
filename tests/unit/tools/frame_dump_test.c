/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/frame_dump.c against cores made of the real mm/ code: the structures of
 * this process, at the addresses where they are, but for the root, which is put
 * where a kernel has it. What is broken in the map must be called so in the
 * words of ledger_audit(); what leads to the map, and lies, is refused.
 */
#include "mm/vm_dump.h"
#include "mm/vm_events.h"
#include "tests/unit/mm/frame_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/balloon/balloon_dump.h"
#include "kernel/dump.h"
#include "kernel/mem_figures.h"
#include "mm/frame_dump.h"
#include "mm/frame_map.h"
#include "mm/ledger.h"
#include "tests/unit/tools/dumped_balloon.h"
#include "tests/unit/tools/opened_dump.h"

#define ROOT_PADDR 0x123000u

/* What a core will hold: copies, to be changed. */
struct image {
	struct dump_root root;
	struct frame_dump frames;
	struct balloon_dump balloon;
	struct vm_dump vm;
	struct vm_events events;
	struct frame_map map;
	char names[OWNER_COUNT][FRAME_DUMP_NAME];
	uint64_t root_at;
	size_t pieces; /* how many of them are in the core */
};

static struct image take_image(void)
{
	struct image image = {
		.root = dump_root,
		.frames = frame_dump,
		.balloon = balloon_dump,
		.vm = vm_dump,
		.events = vm_events,
		.map = frame_map,
		.root_at = ROOT_PADDR,
		.pieces = 9,
	};

	image.root.self = ROOT_PADDR;
	memcpy(image.names, (const void *)(uintptr_t)frame_dump.names, sizeof(image.names));
	return image;
}

static struct opened open_image(const struct image *image)
{
	const struct core_piece pieces[] = {
		{ image->root_at, &image->root, sizeof(image->root) },
		{ (uintptr_t)&frame_dump, &image->frames, sizeof(image->frames) },
		{ (uintptr_t)&balloon_dump, &image->balloon, sizeof(image->balloon) },
		{ (uintptr_t)dumped_balloons, dumped_balloons, sizeof(dumped_balloons) },
		{ (uintptr_t)&vm_dump, &image->vm, sizeof(image->vm) },
		{ (uintptr_t)&vm_events, &image->events, sizeof(image->events) },
		{ frame_dump.names, image->names, sizeof(image->names) },
		{ (uintptr_t)&frame_map, &image->map, sizeof(image->map) },
		{ (uintptr_t)frame_map.free_bits, frame_map.free_bits,
		  frame_init_bytes(fixture_map()) },
	};

	return open_pieces(pieces, image->pieces);
}

static struct opened open_now(void)
{
	struct image image = take_image();
	struct opened o = open_image(&image);

	if (o.err)
		fail_msg("%s", o.error);
	return o;
}

/* RAM with holes inside of blocks and between them, and every kind of block. */
static int start_mixed(void **state)
{
	static const struct mem_range ranges[] = {
		{ 1, 160 },
		{ 256, 5 * BLOCK_FRAMES },
		{ 0x100000 + 7, 0x100000 + 5000 * BLOCK_FRAMES },
	};
	pfn_t pfns[300];

	(void)state;
	memset(dumped_balloons, 0, sizeof(dumped_balloons));
	fixture_start(ranges, 3);
	fixture_reserve(256, 100, OWNER_KERNEL);
	fixture_reserve(2 * BLOCK_FRAMES, BLOCK_FRAMES, OWNER_BALLOON);
	fixture_reserve(3 * BLOCK_FRAMES + 1, 3, OWNER_BALLOON);
	/* In another window of the recount. */
	fixture_reserve(0x100000 + 4500 * BLOCK_FRAMES, 2 * BLOCK_FRAMES + 9, OWNER_HEAP);
	assert_int_equal(frame_alloc_bulk(300, PFN_NONE, OWNER_HELD, pfns), 300);
	fixture_free(pfns[17], 1, OWNER_HELD);
	fixture_assert_books();
	return 0;
}

/* ---- the truth ---- */

static void figures_are_those_of_the_guest(void **state)
{
	struct opened o = open_now();
	struct mem_figures f = figures_of(&o);

	(void)state;
	assert_string_equal(f.version, AEROSTAT_VERSION);
	/* Nobody is absent, and there is no second balloon. */
	assert_int_equal(f.owner_count, OWNER_COUNT - 3);
	assert_same_figures(&f);
	assert_int_equal(f.account.free, ledger_count(OWNER_FREE));
	assert_false(f.has_balloon);
	done(&o);
}

static void the_balloon_counts_in_its_mode(void **state)
{
	uint64_t taken = BLOCK_FRAMES + 3;

	(void)state;
	dumped_balloons[0] = (struct dumped_balloon){ true, false, taken, taken - 1, 77, "virtio" };
	for (int mode = 0; mode < 2; mode++) {
		struct opened o;
		struct mem_figures f;

		dumped_balloons[0].deflate_on_oom = mode;
		o = open_now();
		f = figures_of(&o);
		assert_true(f.has_balloon);
		assert_int_equal(f.target, taken);
		assert_int_equal(f.actual, taken - 1);
		assert_int_equal(f.floor, 77);
		assert_int_equal(f.shortfall, 0);
		assert_int_equal(f.account.inflated_total, mode ? 0 : taken);
		assert_int_equal(f.account.inflated_free, mode ? taken : 0);
		assert_int_equal(f.account.total, ledger_managed() - (mode ? 0 : taken));
		done(&o);
	}
}

static void what_cannot_come_from_above_the_floor_is_shortfall(void **state)
{
	uint64_t taken = BLOCK_FRAMES + 3, free = ledger_count(OWNER_FREE);
	struct opened o;

	(void)state;
	dumped_balloons[0] = (struct dumped_balloon){ true,  false, taken + free,
						      taken, 100,   "virtio" };
	o = open_now();
	assert_int_equal(figures_of(&o).shortfall, 100);
	done(&o);
	dumped_balloons[0].floor = free + 1;
	o = open_now();
	assert_int_equal(figures_of(&o).shortfall, free);
	done(&o);
}

/* What is on its way to the host, or back, is no shortfall. */
static void frames_on_their_way_count_as_given(void **state)
{
	uint64_t taken = BLOCK_FRAMES + 3, free;
	struct opened o;

	(void)state;
	fixture_reserve(0x100000 + 20 * BLOCK_FRAMES, 5, OWNER_IN_FLIGHT);
	fixture_reserve(0x100000 + 21 * BLOCK_FRAMES, 7, OWNER_LEAVING);
	free = ledger_count(OWNER_FREE);
	dumped_balloons[0] = (struct dumped_balloon){ true,  false, taken + 12 + free,
						      taken, 0,	    "virtio" };
	o = open_now();
	assert_int_equal(figures_of(&o).shortfall, 0);
	done(&o);
	dumped_balloons[0].target++;
	o = open_now();
	assert_int_equal(figures_of(&o).shortfall, 1);
	done(&o);
}

/* Its record is not forgotten. */
static void block_that_was_given_back_is_free_as_a_whole(void **state)
{
	struct mem_figures f;
	struct opened o;
	const char *name;

	(void)state;
	fixture_free(2 * BLOCK_FRAMES, BLOCK_FRAMES, OWNER_BALLOON);
	fixture_assert_books();
	o = open_now();
	f = figures_of(&o);
	assert_true(f.ledger_ok);
	assert_int_equal(f.free_by_order[BLOCK_ORDER], frame_free_by_order(BLOCK_ORDER));
	assert_int_equal(frame_dump_owner(o.dump, 2 * BLOCK_FRAMES, &name, o.error), 0);
	assert_string_equal(name, "free");
	done(&o);
}

static uint8_t other_number(uint8_t owner)
{
	return owner == OWNER_ABSENT ? OWNER_HELD : owner == OWNER_HELD ? OWNER_ABSENT : owner;
}

/* Holes and frames that are held change their numbers. */
static void renumber(struct image *image)
{
	char name[FRAME_DUMP_NAME];
	struct bitset set = image->map.blocks_of[OWNER_ABSENT];
	uint64_t count = image->map.count[OWNER_ABSENT];

	memcpy(name, image->names[OWNER_ABSENT], sizeof(name));
	memcpy(image->names[OWNER_ABSENT], image->names[OWNER_HELD], sizeof(name));
	memcpy(image->names[OWNER_HELD], name, sizeof(name));
	image->map.blocks_of[OWNER_ABSENT] = image->map.blocks_of[OWNER_HELD];
	image->map.blocks_of[OWNER_HELD] = set;
	image->map.count[OWNER_ABSENT] = image->map.count[OWNER_HELD];
	image->map.count[OWNER_HELD] = count;
	image->frames.owner_absent = OWNER_HELD;
	for (size_t i = 0; i < frame_map.block_count; i++) {
		frame_map.records[i].owner = other_number(frame_map.records[i].owner);
		for (size_t f = 0; f < BLOCK_FRAMES; f++)
			frame_map.owner_bytes[i][f] = other_number(frame_map.owner_bytes[i][f]);
	}
}

/* Another version of the guest may have others; the dump tells them. */
static void numbers_of_owners_are_the_dumps_own(void **state)
{
	uint64_t holes = ledger_count(OWNER_ABSENT);
	struct image image;
	struct mem_figures f;
	struct opened o;
	const char *name;

	(void)state;
	assert_true(holes > 0);
	image = take_image();
	renumber(&image);
	o = open_image(&image);
	assert_int_equal(o.err, 0);
	f = figures_of(&o);
	assert_true(f.ledger_ok);
	assert_int_equal(f.owner_count, OWNER_COUNT - 3);
	assert_string_equal(f.owner[0].name, "held");
	assert_int_equal(f.owner[0].frames, 299);
	assert_string_equal(f.owner[1].name, "free");
	assert_int_equal(f.account.ram, ledger_managed());
	assert_int_equal(frame_dump_owner(o.dump, 0, &name, o.error), 0);
	assert_string_equal(name, "absent");
	done(&o);
	/* Too many of the first of them, too. */
	image.map.count[OWNER_ABSENT]++;
	o = open_image(&image);
	f = figures_of(&o);
	assert_false(f.ledger_ok);
	assert_non_null(strstr(f.verdict, "held"));
	done(&o);
}

static void owner_of_each_frame_is_the_guests(void **state)
{
	struct opened o = open_now();
	const char *name;

	(void)state;
	for (pfn_t pfn = 0; pfn < 7 * BLOCK_FRAMES; pfn++) {
		assert_int_equal(frame_dump_owner(o.dump, pfn, &name, o.error), 0);
		assert_string_equal(name, owner_name(frame_owner(pfn)));
	}
	for (pfn_t pfn = 0x100000 + 4499 * BLOCK_FRAMES; pfn < 0x100000 + 4504 * BLOCK_FRAMES;
	     pfn++) {
		assert_int_equal(frame_dump_owner(o.dump, pfn, &name, o.error), 0);
		assert_string_equal(name, owner_name(frame_owner(pfn)));
	}
	assert_int_equal(frame_dump_owner(o.dump, PFN_NONE, &name, o.error), 0);
	assert_string_equal(name, "absent");
	done(&o);
}

static void root_is_looked_for_in_the_first_64_mib(void **state)
{
	(void)state;
	for (int beyond = 0; beyond < 2; beyond++) {
		struct image image = take_image();
		struct opened o;

		image.root_at = DUMP_LIMIT - (beyond ? 0 : DUMP_PAGE);
		image.root.self = image.root_at;
		o = open_image(&image);
		assert_int_equal(!o.err, !beyond);
		done(&o);
	}
}

static void a_copy_of_the_root_elsewhere_is_none(void **state)
{
	struct image image = take_image();
	struct opened o;

	(void)state;
	image.root.self = ROOT_PADDR + DUMP_PAGE;
	o = open_image(&image);
	assert_true(o.err < 0);
	assert_non_null(strstr(o.error, "no Aerostat"));
	done(&o);
}

/* As the guest's own show_mem has them. */
static void pages_that_can_be_taken_back_are_shown(void **state)
{
	struct image image = take_image();
	struct mem_figures f;
	struct opened o;

	(void)state;
	image.events.cached = 30;
	image.events.dirty = 10;
	image.events.anonymous = 7;
	image.events.swap_total = 100;
	image.events.swapped = 40;
	image.events.reserve = 5;
	o = open_image(&image);
	assert_int_equal(o.err, 0);
	f = figures_of(&o);
	assert_true(f.has_paging);
	assert_int_equal(f.cached, 30);
	assert_int_equal(f.dirty, 10);
	assert_int_equal(f.anonymous, 7);
	assert_int_equal(f.swap_total, 100);
	assert_int_equal(f.swap_free, 60);
	/* Half of twenty clean pages are more than the reserve. */
	assert_int_equal(f.account.available, f.account.free - 5 + 20 - 5);
	done(&o);
	o = open_now();
	assert_false(figures_of(&o).has_paging);
	done(&o);
}

/* ---- lies of what leads to the map ---- */

/* As many as 52 bits of an address reach. */
#define MOST_BLOCKS ((uint64_t)1 << 31)

struct lie {
	void (*tell)(struct image *image);
	const char *says;
};

#define LIE(name, statement) \
	static void name(struct image *i) \
	{ \
		statement; \
	}
LIE(no_magic, i->root.magic[3] ^= 1)
LIE(newer_root, i->root.version++)
LIE(long_root, i->root.size++)
LIE(no_release, i->root.release[0] = '\0')
LIE(endless_release, memset(i->root.release, '1', sizeof(i->root.release)))
LIE(quoted_release, i->root.release[1] = '"')
LIE(newer_frames, i->frames.version = 7)
LIE(short_frames, i->frames.size--)
LIE(newer_balloon, i->balloon.version = 0)
LIE(short_balloon, i->balloon.size = 0)
LIE(newer_vm, i->vm.version++)
LIE(vm_nowhere, i->root.vm = 12)
LIE(events_nowhere, i->vm.events = UINT64_MAX - 7)
LIE(events_beyond, i->vm.cached = UINT32_MAX)
LIE(more_dirty_than_cached, i->events.dirty = 1)
LIE(more_swapped_than_swap, i->events.swapped = 1)
LIE(frames_nowhere, i->root.frames = UINT64_MAX - 3)
LIE(balloon_nowhere, i->root.balloon = 12)
LIE(map_nowhere, i->frames.map = UINT64_MAX)
LIE(offset_beyond, i->frames.blocks = UINT32_MAX)
LIE(stride_beyond, i->frames.set_stride = UINT32_MAX)
LIE(names_nowhere, i->frames.names = 1ull << 62)
LIE(small_frames, i->frames.frame_shift = 9)
LIE(large_blocks, i->frames.block_order = 18)
LIE(many_owners, i->frames.owner_count = UINT32_MAX)
LIE(no_owners, i->frames.owner_count = 0)
LIE(free_is_no_owner, i->frames.owner_free = i->frames.owner_count)
LIE(absent_is_no_owner, i->frames.owner_absent = i->frames.owner_count)
LIE(absent_is_free, i->frames.owner_absent = i->frames.owner_free)
LIE(mixed_is_an_owner, i->frames.owner_mixed = 3)
LIE(no_order_is_one, i->frames.order_none = BLOCK_ORDER)
LIE(escape_in_name, i->names[5][0] = '\033')
LIE(quote_in_name, i->names[5][1] = '"')
LIE(empty_name, i->names[5][0] = '\0')
LIE(endless_name, memset(i->names[5], 'a', FRAME_DUMP_NAME))
LIE(balloon_is_no_owner, i->balloon.owner_balloon[0] = OWNER_COUNT)
LIE(in_flight_is_no_owner, i->balloon.owner_in_flight = UINT32_MAX)
LIE(in_flight_is_next_to_one, i->balloon.owner_in_flight = OWNER_COUNT)
LIE(leaving_is_no_owner, i->balloon.owner_leaving[0] = OWNER_COUNT)
LIE(second_balloon_is_no_owner, i->balloon.owner_balloon[1] = OWNER_COUNT)
LIE(second_leaving_is_no_owner, i->balloon.owner_leaving[1] = OWNER_COUNT)
LIE(balloon_is_free, i->balloon.owner_balloon[1] = OWNER_FREE)
LIE(balloon_is_absent, i->balloon.owner_balloon[1] = OWNER_ABSENT)
LIE(balloon_is_in_flight, i->balloon.owner_leaving[1] = OWNER_IN_FLIGHT)
LIE(balloon_is_the_other, i->balloon.owner_balloon[1] = OWNER_BALLOON)
LIE(a_balloon_too_many, i->balloon.balloon_count = BALLOON_DUMP_BALLOONS + 1)
LIE(no_map_yet, i->map.block_count = 0)
LIE(too_many_blocks, i->map.block_count = UINT64_MAX)
LIE(a_block_too_many, i->map.block_count = MOST_BLOCKS + 1)
LIE(most_blocks, i->map.block_count = MOST_BLOCKS)
LIE(an_owner_too_many, i->frames.owner_count = MEM_OWNERS_MAX + 2)
LIE(most_owners, i->frames.owner_count = MEM_OWNERS_MAX + 1)
LIE(blocks_off_by_one, i->map.block_count++)
LIE(fewer_blocks, i->map.block_count--)
LIE(many_spans, i->map.spans.count = FRAME_SPANS_MAX + 1)
LIE(endless_spans, (i->frames.span_max = UINT32_MAX, i->map.spans.count = UINT32_MAX))
LIE(a_span_too_many, (i->frames.span_max = UINT32_MAX, i->map.spans.count = 1025))
LIE(most_spans, (i->frames.span_max = UINT32_MAX, i->map.spans.count = 1024))
LIE(no_spans, i->map.spans.count = 0)
LIE(spans_overlap, i->map.spans.span[1].start = i->map.spans.span[0].start)
LIE(span_in_mid_block, i->map.spans.span[1].start++)
LIE(span_too_far, i->map.spans.span[1].start = MOST_BLOCKS * BLOCK_FRAMES + BLOCK_FRAMES)
LIE(span_far_away, i->map.spans.span[1].start = UINT64_MAX - BLOCK_FRAMES + 1)
LIE(span_wraps, i->map.spans.span[1].blocks = UINT64_MAX - 4)
LIE(span_empty, i->map.spans.span[0].blocks = 0)
LIE(span_misnumbered, i->map.spans.span[1].first++)

static const struct lie lies[] = {
	{ no_magic, "no Aerostat" },
	{ newer_root, "of a newer version of Aerostat: its description has layout 5" },
	{ long_root, "its description should have" },
	{ no_release, "its version is no version" },
	{ endless_release, "its version is no version" },
	{ quoted_release, "its version is no version" },
	{ newer_frames, "of a newer version of Aerostat: its frame map has layout 7" },
	{ short_frames, "its frame map should have" },
	{ newer_balloon, "of an older version of Aerostat: its balloon has layout 0" },
	{ short_balloon, "its balloon should have" },
	{ frames_nowhere, "frame map is said to be at 0xfffffffffffffffc" },
	{ balloon_nowhere, "balloon is said to be at 0xc" },
	{ newer_vm, "its memory pressure has layout 2" },
	{ vm_nowhere, "memory pressure is said to be at 0xc" },
	{ events_nowhere, "the books on memory pressure" },
	{ events_beyond, "the books on memory pressure" },
	{ more_dirty_than_cached, "more pages are dirty than cached" },
	{ more_swapped_than_swap, "more is swapped than there is swap" },
	{ map_nowhere, "the frame map is said to be at" },
	{ offset_beyond, "the frame map is said to be at" },
	{ stride_beyond, "the frame map is said to be at" },
	{ names_nowhere, "the table of owners is said to be at" },
	{ small_frames, "frames of 2^9 bytes" },
	{ large_blocks, "blocks of 2^18 frames" },
	{ many_owners, "4294967295 owners" },
	{ an_owner_too_many, " owners, free is number 1, absent 0" },
	{ most_owners, "the table of owners is said to be at" },
	{ no_owners, "0 owners" },
	{ free_is_no_owner, "free is number" },
	{ absent_is_no_owner, "absent " },
	{ absent_is_free, "free is number 1, absent 1" },
	{ mixed_is_an_owner, "3 stands for mixed owners" },
	{ no_order_is_one, "9 for no order" },
	{ escape_in_name, "owner 5 has no sane name" },
	{ quote_in_name, "owner 5 has no sane name" },
	{ empty_name, "owner 5 has no sane name" },
	{ endless_name, "owner 5 has no sane name" },
	{ balloon_is_no_owner, "a balloon is owner 21, 15 of 21" },
	{ second_balloon_is_no_owner, "a balloon is owner 21, " },
	{ in_flight_is_no_owner, "owner 4294967295 of 21 is in-flight" },
	{ in_flight_is_next_to_one, "owner 21 of 21 is in-flight" },
	{ leaving_is_no_owner, "a balloon is owner 11, 21 of 21" },
	{ second_leaving_is_no_owner, "a balloon is owner " },
	{ balloon_is_free, "a balloon is owner 1, " },
	{ balloon_is_absent, "a balloon is owner 0, " },
	{ balloon_is_in_flight, "a balloon is owner " },
	{ balloon_is_the_other, "a balloon is owner 11, " },
	{ a_balloon_too_many, "3 balloons" },
	{ no_map_yet, "had not set up its memory" },
	{ too_many_blocks, "18446744073709551615 blocks" },
	{ a_block_too_many, "damaged: 2147483649 blocks" },
	/* Not so many that it cannot be, but the spans have less. */
	{ most_blocks, "the map has 2147483648" },
	{ blocks_off_by_one, "the map has" },
	{ fewer_blocks, "span 1 of memory" },
	{ many_spans, "49 spans" },
	{ endless_spans, "4294967295 spans" },
	{ a_span_too_many, "1025 spans" },
	/* Likewise: so many may be, but the map ends before. */
	{ most_spans, "the frame map is said to be at" },
	{ no_spans, "spans of 0 blocks" },
	{ spans_overlap, "span 1 of memory" },
	{ span_in_mid_block, "span 1 of memory" },
	{ span_too_far, "span 1 of memory" },
	{ span_far_away, "span 1 of memory" },
	{ span_wraps, "span 1 of memory" },
	{ span_empty, "span 0 of memory" },
	{ span_misnumbered, "span 1 of memory" },
};

static void every_lie_about_the_way_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
		struct image image = take_image();
		struct opened o;

		lies[i].tell(&image);
		o = open_image(&image);
		if (!o.err || !strstr(o.error, lies[i].says))
			fail_msg("lie %zu: \"%s\" lacks \"%s\"", i, o.error, lies[i].says);
		done(&o);
	}
}

LIE(mixed_is_the_next_number, i->frames.owner_mixed = OWNER_COUNT)
LIE(longest_name, memset(i->names[5], 'a', FRAME_DUMP_NAME - 1))
LIE(longest_release, memset(i->root.release, '1', DUMP_RELEASE_MAX - 1))
LIE(span_at_the_end, i->map.spans.span[1].start = MOST_BLOCKS * BLOCK_FRAMES)

/* One span as two that touch. */
static void adjacent_spans(struct image *i)
{
	struct frame_span *span = i->map.spans.span;

	span[2] = span[1];
	span[2].start += 1000 * BLOCK_FRAMES;
	span[2].first += 1000;
	span[2].blocks -= 1000;
	span[1].blocks = 1000;
	i->map.spans.count++;
}

static void what_just_may_be_is_no_lie(void **state)
{
	static void (*const unusual[])(struct image * image) = {
		mixed_is_the_next_number, longest_name,	  longest_release,
		span_at_the_end,	  adjacent_spans,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(unusual); i++) {
		struct image image = take_image();
		struct opened o;

		unusual[i](&image);
		o = open_image(&image);
		if (o.err)
			fail_msg("%zu: \"%s\"", i, o.error);
		done(&o);
	}
}

/* Open says yes, but an array is not in the dump. */
static void an_array_beyond_the_dump_is_named(void **state)
{
	static const size_t pointers[] = {
		offsetof(struct frame_map, known.level[0]),
		offsetof(struct frame_map, by_order[BLOCK_ORDER].level[0]),
		offsetof(struct frame_map, by_order[2].level[0]),
		offsetof(struct frame_map, blocks_of[OWNER_HELD].level[0]),
		offsetof(struct frame_map, records),
		offsetof(struct frame_map, free_bits),
		offsetof(struct frame_map, owner_bytes),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pointers); i++) {
		struct image image = take_image();
		struct mem_figures f;
		struct opened o;

		memset((char *)&image.map + pointers[i], 0xff, 8);
		o = open_image(&image);
		assert_int_equal(o.err, 0);
		assert_true(frame_dump_figures(o.dump, &f, o.error) < 0);
		assert_non_null(strstr(o.error, "said to be at 0xffffffffffffffff"));
		done(&o);
	}
}

static void a_balloon_beyond_the_dump_is_named(void **state)
{
	struct image image = take_image();
	struct mem_figures f;
	struct opened o;

	(void)state;
	image.balloon.target = 1 << 20;
	o = open_image(&image);
	assert_true(frame_dump_figures(o.dump, &f, o.error) < 0);
	assert_non_null(strstr(o.error, "the balloon's state is said to be at"));
	done(&o);
	image = take_image();
	image.balloon.floor = 1 << 20;
	o = open_image(&image);
	assert_true(frame_dump_figures(o.dump, &f, o.error) < 0);
	assert_non_null(strstr(o.error, "the floor is said to be at"));
	done(&o);
	image = take_image();
	dumped_balloons[0] = (struct dumped_balloon){ true, false, 0, 0, 0, "Virtio" };
	o = open_image(&image);
	assert_true(frame_dump_figures(o.dump, &f, o.error) < 0);
	assert_non_null(strstr(o.error, "a balloon has no sane name"));
	done(&o);
}

/* Both have their own lines, and what they have together is in the first one. */
static void two_balloons_are_told_apart(void **state)
{
	uint64_t taken = ledger_count(OWNER_BALLOON), second = 9;
	struct mem_figures f;
	struct opened o;

	(void)state;
	fixture_reserve(0x100000 + 3000 * BLOCK_FRAMES, second, OWNER_BALLOON_2);
	fixture_reserve(0x100000 + 3001 * BLOCK_FRAMES, 5, OWNER_IN_FLIGHT);
	dumped_balloons[0] = (struct dumped_balloon){ true, false, taken, taken, 0, "virtio" };
	dumped_balloons[1] = (struct dumped_balloon){ true,   true, UINT64_MAX / 2,
						      second, 0,    "vmware" };
	o = open_now();
	f = figures_of(&o);
	assert_int_equal(f.owner_count, OWNER_COUNT - 2);
	assert_int_equal(f.account.inflated_total, taken);
	assert_int_equal(f.account.inflated_free, second);
	assert_int_equal(f.balloon_count, 2);
	assert_string_equal(f.balloon[1].name, "vmware");
	assert_int_equal(f.balloon[0].shortfall, 0);
	/* The first lacks none: what is on its way is the second's. */
	assert_int_equal(f.balloon[1].shortfall,
			 UINT64_MAX / 2 - second - 5 - ledger_count(OWNER_FREE));
	assert_int_equal(f.actual, taken + second);
	assert_int_equal(f.target, taken + UINT64_MAX / 2);
	done(&o);
}

static void a_map_without_its_arrays_is_named(void **state)
{
	struct image image = take_image();
	struct mem_figures f;
	struct opened o;
	const char *name;

	(void)state;
	image.pieces--;
	o = open_image(&image);
	assert_int_equal(o.err, 0);
	assert_true(frame_dump_figures(o.dump, &f, o.error) < 0);
	assert_true(frame_dump_owner(o.dump, 300, &name, o.error) < 0);
	assert_non_null(strstr(o.error, "the known set"));
	done(&o);
}

#undef LIE

/* ---- lies in the map: what the guest's own audit would say ---- */

/* Block 0 is mixed, 2 the balloon's as a whole, 4 free and never touched. */
static void owner_unknown(void)
{
	frame_map.owner_bytes[0][300] = 200;
}

static void whole_owner_unknown(void)
{
	frame_map.records[2].owner = OWNER_COUNT;
}

static void free_bit_wrong(void)
{
	frame_map.free_bits[0][5] ^= 1;
}

static void free_bit_missing(void)
{
	frame_map.free_bits[3][7] &= ~((uint64_t)1 << 63);
}

static void index_missing(void)
{
	bitset_remove(&frame_map.blocks_of[OWNER_BALLOON], 3);
}

static void free_count_wrong(void)
{
	frame_map.records[3].free_count--;
}

static void order_wrong(void)
{
	frame_map.records[3].order--;
}

static void list_wrong(void)
{
	bitset_add(&frame_map.by_order[BLOCK_ORDER], 2);
}

static void whole_block_unlisted(void)
{
	bitset_remove(&frame_map.by_order[BLOCK_ORDER], 4);
}

static void owner_changed_hands(void)
{
	frame_map.records[2].owner = OWNER_HELD;
}

static void count_moved(void)
{
	frame_map.count[OWNER_HELD]--;
	frame_map.count[OWNER_BALLOON]++;
}

static void count_huge(void)
{
	frame_map.count[OWNER_FREE] = UINT64_MAX;
}

static void absent_count_wrong(void)
{
	frame_map.count[OWNER_ABSENT]++;
}

static void managed_wrong(void)
{
	frame_map.managed++;
}

static void managed_zero(void)
{
	frame_map.managed = 0;
}

static void free_by_order_wrong(void)
{
	frame_map.free_by_order[BLOCK_ORDER] -= 512;
	frame_map.free_by_order[0] += 512;
}

static void far_block_wrong(void)
{
	size_t number;

	assert_true(frame_map_find(0x100000 + 4502 * BLOCK_FRAMES, &number));
	frame_map.owner_bytes[number][8] = OWNER_STACKS;
}

static void (*const breakages[])(void) = {
	owner_unknown,	     whole_owner_unknown,  free_bit_wrong, free_bit_missing,
	index_missing,	     free_count_wrong,	   order_wrong,	   list_wrong,
	owner_changed_hands, whole_block_unlisted, count_moved,	   count_huge,
	absent_count_wrong,  managed_wrong,	   managed_zero,   free_by_order_wrong,
	far_block_wrong,
};

static void every_broken_map_is_called_so_in_the_words_of_the_audit(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(breakages); i++) {
		char verdict[LEDGER_VERDICT_MAX];
		struct mem_figures f;
		struct opened o;

		start_mixed(state);
		breakages[i]();
		assert_false(ledger_audit(verdict));
		o = open_now();
		f = figures_of(&o);
		assert_string_equal(f.verdict, verdict);
		assert_false(f.ledger_ok);
		done(&o);
	}
}

/* A block for each order, whose largest free run is of it: in that list, and in no other. */
static void every_order_has_its_list(void **state)
{
	char verdict[LEDGER_VERDICT_MAX];

	(void)state;
	for (unsigned broken = 0; broken <= BLOCK_ORDER; broken++) {
		struct mem_figures f;
		struct opened o;
		size_t number;

		fixture_stop(NULL);
		fixture_start_one(1024 * BLOCK_FRAMES, 1100 * BLOCK_FRAMES);
		for (unsigned order = 0; order < BLOCK_ORDER; order++)
			fixture_reserve((1030 + order) * BLOCK_FRAMES + (1u << order),
					BLOCK_FRAMES - (1u << order), OWNER_KERNEL);
		fixture_assert_books();
		o = open_now();
		f = figures_of(&o);
		assert_true(f.ledger_ok);
		for (unsigned order = 0; order < BLOCK_ORDER; order++)
			assert_int_equal(f.free_by_order[order], 1u << order);
		done(&o);
		/* One that is in no list any more. */
		assert_true(frame_map_find((1030 + broken) * BLOCK_FRAMES, &number));
		bitset_remove(&frame_map.by_order[broken], number);
		assert_false(ledger_audit(verdict));
		o = open_now();
		f = figures_of(&o);
		assert_string_equal(f.verdict, verdict);
		done(&o);
	}
}

/* A guest of a TiB would cost much, live. */
static void records_of_what_was_never_touched_are_not_read(void **state)
{
	struct image image;
	struct mem_figures f;
	struct opened o;

	(void)state;
	fixture_stop(NULL);
	fixture_start_one(1024 * BLOCK_FRAMES, 1100 * BLOCK_FRAMES);
	image = take_image();
	image.map.records = (struct frame_record *)UINTPTR_MAX;
	o = open_image(&image);
	f = figures_of(&o);
	assert_true(f.ledger_ok);
	assert_int_equal(f.free_by_order[BLOCK_ORDER], 76 * BLOCK_FRAMES);
	done(&o);
}

static void an_unknown_owner_of_a_frame_has_no_name(void **state)
{
	struct opened o;
	const char *name;

	(void)state;
	owner_unknown();
	whole_owner_unknown();
	o = open_now();
	assert_int_equal(frame_dump_owner(o.dump, 300, &name, o.error), 0);
	assert_string_equal(name, "?");
	assert_int_equal(frame_dump_owner(o.dump, 2 * BLOCK_FRAMES, &name, o.error), 0);
	assert_string_equal(name, "?");
	done(&o);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start_mixed, fixture_stop)

static void what_moved_is_told_by_owner(void **state)
{
	struct opened before = open_now(), after;
	char moved[FRAME_DUMP_MOVED];
	pfn_t pfn;

	(void)state;
	frame_dump_moved(before.dump, before.dump, moved);
	assert_string_equal(moved, "");
	assert_int_equal(frame_alloc(3, OWNER_HEAP, &pfn), 0);
	after = open_now();
	frame_dump_moved(before.dump, after.dump, moved);
	assert_string_equal(moved, "free -8, heap +8");
	frame_dump_moved(after.dump, before.dump, moved);
	assert_string_equal(moved, "free +8, heap -8");
	assert_int_equal(frame_free(pfn, 8, OWNER_HEAP), 0);
	done(&after);
	done(&before);
}

/* They are made by hand of dumps, and of no use when a layout has changed. */
static void the_seeds_of_the_fuzzer_are_dumps_of_today(void **state)
{
	static const char *const seeds[] = { "full", "small", "regions" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(seeds); i++) {
		struct opened o = { 0 };
		char path[64];

		snprintf(path, sizeof(path), "tests/fuzz/seeds/core/%s", seeds[i]);
		if (core_open(path, &o.core, o.error) || frame_dump_open(o.core, &o.dump, o.error))
			fail_msg("%s: %s", path, o.error);
		assert_true(figures_of(&o).ledger_ok);
		done(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(figures_are_those_of_the_guest),
		TEST(the_balloon_counts_in_its_mode),
		TEST(what_cannot_come_from_above_the_floor_is_shortfall),
		TEST(frames_on_their_way_count_as_given),
		TEST(block_that_was_given_back_is_free_as_a_whole),
		TEST(numbers_of_owners_are_the_dumps_own),
		TEST(owner_of_each_frame_is_the_guests),
		TEST(root_is_looked_for_in_the_first_64_mib),
		TEST(pages_that_can_be_taken_back_are_shown),
		TEST(a_copy_of_the_root_elsewhere_is_none),
		TEST(every_lie_about_the_way_is_named),
		TEST(what_just_may_be_is_no_lie),
		TEST(an_array_beyond_the_dump_is_named),
		TEST(a_balloon_beyond_the_dump_is_named),
		TEST(two_balloons_are_told_apart),
		TEST(a_map_without_its_arrays_is_named),
		TEST(every_broken_map_is_called_so_in_the_words_of_the_audit),
		TEST(an_unknown_owner_of_a_frame_has_no_name),
		TEST(what_moved_is_told_by_owner),
		TEST(every_order_has_its_list),
		TEST(records_of_what_was_never_touched_are_not_read),
		TEST(the_seeds_of_the_fuzzer_are_dumps_of_today),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
