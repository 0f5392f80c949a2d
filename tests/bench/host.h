/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures of the host: its free memory, the cost of a process, and a watcher that
 * notes when free memory has grown.
 */
#ifndef TESTS_BENCH_HOST_H
#define TESTS_BENCH_HOST_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Returns seconds of CLOCK_REALTIME, the clock of QEMU's trace. */
double host_now(void);

/*
 * Returns free memory in bytes: MemFree, and the lists that each processor keeps
 * for its next allocations, which MemFree leaves out. There may be a gigabyte on
 * them after a balloon was inflated.
 */
uint64_t host_free_memory(void);

/* Returns the processor seconds of a process, all its threads together. */
double host_cpu_seconds(pid_t pid);

/* Returns a field of /proc/PID/smaps_rollup, as "Pss:", in bytes; 0 without it. */
uint64_t host_memory_of(pid_t pid, const char *field);

/* Returns the resident bytes of the first mapping of exactly `size` bytes: a guest's RAM. */
uint64_t host_mapping_rss(pid_t pid, uint64_t size);

/* A watcher in a thread of its own, so that nothing is missed while others wait for QEMU. */
struct host_watch {
	pthread_t thread;
	uint64_t start, wanted; /* free memory, bytes */
	double when;		/* when it was `wanted`; INFINITY: never */
	volatile bool stop;
};

/*
 * Start to watch until free memory has grown by `bytes`, and stop. A negative
 * errno: the thread could not be created.
 */
int host_watch_start(struct host_watch *w, uint64_t bytes);
void host_watch_stop(struct host_watch *w);

#endif
