/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host.c: the host's own figures: its free memory, what a process costs it,
 * and a watcher that notes when free memory has grown.
 */
#ifndef TESTS_BENCH_HOST_H
#define TESTS_BENCH_HOST_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Gives the seconds of CLOCK_REALTIME, which QEMU's trace has, too. */
double host_now(void);

/*
 * Gives free memory in bytes: MemFree, and the pages that each processor keeps on a
 * list for its next allocations, which MemFree leaves out: a gigabyte was seen
 * there after a balloon was inflated.
 */
uint64_t host_free_memory(void);

/* Gives the processor seconds that a process has used, all its threads together. */
double host_cpu_seconds(pid_t pid);

/* Reads a field of /proc/PID/smaps_rollup, as "Pss:", in bytes; 0 if it is not there. */
uint64_t host_memory_of(pid_t pid, const char *field);

/* Gives the bytes that are in memory of the first mapping of just this size: the guest's RAM. */
uint64_t host_mapping_rss(pid_t pid, uint64_t size);

/* Watches from another thread, so that nothing is missed while QEMU is waited for. */
struct host_watch {
	pthread_t thread;
	uint64_t start, wanted; /* free memory, bytes */
	double when;		/* when it was `wanted`; INFINITY: never */
	volatile bool stop;
};

/*
 * Starts a thread that watches until free memory has grown by `bytes`, or until it is
 * stopped. Returns 0 or a negative errno, as pthread_create(3) gives it.
 */
int host_watch_start(struct host_watch *w, uint64_t bytes);

/* Ends the thread; `when` is final then. */
void host_watch_stop(struct host_watch *w);

#endif
