/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/run.sh as scripts use it: when it ends, with which status, what it prints, and
 * that it leaves nothing behind. Most guests here are real; where QEMU itself must do
 * what it seldom does, a small program stands for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/script_harness.h"
#include "tools/deadline.h"

#define NO_SUCH "nosuch: no such command; help lists them\n"

#define SPARE "-fw_cfg name=opt/aerostat/spare-mib,string="

static void assert_printed(const struct program_end *ended, int status, const char *out)
{
	if (ended->status != status || strcmp(ended->out, out) != 0)
		fail_msg("status %d, not %d:\n%s\n%s", ended->status, status, ended->out,
			 ended->err);
}

/* ---- The end ---- */

static void ends_after_the_command_line_and_tells_how_it_went(void **state)
{
	(void)state;
	setenv("APPEND", "run=\"audit\"", 1);
	assert_end(script_run("", NULL), 0, "Ledger: ok (");
	setenv("APPEND", "run=\"nosuch; audit\"", 1);
	assert_end(script_run("", NULL), 1, "Ledger: ok (");
	setenv("APPEND", "rn=\"audit\"", 1);
	assert_end(script_run("", NULL), 1, "warning: command line: rn=\"audit\" is unknown");
	setenv("APPEND", "run=\"exit 7\"", 1);
	assert_end(script_run("", NULL), 7, "aerostat> exit 7");
	setenv("APPEND", "run=poweroff", 1);
	assert_end(script_run("", NULL), 0, "aerostat> poweroff");
}

static void what_is_typed_in_runs_to_its_end(void **state)
{
	(void)state;
	assert_printed(script_run("version\n", "--quiet"), 0, "Aerostat " AEROSTAT_VERSION "\n");
	/* The last line needs no end. */
	assert_printed(script_run("held\nversion", "--quiet"), 0,
		       "nothing is held\nAerostat " AEROSTAT_VERSION "\n");
	assert_printed(script_run("nosuch\nheld\n", "--quiet"), 1, NO_SUCH "nothing is held\n");
	assert_printed(script_run("held\nexit 9\nversion\n", "--quiet"), 9, "nothing is held\n");
}

/* More than the guest can keep while it works on the first line. */
static void no_line_of_a_long_script_is_lost(void **state)
{
	static char script[20000];
	const struct program_end *ended;
	size_t answers = 0;

	(void)state;
	setenv("MEM", "2G", 1);
	strcpy(script, "hold 1500M\n");
	for (int i = 0; i < 1500; i++)
		strcat(script, "held 1 2 3\n");
	strcat(script, "exit 6\n");
	ended = script_run(script, "--quiet");
	assert_int_equal(ended->status, 6);
	for (const char *at = ended->out; (at = strstr(at, "usage: held\n")); at++)
		answers++;
	/* As many as the test keeps of the output. */
	assert_true(answers > 1300);
	assert_null(strstr(ended->out, "lost"));
}

static void the_command_line_comes_before_what_is_typed(void **state)
{
	(void)state;
	setenv("APPEND", "run=\"hold 8M; held\"", 1);
	assert_printed(script_run("version\n", "--quiet"), 0,
		       "held 1: 8.0 MiB in 2048 runs of order 0\n"
		       "held 1: 8.0 MiB in 2048 runs of order 0\n"
		       "Aerostat " AEROSTAT_VERSION "\n");
}

static void quiet_says_what_is_wrong_on_standard_error(void **state)
{
	(void)state;
	setenv("APPEND", "flor=1 run=\"held; nosuch\"", 1);
	assert_printed(script_run("", "--quiet"), 1, "nothing is held\n" NO_SUCH);
	assert_end(script_run("", "--quiet"), 1, "!warning: command line: flor=1 is unknown");
	assert_end(script_run("", "--quiet"), 1, "!exit: status 1, as this failed: ");
	/* Even if there was never a prompt. */
	setenv("MEM", "8M", 1);
	assert_printed(script_run("", "--quiet"), 1, "");
	assert_end(script_run("", "--quiet"), 1, "!needs a machine with at least 16 MiB");
}

