/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/virtio/virtio.c: initialisation, config, breaking, on a simulated device. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/virtio/virtio_feature_names.h"
#include "tests/sim/sim_frame.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_time.h"
#include "tests/sim/sim_virtio.h"

#define STATS VIRTIO_BIT(1)
#define OOM VIRTIO_BIT(2)
#define VERSION_1 VIRTIO_BIT(VIRTIO_F_VERSION_1)
#define EVENT_IDX VIRTIO_BIT(VIRTIO_F_EVENT_IDX)
#define IN_ORDER VIRTIO_BIT(VIRTIO_F_IN_ORDER)
#define PACKED VIRTIO_BIT(VIRTIO_F_RING_PACKED)
#define NOTIFICATION_DATA VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA)

/* The bits from 24 to 49 that there is code for. */
#define IMPLEMENTED \
	(VERSION_1 | EVENT_IDX | PACKED | NOTIFICATION_DATA | VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) | \
	 VIRTIO_BIT(VIRTIO_F_ACCESS_PLATFORM))

static struct sim_virtio sim;
static struct virtq first_queue;

static void start(bool legacy, uint64_t features)
{
	sim_time_reset();
	sim_log_reset();
	sim_frame_reset();
	sim_virtio_init(&sim, VIRTIO_ID_BALLOON, legacy, features, 2);
	sim.config_size = 16;
}

static int setup(void **state)
{
	(void)state;
	start(false, VERSION_1 | STATS | OOM);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (sim.device.queue[0]) {
		virtio_break(&sim.device, "end of test");
		virtq_destroy(&first_queue);
	}
	return sim.violation ? -1 : 0;
}

/* Steps 7 and 8 of 3.1.1: a device has at least one queue. */
static void make_ready(void)
{
	assert_int_equal(virtq_create(&sim.device, 0, &first_queue), 0);
	virtio_ready(&sim.device);
}

/* FAILED is set, one line was logged, nothing counts as accepted. */
static void assert_failed(void)
{
	assert_true(sim.status & VIRTIO_STATUS_FAILED);
	assert_non_null(sim.device.broken);
	assert_int_equal(sim.device.accepted, 0);
	assert_int_equal(sim_log_warnings, 1);
}

static void status_is_written_in_the_order_of_3_1_1(void **state)
{
	static const uint8_t expected[] = { 0, 1, 3, 11, 15 };

	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	make_ready();
	assert_int_equal(sim.status_writes, ARRAY_SIZE(expected));
	assert_memory_equal(sim.status_log, expected, sizeof(expected));
	assert_null(sim.device.broken);
	assert_int_equal(sim_log_warnings, 0);
}

static void legacy_status_has_no_features_ok(void **state)
{
	static const uint8_t expected[] = { 0, 1, 3, 7 };

	(void)state;
	start(true, STATS | OOM);
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	make_ready();
	assert_int_equal(sim.status_writes, ARRAY_SIZE(expected));
	assert_memory_equal(sim.status_log, expected, sizeof(expected));
	assert_int_equal(sim.driver_features, STATS);
	assert_int_equal(sim.device.accepted, STATS);
}

static void only_allowed_and_offered_features_are_accepted(void **state)
{
	uint64_t unknown = VIRTIO_BIT(17) | VIRTIO_BIT(57);

	(void)state;
	start(false, VERSION_1 | OOM | EVENT_IDX | IN_ORDER | unknown);
	assert_int_equal(virtio_negotiate(&sim.device, STATS | OOM), 0);
	assert_true(sim.device.offered == (VERSION_1 | OOM | EVENT_IDX | IN_ORDER | unknown));
	assert_true(sim.device.accepted == (VERSION_1 | OOM | EVENT_IDX));
	assert_true(sim.driver_features == (VERSION_1 | OOM | EVENT_IDX));
	assert_true(virtio_has(&sim.device, 2));
	assert_false(virtio_has(&sim.device, 1));
}

