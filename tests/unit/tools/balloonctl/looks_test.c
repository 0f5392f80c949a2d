/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands of balloonctl that look at guests again and again: record, export and what they
 * stand on, where a guest or a file does not do what it did before.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/command.h"
#include "tools/balloonctl/course.h"
#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/guest_set.h"
#include "tools/balloonctl/history.h"
#include "tools/balloonctl/metrics.h"
#include "tools/balloonctl/periodic.h"
#include "tools/balloonctl/poller.h"
#include "tools/deadline.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ALARM_S 60u /* for ever */

static char folder[] = "/tmp/balloonctl-XXXXXX";
static char csv[64], svg[64], prom[64];

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/balloonctl-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(csv, sizeof(csv), "%s/a.csv", folder);
	snprintf(svg, sizeof(svg), "%s/a.svg", folder);
	snprintf(prom, sizeof(prom), "%s/a.prom", folder);
	alarm(ALARM_S);
	return 0;
}

/* Fails if anything else was left there. */
static int end(void **state)
{
	(void)state;
	alarm(0);
	unlink(csv);
	unlink(svg);
	unlink(prom);
	return rmdir(folder);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void read_text(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
}

/* ---- record ---- */

static void headline_and_row_have_all_columns(void **state)
{
	struct course_row row;
	char text[1024];
	FILE *file = fopen(csv, "w");

	(void)state;
	for (int i = 0; i < COURSE_COLUMNS; i++)
		row.values[i] = i + 0.25;
	course_write_head(file);
	course_write_row(file, &row, "a");
	for (int i = 0; i < COURSE_COLUMNS; i++)
		row.values[i] = i % 2 ? (double)NAN : 1000000 + i;
	course_write_row(file, &row, "a");
	fclose(file);
	read_text(csv, text, sizeof(text));
	assert_string_equal(text,
			    "time_s,unix_time_s,ram_bytes,target_left_bytes,left_bytes,taken_bytes,"
			    "guest_free_bytes,guest_available_bytes,statistics_age_s,"
			    "host_pss_bytes,host_cpu_s,base_bytes,dimms_bytes,grown_bytes,"
			    "requested_bytes,guest\n"
			    "0.250,1.250,2,3,4,5,6,7,8.2,9,10.25,11,12,13,14,a\n"
			    "1000000.000,,1000002,,1000004,,1000006,,1000008.0,,1000010.00,"
			    ",1000012,,1000014,a\n");
}

/* Five minutes ago, with what the guest says. */
static void row_has_all_that_is_known(void **state)
{
	static char report[256];
	const struct fake_answer answers[] = {
		{ .asks = "\"guest-stats\"", .value = report },
		{ .asks = "polling-interval", .value = "10" },
		{ .asks = "xp /1wx", .value = "\"0x00010000\"" },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { .left_before = 768 * MIB, .answers = answers };
	double before = (double)time(NULL), *v;
	char error[COURSE_ERROR];
	struct course course;
	struct outcome got;
	FILE *file;

	(void)state;
	snprintf(report, sizeof(report),
		 "{\"stats\": {\"stat-free-memory\": 4096, \"stat-available-memory\": 8192}, "
		 "\"last-update\": %lld}",
		 (long long)time(NULL) - 300);
	got = RUN_AGAINST(&qemu, "record", csv, "--for", "1");
	assert_string_equal(got.err, "");
	assert_string_equal(got.out, "");
	file = fopen(csv, "r");
	assert_int_equal(course_read(file, COURSE_ROWS_MAX, &course, error), 0);
	fclose(file);
	assert_true(course.count >= 1);
	v = course.rows[0].values;
	assert_true(v[COURSE_TIME] == 0);
	assert_true(v[COURSE_UNIX_TIME] >= before && v[COURSE_UNIX_TIME] <= (double)time(NULL) + 1);
	assert_true(v[COURSE_RAM] == FAKE_RAM);
	assert_true(v[COURSE_BASE] == FAKE_RAM && v[COURSE_DIMMS] == 0);
	assert_true(v[COURSE_TARGET] == 768 * MIB);
	assert_true(v[COURSE_LEFT] == 768 * MIB);
	assert_true(v[COURSE_TAKEN] == 256 * MIB);
	assert_true(v[COURSE_FREE] == 4096);
	assert_true(v[COURSE_AVAILABLE] == 8192);
	assert_true(v[COURSE_STATS_AGE] >= 300 && v[COURSE_STATS_AGE] < 400);
	assert_true(v[COURSE_HOST] > 0 && v[COURSE_HOST] < 1e9);
	assert_true(v[COURSE_CPU] >= 0 && v[COURSE_CPU] < 60);
	course_free(&course);
}

static void row_lacks_what_is_not_known(void **state)
{
	const struct fake_qemu qemu = { .unmapped = true, .left_before = 768 * MIB };
	struct outcome got = RUN_AGAINST(&qemu, "record", "-", "--for", "1");
	const char *row = strchr(got.out, '\n') + 1;

	(void)state;
	assert_int_equal(got.status, EXIT_REACHED);
	assert_int_equal(strncmp(row, "0.000,", 6), 0);
	/* No target; no statistics, nor their age. */
	assert_says(row, ",1073741824,,805306368,268435456,,,,");
	/* Nor anything that could grow. */
	assert_says(row, ",1073741824,0,,,/tmp/");
}

static void silence_is_told_once_and_waited_for(void **state)
{
	const struct fake_answer answers[] = {
		{ .asks = "query-status", .times = 2, .value = "{\"running\": true}" },
		{ .asks = "query-status", .lie = FAKE_SAYS_NOTHING },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { .answers = answers };
	const char *complaint;
	struct outcome got;

	(void)state;
	run_within(200);
	got = RUN_AGAINST(&qemu, "record", csv, "--interval", "0.1", "--for", "3");
	run_within(0);
	assert_int_equal(got.status, EXIT_REACHED);
	complaint = strstr(got.err, "; waiting for it\n");
	if (!complaint)
		fail_msg("%s", got.err);
	assert_null(strstr(complaint + strlen("; waiting"), "waiting"));
}

/* At its start it would have no time to wait for. */
static void silence_before_the_first_line_is_the_end(void **state)
{
	const struct fake_answer answers[] = {
		{ .asks = "query-status", .times = 1, .value = "{\"running\": true}" },
		{ .asks = "query-status", .lie = FAKE_SAYS_NOTHING },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { .answers = answers };
	struct outcome got;

	(void)state;
	run_within(200);
	got = RUN_AGAINST(&qemu, "record", csv, "--interval", "0.1");
	run_within(0);
	assert_int_equal(got.status, EXIT_TIMEOUT);
	assert_says(got.err, "no answer to 'query-status' from QEMU in time\n");
	assert_null(strstr(got.err, "waiting"));
}

static void file_that_takes_nothing_ends_the_recording(void **state)
{
	const struct fake_qemu qemu = { .left_before = 0 };
	struct outcome got = RUN_AGAINST(&qemu, "record", "/dev/full", "--force");

	(void)state;
	assert_int_equal(got.status, EXIT_WRONG);
	assert_says(got.err, "cannot write the file: No space left on device\n");
	got = RUN_AGAINST(&qemu, "record", "/dev/full", "--force", "--for", "0");
	assert_int_equal(got.status, EXIT_WRONG);
	assert_says(got.err, "/dev/full: No space left on device\n");
	got = RUN_AGAINST(&qemu, "record", "/nowhere/a.csv");
	assert_int_equal(got.status, EXIT_WRONG);
	assert_says(got.err, "/nowhere/a.csv: No such file or directory\n");
}

/* ---- plot ---- */

static void course_is_not_drawn_over(void **state)
{
	char text[64];
	struct outcome got;

	(void)state;
	write_text(csv, "time_s,left_bytes\n0,1\n");
	got = run_command(NULL, "plot", csv, "-o", csv, NULL);
	assert_int_equal(got.status, EXIT_USAGE);
	assert_says(got.err, "a.csv is the course itself; the picture needs another file\n");
	assert_int_equal(link(csv, svg), 0);
	got = run_command(NULL, "plot", csv, "-o", svg, NULL);
	assert_int_equal(got.status, EXIT_USAGE);
	read_text(csv, text, sizeof(text));
	assert_string_equal(text, "time_s,left_bytes\n0,1\n");
	/* Another file on the same disk is another file. */
	unlink(svg);
	write_text(svg, "old");
	got = run_command(NULL, "plot", csv, "-o", svg, NULL);
	assert_int_equal(got.status, EXIT_REACHED);
}

static void picture_has_its_title_and_all_its_lines(void **state)
{
	static const char *const labels[] = { "target (left)", "left to the guest",
					      "taken",	       "free in the guest",
					      "available",     "host memory of QEMU" };
	struct outcome got;

	(void)state;
	write_text(csv, "time_s,target_left_bytes,left_bytes,taken_bytes,guest_free_bytes,"
			"guest_available_bytes,host_pss_bytes\n0,1,2,3,4,5,6\n9,1,2,3,4,5,6\n");
	got = run_command(NULL, "plot", csv, "-o", "-", "--title", "My guest", NULL);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, "<title>My guest</title>");
	for (size_t i = 0; i < COUNT(labels); i++) {
		assert_says(got.out, labels[i]);
	}
	/* Dashes are in the legend and the line of the target and of what is available. */
	for (size_t i = 0; i < 4; i++) {
		char *at = strstr(got.out, "stroke-dasharray");

		assert_non_null(at);
		*at = '-';
	}
	assert_null(strstr(got.out, "stroke-dasharray"));
	assert_says(got.out, ">time<");
}

static void course_that_cannot_be_read_is_told(void **state)
{
	struct outcome got = run_command(NULL, "plot", folder, "-o", svg, NULL);

	(void)state;
	assert_int_equal(got.status, EXIT_WRONG);
	assert_says(got.err, ": cannot be read: Is a directory\n");
	assert_int_equal(access(svg, F_OK), -1);
	write_text(csv, "time_s,left_bytes\n0,1\n");
	got = run_command(NULL, "plot", csv, "-o", "/dev/full", NULL);
	assert_int_equal(got.status, EXIT_WRONG);
	assert_says(got.err, "/dev/full: there is something that is no regular file, and stays\n");
}

/* ---- guests that are looked at ---- */

static void more_guests_than_can_be_watched_are_refused(void **state)
{
	static char *argv[300], names[258][16];
	struct common common = { .guest = NULL };
	struct guest_set set;
	struct poller_rate rate = { .interval_ms = 1000, .timeout_ms = 1000 };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(names[i], sizeof(names[i]), "/no/g%zu", i);
		argv[i] = names[i];
	}
	/* The last one once more is no more. */
	argv[256] = argv[255];
	assert_int_equal(guest_set_open(&set, &common, argv, 257, &rate), EXIT_REACHED);
	assert_int_equal(set.count, 256);
	assert_string_equal(poller_name(set.pollers[255]), "/no/g255");
	guest_set_close(&set);
	assert_int_equal(set.count, 0);
	argv[256] = names[256];
	assert_int_equal(guest_set_open(&set, &common, argv, 257, &rate), EXIT_WRONG);
	assert_int_equal(set.count, 0);
}

static void guests_are_named_or_found(void **state)
{
	struct common named = { .guest = "/no/only" };
	char *names[] = { (char *)"/no/a", (char *)"/no/b" };
	struct poller_rate rate = { .interval_ms = 1000, .timeout_ms = 1000 };
	struct guest_set set;

	(void)state;
	setenv("XDG_RUNTIME_DIR", folder, 1);
	assert_int_equal(guest_set_open(&set, &named, NULL, 0, &rate), EXIT_REACHED);
	assert_true(set.count == 1 && !set.finds);
	assert_string_equal(poller_name(set.pollers[0]), "/no/only");
	guest_set_close(&set);
	/* Words are more than -g. */
	assert_int_equal(guest_set_open(&set, &named, names, 2, &rate), EXIT_REACHED);
	assert_true(set.count == 2 && !set.finds);
	guest_set_close(&set);
	named.guest = NULL;
	assert_int_equal(guest_set_open(&set, &named, NULL, 0, &rate), EXIT_REACHED);
	assert_true(set.count == 0 && set.finds);
	guest_set_close(&set);
	unsetenv("XDG_RUNTIME_DIR");
}

static void export_without_guests_is_told(void **state)
{
	struct outcome got;

	(void)state;
	setenv("XDG_RUNTIME_DIR", folder, 1);
	got = run_command(NULL, "export", NULL);
	unsetenv("XDG_RUNTIME_DIR");
	assert_int_equal(got.status, EXIT_NO_CONNECT);
	assert_says(got.err, "no guest runs here: start one with `make run`");
	assert_string_equal(got.out, "");
}

/* Each of several is waited for, however long the first takes. */
static void export_waits_for_every_guest(void **state)
{
	const struct fake_qemu qemu = { .left_before = 640 * MIB };
	struct fake_place one, other;
	struct outcome got;

	(void)state;
	fake_qemu_start(&qemu, &one);
	fake_qemu_start(&qemu, &other);
	got = run_command(NULL, "export", one.path, other.path, one.path, NULL);
	fake_qemu_stop(&one);
	fake_qemu_stop(&other);
	assert_int_equal(got.status, EXIT_REACHED);
	got.err[0] = '\0';
	snprintf(got.err, sizeof(got.err),
		 "balloon_up{guest=\"%s\"} 1\nballoon_up{guest=\"%s\"} 1\n#", one.path, other.path);
	assert_says(got.out, got.err);
}

/* Waits until a file has the words, and then tells its parent to end. */
static pid_t end_parent_when(const char *path, const char *words)
{
	pid_t parent = getpid(), pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (true) {
		char text[16384] = "";
		int fd = open(path, O_RDONLY);

		if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && strstr(text, words))
			break;
		close(fd);
		usleep(20000);
	}
	kill(parent, SIGTERM);
	_exit(0);
}

/* One that comes while the file is renewed is in it from then on. */
static void newcomer_is_exported(void **state)
{
	const struct fake_qemu qemu = { .left_before = 640 * MIB };
	char runtime[64], socket[128];
	struct fake_place place;
	struct outcome got;
	pid_t linker, ender;

	(void)state;
	snprintf(runtime, sizeof(runtime), "%s/aerostat-%u", folder, (unsigned)geteuid());
	snprintf(socket, sizeof(socket), "%s/newcomer.qmp", runtime);
	assert_int_equal(mkdir(runtime, 0700), 0);
	setenv("XDG_RUNTIME_DIR", folder, 1);
	fake_qemu_start(&qemu, &place);
	ender = end_parent_when(prom, "balloon_left_bytes{guest=\"newcomer\"} 671088640\n");
	fflush(NULL);
	linker = fork();
	assert_true(linker >= 0);
	if (linker == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* When the file is there nobody runs yet. */
		while (access(prom, F_OK))
			usleep(20000);
		_exit(link(place.path, socket) != 0);
	}
	got = run_command(NULL, "export", "--textfile", prom, "--every", "0.1", NULL);
	unsetenv("XDG_RUNTIME_DIR");
	kill(ender, SIGKILL);
	waitpid(ender, NULL, 0);
	waitpid(linker, NULL, 0);
	fake_qemu_stop(&place);
	unlink(socket);
	assert_int_equal(rmdir(runtime), 0);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_string_equal(got.err, "");
	/* A file that is not renewed any more would lie. */
	assert_int_equal(access(prom, F_OK), -1);
}

/* ---- without standard input, whose number is then that of another file ---- */

static void file_may_have_the_number_0(void **state)
{
	const struct fake_qemu qemu = { .left_before = 640 * MIB };
	int saved = dup(STDIN_FILENO);
	struct fake_place place;
	struct outcome got;
	char text[2048];

	(void)state;
	fake_qemu_start(&qemu, &place);
	close(STDIN_FILENO);
	got = run_command(place.path, "status", NULL);
	assert_string_equal(got.err, "");
	assert_says(got.out, "640.0 MiB left");
	got = run_command(place.path, "record", csv, "--for", "0", NULL);
	assert_string_equal(got.err, "");
	assert_int_equal(got.status, EXIT_REACHED);
	write_text(csv, "time_s,left_bytes\n0,1\n1,2\n");
	got = run_command(NULL, "plot", csv, "-o", prom, NULL);
	assert_string_equal(got.err, "");
	got = run_command(NULL, "dump", csv, NULL);
	assert_int_equal(got.status, EXIT_BAD_FILE);
	assert_says(got.err, "a.csv: no ELF file");
	unlink(prom);
	got = run_command(place.path, "export", "--textfile", prom, NULL);
	assert_string_equal(got.err, "");
	assert_int_equal(got.status, EXIT_REACHED);
	read_text(prom, text, sizeof(text));
	assert_says(text, "balloon_up");
	/* Each was closed: the number is free again. */
	assert_int_equal(dup(saved), STDIN_FILENO);
	close(saved);
	fake_qemu_stop(&place);
}

/* ---- rates and intervals ---- */

static void interval_becomes_a_rate(void **state)
{
	struct common common = { .timeout_ms = 0 };
	struct poller_rate rate = poller_rate_of(&common, 5000);

	(void)state;
	assert_true(rate.interval_ms == 5000 && rate.timeout_ms == LOOK_MS &&
		    rate.stats_interval == 5);
	rate = poller_rate_of(&common, 999);
	assert_int_equal(rate.stats_interval, 1);
	rate = poller_rate_of(&common, 1000);
	assert_int_equal(rate.stats_interval, 1);
	rate = poller_rate_of(&common, 2999);
	assert_int_equal(rate.stats_interval, 2);
	common.timeout_ms = 77;
	rate = poller_rate_of(&common, 100);
	assert_int_equal(rate.timeout_ms, 77);
}

static void intervals_are_rounded_to_milliseconds(void **state)
{
	static const struct {
		const char *text;
		int ms;
	} good[] = { { "0.1", 100 },	{ "1", 1000 },	{ "3600", 3600000 }, { "0.1234", 123 },
		     { "0.1236", 124 }, { "2.", 2000 }, { "000.5", 500 } };
	static const char *const bad[] = { "0.0999", "3600.01", ".", "1.2.3", "", "1,5", "+1" };
	int ms;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(interval_parse("--every", good[i].text, &ms), 0);
		assert_int_equal(ms, good[i].ms);
	}
	ms = 5;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(interval_parse("--every", bad[i], &ms), -EINVAL);
	assert_int_equal(ms, 5);
}

