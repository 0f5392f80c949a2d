/* SPDX-License-Identifier: BSD-2-Clause */
/* What drivers/virtio/virtio.c records of a device's life, on a simulated device. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/virtio/virtio_events.h"
#include "tests/sim/sim_frame.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_time.h"
#include "tests/sim/sim_virtio.h"

#define STATS VIRTIO_BIT(1)
#define VERSION_1 VIRTIO_BIT(VIRTIO_F_VERSION_1)

static struct sim_virtio sim;
static struct virtq queue;

static void start(uint64_t features)
{
	sim_time_reset();
	sim_log_reset();
	sim_frame_reset();
	sim_virtio_init(&sim, VIRTIO_ID_BALLOON, false, features, 2);
	memset(&virtio_events, 0, sizeof(virtio_events));
}

static int setup(void **state)
{
	(void)state;
	start(VERSION_1 | STATS);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (sim.device.queue[0]) {
		virtio_break(&sim.device, "end of test");
		virtq_destroy(&queue);
	}
	return 0;
}

/* As a driver does it: a queue, then DRIVER_OK. */
static void get_ready(void)
{
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	assert_int_equal(virtq_create(&sim.device, 0, &queue), 0);
	virtio_ready(&sim.device);
}

static void assert_last(enum virtio_event type, uint64_t second)
{
	struct event event;

	assert_true(events_get(&virtio_events, virtio_events.recorded, &event));
	assert_int_equal(event.type, type);
	assert_int_equal(event.argument[0], VIRTIO_ID_BALLOON);
	assert_int_equal(event.argument[1], second);
}

static void a_start_is_a_reset_and_the_features_that_hold(void **state)
{
	(void)state;
	get_ready();
	assert_int_equal(virtio_events.count[VIRTIO_EVENT_RESET], 1);
	assert_last(VIRTIO_EVENT_STARTED, VERSION_1 | STATS);
	assert_int_equal(virtio_events.recorded, 2);
}

/* In microseconds. */
static void a_reset_says_how_long_it_took(void **state)
{
	struct event event;

	(void)state;
	sim_time_step_ns = 100;
	sim.slow_reset = 300;
	assert_int_equal(virtio_reset(&sim.device), 0);
	assert_true(events_get(&virtio_events, virtio_events.recorded, &event));
	assert_int_equal(event.type, VIRTIO_EVENT_RESET);
	assert_int_equal(event.argument[0], VIRTIO_ID_BALLOON);
	assert_in_range(event.argument[1], 29, 31);
}

static void a_device_that_cannot_be_used_is_refused(void **state)
{
	(void)state;
	start(STATS);
	assert_int_equal(virtio_negotiate(&sim.device, STATS), -ENOTSUP);
	assert_last(VIRTIO_EVENT_REFUSED, ENOTSUP);
}

static void breaking_is_recorded_once(void **state)
{
	(void)state;
	get_ready();
	virtio_break(&sim.device, "first");
	virtio_break(&sim.device, "second");
	assert_int_equal(virtio_events.count[VIRTIO_EVENT_BROKEN], 1);
	assert_int_equal(virtio_events.count[VIRTIO_EVENT_RESET], 2);
}

static void a_device_that_was_pulled_out_is_gone(void **state)
{
	(void)state;
	virtio_gone(&sim.device);
	assert_last(VIRTIO_EVENT_GONE, 0);
	assert_int_equal(virtio_events.recorded, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_start_is_a_reset_and_the_features_that_hold,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_reset_says_how_long_it_took, setup, teardown),
		cmocka_unit_test_setup_teardown(a_device_that_cannot_be_used_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(breaking_is_recorded_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_device_that_was_pulled_out_is_gone, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