/* A driver that allows everything still gets no ring that there is no code for. */
static void ring_features_are_not_the_drivers_to_allow(void **state)
{
	(void)state;
	start(false, UINT64_MAX);
	assert_int_equal(virtio_negotiate(&sim.device, UINT64_MAX), 0);
	for (unsigned bit = 24; bit < 50; bit++)
		assert_int_equal(virtio_has(&sim.device, bit), IMPLEMENTED >> bit & 1);
	assert_true(virtio_has(&sim.device, 23));
	assert_true(virtio_has(&sim.device, 50));
}

static void transport_may_not_have_its_own_features(void **state)
{
	(void)state;
	start(false, UINT64_MAX);
	sim.transport.features = 0;
	assert_int_equal(virtio_negotiate(&sim.device, UINT64_MAX), 0);
	assert_false(virtio_has(&sim.device, VIRTIO_F_NOTIFICATION_DATA));
	assert_true(virtio_has(&sim.device, VIRTIO_F_EVENT_IDX));
	assert_string_equal(virtio_refusal_reason(&sim.device, VIRTIO_F_NOTIFICATION_DATA),
			    "not implemented on this transport");
}

/* Of any kind but VERSION_1, without which no modern device works. */
static void features_can_be_refused_and_allowed_again(void **state)
{
	(void)state;
	start(false, VERSION_1 | EVENT_IDX | PACKED | STATS | OOM);
	virtio_refuse_features(EVENT_IDX | STATS);
	assert_int_equal(sim_log_warnings, 0);
	virtio_refuse_features(VERSION_1 | EVENT_IDX | STATS);
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "VERSION_1 cannot be refused"));
	assert_int_equal(virtio_negotiate(&sim.device, STATS | OOM), 0);
	assert_true(sim.device.accepted == (VERSION_1 | PACKED | OOM));
	assert_string_equal(virtio_refusal_reason(&sim.device, VIRTIO_F_EVENT_IDX),
			    "refused on the command line");
	virtio_refuse_features(0);
	assert_int_equal(virtio_negotiate(&sim.device, STATS | OOM), 0);
	assert_true(sim.device.accepted == sim.features);
}

static void missing_version_1_is_not_supported(void **state)
{
	(void)state;
	start(false, STATS);
	assert_int_equal(virtio_negotiate(&sim.device, STATS), -ENOTSUP);
	assert_failed();
	assert_string_equal(sim.device.broken, "does not offer VERSION_1");
	assert_int_equal(sim.driver_features, 0);
}

static void refused_features_are_not_supported(void **state)
{
	(void)state;
	sim.refuse_features = true;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), -ENOTSUP);
	assert_failed();
	assert_string_equal(sim.device.broken, "refuses our choice of features");
	assert_false(sim.status & VIRTIO_STATUS_DRIVER_OK);
}

/* 2.1.1 */
static void failed_device_is_reset_before_the_next_try(void **state)
{
	unsigned before;

	(void)state;
	sim.refuse_features = true;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), -ENOTSUP);
	assert_true(sim.status & VIRTIO_STATUS_FAILED);
	before = sim.status_writes;
	sim.refuse_features = false;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	assert_int_equal(sim.status_log[before], 0);
	assert_false(sim.status & VIRTIO_STATUS_FAILED);
}

static uint64_t waits_began[2];

static void note_wait(void)
{
	if (sim_time_waits <= ARRAY_SIZE(waits_began))
		waits_began[sim_time_waits - 1] = clock_ns();
}

/* For 100 us the CPU is kept, then it is asked for every millisecond. */
static void reset_is_spun_for_and_then_slept_for(void **state)
{
	(void)state;
	sim_time_step_ns = 100;
	sim.slow_reset = 900;
	assert_int_equal(virtio_reset(&sim.device), 0);
	assert_int_equal(sim_time_waits, 0);
	start(false, VERSION_1);
	sim_time_step_ns = 100;
	sim.slow_reset = 1100;
	sim_time_on_wait = note_wait;
	assert_int_equal(virtio_reset(&sim.device), 0);
	sim_time_on_wait = NULL;
	assert_in_range(waits_began[0], 100 * NS_PER_US, 101 * NS_PER_US - 100);
	assert_in_range(waits_began[1] - waits_began[0], NS_PER_MS, NS_PER_MS + NS_PER_US);
}

