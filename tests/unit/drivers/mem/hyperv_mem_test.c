/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/mem/hyperv_mem.c: ranges that a host adds, and what is made of them. */
#include "tests/unit/drivers/mem/mem_fixture.h"

#include <string.h>

#include "arch/cpu.h"
#include "drivers/mem/hyperv_mem.h"
#include "mm/frame_spans.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_time.h"

/* Blocks that are taken into use at once. */
#define STEP 1024

#define LIMIT "there are too many ranges: at most 48 are told apart"

static unsigned physical_bits;
static struct hyperv_mem_request request;
static uint64_t added;
static const char *why;

unsigned cpu_physical_bits(void)
{
	return physical_bits;
}

static int set_up(void **state)
{
	mem_fixture_set_up(state);
	memory_region_set_obstacles(NULL);
	hyperv_mem_init();
	physical_bits = 47;
	request = (struct hyperv_mem_request){ 0 };
	return 0;
}

/* ---- The host ---- */

/* Adds what `request` says of it; returns in how many steps. */
static unsigned add_frames(pfn_t first, uint64_t count)
{
	unsigned steps = 1;

	request.first = first;
	request.count = count;
	hyperv_mem_begin(&request);
	while (hyperv_mem_step(&added, &why))
		steps++;
	return steps;
}

static unsigned add(size_t block, size_t blocks)
{
	return add_frames(REGION + block * B, blocks * B);
}

static void expect_added(size_t block, size_t blocks)
{
	uint64_t managed = ledger_managed(), frames = hyperv_mem_frames();

	add(block, blocks);
	if (why)
		fail_msg("%s", why);
	assert_int_equal(added, blocks * B);
	assert_int_equal(ledger_managed(), managed + blocks * B);
	assert_int_equal(hyperv_mem_frames(), frames + blocks * B);
	assert_int_equal(frame_owner(REGION + (block + blocks) * B - 1), OWNER_FREE);
}

/* Nothing of it comes, and a line says why. */
static void expect_refused(pfn_t first, uint64_t count, const char *reason)
{
	uint64_t managed = ledger_managed(), frames = hyperv_mem_frames();
	unsigned lines = sim_log_warnings;

	sim_time_advance(NS_PER_S);
	assert_int_equal(add_frames(first, count), 1);
	assert_int_equal(added, 0);
	assert_non_null(why);
	assert_string_equal(why, reason);
	assert_int_equal(ledger_managed(), managed);
	assert_int_equal(hyperv_mem_frames(), frames);
	assert_int_equal(sim_log_warnings, lines + 1);
	assert_non_null(strstr(sim_log_warning, reason));
}

static const struct mem_source *source(unsigned n)
{
	const struct mem_source *s = mem_sources();

	while (s && n-- > 0)
		s = s->next;
	return s;
}

static void expect_source(unsigned n, size_t block, size_t blocks, size_t plugged)
{
	const struct mem_source *s = source(n);

	assert_non_null(s);
	assert_string_equal(s->kind, "hyperv");
	assert_true(s->stays);
	assert_int_equal(s->part.start, REGION + block * B);
	assert_int_equal(s->part.blocks, blocks);
	assert_int_equal(s->plugged, plugged * B);
	assert_int_equal(s->requested, plugged * B);
}

/* ---- Ranges that come ---- */

static void a_range_comes_as_one_source(void **state)
{
	(void)state;
	expect_added(0, 3);
	expect_source(0, 0, 3, 3);
	assert_string_equal(source(0)->name, "range 0");
	assert_null(source(1));
	assert_int_equal(sim_log_infos, 1);
	assert_string_equal(sim_log_info, "memory: Hyper-V brings 6.0 MiB");
	assert_int_equal(mem_fixture_last_event(MEM_EVENT_REQUESTED).argument[0], 3 * B);
	assert_int_equal(mem_fixture_last_event(MEM_EVENT_PLUGGED).argument[1], 3 * B);
	assert_int_equal(mem_fixture_events(MEM_EVENT_ANNOUNCED), 1);
}

static void a_long_range_comes_in_steps(void **state)
{
	(void)state;
	assert_int_equal(add(0, 2 * STEP + 1), 3);
	assert_null(why);
	assert_int_equal(added, (2 * STEP + 1) * B);
	assert_int_equal(mem_fixture_events(MEM_EVENT_PLUGGED), 3);
	expect_source(0, 0, 2 * STEP + 1, 2 * STEP + 1);
	assert_int_equal(add(3 * STEP, STEP), 1);
	assert_int_equal(hyperv_mem_frames(), (3 * STEP + 1) * B);
}

