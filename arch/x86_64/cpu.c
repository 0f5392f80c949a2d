/* SPDX-License-Identifier: BSD-2-Clause */
/* Features of the processor, waiting, and the ways to stop. */
#include "arch/cpu.h"

#include <string.h>

#include "arch/io.h"
#include "arch/irq.h"
#include "arch/platform.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/entry.h"
#include "arch/x86_64/tsc.h"

/* A second or so, whatever a read costs, which leaves the guest. The clock may not run yet. */
#define DEBUG_EXIT_READS 1000000
#define DEBUG_EXIT_TSC (UINT64_C(1) << 32)

void cpu_idle(void)
{
	/* STI takes effect after the next instruction: no interrupt comes between. */
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

#define CPUID_FEATURES 1
#define CPUID_EDX_APIC (1u << 9)
#define CPUID_EXTENDED 0x80000000
#define CPUID_EXTENDED_FEATURES 0x80000001
#define CPUID_ADDRESS_SIZES 0x80000008
/* Physical memory is mapped where it is, in the lower half of four levels of tables. */
#define IDENTITY_BITS 47

#define CPUID_EDX_GIB_PAGES (1u << 26)

/* Reads a leaf of the extended range; all zero if the processor does not have it. */
static void cpuid_extended(uint32_t leaf, uint32_t out[CPUID_REGISTERS])
{
	cpuid_read(CPUID_EXTENDED, out);
	if (out[CPUID_EAX] >= leaf)
		cpuid_read(leaf, out);
	else
		memset(out, 0, CPUID_REGISTERS * sizeof(out[CPUID_EAX]));
}

unsigned cpu_physical_bits(void)
{
	uint32_t out[CPUID_REGISTERS];
	unsigned bits;

	cpuid_extended(CPUID_ADDRESS_SIZES, out);
	bits = out[CPUID_EAX] & 0xff ? out[CPUID_EAX] & 0xff : 36;
	return bits < IDENTITY_BITS ? bits : IDENTITY_BITS;
}

bool cpu_has_gib_pages(void)
{
	uint32_t out[CPUID_REGISTERS];

	cpuid_extended(CPUID_EXTENDED_FEATURES, out);
	return out[CPUID_EDX] & CPUID_EDX_GIB_PAGES;
}

bool cpu_has_apic(void)
{
	uint32_t out[CPUID_REGISTERS];

	cpuid_read(CPUID_FEATURES, out);
	return out[CPUID_EDX] & CPUID_EDX_APIC;
}

/*
 * A newer QEMU (10.0) lets the processor run on until its main loop ends it, and
 * what the guest did meanwhile would be seen: so wait. Without the device, the
 * port reads as all ones; some hypervisors answer 0 there, as the device does.
 */
void cpu_debug_exit(uint8_t status)
{
	uint64_t start = tsc_read();

	io_write32(PORT_DEBUG_EXIT, status);
	for (unsigned i = 0; i < DEBUG_EXIT_READS; i++)
		if (io_read8(PORT_DEBUG_EXIT) == UINT8_MAX || tsc_read() - start >= DEBUG_EXIT_TSC)
			break;
}

void cpu_reset(void)
{
	struct table_pointer none = { 0, 0 };

	irq_disable();
	io_write8(PORT_KEYBOARD_COMMAND, KEYBOARD_PULSE_RESET);
	__asm__ volatile("lidt %0; int3" : : "m"(none));
	for (;;)
		__asm__ volatile("hlt");
}
