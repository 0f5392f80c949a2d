/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The integration tests: the real image under a real QEMU. To be run from
 * the project's root; an argument, with * and ?, chooses tests by name, and
 * --slow those groups that do more with SLOW=1 in the environment, --next those
 * that depend most on how QEMU does things: the balloon and its device, its queues,
 * state and moves, hot-plug, a hostile host, balloonctl.
 *
 * A group is a process of its own, and as many run at a time as there are processors;
 * what one prints stands together. Serial logs are kept in build/log, or in the folder
 * RESULTS.
 */
#include "tests/integration/harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_A_TIME_MAX 4 /* guests have gigabytes */

enum { NEXT = 1, SLOW = 2 };

struct group {
	const char *name;
	int (*run)(void);
	unsigned kinds; /* runs with these options, too */

	pid_t pid;
	FILE *output;
};

/* The longest first, so that none runs alone at the end. */
static struct group groups[] = {
	{ "hostile", hostile_tests, NEXT | SLOW, 0, NULL },
	{ "hotplug", hotplug_tests, NEXT | SLOW, 0, NULL },
	{ "balloonctl", balloonctl_tests, NEXT, 0, NULL },
	{ "balloon", balloon_tests, NEXT, 0, NULL },
	{ "queues", queues_tests, NEXT, 0, NULL },
	{ "poison", poison_tests, NEXT, 0, NULL },
	{ "move", move_tests, NEXT, 0, NULL },
	{ "state", state_tests, NEXT, 0, NULL },
	{ "microvm", microvm_tests, NEXT, 0, NULL },
	{ "boot", boot_tests, 0, 0, NULL },
	{ "platform", platform_tests, 0, 0, NULL },
	{ "course", balloonctl_course_tests, 0, 0, NULL },
	{ "console", console_tests, 0, 0, NULL },
	{ "screen", screen_tests, 0, 0, NULL },
	{ "dump", dump_tests, 0, 0, NULL },
	{ "machine", machine_tests, 0, 0, NULL },
	{ "run_script", run_script_tests, 0, 0, NULL },
};

#define NR_GROUPS (sizeof(groups) / sizeof(groups[0]))

static void start(struct group *group)
{
	group->output = tmpfile();
	if (!group->output) {
		perror("a group's output");
		exit(1);
	}
	fflush(NULL);
	group->pid = fork();
	if (group->pid < 0) {
		perror("fork");
		exit(1);
	}
	if (group->pid > 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(fileno(group->output), STDOUT_FILENO);
	dup2(fileno(group->output), STDERR_FILENO);
	harness_group = group->name;
	exit(group->run() != 0);
}

static void print_output(struct group *group)
{
	char bytes[4096];
	size_t size;

	rewind(group->output);
	while ((size = fread(bytes, 1, sizeof(bytes), group->output)) > 0)
		fwrite(bytes, 1, size, stdout);
	fclose(group->output);
	fflush(stdout);
}

/* Waits until one of the groups has ended; returns whether all of it passed. */
static bool finish_one(void)
{
	struct group *group = groups;
	int status;
	pid_t pid;

	do
		pid = wait(&status);
	while (pid < 0 && errno == EINTR);
	while (group->pid != pid)
		group++;
	group->pid = 0;
	print_output(group);
	if (WIFSIGNALED(status))
		printf("the group %s was ended by signal %d (%s)\n[  FAILED  ] %s\n", group->name,
		       WTERMSIG(status), strsignal(WTERMSIG(status)), group->name);
	return status == 0;
}

static bool run_groups(unsigned kind)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned room = processors > AT_A_TIME_MAX ? AT_A_TIME_MAX : (unsigned)processors;
	unsigned running = 0;
	bool passed = true;

	for (size_t i = 0; i < NR_GROUPS; i++) {
		if (kind && !(groups[i].kinds & kind))
			continue;
		if (running == room) {
			passed &= finish_one();
			running--;
		}
		start(&groups[i]);
		running++;
	}
	for (; running > 0; running--)
		passed &= finish_one();
	return passed;
}

int main(int argc, char **argv)
{
	unsigned kind = 0;
	bool passed;

	if (argc > 1 && strcmp(argv[1], "--slow") == 0)
		kind = SLOW;
	else if (argc > 1 && strcmp(argv[1], "--next") == 0)
		kind = NEXT;
	else if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	harness_tests_run = mmap(NULL, sizeof(*harness_tests_run), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (harness_tests_run == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	passed = run_groups(kind);
	if (*harness_tests_run == 0) {
		fprintf(stderr, "no test has a name like '%s'\n", argc > 1 ? argv[1] : "*");
		return 1;
	}
	return !passed;
}
