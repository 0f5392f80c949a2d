/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status, stats, set and dump of balloonctl by all that QEMU can answer: whole outputs,
 * as text and as JSON, and each question refused in turn, or without an end.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/command.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- whole outputs ---- */

/* Features of every kind: named, without a name here, without one in QEMU. */
#define FEATURES \
	"{\"name\": \"virtio-balloon\", \"broken\": false, \"status\": {\"statuses\": " \
	"[\"VIRTIO_CONFIG_S_ACKNOWLEDGE: x\", \"VIRTIO_CONFIG_S_DRIVER_OK: x\"]}, " \
	"\"guest-features\": {\"unknown-dev-features\": 9223372036854775808, \"dev-features\": " \
	"[\"VIRTIO_BALLOON_F_MUST_TELL_HOST: x\"], \"transports\": [\"VIRTIO_RING_F_EVENT_IDX: " \
	"x\", \"VIRTIO_F_VERSION_1: x\"]}, \"host-features\": {\"unknown-dev-features\": 64, " \
	"\"dev-features\": [\"VIRTIO_BALLOON_F_STATS_VQ: x\", \"VIRTIO_BALLOON_F_REPORTING: " \
	"x\"], " \
	"\"transports\": [\"VIRTIO_F_BAD_FEATURE: x\"]}}"

static char report[2048];

/* Every statistic that there is, five minutes old. */
static void make_report(void)
{
	snprintf(
		report, sizeof(report),
		"{\"stats\": {\"stat-swap-in\": 0, \"stat-swap-out\": 1, \"stat-major-faults\": 2, "
		"\"stat-minor-faults\": 3, \"stat-free-memory\": 4096, \"stat-total-memory\": "
		"1073741824, \"stat-available-memory\": 6, \"stat-disk-caches\": 7, "
		"\"stat-htlb-pgalloc\": 8, \"stat-htlb-pgfail\": 9, \"stat-oom-kills\": 10, "
		"\"stat-alloc-stalls\": 11, \"stat-async-scans\": 12, \"stat-direct-scans\": 13, "
		"\"stat-async-reclaims\": 14, \"stat-direct-reclaims\": 15, \"stat-foreign\": 16}, "
		"\"last-update\": %lld}",
		(long long)time(NULL) - 300);
}

static const struct fake_answer full_answers[] = {
	{ .asks = "x-query-virtio-status", .value = FEATURES },
	{ .asks = "\"guest-stats\"", .value = report },
	{ .asks = "polling-interval", .value = "10" },
	{ .asks = NULL },
};

static const struct fake_qemu full = { .left_before = 768 * MIB,
				       .paused = true,
				       .answers = full_answers };

/* Without the age, which is by the clock of the machine: `from` to `to` are left out. */
static void assert_whole(const char *is, const char *wanted, const char *from, const char *to)
{
	static char text[8192];
	char *cut;

	snprintf(text, sizeof(text), "%s", is);
	cut = strstr(text, from);
	assert_non_null(cut);
	cut += strlen(from);
	assert_non_null(strstr(cut, to));
	memmove(cut, strstr(cut, to), strlen(strstr(cut, to)) + 1);
	assert_string_equal(text, wanted);
}

static void whole(const char *option, const char *command, const char *wanted, const char *from,
		  const char *to)
{
	static char expected[8192];
	struct fake_place place;
	struct outcome got;

	make_report();
	fake_qemu_start(&full, &place);
	got = run_command(place.path, command, option, NULL);
	fake_qemu_stop(&place);
	snprintf(expected, sizeof(expected), wanted, place.path);
	assert_string_equal(got.err, "");
	assert_int_equal(got.status, EXIT_REACHED);
	assert_whole(got.out, expected, from, to);
}

#define STATISTICS \
	"Statistics   s old, asked for every 10 s\n" \
	"  stat-swap-in           swap_in                             0      0 B\n" \
	"  stat-swap-out          swap_out                            1      1 B\n" \
	"  stat-major-faults      major_fault                         2\n" \
	"  stat-minor-faults      minor_fault                         3\n" \
	"  stat-free-memory       unused                           4096  4.000 KiB\n" \
	"  stat-total-memory      available                  1073741824  1.000 GiB\n" \
	"  stat-available-memory  usable                              6      6 B\n" \
	"  stat-disk-caches       disk_caches                         7      7 B\n" \
	"  stat-htlb-pgalloc      hugetlb_pgalloc                     8\n" \
	"  stat-htlb-pgfail       hugetlb_pgfail                      9\n" \
	"  stat-oom-kills         -                                  10\n" \
	"  stat-alloc-stalls      -                                  11\n" \
	"  stat-async-scans       -                                  12\n" \
	"  stat-direct-scans      -                                  13\n" \
	"  stat-async-reclaims    -                                  14\n" \
	"  stat-direct-reclaims   -                                  15\n"
