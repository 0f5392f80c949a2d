/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of the balloon on Hyper-V: drivers/balloon/port/hyperv_balloon.c and all below it, against
 * the host that the test hypervisor plays.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/hyperv/hyperv_abi.h"
#include "drivers/mem/hyperv_mem.h"
#include "drivers/mem/mem_source.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "tests/unit/drivers/balloon/port/hyperv_world.h"

static struct hyperv_wish *wish(void)
{
	return &hyperv_control()->wish;
}

static struct hyperv_lie *lie(void)
{
	return &hyperv_control()->lie;
}

static const struct hyperv_seen *seen(void)
{
	return &hyperv_control()->seen;
}

static uint64_t ballooned(void)
{
	return ledger_count(OWNER_BALLOON);
}

static const char *given_up(void)
{
	struct balloon_status status;

	balloon_status(&status);
	return status.broken;
}

static void check(void)
{
	const char *mistake = hyperv_world_mistake();

	if (mistake)
		fail_msg("%s", mistake);
}

/* The guest's start, up to an agreement. */
static void start(void)
{
	assert_int_equal(hyperv_world_start(), 0);
	if (!hyperv_world_await(hyperv_world_is_ready, 5 * NS_PER_S))
		fail_msg("the guest comes to step %u only: %s", seen()->progress,
			 hyperv_world.line);
}

static void reach(uint64_t frames)
{
	if (!hyperv_world_reach(frames))
		fail_msg("%u frames were wanted, and %u are there, %u says the host; %s",
			 (unsigned)frames, (unsigned)ballooned(), (unsigned)seen()->ballooned,
			 given_up() ? given_up() : "it is in use");
	check();
}

/* ---- The start ---- */

static void it_agrees_with_a_host_of_today(void)
{
	struct hyperv_balloon_status status;
	struct vmbus_info info;

	start();
	assert_int_equal(seen()->vmbus_version, VMBUS_VERSION(5, 3));
	assert_int_equal(seen()->dm_version, DM_VERSION(2, 0));
	assert_int_equal(seen()->capabilities, DM_CAP_BALLOON | DM_CAP_HOT_ADD | 1 << 2);
	assert_true(vmbus_get_info(&info));
	assert_int_equal(info.version, VMBUS_VERSION(5, 3));
	assert_true(hyperv_balloon_get_status(&status));
	assert_int_equal(status.version, DM_VERSION(2, 0));
	assert_true(status.running && status.wants_status && status.takes_hints);
	hyperv_world_wait(NS_PER_S / 100);
	assert_true(hyperv_balloon_get_status(&status));
	assert_int_equal(status.pages_max, SIM_RAM_FRAMES);
	assert_int_equal(hyperv_world.lines, 0);
	check();
}

static const struct {
	uint32_t vmbus, dm;
} older[] = {
	{ VMBUS_VERSION(5, 2), DM_VERSION(1, 0) }, { VMBUS_VERSION(5, 1), DM_VERSION(0, 3) },
	{ VMBUS_VERSION(5, 0), DM_VERSION(1, 0) }, { VMBUS_VERSION(4, 1), DM_VERSION(0, 3) },
	{ VMBUS_VERSION(4, 0), DM_VERSION(1, 0) }, { VMBUS_VERSION(3, 0), DM_VERSION(0, 3) },
	{ VMBUS_VERSION(2, 4), DM_VERSION(1, 0) },
};
static size_t age;

static void it_agrees_with_an_older_host(void)
{
	wish()->vmbus_version = older[age].vmbus;
	wish()->dm_version = older[age].dm;
	start();
	assert_int_equal(seen()->vmbus_version, older[age].vmbus);
	assert_int_equal(seen()->dm_version, older[age].dm);
	assert_true(hyperv_world_reach(1234));
	assert_true(hyperv_world_reach(0));
	check();
}

