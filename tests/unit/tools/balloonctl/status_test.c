/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl status and stats against a fake QEMU: what is not known is not
 * shown, as text and as JSON, and nothing from outside reaches a terminal raw.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "tests/schema/assert_fits.h"
#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/guest.h"

/* Every kind of value; the report is five minutes old. */
static char report[512];

static struct fake_qemu reporting_qemu(struct fake_answer answers[3])
{
	snprintf(report, sizeof(report),
		 "{\"stats\": {\"stat-free-memory\": 104857600, \"stat-major-faults\": 7, "
		 "\"stat-oom-kills\": 0, \"stat-swap-in\": 18446744073709551615, "
		 "\"stat-swap-out\": 18446744073709551614}, \"last-update\": %lld}",
		 (long long)time(NULL) - 300);
	answers[0] = (struct fake_answer){ .asks = "\"guest-stats\"", .value = report };
	answers[1] = (struct fake_answer){ .asks = "polling-interval", .value = "10" };
	answers[2] = (struct fake_answer){ .asks = NULL };
	return (struct fake_qemu){ .answers = answers };
}

static struct json_object *parse(const char *text)
{
	struct json_object *all = json_tokener_parse(text);

	if (!json_object_is_type(all, json_type_object))
		fail_msg("no JSON: %s", text);
	/* One object, one line. */
	assert_true(strchr(text, '\n') == text + strlen(text) - 1);
	return all;
}

/* Whatever is known or not. */
static void json_fits_its_schema(void **state)
{
	static const struct fake_qemu guests[] = {
		{ .left_before = 768 * MIB },	     { .left_before = -4096 },
		{ .old = true, .unmapped = true },   { .no_driver = true, .paused = true },
		{ .panicked = true, .plain = true },
	};
	struct fake_answer answers[3];
	const struct fake_qemu reporting = reporting_qemu(answers);

	(void)state;
	for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		assert_fits("balloonctl-status", RUN_AGAINST(&guests[i], "status", "--json").out);
		assert_fits("balloonctl-stats", RUN_AGAINST(&guests[i], "stats", "--json").out);
		assert_fits("balloonctl-set", RUN_AGAINST(&guests[i], "set", "50%", "--json").out);
	}
	assert_fits("balloonctl-status", RUN_AGAINST(&reporting, "status", "--json").out);
	assert_fits("balloonctl-stats", RUN_AGAINST(&reporting, "stats", "--json").out);
}

#define POLLED "600" /* seconds: no machine is so slow that statistics of now are older */

/* The guest counts all that it has by `total`, and sent that so many seconds ago. */
struct counted {
	const char *total, *interval;
	unsigned age;
	bool deflate;
};

/* What the guest does not know of; how it counts is known by its features. */
static void assert_rest(struct fake_qemu qemu, const struct counted *is, const char *says)
{
	char text[128], features[200];
	const struct fake_answer answers[] = {
		{ .asks = "polling-interval", .value = is->interval },
		{ .asks = "\"guest-stats\"", .value = text },
		{ .asks = "x-query-virtio-status", .value = features },
		{ .asks = NULL },
	};
	struct outcome got;

	qemu.answers = answers;
	snprintf(text, sizeof(text),
		 "{\"stats\": {\"stat-total-memory\": %s}, \"last-update\": %lld}", is->total,
		 (long long)time(NULL) - is->age);
	snprintf(features, sizeof(features),
		 "{\"status\": {\"statuses\": [\"VIRTIO_CONFIG_S_DRIVER_OK\"]}, "
		 "\"guest-features\": {\"dev-features\": [\"VIRTIO_BALLOON_F_%s: x\"]}}",
		 is->deflate ? "DEFLATE_ON_OOM" : "STATS_VQ");
	got = RUN_AGAINST(&qemu, "status");
	assert_int_equal(got.status, EXIT_REACHED);
	if (says)
		assert_says(got.out, says);
	else
		assert_null(strstr(got.out, "not used by the guest"));
	got = RUN_AGAINST(&qemu, "status", "--json");
	assert_fits("balloonctl-status", got.out);
	assert_int_equal(!!strstr(got.out, "\"unused\":"), !!says);
}

