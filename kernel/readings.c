/* SPDX-License-Identifier: BSD-2-Clause */
/* Readings in a row, and since when the situation is what it is: see situation.h. */
#include "kernel/situation.h"

#include <assert.h>
#include <stdbool.h>

static unsigned place(const struct readings *readings, unsigned i)
{
	return (readings->first + i) % READINGS;
}

/* Whether the newest one is so close to the one before it that the next can take its place. */
static bool newest_is_early(const struct readings *readings)
{
	unsigned last = place(readings, readings->count - 1);

	return readings->count >= 2 &&
	       readings->ring[last].time_ms -
			       readings->ring[place(readings, readings->count - 2)].time_ms <
		       READINGS_LEAST_MS;
}

static void append(struct readings *readings, const struct reading *reading, uint64_t time_ms)
{
	unsigned at;

	if (newest_is_early(readings))
		readings->count--;
	if (readings->count == READINGS) {
		readings->first = place(readings, 1);
		readings->count--;
	}
	at = place(readings, readings->count++);
	readings->ring[at].time_ms = time_ms;
	readings->ring[at].reading = *reading;
}

/* Stores the reading to judge by; false: there is none yet that is old enough. */
static bool find_base(const struct readings *readings, uint64_t time_ms, unsigned *base)
{
	bool found = false;

	for (unsigned i = 0; i < readings->count; i++) {
		unsigned at = place(readings, i);
		uint64_t age_ms = time_ms - readings->ring[at].time_ms;

		if (age_ms < READINGS_LEAST_MS)
			break;
		found = true;
		*base = at;
		if (age_ms <= READINGS_MOST_MS)
			break;
	}
	return found;
}

static bool is_same(const struct situation *a, const struct situation *b)
{
	return a->kind == b->kind && a->cause == b->cause;
}

/* What the counts are in the newest reading more than in the base. */
static void subtract(struct reading *moved, const struct reading *base, const struct reading *now)
{
	*moved = *now;
	moved->known &= base->known;
	for (unsigned i = 0; i < READING_TOTAL; i++)
		moved->value[i] = now->value[i] > base->value[i] ? now->value[i] - base->value[i]
								 : 0;
}

void readings_add(struct readings *readings, const struct reading *reading, uint64_t time_ms)
{
	struct situation situation;
	uint64_t before_ms = time_ms;
	unsigned base;

	if (readings->count > 0)
		before_ms = readings->ring[place(readings, readings->count - 1)].time_ms;
	assert(time_ms >= before_ms);
	if (!find_base(readings, time_ms, &base)) {
		append(readings, reading, time_ms);
		return;
	}
	situation = situation_between(&readings->ring[base].reading, reading,
				      time_ms - readings->ring[base].time_ms);
	if (!is_same(&situation, &readings->situation))
		readings->since_ms = before_ms;
	readings->situation = situation;
	readings->over_ms = time_ms - readings->ring[base].time_ms;
	subtract(&readings->moved, &readings->ring[base].reading, reading);
	/* Counts that begin anew: what was read before says nothing any more. */
	if (situation.kind == SITUATION_UNKNOWN)
		readings->count = 0;
	append(readings, reading, time_ms);
}
