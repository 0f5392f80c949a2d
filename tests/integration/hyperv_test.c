/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hyper-V as the hypervisor for tests plays it, with the real image as its guest, under nested
 * paging: a touch of a frame that the host has fails the test. What the host has, the guest's
 * show_mem, its audit and `hv-balloon` must agree to the frame.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/hypervisor/hyperv.h"
#include "tests/integration/hypervisor_harness.h"
#include "tools/deadline.h"

#define MIB_FRAMES (1 * MIB / FRAME)
#define SPARE_MIB "256"

static volatile struct hyperv_control *hyperv_of(struct inside *inside)
{
	return hypervisor_page(inside->hypervisor, HV_CONTROL_HYPERV);
}

static void wait_ready(struct inside *inside)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);

	while (hyperv_of(inside)->seen.progress != HYPERV_READY) {
		if (deadline_left(deadline) == 0)
			fail_msg("the guest comes to step %" PRIu32 " only",
				 hyperv_of(inside)->seen.progress);
		usleep(1000);
	}
}

static struct inside boot(struct guest_options guest)
{
	struct inside inside;

	guest.hypervisor = "hyperv";
	guest.balloon = "none";
	inside = inside_boot(guest);
	wait_ready(&inside);
	return inside;
}

/* The host wants so many frames, and waits until it has them. */
static void reach(struct inside *inside, uint64_t frames)
{
	inside->common->target = frames;
	inside_ring(inside);
	inside_wait(&hyperv_of(inside)->seen.ballooned, frames, "what the host has");
	inside_wait(&hyperv_of(inside)->seen.waiting, 0, "what the host waits for");
}

static uint64_t figure(struct inside *inside, const char *name)
{
	struct json_object *object = harness_json(inside->vm, "hv-balloon -j");
	uint64_t said = harness_number(object, name);

	json_object_put(object);
	return said;
}

/* The host has heard of it a moment before the guest's books have it. */
static void check_says(struct inside *inside, const char *name, uint64_t bytes)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);

	while (figure(inside, name) != bytes)
		if (deadline_left(deadline) == 0)
			fail_msg("%s is %ju, not %ju", name, (uintmax_t)figure(inside, name),
				 (uintmax_t)bytes);
}

/* The guest's own figures: a message may still be on its way into its books. */
static void check(struct inside *inside, uint64_t frames)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	struct memory memory;

	for (;;) {
		memory = harness_memory(inside->vm);
		if (memory.inflated_total == frames * FRAME || deadline_left(deadline) == 0)
			break;
	}
	assert_int_equal(memory.inflated_total, frames * FRAME);
	assert_int_equal(memory.inflated_free, 0);
	assert_int_equal(memory.owned_by_balloon, frames * FRAME);
	assert_true(memory.ledger_ok);
	check_says(inside, "ballooned", frames * FRAME);
	harness_command_says(inside->vm, "audit", "Ledger: ok (");
	assert_int_equal(inside->common->touched, 0);
}

static void hyperv_target_is_reached_to_the_frame(void **state)
{
	static const uint64_t targets[] = { 1, 512, 20000, 20001, 30000, 777, 0 };
	struct inside inside = boot((struct guest_options){ 0 });

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		reach(&inside, targets[i]);
		check(&inside, targets[i]);
	}
	harness_command_says(inside.vm, "hold 200M", "held ");
	harness_command_says(inside.vm, "release all", "pattern intact");
	inside_stop(&inside);
}

static void hyperv_gives_frames_back_in_any_order(void **state)
{
	struct inside inside = boot((struct guest_options){ .machine = "pc" });

	(void)state;
	for (uint32_t order = HYPERV_LOWEST; order <= HYPERV_SINGLES; order++) {
		hyperv_of(&inside)->wish.order = order;
		reach(&inside, 20000);
		reach(&inside, 15000);
		check(&inside, 15000);
	}
	reach(&inside, 0);
	check(&inside, 0);
	inside_stop(&inside);
}

static void hyperv_has_a_gib_as_few_ranges(void **state)
{
	struct inside inside = boot((struct guest_options){ .mem = "2G" });
	volatile struct hyperv_seen *seen = &hyperv_of(&inside)->seen;

	(void)state;
	reach(&inside, GIB / FRAME);
	assert_in_range(seen->responses, 1, 2);
	check(&inside, GIB / FRAME);
	reach(&inside, 0);
	check(&inside, 0);
	inside_stop(&inside);
}

static void hyperv_adds_memory_to_a_running_guest(void **state)
{
	struct inside inside = boot((struct guest_options){
		.mem = "3G",
		/* what is spare lies above all else, above 4 GiB */ .extra =
			"-fw_cfg name=opt/aerostat/spare-mib,string=" SPARE_MIB });
	volatile struct hyperv_control *hyperv = hyperv_of(&inside);
	struct memory before = harness_memory(inside.vm), after;

	(void)state;
	for (uint64_t mib = 64; mib <= 256; mib *= 2) {
		hyperv->wish.added = mib * MIB_FRAMES;
		inside_ring(&inside);
		inside_wait(&hyperv->seen.added, mib * MIB_FRAMES, "what was added");
		check_says(&inside, "added", mib * MIB);
		after = harness_memory(inside.vm);
		assert_int_equal(after.total, before.total + mib * MIB);
	}
	harness_command_says(inside.vm, "lsmem", "hyperv range 0");
	harness_command_says(inside.vm, "hold 400M", "held ");
	harness_command_says(inside.vm, "release all", "pattern intact");
	/* What was added is ballooned as any other. */
	reach(&inside, 400 * MIB_FRAMES);
	check(&inside, 400 * MIB_FRAMES);
	reach(&inside, 0);
	check(&inside, 0);
	inside_stop(&inside);
}

