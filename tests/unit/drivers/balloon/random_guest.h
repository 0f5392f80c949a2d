/* SPDX-License-Identifier: BSD-2-Clause */
/* random_guest.c: what a guest holds in a random walk, and a pattern in each frame of it. */
#ifndef TESTS_UNIT_DRIVERS_BALLOON_RANDOM_GUEST_H
#define TESTS_UNIT_DRIVERS_BALLOON_RANDOM_GUEST_H

#include "mm/frame.h"

/* Holds nothing; before a walk. */
void hold_nothing(void);

/* Holds a run that is OWNER_HELD's, and writes all of its frames: the first and the last word. */
void hold(pfn_t pfn, unsigned order);

/* Frees some runs, or none, or all; their patterns must be what was written. */
void free_some(void);

/* Frees all runs, likewise. */
void free_all(void);

#endif
