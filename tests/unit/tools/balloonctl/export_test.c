/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/metrics.c, listen.c, replace_file.c and export.c: metrics
 * as Prometheus reads them, in a file and over a socket.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/loopback.h"
#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/listen.h"
#include "tools/balloonctl/metrics.h"

#define LONG_MS 600000 /* for a client that is not to be ended */
#define SHORT_MS 300   /* for one that is */
#define ALARM_S 60u    /* for ever */
#define SEEN 5000      /* a sample's time */

static struct sample sample_of(void)
{
	struct sample sample = {
		.number = 1,
		.time = SEEN,
		.seen = SEEN,
		.state = { .ram = 1024 * MIB, .left = 768 * MIB, .taken = 256 * MIB },
		.has_stats = true,
		.stats = { .ever = true,
			   .update = 997,
			   .age = 2.5,
			   .interval = 7,
			   .present = 1u << STAT_FREE_MEMORY | 1u << STAT_SWAP_IN },
	};

	sample.stats.value[STAT_FREE_MEMORY] = 512 * MIB;
	sample.stats.value[STAT_SWAP_IN] = UINT64_MAX;
	return sample;
}

/* By free(). */
static char *write_metrics(const struct metrics_guest *guests, size_t count)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	metrics_write(file, guests, count);
	fclose(file);
	return text;
}

/*
 * Every line is a HELP, its TYPE, or a sample of that name; counters end in
 * _total, and no name comes twice.
 */
static void assert_conventional(const char *text)
{
	char name[128] = "", type[16] = "", seen[64][128];
	unsigned nr_seen = 0;
	char *copy = strdup(text), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")) && *line) {
		size_t len = strcspn(line, "{");

		if (sscanf(line, "# HELP %127s", name) == 1) {
			for (unsigned i = 0; i < nr_seen; i++)
				assert_string_not_equal(seen[i], name);
			assert_true(nr_seen < 64);
			strcpy(seen[nr_seen++], name);
			line = strsep(&rest, "\n");
			assert_non_null(line);
			assert_int_equal(strncmp(line, "# TYPE ", 7), 0);
			assert_int_equal(strncmp(line + 7, name, strlen(name)), 0);
			assert_int_equal(sscanf(line + 7 + strlen(name), " %15s", type), 1);
			assert_int_equal(!strcmp(type, "counter"),
					 strlen(name) > 6 &&
						 !strcmp(name + strlen(name) - 6, "_total"));
			continue;
		}
		assert_int_equal(len, strlen(name));
		assert_memory_equal(line, name, len);
	}
	free(copy);
}

static void metrics_are_grouped_and_exact(void **state)
{
	struct sample one = sample_of(), two = sample_of();
	struct metrics_guest guests[] = { { .name = "web", .sample = &one, .now = SEEN + 1500 },
					  { .name = "db", .sample = &two, .now = SEEN } };
	char *text = write_metrics(guests, 2);

	(void)state;
	assert_conventional(text);
	assert_says(text, "# TYPE balloon_left_bytes gauge\n"
			  "balloon_left_bytes{guest=\"web\"} 805306368\n"
			  "balloon_left_bytes{guest=\"db\"} 805306368\n#");
	assert_says(text, "balloon_stat_swap_in_bytes_total{guest=\"web\"} 18446744073709551615\n");
	assert_says(text, "balloon_stats_update_timestamp_seconds{guest=\"web\"} 997\n");
	assert_says(text, "balloon_stats_interval_seconds{guest=\"db\"} 7\n");
	/* Each has the age that it has now, not that of the look. */
	assert_says(text, "balloon_age_seconds{guest=\"web\"} 1.500\n"
			  "balloon_age_seconds{guest=\"db\"} 0.000\n#");
	assert_says(text, "balloon_stats_age_seconds{guest=\"web\"} 4.000\n"
			  "balloon_stats_age_seconds{guest=\"db\"} 2.500\n#");
	assert_says(text, "\nballoon_build_info{version=\"" AEROSTAT_VERSION "\"} 1\n");
	free(text);
}

