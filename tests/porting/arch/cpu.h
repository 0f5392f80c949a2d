/* SPDX-License-Identifier: BSD-2-Clause */
/* The one part of arch/cpu.h that the drivers use. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <sched.h>

/* Eases a busy wait. */
static inline void cpu_relax(void)
{
	sched_yield();
}

#endif