static void slow_reset_is_waited_for(void **state)
{
	(void)state;
	sim.slow_reset = 1500;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	assert_int_equal(sim.slow_reset, 0);
	/* After a short spin the CPU is left to others. */
	assert_true(sim_time_waits > 0);
}

static void reset_without_end_times_out_at_the_deadline(void **state)
{
	(void)state;
	sim.slow_reset = SIM_VIRTIO_FOR_EVER;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), -ETIMEDOUT);
	assert_true(clock_ns() >= VIRTIO_DEADLINE_NS);
	assert_true(clock_ns() < VIRTIO_DEADLINE_NS + 10 * NS_PER_MS);
	assert_failed();
}

static void be_stopped(void)
{
	sim_time_jump((int64_t)(24 * 3600 * NS_PER_S));
}

static void be_set_back(void)
{
	sim_time_jump(-(int64_t)(3 * NS_PER_S));
}

/* A stop between any two looks is no time in which the device could have reset itself. */
static void reset_is_waited_for_however_time_jumps(void **state)
{
	static void (*const jumps[])(void) = { be_stopped, be_set_back };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(jumps); i++) {
		sim.slow_reset = 40;
		sim_time_on_look = jumps[i];
		assert_int_equal(virtio_reset(&sim.device), 0);
	}
}

static uint64_t last_look;

static void finish_at_last_look(void)
{
	if (sim_time_looks == last_look)
		sim.slow_reset = 0;
}

/* The clock is read first, then the status: what is done by then is not given up. */
static void reset_that_ends_at_the_deadline_has_ended(void **state)
{
	(void)state;
	sim.slow_reset = SIM_VIRTIO_FOR_EVER;
	assert_int_equal(virtio_reset(&sim.device), -ETIMEDOUT);
	last_look = 2 * sim_time_looks;
	sim_time_on_look = finish_at_last_look;
	assert_int_equal(virtio_reset(&sim.device), 0);
	assert_int_equal(sim_time_looks, last_look);
}

/* Of what it offered before nothing is left. */
static void failed_reset_leaves_no_features(void **state)
{
	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	sim.slow_reset = SIM_VIRTIO_FOR_EVER;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), -ETIMEDOUT);
	assert_true(sim.device.offered == 0);
	assert_true(sim.device.accepted == 0);
	assert_string_equal(sim.device.broken, "does not finish its reset");
	assert_string_equal(sim_log_warning, "virtio: simulated: does not finish its reset");
}

static void device_that_is_gone_is_an_error_at_once(void **state)
{
	(void)state;
	sim.gone = true;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), -EIO);
	assert_true(clock_ns() < NS_PER_MS);
	assert_string_equal(sim.device.broken, "gone: all registers read as ones");
	/* Nobody is told that we gave up. */
	assert_int_equal(sim.status_writes, 1);
	assert_int_equal(sim_log_warnings, 1);
	assert_true(virtio_needs_reset(&sim.device));
}

static uint64_t features_and_gone(struct virtio_device *device)
{
	sim_virtio_of(device)->gone = true;
	return UINT64_MAX;
}

static void device_that_goes_while_features_are_read_is_an_error(void **state)
{
	(void)state;
	sim.transport.get_features = features_and_gone;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), -EIO);
	assert_string_equal(sim.device.broken, "all registers read as ones");
	assert_int_equal(sim.device.accepted, 0);
	assert_int_equal(sim_log_warnings, 1);
}

static void set_features_and_gone(struct virtio_device *device, uint64_t features)
{
	sim_virtio_set_features(sim_virtio_of(device), features);
	sim_virtio_of(device)->gone = true;
}

static void device_that_goes_before_features_ok_is_an_error(void **state)
{
	(void)state;
	sim.transport.set_features = set_features_and_gone;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), -EIO);
	assert_string_equal(sim.device.broken, "all registers read as ones");
}

static void broken_device_can_be_negotiated_again(void **state)
{
	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	make_ready();
	virtio_break(&sim.device, "test");
	virtq_destroy(&first_queue);
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	assert_null(sim.device.broken);
	make_ready();
	assert_int_equal(sim.status, 15);
}

