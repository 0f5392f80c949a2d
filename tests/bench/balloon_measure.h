/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloon_measure.c: each measurement of the balloon benchmark, of one subject
 * once, added to the results.
 */
#ifndef TESTS_BENCH_BALLOON_MEASURE_H
#define TESTS_BENCH_BALLOON_MEASURE_H

#include <stdbool.h>

#include "tests/bench/balloon_report.h"

extern struct results balloon_results;

/* Measures the time from QEMU's start until the balloon is ready. */
void balloon_measure_boot(enum subject subject);

/* Measures QEMU's own memory, which the next calls of balloon_measure_idle() subtract. */
void balloon_measure_own(void);

/* Measures the host's memory that an idle guest takes, beyond QEMU's own. */
void balloon_measure_idle(enum subject subject);

/* Measures inflating, small changes and deflating, on memory that is all there. */
void balloon_measure_work(enum subject subject);

/*
 * Chooses the figures of the lone device, when all is measured: those of its best
 * way in each direction by the medians. The best of each round would be luck.
 */
void balloon_measure_choose_ways(enum subject subject);

/* Measures how much of a memory file of small pages goes back to the host. */
void balloon_measure_blocks(enum subject subject);

/* Tells whether the host has free huge pages for balloon_measure_huge_pages(). */
bool balloon_has_huge_pages(void);

/* Measures how much of a memory file of huge pages goes back to the host. */
void balloon_measure_huge_pages(enum subject subject);

/* QEMU's version in its own words, and the least share of RAM that was on huge pages. */
extern char balloon_qemu[128];
extern double balloon_huge_share;

#endif
