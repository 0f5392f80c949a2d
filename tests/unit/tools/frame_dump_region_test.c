/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/frame_dump.c of a guest with regions, against cores made of the real mm/ code. Of
 * the guest's memory a core has only those frames that the map lies in: all the rest is a
 * hole, as what is not plugged is in QEMU's dumps.
 */
#include "mm/vm_dump.h"
#include "mm/vm_events.h"
#include "tests/unit/mm/region_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "arch/phys_map.h"
#include "drivers/balloon/balloon_dump.h"
#include "kernel/dump.h"
#include "kernel/mem_figures.h"
#include "mm/frame_dump.h"
#include "mm/frame_map.h"
#include "mm/ledger.h"
#include "tests/random.h"
#include "tests/unit/tools/dumped_balloon.h"
#include "tests/unit/tools/opened_dump.h"

#define ROOT_PADDR 0x123000u
#define B BLOCK_FRAMES

/* Boot memory, and two regions that share a section. */
#define BOOT_BLOCKS 6
#define FIRST (RAM + 8 * B)
#define FIRST_BLOCKS 300
#define SECOND (RAM + 320 * B)
#define SECOND_BLOCKS 280
#define BLOCKS (BOOT_BLOCKS + FIRST_BLOCKS + SECOND_BLOCKS)
#define END (SECOND + SECOND_BLOCKS * B)

/* What a core will hold: copies, to be changed. */
struct image {
	struct dump_root root;
	struct frame_dump frames;
	struct frame_map map;
};

static struct image take_image(void)
{
	struct image image = { dump_root, frame_dump, frame_map };

	image.root.self = ROOT_PADDR;
	return image;
}

/* The frames that the map lies in, as long as it is a map. */
static pfn_t books[4096];
static size_t book_count;
static bool is_broken; /* the map: they were noted before */

static void note_books(void)
{
	book_count = frame_collect(OWNER_FRAME_MAP, 0, ARRAY_SIZE(books), books);
	assert_true(book_count < ARRAY_SIZE(books));
}

/* Adds them, in the guest's own memory. */
static size_t add_books(struct core_piece *pieces, size_t room)
{
	const pfn_t *pfns = books;
	size_t count, n = 0;

	if (!is_broken)
		note_books();
	count = book_count;
	for (size_t i = 0, run; i < count; i += run) {
		run = 1;
		while (i + run < count && pfns[i + run] == pfns[i] + run)
			run++;
		assert_true(n < room);
		pieces[n++] = (struct core_piece){ pfn_to_paddr(pfns[i]),
						   phys_to_virt(pfn_to_paddr(pfns[i])),
						   run * FRAME_SIZE };
	}
	return n;
}

static struct opened open_image(const struct image *image)
{
	struct core_piece pieces[64] = {
		{ ROOT_PADDR, &image->root, sizeof(image->root) },
		{ (uintptr_t)&frame_dump, &image->frames, sizeof(image->frames) },
		{ (uintptr_t)&balloon_dump, &balloon_dump, sizeof(balloon_dump) },
		{ (uintptr_t)&vm_dump, &vm_dump, sizeof(vm_dump) },
		{ (uintptr_t)&vm_events, &vm_events, sizeof(vm_events) },
		{ (uintptr_t)dumped_balloons, dumped_balloons, sizeof(dumped_balloons) },
		{ frame_dump.names, (const void *)(uintptr_t)frame_dump.names,
		  OWNER_COUNT * FRAME_DUMP_NAME },
		{ (uintptr_t)&frame_map, &image->map, sizeof(image->map) },
		{ (uintptr_t)frame_map.free_bits, frame_map.free_bits,
		  frame_init_bytes(fixture_map()) },
	};
	size_t n = 9 + add_books(pieces + 9, ARRAY_SIZE(pieces) - 9);

	return open_pieces(pieces, n);
}

static struct opened open_now(void)
{
	struct image image = take_image();
	struct opened o = open_image(&image);

	if (o.err)
		fail_msg("%s", o.error);
	return o;
}

static void announce(void)
{
	memset(dumped_balloons, 0, sizeof(dumped_balloons));
	region_fixture_boot(BOOT_BLOCKS * B);
	region_announce(FIRST, FIRST_BLOCKS);
	region_announce(SECOND, SECOND_BLOCKS);
}

