/* SPDX-License-Identifier: BSD-2-Clause */
/* The figures of show_mem in two forms: see mem_figures.h. */
#include "kernel/mem_figures.h"

#include <inttypes.h>
#include <stdio.h>

#include "kernel/lib/wrap.h"

static uint64_t kb(uint64_t frames)
{
	return frames * FRAME_KIB;
}

/* What each of several has; of one, the line before says it. */
static void print_each_balloon(const struct mem_figures *f)
{
	for (unsigned i = 0; f->balloon_count > 1 && i < f->balloon_count; i++) {
		const struct mem_balloon *balloon = &f->balloon[i];

		printf("  of %s's target:%" PRIu64 "kB actual:%" PRIu64 "kB shortfall:%" PRIu64
		       "kB\n",
		       balloon->name, kb(balloon->target), kb(balloon->actual),
		       kb(balloon->shortfall));
	}
}

static void print_balloon(const struct mem_figures *f)
{
	struct wrap line;

	wrap_begin(&line, 8);
	wrap_word(&line, "Balloon target:%" PRIu64 "kB", kb(f->target));
	wrap_word(&line, "actual:%" PRIu64 "kB", kb(f->actual));
	wrap_word(&line, "shortfall:%" PRIu64 "kB", kb(f->shortfall));
	wrap_word(&line, "floor:%" PRIu64 "kB", kb(f->floor));
	wrap_end(&line);
	print_each_balloon(f);
}

static void print_free_by_order(const struct mem_figures *f)
{
	struct wrap line;

	wrap_begin(&line, 2);
	wrap_text(&line, "Free, by the largest run in its block:");
	for (unsigned o = 0; o <= BLOCK_ORDER; o++)
		if (f->free_by_order[o] > 0)
			wrap_word(&line, "%" PRIu64 "kB:%" PRIu64 "kB", kb(UINT64_C(1) << o),
				  kb(f->free_by_order[o]));
	wrap_end(&line);
}

void mem_figures_print_owners(const struct mem_figures *f)
{
	for (unsigned o = 0; o < f->owner_count; o++)
		printf("  %-12s %12" PRIu64 " kB %10" PRIu64 " frames\n", f->owner[o].name,
		       kb(f->owner[o].frames), f->owner[o].frames);
}

static void print_paging(const struct mem_figures *f)
{
	printf("Cached:       %12" PRIu64 " kB\n", kb(f->cached));
	printf("Dirty:        %12" PRIu64 " kB\n", kb(f->dirty));
	printf("Anon:         %12" PRIu64 " kB\n", kb(f->anonymous));
	printf("SwapTotal:    %12" PRIu64 " kB\n", kb(f->swap_total));
	printf("SwapFree:     %12" PRIu64 " kB\n", kb(f->swap_free));
}

void mem_figures_print(const struct mem_figures *f)
{
	printf("MemTotal:     %12" PRIu64 " kB\n", kb(f->account.total));
	printf("MemFree:      %12" PRIu64 " kB\n", kb(f->account.free));
	printf("MemAvailable: %12" PRIu64 " kB\n", kb(f->account.available));
	if (f->has_unused && f->unused_bytes > 0)
		printf("MemUnused:    %12" PRIu64 " kB\n", f->unused_bytes / KIB);
	if (f->has_regions)
		printf("MemRemovable: %12" PRIu64 " kB\n", kb(f->removable));
	if (f->has_paging)
		print_paging(f);
	printf("Balloon InflatedTotal:%" PRIu64 "kB InflatedFree:%" PRIu64 "kB\n",
	       kb(f->account.inflated_total), kb(f->account.inflated_free));
	if (f->has_balloon)
		print_balloon(f);
	print_free_by_order(f);
	printf("Owners:\n");
	mem_figures_print_owners(f);
	printf("Ledger: %s\n", f->verdict);
}

static void print_json_each_balloon(const struct mem_figures *f)
{
	if (f->balloon_count <= 1)
		return;
	printf("\"balloons\":[");
	for (unsigned i = 0; i < f->balloon_count; i++) {
		const struct mem_balloon *balloon = &f->balloon[i];

		printf("%s{\"port\":\"%s\",\"target\":%" PRIu64 ",\"actual\":%" PRIu64
		       ",\"shortfall\":%" PRIu64 "}",
		       i > 0 ? "," : "", balloon->name, pfn_to_paddr(balloon->target),
		       pfn_to_paddr(balloon->actual), pfn_to_paddr(balloon->shortfall));
	}
	printf("],");
}

static void print_json_balloon(const struct mem_figures *f)
{
	if (!f->has_balloon) {
		printf("\"balloon\":null,");
		return;
	}
	printf("\"balloon\":{\"target\":%" PRIu64 ",\"actual\":%" PRIu64 ",\"shortfall\":%" PRIu64
	       ",\"floor\":%" PRIu64 "},",
	       pfn_to_paddr(f->target), pfn_to_paddr(f->actual), pfn_to_paddr(f->shortfall),
	       pfn_to_paddr(f->floor));
}

void mem_figures_print_owners_json(const struct mem_figures *f)
{
	printf("\"owners\":{");
	for (unsigned o = 0; o < f->owner_count; o++)
		printf("%s\"%s\":%" PRIu64, o > 0 ? "," : "", f->owner[o].name,
		       pfn_to_paddr(f->owner[o].frames));
	printf("}");
}

void mem_figures_print_json(const struct mem_figures *f, void (*more)(void))
{
	printf("{\"version\":\"%s\"", f->version);
	printf(",\"ram\":%" PRIu64 ",\"stat-total-memory\":%" PRIu64
	       ",\"stat-free-memory\":%" PRIu64 ",\"stat-available-memory\":%" PRIu64
	       ",\"inflated-total\":%" PRIu64 ",\"inflated-free\":%" PRIu64 ",",
	       pfn_to_paddr(f->account.ram), pfn_to_paddr(f->account.total),
	       pfn_to_paddr(f->account.free), pfn_to_paddr(f->account.available),
	       pfn_to_paddr(f->account.inflated_total), pfn_to_paddr(f->account.inflated_free));
	if (f->has_unused)
		printf("\"unused_bytes\":%" PRIu64 ",", f->unused_bytes);
	if (f->has_regions)
		printf("\"removable\":%" PRIu64 ",", pfn_to_paddr(f->removable));
	if (f->has_paging)
		printf("\"cached\":%" PRIu64 ",\"dirty\":%" PRIu64 ",\"anonymous\":%" PRIu64
		       ",\"swap_total\":%" PRIu64 ",\"swap_free\":%" PRIu64 ",",
		       pfn_to_paddr(f->cached), pfn_to_paddr(f->dirty), pfn_to_paddr(f->anonymous),
		       pfn_to_paddr(f->swap_total), pfn_to_paddr(f->swap_free));
	print_json_balloon(f);
	print_json_each_balloon(f);
	if (more)
		more();
	mem_figures_print_owners_json(f);
	/* The text of a verdict has no quotes: owners' names and numbers. */
	printf(",\"ledger\":\"%s\"}\n", f->ledger_ok ? "ok" : f->verdict);
}
