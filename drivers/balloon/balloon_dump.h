/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a reader from outside finds the balloons' state in the guest's memory:
 * the counterpart of mm/frame_dump.h, with the same rules. Host programs
 * include this file.
 */
#ifndef DRIVERS_BALLOON_BALLOON_DUMP_H
#define DRIVERS_BALLOON_BALLOON_DUMP_H

#include <stdint.h>

/* Grows when this structure, or what it leads to, is laid out differently. */
#define BALLOON_DUMP_VERSION 2

#define BALLOON_DUMP_BALLOONS 2

#define BALLOON_DUMP_NAME 16 /* bytes, with the NUL */

struct balloon_dump {
	uint32_t version;
	uint32_t size;	   /* of this structure */
	uint64_t floor;	   /* where it is: uint64_t, in frames */
	uint64_t balloons; /* so many structures, each of this size: */
	uint32_t balloon_count, balloon_size;
	/* Offsets in each: */
	uint32_t present, deflate_on_oom; /* a byte, 0 or 1 */
	uint32_t target, actual;	  /* uint64_t, in frames */
	uint32_t name;			  /* text, of its port */
	/* Numbers of owners, of each balloon: what is in it, and what leaves for it. */
	uint32_t owner_balloon[BALLOON_DUMP_BALLOONS];
	uint32_t owner_leaving[BALLOON_DUMP_BALLOONS];
	/* What is on its way to and from all of them. */
	uint32_t owner_in_flight;
};

extern const struct balloon_dump balloon_dump;

#endif
