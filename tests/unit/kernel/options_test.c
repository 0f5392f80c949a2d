/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of kernel/options.c, with the drivers that it tells mocked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtio_feature_names.h"
#include "drivers/virtio/virtio_pci.h"
#include "kernel/options.h"
#include "mm/ledger.h"
#include "tests/sim/sim_log.h"

static uint64_t managed;
static uint64_t refused;
static unsigned msix_refusals;

uint64_t ledger_managed(void)
{
	return managed;
}

int virtio_parse_features(uint16_t type, const char *text, uint64_t *features)
{
	assert_int_equal(type, VIRTIO_ID_BALLOON);
	*features = 0x123;
	return strcmp(text, "EVENT_IDX") == 0 ? 0 : -EINVAL;
}

void virtio_refuse_features(uint64_t features)
{
	refused = features;
}

void virtio_pci_refuse_msix(void)
{
	msix_refusals++;
}

static int begin(void **state)
{
	(void)state;
	managed = GIB / FRAME_SIZE;
	refused = 0;
	msix_refusals = 0;
	sim_log_reset();
	return 0;
}

static struct balloon_config options(const char *command_line)
{
	struct balloon_config config;

	memset(&config, 0xff, sizeof(config));
	options_tell_virtio(command_line);
	options_fill_balloon(command_line, &config);
	return config;
}

static void assert_warned(const char *text)
{
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning, text);
}

static void without_options_all_is_default(void **state)
{
	struct balloon_config config = options("run=\"floor=1G\" quiet");

	(void)state;
	assert_int_equal(config.floor, 16 * MIB / FRAME_SIZE);
	assert_int_equal(config.strategy, BALLOON_AUTO);
	assert_false(config.poison);
	assert_int_equal(refused, 0);
	assert_int_equal(msix_refusals, 0);
	assert_int_equal(sim_log_warnings, 0);
}

static void the_default_floor_is_a_64th_between_1_and_16_mib(void **state)
{
	(void)state;
	managed = 16 * MIB / FRAME_SIZE;
	assert_int_equal(options("").floor, 1 * MIB / FRAME_SIZE);
	managed = 256 * MIB / FRAME_SIZE;
	assert_int_equal(options("").floor, 4 * MIB / FRAME_SIZE);
	managed = 1024 * GIB / FRAME_SIZE;
	assert_int_equal(options("").floor, 16 * MIB / FRAME_SIZE);
}

static void a_floor_is_rounded_up_to_frames(void **state)
{
	(void)state;
	assert_int_equal(options("floor=0").floor, 0);
	assert_int_equal(options("floor=4096").floor, 1);
	assert_int_equal(options("floor=4097").floor, 2);
	assert_int_equal(options("floor=1G").floor, managed);
	assert_int_equal(sim_log_warnings, 0);
}

static void a_floor_that_is_none_is_told_and_the_default_holds(void **state)
{
	(void)state;
	assert_int_equal(options("floor=much").floor, 16 * MIB / FRAME_SIZE);
	assert_warned("floor=much is no size within this memory; write floor=64M");
	sim_log_reset();
	assert_int_equal(options("floor=1025M").floor, 16 * MIB / FRAME_SIZE);
	assert_warned("floor=1025M is no size within this memory; write floor=64M");
}

static void a_strategy_is_known_by_its_name(void **state)
{
	(void)state;
	assert_int_equal(options("strategy=range-first").strategy, BALLOON_RANGE_FIRST);
	assert_int_equal(sim_log_warnings, 0);
}

static void an_unknown_strategy_is_told_which_there_are(void **state)
{
	(void)state;
	assert_int_equal(options("strategy=fast").strategy, BALLOON_AUTO);
	assert_warned("unknown strategy fast; choose auto, portable, whole-block, range-first");
}

static void polls_come_once_a_second_or_as_it_says(void **state)
{
	static const char *const wrong[] = { "0", "0.0009", "60.001", "1s", "-1", "often" };
	char words[32], warning[100];

	(void)state;
	assert_int_equal(options_vmware_poll(""), NS_PER_S);
	assert_int_equal(options_vmware_poll("vmware.poll=0.001"), NS_PER_MS);
	assert_int_equal(options_vmware_poll("vmware.poll=2.5"), 2500 * NS_PER_MS);
	assert_int_equal(options_vmware_poll("vmware.poll=60"), 60 * NS_PER_S);
	assert_int_equal(sim_log_warnings, 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		begin(state);
		snprintf(words, sizeof(words), "vmware.poll=%s", wrong[i]);
		snprintf(warning, sizeof(warning),
			 "%s is no time from 0.001 to 60 seconds; write vmware.poll=0.5", words);
		assert_int_equal(options_vmware_poll(words), NS_PER_S);
		assert_warned(warning);
	}
}