static void other_channels_are_left_alone(void)
{
	struct vmbus_channel_info info;
	char guid[VMBUS_GUID_TEXT_MAX];
	unsigned open = 0, offered = 0;

	wish()->other_channels = 3;
	start();
	for (size_t i = 0; vmbus_get_channel(i, &info); i++) {
		open += info.open;
		offered++;
		vmbus_format_guid(&info.type, guid);
		if (info.open)
			assert_string_equal(guid, "525074dc-8985-46e2-8057-a307dc18a502");
	}
	assert_int_equal(offered, 4);
	assert_int_equal(open, 1);
	assert_true(hyperv_world_reach(100));
	check();
}

static void without_hyperv_there_is_nothing(void)
{
	struct vmbus_info info;

	hyperv_balloon_start();
	assert_int_equal(vmbus_start(), -ENODEV);
	assert_false(vmbus_get_info(&info));
}

static void without_signals_there_is_nothing(void)
{
	wish()->hide_high = HV_ACCESS_HIGH_SIGNAL_EVENTS;
	assert_int_equal(hyperv_world_start(), -ENODEV);
	check();
	assert_int_equal(hyperv_world.lines, 0);
}

static void without_a_synic_there_is_nothing(void)
{
	wish()->hide_low = HV_ACCESS_SYNIC;
	assert_int_equal(hyperv_world_start(), -ENODEV);
	check();
	assert_int_equal(hyperv_world.lines, 0);
}

static void a_hypervisor_without_vmbus_is_passed_in_silence(void)
{
	struct vmbus_info info;

	lie()->post_status = HV_INVALID_CONNECTION;
	assert_int_equal(hyperv_world_start(), 0);
	hyperv_world_wait(NS_PER_S);
	assert_false(vmbus_get_info(&info));
	assert_int_equal(hyperv_world.lines, 0);
	check();
}

/* ---- Giving and taking ---- */

static void frames_go_and_come_exactly(void)
{
	static const uint64_t targets[] = { 1, 511, 512, 513, 5000, 4999, 2048, 0, 8000, 0 };

	start();
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		if (!hyperv_world_reach(targets[i]))
			fail_msg("%u: %u of %u", (unsigned)i, (unsigned)ballooned(),
				 (unsigned)targets[i]);
		check();
	}
	assert_null(given_up());
}

static void frames_come_back_in_the_hosts_own_order(void)
{
	start();
	for (uint32_t order = HYPERV_LOWEST; order <= HYPERV_SINGLES; order++) {
		wish()->order = order;
		wish()->ranges_most = order == HYPERV_SINGLES ? 100 : 0;
		assert_true(hyperv_world_reach(6000));
		assert_true(hyperv_world_reach(3001));
		check();
		assert_true(hyperv_world_reach(0));
		check();
	}
}

static void a_run_is_one_range(void)
{
	start();
	assert_true(hyperv_world_reach(16 * BLOCK_FRAMES));
	assert_int_equal(seen()->responses, 1);
	assert_int_equal(seen()->given_ranges, 1);
	check();
}

static void what_cannot_be_had_is_said(void)
{
	struct hyperv_request_counts counts;

	balloon_set_floor(2000);
	start();
	hv_control.common.target = HYPERV_WORLD_FRAMES;
	hyperv_world_wait(NS_PER_S / 2);
	assert_int_equal(ledger_count(OWNER_FREE), 2000);
	assert_true(seen()->given_short > 0);
	assert_int_equal(seen()->waiting, 0);
	hyperv_requests_get_counts(&counts);
	assert_true(counts.refused > 0);
	assert_null(given_up());
	check();
}

static void take_everything(void)
{
	pfn_t pfns[64];

	while (frame_alloc_bulk(ARRAY_SIZE(pfns), PFN_NONE, OWNER_HELD, pfns) > 0)
		;
}

static void nothing_is_had_where_nothing_is_free(void)
{
	start();
	take_everything();
	hv_control.common.target = 100;
	hyperv_world_wait(NS_PER_S / 2);
	assert_int_equal(ballooned(), 0);
	assert_true(seen()->given_short > 0);
	assert_int_equal(seen()->waiting, 0);
	check();
}