static void breaking_resets_and_says_why_once(void **state)
{
	static struct virtq queue;

	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	assert_int_equal(virtq_create(&sim.device, 0, &queue), 0);
	virtio_ready(&sim.device);
	virtio_break(&sim.device, "first");
	virtio_break(&sim.device, "second");
	/* It was told so first. */
	assert_int_equal(sim.status_log[sim.status_writes - 2], 15 | VIRTIO_STATUS_FAILED);
	assert_int_equal(sim.status, 0);
	assert_string_equal(sim.device.broken, "first");
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning, "virtio: simulated: broken: first");
	assert_true(virtq_is_broken(&queue));
	virtq_destroy(&queue);
	assert_int_equal(sim_frame_in_use(), 0);
}

static void breaking_a_device_names_its_drivers_remedy(void **state)
{
	struct virtio_driver driver = { .remedy = "; pray" };

	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	sim.device.driver = &driver;
	virtio_break(&sim.device, "test");
	sim.device.driver = NULL;
	assert_string_equal(sim_log_warning, "virtio: simulated: broken: test; pray");
}

static void breaking_a_device_that_does_not_reset_ends(void **state)
{
	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	sim.slow_reset = SIM_VIRTIO_FOR_EVER;
	virtio_break(&sim.device, "test");
	assert_true(clock_ns() < VIRTIO_DEADLINE_NS + 10 * NS_PER_MS);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning, "virtio: simulated: broken: test; and it does not "
					     "finish its reset");
}

static void device_that_needs_reset_is_seen(void **state)
{
	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	make_ready();
	assert_false(virtio_needs_reset(&sim.device));
	sim_virtio_need_reset(&sim);
	assert_true(virtio_needs_reset(&sim.device));
	assert_true(sim.device.config_changed);
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	assert_false(virtio_needs_reset(&sim.device));
	assert_false(sim.device.config_changed);
}

static void config_is_read_and_written(void **state)
{
	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	sim_virtio_set_config32(&sim, 0, 0x12345678);
	assert_int_equal(virtio_config_read32(&sim.device, 0), 0x12345678);
	virtio_config_write32(&sim.device, 4, 0xfedcba98);
	assert_int_equal(sim_virtio_config32(&sim, 4), 0xfedcba98);
	assert_int_equal(sim_virtio_config32(&sim, 0), 0x12345678);
}

static void config_beyond_its_end_reads_as_zero(void **state)
{
	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	sim_virtio_set_config32(&sim, 12, 5);
	sim.config_size = 14;
	assert_int_equal(virtio_config_read32(&sim.device, 12), 0);
	assert_int_equal(virtio_config_read32(&sim.device, SIZE_MAX - 1), 0);
	assert_false(virtio_config_has(&sim.device, 12, 4));
	assert_true(virtio_config_has(&sim.device, 12, 2));
	assert_true(virtio_config_has(&sim.device, 0, 14));
	assert_false(virtio_config_has(&sim.device, 0, 15));
	/* The last four bytes are there. */
	sim.config_size = 16;
	assert_int_equal(virtio_config_read32(&sim.device, 12), 5);
	sim.config_size = 14;
	virtio_config_write32(&sim.device, 12, 9);
	assert_int_equal(sim_virtio_config32(&sim, 12), 5);
	sim.config_size = 2;
	assert_int_equal(virtio_config_read32(&sim.device, 0), 0);
}

static void config_that_changes_is_read_again(void **state)
{
	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	sim_virtio_set_config32(&sim, 0, 100);
	sim.restless = 3;
	assert_int_equal(virtio_config_read32(&sim.device, 0), 103);
}

/* A field of eight bytes changes after its first half was read. */
static uint32_t tear(struct virtio_device *device, size_t offset)
{
	static const uint32_t half[2][2] = { { 0xffffffff, 1 }, { 5, 2 } };
	uint32_t value = half[sim.generation > 7][offset / 4];

	(void)device;
	if (sim.generation == 7)
		sim.generation++;
	return value;
}

