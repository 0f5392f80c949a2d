/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --json of the commands that look again and again, and of those that write files: each
 * object against its schema, and what a program that reads it relies on.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <getopt.h>
#include <json-c/json.h>

#include "tests/schema/assert_fits.h"
#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/command.h"
#include "tools/balloonctl/report.h"

#define ALARM_S 120u /* for ever */
#define WORDS_MAX 8
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char folder[32], csv[64], svg[64];

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/balloonctl-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(csv, sizeof(csv), "%s/a.csv", folder);
	snprintf(svg, sizeof(svg), "%s/a.svg", folder);
	alarm(ALARM_S);
	return 0;
}

static int end(void **state)
{
	(void)state;
	alarm(0);
	unlink(csv);
	unlink(svg);
	return rmdir(folder);
}

/* A member by its path, as in "host memory"; "" if there is none. */
static const char *member(const char *text, const char *path)
{
	static char value[256];
	char names[128], *rest = names, *name;
	struct json_object *all = json_tokener_parse(text), *at = all;

	strcpy(names, path);
	while ((name = strsep(&rest, " ")))
		if (!json_object_object_get_ex(at, name, &at))
			break;
	snprintf(value, sizeof(value), "%s", name || !at ? "" : json_object_get_string(at));
	json_object_put(all);
	return value;
}

static double number(const char *text, const char *path)
{
	const char *value = member(text, path);

	if (*value == '\0')
		fail_msg("no \"%s\" in %s", path, text);
	return strtod(value, NULL);
}

/* ---- all commands ---- */

static void every_command_has_json_and_a_schema(void **state)
{
	(void)state;
	for (size_t i = 0; commands[i]; i++) {
		const char *name = commands[i]->name;
		const struct option *option = commands[i]->options;
		char path[128];

		while (option->name && strcmp(option->name, "json") != 0)
			option++;
		if (!option->name)
			fail_msg("%s has no --json", name);
		assert_says(commands[i]->help, "--json");
		if (!strcmp(name, "take") || !strcmp(name, "give") || !strcmp(name, "grow") ||
		    !strcmp(name, "shrink"))
			name = "set";
		snprintf(path, sizeof(path), "docs/schemas/balloonctl-%s.json", name);
		if (access(path, R_OK))
			fail_msg("there is no %s", path);
	}
}

/* ---- watch ---- */

struct watcher {
	pid_t pid;
	FILE *lines;
};

/* Runs a command, given by its words, that prints to `out`. */
static pid_t start_command(int out, const char *guest, const char *const words[WORDS_MAX])
{
	struct common common = { .guest = guest };
	char *argv[WORDS_MAX + 1] = { NULL };
	int argc = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDOUT_FILENO);
	closefrom(STDERR_FILENO + 1);
	for (; argc < WORDS_MAX && words[argc]; argc++)
		argv[argc] = strdup(words[argc]);
	exit(command_run(command_find(argv[0]), &common, argc, argv));
}

/* `balloonctl watch --json --interval 0.1 NAME OTHER` at the end of a pipe. */
static struct watcher start_watch(const char *name, const char *other)
{
	const char *words[WORDS_MAX] = { "watch", "--json", "--interval", "0.1", name, other };
	struct watcher watcher;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	watcher.pid = start_command(ends[1], NULL, words);
	close(ends[1]);
	watcher.lines = fdopen(ends[0], "r");
	return watcher;
}

/* The next line of the guest, against the schema. */
static const char *next_line(struct watcher *watcher, const char *guest)
{
	static char line[4096];

	do {
		if (!fgets(line, sizeof(line), watcher->lines))
			fail_msg("the lines have ended");
		assert_fits("balloonctl-watch", line);
	} while (strcmp(member(line, "guest"), guest) != 0);
	return line;
}

