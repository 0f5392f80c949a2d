/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * npt.c: the guest's nested page tables (AMD APM volume 2, 15.25). All that the processor can
 * address lies where it is, but what is hidden: the frames that the host has, and the
 * hypervisor's own.
 *
 * Tables are made when the guest first touches a GiB, and when a frame is hidden; pages are as
 * large as they can be, and become so again. Those of a GiB that has been split stay split to
 * blocks of 2 MiB.
 */
#ifndef TESTS_HYPERVISOR_NPT_H
#define TESTS_HYPERVISOR_NPT_H

#include <stdbool.h>
#include <stdint.h>

/* Begins anew: all is shown. Returns the tables' physical address, for the VMCB. */
uint64_t npt_init(void);

/* Shows frames to the guest, or hides them. Those that are so already may be among them. */
void npt_show(uint64_t first, uint64_t count, bool present);

/*
 * The guest touched an address that has no page. Returns whether there is one now; if not, it
 * is hidden.
 */
bool npt_touch(uint64_t address);

/* Tells whether something was hidden since the last call: then the guest's TLB is stale. */
bool npt_is_stale(void);

/* Counts the blocks of 2 MiB of which some frames are hidden, and some are not. */
uint64_t npt_split_blocks(void);

#endif