/* Input that never comes, and never ends. */
static int endless(int fds[2])
{
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	return fds[0];
}

static void close_both(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

static void a_timeout_is_status_124(void **state)
{
	const char *const argv[] = { SCRIPT, NULL };
	struct program_end ended;
	struct program program;
	int fds[2];

	(void)state;
	setenv("TIMEOUT", "0.5", 1);
	script_start(&program, endless(fds), argv);
	program_finish(&program, &ended);
	assert_end(&ended, 124, "!run.sh: ended after TIMEOUT=0.5 seconds");
	close_both(fds);
}

/* A kernel that never runs does not look like one that takes long. */
static void a_timeout_tells_a_guest_that_never_spoke(void **state)
{
	(void)state;
	setenv("TIMEOUT", "2", 1);
	setenv("EXTRA", "-S", 1);
	assert_end(script_run("", NULL), 124, "!without a word of its kernel");
}

static const struct program_end *run_shell(const char *line)
{
	const char *const argv[] = { "/bin/sh", "-c", line, NULL };

	return program_run(argv);
}

/* What is lost must not look like what went well; `end` sees that nothing is left behind. */
static void output_that_cannot_be_written_is_no_success(void **state)
{
	(void)state;
	setenv("APPEND", "run=\"version; exit\"", 1);
	assert_end(run_shell(SCRIPT " --quiet </dev/null >/dev/full"), 125,
		   "!run.sh: cannot write all");
	assert_end(run_shell("ulimit -f 8; " SCRIPT " --quiet </dev/null"), 125,
		   "!run.sh: no room for a log");
	setenv("APPEND", "run=\"version; exit 3\"", 1);
	assert_end(run_shell(SCRIPT " --quiet </dev/null >/dev/full"), 3, "");
}

/* Writes until nobody has the pipe open to read any more. */
#define READER_IS_GONE "trap '' PIPE; while echo; do :; done 2>/dev/null; trap - PIPE; "

static void a_reader_that_goes_leaves_nothing_behind(void **state)
{
	(void)state;
	setenv("APPEND", "run=\"version; exit\"", 1);
	assert_end(run_shell("{ " READER_IS_GONE SCRIPT
			     " --quiet </dev/null; echo $? >&2; } | true"),
		   0, "!0\n");
	assert_end(run_shell("{ " READER_IS_GONE SCRIPT " </dev/null; echo $? >&2; } | true"), 0,
		   "!141\n");
}

static void wait_for_socket(struct qmp *qmp, const char *path)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);

	while (access(path, F_OK) || qmp_connect(qmp, path, VM_TIMEOUT_MS)) {
		if (deadline_left(deadline) == 0)
			fail_msg("nobody listens at %s", path);
		usleep(20000);
	}
}

static void a_signal_ends_qemu_first(void **state)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGINT };
	const char *const argv[] = { SCRIPT, NULL };
	struct program_end ended;
	struct program program;
	char path[160];
	int fds[2];

	(void)state;
	snprintf(path, sizeof(path), "%s/guest.qmp", script_runtime);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct qmp *qmp = qmp_new();

		script_start(&program, endless(fds), argv);
		wait_for_socket(qmp, path);
		assert_int_equal(kill(program.pid, signals[i]), 0);
		program_finish(&program, &ended);
		assert_int_equal(ended.status, 128 + signals[i]);
		/* Who still listened there would answer. */
		assert_int_not_equal(qmp_execute(qmp, "query-status", NULL, NULL), 0);
		assert_int_equal(access(path, F_OK), -1);
		qmp_free(qmp);
		close_both(fds);
	}
}

/* ---- A program that stands for QEMU ---- */

/* Sets QEMU to a script of these lines, with the name of the log in $log. */
static void fake_qemu(char path[160], const char *lines)
{
	FILE *file;

	snprintf(path, 160, "%s/qemu", balloonctl_folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file,
		"#!/bin/sh\n"
		"for word; do case $word in\n"
		"*logfile=*) log=${word#*logfile=}; log=${log%%%%,*} ;;\n"
		"esac; done\n%s\n",
		lines);
	fclose(file);
	assert_int_equal(chmod(path, 0700), 0);
	setenv("QEMU", path, 1);
}

