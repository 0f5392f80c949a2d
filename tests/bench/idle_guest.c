/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that do nothing: see idle_guest.h for the contract. */
#include "tests/bench/idle_guest.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROMPT "\naerostat> "
#define COMMAND "uptime\r"
#define TIMEOUT_MS 120000

__attribute__((noreturn)) static void fail(const char *what)
{
	fprintf(stderr, "idle: %s: %m\n", what);
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void idle_guest_start(struct idle_guest *guest, struct arguments *arguments)
{
	pid_t parent = getpid();
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		fail("no socket for a serial line");
	arguments_add(arguments, "-chardev");
	arguments_add_text(arguments, "socket,id=con,fd=%d", ends[1]);
	arguments_add(arguments, "-serial");
	arguments_add(arguments, "chardev:con");
	guest->serial = ends[0];
	guest->pid = fork();
	if (guest->pid < 0)
		fail("no process for QEMU");
	if (guest->pid == 0) {
		/* Its end of the line stays open in QEMU. */
		dup2(dup(ends[1]), ends[1]);
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
			_exit(127);
		execvp(arguments->argv[0], (char *const *)arguments->argv);
		fail(arguments->argv[0]);
	}
	close(ends[1]);
}

void idle_guest_wait_prompt(struct idle_guest *guest)
{
	double end = now_ms() + TIMEOUT_MS;
	char text[8192] = "\n"; /* the first prompt may stand at the very beginning */
	size_t length = 1;

	while (!strstr(text, PROMPT)) {
		struct pollfd line = { .fd = guest->serial, .events = POLLIN };
		int left = (int)(end - now_ms());
		ssize_t n;

		errno = ETIMEDOUT;
		if (left <= 0 || length == sizeof(text) - 1 || poll(&line, 1, left) <= 0)
			fail("waited in vain for a prompt");
		n = read(guest->serial, text + length, sizeof(text) - 1 - length);
		if (n <= 0)
			fail("a guest has ended");
		/* A NUL would end the text for strstr(). */
		for (ssize_t i = 0; i < n; i++)
			if (text[length + (size_t)i] == '\0')
				text[length + (size_t)i] = '?';
		length += (size_t)n;
		text[length] = '\0';
	}
}

double idle_guest_ask(struct idle_guest *guest)
{
	double start = now_ms();

	if (write(guest->serial, COMMAND, strlen(COMMAND)) != (ssize_t)strlen(COMMAND))
		fail("a guest takes no command");
	idle_guest_wait_prompt(guest);
	return now_ms() - start;
}

void idle_guest_stop(struct idle_guest *guest)
{
	kill(guest->pid, SIGKILL);
	waitpid(guest->pid, NULL, 0);
	close(guest->serial);
}