#define STATISTICS_JSON \
	"\"statistics\":{\"stat-swap-in\":0,\"stat-swap-out\":1,\"stat-major-faults\":2," \
	"\"stat-minor-faults\":3,\"stat-free-memory\":4096,\"stat-total-memory\":1073741824," \
	"\"stat-available-memory\":6,\"stat-disk-caches\":7,\"stat-htlb-pgalloc\":8," \
	"\"stat-htlb-pgfail\":9,\"stat-oom-kills\":10,\"stat-alloc-stalls\":11," \
	"\"stat-async-scans\":12,\"stat-direct-scans\":13,\"stat-async-reclaims\":14," \
	"\"stat-direct-reclaims\":15},\"statistics-age\":,\"polling-interval\":10}\n"

static void status_is_this(void **state)
{
	(void)state;
	whole(NULL, "status",
	      "Guest        %s (paused)\n"
	      "RAM          1.000 GiB\n"
	      "Target       1.000 GiB left       0 B taken\n"
	      "Actual       768.0 MiB left   256.0 MiB taken\n"
	      "Features     MUST_TELL_HOST EVENT_IDX VERSION_1 bit-63\n" STATISTICS,
	      "Statistics   ", "s old");
	whole("--json", "status",
	      "{\"guest\":\"%s\",\"ram\":1073741824,\"left\":805306368,\"taken\":268435456,"
	      "\"base\":1073741824,\"dimms\":0,"
	      "\"paused\":true,\"panicked\":false,\"target\":{\"left\":1073741824,\"taken\":0},"
	      "\"driver\":true,"
	      "\"features\":[\"MUST_TELL_HOST\",\"EVENT_IDX\",\"VERSION_1\",63],"
	      "\"offered\":[\"STATS_VQ\",\"REPORTING\",6,\"BAD_FEATURE\"]," STATISTICS_JSON,
	      "\"statistics-age\":", ",");
}

static void statistics_are_these(void **state)
{
	(void)state;
	whole(NULL, "stats", STATISTICS, "Statistics   ", "s old");
	whole("--json", "stats", "{\"guest\":\"%s\"," STATISTICS_JSON, "\"statistics-age\":", ",");
}

/* ---- each question refused ---- */

struct refusal {
	const char *words[4];
	struct fake_answer answers[3];
	int status;
	const char *says, *shows; /* on stderr; on stdout */
	bool plain;
};

static void assert_refusal(const struct refusal *r)
{
	struct fake_qemu qemu = { .answers = r->answers, .plain = r->plain };
	struct outcome got = RUN_AGAINST(&qemu, r->words[0], r->words[1], r->words[2]);

	if (got.status != r->status || !strstr(got.err, r->says) || !*r->says != !*got.err ||
	    !strstr(got.out, r->shows) || !*r->shows != !*got.out)
		fail_msg("%s, %s: status %d\n%s%s", r->words[0], r->answers[0].asks, got.status,
			 got.out, got.err);
}

#define ERROR(question) \
	{ \
		.asks = question, .error = "GenericError" \
	}
#define NO_OBJECT(question) \
	{ \
		.asks = question, .error = "DeviceNotFound" \
	}
#define HANG_UP(question) \
	{ \
		.asks = question, .hang_up = true \
	}
#define VALUE(question, json) \
	{ \
		.asks = question, .value = json \
	}
/* A complaint, and nothing else. */
#define FAILS(end, complaint, answer, ...) \
	{ \
		.words = { __VA_ARGS__ }, .answers = { answer }, .status = (end), \
		.says = (complaint), .shows = "", \
	}
#define SHOWS(text, answer, ...) \
	{ \
		.words = { __VA_ARGS__ }, .answers = { answer }, .says = "", .shows = (text), \
	}
#define LOST(question, ...) \
	FAILS(EXIT_NO_CONNECT, "closed the connection", HANG_UP(question), __VA_ARGS__)

#define NO_DEVICE "the machine has no balloon device"
#define REFUSES(command) "QEMU refuses '" command "': no\n"

