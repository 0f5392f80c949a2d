/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record, export and watch --json by a clock of this test's own, with fake pollers that only
 * say what the test wrote down: when they look, what they wait for, how they end.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tools/balloonctl/fake_pollers.h"
#include "tests/unit/tools/failing.h"
#include "tools/balloonctl/command.h"
#include "tools/balloonctl/periodic.h"

#define ALARM_S 60u /* for ever */
#define TIMEOUT_MS 700
#define SILENCE_MS 5000
#define FIRST_MS 2000

/* ---- commands ---- */

static char folder[] = "/tmp/balloonctl-XXXXXX";
static char path[64];
static char out[16384], err[4096];

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/balloonctl-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/file.prom", folder);
	alarm(ALARM_S);
	fake_begin();
	return 0;
}

/* Fails if anything else was left there. */
static int end(void **state)
{
	(void)state;
	alarm(0);
	unlink(path);
	return rmdir(folder);
}

static int run_words(char **argv)
{
	const struct common common = { .timeout_ms = TIMEOUT_MS };
	FILE *files[2] = { tmpfile(), tmpfile() };
	char *texts[2] = { out, err };
	size_t sizes[2] = { sizeof(out), sizeof(err) };
	int saved[2], status, argc = 0;

	while (argv[argc])
		argc++;
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		saved[i] = dup(1 + i);
		dup2(fileno(files[i]), 1 + i);
	}
	status = command_run(command_find(argv[0]), &common, argc, argv);
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		dup2(saved[i], 1 + i);
		close(saved[i]);
		rewind(files[i]);
		texts[i][fread(texts[i], 1, sizes[i] - 1, files[i])] = '\0';
		fclose(files[i]);
	}
	return status;
}

#define RUN(...) run_words((char **)(uintptr_t)(const char *const[]){ __VA_ARGS__, NULL })

static const char *file_text(void)
{
	static char text[4096];
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void assert_has(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("there is no \"%s\" in\n%s", words, text);
}

/* ---- record ---- */

#define HEAD \
	"time_s,unix_time_s,ram_bytes,target_left_bytes,left_bytes,taken_bytes," \
	"guest_free_bytes,guest_available_bytes,statistics_age_s,host_pss_bytes,host_cpu_s," \
	"base_bytes,dimms_bytes,grown_bytes,requested_bytes,guest\n"

/* From the first one on, which may be later than the beginning. */
static void rows_have_the_time_of_their_looks(void **state)
{
	struct sample *sample;

	(void)state;
	fake_add(0, 40);
	sample = fake_add(0, 1040);
	/* Of statistics that could not be had now. */
	sample->stats = (struct guest_stats){ .ever = true, .age = 9 };
	sample->state.has_target = true;
	sample->state.target_left = 700;
	sample = fake_add(0, 2290);
	sample->has_cost = true;
	sample->cost = (struct guest_cost){ .resident = 77, .cpu_ms = 123450 };
	sample->has_stats = true;
	sample->stats =
		(struct guest_stats){ .ever = true, .age = 3, .present = 1u << STAT_FREE_MEMORY };
	sample->stats.value[STAT_FREE_MEMORY] = 55;
	assert_int_equal(RUN("record", path, "--for", "3"), EXIT_REACHED);
	assert_string_equal(err, "");
	assert_string_equal(out, "");
	assert_string_equal(file_text(),
			    HEAD "0.000,5000.040,1000,,800,200,,,,,,1000,0,,,web\n"
				 "1.000,5001.040,1000,700,800,200,,,,,,1000,0,,,web\n"
				 "2.250,5002.290,1000,,800,200,55,,3.0,77,123.45,1000,0,,,web\n");
	/* No shorter, and longer only by as much as a signal may be overlooked. */
	assert_in_range(fake.now, FAKE_BEGIN + 3000, FAKE_BEGIN + 3000 + PERIODIC_SLICE_MS - 1);
	assert_true(fake.pollers[0].stopped);
	assert_true(fake.pollers[0].rate.interval_ms == 1000 &&
		    fake.pollers[0].rate.stats_interval == 1 &&
		    fake.pollers[0].rate.timeout_ms == TIMEOUT_MS);
	assert_int_equal(fake.last_after, 3);
}

static void recording_of_no_time_is_a_headline(void **state)
{
	(void)state;
	fake_add(0, 0);
	assert_int_equal(RUN("record", path, "--for", "0"), EXIT_REACHED);
	assert_string_equal(file_text(), HEAD);
	assert_int_equal(fake.nr_waits, 0);
}

static void recording_ends_by_a_signal(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++)
		fake_add(0, i * 1000);
	fake.stop_at = FAKE_BEGIN + 2500;
	assert_int_equal(RUN("record", path), EXIT_REACHED);
	assert_string_equal(err, "");
	assert_has(file_text(), "\n2.000,");
	assert_null(strstr(file_text(), "\n3.000,"));
	assert_true(fake.now < FAKE_BEGIN + 2500 + PERIODIC_SLICE_MS);
	assert_true(fake.pollers[0].stopped);
}