static void requests_of_nothing_and_of_all_are_answered(void)
{
	uint64_t free;

	start();
	free = ledger_count(OWNER_FREE);
	lie()->balloon_count = 1;
	lie()->balloon_pages = 0;
	hyperv_world_wait(NS_PER_S / 10);
	assert_int_equal(seen()->responses, 1);
	assert_int_equal(ballooned(), 0);
	balloon_set_floor(4000);
	lie()->balloon_pages = UINT32_MAX;
	lie()->balloon_count = 2;
	hyperv_world_wait(NS_PER_S);
	/* It gives back at once what it did not want. */
	assert_int_equal(seen()->given, free - 4000);
	assert_int_equal(ballooned(), 0);
	assert_null(given_up());
	assert_int_equal(seen()->requests, 0);
	check();
}

/* ---- What the host is told ---- */

static void the_host_is_told_of_memory_once_a_second(void)
{
	uint64_t used = HYPERV_WORLD_FRAMES - ledger_count(OWNER_FREE), before;

	balloon_set_floor(100);
	start();
	assert_true(hyperv_world_reach(1000));
	hyperv_world_wait(2 * NS_PER_S);
	before = seen()->reports;
	hyperv_world_wait(10 * NS_PER_S);
	assert_int_equal(seen()->reports, before + 10);
	assert_int_equal(seen()->available, ledger_count(OWNER_FREE));
	used = HYPERV_WORLD_FRAMES - ledger_count(OWNER_FREE) - 1000;
	assert_int_equal(seen()->committed, used + 1000 + 100);
	check();
}

static void a_host_that_wants_no_reports_has_none(void)
{
	wish()->no_reports = 1;
	start();
	hyperv_world_wait(5 * NS_PER_S);
	assert_int_equal(seen()->reports, 0);
	check();
}

static void free_memory_is_told_as_cold(void)
{
	start();
	hyperv_world_wait(5 * NS_PER_S);
	assert_true(seen()->hints > 0);
	assert_true(seen()->hint_frames >= 10 * BLOCK_FRAMES);
	check();
}

static void expect_no_ranges(void)
{
	assert_true(balloon_ranges_sent_awake(&balloons->ranges) == DEADLINE_NEVER);
}

static void a_host_that_refuses_hints_is_not_asked_again(void)
{
	struct hyperv_balloon_status status;

	lie()->hint_status = HV_ACCESS_DENIED;
	/* The host has none as it is said. */
	hyperv_world.on_info = expect_no_ranges;
	start();
	hyperv_world_wait(10 * NS_PER_S);
	assert_true(hyperv_balloon_get_status(&status));
	assert_false(status.takes_hints);
	assert_int_equal(hyperv_world.infos, 1);
	assert_null(given_up());
	assert_int_equal(hyperv_world.lines, 0);
	assert_true(hyperv_world_reach(3000));
	check();
}

/* ---- Memory that is added ---- */

static void memory_is_added(void)
{
	const struct mem_source *source;
	uint64_t removable;

	start();
	hyperv_world_wait(NS_PER_S / 10);
	wish()->added = 4 * BLOCK_FRAMES;
	hyperv_world_wait(NS_PER_S / 10);
	assert_int_equal(seen()->added, 4 * BLOCK_FRAMES);
	assert_int_equal(hyperv_mem_frames(), 4 * BLOCK_FRAMES);
	assert_int_equal(ledger_managed(), HYPERV_WORLD_FRAMES + 4 * BLOCK_FRAMES);
	wish()->added = HYPERV_WORLD_SPARE;
	hyperv_world_wait(NS_PER_S / 10);
	assert_int_equal(hyperv_mem_frames(), HYPERV_WORLD_SPARE);
	assert_int_equal(seen()->hot_add_result, DM_HOT_ADD_DONE);
	/* One region, for both. */
	source = mem_sources();
	assert_non_null(source);
	assert_string_equal(source->kind, "hyperv");
	assert_int_equal(source->plugged, HYPERV_WORLD_SPARE);
	assert_int_equal(source->requested, HYPERV_WORLD_SPARE);
	assert_null(source->next);
	/* Nothing of it will ever be asked back. */
	assert_true(mem_removable(&removable));
	assert_int_equal(removable, 0);
	reach(SIM_RAM_FRAMES - 3000);
	reach(0);
}

