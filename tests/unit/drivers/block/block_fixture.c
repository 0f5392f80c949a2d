/* SPDX-License-Identifier: BSD-2-Clause */
/* See block_fixture.h. */
#include "tests/unit/drivers/block/block_fixture.h"

#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/paging.h"
#include "mm/frame.h"

#define RUNS_MAX 64

struct sim_blk sims[SIMS];
struct block_disk *gone_disk;
unsigned gone_count;

static struct {
	pfn_t first;
	unsigned order;
} runs[RUNS_MAX];
static size_t run_count;

static bool world(void)
{
	bool any = false;

	for (size_t i = 0; i < SIMS; i++)
		if (sims[i].content)
			any |= sim_blk_turn(&sims[i], clock_ns());
	return any;
}

int block_set_up(void **state)
{
	(void)state;
	sim_frame_reset();
	sim_log_reset();
	sim_tasks_reset();
	sim_tasks_world = world;
	sim_tasks_step_ns = NS_PER_US;
	run_count = 0;
	gone_disk = NULL;
	gone_count = 0;
	block_start();
	return 0;
}

static void run(void *arg)
{
	const struct block_test *test = arg;

	test->run(NULL);
}

void block_run(void **state)
{
	sim_tasks_run(run, *state);
}

bool is_plugged(size_t i)
{
	struct virtio_device *device = virtio_devices();

	while (device && device != &sims[i].virtio.device)
		device = device->next;
	return device;
}

/* Whoever claimed one gives it back. */
static void end_all(void *arg)
{
	struct block_disk *disk;

	(void)arg;
	for (size_t i = 0; i < SIMS; i++) {
		if (is_plugged(i))
			pull(i, false);
	}
	while ((disk = block_disk(0)))
		block_release(disk);
	/* Tasks that have not run yet see that their disk is gone. */
	let_pass(NS_PER_MS);
}

int block_tear_down(void **state)
{
	(void)state;
	if (sim_tasks_abandoned())
		return 0;
	for (size_t i = 0; i < SIMS; i++)
		sims[i].virtio.slow_reset = 0;
	sim_tasks_step_ns = NS_PER_US;
	sim_tasks_run(end_all, NULL);
	assert_int_equal(sim_tasks_left(), 0);
	while (run_count-- > 0)
		frame_free(runs[run_count].first, (size_t)1 << runs[run_count].order, OWNER_HELD);
	for (size_t i = 0; i < SIMS; i++) {
		if (sims[i].content && sims[i].virtio.violation)
			fail_msg("the driver: %s", sims[i].virtio.violation);
		sim_blk_fini(&sims[i]);
	}
	assert_int_equal(sim_frame_in_use(), 0);
	return 0;
}

void make_sim(size_t i, uint64_t features, uint64_t pages)
{
	sim_blk_fini(&sims[i]);
	sim_blk_init(&sims[i], features, pages * FRAME_SIZE);
	snprintf(sims[i].virtio.device.address, sizeof(sims[i].virtio.device.address),
		 "0000:00:%02zx.0", i + 2);
}

void plug(size_t i)
{
	virtio_register(&sims[i].virtio.device);
}

void pull(size_t i, bool is_gone)
{
	sims[i].virtio.gone = is_gone;
	if (is_gone)
		virtio_gone(&sims[i].virtio.device);
	virtio_unregister(&sims[i].virtio.device);
}

struct block_disk *start_one(void)
{
	make_sim(0, SIM_BLK_OFFERED, SIM_PAGES);
	plug(0);
	assert_non_null(block_disk(0));
	return block_disk(0);
}

void let_pass(uint64_t ns)
{
	task_sleep_until(clock_ns() + ns);
}

pfn_t take_frames(unsigned order)
{
	pfn_t first;

	assert_true(run_count < RUNS_MAX);
	assert_int_equal(frame_alloc(order, OWNER_HELD, &first), 0);
	runs[run_count].first = first;
	runs[run_count++].order = order;
	return first;
}

void block_forget_runs(void)
{
	run_count = 0;
}

pfn_t shared_frame(void)
{
	return run_count > 0 ? runs[0].first : take_frames(0);
}

struct block_request make_request(bool write, uint64_t page, unsigned count, pfn_t first,
				  unsigned step)
{
	struct block_request request = { .write = write, .page = page, .count = count };

	for (unsigned i = 0; i < count && i < BLOCK_PAGES_MAX; i++)
		request.frames[i] = first + i * step;
	return request;
}

bool has_page(pfn_t pfn, uint64_t page)
{
	return memcmp(phys_to_virt(pfn_to_paddr(pfn)), sim.content + page * FRAME_SIZE,
		      FRAME_SIZE) == 0;
}

struct block_info info_of(const struct block_disk *disk)
{
	struct block_info info;

	block_info(disk, &info);
	return info;
}

void on_gone(struct block_disk *disk)
{
	gone_disk = disk;
	gone_count++;
}
