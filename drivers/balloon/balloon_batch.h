/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Batches of frames on their way to the host or back, several of which are with it
 * at a time: filled, sent, answered, refused in part, or abandoned with their host;
 * the picture is in balloon_port.h. The owner map is the only list of the frames.
 * Amounts are in frames.
 */
#ifndef DRIVERS_BALLOON_BALLOON_BATCH_H
#define DRIVERS_BALLOON_BALLOON_BATCH_H

#include "drivers/balloon/balloon_owners.h"
#include "drivers/balloon/balloon_place.h"
#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/balloon_refusal.h"
#include "kernel/lib/types.h"
#include "mm/owner.h"

/* Counts since the start. */
struct balloon_batch_counts {
	uint64_t inflated; /* frames acknowledged */
	uint64_t deflated;
	uint64_t inflate_requests;
	uint64_t deflate_requests;
};

/* A batch, and whether the host has it. */
struct balloon_slot {
	struct balloon_batch batch;
	bool with_host;
	uint64_t sent_awake; /* while it is */
	/* How far it is settled: */
	uint64_t left;	  /* frames that are in-flight */
	size_t run;	  /* the first of them is in this run, */
	uint64_t offset;  /* so far into it */
	uint64_t arrived; /* frames that the host took, or gave back */
};

/* Those of one host. The last one is for taking frames back when memory is short. */
struct balloon_batches {
	const struct balloon_port *port;
	const struct balloon_terms *terms;
	const struct balloon_owners *owners;
	struct balloon_refusals *refusal; /* which notes what is refused */
	struct balloon_slot slot[BALLOON_BATCHES + 1];
	pfn_t scratch[BALLOON_BATCH_RUNS]; /* frames as the allocator lists them */
	size_t in_flight;		   /* batches with the host */
	uint64_t inflating;		   /* frames in them that are to be the balloon's */
	struct balloon_batch_counts counts;
};

/*
 * Prepares for another host: of `batches` port, terms, owners and refusal are set, the terms are
 * read whenever a batch is made, and all four outlive the host. Nothing is counted, and what the
 * last host has kept stays with it.
 */
void balloon_batches_begin(struct balloon_batches *batches);

/* Returns how many more batches the host can have. */
size_t balloon_batches_room(const struct balloon_batches *batches);

/* Returns how many whole blocks the next batch may have, where one takes a block or more. */
uint64_t balloon_batch_blocks(const struct balloon_batches *batches, bool deflates);

/* Gives an empty batch. There must be room. */
struct balloon_batch *balloon_batch_new(struct balloon_batches *batches, bool deflates);

/* Gives the batch that is kept for deflation under memory pressure. The host must not have it. */
struct balloon_batch *balloon_batch_spare(struct balloon_batches *batches);

/* Adds frames that are in-flight already. Runs that touch become one. */
void balloon_batch_add(struct balloon_batch *batch, pfn_t first, uint64_t count);

/* Adds single free frames of a place, up to `want` and to what a batch has. */
void balloon_batch_add_free(struct balloon_batch *batch, const struct balloon_place *place,
			    uint64_t want);

/*
 * Adds the lowest frames of an owner from `from` on to an empty batch, up to `want` and
 * to what a batch has: whole blocks as such, where it has more of them.
 */
void balloon_batch_add_owned(struct balloon_batch *batch, enum owner owner, pfn_t from,
			     uint64_t want);

/*
 * Offers a batch to the host. Returns how many frames that are; 0: it is empty, or
 * could not be sent, and its frames are back where they came from. It may be answered
 * by then.
 */
uint64_t balloon_batch_send(struct balloon_batch *batch);

#define BALLOON_NOT_ANSWERED UINT64_MAX

/* Returns how many frames of a sent batch have arrived; BALLOON_NOT_ANSWERED: none is known. */
uint64_t balloon_batch_arrived(struct balloon_batch *batch);

/* Counts the frames on their way into the balloon. */
uint64_t balloon_batches_inflating(const struct balloon_batches *batches);

/* Returns when the oldest batch with the host was sent; DEADLINE_NEVER: the host has none. */
uint64_t balloon_batches_sent_awake(const struct balloon_batches *batches);

/* Returns the frames of all batches to the side that they came from: the host was reset. */
void balloon_batches_abandon(struct balloon_batches *batches);

/* Frees frames of the balloon that the host gave back by itself. -EINVAL: see balloon_port.h. */
int balloon_batches_return_run(struct balloon_batches *batches, pfn_t first, uint64_t count);

/* Stores the counts. */
void balloon_batches_counts(const struct balloon_batches *batches,
			    struct balloon_batch_counts *counts);

#endif