/* As where all of it is in use, and more is what would help. */
static void memory_is_added_where_nothing_is_free(void)
{
	start();
	hyperv_world_wait(NS_PER_S / 10);
	take_everything();
	assert_int_equal(ledger_count(OWNER_FREE), 0);
	wish()->added = 4 * BLOCK_FRAMES;
	hyperv_world_wait(NS_PER_S / 10);
	assert_int_equal(hyperv_mem_frames(), 4 * BLOCK_FRAMES);
	assert_int_equal(seen()->hot_add_result, DM_HOT_ADD_DONE);
	assert_int_equal(hyperv_world.lines, 0);
	check();
}

static void memory_is_added_without_a_region(void)
{
	wish()->no_region = 1;
	start();
	for (unsigned i = 1; i <= 4; i++) {
		wish()->added = i * BLOCK_FRAMES;
		hyperv_world_wait(NS_PER_S / 10);
		assert_int_equal(hyperv_mem_frames(), i * BLOCK_FRAMES);
	}
	assert_null(mem_sources()->next);
	check();
}

/* Whatever the host says the guest may ever have: what follows finds its place in it, too. */
static void a_region_ends_where_addresses_do(void)
{
	const struct mem_source *source;

	hyperv_world.physical_bits = 29;
	wish()->no_region = 1;
	wish()->pages_max = UINT64_C(1) << 40;
	start();
	wish()->added = 2 * BLOCK_FRAMES;
	hyperv_world_wait(NS_PER_S / 10);
	assert_int_equal(hyperv_mem_frames(), 2 * BLOCK_FRAMES);
	source = mem_sources();
	assert_int_equal(frame_region_part_end(&source->part), UINT64_C(1) << (29 - FRAME_SHIFT));
	check();
}

static void what_cannot_be_added_is_refused_with_a_line(void)
{
	static const struct {
		uint64_t first, frames;
	} wrong[] = {
		{ HYPERV_WORLD_FIRST, 1024 },
		{ HYPERV_WORLD_FIRST + 512, 512 },
		{ 0, 512 },
		{ HYPERV_WORLD_FIRST + HYPERV_WORLD_FRAMES - 512, 1024 },
		{ HYPERV_WORLD_FIRST + HYPERV_WORLD_FRAMES + 1, 512 },
		{ HYPERV_WORLD_FIRST + HYPERV_WORLD_FRAMES, 511 },
		{ HYPERV_WORLD_FIRST + HYPERV_WORLD_FRAMES, 1023 },
		{ HYPERV_WORLD_FIRST + HYPERV_WORLD_FRAMES, 0 },
		{ (UINT64_C(1) << 40) - 512, 1024 },
	};

	start();
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		uint64_t managed = ledger_managed();

		lie()->hot_add_first = wrong[i].first;
		lie()->hot_add_frames = wrong[i].frames;
		lie()->hot_add_count = (uint32_t)i + 1;
		hyperv_world_wait(2 * NS_PER_S);
		assert_int_equal(seen()->hot_add_lies, i + 1);
		assert_int_equal(seen()->hot_add_pages, 0);
		/* Or the host would never add anything again. */
		assert_int_equal(seen()->hot_add_result, 0);
		assert_int_equal(hyperv_world.lines, i + 1);
		assert_non_null(strstr(hyperv_world.line, "which Hyper-V adds, 0 B are used: "));
		assert_int_equal(ledger_managed(), managed);
		check();
	}
	assert_null(given_up());
}

/* ---- The end, and a new beginning ---- */

static bool is_withdrawn(void)
{
	return given_up();
}

static bool is_back(void)
{
	return !given_up() && hyperv_world_is_ready();
}

