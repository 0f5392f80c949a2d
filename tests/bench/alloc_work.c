/* SPDX-License-Identifier: BSD-2-Clause */
/* The work that both allocators do: see alloc_work.h. */
#include "tests/bench/alloc_work.h"
#include "tests/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Operations in a round of orderly work: enough that reading the clock is nothing. */
#define ORDERLY_OPERATIONS 65536
#define BULK 256

const struct contender *const contenders[CONTENDERS] = { &contender_frame, &contender_buddy };

/* ---- Time ---- */

/* Processor time: what others do on the machine shows only in the caches. */
static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double series_at(const struct series *series, int rounds, double part)
{
	return series->ns[(int)(part * (rounds - 1) + 0.5)];
}

static void sort(struct series *series, int rounds)
{
	qsort(series->ns, (size_t)rounds, sizeof(series->ns[0]), compare);
}

/* Rounds are compared in pairs, as they ran: so what slows the machine slows both. */
static void finish(struct result *result, int rounds)
{
	struct series ratio;

	for (int i = 0; i < rounds; i++)
		ratio.ns[i] = result->series[1].ns[i] / result->series[0].ns[i];
	sort(&ratio, rounds);
	result->ratio = series_at(&ratio, rounds, 0.5);
	for (int c = 0; c < CONTENDERS; c++)
		sort(&result->series[c], rounds);
}

/* ---- What both sides do ---- */

static void alloc_all(const struct contender *c, unsigned order, pfn_t *pfns, size_t count)
{
	for (size_t i = 0; i < count; i++)
		pfns[i] = c->alloc(order);
}

static void free_all(const struct contender *c, unsigned order, const pfn_t *pfns, size_t count)
{
	for (size_t i = 0; i < count; i++)
		c->free(pfns[i], order);
}

static void check_all(const struct contender *c, const pfn_t *pfns, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (pfns[i] == PFN_NONE)
			die("%s ran out of memory", c->name);
}

/* Moves `count` random members to the end. */
static void choose(uint64_t *seed, pfn_t *pfns, size_t total, size_t count)
{
	for (size_t i = total; i-- > total - count;) {
		size_t other = (size_t)random_below(seed, i + 1);
		pfn_t pfn = pfns[i];

		pfns[i] = pfns[other];
		pfns[other] = pfn;
	}
}

/* ---- Orderly work: the window is filled from its start, and freed again ---- */

/* Nanoseconds an operation for allocating runs, and for freeing them in the same order. */
static void time_runs(const struct contender *c, unsigned order, double *alloc_ns, double *free_ns)
{
	static pfn_t pfns[ORDERLY_OPERATIONS];
	size_t fit = WINDOW_FRAMES >> order;
	size_t count = fit < ORDERLY_OPERATIONS ? fit : ORDERLY_OPERATIONS;
	size_t times = ORDERLY_OPERATIONS / count;

	*alloc_ns = *free_ns = 0;
	for (size_t i = 0; i < times; i++) {
		double start = now_ns(), middle;

		alloc_all(c, order, pfns, count);
		middle = now_ns();
		free_all(c, order, pfns, count);
		*free_ns += now_ns() - middle;
		*alloc_ns += middle - start;
		check_all(c, pfns, count);
	}
	*alloc_ns /= (double)(times * count);
	*free_ns /= (double)(times * count);
}

static void run_orderly(const char *what, unsigned order, const struct settings *settings,
			struct result results[2])
{
	double warm_up;

	snprintf(results[0].work, sizeof(results[0].work), "%s, alloc", what);
	snprintf(results[1].work, sizeof(results[1].work), "%s, free", what);
	for (int c = 0; c < CONTENDERS; c++)
		time_runs(contenders[c], order, &warm_up, &warm_up);
	for (int round = 0; round < settings->rounds; round++)
		for (int c = 0; c < CONTENDERS; c++)
			time_runs(contenders[c], order, &results[0].series[c].ns[round],
				  &results[1].series[c].ns[round]);
	finish(&results[0], settings->rounds);
	finish(&results[1], settings->rounds);
}

/* Nanoseconds a frame. */
static double time_bulk(const struct contender *c)
{
	static pfn_t pfns[ORDERLY_OPERATIONS];
	double start = now_ns(), end;

	for (size_t i = 0; i < ORDERLY_OPERATIONS; i += BULK)
		if (c->alloc_bulk(BULK, pfns + i) != BULK)
			die("%s ran out of memory", c->name);
	end = now_ns();
	free_all(c, 0, pfns, ORDERLY_OPERATIONS);
	return (end - start) / ORDERLY_OPERATIONS;
}

