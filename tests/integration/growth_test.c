/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests that grow by virtio-mem devices, and shrink again: QEMU's figures and the guest's
 * are the same to the frame, what is in use never leaves, what is held keeps its pattern,
 * and the balloon beside it stays at its target. SLOW=1 does more of it, and grows 100 times
 * without a free frame.
 */
#include "tests/integration/growth_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/integration/balloonctl_harness.h"
#include "tools/deadline.h"

#define MEM0 "mem0"
#define IN_USE "in use"

/* ---- At rest ---- */

static void check_sizes(const char *machine)
{
	static const uint64_t sizes[] = { BLOCK, GIB,	      0, GIB + BLOCK, 4 * GIB, 3 * GIB,
					  0,	 510 * BLOCK, 0 };
	struct vm *vm = harness_boot(&(struct guest_options){ .machine = machine, .grow = "4G" });
	struct memory base = harness_memory(vm);

	growth_check(vm, &base, 0);
	harness_command_says(vm, "hold 24M", "held ");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		growth_reach(vm, MEM0, sizes[i]);
		growth_check(vm, &base, sizes[i]);
		assert_int_equal(harness_memory(vm).removable, sizes[i]);
	}
	growth_release(vm);
	harness_stop(vm);
}

static void grows_and_shrinks_on_q35(void **state)
{
	(void)state;
	check_sizes("q35");
}

static void grows_and_shrinks_on_pc(void **state)
{
	(void)state;
	check_sizes("pc");
}

/* It goes as far as it can, says why it goes no further, and goes on by itself. */
static void what_is_in_use_stays_until_it_is_free(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .grow = "1G" });
	struct memory base = harness_memory(vm);
	uint64_t rest;

	(void)state;
	growth_hold(vm, 4 * MIB);
	growth_reach(vm, MEM0, GIB);
	harness_command_says(vm, "hold 100M", "held ");
	harness_command_says(vm, "release 1", "pattern intact");
	growth_request(vm, MEM0, 0);
	growth_wait_trouble(vm, 0, IN_USE);
	rest = growth_plugged(vm, MEM0);
	assert_true(rest >= 96 * MIB && rest <= 110 * MIB);
	growth_check(vm, &base, rest);
	growth_release(vm);
	growth_wait(vm, MEM0, 0);
	growth_check(vm, &base, 0);
	harness_stop(vm);
}

/* Each block stays whose neighbours go: as many requests as there are blocks. */
static void every_second_block_leaves(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .grow = "512M" });
	struct memory base = harness_memory(vm);

	(void)state;
	growth_hold(vm, 4 * MIB);
	growth_reach(vm, MEM0, 512 * MIB);
	harness_command_says(vm, "hold 500M 9", "held ");
	harness_command_says(vm, "release 2 half", "pattern intact");
	growth_request(vm, MEM0, 0);
	/* The floor may be in the way before the last of them has gone. */
	harness_command_says(vm, "release 1", "pattern intact");
	growth_wait_trouble(vm, 0, IN_USE);
	assert_in_range(growth_plugged(vm, MEM0), 244 * MIB, 252 * MIB);
	growth_check(vm, &base, growth_plugged(vm, MEM0));
	growth_release(vm);
	growth_wait(vm, MEM0, 0);
	growth_check(vm, &base, 0);
	harness_stop(vm);
}

/* Of large blocks and small ones; the guest has each of them by its place. */
static void several_devices_grow_each_for_itself(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){
		.grow = "1G",
		.extra = "-object memory-backend-ram,id=more,size=2G,reserve=off "
			 "-device virtio-mem-pci,id=more0,memdev=more,block-size=64M" });
	struct memory base = harness_memory(vm);

	(void)state;
	growth_reach(vm, "more0", 128 * MIB);
	growth_check(vm, &base, 128 * MIB);
	growth_reach(vm, MEM0, 6 * MIB);
	growth_check(vm, &base, 134 * MIB);
	growth_request(vm, MEM0, GIB);
	growth_request(vm, "more0", 2 * GIB);
	growth_wait(vm, "more0", 2 * GIB);
	growth_wait(vm, MEM0, GIB);
	growth_check(vm, &base, 3 * GIB);
	growth_request(vm, "more0", 64 * MIB);
	growth_request(vm, MEM0, 0);
	growth_wait(vm, MEM0, 0);
	growth_wait(vm, "more0", 64 * MIB);
	growth_check(vm, &base, 64 * MIB);
	harness_stop(vm);
}

