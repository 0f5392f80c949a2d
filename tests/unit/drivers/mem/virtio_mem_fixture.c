/* SPDX-License-Identifier: BSD-2-Clause */
/* See virtio_mem_fixture.h. */
#include "tests/unit/drivers/mem/virtio_mem_fixture.h"

#include <stdio.h>

#include "arch/clock.h"

struct sim_mem sims[SIMS];
int fake_task_err;
unsigned fake_tasks;

/* A driver that goes on for ever is one that goes round. */
#define ROUNDS_MAX 5000

static void (*task_fn)(void *arg);
static void *task_arg;

void run_task(void)
{
	task_fn(task_arg);
}

int task_create(const char *name, enum task_priority priority, void (*fn)(void *), void *arg)
{
	task_fn = fn;
	task_arg = arg;
	assert_string_equal(name, "virtio-mem");
	assert_int_equal(priority, TASK_PRIORITY_DRIVER);
	fake_tasks++;
	return fake_task_err;
}

static void on_map(pfn_t pfn, size_t blocks, bool mapped)
{
	for (size_t i = 0; i < SIMS; i++)
		if (sims[i].is_mapped)
			sim_mem_map(&sims[i], pfn_to_paddr(pfn), blocks * BLOCK_SIZE, mapped);
}

int virtio_mem_set_up(void **state)
{
	(void)state;
	mem_fixture_boot();
	block_tables.on_map = on_map;
	fake_task_err = 0;
	fake_tasks = 0;
	virtio_mem_start();
	return 0;
}

void assert_books(void)
{
	char verdict[LEDGER_VERDICT_MAX];

	if (!ledger_audit(verdict))
		fail_msg("%s", verdict);
	assert_int_equal(ledger_refused(), 0);
}

bool is_there(size_t i)
{
	struct virtio_device *device = virtio_devices();

	while (device && device != &sims[i].virtio.device)
		device = device->next;
	return device;
}

void pull(size_t i, bool gone)
{
	sims[i].virtio.gone = gone;
	if (gone)
		virtio_gone(&sims[i].virtio.device);
	virtio_unregister(&sims[i].virtio.device);
}

int virtio_mem_tear_down(void **state)
{
	(void)state;
	sim_time_on_wait = NULL;
	assert_books();
	for (size_t i = 0; i < SIMS; i++) {
		if (!sims[i].is_mapped)
			continue;
		sims[i].virtio.slow_reset = 0;
		sims[i].blind = true; /* it goes with what it has */
		if (is_there(i))
			pull(i, false);
		if (sims[i].virtio.violation)
			fail_msg("the driver: %s", sims[i].virtio.violation);
		sim_mem_fini(&sims[i]);
	}
	mem_fixture_forget_sources();
	return mem_fixture_tear_down(state);
}

void make_sim(size_t i)
{
	paddr_t addr = pfn_to_paddr(REGION + i * REGION_BLOCKS * B);

	if (sims[i].is_mapped)
		sim_mem_fini(&sims[i]);
	sim_mem_init(&sims[i], MEM_OFFERED, addr, REGION_BLOCKS * BLOCK_SIZE, BLOCK_SIZE);
	snprintf(sims[i].virtio.device.address, sizeof(sims[i].virtio.device.address),
		 "0000:00:%02zx.0", i + 2);
}

void boot_with(size_t count)
{
	for (size_t i = 0; i < count; i++)
		virtio_register(&sims[i].virtio.device);
	virtio_mem_begin();
}

void start_one(void)
{
	make_sim(0);
	boot_with(1);
	settle();
}

static bool step_all(void)
{
	bool more = false;

	for (size_t i = 0; i < VIRTIO_MEM_DEVICES; i++)
		more |= virtio_mem_step(&virtio_mem_devices[i]);
	return more;
}

void settle(void)
{
	unsigned rounds = 0;

	/* If each look shows another wish, there is always something to do. */
	while (step_all() && !(sim.virtio.restless && rounds > 50))
		if (++rounds > ROUNDS_MAX)
			fail_msg("the driver goes round and round");
}

void wait_ns(uint64_t ns)
{
	uint64_t end = clock_ns() + ns;

	settle();
	while (clock_ns() < end) {
		for (size_t i = 0; i < VIRTIO_MEM_DEVICES; i++)
			if (virtio_mem_devices[i].running)
				virtio_mem_wait(&virtio_mem_devices[i]);
		sim_time_advance(10 * NS_PER_MS);
		settle();
	}
}

void request(size_t blocks)
{
	sim_mem_request_size(&sim, blocks * BLOCK_SIZE);
	settle();
}

void expect_plugged_by_us(size_t blocks)
{
	size_t ours = 0;

	for (pfn_t pfn = REGION; pfn < REGION + REGION_BLOCKS * B; pfn += B)
		ours += frame_owner(pfn) != OWNER_ABSENT;
	assert_int_equal(ours, blocks);
	assert_int_equal(mem->source.plugged, blocks * B);
	assert_books();
}

void expect_plugged(size_t blocks)
{
	expect_plugged_by_us(blocks);
	assert_int_equal(sim.plugged, blocks * BLOCK_SIZE);
}