static void poison_is_two_digits(void **state)
{
	struct balloon_config config = options("poison=a5");

	(void)state;
	assert_true(config.poison);
	assert_int_equal(config.poison_byte, 0xa5);
	assert_int_equal(sim_log_warnings, 0);
	assert_false(options("poison=5").poison);
	assert_warned("poison=5 is no byte; write poison=a5");
	assert_false(options("poison=a5a5").poison);
	assert_false(options("poison=xy").poison);
	assert_int_equal(sim_log_warnings, 3);
}

static void features_are_refused_by_name(void **state)
{
	(void)state;
	options("virtio.refuse=EVENT_IDX");
	assert_int_equal(refused, 0x123);
	assert_int_equal(sim_log_warnings, 0);
	refused = 0;
	options("virtio.refuse=SPEED");
	assert_int_equal(refused, 0);
	assert_warned("virtio: virtio.refuse=SPEED has an unknown name; "
		      "write virtio.refuse=EVENT_IDX,INDIRECT_DESC");
}

static void msix_can_be_turned_off(void **state)
{
	(void)state;
	options("virtio.msix=on");
	assert_int_equal(msix_refusals, 0);
	options("virtio.msix=off");
	assert_int_equal(msix_refusals, 1);
	assert_int_equal(sim_log_warnings, 0);
	options("virtio.msix=maybe");
	assert_int_equal(msix_refusals, 1);
	assert_warned("virtio: virtio.msix=maybe is unknown; choose on or off");
}

static void disks_are_named_by_their_serial_numbers(void **state)
{
	struct vm_config config = { .swap = "x", .cache = "x" };

	(void)state;
	options_fill_vm("", &config);
	assert_string_equal(config.swap, "");
	assert_string_equal(config.cache, "");
	/* The longest that a disk can have. */
	options_fill_vm("floor=1M swap=12345678901234567890 cache=auto", &config);
	assert_string_equal(config.swap, "12345678901234567890");
	assert_string_equal(config.cache, "auto");
	assert_int_equal(sim_log_warnings, 0);
	options_fill_vm("swap=123456789012345678901 cache=", &config);
	assert_string_equal(config.swap, "");
	assert_string_equal(config.cache, "");
}

static void disks_are_waited_for_or_not(void **state)
{
	struct vm_config config = { .lockstep = true };

	(void)state;
	options_fill_vm("", &config);
	assert_false(config.lockstep);
	options_fill_vm("vm.io=lockstep swap=auto", &config);
	assert_true(config.lockstep);
	options_fill_vm("vm.io=overlapped", &config);
	assert_false(config.lockstep);
	assert_int_equal(sim_log_warnings, 0);
	options_fill_vm("vm.io=sync", &config);
	assert_false(config.lockstep);
	assert_warned("vm: vm.io=sync is unknown; choose overlapped or lockstep");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_options_all_is_default, begin),
		cmocka_unit_test_setup(the_default_floor_is_a_64th_between_1_and_16_mib, begin),
		cmocka_unit_test_setup(a_floor_is_rounded_up_to_frames, begin),
		cmocka_unit_test_setup(a_floor_that_is_none_is_told_and_the_default_holds, begin),
		cmocka_unit_test_setup(a_strategy_is_known_by_its_name, begin),
		cmocka_unit_test_setup(an_unknown_strategy_is_told_which_there_are, begin),
		cmocka_unit_test_setup(poison_is_two_digits, begin),
		cmocka_unit_test_setup(polls_come_once_a_second_or_as_it_says, begin),
		cmocka_unit_test_setup(features_are_refused_by_name, begin),
		cmocka_unit_test_setup(msix_can_be_turned_off, begin),
		cmocka_unit_test_setup(disks_are_named_by_their_serial_numbers, begin),
		cmocka_unit_test_setup(disks_are_waited_for_or_not, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