static void what_was_requested_before_boot_is_there(void **state)
{
	static const uint64_t more = 770 * MIB;
	struct vm *vm = harness_boot(&(struct guest_options){ .grow = "1G" });
	struct memory base = harness_memory(vm);

	(void)state;
	harness_stop(vm);
	vm = harness_start(&(struct guest_options){ .grow = "1G", .extra = "-S" });
	growth_request(vm, MEM0, more);
	harness_execute(vm, "cont");
	harness_wait_prompt(vm, NULL);
	growth_wait(vm, MEM0, more);
	growth_check(vm, &base, more);
	harness_stop(vm);
}

static void a_terabyte_that_may_come_costs_two_mib(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ 0 });
	struct memory without = harness_memory(vm), base;

	(void)state;
	harness_stop(vm);
	vm = harness_boot(&(struct guest_options){ .grow = "1T" });
	base = harness_memory(vm);
	assert_int_equal(base.owned, without.owned);
	assert_in_range(without.free - base.free, FRAME, 2 * MIB);
	growth_reach(vm, MEM0, GIB);
	growth_check(vm, &base, GIB);
	growth_reach(vm, MEM0, 0);
	growth_check(vm, &base, 0);
	harness_stop(vm);
}

/* Nobody waits in between; the last one counts. */
static void requests_in_mid_work_turn_it_round(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .grow = "8G" });
	struct memory base = harness_memory(vm);
	uint64_t last = 0;

	(void)state;
	harness_command_says(vm, "hold 24M", "held ");
	for (unsigned i = 0; i < growth_rounds(5, 50); i++) {
		for (unsigned n = 0; n < 10; n++) {
			last = growth_random(8 * GIB);
			growth_request(vm, MEM0, last);
		}
		growth_wait(vm, MEM0, last);
		growth_check(vm, &base, last);
	}
	growth_release(vm);
	harness_stop(vm);
}

/* ---- Without a free frame ---- */

/* Whatever the books of new blocks need comes from what has come. */
static void grows_without_a_free_frame(void **state)
{
	struct vm *vm = harness_boot(
		&(struct guest_options){ .mem = "64M", .grow = "64G", .balloon = "none" });
	struct memory base = harness_memory(vm);

	(void)state;
	for (unsigned i = 0; i < growth_rounds(5, 100); i++) {
		uint64_t more = BLOCK + growth_random(64 * GIB - BLOCK);

		growth_hold_all(vm);
		assert_int_equal(harness_memory(vm).free, 0);
		growth_reach(vm, MEM0, more);
		growth_check(vm, &base, more);
		growth_release(vm);
		growth_reach(vm, MEM0, 0);
		growth_check(vm, &base, 0);
	}
	harness_stop(vm);
}

/* ---- Beside the balloon ---- */

static void check_balloon_beside(bool deflate_on_oom)
{
	struct vm *vm = harness_boot(&(struct guest_options){
		.grow = "1G", .balloon = deflate_on_oom ? "deflate-on-oom=on" : NULL });
	struct memory base = harness_memory(vm);

	harness_take(vm, 64 * MIB + FRAME);
	growth_reach(vm, MEM0, GIB);
	growth_check(vm, &base, GIB);
	harness_check_taken(vm, 64 * MIB + FRAME, deflate_on_oom);
	harness_take(vm, 200 * MIB);
	growth_reach(vm, MEM0, 512 * MIB);
	growth_check(vm, &base, 512 * MIB);
	harness_check_taken(vm, 200 * MIB, deflate_on_oom);
	harness_take(vm, 0);
	growth_reach(vm, MEM0, 0);
	growth_check(vm, &base, 0);
	harness_stop(vm);
}

static void the_balloon_and_growth_do_not_mix(void **state)
{
	(void)state;
	check_balloon_beside(false);
	check_balloon_beside(true);
}

