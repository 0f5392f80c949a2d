/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A black box: what a driver saw and did last, and how often since boot. The
 * console's `events` shows it, and `balloonctl dump` reads it from a dump.
 *
 * A driver names its events in a header of its own, in a table of
 * EVENT(constant, name, first argument, second argument):
 *
 *	#define PCI_EVENTS(EVENT) \
 *		EVENT(PCI_FOUND, "found", "#function", "#id") \
 *		EVENT(PCI_PULLED, "pulled", "#function", "")
 *	EVENTS_DECLARE(pci, PCI_EVENTS)
 *
 * Names are small letters, digits and hyphens. "" is an argument without a meaning; one
 * whose name begins with # is shown in hexadecimal. One source file has
 * EVENTS_DEFINE(pci, PCI_EVENTS), and where something happens stands
 * pci_event(PCI_FOUND, function, id).
 *
 * An event costs some fifteen instructions and the reading of the clock, never
 * allocates, and may be recorded in an interrupt. Host programs include this
 * file.
 */
#ifndef KERNEL_LIB_EVENTS_H
#define KERNEL_LIB_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/lib/hooks.h"

#define EVENTS_KEPT 64	    /* of a driver; older ones are only counted */
#define EVENT_TYPES_MAX 16  /* of a driver */
#define EVENT_NAME_MAX 16   /* bytes, with the NUL */
#define EVENT_DRIVER_MAX 16 /* likewise */

struct event_type {
	char name[EVENT_NAME_MAX];
	char argument[2][EVENT_NAME_MAX];
};

struct event {
	uint64_t time_ns; /* since boot */
	uint32_t type;
	uint32_t number; /* written last: low half of 1 + how many came before */
	uint64_t argument[2];
};

/* Written by events_record() alone. Event number n lies in event[(n - 1) % EVENTS_KEPT]. */
struct event_ring {
	uint64_t recorded;
	uint64_t count[EVENT_TYPES_MAX]; /* by type, since boot */
	struct event event[EVENTS_KEPT];
};

/* A driver's events; the linker collects these. */
struct event_source {
	char driver[EVENT_DRIVER_MAX];
	const struct event_type *type;
	uint64_t type_count;
	const struct event_ring *ring;
};

extern const struct event_source __start_event_sources[];
extern const struct event_source __stop_event_sources[];

/* Keeps an event, and counts it; `type` is below EVENT_TYPES_MAX. For driver_event() below. */
void events_record(struct event_ring *ring, uint64_t time_ns, unsigned type, uint64_t first,
		   uint64_t second);

/*
 * Copies event `number` of a ring, counted from 1; false if it is not there yet,
 * or not any more.
 */
bool events_get(const struct event_ring *ring, uint64_t number, struct event *event);

#define EVENT_CONSTANT(constant, name, first, second) constant,
#define EVENT_TYPE(constant, name_, first, second) \
	[constant] = { .name = name_, .argument = { first, second } },
#define EVENT_FITS(constant, name, first, second) \
	_Static_assert(sizeof(name) <= EVENT_NAME_MAX && sizeof(first) <= EVENT_NAME_MAX && \
			       sizeof(second) <= EVENT_NAME_MAX, \
		       "names of " #constant);

#define EVENTS_DECLARE(driver, table) \
	enum driver##_event{ table(EVENT_CONSTANT) driver##_event_types }; \
	table(EVENT_FITS) _Static_assert((int)driver##_event_types <= EVENT_TYPES_MAX, #driver); \
	extern struct event_ring driver##_events; \
\
	__attribute__((unused)) static inline void driver##_event(enum driver##_event type, \
								  uint64_t first, uint64_t second) \
	{ \
		events_record(&driver##_events, lib_time_ns(), type, first, second); \
	}

#define EVENTS_DEFINE(driver_, table) \
	struct event_ring driver_##_events; \
	static const struct event_type driver_##_event_type[] = { table(EVENT_TYPE) }; \
	static const struct event_source driver_##_event_source \
		__attribute__((used, section("event_sources"), aligned(8))) = { \
			.driver = #driver_, \
			.type = driver_##_event_type, \
			.type_count = driver_##_event_types, \
			.ring = &driver_##_events, \
		}

/* After EVENTS_DEFINE(): one more of the kind, driver-number, has a ring of its own. */
#define EVENTS_DEFINE_ANOTHER(driver_, number) \
	struct event_ring driver_##_##number##_events; \
	static const struct event_source driver_##_##number##_event_source \
		__attribute__((used, section("event_sources"), aligned(8))) = { \
			.driver = #driver_ "-" #number, \
			.type = driver_##_event_type, \
			.type_count = driver_##_event_types, \
			.ring = &driver_##_##number##_events, \
		}

#endif
