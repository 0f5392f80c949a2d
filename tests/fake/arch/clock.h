/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time for host tests: whoever tests implements it, or takes
 * tests/sim/sim_time.c, where it only moves when told to.
 */
#ifndef ARCH_CLOCK_H
#define ARCH_CLOCK_H

#include <stdint.h>

#define TICK_HZ 100

void clock_init(void (*tick)(void));
uint64_t clock_ns(void);
uint64_t clock_jiffies(void);
uint64_t clock_tsc_hz(void);

#endif