/* No target is known. */
static void assert_unused(const char *total, bool deflate, int64_t left, const char *says)
{
	assert_rest((struct fake_qemu){ .left_before = left, .unmapped = true },
		    &(struct counted){ .total = total, .interval = POLLED, .deflate = deflate },
		    says);
}

static void ram_that_the_guest_does_not_use_is_shown(void **state)
{
	(void)state;
	assert_unused("536870912", false, FAKE_RAM,
		      "\nRest         512.0 MiB of RAM not used by the guest\n");
	assert_unused("268435456", false, 768 * MIB, "\nRest         512.0 MiB of RAM not");
	/* The total has what is taken. */
	assert_unused("536870912", true, 768 * MIB, "\nRest         512.0 MiB of RAM not");
	assert_unused("1073741824", true, 768 * MIB, "\nRest             0 B of RAM not");
	/* It does not fit: the statistics are older. */
	assert_unused("1073741824", false, 768 * MIB, NULL);
	assert_unused("18446744073709551614", false, 768 * MIB, NULL);
	assert_unused("1073741825", true, FAKE_RAM, NULL);
	assert_unused("536870912", false, -4096, NULL);
	/* Nothing is made of what cannot be. */
	assert_unused("536870912", true, -4096, NULL);
}

static void rest_is_not_told_by_statistics_that_are_older_than_the_ram(void **state)
{
	const struct fake_mem mem = { .id = "m0", .block = MIB, .region = MIB };
	const char says[] = "\nRest         512.0 MiB of RAM not";
	struct counted is = { .total = "536870912", .interval = POLLED };
	struct fake_qemu qemu = { .plain = false };

	(void)state;
	assert_rest(qemu, &is, says);
	/* Nobody asks; it has answered, and the next answer is late. */
	is.interval = "0";
	assert_rest(qemu, &is, NULL);
	is.interval = POLLED;
	is.age = 500;
	assert_rest(qemu, &is, says);
	is.age = 603;
	assert_rest(qemu, &is, NULL);
	is.age = 0;
	/* The balloon gives back. */
	is.total = "268435456";
	qemu.left_before = 768 * MIB;
	assert_rest(qemu, &is, NULL);
	is.total = "536870912";
	qemu.left_before = 0;
	/* It can have grown since. */
	qemu.mems = &mem;
	qemu.nr_mems = 1;
	assert_rest(qemu, &is, NULL);
}

static uint64_t number(struct json_object *object, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_int))
		fail_msg("no number \"%s\" in %s", name, json_object_to_json_string(object));
	return json_object_get_uint64(value);
}

static void status_says_what_is_left_and_taken(void **state)
{
	const struct fake_qemu qemu = { .left_before = 768 * MIB };
	struct outcome got = RUN_AGAINST(&qemu, "status");

	(void)state;
	assert_int_equal(got.status, EXIT_REACHED);
	assert_string_equal(got.err, "");
	assert_says(got.out, "RAM          1.000 GiB\n");
	assert_says(got.out, "Target       1.000 GiB left       0 B taken\n");
	assert_says(got.out, "Actual       768.0 MiB left   256.0 MiB taken\n");
	assert_says(got.out, "Features     STATS_VQ VERSION_1 ACCESS_PLATFORM\n");
	assert_says(got.out, "Statistics   none yet, nobody asks for them");
	assert_null(strstr(got.out, "stat-"));
	assert_null(strstr(got.out, "Complaint"));
}

#define VIRTIO_MEM(sizes) \
	"{\"type\": \"virtio-mem\", \"data\": {\"memdev\": \"/objects/vm0\", \"node\": 0, " \
	"\"memaddr\": 4294967296, \"block-size\": 2097152, " sizes "}}"

