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
#include "kernel/lib/types.h"

/* Counts frames that were refused. Begins a pause, unless it was about these frames alone. */
void balloon_refusal_note(enum balloon_refusal why, bool deflates, pfn_t first, uint64_t count);

/* Ends the pause: the host took frames, or gave some back. */
void balloon_refusal_note_progress(void);

/* Begins a pause if it is because of refused frames that nothing could be offered. */
void balloon_refusal_exhausted(void);

/* Returns the frame from which on the host may be asked: it refused to give back lower ones. */
pfn_t balloon_refusal_passed(void);

/* Returns when the host may be asked again; 0: now. */
uint64_t balloon_refusal_pause_end(void);

/* Tells whether there is a pause; at the end of one, frames set aside may be offered again. */
bool balloon_refusal_is_pause(void);

/* Frees the frames that were set aside. Returns how many. */
size_t balloon_refusal_release(void);

/* Ends the pause and frees what was set aside: the target is reached, or is another. */
void balloon_refusal_forgive(void);

/* Records what was refused since it was last called: an event for each reason. */
void balloon_refusal_record(void);

/* Forgets the counts: another host comes. */
void balloon_refusal_forget(void);

/* Stores the frames refused since the start, by reason. */
void balloon_refusal_counts(uint64_t frames[BALLOON_REFUSALS]);

#endif