static int status_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Each guest has its own lines, and one that is not there says so, again and again. */
static void watch_prints_a_line_for_each_look(void **state)
{
	const struct fake_qemu qemu = { .left_before = 768 * MIB, .lives = true };
	double before = (double)time(NULL), first, last = 0;
	struct fake_place place;
	struct watcher watcher;
	const char *line;

	(void)state;
	fake_qemu_start(&qemu, &place);
	watcher = start_watch(place.path, "/nowhere/a");
	line = next_line(&watcher, place.path);
	assert_string_equal(member(line, "condition"), "up");
	assert_string_equal(member(line, "left"), "805306368");
	assert_string_equal(member(line, "taken"), "268435456");
	assert_true(number(line, "host memory") > 0);
	assert_true(number(line, "host cpu-seconds") >= 0);
	assert_true(number(line, "age") >= 0 && number(line, "age") < 60);
	first = number(line, "time");
	assert_true(first >= before && first <= (double)time(NULL) + 1);
	/* Asked for statistics meanwhile. */
	do
		line = next_line(&watcher, place.path);
	while (strcmp(member(line, "statistics stat-free-memory"), "4096") != 0 ||
	       strcmp(member(line, "polling-interval"), "1") != 0);
	assert_true(number(line, "time") > first);
	/* No look comes twice. */
	for (int i = 0; i < 2; i++) {
		line = next_line(&watcher, "/nowhere/a");
		assert_true(number(line, "time") > last);
		last = number(line, "time");
		assert_string_equal(member(line, "condition"), "gone");
		assert_says(line, "\"error\":\"/nowhere: No such file or directory\"");
		assert_string_equal(member(line, "left"), "");
		assert_string_equal(member(line, "host"), "");
	}
	kill(watcher.pid, SIGTERM);
	assert_int_equal(status_of(watcher.pid), EXIT_REACHED);
	fclose(watcher.lines);
	fake_qemu_stop(&place);
}

/* Reads until the guest is asked for statistics, and no more; whether it still is then. */
static bool is_asked_after_the_reader(void)
{
	const struct fake_qemu qemu = { .left_before = 768 * MIB, .lives = true };
	struct fake_place place;
	struct watcher watcher;
	struct outcome got;
	const char *line;

	fake_qemu_start(&qemu, &place);
	watcher = start_watch(place.path, NULL);
	do
		line = next_line(&watcher, place.path);
	while (strcmp(member(line, "polling-interval"), "1") != 0);
	fclose(watcher.lines);
	assert_int_equal(status_of(watcher.pid), 128 + SIGPIPE);
	got = run_command(place.path, "stats", "--json", NULL);
	fake_qemu_stop(&place);
	return strcmp(member(got.out, "polling-interval"), "0") != 0;
}

/*
 * As `watch --json | head -1` has it. A guest has a second to be left, which may be too short
 * on a busy machine: then once more.
 */
static void reader_that_is_gone_leaves_the_guest_as_it_was(void **state)
{
	unsigned tries = 1;

	(void)state;
	while (is_asked_after_the_reader())
		if (++tries > 10)
			fail_msg("the guest is still asked for statistics, ten times of ten");
}

/* A command's status where nobody reads what it prints, as `... | true` may have it. */
static int status_without_reader(const char *guest, const char *const words[WORDS_MAX])
{
	int ends[2], status;

	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	status = status_of(start_command(ends[1], guest, words));
	close(ends[1]);
	return status;
}

/* Also those that write only at their end, when signals are long caught. */
static void reader_that_is_gone_ends_a_command_in_silence(void **state)
{
	const struct fake_qemu qemu = { .left_before = 768 * MIB };
	const char *const exports[][WORDS_MAX] = { { "export", "/nowhere/a" },
						   { "export", "--json", "/nowhere/a" },
						   { "export", "--listen", "0", "/nowhere/a" } };
	const char *const records[][WORDS_MAX] = {
		{ "record", csv, "--force", "--for", "0", "--json" },
		{ "record", "-", "--for", "0" },
	};
	struct fake_place place;

	(void)state;
	for (size_t i = 0; i < COUNT(exports); i++)
		assert_int_equal(status_without_reader(NULL, exports[i]), 128 + SIGPIPE);
	fake_qemu_start(&qemu, &place);
	for (size_t i = 0; i < COUNT(records); i++)
		assert_int_equal(status_without_reader(place.path, records[i]), 128 + SIGPIPE);
	fake_qemu_stop(&place);
}