static void a_channel_that_is_offered_anew_is_used_again(void)
{
	start();
	assert_true(hyperv_world_reach(3000));
	for (unsigned i = 1; i <= 3; i++) {
		wish()->no_dm = 1;
		assert_true(hyperv_world_await(is_withdrawn, NS_PER_S));
		assert_int_equal(hyperv_world.lines, i);
		assert_string_equal(hyperv_world.line,
				    "balloon: Hyper-V is not asked any more: the host has "
				    "withdrawn the channel");
		assert_int_equal(ballooned(), 3000);
		hyperv_world_wait(NS_PER_S);
		assert_int_equal(seen()->releases, i);
		wish()->no_dm = 0;
		assert_true(hyperv_world_await(is_back, 5 * NS_PER_S));
		hyperv_world_wait(NS_PER_S);
		assert_int_equal(ballooned(), 3000);
		check();
	}
	assert_true(hyperv_world_reach(1000));
	assert_true(hyperv_world_reach(0));
	check();
}

/* The host gives back what it was never given, and so loses its channel; then it behaves. */
static void be_given_up(void)
{
	start();
	assert_true(hyperv_world_reach(1000));
	lie()->ranges = HYPERV_RANGE_NOT_GIVEN;
	hv_control.common.target = 0;
	assert_true(hyperv_world_await(is_withdrawn, NS_PER_S));
	hyperv_world_behave();
	hv_control.common.target = 1000;
}

static void a_channel_that_is_closed_says_what_the_host_did(void)
{
	struct vmbus_channel_info info;

	be_given_up();
	assert_true(vmbus_get_channel(0, &info));
	assert_false(info.open);
	assert_string_equal(info.closed, "it gives back frames that are not in the balloon");
}

static struct {
	bool done;
	int err;
	unsigned releases; /* of channels, by then */
} retry;

static void try_again(void *arg)
{
	const char *why;

	(void)arg;
	retry.err = balloon_retry(balloons, &why);
	retry.releases = seen()->releases;
	retry.done = true;
}

static bool is_tried(void)
{
	return retry.done;
}

/* Once it is released its place may be another channel's: so whoever opens it is done by then. */
static void a_channel_may_go_and_come_while_a_person_tries_it_again(void)
{
	be_given_up();
	lie()->silent = HYPERV_BIT(HYPERV_GPADL_CREATED);
	retry.done = false;
	assert_int_equal(task_create("retry", TASK_PRIORITY_BACKGROUND, try_again, NULL), 0);
	hyperv_world_wait(50 * NS_PER_MS);
	assert_false(retry.done);
	wish()->no_dm = 1;
	assert_true(hyperv_world_await(is_tried, 100 * NS_PER_MS));
	assert_int_equal(retry.err, -ENODEV);
	assert_int_equal(retry.releases, 0);
	hyperv_world_wait(100 * NS_PER_MS);
	assert_int_equal(seen()->releases, 1);
	lie()->silent = 0;
	wish()->no_dm = 0;
	assert_true(hyperv_world_await(is_back, 5 * NS_PER_S));
}

/* It is used by then: the task that follows the offers has nothing to wait for. */
static void a_person_may_be_quicker_than_the_offer(void)
{
	const char *why;

	start();
	wish()->no_dm = 1;
	assert_true(hyperv_world_await(is_withdrawn, NS_PER_S));
	hyperv_world_wait(NS_PER_S);
	/* As if the last one's task were not through. */
	balloons->task_running = true;
	wish()->no_dm = 0;
	hyperv_world_wait(NS_PER_S);
	balloons->task_running = false;
	assert_int_equal(balloon_retry(balloons, &why), 0);
	hyperv_world_wait(NS_PER_S);
	wish()->no_dm = 1;
	hyperv_world_wait(NS_PER_S);
	assert_int_equal(seen()->releases, 2);
	check();
}

static void a_channel_that_comes_later_is_used(void)
{
	wish()->no_dm = 1;
	assert_int_equal(hyperv_world_start(), 0);
	hyperv_world_wait(3 * NS_PER_S);
	wish()->no_dm = 0;
	assert_true(hyperv_world_await(hyperv_world_is_ready, NS_PER_S));
	assert_true(hyperv_world_reach(500));
	assert_int_equal(hyperv_world.lines, 0);
	check();
}