/* Its channel was withdrawn in the midst of it, and is there again. */
static void a_request_after_one_that_never_ended_is_done(void **state)
{
	(void)state;
	request.first = REGION;
	request.count = 2 * STEP * B;
	hyperv_mem_begin(&request);
	assert_true(hyperv_mem_step(&added, &why));
	assert_int_equal(hyperv_mem_frames(), STEP * B);
	assert_int_equal(add(STEP, STEP), 1);
	assert_null(why);
	assert_int_equal(added, STEP * B);
	assert_int_equal(hyperv_mem_frames(), 2 * STEP * B);
	expect_source(0, 0, 2 * STEP, 2 * STEP);
}

static void a_beginning_forgets_all_that_came(void **state)
{
	(void)state;
	expect_added(0, 1);
	expect_added(8, 1);
	hyperv_mem_init();
	assert_null(mem_sources());
	assert_int_equal(hyperv_mem_frames(), 0);
}

/* ---- Where a region ends ---- */

static void the_hosts_region_has_room_for_what_follows(void **state)
{
	(void)state;
	request.region_first = REGION;
	request.region_count = 32 * B;
	expect_added(0, 2);
	expect_source(0, 0, 32, 2);
	expect_added(2, 3);
	expect_added(31, 1);
	expect_source(0, 0, 32, 6);
	assert_null(source(1));
	assert_int_equal(mem_fixture_events(MEM_EVENT_ANNOUNCED), 1);
}

/* The region may have begun where nothing is to come. */
static void a_region_that_begins_before_its_range_ends_where_it_says(void **state)
{
	(void)state;
	request.region_first = REGION - 8 * B;
	request.region_count = 16 * B + B / 2;
	expect_added(4, 1);
	expect_source(0, 4, 4, 1);
}

