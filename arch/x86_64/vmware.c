/* SPDX-License-Identifier: BSD-2-Clause */
/* The way to VMware; see arch/vmware.h. */
#include "arch/vmware.h"

#include "arch/x86_64/vmware_cpuid.h"

#define BALLOON_PORT 0x5670
#define BALLOON_MAGIC 0x456c6d6fu

bool vmware_is_there(void)
{
	return vmware_cpuid_find(cpuid_read);
}

/* What an old host leaves in the other registers nobody says. */
struct vmware_answer vmware_balloon_command(uint32_t command, uint64_t first, uint32_t second)
{
	uint64_t a = BALLOON_MAGIC, b = first, c = command, d = BALLOON_PORT, si = second;

	__asm__ volatile("inl %%dx, %%eax"
			 : "+a"(a), "+b"(b), "+c"(c), "+d"(d), "+S"(si)
			 :
			 : "rdi", "memory");
	return (struct vmware_answer){
		.status = (uint32_t)a,
		.capabilities = (uint32_t)c,
		.result = b,
	};
}
