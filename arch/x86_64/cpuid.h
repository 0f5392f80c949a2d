/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPUID instruction, and how it is handed to what is tested without it. */
#ifndef ARCH_X86_64_CPUID_H
#define ARCH_X86_64_CPUID_H

#include <stdint.h>

/* The four registers that it fills, by index. */
enum cpuid_register {
	CPUID_EAX,
	CPUID_EBX,
	CPUID_ECX,
	CPUID_EDX,
	CPUID_REGISTERS,
};

/* Has the form of cpuid_read(). */
typedef void cpuid_fn(uint32_t leaf, uint32_t out[CPUID_REGISTERS]);

/* Reads subleaf 0 of a leaf. */
static inline void cpuid_read(uint32_t leaf, uint32_t out[CPUID_REGISTERS])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[CPUID_EAX]), "=b"(out[CPUID_EBX]), "=c"(out[CPUID_ECX]),
			   "=d"(out[CPUID_EDX])
			 : "a"(leaf), "c"(0));
}

#endif
