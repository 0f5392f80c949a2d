/* SPDX-License-Identifier: BSD-2-Clause */
/* virtio as a port: negotiation, config, and devices that are not what they should be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/irq_flags.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/port/virtio_balloon.h"
#include "drivers/virtio/virtio_feature_names.h"
#include "tests/unit/drivers/balloon/balloon_fixture.h"

/* ---- Features ---- */

static void features_that_it_does_not_do_are_not_accepted(void **state)
{
	(void)state;
	start(UINT64_MAX & ~VIRTIO_BIT(VIRTIO_F_VERSION_1) & ~VIRTIO_BIT(VIRTIO_F_EVENT_IDX) &
		      ~VIRTIO_BIT(VIRTIO_F_RING_PACKED),
	      NO_FLOOR);
	assert_false(virtio_has(&sim.virtio.device, VIRTIO_BALLOON_F_PAGE_POISON));
	assert_false(virtio_has(&sim.virtio.device, VIRTIO_F_SR_IOV));
	assert_true(virtio_has(&sim.virtio.device, VIRTIO_BALLOON_F_MUST_TELL_HOST));
}

static void poison_is_accepted_only_if_it_was_asked_for(void **state)
{
	struct balloon_config config = { .poison = true, .poison_byte = 0xa5 };

	(void)state;
	start(PAGE_POISON | VIRTIO_BIT(VIRTIO_BALLOON_F_MUST_TELL_HOST), NO_FLOOR);
	assert_false(sim.virtio.device.accepted & PAGE_POISON);
	assert_string_equal(virtio_refusal_reason(&sim.virtio.device, VIRTIO_BALLOON_F_PAGE_POISON),
			    "only with poison=XX on the command line");
	end_driver();
	assert_int_equal(begin_with(&config), 0);
	assert_true(sim.virtio.device.accepted & PAGE_POISON);
	assert_true(virtio_has(&sim.virtio.device, VIRTIO_BALLOON_F_MUST_TELL_HOST));
	assert_int_equal(sim_virtio_config32(&sim.virtio, SIM_BALLOON_POISON), 0xa5a5a5a5);
}

static void beside_hints_event_idx_is_declined_with_a_reason(void **state)
{
	(void)state;
	start(VIRTIO_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX),
	      NO_FLOOR);
	assert_false(virtio_has(&sim.virtio.device, VIRTIO_F_EVENT_IDX));
	assert_string_equal(virtio_refusal_reason(&sim.virtio.device, VIRTIO_F_EVENT_IDX),
			    "not together with FREE_PAGE_HINT");
}

static void without_hints_event_idx_is_accepted(void **state)
{
	(void)state;
	start(VIRTIO_BIT(VIRTIO_F_EVENT_IDX), NO_FLOOR);
	assert_true(virtio_has(&sim.virtio.device, VIRTIO_F_EVENT_IDX));
	go_to(1000);
	assert_balloon(1000);
}

/* Reset, ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK; once more only where a bit is dropped. */
static void features_are_negotiated_once(void **state)
{
	unsigned writes;

	(void)state;
	start(0, NO_FLOOR);
	writes = sim.virtio.status_writes;
	tear_down(state);
	set_up(state);
	start(HINT, NO_FLOOR);
	assert_int_equal(sim.virtio.status_writes, writes);
	tear_down(state);
	set_up(state);
	start(VIRTIO_BIT(VIRTIO_F_EVENT_IDX), NO_FLOOR);
	assert_int_equal(sim.virtio.status_writes, writes);
	tear_down(state);
	set_up(state);
	start(HINT | VIRTIO_BIT(VIRTIO_F_EVENT_IDX), NO_FLOOR);
	assert_true(sim.virtio.status_writes > writes);
}

/* ---- Interrupts ---- */

static unsigned interrupts;

static void count_interrupt(struct sim_virtio *virtio)
{
	interrupts++;
	virtio_interrupt(&virtio->device, sim_virtio_read_isr(virtio));
}

