/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon as the host sees it: every target is reached to the frame in
 * every transport and accounting mode, what cannot be reached is said, what
 * the guest holds is never taken, and what it gives the host really gets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/integration/harness.h"
#include "tools/deadline.h"

#define POLL_US 20000

/* Up and down, by whole blocks, by odd frames, by one frame, to nothing. */
static void check_targets(const struct guest_options *guest, bool deflate_on_oom)
{
	static const uint64_t targets[] = {
		64 * MIB, 64 * MIB + FRAME,  100 * MIB, 33 * MIB + 12 * KIB, FRAME,
		0,	  128 * MIB - FRAME, 0,
	};
	struct vm *vm = harness_boot(guest);
	uint64_t total = harness_memory(vm).total;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		harness_take(vm, targets[i]);
		harness_check_taken(vm, targets[i], deflate_on_oom);
		assert_int_equal(harness_memory(vm).total,
				 deflate_on_oom ? total : total - targets[i]);
	}
	harness_stop(vm);
}

static void reaches_every_target_on_pc(void **state)
{
	(void)state;
	check_targets(&(struct guest_options){ .machine = "pc" }, false);
}

static void reaches_every_target_on_q35(void **state)
{
	(void)state;
	check_targets(&(struct guest_options){ .machine = "q35" }, false);
}

static void reaches_every_target_behind_a_root_port(void **state)
{
	(void)state;
	check_targets(
		&(struct guest_options){
			.balloon = "none",
			.extra = "-device pcie-root-port,id=port0,chassis=1,slot=1 "
				 "-device virtio-balloon-pci,bus=port0" },
		false);
}

static void reaches_every_target_with_deflate_on_oom(void **state)
{
	(void)state;
	check_targets(&(struct guest_options){ .balloon = "deflate-on-oom=on" }, true);
	check_targets(&(struct guest_options){ .machine = "pc", .balloon = "deflate-on-oom=on" },
		      true);
}

/* Bit 32, VERSION_1, tells a modern device from a legacy one. */
static void check_transport(const char *machine, const char *balloon, char version_1)
{
	struct guest_options guest = { .machine = machine, .balloon = balloon };
	struct vm *vm = harness_boot(&guest);
	char *bits = harness_command(vm, "features");

	assert_true(strspn(bits, "01") == 64);
	assert_int_equal(bits[32], version_1);
	free(bits);
	harness_stop(vm);
	check_targets(&guest, strstr(balloon, "deflate-on-oom=on"));
}

static void reaches_every_target_of_a_legacy_device(void **state)
{
	(void)state;
	check_transport("pc", "disable-modern=on,disable-legacy=off", '0');
	check_transport("q35", "disable-modern=on,disable-legacy=off", '0');
}

static void legacy_device_counts_in_both_modes(void **state)
{
	(void)state;
	check_transport("pc",
			"disable-modern=on,disable-legacy=off,"
			"deflate-on-oom=on",
			'0');
}

static void reaches_every_target_of_a_modern_device(void **state)
{
	(void)state;
	check_transport("pc", "disable-legacy=on", '1');
	check_transport("q35", "disable-legacy=on,deflate-on-oom=on", '1');
}

/* The character of each bit in `features`: is it accepted? */
#define BIT_INDIRECT_DESC 28
#define BIT_EVENT_IDX 29
#define BIT_ACCESS_PLATFORM 33
#define BIT_RING_PACKED 34

/* How the device is started, and which bits must be accepted then. */
struct ring {
	const char *balloon;
	const char *append;
	bool packed, event_idx, indirect_desc, access_platform;
};

static const struct ring rings[] = {
	{ "packed=off,event_idx=off,indirect_desc=off", NULL, false, false, false, false },
	{ "packed=off,event_idx=on,indirect_desc=off", NULL, false, true, false, false },
	{ "packed=off,event_idx=off,indirect_desc=on", NULL, false, false, true, false },
	{ "packed=off,event_idx=on,indirect_desc=on", NULL, false, true, true, false },
	{ "packed=on,event_idx=off,indirect_desc=off", NULL, true, false, false, false },
	{ "packed=on,event_idx=on,indirect_desc=off", NULL, true, true, false, false },
	{ "packed=on,event_idx=off,indirect_desc=on", NULL, true, false, true, false },
	{ "packed=on,event_idx=on,indirect_desc=on", NULL, true, true, true, false },
	{ "packed=on,disable-legacy=on,iommu_platform=on", NULL, true, true, true, true },
	{ "packed=off,disable-legacy=on,iommu_platform=on", NULL, false, true, true, true },
	{ "packed=on", "virtio.refuse=RING_PACKED", false, true, true, false },
	{ "packed=on", "virtio.refuse=EVENT_IDX,INDIRECT_DESC", true, false, false, false },
	{ "disable-modern=on,disable-legacy=off", NULL, false, true, true, false },
	{ "disable-modern=on,disable-legacy=off,event_idx=off", NULL, false, false, true, false },
};

