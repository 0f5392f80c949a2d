/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloon: first as /sys/kernel/debug/virtio-balloon on Linux shows it, then
 * what else there is to know. stats: what the host was told last.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_account.h"
#include "drivers/balloon/balloon_cmd.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "drivers/balloon/balloon_stats.h"
#include "drivers/balloon/balloon_wait_cmd.h"
#include "kernel/lib/command.h"
#include "kernel/lib/json.h"
#include "kernel/task/task.h"
#include "mm/ledger.h"

static uint64_t kb(uint64_t frames)
{
	return frames * FRAME_KIB;
}

/* Prints a line only if there is something to say: most hosts refuse nothing. */
static void print_refusals(const struct balloon *balloon)
{
	uint64_t frames[BALLOON_REFUSALS];

	balloon_refusal_counts(&balloon->refusal, frames);
	if (frames[BALLOON_REFUSED_FRAME] || frames[BALLOON_REFUSED_ENOUGH] ||
	    frames[BALLOON_REFUSED_FOR_NOW])
		printf("Refused by the host: %" PRIu64 " frames for good, %" PRIu64
		       " as the target was reached, %" PRIu64 " for want of memory\n",
		       frames[BALLOON_REFUSED_FRAME], frames[BALLOON_REFUSED_ENOUGH],
		       frames[BALLOON_REFUSED_FOR_NOW]);
}

static void print_traffic(const struct balloon *balloon)
{
	struct balloon_batch_counts batches;
	uint64_t frames, times;

	balloon_batches_counts(&balloon->batches, &batches);
	printf("Inflated: %" PRIu64 " frames in %" PRIu64 " requests\n", batches.inflated,
	       batches.inflate_requests);
	printf("Deflated: %" PRIu64 " frames in %" PRIu64 " requests\n", batches.deflated,
	       batches.deflate_requests);
	print_refusals(balloon);
	balloon_ranges_counts(&balloon->ranges, &frames, &times);
	printf("Reported: %" PRIu64 " free frames; %" PRIu64 " requests in all\n", frames, times);
	if (balloon->port->print_traffic)
		balloon->port->print_traffic();
}

/* What show_mem says of all balloons, here of one. */
static uint64_t inflated(const struct balloon *balloon, bool deflate_on_oom)
{
	bool is_so = balloon->status.deflate_on_oom == deflate_on_oom;

	return is_so ? ledger_count(balloon->owners->balloon) : 0;
}

static void print_status(const struct balloon *balloon, const struct balloon_status *s)
{
	printf("InflatedTotal: %" PRIu64 " kB\n", kb(inflated(balloon, false)));
	printf("InflatedFree: %" PRIu64 " kB\n", kb(inflated(balloon, true)));
	printf("Target: %" PRIu64 " kB\n", kb(s->target));
	printf("Actual: %" PRIu64 " kB\n", kb(s->actual));
	printf("Shortfall: %" PRIu64 " kB\n", kb(s->shortfall));
	printf("Floor: %" PRIu64 " kB\n", kb(s->floor));
	printf("Strategy: %s (%s)\n", balloon_strategy_name(s->strategy),
	       balloon_strategy_name(s->effective));
	print_traffic(balloon);
	printf("Writes of actual: %" PRIu64 "\n", s->actual_writes);
	printf("Given back for want of memory: %" PRIu64 " frames in %" PRIu64 " events\n",
	       s->oom_frames, s->oom_events);
	printf("Recovered from resets: %" PRIu64 "\n", s->recoveries);
	if (balloon->port->print_features)
		balloon->port->print_features();
	if (s->broken)
		printf("BROKEN: %s\n"
		       "The device was given up; `balloon retry` tries it once more.\n",
		       s->broken);
}

static void print_json_refusals(const struct balloon *balloon)
{
	uint64_t frames[BALLOON_REFUSALS];

	balloon_refusal_counts(&balloon->refusal, frames);
	printf(",\"refused\":{\"for-good\":%" PRIu64 ",\"target-reached\":%" PRIu64
	       ",\"for-now\":%" PRIu64 "}",
	       pfn_to_paddr(frames[BALLOON_REFUSED_FRAME]),
	       pfn_to_paddr(frames[BALLOON_REFUSED_ENOUGH]),
	       pfn_to_paddr(frames[BALLOON_REFUSED_FOR_NOW]));
}

