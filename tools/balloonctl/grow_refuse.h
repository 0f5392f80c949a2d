/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grow_refuse.c: why a guest cannot grow or shrink by a size, or to one, and which sizes are
 * possible.
 */
#ifndef TOOLS_BALLOONCTL_GROW_REFUSE_H
#define TOOLS_BALLOONCTL_GROW_REFUSE_H

#include "tools/balloonctl/grow_plan.h"

/* What grow_plan() was given, and what it found. */
struct grow_refusal {
	const struct grow_wish *wish;
	const char *typed; /* the size of the wish, as it was typed */
	const struct guest_state *state;
	const struct guest_mem_device *device;
	struct grow_near near;
};

/* Gives the command that a wish belongs to, "grow" or "shrink". */
const char *grow_command(const struct grow_wish *wish);

/* Complains of a wish for which there is no plan; returns the exit status EXIT_USAGE. */
int grow_refuse(enum grow_verdict verdict, const struct grow_refusal *refusal);

#endif
