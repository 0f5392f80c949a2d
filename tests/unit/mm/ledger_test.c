/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/ledger.c: what it counts and says, and that the audit sees damage of
 * every kind. Only to do that damage does this file know the map's layout.
 */
#include "tests/unit/mm/frame_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "mm/frame_map.h"
#include "mm/ledger.h"

#define BASE ((pfn_t)0x100000200)

/*
 * Blocks 0 to 5: a hole and free frames; broken; held as a whole; free as a
 * whole, with a record; never touched; never touched.
 */
#define BLOCKS 6
#define BROKEN_BLOCK 1
#define HELD_BLOCK 2
#define KNOWN_BLOCK 3
#define NEW_BLOCK 4

static void start_map(void)
{
	fixture_start_one(BASE + 5, BASE + BLOCKS * BLOCK_FRAMES);
	fixture_reserve(BASE + BLOCK_FRAMES + 10, 100, OWNER_HEAP);
	fixture_reserve(BASE + BLOCK_FRAMES + 300, 7, OWNER_BALLOON);
	fixture_reserve(BASE + HELD_BLOCK * BLOCK_FRAMES, BLOCK_FRAMES, OWNER_HELD);
	fixture_reserve(BASE + KNOWN_BLOCK * BLOCK_FRAMES, 3, OWNER_KERNEL);
	fixture_free(BASE + KNOWN_BLOCK * BLOCK_FRAMES, 3, OWNER_KERNEL);
	fixture_assert_books();
}

/* Verdicts in memory of just the size that ledger.h asks for. */
static char *verdict;

static int get_verdict_room(void **state)
{
	(void)state;
	verdict = malloc(LEDGER_VERDICT_MAX);
	return verdict ? 0 : -1;
}

static int free_verdict_room(void **state)
{
	free(verdict);
	return fixture_stop(state);
}

static void assert_says_broken(bool ok)
{
	assert_false(ok);
	assert_non_null(memchr(verdict, '\0', LEDGER_VERDICT_MAX));
	assert_int_equal(strncmp(verdict, "BROKEN ", 7), 0);
	assert_true(strlen(verdict) > 7);
}

static bool check(void)
{
	memset(verdict, 0xa5, LEDGER_VERDICT_MAX);
	return ledger_check(verdict);
}

static bool audit(void)
{
	memset(verdict, 0xa5, LEDGER_VERDICT_MAX);
	return ledger_audit(verdict);
}

/* ---- What it says ---- */

static void a_whole_ledger_says_ok_and_the_sum(void **state)
{
	(void)state;
	start_map();
	assert_true(check());
	assert_string_equal(verdict, "ok (3067 frames)");
	assert_true(audit());
	assert_string_equal(verdict, "ok (3067 frames)");
}

static void the_counts_are_those_of_the_owners(void **state)
{
	(void)state;
	start_map();
	assert_int_equal(ledger_managed(), 3067);
	assert_int_equal(ledger_count(OWNER_HEAP), 100);
	assert_int_equal(ledger_count(OWNER_BALLOON), 7);
	assert_int_equal(ledger_count(OWNER_HELD), 512);
	assert_int_equal(ledger_count(OWNER_KERNEL), 0);
	assert_int_equal(ledger_count(OWNER_FREE), 3067 - 619);
	assert_int_equal(ledger_count(OWNER_COUNT), 0);
	assert_int_equal(ledger_count((enum owner)200), 0);
}

static void a_map_of_nothing_is_in_order(void **state)
{
	(void)state;
	fixture_start(NULL, 0);
	assert_true(check());
	assert_string_equal(verdict, "ok (0 frames)");
	assert_true(audit());
	assert_string_equal(verdict, "ok (0 frames)");
}

static void refused_changes_are_counted_and_break_nothing(void **state)
{
	(void)state;
	start_map();
	assert_int_equal(ledger_refused(), 0);
	assert_int_not_equal(frame_free(BASE + 100, 1, OWNER_HEAP), 0);
	assert_int_equal(ledger_refused(), 1);
	assert_int_not_equal(frame_change_owner(0, 1, OWNER_HEAP, OWNER_HELD), 0);
	assert_int_not_equal(frame_reserve(BASE, 1, OWNER_HEAP), 0);
	assert_int_equal(ledger_refused(), 3);
	assert_true(audit());
}

static void every_owner_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (unsigned a = 0; a < OWNER_COUNT; a++) {
		assert_true(strlen(owner_name((enum owner)a)) > 1);
		for (unsigned b = 0; b < a; b++)
			assert_string_not_equal(owner_name((enum owner)a),
						owner_name((enum owner)b));
	}
	assert_string_equal(owner_name(OWNER_FREE), "free");
	assert_string_equal(owner_name(OWNER_IN_FLIGHT), "in-flight");
	assert_string_equal(owner_name(OWNER_COUNT), "?");
	assert_string_equal(owner_name((enum owner) - 1), "?");
}

