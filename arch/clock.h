/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time, on the time stamp counter, whose rate clock_init() measures against the 8254
 * timer; the tick comes from the same timer.
 *
 * There are two clocks. clock_ns() is what people and the host mean by time. What
 * judges a device counts clock_awake_ns(): a guest that was stopped for an hour has
 * given its devices no hour to answer. Moments of the one are never compared with those
 * of the other; names of the latter end in `_awake`.
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

/* Returns nanoseconds since clock_init(), 0 before it. Never goes back; from any context. */
uint64_t clock_ns(void);

/* However long the guest was not seen to run between two looks, no more of it is counted. */
#define CLOCK_AWAKE_STEP_NS UINT64_C(20000000)

/*
 * Returns how many of these nanoseconds the guest was seen to run: of those between two
 * looks at a clock, this or the other, at most CLOCK_AWAKE_STEP_NS. So whoever waits by it
 * looks at least that often. Never goes back; from any context.
 */
uint64_t clock_awake_ns(void);

/* Returns how many ticks there were since clock_init(). */
uint64_t clock_jiffies(void);

/* Returns the rate of the time stamp counter in Hz, as measured; 0 before clock_init(). */
uint64_t clock_tsc_hz(void);

#endif