static void what_is_not_known_is_absent(void **state)
{
	struct sample sample = sample_of();
	struct metrics_guest guest = { .name = "web", .sample = &sample };
	char *text = write_metrics(&guest, 1);

	(void)state;
	assert_null(strstr(text, "balloon_target"));
	assert_null(strstr(text, "balloon_driver"));
	assert_null(strstr(text, "balloon_host"));
	assert_null(strstr(text, "swap_out"));
	assert_says(text, "balloon_stat_free_memory_bytes");
	free(text);
	sample.stats.ever = false;
	text = write_metrics(&guest, 1);
	assert_null(strstr(text, "balloon_stat_"));
	assert_null(strstr(text, "balloon_stats_age"));
	assert_null(strstr(text, "timestamp"));
	free(text);
}

/* Exactly one state of the guest is 1. */
static void assert_state(const char *text, const char *guest, const char *state)
{
	unsigned states = 0, ones = 0;
	char start[64], one[96];

	snprintf(start, sizeof(start), "balloon_guest_state{guest=\"%s\",state=", guest);
	snprintf(one, sizeof(one), "%s\"%s\"} 1\n", start, state);
	assert_says(text, one);
	for (const char *at = text; (at = strstr(at, start)); at++, states++)
		ones += strchr(at, '\n')[-1] == '1';
	assert_int_equal(ones, 1);
	assert_int_equal(states, CONDITIONS);
}

/* All that a look can end with is told apart, and only who is silent or away is down. */
static void every_condition_has_a_state_of_its_own(void **state)
{
	static const struct {
		int err;
		bool hangs, up;
		const char *word;
	} cases[] = {
		{ 0, false, false, "panicked" },	   { 0, false, true, "up" },
		{ -EBUSY, false, true, "busy" },	   { -ENODEV, false, true, "no_balloon" },
		{ -ETIMEDOUT, false, false, "no_answer" }, { 0, true, false, "no_answer" },
		{ -EBUSY, true, false, "no_answer" },	   { -ENOENT, false, false, "gone" },
		{ -ECONNREFUSED, false, false, "gone" },   { -ECONNRESET, false, false, "gone" },
		{ -EPIPE, false, false, "gone" },	   { -ENOTCONN, false, false, "gone" },
		{ -EPERM, false, false, "failed" },	   { -EPROTO, false, false, "failed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sample sample = { .number = 3, .time = SEEN, .err = cases[i].err };
		struct metrics_guest guest = {
			.name = "a", .sample = &sample, .now = SEEN, .hangs = cases[i].hangs
		};
		char *text;

		sample.state.panicked = !strcmp(cases[i].word, "panicked");
		text = write_metrics(&guest, 1);
		assert_conventional(text);
		assert_state(text, "a", cases[i].word);
		assert_says(text, cases[i].up ? "balloon_up{guest=\"a\"} 1\n"
					      : "balloon_up{guest=\"a\"} 0\n");
		free(text);
	}
}

static void guest_that_has_panicked_is_down_and_has_values(void **state)
{
	struct sample sample = sample_of();
	struct metrics_guest guest = { .name = "a", .sample = &sample, .now = SEEN };
	char *text;

	(void)state;
	sample.state.panicked = true;
	text = write_metrics(&guest, 1);
	assert_says(text, "balloon_up{guest=\"a\"} 0\n");
	assert_says(text, "balloon_left_bytes{guest=\"a\"} 805306368\n");
	free(text);
}

static void guest_that_is_gone_or_hangs_has_no_values(void **state)
{
	struct sample samples[] = {
		sample_of(), { .number = 3, .err = -ENOENT }, { 0 }, sample_of()
	};
	struct metrics_guest guests[] = { { .name = "a", .sample = &samples[0] },
					  { .name = "b", .sample = &samples[1] },
					  { .name = "c", .sample = &samples[2], .hangs = true },
					  { .name = "d", .sample = &samples[3], .hangs = true } };
	char *text = write_metrics(guests, 4);

	(void)state;
	assert_says(text, "balloon_up{guest=\"a\"} 1\nballoon_up{guest=\"b\"} 0\n"
			  "balloon_up{guest=\"c\"} 0\nballoon_up{guest=\"d\"} 0\n");
	assert_state(text, "c", "pending");
	assert_says(text, "balloon_ram_bytes{guest=\"a\"}");
	assert_null(strstr(text, "balloon_ram_bytes{guest=\"b\"}"));
	assert_null(strstr(text, "balloon_ram_bytes{guest=\"d\"}"));
	free(text);
}

/* What was seen before somebody else came stands, with its age. */
static void busy_guest_keeps_what_was_seen(void **state)
{
	struct sample busy = sample_of();
	struct metrics_guest guest = { .name = "a", .sample = &busy, .now = SEEN + 60000 };
	char *text;

	(void)state;
	busy.err = -EBUSY;
	busy.time = SEEN + 59000;
	text = write_metrics(&guest, 1);
	assert_state(text, "a", "busy");
	assert_says(text, "balloon_left_bytes{guest=\"a\"} 805306368\n");
	assert_says(text, "balloon_stat_free_memory_bytes{guest=\"a\"} 536870912\n");
	assert_says(text, "balloon_age_seconds{guest=\"a\"} 60.000\n");
	assert_says(text, "balloon_stats_age_seconds{guest=\"a\"} 62.500\n");
	free(text);
	/* One that was never seen has nothing. */
	busy = (struct sample){ .number = 1, .err = -EBUSY };
	text = write_metrics(&guest, 1);
	assert_state(text, "a", "busy");
	assert_null(strstr(text, "balloon_age"));
	assert_null(strstr(text, "balloon_left"));
	free(text);
}

/* A guest of which all is known. */
static char *write_everything(void)
{
	struct sample sample = sample_of();
	struct metrics_guest guest = { .name = "a", .sample = &sample, .now = SEEN };

	sample.state.has_target = sample.state.has_features = sample.state.has_driver =
		sample.has_cost = true;
	sample.state.has_grown = true;
	sample.stats.present = (1u << STAT_COUNT) - 1;
	return write_metrics(&guest, 1);
}

/* For `promtool check metrics`, which tests/contrib/run.sh has judge it. */
static void all_metrics_are_conventional(void **state)
{
	const char *path = getenv("METRICS_FILE");
	char *text = write_everything();

	(void)state;
	assert_conventional(text);
	if (path) {
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		fputs(text, file);
		assert_int_equal(fclose(file), 0);
	}
	free(text);
}

/* By free(). */
static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	assert_true(getdelim(&text, &size, '\0', file) > 0);
	fclose(file);
	return text;
}

