/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console benchmark: how long the console takes to answer while the guest inflates,
 * deflates, reports, hints, audits, holds; in small and large guests, on each kind of
 * memory; and how much longer that is, at most, than in an idle guest of the same run.
 *
 *	console [-M MEM,...] [-b BACKING,...] [-p SIZE] [-t SECONDS] [-m q35|pc] [--json]
 *		AEROSTAT.elf
 *
 * -p is how much of RAM is there before the guest starts; -t how long a work is watched.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "tests/bench/circumstances.h"
#include "tests/bench/console_measure.h"

#define PLACES_MAX 32
#define GOAL_MS 50.0

static struct console_place places[PLACES_MAX];
static size_t place_count;
static bool without_huge_pages;

static void usage(void)
{
	fprintf(stderr, "usage: console [-M MEM,...] [-b anonymous,shared,hugetlb] [-p SIZE] "
			"[-t SECONDS] [-m q35|pc] [--json] AEROSTAT.elf\n");
	exit(2);
}

/* ---- What is to be measured ---- */

static uint64_t parse_size(const char *text)
{
	static const char units[] = "MGT";
	char *end;
	double number = strtod(text, &end);
	const char *unit = *end ? strchr(units, *end) : NULL;

	if (!(number > 0) || !unit || end[1] != '\0') {
		fprintf(stderr, "console: '%s' is no size; write 8G or 1T\n", text);
		exit(2);
	}
	for (; unit >= units; unit--)
		number *= 1024;
	return (uint64_t)number * 1024;
}

static enum console_backing parse_backing(const char *text)
{
	for (enum console_backing b = 0; b < CONSOLE_BACKINGS; b++)
		if (strcmp(text, console_backing_key(b)) == 0)
			return b;
	usage();
	return 0;
}

static void add_place(const char *memory, enum console_backing backing)
{
	struct console_place *place = &places[place_count];
	uint64_t bytes = parse_size(memory);

	if (place_count == PLACES_MAX || strlen(memory) >= sizeof(place->memory) ||
	    bytes <= console_options.populated) {
		fprintf(stderr, "console: -M %s: too long a list, or not more than -p\n", memory);
		exit(2);
	}
	strcpy(place->memory, memory);
	place->bytes = bytes;
	place->backing = backing;
	place_count++;
}

/*
 * Of 2 MiB pages. What the guest gave away and uses again may be other pages: with few more
 * than are populated QEMU ended by SIGBUS.
 */
static uint64_t huge_bytes(void)
{
	return 2 * console_options.populated + (UINT64_C(128) << 20);
}

/* Every size with every backing. Hugetlb only if there are pages. */
static void add_places(char *sizes, char *kinds)
{
	char *save_size = NULL, *save_kind, copy[256];

	for (char *size = strtok_r(sizes, ",", &save_size); size;
	     size = strtok_r(NULL, ",", &save_size)) {
		snprintf(copy, sizeof(copy), "%s", kinds);
		save_kind = NULL;
		for (char *kind = strtok_r(copy, ",", &save_kind); kind;
		     kind = strtok_r(NULL, ",", &save_kind)) {
			enum console_backing backing = parse_backing(kind);

			if (backing == HUGETLB && console_huge_pages_free() < huge_bytes())
				without_huge_pages = true;
			else
				add_place(size, backing);
		}
	}
}

/* ---- What came of it ---- */

static double max_above_idle(const struct console_place *p, enum console_work work,
			     enum console_probe probe)
{
	return samples_quantile(&p->ms[work][probe], 1) - samples_quantile(&p->ms[IDLE][probe], 1);
}

static void print_row(const struct console_place *p, enum console_work work,
		      enum console_probe probe)
{
	const struct samples *s = &p->ms[work][probe];
	double above = max_above_idle(p, work, probe);

	printf("| %s | %s | %s | %s | %zu | %.1f | %.1f | %.1f | %.1f |", p->memory,
	       console_backing_key(p->backing), console_work_key(work), console_probe_key(probe),
	       s->count, samples_quantile(s, 0.5), samples_quantile(s, 0.99),
	       samples_quantile(s, 1), samples_quantile(&p->processor_ms[work][probe], 1));
	if (work == IDLE)
		printf(" | |\n");
	else
		printf(" %+.1f | %s |\n", above, above <= GOAL_MS ? "met" : "missed");
}

static void print_huge_pages(void)
{
	if (without_huge_pages)
		printf("\nhugetlb was left out: it needs %llu free huge pages (sysctl "
		       "vm.nr_hugepages).\n",
		       (unsigned long long)(huge_bytes() >> 21));
}

