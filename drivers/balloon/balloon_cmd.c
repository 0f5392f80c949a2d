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
#include "drivers/balloon/balloon_batch.h"
#include "drivers/balloon/balloon_cmd.h"
#include "drivers/balloon/balloon_ranges.h"
#include "drivers/balloon/balloon_refusal.h"
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
static void print_refusals(void)
{
	uint64_t frames[BALLOON_REFUSALS];

	balloon_refusal_counts(frames);
	if (frames[BALLOON_REFUSED_FRAME] || frames[BALLOON_REFUSED_ENOUGH] ||
	    frames[BALLOON_REFUSED_FOR_NOW])
		printf("Refused by the host: %" PRIu64 " frames for good, %" PRIu64
		       " as the target was reached, %" PRIu64 " for want of memory\n",
		       frames[BALLOON_REFUSED_FRAME], frames[BALLOON_REFUSED_ENOUGH],
		       frames[BALLOON_REFUSED_FOR_NOW]);
}

static void print_traffic(void)
{
	struct balloon_batch_counts batches;
	uint64_t frames, times;

	balloon_batches_counts(&batches);
	printf("Inflated: %" PRIu64 " frames in %" PRIu64 " requests\n", batches.inflated,
	       batches.inflate_requests);
	printf("Deflated: %" PRIu64 " frames in %" PRIu64 " requests\n", batches.deflated,
	       batches.deflate_requests);
	print_refusals();
	balloon_ranges_counts(&frames, &times);
	printf("Reported: %" PRIu64 " free frames; %" PRIu64 " requests in all\n", frames, times);
	if (balloon.port->print_traffic)
		balloon.port->print_traffic();
}

static void print_status(const struct balloon_status *s)
{
	struct balloon_account account;

	balloon_account(s->deflate_on_oom, &account);
	printf("InflatedTotal: %" PRIu64 " kB\n", kb(account.inflated_total));
	printf("InflatedFree: %" PRIu64 " kB\n", kb(account.inflated_free));
	printf("Target: %" PRIu64 " kB\n", kb(s->target));
	printf("Actual: %" PRIu64 " kB\n", kb(s->actual));
	printf("Shortfall: %" PRIu64 " kB\n", kb(s->shortfall));
	printf("Floor: %" PRIu64 " kB\n", kb(s->floor));
	printf("Strategy: %s (%s)\n", balloon_strategy_name(s->strategy),
	       balloon_strategy_name(s->effective));
	print_traffic();
	printf("Writes of actual: %" PRIu64 "\n", s->actual_writes);
	printf("Given back for want of memory: %" PRIu64 " frames in %" PRIu64 " events\n",
	       s->oom_frames, s->oom_events);
	printf("Recovered from resets: %" PRIu64 "\n", s->recoveries);
	if (balloon.port->print_features)
		balloon.port->print_features();
	if (s->broken)
		printf("BROKEN: %s\n"
		       "The device was given up; `balloon retry` tries it once more.\n",
		       s->broken);
}

static void print_json_refusals(void)
{
	uint64_t frames[BALLOON_REFUSALS];

	balloon_refusal_counts(frames);
	printf(",\"refused\":{\"for-good\":%" PRIu64 ",\"target-reached\":%" PRIu64
	       ",\"for-now\":%" PRIu64 "}",
	       pfn_to_paddr(frames[BALLOON_REFUSED_FRAME]),
	       pfn_to_paddr(frames[BALLOON_REFUSED_ENOUGH]),
	       pfn_to_paddr(frames[BALLOON_REFUSED_FOR_NOW]));
}

static void print_json_traffic(void)
{
	struct balloon_batch_counts batches;
	uint64_t frames, times;

	balloon_batches_counts(&batches);
	printf(",\"inflated\":%" PRIu64 ",\"inflate-requests\":%" PRIu64,
	       pfn_to_paddr(batches.inflated), batches.inflate_requests);
	printf(",\"deflated\":%" PRIu64 ",\"deflate-requests\":%" PRIu64,
	       pfn_to_paddr(batches.deflated), batches.deflate_requests);
	print_json_refusals();
	balloon_ranges_counts(&frames, &times);
	printf(",\"reported\":%" PRIu64 ",\"report-requests\":%" PRIu64, pfn_to_paddr(frames),
	       times);
}

static void print_status_json(const struct balloon_status *s)
{
	struct balloon_account account;

	balloon_account(s->deflate_on_oom, &account);
	printf("{\"inflated-total\":%" PRIu64 ",\"inflated-free\":%" PRIu64,
	       pfn_to_paddr(account.inflated_total), pfn_to_paddr(account.inflated_free));
	printf(",\"target\":%" PRIu64 ",\"actual\":%" PRIu64 ",\"shortfall\":%" PRIu64
	       ",\"floor\":%" PRIu64,
	       pfn_to_paddr(s->target), pfn_to_paddr(s->actual), pfn_to_paddr(s->shortfall),
	       pfn_to_paddr(s->floor));
	printf(",\"strategy\":\"%s\",\"strategy-used\":\"%s\"", balloon_strategy_name(s->strategy),
	       balloon_strategy_name(s->effective));
	print_json_traffic();
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

static int set_strategy(const char *text)
{
	enum balloon_strategy strategy;

	if (balloon_parse_strategy(text, &strategy)) {
		printf("balloon: unknown strategy %s; choose %s\n", text, balloon_strategy_names());
		return -ERANGE;
	}
	if (balloon_set_strategy(strategy)) {
		printf("balloon: %s needs %s; nothing has changed\n", text, balloon_ranges_need());
		return -ENOTSUP;
	}
	return 0;
}

static int retry(void)
{
	const char *why;
	int err = balloon_retry(&why);

	if (err)
		printf("balloon: %s%s\n", balloon.status.broken ? "still given up: " : "", why);
	return err;
}

static int cmd_balloon(int argc, char **argv)
{
	struct balloon_status status;

	if (argc > 1 && argc < 4 && strcmp(argv[1], "wait") == 0)
		return balloon_wait_for_target(argv[2]);
	balloon_status(&status);
	if (!status.present) {
		printf("balloon: the machine has no usable balloon device\n");
		return -ENODEV;
	}
	if (argc == 3 && strcmp(argv[1], "floor") == 0)
		return set_floor(argv[2]);
	if (argc == 3 && strcmp(argv[1], "strategy") == 0)
		return set_strategy(argv[2]);
	if (argc == 2 && strcmp(argv[1], "retry") == 0)
		return retry();
	if (argc == 2 && strcmp(argv[1], "-j") == 0)
		print_status_json(&status);
	else if (argc == 1)
		print_status(&status);
	else
		return -EINVAL;
	return 0;
}
COMMAND("balloon", "[-j|wait [SECONDS]|floor SIZE|strategy NAME|retry]", "the balloon's state",
	"Target, actual, shortfall: memory taken from the guest. With -j: one line of\n"
	"JSON, memory in bytes.\n"
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
	"Names and units are QMP's: memory in bytes, the rest in events or frames.\n"
	"With -j: one line of JSON.",
	cmd_stats);
