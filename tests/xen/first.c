/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Aerostat as Xen's first domain (PVH), where nothing is between it and the hypervisor. There is
 * no store: the guest is told its targets by a command, and ends QEMU itself. One boot, of which
 * each test judges a part.
 */
#include "tests/xen/machine.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "tools/json_member.h"
#include "tools/vm.h"

#define STATUS 5
#define EXIT_STATUS ((STATUS << 1) | 1) /* isa-debug-exit's */
#define TIMEOUT_MS 120000

/* Free memory of a domain that has just begun lies in whole blocks. */
#define BLOCKS (64 * MIB)
#define CALLS_MOST 8

/* What is asked at each look, and at which targets, in bytes taken. */
#define LOOK "show_mem -j; audit -j; balloon -j; xen_check -n; "
#define GO(bytes) "xen_memory target " bytes "; balloon wait 60; " LOOK

static const uint64_t targets[] = { 0, BLOCKS, 24 * MIB, 24 * MIB + 3 * FRAME, 2 * FRAME, 0, 0 };

#define LOOKS (sizeof(targets) / sizeof(targets[0]))

static const char commands[] = LOOK GO("67108864") GO("25165824") GO("25178112") GO("8192")
	GO("0") "xen_memory; xen_check; " LOOK "exit 5";

static const char *const devices[] = {
	"-device", "amd-iommu", "-device", "isa-debug-exit,iobase=0xf4,iosize=4", NULL,
};

static int set_up(void **state)
{
	char initrd[2048];
	struct machine machine = {
		.name = "first",
		.cpu = "max",
		.memory = "256M",
		.xen = "console=com1 dom0=pvh dom0_mem=128M,max:128M",
		.initrd = initrd,
		.devices = devices,
		.timeout_ms = TIMEOUT_MS,
	};

	(void)state;
	snprintf(initrd, sizeof(initrd), "%s run=\"%s\"", machine_path("aerostat.elf"), commands);
	return machine_run(&machine);
}

/* ---- The looks ---- */

struct look {
	struct json_object *memory, *audit, *balloon, *xen;
};

static struct look next_look(const char **at)
{
	struct look look;

	look.memory = machine_json(at, "owners");
	look.audit = machine_json(at, "refused-changes");
	look.balloon = machine_json(at, "inflate-requests");
	look.xen = machine_json(at, "frames");
	return look;
}

static struct look look_at(size_t number)
{
	const char *at = machine_text;

	for (size_t i = 0; i < number; i++) {
		struct look look = next_look(&at);

		json_object_put(look.memory);
		json_object_put(look.audit);
		json_object_put(look.balloon);
		json_object_put(look.xen);
	}
	return next_look(&at);
}

static void put(struct look *look)
{
	json_object_put(look->memory);
	json_object_put(look->audit);
	json_object_put(look->balloon);
	json_object_put(look->xen);
}

static uint64_t owned_by(const struct look *look, const char *owner)
{
	struct json_object *owners;

	assert_true(json_object_object_get_ex(look->memory, "owners", &owners));
	return machine_number(owners, owner);
}

/* ---- The tests ---- */

static void it_comes_to_its_prompt(void **state)
{
	const char *at;

	(void)state;
	at = machine_find(machine_text, "\nAerostat ");
	at = machine_find(at, "of memory, booted by pvh\n");
	machine_find(at, "\n" VM_PROMPT);
}

/* All that was taken from the total is Xen's, and each frame has one owner. */
static void each_target_is_reached_to_the_frame(void **state)
{
	struct look first = look_at(0);
	uint64_t total = machine_number(first.memory, "stat-total-memory");

	(void)state;
	for (size_t i = 0; i < LOOKS; i++) {
		struct look look = look_at(i);

		assert_int_equal(machine_number(look.balloon, "target"), targets[i]);
		assert_int_equal(machine_number(look.balloon, "actual"), targets[i]);
		assert_int_equal(machine_number(look.balloon, "shortfall"), 0);
		assert_int_equal(machine_number(look.memory, "inflated-total"), targets[i]);
		assert_int_equal(machine_number(look.memory, "inflated-free"), 0);
		assert_int_equal(machine_number(look.memory, "stat-total-memory"),
				 total - targets[i]);
		assert_int_equal(owned_by(&look, "balloon"), targets[i]);
		assert_int_equal(owned_by(&look, "in-flight"), 0);
		put(&look);
	}
	put(&first);
}

static void the_ledger_is_whole_at_each_look(void **state)
{
	(void)state;
	for (size_t i = 0; i < LOOKS; i++) {
		struct look look = look_at(i);

		machine_check_ledger(look.memory, look.audit);
		put(&look);
	}
}

/* The last look comes after xen_check, which has a frame counted twice. */
static void xen_counts_what_the_guest_does(void **state)
{
	struct look first = look_at(0);
	uint64_t frames = machine_number(first.xen, "frames");

	(void)state;
	for (size_t i = 0; i < LOOKS; i++) {
		struct look look = look_at(i);

		assert_int_equal(machine_number(look.xen, "frames"),
				 frames - targets[i] / FRAME + (i == LOOKS - 1));
		put(&look);
	}
	put(&first);
}

static void blocks_go_and_come_in_few_calls(void **state)
{
	struct look taken = look_at(1), back = look_at(LOOKS - 2);

	(void)state;
	assert_in_range(machine_number(taken.balloon, "inflate-requests"), 1, CALLS_MOST);
	assert_int_equal(machine_number(taken.balloon, "inflated"), BLOCKS);
	assert_int_equal(machine_number(back.balloon, "inflated"),
			 machine_number(back.balloon, "deflated"));
	put(&taken);
	put(&back);
}

static void odd_requests_get_the_answers_that_are_expected(void **state)
{
	const char *at, *end;

	(void)state;
	at = machine_find(machine_text, "Answer Expected\n");
	at = machine_find(at, "give it again ");
	at = machine_find(at, "populate a frame that is there ");
	machine_find(at, "frames that the ledger does not take ");
	end = strstr(machine_text, "another answer");
	if (end) {
		while (end[-1] != '\n')
			end--;
		fail_msg("%.*s", (int)strcspn(end, "\n"), end);
	}
}

static void it_ends_with_its_status(void **state)
{
	(void)state;
	machine_find(machine_text, "\n# exit 5\n");
	assert_int_equal(machine_status, EXIT_STATUS);
}

int first_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_to_its_prompt),
		cmocka_unit_test(each_target_is_reached_to_the_frame),
		cmocka_unit_test(the_ledger_is_whole_at_each_look),
		cmocka_unit_test(xen_counts_what_the_guest_does),
		cmocka_unit_test(blocks_go_and_come_in_few_calls),
		cmocka_unit_test(odd_requests_get_the_answers_that_are_expected),
		cmocka_unit_test(it_ends_with_its_status),
	};

	return cmocka_run_group_tests_name("xen_first", tests, set_up, machine_forget);
}