/* The rings are looked at in each round anyway. */
static void nobody_is_interrupted_while_it_works(void **state)
{
	uint8_t copy[256];

	(void)state;
	start(STATS_VQ | HINT | REPORTING, NO_FLOOR);
	sim.virtio.raise = count_interrupt;
	interrupts = 0;
	go_to(8000);
	hint_round(ROUND);
	hint_round(1);
	go_to(5);
	assert_int_equal(interrupts, 4); /* the config has changed */
	sim_balloon_ask_stats(&sim, copy, sizeof(copy));
	settle();
	be_quiet();
	assert_true(sim.reported > 0);
	assert_int_equal(interrupts, 4);
	assert_balloon(5);
}

static unsigned wakes_of[5];

/* While it waits each queue says that it has news, but the one of hints. */
static void answer_while_it_waits(void)
{
	uint8_t copy[256];

	for (unsigned q = 0; q < ARRAY_SIZE(wakes_of); q++) {
		unsigned before = interrupts;

		if (q == sim.stats_queue)
			sim_balloon_ask_stats(&sim, copy, sizeof(copy));
		for (size_t i = 0; i < sim.pending_count && q != sim.stats_queue; i++) {
			if (sim.pending[i].queue != q)
				continue;
			sim_virtio_push(&sim.virtio, q, sim.pending[i].chain.head, 0);
			sim.pending[i] = sim.pending[--sim.pending_count];
			break;
		}
		wakes_of[q] += interrupts - before;
	}
	virtio_break(&sim.virtio.device, "end of test");
}

static void each_queue_but_the_hints_interrupts_one_who_waits(void **state)
{
	(void)state;
	start(STATS_VQ | HINT | REPORTING, NO_FLOOR);
	balloon_set_strategy(BALLOON_PORTABLE);
	go_to(3000);
	sim.completion = SIM_BALLOON_ON_DEMAND;
	be_quiet();
	go_to(2900);
	go_to(3100);
	hint_round(ROUND);
	assert_true(sim.pending_count >= 4);
	assert_int_equal(fake_irqs_off, 0);
	sim.virtio.raise = count_interrupt;
	memset(wakes_of, 0, sizeof(wakes_of));
	sim_time_on_wait = answer_while_it_waits;
	sim_ram_task(balloons);
	sim_time_on_wait = NULL;
	assert_int_equal(fake_irqs_off, 0);
	for (unsigned q = 0; q < ARRAY_SIZE(wakes_of); q++)
		assert_int_equal(wakes_of[q], q != sim.hint_queue);
	sim.wrong_deflates = sim.double_inflates = 0;
}

/* ---- For people ---- */

static void assert_prints(void (*print)(void), const char *expected)
{
	FILE *real = stdout;
	char *text = NULL;
	size_t length;

	stdout = open_memstream(&text, &length);
	print();
	fclose(stdout);
	stdout = real;
	assert_string_equal(text, expected);
	free(text);
}

static void people_see_the_accepted_features_by_name(void **state)
{
	(void)state;
	start(REPORTING | DEFLATE_ON_OOM | PAGE_POISON, NO_FLOOR);
	assert_prints(balloons->port->print_features,
		      "Features: DEFLATE_ON_OOM REPORTING VERSION_1\n");
}

static void many_features_go_on_below_within_80_columns(void **state)
{
	(void)state;
	plug_in(true, VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX) |
			      VIRTIO_BIT(VIRTIO_BALLOON_F_MUST_TELL_HOST) | STATS_VQ |
			      DEFLATE_ON_OOM | REPORTING);
	assert_int_equal(begin(NO_FLOOR), 0);
	assert_prints(balloons->port->print_features,
		      "Features: MUST_TELL_HOST STATS_VQ DEFLATE_ON_OOM REPORTING INDIRECT_DESC\n"
		      "          EVENT_IDX\n");
}

static void people_see_bit_0_as_any_other(void **state)
{
	(void)state;
	plug_in(true, VIRTIO_BIT(VIRTIO_BALLOON_F_MUST_TELL_HOST));
	assert_int_equal(begin(NO_FLOOR), 0);
	assert_prints(balloons->port->print_features, "Features: MUST_TELL_HOST\n");
}

static void people_see_that_there_are_no_features(void **state)
{
	(void)state;
	plug_in(true, 0);
	assert_int_equal(begin(NO_FLOOR), 0);
	assert_prints(balloons->port->print_features, "Features: none\n");
}

