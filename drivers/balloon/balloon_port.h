/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract between the balloon's core and a port. The core decides how many
 * frames the host shall have, and which; a port knows how one hypervisor asks,
 * takes and gives back. A port includes this file, balloon_stats.h if its host wants
 * statistics, and nothing else of the core; the core knows no port. Two ports can be
 * attached at a time: each has a balloon of its own.
 *
 * A batch's life. Up to BALLOON_BATCHES are with the host; one more is kept for
 * memory pressure.
 *
 *	inflation				deflation
 *	free					balloon
 *	  | inflate(batch)			  | deflate(batch)
 *	  v					  v
 *	in-flight: the host has it		in-flight: the host has it
 *	  |- balloon_batch_return() -> free	  |- balloon_batch_return() -> balloon
 *	  |- balloon_batch_refuse() -> free	  |- balloon_batch_refuse() -> balloon
 *	  |			    or refused	  |
 *	  `- balloon_batch_answered() -> balloon  `- balloon_batch_answered() -> free
 *
 * The answer comes in the call, or later from take_finished(). A reset without an
 * answer: what is in-flight returns to where it came from. A host that chooses by
 * itself what it gives back does so by balloon_return_run(): balloon -> free.
 *
 * In-flight frames belong to nobody but the host. All is counted in frames; times are
 * clock_ns() values, but those named `awake` clock_awake_ns() values. Unless it says
 * otherwise, nothing here is called in an interrupt, and nothing waits. A port answers
 * input that is wrong with BALLOON_FAULT_RULES; the assertions in these functions are
 * about its own bugs.
 *
 *		virtio		VMware		Xen		Hyper-V
 *  target	level, config	level, polled	level, watch	given + what it still asks
 *  answers	later		in the call	in the call	in the call, ring permitting
 *  a batch	256 or 512 PFNs	512 entries of	512 frames, or	510 ranges, any length
 *				4K or 2M	blocks, by time
 *  refuses	-		single frames	the tail, or	-
 *						single frames
 *  deflates	its queue	unlock first	populate	only by balloon_return_run()
 *  reset	wants one	ALL_OURS, ever	keeps all	keeps all; channel rescinded:
 *							given up, until it is offered anew
 *  ranges	REPORTING	-		-		cold discard, in the call
 *  short_of	-		-		-		"that is all"
 */
#ifndef DRIVERS_BALLOON_BALLOON_PORT_H
#define DRIVERS_BALLOON_BALLOON_PORT_H

#include "drivers/balloon/balloon_settings.h"
#include "kernel/lib/types.h"
#include "kernel/task/task.h"
#include "mm/owner.h"

/* A host that has not answered a request for so long, while the guest ran, is given up. */
#define BALLOON_DEADLINE_NS (2 * NS_PER_S)

/* ---- What both sides speak of ---- */

/* Contiguous frames. */
struct frame_run {
	pfn_t first;
	uint64_t count;
};

#define BALLOON_BATCHES 8
#define BALLOON_BATCH_RUNS 512

/*
 * Frames on their way. The core's, and kept where no host can write: a port reads
 * it, while it has it. Runs are in the order in which they were chosen: ascending,
 * never touching each other. Either all are whole blocks, of which a run may have any
 * number, or there are no more than `batch_frames` frames.
 */
struct balloon_batch {
	size_t index; /* its number, 0 to BALLOON_BATCHES: a port may have a buffer each */
	struct balloon_batches *batches; /* the core's */
	bool deflates;
	uint64_t frames; /* in all runs */
	size_t run_count;
	struct frame_run run[BALLOON_BATCH_RUNS];
};

/* Why the host does not take a frame, or does not give it back. */
enum balloon_refusal {
	BALLOON_REFUSED_FRAME,	 /* never this one: pinned, or no RAM of the host's */
	BALLOON_REFUSED_ENOUGH,	 /* the target is reached, says the host */
	BALLOON_REFUSED_FOR_NOW, /* none at the moment: no memory, or at its limit */
	BALLOON_REFUSALS,
};

