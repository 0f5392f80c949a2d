/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two Aerostat domains under Xen's own toolstack, in a Linux as first domain. What is done to
 * them, and what xl, xenstore, Xen and the guests say of it, is told by tests/xen/dom0/steps, in
 * lines that begin with "% "; here it is judged.
 */
#include "tests/xen/told.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/xen/latency.h"
#include "tools/json_member.h"

/* Beside its memory a domain has pages for store, console and others, of which Xen counts some. */
#define EXTRA_KIB_MOST 128

/* ---- The looks ---- */

/* Unless the environment says another number. */
#define BOOTS 1
#define BOOT_TIMEOUT_MS 120000

/* BOOTS: how many more domains begin with less memory than they may have. */
static unsigned long choose_boots(void)
{
	const char *given = getenv("BOOTS");

	return given && *given ? strtoul(given, NULL, 10) : BOOTS;
}

static int set_up(void **state)
{
	char words[32];

	(void)state;
	snprintf(words, sizeof(words), "boots=%lu", choose_boots());
	return told_run("domains", "steps", "768M", "256M", words,
			(int)choose_boots() * BOOT_TIMEOUT_MS);
}

static void each_step_was_looked_at(void **state)
{
	static const struct told_look wanted[] = {
		{ "create", "one" },   { "populate-on-demand", "two" },
		{ "random-1", "one" }, { "random-1", "two" },
		{ "random-2", "one" }, { "random-2", "two" },
		{ "busy", "one" },     { "all", "one" },
		{ "nonsense", "one" }, { "nonsense", "one" },
		{ "suspend", "one" },  { "silence", "one" },
		{ "reboot", "two" },
	};

	(void)state;
	told_check_looks(wanted, sizeof(wanted) / sizeof(wanted[0]));
}

static void guests_are_at_their_targets_to_the_frame(void **state)
{
	(void)state;
	for (size_t i = 0; i < look_count; i++) {
		const struct look *look = &looks[i];
		uint64_t taken = (look->static_max_kib - look->target_kib) * KIB;
		struct json_object *balloon;

		print_message("%s %s: %" PRIu64 " of %" PRIu64 " KiB\n", look->step, look->domain,
			      look->target_kib, look->static_max_kib);
		assert_true(json_object_object_get_ex(look->memory, "balloon", &balloon));
		assert_int_equal(machine_number(balloon, "target"), taken);
		assert_int_equal(machine_number(balloon, "actual"), taken);
		assert_int_equal(machine_number(look->memory, "inflated-total"), taken);
		assert_int_equal(machine_number(look->memory, "inflated-free"), 0);
	}
}

/* As Linux counts in its sysfs; and Xen's answer to the guest is its answer to dom0. */
static void xen_memory_shows_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < look_count; i++) {
		const struct look *look = &looks[i];

		assert_int_equal(machine_number(look->balloon, "target"), look->target_kib * KIB);
		assert_int_equal(machine_number(look->balloon, "current"), look->target_kib * KIB);
		assert_int_equal(machine_number(look->balloon, "static-max"),
				 look->static_max_kib * KIB);
		assert_int_equal(machine_number(look->balloon, "ballooned"),
				 (look->static_max_kib - look->target_kib) * KIB);
		assert_int_equal(machine_number(look->balloon, "xen-current"), look->xen_kib * KIB);
	}
}

/* Beyond the target, which is the same all the time. */
static uint64_t extra_kib(const struct look *look)
{
	return look->xen_kib - look->target_kib;
}

static void xen_counts_what_the_toolstack_wants(void **state)
{
	(void)state;
	for (size_t i = 0; i < look_count; i++) {
		assert_in_range(extra_kib(&looks[i]), 0, EXTRA_KIB_MOST);
		assert_int_equal(extra_kib(&looks[i]), extra_kib(told_first_of(&looks[i])));
	}
}

