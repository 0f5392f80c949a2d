/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/vm.c and tools/vm_start.c. This program is its own QEMU: with a role as its first
 * argument it has a guest at the serial line that it is given, and QMP at the socket.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/tools/failing.h"
#include "tools/deadline.h"
#include "tools/qmp.h"
#include "tools/vm.h"

#define LONG_MS 60000 /* for what comes */
#define SHORT_MS 200  /* for what does not */
#define ALARM_S 120u  /* for ever */

/* ---- what QEMU does; the roles ---- */

static void say(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = write(fd, text, left);

		if (n <= 0)
			_exit(9);
		text += n;
		left -= (size_t)n;
	}
}

/* The number after the last "fd=" of an argument that has `what` in it. */
static int fd_of(char **argv, const char *what)
{
	for (; *argv; argv++)
		if (strstr(*argv, what) && strstr(*argv, "fd="))
			return atoi(strstr(*argv, "fd=") + 3);
	return -1;
}

static FILE *begin_qmp(char **argv)
{
	int fd = accept(fd_of(argv, "id=qmp"), NULL, NULL);
	FILE *file = fdopen(fd, "r");
	char line[1024];

	say(fd, "{\"QMP\": {}}\n");
	if (!fgets(line, sizeof(line), file))
		_exit(8);
	say(fd, "{\"return\": {}, \"id\": 1}\n");
	return file;
}

/* The console: a prompt, then an echo of each line and what was asked for. */
static void be_guest(int serial)
{
	char line[256];
	size_t len = 0;

	say(serial, "boot " VM_PROMPT "is no prompt here\r\n" VM_PROMPT);
	while (read(serial, line + len, 1) == 1) {
		if (line[len++] != '\r')
			continue;
		line[--len] = '\0';
		say(serial, line);
		say(serial, "\r\n");
		if (!strcmp(line, "two"))
			say(serial, "one\r\n" VM_PROMPT "\r\ntwo\r\n");
		if (!strcmp(line, "mute"))
			pause();
		if (!strcmp(line, "exit"))
			_exit(33);
		if (!strcmp(line, "die"))
			raise(SIGKILL);
		say(serial, VM_PROMPT);
		len = 0;
	}
	_exit(0);
}

/* Whose balloon comes a MiB nearer at each question. */
static void be_qmp(FILE *from, int64_t left)
{
	char line[1024], answer[128];

	for (unsigned id = 2; fgets(line, sizeof(line), from); id++) {
		const char *value = "{}";
		char actual[64];

		if (strstr(line, "query-balloon")) {
			snprintf(actual, sizeof(actual), "{\"actual\": %lld}", (long long)left);
			left -= 1 << 20;
			value = actual;
		}
		snprintf(answer, sizeof(answer), "{\"return\": %s, \"id\": %u}\n", value, id);
		say(fileno(from), answer);
	}
	_exit(0);
}

/* It is ready before it says anything. */
static void begin_with_a_prompt(int serial)
{
	char byte;

	say(serial, VM_PROMPT "no " VM_PROMPT "\r" VM_PROMPT);
	if (read(serial, &byte, 1) == 1)
		say(serial, "x" VM_PROMPT "\r\n" VM_PROMPT);
	pause();
}

/* More than the machine keeps of it, without an end. */
static void chatter(int serial)
{
	static char much[1024 * 1024];

	memset(much, 'm', sizeof(much) - 1);
	while (true)
		say(serial, much);
}

/* More than a report has of it. */
static void complain_at_length(void)
{
	for (int i = 0; i < 300; i++)
		fprintf(stderr, "%c: complaint\n", i < 50 ? 'a' : 'b');
}

/* It says that it ends, and does so only when a signal wakes it. */
static void end_when_woken(FILE *qmp)
{
	sigset_t wake;
	int signal;

	sigemptyset(&wake);
	sigaddset(&wake, SIGTERM);
	sigprocmask(SIG_BLOCK, &wake, NULL);
	say(fileno(qmp), "{\"event\": \"SHUTDOWN\", \"data\": {}}\n");
	sigwait(&wake, &signal);
	_exit(5);
}

static bool take_byte(const char *path)
{
	struct stat file;

	return !stat(path, &file) && file.st_size > 0 && !truncate(path, file.st_size - 1);
}

