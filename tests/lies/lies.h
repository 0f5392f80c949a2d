/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that lie. Each lie is a line in a table: a name, which is a sentence
 * about the device, and a function that tells it. The runner (main.c) tells
 * every one of them at every step of the balloon's life, on every kind of
 * ring, and then wants to see:
 *
 *	an end		within seconds of simulated time
 *	the ledger	whole, by a count of every frame
 *	nobody		touches a frame that the device may own: that memory is
 *			poisoned, and the address sanitizer watches
 *	a line		in the log, if the device was given up
 *	recovery	once the device behaves: a target is reached, at once or
 *			after it was found anew; and at the end all frames are free
 *
 * ring_lies.c, time_lies.c, config_lies.c, setup_lies.c, pci_lies.c,
 * memory_lies.c: the tables.
 * world.c: the guest, the device, and bringing both to a step.
 * machine.c: the PCI bus between them.
 */
#ifndef TESTS_LIES_LIES_H
#define TESTS_LIES_LIES_H

#include "tests/sim/sim_balloon.h"
#include "tests/sim/sim_pci.h"
#include "tests/sim/sim_virtio_pci.h"

/* Where in its life the balloon is told the lie. */
enum step {
	STEP_START, /* before the driver sees the device */
	STEP_IDLE,
	STEP_INFLATE, /* buffers are with the device */
	STEP_DEFLATE,
	STEP_RANGES,  /* blocks leave as ranges */
	STEP_REPORT,  /* free blocks are being reported */
	STEP_STATS,   /* the host has asked, and got an answer */
	STEP_HINT,    /* in mid-round */
	STEP_RECLAIM, /* memory has run out, and the balloon is asked */
	STEP_RECOVER, /* the device asks for a reset */
	STEP_REMOVE,  /* the device is about to be unplugged */
	STEP_COUNT,
};

extern const char *const step_names[STEP_COUNT];

#define ANY_STEP 0

/* One kind of ring, by the features that are offered; and a place for the device. */
struct ring {
	const char *name;
	bool legacy;
	bool bridged;	  /* the device is behind a bridge */
	unsigned vectors; /* of its MSI-X table; 0: it has none */
	uint64_t features;
};

extern const struct ring rings[];
extern const size_t ring_count;

struct lie {
	const char *name;
	void (*tell)(struct sim_balloon *sim);
	/* For what needs more than world_behave() to end; or NULL. */
	void (*end)(struct sim_balloon *sim);
	/*
	 * It is about the n-th of something: told again and again for world_nth = 0,
	 * 1, ..., until there was no n-th any more.
	 */
	bool each;
	unsigned only; /* steps, as bits; or ANY_STEP */
	bool packed_only, split_only, modern_only;
	/*
	 * The device's own books are wrong as well, as what it read was not what
	 * the driver wrote: only the guest's are looked at.
	 */
	bool blind;
	bool must_break; /* the driver must not believe this */
	bool must_go_on; /* nothing that a device may not do: it must stay in use */
};

extern const struct lie ring_lies[], time_lies[], config_lies[], setup_lies[], pci_lies[],
	memory_lies[];
extern const size_t ring_lie_count, time_lie_count, config_lie_count, setup_lie_count,
	pci_lie_count, memory_lie_count;

/* ---- The world ---- */

extern struct sim_balloon world;

/* Which one, for lies that have `each`; and whether there was one. */
extern unsigned world_nth;
extern bool world_had_nth;

/* Once per program; 0, or -1. */
int world_reserve(void);

/* A fresh guest and a fresh device that has lied to nobody; no driver yet. */
void world_begin(const struct ring *ring, bool blind);

/* False: this step cannot be reached on this ring. */
bool world_bring_to(enum step step);

/* What begins with this step happens now, and then some seconds pass. */
void world_go_on(enum step step);

/* From now on the device does as it should. */
void world_behave(void);

/* Each of these fails the test if it is not so; `when` is for the message. */
void world_check_books(const char *when);
void world_check_recovery(void);

/* Takes it all down; every frame must be free. */
void world_end(void);

/* The same, where a device kept so much that nothing can be asked. */
void world_stop(void);

/* Takes it down after a failure, and asks nothing. */
void world_abandon(void);

/* The driver has given the device up. */
bool world_is_broken(void);

/* A queue that has something in flight at this step; else the inflate queue. */
unsigned world_busy_queue(void);

/* Lines of warning since world_begin(). */
unsigned world_warnings(void);

/* What the driver sees of the device; NULL: nothing. */
struct virtio_device *world_device(void);

/* The machine is another: what is plugged in is pulled out first. For a lie's end. */
void world_rebuild(struct sim_balloon *sim);

/* ---- The machine ---- */

struct machine {
	const struct ring *ring;
	struct sim_pci_function *function;
	struct sim_pci_function *bridge; /* before it; or NULL */
	struct sim_virtio_pci *registers;
	unsigned accesses_left; /* until the device is gone; 0: it stays */
};

extern struct machine machine;

/* A machine with the device in it, as a firmware might leave it: nothing has addresses. */
void machine_build(const struct ring *ring);

/* The device is pulled out: it has and answers nothing. And back, as it was. */
void machine_pull(void);
void machine_put_back(void);

/* All that is there is looked for, and virtio's are given to their drivers. */
void machine_plug(void);
void machine_unplug(void);

/* There is a function that says that it is a balloon. */
bool machine_is_seen(void);

/* No allocation fails any more that could succeed. */
void memory_is_back(void);

#endif