/* ---- What is tried again ---- */

static void start_without_a_channel(void)
{
	wish()->no_dm = 1;
	assert_int_equal(hyperv_world_start(), 0);
	hyperv_world_wait(3 * NS_PER_S);
}

static void a_channel_for_whose_rings_there_is_no_memory_is_tried_again(void)
{
	pfn_t block;

	start_without_a_channel();
	assert_int_equal(frame_alloc(BLOCK_ORDER, OWNER_KERNEL, &block), 0);
	take_everything();
	wish()->no_dm = 0;
	hyperv_world_wait(2 * NS_PER_S);
	assert_int_equal(seen()->opens, 0);
	assert_true(hyperv_world.lines > 0 && hyperv_world.infos > 0);
	assert_int_equal(frame_free(block, BLOCK_FRAMES, OWNER_KERNEL), 0);
	assert_true(hyperv_world_await(hyperv_world_is_ready, 10 * NS_PER_S));
	assert_true(hyperv_world_reach(100));
	check();
}

/* Nor is a line said again and again, for ever. */
static void what_is_never_there_is_not_tried_for_ever(void)
{
	unsigned infos;

	start_without_a_channel();
	take_everything();
	wish()->no_dm = 0;
	hyperv_world_wait(200 * NS_PER_S);
	infos = hyperv_world.infos;
	assert_int_equal(infos, 8);
	assert_int_equal(hyperv_world.lines, 8);
	hyperv_world_wait(1000 * NS_PER_S);
	assert_int_equal(hyperv_world.infos, infos);
}

/* What it has said to the first try is lost: it is to begin anew itself. */
static void a_host_that_does_not_answer_is_tried_again_when_it_offers_anew(void)
{
	lie()->silent = HYPERV_BIT(HYPERV_DM_VERSION);
	assert_int_equal(hyperv_world_start(), 0);
	hyperv_world_wait(10 * NS_PER_S);
	assert_int_equal(seen()->opens, 1);
	assert_int_equal(hyperv_world.infos, 1);
	hyperv_world_behave();
	hyperv_world_wait(100 * NS_PER_S);
	assert_int_equal(seen()->opens, 1);
	wish()->no_dm = 1;
	hyperv_world_wait(NS_PER_S);
	wish()->no_dm = 0;
	assert_true(hyperv_world_await(hyperv_world_is_ready, NS_PER_S));
	check();
}

static bool is_tried_by(uint32_t relid)
{
	struct vmbus_channel_info info;

	for (size_t i = 0; vmbus_get_channel(i, &info); i++)
		if (info.relid == relid)
			return info.open || info.closed;
	return false;
}

static bool is_second_tried(void)
{
	return is_tried_by(1000);
}

static void a_second_channel_is_used_once_the_first_has_gone(void)
{
	const struct vmbus_offer offer = { .header = { .type = VMBUS_OFFER },
					   .type = DM_GUID,
					   .relid = 1000 };
	struct hyperv_push *push = &hyperv_control()->push;

	start();
	/* The host knows nothing of it. */
	hyperv_world.blind = true;
	memcpy(push->bytes, &offer, VMBUS_OFFER_BYTES);
	push->length = VMBUS_OFFER_BYTES;
	push->number++;
	hyperv_world_wait(5 * NS_PER_S);
	assert_int_equal(hyperv_world.infos, 1);
	assert_false(is_second_tried());
	wish()->no_dm = 1;
	assert_true(hyperv_world_await(is_second_tried, 10 * NS_PER_S));
}

static void the_end_leaves_the_host_no_pointers(void)
{
	start();
	assert_true(hyperv_world_reach(1000));
	vmbus_unload();
	assert_int_equal(seen()->unloads, 1);
	assert_int_equal(seen()->closes, 1);
	assert_int_equal(ballooned(), 1000);
	check();
}

/* As where a console that nobody reads holds up the last line: tasks have turns meanwhile. */
static void after_the_end_no_hints_are_given(void)
{
	uint64_t hints;

	start();
	vmbus_unload();
	hints = seen()->hints;
	hyperv_world_wait(5 * NS_PER_S);
	assert_int_equal(seen()->hints, hints);
	assert_int_equal(hyperv_world.infos, 0);
	assert_null(given_up());
	check();
}

