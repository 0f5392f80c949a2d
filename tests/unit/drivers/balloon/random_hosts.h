/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hosts of balloon_ports_random_test.c and balloon_vacate_random_test.c, which do at random
 * what their kind may do, and hold their own counts against the guest's.
 */
#ifndef TESTS_UNIT_DRIVERS_BALLOON_RANDOM_HOSTS_H
#define TESTS_UNIT_DRIVERS_BALLOON_RANDOM_HOSTS_H

#include "kernel/lib/types.h"
#include "tests/sim/sim_ram.h"

/* A part of the RAM, which is counted anew after each step. */
#define FIRST (SIM_RAM_START / FRAME_SIZE)
#define FRAMES (24 * MIB / FRAME_SIZE)

/* Numbers from 0 on: the same sequence on every system, after the same seed. */
void random_begin(uint64_t seed);
uint64_t below(uint64_t n);
bool one_in(uint64_t n);

/* One kind of host, and what it may do. */
struct random_host {
	bool deltas;	     /* it asks for more; else it has a target */
	bool returns_at_oom; /* memory in need comes back unasked */
	/* A new one is there, and is started; and it goes, in mid-flight. */
	void (*plug)(void);
	void (*unplug)(void);
	/* It wants so many frames, or so many more. */
	void (*want)(uint64_t frames);
	/* It does something by itself: answers, refuses, gives back, forgets. */
	void (*act)(void);
	/* It answers all that it owes. Returns how much that was. */
	uint64_t (*answer)(void);
	/* It does so now, and until this is called with false answers everything at once. */
	void (*answer_at_once)(bool wanted);
	/* From now on it refuses nothing. */
	void (*behave)(void);
	/* Whether it has this frame, whatever the guest knows. */
	bool (*has)(pfn_t pfn);
	/* Whether it has given frames back, and the guest has not heard of it. */
	bool (*is_ahead)(void);
	/* Whether there is a reason that no memory came back, since it answers at once. */
	bool (*excuses)(void);
	/* Fails if its counts are not the guest's: at any time; when nothing is under way. */
	void (*check)(void);
	void (*check_rest)(void);
	/* Fails if the walks have not shown what this kind is for. */
	void (*check_walk)(void);
};

enum {
	RANDOM_HOST_REFUSES, /* single frames, and forgets everything */
	RANDOM_HOST_HAS_NO_MEMORY,
	RANDOM_HOST_ASKS_BY_DELTAS,
	RANDOM_HOST_VIRTIO,
	RANDOM_HOSTS,
};

extern const struct random_host random_hosts[RANDOM_HOSTS];

/* random_xen.c: one that is not in the table, as not all programs have it. */
extern const struct random_host random_xen;

/* Before the first walk with one of them. */
void random_begin_walks(void);

#endif