static void check_ring(const char *machine, const struct ring *ring)
{
	static const uint64_t targets[] = { 100 * MIB, 33 * MIB + 12 * KIB, 64 * MIB + FRAME, 0 };
	struct vm *vm = harness_boot(&(struct guest_options){
		.machine = machine, .balloon = ring->balloon, .append = ring->append });
	char *bits = harness_command(vm, "features");

	assert_true(strspn(bits, "01") == 64);
	assert_int_equal(bits[BIT_RING_PACKED], '0' + ring->packed);
	assert_int_equal(bits[BIT_EVENT_IDX], '0' + ring->event_idx);
	assert_int_equal(bits[BIT_INDIRECT_DESC], '0' + ring->indirect_desc);
	assert_int_equal(bits[BIT_ACCESS_PLATFORM], '0' + ring->access_platform);
	free(bits);
	if (ring->append)
		harness_command_says(vm, "virtio", "refused on the command line");
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		harness_take(vm, targets[i]);
		harness_check_taken(vm, targets[i], false);
	}
	harness_stop(vm);
}

static void balloon_works_on_every_ring(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
		check_ring("pc", &rings[i]);
		check_ring("q35", &rings[i]);
	}
}

/* A request of 256 frames takes a place in the ring: over 100 rounds of 128 in all. */
static void packed_ring_goes_round_for_long(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .balloon = "packed=on" });

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		harness_take(vm, (200 - i) * MIB + i * FRAME);
		harness_take(vm, i * FRAME);
	}
	harness_check_taken(vm, 39 * FRAME, false);
	harness_stop(vm);
}

static void works_with_reporting_offered(void **state)
{
	(void)state;
	check_targets(&(struct guest_options){ .balloon = "free-page-reporting=on,"
							  "page-poison=off" },
		      false);
}

static void unknown_name_to_refuse_is_said_and_nothing_is_refused(void **state)
{
	struct vm *vm = harness_boot(
		&(struct guest_options){ .append = "virtio.refuse=EVENT_IDX,NONE" });
	char *bits = harness_command(vm, "features");

	(void)state;
	assert_int_equal(bits[BIT_EVENT_IDX], '1');
	free(bits);
	harness_stop(vm);
}

static void follows_a_target_set_before_boot(void **state)
{
	static const char *const firmware[] = { NULL, "qboot" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vm *vm = harness_start(
			&(struct guest_options){ .firmware = firmware[i], .extra = "-S" });
		int64_t left = (int64_t)(harness_ram(vm) - 80 * MIB);

		harness_set_target(vm, 80 * MIB);
		harness_execute(vm, "cont");
		harness_wait_prompt(vm, NULL);
		assert_int_equal(vm_wait_balloon(vm, left, VM_TIMEOUT_MS), 0);
		harness_check_taken(vm, 80 * MIB, false);
		harness_stop(vm);
	}
}

/* Waits until the guest has given up on a part of its target. */
static struct memory wait_shortfall(struct vm *vm)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	struct memory mem;

	do {
		mem = harness_memory(vm);
		/* All is told to the host, and the rest of the target is out of reach. */
		if (mem.shortfall && mem.actual == mem.owned_by_balloon &&
		    mem.actual + mem.shortfall == mem.target)
			return mem;
		usleep(POLL_US);
	} while (deadline_left(deadline));
	fail_msg("no shortfall: target %ju, actual %ju", (uintmax_t)mem.target,
		 (uintmax_t)mem.actual);
	return mem;
}

static void check_impossible_target(const struct guest_options *guest, bool oom)
{
	struct vm *vm = harness_boot(guest);
	struct memory mem;

	/* One byte left: QEMU rounds to all of RAM but one page or none. */
	assert_qmp(vm, qmp_balloon(vm_qmp(vm), 1));
	mem = wait_shortfall(vm);
	assert_int_equal(mem.actual + mem.shortfall, mem.target);
	assert_true(mem.target + 2 * FRAME > harness_ram(vm));
	assert_true(mem.floor > 0);
	assert_true(mem.actual > harness_ram(vm) / 2);
	/* At its floor, give or take what the console itself needs. */
	assert_in_range(mem.free, mem.floor, mem.floor + 2 * MIB);
	harness_check_taken(vm, mem.actual, oom);
	harness_take(vm, 0);
	harness_check_taken(vm, 0, oom);
	harness_stop(vm);
}

static void stops_at_its_floor_and_lives(void **state)
{
	(void)state;
	check_impossible_target(&(struct guest_options){ .mem = "256M" }, false);
	check_impossible_target(&(struct guest_options){ .mem = "16M" }, false);
	check_impossible_target(&(struct guest_options){ .mem = "64M",
							 .machine = "pc",
							 .balloon = "deflate-on-oom=on" },
				true);
}