/* Every balloon_NAME in the file is a metric; how many there are. */
static unsigned assert_names_metrics(const char *path, const char *metrics)
{
	char *text = read_file(path), name[80], type[96];
	unsigned count = 0;

	for (const char *at = text; (at = strstr(at, "balloon_")); at += strlen(name), count++) {
		snprintf(name, sizeof(name), "%.*s", (int)strspn(at, "abcdefghijklmnopqrstuvwxyz_"),
			 at);
		snprintf(type, sizeof(type), "# TYPE %s ", name);
		if (!strstr(metrics, type))
			fail_msg("%s: there is no metric %s", path, name);
	}
	free(text);
	return count;
}

static void dashboard_and_alerts_name_what_there_is(void **state)
{
	char *metrics = write_everything();
	struct json_object *dashboard = json_object_from_file(
		"tools/balloonctl/contrib/balloonctl-dashboard.json");

	(void)state;
	assert_non_null(dashboard);
	json_object_put(dashboard);
	assert_true(assert_names_metrics("tools/balloonctl/contrib/balloonctl-dashboard.json",
					 metrics) > 15);
	assert_true(assert_names_metrics("tools/balloonctl/contrib/balloonctl-alerts.yml",
					 metrics) > 10);
	free(metrics);
}

static void labels_are_escaped(void **state)
{
	struct sample sample = { 0 };
	struct metrics_guest guest = { .name = "a\"b\\c\n\xff", .sample = &sample };
	char *text = write_metrics(&guest, 1);

	(void)state;
	assert_says(text, "balloon_up{guest=\"a\\\"b\\\\c\\\\x0a\\\\xff\"} 0\n");
	free(text);
}

static void metrics_are_printed_once(void **state)
{
	struct fake_qemu qemu = { .left_before = 768 * MIB };
	struct outcome end = RUN_AGAINST(&qemu, "export");

	(void)state;
	assert_int_equal(end.status, EXIT_REACHED);
	assert_conventional(end.out);
	assert_says(end.out, "\nballoon_left_bytes{guest=\"/tmp/balloonctl-");
	end = run_command(NULL, "export", "/nowhere/a", NULL);
	assert_int_equal(end.status, EXIT_REACHED);
	assert_says(end.out, "balloon_up{guest=\"/nowhere/a\"} 0\n");
}

