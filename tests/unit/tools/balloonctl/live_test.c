/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl dump --live of a guest with a frame map: the real mm/ code in the process of a
 * fake QEMU, whose memory is the guest's, at the addresses where it is, but for the root,
 * which is put where a kernel has it. Each piece takes so long that the guest runs in
 * between, and may move frames.
 */
#include "tests/unit/mm/region_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kernel/dump.h"
#include "kernel/lib/epitaph.h"
#include "kernel/lib/events.h"
#include "mm/frame_map.h"
#include "tests/schema/assert_fits.h"
#include "tools/balloonctl/balloonctl.h"
#undef MIB
#include "tests/unit/tools/balloonctl/fake_qemu.h"

#define ROOT_PADDR 0x123000u
#define PEEK_MS 70 /* more than half of what a guest may stand still */

struct epitaph panic_epitaph = { .version = EPITAPH_VERSION, .size = sizeof(struct epitaph) };

#define TEST_EVENTS(EVENT) EVENT(TEST_EVENT, "test", "", "")
EVENTS_DECLARE(test, TEST_EVENTS)
EVENTS_DEFINE(test, TEST_EVENTS);

/* ---- in the fake's process ---- */

/* After so many times that it may run again the root is damaged; 0: it never is. */
static unsigned resumes_left;
static bool is_damaged;

/* Where nothing is mapped there are zeros. */
static void give_memory(uint64_t paddr, uint8_t *to, size_t size)
{
	struct dump_root root = dump_root;

	memset(to, 0, size);
	for (size_t at = 0; at < size; at += DUMP_PAGE) {
		struct iovec local = { to + at, DUMP_PAGE };
		struct iovec remote = { (void *)(uintptr_t)(paddr + at), DUMP_PAGE };

		if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != DUMP_PAGE)
			memset(to + at, 0, DUMP_PAGE);
	}
	root.self = ROOT_PADDR;
	root.version += is_damaged;
	if (paddr <= ROOT_PADDR && ROOT_PADDR - paddr < size)
		memcpy(to + (ROOT_PADDR - paddr), &root, sizeof(root));
}

static void damage_late(void)
{
	is_damaged |= resumes_left && --resumes_left == 0;
}

static void move_frames(void)
{
	pfn_t pfn;

	assert_int_equal(frame_alloc(3, OWNER_HEAP, &pfn), 0);
}

/* ---- here ---- */

static int start(void **state)
{
	(void)state;
	fixture_start_one(256, 40 * BLOCK_FRAMES);
	fixture_reserve(256, 100, OWNER_KERNEL);
	return 0;
}

static void guest_that_rests_is_told_as_it_is(void **state)
{
	const struct fake_qemu qemu = { .peek = give_memory };
	struct outcome got = RUN_AGAINST(&qemu, "dump", "--live", "--verbose");

	(void)state;
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, "  kernel                400 kB        100 frames\n");
	assert_says(got.out, "Ledger: ok (");
	assert_says(got.err, "of the guest's memory; it stood still ");
	got = RUN_AGAINST(&qemu, "dump", "--live", "--json");
	assert_int_equal(got.status, EXIT_REACHED);
	assert_fits("balloonctl-dump", got.out);
	got = RUN_AGAINST(&qemu, "dump", "--live", "--pfn", "300");
	assert_string_equal(got.out, "Frame 0x12c: kernel\n");
	got = RUN_AGAINST(&qemu, "dump", "--live", "--pfn", "0", "--json");
	assert_int_equal(got.status, EXIT_REACHED);
	assert_fits("balloonctl-dump-pfn", got.out);
}