static void regions_that_do_not_hold_their_range_are_not_believed(void **state)
{
	static const struct {
		pfn_t first;
		uint64_t count;
	} regions[] = {
		{ REGION + B, 100 * B },    { REGION - 8 * B, 8 * B },
		{ REGION - 8 * B, 9 * B },  { 0, 1 },
		{ UINT64_MAX, UINT64_MAX }, { 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(regions); i++) {
		set_up(state);
		request.region_first = regions[i].first;
		request.region_count = regions[i].count;
		expect_added(0, 2);
		expect_source(0, 0, 2, 2);
		if (i + 1 < ARRAY_SIZE(regions))
			mem_fixture_tear_down(state);
	}
}

/* It would take more for its books than there is. */
static void of_a_region_too_large_for_its_books_a_modest_one_is_announced(void **state)
{
	(void)state;
	request.region_first = REGION;
	request.region_count = UINT64_MAX;
	expect_added(0, 2);
	expect_source(0, 0, 512, 2);
	/* A range that is larger than that comes as a whole. */
	expect_added(600, 513);
	expect_source(1, 600, 513, 513);
}

/* Gives every free frame to OWNER_HELD. */
static void take_everything(void)
{
	pfn_t pfn;

	for (unsigned order = FRAME_ORDER_MAX + 1; order-- > 0;)
		while (frame_alloc(order, OWNER_HELD, &pfn) == 0)
			;
	assert_int_equal(ledger_count(OWNER_FREE), 0);
}

static void where_nothing_is_free_what_was_kept_ready_has_the_books(void **state)
{
	(void)state;
	hyperv_mem_prepare();
	take_everything();
	request.frames_max = UINT64_MAX;
	expect_added(0, 64);
	assert_int_equal(sim_log_warnings, 0);
	/* What follows it needs none. */
	take_everything();
	expect_added(64, 64);
	assert_null(source(1));
}

static void what_is_kept_ready_is_kept_once_and_made_up_for(void **state)
{
	uint64_t kept;

	(void)state;
	hyperv_mem_prepare();
	kept = ledger_count(OWNER_FRAME_MAP);
	hyperv_mem_prepare();
	assert_int_equal(ledger_count(OWNER_FRAME_MAP), kept);
	/* With memory that is free none of it is used. */
	expect_added(0, 1);
	assert_true(ledger_count(OWNER_FRAME_MAP) > kept);
	kept = ledger_count(OWNER_FRAME_MAP);
	expect_added(1000, 1);
	assert_true(ledger_count(OWNER_FRAME_MAP) <= kept + 1);
	take_everything();
	expect_added(2000, 1);
}

static void what_was_kept_ready_is_made_up_for_once_memory_of_the_boot_is_free(void **state)
{
	pfn_t pfn;

	(void)state;
	assert_int_equal(frame_alloc_block(PFN_NONE, OWNER_BALLOON, &pfn), 0);
	hyperv_mem_prepare();
	take_everything();
	expect_added(0, 1);
	take_everything();
	/* Nothing is kept any more, nor can be. */
	expect_refused(REGION + 1000 * B, B, "there is no memory for its books");
	assert_int_equal(frame_free(pfn, B, OWNER_BALLOON), 0);
	expect_added(1, 1);
	take_everything();
	expect_added(1000, 1);
}

static void without_anything_kept_ready_it_is_refused_for_now(void **state)
{
	pfn_t pfn;

	(void)state;
	assert_int_equal(frame_alloc_block(PFN_NONE, OWNER_BALLOON, &pfn), 0);
	take_everything();
	expect_refused(REGION, B, "there is no memory for its books");
	assert_int_equal(frame_free(pfn, B, OWNER_BALLOON), 0);
	expect_added(0, 1);
}

static void what_the_guest_may_ever_have_finds_its_place(void **state)
{
	(void)state;
	request.frames_max = ledger_managed() + 40 * B;
	expect_added(0, 2);
	expect_source(0, 0, 40, 2);
}

static void what_the_guest_may_ever_have_costs_little(void **state)
{
	uint64_t managed = ledger_managed();

	(void)state;
	request.frames_max = UINT64_MAX;
	expect_added(0, 2);
	expect_source(0, 0, managed * 64 / B, 2);
}

static void a_range_beyond_what_the_guest_may_have_comes_all_the_same(void **state)
{
	(void)state;
	request.frames_max = ledger_managed();
	expect_added(0, 2);
	expect_source(0, 0, 2, 2);
	request.frames_max = ledger_managed() + B;
	expect_added(8, 2);
	expect_source(1, 8, 2, 2);
}

static bool obstacle_at_4(paddr_t start, paddr_t end)
{
	paddr_t obstacle = pfn_to_paddr(REGION + 4 * B);

	return start <= obstacle && obstacle < end;
}

static void where_something_lies_in_the_region_the_range_alone_comes(void **state)
{
	(void)state;
	memory_region_set_obstacles(obstacle_at_4);
	request.region_first = REGION;
	request.region_count = 32 * B;
	expect_added(0, 2);
	expect_source(0, 0, 2, 2);
	expect_refused(REGION + 2 * B, 3 * B, "something else is mapped there");
}

static void a_range_that_leaves_its_region_goes_on_in_another(void **state)
{
	(void)state;
	request.region_first = REGION;
	request.region_count = 4 * B;
	expect_added(0, 2);
	request.region_count = 0;
	expect_added(2, 5);
	expect_source(0, 0, 4, 4);
	expect_source(1, 4, 3, 3);
	assert_null(source(2));
}

static void what_the_firmware_has_announced_is_used(void **state)
{
	(void)state;
	assert_int_equal(memory_region_announce(REGION, 8), 0);
	request.region_first = REGION;
	request.region_count = 32 * B;
	expect_added(4, 2);
	expect_source(0, 4, 2, 2);
	/* And what lies beyond it is announced. */
	expect_added(6, 4);
	expect_source(0, 4, 4, 4);
	expect_source(1, 8, 24, 2);
}

static void ranges_come_in_any_order_where_that_was_announced(void **state)
{
	(void)state;
	assert_int_equal(memory_region_announce(REGION, 8), 0);
	assert_int_equal(memory_region_announce(REGION + 16 * B, 8), 0);
	expect_added(20, 2);
	expect_added(2, 1);
	expect_added(18, 2);
	expect_source(0, 2, 1, 1);
	expect_source(1, 18, 2, 2);
	expect_source(2, 20, 2, 2);
	assert_null(source(3));
}

/* ---- Ranges that do not come ---- */

static void what_is_no_whole_blocks_is_refused(void **state)
{
	static const char *const reason = "it is not made of whole blocks of 2 MiB";

	(void)state;
	expect_refused(REGION + 1, B, reason);
	expect_refused(REGION, B - 1, reason);
	expect_refused(REGION, B + B / 2, reason);
	expect_refused(REGION, 0, "it is no memory at all");
	assert_null(mem_sources());
}

static void what_no_processor_can_address_is_refused(void **state)
{
	static const char *const reason = "the processor cannot address it";
	pfn_t end = (pfn_t)1 << (47 - FRAME_SHIFT);

	(void)state;
	expect_refused(end, B, reason);
	expect_refused(end - B, 2 * B, reason);
	expect_refused(REGION, UINT64_MAX - B + 1, reason);
	expect_refused(UINT64_MAX - B + 1, B, reason);
	/* Another processor. */
	physical_bits = 45;
	expect_refused(REGION, B, reason);
	physical_bits = 46;
	expect_added(0, 1);
}

static void memory_of_the_boot_is_not_added_again(void **state)
{
	(void)state;
	expect_refused(RAM, B, "that is where memory of the boot lies, or below it");
	assert_null(mem_sources());
}

static void what_is_there_is_not_added_again(void **state)
{
	(void)state;
	request.region_first = REGION;
	request.region_count = 8 * B;
	expect_added(0, 2);
	expect_refused(REGION, 2 * B, "some of it is there already");
	expect_refused(REGION + B, 2 * B, "some of it is there already");
	expect_added(2, 1);
	expect_source(0, 0, 8, 3);
}

/* The first pieces of a range stay when the next one does not come. */
static void what_has_come_of_a_range_is_told(void **state)
{
	(void)state;
	memory_region_set_obstacles(obstacle_at_4);
	request.region_first = REGION;
	request.region_count = 4 * B;
	expect_added(0, 1);
	request.region_count = 0;
	sim_time_advance(NS_PER_S);
	assert_int_equal(add(1, 5), 2);
	assert_int_equal(added, 3 * B);
	assert_string_equal(why, "something else is mapped there");
	assert_int_equal(hyperv_mem_frames(), 4 * B);
	assert_non_null(strstr(sim_log_warning, "of 10.0 MiB at 0x"));
	assert_non_null(strstr(sim_log_warning, ", which Hyper-V adds, 6.0 MiB are used: "));
}

static void where_another_source_is_nothing_comes(void **state)
{
	struct mem_source other = { .kind = "dimm", .part = { REGION, 4, 4 } };

	(void)state;
	assert_int_equal(memory_region_announce(REGION, 4), 0);
	mem_source_add(&other);
	expect_refused(REGION + B, B, "other memory that comes and goes lies there");
	mem_source_remove(&other);
	expect_added(1, 1);
}

/* Not even what that one has not plugged. */
static void a_range_ends_where_another_source_begins(void **state)
{
	struct mem_source other = { .kind = "virtio-mem", .part = { REGION + 4 * B, 4, 1 } };

	(void)state;
	assert_int_equal(memory_region_announce(REGION, 8), 0);
	mem_source_add(&other);
	assert_int_equal(add(2, 5), 2);
	assert_string_equal(why, "other memory that comes and goes lies there");
	assert_int_equal(added, 2 * B);
	expect_source(0, 2, 2, 2);
	assert_int_equal(frame_owner(REGION + 4 * B), OWNER_ABSENT);
	mem_source_remove(&other);
}

/* As many as the frame map tells apart, of which one is the boot's. */
static void ranges_far_from_each_other_come_up_to_the_limit_of_the_map(void **state)
{
	unsigned lines;
	size_t i;

	(void)state;
	for (i = 0; i + 1 < FRAME_SPANS_MAX; i++)
		expect_added(4 * i, 1);
	expect_refused(REGION + 4 * i * B, B, LIMIT);
	expect_source((unsigned)i - 1, 4 * (i - 1), 1, 1);
	/* Nothing about it will change: the host may ask for ever. */
	lines = sim_log_warnings;
	sim_time_advance(10 * NS_PER_S);
	add(4 * i, 1);
	assert_string_equal(why, LIMIT);
	assert_int_equal(sim_log_warnings, lines);
	expect_refused(REGION, 0, "it is no memory at all");
}

/* The second line is about something else, and so near that it is left out: the limit is not. */
static void the_limit_is_told_when_its_line_is_due(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i + 1 < FRAME_SPANS_MAX; i++)
		expect_added(4 * i, 1);
	expect_refused(REGION, 0, "it is no memory at all");
	add(4 * i, 1);
	assert_int_equal(sim_log_warnings, 1);
	expect_refused(REGION + 4 * i * B, B, LIMIT);
}

