/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How blocks of a source leave, in one order for all of them: whole free units first, then
 * units in which all that is not free is the balloon's, which is replaced there and asked
 * back. The floor is never passed: what the host wants to have back is no reason to.
 * One source at a time is served by the balloon; the others wait their turn. Tasks only.
 */
#ifndef DRIVERS_MEM_MEM_LEAVE_H
#define DRIVERS_MEM_MEM_LEAVE_H

#include "drivers/mem/mem_source.h"
#include "kernel/lib/types.h"

enum mem_leave {
	MEM_LEAVE_CLAIMED, /* blocks are OWNER_UNPLUGGED's now, and not mapped */
	MEM_LEAVE_LATER,   /* the balloon is at it, or serves another source: ask again */
	MEM_LEAVE_STUCK,   /* nothing can leave now */
};

/*
 * Claims free units of the source, the highest that lie together, at most `max` blocks and
 * never so many that less than the floor would be free; else has the balloon move out.
 * With MEM_LEAVE_CLAIMED *pfn and *blocks are the blocks, for memory_region_leave() or
 * memory_region_keep(); else *why says what is in the way, a clause for people. A source that
 * is one unit, as a DIMM is, leaves as a whole.
 */
enum mem_leave mem_leave(const struct mem_source *source, size_t max, pfn_t *pfn, size_t *blocks,
			 const char **why);

/*
 * Says that a source of the list wants to give back from now on: inflation takes none of its
 * frames. Said again, it changes nothing.
 */
void mem_leave_begin(struct mem_source *source);

/* Says that it does not any more; if the balloon was moving out for it, it may stay. */
void mem_leave_end(struct mem_source *source);

#endif
