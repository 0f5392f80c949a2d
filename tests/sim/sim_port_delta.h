/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hypervisor that asks by deltas, as Hyper-V: "so many more". It answers batches
 * when the test says so, gives back runs that it has chosen by itself (some of them
 * wrong on purpose), takes ranges of blocks to discard, and wants no frame to be
 * asked back. What the guest offers it sees at a kick. Its channel may be rescinded
 * at any time: balloon_detach().
 */
#ifndef TESTS_SIM_SIM_PORT_DELTA_H
#define TESTS_SIM_SIM_PORT_DELTA_H

#include "tests/sim/sim_host.h"

#define SIM_PORT_DELTA_MESSAGES 16
#define SIM_PORT_DELTA_RANGES 32

/* Frames that it gives back, and whether that is right. */
struct sim_port_delta_message {
	struct frame_run run;
	bool right;
};

struct sim_port_delta {
	struct sim_host host;
	struct balloon_terms terms;
	uint64_t asked; /* frames that it wants on top, and was not offered */

	/* How it behaves. */
	bool at_once;	     /* it answers a batch at the kick; else when it is told to */
	bool ranges_late;    /* ranges are answered when it is told to; else in the call */
	size_t room;	     /* batches that it takes at a time */
	uint64_t owed_awake; /* sent_awake(): something else was sent then */
	int start_err;
	int reset_err;
	enum balloon_fault fault; /* what take_finished() says next, once */

	/* Batches, the oldest first: answered, seen, posted. */
	struct balloon_batch *queue[BALLOON_BATCHES + 1];
	size_t answered, seen, posted; /* how many up to there */
	struct frame_run lent[SIM_PORT_DELTA_RANGES];
	size_t lent_count;
	bool lent_answered;
	struct sim_port_delta_message message[SIM_PORT_DELTA_MESSAGES];
	size_t message_count;
	bool changed; /* what it asks for, since it was read last */
	struct wait_queue waiters;

	/* What happened. */
	bool running;
	bool interrupts;
	uint64_t asked_ever, got, returned, short_told; /* frames */
	uint64_t short_calls, wrong_refused;		/* times */
	uint64_t batches, largest;			/* frames in one */
	uint64_t range_calls, ranges_seen;
	uint64_t starts, resets;
};

extern struct sim_port_delta sim_delta;

/* A host that wants nothing, and answers when it is told to. */
void sim_port_delta_init(void);

/* Returns its port, for balloon_attach(). */
const struct balloon_port *sim_port_delta(void);

/* It wants so many frames more. */
void sim_port_delta_ask(uint64_t frames);

/* It answers up to `count` batches that it has seen. Returns how many. */
size_t sim_port_delta_answer(size_t count);

/* It is done with the ranges that it was lent, if it was. */
void sim_port_delta_answer_ranges(void);

/*
 * It gives frames back: of its own, or not. `right` is what it knows itself. False: it
 * has as many messages under way as it may.
 */
bool sim_port_delta_return(pfn_t first, uint64_t count, bool right);

/* Frames that it has given back, and the guest does not know. */
uint64_t sim_port_delta_returning(void);

/* Frames in batches that are not answered, or not yet found so. */
uint64_t sim_port_delta_on_the_way(void);

#endif
