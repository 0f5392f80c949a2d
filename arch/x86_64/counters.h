/* SPDX-License-Identifier: BSD-2-Clause */
/* The counters of a machine that the time stamp counter can be measured against. */
#ifndef ARCH_X86_64_COUNTERS_H
#define ARCH_X86_64_COUNTERS_H

#include "arch/clock.h"
#include "arch/x86_64/tsc_measure.h"

/* Channel 2 of the 8254 timer, which makes no interrupts. It may not be there. */
extern const struct tsc_counter counter_pit;

/* Fill in the counters that ACPI names. False: there is none. */
bool counter_find_pm_timer(const struct clock_references *references, struct tsc_counter *counter);
bool counter_find_hpet(const struct clock_references *references, struct tsc_counter *counter);

/* Stops channel 0 of the 8254, with which firmware makes ticks; harmless where there is none. */
void counter_stop_pit(void);

/* Has that channel interrupt TICK_HZ times a second, by IRQ_TIMER. */
void counter_start_pit_tick(void);

#endif
