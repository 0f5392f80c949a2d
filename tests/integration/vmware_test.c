/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon on a VMware that is the hypervisor for tests: the real image, and nested paging, so
 * that a frame that was given is out of its reach. The host's own figures are held against those
 * of the guest, and of its vmmemctl.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/balloon/port/vmware_abi.h"
#include "tests/hypervisor/vmware.h"
#include "tests/integration/hypervisor_harness.h"
#include "tools/deadline.h"

#define BLOCK_FRAMES 512
#define QUICK "vmware.poll=0.02"

#define BIT(name) (1u << VMWARE_##name)
#define LOCKS (BIT(LOCK) | BIT(BATCHED_LOCK) | BIT(BATCHED_2M_LOCK))
#define UNLOCKS (BIT(UNLOCK) | BIT(BATCHED_UNLOCK) | BIT(BATCHED_2M_UNLOCK))

struct guest {
	struct inside inside;
	volatile struct vmware_control *vmware;
};

static struct guest boot(const char *append)
{
	struct guest guest = { .inside = inside_boot((struct guest_options){ .hypervisor = "vmware",
									     .append = append }) };

	guest.vmware = hypervisor_page(guest.inside.hypervisor, HV_CONTROL_VMWARE);
	return guest;
}

static void stop(struct guest *guest)
{
	inside_stop(&guest->inside);
}

/* Another kind of host: the guest is told to begin anew. */
static void become(struct guest *guest, uint32_t withheld, bool is_old)
{
	guest->vmware->withheld = withheld;
	guest->vmware->is_old = is_old;
	guest->vmware->forget++;
	inside_wait(&guest->vmware->forget_seen, guest->vmware->forget, "the RESET that was seen");
}

static void lie(struct guest *guest, const struct vmware_lie *lie)
{
	memcpy((void *)&guest->vmware->lie[0], lie, sizeof(*lie));
	guest->vmware->plan++;
}

static void behave(struct guest *guest)
{
	const struct vmware_lie none = { 0 };

	lie(guest, &none);
	inside_wait(&guest->vmware->plan_seen, guest->vmware->plan, "the plan that was seen");
}

/* The host has what it wants; the guest says the same, and misses nothing. */
static void check_taken(struct guest *guest, uint64_t frames)
{
	struct vm *vm = guest->inside.vm;
	struct json_object *figures;
	struct memory mem;

	inside_wait(&guest->inside.common->taken, frames, "the number of frames that the host has");
	free(harness_command(vm, "balloon wait 60"));
	mem = harness_memory(vm);
	assert_int_equal(mem.actual, frames * FRAME);
	assert_int_equal(mem.owned_by_balloon, frames * FRAME);
	assert_int_equal(mem.inflated_free, frames * FRAME);
	assert_int_equal(mem.inflated_total, 0);
	assert_true(mem.ledger_ok);
	harness_command_says(vm, "audit", "Ledger: ok (");
	figures = harness_json(vm, "vmmemctl -j");
	assert_int_equal(harness_number(figures, "current"), frames * FRAME);
	assert_int_equal(harness_number(figures, "target"), frames * FRAME);
	json_object_put(figures);
}

static void reach(struct guest *guest, uint64_t frames)
{
	guest->inside.common->target = frames;
	check_taken(guest, frames);
}

/* The guest uses all that it has, and then has it as it was. */
static void use_memory(struct guest *guest)
{
	struct vm *vm = guest->inside.vm;
	char line[64];

	snprintf(line, sizeof(line), "hold %" PRIu64,
		 (uint64_t)(harness_memory(vm).free - 8 * MIB));
	harness_command_says(vm, line, "held ");
	harness_command_says(vm, "release all", "pattern intact");
}

/* ---- Targets ---- */

static void targets_are_reached_to_the_frame_on_every_kind_of_host(void **state)
{
	static const struct {
		uint32_t withheld;
		bool is_old;
		enum vmware_command by;
	} kinds[] = {
		{ 0, false, VMWARE_BATCHED_2M_LOCK },
		{ VMWARE_BATCHED_2M, false, VMWARE_BATCHED_LOCK },
		{ VMWARE_BATCHED, false, VMWARE_LOCK },
		{ 0, true, VMWARE_LOCK },
	};
	struct guest guest = boot(QUICK);

	(void)state;
	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
		uint64_t before = guest.vmware->calls[kinds[kind].by];

		become(&guest, kinds[kind].withheld, kinds[kind].is_old);
		for (int i = 0; i < 4; i++)
			reach(&guest, (uint64_t)rand() % (200 * MIB / FRAME));
		reach(&guest, 30 * BLOCK_FRAMES + 1);
		use_memory(&guest);
		assert_true(guest.vmware->calls[kinds[kind].by] > before);
	}
	reach(&guest, 0);
	use_memory(&guest);
	stop(&guest);
}