static void hosts_that_never_interrupt_are_looked_at(void)
{
	hyperv_world.no_interrupts = true;
	assert_int_equal(hyperv_world_start(), 0);
	assert_true(hyperv_world_await(hyperv_world_is_ready, 5 * NS_PER_S));
	assert_true(hyperv_world_reach(2000));
	assert_true(hyperv_world_reach(0));
	assert_int_equal(hyperv_world.lines, 0);
	check();
}

static void what_one_request_brings_fits_a_ring_that_is_not_read(void)
{
	start();
	wish()->ask_most = 1;
	lie()->unread = 1;
	hv_control.common.target = 5000;
	hyperv_world_wait(5 * NS_PER_S);
	/* Its ring has room for what one request brings. */
	assert_null(given_up());
	hyperv_world_behave();
	assert_true(hyperv_world_reach(0));
	check();
}

/* ---- The program ---- */

static void run(void *arg)
{
	void (*test)(void) = arg;

	test();
}

static void live(void *test)
{
	const char *mistake;

	hyperv_world_begin();
	sim_tasks_run(run, test);
	mistake = hyperv_world_end();
	if (mistake)
		fail_msg("at the end: %s", mistake);
}

static void in_a_task(void **state)
{
	live(*state);
}

static void it_agrees_with_older_hosts(void **state)
{
	(void)state;
	for (age = 0; age < ARRAY_SIZE(older); age++)
		live((void *)(uintptr_t)it_agrees_with_an_older_host);
}

#define TEST(name) \
	{ \
#name, in_a_task, NULL, NULL, (void *)(uintptr_t)name \
	}

static int reserve(void **state)
{
	(void)state;
	return hyperv_world_reserve();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(it_agrees_with_a_host_of_today),
		cmocka_unit_test(it_agrees_with_older_hosts),
		TEST(other_channels_are_left_alone),
		TEST(without_hyperv_there_is_nothing),
		TEST(without_signals_there_is_nothing),
		TEST(without_a_synic_there_is_nothing),
		TEST(a_hypervisor_without_vmbus_is_passed_in_silence),
		TEST(frames_go_and_come_exactly),
		TEST(frames_come_back_in_the_hosts_own_order),
		TEST(a_run_is_one_range),
		TEST(what_cannot_be_had_is_said),
		TEST(nothing_is_had_where_nothing_is_free),
		TEST(requests_of_nothing_and_of_all_are_answered),
		TEST(the_host_is_told_of_memory_once_a_second),
		TEST(a_host_that_wants_no_reports_has_none),
		TEST(free_memory_is_told_as_cold),
		TEST(a_host_that_refuses_hints_is_not_asked_again),
		TEST(memory_is_added),
		TEST(memory_is_added_where_nothing_is_free),
		TEST(memory_is_added_without_a_region),
		TEST(a_region_ends_where_addresses_do),
		TEST(what_cannot_be_added_is_refused_with_a_line),
		TEST(a_channel_that_is_offered_anew_is_used_again),
		TEST(a_channel_that_is_closed_says_what_the_host_did),
		TEST(a_channel_may_go_and_come_while_a_person_tries_it_again),
		TEST(a_person_may_be_quicker_than_the_offer),
		TEST(a_channel_that_comes_later_is_used),
		TEST(a_channel_for_whose_rings_there_is_no_memory_is_tried_again),
		TEST(what_is_never_there_is_not_tried_for_ever),
		TEST(a_host_that_does_not_answer_is_tried_again_when_it_offers_anew),
		TEST(a_second_channel_is_used_once_the_first_has_gone),
		TEST(the_end_leaves_the_host_no_pointers),
		TEST(after_the_end_no_hints_are_given),
		TEST(hosts_that_never_interrupt_are_looked_at),
		TEST(what_one_request_brings_fits_a_ring_that_is_not_read),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, reserve, NULL);
}