static void refused_question_is_named(void **state)
{
	static const struct refusal all[] = {
		FAILS(EXIT_WRONG, REFUSES("query-memory-size-summary"), ERROR("memory-size"),
		      "status"),
		FAILS(EXIT_WRONG, REFUSES("query-status"), ERROR("query-status"), "status"),
		FAILS(EXIT_WRONG, REFUSES("query-balloon"), ERROR("query-balloon"), "status"),
		FAILS(EXIT_WRONG, REFUSES("qom-get"), ERROR("\"guest-stats\""), "status"),
		FAILS(EXIT_WRONG, REFUSES("qom-get"), ERROR("polling-interval"), "stats"),
		FAILS(EXIT_NO_DEVICE, NO_DEVICE, ERROR("qom-list"), "stats"),
		FAILS(EXIT_NO_DEVICE, NO_DEVICE, NO_OBJECT("qom-list"), "stats"),
		FAILS(EXIT_NO_DEVICE, NO_DEVICE, VALUE("qom-list", "[]"), "stats"),
		FAILS(EXIT_NO_DEVICE, NO_DEVICE, VALUE("qom-list", "7"), "stats"),
		FAILS(EXIT_NO_DEVICE, NO_DEVICE, ERROR("qom-list"), "stats", "--interval", "5"),
		FAILS(EXIT_WRONG, REFUSES("query-status"), ERROR("query-status"), "dump", "--live"),
		FAILS(EXIT_WRONG, REFUSES("stop"), ERROR("\"stop\""), "dump", "--live"),
		FAILS(EXIT_WRONG, REFUSES("pmemsave"), ERROR("pmemsave"), "dump", "--live"),
		FAILS(EXIT_WRONG,
		      "QEMU refuses 'cont': no; the guest stands still, and could not be told to "
		      "run on\n",
		      ERROR("\"cont\""), "dump", "--live"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		assert_refusal(&all[i]);
}

#define NO_TARGET "Target       unknown\nActual"
#define NO_DRIVER "Driver       unknown (QEMU 7.2 to 10 tell over QMP)\n"

/* A target needs no path in QEMU's tree; what has one is not known then. */
static void what_is_refused_is_unknown(void **state)
{
	static const struct refusal all[] = {
		SHOWS(NO_TARGET, ERROR("qom-list"), "set", "512M"),
		SHOWS(NO_DRIVER, ERROR("x-query-virtio-status"), "status"),
		SHOWS(NO_DRIVER, NO_OBJECT("x-query-virtio-status"), "status"),
		SHOWS(NO_TARGET, ERROR("\"container\""), "status"),
		SHOWS(NO_TARGET, VALUE("\"addr\"", "\"x\""), "status"),
		SHOWS(NO_TARGET, VALUE("\"container\"", "\"\""), "status"),
		SHOWS(NO_TARGET, VALUE("\"container\"", "7"), "status"),
		SHOWS(NO_TARGET, ERROR("human-monitor"), "status"),
		SHOWS(NO_TARGET, VALUE("xp /1wx", "\"nothing\""), "status"),
		SHOWS(NO_TARGET, VALUE("xp /1wx", "\"0x\""), "status"),
		SHOWS(NO_TARGET, VALUE("xp /1wx", "\"0x1 0x\""), "status"),
		SHOWS(NO_TARGET, VALUE("xp /1wx", "\"0x100000000\""), "status"),
		SHOWS("Statistics   none yet",
		      VALUE("qom-list",
			    "[{\"name\": \"b0\", \"type\": \"child<virtio-balloon-pci>\"}]"),
		      "stats"),
		/* The last number is the one that was asked for. */
		SHOWS("Target       1.000 GiB left   4.000 KiB taken\n",
		      VALUE("xp /1wx", "\"0x7: 0x00000001\\r\\n\""), "status"),
		SHOWS("the target is said to be more than all memory: 17592186040320 bytes",
		      VALUE("xp /1wx", "\"0xffffffff\""), "status"),
	};
	static const struct refusal plain[] = {
		SHOWS(NO_TARGET, ERROR("parent_bus"), "status"),
		SHOWS(NO_TARGET, ERROR("\"addr\""), "status"),
		SHOWS(NO_TARGET, ERROR("human-monitor"), "status"),
		LOST("parent_bus", "status"),
		LOST("\"addr\"", "status"),
		LOST("human-monitor", "status"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		assert_refusal(&all[i]);
	for (size_t i = 0; i < COUNT(plain); i++) {
		struct refusal on_mmio = plain[i];

		on_mmio.plain = true;
		assert_refusal(&on_mmio);
	}
}

/* Whatever was asked, the connection is gone: that is no refusal. */
static void connection_that_ends_is_told_at_every_question(void **state)
{
	static const struct refusal all[] = {
		LOST("qmp_capabilities", "status"),
		LOST("memory-size", "status"),
		LOST("query-status", "status"),
		LOST("query-balloon", "status"),
		LOST("qom-list", "status"),
		LOST("x-query-virtio", "status"),
		LOST("\"addr\"", "status"),
		LOST("\"container\"", "status"),
		LOST("human-monitor", "status"),
		LOST("qom-list", "stats"),
		LOST("\"guest-stats\"", "stats"),
		LOST("polling", "stats"),
		LOST("qom-set", "stats", "--interval", "0"),
		LOST("\"balloon\"", "set", "512M"),
		LOST("query-status", "dump", "--live"),
		LOST("\"stop\"", "dump", "--live"),
		LOST("pmemsave", "dump", "--live"),
		LOST("\"cont\"", "dump", "--live"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		assert_refusal(&all[i]);
}

/* A legacy device has its target in another place, unless the guest uses MSI-X. */
static void legacy_device_has_its_target_in_a_port(void **state)
{
	static const struct {
		const char *vectors, *port, *shows;
	} all[] = {
		{ "0", "49152", "Target       1.000 GiB left" },
		{ "2", "49152", "Target       unknown" },
		{ "1", "49152", "Target       unknown" },
		{ "0", "65536", "Target       unknown" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		const struct fake_answer answers[] = {
			{ .asks = "\"vectors\"", .value = all[i].vectors },
			{ .asks = "virtio-pci[1]\",\"property\":\"addr\"", .value = all[i].port },
			{ .asks = NULL },
		};
		const struct fake_qemu qemu = { .legacy = true, .answers = answers };
		struct outcome got = RUN_AGAINST(&qemu, "status");

		assert_string_equal(got.err, "");
		assert_says(got.out, all[i].shows);
	}
}

/* ---- the interval of the statistics ---- */

/* Who asks already is told 0 first, for QEMU asks at once only if it did not ask before. */
static void interval_that_was_set_is_cleared_first(void **state)
{
	static const struct fake_answer asked_for[] = {
		{ .asks = "polling-interval\",\"value\":0", .error = "GenericError" },
		{ .asks = "qom-set", .value = "{}" },
		{ .asks = "polling-interval", .value = "10" },
		{ .asks = NULL },
	};
	const struct fake_qemu polled = { .answers = asked_for },
			       idle = { .answers = asked_for + 3 };
	struct outcome got = RUN_AGAINST(&polled, "stats", "--interval", "5");

	(void)state;
	assert_int_equal(got.status, EXIT_WRONG);
	assert_says(got.err, "QEMU refuses 'qom-set': no");
	got = RUN_AGAINST(&idle, "stats", "--interval", "0");
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, "Statistics   none yet, nobody asks for them");
}

static void interval_fails_where_it_is(void **state)
{
	static const struct refusal all[] = {
		FAILS(EXIT_WRONG, REFUSES("query-memory-size-summary"), ERROR("memory-size"),
		      "stats", "--interval", "1"),
		FAILS(EXIT_WRONG, REFUSES("qom-get"), ERROR("\"guest-stats\""), "stats",
		      "--interval", "1"),
		FAILS(EXIT_USAGE, "--interval 1.5: whole seconds are wanted, 0 to 31622400\n",
		      ERROR("x"), "stats", "--interval", "1.5"),
	};
	/* While it waits for the next report. */
	static const struct fake_answer later[] = {
		{ .asks = "\"guest-stats\"", .times = 1, .value = "{\"last-update\": 7}" },
		{ .asks = "\"guest-stats\"", .error = "GenericError" },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { .answers = later };
	struct outcome got = RUN_AGAINST(&qemu, "stats", "--interval", "1");

	(void)state;
	assert_int_equal(got.status, EXIT_WRONG);
	assert_says(got.err, REFUSES("qom-get"));
	for (size_t i = 0; i < COUNT(all); i++)
		assert_refusal(&all[i]);
}

static void every_error_has_its_status(void **state)
{
	static const struct {
		int err, status;
	} all[] = {
		{ 0, EXIT_REACHED },
		{ -ERANGE, EXIT_USAGE },
		{ -ETIMEDOUT, EXIT_TIMEOUT },
		{ -ENODEV, EXIT_NO_DEVICE },
		{ -ENOTCONN, EXIT_NO_CONNECT },
		{ -ECONNRESET, EXIT_NO_CONNECT },
		{ -ECONNREFUSED, EXIT_NO_CONNECT },
		{ -EPIPE, EXIT_NO_CONNECT },
		{ -EPERM, EXIT_NO_CONNECT },
		{ -EACCES, EXIT_NO_CONNECT },
		{ -ENOENT, EXIT_NO_CONNECT },
		{ -ENOTDIR, EXIT_NO_CONNECT },
		{ -ENOTSOCK, EXIT_NO_CONNECT },
		{ -ENAMETOOLONG, EXIT_NO_CONNECT },
		{ -ENOMEM, EXIT_WRONG },
		{ -EREMOTEIO, EXIT_WRONG },
		{ -EPROTO, EXIT_WRONG },
		{ -EIO, EXIT_WRONG },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++)
		assert_int_equal(exit_status(all[i].err), all[i].status);
}

/* ---- arguments ---- */

static void guest_that_names_none_is_bad_usage(void **state)
{
	struct outcome got = run_command("a b", "status", NULL);

	(void)state;
	assert_int_equal(got.status, EXIT_USAGE);
	assert_says(got.err, "'a b' names no guest");
}

/* Also by those that need no guest: whoever types it is told what would be right. */
static void guest_of_xen_is_refused_by_every_command(void **state)
{
	static const char sentence[] =
		": guests of Xen are not balloonctl's: in Xen's first domain, `xl list` shows "
		"them, and `xl mem-set DOMAIN SIZE` sets what one has left\n";
	static const char *const calls[][4] = {
		{ "status" },
		{ "set", "1G" },
		{ "take", "1G" },
		{ "give", "1G" },
		{ "stats" },
		{ "watch", "--json" },
		{ "record", "/no/x" },
		{ "export", "/no/x" },
		{ "grow", "1G" },
		{ "shrink", "1G" },
		{ "list" },
		{ "dump", "/no/x" },
		{ "plot", "-o", "/no/x.svg", "/no/x" },
	};
	size_t count = 0;

	(void)state;
	while (commands[count])
		count++;
	assert_int_equal(COUNT(calls), count);
	for (size_t i = 0; i < COUNT(calls); i++) {
		struct outcome got = run_command("xen:///system#ax", calls[i][0], calls[i][1],
						 calls[i][2], calls[i][3], NULL);
		char line[400];

		complain_for(NULL);
		snprintf(line, sizeof(line), "balloonctl: xen:///system#ax%s", sentence);
		assert_string_equal(got.err, line);
		assert_string_equal(got.out, "");
		assert_int_equal(got.status, EXIT_USAGE);
	}
}

static void time_behind_the_command_is_told_its_place(void **state)
{
	struct outcome got;

	(void)state;
	complain_for("status");
	got = run_command(NULL, "status", "-t", "5", NULL);
	assert_int_equal(got.status, EXIT_USAGE);
	assert_string_equal(got.err, "balloonctl status: the time stands before the command: "
				     "balloonctl -t SEC status\n");
	got = run_command(NULL, "status", "--timeout=5", NULL);
	assert_int_equal(got.status, EXIT_USAGE);
	assert_says(got.err, "balloonctl -t SEC status");
	got = run_command(NULL, "status", "--timeou", NULL);
	assert_says(got.err, "--timeou is not understood; see --help");
	got = run_command(NULL, "status", "-x", NULL);
	assert_int_equal(got.status, EXIT_USAGE);
	assert_string_equal(got.err, "balloonctl status: -x is not understood; see --help\n");
	got = run_command(NULL, "plot", "-o", NULL);
	assert_string_equal(got.err, "balloonctl status: -o wants a value; see --help\n");
	got = run_command(NULL, "plot", "--title", NULL);
	assert_string_equal(got.err, "balloonctl status: --title wants a value; see --help\n");
	complain_for(NULL);
	got = run_command(NULL, "status", "-t", "5", NULL);
	assert_string_equal(got.err, "balloonctl: -t is not understood; see --help\n");
	got = run_command(NULL, "status", "-g", "5", NULL);
	assert_string_equal(got.err, "balloonctl: -g is not understood; see --help\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_is_this),
		cmocka_unit_test(statistics_are_these),
		cmocka_unit_test(refused_question_is_named),
		cmocka_unit_test(what_is_refused_is_unknown),
		cmocka_unit_test(connection_that_ends_is_told_at_every_question),
		cmocka_unit_test(legacy_device_has_its_target_in_a_port),
		cmocka_unit_test(interval_that_was_set_is_cleared_first),
		cmocka_unit_test(interval_fails_where_it_is),
		cmocka_unit_test(every_error_has_its_status),
		cmocka_unit_test(guest_that_names_none_is_bad_usage),
		cmocka_unit_test(guest_of_xen_is_refused_by_every_command),
		cmocka_unit_test(time_behind_the_command_is_told_its_place),
	};

	return cmocka_run_group_tests_name("balloonctl/answers", tests, NULL, NULL);
}
