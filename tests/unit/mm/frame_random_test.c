/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/frame.c: a million random operations beside a model that is an array of
 * owners. The ledger is held against it after each, the whole map, the audit
 * and the books of free space every thousand.
 */
#include "tests/unit/mm/frame_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mm/ledger.h"
#include "tests/random.h"

#define OPERATIONS 1000000
#define GOAL_LIFE 5000
#define BULK_MAX 700

/* A block boundary above 2^32 frames; the map has holes of every kind above it. */
#define BASE ((pfn_t)0x100000000)
#define FRAMES 0x2c00

static const struct mem_range ranges[] = {
	{ BASE + 0x001, BASE + 0x09f },
	{ BASE + 0x100, BASE + 0x7dc },
	{ BASE + 0x7f0, BASE + 0xc00 },
	{ BASE + 0x1400, BASE + 0x2a03 },
};

static uint8_t model[FRAMES];
static uint64_t model_count[OWNER_COUNT];
static uint64_t refusals;

static pfn_t pfns[BULK_MAX];

static uint64_t seed = 0x9e3779b97f4a7c15;

static size_t below(size_t n)
{
	return random_below(&seed, n);
}

static enum owner some_owner(void)
{
	return (enum owner)(OWNER_FREE + 1 + below(OWNER_COUNT - OWNER_FREE - 1));
}

/* ---- The model ---- */

static void model_start(void)
{
	memset(model, OWNER_ABSENT, sizeof(model));
	memset(model_count, 0, sizeof(model_count));
	refusals = 0;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
		size_t count = (size_t)(ranges[i].end - ranges[i].start);

		memset(model + (ranges[i].start - BASE), OWNER_FREE, count);
		model_count[OWNER_FREE] += count;
	}
}

static void model_change(pfn_t pfn, size_t count, enum owner from, enum owner to)
{
	for (size_t i = 0; i < count; i++) {
		assert_true(pfn + i >= BASE && pfn + i < BASE + FRAMES);
		assert_int_equal(model[pfn + i - BASE], from);
		model[pfn + i - BASE] = (uint8_t)to;
	}
	model_count[from] -= count;
	model_count[to] += count;
}

static enum owner model_owner(pfn_t pfn)
{
	return pfn >= BASE && pfn < BASE + FRAMES ? (enum owner)model[pfn - BASE] : OWNER_ABSENT;
}

/* What a change of this run has to answer: the first frame that differs decides. */
static int model_check(pfn_t pfn, size_t count, enum owner owner)
{
	for (size_t i = 0; i < count; i++)
		if (model_owner(pfn + i) != owner)
			return model_owner(pfn + i) == OWNER_ABSENT ? -EINVAL : -EPERM;
	return 0;
}

static bool model_is_free(size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		if (model[i] != OWNER_FREE)
			return false;
	return true;
}

/* The order of the largest aligned free run in a block, or -1. */
static int model_largest_run(size_t block)
{
	for (int order = BLOCK_ORDER; order >= 0; order--)
		for (size_t at = 0; at < BLOCK_FRAMES; at += (size_t)1 << order)
			if (model_is_free(block + at, (size_t)1 << order))
				return order;
	return -1;
}

static bool model_has_run(unsigned order)
{
	size_t count = (size_t)1 << order;

	for (size_t at = 0; at + count <= FRAMES; at += count)
		if (model_is_free(at, count))
			return true;
	return false;
}

/* The block that a run of this order should come from; FRAMES if there is none. */
static size_t model_best_block(unsigned order)
{
	size_t best = FRAMES;
	int best_order = BLOCK_ORDER + 1;

	for (size_t block = 0; block < FRAMES; block += BLOCK_FRAMES) {
		int o = model_largest_run(block);

		if (o >= (int)order && o < best_order) {
			best = block;
			best_order = o;
		}
	}
	return best;
}

/* ---- One operation each ---- */

