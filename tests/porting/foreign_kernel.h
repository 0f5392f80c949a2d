/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * foreign_kernel.c: a kernel that is not Aerostat, in a process of its own. It
 * supplies what mm/ and the drivers are promised by arch/ and kernel/, in plain
 * C with threads, and nothing more; docs/porting.md lists it.
 */
#ifndef TESTS_PORTING_FOREIGN_KERNEL_H
#define TESTS_PORTING_FOREIGN_KERNEL_H

#include <stdint.h>

#include "kernel/task/task.h"

/* Makes the pool of memory; the caller has the processor from here on. Once. */
void kernel_start(void);

/* For devices: raises an interrupt; waits for the processor. */
void kernel_interrupt(uint32_t gsi);

#endif
