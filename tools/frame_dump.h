/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame_dump.c: the guest's frame map in a dump of its memory, found by what
 * kernel/dump.h says. The figures are the guest's own counters; the verdict
 * comes from a recount of the map, as the guest's `audit` does it: an audit
 * from outside. Only what is needed is read, so a dump of 1 TiB costs little.
 *
 * The dump is input: addresses, counts and offsets in it are checked, and
 * names, too, before they are shown. On failure there is a sentence in `error`.
 */
#ifndef TOOLS_FRAME_DUMP_H
#define TOOLS_FRAME_DUMP_H

#include "kernel/mem_figures.h"
#include "tools/core.h"

struct frame_dump_reader;

/*
 * Finds the map in a core, which must stay open as long; *out is the caller's by
 * frame_dump_close(). -EINVAL: no dump of this kernel, or a damaged one; -EIO;
 * -ENOMEM.
 */
int frame_dump_open(const struct core *core, struct frame_dump_reader **out,
		    char error[CORE_ERROR_MAX]);

/* Frees; NULL is allowed. */
void frame_dump_close(struct frame_dump_reader *dump);

/*
 * Reads the counters and recounts the map; the names in *figures are good until
 * frame_dump_close(). A recount that differs is no error: it is in the verdict.
 * -EINVAL: what is needed is not in the dump; -EIO.
 */
int frame_dump_figures(const struct frame_dump_reader *dump, struct mem_figures *figures,
		       char error[CORE_ERROR_MAX]);

#define FRAME_DUMP_MOVED 160
/*
 * Writes how many frames each owner had more or less in `after` than in `before`, of the same
 * guest, as "free -512, balloon +512"; "": no owner had. It may be cut at its end.
 */
void frame_dump_moved(const struct frame_dump_reader *before, const struct frame_dump_reader *after,
		      char text[FRAME_DUMP_MOVED]);

/*
 * Finds the owner of a frame; *name is good until frame_dump_close(). It is that
 * of OWNER_ABSENT for a frame that is not managed, and "?" if the map holds no
 * owner's number. -EINVAL: this part of the map is not in the dump; -EIO.
 */
int frame_dump_owner(const struct frame_dump_reader *dump, pfn_t pfn, const char **name,
		     char error[CORE_ERROR_MAX]);

#endif