static void ranges_that_follow_each_other_in_a_region_are_one_source(void **state)
{
	(void)state;
	assert_int_equal(memory_region_announce(REGION, 200), 0);
	for (size_t i = 0; i < 100; i++)
		expect_added(i, 1);
	expect_source(0, 0, 100, 100);
	assert_null(source(1));
	assert_int_equal(mem_fixture_events(MEM_EVENT_ANNOUNCED), 1);
}

/* In a region of somebody else's, where none has to be announced. */
static void there_are_only_so_many_sources(void **state)
{
	(void)state;
	assert_int_equal(memory_region_announce(REGION, 200), 0);
	for (size_t i = 0; i < FRAME_SPANS_MAX; i++)
		expect_added(2 * i, 1);
	expect_refused(REGION + 2 * FRAME_SPANS_MAX * B, B, LIMIT);
	expect_refused(REGION + 300 * B, 0, "it is no memory at all");
	/* What follows one of them comes all the same. */
	expect_added(1, 1);
	expect_added(2 * FRAME_SPANS_MAX - 1, 3);
	expect_source(0, 0, 2, 2);
	expect_source(FRAME_SPANS_MAX - 1, 2 * FRAME_SPANS_MAX - 2, 4, 4);
}

/* Two regions that touch have books of their own. */
static void a_source_does_not_go_on_in_the_next_region(void **state)
{
	(void)state;
	assert_int_equal(memory_region_announce(REGION, 4), 0);
	assert_int_equal(memory_region_announce(REGION + 4 * B, 4), 0);
	expect_added(2, 2);
	expect_added(4, 2);
	expect_source(0, 2, 2, 2);
	expect_source(1, 4, 2, 2);
}