static void print_text(const struct circumstances *c)
{
	printf("%s; %s, TCG; %s; `%s`\n\n", c->host, console_options.machine, c->date, c->command);
	printf("| RAM | backing | the guest | asked | times | p50, ms | p99 | max | "
	       "processor max | above idle's | |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < place_count; i++)
		for (enum console_work w = 0; w < CONSOLE_WORKS; w++)
			for (enum console_probe p = 0; p < CONSOLE_PROBES; p++)
				if (places[i].ms[w][p].count > 0)
					print_row(&places[i], w, p);
	printf("\nGoal: no answer more than %.0f ms later than the latest of the idle guest. "
	       "Processor: what all of QEMU's threads had of it during one answer; where that is "
	       "much less than the latest answer, others had the machine.\n",
	       GOAL_MS);
	print_huge_pages();
}

static struct json_object *row_object(const struct console_place *place, enum console_work work,
				      enum console_probe probe)
{
	const struct samples *s = &place->ms[work][probe];
	struct json_object *row = json_object_new_object(), *values = json_object_new_array();

	json_object_object_add(row, "memory", json_object_new_string(place->memory));
	json_object_object_add(row, "backing",
			       json_object_new_string(console_backing_key(place->backing)));
	json_object_object_add(row, "work", json_object_new_string(console_work_key(work)));
	json_object_object_add(row, "probe", json_object_new_string(console_probe_key(probe)));
	json_object_object_add(row, "p50-ms", json_object_new_double(samples_quantile(s, 0.5)));
	json_object_object_add(row, "p99-ms", json_object_new_double(samples_quantile(s, 0.99)));
	json_object_object_add(row, "max-ms", json_object_new_double(samples_quantile(s, 1)));
	json_object_object_add(
		row, "max-above-idle-ms",
		work == IDLE ? NULL : json_object_new_double(max_above_idle(place, work, probe)));
	json_object_object_add(
		row, "processor-max-ms",
		json_object_new_double(samples_quantile(&place->processor_ms[work][probe], 1)));
	for (size_t i = 0; i < s->count; i++)
		json_object_array_add(values, json_object_new_double(s->values[i]));
	json_object_object_add(row, "samples-ms", values);
	return row;
}

static void print_json(const struct circumstances *c)
{
	struct json_object *all = json_object_new_object(), *rows = json_object_new_array();

	json_object_object_add(all, "host", json_object_new_string(c->host));
	json_object_object_add(all, "date", json_object_new_string(c->date));
	json_object_object_add(all, "command", json_object_new_string(c->command));
	json_object_object_add(all, "machine", json_object_new_string(console_options.machine));
	json_object_object_add(all, "goal-ms", json_object_new_double(GOAL_MS));
	json_object_object_add(all, "hugetlb-left-out",
			       json_object_new_boolean(without_huge_pages));
	for (size_t i = 0; i < place_count; i++)
		for (enum console_work w = 0; w < CONSOLE_WORKS; w++)
			for (enum console_probe p = 0; p < CONSOLE_PROBES; p++)
				if (places[i].ms[w][p].count > 0)
					json_object_array_add(rows, row_object(&places[i], w, p));
	json_object_object_add(all, "rows", rows);
	printf("%s\n", json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY));
	json_object_put(all);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { 0 } };
	char all_sizes[] = "8G,64G,1T", all_kinds[] = "anonymous,shared,hugetlb";
	char *sizes = all_sizes, *kinds = all_kinds;
	struct circumstances circumstances;
	bool json = false;
	int option;

	/* First: reading the options takes them to pieces. */
	circumstances_note(&circumstances, argc, argv);
	while ((option = getopt_long(argc, argv, "M:b:p:t:m:", options, NULL)) != -1) {
		if (option == 'M')
			sizes = optarg;
		else if (option == 'b')
			kinds = optarg;
		else if (option == 'p')
			console_options.populated = parse_size(optarg);
		else if (option == 't')
			console_options.seconds = atof(optarg);
		else if (option == 'm')
			console_options.machine = optarg;
		else if (option == 'j')
			json = true;
		else
			usage();
	}
	if (argc - optind != 1 || !(console_options.seconds > 0))
		usage();
	console_options.aerostat = argv[optind];
	if (getenv("QEMU") && *getenv("QEMU"))
		console_options.qemu = getenv("QEMU");
	add_places(sizes, kinds);
	for (size_t i = 0; i < place_count; i++) {
		fprintf(stderr, "%s, %s\n", places[i].memory,
			console_backing_key(places[i].backing));
		console_measure(&places[i]);
	}
	if (json)
		print_json(&circumstances);
	else
		print_text(&circumstances);
	return 0;
}
