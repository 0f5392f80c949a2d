/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of the local APIC, 32 bits each; see apic.h. */
#include "arch/x86_64/apic.h"

#include <stddef.h>

#include "arch/cpu.h"
#include "arch/mmio.h"
#include "arch/paging.h"
#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/entry.h"
#include "arch/x86_64/msr.h"

#define APIC_BASE UINT64_C(0xfee00000)
#define APIC_ID 0x20 /* in the top 8 bits */
#define APIC_END_OF_INTERRUPT 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_SPURIOUS_ENABLE 0x100
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_MASKED 0x10000
#define APIC_LVT_DEADLINE 0x40000
#define APIC_LINT0 0x350
#define APIC_LINT0_EXTINT 0x700 /* unmasked: the 8259 tells the vector */
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0
#define DIVIDE_BY_16 0x3

/* How it is reached (SDM 3A, 11.4.4). */
#define MSR_APIC_BASE 0x1b
#define APIC_BASE_X2APIC (UINT64_C(1) << 10)
#define APIC_BASE_ENABLE (UINT64_C(1) << 11)

#define CPUID_FEATURES 1
#define ECX_TSC_DEADLINE (1u << 24)
#define MSR_TSC_DEADLINE 0x6e0

_Static_assert(APIC_TIMER_DIVISOR == 16, "DIVIDE_BY_16");

static void apic_write(uint32_t reg, uint32_t value)
{
	mmio_write32((uint8_t *)phys_to_virt(APIC_BASE) + reg, value);
}

static uint32_t apic_read(uint32_t reg)
{
	return mmio_read32((uint8_t *)phys_to_virt(APIC_BASE) + reg);
}

/*
 * Firmware may hand it over as an x2APIC, which has no registers in memory; the way back
 * leads through "disabled" (11.12.5).
 */
static void leave_x2apic(void)
{
	uint64_t base = msr_read(MSR_APIC_BASE);

	if (!(base & APIC_BASE_X2APIC))
		return;
	base &= ~APIC_BASE_X2APIC;
	msr_write(MSR_APIC_BASE, base & ~APIC_BASE_ENABLE);
	msr_write(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
}

bool apic_start(bool wire)
{
	if (!cpu_has_apic())
		return false;
	leave_x2apic();
	apic_write(APIC_SPURIOUS, APIC_SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED); /* a firmware's may run */
	apic_write(APIC_LINT0, wire ? APIC_LINT0_EXTINT : APIC_LVT_MASKED);
	return true;
}

uint32_t apic_id(void)
{
	return apic_read(APIC_ID) >> 24;
}

void apic_end_interrupt(void)
{
	apic_write(APIC_END_OF_INTERRUPT, 0);
}

/* ---- The timer ---- */

void apic_timer_run(void)
{
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_16);
	apic_write(APIC_TIMER_INITIAL, UINT32_MAX);
}

uint32_t apic_timer_read(void)
{
	return UINT32_MAX - apic_read(APIC_TIMER_CURRENT);
}

void apic_timer_set(uint32_t counts)
{
	apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_16);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	apic_write(APIC_TIMER_INITIAL, counts);
}

bool apic_timer_has_deadline(void)
{
	uint32_t out[CPUID_REGISTERS];

	cpuid_read(CPUID_FEATURES, out);
	return out[CPUID_ECX] & ECX_TSC_DEADLINE;
}

void apic_timer_use_deadline(void)
{
	apic_write(APIC_LVT_TIMER, APIC_LVT_DEADLINE | VECTOR_TIMER);
	/* The mode must be seen before the first deadline (11.5.4.1). */
	__asm__ volatile("mfence" : : : "memory");
}

void apic_timer_set_deadline(uint64_t tsc)
{
	msr_write(MSR_TSC_DEADLINE, tsc);
}
