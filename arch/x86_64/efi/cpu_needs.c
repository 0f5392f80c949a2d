/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a processor has what the image needs; for the UEFI loader. */
#include "arch/x86_64/cpu_needs.h"

#include <stdbool.h>
#include <stddef.h>

_Static_assert(CPU_NEEDS_EDX == CPUID_EDX, "the registers' order");

#define LEAF_RANGE 0x80000000u /* the extended leaves have this bit, and a highest of their own */

static const struct need {
	uint32_t leaf;
	unsigned reg;
	unsigned bit;
	const char *name;
} needs[] = {
#define NEED(leaf, reg, bit, name) { leaf, reg, bit, name },
	CPU_NEEDS(NEED)
#undef NEED
};

/* Older Intel processors answer a leaf beyond the highest as if it were the highest. */
static bool has(const struct need *need, cpuid_fn *cpuid)
{
	uint32_t out[CPUID_REGISTERS];

	cpuid(need->leaf & LEAF_RANGE, out);
	if (out[CPUID_EAX] < need->leaf)
		return false;
	cpuid(need->leaf, out);
	return out[need->reg] & UINT32_C(1) << need->bit;
}

const char *cpu_needs_missing(cpuid_fn *cpuid)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		if (!has(&needs[i], cpuid))
			return needs[i].name;
	}
	return NULL;
}
