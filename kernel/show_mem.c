/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The figures of show_mem, gathered once (mem_figures.c prints them), and the
 * commands that show the ledger.
 */
#include "kernel/show_mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_cmd.h"
#include "drivers/mem/dimm.h"
#include "drivers/mem/mem_source.h"
#include "kernel/lib/command.h"
#include "kernel/mem_figures.h"
#include "kernel/vm/vm.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "mm/memory.h"
#include "mm/vm_events.h"

/* What cannot be used: in slots, or of the firmware's map (too many ranges, or addresses). */
static uint64_t unused_bytes(void)
{
	uint64_t slots = dimm_unused(), left_out = pfn_to_paddr(memory_map()->dropped);

	return slots <= UINT64_MAX - left_out ? slots + left_out : UINT64_MAX;
}

static void gather_balloons(struct mem_figures *f)
{
	struct balloon_status status;

	f->balloon_count = 0;
	for (size_t i = 0; i < BALLOONS; i++) {
		struct mem_balloon *balloon = &f->balloon[f->balloon_count];

		if (!balloon_status_of(i, &status))
			continue;
		snprintf(balloon->name, sizeof(balloon->name), "%s", status.name);
		balloon->target = status.target;
		balloon->actual = status.actual;
		balloon->shortfall = status.shortfall;
		f->balloon_count++;
	}
}
_Static_assert(BALLOONS <= BALLOON_DUMP_BALLOONS, "balloons in struct mem_figures");

static void gather_paging(struct mem_figures *f)
{
	struct vm_figures vm;

	vm_figures(&vm);
	f->has_paging = vm.active;
	f->cached = vm_events.cached;
	f->dirty = vm_events.dirty;
	f->anonymous = vm_events.anonymous;
	f->swap_total = vm_events.swap_total;
	f->swap_free = vm_events.swap_total - vm_events.swapped;
}

static void gather(struct mem_figures *f)
{
	struct balloon_status balloon;

	f->version = AEROSTAT_VERSION;
	balloon_status(&balloon);
	balloon_account(&f->account);
	f->has_balloon = balloon.present;
	f->target = balloon.target;
	f->actual = balloon.actual;
	f->shortfall = balloon.shortfall;
	f->floor = balloon.floor;
	gather_balloons(f);
	f->owner_count = 0;
	for (unsigned o = OWNER_FREE; o < OWNER_COUNT; o++) {
		if (owner_is_second((enum owner)o) && ledger_count((enum owner)o) == 0)
			continue;
		f->owner[f->owner_count].name = owner_name((enum owner)o);
		f->owner[f->owner_count++].frames = ledger_count((enum owner)o);
	}
	for (unsigned o = 0; o <= BLOCK_ORDER; o++)
		f->free_by_order[o] = frame_free_by_order(o);
	f->ledger_ok = ledger_check(f->verdict);
	f->has_unused = true;
	f->unused_bytes = unused_bytes();
	f->has_regions = false;
	gather_paging(f);
}
_Static_assert(OWNER_COUNT <= MEM_OWNERS_MAX, "owners in struct mem_figures");

/* What is no counter, but looked up in the frame map: for tasks. */
static void gather_in_task(struct mem_figures *f)
{
	gather(f);
	f->has_regions = mem_removable(&f->removable);
}

/* Prints it all; returns whether the ledger adds up. */
static bool show_figures(void)
{
	struct mem_figures f;

	gather_in_task(&f);
	mem_figures_print(&f);
	return f.ledger_ok;
}

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

static void print_json_stats(void)
{
	printf("\"stats\":");
	balloon_stats_print_json();
	printf(",");
}

static bool show_figures_json(void)
{
	struct mem_figures f;

	gather_in_task(&f);
	mem_figures_print_json(&f, print_json_stats);
	return f.ledger_ok;
}

static int cmd_show_mem(int argc, char **argv)
{
	if (argc == 1)
		return show_figures() ? 0 : -EIO;
	if (argc == 2 && strcmp(argv[1], "-j") == 0)
		return show_figures_json() ? 0 : -EIO;
	return -EINVAL;
}
COMMAND("show_mem", "[-j]", "where the memory is, and whether the ledger adds up",
	"With -j: one line of JSON, all in bytes; `stats` is the last report to the host.\n"
	"Break + m prints the text at any time.\n"
	"InflatedTotal: ballooned memory that is the host's (DEFLATE_ON_OOM was not\n"
	"negotiated). InflatedFree: ballooned memory that comes back in need (it was).\n"
	"With a disk for swap or the cache: Cached, pages of the cache, of which Dirty\n"
	"ones differ from the disk; Anon, memory of workloads; SwapTotal, SwapFree.\n"
	"MemUnused, if any: memory that is there, as in slots, and that is left alone.\n"
	"MemRemovable, where memory came that can leave (lsmem): what nobody uses of it,\n"
	"and could leave now, as far as the floor of free memory allows.",
	cmd_show_mem);

static int cmd_owners(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "-j") == 0;
	struct mem_figures f;

	if (argc > 2 || (argc == 2 && !json))
		return -EINVAL;
	gather(&f);
	if (json) {
		printf("{");
		mem_figures_print_owners_json(&f);
		printf("}\n");
		return 0;
	}
	mem_figures_print_owners(&f);
	return 0;
}
COMMAND("owners", "[-j]", "who has how many frames", "With -j: one line of JSON, in bytes.",
	cmd_owners);
