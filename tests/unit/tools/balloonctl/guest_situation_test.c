/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/guest_situation.c: a guest's statistics become readings; and what `stats
 * --situation`, `watch` and their JSON say of a Linux guest whose figures were recorded (6.12,
 * 384 MiB, QEMU 10).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/schema/assert_fits.h"
#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/guest_situation.h"
#include "tools/balloonctl/poller.h"

#define KIB 1024ll

/* ---- Readings ---- */

static void take_reading(const struct guest_stats *stats, struct reading *reading)
{
	struct guest_readings readings = { 0 };

	guest_readings_add(&readings, stats);
	*reading = readings.readings.ring[0].reading;
}

static void each_statistic_is_a_value_of_its_own(void **state)
{
	static const struct {
		unsigned stat;
		enum reading_value value;
	} rows[] = {
		{ STAT_SWAP_IN, READING_SWAP_IN },
		{ STAT_SWAP_OUT, READING_SWAP_OUT },
		{ STAT_MAJOR_FAULTS, READING_MAJOR_FAULTS },
		{ STAT_TOTAL_MEMORY, READING_TOTAL },
		{ STAT_OOM_KILLS, READING_OOM_KILLS },
		{ STAT_ALLOC_STALLS, READING_STALLS },
		{ STAT_ASYNC_SCANS, READING_ASYNC_SCANS },
		{ STAT_DIRECT_SCANS, READING_DIRECT_SCANS },
		{ STAT_ASYNC_RECLAIMS, READING_ASYNC_RECLAIMS },
		{ STAT_DIRECT_RECLAIMS, READING_DIRECT_RECLAIMS },
	};
	struct guest_stats stats = { .ever = true, .update = 7 };
	struct reading reading;

	(void)state;
	for (unsigned i = 0; i < STAT_COUNT; i++)
		stats.value[i] = 100 + i;
	take_reading(&stats, &reading);
	assert_int_equal(reading.known, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		stats.present = 1u << rows[i].stat;
		take_reading(&stats, &reading);
		assert_int_equal(reading.known, 1u << rows[i].value);
		assert_int_equal(reading.value[rows[i].value], 100 + rows[i].stat);
	}
	stats.present = UINT32_MAX;
	take_reading(&stats, &reading);
	assert_int_equal(__builtin_popcount(reading.known), 10);
}

/* All tags, and so many kills. */
static struct guest_stats stats_at(uint64_t update, uint64_t kills)
{
	struct guest_stats stats = { .ever = true, .update = update, .present = UINT32_MAX };

	stats.value[STAT_TOTAL_MEMORY] = 384 * MIB;
	stats.value[STAT_OOM_KILLS] = kills;
	return stats;
}

static void add(struct guest_readings *readings, struct guest_stats stats,
		enum situation_kind expected)
{
	guest_readings_add(readings, &stats);
	assert_string_equal(situation_word(readings->readings.situation.kind),
			    situation_word(expected));
}

static void each_report_counts_once(void **state)
{
	struct guest_readings readings = { 0 };
	struct guest_stats none = { .update = 5 };

	(void)state;
	add(&readings, none, SITUATION_UNKNOWN);
	add(&readings, stats_at(1000, 1), SITUATION_UNKNOWN);
	/* The same report, whatever stands in it. */
	add(&readings, stats_at(1000, 9), SITUATION_UNKNOWN);
	assert_int_equal(readings.readings.count, 1);
	add(&readings, stats_at(1001, 1), SITUATION_NONE);
	add(&readings, stats_at(1002, 2), SITUATION_CRITICAL);
}

/* The host's clock was set back, or QEMU is another one. */
static void older_reports_begin_anew(void **state)
{
	struct guest_readings readings = { 0 };

	(void)state;
	add(&readings, stats_at(1000, 1), SITUATION_UNKNOWN);
	add(&readings, stats_at(1001, 1), SITUATION_NONE);
	add(&readings, stats_at(900, 7), SITUATION_UNKNOWN);
	add(&readings, stats_at(901, 7), SITUATION_NONE);
	add(&readings, stats_at(UINT64_MAX, 7), SITUATION_UNKNOWN);
	add(&readings, stats_at(1000, 8), SITUATION_UNKNOWN);
	add(&readings, stats_at(1001, 9), SITUATION_CRITICAL);
}

/* ---- Recorded figures, by QMP ---- */

/* Counts in KiB, as they grew from one report to the next. */
struct figures {
	long long stalls, async_scans, async_reclaims, direct_scans, direct_reclaims, swap_in,
		swap_out, kills;
};

/* What QMP says, `n` times as much of it: in a buffer that is kept. */
static const char *report(char text[1024], const struct figures *f, long long n, unsigned update,
			  bool old_tags)
{
	int at = snprintf(text, 1024,
			  "{\"stats\": {\"stat-swap-in\": %lld, \"stat-swap-out\": %lld, "
			  "\"stat-major-faults\": 0, \"stat-total-memory\": %lld",
			  n * f->swap_in * KIB, n * f->swap_out * KIB, 384 * MIB);

	if (!old_tags)
		at += snprintf(text + at, 1024 - (size_t)at,
			       ", \"stat-oom-kills\": %lld, \"stat-alloc-stalls\": %lld, "
			       "\"stat-async-scans\": %lld, \"stat-async-reclaims\": %lld, "
			       "\"stat-direct-scans\": %lld, \"stat-direct-reclaims\": %lld",
			       n * f->kills, n * f->stalls, n * f->async_scans * KIB,
			       n * f->async_reclaims * KIB, n * f->direct_scans * KIB,
			       n * f->direct_reclaims * KIB);
	snprintf(text + at, 1024 - (size_t)at, "}, \"last-update\": %u}", update);
	return text;
}

/* Both tmpfs files read back, in 3.3 s: every page comes straight back from swap. */
static const struct figures tmpfs = { 294, 220416, 220416, 75264, 75264, 298968, 290000, 0 };
/* Two readers of more than memory, in 17.8 s. */
static const struct figures readers = { 1078, 2068452, 2064588, 2577060, 273992, 0, 0, 0 };
/* A hog, in 13.2 s, until it was killed. */
static const struct figures hog = { 712, 540764, 310232, 158464, 81144, 0, 0, 2 };
static const struct figures idle = { 0 };

/* A guest that is asked every second; the report that is there at first is old. */
static struct outcome situation_of(const struct figures *figures, unsigned seconds, bool old_tags,
				   bool json)
{
	static char texts[3][1024];
	const struct fake_answer answers[] = {
		{ .asks = "polling-interval", .value = "1" },
		{ .asks = "\"guest-stats\"",
		  .times = 1,
		  .value = report(texts[0], figures, 0, 1000, old_tags) },
		{ .asks = "\"guest-stats\"",
		  .times = 1,
		  .value = report(texts[1], figures, 5, 2000, old_tags) },
		{ .asks = "\"guest-stats\"",
		  .value = report(texts[2], figures, 6, 2000 + seconds, old_tags) },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { .answers = answers };

	return json ? RUN_AGAINST(&qemu, "stats", "--situation", "--json")
		    : RUN_AGAINST(&qemu, "stats", "--situation");
}

static void assert_situation(const struct figures *figures, unsigned seconds, const char *text,
			     const char *json)
{
	struct outcome got = situation_of(figures, seconds, false, false);

	assert_string_equal(got.err, "");
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, text);
	assert_says(got.out, "\nStatistics   ");
	got = situation_of(figures, seconds, false, true);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, json);
	assert_fits("balloonctl-stats", got.out);
}

static void a_linux_guests_situation_is_named(void **state)
{
	(void)state;
	assert_situation(&tmpfs, 3,
			 "Situation    thrashing: what is reclaimed is wanted again (likely)\n",
			 "\"situation\":{\"is\":\"thrashing\",\"sureness\":\"likely\"}");
	assert_situation(&readers, 18,
			 "Situation    thrashing: what is reclaimed is wanted again (sure)\n",
			 "\"situation\":{\"is\":\"thrashing\",\"sureness\":\"sure\"}");
	assert_situation(&hog, 13,
			 "Situation    critical: tasks are killed for want of memory (sure)\n",
			 "\"situation\":{\"is\":\"critical\",\"sureness\":\"sure\"}");
	assert_situation(&idle, 1, "Situation    no pressure (likely)\n",
			 "\"situation\":{\"is\":\"none\",\"sureness\":\"likely\"}");
	assert_situation(&(struct figures){ .stalls = 200 }, 4,
			 "Situation    waits for a limit, the balloon or a slow disk (likely)\n",
			 "\"situation\":{\"is\":\"stalls\",\"cause\":\"unknown\","
			 "\"sureness\":\"likely\"}");
}

static void without_six_tags_it_is_a_guess(void **state)
{
	(void)state;
	assert_says(situation_of(&tmpfs, 3, true, false).out,
		    "Situation    thrashing: what is reclaimed is wanted again (guess)\n");
	assert_says(situation_of(&hog, 13, true, false).out, "Situation    no pressure (guess)\n");
}

static volatile sig_atomic_t asked_no_more;

static void note_that(int number)
{
	(void)number;
	asked_no_more = 1;
}

/* It is asked meanwhile, and no more afterwards. */
static void a_guest_that_nobody_asks_is_left_so(void **state)
{
	static char texts[3][1024];
	const struct fake_answer answers[] = {
		{ .asks = "polling-interval\",\"value\":1}", .times = 1, .value = "{}" },
		{ .asks = "polling-interval\",\"value\":0}",
		  .times = 1,
		  .value = "{}",
		  .signal = SIGUSR1 },
		{ .asks = "qom-set", .error = "GenericError" },
		{ .asks = "polling-interval", .value = "0" },
		{ .asks = "\"guest-stats\"",
		  .times = 1,
		  .value = report(texts[0], &idle, 0, 0, false) },
		{ .asks = "\"guest-stats\"",
		  .times = 1,
		  .value = report(texts[1], &hog, 1, 9, false) },
		{ .asks = "\"guest-stats\"", .value = report(texts[2], &hog, 2, 10, false) },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { .answers = answers };
	struct outcome got;

	(void)state;
	asked_no_more = 0;
	signal(SIGUSR1, note_that);
	got = RUN_AGAINST(&qemu, "stats", "--situation");
	signal(SIGUSR1, SIG_DFL);
	assert_true(asked_no_more);
	assert_string_equal(got.err, "");
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, "Situation    critical: ");
}

static void a_guest_that_cannot_be_asked_has_no_situation(void **state)
{
	const struct fake_answer refuses[] = {
		{ .asks = "qom-set", .error = "GenericError" },
		{ .asks = NULL },
	};
	struct outcome got;

	(void)state;
	got = RUN_AGAINST(&((struct fake_qemu){ .no_driver = true }), "stats", "--situation");
	assert_int_equal(got.status, EXIT_NO_DRIVER);
	got = RUN_AGAINST(&((struct fake_qemu){ .paused = true }), "stats", "--situation");
	assert_int_equal(got.status, EXIT_TIMEOUT);
	got = RUN_AGAINST(&((struct fake_qemu){ .answers = refuses }), "stats", "--situation");
	assert_int_equal(got.status, EXIT_WRONG);
	got = RUN_AGAINST(&((struct fake_qemu){ .no_device = true }), "stats", "--situation");
	assert_int_equal(got.status, EXIT_NO_DEVICE);
}

/* ---- By looks ---- */

static void looks_find_the_situation(void **state)
{
	static const struct poller_rate rate = { .interval_ms = 100, .timeout_ms = 5000 };
	static char texts[2][1024];
	const struct fake_answer answers[] = {
		{ .asks = "polling-interval", .value = "1" },
		{ .asks = "\"guest-stats\"",
		  .times = 1,
		  .value = report(texts[0], &tmpfs, 1, 1000, false) },
		{ .asks = "\"guest-stats\"", .value = report(texts[1], &tmpfs, 2, 1003, false) },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { .answers = answers };
	struct sample sample = { 0 };
	struct fake_place place;
	struct poller *poller;

	(void)state;
	fake_qemu_start(&qemu, &place);
	assert_int_equal(poller_start(place.path, &rate, &poller), 0);
	while (sample.number < 2)
		assert_true(poller_wait(poller, sample.number, 10000, &sample));
	poller_stop(poller);
	fake_qemu_stop(&place);
	assert_int_equal(sample.err, 0);
	assert_int_equal(sample.situation.kind, SITUATION_THRASHING);
	assert_int_equal(sample.situation.sureness, SURENESS_LIKELY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_statistic_is_a_value_of_its_own),
		cmocka_unit_test(each_report_counts_once),
		cmocka_unit_test(older_reports_begin_anew),
		cmocka_unit_test(a_linux_guests_situation_is_named),
		cmocka_unit_test(without_six_tags_it_is_a_guess),
		cmocka_unit_test(a_guest_that_nobody_asks_is_left_so),
		cmocka_unit_test(a_guest_that_cannot_be_asked_has_no_situation),
		cmocka_unit_test(looks_find_the_situation),
	};

	return cmocka_run_group_tests_name("guest_situation", tests, NULL, NULL);
}
