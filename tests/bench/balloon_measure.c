/* SPDX-License-Identifier: BSD-2-Clause */
/* The measurements of the balloon benchmark: see balloon_measure.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/bench/balloon_measure.h"
#include "tests/bench/host.h"
#include "tools/qmp.h"

#define STEPS 200 /* target changes of STEP_BYTES */
#define STEP_BYTES (1ull << 20)
#define PAUSE_US 10000	 /* between two of them */
#define SETTLE_US 300000 /* from ready to the first target: less than reporting's delay */
#define IDLE_US 3000000	 /* until a guest counts as idle: more than that */
#define LATE_MS 500	 /* for memory that comes back after the balloon is there */
#define BACK_SHARE 0.99	 /* of the balloon: free memory is everybody's */

struct results balloon_results;
char balloon_qemu[128];
double balloon_huge_share = 1;

static void record(enum metric metric, enum subject subject, double value)
{
	if (!isnan(value))
		samples_add(&balloon_results.of[metric][subject], value);
}

/* ---- Start and idleness ---- */

/* The device alone does not boot: its column has the least that does. */
static enum subject booting(enum subject subject)
{
	return subject == DEVICE ? ONE_BYTE : subject;
}

void balloon_measure_boot(enum subject subject)
{
	struct machine m;

	if (subject == DEVICE_RANGES)
		return;
	machine_start(&m, booting(subject), LAZY, NULL);
	record(READY, subject, machine_wait_ready(&m) * 1e3);
	machine_stop(&m);
}

struct cost {
	double all, ram; /* bytes */
};

static struct cost idle_cost(enum subject subject)
{
	struct machine m;
	struct cost cost;

	machine_start(&m, subject, LAZY, NULL);
	if (subject != NO_GUEST)
		machine_wait_ready(&m);
	usleep(IDLE_US);
	cost.all = (double)host_memory_of(vm_pid(m.vm), "Pss:");
	cost.ram = (double)host_mapping_rss(vm_pid(m.vm), GUEST_BYTES);
	machine_stop(&m);
	return cost;
}

static struct cost own_cost;

void balloon_measure_own(void)
{
	own_cost = idle_cost(NO_GUEST);
}

void balloon_measure_idle(enum subject subject)
{
	struct cost cost;

	if (subject == DEVICE_RANGES)
		return;
	cost = idle_cost(booting(subject));
	record(IDLE, subject, (cost.all - own_cost.all) / MIB);
	record(IDLE_RAM, subject, (cost.ram - own_cost.ram) / MIB);
}

/* ---- Work ---- */

static void inflate(struct machine *m, double figures[METRICS])
{
	struct host_watch watch;
	double cpu = host_cpu_seconds(vm_pid(m->vm));
	double start, end;
	unsigned int writes;

	if (host_watch_start(&watch, (uint64_t)(BALLOON_BYTES * BACK_SHARE))) {
		fprintf(stderr, "balloon: no thread to watch free memory\n");
		exit(1);
	}
	start = host_now();
	machine_set_balloon(m, BALLOON_BYTES, &end, &writes);
	figures[CPU] = (host_cpu_seconds(vm_pid(m->vm)) - cpu) / (BALLOON_BYTES / GIB);
	figures[BACK_FREE] = ((double)host_free_memory() - (double)watch.start) / BALLOON_BYTES;
	figures[INFLATE] = BALLOON_BYTES / GIB / (end - start);
	figures[WRITES] = writes / (BALLOON_BYTES / GIB);
	for (int ms = 0; ms < LATE_MS && isinf(watch.when); ms++)
		usleep(1000);
	host_watch_stop(&watch);
	figures[HOST_BACK] = (watch.when - start) * 1e3;
}

/* Until the guest has told the device; without a guest, until QMP answers. */
static double step(struct machine *m, uint64_t taken)
{
	double start = host_now(), end;

	if (!subject_is_device(m->subject)) {
		machine_set_balloon(m, taken, &end, NULL);
		return end - start;
	}
	if (qmp_balloon(vm_qmp(m->vm), GUEST_BYTES - taken)) {
		fprintf(stderr, "balloon: %s\n", qmp_error(vm_qmp(m->vm)));
		exit(1);
	}
	return host_now() - start;
}

static void take_steps(struct machine *m, double figures[METRICS])
{
	struct samples ms = { 0 };

	for (int i = 0; i < STEPS; i++) {
		usleep(PAUSE_US);
		samples_add(&ms, step(m, BALLOON_BYTES - (i % 2 ? 0 : STEP_BYTES)) * 1e3);
	}
	figures[STEP_MEDIAN] = samples_median(&ms);
	figures[STEP_P99] = samples_quantile(&ms, 0.99);
	samples_free(&ms);
}

static void deflate(struct machine *m, double figures[METRICS])
{
	double cpu = host_cpu_seconds(vm_pid(m->vm));
	double start = host_now(), end;

	machine_set_balloon(m, 0, &end, NULL);
	figures[CPU_DEFLATE] = (host_cpu_seconds(vm_pid(m->vm)) - cpu) / (BALLOON_BYTES / GIB);
	figures[DEFLATE] = BALLOON_BYTES / GIB / (end - start);
}

