/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * growth_measure.c: each measurement of the growth benchmark, of one guest once, added to
 * the results. Aerostat's times are its own: from when it has seen what the host wants to
 * the last frame, as its event "reached" has them. They are checked against QMP, which must
 * have seen all of it in no less time; else the program ends.
 */
#ifndef TESTS_BENCH_GROWTH_MEASURE_H
#define TESTS_BENCH_GROWTH_MEASURE_H

#include "tests/bench/growth_report.h"

extern struct growth_results growth_results;

/* Measures growing by 4 GiB, and giving them back after they were used and freed. */
void growth_measure_all(enum growth_kind kind);

/* Measures giving 2 GiB of 4 back of which every second block is in use; not of Linux. */
void growth_measure_every_second(enum growth_kind kind);

/* Measures giving 2 GiB back beside a balloon of 0.5 GiB; not of the device. */
void growth_measure_ballooned(enum growth_kind kind);

/* Measures how long Aerostat takes for it if the balloon is in what is to go. */
void growth_measure_moved_out(void);

/* Counts how often of 100 times Aerostat grows though not one frame is free. */
void growth_measure_no_free(void);

/* Measures what 1 TiB that is announced costs Aerostat's boot. */
void growth_measure_boot(void);

#endif
