/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lsmem: which memory is there since the boot, and which comes and goes. Sizes are exact,
 * as those of lspci are: "2M", "1026M", "8G".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drivers/mem/mem_source.h"
#include "kernel/lib/command.h"
#include "kernel/lib/json.h"
#include "kernel/lib/parse.h"
#include "kernel/lib/wrap.h"
#include "mm/memory.h"

static const char *size_text(uint64_t frames, char text[FORMAT_SIZE_MAX])
{
	return format_size_exact(frames * FRAME_SIZE, "", text);
}

static uint64_t removable(const struct mem_source *source)
{
	return source->stays ? 0 : frame_region_removable(&source->part) * BLOCK_FRAMES;
}

/* ---- Text ---- */

/* Addresses have as many digits as the highest one needs. */
static int count_digits(void)
{
	const struct memmap *map = memory_map();
	paddr_t last = map->count > 0 ? pfn_to_paddr(map->range[map->count - 1].end) - 1 : 0;
	int digits = 8;

	for (const struct mem_source *source = mem_sources(); source; source = source->next)
		last = max_u64(last, pfn_to_paddr(frame_region_part_end(&source->part)) - 1);
	while (digits < 16 && last >> (4 * digits) > 0)
		digits++;
	return digits;
}

/* A line of the table; what there is no sense in is "-". */
static void print_line(const char *start, int digits, const char *size, const char *source,
		       const char *const columns[4])
{
	printf("%-*s %8s %-23s %5s %9s %8s %9s\n", digits, start, size, source, columns[0],
	       columns[1], columns[2], columns[3]);
}

static const char *start_text(pfn_t pfn, int digits, char text[FORMAT_SIZE_MAX])
{
	snprintf(text, FORMAT_SIZE_MAX, "%0*" PRIx64, digits, pfn_to_paddr(pfn));
	return text;
}

static void print_boot(int digits)
{
	static const char *const nothing[] = { "-", "-", "-", "-" };
	const struct memmap *map = memory_map();
	char start[FORMAT_SIZE_MAX], size[FORMAT_SIZE_MAX];

	for (size_t i = 0; i < map->count; i++)
		print_line(start_text(map->range[i].start, digits, start), digits,
			   size_text(map->range[i].end - map->range[i].start, size), "boot",
			   nothing);
}

static void print_trouble(const char *trouble)
{
	struct wrap line;

	wrap_begin(&line, 8);
	wrap_word(&line, "       ");
	wrap_text(&line, trouble);
	wrap_end(&line);
}

static void print_source(const struct mem_source *source, int digits)
{
	char name[FORMAT_SIZE_MAX + sizeof(source->name)], start[FORMAT_SIZE_MAX],
		size[FORMAT_SIZE_MAX];
	char unit[FORMAT_SIZE_MAX], requested[FORMAT_SIZE_MAX], plugged[FORMAT_SIZE_MAX],
		free[FORMAT_SIZE_MAX];
	const char *const columns[] = {
		size_text(source->part.unit * BLOCK_FRAMES, unit),
		size_text(source->requested, requested),
		size_text(source->plugged, plugged),
		size_text(removable(source), free),
	};

	snprintf(name, sizeof(name), "%s %s", source->kind, source->name);
	print_line(start_text(source->part.start, digits, start), digits,
		   size_text(source->part.blocks * BLOCK_FRAMES, size), name, columns);
	if (source->trouble)
		print_trouble(source->trouble);
}

static void print_table(void)
{
	static const char *const heads[] = { "UNIT", "REQUESTED", "PLUGGED", "REMOVABLE" };
	int digits = count_digits();

	print_line("START", digits, "SIZE", "SOURCE", heads);
	print_boot(digits);
	for (const struct mem_source *source = mem_sources(); source; source = source->next)
		print_source(source, digits);
}

/* ---- -j ---- */

static void print_boot_json(void)
{
	const struct memmap *map = memory_map();

	printf("{\"boot\":{\"size\":%" PRIu64 ",\"ranges\":[", pfn_to_paddr(map->frames));
	for (size_t i = 0; i < map->count; i++)
		printf("%s{\"start\":%" PRIu64 ",\"size\":%" PRIu64 "}", i > 0 ? "," : "",
		       pfn_to_paddr(map->range[i].start),
		       pfn_to_paddr(map->range[i].end - map->range[i].start));
	printf("]}");
}

static void print_source_json(const struct mem_source *source)
{
	printf("{\"kind\":");
	json_print_string(source->kind);
	printf(",\"name\":");
	json_print_string(source->name);
	printf(",\"start\":%" PRIu64 ",\"size\":%" PRIu64 ",\"unit\":%" PRIu64
	       ",\"requested\":%" PRIu64 ",\"plugged\":%" PRIu64 ",\"removable\":%" PRIu64
	       ",\"trouble\":",
	       pfn_to_paddr(source->part.start), pfn_to_paddr(source->part.blocks * BLOCK_FRAMES),
	       pfn_to_paddr(source->part.unit * BLOCK_FRAMES), pfn_to_paddr(source->requested),
	       pfn_to_paddr(source->plugged), pfn_to_paddr(removable(source)));
	json_print_string(source->trouble);
	printf("}");
}

static void print_json(void)
{
	print_boot_json();
	printf(",\"sources\":[");
	for (const struct mem_source *source = mem_sources(); source; source = source->next) {
		print_source_json(source);
		if (source->next)
			printf(",");
	}
	printf("]}\n");
}

static int cmd_lsmem(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "-j") == 0;

	if (argc > 2 || (argc == 2 && !json))
		return -EINVAL;
	if (json)
		print_json();
	else
		print_table();
	return 0;
}
COMMAND("lsmem", "[-j]", "memory of the boot, and memory that comes and goes",
	"A virtio-mem device, a slot with a DIMM, or a range that Hyper-V adds to is a\n"
	"source: where it may have memory, how much of that comes and goes together\n"
	"(UNIT), how much the host wants there to be, how much is there, and how much of\n"
	"it is free in whole units and so could leave now, as far as the floor of free\n"
	"memory allows: nothing of what Hyper-V has added. A line below says what is in\n"
	"the way, if something is.\n"
	"With -j: one line of JSON, all in bytes.",
	cmd_lsmem);