static void people_see_what_was_hinted(void **state)
{
	(void)state;
	start(HINT, NO_FLOOR);
	assert_prints(balloons->port->print_traffic, "Hinted: 0 frames in 0 rounds\n");
	hint_round(ROUND);
	drain();
	/* Of 32 blocks all but the one that the rings are in. */
	assert_prints(balloons->port->print_traffic, "Hinted: 15872 frames in 1 rounds\n");
}

/* ---- Start and config ---- */

static void reaches_targets_on_a_legacy_device(void **state)
{
	(void)state;
	plug_in(true, 0);
	assert_int_equal(begin(NO_FLOOR), 0);
	go_to(5000);
	assert_balloon(5000);
	go_to(17);
	assert_balloon(17);
}

static void tells_the_device_at_the_start_that_the_balloon_is_empty(void **state)
{
	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim_virtio_set_config32(&sim.virtio, SIM_BALLOON_ACTUAL, 4711);
	assert_int_equal(begin(NO_FLOOR), 0);
	assert_int_equal(sim_balloon_actual(&sim), 0);
}

static void a_missing_queue_ends_the_start_with_an_error(void **state)
{
	(void)state;
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim.virtio.queue[SIM_BALLOON_DEFLATE].size_max = 0;
	assert_int_not_equal(begin(NO_FLOOR), 0);
	assert_false(status().present);
	assert_true(sim_log_warnings > 0);
}

#define QUEUES 5 /* inflate, deflate, statistics, hints, reports */

static void plug_in_all(void)
{
	plug_in(false, STATS_VQ | HINT | REPORTING | VIRTIO_BIT(VIRTIO_F_VERSION_1));
}

static void start_anew(void **state)
{
	tear_down(state);
	set_up(state);
	plug_in_all();
}

static void a_start_without_one_of_the_queues_keeps_no_frame(void **state)
{
	plug_in_all();
	for (unsigned q = 0; q < QUEUES; q++) {
		sim.virtio.queue[q].size_max = 0;
		assert_int_equal(begin(NO_FLOOR), -ENODEV);
		assert_false(status().present);
		assert_string_equal(sim.virtio.device.broken,
				    "no queues or no memory for the balloon");
		assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
		start_anew(state);
	}
	assert_int_equal(begin(NO_FLOOR), 0);
}

/* With one frame more each time, until it has what it needs. */
static void start_with_little_memory(void **state, uint64_t features)
{
	uint64_t needed, had = 0;
	int err;

	plug_in(false, features);
	assert_int_equal(begin(NO_FLOOR), 0);
	needed = ledger_count(OWNER_VIRTQUEUES);
	do {
		tear_down(state);
		set_up(state);
		plug_in(false, features);
		exhaust();
		assert_int_equal(frame_free(paddr_to_pfn(RAM_START), ++had, OWNER_HELD), 0);
		err = begin(NO_FLOOR);
		if (!err)
			break;
		assert_string_equal(sim.virtio.device.broken,
				    "no queues or no memory for the balloon");
		assert_int_equal(ledger_count(OWNER_FREE), had);
	} while (had < 2 * needed);
	assert_int_equal(err, 0);
	assert_in_range(had, needed, needed + 8);
	tear_down(state);
	set_up(state);
}

static void a_start_without_memory_keeps_no_frame(void **state)
{
	static const uint64_t features[] = { STATS_VQ | HINT | REPORTING, STATS_VQ, HINT,
					     REPORTING };

	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		start_with_little_memory(state, features[i] | VIRTIO_BIT(VIRTIO_F_VERSION_1));
	start(0, NO_FLOOR);
}

static void a_device_whose_config_is_too_short_is_not_started(void **state)
{
	(void)state;
	plug_in_all();
	sim.virtio.config_size = SIM_BALLOON_ACTUAL + sizeof(uint32_t) - 1;
	assert_int_equal(begin(NO_FLOOR), -ENODEV);
	assert_string_equal(sim.virtio.device.broken, "its config does not reach to `actual`");
	assert_int_equal(ledger_count(OWNER_FREE), RAM_FRAMES);
	start_anew(state);
	sim.virtio.config_size = SIM_BALLOON_ACTUAL + sizeof(uint32_t);
	assert_int_equal(begin(NO_FLOOR), 0);
}

