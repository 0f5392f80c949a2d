/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_frames.c: which frames of the guest's RAM the host has, a bit each. What it has is out
 * of the guest's reach. For all personalities; a whole range changes hands, or none of it.
 */
#ifndef TESTS_HYPERVISOR_HOST_FRAMES_H
#define TESTS_HYPERVISOR_HOST_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the bitmap for frames below `limit`. */
size_t host_frames_size(uint64_t limit);

/*
 * The host has nothing. `bitmap` is the caller's and stays in use; frames from `limit` on are
 * no RAM.
 */
void host_frames_init(uint64_t *bitmap, uint64_t limit);

/* Why a range did not change hands. */
enum host_frames_result {
	HOST_FRAMES_OK,
	HOST_FRAMES_NO_RAM,  /* some of it is no RAM */
	HOST_FRAMES_HAS,     /* the host has some of it already */
	HOST_FRAMES_HAS_NOT, /* the host does not have all of it */
};

/* The host takes a range out of the guest's reach, or gives it back. `count` > 0. */
enum host_frames_result host_frames_take(uint64_t first, uint64_t count);
enum host_frames_result host_frames_return(uint64_t first, uint64_t count);

/* All is the guest's again. */
void host_frames_return_all(void);

/* Tells whether the host has a frame, and how many it has. */
bool host_frames_has(uint64_t pfn);
uint64_t host_frames_count(void);

/*
 * Finds the first frames from `from` on that the host has and that lie beside each other, at most
 * `most`. Returns how many; 0: there are none.
 */
uint64_t host_frames_find(uint64_t from, uint64_t most, uint64_t *first);

#endif
