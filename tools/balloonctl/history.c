/* SPDX-License-Identifier: BSD-2-Clause */
/* A ring of points for each window: see history.h. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "tools/balloonctl/history.h"
#include "tools/balloonctl/poller.h"

#define MINUTE_MS 60000

int64_t history_window_ms(unsigned window)
{
	static const int64_t minutes[HISTORY_WINDOWS] = { 1, 5, 15, 60, 6 * 60, 24 * 60 };

	assert(window < HISTORY_WINDOWS);
	return minutes[window] * MINUTE_MS;
}

static const struct history_point *point(const struct history_ring *ring, unsigned index)
{
	assert(index < ring->count);
	return &ring->points[(ring->first + index) % HISTORY_POINTS];
}

/* A place for the newest point; the oldest makes room. */
static struct history_point *place(struct history_ring *ring)
{
	unsigned at = (ring->first + ring->count) % HISTORY_POINTS;

	assert(ring->count <= HISTORY_POINTS && ring->first < HISTORY_POINTS);
	if (ring->count < HISTORY_POINTS)
		ring->count++;
	else
		ring->first = (ring->first + 1) % HISTORY_POINTS;
	return &ring->points[at];
}

static void widen(struct history_point *to, const struct history_point *by)
{
	if (by->seen) {
		if (!to->seen || by->low < to->low)
			to->low = by->low;
		if (!to->seen || by->high > to->high)
			to->high = by->high;
		to->seen = true;
	}
	to->missed |= by->missed;
}

/*
 * Guests that are looked at more often than the window has points for get each new
 * point at the place of the one before, whose extremes it takes over, until it is old
 * enough to stay.
 */
static void add_point(struct history_ring *ring, int64_t apart, struct history_point new)
{
	const struct history_point *last = ring->count ? point(ring, ring->count - 1) : NULL;

	if (ring->count > 1 && last->time - point(ring, ring->count - 2)->time < apart) {
		widen(&new, last);
		ring->count--;
	}
	*place(ring) = new;
}

void history_add(struct history *history, const struct sample *sample)
{
	const struct guest_state *state = &sample->state;
	struct history_point new = {
		.time = sample->time,
		.gone = sample->err,
		.seen = !sample->err,
		.missed = sample->err,
		.low = state->taken,
		.high = state->taken,
		.ram = state->ram,
		.grown = state->grown,
		.taken = state->taken,
		.has_target = state->has_target,
		.target_taken = state->ram - state->target_left,
		.has_cpu = sample->has_cost,
		.cpu_ms = sample->cost.cpu_ms,
	};

	if (sample->number <= history->newest)
		return;
	history->newest = sample->number;
	/* Nothing new was seen. */
	if (sample->err == -EBUSY)
		return;
	for (unsigned i = 0; i < HISTORY_WINDOWS; i++)
		add_point(&history->rings[i], history_window_ms(i) / HISTORY_POINTS, new);
}

/* The number of points that are not after `time`. */
static unsigned count_until(const struct history_ring *ring, int64_t time)
{
	unsigned low = 0, high = ring->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (point(ring, middle)->time <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void sum_up(const struct history_ring *ring, unsigned from, unsigned to,
		   struct history_span *span)
{
	const struct history_point *last = NULL;
	struct history_point sum = { .seen = false };

	for (unsigned i = from; i < to; i++) {
		const struct history_point *one = point(ring, i);

		widen(&sum, one);
		if (one->gone)
			continue;
		last = one;
	}
	span->seen = sum.seen;
	span->missed = sum.missed;
	span->low = sum.low;
	span->high = sum.high;
	span->last = last ? last->taken : sum.high;
	span->has_target = last && last->has_target;
	span->ram = last ? last->ram : 0;
	if (last)
		span->target_taken = last->target_taken;
	assert(!span->seen || span->low <= span->high);
}

bool history_sum(const struct history *history, unsigned window, int64_t from, int64_t to,
		 int64_t stale_ms, struct history_span *span)
{
	const struct history_ring *ring = &history->rings[window];
	unsigned first = count_until(ring, from), end = count_until(ring, to);
	struct history_point held;

	assert(window < HISTORY_WINDOWS && from <= to);
	if (first < end) {
		sum_up(ring, first, end, span);
		return true;
	}
	if (end == 0)
		return false;
	/* What held before goes on, but not what came before that. */
	held = *point(ring, end - 1);
	if (to - held.time > stale_ms)
		return false;
	*span = (struct history_span){ .seen = !held.gone,
				       .missed = held.gone,
				       .low = held.taken,
				       .high = held.taken,
				       .last = held.taken,
				       .has_target = held.has_target,
				       .target_taken = held.target_taken,
				       .ram = held.gone ? 0 : held.ram };
	return true;
}

static uint64_t ram_of(const struct history_ring *ring)
{
	for (unsigned i = ring->count; i > 0; i--)
		if (!point(ring, i - 1)->gone)
			return point(ring, i - 1)->ram;
	return 0;
}

static uint64_t last_ram(const struct history *history)
{
	uint64_t ram = 0;

	/* The longer windows remember it longer. */
	for (unsigned i = 0; i < HISTORY_WINDOWS && !ram; i++)
		ram = ram_of(&history->rings[i]);
	return ram;
}

uint64_t history_ram_most(const struct history *history, unsigned window, int64_t from, bool *moved)
{
	const struct history_ring *ring = &history->rings[window];
	uint64_t ram = last_ram(history), most = ram;

	assert(window < HISTORY_WINDOWS);
	*moved = false;
	for (unsigned i = count_until(ring, from); i < ring->count; i++) {
		const struct history_point *one = point(ring, i);

		if (one->gone)
			continue;
		*moved |= one->ram != ram;
		most = one->ram > most ? one->ram : most;
	}
	return most;
}

/* What the balloon counts: what has grown is no business of its. */
static uint64_t counted(const struct history_point *point)
{
	return point->ram - point->grown;
}

/* The oldest and the newest point of "now"; false: they tell nothing. */
static bool lately(const struct history_ring *ring, const struct history_point **from,
		   const struct history_point **to)
{
	unsigned i = ring->count;

	if (i == 0)
		return false;
	*from = *to = point(ring, --i);
	while (i > 0 && !(*to)->gone) {
		const struct history_point *before = point(ring, --i);

		if (before->gone || counted(before) != counted(*to))
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

	if (!lately(&history->rings[0], &from, &to))
		return 0;
	return ((double)to->taken - (double)from->taken) * 1000 / (double)(to->time - from->time);
}

bool history_cpu(const struct history *history, double *processors)
{
	const struct history_point *from, *to;

	if (!lately(&history->rings[0], &from, &to) || !from->has_cpu || !to->has_cpu ||
	    to->cpu_ms < from->cpu_ms)
		return false;
	*processors = (double)(to->cpu_ms - from->cpu_ms) / (double)(to->time - from->time);
	return true;
}