/* What the guest manages, and what it does not, is the same all the time. */
static void guest_and_xen_differ_by_what_they_always_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < look_count; i++) {
		const struct look *first = told_first_of(&looks[i]);

		assert_int_equal(looks[i].xen_kib * KIB -
					 machine_number(looks[i].memory, "stat-total-memory"),
				 first->xen_kib * KIB -
					 machine_number(first->memory, "stat-total-memory"));
	}
}

/* ---- First targets ---- */

/* What `tests/xen/dom0/steps` begins with, and what it may have. */
#define POD_BYTES (128 * MIB)
#define POD_MAX_BYTES (512 * MIB)

/* Of the shortest lists; how long they get depends on how fast this machine is. */
#define LIST_BLOCKS 4

static unsigned long booted;

/* "% boot JSON" */
static void check_boot(const char *line, char step[WORD])
{
	const char *value = told_value(line, "boot");
	const uint64_t blocks = (POD_MAX_BYTES - POD_BYTES) / BLOCK;
	struct json_object *memory = value ? json_tokener_parse(value) : NULL, *given;
	uint64_t calls;

	(void)step;
	if (!value)
		return;
	booted++;
	assert_int_equal(machine_number(memory, "static-max"), POD_MAX_BYTES);
	assert_int_equal(machine_number(memory, "current"), POD_BYTES);
	assert_true(json_object_object_get_ex(memory, "given", &given));
	calls = machine_number(given, "calls");
	/* Nothing was behind any of the frames, and all of them are in whole blocks. */
	assert_int_equal(machine_number(given, "blocks"), blocks);
	assert_in_range(calls, 1, blocks / LIST_BLOCKS);
	print_message("boot %lu: %" PRIu64 " calls; the longest took %" PRIu64 " us\n", booted,
		      calls, machine_number(given, "longest-us"));
	json_object_put(memory);
}

static unsigned long clean;

static void check_boot_audit(const char *line, char step[WORD])
{
	const char *value = told_value(line, "boot-audit");
	struct json_object *audit = value ? json_tokener_parse(value) : NULL;

	(void)step;
	if (!value)
		return;
	clean++;
	assert_string_equal(json_member_string(audit, "ledger"), "ok");
	assert_int_equal(machine_number(audit, "refused-changes"), 0);
	json_object_put(audit);
}

static void domains_on_demand_get_along_with_what_they_begin_with(void **state)
{
	(void)state;
	booted = clean = 0;
	told_for_each_line(check_boot);
	told_for_each_line(check_boot_audit);
	assert_int_equal(booted, choose_boots());
	assert_int_equal(clean, booted);
}

/* ---- How soon ---- */

#define BOXES 3

/* Calls that gave frames to Xen, up to there. */
static uint64_t calls_of(const struct look *look)
{
	struct json_object *given = NULL;

	assert_true(json_object_object_get_ex(look->balloon, "given", &given));
	return machine_number(given, "calls");
}

/* As each domain has told, after populate-on-demand and after the random targets. */
static struct {
	char domain[WORD];
	struct json_object *events;
} boxes[BOXES];
static size_t box_count;

static void read_box(const char *line, char step[WORD])
{
	const char *value = told_value(line, "events"), *json = value ? strchr(value, '{') : NULL;

	(void)step;
	if (!json || box_count == BOXES)
		return;
	sscanf(value, "%31s", boxes[box_count].domain);
	boxes[box_count++].events = json_tokener_parse(json);
}

static void targets_and_calls_are_in_the_black_box(void **state)
{
	static const char *const wanted[BOXES] = { "two", "one", "two" };

	(void)state;
	told_for_each_line(read_box);
	assert_int_equal(box_count, BOXES);
	for (size_t i = 0; i < BOXES; i++)
		assert_string_equal(boxes[i].domain, wanted[i]);
	latency_print_start(boxes[0].events, calls_of(&looks[1]));
	latency_note(boxes[1].events, 0);
	latency_note(boxes[2].events, latency_end(boxes[0].events));
	latency_print();
}

