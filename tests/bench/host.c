/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's own figures: see host.h for the contract. */
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/host.h"

#define WATCH_US 500

static double seconds(clockid_t clock)
{
	struct timespec t = { 0 };

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double host_now(void)
{
	return seconds(CLOCK_REALTIME);
}

/* Gives the sum of all numbers that follow `name` in the text. */
static uint64_t sum_of(const char *text, const char *name)
{
	uint64_t sum = 0;

	for (const char *at = strstr(text, name); at; at = strstr(at, name)) {
		at += strlen(name);
		sum += strtoull(at, NULL, 10);
	}
	return sum;
}

uint64_t host_free_memory(void)
{
	char text[64 * 1024];
	int fd = open("/proc/zoneinfo", O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 1;

	while (fd >= 0 && n > 0 && len < sizeof(text) - 1) {
		n = read(fd, text + len, sizeof(text) - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (fd < 0 || n != 0) {
		fprintf(stderr, "/proc/zoneinfo cannot be read: %m\n");
		exit(1);
	}
	close(fd);
	text[len] = '\0';
	/* "count" is that of one processor's list, in "pagesets". */
	return (sum_of(text, " nr_free_pages ") + sum_of(text, " count: ")) *
	       (uint64_t)sysconf(_SC_PAGESIZE);
}

double host_cpu_seconds(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) ? NAN : seconds(clock);
}

static FILE *open_proc(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return fopen(path, "re");
}

/* Reads on to the line "@field  N kB". */
static uint64_t read_field(FILE *file, const char *field)
{
	char line[512];
	uint64_t kib;

	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, field, strlen(field)) &&
		    sscanf(line + strlen(field), "%" SCNu64, &kib) == 1)
			return kib * 1024;
	return 0;
}

uint64_t host_memory_of(pid_t pid, const char *field)
{
	FILE *file = open_proc(pid, "smaps_rollup");
	uint64_t bytes = file ? read_field(file, field) : 0;

	if (file)
		fclose(file);
	return bytes;
}

uint64_t host_mapping_rss(pid_t pid, uint64_t size)
{
	FILE *file = open_proc(pid, "smaps");
	uint64_t bytes = 0, found;

	if (!file)
		return 0;
	while ((found = read_field(file, "Size:")) != 0 && found != size)
		;
	if (found == size)
		bytes = read_field(file, "Rss:");
	fclose(file);
	return bytes;
}

static void *watch(void *arg)
{
	struct host_watch *w = arg;

	while (!w->stop && host_free_memory() < w->wanted)
		usleep(WATCH_US);
	if (host_free_memory() >= w->wanted)
		w->when = host_now();
	return NULL;
}

int host_watch_start(struct host_watch *w, uint64_t bytes)
{
	memset(w, 0, sizeof(*w));
	w->start = host_free_memory();
	w->wanted = w->start + bytes;
	w->when = INFINITY;
	return -pthread_create(&w->thread, NULL, watch, w);
}

void host_watch_stop(struct host_watch *w)
{
	w->stop = true;
	pthread_join(w->thread, NULL);
}