/* 5.5.5.1: without the bit, poison_val is not the driver's to write. */
static void poison_is_told_only_to_a_device_that_knows_it(void **state)
{
	struct balloon_config config = { .poison = true, .poison_byte = POISON };

	(void)state;
	plug_in_all();
	assert_int_equal(begin_with(&config), 0);
	assert_int_equal(sim_virtio_config32(&sim.virtio, SIM_BALLOON_POISON), 0);
}

static unsigned writes_of_actual;

static void write_config(struct virtio_device *device, size_t offset, uint32_t value)
{
	size_t width = sizeof(value);

	if (offset < SIM_BALLOON_ACTUAL + sizeof(uint32_t) && offset + width > SIM_BALLOON_ACTUAL) {
		assert_int_equal(offset, SIM_BALLOON_ACTUAL);
		writes_of_actual++;
	}
	sim_virtio_config_write(sim_virtio_of(device), offset, (unsigned)width, value);
}

/* 5.5.6.2.1 */
static void actual_is_written_in_one_access_on_a_legacy_device(void **state)
{
	(void)state;
	plug_in(true, 0);
	sim.virtio.transport.config_write32 = write_config;
	writes_of_actual = 0;
	assert_int_equal(begin(NO_FLOOR), 0);
	go_to(5000);
	assert_balloon(5000);
	go_to(17);
	assert_balloon(17);
	assert_true(writes_of_actual >= 3);
}

/* Its rings may still be written to: a device that comes next has nothing to do with them. */
static void what_a_device_keeps_is_not_freed_with_the_next_one(void **state)
{
	uint64_t kept;

	(void)state;
	plug_in_all();
	assert_int_equal(begin(NO_FLOOR), 0);
	sim.virtio.slow_reset = SIM_VIRTIO_FOR_EVER;
	end_driver();
	kept = ledger_count(OWNER_VIRTQUEUES);
	assert_true(kept > 0);
	sim_balloon_fini(&sim);
	plug_in_all();
	sim.virtio.refuse_features = true;
	assert_int_equal(begin(NO_FLOOR), -ENOTSUP);
	assert_int_equal(ledger_count(OWNER_VIRTQUEUES), kept);
	sim.virtio.refuse_features = false;
	assert_int_equal(begin(NO_FLOOR), 0);
	assert_int_equal(ledger_count(OWNER_VIRTQUEUES), 2 * kept);
	go_to(1000);
	assert_balloon(1000);
	end_driver();
	assert_int_equal(ledger_count(OWNER_VIRTQUEUES), kept);
}

/* It has two queues, and nothing of the others. */
static void assert_is_plain(void)
{
	struct balloon_stat stats[BALLOON_STATS_MAX];
	uint64_t requests, time;

	assert_null(status().broken);
	assert_int_equal(status().effective, BALLOON_PORTABLE);
	assert_int_equal(balloon_set_strategy(BALLOON_RANGE_FIRST), -ENOTSUP);
	assert_int_equal(balloon_stats_last(stats, &requests, &time), 0);
	go_to(1000);
	hint_round(ROUND);
	be_quiet();
	assert_balloon(1000);
	assert_null(status().broken);
}