static void print_json_traffic(const struct balloon *balloon)
{
	struct balloon_batch_counts batches;
	uint64_t frames, times;

	balloon_batches_counts(&balloon->batches, &batches);
	printf(",\"inflated\":%" PRIu64 ",\"inflate-requests\":%" PRIu64,
	       pfn_to_paddr(batches.inflated), batches.inflate_requests);
	printf(",\"deflated\":%" PRIu64 ",\"deflate-requests\":%" PRIu64,
	       pfn_to_paddr(batches.deflated), batches.deflate_requests);
	print_json_refusals(balloon);
	balloon_ranges_counts(&balloon->ranges, &frames, &times);
	printf(",\"reported\":%" PRIu64 ",\"report-requests\":%" PRIu64, pfn_to_paddr(frames),
	       times);
}

static void print_status_json(const struct balloon *balloon, const struct balloon_status *s)
{
	printf("{\"name\":\"%s\",\"port\":\"%s\"", balloon->label, s->name);
	printf(",\"inflated-total\":%" PRIu64 ",\"inflated-free\":%" PRIu64,
	       pfn_to_paddr(inflated(balloon, false)), pfn_to_paddr(inflated(balloon, true)));
	printf(",\"target\":%" PRIu64 ",\"actual\":%" PRIu64 ",\"shortfall\":%" PRIu64
	       ",\"floor\":%" PRIu64,
	       pfn_to_paddr(s->target), pfn_to_paddr(s->actual), pfn_to_paddr(s->shortfall),
	       pfn_to_paddr(s->floor));
	printf(",\"strategy\":\"%s\",\"strategy-used\":\"%s\"", balloon_strategy_name(s->strategy),
	       balloon_strategy_name(s->effective));
	print_json_traffic(balloon);
	printf(",\"writes-of-actual\":%" PRIu64 ",\"given-back\":%" PRIu64
	       ",\"give-back-events\":%" PRIu64 ",\"recoveries\":%" PRIu64,
	       s->actual_writes, pfn_to_paddr(s->oom_frames), s->oom_events, s->recoveries);
	printf(",\"broken\":");
	json_print_string(s->broken);
	printf("}\n");
}

static int set_floor(const char *text)
{
	uint64_t floor;
	int err = balloon_parse_floor(text, &floor);

	if (err == -ERANGE)
		printf("balloon: %s is more than this machine's memory of %" PRIu64 " kB\n", text,
		       kb(ledger_managed()));
	else if (err)
		printf("balloon: %s is no size; write 64M, 1.5G or a number of bytes\n", text);
	else
		balloon_set_floor(floor);
	return err ? -ERANGE : 0;
}

/* The first that has a host; there is one. */
static struct balloon *first_balloon(void)
{
	struct balloon *balloon = balloons;

	while (!balloon->status.present && balloon + 1 < BALLOONS_END)
		balloon++;
	return balloon;
}

static int set_strategy(const char *text)
{
	enum balloon_strategy strategy;

	if (balloon_parse_strategy(text, &strategy)) {
		printf("balloon: unknown strategy %s; choose %s\n", text, balloon_strategy_names());
		return -ERANGE;
	}
	if (balloon_set_strategy(strategy)) {
		printf("balloon: %s needs %s; nothing has changed\n", text,
		       balloon_ranges_need(first_balloon()));
		return -ENOTSUP;
	}
	return 0;
}

/* One that was given up, or the reason why there is nothing to retry. */
static int retry_one(struct balloon *balloon)
{
	const char *why;
	int err = balloon_retry(balloon, &why);

	if (err)
		printf("%s: %s%s\n", balloon->label,
		       balloon->status.broken ? "still given up: " : "", why);
	return err;
}

static int retry(void)
{
	int one, err = 0;
	bool any = false;

	for (struct balloon *balloon = balloons; balloon < BALLOONS_END; balloon++) {
		if (!balloon->status.present || !balloon->status.broken)
			continue;
		any = true;
		one = retry_one(balloon);
		err = one ? one : err;
	}
	return any ? err : retry_one(first_balloon());
}

