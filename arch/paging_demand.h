/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A window of the address space whose pages come when they are touched and can be taken
 * away. A page of it has an entry: either the frame that is mapped there, with the
 * processor's mark of whether it was touched, or a note of whoever took it away, or
 * nothing. Pages are named by their numbers, from the window's start.
 *
 * What is taken away is seen by the processor at the next paging_demand_flush(), what is given
 * at once.
 */
#ifndef ARCH_PAGING_DEMAND_H
#define ARCH_PAGING_DEMAND_H

#include "kernel/lib/types.h"

#define PAGING_DEMAND_START UINT64_C(0xffffb00000000000)
#define PAGING_DEMAND_PAGES (UINT64_C(1) << 34) /* 64 TiB */
#define PAGING_DEMAND_NONE UINT64_MAX

/* Returns where a page lies. */
static inline void *paging_demand_address(uint64_t page)
{
	return (void *)(uintptr_t)(PAGING_DEMAND_START + (page << FRAME_SHIFT));
}

/*
 * Has `handler` called, in the task that touched the page and with interrupts on, for each access
 * to one that is not mapped, and each write to one that is not for writing; it may sleep. true:
 * try again; false: the access was a mistake, and a panic. NULL: all are. An access with
 * interrupts off is always a mistake.
 */
void paging_demand_set_handler(bool (*handler)(uint64_t page, bool write));

/* Makes the tables for a page, so that it can be mapped or noted. -ENOMEM. */
int paging_demand_prepare(uint64_t page);

/* Maps a frame to a page that was prepared, and is not mapped; its note is gone. */
void paging_demand_map(uint64_t page, pfn_t pfn, bool writable);

/* Lets a mapped page be written. */
void paging_demand_allow_writes(uint64_t page);

/*
 * Unmaps a page and leaves a note (below 2^63; 0: none). Returns the frame, or PFN_NONE: it was
 * not mapped, and nothing was done. The processor may still use the frame until
 * paging_demand_flush().
 */
pfn_t paging_demand_unmap(uint64_t page, uint64_t note);

/* Returns the frame that is mapped to a page, or PFN_NONE. */
pfn_t paging_demand_frame(uint64_t page);

/* Returns the note of a page that is not mapped, 0: none, or it is mapped. */
uint64_t paging_demand_note(uint64_t page);

/* Leaves a note (below 2^63) at a page that was prepared and is not mapped. */
void paging_demand_set_note(uint64_t page, uint64_t note);

/*
 * Tells whether a mapped page was touched since this was asked last, and forgets it. The
 * processor sees that at the next paging_demand_flush(); until then a touch may not be noticed.
 */
bool paging_demand_take_used(uint64_t page);

/* Makes the processor see all that was unmapped and forgotten. */
void paging_demand_flush(void);

/*
 * Returns the first page from `page` to before `end` that is mapped or noted, or
 * PAGING_DEMAND_NONE.
 */
uint64_t paging_demand_next(uint64_t page, uint64_t end);

/* Frees the tables of a page that map and note nothing. */
void paging_demand_trim(uint64_t page);

/* Frees all tables of pages from `page` to before `end` that map and note nothing. */
void paging_demand_trim_all(uint64_t page, uint64_t end);

#endif
