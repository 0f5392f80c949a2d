/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The integration tests: the real image under a real QEMU. To be run from
 * the project's root; arguments, with * and ?, choose tests by name, and
 * --slow those groups that do more with SLOW=1 in the environment, --next those
 * that depend most on how QEMU does things: the balloon and its device, its queues,
 * state and moves, hot-plug, disks, a hostile host, balloonctl.
 *
 * A group is a process of its own, and as many run at a time as there are processors, four
 * at most; what one prints stands together. Serial logs are kept in build/log, or in the folder
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
	{ "growth", growth_tests, NEXT | SLOW, 0, NULL },
	{ "growth_state", growth_state_tests, NEXT | SLOW, 0, NULL },
	{ "dimm", dimm_tests, NEXT | SLOW, 0, NULL },
	{ "balloonctl", balloonctl_tests, NEXT, 0, NULL },
	{ "balloon", balloon_tests, NEXT, 0, NULL },
	{ "queues", queues_tests, NEXT, 0, NULL },
	{ "poison", poison_tests, NEXT, 0, NULL },
	{ "pressure", pressure_tests, NEXT, 0, NULL },
	{ "pressure_situation", pressure_situation_tests, SLOW, 0, NULL },
	{ "pressure_disk", pressure_disk_tests, 0, 0, NULL },
	{ "pressure_course", pressure_course_tests, 0, 0, NULL },
	{ "move", move_tests, NEXT, 0, NULL },
	{ "state", state_tests, NEXT, 0, NULL },
	{ "microvm", microvm_tests, NEXT, 0, NULL },
	{ "block", block_tests, NEXT, 0, NULL },
	{ "boot", boot_tests, 0, 0, NULL },
	{ "platform", platform_tests, 0, 0, NULL },
	{ "course", balloonctl_course_tests, 0, 0, NULL },
	{ "balloonctl_hypervisor", balloonctl_hypervisor_tests, NEXT, 0, NULL },
	{ "console", console_tests, 0, 0, NULL },
	{ "screen", screen_tests, 0, 0, NULL },
	{ "dump", dump_tests, SLOW, 0, NULL },
	{ "machine", machine_tests, 0, 0, NULL },
	{ "hypervisor", hypervisor_tests, NEXT, 0, NULL },
	{ "hyperv", hyperv_tests, NEXT, 0, NULL },
	{ "hypervisor_xen", hypervisor_xen_tests, NEXT, 0, NULL },
	{ "vmware", vmware_tests, NEXT, 0, NULL },
	{ "replacement", replacement_tests, 0, 0, NULL },
	{ "run_script", run_script_tests, 0, 0, NULL },
	{ "run_script_memory", run_script_memory_tests, 0, 0, NULL },
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

/* The group whose process this is; NULL: a stranger, which process 1 is left with. */
static struct group *find_group(pid_t pid)
{
	for (size_t i = 0; i < NR_GROUPS; i++)
		if (groups[i].pid == pid)
			return &groups[i];
	return NULL;
}

/* Waits until one of the groups has ended; returns whether all of it passed. */
static bool finish_one(void)
{
	struct group *group = NULL;
	int status;
	pid_t pid;

	while (!group) {
		pid = wait(&status);
		if (pid > 0)
			group = find_group(pid);
		else if (errno != EINTR) {
			perror("wait for a group");
			exit(1);
		}
	}
	group->pid = 0;
	print_output(group);
	if (WIFSIGNALED(status))
		printf("the group %s was ended by signal %d (%s)\n[  FAILED  ] %s\n", group->name,
		       WTERMSIG(status), strsignal(WTERMSIG(status)), group->name);
	return status == 0;
}

/* At a time: one where nobody knows. */
static unsigned room(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (processors < 1)
		return 1;
	return processors > AT_A_TIME_MAX ? AT_A_TIME_MAX : (unsigned)processors;
}

static bool run_groups(unsigned kind)
{
	unsigned running = 0, most = room();
	bool passed = true;

	for (size_t i = 0; i < NR_GROUPS; i++) {
		if (kind && !(groups[i].kinds & kind))
			continue;
		if (running == most) {
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

/* What a shell's background jobs or nohup(1) ignore would be ignored by all that is tested. */
static void forget_ignored_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
}

/* False: one failed, or there was none. */
static bool run_like(const char *pattern)
{
	unsigned before = *harness_tests_run;
	bool passed;

	cmocka_set_test_filter(pattern);
	passed = run_groups(0);
	if (*harness_tests_run > before)
		return passed;
	fprintf(stderr, "no test has a name like '%s'\n", pattern);
	return false;
}

int main(int argc, char **argv)
{
	unsigned kind = 0;
	bool passed = true;

	if (argc > 1 && strcmp(argv[1], "--slow") == 0)
		kind = SLOW;
	else if (argc > 1 && strcmp(argv[1], "--next") == 0)
		kind = NEXT;
	forget_ignored_signals();
	harness_tests_run = mmap(NULL, sizeof(*harness_tests_run), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (harness_tests_run == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	if (kind || argc < 2)
		return !run_groups(kind);
	for (int i = 1; i < argc; i++)
		passed &= run_like(argv[i]);
	return !passed;
}