static void halves_of_a_config_field_belong_together(void **state)
{
	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	sim.generation = 7;
	sim.transport.config_read32 = tear;
	assert_int_equal(virtio_config_read64(&sim.device, 0), UINT64_C(0x200000005));
}

static void config_of_eight_bytes_beyond_its_end_reads_as_zero(void **state)
{
	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	sim_virtio_set_config32(&sim, 8, 0x12345678);
	sim_virtio_set_config32(&sim, 12, 0x9abcdef0);
	sim.config_size = 16;
	assert_int_equal(virtio_config_read64(&sim.device, 8), UINT64_C(0x9abcdef012345678));
	sim.config_size = 15;
	assert_int_equal(virtio_config_read64(&sim.device, 8), 0);
}

static void config_that_never_holds_still_ends(void **state)
{
	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	sim.restless = SIM_VIRTIO_FOR_EVER;
	/* Each of 64 reads shows one more. */
	assert_int_equal(virtio_config_read32(&sim.device, 0), 63);
}

/* One interrupt for everything says nothing; on a legacy device, nor does the generation. */
static void config_is_new_if_its_generation_is(void **state)
{
	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	sim.device.shared_interrupt = true;
	assert_false(virtio_config_is_new(&sim.device));
	sim.generation++;
	assert_true(virtio_config_is_new(&sim.device));
	assert_false(virtio_config_is_new(&sim.device));
	/* What came before a reset is nothing new after it. */
	sim.generation++;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	assert_false(virtio_config_is_new(&sim.device));
	sim.device.shared_interrupt = false;
	assert_true(virtio_config_is_new(&sim.device));
	start(true, STATS);
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	sim.device.shared_interrupt = true;
	assert_true(virtio_config_is_new(&sim.device));
	assert_true(virtio_config_is_new(&sim.device));
}

/* An interrupt of its own tells nothing new if it is late; a device that never moves has none. */
static void config_that_was_seen_is_not_new_again(void **state)
{
	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	sim.device.shared_interrupt = false;
	assert_true(virtio_config_is_new(&sim.device));
	assert_true(virtio_config_is_new(&sim.device));
	assert_false(virtio_config_has_moved(&sim.device));
	sim.generation++;
	assert_true(virtio_config_has_moved(&sim.device));
	assert_false(virtio_config_has_moved(&sim.device));
	assert_false(virtio_config_is_new(&sim.device));
	sim.generation++;
	assert_true(virtio_config_is_new(&sim.device));
	/* The first change is told from none. */
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	sim.generation++;
	assert_true(virtio_config_is_new(&sim.device));
	assert_false(virtio_config_is_new(&sim.device));
	/* The next one may be a device that never moves. */
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	assert_true(virtio_config_is_new(&sim.device));
	assert_true(virtio_config_is_new(&sim.device));
}

static void interrupt_wakes_and_tells_config_from_queue(void **state)
{
	uint64_t wakes;

	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	make_ready();
	wakes = sim_time_wakes;
	sim_virtio_interrupt(&sim, VIRTIO_ISR_QUEUE);
	assert_false(sim.device.config_changed);
	sim_virtio_interrupt(&sim, VIRTIO_ISR_CONFIG);
	assert_true(sim.device.config_changed);
	assert_int_equal(sim.device.interrupt_count, 2);
	assert_int_equal(sim_time_wakes, wakes + 2);
}

static void raise_queue_interrupt(void)
{
	sim_virtio_interrupt(&sim, VIRTIO_ISR_QUEUE);
}

static void wake_reaches_who_waits_for_the_device(void **state)
{
	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	assert_false(task_wait(&sim.device.interrupts, clock_ns() + NS_PER_MS));
	sim_time_on_wait = raise_queue_interrupt;
	assert_true(task_wait(&sim.device.interrupts, clock_ns() + NS_PER_MS));
}

static void interrupt_pending_at_start_is_read_and_kept(void **state)
{
	(void)state;
	sim.raise = NULL;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	sim.isr = VIRTIO_ISR_CONFIG;
	make_ready();
	assert_int_equal(sim.isr, 0);
	assert_true(sim.device.config_changed);
}

