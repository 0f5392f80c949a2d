/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl record, plot, export and watch against a real guest that is
 * inflated and deflated, dies, and hangs.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/integration/balloonctl_harness.h"
#include "tests/loopback.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/course.h"
#include "tools/deadline.h"

#define TEXT 65536

static char text[TEXT]; /* what was read last */

static const char *file_name(const char *name)
{
	static char paths[2][96];
	static unsigned turn;
	char *path = paths[turn++ % 2];

	snprintf(path, sizeof(paths[0]), "%s/%s", balloonctl_folder, name);
	return path;
}

static void pause_a_moment(int64_t deadline, const char *what)
{
	const struct timespec moment = { .tv_nsec = 50000000 };

	if (deadline_left(deadline) == 0)
		fail_msg("%s has not come; last was:\n%s", what, text);
	nanosleep(&moment, NULL);
}

static void read_stream(FILE *file)
{
	text[0] = '\0';
	if (!file)
		return;
	rewind(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
}

static unsigned count_words(const char *words)
{
	unsigned count = 0;

	for (const char *at = text; (at = strstr(at, words)); at += strlen(words))
		count++;
	return count;
}

/* Waits until `words` stand in the file so often. */
static void wait_for_lines(const char *path, const char *words, unsigned count)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);

	while (true) {
		FILE *file = fopen(path, "r");

		read_stream(file);
		if (file)
			fclose(file);
		if (count_words(words) >= count)
			return;
		pause_a_moment(deadline, words);
	}
}

static void wait_for_line(const char *path, const char *words)
{
	wait_for_lines(path, words, 1);
}

/* Waits for lines of two looks, the second of which has begun since the call. */
static void wait_for_fresh_line(const char *path)
{
	wait_for_line(path, "\n");
	wait_for_lines(path, "\n", count_words("\n") + 2);
}

static void finish(struct program *program, int signal, int status)
{
	struct program_end end;

	kill(program->pid, signal);
	program_finish(program, &end);
	assert_end(&end, status, "");
}

/* ---- record and plot ---- */

/* How many lines have so much left, with nothing that cannot be. */
static unsigned count_left(const struct course *course, uint64_t ram, uint64_t left)
{
	unsigned count = 0;

	for (size_t i = 0; i < course->count; i++) {
		const double *values = course->rows[i].values;

		assert_true(values[COURSE_RAM] == (double)ram);
		assert_true(values[COURSE_LEFT] + values[COURSE_TAKEN] == (double)ram);
		assert_true(values[COURSE_HOST] > (double)MIB);
		assert_false(values[COURSE_FREE] > (double)ram);
		count += values[COURSE_LEFT] == (double)left;
	}
	return count;
}

static void check_course(const char *path, uint64_t ram)
{
	char error[COURSE_ERROR] = "";
	struct course course;
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	if (course_read(file, COURSE_ROWS_MAX, &course, error))
		fail_msg("%s", error);
	fclose(file);
	assert_true(count_left(&course, ram, ram) >= 2);
	assert_true(count_left(&course, ram, ram - 100 * MIB) >= 1);
	assert_true(course.rows[0].values[COURSE_LEFT] == (double)ram);
	assert_true(course.rows[course.count - 1].values[COURSE_LEFT] == (double)ram);
	/* The guest was asked, and has answered. */
	assert_true(course.rows[course.count - 1].values[COURSE_FREE] > 0);
	course_free(&course);
}

static void balloonctl_records_and_plots_an_inflation(void **state)
{
	struct vm *vm = balloonctl_boot((struct guest_options){ 0 });
	uint64_t ram = harness_ram(vm);
	const char *csv = file_name("a.csv"), *svg = file_name("a.svg");
	struct program program;
	char taken[64];
	FILE *file;

	(void)state;
	program_start(&program, false, CALL("record", csv, "--interval", "0.1"));
	snprintf(taken, sizeof(taken), ",%llu,%llu,0,", (unsigned long long)ram,
		 (unsigned long long)ram);
	wait_for_line(csv, taken);
	harness_take(vm, 100 * MIB);
	snprintf(taken, sizeof(taken), ",%llu,%llu,", (unsigned long long)(ram - 100 * MIB),
		 100 * MIB);
	wait_for_line(csv, taken);
	harness_take(vm, 0);
	/* Its statistics are of now. */
	assert_end(BALLOONCTL("stats", "--interval", "1"), EXIT_REACHED, "stat-free-memory");
	wait_for_fresh_line(csv);
	finish(&program, SIGINT, EXIT_REACHED);
	check_course(csv, ram);
	assert_end(BALLOONCTL("record", csv, "--for", "1"), EXIT_WRONG, "!--force");
	assert_end(BALLOONCTL("plot", csv, "-o", csv), EXIT_USAGE, "!is the course itself");
	assert_end(BALLOONCTL("plot", csv, "-o", svg), EXIT_REACHED, "");
	file = fopen(svg, "r");
	assert_non_null(file);
	read_stream(file);
	fclose(file);
	assert_non_null(strstr(text, "left to the guest"));
	assert_non_null(strstr(text, "free in the guest"));
	assert_non_null(strstr(text, "host memory"));
	unlink(csv);
	unlink(svg);
	harness_stop(vm);
}