/* Asks all the while: the balloon is never smaller than its target. */
static void wait_and_watch(struct vm *vm, uint64_t bytes, uint64_t taken)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS), left;

	while (growth_plugged(vm, MEM0) != bytes) {
		assert_qmp(vm, qmp_query_balloon(vm_qmp(vm), &left));
		if (left > (int64_t)(harness_ram(vm) - taken))
			fail_msg("%jd bytes are left with a target of %ju taken", (intmax_t)left,
				 (uintmax_t)taken);
		if (!deadline_left(deadline))
			fail_msg("waited for %ju bytes plugged:\n%s", (uintmax_t)bytes,
				 harness_command(vm, "lsmem"));
		usleep(1000 * VM_POLL_MS);
	}
}

/*
 * With boot memory in use the balloon can only take frames of the region. When that is to
 * leave, others take their place, from where it was released.
 */
static void frames_of_the_region_leave_the_balloon(void **state)
{
	static const uint64_t taken = 160 * MIB;
	struct vm *vm = harness_boot(&(struct guest_options){ .grow = "1G" });
	struct memory base = harness_memory(vm), mem;

	(void)state;
	growth_hold(vm, base.floor + 4 * MIB);
	growth_reach(vm, MEM0, GIB);
	harness_take(vm, taken);
	mem = harness_memory(vm);
	assert_true(mem.removable < GIB - taken / 2);
	growth_release(vm);
	growth_request(vm, MEM0, 0);
	wait_and_watch(vm, 0, taken);
	growth_check(vm, &base, 0);
	harness_check_taken(vm, taken, false);
	harness_stop(vm);
}

/* Of what is free, too: the host gets no more, and the guest says why. */
static void the_floor_is_never_passed(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .grow = "1G" });
	struct memory base = harness_memory(vm), mem;

	(void)state;
	growth_hold(vm, MIB);
	growth_reach(vm, MEM0, GIB);
	growth_request(vm, MEM0, 0);
	growth_wait_trouble(vm, 0, "floor");
	mem = harness_memory(vm);
	assert_in_range(mem.free, mem.floor, mem.floor + BLOCK - 1);
	assert_in_range(growth_plugged(vm, MEM0), BLOCK, mem.floor + 2 * BLOCK);
	growth_release(vm);
	growth_wait(vm, MEM0, 0);
	growth_check(vm, &base, 0);
	harness_stop(vm);
}

/* Then what the balloon has stays, as no other frames can take their place. */
static void the_floor_is_not_passed_for_what_the_balloon_has(void **state)
{
	static const uint64_t taken = 160 * MIB;
	struct vm *vm = harness_boot(&(struct guest_options){ .grow = "1G" });
	struct memory base = harness_memory(vm), mem;

	(void)state;
	growth_hold(vm, base.floor + 4 * MIB);
	growth_reach(vm, MEM0, GIB);
	harness_take(vm, taken);
	growth_request(vm, MEM0, 0);
	growth_wait_trouble(vm, 0, "floor");
	mem = harness_memory(vm);
	assert_true(mem.free >= mem.floor);
	assert_in_range(growth_plugged(vm, MEM0), BLOCK, taken + 64 * MIB);
	harness_check_taken(vm, taken, false);
	growth_release(vm);
	growth_wait(vm, MEM0, 0);
	growth_check(vm, &base, 0);
	harness_check_taken(vm, taken, false);
	harness_stop(vm);
}

/* Nothing is waited for in between; what the guest cannot hold it says. */
static void act_at_random(struct vm *vm, uint64_t *requested, uint64_t *taken)
{
	char line[32];

	*requested = growth_random(GIB);
	growth_request(vm, MEM0, *requested);
	*taken = growth_random(128 * MIB) + growth_random(512 * BLOCK) / BLOCK * FRAME;
	harness_set_target(vm, *taken);
	snprintf(line, sizeof(line), "hold %ju %ju", (uintmax_t)(FRAME + growth_random(32 * MIB)),
		 (uintmax_t)(growth_random(9 * BLOCK) / BLOCK));
	free(harness_command(vm, line));
}

static void check_all_at_once(const char *balloon, bool deflate_on_oom)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .grow = "1G", .balloon = balloon });
	struct memory base = harness_memory(vm);
	uint64_t requested, taken;

	for (unsigned i = 0; i < growth_rounds(2, 20); i++) {
		harness_command_says(vm, "hold 8M", "held ");
		for (unsigned n = 0; n < 6; n++)
			act_at_random(vm, &requested, &taken);
		growth_release(vm);
		growth_wait(vm, MEM0, requested);
		assert_int_equal(
			vm_wait_balloon(vm, (int64_t)(harness_ram(vm) - taken), VM_TIMEOUT_MS), 0);
		growth_check(vm, &base, requested);
		harness_check_taken(vm, taken, deflate_on_oom);
	}
	harness_stop(vm);
}

