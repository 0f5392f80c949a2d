/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl stats: shows the statistics that the guest sends, under QMP's names
 * and virsh's, and sets how often it is asked.
 */
#include <assert.h>
#include <stdio.h>
#include <time.h>

#include <getopt.h>
#include <json-c/json.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/guest.h"
#include "tools/balloonctl/guest_situation.h"
#include "tools/balloonctl/periodic.h"
#include "tools/balloonctl/report.h"
#include "tools/deadline.h"

#define POLL_MS 100
#define GRACE_MS 5000 /* the guest's seconds can be longer than ours */

static const char help[] =
	"usage: balloonctl [-g NAME] stats [--interval SEC] [--situation] [--json]\n"
	"\n"
	"Shows the statistics that the guest's driver sent last: QMP's name, the name in\n"
	"`virsh dommemstat` (which counts in KiB), the value (bytes, or a count), and for\n"
	"people its size. What the guest does not send is not shown.\n"
	"\n"
	"  --interval SEC   have the guest asked every SEC seconds from now on, and wait\n"
	"                   for its next answer; 0: have it asked no more\n"
	"  --situation      say what the guest suffers from, and how sure that is, by two\n"
	"                   answers in a row; a guest that nobody asks is asked every\n"
	"                   second meanwhile\n"
	"  --json           one JSON object on one line\n"
	"\n"
	"For each answer it waits for twice SEC and some seconds at most.\n"
	"\n"
	"Exit status: 4 no answer came in time, 5 no balloon device, 6 no driver in the\n"
	"guest, 7 cannot connect.\n";

struct request {
	bool json, set_interval, situation;
	unsigned interval;
};

/* QEMU keeps whole seconds: the second of two reports in one would go unnoticed. */
static void leave_second(uint64_t second)
{
	const struct timespec pause = { .tv_sec = 1 };

	if ((uint64_t)time(NULL) == second)
		nanosleep(&pause, NULL);
}

/* Tells whether a report can be expected; else complains and stores the exit status. */
static bool report_may_come(struct guest *guest, int *status)
{
	struct guest_state state;
	int err = guest_state(guest, &state);

	if (err) {
		*status = guest_failed(guest, err);
		return false;
	}
	if (state.has_driver && !state.driver_ok) {
		complain("no balloon driver runs in the guest");
		*status = EXIT_NO_DRIVER;
		return false;
	}
	if (state.has_features && !(state.accepted >> STATS_VQ_BIT & 1)) {
		complain("the guest's driver has not negotiated STATS_VQ");
		*status = EXIT_WRONG;
		return false;
	}
	if (state.paused || state.panicked) {
		complain("the guest %s and does not answer",
			 state.panicked ? "has panicked" : "is paused");
		*status = EXIT_TIMEOUT;
		return false;
	}
	return true;
}

/*
 * Waits until there is another report than that of `before`, and stores it. The answers to each
 * look have their time, but nothing lasts longer than `end`. Returns an exit status.
 */
static int wait_for_report(const struct call *call, uint64_t before, int64_t end,
			   struct guest_stats *stats)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000l };
	int err = 0;

	while (deadline_left(end)) {
		guest_set_deadline(call->guest, deadline_first(end, deadline_in(call->timeout_ms)));
		err = guest_stats(call->guest, stats);
		if (err)
			return guest_failed(call->guest, err);
		if (stats->ever && stats->update != before)
			return EXIT_REACHED;
		nanosleep(&pause, NULL);
	}
	complain("the guest has sent no statistics in time");
	return EXIT_TIMEOUT;
}

static int complain_unasked(enum stats_way way)
{
	if (way == STATS_NEVER)
		complain("--interval: this kind of balloon has no statistics to be asked for");
	else
		complain("--interval: nobody can ask this guest; it sends statistics by itself");
	return EXIT_USAGE;
}

static int change_interval(const struct call *call, unsigned seconds)
{
	int64_t end = call->deadline + (int64_t)seconds * 2000 + GRACE_MS;
	struct guest *guest = call->guest;
	struct guest_stats stats;
	int err = guest_stats(guest, &stats);
	int status;

	if (err)
		return guest_failed(guest, err);
	if (stats.way != STATS_ASKED)
		return complain_unasked(stats.way);
	if (seconds)
		leave_second(stats.update);
	guest_set_deadline(guest, deadline_first(end, deadline_in(call->timeout_ms)));
	/* QEMU asks at once if it did not ask before, else when the time is over. */
	if (stats.interval && seconds)
		err = guest_set_interval(guest, 0);
	if (!err)
		err = guest_set_interval(guest, seconds);
	if (err)
		return guest_failed(guest, err);
	if (seconds == 0)
		return EXIT_REACHED;
	if (!report_may_come(guest, &status))
		return status;
	return wait_for_report(
		call, stats.update,
		deadline_first(end, deadline_now() + (int64_t)seconds * 2000 + GRACE_MS), &stats);
}

