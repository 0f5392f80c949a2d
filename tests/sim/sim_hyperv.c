/* SPDX-License-Identifier: BSD-2-Clause */
/* Hyper-V without a machine; see sim_hyperv.h. */
#include "tests/sim/sim_hyperv.h"

#include <stddef.h>

#include "arch/x86_64/hyperv_cpuid.h"
#include "drivers/hyperv/hyperv_abi.h"
#include "tests/sim/sim_irq.h"
#include "tests/sim/sim_machine.h"

#define LEAF_FEATURES 1
#define ECX_HYPERVISOR (UINT32_C(1) << 31)
#define GUEST_ID (HV_GUEST_OPEN_SOURCE | UINT64_C(0x41) << 56 | UINT64_C(1) << 16)

const char *sim_hyperv_mistake;

static struct hyperv_cpuid told;
static bool there;
static pfn_t page;

static void mistake(const char *what)
{
	if (!sim_hyperv_mistake)
		sim_hyperv_mistake = what;
}

void sim_hyperv_begin(pfn_t hypercall_page)
{
	sim_hyperv_mistake = NULL;
	there = false;
	page = hypercall_page;
}

bool sim_hyperv_interrupt(void)
{
	bool any = false;
	uint8_t vector;

	while (sim_machine_take_interrupt(&vector)) {
		/* One that was on its way when its source was masked. */
		if (sim_irq_messages() == 0)
			continue;
		any = true;
		sim_irq_send(SIM_IRQ_ADDRESS, vector);
	}
	return any;
}

static void read_cpuid(uint32_t leaf, uint32_t out[CPUID_REGISTERS])
{
	struct guest_cpuid registers = { .ecx = leaf == LEAF_FEATURES ? ECX_HYPERVISOR : 0 };

	if (leaf != LEAF_FEATURES)
		sim_machine_cpuid(leaf, &registers);
	out[CPUID_EAX] = registers.eax;
	out[CPUID_EBX] = registers.ebx;
	out[CPUID_ECX] = registers.ecx;
	out[CPUID_EDX] = registers.edx;
}

bool hyperv_find(void)
{
	if (!hyperv_cpuid_find(read_cpuid, &told))
		return false;
	there = sim_machine_msr_write(HV_MSR_GUEST_OS_ID, GUEST_ID) &&
		sim_machine_msr_write(HV_MSR_HYPERCALL, pfn_to_paddr(page) | HV_MSR_ENABLE);
	return there;
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
	uint64_t value = 0;

	if (!there || !sim_machine_msr_read(msr, &value))
		mistake("an MSR that is not there was read");
	return value;
}

void hyperv_msr_write(uint32_t msr, uint64_t value)
{
	if (!there || !sim_machine_msr_write(msr, value))
		mistake("an MSR that is not there was written to");
}

uint64_t hyperv_hypercall(uint64_t control, uint64_t input, uint64_t output)
{
	struct guest_registers registers = { .rcx = control, .rdx = input, .r8 = output };

	if (!there || !sim_machine_hypercall(&registers))
		mistake("a hypercall without a hypervisor");
	return registers.rax;
}
