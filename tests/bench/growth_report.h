/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * growth_report.c: the figures of the growth benchmark, the goals, and their table:
 * Markdown for people, JSON for programs.
 */
#ifndef TESTS_BENCH_GROWTH_REPORT_H
#define TESTS_BENCH_GROWTH_REPORT_H

#include "tests/bench/circumstances.h"
#include "tests/bench/growth_guest.h"
#include "tests/bench/samples.h"

enum growth_metric {
	PLUG,	      /* ms */
	UNPLUG,	      /* ms */
	UNPLUG_BACK,  /* ms until the host has 99 % of it free */
	EVERY_SECOND, /* ms */
	BALLOONED,    /* ms */
	MOVED_OUT,    /* ms, the balloon being in what leaves */
	NO_FREE,      /* of 100 */
	BOOT,	      /* ms more than with a device of one block */
	BOOT_MEMORY,  /* MiB more than without */
	GROWTH_METRICS,
};

/* Several samples of each; none where a metric makes no sense. */
struct growth_results {
	struct samples of[GROWTH_METRICS][GROWTH_KINDS];
};

struct growth_circumstances {
	struct circumstances common;
	char qemu[128];
	char linux_version[64]; /* of the guest; "" without one */
	unsigned rounds;
};

/* Gives what it measures, for people. */
const char *growth_metric_title(enum growth_metric metric);

/* Print the medians of the rounds beside the goals: as Markdown, or as one JSON object. */
void growth_report_text(const struct growth_results *r, const struct growth_circumstances *c);
void growth_report_json(const struct growth_results *r, const struct growth_circumstances *c);

#endif
