/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A QEMU with an Aerostat guest: see vm.h for the contract. The serial line
 * is one end of a socket pair and the QMP socket listens before QEMU starts,
 * so there is neither a race nor a lost byte at the start. Whatever waits
 * here also reads the serial line: a guest must not block because nobody
 * listens.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/deadline.h"
#include "tools/qmp.h"
#include "tools/vm.h"

#define MAX_VMS 8
#define MAX_ARGS 2048
#define REPORT_BYTES 2500 /* of output, in a report */
#define POLL_MS 20	  /* between two looks at QEMU */

struct vm {
	char name[64];
	char dir[64]; /* mode 0700, made by mkdtemp */
	char qmp_path[96];
	pid_t pid; /* 0: never started or reaped */
	bool exited;
	int status; /* valid when exited */
	int serial;
	int errors; /* QEMU's stdout and stderr, a file */
	FILE *log;
	struct qmp *qmp;
	char *out; /* all that the guest has said */
	size_t len, size;
	size_t pos; /* end of the last match */
};

/* For the exit and signal handlers, which find VMs nobody stopped. */
static struct vm *vms[MAX_VMS];

/* Only what a signal handler may call. */
static void destroy(struct vm *vm)
{
	if (vm->pid > 0 && !vm->exited)
		kill(vm->pid, SIGKILL);
	unlink(vm->qmp_path);
	rmdir(vm->dir);
}

static void destroy_all(void)
{
	for (size_t i = 0; i < MAX_VMS; i++)
		if (vms[i])
			destroy(vms[i]);
}

static void on_signal(int signal)
{
	destroy_all();
	/* SA_RESETHAND: this time it kills, and our parent sees by what. */
	raise(signal);
}

static int register_vm(struct vm *vm)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	static bool prepared;
	struct sigaction action = { .sa_flags = (int)SA_RESETHAND };

	if (!prepared) {
		action.sa_handler = on_signal;
		for (size_t i = 0; i < 3; i++)
			sigaction(signals[i], &action, NULL);
		atexit(destroy_all);
		prepared = true;
	}
	for (size_t i = 0; i < MAX_VMS; i++) {
		if (!vms[i]) {
			vms[i] = vm;
			return 0;
		}
	}
	return -EMFILE;
}

static void unregister_vm(const struct vm *vm)
{
	for (size_t i = 0; i < MAX_VMS; i++)
		if (vms[i] == vm)
			vms[i] = NULL;
}

struct qmp *vm_qmp(struct vm *vm)
{
	return vm->qmp;
}

const char *vm_qmp_path(const struct vm *vm)
{
	return vm->qmp_path;
}

pid_t vm_pid(const struct vm *vm)
{
	return vm->pid;
}

/* What the guest or QEMU said, without what could upset a terminal. */
static void print_safely(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n' || c == '\t' || (c >= ' ' && c < 0x7f))
			fputc(c, stderr);
		else if (c != '\r')
			fprintf(stderr, "\\x%02x", c);
	}
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

static void look_for_exit(struct vm *vm)
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

	look_for_exit(vm);
	fprintf(stderr, "VM '%s': %s\n", vm->name, what);
	if (vm->exited)
		fprintf(stderr, "---- QEMU has ended with status %d\n", vm->status);
	fprintf(stderr, "---- the guest's last words (%zu bytes so far):\n", vm->len);
	print_safely(vm->out + start, vm->len - start);
	print_errors(vm);
	fprintf(stderr, "----\n");
}

__attribute__((format(printf, 3, 4))) static int fail(struct vm *vm, int err, const char *format,
						      ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	vm_report(vm, what);
	return err;
}

/* ---- start and stop ---- */

static int make_folder(struct vm *vm)
{
	const char *parent = getenv("TMPDIR");

	if (!parent || strlen(parent) > 40 || parent[0] != '/')
		parent = "/tmp";
	snprintf(vm->dir, sizeof(vm->dir), "%s/aerostat-XXXXXX", parent);
	if (!mkdtemp(vm->dir)) {
		vm->dir[0] = '\0';
		return -errno;
	}
	snprintf(vm->qmp_path, sizeof(vm->qmp_path), "%s/qmp", vm->dir);
	return 0;
}

/* A file without a name: nothing is left to remove. */
static int open_errors(struct vm *vm)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/stderr", vm->dir);
	vm->errors = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	if (vm->errors < 0)
		return -errno;
	unlink(path);
	return 0;
}

static int listen_for_qmp(const struct vm *vm)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	_Static_assert(sizeof(vm->qmp_path) < sizeof(addr.sun_path), "every path fits");
	strcpy(addr.sun_path, vm->qmp_path);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&addr, sizeof(addr)) && !listen(fd, 1))
		return fd;
	if (fd >= 0)
		close(fd);
	return -errno;
}