/* ---- In steps ---- */

/* Of blocks that are held as a whole: an audit of them has several steps. */
#define MANY_BLOCKS 10000
#define LAST_BLOCK (MANY_BLOCKS - 1)

static void start_large_map(void)
{
	fixture_start_one(BASE, BASE + MANY_BLOCKS * BLOCK_FRAMES);
	fixture_reserve(BASE, MANY_BLOCKS * BLOCK_FRAMES, OWNER_HELD);
}

/* Goes on to the end; returns how many steps it took. */
static unsigned steps_to_end(struct ledger_audit *audit, enum ledger_step *last)
{
	unsigned steps = 0;

	memset(verdict, 0xa5, LEDGER_VERDICT_MAX);
	do {
		*last = ledger_audit_step(audit, verdict);
		steps++;
	} while (*last == LEDGER_MORE);
	return steps;
}

static void an_audit_in_steps_says_what_one_at_once_says(void **state)
{
	char at_once[LEDGER_VERDICT_MAX];
	struct ledger_audit steps;
	enum ledger_step last;
	unsigned count;

	(void)state;
	start_large_map();
	ledger_audit_begin(&steps, true);
	count = steps_to_end(&steps, &last);
	assert_int_equal(last, LEDGER_SOUND);
	assert_in_range(count, 3, 4);
	assert_string_equal(verdict, "ok (5120000 frames)");
	for (size_t b = 0; b < MANY_BLOCKS; b += 1111) {
		frame_map.records[b].owner = OWNER_HEAP;
		assert_false(ledger_audit(at_once));
		ledger_audit_begin(&steps, true);
		steps_to_end(&steps, &last);
		assert_int_equal(last, LEDGER_UNSOUND);
		assert_string_equal(verdict, at_once);
		frame_map.records[b].owner = OWNER_HELD;
	}
}

/* A broken block is looked at frame by frame: fewer of them are a step. */
static void broken_blocks_make_more_steps(void **state)
{
	struct ledger_audit steps;
	enum ledger_step last;

	(void)state;
	start_large_map();
	for (size_t b = 0; b < 2000; b++)
		fixture_free(BASE + b * BLOCK_FRAMES, 1, OWNER_HELD);
	ledger_audit_begin(&steps, true);
	assert_in_range(steps_to_end(&steps, &last), 6, 7);
	assert_int_equal(last, LEDGER_SOUND);
	assert_string_equal(verdict, "ok (5120000 frames)");
}

static void a_change_between_steps_makes_an_audit_useless(void **state)
{
	struct ledger_audit steps;

	(void)state;
	start_large_map();
	for (unsigned when = 0; when < 3; when++) {
		pfn_t pfn;

		ledger_audit_begin(&steps, true);
		for (unsigned i = 0; i < when; i++)
			assert_int_equal(ledger_audit_step(&steps, verdict), LEDGER_MORE);
		/* Even one of blocks that are still to be counted, and that is taken back. */
		fixture_free(BASE + LAST_BLOCK * BLOCK_FRAMES, 1, OWNER_HELD);
		assert_int_equal(frame_alloc_bulk(1, PFN_NONE, OWNER_HELD, &pfn), 1);
		assert_int_equal(ledger_audit_step(&steps, verdict), LEDGER_CHANGED);
		assert_int_equal(ledger_audit_step(&steps, verdict), LEDGER_CHANGED);
	}
	/* A refused change is none. */
	ledger_audit_begin(&steps, true);
	assert_int_not_equal(frame_free(BASE, 1, OWNER_HEAP), 0);
	assert_int_equal(ledger_audit_step(&steps, verdict), LEDGER_MORE);
}

static void an_audit_without_sums_goes_on_over_changes(void **state)
{
	struct ledger_audit steps;
	enum ledger_step last = LEDGER_MORE;
	pfn_t next = BASE;

	(void)state;
	start_large_map();
	ledger_audit_begin(&steps, false);
	for (; last == LEDGER_MORE; next += BLOCK_FRAMES) {
		last = ledger_audit_step(&steps, verdict);
		fixture_free(next, 1, OWNER_HELD);
	}
	assert_int_equal(last, LEDGER_SOUND);
	assert_string_equal(verdict, "ok in each block (5120000 frames)");
}