static int be_qemu(char **argv)
{
	const struct timespec moment = { .tv_nsec = 20000000 };
	const char *role = argv[1];
	int serial = fd_of(argv, "id=con");
	FILE *qmp;

	if (!strcmp(role, "fails")) {
		fprintf(stderr, "qemu: no \x1b such option\n");
		return 3;
	}
	if (!strcmp(role, "complains"))
		complain_at_length();
	/* As often as there are bytes in a file. */
	if (!strcmp(role, "aborts") && take_byte(argv[2])) {
		say(accept(fd_of(argv, "id=qmp"), NULL, NULL), "{\"QMP\": {}}\nmess\n");
		abort();
	}
	qmp = begin_qmp(argv);
	if (!strcmp(role, "guest") || !strcmp(role, "aborts"))
		be_guest(serial);
	if (!strcmp(role, "balloon"))
		be_qmp(qmp, 100 << 20);
	if (!strcmp(role, "ends"))
		end_when_woken(qmp);
	if (!strcmp(role, "prompts"))
		begin_with_a_prompt(serial);
	if (!strcmp(role, "chatters"))
		chatter(serial);
	if (!strcmp(role, "trickles"))
		while (!nanosleep(&moment, NULL))
			say(serial, "x");
	/* "hangs" */
	while (true)
		pause();
}

/* ---- the other side ---- */

static const char *self;
static char errors_path[] = "/tmp/vm-test-XXXXXX";
static int saved_stderr;

static struct vm *start(const char *role)
{
	const char *const argv[] = { self, role, NULL };
	struct vm *vm;

	assert_int_equal(vm_start("test", argv, NULL, &vm), 0);
	return vm;
}

/* Reports go to a file, and are text for a person. */
static int begin(void **state)
{
	int fd;

	(void)state;
	strcpy(errors_path + strlen(errors_path) - 6, "XXXXXX");
	fd = mkstemp(errors_path);
	if (fd < 0)
		return -1;
	fflush(stderr);
	saved_stderr = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
	alarm(ALARM_S);
	return 0;
}

static int end(void **state)
{
	(void)state;
	alarm(0);
	fflush(stderr);
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	return unlink(errors_path);
}

