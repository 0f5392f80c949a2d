/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_mem: where the guest's memory is, in both ways of counting a balloon
 * (drivers/balloon/balloon_account.h).
 */
#ifndef KERNEL_SHOW_MEM_H
#define KERNEL_SHOW_MEM_H

/*
 * Prints everything. Reads counters only, so it may be called in an interrupt
 * and in a panic.
 */
void show_mem(void);

/* Prints everything on rows of its own, below a half-typed line: for an interrupt. */
void show_mem_at_once(void);

#endif
