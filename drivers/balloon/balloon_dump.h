/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a reader from outside finds the balloon's state in the guest's memory:
 * the counterpart of mm/frame_dump.h, with the same rules. Host programs
 * include this file.
 */
#ifndef DRIVERS_BALLOON_BALLOON_DUMP_H
#define DRIVERS_BALLOON_BALLOON_DUMP_H

#include <stdint.h>

/* Grows when this structure, or what it leads to, is laid out differently. */
#define BALLOON_DUMP_VERSION 1

struct balloon_dump {
	uint32_t version;
	uint32_t size;			  /* of this structure */
	uint64_t state;			  /* offsets in it: */
	uint32_t present, deflate_on_oom; /* a byte, 0 or 1 */
	uint32_t target, actual, floor;	  /* uint64_t, in frames */
	/* Numbers of owners: what is in the balloon, and what is on its way. */
	uint32_t owner_balloon, owner_in_flight, owner_leaving;
};

extern const struct balloon_dump balloon_dump;

#endif
