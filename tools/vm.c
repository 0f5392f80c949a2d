/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A QEMU with an Aerostat guest, from its start (vm_start.c) to its end: what
 * it says and what it is told. See vm.h for the contract. Every wait here also
 * reads the serial line: a guest must not block because nobody listens.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/deadline.h"
#include "tools/qmp.h"
#include "tools/vm_internal.h"

#define REPORT_BYTES 2500 /* of output, in a report */
#define ANSWER_MS 2000	  /* for QEMU, when the time of a wait is over */
#define SOON_MS 1000	  /* for its end, when it has said that it ends */

struct qmp *vm_qmp(struct vm *vm)
{
	return vm->qmp;
}

pid_t vm_pid(const struct vm *vm)
{
	return vm->pid;
}

void vm_print(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n' || c == '\t' || (c >= ' ' && c < 0x7f))
			fputc(c, out);
		else if (c != '\r')
			fprintf(out, "\\x%02x", c);
	}
}

/* The last words, which may end in mid-line. */
static void print_safely(const char *text, size_t len)
{
	vm_print(stderr, text, len);
	if (len && text[len - 1] != '\n')
		fputc('\n', stderr);
}

static void print_errors(const struct vm *vm)
{
	char text[REPORT_BYTES];
	off_t end = lseek(vm->errors, 0, SEEK_END);
	off_t start = end > REPORT_BYTES ? end - REPORT_BYTES : 0;
	ssize_t n = pread(vm->errors, text, sizeof(text), start);

	if (n > 0) {
		fprintf(stderr, "---- QEMU's stderr ends with:\n");
		print_safely(text, (size_t)n);
	}
}

