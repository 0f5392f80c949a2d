/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Workloads: tasks that touch memory that can be taken back (kernel/vm/vm.h), so that
 * memory pressure is real, and as large as somebody wants it. Each page names itself, and
 * is verified when it comes back from a disk. The same words and seed touch the same pages
 * in the same order, however fast.
 */
#ifndef KERNEL_STRESS_H
#define KERNEL_STRESS_H

#include "kernel/lib/types.h"

struct course;

enum stress_pattern {
	STRESS_SEQUENTIAL, /* all pages once, in order; then they are only held */
	STRESS_LOOP,	   /* all pages in order, again and again */
	STRESS_RANDOM,	   /* all pages once, in order; then any of them, each as likely */
	STRESS_ZIPF,	   /* the same, but the page of rank k is as likely as 1 / k */
};

struct stress_want {
	const struct course *course; /* is played, with the pages that it needs; or NULL */
	uint64_t speed;		     /* with `course`: so many times as fast as it was recorded */
	bool cache;		     /* pages of the cache's disk, not memory of its own */
	bool writes;		     /* with `cache` */
	uint64_t pages;
	uint64_t rate;	 /* touches a second; 0: as many as there can be */
	uint64_t passes; /* after so many times `pages` touches all is only held; 0: never */
	uint64_t limit;	 /* pages in memory at a time; 0: any */
	uint64_t seed;
	enum stress_pattern pattern;
};

/*
 * Starts a workload; stores the number of its task. -EAGAIN: there are too many, or tasks;
 * -EINVAL: more pages than there may be; -EBUSY: another writes the same pages of the cache
 * with another seed, and each would find the other's; -ENODEV, -EROFS: as vm_user_begin() says;
 * -ENOMEM.
 */
int stress_start(const struct stress_want *want, unsigned *task);

/* Tells a workload to end. -ESRCH: there is none with this task. */
int stress_stop(unsigned task);

/* A workload, for people. */
struct stress_info {
	unsigned task;
	struct stress_want want;
	uint64_t touched;
	uint64_t verified; /* pages that came back, and were what had been written */
	uint64_t wrong;
	bool done;	  /* it touches nothing any more */
	uint64_t pass_ns; /* how long the last `pages` touches took; 0: there were not as many */
};

/* Stores the next workload after task `after`, by number; false: there is none. */
bool stress_next(unsigned after, struct stress_info *info);

/* Finds the pattern of a name, or says which there are. -EINVAL. */
int stress_parse_pattern(const char *name, enum stress_pattern *pattern);
const char *stress_pattern_name(enum stress_pattern pattern);

#endif
