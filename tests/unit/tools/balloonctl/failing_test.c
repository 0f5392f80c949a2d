/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl when memory is short, and when what it asks of the system fails: each
 * command is run again and again, and each time another call fails. It must end as it
 * does without a failure, or with the status that the manual has and a complaint that
 * names the reason; never by a signal, and nothing may be lost (the sanitizers see it).
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tests/unit/tools/failing.h"
#include "tools/balloonctl/command.h"
#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/guest_names.h"

#define CALLS_MAX 2000 /* more than any command makes */
#define ALARM_S 60u    /* for ever */

static char folder[] = "/tmp/balloonctl-XXXXXX";
static char csv[64], svg[64], prom[64], out_path[64], err_path[64];

/* ---- one run ---- */

struct run {
	int status; /* or 128 + a signal */
	char failed[40];
	char out[16384], err[4096];
};

static void read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t length = read(fd, text, size - 1);

	assert_true(length >= 0);
	text[length] = '\0';
	close(fd);
}

/* In a process of its own, which says on a pipe what failed. */
static void run_in_child(const char *guest, char **argv, enum failing kind, unsigned n, int say)
{
	struct common common = { .guest = guest };
	const char *what;
	int argc = 0, status;

	static const int crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* cmocka would go on with the next test. */
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++)
		signal(crashes[i], SIG_DFL);
	alarm(ALARM_S);
	dup2(open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
	dup2(open(err_path, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
	while (argv[argc])
		argc++;
	fail_nth(kind, n);
	status = command_run(command_find(argv[0]), &common, argc, argv);
	what = failed_call();
	fail_nth(kind, 0);
	if (what && write(say, what, strlen(what)) < 0)
		status = 99;
	exit(status);
}

static void run(const char *guest, char **argv, enum failing kind, unsigned n, struct run *r)
{
	int ends[2], status;
	ssize_t length;
	pid_t pid;

	memset(r, 0, sizeof(*r));
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		run_in_child(guest, argv, kind, n, ends[1]);
	close(ends[1]);
	length = read(ends[0], r->failed, sizeof(r->failed) - 1);
	close(ends[0]);
	assert_true(length >= 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	r->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	read_file(out_path, r->out, sizeof(r->out));
	read_file(err_path, r->err, sizeof(r->err));
}

/* ---- all of them ---- */

struct trial {
	const char *const *words;
	enum failing kind;
	bool may_be_down; /* what cannot be asked is shown as a guest that is not there */
	bool may_lack;	  /* something that is not known, for want of a call */
	int status;	  /* without a failure */
	unsigned most;	  /* so many calls are tried, of one that makes the same again and again */
};

/* Fails with all that is needed to see why. */
static void assert_run(bool good, const struct run *r, const char *command, unsigned n)
{
	if (!good)
		fail_msg("%s, failure %u, of %s: status %d\n%s%s", command, n, r->failed, r->status,
			 r->out, r->err);
}

static bool names_the_reason(const struct run *r, enum failing kind)
{
	static const int reasons[] = { EAGAIN, EMFILE, EPERM, EACCES, EIO };

	/* Which process is which, QEMU and this program must agree on. */
	if (!strcmp(r->failed, "stat") && strstr(r->err, "QEMU does not see this program"))
		return true;

	if (kind == FAILING_MEMORY)
		return strstr(r->err, "out of memory") || strstr(r->err, strerror(ENOMEM));
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strstr(r->err, strerror(reasons[i])))
			return true;
	return false;
}

static void judge(const struct trial *trial, const struct run *good, const struct run *bad,
		  unsigned n)
{
	const char *command = trial->words[0];

	if (bad->status != good->status || (good->status && strcmp(bad->err, good->err) != 0)) {
		assert_run(bad->status == EXIT_WRONG || bad->status == EXIT_NO_CONNECT ||
				   bad->status == EXIT_BAD_FILE,
			   bad, command, n);
		assert_run(names_the_reason(bad, trial->kind), bad, command, n);
		assert_run(!strstr(bad->out, "left"), bad, command, n);
		return;
	}
	assert_run(!strcmp(bad->err, good->err), bad, command, n);
	if (trial->may_be_down && strstr(bad->out, "} 0\n"))
		return;
	assert_run(trial->may_lack || !strcmp(bad->out, good->out), bad, command, n);
}

static void try(const struct fake_qemu *qemu, const struct trial *trial)
{
	char **argv = (char **)(uintptr_t)trial->words;
	static struct run good, bad;
	struct fake_place place;
	unsigned n = 0;

	fake_qemu_start(qemu, &place);
	run(place.path, argv, trial->kind, 0, &good);
	assert_run(good.status == trial->status && !*good.failed, &good, argv[0], 0);
	do {
		run(place.path, argv, trial->kind, ++n, &bad);
		judge(trial, &good, &bad, n);
		assert_true(n < CALLS_MAX);
	} while ((bad.status != good.status || *bad.failed) && n != trial->most);
	/* Some did fail. */
	assert_true(n > 2);
	fake_qemu_stop(&place);
}

static int begin(void **state)
{
	FILE *file;

	(void)state;
	strcpy(folder, "/tmp/balloonctl-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(csv, sizeof(csv), "%s/a.csv", folder);
	snprintf(svg, sizeof(svg), "%s/a.svg", folder);
	snprintf(prom, sizeof(prom), "%s/a.prom", folder);
	snprintf(out_path, sizeof(out_path), "%s/out", folder);
	snprintf(err_path, sizeof(err_path), "%s/err", folder);
	file = fopen(csv, "w");
	fputs("time_s,ram_bytes,left_bytes\n0,4096,4096\n1,4096,2048\n2,4096,0\n", file);
	return fclose(file);
}

static int end(void **state)
{
	(void)state;
	unlink(csv);
	unlink(svg);
	unlink(prom);
	unlink(out_path);
	unlink(err_path);
	return rmdir(folder);
}

#define WORDS(...) \
	.words = (const char *const[]) \
	{ \
		__VA_ARGS__, NULL \
	}
#define TRY(...) try(&answering, &(const struct trial){ __VA_ARGS__ })

/* Without statistics, whose age and processor time would differ from run to run. */
static const struct fake_qemu answering = { .left_before = 0 };

static void memory_that_is_short_is_named(void **state)
{
	(void)state;
	TRY(WORDS("status"));
	TRY(WORDS("stats", "--json"));
	TRY(WORDS("set", "512M"));
	TRY(WORDS("record", svg, "--for", "0", "--force"));
}

static void memory_that_is_short_makes_no_half_of_a_file(void **state)
{
	(void)state;
	TRY(WORDS("plot", csv, "-o", "-"));
	TRY(WORDS("plot", csv, "-o", svg));
	TRY(WORDS("export", "--textfile", prom));
}

static void guest_that_cannot_be_asked_is_down(void **state)
{
	(void)state;
	TRY(WORDS("export"), .may_be_down = true, .may_lack = true);
	TRY(WORDS("export"), .kind = FAILING_CALLS, .may_be_down = true, .may_lack = true);
}

/* Nothing that could be shown is in its memory, which is all read for that. */
static void guest_that_cannot_be_read_says_why(void **state)
{
	(void)state;
	TRY(WORDS("dump", "--live"), .status = EXIT_BAD_FILE, .most = 30);
	TRY(WORDS("dump", "--live"), .kind = FAILING_CALLS, .status = EXIT_BAD_FILE, .most = 60);
}

static void calls_that_fail_are_named(void **state)
{
	(void)state;
	TRY(WORDS("status"), .kind = FAILING_CALLS);
	TRY(WORDS("record", svg, "--for", "0", "--force"), .kind = FAILING_CALLS);
	TRY(WORDS("plot", csv, "-o", svg), .kind = FAILING_CALLS);
	TRY(WORDS("export", "--textfile", prom), .kind = FAILING_CALLS);
}

/* Memory and processor time: one without the other is not told. */
static void cost_is_known_as_a_whole_or_not_at_all(void **state)
{
	struct guest guest = { 0 };
	struct guest_cost cost;

	(void)state;
	for (unsigned n = 1; n < 3; n++) {
		fail_nth(FAILING_CALLS, n);
		assert_int_equal(guest_cost_of_process(&guest, getpid(), &cost), -ENOTSUP);
		assert_string_equal(failed_call(), "fopen");
	}
	fail_nth(FAILING_CALLS, 0);
	assert_int_equal(guest_cost_of_process(&guest, getpid(), &cost), 0);
	assert_true(cost.resident > 0);
}

/* A guest is on the list, at least as one that failed, or the status says that it may not be. */
static void short_memory_hides_no_guest(void **state)
{
	struct fake_place place;
	struct run r;
	unsigned n = 0;

	(void)state;
	fake_qemu_start(&answering, &place);
	do {
		char *argv[] = { (char[]){ "list" }, place.dir, NULL };

		run(NULL, argv, FAILING_MEMORY, ++n, &r);
		if (r.status)
			assert_run(r.status == EXIT_WRONG && names_the_reason(&r, FAILING_MEMORY),
				   &r, "list", n);
		else
			assert_run(strstr(r.out, "/fake.qmp  1.000 GiB left") ||
					   strstr(r.out, "/fake.qmp  failed: "),
				   &r, "list", n);
		assert_true(n < CALLS_MAX);
	} while (*r.failed);
	assert_true(n > 2);
	fake_qemu_stop(&place);
}

/* So it is with those of tools/run.sh, which nobody names. */
static void short_memory_hides_no_guest_that_is_found(void **state)
{
	struct fake_place place;
	char runtime[64], socket[96];
	struct run r;
	unsigned n = 0;

	(void)state;
	fake_qemu_start(&answering, &place);
	snprintf(runtime, sizeof(runtime), "%s/aerostat-%u", folder, (unsigned)geteuid());
	snprintf(socket, sizeof(socket), "%s/web.qmp", runtime);
	assert_int_equal(mkdir(runtime, 0700), 0);
	assert_int_equal(link(place.path, socket), 0);
	setenv("XDG_RUNTIME_DIR", folder, 1);
	do {
		char *argv[] = { (char[]){ "list" }, NULL };

		run(NULL, argv, FAILING_MEMORY, ++n, &r);
		if (r.status)
			assert_run(r.status == EXIT_WRONG && names_the_reason(&r, FAILING_MEMORY),
				   &r, "list", n);
		else
			assert_run(strstr(r.out, "web  1.000 GiB left") ||
					   strstr(r.out, "web  failed: "),
				   &r, "list", n);
		assert_true(n < CALLS_MAX);
	} while (*r.failed);
	unsetenv("XDG_RUNTIME_DIR");
	unlink(socket);
	rmdir(runtime);
	fake_qemu_stop(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(memory_that_is_short_is_named, begin, end),
		cmocka_unit_test_setup_teardown(memory_that_is_short_makes_no_half_of_a_file, begin,
						end),
		cmocka_unit_test_setup_teardown(guest_that_cannot_be_asked_is_down, begin, end),
		cmocka_unit_test_setup_teardown(guest_that_cannot_be_read_says_why, begin, end),
		cmocka_unit_test_setup_teardown(calls_that_fail_are_named, begin, end),
		cmocka_unit_test(cost_is_known_as_a_whole_or_not_at_all),
		cmocka_unit_test_setup_teardown(short_memory_hides_no_guest, begin, end),
		cmocka_unit_test_setup_teardown(short_memory_hides_no_guest_that_is_found, begin,
						end),
	};

	/* This machine may run a libvirt. */
	guest_names_run = "/nowhere";
	return cmocka_run_group_tests_name("balloonctl/failing", tests, NULL, NULL);
}
