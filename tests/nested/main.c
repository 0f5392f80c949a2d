/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Aerostat's Hyper-V driver on a host that has nothing to do with it: QEMU's hv-balloon. Each side
 * says what it believes, and they must agree to the frame. The tests are one after the other in the
 * life of one guest. To be run from the project's root by tests/nested/run.sh.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/nested/host.h"
#include "tools/deadline.h"
#include "tools/json_member.h"
#include "tools/qmp.h"
#include "tools/vm.h"

#define FRAME UINT64_C(4096)
#define MIB UINT64_C(1048576)
#define POLL_US 200000

/* As tests/nested/init starts the guest. */
#define RAM (256 * MIB)
#define ADDED_MAX (512 * MIB)
#define FLOOR (8 * MIB)

/* What the guest can use of its RAM before anything is added; what firmware has is missing. */
static uint64_t usable_at_first;

/* ---- What the two say ---- */

/* All in bytes. */
struct look {
	uint64_t usable, total, available;		 /* show_mem -j */
	uint64_t inflated_total, inflated_free, owned;	 /* likewise */
	uint64_t target, actual;			 /* likewise */
	uint64_t ballooned, added, not_had;		 /* hv-balloon -j */
	uint64_t reported_available, reported_committed; /* likewise: the last report */
	uint64_t qemu_left;				 /* query-balloon */
	uint64_t qemu_available, qemu_committed;	 /* query-hv-balloon-status-report */
};

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *found = NULL;

	if (!json_object_object_get_ex(object, name, &found))
		fail_msg("there is no \"%s\" in %s", name, json_object_to_json_string(object));
	return found;
}

static void read_memory(struct look *look)
{
	struct json_object *all = host_ask("show_mem -j"), *balloon;

	assert_non_null(all);
	look->usable = host_number(all, "ram");
	look->total = host_number(all, "stat-total-memory");
	look->available = host_number(all, "stat-available-memory");
	look->inflated_total = host_number(all, "inflated-total");
	look->inflated_free = host_number(all, "inflated-free");
	look->owned = host_number(member(all, "owners"), "balloon");
	balloon = member(all, "balloon");
	look->target = host_number(balloon, "target");
	look->actual = host_number(balloon, "actual");
	assert_int_equal(host_number(balloon, "floor"), FLOOR);
	assert_string_equal(json_member_string(all, "ledger"), "ok");
	json_object_put(all);
}

static void read_driver(struct look *look)
{
	struct json_object *all = host_ask("hv-balloon -j"), *status;

	assert_non_null(all);
	look->ballooned = host_number(all, "ballooned");
	look->added = host_number(all, "added");
	look->not_had = host_number(all, "not-had");
	status = member(all, "status");
	look->reported_available = host_number(status, "available");
	look->reported_committed = host_number(status, "committed");
	json_object_put(all);
}

static void read_qemu(struct look *look)
{
	struct json_object *balloon = host_query("query-balloon");
	struct json_object *report = host_query("query-hv-balloon-status-report");

	look->qemu_left = host_number(balloon, "actual");
	look->qemu_available = host_number(report, "available");
	look->qemu_committed = host_number(report, "committed");
	json_object_put(balloon);
	json_object_put(report);
}

static struct look read_all(void)
{
	struct look look = { 0 };

	read_memory(&look);
	read_driver(&look);
	read_qemu(&look);
	return look;
}

/* Whether the last report, which comes once a second, is of the present. */
static bool is_reported(const struct look *look)
{
	return look->qemu_available == look->available &&
	       look->reported_available == look->available &&
	       look->qemu_committed == look->reported_committed;
}

/*
 * Waits until QEMU counts so many bytes left, and the guest so many added, and both have said so.
 * The figures of a look are of several moments: only two that are the same tell of one.
 */
static struct look await(uint64_t left, uint64_t added)
{
	int64_t deadline = deadline_in(host_timeout_ms());
	struct look look, before = { 0 };
	char what[128];

	snprintf(what, sizeof(what),
		 "%" PRIu64 " bytes left, %" PRIu64 " of them added, and a report of that", left,
		 added);
	for (;;) {
		look = read_all();
		if (look.qemu_left == left && look.added == added && is_reported(&look) &&
		    memcmp(&look, &before, sizeof(look)) == 0)
			return look;
		before = look;
		if (deadline_left(deadline) == 0)
			host_give_up(what);
		usleep(POLL_US);
	}
}

/* All figures of a guest that has come to rest. */
static void check(const struct look *look, uint64_t ballooned)
{
	struct json_object *audit = host_ask("audit -j");

	assert_non_null(audit);
	assert_string_equal(json_member_string(audit, "ledger"), "ok");
	assert_int_equal(host_number(audit, "refused-changes"), 0);
	json_object_put(audit);
	assert_int_equal(look->qemu_left, RAM + look->added - ballooned);
	assert_int_equal(look->ballooned, ballooned);
	assert_int_equal(look->inflated_total, ballooned);
	assert_int_equal(look->inflated_free, 0);
	assert_int_equal(look->owned, ballooned);
	assert_int_equal(look->actual, ballooned);
	assert_int_equal(look->usable, usable_at_first + look->added);
	assert_int_equal(look->total, look->usable - ballooned);
	/* Used, ballooned, and what it keeps. */
	assert_int_equal(look->qemu_committed, look->total - look->available + ballooned + FLOOR);
}

