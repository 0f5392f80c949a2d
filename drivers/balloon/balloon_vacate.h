/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What memory that comes and goes (drivers/mem) wants of the balloon: that it takes no
 * frames which are to leave, and that those which it has are replaced. The number of
 * ballooned frames stays at the host's target meanwhile: others are inflated first, then
 * these are asked back.
 */
#ifndef DRIVERS_BALLOON_BALLOON_VACATE_H
#define DRIVERS_BALLOON_BALLOON_VACATE_H

#include "kernel/lib/types.h"

struct balloon;

/* Memory of regions (mm/frame_region.h) from `start` to before `end`, which both begin blocks. */
struct balloon_stretch {
	pfn_t start;
	pfn_t end;
};

/* So many can be avoided. */
#define BALLOON_STRETCHES 16

/*
 * Lets inflation take no frame of some stretches, in any order, until the next call; `count` is
 * at most BALLOON_STRETCHES, and with 0 it may take all memory. Memory of the boot goes first.
 */
void balloon_avoid(const struct balloon_stretch *stretches, size_t count);

enum balloon_vacancy {
	BALLOON_VACANT,	    /* none of the frames is the balloon's, or on its way */
	BALLOON_MOVING_OUT, /* some are; call again */
	BALLOON_NO_ROOM,    /* some are, and the floor leaves no others to take their place */
	BALLOON_GIVES_NONE, /* some are, and this host gives none back, or not now */
};

/*
 * Wants the frames from `start`, which begins a block, to before `end` out of the balloon.
 * One stretch at a time: another one takes its place. To be called again until the answer is
 * not BALLOON_MOVING_OUT; the balloon's task does the work. balloon_stay() ends it.
 */
enum balloon_vacancy balloon_vacate(pfn_t start, pfn_t end);

/*
 * Returns the owners, as a set (mm/owner.h), of the balloons whose hosts give frames back now: of
 * what others have nothing can be vacated.
 */
uint32_t balloon_giving_owners(void);

/* Wants nothing out of the balloon any more. */
void balloon_stay(void);

/* ---- For the balloon's own files ---- */

/*
 * Begins a round: frees what only leaves of memory that is avoided. Returns how many frames of the
 * stretch are to be replaced and asked back in the next turn: none of those that the host
 * would not give back.
 */
uint64_t balloon_vacate_begin_round(struct balloon *balloon);

/*
 * Asks for up to `held` frames of the stretch, but never for one that the target needs:
 * others have arrived in their place. Returns how many.
 */
uint64_t balloon_vacate_ask_back(struct balloon *balloon, uint64_t held);

/* Notes that nothing was offered in a round though frames of the stretch are to go. */
void balloon_vacate_note_stuck(struct balloon *balloon);

/* Forgets what was wanted. */
void balloon_vacate_forget(void);

#endif
