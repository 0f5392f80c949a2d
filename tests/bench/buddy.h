/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A buddy allocator as textbooks have it, for comparison only: a list of free
 * runs for each order, whose nodes lie in the first bytes of the free runs
 * themselves, and a byte per frame that says whether a free run of which order
 * begins there. Newest first; a free merges as far as it goes.
 *
 * It believes its caller: a double free or a wrong order goes unnoticed.
 */
#ifndef TESTS_BENCH_BUDDY_H
#define TESTS_BENCH_BUDDY_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/lib/types.h"

/* As in mm/frame.h: 1 GiB. */
#define BUDDY_ORDER_MAX 18

struct buddy_node {
	struct buddy_node *next;
	struct buddy_node *prev;
};

struct buddy {
	uint8_t *ram; /* frame 0 */
	size_t frames;
	uint8_t *head; /* a byte per frame: order + 1 of the run that begins here */
	size_t count[BUDDY_ORDER_MAX + 1]; /* runs in each list */
	struct buddy_node list[BUDDY_ORDER_MAX + 1];
};

/*
 * Manages `frames` frames of memory at `ram`, all free; a multiple of
 * 2^BUDDY_ORDER_MAX. `head` has a byte for each, all of them 0.
 */
void buddy_init(struct buddy *buddy, void *ram, size_t frames, uint8_t *head);

/* A run of 2^order frames, or PFN_NONE. */
pfn_t buddy_alloc(struct buddy *buddy, unsigned order);

/* Frees a run of 2^order frames, which may be a part of what was allocated. */
void buddy_free(struct buddy *buddy, pfn_t pfn, unsigned order);

#endif
