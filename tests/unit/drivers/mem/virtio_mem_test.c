/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/mem/virtio_mem.c and virtio_mem_config.c: which devices are used, and how they go. */
#include "tests/unit/drivers/mem/virtio_mem_fixture.h"

#include <errno.h>
#include <string.h>

#include "drivers/virtio/virtio_feature_names.h"
#include "drivers/virtio/virtio_transport.h"

/* ---- The start ---- */

static void a_device_is_a_source(void **state)
{
	const struct mem_source *source;

	(void)state;
	start_one();
	source = mem_sources();
	assert_non_null(source);
	assert_null(source->next);
	assert_string_equal(source->kind, "virtio-mem");
	assert_string_equal(source->name, "0000:00:02.0");
	assert_int_equal(source->part.start, REGION);
	assert_int_equal(source->part.blocks, REGION_BLOCKS);
	assert_int_equal(source->part.unit, 1);
	assert_int_equal(source->requested, 0);
	assert_int_equal(source->plugged, 0);
	assert_null(source->trouble);
	assert_true(frame_region_contains(REGION, REGION_BLOCKS));
	assert_int_equal(fake_tasks, 1);
	assert_int_equal(mem_fixture_last_event(MEM_EVENT_ANNOUNCED).argument[1],
			 REGION_BLOCKS * B);
	assert_string_equal(sim_log_info, "virtio-mem: 0000:00:02.0: up to 1024 MiB from "
					  "0x200080000000 on, in blocks of 2048 KiB");
	/* Nothing is wanted: that is no news. */
	assert_int_equal(mem_fixture_events(MEM_EVENT_REACHED), 0);
	assert_int_equal(sim.requests[VIRTIO_MEM_UNPLUG_ALL], 0);
}

static void its_features_are_accepted_and_have_names(void **state)
{
	(void)state;
	start_one();
	assert_int_equal(sim.virtio.driver_features, MEM_OFFERED);
	assert_string_equal(virtio_feature_name(VIRTIO_ID_MEM, 0), "ACPI_PXM");
	assert_string_equal(virtio_feature_name(VIRTIO_ID_MEM, 1), "UNPLUGGED_INACCESSIBLE");
	assert_string_equal(virtio_feature_name(VIRTIO_ID_MEM, 2), "PERSISTENT_SUSPEND");
	assert_null(virtio_feature_name(VIRTIO_ID_MEM, 3));
}

static void what_was_requested_before_the_start_is_plugged(void **state)
{
	(void)state;
	make_sim(0);
	sim_mem_request_size(&sim, 12 * BLOCK_SIZE);
	boot_with(1);
	settle();
	expect_plugged(12);
	assert_int_equal(mem_fixture_events(MEM_EVENT_REACHED), 1);
}

static void what_is_plugged_already_is_unplugged_first(void **state)
{
	(void)state;
	make_sim(0);
	sim_mem_request_size(&sim, 12 * BLOCK_SIZE);
	sim_mem_set(&sim, sim.addr + 100 * BLOCK_SIZE, 7 * BLOCK_SIZE, true);
	boot_with(1);
	settle();
	assert_int_equal(sim.requests[VIRTIO_MEM_UNPLUG_ALL], 1);
	expect_plugged(12);
	/* Only this once. */
	request(3);
	wait_ns(2 * NS_PER_S);
	assert_int_equal(sim.requests[VIRTIO_MEM_UNPLUG_ALL], 1);
}

static void a_busy_device_is_asked_to_unplug_all_again(void **state)
{
	(void)state;
	make_sim(0);
	sim_mem_request_size(&sim, 12 * BLOCK_SIZE);
	sim_mem_set(&sim, sim.addr, 7 * BLOCK_SIZE, true);
	sim.busy = true;
	boot_with(1);
	wait_ns(NS_PER_S);
	expect_plugged_by_us(0);
	assert_non_null(strstr(mem->source.trouble, "busy"));
	assert_in_range(sim.requests[VIRTIO_MEM_UNPLUG_ALL], 4, 5);
	assert_int_equal(sim.requests[VIRTIO_MEM_PLUG], 0);
	sim.busy = false;
	wait_ns(2 * NS_PER_S);
	expect_plugged(12);
}

