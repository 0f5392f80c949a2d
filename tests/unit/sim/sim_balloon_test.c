/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated balloon, driven by hand over real virtqueues: what the tests of
 * drivers/balloon rely on.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/paging.h"
#include "tests/sim/sim_balloon.h"
#include "tests/sim/sim_frame.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_time.h"

static struct sim_balloon sim;
static struct virtq queues[2];
static le32 pfns[4][256];

static void start(void)
{
	assert_int_equal(virtio_negotiate(&sim.virtio.device, 0), 0);
	for (uint16_t i = 0; i < 2; i++)
		assert_int_equal(virtq_create(&sim.virtio.device, i, &queues[i]), 0);
	virtio_ready(&sim.virtio.device);
}

static int setup(void **state)
{
	(void)state;
	sim_time_reset();
	sim_log_reset();
	sim_frame_reset();
	sim_balloon_init(&sim, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sim_balloon_fini(&sim);
	return 0;
}

/* One buffer of `count` PFNs from `first` on. */
static void send(unsigned queue, unsigned slot, uint32_t first, uint32_t count)
{
	struct virtq_buffer buffer = {
		.address = virt_to_phys(pfns[slot]),
		.length = (uint32_t)(count * sizeof(le32)),
	};

	for (uint32_t i = 0; i < count; i++)
		pfns[slot][i] = cpu_to_le32(first + i);
	assert_int_equal(virtq_add(&queues[queue], &buffer, 1, pfns[slot]), 0);
	virtq_kick(&queues[queue]);
}

static void assert_acknowledged(unsigned queue, unsigned slot)
{
	void *token = NULL;

	assert_int_equal(virtq_get_used(&queues[queue], &token, NULL), 1);
	assert_ptr_equal(token, pfns[slot]);
}

static void inflated_pfns_are_remembered(void **state)
{
	(void)state;
	send(SIM_BALLOON_INFLATE, 0, 0xfffffff0, 16);
	assert_acknowledged(SIM_BALLOON_INFLATE, 0);
	assert_int_equal(sim.inflated, 16);
	assert_true(sim_balloon_has(&sim, UINT32_MAX));
	assert_false(sim_balloon_has(&sim, 0xffffffef));
	assert_false(sim_balloon_has(&sim, (pfn_t)1 << 32 | 0xfffffff0));
	send(SIM_BALLOON_DEFLATE, 1, 0xfffffff0, 15);
	assert_acknowledged(SIM_BALLOON_DEFLATE, 1);
	assert_int_equal(sim.inflated, 1);
	assert_int_equal(sim.largest[SIM_BALLOON_INFLATE], 16);
	assert_int_equal(sim.pfns[SIM_BALLOON_DEFLATE], 15);
	assert_null(sim.virtio.violation);
}

static void mistakes_are_counted(void **state)
{
	(void)state;
	send(SIM_BALLOON_INFLATE, 0, 100, 10);
	send(SIM_BALLOON_INFLATE, 1, 105, 10);
	send(SIM_BALLOON_DEFLATE, 2, 90, 15);
	assert_int_equal(sim.double_inflates, 5);
	assert_int_equal(sim.wrong_deflates, 10);
	assert_int_equal(sim.inflated, 10);
	assert_int_equal(sim.not_ascending, 0);
	assert_null(sim.virtio.violation);
	send(SIM_BALLOON_INFLATE, 3, 0, 0);
	assert_non_null(sim.virtio.violation);
}

static void late_acknowledgement_reads_the_buffer_late(void **state)
{
	void *token;

	(void)state;
	sim.completion = SIM_BALLOON_ON_DEMAND;
	send(SIM_BALLOON_INFLATE, 0, 100, 10);
	send(SIM_BALLOON_INFLATE, 1, 200, 10);
	assert_int_equal(virtq_get_used(&queues[0], &token, NULL), 0);
	assert_int_equal(sim.inflated, 0);
	pfns[0][1] = cpu_to_le32(50); /* too early, and seen */
	assert_int_equal(sim_balloon_complete(&sim, 1), 1);
	assert_acknowledged(SIM_BALLOON_INFLATE, 0);
	assert_int_equal(sim.not_ascending, 1);
	assert_true(sim_balloon_has(&sim, 50));
	assert_int_equal(virtq_get_used(&queues[0], &token, NULL), 0);
	assert_int_equal(sim_balloon_complete(&sim, 5), 1);
	assert_acknowledged(SIM_BALLOON_INFLATE, 1);
	assert_int_equal(sim_balloon_complete(&sim, 5), 0);
}

static void device_that_never_answers_takes_and_forgets(void **state)
{
	void *token;

	(void)state;
	sim.completion = SIM_BALLOON_NEVER;
	send(SIM_BALLOON_INFLATE, 0, 100, 10);
	assert_int_equal(sim_balloon_complete(&sim, 5), 0);
	assert_int_equal(virtq_get_used(&queues[0], &token, NULL), 0);
}

static void bad_used_id_breaks_the_driver_side(void **state)
{
	void *token;

	(void)state;
	sim.bad_used_id = true;
	send(SIM_BALLOON_INFLATE, 0, 100, 10);
	assert_int_equal(virtq_get_used(&queues[0], &token, NULL), -EIO);
	assert_non_null(sim.virtio.device.broken);
}

static void target_comes_with_an_interrupt(void **state)
{
	uint64_t before = sim.virtio.device.interrupt_count;

	(void)state;
	sim_balloon_set_target(&sim, 12345);
	assert_true(sim.virtio.device.config_changed);
	assert_int_equal(sim.virtio.device.interrupt_count, before + 1);
	assert_int_equal(virtio_config_read32(&sim.virtio.device, SIM_BALLOON_NUM_PAGES), 12345);
	virtio_config_write32(&sim.virtio.device, SIM_BALLOON_ACTUAL, 77);
	assert_int_equal(sim_balloon_actual(&sim), 77);
	assert_int_equal(sim.actual_writes, 1);
	assert_null(sim.virtio.violation);
	virtio_config_write32(&sim.virtio.device, SIM_BALLOON_NUM_PAGES, 1);
	assert_non_null(sim.virtio.violation);
}

static void reset_keeps_target_and_actual(void **state)
{
	(void)state;
	sim_balloon_set_target(&sim, 100);
	virtio_config_write32(&sim.virtio.device, SIM_BALLOON_ACTUAL, 10);
	send(SIM_BALLOON_INFLATE, 0, 100, 10);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	send(SIM_BALLOON_INFLATE, 1, 200, 10);
	virtio_break(&sim.virtio.device, "test");
	for (unsigned i = 0; i < 2; i++)
		virtq_destroy(&queues[i]);
	assert_int_equal(sim.inflated, 0);
	assert_false(sim_balloon_has(&sim, 100));
	assert_int_equal(sim_balloon_complete(&sim, 5), 0);
	start();
	assert_int_equal(virtio_config_read32(&sim.virtio.device, SIM_BALLOON_NUM_PAGES), 100);
	assert_int_equal(virtio_config_read32(&sim.virtio.device, SIM_BALLOON_ACTUAL), 10);
	assert_null(sim.virtio.violation);
}

static void reset_can_keep_what_is_inflated(void **state)
{
	(void)state;
	sim.keep_on_reset = true;
	send(SIM_BALLOON_INFLATE, 0, 100, 10);
	virtio_break(&sim.virtio.device, "test");
	assert_int_equal(sim.inflated, 10);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(inflated_pfns_are_remembered),
		CASE(mistakes_are_counted),
		CASE(late_acknowledgement_reads_the_buffer_late),
		CASE(device_that_never_answers_takes_and_forgets),
		CASE(bad_used_id_breaks_the_driver_side),
		CASE(target_comes_with_an_interrupt),
		CASE(reset_keeps_target_and_actual),
		CASE(reset_can_keep_what_is_inflated),
	};

	return cmocka_run_group_tests_name("sim_balloon", tests, NULL, NULL);
}