static void shortfall_is_made_up_when_memory_is_freed(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "256M" });
	uint64_t taken = 160 * MIB;
	int64_t left = (int64_t)(harness_ram(vm) - taken);

	(void)state;
	harness_command_says(vm, "hold 150M", "held ");
	harness_set_target(vm, taken);
	assert_true(wait_shortfall(vm).actual < taken);
	harness_command_says(vm, "release all", "pattern intact");
	assert_int_equal(vm_wait_balloon(vm, left, VM_TIMEOUT_MS), 0);
	harness_check_taken(vm, taken, false);
	assert_int_equal(harness_memory(vm).shortfall, 0);
	harness_stop(vm);
}

/* Nobody else ran meanwhile, and nothing was scanned for it. */
static void check_waits_for_the_balloon(struct vm *vm)
{
	struct json_object *all = harness_json(vm, "pressure -j");
	struct json_object *some = json_object_object_get(all, "some");
	struct json_object *full = json_object_object_get(all, "full");
	struct json_object *moved = json_object_object_get(all, "moved");

	assert_true(harness_number(full, "total-us") > 0);
	assert_int_equal(harness_number(some, "total-us"), harness_number(full, "total-us"));
	assert_int_equal(harness_number(moved, "direct-scans"), 0);
	assert_int_equal(harness_number(all, "killed"), 0);
	json_object_put(all);
}

static void allocation_takes_from_the_balloon_only_if_allowed(void **state)
{
	const uint64_t taken = 200 * MIB;
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "256M" });
	struct memory mem;
	int64_t left, deadline;

	(void)state;
	harness_take(vm, taken);
	harness_command_says(vm, "hold 100M", "not enough memory");
	harness_check_taken(vm, taken, false);
	harness_stop(vm);

	vm = harness_boot(&(struct guest_options){ .mem = "256M", .balloon = "deflate-on-oom=on" });
	left = (int64_t)(harness_ram(vm) - taken);
	harness_take(vm, taken);
	harness_command_says(vm, "hold 100M", "held ");
	deadline = deadline_in(VM_TIMEOUT_MS);
	mem = harness_memory(vm);
	assert_in_range(mem.owned_by_balloon, 1, 155 * MIB);
	assert_true(mem.ledger_ok);
	check_waits_for_the_balloon(vm);
	harness_command_says(vm, "release all", "pattern intact");
	/* Lent frames go back to the host, which may not know yet that they were gone. */
	while (harness_memory(vm).owned_by_balloon != taken && deadline_left(deadline))
		usleep(POLL_US);
	assert_int_equal(vm_wait_balloon(vm, left, VM_TIMEOUT_MS), 0);
	harness_check_taken(vm, taken, true);
	harness_stop(vm);
}

static void survives_a_system_reset_while_inflated(void **state)
{
	static const char *const machines[] = { "pc", "q35" };
	const uint64_t taken = 96 * MIB;
	int64_t deadline;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct vm *vm = harness_boot(&(struct guest_options){ .machine = machines[i] });
		int64_t left = (int64_t)(harness_ram(vm) - taken);

		harness_take(vm, taken);
		harness_execute(vm, "system_reset");
		/* QEMU keeps the old actual until the new guest speaks. */
		harness_wait_prompt(vm, NULL);
		deadline = deadline_in(VM_TIMEOUT_MS);
		while (harness_memory(vm).actual != taken && deadline_left(deadline))
			usleep(POLL_US);
		assert_int_equal(vm_wait_balloon(vm, left, VM_TIMEOUT_MS), 0);
		harness_check_taken(vm, taken, false);
		harness_take(vm, 0);
		harness_check_taken(vm, 0, false);
		harness_stop(vm);
	}
}

static unsigned int count(const char *text, const char *word)
{
	unsigned int n = 0;

	while ((text = strstr(text, word))) {
		text += strlen(word);
		n++;
	}
	return n;
}

static void held_memory_stays_intact_through_50_random_targets(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "256M" });
	char *text;

	(void)state;
	srandom(20260101); /* the same targets each time */
	harness_command_says(vm, "hold 24M", "held ");
	harness_command_says(vm, "hold 16M 4", "held ");
	harness_command_says(vm, "hold 8M 9", "held ");
	harness_command_says(vm, "hold 123k", "held ");
	for (int i = 0; i < 50; i++) {
		uint64_t taken = (uint64_t)random() % (160 * MIB / FRAME);

		harness_take(vm, taken * FRAME);
		if (i % 10 == 9)
			harness_check_taken(vm, taken * FRAME, false);
	}
	text = harness_command(vm, "release all");
	assert_null(strstr(text, "BROKEN"));
	assert_int_equal(count(text, "pattern intact"), 4);
	free(text);
	harness_take(vm, 0);
	harness_check_taken(vm, 0, false);
	harness_stop(vm);
}

