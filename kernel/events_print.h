/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How events are printed. The guest's `events` prints those of its drivers, the
 * host's `balloonctl dump` those of a dump, with the same words. Host programs
 * include this file.
 */
#ifndef KERNEL_EVENTS_PRINT_H
#define KERNEL_EVENTS_PRINT_H

#include "kernel/lib/events.h"

/* Sources beyond these are left out. */
#define EVENT_SOURCES_MAX 16

/* Prints a line for each kept event, in the order of time, then one of counts for each driver. */
void events_print(const struct event_source *sources, size_t count);

/* Prints two members of a JSON object, on one line: "events":[...],"event-counts":{...} */
void events_print_json(const struct event_source *sources, size_t count);

#endif
