/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of owner for any run of frames, all of it or nothing: what frame_free()
 * and its kin in mm/frame.h are made of. Not for others.
 */
#ifndef MM_FRAME_CHANGE_H
#define MM_FRAME_CHANGE_H

#include "kernel/lib/types.h"
#include "mm/owner.h"

/*
 * Changes the owner of a run: checks every frame first, then changes them all.
 * Nothing is changed on an error, which is counted. -EINVAL: `count` is 0, or a
 * frame is not managed; -EPERM: a frame is not `from`'s.
 */
int frame_change_run(pfn_t pfn, size_t count, enum owner from, enum owner to);

/* Returns how many changes were refused since frame_change_forget(). */
uint64_t frame_change_refused(void);

/* Begins to count refused changes anew. */
void frame_change_forget(void);

#endif
