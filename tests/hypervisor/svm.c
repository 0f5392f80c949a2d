/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's processor; see svm.h. */
#include "tests/hypervisor/svm.h"

#include "arch/x86_64/cpuid.h"
#include "arch/x86_64/msr.h"
#include "tests/hypervisor/control.h"
#include "tests/hypervisor/die.h"
#include "tests/hypervisor/layout.h"
#include "tests/hypervisor/npt.h"
#include "tests/hypervisor/pool.h"

#define LEAF_EXTENDED 0x80000001
#define ECX_SVM (1u << 2)

#define MSR_EFER 0xc0000080
#define EFER_SVME 0x1000
#define MSR_VM_CR 0xc0010114
#define MSR_VM_HSAVE_PA 0xc0010117

/* A bit for each port; two bits, for reads and writes, for each MSR of a range. */
#define IOPM_PAGES 3
#define MSRPM_PAGES 2
#define MSRPM_C0000000 0x800 /* bytes in front of the range from that MSR on */
#define MSRPM_C0010000 0x1000

#define ATTRIBUTES_CODE 0xc9b /* 32 bits, whole 4 GiB, accessed */
#define ATTRIBUTES_DATA 0xc93
#define ATTRIBUTES_TSS 0x08b
#define ATTRIBUTES_LDT 0x082
#define PVH_CR0 0x11 /* PE, ET */
#define RFLAGS_ONE 0x2
#define DR7_RESET 0x400
#define DR6_RESET 0xffff0ff0
#define PAT_RESET 0x0007040600070406

#define GUEST_ASID 1

struct guest guest;

/* The hypervisor's own, for VMSAVE and VMLOAD. */
static struct vmcb *own_vmcb;

/* In run.S. */
void svm_enter(uint64_t vmcb, struct guest_registers *registers, uint64_t own);

void svm_enable(void)
{
	uint32_t extended[CPUID_REGISTERS];

	cpuid_read(LEAF_EXTENDED, extended);
	if (!(extended[CPUID_ECX] & ECX_SVM))
		die("this processor has no SVM: take TCG, and its default -cpu or max");
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SVME);
	__asm__ volatile("clgi" : : : "memory");
}

static uint64_t make_port_map(const uint16_t *ports)
{
	uint8_t *map = pool_take(IOPM_PAGES);

	/* The processor looks at the bit of each byte of an access, so the first one will do. */
	for (unsigned i = 0; i < PERSONALITY_PORTS; i++)
		if (ports[i])
			map[ports[i] / 8] |= (uint8_t)(1 << ports[i] % 8);
	return hv_to_phys(map);
}

static uint64_t make_msr_map(void)
{
	uint8_t *map = pool_take(MSRPM_PAGES);

	map[MSRPM_C0000000 + (MSR_EFER & 0x1fff) / 4] |= (uint8_t)(3 << MSR_EFER % 4 * 2);
	map[MSRPM_C0010000 + (MSR_VM_CR & 0x1fff) / 4] |= (uint8_t)(3 << MSR_VM_CR % 4 * 2);
	map[MSRPM_C0010000 + (MSR_VM_HSAVE_PA & 0x1fff) / 4] |= (uint8_t)(3 << MSR_VM_HSAVE_PA % 4 *
										       2);
	return hv_to_phys(map);
}

static void make_segments(struct vmcb *vmcb)
{
	struct vmcb_segment data = { SELECTOR_DATA, ATTRIBUTES_DATA, UINT32_MAX, 0 };

	vmcb->es = vmcb->ss = vmcb->ds = vmcb->fs = vmcb->gs = data;
	vmcb->cs = (struct vmcb_segment){ SELECTOR_CODE, ATTRIBUTES_CODE, UINT32_MAX, 0 };
	vmcb->tr = (struct vmcb_segment){ 0, ATTRIBUTES_TSS, 0x67, 0 };
	vmcb->ldtr = (struct vmcb_segment){ 0, ATTRIBUTES_LDT, 0xffff, 0 };
}

static void make_intercepts(struct vmcb *vmcb, const struct personality *personality)
{
	vmcb->intercept_misc1 = INTERCEPT_NMI | INTERCEPT_CPUID | INTERCEPT_INVLPGA |
				INTERCEPT_IOIO_PROT | INTERCEPT_MSR_PROT | INTERCEPT_SHUTDOWN;
	vmcb->intercept_misc2 = INTERCEPT_VMRUN | INTERCEPT_VMMCALL | INTERCEPT_VMLOAD |
				INTERCEPT_VMSAVE | INTERCEPT_STGI | INTERCEPT_CLGI |
				INTERCEPT_SKINIT;
	vmcb->iopm_base = make_port_map(personality->ports);
	vmcb->msrpm_base = make_msr_map();
}

void svm_make_guest(const struct personality *personality, uint64_t entry, uint64_t start_info,
		    uint64_t nested_cr3)
{
	struct vmcb *vmcb = pool_take(1);

	own_vmcb = pool_take(1);
	msr_write(MSR_VM_HSAVE_PA, hv_to_phys(pool_take(1)));
	make_intercepts(vmcb, personality);
	make_segments(vmcb);
	vmcb->asid = GUEST_ASID;
	vmcb->nested_paging = 1;
	vmcb->nested_cr3 = nested_cr3;
	vmcb->pat = PAT_RESET;
	vmcb->efer = EFER_SVME;
	vmcb->cr0 = PVH_CR0;
	vmcb->dr6 = DR6_RESET;
	vmcb->dr7 = DR7_RESET;
	vmcb->rflags = RFLAGS_ONE;
	vmcb->rip = entry;
	guest = (struct guest){ .vmcb = vmcb, .personality = personality };
	guest.registers.rbx = start_info;
}

static void enter(void)
{
	struct vmcb *vmcb = guest.vmcb;

	vmcb->rax = guest.registers.rax;
	svm_enter(hv_to_phys(vmcb), &guest.registers, hv_to_phys(own_vmcb));
	guest.registers.rax = vmcb->rax;
}

/*
 * CPUID does not always say that there is nested paging (TCG's qemu64). But without a page the
 * guest cannot so much as fetch its first instruction.
 */
static void check_nested_paging(void)
{
	uint64_t tables = guest.vmcb->nested_cr3;
	void *empty = pool_take(1);

	guest.vmcb->nested_cr3 = hv_to_phys(empty);
	enter();
	if (guest.vmcb->exit_code != VMEXIT_NPF)
		die("no nested paging: the first exit is %x", guest.vmcb->exit_code);
	guest.vmcb->nested_cr3 = tables;
	guest.vmcb->event_injection = 0;
	pool_give(empty);
}

_Noreturn void svm_run(void)
{
	guest.vmcb->tlb_control = TLB_FLUSH_ALL;
	check_nested_paging();
	for (;;) {
		interrupts_before_entry();
		guest.vmcb->tlb_control = npt_is_stale() ? TLB_FLUSH_ALL : 0;
		enter();
		interrupts_after_exit();
		exit_handle();
		if (guest.personality->work)
			guest.personality->work();
		hv_control.common.exits++;
	}
}