static void text_file_is_replaced_whole(void **state)
{
	char dir[] = "/tmp/balloonctl-XXXXXX", path[64], text[16384];
	struct fake_qemu qemu = { 0 };
	struct stat before, after;
	struct outcome end;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/balloon.prom", dir);
	file = fopen(path, "w");
	assert_int_equal(fstat(fileno(file), &before), 0);
	end = RUN_AGAINST(&qemu, "export", "--textfile", path);
	assert_int_equal(end.status, EXIT_REACHED);
	assert_string_equal(end.out, "");
	/* Another file has its name now; who reads the old one is not disturbed. */
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino != after.st_ino);
	assert_int_equal(after.st_mode & 0444, 0444 & ~(umask(022), umask(022)));
	fclose(file);
	file = fopen(path, "r");
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_conventional(text);
	assert_says(text, "} 1\n");
	unlink(path);
	/* Nothing else was left there. */
	assert_int_equal(rmdir(dir), 0);
	end = RUN_AGAINST(&qemu, "export", "--textfile", path);
	assert_int_equal(end.status, EXIT_WRONG);
	assert_says(end.err, "No such file");
}

/* Run by root, it must not take the place of a device like /dev/null. */
static void only_a_regular_file_is_replaced(void **state)
{
	char dir[] = "/tmp/balloonctl-XXXXXX", path[64];
	struct fake_qemu qemu = { 0 };
	struct stat is;
	struct outcome end;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/balloon.prom", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	end = RUN_AGAINST(&qemu, "export", "--textfile", path);
	assert_int_equal(end.status, EXIT_WRONG);
	assert_says(end.err, "no regular file");
	assert_int_equal(lstat(path, &is), 0);
	assert_true(S_ISFIFO(is.st_mode));
	unlink(path);
	assert_int_equal(symlink("elsewhere", path), 0);
	end = RUN_AGAINST(&qemu, "export", "--textfile", path);
	assert_int_equal(end.status, EXIT_WRONG);
	assert_int_equal(lstat(path, &is), 0);
	assert_true(S_ISLNK(is.st_mode));
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

/* ---- commands that run until they are told to end ---- */

/* In a process of its own: tells its parent to end when `ready` says that it may. */
static pid_t end_parent_when(bool (*ready)(const char *what), const char *what)
{
	pid_t parent = getpid(), pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!ready(what))
		usleep(20000);
	kill(parent, SIGTERM);
	_exit(0);
}

/* Twice, as other files each time: it has been renewed. */
static bool was_renewed(const char *path)
{
	static ino_t first;
	struct stat st;

	if (stat(path, &st))
		return false;
	if (!first)
		first = st.st_ino;
	return st.st_ino != first;
}

static void text_file_is_renewed_and_removed_at_the_end(void **state)
{
	char dir[] = "/tmp/balloonctl-XXXXXX", path[64];
	struct fake_qemu qemu = { 0 };
	struct outcome end;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/balloon.prom", dir);
	alarm(ALARM_S);
	pid = end_parent_when(was_renewed, path);
	end = RUN_AGAINST(&qemu, "export", "--textfile", path, "--every", "0.1");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	alarm(0);
	assert_int_equal(end.status, EXIT_REACHED);
	assert_string_equal(end.err, "");
	assert_int_equal(rmdir(dir), 0);
}

static int try_to_connect(unsigned port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return fd;
	close(fd);
	return -1;
}

/* Until the guest was looked at it is not up. */
static bool serves_the_guest(const char *port)
{
	char text[16384];
	int fd = try_to_connect((unsigned)atoi(port));

	if (fd < 0)
		return false;
	close(fd);
	loopback_ask((unsigned)atoi(port), "GET /metrics HTTP/1.0\r\n\r\n", text, sizeof(text));
	return strstr(text, "\nballoon_left_bytes{guest=\"/tmp/balloonctl-");
}

/* A port that is free at this moment. */
static void find_port(char port[8])
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t size = sizeof(at);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	snprintf(port, 8, "%u", ntohs(at.sin_port));
	close(fd);
}

