/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each measurement of the balloon benchmark, of one subject once. Results are
 * added to balloon_results.
 */
#ifndef TESTS_BENCH_BALLOON_MEASURE_H
#define TESTS_BENCH_BALLOON_MEASURE_H

#include <stdbool.h>

#include "tests/bench/balloon_report.h"

extern struct results balloon_results;

/* Measures the time from QEMU's start until the driver is ready. */
void balloon_measure_boot(enum subject subject);

/*
 * Measure QEMU's own memory, and the memory of an idle guest, from which the last
 * measurement of the former is subtracted.
 */
void balloon_measure_own(void);
void balloon_measure_idle(enum subject subject);

/* Measures inflating, small changes and deflating, on memory that is all there. */
void balloon_measure_work(enum subject subject);

/*
 * Chooses, at the end, the best way of the lone device in each direction, by the
 * medians: the best of each round would be luck.
 */
void balloon_measure_choose_ways(enum subject subject);

/* Measure how much of a memory file the host gets back: of small pages, of huge ones. */
void balloon_measure_blocks(enum subject subject);
bool balloon_has_huge_pages(void);
void balloon_measure_huge_pages(enum subject subject);

/* QEMU's name and version, and the least share of RAM that was on huge pages. */
extern char balloon_qemu[128];
extern double balloon_huge_share;

#endif
