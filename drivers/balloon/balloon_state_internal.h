/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the balloon's core share: for each balloon the port, what was agreed with
 * the host, and the status. For the core alone; balloon.c and balloon_state.c change it, the
 * others read the port and the terms.
 */
#ifndef DRIVERS_BALLOON_BALLOON_STATE_INTERNAL_H
#define DRIVERS_BALLOON_BALLOON_STATE_INTERNAL_H

#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_dump.h"
#include "drivers/balloon/balloon_events.h"
#include "drivers/balloon/balloon_owners.h"
#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/balloon_refusal.h"
#include "drivers/balloon/balloon_state.h"
#include "kernel/task/task.h"

struct balloon {
	const struct balloon_port *port; /* NULL: none was attached yet */
	const char *label;		 /* "balloon", or "balloon-2" */
	char name[BALLOON_DUMP_NAME];	 /* the port's */
	const struct balloon_owners *owners;
	struct event_ring *events;
	struct wait_queue *waiters;	/* woken when the host has news */
	struct wait_queue own_waiters;	/* for a port that wakes nobody */
	struct balloon_terms terms;	/* while it runs */
	enum balloon_strategy strategy; /* as chosen, if this host can have it */
	struct balloon_status status;
	struct balloon_refusals refusal;
	struct balloon_batches batches;
	struct balloon_ranges ranges;
	uint64_t actual_time;	  /* when `actual` was last written */
	uint64_t turn_end;	  /* when the task last slept */
	uint64_t move_start;	  /* while `moving` */
	uint64_t hold_off_end;	  /* no inflation before */
	uint64_t rest_end;	  /* nothing is vacated before: see balloon_vacate.c */
	unsigned resets_in_a_row; /* since the host last took an offer */
	uint64_t reset_time;	  /* of the last of them */
	uint64_t reset_said_ns;	  /* when there was a line about one */
	enum balloon_fault fault; /* found outside the task, which is to act on it */
	bool attaching;		  /* a host may be waited for at its start */
	bool running;		  /* between start() and reset() */
	bool moving;		  /* since an offer; until all is answered */
	bool stuck;		  /* while vacated: see balloon_vacate.c */
	bool nudged;		  /* from outside the task: there is something to do */
	bool removing;		  /* the host goes: the target is 0, the task ends */
	volatile bool task_running;
};

/* Those of all hosts; the unused ones are all zero, or were left by a host that went. */
extern struct balloon balloons[BALLOONS];

/* Of all of them. */
extern struct balloon_config balloon_config;

#define BALLOONS_END (balloons + BALLOONS)

/* Tells whether a host has the balloon: also one that comes, or goes. */
bool balloon_is_taken(const struct balloon *balloon);

/* Finds the balloon that a port's host has; NULL: it has none. */
struct balloon *balloon_of(const struct balloon_port *port);

/* Makes a balloon a new one, without a port: nothing is counted. */
void balloon_forget(struct balloon *balloon);

/* Returns the owners of balloon `number`; also while it has no host. */
const struct balloon_owners *balloon_owners(size_t number);

/* Records one of the balloon's events. */
static inline void balloon_record(struct balloon *balloon, enum balloon_event type, uint64_t first,
				  uint64_t second)
{
	events_record(balloon->events, lib_time_ns(), type, first, second);
}

/* Tells whether a host is there that keeps the rules. */
bool balloon_is_alive(const struct balloon *balloon);

/* Counts the frames that are the balloon's, or will be when the host answers. */
uint64_t balloon_frames_given(const struct balloon *balloon);

/* Counts the frames that inflation may take: balloon_spare(), but for what it must leave alone. */
uint64_t balloon_frames_spare(void);

/* Counts the frames of the target that cannot be given now. */
uint64_t balloon_frames_short(const struct balloon *balloon);

/* Tells whoever can free memory that so many frames are missing (balloon_set_short_hook()). */
void balloon_tell_short(const struct balloon *balloon, uint64_t frames);

/*
 * Asks the port for its terms; nothing that the host can say makes them wrong. A
 * strategy that this host cannot have becomes BALLOON_AUTO, which is said.
 */
void balloon_agree(struct balloon *balloon);

/* Tells the host how many frames are in the balloon. */
void balloon_tell_actual(struct balloon *balloon, uint64_t actual);

/* Returns the strategy in use; never BALLOON_AUTO. */
enum balloon_strategy balloon_effective_strategy(const struct balloon *balloon);

/* Says in words, for people, what range-first needs and this host lacks. */
const char *balloon_ranges_need(const struct balloon *balloon);

/* Says in words, for people, why the host is at fault. */
const char *balloon_fault_sentence(enum balloon_fault fault);

/*
 * Tries a host that was given up once more: resets it, starts it anew, and lets the
 * balloon's task go on to the target. What is in the balloon stays there. May sleep.
 * -ENODEV: there is no host; -EALREADY: it is in use; -EBUSY: it goes, or is being reset;
 * -ETIMEDOUT, -EIO, else start()'s errors or task_create()'s: it stays given up. With an
 * error `*why` is the reason, for people.
 */
int balloon_retry(struct balloon *balloon, const char **why);

#endif