static void hyperv_withdraws_its_channel_and_offers_it_anew(void **state)
{
	struct inside inside = boot((struct guest_options){ 0 });
	volatile struct hyperv_control *hyperv = hyperv_of(&inside);

	(void)state;
	reach(&inside, 10000);
	hyperv->wish.no_dm = 1;
	inside_ring(&inside);
	while (hyperv->seen.releases == 0)
		usleep(1000);
	harness_command_says(inside.vm, "dmesg", "the host has withdrawn the channel");
	check(&inside, 10000);
	hyperv->wish.no_dm = 0;
	inside_ring(&inside);
	wait_ready(&inside);
	reach(&inside, 12345);
	check(&inside, 12345);
	reach(&inside, 0);
	check(&inside, 0);
	inside_stop(&inside);
}

static void hyperv_has_a_guest_again_after_a_reset(void **state)
{
	struct inside inside = boot((struct guest_options){ 0 });

	(void)state;
	reach(&inside, 10000);
	for (unsigned i = 1; i <= 2; i++) {
		if (i == 1)
			assert_int_equal(vm_send(inside.vm, "reboot\r", 7), 0);
		else
			harness_execute(inside.vm, "system_reset");
		harness_wait_prompt(inside.vm, NULL);
		inside_wait(&inside.common->starts, 1 + i, "the number of starts");
		wait_ready(&inside);
		inside_wait(&hyperv_of(&inside)->seen.ballooned, 10000, "what the host has");
		check(&inside, 10000);
	}
	inside_stop(&inside);
}

/* Its control block is read after that: QEMU has ended, and the memory is still mapped. */
static void hyperv_is_left_by_a_guest_that_ends(void **state)
{
	struct inside inside = boot((struct guest_options){ 0 });

	(void)state;
	reach(&inside, 1000);
	assert_int_equal(vm_send(inside.vm, "exit 5\r", 7), 0);
	harness_wait_status(inside.vm, 5 << 1 | 1);
	assert_int_equal(hyperv_of(&inside)->seen.unloads, 1);
	assert_int_equal(hyperv_of(&inside)->seen.closes, 1);
	assert_int_equal(inside.common->violation[0], 0);
	inside_close(&inside);
	harness_stop(inside.vm);
}

/* What the log says comes when the guest has looked. */
static void wait_says(struct inside *inside, const char *line)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	char *log = harness_command(inside->vm, "dmesg");

	while (!strstr(log, line)) {
		if (deadline_left(deadline) == 0)
			fail_msg("the log never says \"%s\", but:\n%s", line, log);
		free(log);
		log = harness_command(inside->vm, "dmesg");
	}
	free(log);
}

static void hyperv_that_lies_ends_the_balloon_with_a_line(void **state)
{
	static const struct {
		uint32_t ranges, ring, value;
		const char *line;
	} lies[] = {
		{ HYPERV_RANGE_NOT_GIVEN, 0, 0,
		  "it gives back frames that are not in the balloon" },
		{ HYPERV_RANGE_NO_RAM, 0, 0, "it gives back frames that are not in the balloon" },
		{ HYPERV_RANGE_COUNT, 0, 0, "a message counts more ranges than it has" },
		{ 0, HYPERV_RING_WRITE, 0x7fffffff,
		  "it has written up to where no packet can end" },
		{ 0, HYPERV_RING_LENGTH, 0xffff, "a packet is longer than what it has written" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct inside inside = boot((struct guest_options){ 0 });
		volatile struct hyperv_lie *lie = &hyperv_of(&inside)->lie;

		reach(&inside, 5000);
		lie->ranges = lies[i].ranges;
		lie->ring_value = lies[i].value;
		lie->ring = lies[i].ring;
		inside.common->target = 1000;
		inside_ring(&inside);
		wait_says(&inside, lies[i].line);
		harness_command_says(inside.vm, "audit", "Ledger: ok (");
		harness_command_says(inside.vm, "hold 100M", "held ");
		harness_command_says(inside.vm, "release all", "pattern intact");
		assert_int_equal(inside.common->touched, 0);
		harness_stop(inside.vm);
		inside_close(&inside);
	}
}

/* As on a machine of the second generation: nothing else there has a rate that is known. */
static void hyperv_tells_the_clock_its_rate(void **state)
{
	struct inside inside = boot((struct guest_options){
		.machine = "microvm",
		.extra = "-machine microvm,pit=off,pic=off,rtc=off,acpi=off" });

	(void)state;
	harness_command_says(inside.vm, "boot", " MHz, by Hyper-V's MSR\n");
	reach(&inside, 5000);
	check(&inside, 5000);
	inside_stop(&inside);
}

int hyperv_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hyperv_tells_the_clock_its_rate),
		TEST(hyperv_target_is_reached_to_the_frame),
		TEST(hyperv_gives_frames_back_in_any_order),
		TEST(hyperv_has_a_gib_as_few_ranges),
		TEST(hyperv_adds_memory_to_a_running_guest),
		TEST(hyperv_withdraws_its_channel_and_offers_it_anew),
		TEST(hyperv_has_a_guest_again_after_a_reset),
		TEST(hyperv_is_left_by_a_guest_that_ends),
		TEST(hyperv_that_lies_ends_the_balloon_with_a_line),
	};

	return cmocka_run_group_tests_name("hyperv", tests, NULL, NULL);
}