/* So many bytes are to be left, of which so many were added. */
static void reach(uint64_t left, uint64_t added)
{
	struct look look;

	print_message("balloon %" PRIu64 " MiB and %" PRIu64 " frames\n", left / MIB,
		      left % MIB / FRAME);
	host_set_target(left);
	look = await(left, added);
	check(&look, RAM + added - left);
	assert_int_equal(look.target, look.actual);
}

/* ---- The tests ---- */

/* Offers and versions take their time. */
static void await_agreement(void)
{
	int64_t deadline = deadline_in(host_timeout_ms());
	struct json_object *all;

	while (!(all = host_ask("hv-balloon -j"))) {
		if (deadline_left(deadline) == 0)
			host_give_up("dynamic memory that is agreed on");
		usleep(POLL_US);
	}
	assert_string_equal(json_member_string(all, "host-version"), "2.0");
	assert_string_equal(json_member_string(all, "state"), "Initialized");
	json_object_put(all);
}

static void guest_and_qemu_agree_on_dynamic_memory(void **state)
{
	(void)state;
	await_agreement();
	/* Nothing has moved yet; so the first report is there. */
	json_object_put(host_report());
	usable_at_first = read_all().usable;
	assert_in_range(usable_at_first, RAM - MIB, RAM);
	host_says("vmbus", "525074dc-8985-46e2-8057-a307dc18a502  open");
}

static void reports_have_the_guests_figures(void **state)
{
	struct look look = await(RAM, 0);
	struct json_object *event = host_report();

	(void)state;
	check(&look, 0);
	assert_int_equal(host_number(event, "available"), look.available);
	assert_int_equal(host_number(event, "committed"), look.qemu_committed);
	json_object_put(event);
}

/* The first waits for what QEMU itself waits: 50 s, as Hyper-V does. */
static void targets_are_reached_to_the_frame(void **state)
{
	(void)state;
	reach(200 * MIB, 0);
	reach(RAM - FRAME, 0);
	reach(131 * MIB + 3 * FRAME, 0);
	reach(131 * MIB + 2 * FRAME, 0);
	reach(250 * MIB, 0);
	reach(RAM, 0);
}

static void memory_that_qemu_adds_is_used(void **state)
{
	struct json_object *devices;

	(void)state;
	/* What was given comes back first. */
	reach(200 * MIB, 0);
	reach(400 * MIB, 144 * MIB);
	/* More than without it. */
	host_says("hold 300M", "held ");
	host_says("release all", "pattern intact");
	devices = host_query("query-memory-devices");
	assert_string_equal(json_member_string(json_object_array_get_idx(devices, 0), "type"),
			    "hv-balloon");
	json_object_put(devices);
	reach(RAM + ADDED_MAX, ADDED_MAX);
}

static void added_memory_is_ballooned_like_other(void **state)
{
	(void)state;
	reach(100 * MIB, ADDED_MAX);
	reach(RAM + ADDED_MAX - 5 * FRAME, ADDED_MAX);
	reach(300 * MIB, ADDED_MAX);
}

/* QEMU asks for 764 MiB in two requests, and is told where they end. */
static void more_than_there_is_ends_at_the_floor(void **state)
{
	int64_t deadline = deadline_in(host_timeout_ms());
	struct look look;

	(void)state;
	host_set_target(4 * MIB);
	while (look = read_all(), look.not_had == 0) {
		if (deadline_left(deadline) == 0)
			host_give_up("an answer that says that there is no more");
		usleep(POLL_US);
	}
	look = await(RAM + ADDED_MAX - look.ballooned, ADDED_MAX);
	check(&look, look.ballooned);
	assert_int_equal(look.available, FLOOR);
	reach(RAM + ADDED_MAX, ADDED_MAX);
}

/* QEMU takes back what it has added, and forgets what it was given. */
static void reboot_brings_back_what_it_began_with(void **state)
{
	struct look look;

	(void)state;
	reach(500 * MIB, ADDED_MAX);
	host_ends("reboot", "Aerostat ");
	assert_int_equal(vm_expect_prompt(host.vm, host_timeout_ms(), NULL), 0);
	await_agreement();
	json_object_put(host_report());
	look = await(RAM, 0);
	check(&look, 0);
}

static void power_off_ends_qemu_well(void **state)
{
	int status;

	(void)state;
	host_ends("poweroff", "% ended with 0\n");
	assert_int_equal(vm_wait_exit(host.vm, host_timeout_ms(), &status), 0);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guest_and_qemu_agree_on_dynamic_memory),
		cmocka_unit_test(reports_have_the_guests_figures),
		cmocka_unit_test(targets_are_reached_to_the_frame),
		cmocka_unit_test(memory_that_qemu_adds_is_used),
		cmocka_unit_test(added_memory_is_ballooned_like_other),
		cmocka_unit_test(more_than_there_is_ends_at_the_floor),
		cmocka_unit_test(reboot_brings_back_what_it_began_with),
		cmocka_unit_test(power_off_ends_qemu_well),
	};

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	return cmocka_run_group_tests_name("nested", tests, host_start, host_stop) != 0;
}