static void target_is_asked_for_once_a_second(void **state)
{
	struct guest guest = boot(NULL);
	uint64_t polls;
	int64_t begin;

	(void)state;
	reach(&guest, 1000);
	begin = deadline_now();
	polls = guest.vmware->calls[VMWARE_GET_TARGET];
	inside_wait_least(&guest.vmware->calls[VMWARE_GET_TARGET], polls + 3,
			  "the number of polls");
	/* The first may come at once, the others no sooner than a second apart. */
	assert_true(deadline_now() - begin >= 1900);
	assert_true(guest.vmware->limit >= guest.inside.common->ram_frames - 1024);
	assert_true(guest.vmware->limit <= guest.inside.common->ram_frames);
	stop(&guest);
}

static void vmmemctl_counts_what_the_host_counts(void **state)
{
	static const struct {
		const char *name;
		enum vmware_command command;
	} commands[] = {
		{ "start", VMWARE_START },
		{ "guestType", VMWARE_GUEST_ID },
		{ "batchLock", VMWARE_BATCHED_LOCK },
		{ "batchUnlock", VMWARE_BATCHED_UNLOCK },
		{ "2m-lock", VMWARE_BATCHED_2M_LOCK },
		{ "2m-unlock", VMWARE_BATCHED_2M_UNLOCK },
	};
	struct guest guest = boot(QUICK);
	struct json_object *figures, *all, *one;

	(void)state;
	reach(&guest, 20 * BLOCK_FRAMES + 77);
	reach(&guest, 3 * BLOCK_FRAMES);
	figures = harness_json(guest.inside.vm, "vmmemctl -j");
	assert_true(json_object_object_get_ex(figures, "commands", &all));
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		assert_true(json_object_object_get_ex(all, commands[i].name, &one));
		assert_int_equal(harness_number(one, "calls"),
				 guest.vmware->calls[commands[i].command]);
		assert_int_equal(harness_number(one, "failed"),
				 guest.vmware->failed[commands[i].command]);
	}
	json_object_put(figures);
	stop(&guest);
}

static void memory_in_need_comes_back(void **state)
{
	struct guest guest = boot(QUICK);
	struct vm *vm = guest.inside.vm;
	struct memory mem;
	char line[64];

	(void)state;
	reach(&guest, 100 * MIB / FRAME);
	mem = harness_memory(vm);
	snprintf(line, sizeof(line), "hold %" PRIu64, (uint64_t)(mem.free + 20 * MIB));
	harness_command_says(vm, line, "held ");
	assert_true(guest.inside.common->taken <= 80 * MIB / FRAME + BLOCK_FRAMES);
	harness_command_says(vm, "release all", "pattern intact");
	check_taken(&guest, 100 * MIB / FRAME);
	stop(&guest);
}

/* ---- RESET ---- */

static void after_reset_in_mid_move_all_is_well(void **state)
{
	struct guest guest = boot(QUICK);

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct vmware_lie reset = { .kind = VMWARE_LIE_FORGETS,
					    .after = (uint32_t)i,
					    .times = 1 };

		lie(&guest, &reset);
		guest.inside.common->target = i % 2 ? 1000 : 180 * MIB / FRAME;
		inside_wait(&guest.vmware->resets, (uint64_t)i + 1, "the number of resets");
	}
	behave(&guest);
	check_taken(&guest, 1000);
	use_memory(&guest);
	stop(&guest);
}

static void vmware_balloon_is_full_again_after_a_reset_of_the_machine(void **state)
{
	const uint64_t frames = 100 * MIB / FRAME;
	struct guest guest = boot(QUICK);

	(void)state;
	reach(&guest, frames);
	harness_execute(guest.inside.vm, "system_reset");
	harness_wait_prompt(guest.inside.vm, NULL);
	assert_int_equal(guest.inside.common->starts, 2);
	check_taken(&guest, frames);
	assert_int_equal(guest.vmware->leaves, 0);
	/* As the guest does it: the host is told before. */
	assert_int_equal(vm_send(guest.inside.vm, "reboot\r", 7), 0);
	harness_wait_prompt(guest.inside.vm, NULL);
	assert_int_equal(guest.vmware->leaves, 1);
	check_taken(&guest, frames);
	reach(&guest, 0);
	use_memory(&guest);
	stop(&guest);
}