static void status_says_what_the_ram_is_made_of(void **state)
{
	const struct fake_answer answers[] = {
		{ .asks = "query-memory-devices",
		  .value =
			  "[{\"type\": \"dimm\", \"data\": {\"id\": \"d0\", \"addr\": 1, "
			  "\"slot\": 0, \"node\": 0, \"memdev\": \"/objects/x\", \"size\": "
			  "134217728, \"hotplugged\": true, \"hotpluggable\": true}}, " VIRTIO_MEM(
				  "\"id\": \"m0\", \"max-size\": 4294967296, \"size\": 2147483648, "
				  "\"requested-size\": 3221225472") "]" },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { .left_before = 768 * MIB, .answers = answers };
	struct outcome got = RUN_AGAINST(&qemu, "status");

	(void)state;
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out,
		    "RAM          3.125 GiB\n"
		    "Base         1.000 GiB\n"
		    "DIMMs        128.0 MiB\n"
		    "Grown        2.000 GiB plugged   3.000 GiB requested\n"
		    "  m0         2.000 GiB plugged   3.000 GiB requested   of 4.000 GiB by "
		    "2.000 MiB\n"
		    "Target ");
	assert_says(got.out, "Actual       2.750 GiB left   384.0 MiB taken\n");
	got = RUN_AGAINST(&qemu, "status", "--json");
	assert_fits("balloonctl-status", got.out);
	assert_says(got.out, "\"base\":1073741824,\"dimms\":134217728,\"grown\":2147483648,"
			     "\"requested\":3221225472,\"memory-devices\":[{\"id\":\"m0\",");
}

