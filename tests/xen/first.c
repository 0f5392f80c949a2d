/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Aerostat as Xen's first domain (PVH), where nothing is between it and the hypervisor. There is
 * no store: the guest is told its targets by a command, and ends QEMU itself. One boot, of which
 * each test judges a part.
 */
#include "tests/xen/machine.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "tools/json_member.h"
#include "tools/vm.h"

#define STATUS 5
#define EXIT_STATUS ((STATUS << 1) | 1) /* isa-debug-exit's */
#define TIMEOUT_MS 120000

/* Of what a call may take and give back, in blocks. */
#define CALL_BLOCKS 4

/* What is asked at each look. */
#define LOOK "show_mem -j; audit -j; xen_memory -j; "

/*
 * At which the domain is looked at, after what it began with; the last one twice. Xen 4.17 makes it
 * a frame smaller than it was told, so that the first two leave 64 and 24 MiB, in whole blocks.
 */
static const uint64_t sizes[] = { 67104768, 109047808, 109035520, 134209536 };

#define LOOKS (sizeof(sizes) / sizeof(sizes[0]) + 2)

static const char *const devices[] = {
	"-device", "amd-iommu", "-device", "isa-debug-exit,iobase=0xf4,iosize=4", NULL,
};

/* Makes QEMU's -initrd: the image and its command line. */
static void print_initrd(FILE *out)
{
	fprintf(out, "%s run=\"" LOOK, machine_path("aerostat.elf"));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		fprintf(out, "xen_memory target %" PRIu64 "; balloon wait 60; " LOOK, sizes[i]);
	fprintf(out, "xen_check; " LOOK "exit %d\"", STATUS);
}

static int set_up(void **state)
{
	char initrd[2048];
	FILE *out = fmemopen(initrd, sizeof(initrd), "w");
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
	assert_non_null(out);
	print_initrd(out);
	fclose(out);
	return machine_run(&machine);
}

/* ---- The looks ---- */

static struct look {
	struct json_object *memory, *audit, *xen;
} looks[LOOKS];

static uint64_t static_max;

/* What the balloon has at a look, as it was told. */
static uint64_t taken_at(size_t number)
{
	if (number == 0)
		return 0;
	return static_max - sizes[number < LOOKS - 1 ? number - 1 : LOOKS - 3];
}

static void all_looks_were_answered(void **state)
{
	const char *at = machine_text;

	(void)state;
	for (size_t i = 0; i < LOOKS; i++) {
		looks[i].memory = machine_json(&at, "owners");
		looks[i].audit = machine_json(&at, "refused-changes");
		looks[i].xen = machine_json(&at, "xen-current");
	}
	static_max = machine_number(looks[0].xen, "static-max");
}

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *found = NULL;

	if (!json_object_object_get_ex(object, name, &found))
		fail_msg("there is no '%s'", name);
	return found;
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
	uint64_t total = machine_number(looks[0].memory, "stat-total-memory");

	(void)state;
	for (size_t i = 0; i < LOOKS; i++) {
		struct json_object *memory = looks[i].memory;
		struct json_object *balloon = member(memory, "balloon");
		struct json_object *owners = member(memory, "owners");
		uint64_t taken = taken_at(i);

		assert_int_equal(machine_number(balloon, "target"), taken);
		assert_int_equal(machine_number(balloon, "actual"), taken);
		assert_int_equal(machine_number(balloon, "shortfall"), 0);
		assert_int_equal(machine_number(memory, "inflated-total"), taken);
		assert_int_equal(machine_number(memory, "inflated-free"), 0);
		assert_int_equal(machine_number(memory, "stat-total-memory"), total - taken);
		assert_int_equal(machine_number(owners, "balloon"), taken);
		assert_int_equal(machine_number(owners, "in-flight"), 0);
	}
}

static void the_ledger_is_whole_at_each_look(void **state)
{
	(void)state;
	for (size_t i = 0; i < LOOKS; i++)
		machine_check_ledger(looks[i].memory, looks[i].audit);
}

/* The last look comes after xen_check, which has a frame counted twice. */
static void xen_counts_what_the_guest_does(void **state)
{
	uint64_t all = machine_number(looks[0].xen, "xen-current");

	(void)state;
	for (size_t i = 0; i < LOOKS; i++)
		assert_int_equal(machine_number(looks[i].xen, "xen-current"),
				 all - taken_at(i) + (i == LOOKS - 1 ? FRAME : 0));
}

/* How many calls move so much; what is no whole block may be at either end. */
static uint64_t calls_for(uint64_t bytes)
{
	uint64_t blocks = bytes / BLOCK;

	return (blocks + CALL_BLOCKS - 1) / CALL_BLOCKS + (bytes % BLOCK > 0 ? 2 : 0);
}

static void blocks_go_and_come_in_few_calls(void **state)
{
	struct json_object *given = member(looks[1].xen, "given");
	struct json_object *back = member(looks[2].xen, "taken");
	uint64_t bytes = taken_at(1) - taken_at(2);

	(void)state;
	assert_int_equal(machine_number(given, "blocks"), taken_at(1) / BLOCK);
	assert_in_range(machine_number(given, "calls"), 1, calls_for(taken_at(1)));
	assert_in_range(machine_number(back, "calls"), 1, calls_for(bytes | taken_at(1) % BLOCK));
	print_message("%" PRIu64 " calls for %" PRIu64 " MiB, %" PRIu64 " for %" PRIu64
		      " MiB back; the longest took %" PRIu64 " us\n",
		      machine_number(given, "calls"), taken_at(1) / MIB,
		      machine_number(back, "calls"), bytes / MIB,
		      machine_number(given, "longest-us"));
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

static int tear_down(void **state)
{
	for (size_t i = 0; i < LOOKS; i++) {
		json_object_put(looks[i].memory);
		json_object_put(looks[i].audit);
		json_object_put(looks[i].xen);
	}
	return machine_forget(state);
}

int first_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_to_its_prompt),
		cmocka_unit_test(all_looks_were_answered),
		cmocka_unit_test(each_target_is_reached_to_the_frame),
		cmocka_unit_test(the_ledger_is_whole_at_each_look),
		cmocka_unit_test(xen_counts_what_the_guest_does),
		cmocka_unit_test(blocks_go_and_come_in_few_calls),
		cmocka_unit_test(odd_requests_get_the_answers_that_are_expected),
		cmocka_unit_test(it_ends_with_its_status),
	};

	return cmocka_run_group_tests_name("xen_first", tests, set_up, tear_down);
}
