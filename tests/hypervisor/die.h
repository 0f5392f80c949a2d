/* SPDX-License-Identifier: BSD-2-Clause */
/* die.c: the hypervisor's own end, with one line that says why. */
#ifndef TESTS_HYPERVISOR_DIE_H
#define TESTS_HYPERVISOR_DIE_H

#include <stdint.h>

/* QEMU's exit status is 2 * this + 1, and tools/run.sh's is this. */
#define HYPERVISOR_DEATH_STATUS 121

/*
 * Writes one line to port 0xe9 and to hv_control.common.death, and ends QEMU. Of printf()
 * `format` knows %s, and %x, with its 0x, for uint64_t.
 */
_Noreturn void die(const char *format, ...);

#endif