/* Nothing is wanted: so nothing else would ever say that it is over. */
static void what_was_in_the_way_at_the_start_is_over(void **state)
{
	(void)state;
	make_sim(0);
	sim_mem_set(&sim, sim.addr, 7 * BLOCK_SIZE, true);
	sim.busy = true;
	boot_with(1);
	wait_ns(NS_PER_S);
	assert_non_null(strstr(mem->source.trouble, "busy"));
	sim.busy = false;
	wait_ns(2 * NS_PER_S);
	expect_plugged(0);
	assert_null(mem->source.trouble);
	assert_int_equal(mem->busy_ns, 0);
}

static bool lie_nack(struct sim_mem *s, const struct sim_mem_request *request,
		     struct sim_mem_answer *answer)
{
	(void)s, (void)request;
	answer->type = VIRTIO_MEM_NACK;
	return true;
}

static void a_refusal_at_the_start_is_over(void **state)
{
	(void)state;
	make_sim(0);
	sim_mem_set(&sim, sim.addr, 7 * BLOCK_SIZE, true);
	sim.lie = lie_nack;
	boot_with(1);
	settle();
	assert_non_null(strstr(mem->source.trouble, "does not want that now"));
	assert_int_equal(mem_fixture_events(MEM_EVENT_STUCK), 1);
	sim.lie = NULL;
	wait_ns(2 * NS_PER_S);
	expect_plugged(0);
	assert_null(mem->source.trouble);
	assert_false(mem->stuck);
}

static bool lie_unplug_all(struct sim_mem *s, const struct sim_mem_request *request,
			   struct sim_mem_answer *answer)
{
	(void)s;
	answer->type = VIRTIO_MEM_ACK;
	return request->type == VIRTIO_MEM_UNPLUG_ALL;
}

static void a_device_that_says_it_has_unplugged_all_and_has_not_is_asked_block_by_block(
	void **state)
{
	(void)state;
	make_sim(0);
	sim_mem_request_size(&sim, 12 * BLOCK_SIZE);
	sim_mem_set(&sim, sim.addr + 5 * BLOCK_SIZE, 7 * BLOCK_SIZE, true);
	sim.lie = lie_unplug_all;
	boot_with(1);
	settle();
	expect_plugged(12);
	assert_int_equal(sim.answers[VIRTIO_MEM_ERROR], 0);
}

static bool lie_error(struct sim_mem *s, const struct sim_mem_request *request,
		      struct sim_mem_answer *answer)
{
	(void)s;
	answer->type = VIRTIO_MEM_ERROR;
	return request->type == VIRTIO_MEM_UNPLUG_ALL;
}

static void a_device_that_does_not_unplug_all_is_not_used(void **state)
{
	(void)state;
	make_sim(0);
	sim_mem_request_size(&sim, 12 * BLOCK_SIZE);
	sim_mem_set(&sim, sim.addr, 7 * BLOCK_SIZE, true);
	sim.lie = lie_error;
	boot_with(1);
	wait_ns(5 * NS_PER_S);
	expect_plugged_by_us(0);
	assert_int_equal(sim.requests[VIRTIO_MEM_PLUG], 0);
	assert_in_range(sim.requests[VIRTIO_MEM_UNPLUG_ALL], 5, 7);
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "ERROR to the request to unplug all"));
}

/* ---- Several ---- */