static void do_alloc(void)
{
	unsigned order = (unsigned)below(4) == 0 ? (unsigned)below(12) : (unsigned)below(4);
	bool thorough = below(100) == 0;
	size_t best = thorough && order <= BLOCK_ORDER ? model_best_block(order) : FRAMES;
	enum owner owner = some_owner();
	pfn_t pfn = PFN_UNTOUCHED;
	int err = frame_alloc(order, owner, &pfn);

	if (err) {
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(pfn, PFN_UNTOUCHED);
		if (thorough)
			assert_false(model_has_run(order));
		return;
	}
	assert_int_equal(pfn & (((pfn_t)1 << order) - 1), 0);
	model_change(pfn, (size_t)1 << order, OWNER_FREE, owner);
	if (best != FRAMES)
		assert_int_equal(align_down(pfn - BASE, BLOCK_FRAMES), best);
}

/* A run that has one owner, as a rule: what a caller might hold. */
static enum owner pick_run(bool in_use, pfn_t *pfn, size_t *count)
{
	size_t most = below(16) == 0 ? 1500 : 1 + below(40);
	size_t first = below(FRAMES);
	enum owner owner;
	size_t n = 1;

	while (in_use && first + 1 < FRAMES && model[first] <= OWNER_FREE)
		first++;
	owner = (enum owner)model[first];
	while (n < most && first + n < FRAMES && model[first + n] == owner)
		n++;
	/* And now and then a frame too many. */
	n += below(30) == 0;
	*pfn = BASE + first;
	*count = n;
	if (owner <= OWNER_FREE || below(30) == 0)
		owner = some_owner();
	return owner;
}

static void do_free(void)
{
	pfn_t pfn;
	size_t count;
	enum owner owner = pick_run(below(8) > 0, &pfn, &count);
	int expect = model_check(pfn, count, owner);

	assert_int_equal(frame_free(pfn, count, owner), expect);
	if (expect)
		refusals++;
	else
		model_change(pfn, count, owner, OWNER_FREE);
}

static void do_change_owner(void)
{
	pfn_t pfn;
	size_t count;
	enum owner from = pick_run(true, &pfn, &count);
	enum owner to = some_owner();
	int expect = model_check(pfn, count, from);

	assert_int_equal(frame_change_owner(pfn, count, from, to), expect);
	if (expect)
		refusals++;
	else
		model_change(pfn, count, from, to);
}

static void do_reserve(void)
{
	pfn_t pfn;
	size_t count;
	enum owner owner = pick_run(false, &pfn, &count);
	int expect = model_check(pfn, count, OWNER_FREE);

	assert_int_equal(frame_reserve(pfn, count, owner), expect);
	if (expect)
		refusals++;
	else
		model_change(pfn, count, OWNER_FREE, owner);
}

static void do_bulk(void)
{
	size_t count = below(8) == 0 ? below(BULK_MAX) : below(60);
	pfn_t limit = below(3) == 0 ? BASE + below(FRAMES) : PFN_NONE;
	enum owner owner = some_owner();
	uint64_t free_frames = model_count[OWNER_FREE];
	size_t got;

	if (limit != PFN_NONE) {
		free_frames = 0;
		for (size_t i = 0; i < limit - BASE; i++)
			free_frames += model[i] == OWNER_FREE;
	}
	got = frame_alloc_bulk(count, limit, owner, pfns);
	assert_int_equal(got, count < free_frames ? count : free_frames);
	for (size_t i = 0; i < got; i++) {
		assert_true(pfns[i] < limit);
		assert_true(i == 0 || pfns[i - 1] < pfns[i]);
		model_change(pfns[i], 1, OWNER_FREE, owner);
	}
}

static void do_block(void)
{
	pfn_t limit = below(3) == 0 ? BASE + below(FRAMES) : PFN_NONE;
	enum owner owner = some_owner();
	size_t expect = 0;
	pfn_t pfn = PFN_UNTOUCHED;
	int err = frame_alloc_block(limit, owner, &pfn);

	while (expect < FRAMES && !model_is_free(expect, BLOCK_FRAMES))
		expect += BLOCK_FRAMES;
	if (expect == FRAMES || BASE + expect + BLOCK_FRAMES > limit) {
		assert_int_equal(err, -ENOMEM);
		return;
	}
	assert_int_equal(err, 0);
	assert_int_equal(pfn, BASE + expect);
	model_change(pfn, BLOCK_FRAMES, OWNER_FREE, owner);
}

