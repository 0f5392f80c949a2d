/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The soak: what needs many repetitions, with the real image under QEMUs whose
 * balloon answers later than in the call (10 and later). Guests that stand still in the
 * middle of a wait, and random targets with moves of the running guest among them.
 *
 * main.c: the jobs, a process each, and what came of them.
 * turn.c: how many guests run at a time.
 * guest.c: one guest, whose memory we have mapped, too.
 * image.c: where in its memory the guest keeps what.
 * ring.c: what is in flight, seen in that memory.
 * wait.c: the kinds of waits: what begins each, and what must be right after it.
 * stop.c: SIGSTOP in the middle of one.
 * move.c: targets and moves.
 */
#ifndef TESTS_SOAK_SOAK_H
#define TESTS_SOAK_SOAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MIB (UINT64_C(1) << 20)
#define FRAME UINT64_C(4096)

/* Of one job; plain data, in memory that all processes share. */
struct tally {
	unsigned wanted;
	unsigned counted;  /* stops with a request in flight; targets that were set */
	unsigned attempts; /* stops, those that came too early or too late, too */
	unsigned moves;	   /* that were begun */
	unsigned lost;	   /* devices given up, or anything else that was not right then */
	bool ended;	   /* all that was wanted was done */
	char why[400];	   /* the last thing that was not right */
};

struct guest {
	struct vm *vm; /* NULL: none runs */
	struct tally *tally;
	const char *name;
	uint8_t *ram; /* NULL: not mapped */
	uint64_t size;
	int traces[2]; /* a pipe for QEMU's traces; -1: none */
};

/* How to start a guest: words of tools/run.sh, NULL for its default. */
struct plan {
	const char *mem;
	uint64_t size; /* the same in bytes */
	const char *balloon;
	const char *extra;
	const char *append;
	const char *trace; /* events that QEMU writes into a pipe of ours */
	bool mapped;
};

/* ---- turn.c ---- */

/* Makes the turns; before any process is forked. */
void turn_prepare(void);

/*
 * Waits for a turn, and gives it back. Who has one may have a guest that works; guests
 * of others stand still or are idle.
 */
void turn_take(void);
void turn_give(void);

/* Gives the turn back for so long: the guest is idle, and we wait for its clock. */
void turn_rest(unsigned ms);

/* ---- guest.c ---- */

/* Leaves the sentence in the tally, in front of it the guest's name; returns -EPROTO. */
__attribute__((format(printf, 2, 3))) int guest_wrong(struct guest *guest, const char *format, ...);

/*
 * Starts a guest and, unless it waits for a migration, waits for its prompt. The log is
 * NAME.serial in the folder for logs. -EPROTO: see the tally.
 */
int guest_start(struct guest *guest, const struct plan *plan);

/* Ends it; one that is not there is none to end. With `keep` its log gets a name for good. */
void guest_end(struct guest *guest, bool keep);

/* Fills the pipe, so that QEMU stands still in its next trace; and empties it. */
void guest_hold_traces(struct guest *guest);
void guest_take_traces(struct guest *guest);

/* Types a line; its answer must contain `wanted`. -EPROTO: see the tally. */
int guest_says(struct guest *guest, const char *line, const char *wanted);

/* Types a line, and leaves the answer to guest_answers(). -EPROTO: see the tally. */
int guest_type(struct guest *guest, const char *line);

/* Waits for the answer to the line typed last; it must contain `wanted`. -EPROTO. */
int guest_answers(struct guest *guest, const char *line, const char *wanted);

/* Types a line, and reads from its answer the number after `label`. -EPROTO: see the tally. */
int guest_number(struct guest *guest, const char *line, const char *label, uint64_t *number);

/* Sends a target of `bytes` taken, and does not wait. -EPROTO: see the tally. */
int guest_target(struct guest *guest, uint64_t bytes);

/* Sends the target, and waits until QMP says that it is reached. -EPROTO: see the tally. */
int guest_take(struct guest *guest, uint64_t bytes);

/* guest_take() without sending it again. -EPROTO: see the tally. */
int guest_arrives(struct guest *guest, uint64_t bytes);

/* Has the guest tell its log what led to this; whether it answers or not. */
void guest_tell(struct guest *guest);

/* Checks that the balloon was not given up. -EPROTO: it was; see the tally. */
int guest_balloon_lives(struct guest *guest);

/* Polls the statistics each so many seconds, the first time at once; 0: not at all. -EPROTO. */
int guest_poll_statistics(struct guest *guest, int seconds);

/* ---- ring.c ---- */

/* Where a queue's parts lie in the guest's memory. */
struct ring {
	bool packed;
	uint64_t desc, avail, used, entries; /* avail, used: of a split one */
};

/* Finds a queue of the balloon, packed or split; -EPROTO: see the tally. */
int ring_find(struct guest *guest, unsigned queue, bool packed, struct ring *ring);

/*
 * Tells whether the device owes an answer: a chain was offered and not yet returned. In a
 * packed queue a chain must have one descriptor.
 */
bool ring_in_flight(const struct guest *guest, const struct ring *ring);

/*
 * Tells whether either side owes something on a queue whose one chain the device keeps
 * until it wants an answer: the guest, to which it was returned, or the device, which
 * has not yet looked at what the guest offered (EVENT_IDX shows how far it has looked).
 * A split queue's.
 */
bool ring_is_asked(const struct guest *guest, const struct ring *ring);

/*
 * Writes what no driver would into the available ring, and notifies the device in the
 * guest's place: QEMU then wants a reset. The ring must be at rest, and be the one of
 * queue 0 of a transitional device. -EPROTO: see the tally.
 */
int ring_upset(struct guest *guest, const struct ring *ring);

/* ---- image.c ---- */

/* Gives the address of a symbol of the kernel; ends the program if there is none. */
uint64_t image_symbol(const char *name);

/* ---- wait.c ---- */

/* One kind of wait. The functions' errors are those of guest_says(). */
struct wait {
	const char *name;
	struct plan plan;
	int queue; /* -1: none */
	/* Brings the guest to where it can begin, and begins: a request will be sent. */
	int (*prepare)(struct guest *guest);
	int (*begin)(struct guest *guest);
	/* Whether one is in flight now; anything that lies in the guest's memory. */
	bool (*in_flight)(const struct guest *guest, const struct ring *ring);
	/* What was begun has ended, and all is right. */
	int (*finish)(struct guest *guest, const struct wait *wait, const struct ring *ring);
	unsigned window_ms; /* from the beginning on, in which there may be a request */
	unsigned phase_us;  /* how long after the first request the stop may come */
	bool packed;	    /* the queue */
};

extern const struct wait waits[];
extern const size_t wait_count;

/* Reads from the kernel's image where it keeps what waits look at; exits if it does not. */
void wait_prepare(void);

/* ---- stop.c, move.c ---- */

/* The job's whole life, in a process of its own; QEMU is in the environment. */
void stop_run(const struct wait *wait, const char *name, struct tally *tally);
void move_run(const char *name, struct tally *tally);

#endif
