/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest with simulated disks, for tests of their driver: tests are tasks among the driver's
 * own, and disks work when no task can run.
 */
#ifndef TESTS_UNIT_DRIVERS_BLOCK_BLOCK_FIXTURE_H
#define TESTS_UNIT_DRIVERS_BLOCK_BLOCK_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "drivers/block/block_internal.h"
#include "tests/sim/sim_blk.h"
#include "tests/sim/sim_frame.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_tasks.h"

/* One more than the driver takes. */
#define SIMS (BLOCK_DISKS_MAX + 1)
#define SIM_PAGES 256

extern struct sim_blk sims[SIMS];

/* The first device. */
#define sim (sims[0])

/* A test that runs as a task, and its setup and teardown, for cmocka. */
struct block_test {
	void (*run)(void **state);
};

/* Begins with a guest without disks. Returns 0. */
int block_set_up(void **state);

/* Ends it: disks go, no rule was broken, and no frame is lost. Returns 0. */
int block_tear_down(void **state);

/* Runs the struct block_test in *state as a task. */
void block_run(void **state);

#define BLOCK_TEST(name) \
	{ \
#name, block_run, block_set_up, block_tear_down, &(struct block_test) \
		{ \
			name \
		} \
	}

/* Makes device i anew, with features besides VERSION_1's and pages of data; not registered. */
void make_sim(size_t i, uint64_t features, uint64_t pages);

/* Plugs device i in; out, with a warning to the driver or, if it is `gone`, without. */
void plug(size_t i);
void pull(size_t i, bool is_gone);
bool is_plugged(size_t i);

/* Makes disk 0 as QEMU does, of SIM_PAGES, and plugs it in. Returns it. */
struct block_disk *start_one(void);

/* Lets other tasks and the devices run for so long. */
void let_pass(uint64_t ns);

/* A run of frames for data. Given back at the end. */
pfn_t take_frames(unsigned order);

/* Forgets all runs: all frames were made free. */
void block_forget_runs(void);

/* One for data that nobody looks at. */
pfn_t shared_frame(void);

/* A request for pages from `page` on, to frames that are neighbours, or two apart. */
struct block_request make_request(bool write, uint64_t page, unsigned count, pfn_t first,
				  unsigned step);

/* Tells whether a frame has what is on page `page` of device 0. */
bool has_page(pfn_t pfn, uint64_t page);

/* What people are told of a disk. */
struct block_info info_of(const struct block_disk *disk);

/* The last disk of which block_claim()'s callback told that it is gone, and how often. */
extern struct block_disk *gone_disk;
extern unsigned gone_count;
void on_gone(struct block_disk *disk);

#endif
