/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts QEMU with an Aerostat guest, and leaves nothing of it: see vm.h. The
 * serial line is one end of a socket pair and the QMP socket listens before QEMU
 * starts, so there is neither a race nor a lost byte at the start.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/lib/types.h"
#include "tools/deadline.h"
#include "tools/qmp.h"
#include "tools/vm_internal.h"

#define MAX_VMS 8
#define MAX_ARGS 2048
#define END_MS 5000   /* for one to end with which nobody can talk */
#define REAP_MS 30000 /* for QEMU to be gone; terabytes take a while to free */
#define REAP_POLL_MS 2

/* Of the serial line, in kernel memory: a byte that QEMU writes takes 768 bytes of it. */
#define SERIAL_BUFFER (8 * 1024 * 1024)

/* VMs that run: the exit and signal handlers stop those that are left. */
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
		for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
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

/* In the child: becomes QEMU, or says why not on what is QEMU's stderr. */
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

	assert(argv[0] && serial >= 0 && qmp >= 0);
	snprintf(con, sizeof(con), "socket,id=" VM_CONSOLE_ID ",fd=%d", serial);
	snprintf(mon, sizeof(mon), "socket,id=qmp,fd=%d,server=on,wait=off", qmp);
	for (; argv[n]; n++) {
		if (n + ARRAY_SIZE(ours) >= MAX_ARGS)
			return -E2BIG;
		full[n] = argv[n];
	}
	memcpy(full + n, ours, sizeof(ours));
	return 0;
}

/*
 * QEMU writes byte by byte, and a socket's buffer of the usual size is full after some
 * hundred of them. A panic waits 50 ms for a reader and then drops its text, and on a
 * loaded machine we may not run for so long. Only root gets more than the system's limit.
 */
static void widen(int serial)
{
	const int size = SERIAL_BUFFER;

	if (setsockopt(serial, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(serial, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
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
	widen(pair[1]);
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

/* Waits a while for the end of a QEMU with which nobody can talk; tells whether it aborted. */
static bool has_aborted(struct vm *vm)
{
	int64_t deadline = deadline_in(END_MS);

	do {
		usleep(VM_POLL_MS * 1000);
		vm_look_for_exit(vm);
	} while (!vm->exited && deadline_left(deadline));
	return vm->exited && vm->status == 128 + SIGABRT;
}

static int start(const char *name, const char *const argv[], const char *log_path, struct vm **out,
		 bool *aborted)
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
		*aborted = ret != -ETIMEDOUT && has_aborted(vm);
		vm_fail(vm, ret, "%s does not come up: %s", argv[0], qmp_error(vm->qmp));
		goto err_vm;
	}
	*out = vm;
	return 0;

err_vm:
	vm_stop(vm);
	return ret;
}

/*
 * QEMU (7.2) moves its QMP socket from one thread to another as it begins, and both may read from
 * a client that is there already: now and then it aborts on what each of them has. Nothing of the
 * guest has run by then, so it is started once more.
 */
int vm_start(const char *name, const char *const argv[], const char *log_path, struct vm **out)
{
	bool aborted = false;
	int ret = start(name, argv, log_path, out, &aborted);

	if (!aborted)
		return ret;
	fprintf(stderr, "VM '%s': QEMU aborted before it was there; once more\n", name);
	return start(name, argv, log_path, out, &aborted);
}

/*
 * Takes note of the end of a killed QEMU, which can hang in the kernel: that is not worth
 * a test run. It is nobody's child then, and ends when it can.
 */
static void reap(const struct vm *vm)
{
	int64_t deadline = deadline_in(REAP_MS);
	pid_t pid;

	do {
		pid = waitpid(vm->pid, NULL, WNOHANG);
		if (pid == 0)
			usleep(REAP_POLL_MS * 1000);
	} while (pid == 0 && deadline_left(deadline));
	if (pid == 0)
		fprintf(stderr, "VM '%s': QEMU, process %d, was killed and does not end\n",
			vm->name, (int)vm->pid);
}

void vm_stop(struct vm *vm)
{
	if (!vm)
		return;
	destroy(vm);
	if (vm->pid > 0 && !vm->exited)
		reap(vm);
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
