/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the soak's jobs, a process each, and tells what came of them. To be run from
 * the project's root:
 *
 *	run [--each] STOPS TARGETS WAITS QEMU...
 *
 * STOPS that count, spread over the kinds of waits whose name matches WAITS (with * and
 * ?) and all QEMUs, then TARGETS, spread over the QEMUs. Exit status: 0 if all were done
 * and nothing was lost. With --each STOPS is for one kind with one QEMU.
 */
#include "tests/soak/soak.h"

#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/deadline.h"

#define QEMUS_MAX 4
#define WAITS_MAX 16

struct job {
	const char *qemu;
	char version[16];	 /* "10" */
	const struct wait *wait; /* NULL: targets and moves */
	struct tally *tally;
};

static struct job *jobs;
static size_t job_count;

/* ---- The jobs ---- */

static void read_version(const char *qemu, char version[16])
{
	char command[512], line[256] = "";
	FILE *pipe;

	snprintf(command, sizeof(command), "'%s' --version", qemu);
	pipe = popen(command, "re");
	if (!pipe || !fgets(line, sizeof(line), pipe) ||
	    sscanf(line, "QEMU emulator version %15[0-9]", version) != 1) {
		fprintf(stderr, "%s says no version\n", qemu);
		exit(1);
	}
	pclose(pipe);
}

/* The share of one of `count`: the first get what is left over. */
static unsigned share(unsigned total, size_t count, size_t number)
{
	return total / (unsigned)count + (number < total % count);
}

static void add_job(const char *qemu, const struct wait *wait, unsigned wanted)
{
	struct job *job = &jobs[job_count];
	struct tally *tallies = jobs[0].tally;

	job->qemu = qemu;
	job->wait = wait;
	job->tally = &tallies[job_count++];
	job->tally->wanted = wanted;
	read_version(qemu, job->version);
}

/* Whether one of the words is a pattern for `name`. */
static bool is_like(const char *name, const char *words)
{
	char *copy = strdup(words), *rest = copy, *word;
	bool like = false;

	if (!copy)
		abort();
	while (!like && (word = strsep(&rest, " ")))
		like = fnmatch(word, name, 0) == 0;
	free(copy);
	return like;
}

/* The waits whose name matches; returns how many. */
static size_t choose_waits(const char *patterns, const struct wait *chosen[])
{
	size_t count = 0;

	for (size_t i = 0; i < wait_count; i++)
		if (is_like(waits[i].name, patterns))
			chosen[count++] = &waits[i];
	if (count == 0) {
		fprintf(stderr, "no kind of wait has a name like '%s'\n", patterns);
		exit(1);
	}
	return count;
}

