/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/virtio/virtio_cmd.c: what `virtio` prints. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim_command.h"
#include "tests/sim/sim_frame.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_time.h"
#include "tests/sim/sim_virtio.h"

static struct sim_virtio sim;
static struct virtq queue;

static int take_none(struct virtio_device *device)
{
	(void)device;
	return -ENODEV;
}

static void never_called(struct virtio_device *device)
{
	fail_msg("%s was never taken", device->address);
}

static const struct virtio_feature_name names[] = { { 1, "STATS_VQ" },
						    { 4, "PAGE_POISON" },
						    { 0, NULL } };

/* A driver that knows the names of a balloon's features, and leaves devices to the tests. */
static struct virtio_driver driver = { .type = VIRTIO_ID_BALLOON,
				       .feature_names = names,
				       .probe = take_none,
				       .remove = never_called };

static void assert_prints(const char *line)
{
	if (!strstr(sim_command_text, line))
		fail_msg("\"%s\" is not in:\n%s", line, sim_command_text);
}

static void start(uint64_t features)
{
	sim_time_reset();
	sim_log_reset();
	sim_frame_reset();
	virtio_register_driver(&driver);
	sim_virtio_init(&sim, VIRTIO_ID_BALLOON, false, features, 2);
	virtio_register(&sim.device);
}

static int teardown(void **state)
{
	(void)state;
	virtio_unregister(&sim.device);
	virtio_refuse_features(0);
	sim_command_forget();
	return 0;
}

static void arguments_are_refused(void **state)
{
	(void)state;
	start(0);
	assert_int_equal(sim_command("virtio all"), -EINVAL);
	assert_string_equal(sim_command_text, "");
}

static void device_is_shown_with_features_and_reasons(void **state)
{
	const struct virtq_buffer buffer = { .address = 0x1000, .length = 4 };

	(void)state;
	start(VIRTIO_BIT(32) | VIRTIO_BIT(1) | VIRTIO_BIT(4) | VIRTIO_BIT(29) | VIRTIO_BIT(35) |
	      VIRTIO_BIT(57) | VIRTIO_BIT(0) | VIRTIO_BIT(63));
	virtio_refuse_features(VIRTIO_BIT(29));
	assert_int_equal(virtio_negotiate(&sim.device, VIRTIO_BIT(1)), 0);
	assert_int_equal(virtq_create(&sim.device, 1, &queue), 0);
	virtio_ready(&sim.device);
	assert_int_equal(virtq_add(&queue, &buffer, 1, &queue), 0);
	virtq_kick(&queue);
	assert_int_equal(sim_command("virtio"), 0);
	assert_string_equal(
		sim_command_text,
		"simulated balloon (type 5), simulated, 0 interrupts\n"
		"  status    0x0f ACKNOWLEDGE DRIVER FEATURES_OK DRIVER_OK\n"
		"  offered   0x8200000920000013 bit-0 STATS_VQ PAGE_POISON EVENT_IDX VERSION_1\n"
		"            IN_ORDER bit-57 bit-63\n"
		"  accepted  0x0000000100000002 STATS_VQ VERSION_1\n"
		"  refused    0 bit-0              unknown bit\n"
		"  refused    4 PAGE_POISON        not implemented\n"
		"  refused   29 EVENT_IDX          refused on the command line\n"
		"  refused   35 IN_ORDER           not implemented\n"
		"  refused   57 bit-57             unknown bit\n"
		"  refused   63 bit-63             unknown bit\n"
		"  queue 1   size 128, 1 in flight, 1 notifications\n");
	assert_int_equal(sim_command("virtio -j"), 0);
	assert_string_equal(
		sim_command_text,
		"{\"devices\":[{\"address\":\"simulated\",\"name\":\"balloon\",\"type\":5,"
		"\"transport\":\"simulated\",\"interrupts\":0,\"interrupts-by\":null,\"status\":15,"
		"\"broken\":null,\"offered\":[\"bit-0\",\"STATS_VQ\",\"PAGE_POISON\",\"EVENT_IDX\","
		"\"VERSION_1\",\"IN_ORDER\",\"bit-57\",\"bit-63\"],\"accepted\":[\"STATS_VQ\","
		"\"VERSION_1\"],"
		"\"refused\":[{\"feature\":\"bit-0\",\"reason\":\"unknown bit\"},"
		"{\"feature\":\"PAGE_POISON\",\"reason\":\"not implemented\"},"
		"{\"feature\":\"EVENT_IDX\",\"reason\":\"refused on the command line\"},"
		"{\"feature\":\"IN_ORDER\",\"reason\":\"not implemented\"},"
		"{\"feature\":\"bit-57\",\"reason\":\"unknown bit\"},"
		"{\"feature\":\"bit-63\",\"reason\":\"unknown bit\"}],"
		"\"queues\":[{\"queue\":1,\"size\":128,\"in-flight\":1,\"notifications\":1,"
		"\"broken\":false}]}]}\n");
	snprintf(sim.device.interrupts_by, sizeof(sim.device.interrupts_by), "GSI 24");
	sim.device.interrupt_count = 12;
	virtio_break(&sim.device, "a used entry names no chain in flight");
	assert_int_equal(sim_command("virtio"), 0);
	assert_prints("simulated balloon (type 5), simulated, 12 interrupts\n"
		      "  interrupts by GSI 24\n"
		      "  broken    a used entry names no chain in flight\n"
		      "  status    0x00\n"
		      "  offered   0x82");
	assert_prints("  queue 1   size 128, 1 in flight, 1 notifications, broken\n");
	virtq_destroy(&queue);
}

