/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest suffers from, by two readings: as a Linux guest of 384 MiB (6.12, MGLRU) showed
 * it in eight phases, the rows of the table that the tags were published with, and the edges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/lib/types.h"
#include "kernel/situation.h"

#define TOTAL (384 * MIB)

/* The counters that QEMU's guest-stats has of a Linux guest, in what they moved, in KiB. */
struct phase {
	uint64_t ms, kills, stalls, async_scans, async_reclaims, direct_scans, direct_reclaims;
	uint64_t swap_in, swap_out, major_faults;
};

static struct reading before, now;
static struct situation result;

static int set_up(void **state)
{
	(void)state;
	before = now = (struct reading){ 0 };
	return 0;
}

static void moved(enum reading_value which, uint64_t by)
{
	reading_set(&before, which, 1000000);
	reading_set(&now, which, 1000000 + by);
}

/* QEMU 7.2 knows the tags up to 9. */
static void read_old_tags(const struct phase *phase)
{
	reading_set(&before, READING_TOTAL, TOTAL);
	reading_set(&now, READING_TOTAL, TOTAL);
	moved(READING_SWAP_IN, phase->swap_in * KIB);
	moved(READING_SWAP_OUT, phase->swap_out * KIB);
	moved(READING_MAJOR_FAULTS, phase->major_faults);
}

static void read_host(const struct phase *phase)
{
	read_old_tags(phase);
	moved(READING_OOM_KILLS, phase->kills);
	moved(READING_STALLS, phase->stalls);
	moved(READING_ASYNC_SCANS, phase->async_scans * KIB);
	moved(READING_ASYNC_RECLAIMS, phase->async_reclaims * KIB);
	moved(READING_DIRECT_SCANS, phase->direct_scans * KIB);
	moved(READING_DIRECT_RECLAIMS, phase->direct_reclaims * KIB);
}

/* And what only our guest knows. */
static void read_own(const struct phase *phase, uint64_t refault_kib, uint64_t limit,
		     uint64_t balloon, uint64_t disk)
{
	read_host(phase);
	moved(READING_REFAULTS, refault_kib * KIB);
	moved(READING_LIMIT_STALLS, limit);
	moved(READING_BALLOON_STALLS, balloon);
	moved(READING_DISK_STALLS, disk);
}

static void assert_is(uint64_t ms, enum situation_kind kind, enum sureness sureness)
{
	result = situation_between(&before, &now, ms);
	assert_string_equal(situation_word(result.kind), situation_word(kind));
	assert_string_equal(sureness_word(result.sureness), sureness_word(sureness));
}

static void assert_host(struct phase phase, enum situation_kind kind, enum sureness sureness)
{
	set_up(NULL);
	read_host(&phase);
	assert_is(phase.ms, kind, sureness);
}

/* ---- What Linux showed ---- */

static void a_file_read_again_from_disk_is_effective_reclaim(void **state)
{
	(void)state;
	assert_host((struct phase){ 4700, 0, 236, 670464, 670464, 60416, 60416, 0, 0, 0 },
		    SITUATION_EFFECTIVE, SURENESS_LIKELY);
}