/*
 * X(constant, sentence): why the host is reset, or not used any more. A port says
 * the first four; the others are the core's findings.
 */
#define BALLOON_FAULTS(X) \
	X(BALLOON_OK, "it is well") \
	X(BALLOON_FAULT_RULES, "it answered what no host may answer") \
	X(BALLOON_FAULT_RESET_WANTED, "it asks for a reset") \
	X(BALLOON_FAULT_ALL_OURS, "it has forgotten the whole balloon") \
	X(BALLOON_FAULT_SILENT, "no answer within 2 s") \
	X(BALLOON_FAULT_SILENT_LENT, "no answer about frames that are needed") \
	X(BALLOON_FAULT_SILENT_WANTED, "no answer to a request for frames that are needed") \
	X(BALLOON_FAULT_RESTLESS, "it asks for one reset after the other") \
	X(BALLOON_FAULT_NO_RESET, "it asks for a reset and does not finish it") \
	X(BALLOON_FAULT_NO_RESTART, "it cannot be started again") \
	X(BALLOON_FAULT_NO_TASK, "no task for the balloon")

#define BALLOON_FAULT_CONSTANT(constant, sentence) constant,
enum balloon_fault { BALLOON_FAULTS(BALLOON_FAULT_CONSTANT) BALLOON_FAULT_COUNT };
#undef BALLOON_FAULT_CONSTANT

/* The terms agreed with the host: asked for after each start, and for each new strategy. */
struct balloon_terms {
	pfn_t pfn_limit;	     /* no frame from here on is given; PFN_NONE: any may be */
	bool deflate_on_oom;	     /* memory in need comes back unasked: InflatedFree */
	bool needs_turns;	     /* this processor must rest now and then, for the host */
	enum balloon_strategy best;  /* what BALLOON_AUTO means; not AUTO itself */
	size_t batches;		     /* with the host at a time; 1 to BALLOON_BATCHES */
	uint64_t batch_frames;	     /* single frames in one; 1 to BALLOON_BATCH_RUNS */
	uint64_t batch_block_frames; /* whole blocks in one, if there are; less than
				      * BLOCK_FRAMES, then a divisor of it and not more than
				      * batch_frames: a block takes several. More than
				      * batch_frames: they come back as such, too */
	size_t batch_runs;	     /* runs of whole blocks in one; 1 to BALLOON_BATCH_RUNS */
	size_t ranges;		     /* in a call of send_ranges(), up to BALLOON_RANGES;
				      * 0: the host takes none */
	uint64_t range_blocks;	     /* in all ranges of a call */
};

#define BALLOON_RANGES 512

/* ---- What a port supplies ---- */

