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

/* Seconds of CLOCK_REALTIME, which is what QEMU's trace has. */
double host_now(void);

/*
 * Free memory in bytes: MemFree, and what each processor keeps on a list for
 * its next allocations, which MemFree leaves out: a gigabyte was seen there
 * after a balloon was inflated.
 */
uint64_t host_free_memory(void);

/* Processor seconds that a process has used, all its threads together. */
double host_cpu_seconds(pid_t pid);

/* A field of /proc/PID/smaps_rollup, as "Pss:", in bytes; 0 if it is not there. */
uint64_t host_memory_of(pid_t pid, const char *field);

/* Bytes in memory of the first mapping of exactly @size bytes: the guest's RAM. */
uint64_t host_mapping_rss(pid_t pid, uint64_t size);

/* Watches from another thread, so that who waits for QEMU misses nothing. */
struct host_watch {
	pthread_t thread;
	uint64_t start, wanted; /* free memory, bytes */
	double when;		/* when it was @wanted; INFINITY: never */
	volatile bool stop;
};

/* Watch until free memory has grown by @bytes, or for the stop. */
int host_watch_start(struct host_watch *w, uint64_t bytes);
void host_watch_stop(struct host_watch *w);

#endif
