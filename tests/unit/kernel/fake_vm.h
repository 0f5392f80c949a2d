/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Users of kernel/vm/vm.h for tests of workloads: their memory is the test program's own, so
 * nothing ever goes, and what came back from a disk is what the test says.
 */
#ifndef TESTS_UNIT_KERNEL_FAKE_VM_H
#define TESTS_UNIT_KERNEL_FAKE_VM_H

#include "kernel/vm/vm.h"

#define FAKE_VM_PAGES 512

/* What vm_user_begin() returns, and was asked last. */
extern int fake_vm_err;
extern struct vm_want fake_vm_want;

/* The memory of the user that began last; FAKE_VM_PAGES pages. */
extern uint8_t *fake_vm_memory;

/* This page came back, once; UINT64_MAX: none. */
extern uint64_t fake_vm_came_back;

/* Calls of vm_page_is_wrong(), of vm_user_will_touch(), and sleeps. */
extern unsigned fake_vm_wrong, fake_vm_announced, fake_vm_sleeps;

/* Pages that were discarded. */
extern uint64_t fake_vm_discarded;

/* How often a page was touched since it was named. */
uint64_t fake_vm_touches(uint64_t page);

/* Tells how many users there are. */
unsigned fake_vm_users(void);

/* Ends all, in a task; and begins anew. */
void fake_vm_end_all(void);
void fake_vm_reset(void);

#endif
