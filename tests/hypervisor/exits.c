/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest does that the hypervisor answers for. QEMU 7.2 does not say where the next
 * instruction is, so lengths are known here: nobody writes prefixes in front of these.
 */
#include <string.h>

#include "arch/io.h"
#include "arch/x86_64/msr.h"
#include "tests/hypervisor/control.h"
#include "tests/hypervisor/die.h"
#include "tests/hypervisor/host_frames.h"
#include "tests/hypervisor/layout.h"
#include "tests/hypervisor/machine.h"
#include "tests/hypervisor/npt.h"
#include "tests/hypervisor/svm.h"

#define LENGTH_CPUID 2
#define LENGTH_MSR 2
#define LENGTH_VMMCALL 3

#define RANGE_FIRST 0x40000000 /* of leaves and of MSRs */
#define RANGE_LAST 0x4000ffff

#define LEAF_FEATURES 1
#define ECX_OSXSAVE (1u << 27)
#define ECX_HYPERVISOR (1u << 31)
#define LEAF_STRUCTURED 7
#define ECX_OSPKE (1u << 4)
#define LEAF_EXTENDED 0x80000001
#define ECX_SVM (1u << 2)
#define LEAF_SVM 0x8000000a

#define CR4_OSXSAVE (1u << 18)
#define CR4_PKE (1u << 22)

#define MSR_EFER 0xc0000080
#define EFER_LMA 0x400
#define EFER_SVME 0x1000

#define ATTRIBUTES_64 0x200 /* of a code segment */

/* In run.S: how often QMP's inject-nmi was heard; lets one in; resets the machine. */
extern volatile uint64_t hypervisor_nmis;
void svm_take_nmi(void);
_Noreturn void triple_fault(void);

volatile uint64_t hypervisor_nmis;

/* An instruction was done: what it held off is over, too. */
static void skip_to(uint64_t rip)
{
	guest.vmcb->rip = rip;
	guest.vmcb->interrupt_shadow = 0;
}

static void skip(unsigned length)
{
	skip_to(guest.vmcb->rip + length);
}

static bool is_in_range(uint32_t number)
{
	return number >= RANGE_FIRST && number <= RANGE_LAST;
}

/* ---- CPUID ---- */

/* The processor's own answer has this hypervisor's CR4 in it, and SVM. */
static void correct_leaf(uint32_t leaf, uint32_t subleaf, struct guest_cpuid *out)
{
	uint64_t cr4 = guest.vmcb->cr4;

	if (leaf == LEAF_FEATURES) {
		out->ecx &= ~ECX_OSXSAVE;
		out->ecx |= cr4 & CR4_OSXSAVE ? ECX_OSXSAVE : 0;
		out->ecx |= guest.personality->cpuid ? ECX_HYPERVISOR : 0;
	} else if (leaf == LEAF_STRUCTURED && subleaf == 0) {
		out->ecx &= ~ECX_OSPKE;
		out->ecx |= cr4 & CR4_PKE ? ECX_OSPKE : 0;
	} else if (leaf == LEAF_EXTENDED) {
		out->ecx &= ~ECX_SVM;
	} else if (leaf == LEAF_SVM) {
		*out = (struct guest_cpuid){ 0 };
	}
}

static void handle_cpuid(void)
{
	struct guest_registers *registers = &guest.registers;
	uint32_t leaf = (uint32_t)registers->rax, subleaf = (uint32_t)registers->rcx;
	struct guest_cpuid out = { 0 };

	if (guest.personality->cpuid && is_in_range(leaf)) {
		guest.personality->cpuid(leaf, &out);
	} else {
		__asm__ volatile("cpuid"
				 : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx)
				 : "a"(leaf), "c"(subleaf));
		correct_leaf(leaf, subleaf, &out);
	}
	registers->rax = out.eax;
	registers->rbx = out.ebx;
	registers->rcx = out.ecx;
	registers->rdx = out.edx;
	skip(LENGTH_CPUID);
}

/* ---- MSRs ---- */

static bool read_msr(uint32_t msr, uint64_t *value)
{
	if (msr == MSR_EFER) {
		*value = guest.vmcb->efer & ~(uint64_t)EFER_SVME;
		return true;
	}
	return is_in_range(msr) && guest.personality->msr_read &&
	       guest.personality->msr_read(msr, value);
}

/* SVM itself needs EFER.SVME while the guest runs; LMA is the processor's. */
static bool write_msr(uint32_t msr, uint64_t value)
{
	if (msr == MSR_EFER) {
		if (value & EFER_SVME)
			return false;
		guest.vmcb->efer = (value & ~(uint64_t)EFER_LMA) | (guest.vmcb->efer & EFER_LMA) |
				   EFER_SVME;
		return true;
	}
	return is_in_range(msr) && guest.personality->msr_write &&
	       guest.personality->msr_write(msr, value);
}