static void note_qemu(struct machine *m)
{
	struct json_object *reply, *version, *part;
	int parts[3] = { 0 };
	static const char *const names[] = { "major", "minor", "micro" };

	if (balloon_qemu[0] || qmp_execute(vm_qmp(m->vm), "query-version", NULL, &reply))
		return;
	if (json_object_object_get_ex(reply, "qemu", &version))
		for (int i = 0; i < 3; i++)
			if (json_object_object_get_ex(version, names[i], &part))
				parts[i] = json_object_get_int(part);
	snprintf(balloon_qemu, sizeof(balloon_qemu), "QEMU %d.%d.%d, %s, TCG", parts[0], parts[1],
		 parts[2], subject_options.machine);
	json_object_put(reply);
}

static void note_huge_pages(const struct machine *m)
{
	double share = (double)host_memory_of(vm_pid(m->vm), "AnonHugePages:") / GUEST_BYTES;

	if (share < balloon_huge_share)
		balloon_huge_share = share;
}

static void work(enum subject subject, const struct lone_way *way, double figures[METRICS])
{
	struct machine m;

	for (enum metric i = 0; i < METRICS; i++)
		figures[i] = NAN;
	machine_start(&m, subject, PREALLOCATED, way);
	if (!way)
		machine_wait_ready(&m);
	usleep(SETTLE_US);
	note_qemu(&m);
	note_huge_pages(&m);
	inflate(&m, figures);
	take_steps(&m, figures);
	deflate(&m, figures);
	machine_stop(&m);
	fprintf(stderr, "  %s%s%s: inflate %.2f GiB/s, deflate %.2f\n", subject_name(subject),
		way ? ", " : "", way ? way->name : "", figures[INFLATE], figures[DEFLATE]);
}

/* The lone device's figures by way, until it is known which is the best. */
static struct samples ways[SUBJECT_WAYS][METRICS][SUBJECTS];

static void measure_ways(enum subject subject)
{
	double figures[METRICS];

	for (int w = 0; w < SUBJECT_WAYS; w++) {
		work(subject, &subject_ways[w], figures);
		for (enum metric i = 0; i < METRICS; i++)
			if (!isnan(figures[i]))
				samples_add(&ways[w][i][subject], figures[i]);
	}
}

void balloon_measure_work(enum subject subject)
{
	double figures[METRICS];

	if (subject_is_device(subject)) {
		measure_ways(subject);
		return;
	}
	work(subject, NULL, figures);
	for (enum metric i = 0; i < METRICS; i++)
		record(i, subject, figures[i]);
}

static int best_way(enum metric speed, enum subject subject)
{
	int best = 0;

	for (int w = 1; w < SUBJECT_WAYS; w++)
		if (samples_median(&ways[w][speed][subject]) >
		    samples_median(&ways[best][speed][subject]))
			best = w;
	return best;
}

void balloon_measure_choose_ways(enum subject subject)
{
	int inflates = best_way(INFLATE, subject), deflates = best_way(DEFLATE, subject);

	for (enum metric i = 0; i < METRICS; i++) {
		bool deflating = i == DEFLATE || i == CPU_DEFLATE;
		const struct samples *s = &ways[deflating ? deflates : inflates][i][subject];

		for (size_t n = 0; n < s->count; n++)
			record(i, subject, s->values[n]);
	}
}

/* ---- Memory files ---- */

static double blocks_of(int fd)
{
	struct stat st = { 0 };

	fstat(fd, &st);
	return (double)st.st_blocks * 512;
}

/* A memory file shows it to the block: nothing else is in it. */
static double share_of_file_back(enum subject subject, enum backing backing)
{
	const struct lone_way *way = subject_is_device(subject) ? &subject_ways[1] : NULL;
	struct machine m;
	double before, after, when;

	machine_start(&m, subject, backing, way);
	if (!way)
		machine_wait_ready(&m);
	usleep(SETTLE_US);
	before = blocks_of(m.ram_fd);
	machine_set_balloon(&m, BALLOON_BYTES, &when, NULL);
	after = blocks_of(m.ram_fd);
	machine_stop(&m);
	return (before - after) / BALLOON_BYTES;
}

void balloon_measure_blocks(enum subject subject)
{
	record(BACK_BLOCKS, subject, share_of_file_back(subject, SHARED));
}

bool balloon_has_huge_pages(void)
{
	FILE *file = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "re");
	unsigned long free_pages = 0;

	if (!file)
		return false;
	if (fscanf(file, "%lu", &free_pages) != 1)
		free_pages = 0;
	fclose(file);
	return free_pages >= GUEST_BYTES >> 21;
}

void balloon_measure_huge_pages(enum subject subject)
{
	record(BACK_HUGETLB, subject, share_of_file_back(subject, HUGETLB));
}
