/* SPDX-License-Identifier: BSD-2-Clause */
/* The time stamp counter for host tests: the test program has one. */
#ifndef ARCH_X86_64_TSC_H
#define ARCH_X86_64_TSC_H

#include <stdint.h>

/* Reads the counter. */
uint64_t tsc_read(void);

#endif
