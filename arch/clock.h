/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time. clock_ns() runs on the time stamp counter, whose rate clock_init()
 * measures against the 8254 timer; the tick comes from the same timer.
 */
#ifndef ARCH_CLOCK_H
#define ARCH_CLOCK_H

#include <stdint.h>

#define TICK_HZ 100

/*
 * Starts the clock and the tick; takes one millisecond. From now on `tick` is
 * called TICK_HZ times a second, with interrupts off. After irq_init().
 */
void clock_init(void (*tick)(void));

/* Returns nanoseconds since clock_init(), 0 before it. Never goes back. */
uint64_t clock_ns(void);

/* Returns how many ticks there were since clock_init(). */
uint64_t clock_jiffies(void);

/* Returns the rate of the time stamp counter in Hz, as measured; 0 before clock_init(). */
uint64_t clock_tsc_hz(void);

#endif