/* Blocks of both regions, of all kinds: block 7 is broken, 9 the balloon's, 11 unplugged. */
static int start(void **state)
{
	(void)state;
	announce();
	region_plug(FIRST, 8);
	region_plug(SECOND + 200 * B, 1);
	fixture_reserve(FIRST + B + 7, 100, OWNER_HEAP);
	fixture_reserve(FIRST + B + 300, 5, OWNER_BALLOON);
	fixture_reserve(FIRST + 3 * B, B, OWNER_BALLOON);
	fixture_reserve(FIRST + 5 * B, B, OWNER_UNPLUGGED);
	fixture_reserve(SECOND + 201 * B - 1, 1, OWNER_HELD);
	fixture_assert_books();
	return 0;
}

/* ---- the truth ---- */

static void assert_owner(const struct opened *o, pfn_t pfn)
{
	char error[CORE_ERROR_MAX];
	const char *name;

	if (frame_dump_owner(o->dump, pfn, &name, error))
		fail_msg("%s", error);
	assert_string_equal(name, owner_name(frame_owner(pfn)));
}

/* The dump says of the guest what the guest says of itself. */
static void assert_dump_agrees(void)
{
	struct opened o = open_now();
	struct mem_figures f = figures_of(&o);

	assert_same_figures(&f);
	for (pfn_t block = RAM; block < END + B; block += B) {
		assert_owner(&o, block);
		assert_owner(&o, block + 7);
		assert_owner(&o, block + B - 1);
	}
	done(&o);
}

static void nothing_is_plugged(void **state)
{
	(void)state;
	announce();
	assert_dump_agrees();
}

static void figures_and_owners_are_those_of_the_guest(void **state)
{
	struct opened o;

	assert_dump_agrees();
	o = open_now();
	for (pfn_t pfn = FIRST; pfn < FIRST + 9 * B; pfn++)
		assert_owner(&o, pfn);
	for (pfn_t pfn = SECOND + 200 * B - 3; pfn < SECOND + 201 * B + 3; pfn++)
		assert_owner(&o, pfn);
	done(&o);
	(void)state;
}

/* The map lies in what came later, too. */
static void books_in_a_region_are_found(void **state)
{
	pfn_t pfn;

	(void)state;
	announce();
	for (unsigned order = BLOCK_ORDER + 1; order-- > 0;)
		while (frame_alloc(order, OWNER_HELD, &pfn) == 0)
			;
	region_plug(FIRST + 100 * B, 200);
	region_plug(SECOND + 3 * B, 5);
	assert_true(frame_map.sections_outside >= 2);
	assert_dump_agrees();
}

static uint64_t seed = 0x2545f4914f6cdd1d;

static size_t below(size_t n)
{
	return random_below(&seed, n);
}

/* Plugs a few blocks of a region, those that are not there. */
static void plug_some(void)
{
	bool first = below(2) == 0;
	size_t at = below(first ? FIRST_BLOCKS : SECOND_BLOCKS - 1);
	pfn_t pfn = (first ? FIRST : SECOND) + at * B;
	size_t blocks = 0;

	while (blocks < 4 && frame_region_contains(pfn, blocks + 1) &&
	       frame_region_check_plug(pfn + blocks * B, 1) == 0)
		blocks++;
	if (blocks > 0)
		region_plug(pfn, blocks);
}

static void claim_some(void)
{
	const struct frame_region_part part = { SECOND, SECOND_BLOCKS, 1 };
	size_t blocks;
	pfn_t pfn;

	blocks = region_claim(&part, 1 + below(5), &pfn);
	if (blocks > 0 && below(2) == 0)
		region_leave(pfn, blocks);
}

static void do_something(void)
{
	static const enum owner owners[] = { OWNER_HEAP, OWNER_BALLOON, OWNER_LEAVING, OWNER_HELD };
	enum owner owner = owners[below(ARRAY_SIZE(owners))];
	pfn_t pfns[200];
	pfn_t pfn;

	switch (below(8)) {
	case 0:
	case 1:
		plug_some();
		break;
	case 2:
		claim_some();
		break;
	case 3:
		frame_free_owned(owner, below(1000));
		break;
	case 4:
		frame_alloc_bulk(below(ARRAY_SIZE(pfns)), PFN_NONE, owner, pfns);
		break;
	default:
		frame_alloc((unsigned)below(BLOCK_ORDER + 1), owner, &pfn);
	}
}

