/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_mem: where the guest's memory is, in both ways of counting a balloon
 * (drivers/balloon/balloon_account.h).
 */
#ifndef KERNEL_SHOW_MEM_H
#define KERNEL_SHOW_MEM_H

#include <stdbool.h>

/*
 * Prints everything. Reads counters only, so it may be called in an interrupt
 * and in a panic.
 */
void show_mem(void);

/* The same as one line of JSON, all in bytes. */
void show_mem_json(void);

#endif
