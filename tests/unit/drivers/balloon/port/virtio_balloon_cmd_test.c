/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/balloon/port/virtio_balloon_cmd.c: what `features` prints. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/sim_command.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_time.h"
#include "tests/sim/sim_virtio.h"

static struct sim_virtio sim;

static void start(uint16_t type, uint64_t features)
{
	sim_time_reset();
	sim_log_reset();
	sim_virtio_init(&sim, type, false, features, 2);
	virtio_register(&sim.device);
}

static int teardown(void **state)
{
	(void)state;
	virtio_unregister(&sim.device);
	sim_command_forget();
	return 0;
}

static void features_are_64_characters_with_bit_0_first(void **state)
{
	(void)state;
	start(VIRTIO_ID_BALLOON, VIRTIO_BIT(32) | VIRTIO_BIT(1) | VIRTIO_BIT(2) | VIRTIO_BIT(63));
	assert_int_equal(virtio_negotiate(&sim.device, VIRTIO_BIT(1) | VIRTIO_BIT(63)), 0);
	assert_int_equal(sim_command("features"), 0);
	assert_string_equal(sim_command_text,
			    "0100000000000000000000000000000010000000000000000000000000000001\n");
}

static void features_without_a_balloon_are_an_error(void **state)
{
	(void)state;
	start(1, 0);
	assert_int_equal(sim_command("features"), -ENODEV);
	assert_string_equal(sim_command_text, "features: there is no balloon device\n");
}

static void arguments_are_refused(void **state)
{
	(void)state;
	start(VIRTIO_ID_BALLOON, 0);
	assert_int_equal(sim_command("features 1"), -EINVAL);
	assert_string_equal(sim_command_text, "");
}

#define CASE(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(features_are_64_characters_with_bit_0_first),
		CASE(features_without_a_balloon_are_an_error),
		CASE(arguments_are_refused),
	};

	return cmocka_run_group_tests_name("virtio_balloon_cmd", tests, NULL, NULL);
}
