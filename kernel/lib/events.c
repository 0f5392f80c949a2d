/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings of events: see events.h. Taking a number is one instruction, so an
 * interrupt that records an event, too, takes the next one and nobody waits. An
 * event carries its number, so that a reader notices when it is overwritten.
 */
#include "kernel/lib/events.h"

#include <assert.h>

_Static_assert((EVENTS_KEPT & (EVENTS_KEPT - 1)) == 0, "finding an entry takes no division");
_Static_assert(sizeof(struct event) == 32, "nor a multiplication");

void events_record(struct event_ring *ring, uint64_t time_ns, unsigned type, uint64_t first,
		   uint64_t second)
{
	uint64_t before = __atomic_fetch_add(&ring->recorded, 1, __ATOMIC_RELAXED);
	struct event *event = &ring->event[before % EVENTS_KEPT];

	assert(type < EVENT_TYPES_MAX);
	__atomic_fetch_add(&ring->count[type], 1, __ATOMIC_RELAXED);
	event->time_ns = time_ns;
	event->type = type;
	event->argument[0] = first;
	event->argument[1] = second;
	__atomic_store_n(&event->number, (uint32_t)(before + 1), __ATOMIC_RELEASE);
}

bool events_get(const struct event_ring *ring, uint64_t number, struct event *copy)
{
	const struct event *event = &ring->event[(number - 1) % EVENTS_KEPT];

	*copy = *event;
	/* An interrupt that wrote into it meanwhile has written the number, too. */
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return number != 0 && __atomic_load_n(&event->number, __ATOMIC_RELAXED) == (uint32_t)number;
}
