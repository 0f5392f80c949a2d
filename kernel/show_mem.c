/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The figures of show_mem, gathered once and printed in two forms, and the
 * commands that show the ledger. Amounts are in frames until they are printed.
 */
#include "kernel/show_mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_account.h"
#include "drivers/balloon/balloon_stats.h"
#include "kernel/lib/command.h"
#include "kernel/lib/task.h"
#include "mm/frame.h"
#include "mm/ledger.h"

struct figures {
	struct balloon_account account;
	struct balloon_status balloon;
	uint64_t owned[OWNER_COUNT];
	uint64_t free_by_order[BLOCK_ORDER + 1];
	char verdict[LEDGER_VERDICT_MAX];
	bool ledger_ok;
};

static void gather(struct figures *f)
{
	balloon_account(&f->account);
	balloon_status(&f->balloon);
	for (unsigned o = OWNER_FREE; o < OWNER_COUNT; o++)
		f->owned[o] = ledger_count((enum owner)o);
	for (unsigned o = 0; o <= BLOCK_ORDER; o++)
		f->free_by_order[o] = frame_free_by_order(o);
	f->ledger_ok = ledger_check(f->verdict);
}

static uint64_t kb(uint64_t frames)
{
	return frames * (FRAME_SIZE / KIB);
}

static void print_free_by_order(const struct figures *f)
{
	printf("Free, by the largest run in its block:");
	for (unsigned o = 0; o <= BLOCK_ORDER; o++)
		if (f->free_by_order[o] > 0)
			printf(" %" PRIu64 "kB:%" PRIu64 "kB", kb(UINT64_C(1) << o),
			       kb(f->free_by_order[o]));
	printf("\n");
}

static void print_owners(const struct figures *f)
{
	for (unsigned o = OWNER_FREE; o < OWNER_COUNT; o++)
		printf("  %-12s %12" PRIu64 " kB %10" PRIu64 " frames\n", owner_name((enum owner)o),
		       kb(f->owned[o]), f->owned[o]);
}

void show_mem(void)
{
	struct figures f;

	gather(&f);
	printf("MemTotal:     %12" PRIu64 " kB\n", kb(f.account.total));
	printf("MemFree:      %12" PRIu64 " kB\n", kb(f.account.free));
	printf("MemAvailable: %12" PRIu64 " kB\n", kb(f.account.available));
	printf("Balloon InflatedTotal:%" PRIu64 "kB InflatedFree:%" PRIu64 "kB\n",
	       kb(f.account.inflated_total), kb(f.account.inflated_free));
	if (f.balloon.present)
		printf("Balloon target:%" PRIu64 "kB actual:%" PRIu64 "kB shortfall:%" PRIu64
		       "kB floor:%" PRIu64 "kB\n",
		       kb(f.balloon.target), kb(f.balloon.actual), kb(f.balloon.shortfall),
		       kb(f.balloon.floor));
	print_free_by_order(&f);
	printf("Owners:\n");
	print_owners(&f);
	printf("Ledger: %s\n", f.verdict);
}

static void print_json_balloon(const struct balloon_status *b)
{
	if (!b->present) {
		printf("\"balloon\":null,");
		return;
	}
	printf("\"balloon\":{\"target\":%" PRIu64 ",\"actual\":%" PRIu64 ",\"shortfall\":%" PRIu64
	       ",\"floor\":%" PRIu64 "},",
	       pfn_to_paddr(b->target), pfn_to_paddr(b->actual), pfn_to_paddr(b->shortfall),
	       pfn_to_paddr(b->floor));
}

/* The last report that the host was sent: what QMP's guest-stats shows. */
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

static void print_json_owners(const struct figures *f)
{
	printf("\"owners\":{");
	for (unsigned o = OWNER_FREE; o < OWNER_COUNT; o++)
		printf("%s\"%s\":%" PRIu64, o > OWNER_FREE ? "," : "", owner_name((enum owner)o),
		       pfn_to_paddr(f->owned[o]));
	printf("},");
}

void show_mem_json(void)
{
	struct figures f;

	gather(&f);
	printf("{\"ram\":%" PRIu64 ",\"stat-total-memory\":%" PRIu64
	       ",\"stat-free-memory\":%" PRIu64 ",\"stat-available-memory\":%" PRIu64
	       ",\"inflated-total\":%" PRIu64 ",\"inflated-free\":%" PRIu64 ",",
	       pfn_to_paddr(f.account.ram), pfn_to_paddr(f.account.total),
	       pfn_to_paddr(f.account.free), pfn_to_paddr(f.account.available),
	       pfn_to_paddr(f.account.inflated_total), pfn_to_paddr(f.account.inflated_free));
	print_json_balloon(&f.balloon);
	print_json_stats();
	print_json_owners(&f);
	/* The text of a verdict has no quotes: owners' names and numbers. */
	printf("\"ledger\":\"%s\"}\n", f.ledger_ok ? "ok" : f.verdict);
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
	struct figures f;

	(void)argv;
	if (argc > 1)
		return -EINVAL;
	gather(&f);
	print_owners(&f);
	return 0;
}
COMMAND("owners", "", "who has how many frames", NULL, cmd_owners);

static int cmd_audit(int argc, char **argv)
{
	char verdict[LEDGER_VERDICT_MAX];
	bool ok;

	(void)argv;
	if (argc > 1)
		return -EINVAL;
	ok = ledger_audit(verdict);
	if (ledger_refused() > 0)
		printf("Refused: %" PRIu64 " changes that named a wrong owner\n", ledger_refused());
	printf("Ledger: %s\n", verdict);
	return ok ? 0 : -EIO;
}
COMMAND("audit", "", "count every frame anew and compare with the books", NULL, cmd_audit);
