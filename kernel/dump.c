/* SPDX-License-Identifier: BSD-2-Clause */
/* The way into a dump of the guest's memory: see dump.h. */
#include "kernel/dump.h"

#include "drivers/balloon/balloon_dump.h"
#include "kernel/lib/epitaph.h"
#include "kernel/lib/events_dump.h"
#include "mm/frame_dump.h"
#include "mm/vm_dump.h"

_Static_assert(sizeof(DUMP_MAGIC) == DUMP_MAGIC_SIZE, "the magic fills its field");

/* linker.ld puts the section at the start of a page. */
__attribute__((section(".dump"), used, aligned(DUMP_PAGE))) const struct dump_root dump_root = {
	.magic = DUMP_MAGIC,
	.version = DUMP_VERSION,
	.size = sizeof(struct dump_root),
	.self = (uintptr_t)&dump_root,
	.frames = (uintptr_t)&frame_dump,
	.balloon = (uintptr_t)&balloon_dump,
	.epitaph = (uintptr_t)&panic_epitaph,
	.events = (uintptr_t)&events_dump,
	.vm = (uintptr_t)&vm_dump,
	.release = AEROSTAT_VERSION,
};
_Static_assert(sizeof(AEROSTAT_VERSION) <= DUMP_RELEASE_MAX, "the version fits with its NUL");

/* The reader takes these for granted. If one no longer holds, EVENTS_DUMP_VERSION grows. */
#define SAME(field) \
	_Static_assert(offsetof(struct event_source, field) == \
				       offsetof(struct events_dump_source, field) && \
			       sizeof(((struct event_source *)0)->field) == \
				       sizeof(((struct events_dump_source *)0)->field), \
		       #field)
SAME(driver);
SAME(type);
SAME(type_count);
SAME(ring);
_Static_assert(sizeof(struct event_source) == sizeof(struct events_dump_source), "sources");

const struct events_dump events_dump = {
	.version = EVENTS_DUMP_VERSION,
	.size = sizeof(struct events_dump),
	.sources = (uintptr_t)__start_event_sources,
	.sources_end = (uintptr_t)__stop_event_sources,
	.type_size = sizeof(struct event_type),
	.ring_size = sizeof(struct event_ring),
	.events_kept = EVENTS_KEPT,
	.event_types = EVENT_TYPES_MAX,
};