/* Its memory can be grown all the same. */
static void guest_without_a_balloon_has_memory(void **state)
{
	const struct fake_answer answers[] = {
		{ .asks = "query-memory-devices",
		  .value = "[" VIRTIO_MEM("\"id\": \"m0\", \"max-size\": 4294967296, \"size\": "
					  "2147483648, \"requested-size\": 2147483648") "]" },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { .no_device = true, .answers = answers };
	struct outcome got = RUN_AGAINST(&qemu, "status");

	(void)state;
	assert_int_equal(got.status, EXIT_REACHED);
	assert_string_equal(got.err, "");
	assert_says(got.out, "\nGrown        2.000 GiB plugged   2.000 GiB requested\n");
	assert_says(got.out, "\nBalloon      none\n");
	assert_null(strstr(got.out, "Target"));
	assert_null(strstr(got.out, "Driver"));
	assert_null(strstr(got.out, "Statistics"));
	got = RUN_AGAINST(&qemu, "status", "--json");
	assert_fits("balloonctl-status", got.out);
	assert_says(got.out, "\"ram\":3221225472,\"left\":3221225472,\"taken\":0,");
	assert_says(got.out, "\"balloon\":false,");
	got = RUN_AGAINST(&((struct fake_qemu){ .no_device = true }), "status");
	assert_int_equal(got.status, EXIT_NO_DEVICE);
	assert_says(got.err, "balloon");
}

static void each_device_has_a_driver_of_its_own(void **state)
{
	const struct fake_mem mems[] = {
		{ .id = "m0", .block = MIB, .region = MIB },
		{ .id = "m1", .block = MIB, .region = MIB, .no_driver = true },
	};
	const struct fake_answer gone[] = {
		{ .asks = "m0/virtio-backend", .hang_up = true },
		{ .asks = NULL },
	};
	struct fake_qemu qemu = { .mems = mems, .nr_mems = 2 };
	struct outcome got = RUN_AGAINST(&qemu, "status");

	(void)state;
	assert_says(got.out, " by 1.000 MiB\n  m1 ");
	assert_says(got.out, " by 1.000 MiB   no driver\nTarget ");
	qemu.answers = gone;
	assert_int_equal(RUN_AGAINST(&qemu, "status").status, EXIT_NO_CONNECT);
	qemu.answers = NULL;
	qemu.old = true;
	got = RUN_AGAINST(&qemu, "status");
	assert_int_equal(got.status, EXIT_REACHED);
	assert_null(strstr(got.out, "no driver"));
}

/* What cannot be is complained of, and is in no number. */
static void devices_that_cannot_be_are_no_memory(void **state)
{
	static const char *const lies[] = {
		VIRTIO_MEM("\"id\": \"m0\", \"max-size\": 2097152, \"size\": 4194304, "
			   "\"requested-size\": 0"),
		VIRTIO_MEM("\"id\": \"m0\", \"max-size\": 2097152, \"size\": 0, "
			   "\"requested-size\": 4194304"),
		VIRTIO_MEM("\"id\": \"m0\", \"max-size\": 2097152, \"size\": -2097152, "
			   "\"requested-size\": 0"),
		VIRTIO_MEM("\"id\": \"m0\", \"max-size\": \"all\", \"size\": 0, "
			   "\"requested-size\": 0"),
		VIRTIO_MEM("\"id\": \"m0\", \"max-size\": 18446744073709551615, \"size\": "
			   "18446744073709551615, \"requested-size\": 18446744073709551615"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		char text[512];
		const struct fake_answer answers[] = {
			{ .asks = "query-memory-devices", .value = text }, { .asks = NULL }
		};
		const struct fake_qemu qemu = { .left_before = 768 * MIB, .answers = answers };
		struct outcome got;

		snprintf(text, sizeof(text), "[%s]", lies[i]);
		got = RUN_AGAINST(&qemu, "status");
		assert_int_equal(got.status, EXIT_REACHED);
		assert_says(got.out, "RAM          1.000 GiB\n"
				     "Base         1.000 GiB\n"
				     "Grown            0 B plugged       0 B requested\n"
				     "Target ");
		assert_says(got.out, "\nComplaint    the virtio-mem device m0 makes no sense: ");
		got = RUN_AGAINST(&qemu, "status", "--json");
		assert_fits("balloonctl-status", got.out);
		assert_says(got.out, "\"grown\":0,\"requested\":0,\"memory-devices\":[],");
	}
}

static void status_says_what_is_not_known(void **state)
{
	struct outcome got = RUN_AGAINST(
		&((struct fake_qemu){ .no_driver = true, .unmapped = true }), "status");

	(void)state;
	assert_says(got.out, "Target       unknown\n");
	assert_says(got.out, "Driver       none in the guest\n");
	got = RUN_AGAINST(&((struct fake_qemu){ .old = true, .paused = true }), "status");
	assert_says(got.out, " (paused)\n");
	assert_says(got.out, "Driver       unknown");
	got = RUN_AGAINST(&((struct fake_qemu){ .no_device = true }), "status");
	assert_int_equal(got.status, EXIT_NO_DEVICE);
}

static void status_in_json_has_only_what_is_known(void **state)
{
	const struct fake_qemu full = { .left_before = 768 * MIB };
	const struct fake_qemu bare = { .old = true, .unmapped = true };
	struct outcome got = RUN_AGAINST(&full, "status", "--json");
	struct json_object *all = parse(got.out), *target, *features;

	(void)state;
	assert_true(number(all, "ram") == FAKE_RAM);
	assert_true(number(all, "left") == 768 * MIB);
	assert_true(number(all, "taken") == 256 * MIB);
	assert_true(json_object_object_get_ex(all, "target", &target));
	assert_true(number(target, "left") == FAKE_RAM);
	assert_true(number(target, "taken") == 0);
	assert_true(json_object_object_get_ex(all, "features", &features));
	assert_string_equal(json_object_to_json_string_ext(features, JSON_C_TO_STRING_PLAIN),
			    "[\"STATS_VQ\",\"VERSION_1\",\"ACCESS_PLATFORM\"]");
	assert_true(json_object_get_boolean(json_object_object_get(all, "driver")));
	assert_false(json_object_object_get_ex(all, "statistics-age", NULL));
	assert_false(json_object_object_get_ex(all, "complaint", NULL));
	json_object_put(all);
	got = RUN_AGAINST(&bare, "status", "--json");
	all = parse(got.out);
	assert_false(json_object_object_get_ex(all, "target", NULL));
	assert_false(json_object_object_get_ex(all, "features", NULL));
	assert_false(json_object_object_get_ex(all, "driver", NULL));
	json_object_put(all);
}

static void complaints_are_shown(void **state)
{
	const struct fake_answer answers[] = { { .asks = "query-balloon",
						 .value = "{\"actual\": 0}" },
					       { .asks = "xp /1wx", .value = "\"0x40000\"" },
					       { .asks = NULL } };
	const struct fake_qemu qemu = { .left_before = -4096 }, none = { .answers = answers };
	struct outcome got = RUN_AGAINST(&qemu, "status");

	(void)state;
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, "Actual           0 B left   1.000 GiB taken\n");
	assert_says(got.out, "Complaint    the guest says that its balloon holds more");
	got = RUN_AGAINST(&qemu, "status", "--json");
	assert_says(got.out, "\"complaint\":\"the guest says");
	/* None and all are just what can be. */
	got = RUN_AGAINST(&none, "status");
	assert_says(got.out, "Actual           0 B left   1.000 GiB taken\n");
	assert_says(got.out, "Target           0 B left   1.000 GiB taken\n");
	assert_null(strstr(got.out, "Complaint"));
}

static void statistics_have_qmps_names_and_virshs(void **state)
{
	struct fake_answer answers[3];
	const struct fake_qemu qemu = reporting_qemu(answers);
	struct outcome got = RUN_AGAINST(&qemu, "stats");

	(void)state;
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, "s old, asked for every 10 s\n");
	assert_says(got.out, "\n  stat-free-memory       unused                      104857600"
			     "  100.0 MiB\n");
	assert_says(got.out, "\n  stat-major-faults      major_fault                         7\n");
	assert_says(got.out, "\n  stat-oom-kills         -                                   0\n");
	assert_says(got.out, "\n  stat-swap-out          swap_out         18446744073709551614  ");
	assert_null(strstr(got.out, "swap_in"));
	assert_null(strstr(got.out, "18446744073709551615"));
}

