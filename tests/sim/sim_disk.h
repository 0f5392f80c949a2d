/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks of drivers/block/block.h for host tests: contents in memory, and a task for each that
 * answers as it is told. Frames that a disk has are lent (tests/sim/sim_ram.h), so whoever
 * touches them meanwhile is found out, and none may be one that the processor still remembers
 * (tests/sim/sim_demand.h). Needs the tasks of tests/sim/sim_tasks.h.
 */
#ifndef TESTS_SIM_SIM_DISK_H
#define TESTS_SIM_SIM_DISK_H

#include "drivers/block/block.h"

#define SIM_DISK_PAGES_MAX 8192

enum sim_disk_order { SIM_DISK_FIRST_COME, SIM_DISK_LAST_COME };

/* How a disk is; may be changed at any time. */
struct sim_disk {
	uint64_t pages;
	bool read_only;
	unsigned room;	     /* requests at a time; 4 */
	uint64_t latency_ns; /* of each; 0: in the next turn of its task */
	bool held;	     /* it answers nothing until sim_disk_answer() */
	bool dead;	     /* nor then: after BLOCK_DEADLINE_NS it breaks */
	bool stuck;	     /* it cannot be reset, so what it had ends with -EBUSY */
	enum sim_disk_order order;
	/* Returns what a request ends with, 0 or -EIO; NULL: 0. Nothing is moved on an error. */
	int (*fails)(const struct block_request *request);
	/* Counts of requests, and the most pages of one since this was set to 0. */
	uint64_t reads, writes;
	unsigned read_pages_max, write_pages_max;
	uint8_t *bytes; /* what it holds */
};

/* Forgets all disks; their tasks are gone with the others. */
void sim_disk_reset(void);

/*
 * Plugs in a disk with this serial number; its contents are zeros. In a task, or before any
 * runs.
 */
struct sim_disk *sim_disk_plug(const char *serial, uint64_t pages);

/* Pulls it out: what it has ends, and its user is told. In a task. Its contents are gone. */
void sim_disk_pull(struct sim_disk *disk);

/* Breaks it: it stays where it is. In a task. */
void sim_disk_break(struct sim_disk *disk);

/* Has one that is held answer up to `count` requests, and waits until it has. In a task. */
void sim_disk_answer(struct sim_disk *disk, unsigned count);

/* Counts requests under way. */
unsigned sim_disk_in_flight(const struct sim_disk *disk);

/* Returns what block.h calls it. */
struct block_disk *sim_disk_block(struct sim_disk *disk);

#endif