static void do_collect(void)
{
	enum owner owner = some_owner();
	size_t at = below(FRAMES);
	size_t count = below(100);
	size_t got = frame_collect(owner, BASE + at, count, pfns);

	for (size_t i = 0; i < got; i++, at++) {
		while (at < FRAMES && model[at] != owner)
			at++;
		assert_int_equal(pfns[i], BASE + at);
	}
	while (at < FRAMES && model[at] != owner)
		at++;
	assert_true(got == count || at == FRAMES);
}

/* ---- The comparison ---- */

static void compare_counts(void)
{
	char verdict[LEDGER_VERDICT_MAX];

	for (unsigned o = OWNER_FREE; o < OWNER_COUNT; o++)
		assert_int_equal(ledger_count((enum owner)o), model_count[o]);
	assert_int_equal(ledger_refused(), refusals);
	if (!ledger_check(verdict))
		fail_msg("%s", verdict);
}

static void compare_maps(void)
{
	uint64_t by_order[BLOCK_ORDER + 1] = { 0 };

	for (size_t i = 0; i < FRAMES; i++)
		assert_int_equal(frame_owner(BASE + i), model[i]);
	for (size_t block = 0; block < FRAMES; block += BLOCK_FRAMES) {
		int order = model_largest_run(block);

		for (size_t i = block; i < block + BLOCK_FRAMES && order >= 0; i++)
			by_order[order] += model[i] == OWNER_FREE;
	}
	for (unsigned order = 0; order <= BLOCK_ORDER; order++)
		assert_int_equal(frame_free_by_order(order), by_order[order]);
	fixture_assert_books();
}

/* Allocates rather than frees while more than `goal` frames are free, and the other way round. */
static void do_something(uint64_t goal)
{
	bool much = model_count[OWNER_FREE] > goal;

	switch (below(24)) {
	case 0:
		do_change_owner();
		break;
	case 1:
		do_collect();
		break;
	case 2:
		do_reserve();
		break;
	case 3:
		if (much)
			do_bulk();
		break;
	case 4:
		if (much && below(4) == 0)
			do_block();
		break;
	default:
		if (below(20) < (much ? 14 : 2))
			do_alloc();
		else
			do_free();
	}
}

static void a_million_random_operations_agree_with_a_model(void **state)
{
	uint64_t lowest = UINT64_MAX;
	uint64_t highest = 0;
	uint64_t goal = 0;

	(void)state;
	fixture_start(ranges, ARRAY_SIZE(ranges));
	model_start();
	for (unsigned n = 0; n < OPERATIONS; n++) {
		if (n % GOAL_LIFE == 0)
			goal = below(ledger_managed());
		do_something(goal);
		compare_counts();
		if (n % 1000 == 0)
			compare_maps();
		if (model_count[OWNER_FREE] < lowest)
			lowest = model_count[OWNER_FREE];
		if (n > GOAL_LIFE && model_count[OWNER_FREE] > highest)
			highest = model_count[OWNER_FREE];
	}
	compare_maps();
	/* The walk has been to both ends, or it has not tested much. */
	assert_int_equal(lowest, 0);
	assert_true(highest > ledger_managed() * 3 / 4);
	assert_true(refusals > 10000);
}

static void what_is_left_of_them_can_all_be_freed(void **state)
{
	(void)state;
	for (unsigned o = OWNER_FREE + 1; o < OWNER_COUNT; o++) {
		enum owner owner = (enum owner)o;
		size_t got;

		while ((got = frame_collect(owner, 0, BULK_MAX, pfns)) > 0) {
			for (size_t i = 0; i < got; i++) {
				fixture_free(pfns[i], 1, owner);
				model_change(pfns[i], 1, owner, OWNER_FREE);
			}
		}
		assert_int_equal(ledger_count(owner), 0);
	}
	compare_maps();
	assert_int_equal(ledger_count(OWNER_FREE), ledger_managed());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_random_operations_agree_with_a_model),
		cmocka_unit_test_teardown(what_is_left_of_them_can_all_be_freed, fixture_stop),
	};

	return cmocka_run_group_tests_name("frame_random", tests, NULL, NULL);
}