static void regions_are_announced_from_the_lowest_up(void **state)
{
	const struct mem_source *source;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		make_sim(i);
	/* They are found in another order. */
	virtio_register(&sims[2].virtio.device);
	virtio_register(&sims[0].virtio.device);
	virtio_register(&sims[1].virtio.device);
	assert_null(mem_sources());
	virtio_mem_begin();
	source = mem_sources();
	for (size_t i = 0; i < 3; i++, source = source->next) {
		assert_int_equal(source->part.start, REGION + i * REGION_BLOCKS * B);
		assert_int_equal(pfn_to_paddr(source->part.start), sims[i].addr);
	}
	assert_null(source);
	assert_int_equal(fake_tasks, 3);
	assert_int_equal(sim_log_warnings, 0);
}

static void several_devices_each_have_their_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		make_sim(i);
	boot_with(3);
	for (size_t i = 0; i < 3; i++)
		sim_mem_request_size(&sims[i], (10 + i) * BLOCK_SIZE);
	settle();
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(sims[i].plugged, (10 + i) * BLOCK_SIZE);
	assert_int_equal(ledger_managed(), (BOOT_BLOCKS + 33) * B);
	sim_mem_request_size(&sims[1], 0);
	settle();
	assert_int_equal(ledger_managed(), (BOOT_BLOCKS + 22) * B);
}

static void a_ninth_device_is_one_too_many(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIMS; i++)
		make_sim(i);
	boot_with(SIMS);
	assert_int_equal(fake_tasks, 8);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning,
			    "virtio-mem: 0000:00:0a.0: not used: there are 8 of them already");
	assert_null(sims[8].virtio.device.driver);
}

static void a_region_in_a_known_window_is_not_announced_again(void **state)
{
	(void)state;
	assert_int_equal(memory_region_announce(REGION - 8 * B, REGION_BLOCKS + 16), 0);
	start_one();
	request(5);
	expect_plugged(5);
	assert_int_equal(sim_log_warnings, 0);
}

/* Both are probed before either is a source. */
static void of_two_devices_with_one_region_the_second_is_refused(void **state)
{
	(void)state;
	make_sim(0);
	make_sim(1);
	/* They begin at the same block, or share the last one. */
	for (size_t shared = 1; shared <= REGION_BLOCKS; shared += REGION_BLOCKS - 1) {
		uint64_t distance = (REGION_BLOCKS - shared) * BLOCK_SIZE;

		virtio_mem_tear_down(state);
		virtio_mem_set_up(state);
		make_sim(0);
		make_sim(1);
		sim_mem_show(&sims[1], SIM_MEM_ADDR, sims[0].addr + distance);
		sim_mem_request_size(&sims[0], 10 * BLOCK_SIZE);
		sim_mem_request_size(&sims[1], 10 * BLOCK_SIZE);
		boot_with(2);
		settle();
		expect_plugged(10);
		assert_null(mem_sources()->next);
		assert_int_equal(sims[1].plugged, 0);
		assert_true(sims[1].virtio.device.broken);
		assert_int_equal(sims[1].virtio.status, 0);
		assert_int_equal(fake_tasks, 1);
		assert_int_equal(sim_log_warnings, 1);
		assert_non_null(strstr(sim_log_warning,
				       "0000:00:03.0: not used: its region is in use by "
				       "virtio-mem 0000:00:02.0 (block size 0x200000"));
	}
}

static void a_dimm_found_before_the_regions_are_announced_keeps_its_place(void **state)
{
	static struct mem_source dimm = { .kind = "dimm",
					  .name = "slot 3",
					  .part = { REGION + 100 * B, 4, 4 } };

	(void)state;
	make_sim(0);
	virtio_register(&sim.virtio.device);
	mem_source_add(&dimm);
	virtio_mem_begin();
	settle();
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "its region is in use by dimm slot 3"));
	assert_int_equal(fake_tasks, 0);
	assert_ptr_equal(mem_sources(), &dimm);
	assert_null(dimm.next);
	mem_source_remove(&dimm);
}

static void a_device_that_comes_later_works_at_once(void **state)
{
	(void)state;
	make_sim(0);
	make_sim(1);
	boot_with(1);
	sim_mem_request_size(&sims[1], 4 * BLOCK_SIZE);
	virtio_register(&sims[1].virtio.device);
	settle();
	assert_int_equal(sims[1].plugged, 4 * BLOCK_SIZE);
	assert_int_equal(fake_tasks, 2);
}

