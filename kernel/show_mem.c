/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The figures of show_mem, gathered once (mem_figures.c prints them), and the
 * commands that show the ledger.
 */
#include "kernel/show_mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_stats.h"
#include "kernel/lib/command.h"
#include "kernel/task/task.h"
#include "kernel/mem_figures.h"
#include "mm/frame.h"
#include "mm/ledger.h"

static void gather(struct mem_figures *f)
{
	struct balloon_status balloon;

	f->version = AEROSTAT_VERSION;
	balloon_status(&balloon);
	balloon_account(balloon.deflate_on_oom, &f->account);
	f->has_balloon = balloon.present;
	f->target = balloon.target;
	f->actual = balloon.actual;
	f->shortfall = balloon.shortfall;
	f->floor = balloon.floor;
	f->owner_count = 0;
	for (unsigned o = OWNER_FREE; o < OWNER_COUNT; o++) {
		f->owner[f->owner_count].name = owner_name((enum owner)o);
		f->owner[f->owner_count++].frames = ledger_count((enum owner)o);
	}
	for (unsigned o = 0; o <= BLOCK_ORDER; o++)
		f->free_by_order[o] = frame_free_by_order(o);
	f->ledger_ok = ledger_check(f->verdict);
}
_Static_assert(OWNER_COUNT <= MEM_OWNERS_MAX, "owners in struct mem_figures");

void show_mem(void)
{
	struct mem_figures f;

	gather(&f);
	mem_figures_print(&f);
}

void show_mem_at_once(void)
{
	printf("\n");
	show_mem();
}

/* The last report that the host was sent, which QMP's guest-stats shows. */
static void print_json_stats(void)
{
	struct balloon_stat stats[BALLOON_STATS_MAX];
	uint64_t requests, time;
	size_t count = balloon_stats_last(stats, &requests, &time);

	if (count == 0) {
		printf("\"stats\":null,");
		return;
	}
	printf("\"stats\":{\"requests\":%" PRIu64 ",\"age-ms\":%" PRIu64, requests,
	       (clock_ns() - time) / NS_PER_MS);
	for (size_t i = 0; i < count; i++)
		printf(",\"stat-%s\":%" PRIu64, stats[i].name, stats[i].value);
	printf("},");
}

static void show_mem_json(void)
{
	struct mem_figures f;

	gather(&f);
	mem_figures_print_json(&f, print_json_stats);
}

static int cmd_show_mem(int argc, char **argv)
{
	if (argc == 1) {
		show_mem();
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "-j") == 0) {
		show_mem_json();
		return 0;
	}
	return -EINVAL;
}
COMMAND("show_mem", "[-j]", "where the memory is, and whether the ledger adds up",
	"With -j: one line of JSON, all in bytes; `stats` is the last report to the host.\n"
	"Break + m prints the text at any time.\n"
	"InflatedTotal: ballooned memory that is the host's (DEFLATE_ON_OOM not negotiated).\n"
	"InflatedFree: ballooned memory that comes back when needed (negotiated).",
	cmd_show_mem);

static int cmd_owners(int argc, char **argv)
{
	struct mem_figures f;

	(void)argv;
	if (argc > 1)
		return -EINVAL;
	gather(&f);
	mem_figures_print_owners(&f);
	return 0;
}
COMMAND("owners", "", "who has how many frames", NULL, cmd_owners);
