/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time, on the time stamp counter, and an alarm. Nothing ticks by itself: whoever wants
 * to be called sets the alarm, so that a machine that has nothing to do sleeps.
 *
 * There are two clocks. clock_ns() is what people and the host mean by time. What
 * judges a device counts clock_awake_ns(): a guest that was stopped for an hour has
 * given its devices no hour to answer. Moments of the one are never compared with those
 * of the other; names of the latter end in `_awake`.
 */
#ifndef ARCH_CLOCK_H
#define ARCH_CLOCK_H

#include <stdint.h>

#include "kernel/lib/types.h"

/* Jiffies in a second. While any task runs, the scheduler looks at the clock so often. */
#define TICK_HZ 100

/* What tables say of the machine's other counters; all zero where there are no tables. */
struct clock_references {
	uint16_t pm_timer_port; /* 0: there is none */
	unsigned pm_timer_bits; /* 24 or 32 */
	paddr_t hpet;		/* 0: there is none */
};

/*
 * Starts the clock; takes a millisecond where the counter's rate must be measured. From
 * now on `alarm` is called, with interrupts off, when the alarm is due, and perhaps
 * without need: so look at the clock. After irq_init(), and after the machine's I/O APICs
 * are known.
 */
void clock_init(const struct clock_references *references, void (*alarm)(void));

/*
 * Sets the only alarm to a moment of clock_ns(), in place of the one before;
 * DEADLINE_NEVER: none. A moment that has passed is due at once. From any context.
 */
void clock_set_alarm(uint64_t time);

/* Returns nanoseconds since clock_init(), 0 before it. Never goes back; from any context. */
uint64_t clock_ns(void);

/* However long the guest was not seen to run between two looks, no more of it is counted. */
#define CLOCK_AWAKE_STEP_NS UINT64_C(20000000)

/*
 * Returns how many of these nanoseconds the guest was seen to run: of those between two
 * looks at a clock, this or the other, at most CLOCK_AWAKE_STEP_NS. While a task runs the
 * scheduler looks, every tick; a processor that sleeps until the next deadline does not,
 * and what it sleeps beyond a step is not counted, whether it was its own choice or the
 * host's. So whoever waits by this clock wants to be woken at least every step: then all
 * of its wait counts, however idle the guest is, and of a stop only one step. Never goes
 * back; from any context.
 */
uint64_t clock_awake_ns(void);

/* Whoever looks again after this misses no time awake, even if nothing else ever looks. */
#define CLOCK_AWAKE_LOOK_NS (CLOCK_AWAKE_STEP_NS / 2)

/* Returns how many jiffies have passed since clock_init(). */
uint64_t clock_jiffies(void);

/* The clock, for people. */
struct clock_description {
	uint64_t tsc_hz;      /* the rate of the time stamp counter */
	const char *rate_by;  /* who told it */
	const char *alarm_by; /* what makes the alarm */
	uint64_t rings;	      /* alarms so far */
};

/* Describes it. After clock_init(). */
void clock_describe(struct clock_description *description);

#endif
