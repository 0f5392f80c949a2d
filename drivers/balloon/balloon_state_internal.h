/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the balloon's core share: the port, what was agreed with the
 * host, the settings and the status. For the core alone; balloon.c and balloon_state.c
 * change it, the others read the port and the terms.
 */
#ifndef DRIVERS_BALLOON_BALLOON_STATE_INTERNAL_H
#define DRIVERS_BALLOON_BALLOON_STATE_INTERNAL_H

#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/balloon_state.h"
#include "kernel/task/task.h"

struct balloon_state {
	const struct balloon_port *port; /* NULL: none is attached */
	struct wait_queue *waiters;	 /* woken when the host has news */
	struct wait_queue own_waiters;	 /* for a port that wakes nobody */
	struct balloon_config config;
	struct balloon_terms terms; /* while it runs */
	struct balloon_status status;
	uint64_t actual_time;	  /* when `actual` was last written */
	uint64_t turn_end;	  /* when the task last slept */
	uint64_t move_start;	  /* while `moving` */
	uint64_t hold_off_end;	  /* no inflation before */
	unsigned resets_in_a_row; /* since the host last took an offer */
	uint64_t reset_time;	  /* of the last of them */
	uint64_t reset_said_ns;	  /* when there was a line about one */
	enum balloon_fault fault; /* found outside the task, which is to act on it */
	bool running;		  /* between start() and reset() */
	bool moving;		  /* since an offer; until all is answered */
	bool nudged;		  /* from outside the task: there is something to do */
	bool removing;		  /* the host goes: the target is 0, the task ends */
	volatile bool task_running;
};

extern struct balloon_state balloon;

/* Tells whether a host is there that keeps the rules. */
bool balloon_is_alive(void);

/* Counts the frames that are the balloon's, or will be when the host answers. */
uint64_t balloon_frames_given(void);

/* Counts the frames that inflation may take: balloon_spare(), but for what it must leave alone. */
uint64_t balloon_frames_spare(void);

/* Counts the frames of the target that cannot be given now. */
uint64_t balloon_frames_short(void);

/*
 * Asks the port for its terms; nothing that the host can say makes them wrong. A
 * strategy that this host cannot have becomes BALLOON_AUTO, which is said.
 */
void balloon_agree(void);

/* Tells the host how many frames are in the balloon. */
void balloon_tell_actual(uint64_t actual);

/* Returns the strategy in use; never BALLOON_AUTO. */
enum balloon_strategy balloon_effective_strategy(void);

/* Says in words, for people, what range-first needs and this host lacks. */
const char *balloon_ranges_need(void);

/* Says in words, for people, why the host is at fault. */
const char *balloon_fault_sentence(enum balloon_fault fault);

#endif