static void a_device_that_comes_later_and_lies_below_is_refused(void **state)
{
	(void)state;
	make_sim(0);
	make_sim(1);
	virtio_register(&sims[1].virtio.device);
	virtio_mem_begin();
	virtio_register(&sims[0].virtio.device);
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "0000:00:02.0"));
	assert_non_null(
		strstr(sim_log_warning, "below what is known, or beyond the address space"));
	assert_int_equal(fake_tasks, 1);
	assert_null(sims[0].virtio.device.driver);
	assert_true(sims[0].virtio.device.broken);
}

static void probing_again_changes_nothing(void **state)
{
	(void)state;
	start_one();
	request(5);
	sim_virtio_interrupt(&sim.virtio, VIRTIO_ISR_CONFIG);
	assert_int_equal(sim.virtio.device.driver->probe(&sim.virtio.device), 0);
	settle();
	expect_plugged(5);
	assert_int_equal(fake_tasks, 1);
}

/* ---- Regions that cannot be used ---- */

struct region {
	const char *why;
	uint64_t block_size, addr, size;
};

#define REGION_ADDR (REGION * FRAME_SIZE)

static void a_region_that_cannot_be_used_is_named_in_one_line(void **state)
{
	static const struct region regions[] = {
		{ "its block size is none", 0, REGION_ADDR, GIB },
		{ "its block size is none", 3, REGION_ADDR, GIB },
		{ "its block size is none", 3 * BLOCK_SIZE, REGION_ADDR, 3 * GIB },
		{ "its block size is none", FRAME_SIZE / 2, REGION_ADDR, GIB },
		{ "its region is no whole number of its blocks", UINT64_C(1) << 63, REGION_ADDR,
		  GIB },
		{ "its region lies at 0", BLOCK_SIZE, 0, GIB },
		{ "its region has no size", BLOCK_SIZE, REGION_ADDR, 0 },
		{ "one above 16 TiB", BLOCK_SIZE, REGION_ADDR, ((uint64_t)16 << 40) + BLOCK_SIZE },
		{ "its region wraps around", BLOCK_SIZE, UINT64_MAX - BLOCK_SIZE + 1,
		  2 * BLOCK_SIZE },
		{ "its region wraps around", BLOCK_SIZE, 0 - GIB, 2 * GIB },
		{ "no whole number of its blocks", BLOCK_SIZE, REGION_ADDR + FRAME_SIZE, GIB },
		{ "no whole number of its blocks", 2 * BLOCK_SIZE, REGION_ADDR + BLOCK_SIZE, GIB },
		{ "no whole number of its blocks", 4 * BLOCK_SIZE, REGION_ADDR, 7 * BLOCK_SIZE },
		{ "has no whole 2 MiB", FRAME_SIZE, REGION_ADDR + FRAME_SIZE, BLOCK_SIZE },
		{ "memory of the boot lies, or below it", BLOCK_SIZE, (RAM + B) * FRAME_SIZE, GIB },
		{ "memory of the boot lies, or below it", BLOCK_SIZE, BLOCK_SIZE, GIB },
		{ "memory of the boot lies, or below it", BLOCK_SIZE,
		  (RAM + BOOT_BLOCKS / 2 * B) * FRAME_SIZE, GIB },
	};

	for (size_t i = 0; i < ARRAY_SIZE(regions); i++) {
		const struct region *region = &regions[i];

		virtio_mem_tear_down(state);
		virtio_mem_set_up(state);
		make_sim(0);
		sim_mem_show(&sim, SIM_MEM_BLOCK_SIZE, region->block_size);
		sim_mem_show(&sim, SIM_MEM_ADDR, region->addr);
		sim_mem_show(&sim, SIM_MEM_REGION_SIZE, region->size);
		boot_with(1);
		settle();
		if (sim_log_warnings != 1 || !strstr(sim_log_warning, region->why))
			fail_msg("%zu: %u lines, '%s' is not '%s'", i, sim_log_warnings,
				 sim_log_warning, region->why);
		assert_non_null(strstr(sim_log_warning, "0000:00:02.0"));
		assert_true(sim.virtio.device.broken);
		assert_int_equal(sim.virtio.status, 0);
		assert_null(mem_sources());
		assert_int_equal(fake_tasks, 0);
		assert_int_equal(ledger_count(OWNER_VIRTQUEUES), 0);
	}
}