/* Each time that it begins, and once. */
static void silence_is_told_when_it_begins(void **state)
{
	(void)state;
	fake_add(0, 0);
	fake_add_error(0, 1000, -ETIMEDOUT, "no answer");
	fake_add_error(0, 2000, -ETIMEDOUT, "still none");
	fake_add_error(0, 3000, -EBUSY, "another client");
	fake_add(0, 4000);
	fake_add_error(0, 5000, -EBUSY, "another client");
	fake_add(0, 6000);
	assert_int_equal(RUN("record", path, "--for", "7"), EXIT_REACHED);
	assert_string_equal(err, "balloonctl: no answer; waiting for it\n"
				 "balloonctl: another client; waiting for it\n");
	assert_string_equal(file_text(), HEAD "0.000,5000.000,1000,,800,200,,,,,,1000,0,,,web\n"
					      "4.000,5004.000,1000,,800,200,,,,,,1000,0,,,web\n"
					      "6.000,5006.000,1000,,800,200,,,,,,1000,0,,,web\n");
}

static void guest_that_is_gone_ends_the_recording(void **state)
{
	static const struct {
		int err, status;
	} all[] = { { -ENOENT, EXIT_NO_CONNECT }, { -ENODEV, EXIT_NO_DEVICE } };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		fake_add(0, 0);
		fake_add_error(0, 1000, all[i].err, "it is gone");
		assert_int_equal(RUN("record", path), all[i].status);
		assert_string_equal(err, "balloonctl: it is gone\n");
		assert_string_equal(file_text(),
				    HEAD "0.000,5000.000,1000,,800,200,,,,,,1000,0,,,web\n");
		assert_int_equal(fake.now, FAKE_BEGIN + 1000);
		end(NULL);
		begin(NULL);
	}
}

static void silence_at_the_start_ends_the_recording(void **state)
{
	static const struct {
		int err, status;
	} all[] = { { -ETIMEDOUT, EXIT_TIMEOUT }, { -EBUSY, EXIT_TIMEOUT } };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		fake_add_error(0, 200, all[i].err, "not now");
		assert_int_equal(RUN("record", path), exit_status(all[i].err));
		assert_string_equal(err, "balloonctl: not now\n");
		assert_string_equal(file_text(), HEAD);
		end(NULL);
		begin(NULL);
	}
}

static void recording_that_cannot_begin_is_told(void **state)
{
	(void)state;
	fake.state_err = -ENODEV;
	assert_int_equal(RUN("record", path), EXIT_NO_DEVICE);
	assert_string_equal(err, "balloonctl: the guest's own words\n");
	assert_int_equal(access(path, F_OK), -1);
	fake.state_err = 0;
	fake.start_err = -EAGAIN;
	assert_int_equal(RUN("record", path), EXIT_WRONG);
	assert_has(err, strerror(EAGAIN));
	assert_int_equal(RUN("record"), EXIT_USAGE);
	assert_string_equal(err, "balloonctl: which FILE is to be written? See --help\n");
	assert_int_equal(RUN("record", path, "b"), EXIT_USAGE);
	assert_has(err, "'b' is too much");
	assert_int_equal(RUN("record", "--for", "x", path), EXIT_USAGE);
	assert_string_equal(err, "balloonctl: --for x: whole seconds are wanted, 0 to 31622400\n");
}

/* A program is not made of it, nor is it a secret: as any other file. */
static void file_has_the_usual_mode(void **state)
{
	mode_t before = umask(022);
	struct stat is;

	(void)state;
	fake_add(0, 0);
	assert_int_equal(RUN("record", path, "--for", "0"), EXIT_REACHED);
	umask(before);
	assert_int_equal(stat(path, &is), 0);
	assert_int_equal(is.st_mode, S_IFREG | 0644);
}

/* ---- export ---- */

