/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two Aerostat domains under Xen's own toolstack, in a Linux as first domain. What is done to
 * them, and what xl, xenstore, Xen and the guests say of it, is told by tests/xen/dom0/steps, in
 * lines that begin with "% "; here it is judged.
 */
#include "tests/xen/machine.h"

#include <glob.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/json_member.h"

#define TIMEOUT_MS 1800000
#define BOOT_TIMEOUT_MS 120000

/* Beside its memory a domain has pages for store, console and others, of which Xen counts some. */
#define EXTRA_KIB_MOST 128

#define LOOKS_MAX 64

/* Unless the environment says another number. */
#define BOOTS 2
#define WORD 32

static const char *const no_devices[] = { NULL };

/* What each side says of a domain at a time. */
struct look {
	char step[WORD], domain[WORD];
	uint64_t static_max_kib, target_kib;
	bool list_known, xen_known; /* what follows is */
	uint64_t id, list_mib;
	uint64_t xen_kib;
	struct json_object *memory, *audit, *balloon;
};

static struct look looks[LOOKS_MAX];
static size_t look_count;

/* ---- What dom0 has told ---- */

/* Gives what follows "% KEY " in a line; NULL: it is another line. */
static const char *value_of(const char *line, const char *key)
{
	size_t length = strlen(key);

	if (strncmp(line, "% ", 2) != 0 || strncmp(line + 2, key, length) != 0 ||
	    line[2 + length] != ' ')
		return NULL;
	return line + 3 + length;
}

/* Of a domain's looks the last, if that does not know it yet. */
static struct look *look_without(const char *domain, bool has_list)
{
	for (size_t i = look_count; i-- > 0;)
		if (strcmp(looks[i].domain, domain) == 0)
			return (has_list ? looks[i].list_known : looks[i].xen_known) ? NULL
										     : &looks[i];
	return NULL;
}

/* "DOMAIN ID MIB"; also of domains that are not looked at now. */
static void read_list(const char *value)
{
	uint64_t id = 0, mib = 0;
	char domain[WORD] = "";
	struct look *look;

	sscanf(value, "%31s %" SCNu64 " %" SCNu64, domain, &id, &mib);
	look = look_without(domain, true);
	if (!look)
		return;
	look->list_known = true;
	look->id = id;
	look->list_mib = mib;
}

/* "DOMAIN KIB" */
static void read_xen(const char *value)
{
	uint64_t kib = 0;
	char domain[WORD] = "";
	struct look *look;

	sscanf(value, "%31s %" SCNu64, domain, &kib);
	look = look_without(domain, false);
	if (!look)
		return;
	look->xen_known = true;
	look->xen_kib = kib;
}

static void begin_look(const char *domain, const char *step)
{
	struct look *look = &looks[look_count++];

	assert_true(look_count <= LOOKS_MAX);
	memset(look, 0, sizeof(*look));
	snprintf(look->step, WORD, "%s", step);
	sscanf(domain, "%31s", look->domain);
}

static void read_line(const char *line, char step[WORD])
{
	struct look *look = look_count > 0 ? &looks[look_count - 1] : NULL;
	const char *value;

	if ((value = value_of(line, "step")))
		sscanf(value, "%31s", step);
	else if ((value = value_of(line, "look")))
		begin_look(value, step);
	else if ((value = value_of(line, "list")))
		read_list(value);
	else if ((value = value_of(line, "xen")))
		read_xen(value);
	else if (look && (value = value_of(line, "store")))
		sscanf(value, "%" SCNu64 " %" SCNu64, &look->static_max_kib, &look->target_kib);
	else if (look && (value = value_of(line, "memory")))
		look->memory = json_tokener_parse(value);
	else if (look && (value = value_of(line, "audit")))
		look->audit = json_tokener_parse(value);
	else if (look && (value = value_of(line, "balloon")))
		look->balloon = json_tokener_parse(value);
}

/* Calls `fn` with each line that dom0 has told. */
static void for_each_line(void (*fn)(const char *line, char step[WORD]))
{
	char *copy = strdup(machine_text), *rest = copy, *line, step[WORD] = "";

	assert_non_null(copy);
	while ((line = strsep(&rest, "\n")))
		fn(line, step);
	free(copy);
}

/* ---- The machine ---- */

/* SEED, so that a run can be had again; else another one each time. */
static unsigned long choose_seed(void)
{
	const char *given = getenv("SEED");

	return given ? strtoul(given, NULL, 10)
		     : ((unsigned long)time(NULL) * 1000 + (unsigned long)getpid()) % 1000000;
}

/* BOOTS: how many more domains begin with less memory than they may have. */
static unsigned long choose_boots(void)
{
	const char *given = getenv("BOOTS");

	return given && *given ? strtoul(given, NULL, 10) : BOOTS;
}