static void statistics_in_json_are_exact(void **state)
{
	struct fake_answer answers[3];
	const struct fake_qemu qemu = reporting_qemu(answers);
	struct outcome got = RUN_AGAINST(&qemu, "stats", "--json");
	struct json_object *all = parse(got.out), *values;
	double age = json_object_get_double(json_object_object_get(all, "statistics-age"));

	(void)state;
	assert_true(json_object_object_get_ex(all, "statistics", &values));
	assert_int_equal(json_object_object_length(values), 4);
	assert_true(number(values, "stat-swap-out") == UINT64_MAX - 1);
	assert_true(number(values, "stat-oom-kills") == 0);
	assert_true(number(all, "polling-interval") == 10);
	assert_true(age >= 300 && age < 600);
	json_object_put(all);
}

/* The report that is there at first is not the answer that is waited for. */
static void interval_waits_for_the_next_report(void **state)
{
	char new_report[128];
	const struct fake_answer answers[] = {
		{ .asks = "qom-set", .value = "{}" },
		{ .asks = "\"guest-stats\"", .times = 3, .value = "{\"last-update\": 1000}" },
		{ .asks = "\"guest-stats\"", .value = new_report },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { .answers = answers };
	struct outcome got;

	(void)state;
	snprintf(new_report, sizeof(new_report),
		 "{\"stats\": {\"stat-free-memory\": 5}, \"last-update\": %lld}",
		 (long long)time(NULL));
	got = RUN_AGAINST(&qemu, "stats", "--interval", "1");
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, "stat-free-memory");
}

static void interval_is_what_qemu_is_told(void **state)
{
	const struct fake_answer answers[] = {
		{ .asks = "\"property\":\"guest-stats-polling-interval\",\"value\":0",
		  .value = "{}" },
		{ .asks = "qom-set", .error = "GenericError" },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { .answers = answers };

	(void)state;
	assert_int_equal(RUN_AGAINST(&qemu, "stats", "--interval", "0").status, EXIT_REACHED);
	assert_int_equal(RUN_AGAINST(&qemu, "stats", "--interval", "1").status, EXIT_WRONG);
}

static void silence_has_a_reason(void **state)
{
	const struct fake_qemu no_driver = { .no_driver = true };
	const struct fake_qemu no_queue = {
		.answers =
			(const struct fake_answer[]){
				{ .asks = "x-query-virtio-status",
				  .value = "{\"status\": {\"statuses\": "
					   "[\"VIRTIO_CONFIG_S_DRIVER_OK: x\"]}}" },
				{ .asks = NULL } },
	};
	struct outcome got = RUN_AGAINST(&no_driver, "stats", "--interval", "1");

	(void)state;
	assert_int_equal(got.status, EXIT_NO_DRIVER);
	got = RUN_AGAINST(&no_queue, "stats", "--interval", "1");
	assert_int_equal(got.status, EXIT_WRONG);
	assert_says(got.err, "STATS_VQ");
	got = RUN_AGAINST(&((struct fake_qemu){ .paused = true }), "stats", "--interval", "1");
	assert_int_equal(got.status, EXIT_TIMEOUT);
	assert_says(got.err, "paused");
	/* Nothing known against it, but it never comes. */
	got = RUN_AGAINST(&((struct fake_qemu){ .old = true }), "stats", "--interval", "1");
	assert_int_equal(got.status, EXIT_TIMEOUT);
	assert_says(got.err, "no statistics in time");
}

static void words_of_qemu_are_escaped(void **state)
{
	const struct fake_qemu qemu = {
		.answers = (const struct fake_answer[]){ { .asks = "query-balloon",
							   .error = "\\u001b[2J\\u009b\\u00e9" },
							 { .asks = NULL } },
	};
	struct outcome got = RUN_AGAINST(&qemu, "status");

	(void)state;
	for (const char *c = got.err; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c < 0x7f));
	got = run_command("/tmp/\x1b[2J/\xc2\x9b", "status", NULL);
	assert_int_equal(got.status, EXIT_NO_CONNECT);
	assert_says(got.err, "\\x1b[2J");
	assert_null(strchr(got.err, '\x1b'));
}