static void all_at_once_ends_where_it_should(void **state)
{
	(void)state;
	check_all_at_once(NULL, false);
	check_all_at_once("deflate-on-oom=on,free-page-reporting=on", true);
}

/* ---- balloonctl ---- */

static void check_command(struct vm *vm, const struct memory *base, const char *command,
			  const char *size, uint64_t more)
{
	assert_end(BALLOONCTL(command, size, "--wait"), 0, "");
	assert_int_equal(growth_plugged(vm, MEM0), more);
	growth_check(vm, base, more);
}

static void balloonctl_grows_and_shrinks(void **state)
{
	struct vm *vm = balloonctl_boot((struct guest_options){ .grow = "4G" });
	struct memory base = harness_memory(vm);

	(void)state;
	check_command(vm, &base, "grow", "1G", GIB);
	check_command(vm, &base, "grow", "2M", GIB + BLOCK);
	check_command(vm, &base, "shrink", "512M", 512 * MIB + BLOCK);
	assert_end(BALLOONCTL("grow", "--to", "4352M", "--wait"), 0, "");
	growth_check(vm, &base, 4 * GIB);
	assert_end(BALLOONCTL("shrink", "--to", "256M", "--wait", "--json"), 0,
		   "\"outcome\":\"reached\"");
	growth_check(vm, &base, 0);
	harness_stop(vm);
}

static void balloonctl_says_what_is_possible(void **state)
{
	struct vm *vm = balloonctl_boot((struct guest_options){ .grow = "1G" });

	(void)state;
	assert_end(BALLOONCTL("grow", "1025K"), 2, "!possible: 2M");
	assert_end(BALLOONCTL("grow", "2G"), 2, "!possible: grow 1G");
	assert_end(BALLOONCTL("grow", "--device", "mem1", "2M"), 2, "!mem0");
	assert_int_equal(growth_plugged(vm, MEM0), 0);
	harness_stop(vm);
	vm = balloonctl_boot((struct guest_options){ 0 });
	assert_end(BALLOONCTL("grow", "2M"), 5, "!");
	harness_stop(vm);
}

/* What goes is a sign of life; what is in use does not, and that is said. */
static void balloonctl_tells_that_the_guest_falls_short(void **state)
{
	struct vm *vm;

	(void)state;
	if (growth_rounds(0, 1) == 0) {
		print_message("skipped: it takes ten seconds; SLOW=1 does it\n");
		skip();
	}
	vm = balloonctl_boot((struct guest_options){ .grow = "512M" });
	assert_end(BALLOONCTL("grow", "512M", "--wait"), 0, "");
	harness_command_says(vm, "hold 500M", "held ");
	assert_end(BALLOONCTL("shrink", "512M", "--wait=20"), 3, "");
	assert_in_range(growth_plugged(vm, MEM0), 240 * MIB, 300 * MIB);
	growth_release(vm);
	growth_wait(vm, MEM0, 0);
	harness_stop(vm);
}

int growth_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(grows_and_shrinks_on_q35),
		TEST(grows_and_shrinks_on_pc),
		TEST(what_is_in_use_stays_until_it_is_free),
		TEST(every_second_block_leaves),
		TEST(several_devices_grow_each_for_itself),
		TEST(what_was_requested_before_boot_is_there),
		TEST(a_terabyte_that_may_come_costs_two_mib),
		TEST(requests_in_mid_work_turn_it_round),
		TEST(grows_without_a_free_frame),
		TEST(the_balloon_and_growth_do_not_mix),
		TEST(frames_of_the_region_leave_the_balloon),
		TEST(the_floor_is_never_passed),
		TEST(the_floor_is_not_passed_for_what_the_balloon_has),
		TEST(all_at_once_ends_where_it_should),
		TEST(balloonctl_grows_and_shrinks),
		TEST(balloonctl_says_what_is_possible),
		TEST(balloonctl_tells_that_the_guest_falls_short),
	};

	return cmocka_run_group_tests_name("growth", tests, balloonctl_make_folder,
					   balloonctl_remove_folder);
}
