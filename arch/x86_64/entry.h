/* SPDX-License-Identifier: BSD-2-Clause */
/* What the assembly files and the linker script share with C, within arch/x86_64. */
#ifndef ARCH_X86_64_ENTRY_H
#define ARCH_X86_64_ENTRY_H

#include <stdbool.h>

#include "arch/image.h"

#define VECTOR_IRQ 32	   /* of interrupt line 0 */
#define VECTOR_GSI 48	   /* the first one for inputs of I/O APICs */
#define VECTOR_SPURIOUS 63 /* the local APIC's: means nothing */
#define VECTOR_MESSAGE 64  /* of the first message; up to the last vector */
#define VECTORS 80

/* What the entries in vectors.S push, lowest address first. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector;
	uint64_t error; /* 0 where the processor pushes none */
	uint64_t rip, cs, rflags, rsp, ss;
};

_Static_assert(sizeof(struct trap_frame) == 22 * 8, "vectors.S");

/* What lgdt and lidt load. */
struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

/* vectors.S */
extern const uint64_t trap_entries[VECTORS];

/* trap.c and irq.c */
void trap_handle(struct trap_frame *frame);
void irq_handle(unsigned line);
void irq_handle_message(unsigned vector);

/* irq.c: whether a line triggers by level; those that cannot stay as they are */
void irq_set_level(unsigned line, bool level);

/* ioapic.c: the vector VECTOR_GSI + `route` */
void ioapic_handle(unsigned route);

/* boot_pvh.c and boot_efi.c, called by start.S */
_Noreturn void pvh_main(const void *start_info);
_Noreturn void efi_main(const struct boot_info *from_loader);

#endif
