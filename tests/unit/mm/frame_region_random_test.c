/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/frame_region.c: random growing, shrinking, allocating and freeing beside a model that
 * is an array of owners. The ledger is held against it after each step, and so is the place
 * of every frame that the map took for its books; the whole map and the audit now and then.
 * What is not plugged cannot be touched (region_fixture.h).
 */
#include "tests/unit/mm/region_fixture.h"

#include <errno.h>
#include <string.h>

#include "arch/phys_map.h"
#include "mm/frame_map.h"
#include "mm/ledger.h"
#include "tests/random.h"

#define STEPS 60000
#define GOAL_LIFE 1500
#define B BLOCK_FRAMES

/* Two regions that share a section, and a hole between them. */
#define BOOT_BLOCKS 6
#define FIRST (RAM + 8 * B)
#define FIRST_BLOCKS 300
#define SECOND (RAM + 320 * B)
#define SECOND_BLOCKS 280
#define FRAMES (600 * B)

static const struct frame_region_part regions[] = {
	{ FIRST, FIRST_BLOCKS, 1 },
	{ FIRST, FIRST_BLOCKS, 3 },
	{ SECOND, SECOND_BLOCKS, 1 },
	{ SECOND + 8 * B, 240, 8 },
};

static uint8_t model[FRAMES];
static uint64_t model_count[OWNER_COUNT];
static uint64_t model_boot_free;
static uint64_t map_at_boot; /* frames */

/* Where the books lay after the last step that can have moved them. */
static struct {
	pfn_t pfn;
	uint64_t frames;
} books[16];
static size_t book_count;

static pfn_t pfns[700];

/* How often what happened: all of it has to. */
static struct {
	uint64_t grown, grown_without_frames, shrunk, kept, outside, full_boot, held, held_together;
} seen;

static uint64_t seed = 0x9e3779b97f4a7c15;

static size_t below(size_t n)
{
	return random_below(&seed, n);
}

/* Neither the map's own, nor on its way out. */
static enum owner some_owner(void)
{
	static const enum owner owners[] = { OWNER_KERNEL,   OWNER_HEAP,   OWNER_STACKS,
					     OWNER_BALLOON,  OWNER_HINTED, OWNER_IN_FLIGHT,
					     OWNER_REPORTED, OWNER_HELD };

	return owners[below(ARRAY_SIZE(owners))];
}

/* ---- The model ---- */

static void model_set(pfn_t pfn, uint64_t count, enum owner from, enum owner to)
{
	for (uint64_t i = 0; i < count; i++) {
		assert_true(pfn + i >= RAM && pfn + i < RAM + FRAMES);
		assert_int_equal(model[pfn + i - RAM], from);
		model[pfn + i - RAM] = (uint8_t)to;
	}
	if (pfn < RAM + BOOT_BLOCKS * B)
		model_boot_free += (to == OWNER_FREE ? count : 0) -
				   (from == OWNER_FREE ? count : 0);
	model_count[from] -= count;
	model_count[to] += count;
}

static void model_book(pfn_t pfn, uint64_t frames)
{
	assert_true(book_count < ARRAY_SIZE(books));
	books[book_count].pfn = pfn;
	books[book_count++].frames = frames;
	model_set(pfn, frames, OWNER_FREE, OWNER_FRAME_MAP);
}

static void model_section(const struct frame_section *section)
{
	if (section)
		model_book(paddr_to_pfn(virt_to_phys(section)),
			   (sizeof(*section) + FRAME_SIZE - 1) / FRAME_SIZE);
}

/* Enters where the books lie now; what they left is free. */
static void model_books(void)
{
	while (book_count > 0) {
		book_count--;
		model_set(books[book_count].pfn, books[book_count].frames, OWNER_FRAME_MAP,
			  OWNER_FREE);
	}
	model_book(frame_map.extension, frame_map.extension_frames);
	model_section(frame_map.reserve);
	for (size_t i = 0; i < frame_map.section_count; i++)
		model_section(frame_map.sections[i]);
}