static void host_is_told_that_the_guest_ends(void **state)
{
	static const char *const ends[] = { "exit 3\r", "poweroff\r" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct guest guest = boot(QUICK);

		reach(&guest, 20000);
		assert_int_equal(vm_send(guest.inside.vm, ends[i], strlen(ends[i])), 0);
		harness_wait_status(guest.inside.vm, i == 0 ? 3 << 1 | 1 : 0);
		assert_int_equal(guest.vmware->leaves, 1);
		assert_int_equal(guest.vmware->is_started, 0);
		inside_close(&guest.inside);
		harness_stop(guest.inside.vm);
	}
}

/* ---- Lies ---- */

/* The console answers, whatever goes on. */
static void move_until_told(struct guest *guest)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);

	for (int move = 0; move < 6 || guest->vmware->told[0] == 0; move++) {
		guest->inside.common->target = (uint64_t)rand() % (200 * MIB / FRAME);
		harness_command_says(guest->inside.vm, "audit", "Ledger: ok (");
		if (deadline_left(deadline) == 0)
			fail_msg("a lie is never told");
	}
}

/* Each is told while the guest gives and takes; then the host is honest again. */
static void vmwares_lies_cost_no_frame(void **state)
{
	static const struct vmware_lie lies[] = {
		{ .kind = VMWARE_LIE_ONE_REFUSED,
		  .commands = LOCKS,
		  .every = 7,
		  .value = VMWARE_PPN_PINNED },
		{ .kind = VMWARE_LIE_ONE_REFUSED,
		  .commands = LOCKS,
		  .every = 700,
		  .value = VMWARE_PPN_INVALID },
		{ .kind = VMWARE_LIE_ONE_REFUSED,
		  .commands = UNLOCKS,
		  .every = 5,
		  .value = VMWARE_PPN_PINNED },
		{ .kind = VMWARE_LIE_REFUSES,
		  .commands = LOCKS | UNLOCKS,
		  .every = 2,
		  .value = VMWARE_BUSY },
		{ .kind = VMWARE_LIE_REFUSES,
		  .commands = LOCKS | UNLOCKS,
		  .every = 3,
		  .value = VMWARE_FAILURE },
		{ .kind = VMWARE_LIE_FORGETS, .every = 5 },
		{ .kind = VMWARE_LIE_RESULT, .commands = ~BIT(START), .every = 3, .value = 7777 },
		{ .kind = VMWARE_LIE_ONE_PRETENDED,
		  .commands = UNLOCKS,
		  .every = 9,
		  .value = VMWARE_PPN_UNLOCKED },
	};
	struct guest guest = boot(QUICK);

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		lie(&guest, &lies[i]);
		move_until_told(&guest);
		behave(&guest);
		reach(&guest, 3 * BLOCK_FRAMES + (uint64_t)i);
		use_memory(&guest);
	}
	stop(&guest);
}

static void silent_host_is_given_up_and_tried_once_more(void **state)
{
	const struct vmware_lie silent = { .kind = VMWARE_LIE_REFUSES, .value = VMWARE_FAILURE };
	struct guest guest = boot(QUICK);
	struct vm *vm = guest.inside.vm;

	(void)state;
	reach(&guest, 20000);
	lie(&guest, &silent);
	assert_int_equal(vm_expect(vm,
				   "VMware is not asked any more: it answers GET_TARGET with "
				   "FAILURE for 2 s",
				   VM_TIMEOUT_MS, NULL),
			 0);
	/* Nobody has said that they are back. */
	assert_int_equal(guest.inside.common->taken, 20000);
	assert_int_equal(harness_memory(vm).owned_by_balloon, 20000 * FRAME);
	harness_command_says(vm, "audit", "Ledger: ok (");
	guest.vmware->lie[0].kind = VMWARE_LIE_NONE;
	harness_command_says(vm, "balloon retry", "the host is in use again");
	check_taken(&guest, 20000);
	reach(&guest, 5);
	use_memory(&guest);
	stop(&guest);
}

/* Gigabytes come back piece by piece. */
static void wait_for_empty_balloon(struct vm *vm)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);

	while (harness_memory(vm).owned_by_balloon > 0)
		if (deadline_left(deadline) == 0)
			fail_msg("the balloon does not become empty");
}

static void changed_address_is_the_end_of_it_and_all_frames_are_back(void **state)
{
	const struct vmware_lie changed = { .kind = VMWARE_LIE_ADDRESS, .value = 1 << 20 };
	struct guest guest = boot(QUICK);
	struct vm *vm = guest.inside.vm;

	(void)state;
	reach(&guest, 20000);
	guest.vmware->is_lenient = 1;
	lie(&guest, &changed);
	guest.inside.common->target = 30000;
	assert_int_equal(vm_expect(vm, "it has changed an address in the batch page", VM_TIMEOUT_MS,
				   NULL),
			 0);
	inside_wait(&guest.inside.common->taken, 0, "the number of frames that the host has");
	wait_for_empty_balloon(vm);
	use_memory(&guest);
	stop(&guest);
}