static void run_bulk(const struct settings *settings, struct result *result)
{
	snprintf(result->work, sizeof(result->work), "%d frames at once, a frame", BULK);
	for (int round = 0; round < settings->rounds; round++)
		for (int c = 0; c < CONTENDERS; c++)
			result->series[c].ns[round] = time_bulk(contenders[c]);
	finish(result, settings->rounds);
}

/* ---- Random work: frames come and go while the window stays as full as it is ---- */

struct side {
	const struct contender *contender;
	uint64_t seed;
	size_t held;
	pfn_t pfns[WINDOW_FRAMES];
};

/*
 * As full as it shall be, by one of two ways. Either the window was filled from
 * its start; or all of it was used, and random frames were freed: what memory
 * looks like that was short once.
 */
static void start_side(struct side *side, const struct contender *c, int full, bool was_short)
{
	size_t held = WINDOW_FRAMES * (size_t)full / 100;
	size_t most = was_short ? WINDOW_FRAMES : held;

	side->contender = c;
	side->seed = 0x9e3779b97f4a7c15;
	side->held = held;
	alloc_all(c, 0, side->pfns, most);
	check_all(c, side->pfns, most);
	choose(&side->seed, side->pfns, most, most - held);
	free_all(c, 0, side->pfns + held, most - held);
}

/* Nanoseconds an operation, allocations and frees together. */
static double time_bursts(struct side *side, size_t burst, size_t bursts)
{
	pfn_t *chosen = side->pfns + side->held - burst;
	double ns = 0;

	for (size_t i = 0; i < bursts; i++) {
		double start;

		choose(&side->seed, side->pfns, side->held, burst);
		start = now_ns();
		free_all(side->contender, 0, chosen, burst);
		alloc_all(side->contender, 0, chosen, burst);
		ns += now_ns() - start;
		check_all(side->contender, chosen, burst);
	}
	return ns / (double)(2 * burst * bursts);
}

static void run_random(int full, bool was_short, const struct settings *settings,
		       struct result *result)
{
	static struct side sides[CONTENDERS];
	size_t held, bursts;

	snprintf(result->work, sizeof(result->work), "random, %d %% full%s", full,
		 was_short ? ", once 100 %" : "");
	result->full = full;
	result->was_short = was_short;
	for (int c = 0; c < CONTENDERS; c++)
		start_side(&sides[c], contenders[c], full, was_short);
	held = sides[0].held;
	bursts = held * settings->turnovers / settings->burst / (size_t)settings->rounds + 1;
	for (int round = 0; round < settings->rounds; round++)
		for (int c = 0; c < CONTENDERS; c++)
			result->series[c].ns[round] = time_bursts(&sides[c], settings->burst,
								  bursts);
	for (int c = 0; c < CONTENDERS; c++) {
		result->whole[c] = contenders[c]->count_whole_blocks();
		free_all(contenders[c], 0, sides[c].pfns, held);
	}
	result->possible = (WINDOW_FRAMES - held) / BLOCK_FRAMES;
	finish(result, settings->rounds);
}

size_t work_run(size_t gib, const struct settings *settings, struct result results[RESULTS_MAX],
		double bytes[CONTENDERS])
{
	static const int levels[] = { 10, 50, 90, 99 };
	size_t n = 0;

	for (size_t i = 0; i < RESULTS_MAX; i++)
		results[i] = (struct result){ .gib = gib, .full = -1 };
	for (int c = 0; c < CONTENDERS; c++) {
		contenders[c]->start(gib);
		bytes[c] = (double)contenders[c]->count_metadata() / (double)(gib * GIB_FRAMES);
	}
	run_orderly("one frame", 0, settings, &results[n]);
	run_orderly("run of 8", 3, settings, &results[n += 2]);
	run_orderly("run of 64", 6, settings, &results[n += 2]);
	run_orderly("whole block", BLOCK_ORDER, settings, &results[n += 2]);
	run_bulk(settings, &results[n += 2]);
	for (int was_short = 0; was_short < 2; was_short++)
		for (size_t i = 0; i < ARRAY_SIZE(levels); i++)
			run_random(levels[i], was_short, settings, &results[++n]);
	for (int c = 0; c < CONTENDERS; c++)
		contenders[c]->stop();
	return n + 1;
}
