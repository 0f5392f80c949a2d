/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the image needs of a processor, asked for before any of it is used: by
 * check_cpu.S in the PVH entry, and by cpu_needs.c in the UEFI loader. Included by
 * assembly too. What else the kernel uses (pages of 1 GiB, the local APIC, its TSC
 * deadline) it asks for where it uses it, and does without.
 */
#ifndef ARCH_X86_64_CPU_NEEDS_H
#define ARCH_X86_64_CPU_NEEDS_H

/* The index of a register in what CPUID returned: EAX, EBX, ECX, EDX. */
#define CPU_NEEDS_EDX 3

/*
 * NEED(leaf of CPUID, register, bit, name), in the order in which they are asked for
 * (AMD APM volume 3, appendix E.3 and E.4.2): 64-bit mode and the paging that it begins
 * with; EFER, which turns it on; data that cannot be executed; the clock; what compilers
 * for 64 bits take for granted; MFENCE.
 */
#define CPU_NEEDS(NEED) \
	NEED(0x80000001, CPU_NEEDS_EDX, 29, "long mode (lm)") \
	NEED(0x80000001, CPU_NEEDS_EDX, 20, "no-execute pages (nx)") \
	NEED(0x00000001, CPU_NEEDS_EDX, 6, "physical address extension (pae)") \
	NEED(0x00000001, CPU_NEEDS_EDX, 5, "model-specific registers (msr)") \
	NEED(0x00000001, CPU_NEEDS_EDX, 4, "a time stamp counter (tsc)") \
	NEED(0x00000001, CPU_NEEDS_EDX, 15, "conditional moves (cmov)") \
	NEED(0x00000001, CPU_NEEDS_EDX, 26, "SSE2, for MFENCE (sse2)")

/* The line that names one: these around it. */
#define CPU_NEEDS_BEFORE "aerostat: this processor lacks "
#define CPU_NEEDS_AFTER "; give the machine one that has it (QEMU: -cpu max)"

/* The machine's end then, as `exit 1` gives it: isa-debug-exit's status, and the last line. */
#define CPU_NEEDS_STATUS 1
#define CPU_NEEDS_END "\r\n# exit 1\r\n"

#ifndef __ASSEMBLER__

#include "arch/x86_64/cpuid.h"

/* Returns the name of the first need that the processor does not have, or NULL. */
const char *cpu_needs_missing(cpuid_fn *cpuid);

#endif

#endif