static void devices_are_found_by_type_in_order(void **state)
{
	static struct virtio_device a = { .type = 1 }, b = { .type = 5 }, c = { .type = 5 };

	(void)state;
	assert_null(virtio_devices());
	virtio_register(&a);
	virtio_register(&b);
	virtio_register(&c);
	assert_ptr_equal(virtio_devices(), &a);
	assert_ptr_equal(virtio_find(5), &b);
	assert_null(virtio_find(2));
	virtio_unregister(&b);
	assert_ptr_equal(virtio_find(5), &c);
	virtio_unregister(&b);
	/* One that comes back is the last. */
	virtio_unregister(&a);
	virtio_register(&a);
	assert_ptr_equal(virtio_devices(), &c);
	assert_ptr_equal(c.next, &a);
	assert_null(a.next);
	virtio_unregister(&a);
	virtio_unregister(&c);
	assert_null(virtio_devices());
}

/* ---- Drivers ---- */

static unsigned probes, removals;
static int probe_result;
static int probe_results[2];
static const int *results; /* NULL: it is probe_result each time */

static int driver_probe(struct virtio_device *device)
{
	(void)device;
	probes++;
	return results ? results[probes - 1] : probe_result;
}

static void driver_remove(struct virtio_device *device)
{
	/* It still finds it in the list. */
	assert_ptr_equal(virtio_find(device->type), device);
	removals++;
}

static struct virtio_driver test_driver = { .type = 77,
					    .probe = driver_probe,
					    .remove = driver_remove };

static void driver_gets_devices_that_are_there_and_that_come(void **state)
{
	static struct virtio_device a = { .type = 77 }, b = { .type = 77 }, other = { .type = 78 };

	(void)state;
	probes = removals = 0;
	probe_result = 0;
	virtio_register(&a);
	virtio_register(&other);
	assert_int_equal(virtio_register_driver(&test_driver), 0);
	assert_int_equal(probes, 1);
	virtio_register(&b);
	assert_int_equal(probes, 2);
	virtio_unregister(&other);
	assert_int_equal(removals, 0);
	virtio_unregister(&a);
	virtio_unregister(&b);
	assert_int_equal(removals, 2);
	assert_int_equal(virtio_register_driver(&test_driver), -ENODEV);
}

static void device_that_its_driver_refused_is_not_removed_from_it(void **state)
{
	static struct virtio_device a = { .type = 77 };

	(void)state;
	virtio_register_driver(&test_driver);
	probes = removals = 0;
	probe_result = -EIO;
	virtio_register(&a);
	assert_int_equal(probes, 1);
	assert_int_equal(virtio_register_driver(&test_driver), -EIO);
	virtio_unregister(&a);
	assert_int_equal(removals, 0);
}

/* Of two devices the first one's result counts, whatever the second's. */
static void registering_a_driver_tells_of_its_first_device(void **state)
{
	static struct virtio_device a = { .type = 77 }, b = { .type = 77 };

	(void)state;
	probe_result = 0;
	virtio_register(&a);
	virtio_register(&b);
	probe_results[0] = 0;
	probe_results[1] = -EIO;
	probes = 0;
	results = probe_results;
	assert_int_equal(virtio_register_driver(&test_driver), 0);
	assert_ptr_equal(a.driver, &test_driver);
	assert_null(b.driver);
	probe_results[0] = -EIO;
	probe_results[1] = 0;
	probes = 0;
	assert_int_equal(virtio_register_driver(&test_driver), -EIO);
	assert_null(a.driver);
	assert_ptr_equal(b.driver, &test_driver);
	results = NULL;
	virtio_unregister(&a);
	virtio_unregister(&b);
	assert_null(b.driver);
}

/* Registered once more, as by a test, it stays where it is, and so do those after it. */
static void drivers_are_listed_once(void **state)
{
	static struct virtio_driver other = { .type = 78,
					      .probe = driver_probe,
					      .remove = driver_remove };

	(void)state;
	virtio_register_driver(&test_driver);
	virtio_register_driver(&other);
	virtio_register_driver(&test_driver);
	virtio_register_driver(&other);
	assert_ptr_equal(virtio_find_driver(77), &test_driver);
	assert_ptr_equal(virtio_find_driver(78), &other);
	assert_null(virtio_find_driver(79));
}