static void metrics_are_served_until_the_end(void **state)
{
	struct fake_qemu qemu = { 0 };
	struct outcome end;
	char port[8];

	(void)state;
	alarm(ALARM_S);
	do {
		pid_t pid;

		find_port(port);
		pid = end_parent_when(serves_the_guest, port);
		end = RUN_AGAINST(&qemu, "export", "--listen", port, "--interval", "0.1", "--stats",
				  "1");
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		/* Somebody else may have taken it. */
	} while (strstr(end.err, "Address already in use"));
	alarm(0);
	assert_int_equal(end.status, EXIT_REACHED);
	assert_says(end.out, "http://127.0.0.1:");
	assert_says(end.out, "/metrics\n");
}

static void export_refuses_odd_arguments(void **state)
{
	static const char *const bad[] = { "",	      "x",	    "1.2.3:80", "127.0.0.1:65536",
					   "host:80", "127.0.0.1:", "::1:80",	"[::1:80",
					   "[]:80",   "80:",	    ":-1",	"127.0.0.1:80x" };
	struct outcome end;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		end = run_command("/nowhere/a", "export", "--listen", bad[i], NULL);
		if (end.status != EXIT_USAGE)
			fail_msg("%s: status %d", bad[i], end.status);
		assert_says(end.err, "ADDR:PORT is wanted");
	}
	end = run_command(NULL, "export", "--listen", "0", "--textfile", "a.prom", NULL);
	assert_int_equal(end.status, EXIT_USAGE);
	assert_says(end.err, "--textfile and --listen exclude each other\n");
	end = run_command(NULL, "export", "--every", "5", NULL);
	assert_int_equal(end.status, EXIT_USAGE);
	end = run_command(NULL, "export", "--stats", "0.5", NULL);
	assert_int_equal(end.status, EXIT_USAGE);
	assert_says(end.err, "--stats 0.5: whole seconds are wanted");
	end = run_command(NULL, "export", "--interval", "0.09", NULL);
	assert_int_equal(end.status, EXIT_USAGE);
	end = run_command(NULL, "export", "--interval", "3600.1", NULL);
	assert_int_equal(end.status, EXIT_USAGE);
}

/* What is wrong is named, and what would be right. */
static void address_that_is_wrong_says_where(void **state)
{
	static const struct {
		const char *typed, *words;
	} bad[] = { { ":99999", ":99999: '99999' is no port, which is 0 to 65535; ADDR:PORT is "
				"wanted, as in 127.0.0.1:9100 or [::1]:9100, or PORT alone\n" },
		    { ":abc", "'abc' is no port, which is 0 to 65535; " },
		    { "65536", "'65536' is no port" },
		    { "localhost", "'localhost' is no port" },
		    { "", ": there is no port; " },
		    { "[::1]:", ": there is no port; " },
		    { "[::1]", ": there is no port; " },
		    { "127.0.0.1", ": there is no port; " },
		    { "localhost:9100", "'localhost' is no numeric address; " },
		    { "1.2.3.4.5:80", "'1.2.3.4.5' is no numeric address; " },
		    { "[]:80", "'[]' is no numeric address; " },
		    { "::1:9100", "'::1' has a colon, and is not in brackets; " },
		    { "http://127.0.0.1:9100", "'http://127.0.0.1' has a colon, and is not" } };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct outcome end = run_command("/nowhere/a", "export", "--listen", bad[i].typed,
						 NULL);

		assert_int_equal(end.status, EXIT_USAGE);
		assert_says(end.err, bad[i].words);
	}
}

static void file_has_a_name_that_is_read(void **state)
{
	static const char *const bad[] = { "/nowhere/a.txt", "", "-", "/nowhere/a.prom.new",
					   "/nowhere/prom" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct outcome end = run_command("/nowhere/a", "export", "--textfile", bad[i],
						 NULL);

		assert_int_equal(end.status, EXIT_USAGE);
		assert_says(end.err, ": a name that ends in .prom is wanted, as node_exporter "
				     "reads no other\n");
	}
}

