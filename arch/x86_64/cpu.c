/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptor tables, processor features, and the ways to stop. */
#include "arch/cpu.h"

#include <string.h>

#include "arch/io.h"
#include "arch/irq.h"
#include "arch/platform.h"
#include "arch/x86_64/entry.h"

#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_TSS 0x18

#define DESCRIPTOR_CODE64 UINT64_C(0x00af9b000000ffff)
#define DESCRIPTOR_DATA UINT64_C(0x00cf93000000ffff)
#define DESCRIPTOR_TSS UINT64_C(0x0000890000000000) /* available, 64 bits */
#define GATE_INTERRUPT 0x8e			    /* present, interrupts off on entry */

/*
 * Exceptions run on a stack of their own: the one that they interrupt may be
 * the reason for them.
 */
#define TRAP_STACK 1
#define TRAP_STACK_SIZE 8192

/* A second or so: each read leaves the guest. */
#define DEBUG_EXIT_READS 1000000

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

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

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
			.stack = v < VECTOR_IRQ ? TRAP_STACK : 0,
			.type = GATE_INTERRUPT,
		};
	__asm__ volatile("lidt %0" : : "m"(pointer));
}

void cpu_init(void)
{
	load_gdt();
	load_idt();
}

void cpu_idle(void)
{
	/* STI takes effect behind the next instruction: nothing comes between. */
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

static void cpuid(uint32_t leaf, uint32_t out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(0));
}

#define CPUID_FEATURES 1
#define CPUID_EDX_APIC (1u << 9)
#define CPUID_EXTENDED 0x80000000
#define CPUID_EXTENDED_FEATURES 0x80000001
#define CPUID_ADDRESS_SIZES 0x80000008
/* Physical addresses are virtual ones, in the lower half of four levels of tables. */
#define IDENTITY_BITS 47

#define CPUID_EDX_GIB_PAGES (1u << 26)

/* A leaf of the extended range; all zero if the processor has it not. */
static void cpuid_extended(uint32_t leaf, uint32_t out[4])
{
	cpuid(CPUID_EXTENDED, out);
	if (out[0] >= leaf)
		cpuid(leaf, out);
	else
		memset(out, 0, 4 * sizeof(out[0]));
}

unsigned cpu_physical_bits(void)
{
	uint32_t out[4];
	unsigned bits;

	cpuid_extended(CPUID_ADDRESS_SIZES, out);
	bits = out[0] & 0xff ? out[0] & 0xff : 36;
	return bits < IDENTITY_BITS ? bits : IDENTITY_BITS;
}

bool cpu_has_gib_pages(void)
{
	uint32_t out[4];

	cpuid_extended(CPUID_EXTENDED_FEATURES, out);
	return out[3] & CPUID_EDX_GIB_PAGES;
}

bool cpu_has_apic(void)
{
	uint32_t out[4];

	cpuid(CPUID_FEATURES, out);
	return out[3] & CPUID_EDX_APIC;
}

/*
 * A newer QEMU (10.0) lets the processor run on until its main loop gets to the
 * end: what the guest does meanwhile would be seen. Where there is no device,
 * the port reads as all ones.
 */
void cpu_debug_exit(uint8_t status)
{
	io_write32(PORT_DEBUG_EXIT, status);
	for (unsigned i = 0; i < DEBUG_EXIT_READS; i++)
		if (io_read8(PORT_DEBUG_EXIT) == UINT8_MAX)
			break;
}

void cpu_reset(void)
{
	struct table_pointer none = { 0, 0 };

	irq_disable();
	io_write8(PORT_KEYBOARD_COMMAND, KEYBOARD_PULSE_RESET);
	__asm__ volatile("lidt %0; int3" : : "m"(none));
	cpu_halt();
}

void cpu_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}
