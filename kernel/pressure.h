/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory pressure as this guest feels it: the situation by its own books (mm/vm_events.h), and
 * the share of time in which tasks waited for memory (vm_psi). Nothing here ticks: whatever moves
 * the books says so, and an idle guest sleeps on. In tasks only.
 */
#ifndef KERNEL_PRESSURE_H
#define KERNEL_PRESSURE_H

#include "kernel/lib/types.h"
#include "kernel/situation.h"
#include "mm/psi.h"

/* Takes the first reading, once vm_start() was called. Until then nothing is noted. */
void pressure_start(void);

/*
 * A frame_reclaimer (mm/frame.h) that asks the balloon. Nobody else runs meanwhile, so vm_psi has
 * it as a wait of all. Not for who is in a wait of vm_psi already.
 */
size_t pressure_reclaim(unsigned order);

/*
 * Says that the books have moved: to be called after a stall, or while pages are scanned, once
 * for many of them. Costs next to nothing; a reading is taken ten times a second at most.
 */
void pressure_note(void);

/* What there is to be shown. */
struct pressure {
	struct situation situation;
	uint64_t for_ms;      /* so long it has been so, as far as anybody looked */
	uint64_t over_ms;     /* the time of `moved` */
	struct reading moved; /* what the counts moved in that time */
	uint64_t oom_kills;   /* since boot */
	struct psi_figures some, full;
};

/*
 * Takes a reading, and stores how it stands now. It sleeps for a second first where books have
 * moved, and nobody has looked for ten, as it would judge by a time that is long over; and in
 * the first second until that is over.
 */
void pressure_look(struct pressure *pressure);

#endif
