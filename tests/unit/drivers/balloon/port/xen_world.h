/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All of the balloon on Xen, with real tasks and 24 MiB of RAM: its core and its port, the store's
 * client, a simulated Xen and a simulated xenstored. For the tables of lies, and for the fuzzer.
 * A frame that Xen has is poisoned: a touch ends the program. What is wrong is remembered, and
 * asked for by xen_world_mistake().
 */
#ifndef TESTS_UNIT_DRIVERS_BALLOON_PORT_XEN_WORLD_H
#define TESTS_UNIT_DRIVERS_BALLOON_PORT_XEN_WORLD_H

#include "drivers/balloon/port/xen_balloon.h"
#include "drivers/xen/xenstore.h"
#include "tests/sim/sim_tasks.h"
#include "tests/sim/sim_xen.h"
#include "tests/sim/sim_xenstore.h"

#define XEN_WORLD_FRAMES (24 * MIB / FRAME_SIZE)
#define XEN_WORLD_MAX_KIB (24 * MIB / KIB)

/* What a wait of 2 s may be passed by: looks of those who wait. */
#define XEN_WORLD_WAIT_NS_MAX (2 * NS_PER_S + 50 * NS_PER_MS)

struct xen_world {
	struct sim_xenstore store;
	bool no_events;	   /* the domain is never interrupted */
	uint64_t pause_ns; /* xenstored has a turn in such a time only */
	bool blind;	   /* Xen's own books are wrong: only the guest's are looked at */
	bool any_target;   /* the store has said what it was never told */
	bool has_balloon;  /* after xen_world_start() */
	bool slow;	   /* each answer may take its time: several in a row have 2 s each */
	uint64_t good_kib; /* the last good target that was written, */
	bool was_good[XEN_WORLD_FRAMES + 1]; /* and those before it, in frames of the balloon */
	/* Called before each frame that moves, with how many have; NULL: nothing is. */
	void (*on_frame)(uint64_t frames);
	uint64_t frames; /* that moved */
	/* Lines of warning. */
	unsigned lines;
};

extern struct xen_world xen_world;

/* Reserves the simulated RAM, once per program. Returns 0, or -1. */
int xen_world_reserve(void);

/* A domain with all its RAM, a toolstack that lets it have that, and no driver yet. */
void xen_world_begin(void);

/* xenstored's turn, when no task can run. Returns whether it did anything. */
bool xen_world_turn(void);

/* The toolstack wants so many frames in the balloon, as `xl mem-set` does it. */
void xen_world_want(uint64_t frames);

/* It writes this text instead; `good`: it is a target. */
void xen_world_write(const char *text, bool good);

/*
 * The guest's start, up to the first target. In a task. -ENODEV...: there is no balloon;
 * -ETIMEDOUT: the store does not answer.
 */
int xen_world_start(void);

/* The balloon's start, once a store answers that did not at first. Returns what the first does. */
int xen_world_start_balloon(void);

/* So much time passes, in a task. */
void xen_world_wait(uint64_t ns);

/* Xen and xenstored do as they should from now on, but for what they have done. */
void xen_world_behave(void);

/* What is wrong with the ledger, with who has which frame, a wait, the log. NULL: nothing. */
const char *xen_world_mistake(void);

/* Notes a wait that began at this clock_awake_ns(). */
void xen_world_note_wait(const char *what, uint64_t begin_awake);

/* Ends the tasks, after the balloon was detached. Returns whether all of them have ended. */
bool xen_world_end(void);

#endif
