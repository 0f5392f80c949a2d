/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a reader from outside finds the rings of events (events.h) in the
 * guest's memory. Part of what kernel/dump.h leads to. All fields have a fixed
 * width. Host programs include this file.
 */
#ifndef KERNEL_LIB_EVENTS_DUMP_H
#define KERNEL_LIB_EVENTS_DUMP_H

#include "kernel/lib/events.h"

/* Grows when this structure, or what it leads to, is laid out differently. */
#define EVENTS_DUMP_VERSION 1

/* An element of the array of sources: struct event_source. */
struct events_dump_source {
	char driver[EVENT_DRIVER_MAX];
	uint64_t type; /* struct event_type[type_count] */
	uint64_t type_count;
	uint64_t ring; /* struct event_ring */
};

struct events_dump {
	uint32_t version;
	uint32_t size;			   /* of this structure */
	uint64_t sources, sources_end;	   /* array of struct events_dump_source */
	uint32_t type_size, ring_size;	   /* bytes of a struct event_type and event_ring */
	uint32_t events_kept, event_types; /* elements of the arrays in a ring */
};

extern const struct events_dump events_dump;

#endif
