/* SPDX-License-Identifier: BSD-2-Clause */
/* The amounts of a table of guests, and its order: see watch_draw.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tools/balloonctl/watch_draw.h"

static bool free_amount(const struct watch_view *view, double *amount)
{
	uint64_t bytes;

	if (!sample_stat(&view->sample, STAT_FREE_MEMORY, &bytes))
		return false;
	*amount = (double)bytes;
	return bytes <= view->sample.state.left;
}

bool watch_amount(const struct watch_view *view, enum watch_sort sort, double *amount)
{
	const struct sample *sample = &view->sample;

	if (!sample->seen)
		return false;
	switch (sort) {
	case WATCH_BY_LEFT:
		*amount = (double)sample->state.left;
		return true;
	case WATCH_BY_TAKEN:
		*amount = (double)sample->state.taken;
		return true;
	case WATCH_BY_GROWN:
		*amount = (double)sample->state.grown;
		return sample->state.has_grown;
	case WATCH_BY_TARGET:
		*amount = (double)sample->state.target_left;
		return sample->state.has_target;
	case WATCH_BY_FREE:
		return free_amount(view, amount);
	case WATCH_BY_HOST:
		*amount = (double)sample->cost.resident;
		return sample->has_cost;
	case WATCH_BY_CPU:
		return history_cpu(&view->history, amount);
	default:
		assert(sort == WATCH_BY_RATE);
		*amount = history_rate(&view->history);
		return true;
	}
}

struct sorting {
	const struct watch_view *views;
	enum watch_sort sort;
	bool reversed;
};

static int compare_amounts(const struct watch_view *a, const struct watch_view *b,
			   const struct sorting *sorting)
{
	double of_a, of_b;
	bool knows_a = watch_amount(a, sorting->sort, &of_a);
	bool knows_b = watch_amount(b, sorting->sort, &of_b);
	int order;

	if (!knows_a || !knows_b)
		return (int)knows_b - (int)knows_a;
	/* The largest is the first. */
	order = (of_a < of_b) - (of_a > of_b);
	return sorting->reversed ? -order : order;
}

static int compare(const void *one, const void *other, void *context)
{
	const struct sorting *sorting = context;
	const struct watch_view *a = &sorting->views[*(const size_t *)one];
	const struct watch_view *b = &sorting->views[*(const size_t *)other];
	int names = strcmp(a->name, b->name), amounts;

	if (sorting->sort == WATCH_BY_NAME)
		return sorting->reversed ? -names : names;
	amounts = compare_amounts(a, b, sorting);
	return amounts ? amounts : names;
}

void watch_sort(const struct watch_view *views, size_t *order, size_t count, enum watch_sort sort,
		bool reversed)
{
	struct sorting sorting = { .views = views, .sort = sort, .reversed = reversed };

	assert(sort < WATCH_SORTS);
	if (count)
		qsort_r(order, count, sizeof(order[0]), compare, &sorting);
}
