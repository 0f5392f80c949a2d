/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloon_report.c: the figures of the balloon benchmark, the goals, and their
 * tables: Markdown for people, JSON for programs.
 */
#ifndef TESTS_BENCH_BALLOON_REPORT_H
#define TESTS_BENCH_BALLOON_REPORT_H

#include "tests/bench/circumstances.h"
#include "tests/bench/samples.h"
#include "tests/bench/subject.h"

enum metric {
	READY,	   /* ms */
	INFLATE,   /* GiB/s */
	DEFLATE,   /* GiB/s */
	HOST_BACK, /* ms until the host has 99 % of the balloon free */
	BACK_FREE, /* share of the balloon, when it has reached its target */
	BACK_BLOCKS,
	BACK_HUGETLB,
	IDLE,	  /* MiB */
	IDLE_RAM, /* MiB */
	STEP_MEDIAN,
	STEP_P99,
	WRITES, /* per GiB */
	CPU,	/* seconds per GiB inflated */
	CPU_DEFLATE,
	METRICS,
};

/* Several samples of each; none where a metric makes no sense. */
struct results {
	struct samples of[METRICS][SUBJECTS];
};

struct balloon_circumstances {
	struct circumstances common;
	const char *qemu;
	char linux_version[64]; /* of the guest */
	unsigned int rounds;
	double huge_share; /* of RAM, on transparent huge pages: the least seen */
};

/* Prints the figures, medians of the rounds, beside the goals, as Markdown. */
void balloon_report_text(const struct results *r, const struct balloon_circumstances *c);

/* Prints the figures and the goals as one JSON object. */
void balloon_report_json(const struct results *r, const struct balloon_circumstances *c);

#endif
