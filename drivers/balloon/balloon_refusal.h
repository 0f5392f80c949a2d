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

#define BALLOON_PAUSE_MIN_NS NS_PER_S
#define BALLOON_PAUSE_MAX_NS (32 * NS_PER_S)

/* Counts frames that were refused. Begins a pause, unless it was about these frames alone. */
void balloon_refusal_note(enum balloon_refusal why, bool deflates, pfn_t first, uint64_t count);

/* The host took frames, or gave some back: no pause. */
void balloon_refusal_note_progress(void);

/* Nothing could be offered: if that is because of refused frames, begins a pause. */
void balloon_refusal_exhausted(void);

/* Deflating: the host has refused frames below this one, which are not to be asked for again. */
pfn_t balloon_refusal_passed(void);

/* When the host may be asked again; 0: now. */
uint64_t balloon_refusal_pause_end(void);

/* Whether there is a pause. When one has ended, what was set aside may be offered again. */
bool balloon_refusal_is_pause(void);

/* What was set aside is free. Returns how many frames that were. */
size_t balloon_refusal_release(void);

/* The target is reached, or is another: no pause, and nothing is set aside. */
void balloon_refusal_forgive(void);

/* Another host comes: nothing is counted. */
void balloon_refusal_forget(void);

/* Since the start: frames refused, by reason. */
void balloon_refusal_counts(uint64_t frames[BALLOON_REFUSALS]);

#endif
