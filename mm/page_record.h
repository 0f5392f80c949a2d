/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record for each frame whose contents can be taken back: which page it holds, and its
 * place among the others (mm/replacement.h). Records lie by frame, those of 256 frames in a
 * frame of owner `page-records`, made when the first of these is tracked, and given back
 * when none is. They are single frames, as no two free ones may lie side by side when
 * memory is short; so are the tables that lead to them, by the bytes of a PFN. Nothing is
 * taken while nothing is tracked.
 *
 * In tasks only, after frame_init(); all memory is mapped where it is.
 */
#ifndef MM_PAGE_RECORD_H
#define MM_PAGE_RECORD_H

#include "kernel/lib/types.h"

/* 16 bytes. Numbers are PFNs; a guest of up to 16 TiB has 2^32 of them. */
struct page_record {
	uint32_t next, prev; /* in a line of mm/replacement.c; its own */
	uint64_t page;	     /* PAGE_RECORD_* below */
};

/* The page's number: 2^40 of them. Above it flags: of replacement, and of whoever tracks it. */
#define PAGE_RECORD_NUMBER UINT64_C(0x000000ffffffffff)
#define PAGE_RECORD_REPLACEMENT UINT64_C(0x0000ff0000000000)
#define PAGE_RECORD_OWN UINT64_C(0xffff000000000000)

_Static_assert(sizeof(struct page_record) == 16, "a record is small: 256 of them are a frame");

/*
 * Makes sure that the frame has a record, and counts it as tracked; its `page` is 0. It must not be
 * tracked. At most three frames are taken for it, of memory that was there at boot as long as that
 * has one, and the reclaimer is not asked. -ENOMEM: there are none, and nothing has changed;
 * -EINVAL: the PFN is 0, or has more than 32 bits.
 */
int page_record_track(pfn_t pfn);

/* Ends that: the record is gone. The frame must be tracked. */
void page_record_untrack(pfn_t pfn);

/* Returns the record of a tracked frame. */
struct page_record *page_record(pfn_t pfn);

/* Tells whether a frame is tracked. */
bool page_record_is_tracked(pfn_t pfn);

/* Counts tracked frames. */
uint64_t page_record_count(void);

#endif
