/* SPDX-License-Identifier: BSD-2-Clause */
/* Host programs as children of a test: see program.h. */
#include "tests/integration/program.h"

#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/integration/harness.h"
#include "tools/deadline.h"

#define POLL_MS 20

static void run_child(const struct program *program, const char *const argv[])
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (program->out)
		dup2(fileno(program->out), STDOUT_FILENO);
	dup2(fileno(program->err), STDERR_FILENO);
	execv(argv[0], (char *const *)argv);
	perror(argv[0]);
	_exit(127);
}

void program_start(struct program *program, bool terminal, const char *const argv[])
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };

	program->out = terminal ? NULL : tmpfile();
	program->err = tmpfile();
	program->terminal = -1;
	assert_true(program->err && (terminal || program->out));
	fflush(NULL);
	if (terminal)
		program->pid = forkpty(&program->terminal, NULL, NULL, &size);
	else
		program->pid = fork();
	assert_true(program->pid >= 0);
	if (program->pid == 0)
		run_child(program, argv);
}

static void read_file(FILE *file, char text[PROGRAM_OUTPUT])
{
	rewind(file);
	text[fread(text, 1, PROGRAM_OUTPUT - 1, file)] = '\0';
	fclose(file);
}

/* What was written right before the other end was closed may be there at the next look. */
static ssize_t read_twice(int fd, char *to, size_t size)
{
	ssize_t n = read(fd, to, size);

	return n < 0 ? read(fd, to, size) : n;
}

/* To the end: reading fails when nobody has the terminal open any more. */
static void read_terminal(int fd, char text[PROGRAM_OUTPUT])
{
	size_t len = 0;
	ssize_t n;

	while (len < PROGRAM_OUTPUT - 1 &&
	       (n = read_twice(fd, text + len, PROGRAM_OUTPUT - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(fd);
}

static int wait_for(pid_t pid)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000l };
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (deadline_left(deadline) == 0) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			fail_msg("a program has not ended after %d s", VM_TIMEOUT_MS / 1000);
		}
		nanosleep(&pause, NULL);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void program_finish(struct program *program, struct program_end *end)
{
	if (program->terminal >= 0)
		read_terminal(program->terminal, end->out);
	end->status = wait_for(program->pid);
	if (program->out)
		read_file(program->out, end->out);
	read_file(program->err, end->err);
}

const struct program_end *program_run(const char *const argv[])
{
	static struct program_end end;
	struct program program;

	program_start(&program, false, argv);
	program_finish(&program, &end);
	return &end;
}

const char *program_path(const char *name)
{
	static char path[256];
	const char *build = getenv("BUILD");

	snprintf(path, sizeof(path), "%s/tools/%s", build ? build : "build", name);
	return path;
}