static void a_plain_device_after_one_that_keeps_its_queues_is_plain(void **state)
{
	(void)state;
	plug_in_all();
	assert_int_equal(begin(NO_FLOOR), 0);
	sim.virtio.slow_reset = SIM_VIRTIO_FOR_EVER;
	end_driver();
	sim_balloon_fini(&sim);
	plug_in(false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	assert_int_equal(begin(NO_FLOOR), 0);
	assert_is_plain();
}

static void a_device_that_comes_back_plain_is_plain(void **state)
{
	const char *why;

	(void)state;
	plug_in_all();
	assert_int_equal(begin(NO_FLOOR), 0);
	sim.completion = SIM_BALLOON_NEVER;
	go_to(1000);
	sim_time_advance(BALLOON_DEADLINE_NS + NS_PER_MS);
	settle();
	assert_non_null(status().broken);
	sim.completion = SIM_BALLOON_AT_ONCE;
	sim.virtio.features = VIRTIO_BIT(VIRTIO_F_VERSION_1);
	sim.stats_queue = sim.hint_queue = sim.report_queue = 0;
	assert_int_equal(balloon_retry(balloons, &why), 0);
	assert_is_plain();
}

/* Of two devices that are the same it is the one that was reset last. */
static void a_second_device_takes_the_place_of_the_first(void **state)
{
	static struct sim_balloon other;

	(void)state;
	start(0, NO_FLOOR);
	go_to(1000);
	assert_balloon(1000);
	sim_balloon_init(&other, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim_balloon_set_target(&other, 500);
	virtio_register(&other.virtio.device);
	settle();
	assert_int_equal(sim.inflated, 0);
	assert_int_equal(sim_balloon_actual(&sim), 0);
	assert_int_equal(sim.virtio.status, 0);
	assert_int_equal(other.inflated, 500);
	assert_int_equal(sim_balloon_actual(&other), 500);
	/* When the first goes, nothing happens; and the other is the one in use. */
	virtio_unregister(&sim.virtio.device);
	assert_true(status().present);
	assert_int_equal(ballooned(), 500);
	virtio_unregister(&other.virtio.device);
	assert_false(status().present);
	assert_int_equal(other.inflated, 0);
	assert_null(other.virtio.violation);
	sim_balloon_fini(&other);
	virtio_register(&sim.virtio.device);
}

/* ---- Devices that are gone, or lie ---- */

static void a_bad_used_id_breaks_the_device_and_loses_no_frame(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	go_to(300);
	sim.bad_used_id = true;
	sim_balloon_set_target(&sim, 2000);
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	assert_int_equal(ledger_count(OWNER_FREE) + ballooned(), RAM_FRAMES);
	assert_int_equal(sim_log_warnings, 1);
}

static void a_device_that_is_gone_is_not_obeyed(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	go_to(100);
	sim.virtio.gone = true;
	settle();
	assert_non_null(status().broken);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
	assert_int_equal(ballooned(), 100);
}

static void all_ones_are_no_target(void **state)
{
	(void)state;
	start(0, NO_FLOOR);
	go_to(500);
	sim.virtio.gone = true;
	balloon_step();
	assert_non_null(status().broken);
	assert_int_equal(ballooned(), 500);
	sim.virtio.gone = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(features_that_it_does_not_do_are_not_accepted),
		TEST(poison_is_accepted_only_if_it_was_asked_for),
		TEST(beside_hints_event_idx_is_declined_with_a_reason),
		TEST(without_hints_event_idx_is_accepted),
		TEST(features_are_negotiated_once),
		TEST(nobody_is_interrupted_while_it_works),
		TEST(each_queue_but_the_hints_interrupts_one_who_waits),
		TEST(people_see_the_accepted_features_by_name),
		TEST(many_features_go_on_below_within_80_columns),
		TEST(people_see_bit_0_as_any_other),
		TEST(people_see_that_there_are_no_features),
		TEST(people_see_what_was_hinted),
		TEST(reaches_targets_on_a_legacy_device),
		TEST(tells_the_device_at_the_start_that_the_balloon_is_empty),
		TEST(a_missing_queue_ends_the_start_with_an_error),
		TEST(a_start_without_one_of_the_queues_keeps_no_frame),
		TEST(a_start_without_memory_keeps_no_frame),
		TEST(a_device_whose_config_is_too_short_is_not_started),
		TEST(poison_is_told_only_to_a_device_that_knows_it),
		TEST(actual_is_written_in_one_access_on_a_legacy_device),
		TEST(what_a_device_keeps_is_not_freed_with_the_next_one),
		TEST(a_plain_device_after_one_that_keeps_its_queues_is_plain),
		TEST(a_device_that_comes_back_plain_is_plain),
		TEST(a_second_device_takes_the_place_of_the_first),
		TEST(a_bad_used_id_breaks_the_device_and_loses_no_frame),
		TEST(a_device_that_is_gone_is_not_obeyed),
		TEST(all_ones_are_no_target),
	};

	return cmocka_run_group_tests_name("virtio_balloon", tests, set_up_ram, NULL);
}
