/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xen_memory: the figures of Linux's /sys/devices/system/xen_memory, under their names there but
 * all of them decimal, and what Xen itself counts.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/port/xen_balloon.h"
#include "drivers/balloon/port/xen_balloon_pages.h"
#include "drivers/xen/xen.h"
#include "kernel/lib/command.h"
#include "kernel/lib/parse.h"
#include "kernel/task/task.h"

/* As Linux has it: 0 for no limit. */
#define TRIES_MAX 0

/* Amounts are in KiB. */
struct figures {
	struct xen_balloon_target target;
	uint64_t ballooned, current;
	struct balloon_tries tries;
	long xen_current, xen_maximum; /* in frames; negative: Xen does not tell */
};

static bool get_figures(struct figures *f)
{
	if (!xen_balloon_get_target(&f->target))
		return false;
	f->ballooned = balloon_frames_of(&xen_balloon_port) * FRAME_KIB;
	f->current = f->target.max_kib - min_u64(f->ballooned, f->target.max_kib);
	balloon_get_tries(&xen_balloon_port, &f->tries);
	f->xen_current = xen_current_frames();
	f->xen_maximum = xen_maximum_frames();
	return true;
}

/* ---- Text ---- */

static void print_figure(const char *name, uint64_t figure)
{
	printf("%-20s %" PRIu64 "\n", name, figure);
}

static void print_frames(const char *name, long frames)
{
	if (frames < 0)
		printf("%-20s unknown\n", name);
	else
		print_figure(name, (uint64_t)frames * FRAME_KIB);
}

static void print_figures(const struct figures *f)
{
	print_figure("target", f->target.kib * KIB);
	print_figure("target_kb", f->target.kib);
	print_figure("current_kb", f->current);
	print_figure("low_kb", f->ballooned);
	print_figure("schedule_delay", f->tries.pause_ns / NS_PER_S);
	print_figure("max_schedule_delay", BALLOON_PAUSE_MAX_NS / NS_PER_S);
	print_figure("retry_count", f->tries.count);
	print_figure("max_retry_count", TRIES_MAX);
	print_figure("static_max_kb", f->target.max_kib);
	print_frames("xen_current_kb", f->xen_current);
	print_frames("xen_maximum_kb", f->xen_maximum);
}

/* ---- -j ---- */

static void print_json_frames(const char *name, long frames)
{
	if (frames < 0)
		printf(",\"%s\":null", name);
	else
		printf(",\"%s\":%" PRIu64, name, pfn_to_paddr((uint64_t)frames));
}

static void print_json_calls(const char *name, bool back)
{
	struct xen_balloon_counts counts;

	xen_balloon_pages_counts(back, &counts);
	printf(",\"%s\":{\"calls\":%" PRIu64 ",\"blocks\":%" PRIu64 ",\"frames\":%" PRIu64
	       ",\"untold\":%" PRIu64 ",\"longest-us\":%" PRIu64 "}",
	       name, counts.calls, counts.blocks, counts.frames, counts.untold,
	       counts.call_ns_max / NS_PER_US);
}

static void print_json(const struct figures *f)
{
	printf("{\"target\":%" PRIu64 ",\"current\":%" PRIu64 ",\"ballooned\":%" PRIu64
	       ",\"schedule-delay\":%" PRIu64 ",\"max-schedule-delay\":%" PRIu64
	       ",\"retry-count\":%" PRIu64 ",\"max-retry-count\":%d,\"static-max\":%" PRIu64,
	       f->target.kib * KIB, f->current * KIB, f->ballooned * KIB,
	       f->tries.pause_ns / NS_PER_S, BALLOON_PAUSE_MAX_NS / NS_PER_S, f->tries.count,
	       TRIES_MAX, f->target.max_kib * KIB);
	print_json_frames("xen-current", f->xen_current);
	print_json_frames("xen-maximum", f->xen_maximum);
	print_json_calls("given", false);
	print_json_calls("taken", true);
	printf("}\n");
}

/* ---- The command ---- */

static int set_target(const char *text)
{
	uint64_t bytes;
	int err = parse_size(text, &bytes);

	if (err) {
		printf("xen_memory: %s is no size\n", text);
		return err;
	}
	err = xen_balloon_set_target(bytes / KIB);
	/* So that a command that waits for the target after this one knows of it. */
	task_yield();
	if (err == -EBUSY)
		printf("xen_memory: the toolstack sets this domain's target (xl mem-set)\n");
	else if (err == -ERANGE)
		printf("xen_memory: more than nothing, and no more than the domain began with\n");
	return err;
}

static int cmd_xen_memory(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "-j") == 0;
	bool set = argc == 3 && strcmp(argv[1], "target") == 0;
	struct figures figures;

	if (argc > 1 && !json && !set)
		return -EINVAL;
	if (!get_figures(&figures)) {
		printf("xen_memory: there is no balloon on Xen\n");
		return -ENODEV;
	}
	if (set)
		return set_target(argv[2]);
	if (json)
		print_json(&figures);
	else
		print_figures(&figures);
	return 0;
}

COMMAND("xen_memory", "[-j|target SIZE]", "the balloon on Xen, as Linux's sysfs shows it",
	"The names are those in /sys/devices/system/xen_memory, and the figures are\n"
	"decimal, in kB, but `target`, in bytes, and the delays, in seconds: how long Xen\n"
	"is left alone after a refusal. retry_count is the number of the next try;\n"
	"max_retry_count 0 says that it is asked for ever. static_max_kb less low_kb is\n"
	"current_kb. What Xen counts for this domain, and allows it, is in the last two\n"
	"lines.\n"
	"`target SIZE` sets what the domain shall have, where no toolstack does.\n"
	"With -j: one line of JSON, memory in bytes.",
	cmd_xen_memory);