static void a_region_where_something_is_mapped_is_refused(void **state)
{
	(void)state;
	make_sim(0);
	block_tables.err = -EBUSY;
	boot_with(1);
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(
		strstr(sim_log_warning, "no place for memory: something else is mapped there"));
	assert_null(mem_sources());
	block_tables.err = 0;
}

static void there_may_be_no_room_for_its_books(void **state)
{
	(void)state;
	make_sim(0);
	block_tables.err = -ENOMEM;
	boot_with(1);
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "there is no memory for its books"));
	block_tables.err = 0;
}

/* What the processor cannot address is not said to lie below something. */
static void the_reason_why_a_region_cannot_be_announced_is_said(void **state)
{
	static const struct {
		int err;
		const char *why;
	} errors[] = {
		{ -EINVAL, "beyond the address space" },
		{ -EBUSY, "something else is mapped there" },
		{ -ENOMEM, "no memory for its books" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		virtio_mem_tear_down(state);
		virtio_mem_set_up(state);
		make_sim(0);
		block_tables.err = errors[i].err;
		boot_with(1);
		assert_int_equal(sim_log_warnings, 1);
		assert_non_null(strstr(sim_log_warning, errors[i].why));
		assert_non_null(
			strstr(sim_log_warning,
			       "(block size 0x200000, region 0x200080000000 + 0x40000000)"));
		assert_null(mem_sources());
	}
	block_tables.err = 0;
}

static void a_region_for_which_there_are_too_many_is_named(void **state)
{
	(void)state;
	for (pfn_t at = RAM + (BOOT_BLOCKS + 1) * B; !memory_region_announce(at, 1); at += 2 * B)
		assert_true(at < REGION);
	start_one();
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "there are too many ranges"));
}

static void a_region_in_use_by_another_source_is_refused(void **state)
{
	static struct mem_source dimm = { .kind = "dimm",
					  .name = "slot 3",
					  .part = { REGION + 100 * B, 4, 4 } };

	(void)state;
	mem_source_add(&dimm);
	make_sim(0);
	boot_with(1);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning,
			    "virtio-mem: 0000:00:02.0: not used: its region is in use by dimm slot "
			    "3 (block size 0x200000, region 0x200080000000 + 0x40000000)");
	mem_source_remove(&dimm);
}

static void a_region_is_trimmed_to_whole_2_mib(void **state)
{
	(void)state;
	make_sim(0);
	sim_mem_fini(&sim);
	sim_mem_init(&sim, MEM_OFFERED, REGION_ADDR + FRAME_SIZE, 8 * BLOCK_SIZE, FRAME_SIZE);
	sim.blind = true; /* it counts 2 MiB from its own start on */
	boot_with(1);
	settle();
	assert_int_equal(mem->source.part.start, REGION + B);
	assert_int_equal(mem->source.part.blocks, 7);
	request(7);
	assert_int_equal(mem->source.plugged, 7 * B);
	assert_int_equal(sim.plugged, 7 * BLOCK_SIZE);
	request(0);
	assert_int_equal(sim.plugged, 0);
}

static void a_short_config_is_refused(void **state)
{
	(void)state;
	make_sim(0);
	sim.virtio.config_size = SIM_MEM_CONFIG_SIZE - 8;
	boot_with(1);
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "its config is too short"));
	assert_null(mem->device);
}