static void show(bool json)
{
	bool several = balloon_count() > 1;
	struct balloon_status status;

	for (size_t i = 0; i < BALLOONS; i++) {
		if (!balloon_status_of(i, &status))
			continue;
		if (several && !json)
			printf("%s: %s\n", balloons[i].label, status.name);
		if (json)
			print_status_json(&balloons[i], &status);
		else
			print_status(&balloons[i], &status);
	}
}

static int cmd_balloon(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "-j") == 0;

	if (argc > 1 && argc < 4 && strcmp(argv[1], "wait") == 0)
		return balloon_wait_for_target(argv[2]);
	if (balloon_count() == 0) {
		printf("balloon: the machine has no usable balloon device\n");
		return -ENODEV;
	}
	if (argc == 3 && strcmp(argv[1], "floor") == 0)
		return set_floor(argv[2]);
	if (argc == 3 && strcmp(argv[1], "strategy") == 0)
		return set_strategy(argv[2]);
	if (argc == 2 && strcmp(argv[1], "retry") == 0)
		return retry();
	if (argc != 1 && !json)
		return -EINVAL;
	show(json);
	return 0;
}
COMMAND("balloon", "[-j|wait [SECONDS]|floor SIZE|strategy NAME|retry]", "the balloon's state",
	"Target, actual, shortfall: memory taken from the guest. With -j: a line of\n"
	"JSON, memory in bytes. Where there are two balloons, virtio's and the\n"
	"hypervisor's own, one after the other; what follows is for both.\n"
	"balloon wait [SECONDS]: until actual is target. It fails with status 3 if\n"
	"nothing has moved for 5 s, 4 if time is up, 5 without a device, 6 if that was\n"
	"given up.\n"
	"balloon floor SIZE: inflation leaves at least this much memory free.\n"
	"balloon strategy NAME: how memory is given.\n"
	"  portable     in batches that every host takes; of virtio, 256 page numbers\n"
	"  whole-block  a block in one batch: QEMU with huge pages frees nothing with\n"
	"               less\n"
	"  range-first  blocks as ranges first, then in batches: where the host takes\n"
	"               ranges (QEMU: free-page-reporting=on), it has the memory at once\n"
	"  auto         range-first where it can be, else portable\n"
	"balloon retry: a device that was given up is reset and used again.",
	cmd_balloon);

void balloon_stats_print_json(void)
{
	struct balloon_stat stats[BALLOON_STATS_MAX];
	uint64_t requests, time;
	size_t count = balloon_stats_last(stats, &requests, &time);

	if (count == 0) {
		printf("null");
		return;
	}
	printf("{\"requests\":%" PRIu64 ",\"age-ms\":%" PRIu64, requests,
	       (clock_ns() - time) / NS_PER_MS);
	for (size_t i = 0; i < count; i++)
		printf(",\"stat-%s\":%" PRIu64, stats[i].name, stats[i].value);
	printf("}");
}

static int cmd_stats(int argc, char **argv)
{
	struct balloon_stat stats[BALLOON_STATS_MAX];
	uint64_t requests, time;
	size_t count = balloon_stats_last(stats, &requests, &time);
	bool json = argc == 2 && strcmp(argv[1], "-j") == 0;

	if (argc > 2 || (argc == 2 && !json))
		return -EINVAL;
	if (count == 0) {
		printf("stats: the host takes no statistics\n");
		return -ENODEV;
	}
	if (json) {
		balloon_stats_print_json();
		printf("\n");
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		printf("stat-%-17s %20" PRIu64 "  (tag %u)\n", stats[i].name, stats[i].value,
		       stats[i].tag);
	printf("Asked by the host: %" PRIu64 " times; this report is %" PRIu64 " ms old\n",
	       requests, (clock_ns() - time) / NS_PER_MS);
	return 0;
}
COMMAND("stats", "[-j]", "the last statistics that the host was given",
	"Names and units are QMP's: memory in bytes, the rest in events.\n"
	"With -j: one line of JSON.",
	cmd_stats);