/* Invisible, though tasks wait for 18 % of the time: so it is not said to be sure. */
static void a_groups_limit_of_linux_is_seen_by_none_of_the_tags(void **state)
{
	(void)state;
	assert_host((struct phase){ 1900, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, SITUATION_NONE,
		    SURENESS_LIKELY);
}

static void memory_full_of_tmpfs_is_no_pressure_yet(void **state)
{
	(void)state;
	assert_host((struct phase){ 4000, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, SITUATION_NONE,
		    SURENESS_LIKELY);
}

static void a_file_read_beside_tmpfs_is_effective_reclaim(void **state)
{
	(void)state;
	assert_host((struct phase){ 4600, 0, 111, 208128, 208128, 28416, 28416, 0, 0, 0 },
		    SITUATION_EFFECTIVE, SURENESS_LIKELY);
}

/* What goes out to swap, and does not come back. */
static void memory_that_goes_to_swap_is_effective_reclaim(void **state)
{
	(void)state;
	assert_host((struct phase){ 3000, 0, 43, 126724, 126604, 11008, 11008, 504, 120000, 0 },
		    SITUATION_EFFECTIVE, SURENESS_LIKELY);
}

/*
 * Every page that is reclaimed comes straight back, and the ratio is 1: 74,742 refaults for
 * 74,496 pages freed. For the host it is what is swapped in that tells.
 */
static void tmpfs_read_back_thrashes_though_the_ratio_is_one(void **state)
{
	const struct phase phase = {
		3300, 0, 294, 220416, 220416, 75264, 75264, 298968, 290000, 0
	};

	(void)state;
	assert_host(phase, SITUATION_THRASHING, SURENESS_LIKELY);
	set_up(NULL);
	read_own(&phase, 74742 * 4, 0, 0, 0);
	assert_is(phase.ms, SITUATION_THRASHING, SURENESS_SURE);
	/* Less than half of it. */
	set_up(NULL);
	read_own(&phase, 147000, 0, 0, 0);
	assert_is(phase.ms, SITUATION_EFFECTIVE, SURENESS_SURE);
}

static void two_readers_of_more_than_memory_thrash_by_the_ratio(void **state)
{
	(void)state;
	assert_host((struct phase){ 17800, 0, 1078, 2068452, 2064588, 2577060, 273992, 0, 0, 0 },
		    SITUATION_THRASHING, SURENESS_SURE);
}

static void kills_are_critical(void **state)
{
	(void)state;
	assert_host((struct phase){ 13200, 2, 712, 540764, 310232, 158464, 81144, 0, 0, 0 },
		    SITUATION_CRITICAL, SURENESS_SURE);
	/* But for them: half of what was scanned. */
	assert_host((struct phase){ 13200, 0, 712, 540764, 310232, 158464, 81144, 0, 0, 0 },
		    SITUATION_STRUGGLING, SURENESS_LIKELY);
}

/* ---- The table ---- */

static void a_kill_alone_is_critical(void **state)
{
	(void)state;
	assert_host((struct phase){ .ms = 10000, .kills = 1 }, SITUATION_CRITICAL, SURENESS_SURE);
}

/* Stalls, and next to nothing scanned: which it is, only the guest itself can tell. */
static void stalls_without_scans_are_not_the_machines_memory(void **state)
{
	const struct phase phase = {
		.ms = 10000, .stalls = 200, .direct_scans = 32, .direct_reclaims = 32
	};
	static const struct {
		uint64_t limit, balloon, disk;
		enum stall_cause cause;
		const char *words;
	} rows[] = {
		{ 200, 0, 0, STALL_LIMIT, "waits at a task's own limit" },
		{ 0, 200, 0, STALL_BALLOON, "waits for the balloon" },
		{ 10, 20, 170, STALL_DISK, "waits for a slow disk" },
		{ 0, 100, 0, STALL_BALLOON, "waits for the balloon" },
	};

	(void)state;
	assert_host(phase, SITUATION_STALLS, SURENESS_LIKELY);
	assert_int_equal(result.cause, STALL_UNKNOWN);
	assert_string_equal(situation_words(&result),
			    "waits for a limit, the balloon or a slow disk");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		set_up(NULL);
		read_own(&phase, 0, rows[i].limit, rows[i].balloon, rows[i].disk);
		assert_is(phase.ms, SITUATION_STALLS, SURENESS_SURE);
		assert_int_equal(result.cause, rows[i].cause);
		assert_string_equal(situation_words(&result), rows[i].words);
	}
}

/* Background reclaim that goes on beside it makes it no global pressure. */
static void a_tasks_limit_is_told_from_scans_in_the_background(void **state)
{
	const struct phase phase = {
		.ms = 10000, .stalls = 500, .async_scans = 100000, .async_reclaims = 99000
	};

	(void)state;
	assert_host(phase, SITUATION_STALLS, SURENESS_LIKELY);
	set_up(NULL);
	read_own(&phase, 0, 490, 0, 0);
	assert_is(phase.ms, SITUATION_STALLS, SURENESS_SURE);
	assert_int_equal(result.cause, STALL_LIMIT);
}

/* Who waits for nothing else waits for memory, and there is nothing to reclaim. */
static void stalls_that_nothing_explains_are_a_struggle(void **state)
{
	const struct phase phase = { .ms = 1000, .stalls = 200 };

	(void)state;
	read_own(&phase, 0, 10, 80, 9);
	assert_is(phase.ms, SITUATION_STRUGGLING, SURENESS_SURE);
}

static void direct_scans_that_succeed_are_effective_reclaim(void **state)
{
	const struct phase phase = { 10000, 0, 200, 900000, 890000, 100000, 95000, 0, 0, 0 };

	(void)state;
	read_own(&phase, 0, 0, 0, 0);
	assert_is(phase.ms, SITUATION_EFFECTIVE, SURENESS_SURE);
}

/* With a disk that is slow: its stalls are part of it. */
static void direct_scans_that_fail_are_thrashing(void **state)
{
	const struct phase phase = { 10000, 0, 200, 900000, 890000, 100000, 29000, 0, 0, 0 };

	(void)state;
	read_own(&phase, 0, 0, 0, 150);
	assert_is(phase.ms, SITUATION_THRASHING, SURENESS_SURE);
}

static void background_reclaim_that_finds_nothing_is_told(void **state)
{
	/* A 64th of memory a second. */
	const struct phase phase = { .ms = 10000, .async_scans = 61440, .async_reclaims = 100 };

	(void)state;
	assert_host(phase, SITUATION_VAIN, SURENESS_SURE);
	assert_string_equal(situation_words(&result), "background reclaim finds nothing");
	/* One that finds something does what it is for. */
	assert_host((struct phase){ .ms = 10000, .async_scans = 61440, .async_reclaims = 18432 },
		    SITUATION_NONE, SURENESS_LIKELY);
	/* Nor are a few pages worth a word. */
	assert_host((struct phase){ .ms = 10000, .async_scans = 39000 }, SITUATION_NONE,
		    SURENESS_LIKELY);
}

/* ---- Thresholds ---- */

static void five_stalls_a_second_are_not_high_yet(void **state)
{
	struct phase phase = {
		.ms = 2000, .stalls = 10, .direct_scans = 100000, .direct_reclaims = 10
	};

	(void)state;
	assert_host(phase, SITUATION_NONE, SURENESS_LIKELY);
	phase.stalls = 11;
	assert_host(phase, SITUATION_THRASHING, SURENESS_SURE);
}

/* 1 % of 384 MiB in two seconds: 7864.32 KiB. */
static void a_hundredth_of_memory_a_second_is_not_high_yet(void **state)
{
	struct phase phase = {
		.ms = 2000, .stalls = 100, .direct_scans = 7864, .direct_reclaims = 10
	};

	(void)state;
	assert_host(phase, SITUATION_STALLS, SURENESS_LIKELY);
	phase.direct_scans = 7865;
	assert_host(phase, SITUATION_THRASHING, SURENESS_SURE);
}

static void between_thrashing_and_effective_it_struggles(void **state)
{
	struct phase phase = {
		.ms = 1000, .stalls = 100, .direct_scans = 10000, .direct_reclaims = 2999
	};

	(void)state;
	assert_host(phase, SITUATION_THRASHING, SURENESS_SURE);
	phase.direct_reclaims = 3000;
	assert_host(phase, SITUATION_STRUGGLING, SURENESS_LIKELY);
	phase.direct_reclaims = 7000;
	assert_host(phase, SITUATION_STRUGGLING, SURENESS_LIKELY);
	phase.direct_reclaims = 7001;
	assert_host(phase, SITUATION_EFFECTIVE, SURENESS_LIKELY);
}

/* In the background alone, too; but a few pages that come back are nothing. */
static void what_comes_back_is_thrashing_without_stalls(void **state)
{
	struct phase phase = {
		.ms = 1000, .async_scans = 20000, .async_reclaims = 20000, .major_faults = 2501
	};

	(void)state;
	assert_host(phase, SITUATION_THRASHING, SURENESS_LIKELY);
	phase.major_faults = 2500;
	assert_host(phase, SITUATION_NONE, SURENESS_LIKELY);
	phase.async_reclaims = 100;
	phase.async_scans = 200;
	assert_host(phase, SITUATION_NONE, SURENESS_LIKELY);
}

/* ---- What is not known ---- */

static void assert_guess(struct phase phase, enum situation_kind kind)
{
	set_up(NULL);
	read_old_tags(&phase);
	assert_is(phase.ms, kind, SURENESS_GUESS);
}

static void without_six_tags_it_is_guessed_by_what_a_disk_moves(void **state)
{
	(void)state;
	assert_guess((struct phase){ .ms = 3300, .swap_in = 298968, .swap_out = 290000 },
		     SITUATION_THRASHING);
	assert_guess((struct phase){ .ms = 3000, .swap_in = 504, .swap_out = 120000 },
		     SITUATION_EFFECTIVE);
	/* Read back when there is room again, by faults, too. */
	assert_guess((struct phase){ .ms = 3000, .swap_in = 120000, .major_faults = 20000 },
		     SITUATION_NONE);
	assert_guess((struct phase){ .ms = 1000, .major_faults = 3000 }, SITUATION_THRASHING);
	assert_guess((struct phase){ .ms = 1000, .major_faults = 900 }, SITUATION_NONE);
	assert_guess((struct phase){ .ms = 1000 }, SITUATION_NONE);
}

static void who_says_nothing_is_not_judged(void **state)
{
	(void)state;
	assert_is(1000, SITUATION_UNKNOWN, SURENESS_SURE);
	reading_set(&before, READING_TOTAL, TOTAL);
	reading_set(&now, READING_TOTAL, TOTAL);
	assert_is(1000, SITUATION_UNKNOWN, SURENESS_SURE);
	assert_string_equal(situation_words(&result), "not known yet");
	/* Known in one reading only. */
	reading_set(&now, READING_OOM_KILLS, 3);
	assert_is(1000, SITUATION_UNKNOWN, SURENESS_SURE);
}

static void counts_that_go_back_are_of_another_run(void **state)
{
	const struct phase phase = { .ms = 1000, .stalls = 100 };

	(void)state;
	read_host(&phase);
	now.value[READING_DIRECT_SCANS]--;
	assert_is(1000, SITUATION_UNKNOWN, SURENESS_SURE);
	/* The memory may become less. */
	set_up(NULL);
	read_host(&phase);
	now.value[READING_TOTAL]--;
	assert_is(1000, SITUATION_STALLS, SURENESS_LIKELY);
}

/* A host's figures may be anything. */
/* Reclaim works for it all, and waits for the disk in half of the stalls. */
static void stalls_for_a_slow_disk_are_the_disks_even_if_reclaim_scans(void **state)
{
	const struct phase phase = {
		.ms = 1000, .stalls = 40, .direct_scans = 4096, .direct_reclaims = 4096
	};

	(void)state;
	read_own(&phase, 0, 0, 0, 20);
	assert_is(phase.ms, SITUATION_STALLS, SURENESS_SURE);
	assert_int_equal(result.cause, STALL_DISK);
	read_own(&phase, 0, 0, 0, 19);
	assert_is(phase.ms, SITUATION_EFFECTIVE, SURENESS_SURE);
	/* What comes back at once is worse. */
	read_own(&phase, 4096, 0, 0, 40);
	assert_is(phase.ms, SITUATION_THRASHING, SURENESS_SURE);
}

static void the_largest_figures_overflow_nothing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < READING_VALUES; i++) {
		reading_set(&before, i, 0);
		reading_set(&now, i, i == READING_OOM_KILLS ? 0 : UINT64_MAX);
	}
	assert_is(UINT64_MAX, SITUATION_STALLS, SURENESS_SURE);
	now.value[READING_TOTAL] = 0;
	assert_is(1, SITUATION_STALLS, SURENESS_SURE);
	for (unsigned i = READING_LIMIT_STALLS; i <= READING_DISK_STALLS; i++)
		now.value[i] = 0;
	assert_is(1, SITUATION_EFFECTIVE, SURENESS_SURE);
}