static void handle_msr(void)
{
	struct guest_registers *registers = &guest.registers;
	uint32_t msr = (uint32_t)registers->rcx;
	uint64_t value = (uint32_t)registers->rax | registers->rdx << 32;
	bool write = guest.vmcb->exit_info1 & MSR_WRITE;

	if (!(write ? write_msr(msr, value) : read_msr(msr, &value))) {
		interrupts_raise_gp();
		return;
	}
	if (!write) {
		registers->rax = (uint32_t)value;
		registers->rdx = value >> 32;
	}
	skip(LENGTH_MSR);
}

/* ---- Ports ---- */

static void pass_through(uint16_t port, uint64_t info)
{
	uint64_t *rax = &guest.registers.rax;

	if (info & (IOIO_STRING | IOIO_REPEATED))
		die("a string goes to or from port %x, at RIP %x", (uint64_t)port, guest.vmcb->rip);
	if (info & IOIO_IN) {
		if (info & IOIO_32)
			*rax = io_read32(port);
		else if (info & IOIO_16)
			*rax = (*rax & ~UINT64_C(0xffff)) | io_read16(port);
		else
			*rax = (*rax & ~UINT64_C(0xff)) | io_read8(port);
	} else if (info & IOIO_32) {
		io_write32(port, (uint32_t)*rax);
	} else if (info & IOIO_16) {
		io_write16(port, (uint16_t)*rax);
	} else {
		io_write8(port, (uint8_t)*rax);
	}
}

static bool answers_at(uint16_t port)
{
	for (unsigned i = 0; i < PERSONALITY_PORTS; i++)
		if (guest.personality->ports[i] == port)
			return true;
	return false;
}

static void handle_port(void)
{
	uint64_t info = guest.vmcb->exit_info1;
	uint16_t port = (uint16_t)(info >> IOIO_PORT_SHIFT);
	bool plain = (info & IOIO_IN) && (info & IOIO_32) && !(info & IOIO_STRING);

	if (!plain || !answers_at(port) || !guest.personality->port_in(port, &guest.registers))
		pass_through(port, info);
	skip_to(guest.vmcb->exit_info2);
}

/* ---- The rest ---- */

void machine_reset(void)
{
	triple_fault();
}

static void handle_vmmcall(void)
{
	bool is_64 = guest.vmcb->cs.attributes & ATTRIBUTES_64;

	if (is_64 && guest.personality->hypercall && guest.personality->hypercall(&guest.registers))
		skip(LENGTH_VMMCALL);
	else
		interrupts_raise_ud();
}

/* The frame stays the host's, but the guest has a page there from now on. */
static void handle_touch(uint64_t address)
{
	struct hv_control_common *common = &hv_control.common;
	uint64_t pfn = address / FRAME_SIZE;

	common->touched++;
	common->touched_address = address;
	common->touched_rip = guest.vmcb->rip;
	if (guest.personality->touched)
		guest.personality->touched(pfn);
	memset(phys_to_hv(pfn * FRAME_SIZE), 0, FRAME_SIZE);
	machine_show(pfn, 1, true);
}

static void handle_nested_fault(void)
{
	uint64_t address = guest.vmcb->exit_info2;

	if (npt_touch(address))
		return;
	if (machine_is_own(address))
		die("the guest touched its memory, at %x, RIP %x", address, guest.vmcb->rip);
	if (!host_frames_has(address / FRAME_SIZE))
		die("no page for the guest at %x, RIP %x", address, guest.vmcb->rip);
	handle_touch(address);
}

/* It is pending until it is let in, here where nobody sees it. */
static void handle_nmi(void)
{
	uint64_t before = hypervisor_nmis;

	svm_take_nmi();
	hv_control.common.rings += hypervisor_nmis - before;
}

void exit_handle(void)
{
	uint64_t code = guest.vmcb->exit_code;

	switch (code) {
	case VMEXIT_INTR:
	case VMEXIT_VINTR:
		break;
	case VMEXIT_NMI:
		handle_nmi();
		break;
	case VMEXIT_CPUID:
		handle_cpuid();
		break;
	case VMEXIT_IOIO:
		handle_port();
		break;
	case VMEXIT_MSR:
		handle_msr();
		break;
	case VMEXIT_VMMCALL:
		handle_vmmcall();
		break;
	case VMEXIT_NPF:
		handle_nested_fault();
		break;
	case VMEXIT_SHUTDOWN:
		triple_fault();
	default:
		/* The other instructions of SVM are not there. */
		if (code != VMEXIT_INVLPGA && (code < VMEXIT_VMRUN || code > VMEXIT_SKINIT))
			die("exit %x of the guest, at RIP %x", code, guest.vmcb->rip);
		interrupts_raise_ud();
	}
}