/* Without names it is all that there are, and will be. */
static void watch_finds_guests_that_come(void **state)
{
	const struct fake_qemu qemu = { .left_before = 640 * MIB };
	char runtime[64], socket[96];
	struct fake_place place;
	struct watcher watcher;

	(void)state;
	fake_qemu_start(&qemu, &place);
	snprintf(runtime, sizeof(runtime), "%s/aerostat-%u", folder, (unsigned)geteuid());
	snprintf(socket, sizeof(socket), "%s/web.qmp", runtime);
	assert_int_equal(mkdir(runtime, 0700), 0);
	setenv("XDG_RUNTIME_DIR", folder, 1);
	watcher = start_watch(NULL, NULL);
	/* When it runs, nobody is there. */
	usleep(100000);
	assert_int_equal(link(place.path, socket), 0);
	assert_string_equal(member(next_line(&watcher, "web"), "left"), "671088640");
	unsetenv("XDG_RUNTIME_DIR");
	kill(watcher.pid, SIGTERM);
	assert_int_equal(status_of(watcher.pid), EXIT_REACHED);
	fclose(watcher.lines);
	unlink(socket);
	assert_int_equal(rmdir(runtime), 0);
	fake_qemu_stop(&place);
}

static void watch_with_json_draws_nothing(void **state)
{
	static const char *const words[][2] = { { "--ascii", NULL }, { "--window", "5m" } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct outcome got = run_command("/nowhere/a", "watch", "--json", words[i][0],
						 words[i][1], NULL);

		assert_int_equal(got.status, EXIT_USAGE);
		assert_says(got.err, "--json draws nothing: --window and --ascii are for the "
				     "screen\n");
	}
}

/* ---- a look ---- */

static struct sample sample_of(void)
{
	struct sample sample = {
		.number = 1,
		.time = 5000,
		.seen = 5000,
		.state = { .ram = 1024 * MIB,
			   .base = 1024 * MIB,
			   .left = 768 * MIB,
			   .taken = 256 * MIB },
		.has_stats = true,
		.stats = { .ever = true, .update = 9, .age = 2.5, .interval = 7, .present = 1 },
		.has_cost = true,
		.cost = { .resident = 4096, .cpu_ms = 12345 },
	};

	sample.stats.value[0] = UINT64_MAX;
	return sample;
}