static void without_a_task_it_is_not_used(void **state)
{
	(void)state;
	fake_task_err = -EAGAIN;
	make_sim(0);
	boot_with(1);
	assert_false(mem->running);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(mem->source.trouble, "no task for the memory device");
	assert_int_equal(ledger_count(OWNER_VIRTQUEUES), 0);
}

static void a_legacy_device_is_refused(void **state)
{
	(void)state;
	make_sim(0);
	sim.virtio.transport.legacy = true;
	sim.virtio.transport.fixed_queue_size = true;
	boot_with(1);
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "never a legacy one"));
	assert_null(sim.virtio.device.driver);
	/* The simulated device minds that it was not asked as a legacy one is. */
	sim.virtio.violation = NULL;
}

/* However little there is: it is used, or nothing is kept of it. */
static void without_memory_for_its_queue_it_is_not_used(void **state)
{
	size_t used = 0;

	for (size_t left = 1; left < 16; left++) {
		pfn_t run, pfn;

		virtio_mem_tear_down(state);
		virtio_mem_set_up(state);
		make_sim(0);
		assert_int_equal(memory_region_announce(REGION, REGION_BLOCKS), 0);
		assert_int_equal(frame_alloc(4, OWNER_HEAP, &run), 0);
		while (frame_alloc(0, OWNER_HELD, &pfn) == 0)
			;
		assert_int_equal(frame_free(run, left, OWNER_HEAP), 0);
		boot_with(1);
		used += mem->running;
		assert_int_equal(ledger_count(OWNER_VIRTQUEUES) > 0, mem->running);
		assert_int_equal(sim_log_warnings, !mem->running);
		frame_free_owned(OWNER_HELD, UINT64_MAX);
	}
	assert_in_range(used, 1, 14);
}

/* ---- The task ---- */

static unsigned waits_left;

static void count_waits(void)
{
	if (waits_left-- == 0)
		mem->removing = true;
}

static void the_task_does_the_work_until_the_device_goes(void **state)
{
	(void)state;
	start_one();
	sim_mem_request_size(&sim, 400 * BLOCK_SIZE);
	waits_left = 40;
	sim_time_on_wait = count_waits;
	run_task();
	sim_time_on_wait = NULL;
	expect_plugged(400);
	assert_false(mem->task_running);
	mem->removing = false;
}

/* One is enough, even if another was created for an earlier device in its place. */
static void a_second_task_ends_at_once(void **state)
{
	(void)state;
	start_one();
	sim_mem_request_size(&sim, 400 * BLOCK_SIZE);
	mem->task_running = true;
	run_task();
	assert_true(mem->task_running);
	mem->task_running = false;
	expect_plugged_by_us(0);
}

static void end_task(void)
{
	if (waits_left-- == 0)
		mem->task_running = false;
}

static void the_end_of_its_task_is_waited_for(void **state)
{
	(void)state;
	start_one();
	mem->task_running = true;
	waits_left = 5;
	sim_time_on_wait = end_task;
	pull(0, false);
	sim_time_on_wait = NULL;
	assert_null(mem_sources());
	assert_true(waits_left > 5); /* it ran out */
	assert_true(sim_time_wakes >= 5);
}

/* ---- The end ---- */

static void an_empty_device_can_be_pulled_and_put_back(void **state)
{
	(void)state;
	start_one();
	request(10);
	request(0);
	for (int i = 0; i < 3; i++) {
		pull(0, i % 2);
		assert_null(mem_sources());
		assert_int_equal(ledger_count(OWNER_VIRTQUEUES), 0);
		make_sim(0);
		virtio_register(&sim.virtio.device);
		request(4);
		expect_plugged(4);
		request(0);
	}
	assert_int_equal(sim_log_warnings, 0);
	assert_int_equal(mem_fixture_events(MEM_EVENT_PULLED), 3);
}