void vm_look_for_exit(struct vm *vm)
{
	int status;

	if (vm->pid <= 0 || vm->exited)
		return;
	if (waitpid(vm->pid, &status, WNOHANG) != vm->pid)
		return;
	vm->exited = true;
	vm->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void vm_report(struct vm *vm, const char *what)
{
	size_t start = vm->len > REPORT_BYTES ? vm->len - REPORT_BYTES : 0;

	vm_look_for_exit(vm);
	fprintf(stderr, "VM '%s': %s\n", vm->name, what);
	if (vm->exited)
		fprintf(stderr, "---- QEMU has ended with status %d\n", vm->status);
	fprintf(stderr, "---- the guest's last words (%zu bytes so far):\n", vm->len);
	print_safely(vm->out + start, vm->len - start);
	print_errors(vm);
	fprintf(stderr, "----\n");
}

int vm_fail(struct vm *vm, int err, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	vm_report(vm, what);
	return err;
}

/* Whole ones, for a report. */
static int seconds_of(int ms)
{
	return ms / 1000;
}

/* ---- the serial line ---- */

static int make_room(struct vm *vm)
{
	size_t size = vm->size * 2 + 65536;
	char *out;

	assert(vm->len <= vm->size);
	if (vm->size - vm->len >= 4096)
		return 0;
	if (vm->len > VM_OUTPUT_MAX)
		return vm_fail(vm, -EMSGSIZE, "the guest does not stop talking");
	out = realloc(vm->out, size);
	if (!out)
		return -ENOMEM;
	vm->out = out;
	vm->size = size;
	return 0;
}

/* Reads what is there: 0, or -ECONNRESET at the end of the line. */
static int read_serial(struct vm *vm)
{
	ssize_t n;
	int ret;

	do {
		ret = make_room(vm);
		if (ret)
			return ret;
		n = recv(vm->serial, vm->out + vm->len, vm->size - vm->len, MSG_DONTWAIT);
		if (n > 0) {
			if (vm->log) {
				fwrite(vm->out + vm->len, 1, (size_t)n, vm->log);
				fflush(vm->log);
			}
			vm->len += (size_t)n;
		}
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 && errno == EAGAIN ? 0 : -ECONNRESET;
}

/* Sleeps until the serial line is ready, at most until `deadline`. */
static void wait_serial(struct vm *vm, short events, int64_t deadline)
{
	struct pollfd pfd = { .fd = vm->serial, .events = events };

	poll(&pfd, 1, deadline_left(deadline));
}

/* A pause between two looks at QEMU, in which the guest can talk. */
static void listen_a_while(struct vm *vm)
{
	int64_t end = deadline_in(VM_POLL_MS);

	do {
		wait_serial(vm, POLLIN, end);
	} while (!read_serial(vm) && deadline_left(end));
	usleep((useconds_t)deadline_left(end) * 1000);
}

void vm_forget(struct vm *vm)
{
	vm->pos = 0;
	vm->len = 0;
}

/* Copies the output from `start` to `end` as text. */
static char *copy_text(const struct vm *vm, size_t start, size_t end)
{
	char *text = malloc(end - start + 1);
	size_t n = 0;

	assert(start <= end && end <= vm->len);
	if (!text)
		return NULL;
	for (size_t i = start; i < end; i++)
		if (vm->out[i] != '\r' && vm->out[i] != '\0')
			text[n++] = vm->out[i];
	text[n] = '\0';
	return text;
}

/* Gives the offset of `text` at or after `from`, or -1. */
static ssize_t find(const struct vm *vm, size_t from, const char *text)
{
	const char *hit = NULL;

	if (vm->len > from)
		hit = memmem(vm->out + from, vm->len - from, text, strlen(text));
	return hit ? hit - vm->out : -1;
}

/* find(), at the start of a line only. */
static ssize_t find_at_line_start(const struct vm *vm, size_t from, const char *text)
{
	ssize_t at = find(vm, from, text);

	while (at > 0 && vm->out[at - 1] != '\n' && vm->out[at - 1] != '\r')
		at = find(vm, (size_t)at + 1, text);
	return at;
}

typedef ssize_t find_fn(const struct vm *vm, size_t from, const char *text);

/* A time to wait, and when it is over, for several waits that have it together. */
struct time_limit {
	int ms;
	int64_t deadline;
};

static struct time_limit time_limit_in(int timeout_ms)
{
	return (struct time_limit){ timeout_ms, deadline_in(timeout_ms) };
}

static int expect(struct vm *vm, find_fn *finder, const char *text, const struct time_limit *limit,
		  char **before)
{
	ssize_t at;
	int ret = 0;

	assert(vm->pos <= vm->len);
	while ((at = finder(vm, vm->pos, text)) < 0) {
		if (ret)
			return vm_fail(vm, ret, "the line ended while we waited for \"%s\"", text);
		if (deadline_left(limit->deadline) == 0)
			return vm_fail(vm, -ETIMEDOUT, "waited %d s in vain for \"%s\"",
				       seconds_of(limit->ms), text);
		wait_serial(vm, POLLIN, limit->deadline);
		ret = read_serial(vm);
	}
	if (before) {
		*before = copy_text(vm, vm->pos, (size_t)at);
		if (!*before)
			return -ENOMEM;
	}
	vm->pos = (size_t)at + strlen(text);
	return 0;
}

int vm_expect(struct vm *vm, const char *text, int timeout_ms, char **before)
{
	struct time_limit limit = time_limit_in(timeout_ms);

	return expect(vm, find, text, &limit, before);
}

int vm_expect_prompt(struct vm *vm, int timeout_ms, char **before)
{
	struct time_limit limit = time_limit_in(timeout_ms);

	return expect(vm, find_at_line_start, VM_PROMPT, &limit, before);
}

bool vm_has_said(struct vm *vm, const char *text)
{
	read_serial(vm);
	return find(vm, vm->pos, text) >= 0;
}

static int send_all(struct vm *vm, const void *bytes, size_t len, int64_t deadline)
{
	const char *next = bytes;

	while (len) {
		ssize_t n = send(vm->serial, next, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			next += n;
			len -= (size_t)n;
		}
		if (!len)
			break;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return vm_fail(vm, -ECONNRESET, "the line ended while we sent: %s",
				       strerror(errno));
		if (deadline_left(deadline) == 0)
			return vm_fail(vm, -ETIMEDOUT, "the guest takes no more input");
		wait_serial(vm, POLLIN | POLLOUT, deadline);
		/* It may wait for us to take its echo. */
		read_serial(vm);
	}
	return 0;
}

int vm_send(struct vm *vm, const void *bytes, size_t len)
{
	return send_all(vm, bytes, len, deadline_in(VM_TIMEOUT_MS));
}

/*
 * Types a line with its end at once: while a whole line waits for its end, one that the guest
 * logs has it draw prompt and line again, and that prompt looks like that of the answer.
 */
static int type_line(struct vm *vm, const char *line, int64_t deadline)
{
	char *typed;
	int ret;

	if (asprintf(&typed, "%s\r", line) < 0)
		return -ENOMEM;
	ret = send_all(vm, typed, strlen(typed), deadline);
	free(typed);
	return ret;
}

int vm_command(struct vm *vm, const char *line, int timeout_ms, char **output)
{
	struct time_limit limit = time_limit_in(timeout_ms);
	int ret;

	read_serial(vm);
	vm->pos = vm->len;
	ret = type_line(vm, line, limit.deadline);
	/* A prompt before the echo is not the answer to this line. */
	if (!ret)
		ret = expect(vm, find, line, &limit, NULL);
	if (!ret)
		ret = expect(vm, find, "\n", &limit, NULL);
	if (!ret)
		ret = expect(vm, find_at_line_start, VM_PROMPT, &limit, output);
	return ret;
}

int vm_send_break(struct vm *vm)
{
	int ret = qmp_send_break(vm->qmp, VM_CONSOLE_ID);

	return ret ? vm_fail(vm, ret, "%s", qmp_error(vm->qmp)) : 0;
}

/* ---- the balloon, the end ---- */

static int wait_balloon(struct vm *vm, int64_t bytes_left, int timeout_ms)
{
	int64_t deadline = deadline_in(timeout_ms);
	int64_t actual;
	int ret;

	while (!(ret = qmp_query_balloon(vm->qmp, &actual))) {
		if (actual == bytes_left)
			return 0;
		if (deadline_left(deadline) == 0)
			return vm_fail(vm, -ETIMEDOUT,
				       "waited %d s in vain for a balloon that leaves %" PRId64
				       " bytes: it leaves %" PRId64,
				       seconds_of(timeout_ms), bytes_left, actual);
		listen_a_while(vm);
	}
	return vm_fail(vm, ret, "%s", qmp_error(vm->qmp));
}

int vm_wait_balloon(struct vm *vm, int64_t bytes_left, int timeout_ms)
{
	int64_t before = qmp_set_deadline(vm->qmp, DEADLINE_NONE);
	int ret;

	/* QEMU's answers are in the same time, and a moment for the last of them. */
	qmp_set_deadline(vm->qmp, deadline_first(before, deadline_in(timeout_ms) + ANSWER_MS));
	ret = wait_balloon(vm, bytes_left, timeout_ms);
	qmp_set_deadline(vm->qmp, before);
	return ret;
}

/*
 * QEMU before 8.1 never ends if its end comes while it takes a command by QMP: it then waits in the
 * wrong one of its loops. A signal wakes that one, and its status stays what it was to be.
 */
static void wake_at_end(struct vm *vm)
{
	if (!vm->exited && qmp_event(vm->qmp, "SHUTDOWN", 0, NULL) == 0)
		kill(vm->pid, SIGTERM);
}

int vm_wait_exit(struct vm *vm, int timeout_ms, int *status)
{
	int64_t deadline = deadline_in(timeout_ms), soon = deadline_in(SOON_MS);

	do {
		listen_a_while(vm);
		vm_look_for_exit(vm);
		if (deadline_left(soon) == 0)
			wake_at_end(vm);
		if (vm->exited) {
			read_serial(vm);
			*status = vm->status;
			return 0;
		}
	} while (deadline_left(deadline));
	return vm_fail(vm, -ETIMEDOUT, "waited %d s in vain for QEMU's end",
		       seconds_of(timeout_ms));
}