/* In the child: becomes QEMU, or says why not where QEMU would. */
static void become_qemu(const struct vm *vm, const char **argv, int serial, int qmp, pid_t parent)
{
	int null = open("/dev/null", O_RDONLY);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	/* Ctrl-C at the terminal is for us; QEMU then ends with us. */
	setpgid(0, 0);
	dup2(null, STDIN_FILENO);
	dup2(vm->errors, STDOUT_FILENO);
	dup2(vm->errors, STDERR_FILENO);
	fcntl(serial, F_SETFD, 0);
	fcntl(qmp, F_SETFD, 0);
	execvp(argv[0], (char *const *)argv);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static int add_our_arguments(const char *const argv[], int serial, int qmp, const char **full)
{
	static char con[64], mon[64];
	const char *const ours[] = {
		"-chardev", con, "-serial", "chardev:" VM_CONSOLE_ID,
		"-chardev", mon, "-mon",    "chardev=qmp,mode=control",
		NULL,
	};
	size_t n = 0;

	snprintf(con, sizeof(con), "socket,id=" VM_CONSOLE_ID ",fd=%d", serial);
	snprintf(mon, sizeof(mon), "socket,id=qmp,fd=%d,server=on,wait=off", qmp);
	for (; argv[n]; n++) {
		if (n + sizeof(ours) / sizeof(ours[0]) >= MAX_ARGS)
			return -E2BIG;
		full[n] = argv[n];
	}
	memcpy(full + n, ours, sizeof(ours));
	return 0;
}

static int spawn(struct vm *vm, const char *const argv[])
{
	const char *full[MAX_ARGS];
	int pair[2], qmp, ret;
	pid_t parent = getpid();

	qmp = listen_for_qmp(vm);
	if (qmp < 0)
		return qmp;
	ret = -errno;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		goto err_qmp;
	vm->serial = pair[0];
	ret = add_our_arguments(argv, pair[1], qmp, full);
	if (ret)
		goto err_pair;
	vm->pid = fork();
	if (vm->pid == 0)
		become_qemu(vm, full, pair[1], qmp, parent);
	ret = vm->pid < 0 ? -errno : 0;
err_pair:
	close(pair[1]);
err_qmp:
	close(qmp);
	return ret;
}

static int prepare(struct vm *vm, const char *log_path)
{
	int ret = register_vm(vm);

	if (!ret)
		ret = make_folder(vm);
	if (!ret)
		ret = open_errors(vm);
	if (!ret && log_path) {
		vm->log = fopen(log_path, "we");
		ret = vm->log ? 0 : -errno;
	}
	return ret;
}

int vm_start(const char *name, const char *const argv[], const char *log_path, struct vm **out)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	int ret;

	if (!vm)
		return -ENOMEM;
	vm->serial = -1;
	vm->errors = -1;
	vm->qmp = qmp_new();
	snprintf(vm->name, sizeof(vm->name), "%s", name);
	ret = prepare(vm, log_path);
	if (!ret)
		ret = spawn(vm, argv);
	if (ret) {
		fprintf(stderr, "VM '%s': cannot start %s: %s\n", name, argv[0], strerror(-ret));
		goto err_vm;
	}
	qmp_set_timeout(vm->qmp, VM_TIMEOUT_MS);
	ret = qmp_connect(vm->qmp, vm->qmp_path, VM_TIMEOUT_MS);
	if (ret) {
		usleep(POLL_MS * 1000); /* for the status in the report */
		fail(vm, ret, "%s does not come up: %s", argv[0], qmp_error(vm->qmp));
		goto err_vm;
	}
	*out = vm;
	return 0;

err_vm:
	vm_stop(vm);
	return ret;
}

void vm_stop(struct vm *vm)
{
	if (!vm)
		return;
	destroy(vm);
	if (vm->pid > 0 && !vm->exited)
		waitpid(vm->pid, NULL, 0);
	unregister_vm(vm);
	qmp_free(vm->qmp);
	if (vm->serial >= 0)
		close(vm->serial);
	if (vm->errors >= 0)
		close(vm->errors);
	if (vm->log)
		fclose(vm->log);
	free(vm->out);
	free(vm);
}

/* ---- the serial line ---- */