static void balloonctl_record_leaves_the_guest_as_it_was(void **state)
{
	struct vm *vm = balloonctl_boot((struct guest_options){ 0 });
	const char *csv = file_name("b.csv");
	struct program program;

	(void)state;
	assert_end(BALLOONCTL("stats"), EXIT_REACHED, "nobody asks");
	program_start(&program, false, CALL("record", csv, "--interval", "0.1"));
	wait_for_line(csv, "\n1.");
	assert_end(BALLOONCTL("stats"), EXIT_REACHED, "asked for every 1 s");
	finish(&program, SIGTERM, EXIT_REACHED);
	assert_end(BALLOONCTL("stats"), EXIT_REACHED, "nobody asks");
	unlink(csv);
	harness_stop(vm);
}

/* ---- export ---- */

/* "http://127.0.0.1:PORT/metrics", once the server says so. */
static unsigned wait_for_port(struct program *program)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	unsigned port;

	while (true) {
		read_stream(program->out);
		if (sscanf(text, "http://127.0.0.1:%u/metrics\n", &port) == 1)
			return port;
		pause_a_moment(deadline, "the server's address");
	}
}

static void scrape(unsigned port)
{
	loopback_ask(port, "GET /metrics HTTP/1.0\r\n\r\n", text, sizeof(text));
}

static void wait_for_metric(unsigned port, const char *name, const char *value)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	char line[256];

	snprintf(line, sizeof(line), "\n%s{guest=\"%s\"} %s\n", name, balloonctl_qmp, value);
	for (scrape(port); !strstr(text, line); scrape(port))
		pause_a_moment(deadline, line);
}

/* Somebody else who connects to QEMU, and stays. */
static int hold_socket(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char greeting;

	strcpy(addr.sun_path, balloonctl_qmp);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	/* The exporter's look may be in front. */
	while (recv(fd, &greeting, 1, MSG_DONTWAIT) != 1)
		pause_a_moment(deadline, "a greeting");
	return fd;
}

static void wait_for_state(unsigned port, const char *state)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	char line[256];

	snprintf(line, sizeof(line), "\nballoon_guest_state{guest=\"%s\",state=\"%s\"} 1\n",
		 balloonctl_qmp, state);
	for (scrape(port); !strstr(text, line); scrape(port))
		pause_a_moment(deadline, line);
}

/* As QEMU itself has it: held by another client, stopped, and gone. */
static void balloonctl_export_tells_busy_from_silent_and_gone(void **state)
{
	struct vm *vm = balloonctl_boot((struct guest_options){ 0 });
	const char *const words[] = { program_path("balloonctl"),
				      "-t",
				      "1",
				      "export",
				      "--listen",
				      "0",
				      "--interval",
				      "0.2",
				      balloonctl_qmp,
				      NULL };
	struct program program;
	unsigned port;
	int other;

	(void)state;
	program_start(&program, false, words);
	port = wait_for_port(&program);
	wait_for_state(port, "up");
	other = hold_socket();
	wait_for_state(port, "busy");
	assert_non_null(strstr(text, "\nballoon_left_bytes{"));
	assert_non_null(strstr(text, "\nballoon_age_seconds{"));
	close(other);
	wait_for_state(port, "up");
	kill(vm_pid(vm), SIGSTOP);
	wait_for_state(port, "no_answer");
	assert_null(strstr(text, "balloon_left_bytes"));
	kill(vm_pid(vm), SIGCONT);
	wait_for_state(port, "up");
	harness_stop(vm);
	wait_for_state(port, "gone");
	finish(&program, SIGTERM, EXIT_REACHED);
}

