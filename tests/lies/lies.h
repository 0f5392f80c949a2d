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
 * world.c: the guest, the device, and bringing both to a step (world.h).
 * machine.c: the PCI bus between them.
 */
#ifndef TESTS_LIES_LIES_H
#define TESTS_LIES_LIES_H

#include "tests/lies/world.h"
#include "tests/sim/sim_balloon.h"
#include "tests/sim/sim_pci.h"
#include "tests/sim/sim_virtio_pci.h"

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
	/* Requests stay without an answer. */
	bool forgets;
	bool retried; /* its end is `balloon retry` */
};

extern const struct lie ring_lies[], time_lies[], config_lies[], setup_lies[], pci_lies[],
	memory_lies[];
extern const size_t ring_lie_count, time_lie_count, config_lie_count, setup_lie_count,
	pci_lie_count, memory_lie_count;

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
