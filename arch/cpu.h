/* SPDX-License-Identifier: BSD-2-Clause */
/* The processor and the machine around it, as the rest of the kernel sees them. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include "kernel/lib/types.h"

/* Sets up descriptor tables and exception handlers. Before all else in C. */
void cpu_init(void);

/*
 * Waits for an interrupt. Called with interrupts off, so that a wake-up
 * between the caller's last look and the halt is not lost; returns with them
 * off after at least one interrupt was served.
 */
void cpu_idle(void);

/* Eases a busy wait. */
static inline void cpu_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

/* Returns how many bits a usable physical address has: the processor's, at most 47. */
unsigned cpu_physical_bits(void);

/* Tells whether the processor has pages of 1 GiB. */
bool cpu_has_gib_pages(void);

/* Tells whether the processor has a local APIC. */
bool cpu_has_apic(void);

/*
 * Ends QEMU with status (status << 1) | 1, where the machine has an
 * isa-debug-exit device at port 0xf4; returns if it has none, at once where the
 * empty port reads as all ones.
 */
void cpu_debug_exit(uint8_t status);

/* Resets the machine by the keyboard controller and, failing that, a triple fault. */
_Noreturn void cpu_reset(void);

/*
 * Stores the chain of return addresses that begins at the frame pointer
 * `frame`, NULL for the caller's own: at most `max`, innermost first. Returns
 * how many there were; follows pointers only into stacks.
 */
size_t cpu_backtrace(const void *frame, uint64_t *address, size_t max);

/*
 * The symbol that `address` lies in, or NULL; the distance from its start is
 * stored in `offset`.
 */
const char *symbol_find(uint64_t address, uint64_t *offset);

#endif
