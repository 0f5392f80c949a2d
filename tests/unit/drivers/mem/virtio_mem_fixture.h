/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest with simulated virtio-mem devices, for tests of their driver: round by round, as
 * its tasks would go.
 */
#ifndef TESTS_UNIT_DRIVERS_MEM_VIRTIO_MEM_FIXTURE_H
#define TESTS_UNIT_DRIVERS_MEM_VIRTIO_MEM_FIXTURE_H

#include "tests/unit/drivers/mem/mem_fixture.h"

#include "drivers/mem/virtio_mem.h"
#include "drivers/mem/virtio_mem_internal.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_mem.h"
#include "tests/sim/sim_time.h"

#define REGION_BLOCKS 512
#define SIMS 9

#define MEM_OFFERED (VIRTIO_BIT(VIRTIO_F_VERSION_1) | 7)

extern struct sim_mem sims[SIMS];

/* What task_create() answers, and how often it was called. */
extern int fake_task_err;
extern unsigned fake_tasks;

/* Runs the task that was created last, as the scheduler would; returns when it ends. */
void run_task(void);

/* The first device, and what the driver has of it. */
#define sim (sims[0])
#define mem (&virtio_mem_devices[0])

/* Begins with an empty machine. Returns 0. */
int virtio_mem_set_up(void **state);

/* Ends it: the books are in order, no rule was broken, and the devices go. Returns 0. */
int virtio_mem_tear_down(void **state);

/*
 * Makes device i, with REGION_BLOCKS blocks of 2 MiB from REGION on, and those after it
 * behind that; not registered.
 */
void make_sim(size_t i);

/* Registers the first `count` devices, which were made, and starts the driver: as at boot. */
void boot_with(size_t count);

/* make_sim(0), boot_with(1), and nothing is left to be done. */
void start_one(void);

/* Does rounds of all devices until there is nothing to do at once. */
void settle(void);

/* Lets so much time pass, a look each 10 ms, with rounds as there is something to do. */
void wait_ns(uint64_t ns);

/* The host wants so many blocks of device 0; then settle(). */
void request(size_t blocks);

/* The driver and the frame map agree on this number of blocks of device 0. */
void expect_plugged_by_us(size_t blocks);

/* Device 0, the driver and the frame map agree on this number of blocks. */
void expect_plugged(size_t blocks);

/* The frame map is in order. */
void assert_books(void);

/* Tells whether device i is registered. */
bool is_there(size_t i);

/* Pulls device i out: gone, or while it still answers. */
void pull(size_t i, bool gone);

#endif
