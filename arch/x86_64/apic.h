/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC of the one processor (Intel SDM volume 3, 11.4): where messages and
 * the I/O APICs' interrupts go to, and a timer.
 */
#ifndef ARCH_X86_64_APIC_H
#define ARCH_X86_64_APIC_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Turns it on, as a wire for the 8259's interrupts if there is one (`wire`), with its
 * timer silent, whatever the firmware left. False: the processor has none; nothing else
 * here may be called then.
 */
bool apic_start(bool wire);

/* Returns its number, to which messages are addressed. */
uint32_t apic_id(void);

/* Tells it that an interrupt which came through it has been handled. */
void apic_end_interrupt(void);

/* ---- The timer, which counts down, by one every APIC_TIMER_DIVISOR of its clocks ---- */

#define APIC_TIMER_DIVISOR 16

/* Lets it count down from its highest value, without an interrupt. */
void apic_timer_run(void);

/* Returns how far it has counted since then. */
uint32_t apic_timer_read(void);

/* Has it interrupt once, by VECTOR_TIMER, when it has counted so far; 0: never. */
void apic_timer_set(uint32_t counts);

/*
 * Have the processor interrupt by that vector when its time stamp counter is that far,
 * or at once if it is farther; 0: never. Only where CPUID tells of the mode.
 */
bool apic_timer_has_deadline(void);
void apic_timer_use_deadline(void);
void apic_timer_set_deadline(uint64_t tsc);

#endif
