/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame_dump.c: the guest's frame map in a dump of its memory, found by what
 * kernel/dump.h says. The figures are the guest's own counters; the verdict
 * comes from a recount of the map, as the guest's `audit` does it: an audit
 * from outside. Only what is needed is read, so a dump of 1 TiB costs little.
 *
 * The dump is input: addresses, counts and offsets in it are checked, and
 * names, too, before they are shown. Functions return 0 or a negative errno
 * (-EINVAL: no dump of this kernel, or a damaged one; -EIO; -ENOMEM), with a
 * sentence in @error.
 */
#ifndef TOOLS_FRAME_DUMP_H
#define TOOLS_FRAME_DUMP_H

#include "kernel/mem_figures.h"
#include "tools/core.h"

struct frame_dump_reader;

/* The core must stay open as long. */
int frame_dump_open(const struct core *core, struct frame_dump_reader **out,
		    char error[CORE_ERROR_MAX]);

/* NULL is allowed. */
void frame_dump_close(struct frame_dump_reader *dump);

/* The names in @figures are good until frame_dump_close(). */
int frame_dump_figures(const struct frame_dump_reader *dump, struct mem_figures *figures,
		       char error[CORE_ERROR_MAX]);

/* Who holds a frame: the name of OWNER_ABSENT for what is not managed; "?": no owner's number. */
int frame_dump_owner(const struct frame_dump_reader *dump, pfn_t pfn, const char **name,
		     char error[CORE_ERROR_MAX]);

#endif