/* The first and the last of each table, and two devices one after the other. */
static void every_type_and_status_has_a_name(void **state)
{
	static struct sim_virtio other;

	(void)state;
	start(0);
	sim.device.type = 1;
	sim.status = 0xcf;
	sim_virtio_init(&other, 27, false, 0, 1);
	virtio_register(&other.device);
	assert_int_equal(sim_command("virtio"), 0);
	/* Others have their turn after each. */
	assert_int_equal(sim_time_waits, 2);
	assert_string_equal(sim_command_text,
			    "simulated network (type 1), simulated, 0 interrupts\n"
			    "  status    0xcf ACKNOWLEDGE DRIVER FEATURES_OK DRIVER_OK NEEDS_RESET "
			    "FAILED\n"
			    "  no driver has asked for its features\n"
			    "simulated PMEM (type 27), simulated, 0 interrupts\n"
			    "  status    0x00\n"
			    "  no driver has asked for its features\n");
	assert_int_equal(sim_command("virtio -j"), 0);
	virtio_unregister(&other.device);
	assert_prints("\"queues\":[]},{\"address\":\"simulated\",\"name\":\"PMEM\",");
}

static void queues_are_listed_from_the_first(void **state)
{
	static struct virtq first;

	(void)state;
	start(VIRTIO_BIT(32));
	assert_int_equal(virtio_negotiate(&sim.device, 0), 0);
	assert_int_equal(virtq_create(&sim.device, 0, &first), 0);
	assert_int_equal(virtq_create(&sim.device, 1, &queue), 0);
	assert_int_equal(sim_command("virtio -j"), 0);
	assert_prints("\"queues\":[{\"queue\":0,\"size\":128,\"in-flight\":0,\"notifications\":0,"
		      "\"broken\":false},{\"queue\":1,");
	assert_int_equal(sim_command("virtio"), 0);
	assert_prints("  queue 0   size 128, 0 in flight, 0 notifications\n"
		      "  queue 1   size 128, 0 in flight, 0 notifications\n");
	virtq_destroy(&queue);
	virtq_destroy(&first);
}

static void failed_initialisation_is_a_reason(void **state)
{
	(void)state;
	start(VIRTIO_BIT(32));
	sim.refuse_features = true;
	assert_int_equal(virtio_negotiate(&sim.device, 0), -ENOTSUP);
	assert_int_equal(sim_command("virtio"), 0);
	assert_prints("status    0x83 ACKNOWLEDGE DRIVER FAILED\n");
	assert_prints("refused   32 VERSION_1          initialisation failed\n");
}

static void device_without_driver_and_gone_device_are_shown(void **state)
{
	(void)state;
	start(0);
	sim.device.type = 77;
	sim.gone = true;
	assert_int_equal(sim_command("virtio"), 0);
	assert_string_equal(sim_command_text,
			    "simulated unknown (type 77), simulated, 0 interrupts\n"
			    "  status    0xff (gone)\n"
			    "  no driver has asked for its features\n");
}

static void no_devices_at_all_is_said(void **state)
{
	(void)state;
	start(0);
	virtio_unregister(&sim.device);
	assert_int_equal(sim_command("virtio"), 0);
	assert_string_equal(sim_command_text, "no virtio devices\n");
}

#define CASE(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(arguments_are_refused),
		CASE(device_is_shown_with_features_and_reasons),
		CASE(every_type_and_status_has_a_name),
		CASE(queues_are_listed_from_the_first),
		CASE(failed_initialisation_is_a_reason),
		CASE(device_without_driver_and_gone_device_are_shown),
		CASE(no_devices_at_all_is_said),
	};

	return cmocka_run_group_tests_name("virtio_cmd", tests, NULL, NULL);
}