static void model_start(void)
{
	memset(model, OWNER_ABSENT, sizeof(model));
	memset(model_count, 0, sizeof(model_count));
	memset(model, OWNER_FREE, BOOT_BLOCKS * B);
	model_count[OWNER_ABSENT] = (FIRST_BLOCKS + SECOND_BLOCKS) * B;
	model_count[OWNER_FREE] = BOOT_BLOCKS * B;
	model_boot_free = BOOT_BLOCKS * B;
	model_books();
}

/* Whether a unit's frames are free, or the owner's, of whom there is at least one. */
static bool unit_is_held(const struct frame_region_part *part, size_t n, uint32_t owners)
{
	const uint8_t *unit = model + (part->start - RAM) + n * B;
	bool some = false;

	for (size_t i = 0; i < part->unit * B; i++) {
		if (unit[i] != OWNER_FREE && !(owners >> unit[i] & 1))
			return false;
		some |= unit[i] != OWNER_FREE;
	}
	return some;
}

static size_t count_units(const struct frame_region_part *part)
{
	size_t units = 0;

	for (size_t n = 0; n < part->blocks; n += part->unit) {
		const uint8_t *unit = model + (part->start - RAM) + n * B;
		size_t i = 0;

		while (i < part->unit * B && unit[i] == OWNER_FREE)
			i++;
		units += i == part->unit * B;
	}
	return units;
}

/* ---- One step each ---- */

static void do_alloc(void)
{
	unsigned order = below(4) == 0 ? (unsigned)below(12) : (unsigned)below(5);
	enum owner owner = some_owner();
	pfn_t pfn;

	if (frame_alloc(order, owner, &pfn))
		return;
	if (order < BLOCK_ORDER && pfn >= frame_region_boot_end()) {
		pfn_t other;

		/* A region is used only if the boot's memory has none. */
		assert_int_equal(frame_alloc_boot(order, owner, &other), -ENOMEM);
		seen.full_boot++;
	}
	model_set(pfn, (uint64_t)1 << order, OWNER_FREE, owner);
}

static void do_bulk(void)
{
	enum owner owner = some_owner();
	size_t got = frame_alloc_bulk(below(ARRAY_SIZE(pfns)), PFN_NONE, owner, pfns);

	for (size_t i = 0; i < got; i++)
		model_set(pfns[i], 1, OWNER_FREE, owner);
}

/* Takes all that is free. */
static void take_everything(void)
{
	pfn_t pfn;

	for (unsigned order = BLOCK_ORDER + 1; order-- > 0;)
		while (frame_alloc(order, OWNER_HELD, &pfn) == 0)
			model_set(pfn, (uint64_t)1 << order, OWNER_FREE, OWNER_HELD);
	assert_int_equal(model_count[OWNER_FREE], 0);
}

static bool is_users(uint8_t owner)
{
	return owner > OWNER_FREE && owner != OWNER_FRAME_MAP && owner != OWNER_UNPLUGGED;
}

/* A run that has one owner, from any place on. */
static size_t find_run(size_t most, size_t *first)
{
	size_t n = 1;

	*first = below(FRAMES);
	while (*first < FRAMES && !is_users(model[*first]))
		++*first;
	if (*first == FRAMES)
		return 0;
	while (n < most && *first + n < FRAMES && model[*first + n] == model[*first])
		n++;
	return n;
}

static void do_free(bool much)
{
	size_t first, n = find_run(much ? 20000 : 1 + below(600), &first);
	enum owner owner;

	if (n == 0)
		return;
	owner = (enum owner)model[first];
	fixture_free(RAM + first, n, owner);
	model_set(RAM + first, n, owner, OWNER_FREE);
}

/* Frees all that is in use in a stretch, or no block would be whole again. */
static void do_free_stretch(void)
{
	size_t at = below(FRAMES), end = at + below(FRAMES / 2);

	while (at < end && at < FRAMES) {
		enum owner owner = (enum owner)model[at];
		size_t n = 1;

		while (at + n < FRAMES && model[at + n] == owner)
			n++;
		if (is_users(model[at])) {
			fixture_free(RAM + at, n, owner);
			model_set(RAM + at, n, owner, OWNER_FREE);
		}
		at += n;
	}
}

