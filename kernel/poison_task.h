/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fills free memory with poison while the machine has nothing else to do: what the
 * allocator left for later (mm/frame.h). Without it the same memory is filled when it
 * is allocated.
 */
#ifndef KERNEL_POISON_TASK_H
#define KERNEL_POISON_TASK_H

/* Starts the task, at boot, after poison_enable(). It warns if there can be none. */
void poison_task_start(void);

#endif