static void signals_are_asked_for_anew_each_time(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };

	(void)state;
	for (size_t i = 0; i < COUNT(signals); i++) {
		stop_on_signals();
		assert_false(stop_asked());
		raise(signals[i]);
		assert_true(stop_asked());
		signal(signals[i], SIG_DFL);
	}
	stop_on_signals();
	assert_false(stop_asked());
	for (size_t i = 0; i < COUNT(signals); i++)
		signal(signals[i], SIG_DFL);
}

/* ---- metrics ---- */

/* All that there are, of a guest of which all is known. */
static const char all_metrics[] =
	"# HELP balloon_build_info Of what version this exporter is.\n"
	"# TYPE balloon_build_info gauge\n"
	"balloon_build_info{version=\"" AEROSTAT_VERSION "\"} 1\n"
	"# HELP balloon_up Whether the guest is there, busy or not.\n"
	"# TYPE balloon_up gauge\n"
	"balloon_up{guest=\"web\"} 1\n"
	"# HELP balloon_guest_state What the last look at the guest has found: one of these is 1.\n"
	"# TYPE balloon_guest_state gauge\n"
	"balloon_guest_state{guest=\"web\",state=\"pending\"} 0\n"
	"balloon_guest_state{guest=\"web\",state=\"up\"} 1\n"
	"balloon_guest_state{guest=\"web\",state=\"panicked\"} 0\n"
	"balloon_guest_state{guest=\"web\",state=\"busy\"} 0\n"
	"balloon_guest_state{guest=\"web\",state=\"no_answer\"} 0\n"
	"balloon_guest_state{guest=\"web\",state=\"no_balloon\"} 0\n"
	"balloon_guest_state{guest=\"web\",state=\"gone\"} 0\n"
	"balloon_guest_state{guest=\"web\",state=\"failed\"} 0\n"
	"# HELP balloon_age_seconds How old the values of this guest are; its statistics are "
	"older.\n"
	"# TYPE balloon_age_seconds gauge\n"
	"balloon_age_seconds{guest=\"web\"} 2.500\n"
	"# HELP balloon_ram_bytes Memory that the host gave to the guest.\n"
	"# TYPE balloon_ram_bytes gauge\n"
	"balloon_ram_bytes{guest=\"web\"} 1000\n"
	"# HELP balloon_base_bytes Of this, what cannot be unplugged.\n"
	"# TYPE balloon_base_bytes gauge\n"
	"balloon_base_bytes{guest=\"web\"} 600\n"
	"# HELP balloon_dimms_bytes Of this, what is in DIMMs.\n"
	"# TYPE balloon_dimms_bytes gauge\n"
	"balloon_dimms_bytes{guest=\"web\"} 100\n"
	"# HELP balloon_grown_bytes Of this, what virtio-mem devices have plugged.\n"
	"# TYPE balloon_grown_bytes gauge\n"
	"balloon_grown_bytes{guest=\"web\"} 300\n"
	"# HELP balloon_requested_bytes What is requested of virtio-mem devices.\n"
	"# TYPE balloon_requested_bytes gauge\n"
	"balloon_requested_bytes{guest=\"web\"} 350\n"
	"# HELP balloon_left_bytes Memory left to the guest.\n"
	"# TYPE balloon_left_bytes gauge\n"
	"balloon_left_bytes{guest=\"web\"} 800\n"
	"# HELP balloon_taken_bytes Memory that the balloon holds.\n"
	"# TYPE balloon_taken_bytes gauge\n"
	"balloon_taken_bytes{guest=\"web\"} 200\n"
	"# HELP balloon_target_left_bytes Memory to be left to the guest.\n"
	"# TYPE balloon_target_left_bytes gauge\n"
	"balloon_target_left_bytes{guest=\"web\"} 700\n"
	"# HELP balloon_driver_ok Whether a driver runs in the guest.\n"
	"# TYPE balloon_driver_ok gauge\n"
	"balloon_driver_ok{guest=\"web\"} 1\n"
	"# HELP balloon_paused Whether the guest is paused.\n"
	"# TYPE balloon_paused gauge\n"
	"balloon_paused{guest=\"web\"} 1\n"
	"# HELP balloon_implausible Whether something that was said could not be.\n"
	"# TYPE balloon_implausible gauge\n"
	"balloon_implausible{guest=\"web\"} 1\n"
	"# HELP balloon_stats_update_timestamp_seconds When the guest last sent statistics, in "
	"Unix time.\n"
	"# TYPE balloon_stats_update_timestamp_seconds gauge\n"
	"balloon_stats_update_timestamp_seconds{guest=\"web\"} 55\n"
	"# HELP balloon_stats_age_seconds How old the guest's statistics are.\n"
	"# TYPE balloon_stats_age_seconds gauge\n"
	"balloon_stats_age_seconds{guest=\"web\"} 6.500\n"
	"# HELP balloon_stats_interval_seconds How often the guest is asked for statistics; 0: "
	"never.\n"
	"# TYPE balloon_stats_interval_seconds gauge\n"
	"balloon_stats_interval_seconds{guest=\"web\"} 7\n"
	"# HELP balloon_host_memory_bytes Memory of the host that QEMU occupies (Pss).\n"
	"# TYPE balloon_host_memory_bytes gauge\n"
	"balloon_host_memory_bytes{guest=\"web\"} 4096\n"
	"# HELP balloon_host_cpu_seconds_total Processor time of QEMU.\n"
	"# TYPE balloon_host_cpu_seconds_total counter\n"
	"balloon_host_cpu_seconds_total{guest=\"web\"} 12.345\n"
	"# HELP balloon_stat_swap_in_bytes_total Guest: memory swapped in.\n"
	"# TYPE balloon_stat_swap_in_bytes_total counter\n"
	"balloon_stat_swap_in_bytes_total{guest=\"web\"} 100\n"
	"# HELP balloon_stat_swap_out_bytes_total Guest: memory swapped out.\n"
	"# TYPE balloon_stat_swap_out_bytes_total counter\n"
	"balloon_stat_swap_out_bytes_total{guest=\"web\"} 101\n"
	"# HELP balloon_stat_major_faults_total Guest: page faults that needed a disk.\n"
	"# TYPE balloon_stat_major_faults_total counter\n"
	"balloon_stat_major_faults_total{guest=\"web\"} 102\n"
	"# HELP balloon_stat_minor_faults_total Guest: other page faults.\n"
	"# TYPE balloon_stat_minor_faults_total counter\n"
	"balloon_stat_minor_faults_total{guest=\"web\"} 103\n"
	"# HELP balloon_stat_free_memory_bytes Guest: memory that is not used at all.\n"
	"# TYPE balloon_stat_free_memory_bytes gauge\n"
	"balloon_stat_free_memory_bytes{guest=\"web\"} 104\n"
	"# HELP balloon_stat_total_memory_bytes Guest: all memory that it counts.\n"
	"# TYPE balloon_stat_total_memory_bytes gauge\n"
	"balloon_stat_total_memory_bytes{guest=\"web\"} 105\n"
	"# HELP balloon_stat_available_memory_bytes Guest: memory that could be used without "
	"swapping.\n"
	"# TYPE balloon_stat_available_memory_bytes gauge\n"
	"balloon_stat_available_memory_bytes{guest=\"web\"} 106\n"
	"# HELP balloon_stat_disk_caches_bytes Guest: memory that caches files.\n"
	"# TYPE balloon_stat_disk_caches_bytes gauge\n"
	"balloon_stat_disk_caches_bytes{guest=\"web\"} 107\n"
	"# HELP balloon_stat_htlb_pgalloc_total Guest: huge pages allocated.\n"
	"# TYPE balloon_stat_htlb_pgalloc_total counter\n"
	"balloon_stat_htlb_pgalloc_total{guest=\"web\"} 108\n"
	"# HELP balloon_stat_htlb_pgfail_total Guest: allocations of huge pages that failed.\n"
	"# TYPE balloon_stat_htlb_pgfail_total counter\n"
	"balloon_stat_htlb_pgfail_total{guest=\"web\"} 109\n"
	"# HELP balloon_stat_oom_kills_total Guest: kills for want of memory.\n"
	"# TYPE balloon_stat_oom_kills_total counter\n"
	"balloon_stat_oom_kills_total{guest=\"web\"} 110\n"
	"# HELP balloon_stat_alloc_stalls_total Guest: allocations that had to wait.\n"
	"# TYPE balloon_stat_alloc_stalls_total counter\n"
	"balloon_stat_alloc_stalls_total{guest=\"web\"} 111\n"
	"# HELP balloon_stat_async_scans_total Guest: pages scanned in the background.\n"
	"# TYPE balloon_stat_async_scans_total counter\n"
	"balloon_stat_async_scans_total{guest=\"web\"} 112\n"
	"# HELP balloon_stat_direct_scans_total Guest: pages scanned by allocations.\n"
	"# TYPE balloon_stat_direct_scans_total counter\n"
	"balloon_stat_direct_scans_total{guest=\"web\"} 113\n"
	"# HELP balloon_stat_async_reclaims_total Guest: pages reclaimed in the background.\n"
	"# TYPE balloon_stat_async_reclaims_total counter\n"
	"balloon_stat_async_reclaims_total{guest=\"web\"} 114\n"
	"# HELP balloon_stat_direct_reclaims_total Guest: pages reclaimed by allocations.\n"
	"# TYPE balloon_stat_direct_reclaims_total counter\n"
	"balloon_stat_direct_reclaims_total{guest=\"web\"} 115\n";

