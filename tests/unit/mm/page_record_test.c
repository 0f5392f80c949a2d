/* SPDX-License-Identifier: BSD-2-Clause */
/* mm/page_record.c over the real allocator. What is tracked needs no memory, only a PFN. */
#include "tests/unit/mm/region_fixture.h"

#include <errno.h>
#include <string.h>

#include "mm/ledger.h"
#include "mm/page_record.h"
#include "tests/random.h"

/* Memory of the boot: 64 MiB; and a region above it. */
#define BOOT_FRAMES ((size_t)16384)
#define REGION (RAM + 4 * BOOT_FRAMES)

#define FIRST ((pfn_t)0x10000)

static int set_up(void **state)
{
	(void)state;
	region_fixture_boot(BOOT_FRAMES);
	return 0;
}

/* Nothing is tracked any more, so nothing may be left. */
static int tear_down(void **state)
{
	assert_int_equal(page_record_count(), 0);
	assert_int_equal(ledger_count(OWNER_PAGE_RECORDS), 0);
	fixture_assert_books();
	return fixture_stop(state);
}

static uint64_t frames(void)
{
	return ledger_count(OWNER_PAGE_RECORDS);
}

static void nothing_is_taken_while_nothing_is_tracked(void **state)
{
	(void)state;
	assert_int_equal(frames(), 0);
	assert_false(page_record_is_tracked(FIRST));
	assert_false(page_record_is_tracked(PFN_NONE));
	assert_int_equal(page_record_track(FIRST), 0);
	assert_true(frames() > 0);
	page_record_untrack(FIRST);
	assert_int_equal(frames(), 0);
}

static void a_record_begins_with_zeros_whatever_it_held(void **state)
{
	struct page_record *record;

	(void)state;
	assert_int_equal(page_record_track(FIRST), 0);
	assert_int_equal(page_record_track(FIRST + 1), 0);
	record = page_record(FIRST);
	assert_true(record->page == 0 && record->next == 0 && record->prev == 0);
	memset(record, 0x55, sizeof(*record));
	page_record_untrack(FIRST);
	assert_false(page_record_is_tracked(FIRST));
	assert_true(page_record_is_tracked(FIRST + 1));
	assert_int_equal(page_record_track(FIRST), 0);
	assert_ptr_equal(page_record(FIRST), record);
	assert_true(record->page == 0 && record->next == 0 && record->prev == 0);
	page_record_untrack(FIRST + 1);
	page_record_untrack(FIRST);
}

static void records_of_256_frames_share_a_frame(void **state)
{
	const struct page_record *first;

	(void)state;
	assert_int_equal(FIRST % 256, 0);
	assert_int_equal(page_record_track(FIRST), 0);
	assert_int_equal(frames(), 3);
	first = page_record(FIRST);
	for (pfn_t pfn = FIRST + 1; pfn < FIRST + 256; pfn++) {
		assert_int_equal(page_record_track(pfn), 0);
		assert_ptr_equal(page_record(pfn), first + (pfn - FIRST));
	}
	assert_int_equal(page_record_count(), 256);
	assert_int_equal(frames(), 3);
	assert_int_equal(page_record_track(FIRST + 256), 0);
	assert_int_equal(frames(), 4);
	page_record_untrack(FIRST + 256);
	assert_int_equal(frames(), 3);
	for (pfn_t pfn = FIRST; pfn < FIRST + 256; pfn++) {
		assert_int_equal(frames(), 3);
		page_record_untrack(pfn);
	}
}

/* As far apart as PFNs can be: the byte in which they differ says what they share. */
static void tables_are_made_for_what_is_far_away_and_given_back_for_each(void **state)
{
	static const pfn_t far[] = { 0x1, 0x101, 0x10101, 0x1010101, 0xffffffff, 0xffffff00 };
	static const uint64_t taken[] = { 3, 4, 6, 9, 12, 12 };
	static const uint64_t left[] = { 12, 11, 9, 6, 3, 3 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(far); i++) {
		assert_int_equal(page_record_track(far[i]), 0);
		assert_int_equal(frames(), taken[i]);
		page_record(far[i])->page = i + 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(far); i++) {
		assert_int_equal(frames(), left[i]);
		assert_int_equal(page_record(far[i])->page, i + 1);
		page_record_untrack(far[i]);
	}
}

static void a_frame_whose_number_does_not_fit_is_refused(void **state)
{
	(void)state;
	assert_int_equal(page_record_track(0), -EINVAL);
	assert_int_equal(page_record_track(UINT64_C(1) << 32), -EINVAL);
	assert_int_equal(page_record_track(PFN_NONE), -EINVAL);
	assert_int_equal(frames(), 0);
	assert_int_equal(page_record_track(FIRST), 0);
	assert_false(page_record_is_tracked((UINT64_C(1) << 32) + FIRST));
	page_record_untrack(FIRST);
}

/* Takes all frames but `left`; returns how many there were. */
static size_t take_all_but(size_t left)
{
	static pfn_t pfns[BOOT_FRAMES];
	size_t count = frame_alloc_bulk(BOOT_FRAMES - left, PFN_NONE, OWNER_HELD, pfns);

	assert_int_equal(count, BOOT_FRAMES - left);
	assert_int_equal(ledger_count(OWNER_FREE), left);
	return count;
}