static void whatever_is_plugged_a_dump_agrees(void **state)
{
	(void)state;
	announce();
	for (unsigned n = 0; n < 1200; n++) {
		do_something();
		if (n % 100 == 99)
			assert_dump_agrees();
	}
	assert_true(ledger_managed() > 100 * B);
	assert_true(ledger_count(OWNER_UNPLUGGED) > 0);
}

/* ---- lies of what leads to the map ---- */

struct lie {
	void (*tell)(struct image *image);
	const char *says;
};

#define LIE(name, statement) \
	static void name(struct image *i) \
	{ \
		statement; \
	}
LIE(first_layout, (i->frames.version = 1, i->frames.size = 112))
LIE(no_blocks_in_sections, i->frames.section_blocks = 0)
LIE(small_sections, i->frames.section_blocks = 1)
LIE(large_sections, i->frames.section_blocks = UINT32_MAX)
LIE(more_at_boot, i->map.boot_count = BLOCKS + 1)
LIE(endless_boot, i->map.boot_count = UINT64_MAX)
LIE(all_at_boot, i->map.boot_count = BLOCKS)
LIE(a_section_too_many, i->map.section_count++)
LIE(a_section_missing, i->map.section_count--)
LIE(endless_sections, i->map.section_count = UINT64_MAX)

static const struct lie lies[] = {
	{ first_layout, "of an older version of Aerostat: its frame map has layout 1, this "
			"program knows 2" },
	{ no_blocks_in_sections, "damaged: sections without blocks" },
	{ small_sections, "damaged: 5 sections for 580 blocks" },
	{ large_sections, "damaged: 5 sections for 580 blocks" },
	{ more_at_boot, "damaged: 586 blocks, of which 587 were there at boot" },
	{ endless_boot, "of which 18446744073709551615 were there" },
	{ all_at_boot, "damaged: 5 sections for 0 blocks" },
	{ a_section_too_many, "damaged: 6 sections for 580 blocks" },
	{ a_section_missing, "damaged: 4 sections for 580 blocks" },
	{ endless_sections, "damaged: 18446744073709551615 sections" },
};

static void every_lie_about_sections_is_named(void **state)
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

/* Of each lie the figures, and the owner of a broken block's frame; neither may be had. */
static void assert_named(const struct image *image, const char *says)
{
	struct opened o = open_image(image);
	struct mem_figures f;
	const char *name;

	assert_int_equal(o.err, 0);
	assert_true(frame_dump_figures(o.dump, &f, o.error) < 0);
	if (!strstr(o.error, says))
		fail_msg("\"%s\" lacks \"%s\"", o.error, says);
	assert_true(frame_dump_owner(o.dump, FIRST + B + 7, &name, o.error) < 0);
	if (!strstr(o.error, says))
		fail_msg("\"%s\" lacks \"%s\"", o.error, says);
	done(&o);
}

LIE(sections_nowhere, i->map.sections = (struct frame_section **)UINTPTR_MAX)
LIE(records_beyond, i->frames.section_block = UINT32_MAX)
LIE(owners_beyond, i->frames.section_owner = UINT32_MAX)