static void do_change_owner(void)
{
	size_t first, n = find_run(1 + below(2000), &first);
	enum owner from, to = some_owner();

	if (n == 0)
		return;
	from = (enum owner)model[first];
	assert_int_equal(frame_change_owner(RAM + first, n, from, to), 0);
	model_set(RAM + first, n, from, to);
}

static void do_grow(void)
{
	const struct frame_region_part *part = &regions[below(ARRAY_SIZE(regions))];
	size_t at = below(part->blocks), n = 0, most = 1 + below(below(4) == 0 ? 64 : 8);
	pfn_t pfn = part->start + at * B;
	bool without = model_count[OWNER_FREE] == 0;

	while (n < most && at + n < part->blocks && model[pfn - RAM + n * B] == OWNER_ABSENT)
		n++;
	if (n == 0) {
		assert_int_equal(frame_region_plug(pfn, 1), -EPERM);
		return;
	}
	region_plug(pfn, n);
	model_set(pfn, n * B, OWNER_ABSENT, OWNER_FREE);
	model_books();
	seen.grown += n;
	seen.grown_without_frames += without;
}

static void do_shrink(void)
{
	const struct frame_region_part *part = &regions[below(ARRAY_SIZE(regions))];
	size_t removable = count_units(part) * part->unit, n;
	pfn_t pfn;

	assert_int_equal(frame_region_removable(part), removable);
	seen.outside += frame_map.sections_outside > 0;
	n = region_claim(part, part->unit + below(64), &pfn);
	model_books();
	/* Books that moved may have made room for more. */
	assert_true(n > 0 || removable == 0);
	if (n == 0)
		return;
	model_set(pfn, n * B, OWNER_FREE, OWNER_UNPLUGGED);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), n * B);
	if (below(4) == 0) {
		region_keep(pfn, n);
		model_set(pfn, n * B, OWNER_UNPLUGGED, OWNER_FREE);
		seen.kept++;
		return;
	}
	region_leave(pfn, n);
	model_set(pfn, n * B, OWNER_UNPLUGGED, OWNER_ABSENT);
	model_books();
	seen.shrunk += n;
}

/* What an owner holds, from the highest unit down, as far as units lie together. */
static void do_find_held(void)
{
	const struct frame_region_part *part = &regions[below(ARRAY_SIZE(regions))];
	uint32_t owners = owner_bit(below(3) > 0 ? OWNER_BALLOON : some_owner()) |
			  owner_bit(below(2) > 0 ? OWNER_BALLOON : some_owner());
	size_t max = part->unit + below(20), end = part->blocks, at, blocks = 0;
	pfn_t pfn = 0;
	int err = frame_region_find_held(part, max, owners, &pfn, &blocks);

	while (end > 0 && !unit_is_held(part, end - part->unit, owners))
		end -= part->unit;
	if (end == 0) {
		assert_int_equal(err, -ENOENT);
		return;
	}
	at = end - part->unit;
	while (at > 0 && end - at + part->unit <= max &&
	       unit_is_held(part, at - part->unit, owners))
		at -= part->unit;
	assert_int_equal(err, 0);
	assert_int_equal(pfn, part->start + at * B);
	assert_int_equal(blocks, end - at);
	seen.held++;
	seen.held_together += blocks > part->unit;
}

/* ---- The comparison ---- */

static void compare_counts(void)
{
	char verdict[LEDGER_VERDICT_MAX];

	for (unsigned o = 0; o < OWNER_COUNT; o++)
		assert_int_equal(ledger_count((enum owner)o), model_count[o]);
	assert_int_equal(frame_boot_free(), model_boot_free);
	assert_int_equal(ledger_managed(), (BOOT_BLOCKS + FIRST_BLOCKS + SECOND_BLOCKS) * B -
						   model_count[OWNER_ABSENT]);
	if (!ledger_check(verdict))
		fail_msg("%s", verdict);
}

