/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port 0xe9 of Bochs and QEMU (`-debugcon`): what is written to it is shown by the
 * hypervisor. There is no input, and nothing to wait for.
 */
#ifndef DRIVERS_SERIAL_DEBUGCON_H
#define DRIVERS_SERIAL_DEBUGCON_H

#include "kernel/lib/types.h"

/* Looks for it; false if it is not there. May be called before anything else. */
bool debugcon_init(void);

/* Shows `length` bytes; from an interrupt, too. After debugcon_init() found it. */
void debugcon_write(const char *text, size_t length);

#endif