static void lines_about_what_does_not_come_are_a_second_apart(void **state)
{
	(void)state;
	expect_refused(REGION, 0, "it is no memory at all");
	add(0, 0);
	add_frames(RAM, B);
	assert_int_equal(sim_log_warnings, 1);
	expect_refused(REGION, 0, "it is no memory at all");
	assert_int_equal(sim_log_warnings, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, mem_fixture_tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_range_comes_as_one_source),
		TEST(a_long_range_comes_in_steps),
		TEST(a_request_after_one_that_never_ended_is_done),
		TEST(a_beginning_forgets_all_that_came),
		TEST(the_hosts_region_has_room_for_what_follows),
		TEST(a_region_that_begins_before_its_range_ends_where_it_says),
		TEST(regions_that_do_not_hold_their_range_are_not_believed),
		TEST(of_a_region_too_large_for_its_books_a_modest_one_is_announced),
		TEST(where_nothing_is_free_what_was_kept_ready_has_the_books),
		TEST(what_is_kept_ready_is_kept_once_and_made_up_for),
		TEST(what_was_kept_ready_is_made_up_for_once_memory_of_the_boot_is_free),
		TEST(without_anything_kept_ready_it_is_refused_for_now),
		TEST(what_the_guest_may_ever_have_finds_its_place),
		TEST(what_the_guest_may_ever_have_costs_little),
		TEST(a_range_beyond_what_the_guest_may_have_comes_all_the_same),
		TEST(where_something_lies_in_the_region_the_range_alone_comes),
		TEST(a_range_that_leaves_its_region_goes_on_in_another),
		TEST(what_the_firmware_has_announced_is_used),
		TEST(ranges_come_in_any_order_where_that_was_announced),
		TEST(what_is_no_whole_blocks_is_refused),
		TEST(what_no_processor_can_address_is_refused),
		TEST(memory_of_the_boot_is_not_added_again),
		TEST(what_is_there_is_not_added_again),
		TEST(what_has_come_of_a_range_is_told),
		TEST(where_another_source_is_nothing_comes),
		TEST(a_range_ends_where_another_source_begins),
		TEST(ranges_far_from_each_other_come_up_to_the_limit_of_the_map),
		TEST(the_limit_is_told_when_its_line_is_due),
		TEST(ranges_that_follow_each_other_in_a_region_are_one_source),
		TEST(there_are_only_so_many_sources),
		TEST(a_source_does_not_go_on_in_the_next_region),
		TEST(lines_about_what_does_not_come_are_a_second_apart),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, region_fixture_reserve, NULL);
}