/* Reclaim itself may be what tracks, so it is not asked. */
static size_t reclaim_nothing(unsigned order)
{
	(void)order;
	fail_msg("the reclaimer was asked");
	return 0;
}

static void without_frames_nothing_changes(void **state)
{
	(void)state;
	frame_set_reclaimer(reclaim_nothing);
	for (size_t left = 0; left < 3; left++) {
		take_all_but(left);
		assert_int_equal(page_record_track(FIRST), -ENOMEM);
		assert_int_equal(page_record_count(), 0);
		assert_false(page_record_is_tracked(FIRST));
		assert_int_equal(frames(), 0);
		assert_int_equal(ledger_count(OWNER_FREE), left);
		frame_free_owned(OWNER_HELD, UINT64_MAX);
	}
	take_all_but(3);
	assert_int_equal(page_record_track(FIRST), 0);
	/* Those that are there serve others; what needs a frame more is refused. */
	assert_int_equal(page_record_track(FIRST + 255), 0);
	assert_int_equal(page_record_track(FIRST + 256), -ENOMEM);
	assert_int_equal(page_record_track(FIRST + 0x10000), -ENOMEM);
	assert_int_equal(frames(), 3);
	page_record_untrack(FIRST + 255);
	page_record_untrack(FIRST);
	assert_int_equal(ledger_count(OWNER_FREE), 3);
	frame_free_owned(OWNER_HELD, UINT64_MAX);
}

/* Single frames do, of a memory in which no two free ones lie together. */
static void crumbs_are_enough(void **state)
{
	(void)state;
	take_all_but(0);
	for (pfn_t pfn = RAM + 1; pfn < RAM + 7; pfn += 2)
		assert_int_equal(frame_free(pfn, 1, OWNER_HELD), 0);
	assert_int_equal(page_record_track(FIRST), 0);
	assert_int_equal(ledger_count(OWNER_FREE), 0);
	page_record_untrack(FIRST);
	frame_free_owned(OWNER_HELD, UINT64_MAX);
}

/* Frames of owner `page-records` above those of the boot. */
static uint64_t frames_in_region(void)
{
	uint64_t n = 0;

	for (pfn_t pfn = REGION; pfn < REGION + BLOCK_FRAMES; pfn++)
		n += frame_owner(pfn) == OWNER_PAGE_RECORDS;
	return n;
}

static void memory_of_regions_is_taken_when_the_boot_has_none(void **state)
{
	(void)state;
	region_announce(REGION, 1);
	region_plug(REGION, 1);
	assert_int_equal(page_record_track(FIRST), 0);
	assert_int_equal(frames(), 3);
	assert_int_equal(frames_in_region(), 0);
	while (frame_alloc_boot(0, OWNER_HELD, &(pfn_t){ 0 }) == 0)
		;
	assert_int_equal(page_record_track(FIRST + 256), 0);
	assert_int_equal(frames(), 4);
	assert_int_equal(frames_in_region(), 1);
	page_record(FIRST + 256)->page = 7;
	page_record_untrack(FIRST);
	assert_int_equal(page_record(FIRST + 256)->page, 7);
	page_record_untrack(FIRST + 256);
	frame_free_owned(OWNER_HELD, UINT64_MAX);
}

#define STEPS 20000

/* Frames at random, in crowds, against an array. */
static void random_frames_are_tracked_as_an_array_says(void **state)
{
	static uint64_t page[BOOT_FRAMES];
	uint64_t seed = 4711, count = 0;

	(void)state;
	memset(page, 0, sizeof(page));
	for (unsigned step = 1; step <= STEPS; step++) {
		size_t i = random_below(&seed, BOOT_FRAMES >> random_below(&seed, 8));

		assert_int_equal(page_record_is_tracked(FIRST + i), page[i] != 0);
		if (page[i] == 0) {
			assert_int_equal(page_record_track(FIRST + i), 0);
			page_record(FIRST + i)->page = page[i] = step;
			count++;
		} else {
			assert_int_equal(page_record(FIRST + i)->page, page[i]);
			page_record_untrack(FIRST + i);
			page[i] = 0;
			count--;
		}
		assert_int_equal(page_record_count(), count);
	}
	for (size_t i = 0; i < BOOT_FRAMES; i++)
		if (page[i] != 0)
			page_record_untrack(FIRST + i);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_taken_while_nothing_is_tracked),
		TEST(a_record_begins_with_zeros_whatever_it_held),
		TEST(records_of_256_frames_share_a_frame),
		TEST(tables_are_made_for_what_is_far_away_and_given_back_for_each),
		TEST(a_frame_whose_number_does_not_fit_is_refused),
		TEST(without_frames_nothing_changes),
		TEST(crumbs_are_enough),
		TEST(memory_of_regions_is_taken_when_the_boot_has_none),
		TEST(random_frames_are_tracked_as_an_array_says),
	};

	return cmocka_run_group_tests(tests, region_fixture_reserve, NULL);
}