static uint64_t blocks_in(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

/* Writes to as much of the guest's memory as it will hand out. */
static void touch_memory(struct vm *vm, uint64_t bytes)
{
	char line[64];

	snprintf(line, sizeof(line), "hold %llu", (unsigned long long)bytes);
	harness_command_says(vm, line, "held ");
	harness_command_says(vm, "release all", "pattern intact");
}

static void host_gets_the_memory_and_the_guest_gets_it_back(void **state)
{
	const uint64_t taken = 128 * MIB, size = 256 * MIB;
	char path[] = "/tmp/aerostat-memory-XXXXXX";
	int fd = mkstemp(path);
	uint64_t full, inflated, again;
	struct vm *vm;

	(void)state;
	assert_true(fd >= 0);
	vm = harness_boot(&(struct guest_options){ .mem = "256M", .memory_file = path });
	unlink(path);
	touch_memory(vm, harness_memory(vm).free - 8 * MIB);
	full = blocks_in(fd);
	harness_take(vm, taken);
	inflated = blocks_in(fd);
	touch_memory(vm, harness_memory(vm).free - 8 * MIB);
	assert_true(blocks_in(fd) <= size - taken);
	harness_take(vm, 0);
	touch_memory(vm, harness_memory(vm).free - 8 * MIB);
	again = blocks_in(fd);
	close(fd);

	/* Frames that were never written are the only excuse. */
	assert_true(full > size - 24 * MIB);
	assert_true(full - inflated >= taken - (size - full));
	assert_true(full - inflated <= taken);
	assert_true(again >= inflated + taken - 16 * MIB);
	harness_stop(vm);
}

static void console_answers_while_gigabytes_move(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "8G" });
	int64_t end = (int64_t)(harness_ram(vm) - 7 * GIB), left;
	unsigned int answers = 0;

	(void)state;
	harness_set_target(vm, 7 * GIB);
	do {
		harness_command_says(vm, "balloon", "Target:");
		assert_qmp(vm, qmp_query_balloon(vm_qmp(vm), &left));
		if (left != end)
			answers++;
	} while (left != end && answers < 100000);
	/* An answer that came when the last frame had not yet gone. */
	assert_true(answers > 0);
	harness_check_taken(vm, 7 * GIB, false);
	harness_take(vm, 0);
	harness_check_taken(vm, 0, false);
	harness_stop(vm);
}

static void target_that_changes_on_the_way_is_followed(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ .mem = "2G" });

	(void)state;
	for (uint64_t i = 0; i < 20; i++)
		harness_set_target(vm, i % 2 ? 64 * MIB : 1536 * MIB);
	harness_take(vm, 777 * MIB + 3 * FRAME);
	harness_check_taken(vm, 777 * MIB + 3 * FRAME, false);
	harness_stop(vm);
}

static void two_guests_do_not_disturb_each_other(void **state)
{
	struct vm *a = harness_boot(&(struct guest_options){ .machine = "pc" });
	struct vm *b = harness_boot(
		&(struct guest_options){ .machine = "q35", .balloon = "deflate-on-oom=on" });

	(void)state;
	harness_take(a, 32 * MIB);
	harness_take(b, 48 * MIB);
	harness_check_taken(a, 32 * MIB, false);
	harness_check_taken(b, 48 * MIB, true);
	harness_stop(a);
	harness_stop(b);
}

int balloon_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reaches_every_target_on_pc),
		TEST(reaches_every_target_on_q35),
		TEST(reaches_every_target_behind_a_root_port),
		TEST(reaches_every_target_with_deflate_on_oom),
		TEST(reaches_every_target_of_a_legacy_device),
		TEST(legacy_device_counts_in_both_modes),
		TEST(reaches_every_target_of_a_modern_device),
		TEST(balloon_works_on_every_ring),
		TEST(packed_ring_goes_round_for_long),
		TEST(works_with_reporting_offered),
		TEST(unknown_name_to_refuse_is_said_and_nothing_is_refused),
		TEST(follows_a_target_set_before_boot),
		TEST(stops_at_its_floor_and_lives),
		TEST(shortfall_is_made_up_when_memory_is_freed),
		TEST(allocation_takes_from_the_balloon_only_if_allowed),
		TEST(survives_a_system_reset_while_inflated),
		TEST(held_memory_stays_intact_through_50_random_targets),
		TEST(host_gets_the_memory_and_the_guest_gets_it_back),
		TEST(console_answers_while_gigabytes_move),
		TEST(target_that_changes_on_the_way_is_followed),
		TEST(two_guests_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests_name("balloon", tests, NULL, NULL);
}
