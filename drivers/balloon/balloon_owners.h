/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Under which owners the frames of one balloon are booked. What is on its way, lent or set aside is
 * booked alike for both: of that the balloon knows what is its own.
 */
#ifndef DRIVERS_BALLOON_BALLOON_OWNERS_H
#define DRIVERS_BALLOON_BALLOON_OWNERS_H

#include "mm/owner.h"

struct balloon_owners {
	enum owner balloon; /* the host has it */
	enum owner leaving; /* the host will have it soon */
};

#endif
