/* SPDX-License-Identifier: BSD-2-Clause */
/* The one set of books on memory pressure, and where a dump has it: see vm_events.h. */
#include "mm/vm_events.h"

#include <stddef.h>

#include "mm/vm_dump.h"

struct vm_events vm_events;

const struct vm_dump vm_dump = {
	.version = VM_DUMP_VERSION,
	.size = sizeof(struct vm_dump),
	.events = (uintptr_t)&vm_events,
	.cached = offsetof(struct vm_events, cached),
	.dirty = offsetof(struct vm_events, dirty),
	.anonymous = offsetof(struct vm_events, anonymous),
	.swapped = offsetof(struct vm_events, swapped),
	.swap_total = offsetof(struct vm_events, swap_total),
	.reserve = offsetof(struct vm_events, reserve),
};
