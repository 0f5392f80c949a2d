/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qemu_memory.c: what a guest has as memory, in QEMU's own process, for a driver of a device
 * outside of any guest. Errors end the program.
 */
#ifndef TESTS_BENCH_QEMU_MEMORY_H
#define TESTS_BENCH_QEMU_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

#include "tools/qmp.h"

/* Finds where a guest-physical address lies in QEMU. */
uint64_t qemu_memory_find(struct qmp *qmp, uint64_t address);

/* Reads 16 bits from an address in QEMU, whose process is `pid`. */
uint16_t qemu_memory_read16(pid_t pid, uint64_t from);

#endif
