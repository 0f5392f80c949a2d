/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames that the host would not take, or would not give back: counted by reason;
 * set aside (owner `refused`) where the allocator would offer the same frame again
 * at once; and the pause in which the host is left alone, which doubles while it
 * goes on refusing. A new target ends both; need of memory frees what was set aside.
 */
#ifndef DRIVERS_BALLOON_BALLOON_REFUSAL_H
#define DRIVERS_BALLOON_BALLOON_REFUSAL_H

#include "drivers/balloon/balloon_port.h"
#include "kernel/lib/events.h"
#include "kernel/lib/types.h"

/*
 * What one host has refused; with `events` alone, nothing. One that frees what is set aside
 * frees another host's, too, if there is any: it will be refused again.
 */
struct balloon_refusals {
	struct event_ring *events;
	bool has_aside;	    /* frames were set aside since the last release */
	uint64_t pause_ns;  /* of the last pause; 0: there was progress since */
	uint64_t pause_end; /* 0: there is none */
	uint64_t pauses;    /* begun since there was progress */
	pfn_t passed;	    /* deflating: frames below were refused */
	uint64_t frames[BALLOON_REFUSALS];
	uint64_t recorded[BALLOON_REFUSALS]; /* of them, as events */
};

/* Counts frames that were refused. Begins a pause, unless it was about these frames alone. */
void balloon_refusal_note(struct balloon_refusals *refusal, enum balloon_refusal why, bool deflates,
			  pfn_t first, uint64_t count);

/* Ends the pause: the host took frames, or gave some back. */
void balloon_refusal_note_progress(struct balloon_refusals *refusal);

/* Begins a pause if it is because of refused frames that nothing could be offered. */
void balloon_refusal_exhausted(struct balloon_refusals *refusal);

/* Returns the frame from which on the host may be asked: it refused to give back lower ones. */
pfn_t balloon_refusal_passed(const struct balloon_refusals *refusal);

/* Returns when the host may be asked again; 0: now. */
uint64_t balloon_refusal_pause_end(const struct balloon_refusals *refusal);

/* Tells whether there is a pause; at the end of one, frames set aside may be offered again. */
bool balloon_refusal_is_pause(struct balloon_refusals *refusal);

/* Frees the frames that were set aside. Returns how many. */
size_t balloon_refusal_release(struct balloon_refusals *refusal);

/* Ends the pause and frees what was set aside: the target is reached, or is another. */
void balloon_refusal_forgive(struct balloon_refusals *refusal);

/* Records what was refused since it was last called: an event for each reason. */
void balloon_refusal_record(struct balloon_refusals *refusal);

/* Stores which try the next one is (balloon_port.h). */
void balloon_refusal_tries(const struct balloon_refusals *refusal, struct balloon_tries *tries);

/* Stores the frames refused since the start, by reason. */
void balloon_refusal_counts(const struct balloon_refusals *refusal,
			    uint64_t frames[BALLOON_REFUSALS]);

#endif