static void options_without_effect_are_refused(void **state)
{
	struct outcome end = run_command("/nowhere/a", "export", "--interval", "5", NULL);

	(void)state;
	assert_int_equal(end.status, EXIT_USAGE);
	assert_says(end.err, "--interval goes with --listen\n");
	end = run_command("/nowhere/a", "export", "--textfile", "a.prom", "--interval", "5", NULL);
	assert_int_equal(end.status, EXIT_USAGE);
	assert_says(end.err, "--interval goes with --listen; a file is renewed by --every\n");
	end = run_command("/nowhere/a", "export", "--textfile", "a.prom", "--stats", "5", NULL);
	assert_int_equal(end.status, EXIT_USAGE);
	assert_says(end.err, "--stats goes with --listen or --every: a guest is asked while this");
	end = run_command("/nowhere/a", "set", "5M", "--patience=5", NULL);
	assert_int_equal(end.status, EXIT_USAGE);
	assert_says(end.err, "--patience goes with --wait\n");
	end = run_command(NULL, "dump", "--verbose", "/nowhere/a", NULL);
	assert_int_equal(end.status, EXIT_USAGE);
	assert_says(end.err, "--verbose goes with --live: a file is read as it is\n");
}

/* What stands before the amount for getopt() was not typed. */
static void option_at_the_end_wants_its_value(void **state)
{
	static const char *const amounts[] = { "5M", "-5M" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct outcome end = run_command("/nowhere/a", "set", amounts[i], "--wait",
						 "--patience", NULL);

		assert_int_equal(end.status, EXIT_USAGE);
		assert_says(end.err, ": --patience wants a value; see --help\n");
	}
}

/* To look for it again and again would find nothing, ever. */
static void name_of_no_guest_is_refused(void **state)
{
	static const char *const commands[][3] = { { "export", NULL, NULL },
						   { "export", "--listen", "0" },
						   { "watch", "--json", NULL } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const char *const *words = commands[i];
		struct outcome end;

		end = words[2]	 ? run_command(NULL, words[0], words[1], words[2], "a b", NULL)
		      : words[1] ? run_command(NULL, words[0], words[1], "a b", NULL)
				 : run_command(NULL, words[0], "/nowhere/a", "a b", NULL);
		assert_int_equal(end.status, EXIT_USAGE);
		assert_says(end.err, "'a b' names no guest: take a short name");
		assert_string_equal(end.out, "");
	}
	/* After -g as well, and a URI needs its domain. */
	assert_int_equal(run_command("#x", "export", NULL).status, EXIT_USAGE);
	assert_says(run_command(NULL, "watch", "--json", "libvirt:///session#", NULL).err,
		    "libvirt:///session# names no domain: write it after a #");
}

/* ---- the server ---- */

static char *make_page(void *context, size_t *size)
{
	const char *text = context;

	*size = text ? strlen(text) : 0;
	return text ? strdup(text) : NULL;
}

/* Sends a request to ADDR:PORT and reads the answer. */
static void ask(const char *address, const char *request, char *text, size_t size)
{
	loopback_ask((unsigned)strtoul(strrchr(address, ':') + 1, NULL, 10), request, text, size);
}

static void server_has_one_page_and_a_link_to_it(void **state)
{
	static char page[] = "balloon_up 1\n";
	char address[LISTEN_ADDRESS], text[4096];
	struct listener *listener;

	(void)state;
	assert_int_equal(listen_start("127.0.0.1:0", make_page, page, LONG_MS, &listener, address),
			 0);
	ask(address, "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", text,
	    sizeof(text));
	assert_says(text, "HTTP/1.1 200 ");
	assert_says(text, "Content-Type: text/plain; version=0.0.4");
	assert_says(text, "\r\n\r\nballoon_up 1\n");
	ask(address, "GET / HTTP/1.0\r\n\r\n", text, sizeof(text));
	assert_says(text, "HTTP/1.1 200 ");
	assert_says(text, "Content-Type: text/html; charset=utf-8");
	assert_says(text, "<a href=\"/metrics\">");
	assert_null(strstr(text, "balloon_up"));
	ask(address, "GET /../etc/passwd HTTP/1.0\r\n\r\n", text, sizeof(text));
	assert_says(text, " 404 ");
	ask(address, "POST /metrics HTTP/1.0\r\nContent-Length: 0\r\n\r\n", text, sizeof(text));
	assert_says(text, " 405 ");
	assert_says(text, "Allow: GET, HEAD");
	ask(address, "\x01\x02\r\n\r\n", text, sizeof(text));
	assert_null(strstr(text, "balloon_up"));
	listen_stop(listener);
}

