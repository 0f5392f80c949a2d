/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events_dump.c: how a guest got where it is, told by a dump of its memory: the
 * epitaph that a panic left, and the events that its drivers recorded. Both are
 * found by what kernel/dump.h says.
 *
 * The dump is input: what leads to the rings is checked, names and texts are
 * made harmless before they are shown, and a ring that is damaged costs its own
 * events only.
 */
#ifndef TOOLS_EVENTS_DUMP_H
#define TOOLS_EVENTS_DUMP_H

#include "tools/core.h"

struct events_dump_reader;

/*
 * Reads all of it; the core may be closed then. -EINVAL: no dump of this kernel,
 * or a damaged one; -EIO; -ENOMEM; with a sentence in `error`.
 */
int events_dump_open(const struct core *core, struct events_dump_reader **out,
		     char error[CORE_ERROR_MAX]);

/* Frees it; NULL is allowed. */
void events_dump_close(struct events_dump_reader *dump);

/* Prints the epitaph, if there is one, and the events as the guest's `events` does. */
void events_dump_print(const struct events_dump_reader *dump);

/* Prints members of a JSON object: "epitaph" (or null), "events", "event-counts", and a comma. */
void events_dump_print_json(const struct events_dump_reader *dump);

#endif
