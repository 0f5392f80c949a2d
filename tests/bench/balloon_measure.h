/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloon_measure.c: each measurement of the balloon benchmark, of one subject
 * once. What was measured is added to the results.
 */
#ifndef TESTS_BENCH_BALLOON_MEASURE_H
#define TESTS_BENCH_BALLOON_MEASURE_H

#include <stdbool.h>

#include "tests/bench/balloon_report.h"

extern struct results balloon_results;

/* From QEMU's start. */
void balloon_measure_boot(enum subject subject);

/* QEMU's own memory, which the next calls of balloon_measure_idle() subtract. */
void balloon_measure_own(void);
void balloon_measure_idle(enum subject subject);

/* Inflating, small changes, deflating: on memory that is all there. */
void balloon_measure_work(enum subject subject);

/*
 * At the end, for the lone device: the figures are those of its best way in
 * each direction by the medians. The best of each round would be luck.
 */
void balloon_measure_choose_ways(enum subject subject);

/* How much of a memory file goes back to the host: of small pages, of huge ones. */
void balloon_measure_blocks(enum subject subject);
bool balloon_has_huge_pages(void);
void balloon_measure_huge_pages(enum subject subject);

/* What QEMU says that it is, and the least share of RAM that was on huge pages. */
extern char balloon_qemu[128];
extern double balloon_huge_share;

#endif