static void metrics_are_these(void **state)
{
	struct sample sample = {
		.number = 1,
		.seen = 5000,
		.state = { .ram = 1000,
			   .base = 600,
			   .dimms = 100,
			   .has_grown = true,
			   .grown = 300,
			   .requested = 350,
			   .left = 800,
			   .taken = 200,
			   .has_target = true,
			   .target_left = 700,
			   .has_features = true,
			   .has_driver = true,
			   .driver_ok = true,
			   .paused = true,
			   .complaint = "x" },
		.has_stats = true,
		.stats = { .ever = true, .update = 55, .age = 4, .interval = 7, .present = 0xffff },
		.has_cost = true,
		.cost = { .resident = 4096, .cpu_ms = 12345 },
	};
	static const uint64_t values[STAT_COUNT] = {
		[STAT_SWAP_IN] = 100,	       [STAT_SWAP_OUT] = 101,
		[STAT_MAJOR_FAULTS] = 102,     [STAT_MINOR_FAULTS] = 103,
		[STAT_FREE_MEMORY] = 104,      [STAT_TOTAL_MEMORY] = 105,
		[STAT_AVAILABLE_MEMORY] = 106, [STAT_DISK_CACHES] = 107,
		[STAT_HTLB_PGALLOC] = 108,     [STAT_HTLB_PGFAIL] = 109,
		[STAT_OOM_KILLS] = 110,	       [STAT_ALLOC_STALLS] = 111,
		[STAT_ASYNC_SCANS] = 112,      [STAT_DIRECT_SCANS] = 113,
		[STAT_ASYNC_RECLAIMS] = 114,   [STAT_DIRECT_RECLAIMS] = 115,
	};
	const struct metrics_guest guest = { .name = "web", .sample = &sample, .now = 7500 };
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	memcpy(sample.stats.value, values, sizeof(values));
	metrics_write(file, &guest, 1);
	fclose(file);
	assert_string_equal(text, all_metrics);
	free(text);
	/* What is so is 1, and what is not is 0. */
	sample.state.driver_ok = sample.state.paused = false;
	sample.state.complaint[0] = '\0';
	file = open_memstream(&text, &size);
	metrics_write(file, &guest, 1);
	fclose(file);
	assert_says(text, "balloon_driver_ok{guest=\"web\"} 0\n");
	assert_says(text, "balloon_paused{guest=\"web\"} 0\n");
	assert_says(text, "balloon_implausible{guest=\"web\"} 0\n");
	free(text);
}