static void balloonctl_export_is_scraped_until_the_guest_is_gone(void **state)
{
	struct vm *vm = balloonctl_boot((struct guest_options){ 0 });
	char left[32];
	struct program program;
	unsigned port;

	(void)state;
	program_start(&program, false,
		      CALL("export", "--listen", "127.0.0.1:0", "--interval", "0.2", "--stats",
			   "1"));
	port = wait_for_port(&program);
	wait_for_metric(port, "balloon_up", "1");
	harness_take(vm, 64 * MIB);
	wait_for_metric(port, "balloon_taken_bytes", "67108864");
	snprintf(left, sizeof(left), "%llu", (unsigned long long)(harness_ram(vm) - 64 * MIB));
	wait_for_metric(port, "balloon_left_bytes", left);
	wait_for_metric(port, "balloon_target_left_bytes", left);
	snprintf(left, sizeof(left), "%llu", (unsigned long long)harness_memory(vm).free);
	wait_for_metric(port, "balloon_stat_free_memory_bytes", left);
	harness_stop(vm);
	wait_for_metric(port, "balloon_up", "0");
	assert_null(strstr(text, "balloon_left_bytes"));
	finish(&program, SIGTERM, EXIT_REACHED);
}

/* ---- watch ---- */

/*
 * Waits until `words` were sent to the terminal since the last call's. Only what
 * changes is sent, so they must be new at their place.
 */
static void wait_for_screen(struct program *program, const char *words)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	size_t len = strlen(text);
	char *at;

	while (!(at = strstr(text, words))) {
		int waiting = 0;
		ssize_t n;

		ioctl(program->terminal, FIONREAD, &waiting);
		if (waiting == 0) {
			pause_a_moment(deadline, words);
			continue;
		}
		/* Far more than a screen. */
		assert_true(len < sizeof(text) - 1);
		n = read(program->terminal, text + len, sizeof(text) - 1 - len);
		assert_true(n > 0);
		len += (size_t)n;
		text[len] = '\0';
	}
	at += strlen(words);
	memmove(text, at, strlen(at) + 1);
}

static void balloonctl_watch_shows_guests_that_live_hang_and_die(void **state)
{
	struct vm *vm = balloonctl_boot((struct guest_options){ 0 });
	const char *const words[] = {
		program_path("balloonctl"), "watch", "--ascii", balloonctl_qmp,
		"/nowhere/a.qmp",	    NULL
	};
	struct winsize size = { .ws_row = 40, .ws_col = 100 };
	struct program program;
	struct program_end end;

	(void)state;
	setenv("TERM", "xterm", 1);
	text[0] = '\0';
	program_start(&program, true, words);
	wait_for_screen(&program, "2 guests");
	wait_for_screen(&program, "256.0 MiB");
	harness_take(vm, 64 * MIB);
	wait_for_screen(&program, "64.00 MiB");
	/* All is drawn anew for another size. */
	ioctl(program.terminal, TIOCSWINSZ, &size);
	wait_for_screen(&program, "2 guests");
	wait_for_screen(&program, "64.00 MiB");
	wait_for_screen(&program, "gone: ");
	kill(vm_pid(vm), SIGSTOP);
	wait_for_screen(&program, "no answer");
	kill(vm_pid(vm), SIGCONT);
	wait_for_screen(&program, "processor");
	kill(vm_pid(vm), SIGSTOP);
	/* Nor does it wait for a guest that hangs. */
	assert_int_equal(write(program.terminal, "q", 1), 1);
	program_finish(&program, &end);
	kill(vm_pid(vm), SIGCONT);
	assert_int_equal(end.status, EXIT_REACHED);
	harness_stop(vm);
}

static void balloonctl_watch_wants_a_terminal(void **state)
{
	(void)state;
	assert_end(BALLOONCTL("watch"), EXIT_WRONG, "!a terminal is wanted");
}

int balloonctl_course_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(balloonctl_records_and_plots_an_inflation),
		TEST(balloonctl_record_leaves_the_guest_as_it_was),
		TEST(balloonctl_export_is_scraped_until_the_guest_is_gone),
		TEST(balloonctl_export_tells_busy_from_silent_and_gone),
		TEST(balloonctl_watch_shows_guests_that_live_hang_and_die),
		TEST(balloonctl_watch_wants_a_terminal),
	};

	return cmocka_run_group_tests_name("balloonctl_course", tests, balloonctl_make_folder,
					   balloonctl_remove_folder);
}