static void free_memory_of_a_device_that_is_pulled_goes_with_it(void **state)
{
	(void)state;
	start_one();
	request(10);
	sim.completion = SIM_MEM_ON_DEMAND;
	request(7);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 3 * B);
	sim.blind = true;
	pull(0, true);
	assert_null(mem_sources());
	assert_int_equal(ledger_managed(), BOOT_BLOCKS * B);
	assert_int_equal(mem_fixture_last_event(MEM_EVENT_PULLED).argument[1], 10 * B);
	assert_int_equal(sim_log_warnings, 0);
}

static void used_memory_of_a_device_that_is_pulled_is_named(void **state)
{
	(void)state;
	start_one();
	request(10);
	mem_fixture_take(REGION + 3 * B, 1, OWNER_HELD);
	mem_fixture_take(REGION + 7 * B, 1, OWNER_HELD);
	sim.blind = true;
	pull(0, true);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning, "virtio-mem: 0000:00:02.0: pulled out with 4 MiB in "
					     "use, which cannot be replaced");
	assert_int_equal(ledger_managed(), (BOOT_BLOCKS + 2) * B);
	assert_non_null(mem_sources());
	assert_string_equal(mem_sources()->trouble, "its device was pulled out");
	assert_int_equal(mem_sources()->plugged, 2 * B);
	/* Another device in its place would bring other memory there. */
	make_sim(0);
	virtio_register(&sim.virtio.device);
	assert_int_equal(sim_log_warnings, 2);
	assert_non_null(strstr(sim_log_warning, "in use by virtio-mem 0000:00:02.0"));
	assert_null(sim.virtio.device.driver);
}

static void give_back_one_by_one(void)
{
	if (waits_left == 1)
		mem_fixture_give_back(REGION + 3 * B, 1, OWNER_HELD);
	if (waits_left == 2) {
		assert_int_equal(mem->source.plugged, B);
		mem_fixture_give_back(REGION + 7 * B, 1, OWNER_HELD);
	}
	assert_true(waits_left++ < 3);
}

/* What is free of it is given to nobody; in the end the place is as if nothing had been there. */
static void a_pulled_device_is_forgotten_when_nobody_uses_what_it_had(void **state)
{
	pfn_t pfn;

	(void)state;
	start_one();
	request(10);
	mem_fixture_take(REGION + 3 * B, 1, OWNER_HELD);
	mem_fixture_take(REGION + 7 * B, 1, OWNER_HELD);
	sim.blind = true;
	pull(0, true);
	assert_int_equal(fake_tasks, 2);
	assert_true(ledger_count(OWNER_FREE) == frame_boot_free());
	while (frame_alloc(0, OWNER_HEAP, &pfn) == 0)
		assert_true(pfn < REGION);
	frame_free_owned(OWNER_HEAP, UINT64_MAX);
	waits_left = 0;
	sim_time_on_wait = give_back_one_by_one;
	run_task();
	sim_time_on_wait = NULL;
	assert_null(mem_sources());
	assert_int_equal(ledger_managed(), BOOT_BLOCKS * B);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 0);
	make_sim(0);
	virtio_register(&sim.virtio.device);
	request(12);
	expect_plugged(12);
}

static void a_device_that_does_not_reset_keeps_what_it_has(void **state)
{
	(void)state;
	start_one();
	request(10);
	sim.completion = SIM_MEM_ON_DEMAND;
	request(7);
	sim.virtio.slow_reset = SIM_VIRTIO_FOR_EVER;
	pull(0, false);
	assert_int_equal(ledger_count(OWNER_UNPLUGGED), 3 * B);
	assert_int_equal(mem_sources()->plugged, 10 * B);
	assert_true(ledger_count(OWNER_VIRTQUEUES) >= 2);
}