/* ---- amounts ---- */

static void first_complaint_explains_the_others(void **state)
{
	struct guest_state is = { .ram = 0 };

	(void)state;
	guest_account(&is, 100, 101);
	assert_true(is.left == 100 && is.taken == 0);
	guest_account_target(&is, 101);
	assert_false(is.has_target);
	assert_string_equal(is.complaint,
			    "more memory is said to be left to the guest than it has: "
			    "101 of 100 bytes");
	is = (struct guest_state){ .ram = 0 };
	guest_account(&is, 100, -1);
	assert_true(is.left == 0 && is.taken == 100);
	guest_account(&is, 100, 101);
	assert_string_equal(is.complaint, "the guest says that its balloon holds more than all its "
					  "memory: -1 bytes would be left");
	is = (struct guest_state){ .ram = 0 };
	guest_account(&is, 100, 0);
	assert_true(is.left == 0 && is.taken == 100);
	guest_account(&is, 100, 100);
	assert_true(is.left == 100 && is.taken == 0);
	guest_account_target(&is, 100);
	assert_true(is.has_target && is.target_left == 0);
	guest_account_target(&is, 0);
	assert_true(is.target_left == 100);
	assert_string_equal(is.complaint, "");
}

/* ---- what a guest costs ---- */

static void process_that_is_not_there_costs_nothing_that_is_known(void **state)
{
	struct guest guest = { .name = NULL };
	struct guest_cost cost;

	(void)state;
	assert_int_equal(guest_cost_of_process(&guest, INT_MAX, &cost), -ENOTSUP);
	assert_string_equal(guest.error, "what process 2147483647 costs cannot be seen");
}

