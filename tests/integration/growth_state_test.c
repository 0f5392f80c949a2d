/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests that have grown, when the whole machine changes: it is reset, saved by savevm and
 * loaded again, moved into another QEMU. What was plugged is there, what is requested
 * comes, and what is held keeps its pattern. SLOW=1 does each 20 times.
 */
#include "tests/integration/growth_harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/integration/snapshots.h"
#include "tools/vm_migrate.h"

#define MEM0 "mem0"

/*
 * Less at boot than is held: some of what has come is in use, always. The more there is, the
 * longer a snapshot or a move takes.
 */
static const struct guest_options small = { .mem = "64M", .grow = "1G" };

#define HELD "100M"

static uint64_t some(void)
{
	return 128 * MIB + growth_random(256 * MIB);
}

/* What is held goes with the guest; what is requested comes again. */
static void a_reset_guest_grows_anew(void **state)
{
	struct vm *vm = harness_boot(&small);
	struct memory base = harness_memory(vm);

	(void)state;
	for (unsigned i = 0; i < growth_rounds(2, 20); i++) {
		uint64_t more = some();

		growth_reach(vm, MEM0, more);
		harness_command_says(vm, "hold " HELD, "held ");
		harness_execute(vm, "system_reset");
		harness_wait_prompt(vm, NULL);
		growth_wait(vm, MEM0, more);
		growth_check(vm, &base, more);
	}
	harness_stop(vm);
}

static void loadvm_brings_back_what_was_plugged(void **state)
{
	struct vm *vm = harness_boot(&small);
	struct memory base = harness_memory(vm);

	(void)state;
	snapshots_add(vm);
	for (unsigned i = 0; i < growth_rounds(2, 20); i++) {
		uint64_t more = some();

		growth_reach(vm, MEM0, more);
		growth_check(vm, &base, more);
		harness_command_says(vm, "hold " HELD, "held ");
		harness_monitor(vm, "savevm grown");
		growth_release(vm);
		growth_reach(vm, MEM0, growth_random(GIB));
		harness_monitor(vm, "loadvm grown");
		growth_wait(vm, MEM0, more);
		growth_check(vm, &base, more);
		growth_release(vm);
		growth_reach(vm, MEM0, 0);
		growth_check(vm, &base, 0);
	}
	harness_stop(vm);
}

/* Another machine of the same kind, waiting for a state from `where`. */
static struct vm *start_incoming(const char *where)
{
	struct guest_options guest = small;
	struct vm *vm;

	guest.extra = "-incoming defer";
	vm = harness_start(&guest);
	assert_int_equal(vm_migrate_incoming(vm, where), 0);
	return vm;
}

/* Stopped, as QEMU 7.2 loses writes of guests that move while they run under TCG. */
static struct vm *move(struct vm *from)
{
	char folder[] = "/tmp/aerostat-move-XXXXXX", where[80];
	struct vm *to;

	assert_non_null(mkdtemp(folder));
	snprintf(where, sizeof(where), "unix:%s/state", folder);
	to = start_incoming(where);
	harness_execute(from, "stop");
	assert_int_equal(vm_migrate_begin(from, where), 0);
	assert_int_equal(vm_migrate_wait(from, "completed", VM_TIMEOUT_MS), 0);
	unlink(where + strlen("unix:"));
	rmdir(folder);
	assert_int_equal(vm_migrate_wait(to, "completed", VM_TIMEOUT_MS), 0);
	harness_stop(from);
	harness_execute(to, "cont");
	return to;
}

static void a_guest_that_grew_moves(void **state)
{
	struct vm *vm = harness_boot(&small);
	struct memory base = harness_memory(vm);

	(void)state;
	harness_take(vm, 20 * MIB + FRAME);
	for (unsigned i = 0; i < growth_rounds(2, 20); i++) {
		uint64_t more = some(), other = growth_random(GIB);

		growth_reach(vm, MEM0, more);
		growth_check(vm, &base, more);
		harness_command_says(vm, "hold " HELD, "held ");
		vm = move(vm);
		growth_wait(vm, MEM0, more);
		growth_check(vm, &base, more);
		growth_release(vm);
		growth_reach(vm, MEM0, other);
		growth_check(vm, &base, other);
		harness_check_taken(vm, 20 * MIB + FRAME, false);
	}
	harness_stop(vm);
}

/* Requested, and moved before all of it is there: the other side does the rest. */
static void a_guest_moves_while_it_grows_and_shrinks(void **state)
{
	struct vm *vm = harness_boot(&small);
	struct memory base = harness_memory(vm);

	(void)state;
	harness_command_says(vm, "hold 24M", "held ");
	for (unsigned i = 0; i < growth_rounds(2, 20); i++) {
		uint64_t more = growth_random(GIB);

		growth_request(vm, MEM0, more);
		vm = move(vm);
		growth_wait(vm, MEM0, more);
		growth_check(vm, &base, more);
	}
	growth_release(vm);
	harness_stop(vm);
}

/* While a move runs, the device refuses what would change what is to be sent. */
static void a_busy_device_is_asked_again(void **state)
{
	struct vm *vm = harness_boot(&small);
	struct memory base = harness_memory(vm);

	(void)state;
	/* So slowly that it cannot end before it is cancelled. */
	harness_command_says(vm, "hold 40M", "held ");
	assert_int_equal(vm_migrate_limit(vm, 65536), 0);
	assert_int_equal(vm_migrate_begin(vm, "exec:cat > /dev/null"), 0);
	growth_request(vm, MEM0, 256 * MIB);
	growth_wait_trouble(vm, 0, "busy");
	assert_int_equal(growth_plugged(vm, MEM0), 0);
	harness_execute(vm, "migrate_cancel");
	assert_int_equal(vm_migrate_wait(vm, "cancelled", VM_TIMEOUT_MS), 0);
	growth_wait(vm, MEM0, 256 * MIB);
	growth_check(vm, &base, 256 * MIB);
	growth_release(vm);
	harness_stop(vm);
}

int growth_state_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_reset_guest_grows_anew),	    TEST(loadvm_brings_back_what_was_plugged),
		TEST(a_guest_that_grew_moves),	    TEST(a_guest_moves_while_it_grows_and_shrinks),
		TEST(a_busy_device_is_asked_again),
	};

	return cmocka_run_group_tests_name("growth_state", tests, NULL, NULL);
}
