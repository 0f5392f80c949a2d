/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest around kernel/vm: some MiB of memory, disks, a balloon that is a number, and tasks that
 * touch pages as a test tells them and know what each page must hold. Each test runs in a process
 * of its own, as kernel/vm begins once.
 */
#ifndef TESTS_UNIT_KERNEL_VM_VM_FIXTURE_H
#define TESTS_UNIT_KERNEL_VM_VM_FIXTURE_H

#include "kernel/vm/vm_internal.h"
#include "tests/sim/sim_demand.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_ram.h"
#include "tests/sim/sim_tasks.h"

#define GUEST_PAGES_MAX SIM_DEMAND_PAGES

/* A user: a task that does one thing after the other. */
struct guest {
	bool used, ended;
	int err; /* of its beginning */
	unsigned task;
	enum vm_kind kind;
	struct vm_want want;
	uint64_t first;	 /* of its pages, in the window */
	const char *why; /* it ended */
	/* What it does; `busy` until that is done, or the task has ended: */
	enum guest_act { GUEST_READ, GUEST_WRITE, GUEST_WILL_TOUCH, GUEST_DISCARD, GUEST_END } act;
	uint64_t page, count;
	bool busy, forgets; /* with GUEST_WILL_TOUCH */
	uint64_t came_back; /* touches of pages that had been on a disk */
	uint64_t touched;
	uint32_t written[GUEST_PAGES_MAX]; /* of each page, how often it was */
	struct wait_queue queue;
};

/* The machine; to be set before it starts. */
extern uint64_t machine_frames;	 /* 2048 */
extern const char *machine_swap; /* the words; "" */
extern const char *machine_cache;
extern bool machine_lockstep;
extern uint64_t machine_balloon;      /* frames that come back in need */
extern uint64_t machine_balloon_asks; /* calls of balloon_reclaim(), */
extern unsigned machine_tries;	      /* and of balloon_try_again() */
extern void (*machine_short)(uint64_t frames);

/* Runs `test` in a task of a machine of its own; it begins by start_machine(). */
void run_machine(void (*test)(void));
void start_machine(void);

/* Plugs in "swap", and has it used; or "cache", whose pages are all different. */
struct sim_disk *plug_swap(uint64_t pages);
struct sim_disk *plug_cache(uint64_t pages);

/*
 * Starts the machine with both of them; of no pages: without it, and NULL. While `machine_refuses`,
 * all of their writes fail.
 */
extern bool machine_refuses;
void start_with_disks(uint64_t swap_pages, struct sim_disk **swap, uint64_t cache_pages,
		      struct sim_disk **cache);

/* Starts a user, and says whether it could. */
struct guest *begin_guest(enum vm_kind kind, uint64_t pages, uint64_t limit, bool writes);
struct guest *begin_guest_at(const struct vm_want *want);

/* Tells a user to do something; and waits until it is done. Checks what pages hold. */
void ask(struct guest *guest, enum guest_act act, uint64_t page, uint64_t count);
void wait_for(struct guest *guest);
void act(struct guest *guest, enum guest_act act, uint64_t page, uint64_t count);

/* Waits, at most some minutes, until it is so; fails with `what` else. */
void wait_until(bool (*is_so)(void), const char *what);
void wait_ns(uint64_t ns);

/* Waits until nothing moves. */
void settle(void);

/* Ends a user that has not ended, and forgets it. */
void end_guest(struct guest *guest);

/* All of the books agree with the frames, and no page is lost. Nothing moves. */
void assert_whole(void);

/* Nobody has anything any more, but for the cache's pages. */
void assert_empty(void);

/* Takes frames away until so many are free, and gives them back. */
void hold_all_but(uint64_t free);
void hold_none(void);

#endif