static void an_audit_without_sums_sees_a_bad_block_and_bad_books(void **state)
{
	struct ledger_audit steps;
	enum ledger_step last;

	(void)state;
	start_large_map();
	frame_map.records[LAST_BLOCK].free_count = 1;
	ledger_audit_begin(&steps, false);
	steps_to_end(&steps, &last);
	assert_int_equal(last, LEDGER_UNSOUND);
	assert_says_broken(false);
	frame_map.records[LAST_BLOCK].free_count = 0;
	frame_map.count[OWNER_HEAP]++;
	ledger_audit_begin(&steps, false);
	steps_to_end(&steps, &last);
	assert_int_equal(last, LEDGER_UNSOUND);
	assert_says_broken(false);
}

/* ---- Damage to the counts ---- */

static void check_sees_a_count_that_moved_alone(void **state)
{
	(void)state;
	start_map();
	for (unsigned o = OWNER_FREE; o < OWNER_COUNT; o++) {
		frame_map.count[o]++;
		assert_says_broken(check());
		assert_says_broken(audit());
		frame_map.count[o] -= 2;
		assert_says_broken(check());
		assert_says_broken(audit());
		frame_map.count[o]++;
		assert_true(audit());
	}
}

static void check_is_not_fooled_by_sums_that_overflow(void **state)
{
	(void)state;
	start_map();
	/* Together nothing: -1 and +1. */
	frame_map.count[OWNER_KERNEL]--;
	frame_map.count[OWNER_FREE]++;
	assert_says_broken(check());
	assert_says_broken(audit());
}

static void check_sees_another_number_of_managed_frames(void **state)
{
	(void)state;
	start_map();
	frame_map.managed++;
	assert_says_broken(check());
	assert_says_broken(audit());
	frame_map.managed -= 2;
	assert_says_broken(check());
}

static void the_audit_sees_frames_booked_to_the_wrong_owner(void **state)
{
	(void)state;
	start_map();
	frame_map.count[OWNER_FREE]--;
	frame_map.count[OWNER_HEAP]++;
	assert_true(check());
	assert_says_broken(audit());
}

static void the_audit_sees_wrong_counts_of_free_space(void **state)
{
	(void)state;
	start_map();
	for (unsigned order = 0; order <= BLOCK_ORDER; order++) {
		frame_map.free_by_order[order] += BLOCK_FRAMES;
		assert_says_broken(audit());
		frame_map.free_by_order[order] -= BLOCK_FRAMES;
		assert_true(audit());
	}
}

/* ---- Damage to the map ---- */

static void the_audit_sees_every_owner_byte(void **state)
{
	uint8_t *owners;

	(void)state;
	start_map();
	owners = frame_map.owner_bytes[BROKEN_BLOCK];
	for (size_t i = 0; i < BLOCK_FRAMES; i++) {
		uint8_t was = owners[i];

		for (unsigned value = 0; value < 256; value += value < OWNER_COUNT ? 1 : 40) {
			owners[i] = (uint8_t)value;
			if (value != was)
				assert_says_broken(audit());
		}
		owners[i] = was;
	}
	assert_true(audit());
}

static void the_audit_sees_two_owner_bytes_that_changed_places(void **state)
{
	uint8_t *owners;

	(void)state;
	start_map();
	owners = frame_map.owner_bytes[BROKEN_BLOCK];
	/* The sums are right, the free bitmap is not. */
	owners[9] = OWNER_HEAP;
	owners[10] = OWNER_FREE;
	assert_says_broken(audit());
}

static void the_audit_sees_every_free_bit(void **state)
{
	(void)state;
	start_map();
	for (size_t i = 0; i < BLOCK_FRAMES; i++) {
		frame_map.free_bits[BROKEN_BLOCK][i / 64] ^= (uint64_t)1 << (i % 64);
		assert_says_broken(audit());
		frame_map.free_bits[BROKEN_BLOCK][i / 64] ^= (uint64_t)1 << (i % 64);
	}
	assert_true(audit());
}