static void make_jobs(bool each, unsigned stops, unsigned targets, const char *patterns,
		      char **qemus, size_t count)
{
	const struct wait *chosen[WAITS_MAX];
	size_t kinds = choose_waits(patterns, chosen), max = count * (kinds + 1);

	jobs = calloc(max, sizeof(jobs[0]));
	if (!jobs)
		abort();
	jobs[0].tally = mmap(NULL, max * sizeof(struct tally), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (jobs[0].tally == MAP_FAILED)
		abort();
	for (size_t w = 0; w < kinds; w++)
		for (size_t q = 0; q < count; q++)
			add_job(qemus[q], chosen[w],
				each ? stops : share(stops, kinds * count, w * count + q));
	for (size_t q = 0; q < count; q++)
		add_job(qemus[q], NULL, share(targets, count, q));
}

static void work(const struct job *job, pid_t parent)
{
	char name[64];

	/* SIGTERM is what vm.c takes its QEMU along with. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		exit(1);
	snprintf(name, sizeof(name), "%s-%s", job->wait ? job->wait->name : "moves", job->version);
	setenv("QEMU", job->qemu, 1);
	srandom((unsigned)getpid());
	if (job->wait)
		stop_run(job->wait, name, job->tally);
	else
		move_run(name, job->tally);
	exit(0);
}

/* All stops at a time, as guests that stand still cost nothing; or all targets. */
static void run_all(bool stops)
{
	pid_t parent = getpid();
	int status;

	fflush(NULL);
	for (size_t i = 0; i < job_count; i++) {
		pid_t pid;

		if (!jobs[i].wait == stops || jobs[i].tally->wanted == 0)
			continue;
		pid = fork();
		if (pid == 0)
			work(&jobs[i], parent);
		if (pid < 0)
			perror("fork");
	}
	while (wait(&status) > 0)
		if (status != 0)
			fprintf(stderr, "a job ended in the middle of its work\n");
}

/* ---- What came of them ---- */

static bool is_good(const struct job *job)
{
	return job->tally->counted == job->tally->wanted && job->tally->lost == 0 &&
	       (job->tally->wanted == 0 || job->tally->ended);
}

static void tell_why(const struct job *job)
{
	if (!is_good(job))
		printf("soak: %s, the last of it: %s\n", job->version,
		       job->tally->why[0] != '\0' ? job->tally->why : "not run to its end");
}

/* Of all jobs of a kind. */
struct sum {
	unsigned wanted, counted, attempts, lost;
};

static void add_up(struct sum *sum, const struct tally *t)
{
	sum->wanted += t->wanted;
	sum->counted += t->counted;
	sum->attempts += t->attempts;
	sum->lost += t->lost;
}

static void tell_stops(struct sum *sum)
{
	for (size_t i = 0; i < job_count; i++) {
		const struct tally *t = jobs[i].tally;

		if (!jobs[i].wait || t->wanted == 0)
			continue;
		tell_why(&jobs[i]);
		printf("soak: QEMU %s, %s: %u of %u stops with a request in flight, of %u tries; "
		       "%u lost\n",
		       jobs[i].version, jobs[i].wait->name, t->counted, t->wanted, t->attempts,
		       t->lost);
		add_up(sum, t);
	}
}

static void tell_targets(struct sum *sum)
{
	for (size_t i = 0; i < job_count; i++) {
		const struct tally *t = jobs[i].tally;

		if (jobs[i].wait || t->wanted == 0)
			continue;
		tell_why(&jobs[i]);
		printf("soak: QEMU %s: %u of %u random targets, %u running moves among them; "
		       "%u lost\n",
		       jobs[i].version, t->counted, t->wanted, t->moves, t->lost);
		add_up(sum, t);
	}
}

/* The last line has all of it. */
static void tell_sum(bool good, int64_t start)
{
	struct sum stops = { 0 }, targets = { 0 };

	tell_stops(&stops);
	tell_targets(&targets);
	printf("soak: %u of %u stops of 2.1 s counted, of %u tries, %u lost; ", stops.counted,
	       stops.wanted, stops.attempts, stops.lost);
	if (targets.wanted > 0)
		printf("%u of %u targets reached, %u lost; ", targets.counted, targets.wanted,
		       targets.lost);
	printf("%s in %d s\n", good ? "passed" : "FAILED", (int)((deadline_now() - start) / 1000));
}

int main(int argc, char **argv)
{
	bool each = argc > 1 && strcmp(argv[1], "--each") == 0;
	const char *build = getenv("BUILD");
	int64_t start = deadline_now();
	bool good = true;
	char folder[256];

	argv += 1 + each;
	argc -= 1 + each;
	if (argc < 4 || argc - 3 > QEMUS_MAX) {
		fprintf(stderr, "usage: run [--each] STOPS TARGETS WAITS QEMU...\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	snprintf(folder, sizeof(folder), "%s/log", build ? build : "build");
	mkdir(folder, 0777);
	turn_prepare();
	wait_prepare();
	make_jobs(each, (unsigned)atoi(argv[0]), (unsigned)atoi(argv[1]), argv[2], argv + 3,
		  (size_t)argc - 3);
	run_all(true);
	run_all(false);
	for (size_t i = 0; i < job_count; i++)
		good = good && is_good(&jobs[i]);
	tell_sum(good, start);
	return !good;
}
