/* SPDX-License-Identifier: BSD-2-Clause */
/* A ring of points: see history.h. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "tools/balloonctl/history.h"
#include "tools/balloonctl/poller.h"

static const struct history_point *point(const struct history *history, unsigned index)
{
	assert(index < history->count);
	return &history->points[(history->first + index) % HISTORY_POINTS];
}

/*
 * Guests that are looked at more often than the ring has points for get each
 * new point at the place of the one before, until it is old enough to stay.
 */
static struct history_point *place(struct history *history)
{
	const int64_t apart = HISTORY_MS / HISTORY_POINTS;
	unsigned at;

	if (history->count > 1 &&
	    point(history, history->count - 1)->time - point(history, history->count - 2)->time <
		    apart)
		history->count--;
	assert(history->count <= HISTORY_POINTS && history->first < HISTORY_POINTS);
	at = (history->first + history->count) % HISTORY_POINTS;
	if (history->count < HISTORY_POINTS)
		history->count++;
	else
		history->first = (history->first + 1) % HISTORY_POINTS;
	return &history->points[at];
}

void history_add(struct history *history, const struct sample *sample)
{
	if (sample->number <= history->newest)
		return;
	history->newest = sample->number;
	/* Nothing new was seen. */
	if (sample->err == -EBUSY)
		return;
	*place(history) = (struct history_point){
		.time = sample->time,
		.gone = sample->err,
		.ram = sample->state.ram,
		.taken = sample->state.taken,
		.has_target = sample->state.has_target,
		.target_taken = sample->state.has_target
					? sample->state.ram - sample->state.target_left
					: 0,
		.has_cpu = sample->has_cost,
		.cpu_ms = sample->cost.cpu_ms,
	};
}

const struct history_point *history_at(const struct history *history, int64_t time,
				       int64_t stale_ms)
{
	unsigned low = 0, high = history->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (point(history, middle)->time <= time)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || time - point(history, low - 1)->time > stale_ms)
		return NULL;
	return point(history, low - 1);
}

uint64_t history_ram(const struct history *history)
{
	for (unsigned i = history->count; i > 0; i--)
		if (!point(history, i - 1)->gone)
			return point(history, i - 1)->ram;
	return 0;
}

/* The oldest and the newest point of "now"; false: they tell nothing. */
static bool lately(const struct history *history, const struct history_point **from,
		   const struct history_point **to)
{
	unsigned i = history->count;

	if (i == 0)
		return false;
	*from = *to = point(history, --i);
	while (i > 0 && !(*to)->gone) {
		const struct history_point *before = point(history, --i);

		if (before->gone || before->ram != (*to)->ram)
			break;
		/* Looked at seldom: one step back is "now" then. */
		if (*from != *to && (*to)->time - before->time > HISTORY_RATE_MS)
			break;
		*from = before;
	}
	return (*to)->time > (*from)->time;
}

double history_rate(const struct history *history)
{
	const struct history_point *from, *to;

	if (!lately(history, &from, &to))
		return 0;
	return ((double)to->taken - (double)from->taken) * 1000 / (double)(to->time - from->time);
}

bool history_cpu(const struct history *history, double *processors)
{
	const struct history_point *from, *to;

	if (!lately(history, &from, &to) || !from->has_cpu || !to->has_cpu ||
	    to->cpu_ms < from->cpu_ms)
		return false;
	*processors = (double)(to->cpu_ms - from->cpu_ms) / (double)(to->time - from->time);
	return true;
}