static void device_that_is_gone_is_broken_and_wakes(void **state)
{
	(void)state;
	virtio_gone(&sim.device);
	assert_string_equal(sim.device.broken, "gone");
	assert_int_equal(sim_time_wakes, 1);
}

/* Pulled out, and another is in its place: what answers there is not asked. */
static void device_that_was_pulled_out_has_nothing(void **state)
{
	(void)state;
	assert_int_equal(virtio_negotiate(&sim.device, STATS), 0);
	make_ready();
	assert_false(virtio_is_reset(&sim.device));
	virtio_gone(&sim.device);
	assert_true(virtio_is_reset(&sim.device));
	assert_true(virtq_is_broken(&first_queue));
	virtq_destroy(&first_queue);
}

static bool never_gone(struct virtio_device *device)
{
	(void)device;
	return false;
}

/* It may still do what it likes with what it has. */
static void device_of_ones_that_is_still_there_is_not_gone(void **state)
{
	(void)state;
	sim.gone = true;
	sim.transport.is_gone = never_gone;
	assert_int_equal(virtio_reset(&sim.device), -ETIMEDOUT);
	assert_false(virtio_is_reset(&sim.device));
	assert_true(virtio_needs_reset(&sim.device));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(status_is_written_in_the_order_of_3_1_1),
		CASE(legacy_status_has_no_features_ok),
		CASE(only_allowed_and_offered_features_are_accepted),
		CASE(ring_features_are_not_the_drivers_to_allow),
		CASE(transport_may_not_have_its_own_features),
		CASE(features_can_be_refused_and_allowed_again),
		CASE(missing_version_1_is_not_supported),
		CASE(refused_features_are_not_supported),
		CASE(failed_device_is_reset_before_the_next_try),
		CASE(reset_is_spun_for_and_then_slept_for),
		CASE(failed_reset_leaves_no_features),
		CASE(config_is_new_if_its_generation_is),
		CASE(config_that_was_seen_is_not_new_again),
		CASE(slow_reset_is_waited_for),
		CASE(reset_without_end_times_out_at_the_deadline),
		CASE(reset_is_waited_for_however_time_jumps),
		CASE(reset_that_ends_at_the_deadline_has_ended),
		CASE(device_that_is_gone_is_an_error_at_once),
		CASE(device_that_goes_while_features_are_read_is_an_error),
		CASE(device_that_goes_before_features_ok_is_an_error),
		CASE(broken_device_can_be_negotiated_again),
		CASE(breaking_resets_and_says_why_once),
		CASE(breaking_a_device_names_its_drivers_remedy),
		CASE(breaking_a_device_that_does_not_reset_ends),
		CASE(device_that_needs_reset_is_seen),
		CASE(config_is_read_and_written),
		CASE(config_beyond_its_end_reads_as_zero),
		CASE(config_that_changes_is_read_again),
		CASE(halves_of_a_config_field_belong_together),
		CASE(config_of_eight_bytes_beyond_its_end_reads_as_zero),
		CASE(config_that_never_holds_still_ends),
		CASE(interrupt_wakes_and_tells_config_from_queue),
		CASE(wake_reaches_who_waits_for_the_device),
		CASE(interrupt_pending_at_start_is_read_and_kept),
		CASE(devices_are_found_by_type_in_order),
		CASE(driver_gets_devices_that_are_there_and_that_come),
		CASE(device_that_its_driver_refused_is_not_removed_from_it),
		CASE(registering_a_driver_tells_of_its_first_device),
		CASE(drivers_are_listed_once),
		CASE(device_that_is_gone_is_broken_and_wakes),
		CASE(device_that_was_pulled_out_has_nothing),
		CASE(device_of_ones_that_is_still_there_is_not_gone),
	};

	return cmocka_run_group_tests_name("virtio", tests, NULL, NULL);
}
