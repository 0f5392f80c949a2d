/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time. clock_ns() runs on the time stamp counter, whose rate clock_init()
 * measures against the 8254 timer; the tick comes from the same timer.
 */
#ifndef ARCH_CLOCK_H
#define ARCH_CLOCK_H

#include <stdint.h>

#define TICK_HZ 100

/* Starts both; takes one millisecond. `tick` runs with interrupts off. */
void clock_init(void (*tick)(void));

/* Nanoseconds since clock_init(); 0 before. Never goes back. */
uint64_t clock_ns(void);

/* Ticks since clock_init(). */
uint64_t clock_jiffies(void);

/* What was measured, in Hz. */
uint64_t clock_tsc_hz(void);

#endif