#define BANNER "echo 'Aerostat 1.2.3: 64 MiB of memory, booted by pvh' >$log\n"

static void a_status_is_believed_only_with_a_sign_of_life(void **state)
{
	static const struct {
		const char *lines;
		int status;
		const char *says;
	} cases[] = {
		{ "exit 0", 126, "!without a sign of life" },
		{ "exit 1", 126, "!without a sign of life" }, /* exit 0 of a guest */
		{ "exit 7", 3, "" },
		{ BANNER "exit 0", 0, "" },
		{ BANNER "exit 1", 0, "" },
		{ BANNER "exit 3", 1, "" },
		/* Nothing takes a status there, but the guest has told one. */
		{ BANNER "printf '# exit 5\r\n\r\n' >>$log\nexit 0", 5, "" },
		{ BANNER "printf '# exit 5\r\nmore\r\n' >>$log\nexit 0", 0, "" },
		{ "printf '# exit 3\r\n' >>$log\nexit 0", 3, "" },
		/* QEMU's own words. */
		{ "echo qemu: no such machine >&2\nexit 1", 125, "!qemu: no such machine" },
		{ BANNER "echo qemu: terminating on signal 15 from pid 1 >&2\nexit 0", 143,
		  "!terminating" },
	};
	char path[160];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_qemu(path, cases[i].lines);
		assert_end(script_run("", NULL), cases[i].status, cases[i].says);
	}
	unlink(path);
}

/* ---- What it is given ---- */

static void it_works_from_any_folder(void **state)
{
	char script[PATH_MAX], build[PATH_MAX];
	const char *const argv[] = { "/bin/sh", "-c", "cd / && exec \"$0\" --quiet", script, NULL };

	(void)state;
	assert_non_null(realpath(SCRIPT, script));
	assert_non_null(realpath(getenv("BUILD") ? getenv("BUILD") : "build", build));
	/* Without it, it is beside the script; the one that is tested may be another. */
	if (strcmp(getenv("BUILD") ? getenv("BUILD") : "build", "build") == 0)
		unsetenv("BUILD");
	else
		setenv("BUILD", build, 1);
	setenv("APPEND", "run=\"version; exit 4\"", 1);
	assert_printed(program_run(argv), 4, "Aerostat " AEROSTAT_VERSION "\n");
	setenv("BUILD", build, 1);
}

static void the_line_to_copy_drives_the_balloon(void **state)
{
	const char *const script[] = { SCRIPT, NULL };
	const char *const copied[] = { "/bin/sh", "-c",
				       "cd / && eval \"$(grep balloonctl \"$0\")\"", NULL, NULL };
	const char *argv[sizeof(copied) / sizeof(copied[0])];
	struct program_end ended;
	struct program program;
	struct qmp *qmp = qmp_new();
	char path[160], out[64];
	int fds[2];

	(void)state;
	snprintf(path, sizeof(path), "%s/guest.qmp", script_runtime);
	script_start(&program, endless(fds), script);
	wait_for_socket(qmp, path);
	qmp_free(qmp);
	memcpy(argv, copied, sizeof(copied));
	snprintf(out, sizeof(out), "/proc/%d/fd/%d", (int)getpid(), fileno(program.out));
	argv[3] = out;
	assert_end(program_run(argv), EXIT_SUCCESS, "Actual       48.00 MiB left");
	kill(program.pid, SIGTERM);
	program_finish(&program, &ended);
	close_both(fds);
}