static void every_situation_has_words(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < SITUATIONS; kind++)
		for (unsigned cause = 0; cause < STALL_CAUSES; cause++) {
			const struct situation one = { kind, cause, SURENESS_SURE };

			assert_true(situation_words(&one)[0] != '\0');
			assert_true(situation_word(kind)[0] != '\0');
			assert_true(stall_cause_word(cause)[0] != '\0');
		}
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_read_again_from_disk_is_effective_reclaim),
		TEST(a_groups_limit_of_linux_is_seen_by_none_of_the_tags),
		TEST(memory_full_of_tmpfs_is_no_pressure_yet),
		TEST(a_file_read_beside_tmpfs_is_effective_reclaim),
		TEST(memory_that_goes_to_swap_is_effective_reclaim),
		TEST(tmpfs_read_back_thrashes_though_the_ratio_is_one),
		TEST(two_readers_of_more_than_memory_thrash_by_the_ratio),
		TEST(kills_are_critical),
		TEST(a_kill_alone_is_critical),
		TEST(stalls_without_scans_are_not_the_machines_memory),
		TEST(a_tasks_limit_is_told_from_scans_in_the_background),
		TEST(stalls_that_nothing_explains_are_a_struggle),
		TEST(direct_scans_that_succeed_are_effective_reclaim),
		TEST(direct_scans_that_fail_are_thrashing),
		TEST(background_reclaim_that_finds_nothing_is_told),
		TEST(five_stalls_a_second_are_not_high_yet),
		TEST(a_hundredth_of_memory_a_second_is_not_high_yet),
		TEST(between_thrashing_and_effective_it_struggles),
		TEST(what_comes_back_is_thrashing_without_stalls),
		TEST(without_six_tags_it_is_guessed_by_what_a_disk_moves),
		TEST(who_says_nothing_is_not_judged),
		TEST(counts_that_go_back_are_of_another_run),
		TEST(stalls_for_a_slow_disk_are_the_disks_even_if_reclaim_scans),
		TEST(the_largest_figures_overflow_nothing),
		TEST(every_situation_has_words),
	};

	return cmocka_run_group_tests_name("situation", tests, NULL, NULL);
}
