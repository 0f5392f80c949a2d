/* SPDX-License-Identifier: BSD-2-Clause */
/* References to pages: see courses.h. What is random comes from one generator, begun anew. */
#include "tests/bench/courses.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "tests/random.h"

#define C COURSE_CACHE
#define MANY (8 * C) /* pages of a Zipf distribution, and cold ones */

/* Where a course is. */
struct walk {
	uint64_t seed;
	size_t at;	 /* reference, from 0 on */
	uint32_t once;	 /* pages that were used once, and never again */
	uint32_t looped; /* steps of a loop */
	double *below;	 /* of each rank: the share of those up to it */
};

/* ---- What courses are made of ---- */

static bool chance(struct walk *w, unsigned percent)
{
	return random_below(&w->seed, 100) < percent;
}

static uint32_t uniform(struct walk *w, uint32_t pages)
{
	return (uint32_t)random_below(&w->seed, pages);
}

/* The next page that nobody has seen. */
static uint32_t unseen(struct walk *w)
{
	return MANY + w->once++;
}

static uint32_t looping(struct walk *w, uint32_t pages)
{
	return w->looped++ % pages;
}

/* Prepares ranked(): rank k, from 1 on, is k^exponent times rarer than the first. */
static void prepare_ranks(struct walk *w, double exponent)
{
	double sum = 0;

	w->below = malloc(MANY * sizeof(*w->below));
	assert(w->below);
	for (uint32_t k = 0; k < MANY; k++) {
		sum += pow(k + 1, -exponent);
		w->below[k] = sum;
	}
	for (uint32_t k = 0; k < MANY; k++)
		w->below[k] /= sum;
}

/* A page by its rank: the first one above a random share. */
static uint32_t ranked(struct walk *w)
{
	double share = (double)random_below(&w->seed, UINT64_C(1) << 52) / (UINT64_C(1) << 52);
	uint32_t low = 0, high = MANY - 1;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (w->below[middle] > share)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* ---- The courses ---- */

static uint32_t by_rank(struct walk *w)
{
	return ranked(w);
}

/* Twelve parts of C references: ten by rank, two that read pages once. */
static uint32_t by_rank_and_scans(struct walk *w)
{
	return w->at % (12 * C) < 10 * C ? ranked(w) : unseen(w);
}

static uint32_t by_rank_among_a_scan(struct walk *w)
{
	return chance(w, 25) ? unseen(w) : ranked(w);
}

static uint32_t loop_a_little_too_long(struct walk *w)
{
	return looping(w, C * 11 / 10);
}

static uint32_t loop_of_twice_the_room(struct walk *w)
{
	return looping(w, 2 * C);
}

static uint32_t loop_that_fits_beside_ranks(struct walk *w)
{
	return chance(w, 50) ? MANY + looping(w, C * 8 / 10) : ranked(w);
}

/* Each 20 references all ranks go to the next page. */
static uint32_t by_rank_drifting(struct walk *w)
{
	return (uint32_t)((ranked(w) + w->at / 20) % MANY);
}

static uint32_t three_sets_in_turn(struct walk *w)
{
	return (uint32_t)(w->at / 200000 % 3) * C + uniform(w, C * 7 / 10);
}

static uint32_t hot_and_cold(struct walk *w)
{
	return chance(w, 80) ? uniform(w, C / 2) : C + uniform(w, MANY);
}

static uint32_t hot_beside_a_stream(struct walk *w)
{
	return chance(w, 50) ? uniform(w, C * 6 / 10) : unseen(w);
}

static const struct {
	const char *name;
	uint32_t (*next)(struct walk *w);
	double exponent; /* for ranked() */
} courses[COURSES] = {
	{ "Zipf 0.8 of 8 C", by_rank, 0.8 },
	{ "Zipf 1 of 8 C", by_rank, 1 },
	{ "  and scans of 2 C", by_rank_and_scans, 1 },
	{ "  among a scan, 1 : 3", by_rank_among_a_scan, 1 },
	{ "loop of 1.1 C", loop_a_little_too_long, 0 },
	{ "loop of 2 C", loop_of_twice_the_room, 0 },
	{ "loop of 0.8 C, and Zipf 1", loop_that_fits_beside_ranks, 1 },
	{ "Zipf 1, drifting", by_rank_drifting, 1 },
	{ "0.7 C, three times others", three_sets_in_turn, 0 },
	{ "0.5 C, and 8 C that is cold", hot_and_cold, 0 },
	{ "0.6 C, and a stream", hot_beside_a_stream, 0 },
};

const char *course_name(unsigned number)
{
	assert(number < COURSES);
	return courses[number].name;
}

/* ---- Bursts ---- */

/* Touches that are to come: a place for each of the next references. */
struct due {
	uint32_t page[COURSE_SPREAD + 1][COURSE_SPREAD * COURSE_BURST_MAX];
	size_t count[COURSE_SPREAD + 1];
};

static void touch(struct course *course, uint32_t page)
{
	course->touch[course->touches++] = page;
	if (page >= course->pages)
		course->pages = page + 1;
}

static void put_off(struct due *due, struct walk *w, uint32_t page)
{
	size_t place = (w->at + 1 + random_below(&w->seed, COURSE_SPREAD)) % (COURSE_SPREAD + 1);

	due->page[place][due->count[place]++] = page;
}

void course_make(struct course *course, unsigned number, size_t references, unsigned burst)
{
	struct walk w = { .seed = 88172645463325252 };
	struct due *due = calloc(1, sizeof(*due));

	assert(number < COURSES && burst >= 1 && burst <= COURSE_BURST_MAX);
	*course = (struct course){ .references = references,
				   .touch = malloc(references * burst * sizeof(uint32_t)) };
	assert(course->touch && due);
	prepare_ranks(&w, courses[number].exponent);
	for (w.at = 0; w.at < references; w.at++) {
		size_t place = w.at % (COURSE_SPREAD + 1);
		uint32_t page = courses[number].next(&w);

		touch(course, page);
		for (unsigned i = 1; i < burst; i++)
			put_off(due, &w, page);
		for (size_t i = 0; i < due->count[place]; i++)
			touch(course, due->page[place][i]);
		due->count[place] = 0;
	}
	free(w.below);
	free(due);
}

void course_free(struct course *course)
{
	free(course->touch);
	*course = (struct course){ .touch = NULL };
}
