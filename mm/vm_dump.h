/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a reader from outside finds the books on memory pressure (mm/vm_events.h) in the
 * guest's memory: the counterpart of mm/frame_dump.h, with the same rules. Host programs
 * include this file.
 */
#ifndef MM_VM_DUMP_H
#define MM_VM_DUMP_H

#include <stdint.h>

/* Grows when this structure, or what it leads to, is laid out differently. */
#define VM_DUMP_VERSION 1

struct vm_dump {
	uint32_t version;
	uint32_t size;	 /* of this structure */
	uint64_t events; /* where the books are */
	/* Offsets of levels there, each a uint64_t, in frames: */
	uint32_t cached, dirty, anonymous, swapped, swap_total, reserve;
};

extern const struct vm_dump vm_dump;

#endif