/* ---- Two balloons ---- */

/* What one of the balloons has, in bytes, as `balloon -j` says it in its own line. */
static uint64_t actual_of(struct vm *vm, const char *port)
{
	char *text = harness_command(vm, "balloon -j"), wanted[32], *line, *figure;
	uint64_t bytes;

	snprintf(wanted, sizeof(wanted), "\"port\":\"%s\"", port);
	line = strstr(text, wanted);
	if (!line)
		fail_msg("there is no %s in %s", wanted, text);
	figure = strstr(line, "\"actual\":");
	assert_non_null(figure);
	bytes = strtoull(figure + strlen("\"actual\":"), NULL, 10);
	free(text);
	return bytes;
}

/* Both hosts have what they want, and the guest says who has what. */
static void check_both(struct guest *guest, uint64_t virtio, uint64_t vmware)
{
	struct vm *vm = guest->inside.vm;
	struct memory mem;

	harness_take(vm, virtio);
	guest->inside.common->target = vmware / FRAME;
	inside_wait(&guest->inside.common->taken, vmware / FRAME,
		    "the number of frames that VMware has");
	free(harness_command(vm, "balloon wait 60"));
	mem = harness_memory(vm);
	assert_int_equal(mem.actual, virtio + vmware);
	assert_int_equal(mem.inflated_total, virtio);
	assert_int_equal(mem.inflated_free, vmware);
	assert_int_equal(mem.shortfall, 0);
	assert_true(mem.ledger_ok);
	assert_int_equal(actual_of(vm, "virtio"), virtio);
	assert_int_equal(actual_of(vm, "vmware"), vmware);
	harness_command_says(vm, "audit", "Ledger: ok (");
}

/* More than is free: of the two only VMware lets it come back. */
static void need_memory(struct guest *guest, uint64_t virtio, uint64_t vmware)
{
	struct vm *vm = guest->inside.vm;
	char line[64];

	snprintf(line, sizeof(line), "hold %" PRIu64,
		 (uint64_t)(harness_memory(vm).free + 16 * MIB));
	harness_command_says(vm, line, "held ");
	assert_int_equal(actual_of(vm, "virtio"), virtio);
	assert_true(actual_of(vm, "vmware") < vmware);
	harness_command_says(vm, "release all", "pattern intact");
}

static void virtio_and_vmware_have_a_balloon_each(void **state)
{
	struct guest guest = {
		.inside = inside_boot((struct guest_options){
			.hypervisor = "vmware", .balloon = "deflate-on-oom=off", .append = QUICK })
	};

	(void)state;
	guest.vmware = hypervisor_page(guest.inside.hypervisor, HV_CONTROL_VMWARE);
	check_both(&guest, 0, 20 * MIB);
	check_both(&guest, 40 * MIB, 20 * MIB);
	for (int i = 0; i < 4; i++)
		check_both(&guest, (uint64_t)rand() % 80 * MIB,
			   (uint64_t)rand() % (80 * MIB / FRAME) * FRAME);
	check_both(&guest, 64 * MIB, 64 * MIB);
	need_memory(&guest, 64 * MIB, 64 * MIB);
	check_both(&guest, 64 * MIB, 64 * MIB);
	/* That one forgets everything is no matter of the other's. */
	guest.vmware->forget++;
	inside_wait(&guest.vmware->forget_seen, guest.vmware->forget, "the RESET that was seen");
	check_both(&guest, 64 * MIB, 64 * MIB);
	harness_command_says(guest.inside.vm, "vmmemctl", "16384 pages\n");
	check_both(&guest, 0, 0);
	stop(&guest);
}

int vmware_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(targets_are_reached_to_the_frame_on_every_kind_of_host),
		TEST(target_is_asked_for_once_a_second),
		TEST(vmmemctl_counts_what_the_host_counts),
		TEST(memory_in_need_comes_back),
		TEST(after_reset_in_mid_move_all_is_well),
		TEST(vmware_balloon_is_full_again_after_a_reset_of_the_machine),
		TEST(host_is_told_that_the_guest_ends),
		TEST(vmwares_lies_cost_no_frame),
		TEST(silent_host_is_given_up_and_tried_once_more),
		TEST(changed_address_is_the_end_of_it_and_all_frames_are_back),
		TEST(virtio_and_vmware_have_a_balloon_each),
	};

	return cmocka_run_group_tests_name("vmware", tests, NULL, NULL);
}