static int make_room(struct vm *vm)
{
	size_t size = vm->size * 2 + 65536;
	char *out;

	if (vm->size - vm->len >= 4096)
		return 0;
	if (vm->len > VM_OUTPUT_MAX)
		return fail(vm, -EMSGSIZE, "the guest does not stop talking");
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

/* Sleeps until the serial line is ready, at most until @deadline. */
static void wait_serial(struct vm *vm, short events, int64_t deadline)
{
	struct pollfd pfd = { .fd = vm->serial, .events = events };

	poll(&pfd, 1, deadline_left(deadline));
}

/* A pause between two looks at QEMU, in which the guest can talk. */
static void listen_a_while(struct vm *vm)
{
	int64_t end = deadline_in(POLL_MS);

	do {
		wait_serial(vm, POLLIN, end);
	} while (!read_serial(vm) && deadline_left(end));
	usleep((useconds_t)deadline_left(end) * 1000);
}

/* What lies between @start and @end, as text. */
static char *copy_text(const struct vm *vm, size_t start, size_t end)
{
	char *text = malloc(end - start + 1);
	size_t n = 0;

	if (!text)
		return NULL;
	for (size_t i = start; i < end; i++)
		if (vm->out[i] != '\r' && vm->out[i] != '\0')
			text[n++] = vm->out[i];
	text[n] = '\0';
	return text;
}

/* Offset of @text at or after @from, or -1. */
static ssize_t find(const struct vm *vm, size_t from, const char *text)
{
	const char *hit = NULL;

	if (vm->len > from)
		hit = memmem(vm->out + from, vm->len - from, text, strlen(text));
	return hit ? hit - vm->out : -1;
}

/* The same, at the start of a line only. */
static ssize_t find_at_line_start(const struct vm *vm, size_t from, const char *text)
{
	ssize_t at = find(vm, from, text);

	while (at > 0 && vm->out[at - 1] != '\n' && vm->out[at - 1] != '\r')
		at = find(vm, (size_t)at + 1, text);
	return at;
}

typedef ssize_t find_fn(const struct vm *vm, size_t from, const char *text);

static int expect(struct vm *vm, find_fn *finder, const char *text, int timeout_ms, char **before)
{
	int64_t deadline = deadline_in(timeout_ms);
	ssize_t at;
	int ret = 0;

	while ((at = finder(vm, vm->pos, text)) < 0) {
		if (ret)
			return fail(vm, ret,
				    "the line ended while we waited "
				    "for \"%s\"",
				    text);
		if (deadline_left(deadline) == 0)
			return fail(vm, -ETIMEDOUT, "waited %d s in vain for \"%s\"",
				    timeout_ms / 1000, text);
		wait_serial(vm, POLLIN, deadline);
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
	return expect(vm, find, text, timeout_ms, before);
}

int vm_expect_prompt(struct vm *vm, int timeout_ms, char **before)
{
	return expect(vm, find_at_line_start, VM_PROMPT, timeout_ms, before);
}

bool vm_has_said(struct vm *vm, const char *text)
{
	read_serial(vm);
	return find(vm, vm->pos, text) >= 0;
}

int vm_send(struct vm *vm, const void *bytes, size_t len)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	const char *next = bytes;

	while (len) {
		ssize_t n = send(vm->serial, next, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			next += n;
			len -= (size_t)n;
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail(vm, -ECONNRESET,
				    "the line ended while we "
				    "sent: %s",
				    strerror(errno));
		if (deadline_left(deadline) == 0)
			return fail(vm, -ETIMEDOUT, "the guest takes no more input");
		wait_serial(vm, POLLIN | POLLOUT, deadline);
		/* It may wait for us to take its echo. */
		read_serial(vm);
	}
	return 0;
}

int vm_command(struct vm *vm, const char *line, int timeout_ms, char **output)
{
	int ret;

	read_serial(vm);
	vm->pos = vm->len;
	ret = vm_send(vm, line, strlen(line));
	if (!ret)
		ret = vm_send(vm, "\r", 1);
	/* A prompt before the echo is not the answer to this line. */
	if (!ret)
		ret = vm_expect(vm, line, timeout_ms, NULL);
	if (!ret)
		ret = vm_expect(vm, "\n", timeout_ms, NULL);
	if (!ret)
		ret = vm_expect_prompt(vm, timeout_ms, output);
	return ret;
}

int vm_send_break(struct vm *vm)
{
	int ret = qmp_send_break(vm->qmp, VM_CONSOLE_ID);

	return ret ? fail(vm, ret, "%s", qmp_error(vm->qmp)) : 0;
}

/* ---- the balloon, the end ---- */

int vm_wait_balloon(struct vm *vm, int64_t bytes_left, int timeout_ms)
{
	int64_t deadline = deadline_in(timeout_ms);
	int64_t actual;
	int ret;

	while (!(ret = qmp_query_balloon(vm->qmp, &actual))) {
		if (actual == bytes_left)
			return 0;
		if (deadline_left(deadline) == 0)
			return fail(vm, -ETIMEDOUT,
				    "waited %d s in vain for a balloon that "
				    "leaves %lld bytes: it leaves %lld",
				    timeout_ms / 1000, (long long)bytes_left, (long long)actual);
		listen_a_while(vm);
	}
	return fail(vm, ret, "%s", qmp_error(vm->qmp));
}

int vm_wait_exit(struct vm *vm, int timeout_ms, int *status)
{
	int64_t deadline = deadline_in(timeout_ms);

	do {
		listen_a_while(vm);
		look_for_exit(vm);
		if (vm->exited) {
			read_serial(vm);
			*status = vm->status;
			return 0;
		}
	} while (deadline_left(deadline));
	return fail(vm, -ETIMEDOUT, "waited %d s in vain for QEMU's end", timeout_ms / 1000);
}
