/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by C, the assembly files and the linker script, within arch/x86_64. */
#ifndef ARCH_X86_64_ENTRY_H
#define ARCH_X86_64_ENTRY_H

#include <stdbool.h>

#include "arch/image.h"

#define VECTOR_PAGE_FAULT 14
#define VECTOR_IRQ 32	   /* of interrupt line 0 */
#define VECTOR_GSI 48	   /* the first for inputs of I/O APICs */
#define VECTOR_SPURIOUS 63 /* the local APIC's; needs no answer */
#define VECTOR_MESSAGE 64  /* of the first message; up to the timer's */
#define VECTOR_TIMER 80	   /* the local APIC's */
#define VECTORS 81

struct irq_handler;

/* Pushed by the entries in vectors.S, lowest address first. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector;
	uint64_t error; /* 0 where the processor pushes none */
	uint64_t rip, cs, rflags, rsp, ss;
};

_Static_assert(sizeof(struct trap_frame) == 22 * 8, "vectors.S");

/* The operand of lgdt and lidt. */
struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* The addresses of the entries in vectors.S. */
extern const uint64_t trap_entries[VECTORS];

/* Handles any vector, in trap.c; vectors.S calls it. */
void trap_handle(struct trap_frame *frame);

/*
 * Has the page of a touched address brought in, in paging_demand.c; with interrupts on. false: no
 * page may come there.
 */
bool paging_demand_fault(uint64_t vaddr, bool write);

/* Handle the vectors of a line and of a message, in irq.c. */
void irq_handle(unsigned line);
void irq_handle_message(unsigned vector);

/* Adds a handler to a line that devices of a bus may share, and unmasks it, in irq.c. */
void irq_share(unsigned line, struct irq_handler *handler);

/* Tells whether a line is the machine's own, in irq.c: no device of a bus may share it. */
bool irq_is_own(unsigned line);

/* Makes a line trigger by level or by edge, in irq.c; some lines are edges always. */
void irq_set_level(unsigned line, bool level);

/* Tells whether there are 8259s, in irq.c. If not, an I/O APIC has the lines. */
bool irq_has_8259(void);

/* Handles the vector VECTOR_GSI + `route`, in gsi.c. */
void gsi_handle(unsigned route);

/* Handles the vector of the local APIC's timer, in clock.c. */
void clock_handle_alarm(void);

/* Fill a boot_info and call kernel_main(), in boot_pvh.c and boot_efi.c; start.S calls them. */
_Noreturn void pvh_main(const void *start_info);
_Noreturn void efi_main(const struct boot_info *from_loader);

#endif