static void what_lies_beyond_the_dump_is_named(void **state)
{
	static const struct lie beyond[] = {
		{ sections_nowhere, "the array of sections is said to be at 0xffffffffffffffff" },
		{ records_beyond, "the array of blocks is said to be at" },
		{ owners_beyond, "the array of owners is said to be at" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(beyond); i++) {
		struct image image = take_image();

		beyond[i].tell(&image);
		assert_named(&image, beyond[i].says);
	}
}

/* The second section has no block in this guest, but one could be said to be there. */
static void pointers_to_sections_that_are_none_are_named(void **state)
{
	struct image image = take_image();
	struct frame_section *section = frame_map.sections[0];

	(void)state;
	note_books();
	is_broken = true;
	frame_map.sections[0] = (struct frame_section *)UINTPTR_MAX;
	assert_named(&image, "section 0 is said to be at 0xffffffffffffffff");
	frame_map.sections[0] = (struct frame_section *)(UINTPTR_MAX - UINT32_MAX + 1);
	assert_named(&image, "section 0 is said to be at 0xffffffff00000001");
	frame_map.sections[0] = (struct frame_section *)(UINTPTR_MAX - UINT32_MAX);
	assert_named(&image, "the array of blocks is said to be at 0xffffffff");
	/* In a hole. */
	frame_map.sections[0] = phys_to_virt(pfn_to_paddr(FIRST + 20 * B));
	assert_named(&image, "the array of blocks is said to be at");
	frame_map.sections[0] = section;
	is_broken = false;
	fixture_assert_books();
}

#undef LIE

/* ---- lies in the map ---- */

static void record_of_a_region_wrong(void)
{
	frame_map_record(BOOT_BLOCKS + 3)->owner = OWNER_HELD;
}

static void owner_of_a_region_wrong(void)
{
	frame_map_owner_bytes(BOOT_BLOCKS + 1)[9] = OWNER_STACKS;
}

static void owner_of_a_region_unknown(void)
{
	frame_map_owner_bytes(BOOT_BLOCKS + 1)[9] = 200;
}

static void free_bit_of_a_region_wrong(void)
{
	frame_map_free_bits(BOOT_BLOCKS + 1)[7] ^= 1;
}

static void region_free_wrong(void)
{
	frame_map.region_free -= 3;
}

static void absent_block_of_a_section_is_listed(void)
{
	bitset_add(&frame_map.by_order[4], BOOT_BLOCKS + 20);
}

static void absent_block_is_listed_as_whole(void)
{
	bitset_add(&frame_map.by_order[BLOCK_ORDER], BOOT_BLOCKS + FIRST_BLOCKS - 1);
}

static void absent_block_is_listed(void)
{
	bitset_add(&frame_map.by_order[0], BOOT_BLOCKS + FIRST_BLOCKS + 10);
}

static void absent_block_is_not_known(void)
{
	bitset_remove(&frame_map.known, BOOT_BLOCKS + 150);
}

static void last_absent_block_is_not_known(void)
{
	bitset_remove(&frame_map.known, BLOCKS - 1);
}

static void section_is_gone(void)
{
	frame_map.sections[0] = NULL;
}

static void absent_count_wrong(void)
{
	frame_map.count[OWNER_ABSENT] -= B;
}

static void (*const breakages[])(void) = {
	record_of_a_region_wrong,  owner_of_a_region_wrong,
	owner_of_a_region_unknown, free_bit_of_a_region_wrong,
	region_free_wrong,	   absent_block_of_a_section_is_listed,
	absent_block_is_listed,	   absent_block_is_listed_as_whole,
	absent_block_is_not_known, last_absent_block_is_not_known,
	section_is_gone,	   absent_count_wrong,
};

static void every_broken_region_is_called_so_in_the_words_of_the_audit(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(breakages); i++) {
		char verdict[LEDGER_VERDICT_MAX];
		struct mem_figures f;
		struct opened o;

		start(state);
		breakages[i]();
		if (ledger_audit(verdict))
			fail_msg("breakage %zu: the guest says %s", i, verdict);
		o = open_now();
		f = figures_of(&o);
		assert_string_equal(f.verdict, verdict);
		assert_false(f.ledger_ok);
		done(&o);
		fixture_stop(state);
	}
	start(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(nothing_is_plugged, fixture_stop),
		TEST(figures_and_owners_are_those_of_the_guest),
		cmocka_unit_test_teardown(books_in_a_region_are_found, fixture_stop),
		cmocka_unit_test_teardown(whatever_is_plugged_a_dump_agrees, fixture_stop),
		TEST(every_lie_about_sections_is_named),
		TEST(what_lies_beyond_the_dump_is_named),
		TEST(pointers_to_sections_that_are_none_are_named),
		TEST(every_broken_region_is_called_so_in_the_words_of_the_audit),
	};

	return cmocka_run_group_tests_name("frame_dump_region", tests, region_fixture_reserve,
					   NULL);
}