static const char *read_errors(void)
{
	static char text[65536];
	FILE *file = fopen(errors_path, "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void assert_reported(const char *words)
{
	const char *text = read_errors();

	if (!strstr(text, words))
		fail_msg("\"%s\" does not say \"%s\"", text, words);
}

static void guest_is_talked_to(void **state)
{
	struct vm *vm = start("guest");
	char *text;
	int status;

	(void)state;
	assert_int_equal(vm_expect_prompt(vm, LONG_MS, &text), 0);
	assert_string_equal(text, "boot " VM_PROMPT "is no prompt here\n");
	free(text);
	assert_int_equal(vm_command(vm, "one", LONG_MS, &text), 0);
	assert_string_equal(text, "");
	free(text);
	/* The first prompt is the answer; what is left is dropped by the next command. */
	assert_int_equal(vm_command(vm, "two", LONG_MS, &text), 0);
	assert_string_equal(text, "one\n");
	free(text);
	assert_int_equal(vm_expect(vm, "two", LONG_MS, &text), 0);
	assert_string_equal(text, "\n");
	free(text);
	assert_int_equal(vm_command(vm, "exit", LONG_MS, NULL), -ECONNRESET);
	assert_reported("the line ended while we waited for \"" VM_PROMPT "\"");
	assert_int_equal(vm_send(vm, "x", 1), -ECONNRESET);
	/* The line ends a moment before QEMU has. */
	assert_int_equal(vm_wait_exit(vm, LONG_MS, &status), 0);
	vm_report(vm, "how it stands");
	assert_reported("VM 'test': how it stands\n---- QEMU has ended with status 33\n");
	vm_stop(vm);
}

static void guest_that_says_nothing_is_not_waited_for(void **state)
{
	struct vm *vm = start("guest");

	(void)state;
	assert_int_equal(vm_expect_prompt(vm, LONG_MS, NULL), 0);
	assert_false(vm_has_said(vm, "mute"));
	assert_int_equal(vm_command(vm, "mute", SHORT_MS, NULL), -ETIMEDOUT);
	assert_reported("VM 'test': waited 0 s in vain for \"");
	assert_int_equal(vm_wait_exit(vm, SHORT_MS, &(int){ 0 }), -ETIMEDOUT);
	assert_reported("in vain for QEMU's end");
	vm_stop(vm);
}

/* Those that have passed: none of 999 ms, and one of 1000. */
static void seconds_of_a_wait_are_whole(void **state)
{
	struct vm *vm = start("hangs");

	(void)state;
	assert_int_equal(vm_expect(vm, "one", 999, NULL), -ETIMEDOUT);
	assert_reported("waited 0 s in vain for \"one\"");
	assert_int_equal(vm_expect(vm, "two", 1000, NULL), -ETIMEDOUT);
	assert_reported("waited 1 s in vain for \"two\"");
	vm_stop(vm);
}

static void guest_that_says_other_things_is_not_waited_for(void **state)
{
	struct vm *vm = start("trickles");

	(void)state;
	assert_int_equal(vm_expect(vm, "y", SHORT_MS, NULL), -ETIMEDOUT);
	assert_int_equal(vm_command(vm, "z", SHORT_MS, NULL), -ETIMEDOUT);
	assert_int_equal(vm_expect(vm, "xx", LONG_MS, NULL), 0);
	vm_forget(vm);
	assert_false(vm_has_said(vm, "y"));
	vm_stop(vm);
}

static void guest_that_does_not_stop_talking_is_an_error(void **state)
{
	struct vm *vm = start("chatters");

	(void)state;
	assert_int_equal(vm_expect(vm, "never", LONG_MS * 60, NULL), -EMSGSIZE);
	assert_reported("the guest does not stop talking");
	vm_stop(vm);
}

static void guest_that_takes_nothing_is_not_waited_for(void **state)
{
	static char much[4 * 1024 * 1024];
	struct vm *vm = start("hangs");

	(void)state;
	memset(much, 'x', sizeof(much) - 1);
	assert_int_equal(vm_command(vm, much, SHORT_MS, NULL), -ETIMEDOUT);
	assert_reported("the guest takes no more input");
	vm_stop(vm);
}

static void balloon_is_waited_for(void **state)
{
	struct vm *vm = start("balloon");

	(void)state;
	assert_int_equal(vm_wait_balloon(vm, 97 << 20, LONG_MS), 0);
	assert_int_equal(vm_wait_balloon(vm, 97 << 20, SHORT_MS), -ETIMEDOUT);
	assert_reported("for a balloon that leaves 101711872 bytes: it leaves ");
	assert_int_equal(vm_send_break(vm), 0);
	vm_stop(vm);
}

static void qemu_that_does_not_answer_is_not_waited_for(void **state)
{
	struct vm *vm = start("hangs");
	int64_t deadline = deadline_in(LONG_MS * 60);

	(void)state;
	qmp_set_timeout(vm_qmp(vm), LONG_MS * 60);
	assert_true(qmp_set_deadline(vm_qmp(vm), deadline) == DEADLINE_NONE);
	assert_int_equal(vm_wait_balloon(vm, 1, SHORT_MS), -ETIMEDOUT);
	assert_reported("no answer to 'query-balloon' from QEMU in time");
	/* Who had a deadline has it again, and an earlier one holds. */
	assert_true(qmp_set_deadline(vm_qmp(vm), deadline_in(0)) == deadline);
	assert_int_equal(vm_wait_balloon(vm, 1, LONG_MS * 60), -ETIMEDOUT);
	vm_stop(vm);
}

static void end_of_qemu_is_told_as_a_shell_would(void **state)
{
	struct vm *vm = start("guest");
	int status;

	(void)state;
	assert_int_equal(vm_send(vm, "exit\r", 5), 0);
	assert_int_equal(vm_wait_exit(vm, LONG_MS, &status), 0);
	assert_int_equal(status, 33);
	/* What it said last is there. */
	assert_true(vm_has_said(vm, "exit\r\n"));
	vm_stop(vm);
	vm = start("guest");
	assert_int_equal(vm_send(vm, "die\r", 4), 0);
	assert_int_equal(vm_wait_exit(vm, LONG_MS, &status), 0);
	assert_int_equal(status, 128 + SIGKILL);
	vm_stop(vm);
}

static void qemu_that_hangs_at_its_end_is_woken(void **state)
{
	struct vm *vm = start("ends");
	int status;

	(void)state;
	assert_int_equal(vm_wait_exit(vm, LONG_MS, &status), 0);
	assert_int_equal(status, 5);
	vm_stop(vm);
}

/* Nothing more will come that could make up for it. */
static void very_first_words_are_found(void **state)
{
	struct vm *vm = start("guest");
	char *text;
	int status;

	(void)state;
	assert_int_equal(vm_send(vm, "exit\r", 5), 0);
	assert_int_equal(vm_wait_exit(vm, LONG_MS, &status), 0);
	assert_int_equal(vm_expect(vm, "boot ", LONG_MS, &text), 0);
	assert_string_equal(text, "");
	free(text);
	/* And those that begin where the last ones ended. */
	assert_int_equal(vm_expect(vm, VM_PROMPT, LONG_MS, &text), 0);
	assert_string_equal(text, "");
	free(text);
	vm_stop(vm);
	vm = start("prompts");
	assert_int_equal(vm_expect_prompt(vm, LONG_MS, &text), 0);
	assert_string_equal(text, "");
	free(text);
	/* A line may begin after a carriage return alone. */
	assert_int_equal(vm_expect_prompt(vm, LONG_MS, &text), 0);
	assert_string_equal(text, "no " VM_PROMPT);
	free(text);
	/* After the very first byte is no beginning of a line. */
	vm_forget(vm);
	assert_int_equal(vm_send(vm, "x", 1), 0);
	assert_int_equal(vm_expect_prompt(vm, LONG_MS, &text), 0);
	assert_string_equal(text, "x" VM_PROMPT "\n");
	free(text);
	vm_stop(vm);
}

/* Before we are connected, or after. */
static void assert_dies_at_start(const char *const argv[])
{
	struct vm *vm;
	int err = vm_start("test", argv, NULL, &vm);

	assert_true(err == -ECONNRESET || err == -ECONNREFUSED);
}

static void qemu_that_does_not_start_says_why(void **state)
{
	const char *const fails[] = { self, "fails", NULL };
	const char *const nowhere[] = { "/nowhere/qemu", NULL };
	struct vm *vm;

	(void)state;
	assert_dies_at_start(fails);
	assert_reported("qemu: no \\x1b such option\n");
	assert_null(strstr(read_errors(), "once more"));
	assert_reported("does not come up: ");
	assert_dies_at_start(nowhere);
	assert_reported("cannot run /nowhere/qemu: No such file or directory");
	assert_int_equal(vm_start("test", fails, "/nowhere/log", &vm), -ENOENT);
}

static void qemu_that_aborts_before_it_is_there_is_started_once_more(void **state)
{
	char left[] = "/tmp/vm-test-left-XXXXXX";
	const char *const argv[] = { self, "aborts", left, NULL };
	int fd = mkstemp(left);
	struct vm *vm;

	(void)state;
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(vm_start("test", argv, NULL, &vm), 0);
	assert_reported("---- QEMU has ended with status 134\n");
	assert_reported("VM 'test': QEMU aborted before it was there; once more\n");
	assert_int_equal(vm_expect_prompt(vm, LONG_MS, NULL), 0);
	vm_stop(vm);
	/* No oftener. */
	assert_int_equal(pwrite(fd, "xxx", 3, 0), 3);
	assert_true(vm_start("test", argv, NULL, &vm) < 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), 1);
	close(fd);
	unlink(left);
}

static void log_has_all_and_nothing_else_is_left(void **state)
{
	const char *const argv[] = { self, "guest", NULL };
	char log[] = "/tmp/vm-test-log-XXXXXX", text[256] = "", dir[] = "/tmp/vm-test-dir-XXXXXX";
	int fd = mkstemp(log);
	struct vm *vm;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("TMPDIR", dir, 1);
	assert_int_equal(vm_start("test", argv, log, &vm), 0);
	unsetenv("TMPDIR");
	assert_int_equal(vm_expect_prompt(vm, LONG_MS, NULL), 0);
	pid = vm_pid(vm);
	assert_int_equal(kill(pid, 0), 0);
	assert_int_not_equal(rmdir(dir), 0);
	vm_stop(vm);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(rmdir(dir), 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "boot " VM_PROMPT "is no prompt here\r\n" VM_PROMPT);
	close(fd);
	unlink(log);
}

static void stopped_qemu_can_be_stopped(void **state)
{
	struct vm *vm = start("hangs");

	(void)state;
	kill(vm_pid(vm), SIGSTOP);
	vm_stop(vm);
	vm_stop(NULL);
}

static void only_so_many_run_at_a_time(void **state)
{
	const char *const argv[] = { self, "hangs", NULL };
	struct vm *vms[8], *more;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		vms[i] = start("hangs");
	assert_int_equal(vm_start("test", argv, NULL, &more), -EMFILE);
	vm_stop(vms[3]);
	vms[3] = start("hangs");
	for (size_t i = 0; i < 8; i++)
		vm_stop(vms[i]);
}

/* ---- what is printed ---- */

/* What was reported since the last time. */
static char *reported(void)
{
	static char text[65536];
	FILE *file = fopen(errors_path, "r");

	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_int_equal(ftruncate(STDERR_FILENO, 0), 0);
	assert_int_equal(lseek(STDERR_FILENO, 0, SEEK_SET), 0);
	return text;
}

static void nothing_printed_upsets_a_terminal(void **state)
{
	char all[256], *text = NULL, wanted[8];
	const char *at;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	vm_print(file, all, 256);
	vm_print(file, "abc", 2);
	fclose(file);
	at = text;
	for (int i = 0; i < 256; i++) {
		if (i == '\n' || i == '\t' || (i >= 0x20 && i <= 0x7e))
			snprintf(wanted, sizeof(wanted), "%c", i);
		else
			snprintf(wanted, sizeof(wanted), "\\x%02x", i);
		if (i == '\r')
			wanted[0] = '\0';
		assert_int_equal(strncmp(at, wanted, strlen(wanted)), 0);
		at += strlen(wanted);
	}
	assert_string_equal(at, "ab");
	free(text);
}

/* A line that did not end is ended, one that did is not ended again. */
static void report_has_the_last_words(void **state)
{
	struct vm *vm = start("guest");

	(void)state;
	assert_int_equal(vm_expect_prompt(vm, LONG_MS, NULL), 0);
	reported();
	vm_report(vm, "one");
	assert_string_equal(reported(), "VM 'test': one\n"
					"---- the guest's last words (44 bytes so far):\n"
					"boot " VM_PROMPT "is no prompt here\n" VM_PROMPT "\n"
					"----\n");
	vm_forget(vm);
	vm_report(vm, "two");
	assert_string_equal(reported(), "VM 'test': two\n"
					"---- the guest's last words (0 bytes so far):\n"
					"----\n");
	assert_int_equal(vm_send(vm, "mute\r", 5), 0);
	assert_int_equal(vm_expect(vm, "\r\n", LONG_MS, NULL), 0);
	vm_report(vm, "three");
	assert_string_equal(reported(), "VM 'test': three\n"
					"---- the guest's last words (6 bytes so far):\n"
					"mute\n"
					"----\n");
	vm_stop(vm);
}

/* More would scroll what matters away. */
static void report_is_short(void **state)
{
	struct vm *vm = start("chatters");
	char *text;

	(void)state;
	assert_int_equal(vm_expect(vm, "mmmm", LONG_MS, NULL), 0);
	while (vm_expect(vm, "m", LONG_MS, NULL) == 0 && !vm_has_said(vm, "mmmmmmmm"))
		;
	reported();
	vm_report(vm, "much");
	text = strstr(reported(), "so far):\n") + strlen("so far):\n");
	assert_int_equal(strspn(text, "m"), 2500);
	assert_string_equal(text + strspn(text, "m"), "\n----\n");
	vm_stop(vm);
}

/* Of what QEMU itself said, too, the end is what tells. */
static void report_has_the_end_of_what_qemu_complained_of(void **state)
{
	struct vm *vm = start("complains");
	char *text;

	(void)state;
	reported();
	vm_report(vm, "much");
	text = strstr(reported(), "---- QEMU's stderr ends with:\n");
	assert_non_null(text);
	text += strlen("---- QEMU's stderr ends with:\n");
	assert_int_equal(strlen(text), 2500 + strlen("----\n"));
	/* The last 192 lines, and four bytes of the one before. */
	assert_int_equal(strncmp(text, "int\nb: complaint\n", 17), 0);
	assert_string_equal(text + 2500 - 13, "b: complaint\n----\n");
	vm_stop(vm);
}

static void short_memory_is_an_error_of_its_own(void **state)
{
	struct vm *vm = start("guest");
	char *text;

	(void)state;
	fail_nth(FAILING_MEMORY, 1);
	assert_int_equal(vm_expect(vm, "boot", LONG_MS, &text), -ENOMEM);
	fail_nth(FAILING_MEMORY, 0);
	/* Nothing was lost by it. */
	assert_int_equal(vm_expect(vm, "boot", LONG_MS, &text), 0);
	assert_string_equal(text, "");
	free(text);
	fail_nth(FAILING_MEMORY, 1);
	assert_int_equal(vm_expect(vm, " ", LONG_MS, &text), -ENOMEM);
	fail_nth(FAILING_MEMORY, 0);
	vm_stop(vm);
}

/* While nobody says anything it is not asked again and again who does. */
static void waiting_takes_no_processor(void **state)
{
	struct vm *vm = start("hangs");

	(void)state;
	fail_nth(FAILING_CALLS, 100);
	assert_int_equal(vm_expect(vm, "x", SHORT_MS, NULL), -ETIMEDOUT);
	assert_null(failed_call());
	fail_nth(FAILING_CALLS, 100);
	assert_int_equal(vm_wait_exit(vm, SHORT_MS, &(int){ 0 }), -ETIMEDOUT);
	assert_null(failed_call());
	fail_nth(FAILING_CALLS, 0);
	vm_stop(vm);
}

static void deadlines_of_others_are_left_as_they_were(void **state)
{
	struct vm *vm = start("balloon");
	int64_t mine = deadline_in(LONG_MS);

	(void)state;
	qmp_set_deadline(vm_qmp(vm), mine);
	assert_int_equal(vm_wait_balloon(vm, 99 << 20, LONG_MS), 0);
	assert_true(qmp_set_deadline(vm_qmp(vm), mine) == mine);
	assert_int_equal(vm_wait_balloon(vm, 1, 0), -ETIMEDOUT);
	assert_reported("waited 0 s in vain for a balloon that leaves 1 bytes: it leaves ");
	assert_true(qmp_set_deadline(vm_qmp(vm), mine) == mine);
	/* The answer that comes in the very time of all is one. */
	qmp_set_deadline(vm_qmp(vm), deadline_in(-1));
	assert_int_equal(vm_wait_balloon(vm, 1, LONG_MS), -ETIMEDOUT);
	assert_reported("no time is left for 'query-balloon'");
	vm_stop(vm);
}

/* In the order in which they were said, each once. */
static void words_are_found_after_the_last_match(void **state)
{
	struct vm *vm = start("guest");
	char *text;

	(void)state;
	assert_int_equal(vm_expect(vm, "boot", LONG_MS, &text), 0);
	assert_string_equal(text, "");
	free(text);
	assert_int_equal(vm_expect(vm, "prompt", LONG_MS, &text), 0);
	assert_string_equal(text, " " VM_PROMPT "is no ");
	free(text);
	assert_int_equal(vm_expect_prompt(vm, LONG_MS, NULL), 0);
	assert_false(vm_has_said(vm, "boot"));
	assert_int_equal(vm_send(vm, "two\r", 4), 0);
	assert_int_equal(vm_expect(vm, "one", LONG_MS, NULL), 0);
	assert_int_equal(vm_expect(vm, "two", LONG_MS, &text), 0);
	assert_string_equal(text, "\n" VM_PROMPT "\n");
	free(text);
	vm_stop(vm);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(guest_is_talked_to),
		TEST(guest_that_says_nothing_is_not_waited_for),
		TEST(seconds_of_a_wait_are_whole),
		TEST(guest_that_says_other_things_is_not_waited_for),
		TEST(guest_that_does_not_stop_talking_is_an_error),
		TEST(guest_that_takes_nothing_is_not_waited_for),
		TEST(balloon_is_waited_for),
		TEST(qemu_that_does_not_answer_is_not_waited_for),
		TEST(end_of_qemu_is_told_as_a_shell_would),
		TEST(qemu_that_hangs_at_its_end_is_woken),
		TEST(very_first_words_are_found),
		TEST(qemu_that_does_not_start_says_why),
		TEST(qemu_that_aborts_before_it_is_there_is_started_once_more),
		TEST(log_has_all_and_nothing_else_is_left),
		TEST(stopped_qemu_can_be_stopped),
		TEST(only_so_many_run_at_a_time),
		TEST(nothing_printed_upsets_a_terminal),
		TEST(report_has_the_last_words),
		TEST(report_is_short),
		TEST(report_has_the_end_of_what_qemu_complained_of),
		TEST(short_memory_is_an_error_of_its_own),
		TEST(waiting_takes_no_processor),
		TEST(deadlines_of_others_are_left_as_they_were),
		TEST(words_are_found_after_the_last_match),
	};

	if (argc > 1)
		return be_qemu(argv);
	self = argv[0];
	return cmocka_run_group_tests_name("vm", tests, NULL, NULL);
}
