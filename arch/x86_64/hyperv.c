/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding Hyper-V, and the way to it; see arch/hyperv.h. */
#include "arch/hyperv.h"

#include <assert.h>

#include "arch/phys_map.h"
#include "arch/x86_64/hyperv_cpuid.h"
#include "arch/x86_64/msr.h"

/* TLFS 2.6 and 3.13. */
#define MSR_GUEST_OS_ID 0x40000000
#define MSR_HYPERCALL 0x40000001

/* An open-source system (bit 63) of a type that nobody else has (62:56), version 1 (47:16). */
#define GUEST_OS_ID (UINT64_C(1) << 63 | UINT64_C(0x41) << 56 | UINT64_C(1) << 16)

/* What hyperv_page.S fills the page with: no hypervisor's way in begins so. */
#define UNTOUCHED 0xcc

/* In hyperv_page.S. */
extern const uint8_t hyperv_page[];

static struct hyperv_cpuid told;
static bool there;

/* A hypervisor that leaves the page alone has no hypercalls, whatever it says. */
static bool page_is_filled(void)
{
	return *(const volatile uint8_t *)hyperv_page != UNTOUCHED;
}

bool hyperv_find(void)
{
	struct hyperv_cpuid found;

	if (!hyperv_cpuid_find(cpuid_read, &found))
		return false;
	msr_write(MSR_GUEST_OS_ID, GUEST_OS_ID);
	msr_write(MSR_HYPERCALL,
		  hyperv_msr_with_page(msr_read(MSR_HYPERCALL), virt_to_phys(hyperv_page)));
	if (!page_is_filled())
		return false;
	told = found;
	there = true;
	return true;
}

bool hyperv_is_there(void)
{
	return there;
}

const struct hyperv_cpuid *hyperv_cpuid(void)
{
	return &told;
}

uint64_t hyperv_msr_read(uint32_t msr)
{
	assert(there);
	return msr_read(msr);
}

void hyperv_msr_write(uint32_t msr, uint64_t value)
{
	assert(there);
	msr_write(msr, value);
}

/* Hyper-V may look at, and change, any memory that the arguments lead to. */
uint64_t hyperv_hypercall(uint64_t control, uint64_t input, uint64_t output)
{
	register uint64_t r8 __asm__("r8") = output;
	uint64_t result;

	assert(there);
	__asm__ volatile("call *%[entry]"
			 : "=a"(result), "+c"(control), "+d"(input), "+r"(r8)
			 : [entry] "r"(hyperv_page)
			 : "r9", "r10", "r11", "cc", "memory");
	return result;
}