static void the_audit_sees_every_bit_of_a_record(void **state)
{
	(void)state;
	start_map();
	for (size_t b = 0; b < NEW_BLOCK; b++) {
		uint8_t *record = (uint8_t *)&frame_map.records[b];

		for (unsigned bit = 0; bit < 8 * sizeof(struct frame_record); bit++) {
			record[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_says_broken(audit());
			record[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		assert_true(audit());
	}
}

static void the_audit_sees_records_that_are_lost(void **state)
{
	static const size_t used[] = { 0, BROKEN_BLOCK, HELD_BLOCK };

	(void)state;
	start_map();
	for (size_t i = 0; i < ARRAY_SIZE(used); i++) {
		bitset_remove(&frame_map.known, used[i]);
		assert_says_broken(audit());
		bitset_add(&frame_map.known, used[i]);
		assert_true(audit());
	}
}

static void the_audit_sees_records_that_never_were(void **state)
{
	(void)state;
	start_map();
	bitset_add(&frame_map.known, NEW_BLOCK);
	/* The record of a new block is garbage. */
	assert_says_broken(audit());
}

static void the_audit_sees_blocks_in_the_wrong_list(void **state)
{
	(void)state;
	start_map();
	for (size_t b = 0; b < NEW_BLOCK; b++) {
		for (unsigned order = 0; order <= BLOCK_ORDER; order++) {
			struct bitset *list = &frame_map.by_order[order];
			bool listed = bitset_test(list, b);

			if (listed)
				bitset_remove(list, b);
			else
				bitset_add(list, b);
			assert_says_broken(audit());
			if (listed)
				bitset_add(list, b);
			else
				bitset_remove(list, b);
			assert_true(audit());
		}
	}
}

static void a_map_of_one_block_is_recounted_too(void **state)
{
	(void)state;
	fixture_start_one(BASE, BASE + BLOCK_FRAMES);
	fixture_reserve(BASE + 10, 100, OWNER_HEAP);
	assert_true(audit());
	frame_map.owner_bytes[0][10] = OWNER_HELD;
	assert_says_broken(audit());
}

static void the_audit_sees_frames_that_their_owner_cannot_find(void **state)
{
	(void)state;
	start_map();
	bitset_remove(&frame_map.blocks_of[OWNER_BALLOON], BROKEN_BLOCK);
	assert_says_broken(audit());
	assert_string_equal(verdict, "BROKEN block 1 frame 300: balloon has no index of it");
}

/* Of blocks without a record the list is all that there is. */
static void the_audit_sees_new_blocks_that_are_in_no_list(void **state)
{
	(void)state;
	start_map();
	bitset_remove(&frame_map.by_order[BLOCK_ORDER], NEW_BLOCK);
	assert_says_broken(audit());
	assert_string_equal(verdict, "BROKEN 2 blocks are listed as whole, 3 are");
}

/* A person is to find the damage by what is said. */
static void the_verdict_names_what_is_broken(void **state)
{
	(void)state;
	start_map();
	frame_map.count[OWNER_HEAP]--;
	frame_map.count[OWNER_HELD]++;
	assert_says_broken(audit());
	assert_string_equal(verdict, "BROKEN heap: counted 100, booked 99");
	frame_map.count[OWNER_HEAP]++;
	frame_map.count[OWNER_HELD]--;
	frame_map.free_by_order[3]++;
	assert_says_broken(audit());
	assert_string_equal(verdict, "BROKEN free, order 3: counted 0, booked 1");
	frame_map.free_by_order[3]--;
	frame_map.managed++;
	assert_says_broken(audit());
	assert_string_equal(verdict, "BROKEN owners have 3067 of 3068 frames");
	frame_map.managed--;
	frame_map.records[HELD_BLOCK].owner = OWNER_COUNT;
	assert_says_broken(audit());
	assert_int_equal(strncmp(verdict, "BROKEN block 2: owner ", 22), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, get_verdict_room, free_verdict_room)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_ledger_says_ok_and_the_sum),
		TEST(the_counts_are_those_of_the_owners),
		TEST(a_map_of_nothing_is_in_order),
		TEST(refused_changes_are_counted_and_break_nothing),
		TEST(every_owner_has_a_name_of_its_own),
		TEST(an_audit_in_steps_says_what_one_at_once_says),
		TEST(broken_blocks_make_more_steps),
		TEST(a_change_between_steps_makes_an_audit_useless),
		TEST(an_audit_without_sums_goes_on_over_changes),
		TEST(an_audit_without_sums_sees_a_bad_block_and_bad_books),
		TEST(check_sees_a_count_that_moved_alone),
		TEST(check_is_not_fooled_by_sums_that_overflow),
		TEST(check_sees_another_number_of_managed_frames),
		TEST(the_audit_sees_frames_booked_to_the_wrong_owner),
		TEST(the_audit_sees_wrong_counts_of_free_space),
		TEST(the_audit_sees_every_owner_byte),
		TEST(the_audit_sees_two_owner_bytes_that_changed_places),
		TEST(the_audit_sees_every_free_bit),
		TEST(the_audit_sees_every_bit_of_a_record),
		TEST(the_audit_sees_records_that_are_lost),
		TEST(the_audit_sees_records_that_never_were),
		TEST(the_audit_sees_blocks_in_the_wrong_list),
		TEST(a_map_of_one_block_is_recounted_too),
		TEST(the_audit_sees_frames_that_their_owner_cannot_find),
		TEST(the_audit_sees_new_blocks_that_are_in_no_list),
		TEST(the_verdict_names_what_is_broken),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