static void compare_maps(void)
{
	uint64_t free = frame_boot_free();

	for (size_t i = 0; i < FRAMES; i++)
		assert_int_equal(frame_owner(RAM + i), model[i]);
	for (size_t i = 0; i < BOOT_BLOCKS * B; i++)
		free -= model[i] == OWNER_FREE;
	assert_int_equal(free, 0);
	fixture_assert_books();
}

/*
 * Allocates rather than frees while more than `goal` frames are free, and the other way
 * round; grows rather than shrinks, or the other way round.
 */
static void do_something(uint64_t goal, bool growing)
{
	bool much = model_count[OWNER_FREE] > goal;

	switch (below(21)) {
	case 0:
		do_change_owner();
		break;
	case 1:
	case 2:
		if (growing || below(3) == 0)
			do_grow();
		else
			do_shrink();
		break;
	case 3:
		do_shrink();
		break;
	case 4:
		do_grow();
		break;
	case 5:
		do_bulk();
		break;
	case 6:
		if (below(10) > 0)
			break;
		if (growing) {
			take_everything();
			do_grow();
		} else {
			do_free_stretch();
		}
		break;
	case 7:
		do_find_held();
		break;
	default:
		if (below(20) < (much ? 14 : 4))
			do_alloc();
		else
			do_free(!much);
	}
}

static void random_steps_agree_with_a_model(void **state)
{
	uint64_t goal = 0;
	bool growing = true;

	(void)state;
	region_fixture_boot(BOOT_BLOCKS * B);
	region_announce(FIRST, FIRST_BLOCKS);
	region_announce(SECOND, SECOND_BLOCKS);
	model_start();
	map_at_boot = model_count[OWNER_FRAME_MAP];
	for (unsigned n = 0; n < STEPS; n++) {
		if (n % GOAL_LIFE == 0) {
			growing = !growing;
			goal = growing ? below(1000) : below(2 * ledger_managed());
		}
		do_something(goal, growing);
		compare_counts();
		if (n % 500 == 0)
			compare_maps();
	}
	compare_maps();
	print_message("%zu grown, %zu times without a frame, %zu shrunk, %zu kept, %zu claims with "
		      "books outside, %zu small runs in a region, %zu held, %zu together\n",
		      (size_t)seen.grown, (size_t)seen.grown_without_frames, (size_t)seen.shrunk,
		      (size_t)seen.kept, (size_t)seen.outside, (size_t)seen.full_boot,
		      (size_t)seen.held, (size_t)seen.held_together);
	/* The walk has been everywhere, or it has not tested much. */
	assert_true(seen.grown > 5000 && seen.shrunk > 5000 && seen.kept > 300);
	assert_true(seen.grown_without_frames > 30 && seen.outside > 1000);
	assert_true(seen.full_boot > 1000);
	assert_true(seen.held > 300 && seen.held_together > 30);
}

static void all_that_has_come_can_leave_at_the_end(void **state)
{
	pfn_t pfn;

	(void)state;
	for (unsigned o = OWNER_FREE + 1; o < OWNER_COUNT; o++)
		if (is_users((uint8_t)o))
			frame_free_owned((enum owner)o, UINT64_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(regions); i++)
		for (size_t n; (n = region_claim(&regions[i], SIZE_MAX, &pfn)) > 0;)
			region_leave(pfn, n);
	assert_int_equal(ledger_managed(), BOOT_BLOCKS * B);
	assert_int_equal(ledger_count(OWNER_FRAME_MAP), map_at_boot);
	fixture_assert_books();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_steps_agree_with_a_model),
		cmocka_unit_test_teardown(all_that_has_come_can_leave_at_the_end, fixture_stop),
	};

	return cmocka_run_group_tests_name("frame_region_random", tests, region_fixture_reserve,
					   NULL);
}
