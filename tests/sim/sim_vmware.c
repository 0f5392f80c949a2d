/* SPDX-License-Identifier: BSD-2-Clause */
/* VMware for host tests; see sim_vmware.h. */
#include "tests/sim/sim_vmware.h"

#include <stddef.h>
#include <string.h>

#include "arch/vmware.h"

#define BALLOON_PORT 0x5670
#define BALLOON_MAGIC 0x456c6d6fu
#define LEAF_FIRST 0x40000000u
#define SIGNATURE "VMwareVMware"
#define NOBODY UINT32_MAX

void (*sim_vmware_on_command)(uint32_t command);

void sim_vmware_begin(uint64_t frames)
{
	sim_vmware_on_command = NULL;
	sim_machine_begin(&vmware_personality, frames);
}

struct vmware_control *sim_vmware(void)
{
	return hv_control_of(struct vmware_control, HV_CONTROL_VMWARE);
}

void sim_vmware_want(uint64_t frames)
{
	hv_control.common.target = frames;
}

void sim_vmware_lie_twice(const struct vmware_lie *lie, const struct vmware_lie *other)
{
	memset(sim_vmware()->lie, 0, sizeof(sim_vmware()->lie));
	sim_vmware()->lie[0] = *lie;
	sim_vmware()->lie[1] = *other;
	sim_vmware()->plan++;
}

void sim_vmware_lie(const struct vmware_lie *lie)
{
	const struct vmware_lie none = { 0 };

	sim_vmware_lie_twice(lie, &none);
}

void sim_vmware_behave(void)
{
	const struct vmware_lie none = { 0 };

	sim_vmware_lie(&none);
	sim_vmware()->pinned_count = 0;
}

void sim_vmware_forget(void)
{
	sim_vmware()->forget++;
}

/* ---- arch/vmware.h ---- */

bool vmware_is_there(void)
{
	struct guest_cpuid leaf = { 0 };

	if (sim_machine.personality && sim_machine.personality->cpuid)
		sim_machine.personality->cpuid(LEAF_FIRST, &leaf);
	return memcmp((const char *)&leaf + offsetof(struct guest_cpuid, ebx), SIGNATURE,
		      strlen(SIGNATURE)) == 0;
}

struct vmware_answer vmware_balloon_command(uint32_t command, uint64_t first, uint32_t second)
{
	struct guest_registers registers = { .rax = BALLOON_MAGIC,
					     .rbx = first,
					     .rcx = command,
					     .rdx = BALLOON_PORT,
					     .rsi = second };

	if (sim_vmware_on_command)
		sim_vmware_on_command(command);
	if (!sim_machine.personality || !sim_machine.personality->port_in(BALLOON_PORT, &registers))
		registers.rax = NOBODY;
	return (struct vmware_answer){ .status = (uint32_t)registers.rax,
				       .capabilities = (uint32_t)registers.rcx,
				       .result = registers.rbx };
}