/* `ranges_need`, and after inflate() an operation, may be NULL, where a port has no such thing. */
struct balloon_port {
	const char *name; /* "virtio" */
	/* For people: what would make this host take ranges; NULL: nothing would. */
	const char *ranges_need;
	/* After a reset() or give_up() with 0 the host has nothing, and the balloon is empty. */
	bool reset_empties;
	/*
	 * From reset to running: the host may ask from now on. -ENODEV, -ENOTSUP, -EIO,
	 * -ENOMEM, -ETIMEDOUT: it cannot, which the port has logged; nothing is kept.
	 */
	int (*start)(void);
	/* Describes what was agreed; `strategy` may be BALLOON_AUTO. After start(). */
	void (*terms)(enum balloon_strategy strategy, struct balloon_terms *terms);
	/*
	 * Ends it; may sleep. 0: what the host had is ours. -EIO: the host is gone, and so
	 * it is ours, too. -ETIMEDOUT: the host may still use all that it has. -EBUSY: nothing
	 * is under way, but it has what is in the balloon, and only deflate() brings that back.
	 */
	int (*reset)(void);
	/*
	 * Nothing is expected of the host any more: reset() with its results, and a line
	 * in the log. `*why` is the core's sentence; a port that knew an earlier reason
	 * stores that. A person may want it tried again: by reset(), then start().
	 */
	int (*give_up)(const char **why);
	/*
	 * Takes all that the host has finished: calls balloon_batch_answered(),
	 * balloon_ranges_answered(), balloon_return_run(). BALLOON_FAULT_RULES: the host broke
	 * the protocol. BALLOON_FAULT_ALL_OURS: it has no frame any more and knows of no
	 * batch; start() comes next, without reset().
	 */
	enum balloon_fault (*take_finished)(void);
	/*
	 * Stores how many frames the host wants to have, if it has `given` (or will have them,
	 * when all batches are answered): a level, or `given` and what it asks for on top, less
	 * what it wants to be rid of. BALLOON_FAULT_RESET_WANTED: it wants to be reset first; what
	 * is in the balloon stays there. BALLOON_FAULT_ALL_OURS: see above.
	 */
	enum balloon_fault (*read_target)(uint64_t given, uint64_t *target);
	/*
	 * Offers a batch. 0: it is with the host, or was answered already. -EAGAIN: no room
	 * now, ask again when something was answered. -EIO: not now and not later;
	 * take_finished() says why. After an error no frame of the batch may have been
	 * answered or refused, and the host does not have it.
	 */
	int (*inflate)(struct balloon_batch *batch);
	/* Does so for the other direction. NULL: only balloon_return_run() brings frames back. */
	int (*deflate)(struct balloon_batch *batch);
	/*
	 * Tells how many whole blocks the next batch may have, 1 or more, where that follows from
	 * how long the last one took; never more than batch_block_frames has. NULL: as many.
	 */
	uint64_t (*batch_blocks)(bool deflates);
	/* Lets the host see what was offered, once for several batches. */
	void (*kick)(void);
	/*
	 * Offers ranges of whole blocks for the host to discard, until
	 * balloon_ranges_answered(): then, or in this call. -EAGAIN, -EIO as for inflate();
	 * -ENOTSUP: it takes none, whatever was agreed, and is offered none until the next start.
	 */
	int (*send_ranges)(const struct frame_run *ranges, size_t count);
	/* So many frames of the target cannot be had now: a host that asks by deltas is told. */
	void (*short_of)(uint64_t frames);
	/* So many frames are in the balloon; after each start, and when that has changed. */
	void (*write_actual)(uint64_t actual);
	/*
	 * When the oldest request without an answer was sent that is about neither batches
	 * nor ranges; DEADLINE_NEVER: there is none. Of a port with reclaim() memory in need
	 * waits for the answer.
	 */
	uint64_t (*sent_awake)(void);
	/* The latest moment for a look at the host without any news; DEADLINE_NEVER: none. */
	uint64_t (*next_look)(void);
	/* Whether take_finished() or read_target() would find something new. Interrupts are off. */
	bool (*has_news)(void);
	/*
	 * Whether the host should interrupt when it has news. The host can see the wish
	 * before has_news() looks for the last time.
	 */
	void (*want_interrupts)(bool wanted);
	/* Whether the host asks for a reset, and owes no answers: asked before it is given up. */
	bool (*wants_reset)(void);
	/*
	 * Does what only this port does, once a round; at least `floor` frames stay free.
	 * Returns whether another call would find something to do at once.
	 */
	bool (*work)(uint64_t floor);
	/*
	 * Memory is short: frees what the port alone has lent, and the host has returned. If
	 * that is too little it is called again and again, each time after take_finished().
	 */
	void (*reclaim)(void);
	/* Another host comes: counts begin anew. Before the first start(). */
	void (*forget)(void);
	/* Lines of the command `balloon`: what this port alone moves; what was negotiated. */
	void (*print_traffic)(void);
	void (*print_features)(void);
};

/* ---- What the core offers to ports ---- */