static void too_many_arguments_are_refused(void **state)
{
	(void)state;
	assert_int_equal(run_command("/nonexistent/x", "status", "all", NULL).status, EXIT_USAGE);
	assert_int_equal(run_command("/nonexistent/x", "stats", "-5", NULL).status, EXIT_USAGE);
	assert_int_equal(run_command("/nonexistent/x", "stats", "--interval", "-1", NULL).status,
			 EXIT_USAGE);
	assert_int_equal(run_command("/nonexistent/x", "stats", "--interval", NULL).status,
			 EXIT_USAGE);
}

static void interval_is_a_number_of_32_bits(void **state)
{
	static const char *const bad[] = { "\"10\"", "-1", "4294967296" };
	const struct fake_answer largest[] = {
		{ .asks = "polling-interval", .value = "4294967295" }, { .asks = NULL }
	};
	const struct fake_qemu most = { .answers = largest };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct fake_answer answers[] = {
			{ .asks = "polling-interval", .value = bad[i] }, { .asks = NULL }
		};
		const struct fake_qemu qemu = { .answers = answers };
		struct outcome got = RUN_AGAINST(&qemu, "stats", "--json");

		assert_int_equal(got.status, EXIT_WRONG);
		assert_string_equal(got.out, "");
		assert_says(got.err, "QEMU's answer to 'qom-get guest-stats-polling-interval' "
				     "makes no sense");
	}
	assert_says(RUN_AGAINST(&most, "stats", "--json").out, "\"polling-interval\":4294967295}");
}

static void guest_behind_the_command_is_told_its_place(void **state)
{
	struct outcome got;

	(void)state;
	complain_for("status");
	got = run_command(NULL, "status", "-g", "web", NULL);
	assert_int_equal(got.status, EXIT_USAGE);
	assert_says(got.err, "balloonctl -g NAME status");
	got = run_command(NULL, "status", "--guest=web", NULL);
	assert_says(got.err, "balloonctl -g NAME status");
	got = run_command(NULL, "status", "--quiet", NULL);
	assert_says(got.err, "--quiet is not understood");
	complain_for(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_says_what_is_left_and_taken),
		cmocka_unit_test(status_says_what_the_ram_is_made_of),
		cmocka_unit_test(devices_that_cannot_be_are_no_memory),
		cmocka_unit_test(guest_without_a_balloon_has_memory),
		cmocka_unit_test(each_device_has_a_driver_of_its_own),
		cmocka_unit_test(status_says_what_is_not_known),
		cmocka_unit_test(status_in_json_has_only_what_is_known),
		cmocka_unit_test(json_fits_its_schema),
		cmocka_unit_test(ram_that_the_guest_does_not_use_is_shown),
		cmocka_unit_test(rest_is_not_told_by_statistics_that_are_older_than_the_ram),
		cmocka_unit_test(complaints_are_shown),
		cmocka_unit_test(statistics_have_qmps_names_and_virshs),
		cmocka_unit_test(statistics_in_json_are_exact),
		cmocka_unit_test(interval_waits_for_the_next_report),
		cmocka_unit_test(interval_is_what_qemu_is_told),
		cmocka_unit_test(interval_is_a_number_of_32_bits),
		cmocka_unit_test(silence_has_a_reason),
		cmocka_unit_test(words_of_qemu_are_escaped),
		cmocka_unit_test(too_many_arguments_are_refused),
		cmocka_unit_test(guest_behind_the_command_is_told_its_place),
	};

	return cmocka_run_group_tests_name("balloonctl/status", tests, NULL, NULL);
}
