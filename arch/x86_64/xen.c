/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding Xen, and the way to it; see arch/xen.h. */
#include "arch/xen.h"

#include "arch/phys_map.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/xen_cpuid.h"

#define ENTRY_SIZE 32

/* In xen_page.S. */
extern const char xen_page[];

static bool there;

bool xen_find(void)
{
	struct xen_cpuid found;

	if (!xen_cpuid_find(cpuid_read, &found))
		return false;
	msr_write(found.hypercall_msr, virt_to_phys(xen_page));
	there = true;
	return true;
}

bool xen_is_there(void)
{
	return there;
}

/* Xen may look at, and change, any memory that the arguments lead to. */
long xen_hypercall(enum xen_hypercall number, uint64_t first, uint64_t second, uint64_t third)
{
	long result;

	if (!there)
		return -XEN_ENOSYS;
	__asm__ volatile("call *%[entry]"
			 : "=a"(result), "+D"(first), "+S"(second), "+d"(third)
			 : [entry] "r"(xen_page + number * ENTRY_SIZE)
			 : "rcx", "r8", "r9", "r10", "r11", "cc", "memory");
	return result;
}