/* What is not plugged cannot be read; some of the map lies in what is. */
static void guest_that_has_grown_is_told_as_it_is(void **state)
{
	const struct fake_qemu qemu = { .peek = give_memory };
	const pfn_t region = RAM + 16 * BLOCK_FRAMES;
	struct outcome got;
	pfn_t pfn;

	(void)state;
	region_fixture_boot(8 * BLOCK_FRAMES);
	region_announce(region, 300);
	while (frame_alloc(0, OWNER_HELD, &pfn) == 0)
		;
	region_plug(region + 2 * BLOCK_FRAMES, 3);
	region_plug(region + 200 * BLOCK_FRAMES, 1);
	fixture_reserve(region + 3 * BLOCK_FRAMES, 700, OWNER_UNPLUGGED);
	assert_true(frame_map.sections_outside > 0);
	got = RUN_AGAINST(&qemu, "dump", "--live");
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, "MemTotal:            24576 kB\n");
	assert_says(got.out, "  unplugged            2800 kB        700 frames\n");
	assert_says(got.out, "Ledger: ok (6144 frames)\n");
	got = RUN_AGAINST(&qemu, "dump", "--live", "--pfn", "0x200002000");
	assert_string_equal(got.out, "Frame 0x200002000: absent\n");
	got = RUN_AGAINST(&qemu, "dump", "--live", "--pfn", "0x200002600");
	assert_string_equal(got.out, "Frame 0x200002600: unplugged\n");
}

static void guest_that_ran_in_between_and_moved_nothing_is_whole(void **state)
{
	const struct fake_qemu qemu = { .peek = give_memory, .peek_ms = PEEK_MS };
	struct outcome got = RUN_AGAINST(&qemu, "dump", "--live");

	(void)state;
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.err, " parts, between which the guest ran and moved no frame\n");
	assert_says(got.out, "Ledger: ok (");
}

static void what_moved_in_between_is_said(void **state)
{
	const struct fake_qemu qemu = { .peek = give_memory,
					.peek_ms = PEEK_MS,
					.resumed = move_frames };
	struct outcome got = RUN_AGAINST(&qemu, "dump", "--live");

	(void)state;
	assert_says(got.err, "between which the guest ran and moved free -");
	assert_says(got.err, ", heap +");
	assert_says(got.err, ": a map can look broken by that alone\n");
	/* The counters were read first, then the map, in which there is more by now. */
	assert_int_equal(got.status, EXIT_WRONG);
	assert_says(got.out, "Ledger: BROKEN");
}

static unsigned parts_of(const struct outcome *got)
{
	const char *at = strstr(got->err, "the map was read in ");
	unsigned parts = 0;

	assert_non_null(at);
	assert_int_equal(sscanf(at, "the map was read in %u parts", &parts), 1);
	return parts;
}

/* The second look, for what moved, is part of the reading: but what is known is shown. */
static void second_look_that_fails_is_told(void **state)
{
	const struct fake_qemu whole = { .peek = give_memory, .peek_ms = PEEK_MS };
	struct outcome got = RUN_AGAINST(&whole, "dump", "--live");
	struct fake_answer answers[] = { { .asks = "\"cont\"", .times = parts_of(&got) },
					 { .asks = "\"cont\"", .error = "GenericError" },
					 { .asks = NULL } };
	const struct fake_qemu refuses = { .peek = give_memory,
					   .peek_ms = PEEK_MS,
					   .answers = answers };
	const struct fake_qemu damaged = { .peek = give_memory,
					   .peek_ms = PEEK_MS,
					   .resumed = damage_late };

	(void)state;
	resumes_left = answers[0].times;
	got = RUN_AGAINST(&refuses, "dump", "--live");
	assert_int_equal(got.status, EXIT_WRONG);
	assert_string_equal(got.out, "");
	assert_says(got.err, "QEMU refuses 'cont'");
	got = RUN_AGAINST(&damaged, "dump", "--live");
	resumes_left = 0;
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, "Ledger: ok (");
	assert_null(strstr(got.err, " parts"));
}

#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, start, fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(guest_that_rests_is_told_as_it_is),
		LIVE_TEST(guest_that_has_grown_is_told_as_it_is),
		LIVE_TEST(guest_that_ran_in_between_and_moved_nothing_is_whole),
		LIVE_TEST(what_moved_in_between_is_said),
		LIVE_TEST(second_look_that_fails_is_told),
	};

	return cmocka_run_group_tests_name("balloonctl/live", tests, region_fixture_reserve, NULL);
}
