/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest and a shell for a page's samples: see stage.h. */
#include "tests/docs/stage.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tools/deadline.h"
#include "tools/qmp.h"
#include "tools/vm.h"

#define WAIT_MS 30000
#define ARGUMENTS_MAX 256
#define MIB (1024 * 1024)

static char folder[] = "/tmp/aerostat-docs-XXXXXX";
static char log_path[PATH_MAX];
static pid_t owner; /* children leave the folder alone */
static struct vm *vm;

static int complain(const char *what)
{
	fprintf(stderr, "docs test: %s\n", what);
	return -1;
}

/* ---- The folder ---- */

static void remove_folder(void)
{
	pid_t pid;

	if (getpid() != owner)
		return;
	pid = fork();
	if (pid == 0) {
		execlp("rm", "rm", "-rf", folder, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static int link_into_folder(const char *target, const char *name)
{
	char from[PATH_MAX], to[PATH_MAX];

	if (!realpath(target, from))
		return complain(target);
	snprintf(to, sizeof(to), "%s/%s", folder, name);
	return symlink(from, to);
}

/* Samples are written for a build in build/, and a balloonctl that was installed. */
static int set_environment(const char *build)
{
	char tools[PATH_MAX], path[PATH_MAX * 2], run[PATH_MAX];

	snprintf(tools, sizeof(tools), "%s/build/tools", folder);
	snprintf(path, sizeof(path), "%s:%s", tools, getenv("PATH"));
	snprintf(run, sizeof(run), "%s/aerostat-%u", folder, (unsigned)geteuid());
	setenv("PATH", path, 1);
	setenv("XDG_RUNTIME_DIR", folder, 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("BUILD");
	if (mkdir(run, 0700) || link_into_folder("tools", "tools"))
		return -1;
	return link_into_folder(build, "build");
}

int stage_init(const char *build)
{
	if (!mkdtemp(folder))
		return complain("no folder in /tmp can be made");
	owner = getpid();
	atexit(remove_folder);
	snprintf(log_path, sizeof(log_path), "%s/serial.log", folder);
	return set_environment(build) ? complain("its folder cannot be filled") : 0;
}

/* ---- Running a program ---- */

static void run_child(const char *const *argv, const char *const *variables, int fd)
{
	for (; variables && *variables; variables++)
		putenv((char *)(uintptr_t)*variables);
	if (chdir(folder) || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0 ||
	    !freopen("/dev/null", "r", stdin))
		_exit(127);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* All that a program prints, by free(), and its exit status. */
static char *run_program(const char *const *argv, const char *const *variables, int *status)
{
	char *text = NULL, part[4096];
	size_t size;
	FILE *all = open_memstream(&text, &size);
	int fds[2];
	ssize_t n;
	pid_t pid;

	if (!all || pipe(fds))
		return NULL;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		run_child(argv, variables, fds[1]);
	close(fds[1]);
	while ((n = read(fds[0], part, sizeof(part))) > 0)
		fwrite(part, 1, (size_t)n, all);
	close(fds[0]);
	fclose(all);
	waitpid(pid, status, 0);
	return text;
}

int stage_shell(const char *command, struct lines *said)
{
	const char *const argv[] = { "timeout", "30", "sh", "-c", command, NULL };
	int status = 0;
	char *text = run_program(argv, NULL, &status);

	if (!text)
		return complain("no shell can be started");
	lines_add_text(said, text);
	free(text);
	return 0;
}

/* ---- The guest ---- */

/* QEMU's arguments, a line each, and a second QMP socket where balloonctl looks. */
static int qemu_arguments(const char *const *variables, struct lines *arguments)
{
	static const char *const argv[] = { "tools/run.sh", "--print", NULL };
	char socket[PATH_MAX];
	int status = 0;
	char *text = run_program(argv, variables, &status);

	if (!text)
		return -1;
	lines_add_text(arguments, text);
	if (status || arguments->count + 3 > ARGUMENTS_MAX) {
		complain(text);
		free(text);
		return -1;
	}
	free(text);
	snprintf(socket, sizeof(socket), "unix:%s/aerostat-%u/aerostat.qmp,server=on,wait=off",
		 folder, (unsigned)geteuid());
	lines_add(arguments, "-qmp");
	lines_add(arguments, socket);
	return 0;
}

/* QEMU finds what run.sh named by the folder that it was started in. */
static int start_in_folder(const char *const *argv)
{
	char *root = getcwd(NULL, 0);
	int err = !root || chdir(folder) ? -1 : 0;

	if (!err)
		err = vm_start("sample", argv, log_path, &vm);
	if (root && chdir(root))
		err = -1;
	free(root);
	return err;
}

int stage_start(const char *const *variables, struct lines *said)
{
	const char *argv[ARGUMENTS_MAX] = { NULL };
	struct lines arguments = { 0 };
	char *text = NULL;
	int err = qemu_arguments(variables, &arguments);

	for (size_t i = 0; i < arguments.count && i < ARGUMENTS_MAX - 1; i++)
		argv[i] = arguments.line[i];
	if (!err)
		err = start_in_folder(argv);
	if (!err)
		err = vm_expect_prompt(vm, WAIT_MS, &text);
	if (!err)
		lines_add_text(said, text);
	free(text);
	lines_free(&arguments);
	return err ? -1 : 0;
}

bool stage_has_guest(void)
{
	return vm;
}

void stage_stop(void)
{
	vm_stop(vm);
	vm = NULL;
}

int stage_type(const char *command, struct lines *said)
{
	char *text = NULL;

	if (*command == '\0')
		return 0;
	if (vm_command(vm, command, WAIT_MS, &text))
		return -1;
	lines_add_text(said, text);
	free(text);
	return 0;
}

/* What the log has from @offset on, without the line that was typed. */
static int read_log(long offset, struct lines *said)
{
	FILE *file = fopen(log_path, "r");
	char *line = NULL;
	size_t size = 0;
	bool typed = true;

	if (!file || fseek(file, offset, SEEK_SET))
		return complain("the serial log cannot be read");
	while (getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (!typed)
			lines_add(said, line);
		typed = false;
	}
	free(line);
	fclose(file);
	return 0;
}

int stage_type_last(const char *command, int status, struct lines *said)
{
	struct stat log;
	int ended = -1;

	if (stat(log_path, &log) || vm_send(vm, command, strlen(command)) || vm_send(vm, "\r", 1) ||
	    vm_wait_exit(vm, WAIT_MS, &ended))
		return -1;
	if (ended != status) {
		fprintf(stderr, "docs test: QEMU ends with %d, not with %d\n", ended, status);
		return -1;
	}
	stage_stop();
	return read_log((long)log.st_size, said);
}

/* Whether a task of `ps`, apart from idle and the shell, runs or waits for a device. */
static bool is_busy(const char *tasks)
{
	char state, name[32];

	for (; tasks; tasks = strchr(tasks, '\n')) {
		tasks += *tasks == '\n';
		if (sscanf(tasks, "%*u %c %*u %*u %31s", &state, name) == 2 &&
		    strchr("RD", state) && strcmp(name, "idle") && strcmp(name, "shell"))
			return true;
	}
	return false;
}

int stage_settle(void)
{
	int64_t deadline = deadline_in(WAIT_MS);
	bool busy = true;

	while (busy) {
		char *tasks = NULL;

		if (vm_command(vm, "ps", WAIT_MS, &tasks))
			return -1;
		busy = is_busy(tasks);
		free(tasks);
		if (busy && !deadline_left(deadline))
			return complain("the guest's tasks do not come to rest");
	}
	return 0;
}

static int64_t number_in(struct json_object *object, const char *name)
{
	return json_object_get_int64(json_object_object_get(object, name));
}

bool stage_memory_has_come(void)
{
	struct json_object *devices = NULL;
	bool come = qmp_execute(vm_qmp(vm), "query-memory-devices", NULL, &devices) == 0;

	for (size_t i = 0; come && i < json_object_array_length(devices); i++) {
		struct json_object *device = json_object_array_get_idx(devices, i);
		struct json_object *data = json_object_object_get(device, "data");

		come = number_in(data, "size") == number_in(data, "requested-size") ||
		       !json_object_object_get(data, "requested-size");
	}
	json_object_put(devices);
	return come;
}

/*
 * `balloon N`: N MiB are to be left. QEMU may be told that they are before it has
 * answered all, and always before the guest has recorded the end of the move.
 */
static int wait_for_balloon(const char *command)
{
	long long left;

	if (sscanf(command, "balloon %lld", &left) != 1)
		return 0;
	return vm_wait_balloon(vm, left * MIB, WAIT_MS) ? -1 : stage_settle();
}

int stage_monitor(const char *command, struct lines *said)
{
	struct json_object *arguments = json_object_new_object(), *reply = NULL;

	json_object_object_add(arguments, "command-line", json_object_new_string(command));
	if (qmp_execute(vm_qmp(vm), "human-monitor-command", arguments, &reply))
		return complain(qmp_error(vm_qmp(vm)));
	lines_add_text(said, json_object_get_string(reply));
	json_object_put(reply);
	return wait_for_balloon(command) ? -1 : 0;
}