/*
 * Starts the hypervisor's device, which is there, and the balloon's task; after
 * balloon_init(). `waiters` is woken by the port whenever there is news, from its
 * interrupts too; NULL: there never is, it is polled. A host of this port that was given up
 * goes first, and one of another port if there is no other place. -EBUSY: this port, or BALLOONS
 * others, are attached and in use, or about to be; -ENOMEM, -EAGAIN: no task; else start()'s
 * errors.
 */
int balloon_attach(const struct balloon_port *port, struct wait_queue *waiters);

/* Tells whether this port is attached: in use, or given up. */
bool balloon_is_attached(const struct balloon_port *port);

/*
 * Tries a host that was given up once more, by a port, which is attached, that knows it to be there
 * again: as a person's `balloon retry`. Returns what balloon_retry() does (balloon.h).
 */
int balloon_resume(const struct balloon_port *port);

/*
 * Lets the port's device go, if it is attached. While it answers, all its frames are taken
 * back first, which may sleep; then it is reset, and whatever it had is free again, unless
 * reset() says that the host keeps it: then that is in-flight for ever.
 */
void balloon_detach(const struct balloon_port *port);

/*
 * Refuses frames of a batch that the host has: they go back to where they
 * came from (one that is REFUSED_FRAME on inflation is set aside until the target
 * is reached, or another, or memory is needed). The frames must be the batch's, in
 * its order, and above those that were refused before; those in between arrive.
 */
void balloon_batch_refuse(struct balloon_batch *batch, pfn_t first, uint64_t count,
			  enum balloon_refusal why);

/*
 * Returns frames of a batch that the host was not asked for after all, as its answers have taken
 * long: they go back to where they came from, and are offered again. Otherwise as for
 * balloon_batch_refuse(). Not of all of a batch: some frames must arrive or be refused.
 */
void balloon_batch_return(struct balloon_batch *batch, pfn_t first, uint64_t count);

/* Ends a batch that the host has answered: its frames arrive, except those refused or returned. */
void balloon_batch_answered(struct balloon_batch *batch);

/* After a refusal that was about no single frame the host is left alone, more and more long. */
#define BALLOON_PAUSE_MIN_NS NS_PER_S
#define BALLOON_PAUSE_MAX_NS (32 * NS_PER_S)

/* How a host that refuses is asked again. */
struct balloon_tries {
	uint64_t count;	   /* this is so many-th try since there was progress: from 1 on */
	uint64_t pause_ns; /* before it; before the next one, if this is the first */
};

/* Stores which try the next one of this port's host is. */
void balloon_get_tries(const struct balloon_port *port, struct balloon_tries *tries);

/* Stores how often memory in need had frames back unasked, and how many, since the start. */
void balloon_get_taken_back(const struct balloon_port *port, uint64_t *events, uint64_t *frames);

/* Counts the frames that are in this port's balloon. */
uint64_t balloon_frames_of(const struct balloon_port *port);

/* Ends the ranges that the last send_ranges() was given: the host is done with them. */
void balloon_ranges_answered(const struct frame_run *ranges);

/*
 * Frees frames that the port's host gives back by its own choice. -EINVAL: there are none, or one
 * of them is not in its balloon, and nothing has changed.
 */
int balloon_return_run(const struct balloon_port *port, pfn_t first, uint64_t count);

/* Frames freed at once, before others run: 64 MiB. */
#define BALLOON_FREE_FRAMES (64 * MIB / FRAME_SIZE)

/* Frees up to BALLOON_FREE_FRAMES frames of an owner; returns whether it may have more. */
bool balloon_free_some(enum owner owner);

/* Frees all frames of an owner. Others run in between: nobody may give it frames then. */
void balloon_free_all(enum owner owner);

/*
 * Frees at least so many of what balloon_free_all() has not come to yet, if there is as
 * much, for an allocation in between; returns how many.
 */
uint64_t balloon_free_in_need(uint64_t frames);

/* Tells whether freed frames are filled with a byte, and stores which. */
bool balloon_poison(uint8_t *byte);

#endif