static void a_hypervisor_that_cannot_be_is_refused(void **state)
{
	static const struct {
		const char *name, *value, *says;
	} cases[] = {
		{ "HYPERVISOR", "bochs", "!=bochs is unknown: take plain, vmware, hyperv or xen" },
		{ "FIRMWARE", "uefi", "!loads the guest by PVH, never by UEFI" },
		{ "ACCEL", "kvm", "!runs on TCG's processor: take ACCEL=tcg" },
		{ "MEM", "15M", "!too little for HYPERVISOR=plain: 16M is the least" },
	};
	static const char *const strangers[] = { "vmware", "hyperv", "xen" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setenv("HYPERVISOR", "plain", 1);
		setenv(cases[i].name, cases[i].value, 1);
		assert_end(script_run("", "--print"), 125, cases[i].says);
		unsetenv(cases[i].name);
	}
	setenv("HYPERVISOR", "xen", 1);
	setenv("MEM", "1025M", 1);
	assert_end(script_run("", "--print"), 125, "!too much for HYPERVISOR=xen: 1G is the most");
	setenv("MEM", "16M", 1);
	assert_end(script_run("", "--print"), 125,
		   "!too little for HYPERVISOR=xen: 17M is the least");
	setenv("MEM", "256M", 1);
	setenv("GROW", "1G", 1);
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		setenv("HYPERVISOR", strangers[i], 1);
		assert_end(script_run("", "--print"), 125,
			   "! does not know what virtio-mem brings");
	}
	setenv("HYPERVISOR", "plain", 1);
	assert_end(script_run("", "--print"), 0, "virtio-mem-pci,id=mem0");
}

/* What only the hypervisor can see. */
static void a_hypervisor_that_cannot_go_on_says_why_with_status_121(void **state)
{
	static const char *const cases[][2] = {
		{ "-cpu max,-svm", "!hypervisor: this processor has no SVM: take TCG" },
		{ "-initrd " SCRIPT, "!cannot be loaded: it is no ELF file" },
		{ SPARE "64", "!hypervisor: no room for spare memory of 0x4000000 bytes" },
		{ SPARE "lots", "!/spare-mib is no number of MiB: lots" },
		{ SPARE "8M", "!/spare-mib is no number of MiB: 8M" },
	};

	(void)state;
	setenv("HYPERVISOR", "plain", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setenv("EXTRA", cases[i][0], 1);
		assert_end(script_run("", "--quiet"), 121, cases[i][1]);
	}
}

static void a_guest_without_a_balloon_of_qemus_does_not_name_its_monitors(void **state)
{
	static const char *const names[] = { "vmware", "hyperv" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		setenv("HYPERVISOR", names[i], 1);
		assert_end(script_run("", NULL), 0, "Ctrl-A C is QEMU's monitor, Ctrl-A X leaves.");
	}
	setenv("HYPERVISOR", "plain", 1);
	assert_end(script_run("", NULL), 0, "(there `balloon 256` leaves the guest 256 MiB)");
}

static void a_line_to_copy_is_for_a_balloon_that_is_there(void **state)
{
	static const struct {
		const char *hypervisor, *balloon;
		bool is;
	} cases[] = {
		{ "", "", true },	{ "", "none", false },	  { "vmware", "", true },
		{ "hyperv", "", true }, { "xen", "none", false },
	};

	(void)state;
	setenv("QEMU", "true", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setenv("HYPERVISOR", cases[i].hypervisor, 1);
		setenv("BALLOON", cases[i].balloon, 1);
		if (!!strstr(script_run("", NULL)->out, "A line to copy") != cases[i].is)
			fail_msg("HYPERVISOR=%s BALLOON=%s", cases[i].hypervisor, cases[i].balloon);
	}
}

static void the_demo_needs_a_balloon_of_qemus(void **state)
{
	(void)state;
	setenv("HYPERVISOR", "vmware", 1);
	assert_end(script_run("", "--demo"), 125,
		   "!and HYPERVISOR=vmware has none: start it at a terminal");
	setenv("HYPERVISOR", "hyperv", 1);
	assert_end(script_run("", "--demo"), 125,
		   "!and HYPERVISOR=hyperv has none: start it at a terminal");
}