static void server_is_on_loopback_by_default(void **state)
{
	char address[LISTEN_ADDRESS], other[LISTEN_ADDRESS], text[4096];
	struct listener *listener, *second;

	(void)state;
	assert_int_equal(listen_start("0", make_page, NULL, LONG_MS, &listener, address), 0);
	assert_int_equal(strncmp(address, "127.0.0.1:", 10), 0);
	assert_string_not_equal(address, "127.0.0.1:0");
	ask(address, "GET /metrics HTTP/1.0\r\n\r\n", text, sizeof(text));
	assert_says(text, " 500 ");
	/* The port is taken. */
	assert_int_equal(listen_start(address, make_page, NULL, LONG_MS, &second, other),
			 EXIT_WRONG);
	listen_stop(listener);
}

/* The lowest file descriptor that is free. */
static int next_fd(void)
{
	int fd = dup(STDERR_FILENO);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

#define HUGE_STACK ((size_t)1 << 47) /* all the addresses that a process has */

/* Threads get a stack for which there is no room. */
static void server_without_a_thread_is_an_error(void **state)
{
	char address[LISTEN_ADDRESS];
	struct listener *listener = NULL;
	int free_fd = next_fd(), status;
	pthread_attr_t before, huge;

	(void)state;
	assert_int_equal(pthread_getattr_default_np(&before), 0);
	assert_int_equal(pthread_attr_init(&huge), 0);
	assert_int_equal(pthread_attr_setstacksize(&huge, HUGE_STACK), 0);
	assert_int_equal(pthread_setattr_default_np(&huge), 0);
	status = listen_start("0", make_page, NULL, LONG_MS, &listener, address);
	assert_int_equal(pthread_setattr_default_np(&before), 0);
	pthread_attr_destroy(&huge);
	pthread_attr_destroy(&before);
	assert_int_equal(status, EXIT_WRONG);
	assert_null(listener);
	/* It got as far as the socket, and closed it. */
	assert_int_equal(strncmp(address, "127.0.0.1:", 10), 0);
	assert_int_equal(next_fd(), free_fd);
}

/* ---- clients that take their time ---- */

static int connect_to(const char *address, int receive_size)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_port = htons((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10));
	if (receive_size)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_size,
					    sizeof(receive_size)),
				 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* A byte now and then, of a header that could go on for half an hour. */
static void client_that_says_a_byte_at_a_time_is_ended(void **state)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	static char page[] = "balloon_up 1\n";
	char address[LISTEN_ADDRESS], text[64];
	struct listener *listener;
	int fd;

	(void)state;
	assert_int_equal(listen_start("0", make_page, page, SHORT_MS, &listener, address), 0);
	fd = connect_to(address, 0);
	assert_int_equal(send(fd, "GET /metrics HTTP/1.1\r\nX: ", 26, 0), 26);
	alarm(ALARM_S);
	while (send(fd, "x", 1, MSG_NOSIGNAL) == 1 &&
	       recv(fd, text, sizeof(text), MSG_DONTWAIT) < 0 && errno == EAGAIN)
		nanosleep(&pause, NULL);
	alarm(0);
	close(fd);
	listen_stop(listener);
}

#define LARGE ((size_t)32 * 1024 * 1024) /* more than any socket keeps */

static char *make_large_page(void *context, size_t *size)
{
	(void)context;
	*size = LARGE;
	return calloc(1, LARGE);
}

static void client_that_reads_nothing_is_ended(void **state)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
	static char text[65536];
	char address[LISTEN_ADDRESS];
	struct listener *listener;
	size_t size = 0;
	int fd, later;
	ssize_t n;

	(void)state;
	assert_int_equal(listen_start("0", make_large_page, NULL, SHORT_MS, &listener, address), 0);
	fd = connect_to(address, 4096);
	assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
	later = connect_to(address, 0);
	alarm(ALARM_S);
	/* When the time of the later one is over, so is that of the first. */
	assert_true(recv(later, text, sizeof(text), 0) <= 0);
	while ((n = recv(fd, text, sizeof(text), 0)) > 0)
		size += (size_t)n;
	alarm(0);
	assert_true(size > 0 && size < LARGE);
	close(fd);
	close(later);
	listen_stop(listener);
}