/* ---- The rest ---- */

/* "% kept BYTES JSON": the balloon's target after one that is none. */
static void check_kept(const char *line, char step[WORD])
{
	const char *value = told_value(line, "kept");
	struct json_object *memory, *balloon;
	uint64_t bytes = 0;

	if (!value)
		return;
	assert_int_equal(sscanf(value, "%" SCNu64, &bytes), 1);
	memory = json_tokener_parse(strchr(value, '{') ? strchr(value, '{') : "");
	assert_true(json_object_object_get_ex(memory, "balloon", &balloon));
	assert_int_equal(machine_number(balloon, "target"), bytes);
	json_object_put(memory);
	step[0]++;
}

static unsigned kept;

static void count_kept(const char *line, char step[WORD])
{
	check_kept(line, step);
	if (told_value(line, "kept"))
		kept++;
}

static void a_target_of_nonsense_leaves_the_last_good_one(void **state)
{
	(void)state;
	kept = 0;
	told_for_each_line(count_kept);
	assert_int_equal(kept, 3);
}

static void odd_requests_get_the_answers_that_are_expected(void **state)
{
	const char *at;

	(void)state;
	at = machine_find(machine_text, "% odd frames that the ledger does not take ");
	at = machine_find(at, "% odd {\"ledger\":\"ok\"");
	assert_null(strstr(machine_text, "another answer"));
}

static void what_is_held_is_intact_after_moving_targets(void **state)
{
	(void)state;
	machine_find(machine_find(machine_text, "% released "), "pattern intact");
}

static void a_reboot_is_a_new_domain(void **state)
{
	const struct look *before = NULL, *after = NULL;

	(void)state;
	for (size_t i = 0; i < look_count; i++) {
		if (strcmp(looks[i].domain, "two") == 0)
			before = after, after = &looks[i];
	}
	assert_non_null(before);
	assert_true(after->id > before->id);
}

/* Xen's reasons: 0 is poweroff, 1 reboot. */
static void xl_knows_why_they_ended(void **state)
{
	char line[WORD * 2];

	(void)state;
	assert_true(look_count > 0);
	snprintf(line, sizeof(line), "%% reason one %" PRIu64 " 0\n", looks[0].id);
	machine_find(machine_text, line);
	snprintf(line, sizeof(line), "%% reason two %" PRIu64 " 1\n", looks[1].id);
	machine_find(machine_text, line);
	snprintf(line, sizeof(line), "%% reason two %" PRIu64 " 0\n", looks[look_count - 1].id);
	machine_find(machine_text, line);
}

static int tear_down(void **state)
{
	while (box_count > 0)
		json_object_put(boxes[--box_count].events);
	return told_forget(state);
}

int domains_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dom0_comes_to_the_end_of_its_steps),
		cmocka_unit_test(all_that_is_waited_for_comes),
		cmocka_unit_test(each_step_was_looked_at),
		cmocka_unit_test(guests_are_at_their_targets_to_the_frame),
		cmocka_unit_test(ledgers_are_whole),
		cmocka_unit_test(xen_memory_shows_the_same),
		cmocka_unit_test(xen_counts_what_the_toolstack_wants),
		cmocka_unit_test(xl_lists_what_the_toolstack_wants),
		cmocka_unit_test(guest_and_xen_differ_by_what_they_always_do),
		cmocka_unit_test(domains_on_demand_get_along_with_what_they_begin_with),
		cmocka_unit_test(targets_and_calls_are_in_the_black_box),
		cmocka_unit_test(a_target_of_nonsense_leaves_the_last_good_one),
		cmocka_unit_test(odd_requests_get_the_answers_that_are_expected),
		cmocka_unit_test(what_is_held_is_intact_after_moving_targets),
		cmocka_unit_test(a_reboot_is_a_new_domain),
		cmocka_unit_test(xl_knows_why_they_ended),
	};

	return cmocka_run_group_tests_name("xen_domains", tests, set_up, tear_down);
}
