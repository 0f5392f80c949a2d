/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame allocator beside a textbook buddy, on the host: what an operation
 * costs, what it costs with more RAM, how many whole blocks are left after
 * random work, and how large the metadata is. alloc_work.h says how each is
 * measured; here are the options and the table.
 *
 *	alloc [-n ROUNDS] [-b BURST] [-t TURNOVERS] [-g GIB]... [--json]
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/alloc_work.h"

#define SIZES_MAX 16

/* Bytes of Linux's struct page for each frame. */
#define LINUX_BYTES 64.0

struct size_results {
	size_t gib;
	double bytes[CONTENDERS]; /* of metadata, a frame */
	size_t count;
	struct result result[RESULTS_MAX];
};

static struct settings settings = { .rounds = 15, .burst = 1024, .turnovers = 12 };
static struct size_results sizes[SIZES_MAX];
static size_t size_count;

/* ---- The table ---- */

static const char *size_name(size_t gib)
{
	static char name[32];

	if (gib % 1024 == 0)
		snprintf(name, sizeof(name), "%zu TiB", gib / 1024);
	else
		snprintf(name, sizeof(name), "%zu GiB", gib);
	return name;
}

static void print_series(const struct series *s)
{
	char spread[32];

	snprintf(spread, sizeof(spread), "(%.1f-%.1f)", series_at(s, settings.rounds, 0.25),
		 series_at(s, settings.rounds, 0.75));
	printf(" %7.1f %-15s", series_at(s, settings.rounds, 0.5), spread);
}

static void print_times(const struct size_results *size)
{
	printf("\n%-30s %-23s %-23s %s\n", size_name(size->gib), contenders[0]->name,
	       contenders[1]->name, "buddy/Aerostat");
	for (size_t i = 0; i < size->count; i++) {
		const struct result *r = &size->result[i];

		printf("%-29s", r->work);
		for (int c = 0; c < CONTENDERS; c++)
			print_series(&r->series[c]);
		printf(" %8.2f\n", r->ratio);
	}
}

static void print_whole_blocks(void)
{
	printf("\nWhole blocks left after the random work\n");
	printf("%-9s %-22s %9s %9s %9s %15s\n", "RAM", "full", "at most", contenders[0]->name,
	       contenders[1]->name, "Aerostat/buddy");
	for (size_t s = 0; s < size_count; s++) {
		for (size_t i = 0; i < sizes[s].count; i++) {
			const struct result *r = &sizes[s].result[i];

			if (r->full < 0)
				continue;
			printf("%-9s %2d %%%-18s %9zu %9zu %9zu", size_name(r->gib), r->full,
			       r->was_short ? ", once 100 %" : "", (size_t)r->possible,
			       (size_t)r->whole[0], (size_t)r->whole[1]);
			if (r->whole[1] > 0)
				printf(" %15.1f\n", (double)r->whole[0] / (double)r->whole[1]);
			else
				printf(" %15s\n", r->whole[0] > 0 ? "all" : "-");
		}
	}
}

/* The median time at the largest size over that at the smallest. */
static void print_growth(void)
{
	const struct size_results *small = &sizes[0], *large = &sizes[size_count - 1];

	if (size_count < 2)
		return;
	printf("\nTime at %s over that", size_name(large->gib));
	printf(" at %-9s %9s %9s\n", size_name(small->gib), contenders[0]->name,
	       contenders[1]->name);
	for (size_t i = 0; i < small->count; i++) {
		printf("%-35s", small->result[i].work);
		for (int c = 0; c < CONTENDERS; c++)
			printf(" %9.2f",
			       series_at(&large->result[i].series[c], settings.rounds, 0.5) /
				       series_at(&small->result[i].series[c], settings.rounds,
						 0.5));
		printf("\n");
	}
}

static void print_metadata(void)
{
	printf("\nBytes of metadata a frame\n");
	for (size_t s = 0; s < size_count; s++)
		printf("%-9s Aerostat %.3f (Linux has %.0f: %.1f times as much), buddy %.3f "
		       "beside what lies in free frames\n",
		       size_name(sizes[s].gib), sizes[s].bytes[0], LINUX_BYTES,
		       LINUX_BYTES / sizes[s].bytes[0], sizes[s].bytes[1]);
}

