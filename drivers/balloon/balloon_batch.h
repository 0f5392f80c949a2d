/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Batches of frames on their way to the host or back, several of which are with it
 * at a time: filled, sent, answered, refused in part, or abandoned with their host;
 * the picture is in balloon_port.h. The owner map is the only list of the frames.
 * Amounts are in frames.
 */
#ifndef DRIVERS_BALLOON_BALLOON_BATCH_H
#define DRIVERS_BALLOON_BALLOON_BATCH_H

#include "drivers/balloon/balloon_port.h"
#include "kernel/lib/types.h"

/*
 * Another host comes, with this port; `terms` are read whenever a batch is made.
 * Nothing is counted, and what the last host has kept stays with it.
 */
void balloon_batches_begin(const struct balloon_port *port, const struct balloon_terms *terms);

/* Offers up to `want` free frames, whole blocks first. Returns how many. */
uint64_t balloon_batches_inflate(uint64_t want);

/* Offers frames that are `leaving`. Returns how many. */
uint64_t balloon_batches_inflate_leaving(void);

/*
 * Takes up to `want` frames back, the lowest; those that the host has refused are
 * passed over until a pause has ended. Returns how many were offered.
 */
uint64_t balloon_batches_deflate(uint64_t want);

/*
 * Takes up to `want` frames back and waits for the host, by polling, at most
 * BALLOON_DEADLINE_NS. Stores how many are free now. Allocates nothing; may be called
 * while the balloon's task is in any state. BALLOON_FAULT_SILENT_WANTED, or what
 * take_finished() found; BALLOON_OK if the host just gives nothing back.
 */
enum balloon_fault balloon_batches_take_back(uint64_t want, size_t *freed);

/* Frames on their way into the balloon. */
uint64_t balloon_batches_inflating(void);

/* True if another batch could be offered. */
bool balloon_batches_have_room(void);

/* Since when none of those with the host moved; DEADLINE_NEVER: there are none. */
uint64_t balloon_batches_waiting_since(void);

/* The host was reset: what it had returns to the side that it came from. */
void balloon_batches_abandon(void);

/* Since the start. */
struct balloon_batch_counts {
	uint64_t inflated; /* frames acknowledged */
	uint64_t deflated;
	uint64_t inflate_requests;
	uint64_t deflate_requests;
};

/* Stores the counts. */
void balloon_batches_counts(struct balloon_batch_counts *counts);

#endif