/* Its own time, that of an answer and some more: after that nobody looks at it any more. */
static void guest_that_was_not_looked_at_for_long_hangs(void **state)
{
	const int64_t silence = 5000 + TIMEOUT_MS + SILENCE_MS;

	(void)state;
	for (int later = 0; later <= 1; later++) {
		fake_add(0, -silence - later);
		assert_int_equal(RUN("export", "web"), EXIT_REACHED);
		assert_string_equal(err, "");
		assert_has(out, later ? "\nballoon_up{guest=\"web\"} 0\n"
				      : "\nballoon_up{guest=\"web\"} 1\n");
		assert_has(out, later ? ",state=\"no_answer\"} 1\n" : ",state=\"up\"} 1\n");
		assert_true(fake.pollers[0].stopped);
		assert_int_equal(fake.nr_latest, 1);
		end(NULL);
		begin(NULL);
	}
	/* As old as what was seen. */
	fake_add(0, -1500);
	assert_int_equal(RUN("export", "web"), EXIT_REACHED);
	assert_has(out, "\nballoon_age_seconds{guest=\"web\"} 1.500\n");
	assert_true(fake.pollers[0].rate.interval_ms == 5000 &&
		    fake.pollers[0].rate.stats_interval == 0);
}

/* Together no longer than an answer may take, and a little. */
static void first_looks_are_waited_for(void **state)
{
	(void)state;
	fake_add(1, 250);
	assert_int_equal(RUN("export", "a", "b"), EXIT_REACHED);
	assert_int_equal(fake.now, FAKE_BEGIN + TIMEOUT_MS + FIRST_MS);
	assert_has(out, "\nballoon_up{guest=\"a\"} 0\nballoon_up{guest=\"b\"} 1\n");
	assert_has(out, "{guest=\"a\",state=\"pending\"} 1\n");
	/* Not at all where they are there. */
	end(NULL);
	begin(NULL);
	fake_add(0, 0);
	fake_add(1, 120);
	assert_int_equal(RUN("export", "a", "b"), EXIT_REACHED);
	assert_int_equal(fake.now, FAKE_BEGIN + 120);
	assert_int_equal(fake.nr_waits, 3);
	assert_has(out, "\nballoon_up{guest=\"a\"} 1\nballoon_up{guest=\"b\"} 1\n");
}

static void signal_ends_the_first_wait(void **state)
{
	(void)state;
	fake.stop_at = FAKE_BEGIN + 250;
	assert_int_equal(RUN("export", "a"), EXIT_REACHED);
	assert_string_equal(out, "");
	assert_string_equal(err, "");
	assert_int_equal(fake.now, FAKE_BEGIN + 300);
	begin(NULL);
	fake.stop_at = FAKE_BEGIN + 250;
	assert_int_equal(RUN("export", "a", "--textfile", path), EXIT_REACHED);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(fake.nr_latest, 0);
}

static void file_is_renewed_in_its_time(void **state)
{
	(void)state;
	fake_add(0, 0);
	fake.nr_found = 1;
	fake.stop_at = FAKE_BEGIN + 2950;
	assert_int_equal(RUN("export", "--textfile", path, "--every", "1", "--stats", "3"),
			 EXIT_REACHED);
	assert_string_equal(err, "");
	assert_int_equal(fake.pollers[0].rate.stats_interval, 3);
	/* At 0, 1 and 2 seconds; the first guests were found before. */
	assert_int_equal(fake.nr_latest, 3);
	assert_int_equal(fake.nr_lists, 3);
	assert_int_equal(fake.now, FAKE_BEGIN + 3000);
	assert_int_equal(access(path, F_OK), -1);
	/* A file that is renewed is as new as it can be. */
	assert_int_equal(fake.pollers[0].rate.interval_ms, 1000);
	assert_true(fake.pollers[0].stopped);
}

static void file_that_is_written_once_stays(void **state)
{
	(void)state;
	fake_add(0, 0);
	fake.nr_found = 1;
	assert_int_equal(RUN("export", "--textfile", path), EXIT_REACHED);
	assert_has(file_text(), "\nballoon_up{guest=\"g0\"} 1\n");
	assert_int_equal(fake.now, FAKE_BEGIN);
	assert_true(fake.nr_lists == 1 && fake.nr_latest == 1);
}

static void server_looks_for_guests_in_between(void **state)
{
	(void)state;
	fake.stop_at = FAKE_BEGIN + 12345;
	assert_int_equal(RUN("export", "--listen", "0"), EXIT_REACHED);
	assert_int_equal(strncmp(out, "http://127.0.0.1:", 17), 0);
	assert_has(out, "/metrics\n");
	/* At the beginning, after 5 and 10 seconds. */
	assert_int_equal(fake.nr_lists, 3);
	assert_int_equal(fake.now, FAKE_BEGIN + 12400);
}

static void guest_is_wanted_where_nobody_waits_for_one(void **state)
{
	(void)state;
	assert_int_equal(RUN("export"), EXIT_NO_CONNECT);
	assert_has(err, "no guest runs here");
	assert_int_equal(RUN("export", "--textfile", path), EXIT_NO_CONNECT);
	assert_int_equal(access(path, F_OK), -1);
	/* One that goes on can wait for it. */
	fake.stop_at = FAKE_BEGIN + 500;
	assert_int_equal(RUN("export", "--textfile", path, "--every", "1"), EXIT_REACHED);
	assert_string_equal(err, "");
	assert_string_equal(out, "");
}