static void *touched;

/* One that has 32 MiB of its own and has worked for half a second. */
static pid_t start_worker(int *say)
{
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rusage used;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "a ) b (");
		touched = malloc(32 * MIB);
		do {
			memset(touched, 1, 32 * MIB);
			getrusage(RUSAGE_SELF, &used);
		} while (used.ru_utime.tv_sec + used.ru_stime.tv_sec < 1);
		while (write(ends[1], "x", 1) == 1)
			pause();
	}
	close(ends[1]);
	*say = ends[0];
	return pid;
}

/* The number after a word in a file of /proc. */
static unsigned long long number_in(pid_t pid, const char *name, const char *format)
{
	char path[64], text[4096];
	unsigned long long one = 0, other = 0;
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	read_text(path, text, sizeof(text));
	at = *format == ')' ? strrchr(text, ')') : strstr(text, "Pss:");
	assert_true(sscanf(at, format, &one, &other) >= 1);
	return one + other;
}

#define PSS "Pss: %llu kB"
#define TICKS ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu"

static int next_fd(void)
{
	int fd = dup(STDERR_FILENO);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

/* It does nothing any more, so that its numbers stay, but for pages that others share. */
static void cost_is_memory_and_processor_time(void **state)
{
	struct guest guest = { .name = NULL };
	struct guest_cost cost;
	unsigned long long kib, after;
	int say, before = next_fd();
	pid_t pid = start_worker(&say);
	char byte;

	(void)state;
	assert_int_equal(read(say, &byte, 1), 1);
	for (int i = 0; i < 1000; i++) {
		kib = number_in(pid, "smaps_rollup", PSS);
		assert_int_equal(guest_cost_of_process(&guest, pid, &cost), 0);
		after = number_in(pid, "smaps_rollup", PSS);
		if (kib == after && cost.resident == kib * 1024)
			break;
	}
	assert_true(kib >= 32 * 1024 && cost.resident == kib * 1024);
	after = number_in(pid, "stat", TICKS);
	assert_int_equal(cost.cpu_ms, after * 1000 / (unsigned long long)sysconf(_SC_CLK_TCK));
	assert_true(cost.cpu_ms >= 900);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(say);
	assert_int_equal(next_fd(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(headline_and_row_have_all_columns, begin, end),
		cmocka_unit_test_setup_teardown(row_has_all_that_is_known, begin, end),
		cmocka_unit_test_setup_teardown(row_lacks_what_is_not_known, begin, end),
		cmocka_unit_test_setup_teardown(silence_is_told_once_and_waited_for, begin, end),
		cmocka_unit_test_setup_teardown(silence_before_the_first_line_is_the_end, begin,
						end),
		cmocka_unit_test_setup_teardown(file_that_takes_nothing_ends_the_recording, begin,
						end),
		cmocka_unit_test_setup_teardown(course_is_not_drawn_over, begin, end),
		cmocka_unit_test_setup_teardown(picture_has_its_title_and_all_its_lines, begin,
						end),
		cmocka_unit_test_setup_teardown(course_that_cannot_be_read_is_told, begin, end),
		cmocka_unit_test_setup_teardown(more_guests_than_can_be_watched_are_refused, begin,
						end),
		cmocka_unit_test_setup_teardown(guests_are_named_or_found, begin, end),
		cmocka_unit_test_setup_teardown(export_without_guests_is_told, begin, end),
		cmocka_unit_test_setup_teardown(export_waits_for_every_guest, begin, end),
		cmocka_unit_test_setup_teardown(newcomer_is_exported, begin, end),
		cmocka_unit_test_setup_teardown(file_may_have_the_number_0, begin, end),
		cmocka_unit_test(first_complaint_explains_the_others),
		cmocka_unit_test(metrics_are_these),
		cmocka_unit_test(interval_becomes_a_rate),
		cmocka_unit_test(intervals_are_rounded_to_milliseconds),
		cmocka_unit_test(signals_are_asked_for_anew_each_time),
		cmocka_unit_test(process_that_is_not_there_costs_nothing_that_is_known),
		cmocka_unit_test(cost_is_memory_and_processor_time),
	};

	return cmocka_run_group_tests_name("balloonctl/looks", tests, NULL, NULL);
}