/* ---- the situation ---- */

/*
 * Waits for two reports after that in *stats, and judges by them; the second is in *stats then.
 * Returns an exit status.
 */
static int judge_two(const struct call *call, struct guest_stats *stats,
		     struct situation *situation)
{
	int64_t each_ms = (int64_t)(stats->interval ? stats->interval : 1) * 2000 + GRACE_MS;
	struct guest_readings readings = { 0 };
	int status = EXIT_REACHED;

	for (int i = 0; i < 2 && !status; i++) {
		status = wait_for_report(call, stats->update, deadline_now() + each_ms, stats);
		if (!status)
			guest_readings_add(&readings, stats);
	}
	*situation = readings.readings.situation;
	return status;
}

/* Has the guest asked meanwhile, and leaves it as it was found. Returns an exit status. */
static int find_situation(const struct call *call, struct guest_stats *stats,
			  struct situation *situation)
{
	struct guest *guest = call->guest;
	int err = guest_stats(guest, stats), status;
	bool asks;

	if (err)
		return guest_failed(guest, err);
	if (stats->way == STATS_NEVER) {
		complain("--situation: this kind of balloon has no statistics");
		return EXIT_USAGE;
	}
	if (!report_may_come(guest, &status))
		return status;
	asks = stats->way == STATS_ASKED && !stats->interval;
	if (asks) {
		leave_second(stats->update);
		guest_set_deadline(guest, deadline_in(call->timeout_ms));
		err = guest_set_interval(guest, 1);
	}
	if (err)
		return guest_failed(guest, err);
	status = judge_two(call, stats, situation);
	guest_set_deadline(guest, deadline_in(call->timeout_ms));
	if (asks)
		guest_set_interval(guest, 0);
	return status;
}

/* ---- what is shown ---- */

static void print_situation(const struct situation *situation)
{
	char text[REPORT_SITUATION];

	report_write_situation(situation, text, sizeof(text));
	printf("Situation    %s\n", text);
}

static int show(const struct call *call, const struct request *request)
{
	struct situation situation = { .kind = SITUATION_UNKNOWN };
	struct guest *guest = call->guest;
	struct guest_stats stats;
	int status = EXIT_REACHED, err;

	if (request->situation)
		status = find_situation(call, &stats, &situation);
	if (status)
		return status;
	err = guest_stats(guest, &stats);
	if (err)
		return guest_failed(guest, err);
	if (request->json) {
		struct json_object *all = json_object_new_object();

		json_object_object_add(all, "guest", json_object_new_string(guest_name(guest)));
		report_add_situation(all, &situation);
		report_add_stats(all, &stats);
		report_print_json(all);
		return EXIT_REACHED;
	}
	if (request->situation)
		print_situation(&situation);
	report_print_stats(&stats);
	return EXIT_REACHED;
}

static bool take_option(void *request, int letter, const char *value)
{
	struct request *r = request;

	if (letter == 'j') {
		r->json = true;
		return true;
	}
	if (letter == 's') {
		r->situation = true;
		return true;
	}
	assert(letter == 'i');
	r->set_interval = true;
	return !seconds_option("--interval", value, &r->interval);
}

static int run(const struct call *call)
{
	const struct request *request = call->request;
	int status = EXIT_REACHED;

	if (request->set_interval)
		status = change_interval(call, request->interval);
	return status ? status : show(call, request);
}

static const struct option options[] = {
	{ "interval", required_argument, NULL, 'i' },
	{ "situation", no_argument, NULL, 's' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

const struct command command_stats = {
	.name = "stats",
	.arguments = "[--situation] [--json]",
	.summary = "statistics, by QMP's, virsh's names",
	.help = help,
	.options = options,
	.defaults = &(const struct request){ .json = false },
	.request_size = sizeof(struct request),
	.needs_guest = true,
	.take_option = take_option,
	.run = run,
};
