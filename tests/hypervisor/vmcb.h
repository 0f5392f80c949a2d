/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual machine control block of SVM, as far as it is used (AMD APM volume 2, appendix B:
 * names and offsets), and the exit codes (appendix C).
 */
#ifndef TESTS_HYPERVISOR_VMCB_H
#define TESTS_HYPERVISOR_VMCB_H

#include <stddef.h>
#include <stdint.h>

/* Bits of intercept_misc1 and intercept_misc2. */
enum {
	INTERCEPT_INTR = 1 << 0,
	INTERCEPT_NMI = 1 << 1,
	INTERCEPT_VINTR = 1 << 4,
	INTERCEPT_CPUID = 1 << 18,
	INTERCEPT_INVLPGA = 1 << 26,
	INTERCEPT_IOIO_PROT = 1 << 27,
	INTERCEPT_MSR_PROT = 1 << 28,
};
#define INTERCEPT_SHUTDOWN (1u << 31)

enum {
	INTERCEPT_VMRUN = 1 << 0,
	INTERCEPT_VMMCALL = 1 << 1,
	INTERCEPT_VMLOAD = 1 << 2,
	INTERCEPT_VMSAVE = 1 << 3,
	INTERCEPT_STGI = 1 << 4,
	INTERCEPT_CLGI = 1 << 5,
	INTERCEPT_SKINIT = 1 << 6,
};

enum vmcb_exit {
	VMEXIT_INTR = 0x60,
	VMEXIT_NMI = 0x61,
	VMEXIT_VINTR = 0x64,
	VMEXIT_CPUID = 0x72,
	VMEXIT_INVLPGA = 0x7a,
	VMEXIT_IOIO = 0x7b,
	VMEXIT_MSR = 0x7c,
	VMEXIT_SHUTDOWN = 0x7f,
	VMEXIT_VMRUN = 0x80,
	VMEXIT_VMMCALL = 0x81,
	VMEXIT_SKINIT = 0x86,
	VMEXIT_NPF = 0x400,
};

#define TLB_FLUSH_ALL 1

/* Of virtual_interrupt: V_IRQ waits for the guest, whatever its TPR. */
#define V_IRQ (UINT64_C(1) << 8)
#define V_IGN_TPR (UINT64_C(1) << 20)
#define V_INTR_PRIO_SHIFT 16
#define V_INTR_VECTOR_SHIFT 32

#define INTERRUPT_SHADOW 1

/* EVENTINJ, and EXITINTINFO, which has its form. */
#define EVENT_VALID (UINT64_C(1) << 31)
#define EVENT_ERROR_CODE (UINT64_C(1) << 11)
#define EVENT_TYPE_INTR (UINT64_C(0) << 8)
#define EVENT_TYPE_EXCEPTION (UINT64_C(3) << 8)
#define EVENT_TYPE_SOFTWARE (UINT64_C(4) << 8)

/* EXITINFO1 of VMEXIT_IOIO. */
#define IOIO_IN 0x01
#define IOIO_STRING 0x04
#define IOIO_REPEATED 0x08
#define IOIO_8 0x10
#define IOIO_16 0x20
#define IOIO_32 0x40
#define IOIO_PORT_SHIFT 16

#define MSR_WRITE 1 /* EXITINFO1 of VMEXIT_MSR */

struct vmcb_segment {
	uint16_t selector;
	uint16_t attributes; /* bits 40 to 47 and 52 to 55 of a descriptor */
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	uint32_t intercept_cr, intercept_dr, intercept_exceptions;
	uint32_t intercept_misc1, intercept_misc2;
	uint8_t reserved_014[0x40 - 0x14];
	uint64_t iopm_base, msrpm_base, tsc_offset;
	uint32_t asid;
	uint32_t tlb_control;
	uint64_t virtual_interrupt; /* V_TPR to V_INTR_VECTOR */
	uint64_t interrupt_shadow;
	uint64_t exit_code, exit_info1, exit_info2, exit_interrupt_info;
	uint64_t nested_paging; /* bit 0 */
	uint8_t reserved_098[0xa8 - 0x98];
	uint64_t event_injection, nested_cr3;
	uint8_t reserved_0b8[0x400 - 0xb8];

	/* The state save area. */
	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved_4a0[0x4cb - 0x4a0];
	uint8_t cpl;
	uint8_t reserved_4cc[0x4d0 - 0x4cc];
	uint64_t efer;
	uint8_t reserved_4d8[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved_580[0x5d8 - 0x580];
	uint64_t rsp;
	uint8_t reserved_5e0[0x5f8 - 0x5e0];
	uint64_t rax;
	uint8_t reserved_600[0x668 - 0x600];
	uint64_t pat;
	uint8_t reserved_670[0x1000 - 0x670];
};

_Static_assert(offsetof(struct vmcb, intercept_misc1) == 0x00c, "appendix B");
_Static_assert(offsetof(struct vmcb, iopm_base) == 0x040, "appendix B");
_Static_assert(offsetof(struct vmcb, asid) == 0x058, "appendix B");
_Static_assert(offsetof(struct vmcb, tlb_control) == 0x05c, "appendix B");
_Static_assert(offsetof(struct vmcb, virtual_interrupt) == 0x060, "appendix B");
_Static_assert(offsetof(struct vmcb, exit_code) == 0x070, "appendix B");
_Static_assert(offsetof(struct vmcb, exit_interrupt_info) == 0x088, "appendix B");
_Static_assert(offsetof(struct vmcb, nested_paging) == 0x090, "appendix B");
_Static_assert(offsetof(struct vmcb, event_injection) == 0x0a8, "appendix B");
_Static_assert(offsetof(struct vmcb, nested_cr3) == 0x0b0, "appendix B");
_Static_assert(offsetof(struct vmcb, es) == 0x400, "appendix B");
_Static_assert(offsetof(struct vmcb, tr) == 0x490, "appendix B");
_Static_assert(offsetof(struct vmcb, cpl) == 0x4cb, "appendix B");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "appendix B");
_Static_assert(offsetof(struct vmcb, cr4) == 0x548, "appendix B");
_Static_assert(offsetof(struct vmcb, rip) == 0x578, "appendix B");
_Static_assert(offsetof(struct vmcb, rsp) == 0x5d8, "appendix B");
_Static_assert(offsetof(struct vmcb, rax) == 0x5f8, "appendix B");
_Static_assert(offsetof(struct vmcb, pat) == 0x668, "appendix B");
_Static_assert(sizeof(struct vmcb) == 0x1000, "a page");

#endif
