/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables that the processor reads: segments, the task state with the stack
 * for exceptions, and the gates that lead to vectors.S (Intel SDM volume 3,
 * chapters 3, 6 and 7).
 */
#include "arch/cpu.h"
#include "arch/x86_64/entry.h"

#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_TSS 0x18

#define DESCRIPTOR_CODE64 UINT64_C(0x00af9b000000ffff)
#define DESCRIPTOR_DATA UINT64_C(0x00cf93000000ffff)
#define DESCRIPTOR_TSS UINT64_C(0x0000890000000000) /* available, 64 bits */
#define GATE_INTERRUPT 0x8e			    /* present, interrupts off on entry */

/*
 * Exceptions have a stack of their own: the one in use may be the cause. Not page faults, in which
 * a task may sleep; if its stack is the cause, a double fault follows.
 */
#define TRAP_STACK 1
#define TRAP_STACK_SIZE 8192

struct gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t stack;
	uint8_t type;
	uint16_t offset_middle;
	uint32_t offset_high;
	uint32_t reserved;
};

_Static_assert(sizeof(struct gate) == 16, "Intel SDM volume 3, 6.14.1");

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map;
} __attribute__((packed));

_Static_assert(sizeof(struct tss) == 104, "Intel SDM volume 3, 7.7");

static struct gate idt[VECTORS];
static uint64_t gdt[5]; /* the TSS takes two */
static struct tss tss;
static uint8_t trap_stack[TRAP_STACK_SIZE] __attribute__((aligned(16)));

static void load_gdt(void)
{
	struct table_pointer pointer = { sizeof(gdt) - 1, (uintptr_t)gdt };
	uint64_t base = (uintptr_t)&tss;

	tss.ist[TRAP_STACK - 1] = (uintptr_t)trap_stack + sizeof(trap_stack);
	tss.io_map = sizeof(tss);
	gdt[SELECTOR_CODE / 8] = DESCRIPTOR_CODE64;
	gdt[SELECTOR_DATA / 8] = DESCRIPTOR_DATA;
	gdt[SELECTOR_TSS / 8] = DESCRIPTOR_TSS | (sizeof(tss) - 1) | (base & 0xffffff) << 16 |
				(base >> 24 & 0xff) << 56;
	gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
	/* The selectors are those of the boot table: nothing to reload but TR. */
	__asm__ volatile("lgdt %0" : : "m"(pointer));
	__asm__ volatile("ltr %w0" : : "r"(SELECTOR_TSS));
}

static void load_idt(void)
{
	struct table_pointer pointer = { sizeof(idt) - 1, (uintptr_t)idt };

	for (unsigned v = 0; v < VECTORS; v++)
		idt[v] = (struct gate){
			.offset_low = (uint16_t)trap_entries[v],
			.offset_middle = (uint16_t)(trap_entries[v] >> 16),
			.offset_high = (uint32_t)(trap_entries[v] >> 32),
			.selector = SELECTOR_CODE,
			.stack = v < VECTOR_IRQ && v != VECTOR_PAGE_FAULT ? TRAP_STACK : 0,
			.type = GATE_INTERRUPT,
		};
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

void cpu_init(void)
{
	load_gdt();
	load_idt();
}
