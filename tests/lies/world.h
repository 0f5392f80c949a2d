/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world.c: a guest with a balloon driver and a simulated device, which can be
 * brought to any step of the balloon's life, on any kind of ring, and taken down
 * again. One at a time; what goes wrong in it fails the test that runs.
 */
#ifndef TESTS_LIES_WORLD_H
#define TESTS_LIES_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_balloon;
struct virtio_device;

/* How long a look at the clock takes. */
#define WORLD_LOOK_NS UINT64_C(20000)

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

extern struct sim_balloon world; /* the device */

/* Which one, for lies that have `each`; and whether there was one. */
extern unsigned world_nth;
extern bool world_had_nth;

/* Reserves the simulated RAM, once per program. Returns 0, or -1. */
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

/* Takes it all down where a device kept so much that no frame can be asked for. */
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

#endif