static int set_up(void **state)
{
	unsigned long seed = choose_seed(), boots = choose_boots();
	char initrd[1024];
	glob_t linux_image;
	struct machine machine = {
		.name = "domains",
		/* Without what QEMU 7.2 does wrong for Linux: docs/hypervisors.md. */
		.cpu = "max,smap=off,rdtscp=off",
		.memory = "768M",
		.xen = "console=com1 dom0_mem=256M,max:256M",
		.initrd = initrd,
		.devices = no_devices,
		.timeout_ms = TIMEOUT_MS + (int)boots * BOOT_TIMEOUT_MS,
	};

	(void)state;
	if (glob(machine_path("xen/dom0/boot/vmlinuz-*"), 0, NULL, &linux_image)) {
		fprintf(stderr, "there is no Linux in %s\n", machine_path("xen/dom0/boot"));
		return -1;
	}
	printf("xen: SEED=%lu\n", seed);
	snprintf(initrd, sizeof(initrd), "%s console=hvc0 quiet seed=%lu boots=%lu,%s",
		 linux_image.gl_pathv[0], seed, boots, machine_path("xen/dom0.cpio"));
	globfree(&linux_image);
	if (machine_run(&machine))
		return -1;
	for_each_line(read_line);
	return 0;
}

/* ---- The steps ---- */

static void dom0_comes_to_the_end_of_its_steps(void **state)
{
	(void)state;
	machine_find(machine_text, "% step end ");
}

static void print_wrong(const char *line, char step[WORD])
{
	const char *value;

	if ((value = value_of(line, "step")))
		sscanf(value, "%31s", step);
	if (strncmp(line, "% wrong: ", 9) == 0)
		fail_msg("at %s: %s", step, line + 9);
}

static void all_that_is_waited_for_comes(void **state)
{
	(void)state;
	for_each_line(print_wrong);
}

/* ---- The looks ---- */

static void each_step_was_looked_at(void **state)
{
	static const char *const wanted[][2] = {
		{ "create", "one" },   { "populate-on-demand", "two" },
		{ "random-1", "one" }, { "random-1", "two" },
		{ "random-2", "one" }, { "random-2", "two" },
		{ "random-3", "one" }, { "random-3", "two" },
		{ "busy", "one" },     { "all", "one" },
		{ "nonsense", "one" }, { "nonsense", "one" },
		{ "suspend", "one" },  { "silence", "one" },
		{ "reboot", "two" },
	};

	(void)state;
	assert_int_equal(look_count, sizeof(wanted) / sizeof(wanted[0]));
	for (size_t i = 0; i < look_count; i++) {
		assert_string_equal(looks[i].step, wanted[i][0]);
		assert_string_equal(looks[i].domain, wanted[i][1]);
		assert_true(looks[i].list_known && looks[i].xen_known);
	}
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

static void ledgers_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < look_count; i++)
		machine_check_ledger(looks[i].memory, looks[i].audit);
}

/* Gives the first look at this domain, as long as it has this number. */
static const struct look *first_of(const struct look *look)
{
	size_t i = 0;

	while (looks[i].id != look->id)
		i++;
	return &looks[i];
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
		assert_int_equal(extra_kib(&looks[i]), extra_kib(first_of(&looks[i])));
	}
}

static void xl_lists_what_the_toolstack_wants(void **state)
{
	(void)state;
	for (size_t i = 0; i < look_count; i++)
		assert_int_equal(looks[i].list_mib, looks[i].xen_kib / KIB);
}

/* What the guest manages, and what it does not, is the same all the time. */
static void guest_and_xen_differ_by_what_they_always_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < look_count; i++) {
		const struct look *first = first_of(&looks[i]);

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
	const char *value = value_of(line, "boot");
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
	const char *value = value_of(line, "boot-audit");
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
	for_each_line(check_boot);
	for_each_line(check_boot_audit);
	assert_int_equal(booted, choose_boots());
	assert_int_equal(clean, booted);
}

/* ---- The rest ---- */

/* "% kept BYTES JSON": the balloon's target after one that is none. */
static void check_kept(const char *line, char step[WORD])
{
	const char *value = value_of(line, "kept");
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
	if (value_of(line, "kept"))
		kept++;
}

static void a_target_of_nonsense_leaves_the_last_good_one(void **state)
{
	(void)state;
	kept = 0;
	for_each_line(count_kept);
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
	while (look_count > 0) {
		look_count--;
		json_object_put(looks[look_count].memory);
		json_object_put(looks[look_count].audit);
		json_object_put(looks[look_count].balloon);
	}
	return machine_forget(state);
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
		cmocka_unit_test(a_target_of_nonsense_leaves_the_last_good_one),
		cmocka_unit_test(odd_requests_get_the_answers_that_are_expected),
		cmocka_unit_test(what_is_held_is_intact_after_moving_targets),
		cmocka_unit_test(a_reboot_is_a_new_domain),
		cmocka_unit_test(xl_knows_why_they_ended),
	};

	return cmocka_run_group_tests_name("xen_domains", tests, set_up, tear_down);
}