/* Each has said the part `said` of a request. */
static void assert_idlers_delay_nobody(const char *said)
{
	static char page[] = "balloon_up 1\n";
	char address[LISTEN_ADDRESS], text[4096];
	struct listener *listener;
	int idle[16];

	assert_int_equal(listen_start("0", make_page, page, LONG_MS, &listener, address), 0);
	for (size_t i = 0; i < 16; i++)
		idle[i] = connect_to(address, 0);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(send(idle[i], said, strlen(said), 0), strlen(said));
	alarm(ALARM_S);
	ask(address, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", text, sizeof(text));
	assert_says(text, "\r\n\r\nballoon_up 1\n");
	/* The oldest made room, and no other. */
	assert_int_equal(recv(idle[0], text, sizeof(text), 0), 0);
	for (size_t i = 1; i < 16; i++)
		assert_int_equal(recv(idle[i], text, sizeof(text), MSG_DONTWAIT), -1);
	alarm(0);
	for (size_t i = 0; i < 16; i++)
		close(idle[i]);
	listen_stop(listener);
}

static void clients_that_do_nothing_delay_nobody(void **state)
{
	(void)state;
	assert_idlers_delay_nobody("");
}

/* Sixteen that stop in the middle of a request. */
static void half_open_clients_delay_nobody(void **state)
{
	(void)state;
	assert_idlers_delay_nobody("GET /metr");
	assert_idlers_delay_nobody("GET /metrics HTTP/1.1\r\nHost: a\r\n");
	assert_idlers_delay_nobody("POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n");
}

/* HTTP/1.1 would keep it, and the client was told. */
static void connection_is_for_one_answer(void **state)
{
	static char page[] = "balloon_up 1\n";
	char address[LISTEN_ADDRESS], text[4096];
	struct listener *listener;

	(void)state;
	assert_int_equal(listen_start("0", make_page, page, LONG_MS, &listener, address), 0);
	alarm(ALARM_S);
	ask(address,
	    "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\nGET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
	    text, sizeof(text));
	alarm(0);
	assert_says(text, "Connection: close\r\n");
	assert_null(strstr(strstr(text, "balloon_up") + 1, "balloon_up"));
	listen_stop(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_are_grouped_and_exact),
		cmocka_unit_test(what_is_not_known_is_absent),
		cmocka_unit_test(every_condition_has_a_state_of_its_own),
		cmocka_unit_test(guest_that_has_panicked_is_down_and_has_values),
		cmocka_unit_test(guest_that_is_gone_or_hangs_has_no_values),
		cmocka_unit_test(busy_guest_keeps_what_was_seen),
		cmocka_unit_test(all_metrics_are_conventional),
		cmocka_unit_test(dashboard_and_alerts_name_what_there_is),
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(metrics_are_printed_once),
		cmocka_unit_test(text_file_is_replaced_whole),
		cmocka_unit_test(only_a_regular_file_is_replaced),
		cmocka_unit_test(text_file_is_renewed_and_removed_at_the_end),
		cmocka_unit_test(metrics_are_served_until_the_end),
		cmocka_unit_test(export_refuses_odd_arguments),
		cmocka_unit_test(address_that_is_wrong_says_where),
		cmocka_unit_test(file_has_a_name_that_is_read),
		cmocka_unit_test(options_without_effect_are_refused),
		cmocka_unit_test(option_at_the_end_wants_its_value),
		cmocka_unit_test(name_of_no_guest_is_refused),
		cmocka_unit_test(server_has_one_page_and_a_link_to_it),
		cmocka_unit_test(server_is_on_loopback_by_default),
		cmocka_unit_test(server_without_a_thread_is_an_error),
		cmocka_unit_test(client_that_says_a_byte_at_a_time_is_ended),
		cmocka_unit_test(client_that_reads_nothing_is_ended),
		cmocka_unit_test(clients_that_do_nothing_delay_nobody),
		cmocka_unit_test(half_open_clients_delay_nobody),
		cmocka_unit_test(connection_is_for_one_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
