/* SPDX-License-Identifier: BSD-2-Clause */
/* pressure: what this guest's memory suffers from, since when, and how much. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drivers/balloon/port/virtio_balloon_names.h"
#include "kernel/lib/command.h"
#include "kernel/pressure.h"

/* ---- For people ---- */

/* So many a second, with one digit after the point. */
static void print_rate(const struct pressure *p, const char *what, enum reading_value which)
{
	uint64_t tenths = p->moved.value[which] * 10000 / p->over_ms;

	printf("%s %" PRIu64 ".%" PRIu64, what, tenths / 10, tenths % 10);
}

/* Memory a second, in kB. */
static void print_flow(const struct pressure *p, const char *what, enum reading_value which)
{
	printf("%s %" PRIu64 " kB", what, p->moved.value[which] / KIB * 1000 / p->over_ms);
}

static void print_line(const char *name, const struct psi_figures *figures)
{
	printf("  %-8s", name);
	for (unsigned w = 0; w < PSI_WINDOWS; w++)
		printf(" %4u.%02u %%", figures->average[w] / 100, figures->average[w] % 100);
	printf(" %8" PRIu64 ".%06" PRIu64 " s\n", figures->total_us / 1000000,
	       figures->total_us % 1000000);
}

static void print_rates(const struct pressure *p)
{
	printf("Each second of the last %" PRIu64 ".%" PRIu64 " s:\n", p->over_ms / 1000,
	       p->over_ms % 1000 / 100);
	print_rate(p, "  stalls", READING_STALLS);
	print_rate(p, "\n    at a limit", READING_LIMIT_STALLS);
	print_rate(p, ", for the balloon", READING_BALLOON_STALLS);
	print_rate(p, ", for a slow disk", READING_DISK_STALLS);
	print_flow(p, "\n  scanned", READING_ASYNC_SCANS);
	print_flow(p, " in the background,", READING_DIRECT_SCANS);
	print_flow(p, " by tasks\n  reclaimed", READING_ASYNC_RECLAIMS);
	print_flow(p, " in the background,", READING_DIRECT_RECLAIMS);
	print_flow(p, " by tasks\n  back again", READING_REFAULTS);
	print_flow(p, "; swapped in", READING_SWAP_IN);
	print_flow(p, ", out", READING_SWAP_OUT);
	print_rate(p, "; major faults", READING_MAJOR_FAULTS);
	printf("\nKilled for want of memory: %" PRIu64 " tasks\n", p->oom_kills);
}

static void print(const struct pressure *p)
{
	printf("Situation: %s (%s), for %" PRIu64 ".%" PRIu64 " s\n",
	       situation_words(&p->situation), sureness_word(p->situation.sureness),
	       p->for_ms / 1000, p->for_ms % 1000 / 100);
	printf("Waited for memory:\n"
	       "  of the last   10 s      60 s     300 s             total\n");
	print_line("some", &p->some);
	print_line("full", &p->full);
	print_rates(p);
}

/* ---- For programs ---- */

static void print_json_line(const char *name, const struct psi_figures *figures)
{
	static const char *const windows[PSI_WINDOWS] = { "avg10", "avg60", "avg300" };

	printf(",\"%s\":{", name);
	for (unsigned w = 0; w < PSI_WINDOWS; w++)
		printf("\"%s\":%u.%02u,", windows[w], figures->average[w] / 100,
		       figures->average[w] % 100);
	printf("\"total-us\":%" PRIu64 "}", figures->total_us);
}

/* Those that the host is told have its names. */
static const char *name_of(enum reading_value value)
{
	static const char *const stats[STAT_COUNT] = {
#define STAT_NAME(constant, tag, qmp, virsh, unit) [tag] = (qmp),
		VIRTIO_BALLOON_STATS(STAT_NAME)
#undef STAT_NAME
	};
	static const char *const own[READING_VALUES] = {
		[READING_REFAULTS] = "refaults",
		[READING_LIMIT_STALLS] = "limit-stalls",
		[READING_BALLOON_STALLS] = "balloon-stalls",
		[READING_DISK_STALLS] = "disk-stalls",
	};
	static const unsigned tags[READING_VALUES] = {
#define READING_TAG(value, statistic) [value] = (statistic),
		READING_STATS(READING_TAG)
#undef READING_TAG
	};

	return own[value] ? own[value] : stats[tags[value]];
}

static void print_json(const struct pressure *p)
{
	printf("{\"situation\":\"%s\"", situation_word(p->situation.kind));
	if (p->situation.kind == SITUATION_STALLS)
		printf(",\"cause\":\"%s\"", stall_cause_word(p->situation.cause));
	printf(",\"sureness\":\"%s\",\"for-ms\":%" PRIu64, sureness_word(p->situation.sureness),
	       p->for_ms);
	print_json_line("some", &p->some);
	print_json_line("full", &p->full);
	printf(",\"over-ms\":%" PRIu64 ",\"moved\":{", p->over_ms);
	for (unsigned i = 0; i < READING_TOTAL; i++)
		printf("%s\"%s\":%" PRIu64, i > 0 ? "," : "", name_of(i), p->moved.value[i]);
	printf("},\"killed\":%" PRIu64 "}\n", p->oom_kills);
}

static int cmd_pressure(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "-j") == 0;
	struct pressure pressure;

	if (argc > 2 || (argc == 2 && !json))
		return -EINVAL;
	pressure_look(&pressure);
	if (json)
		print_json(&pressure);
	else
		print(&pressure);
	return 0;
}
COMMAND("pressure", "[-j]", "what the guest's memory suffers from",
	"The situation, by what was counted in the last seconds, and for how long it has\n"
	"been so: no pressure; background reclaim finds nothing; waits at a task's own\n"
	"limit, for the balloon, for a slow disk; memory pressure, where reclaim is\n"
	"effective, or struggles; thrashing; critical, when tasks were killed.\n"
	"Then the share of time in which some task waited for memory, and in which\n"
	"nobody did anything else, as Linux's /proc/pressure/memory counts it; and rates.\n"
	"With -j: one line of JSON, memory in bytes; `moved` is of the last over-ms.",
	cmd_pressure);