static void metrics_without_memory_are_none(void **state)
{
	unsigned n = 0;

	(void)state;
	do {
		int status;

		begin(NULL);
		fake_add(0, 0);
		fail_nth(FAILING_MEMORY, ++n);
		status = RUN("export", "a");
		if (!failed_call()) {
			assert_int_equal(status, EXIT_REACHED);
			assert_has(out, "\nballoon_up{guest=\"a\"} 1\n");
		} else {
			assert_int_equal(status, EXIT_WRONG);
			assert_string_equal(out, "");
			assert_true(strstr(err, "out of memory") || strstr(err, strerror(ENOMEM)));
		}
		rmdir(folder);
	} while (failed_call());
	fail_nth(FAILING_MEMORY, 0);
	assert_true(n > 3);
}

/* ---- watch ---- */

/* A look ends while its poller is asked for it. */
static void no_look_ends_after_it_was_printed(void **state)
{
	(void)state;
	fake_add(0, 50);
	fake.read_ms = 80;
	fake.slice_ms = 20;
	fake.stop_at = FAKE_BEGIN + 250;
	assert_int_equal(RUN("watch", "--json", "a"), EXIT_REACHED);
	assert_has(out, "\"age\":0.030,");
	assert_has(out, "\"time\":5000.050}\n");
	assert_int_equal(strcspn(out, "\n"), strlen(out) - 1);
}

/* To change it later would take it away from under a thread that parses an answer. */
static void locale_is_set_before_there_are_threads(void **state)
{
	(void)state;
	setlocale(LC_CTYPE, "C");
	setenv("LC_ALL", "C.UTF-8", 1);
	fake_add(0, 0);
	fake.slice_ms = 20;
	fake.stop_at = FAKE_BEGIN + 100;
	assert_int_equal(RUN("watch", "--json", "a"), EXIT_REACHED);
	assert_string_equal(fake.pollers[0].locale, "C.UTF-8");
	assert_string_equal(setlocale(LC_CTYPE, NULL), "C.UTF-8");
	unsetenv("LC_ALL");
	setlocale(LC_CTYPE, "C");
}

/* However often the poller is asked meanwhile. */
static void each_look_is_printed_once(void **state)
{
	static const char *const times[] = { "5000.040", "5000.040", "5000.140", "5000.250" };
	const char *at = out;

	(void)state;
	fake_add(0, 40);
	fake_add(1, 40);
	fake_add(0, 140);
	fake_add(1, 250);
	fake.slice_ms = 20;
	fake.stop_at = FAKE_BEGIN + 600;
	assert_int_equal(RUN("watch", "--json", "a", "b"), EXIT_REACHED);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		at = strstr(at, "\"time\":");
		assert_non_null(at);
		at += strlen("\"time\":");
		assert_int_equal(strncmp(at, times[i], strlen(times[i])), 0);
	}
	assert_null(strstr(at, "\"time\":"));
	assert_true(fake.nr_latest > 40);
}

#define LOOKS_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOOKS_TEST(rows_have_the_time_of_their_looks),
		LOOKS_TEST(recording_of_no_time_is_a_headline),
		LOOKS_TEST(recording_ends_by_a_signal),
		LOOKS_TEST(silence_is_told_when_it_begins),
		LOOKS_TEST(guest_that_is_gone_ends_the_recording),
		LOOKS_TEST(silence_at_the_start_ends_the_recording),
		LOOKS_TEST(recording_that_cannot_begin_is_told),
		LOOKS_TEST(file_has_the_usual_mode),
		LOOKS_TEST(guest_that_was_not_looked_at_for_long_hangs),
		LOOKS_TEST(first_looks_are_waited_for),
		LOOKS_TEST(signal_ends_the_first_wait),
		LOOKS_TEST(file_is_renewed_in_its_time),
		LOOKS_TEST(file_that_is_written_once_stays),
		LOOKS_TEST(server_looks_for_guests_in_between),
		LOOKS_TEST(guest_is_wanted_where_nobody_waits_for_one),
		LOOKS_TEST(no_look_ends_after_it_was_printed),
		LOOKS_TEST(locale_is_set_before_there_are_threads),
		LOOKS_TEST(each_look_is_printed_once),
		cmocka_unit_test(metrics_without_memory_are_none),
	};

	return cmocka_run_group_tests_name("balloonctl/looks_clock", tests, NULL, NULL);
}