static void print_table(void)
{
	printf("Processor time of an operation in ns: median (quartiles) of %d rounds in turn\n"
	       "Random work: bursts of %zu frees and %zu allocations, each frame freed %u times\n",
	       settings.rounds, settings.burst, settings.burst, settings.turnovers);
	for (size_t s = 0; s < size_count; s++)
		print_times(&sizes[s]);
	print_whole_blocks();
	print_growth();
	print_metadata();
}

/* ---- JSON ---- */

static void print_json_result(const struct result *r)
{
	printf("{\"work\":\"%s\"", r->work);
	for (int c = 0; c < CONTENDERS; c++)
		printf(",\"%s\":{\"ns\":%.2f,\"q1\":%.2f,\"q3\":%.2f}", contenders[c]->name,
		       series_at(&r->series[c], settings.rounds, 0.5),
		       series_at(&r->series[c], settings.rounds, 0.25),
		       series_at(&r->series[c], settings.rounds, 0.75));
	printf(",\"ratio\":%.3f", r->ratio);
	if (r->full >= 0)
		printf(",\"full\":%d,\"once-100\":%s,\"whole-blocks\":{\"%s\":%zu,\"%s\":%zu,"
		       "\"possible\":%zu}",
		       r->full, r->was_short ? "true" : "false", contenders[0]->name,
		       (size_t)r->whole[0], contenders[1]->name, (size_t)r->whole[1],
		       (size_t)r->possible);
	printf("}");
}

static void print_json(void)
{
	printf("{\"rounds\":%d,\"burst\":%zu,\"turnovers\":%u,\"sizes\":[", settings.rounds,
	       settings.burst, settings.turnovers);
	for (size_t s = 0; s < size_count; s++) {
		printf("%s{\"gib\":%zu,\"metadata-bytes-per-frame\":{\"%s\":%.4f,\"%s\":%.4f},"
		       "\"results\":[",
		       s > 0 ? "," : "", sizes[s].gib, contenders[0]->name, sizes[s].bytes[0],
		       contenders[1]->name, sizes[s].bytes[1]);
		for (size_t i = 0; i < sizes[s].count; i++) {
			printf("%s", i > 0 ? "," : "");
			print_json_result(&sizes[s].result[i]);
		}
		printf("]}");
	}
	printf("]}\n");
}

/* ---- Options ---- */

static const char usage[] =
	"usage: alloc [-n ROUNDS] [-b BURST] [-t TURNOVERS] [-g GIB]... [--json]\n"
	"  -n, --rounds     how often each contender does each work, 1 to 101 (15)\n"
	"  -b, --burst      frames freed and then allocated at a time, 1 to 2048 (1024)\n"
	"  -t, --turnovers  how often each frame is freed in random work, 1 to 1000 (12)\n"
	"  -g, --gib        a size of RAM, 1 to 16384 GiB; again for more (1, 16, 256, 1024)\n"
	"  -j, --json       one JSON object instead of the table\n";

static size_t parse_number(char option, const char *text, size_t max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n < 1 || n > max)
		die("-%c %s: must be a number from 1 to %zu", option, text, max);
	return n;
}

static void add_size(size_t gib)
{
	if (size_count == SIZES_MAX)
		die("more than %d sizes", SIZES_MAX);
	sizes[size_count++].gib = gib;
}

static bool parse_options(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'n' },
		{ "burst", required_argument, NULL, 'b' },
		{ "turnovers", required_argument, NULL, 't' },
		{ "gib", required_argument, NULL, 'g' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	bool json = false;
	int option;

	while ((option = getopt_long(argc, argv, "n:b:t:g:jh", options, NULL)) != -1) {
		switch (option) {
		case 'n':
			settings.rounds = (int)parse_number('n', optarg, ROUNDS_MAX);
			break;
		case 'b':
			settings.burst = parse_number('b', optarg, 2048);
			break;
		case 't':
			settings.turnovers = (unsigned)parse_number('t', optarg, 1000);
			break;
		case 'g':
			add_size(parse_number('g', optarg, 16384));
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (optind < argc)
		die("\"%s\": no such argument; see --help", argv[optind]);
	return json;
}

int main(int argc, char **argv)
{
	static const size_t usual[] = { 1, 16, 256, 1024 };
	bool json = parse_options(argc, argv);

	if (size_count == 0)
		for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
			add_size(usual[i]);
	for (size_t s = 0; s < size_count; s++)
		sizes[s].count = work_run(sizes[s].gib, &settings, sizes[s].result, sizes[s].bytes);
	if (json)
		print_json();
	else
		print_table();
	return 0;
}