/* Consumes the object. */
static const char *text_of(struct json_object *all)
{
	static char text[2048];

	snprintf(text, sizeof(text), "%s",
		 json_object_to_json_string_ext(all, JSON_C_TO_STRING_PLAIN |
							     JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(all);
	return text;
}

static void look_has_all_that_is_known_with_its_age(void **state)
{
	struct sample sample = sample_of();

	(void)state;
	assert_string_equal(text_of(report_look("web", &sample, CONDITION_UP, 6500)),
			    "{\"guest\":\"web\",\"ram\":1073741824,\"left\":805306368,"
			    "\"taken\":268435456,\"base\":1073741824,\"dimms\":0,"
			    "\"paused\":false,\"panicked\":false,"
			    "\"condition\":\"up\",\"age\":1.500,"
			    "\"statistics\":{\"stat-swap-in\":18446744073709551615},"
			    "\"statistics-age\":4.000,\"polling-interval\":7,"
			    "\"host\":{\"memory\":4096,\"cpu-seconds\":12.345}}");
	sample.has_stats = sample.has_cost = false;
	assert_string_equal(text_of(report_look("web", &sample, CONDITION_PANICKED, 5000)),
			    "{\"guest\":\"web\",\"ram\":1073741824,\"left\":805306368,"
			    "\"taken\":268435456,\"base\":1073741824,\"dimms\":0,"
			    "\"paused\":false,\"panicked\":false,"
			    "\"condition\":\"panicked\",\"age\":0.000}");
}

/* A schema says so, for whoever reads no prose. */
static void no_value_is_younger_than_now(void **state)
{
	static const struct {
		const char *schema, *start, *age;
	} all[] = {
		{ "balloonctl-watch", "{\"guest\":\"a\",\"condition\":\"up\",\"time\":1,", "age" },
		{ "balloonctl-watch", "{\"guest\":\"a\",\"condition\":\"up\",\"time\":1,",
		  "statistics-age" },
		{ "balloonctl-stats", "{\"guest\":\"a\",\"statistics\":{},\"polling-interval\":0,",
		  "statistics-age" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		char text[128], error[SCHEMA_ERROR];

		snprintf(text, sizeof(text), "%s\"%s\":0.0}", all[i].start, all[i].age);
		assert_fits(all[i].schema, text);
		snprintf(text, sizeof(text), "%s\"%s\":-0.001}", all[i].start, all[i].age);
		assert_int_equal(schema_check(all[i].schema, text, error), -1);
		assert_says(error, "-0.001 is less than 0");
	}
}

static void busy_guest_has_what_was_seen_last(void **state)
{
	struct sample sample = sample_of();
	const char *text;

	(void)state;
	sample.err = -EBUSY;
	strcpy(sample.error, "busy: another client");
	text = text_of(report_look("web", &sample, CONDITION_BUSY, 9000));
	assert_string_equal(member(text, "left"), "805306368");
	assert_string_equal(member(text, "error"), "busy: another client");
	assert_string_equal(member(text, "age"), "4.000");
	sample.seen = 0;
	assert_string_equal(text_of(report_look("web", &sample, CONDITION_BUSY, 9000)),
			    "{\"guest\":\"web\",\"error\":\"busy: another client\","
			    "\"condition\":\"busy\"}");
	/* Of one that gives no answer nobody knows what is true now. */
	sample.seen = 5000;
	assert_string_equal(text_of(report_look("web", &sample, CONDITION_NO_ANSWER, 9000)),
			    "{\"guest\":\"web\",\"error\":\"busy: another client\","
			    "\"condition\":\"no_answer\"}");
}

/* ---- export ---- */

static void export_prints_all_guests_once(void **state)
{
	const struct fake_qemu qemu = { .left_before = 640 * MIB };
	struct fake_place place;
	struct outcome got;
	char words[256];

	(void)state;
	fake_qemu_start(&qemu, &place);
	got = run_command(NULL, "export", "--json", place.path, "/nowhere/a", NULL);
	fake_qemu_stop(&place);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_string_equal(got.err, "");
	assert_fits("balloonctl-export", got.out);
	assert_string_equal(member(got.out, "version"), AEROSTAT_VERSION);
	snprintf(words, sizeof(words), "{\"guest\":\"%s\",\"ram\":1073741824,\"left\":671088640,",
		 place.path);
	assert_says(got.out, words);
	assert_says(got.out, "{\"guest\":\"/nowhere/a\",\"error\":\"/nowhere: No such file or "
			     "directory\",\"condition\":\"gone\"}]}\n");
	assert_int_equal(strcspn(got.out, "\n"), strlen(got.out) - 1);
}

static void export_serves_no_json(void **state)
{
	struct outcome got = run_command(NULL, "export", "--json", "--listen", "0", NULL);

	(void)state;
	assert_int_equal(got.status, EXIT_USAGE);
	assert_says(got.err,
		    "--json is printed; --listen is for Prometheus, which reads no JSON\n");
	got = run_command(NULL, "export", "--textfile", "a.prom", "--json", NULL);
	assert_int_equal(got.status, EXIT_USAGE);
	assert_says(got.err, "--json is printed; --textfile is for Prometheus");
}

/* ---- record, plot ---- */

static void recording_is_summed_up(void **state)
{
	const struct fake_qemu qemu = { .left_before = 768 * MIB };
	struct outcome got = RUN_AGAINST(&qemu, "record", csv, "--interval", "0.1", "--for", "1",
					 "--json");

	(void)state;
	assert_int_equal(got.status, EXIT_REACHED);
	assert_string_equal(got.err, "");
	assert_fits("balloonctl-record", got.out);
	assert_string_equal(member(got.out, "file"), csv);
	assert_string_equal(member(got.out, "status"), "0");
	assert_true(number(got.out, "rows") >= 1);
	assert_true(fabs(number(got.out, "begin") - (double)time(NULL)) < 100);
	assert_string_equal(member(got.out, "columns left_bytes most"), "805306368");
	assert_true(number(got.out, "columns left_bytes rows") == number(got.out, "rows"));
	assert_true(number(got.out, "columns host_pss_bytes least") > 0);
	/* What is not known, and what is said in other words. */
	assert_string_equal(member(got.out, "columns guest_free_bytes"), "");
	assert_string_equal(member(got.out, "columns time_s"), "");
	assert_string_equal(member(got.out, "columns unix_time_s"), "");
}

/* Also of one that came to its end with its guest, and of none at all. */
static void recording_that_was_cut_short_is_summed_up(void **state)
{
	static const struct fake_answer answers[] = {
		{ .asks = "query-balloon", .times = 3, .value = "{\"actual\": 1073741824}" },
		{ .asks = "query-balloon", .hang_up = true },
		{ 0 },
	};
	const struct fake_qemu gone = { .answers = answers }, good = { .left_before = 0 };
	struct outcome got = RUN_AGAINST(&gone, "record", csv, "--interval", "0.1", "--json");

	(void)state;
	assert_int_equal(got.status, EXIT_NO_CONNECT);
	assert_fits("balloonctl-record", got.out);
	assert_string_equal(member(got.out, "status"), "7");
	assert_string_equal(member(got.out, "rows"), "2");
	assert_true(number(got.out, "seconds") > 0);
	got = RUN_AGAINST(&good, "record", csv, "--for", "0", "--force", "--json");
	assert_int_equal(got.status, EXIT_REACHED);
	assert_fits("balloonctl-record", got.out);
	assert_string_equal(member(got.out, "rows"), "0");
	assert_string_equal(member(got.out, "columns"), "{ }");
	got = run_command("/nowhere/a", "record", csv, "--force", "--json", NULL);
	assert_int_equal(got.status, EXIT_NO_CONNECT);
	assert_string_equal(got.out, "");
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void picture_has_its_extremes_told(void **state)
{
	struct outcome got;

	(void)state;
	write_text(csv,
		   "time_s,unix_time_s,ram_bytes,left_bytes,guest_free_bytes,host_cpu_s,guest\n"
		   "1,1000,9,4,,1,web\n2.5,,9,6,7,2,web\n3,1002,9,2,,3,web\n4,1003,9,5,,4,db\n");
	got = run_command(NULL, "plot", csv, "-o", svg, "--json", NULL);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_fits("balloonctl-plot", got.out);
	assert_string_equal(member(got.out, "course"), csv);
	assert_string_equal(member(got.out, "picture"), svg);
	assert_string_equal(member(got.out, "guest"), "web");
	assert_string_equal(member(got.out, "rows"), "4");
	assert_string_equal(member(got.out, "seconds"), "3.000");
	assert_string_equal(member(got.out, "begin"), "1000.000");
	/* RAM and processor time are not drawn. */
	assert_string_equal(
		member(got.out, "columns"),
		"{ \"left_bytes\": { \"first\": 4, \"last\": 5, \"least\": 2, \"most\": "
		"6, \"rows\": 4 }, \"guest_free_bytes\": { \"first\": 7, \"last\": 7, "
		"\"least\": 7, \"most\": 7, \"rows\": 1 } }");
	/* A course of next to no time. */
	write_text(csv, "time_s,left_bytes\n0,4\n3e-323,5\n");
	got = run_command(NULL, "plot", csv, "-o", svg, "--json", NULL);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_string_equal(member(got.out, "seconds"), "0.000");
	write_text(csv, "time_s,left_bytes\n");
	got = run_command(NULL, "plot", csv, "-o", svg, "--json", NULL);
	assert_int_equal(got.status, EXIT_WRONG);
	assert_string_equal(got.out, "");
}

static void standard_output_is_used_once(void **state)
{
	struct outcome got = run_command("/nowhere/a", "record", "-", "--json", NULL);

	(void)state;
	assert_int_equal(got.status, EXIT_USAGE);
	assert_says(got.err, "standard output takes the course or --json, not both; see watch "
			     "--json\n");
	write_text(csv, "time_s,left_bytes\n0,1\n");
	got = run_command(NULL, "plot", csv, "-o", "-", "--json", NULL);
	assert_int_equal(got.status, EXIT_USAGE);
	assert_says(got.err, "standard output takes the picture or --json, not both\n");
	assert_string_equal(got.out, "");
}

#define JSON_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_has_json_and_a_schema),
		JSON_TEST(watch_prints_a_line_for_each_look),
		JSON_TEST(reader_that_is_gone_leaves_the_guest_as_it_was),
		JSON_TEST(reader_that_is_gone_ends_a_command_in_silence),
		JSON_TEST(watch_finds_guests_that_come),
		cmocka_unit_test(watch_with_json_draws_nothing),
		cmocka_unit_test(look_has_all_that_is_known_with_its_age),
		cmocka_unit_test(no_value_is_younger_than_now),
		cmocka_unit_test(busy_guest_has_what_was_seen_last),
		JSON_TEST(export_prints_all_guests_once),
		cmocka_unit_test(export_serves_no_json),
		JSON_TEST(recording_is_summed_up),
		JSON_TEST(recording_that_was_cut_short_is_summed_up),
		JSON_TEST(picture_has_its_extremes_told),
		JSON_TEST(standard_output_is_used_once),
	};

	return cmocka_run_group_tests_name("balloonctl/json", tests, NULL, NULL);
}
