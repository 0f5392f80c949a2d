/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the files of the map's reader: frame_dump.c finds and checks the
 * map, and reads counters; frame_dump_owner.c looks up blocks and frames;
 * frame_dump_audit.c counts everything anew. Only these files include it.
 */
#ifndef TOOLS_FRAME_DUMP_INTERNAL_H
#define TOOLS_FRAME_DUMP_INTERNAL_H

#include "drivers/balloon/balloon_dump.h"
#include "kernel/dump.h"
#include "mm/frame_dump.h"
#include "mm/vm_dump.h"
#include "tools/frame_dump.h"

#define DUMP_OWNERS_MAX (MEM_OWNERS_MAX + 1) /* with that of holes */

struct frame_dump_reader {
	const struct core *core;
	char release[DUMP_RELEASE_MAX];
	struct frame_dump layout;
	struct balloon_dump balloon;
	struct vm_dump vm;
	char names[DUMP_OWNERS_MAX][FRAME_DUMP_NAME];

	/* Copies of what struct frame_map has. */
	uint64_t blocks, boot;
	uint64_t span_count;
	struct frame_dump_span *span;
	uint64_t known, block, free, owner, sections; /* where the arrays lie */
	uint64_t section_count;
	uint64_t owned[DUMP_OWNERS_MAX];
	uint64_t by_order[BLOCK_ORDER + 1];
	uint64_t count[DUMP_OWNERS_MAX];
	uint64_t managed, region_free;
	uint64_t free_by_order[BLOCK_ORDER + 1];

	/* Of the books on memory pressure, in frames. */
	struct {
		uint64_t cached, dirty, anonymous, swapped, swap_total, reserve;
	} paging;
};

/*
 * Reads `count` elements of `size` bytes of the array at physical address `array`,
 * from element `first` on; `what` names it in the sentence. -EINVAL: not all of
 * them are in the dump; -EIO.
 */
int frame_dump_read(const struct frame_dump_reader *dump, uint64_t array, uint64_t first,
		    size_t size, size_t count, void *to, const char *what,
		    char error[CORE_ERROR_MAX]);

/* Where blocks have their records, free bitmaps and owner bytes. */
struct frame_dump_place {
	uint64_t first, end;	     /* numbers of the blocks that have them there */
	bool absent;		     /* none of them is there, nor are: */
	uint64_t block, free, owner; /* arrays, from block `first` on */
};

/* Finds the place of a block, whose number is one. -EINVAL: the dump does not tell; -EIO. */
int frame_dump_find(const struct frame_dump_reader *dump, uint64_t number,
		    struct frame_dump_place *place, char error[CORE_ERROR_MAX]);

/*
 * Counts every frame anew, holds the sums against the guest's ledger, and stores
 * the verdict in the words of ledger_audit(). -EINVAL: a part of the map is not
 * in the dump; -EIO.
 */
int frame_dump_audit(const struct frame_dump_reader *dump, bool *ok,
		     char verdict[LEDGER_VERDICT_MAX], char error[CORE_ERROR_MAX]);

#endif