/* The monitor has fewer words for a size than GROW. */
static void keys_at_a_terminal_are_as_the_monitor_takes_them(void **state)
{
	const char *const argv[] = { SCRIPT, NULL };
	static struct program_end ended;
	struct program program;
	int master, slave;

	(void)state;
	setenv("GROW", "1.5GiB", 1);
	setenv("QEMU", "true", 1);
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	script_start(&program, slave, argv);
	program_finish(&program, &ended);
	close(slave);
	close(master);
	assert_end(&ended, 126, "(there: balloon 48, qom-set mem0 requested-size 1536M)\n");
}

static void arguments_that_are_none_are_named(void **state)
{
	const char *const argv[] = { SCRIPT, "--quiet", "audit", NULL };

	(void)state;
	assert_end(script_run("", "show_mem"), 125, "!run.sh: show_mem is no option");
	assert_end(program_run(argv), 125, "!run.sh: audit is one argument too many");
}

static void a_command_line_that_is_too_long_is_refused(void **state)
{
	static char line[4002];

	(void)state;
	memset(line, 'x', 4000);
	setenv("APPEND", line, 1);
	assert_end(script_run("", "--print"), 0, line);
	line[4000] = 'x';
	setenv("APPEND", line, 1);
	assert_end(script_run("", "--print"), 125, "!run.sh: APPEND=xxxx");
	assert_end(script_run("", "--print"), 125, "!... has 4001 bytes: 4000 are the most");
}

static void a_timeout_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = { "0", "x", "-1", "1.", ".5", "1m", "1.5.5", "1 2" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		setenv("TIMEOUT", bad[i], 1);
		assert_end(script_run("", "--print"), 125, "!is no number of seconds");
	}
}

static void the_balloon_finds_a_bus_of_extra(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){
		.balloon = "bus=rp", .extra = "-device pcie-root-port,id=rp,chassis=1,slot=1" });

	(void)state;
	harness_command_says(vm, "lspci", "01:00.0 Unclassified device [00ff]: Red Hat");
	harness_take(vm, 8 * MIB);
	harness_check_taken(vm, 8 * MIB, false);
	harness_stop(vm);
}

int run_script_tests(void)
{
	const struct CMUnitTest tests[] = {
		SCRIPT_TEST(ends_after_the_command_line_and_tells_how_it_went),
		SCRIPT_TEST(what_is_typed_in_runs_to_its_end),
		SCRIPT_TEST(no_line_of_a_long_script_is_lost),
		SCRIPT_TEST(the_command_line_comes_before_what_is_typed),
		SCRIPT_TEST(quiet_says_what_is_wrong_on_standard_error),
		SCRIPT_TEST(a_timeout_is_status_124),
		SCRIPT_TEST(a_timeout_tells_a_guest_that_never_spoke),
		SCRIPT_TEST(output_that_cannot_be_written_is_no_success),
		SCRIPT_TEST(a_reader_that_goes_leaves_nothing_behind),
		SCRIPT_TEST(arguments_that_are_none_are_named),
		SCRIPT_TEST(a_signal_ends_qemu_first),
		SCRIPT_TEST(a_status_is_believed_only_with_a_sign_of_life),
		SCRIPT_TEST(it_works_from_any_folder),
		SCRIPT_TEST(the_line_to_copy_drives_the_balloon),
		SCRIPT_TEST(a_hypervisor_that_cannot_be_is_refused),
		SCRIPT_TEST(a_hypervisor_that_cannot_go_on_says_why_with_status_121),
		SCRIPT_TEST(a_guest_without_a_balloon_of_qemus_does_not_name_its_monitors),
		SCRIPT_TEST(a_line_to_copy_is_for_a_balloon_that_is_there),
		SCRIPT_TEST(the_demo_needs_a_balloon_of_qemus),
		SCRIPT_TEST(keys_at_a_terminal_are_as_the_monitor_takes_them),
		SCRIPT_TEST(a_command_line_that_is_too_long_is_refused),
		SCRIPT_TEST(a_timeout_that_is_none_is_refused),
		TEST(the_balloon_finds_a_bus_of_extra),
	};

	return cmocka_run_group_tests_name("run.sh", tests, balloonctl_make_folder,
					   balloonctl_remove_folder);
}
