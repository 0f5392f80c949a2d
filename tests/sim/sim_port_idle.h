/* SPDX-License-Identifier: BSD-2-Clause */
/* A host that is there and wants nothing: for tests in which another has a balloon, too. */
#ifndef TESTS_SIM_SIM_PORT_IDLE_H
#define TESTS_SIM_SIM_PORT_IDLE_H

#include <errno.h>

#include "drivers/balloon/balloon_port.h"

/* It begins, and is reset, at once. Returns 0. */
static inline int sim_port_idle_start(void)
{
	return 0;
}

/* It could have a frame at a time. */
static inline void sim_port_idle_terms(enum balloon_strategy strategy, struct balloon_terms *terms)
{
	(void)strategy;
	*terms = (struct balloon_terms){ .best = BALLOON_PORTABLE,
					 .batches = 1,
					 .batch_frames = 1,
					 .batch_block_frames = 1,
					 .batch_runs = 1 };
}

/* It lets go of everything. Returns 0. */
static inline int sim_port_idle_give_up(const char **why)
{
	(void)why;
	return 0;
}

/* It has finished nothing. */
static inline enum balloon_fault sim_port_idle_take_finished(void)
{
	return BALLOON_OK;
}

/* It wants no frame. */
static inline enum balloon_fault sim_port_idle_read_target(uint64_t given, uint64_t *target)
{
	(void)given;
	*target = 0;
	return BALLOON_OK;
}

/* -EAGAIN: it has no room, ever. */
static inline int sim_port_idle_inflate(struct balloon_batch *batch)
{
	(void)batch;
	return -EAGAIN;
}

/* Its port, of this name. */
#define SIM_PORT_IDLE(name_) \
	{ \
		.name = (name_), .start = sim_port_idle_start, .terms = sim_port_idle_terms, \
		.reset = sim_port_idle_start, .give_up = sim_port_idle_give_up, \
		.take_finished = sim_port_idle_take_finished, \
		.read_target = sim_port_idle_read_target, .inflate = sim_port_idle_inflate, \
	}

#endif