static void a_device_that_was_given_up_can_be_pulled(void **state)
{
	(void)state;
	start_one();
	request(10);
	sim.completion = SIM_MEM_NEVER;
	request(7);
	wait_ns(4 * NS_PER_S);
	assert_false(mem->running);
	sim.blind = true;
	pull(0, false);
	assert_null(mem_sources());
	assert_int_equal(ledger_managed(), BOOT_BLOCKS * B);
	assert_int_equal(ledger_count(OWNER_VIRTQUEUES), 0);
}

static void a_device_that_is_gone_is_not_asked_any_more(void **state)
{
	(void)state;
	start_one();
	request(10);
	sim.blind = true;
	sim.virtio.gone = true;
	virtio_gone(&sim.virtio.device);
	settle();
	assert_false(mem->running);
	assert_string_equal(mem->source.trouble, "gone");
	virtio_unregister(&sim.virtio.device);
	assert_int_equal(ledger_managed(), BOOT_BLOCKS * B);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, virtio_mem_set_up, virtio_mem_tear_down)

int main(void)
{
	const struct CMUnitTest start[] = {
		TEST(a_device_is_a_source),
		TEST(its_features_are_accepted_and_have_names),
		TEST(what_was_requested_before_the_start_is_plugged),
		TEST(what_is_plugged_already_is_unplugged_first),
		TEST(a_busy_device_is_asked_to_unplug_all_again),
		TEST(what_was_in_the_way_at_the_start_is_over),
		TEST(a_refusal_at_the_start_is_over),
		TEST(a_device_that_says_it_has_unplugged_all_and_has_not_is_asked_block_by_block),
		TEST(a_device_that_does_not_unplug_all_is_not_used),
	};
	const struct CMUnitTest several[] = {
		TEST(regions_are_announced_from_the_lowest_up),
		TEST(several_devices_each_have_their_own),
		TEST(a_ninth_device_is_one_too_many),
		TEST(a_region_in_a_known_window_is_not_announced_again),
		TEST(of_two_devices_with_one_region_the_second_is_refused),
		TEST(a_dimm_found_before_the_regions_are_announced_keeps_its_place),
		TEST(a_device_that_comes_later_works_at_once),
		TEST(a_device_that_comes_later_and_lies_below_is_refused),
		TEST(probing_again_changes_nothing),
	};
	const struct CMUnitTest regions[] = {
		TEST(a_region_that_cannot_be_used_is_named_in_one_line),
		TEST(a_region_where_something_is_mapped_is_refused),
		TEST(there_may_be_no_room_for_its_books),
		TEST(the_reason_why_a_region_cannot_be_announced_is_said),
		TEST(a_region_for_which_there_are_too_many_is_named),
		TEST(a_region_in_use_by_another_source_is_refused),
		TEST(a_region_is_trimmed_to_whole_2_mib),
		TEST(a_short_config_is_refused),
		TEST(without_a_task_it_is_not_used),
		TEST(a_legacy_device_is_refused),
		TEST(without_memory_for_its_queue_it_is_not_used),
	};
	const struct CMUnitTest task[] = {
		TEST(the_task_does_the_work_until_the_device_goes),
		TEST(a_second_task_ends_at_once),
		TEST(the_end_of_its_task_is_waited_for),
	};
	const struct CMUnitTest end[] = {
		TEST(an_empty_device_can_be_pulled_and_put_back),
		TEST(free_memory_of_a_device_that_is_pulled_goes_with_it),
		TEST(used_memory_of_a_device_that_is_pulled_is_named),
		TEST(a_pulled_device_is_forgotten_when_nobody_uses_what_it_had),
		TEST(a_device_that_does_not_reset_keeps_what_it_has),
		TEST(a_device_that_was_given_up_can_be_pulled),
		TEST(a_device_that_is_gone_is_not_asked_any_more),
	};

	return cmocka_run_group_tests(start, region_fixture_reserve, NULL) +
	       cmocka_run_group_tests(several, NULL, NULL) +
	       cmocka_run_group_tests(regions, NULL, NULL) +
	       cmocka_run_group_tests(task, NULL, NULL) + cmocka_run_group_tests(end, NULL, NULL);
}
