/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that can be taken back: the workloads' anonymous memory, which goes to a swap disk,
 * and the page cache of another disk. Both lie in the window of arch/paging_demand.h: a
 * page comes when it is touched, and goes when memory is short. From the bottom to the top;
 * each file calls only those above it:
 *
 *   vm_swap.c	   slots of the swap disk
 *   vm_pages.c	   a page comes and goes: its frame, its record, its entry
 *   vm_user.c	   the tasks that use such memory
 *   vm_transfer.c pages on their way to a disk, and back, and waits for them
 *   vm_evict.c	   taking pages out, neighbours along with each other
 *   vm_region.c   a user's memory from its beginning to its end
 *   vm_killer.c   when nothing else helps
 *   vm_reclaim.c  watermarks, the background task, tasks in want of memory
 *   vm_fault.c	   a page is touched
 *   vm.c	   the start; which disks
 *
 * Everything is counted in `vm_events` (mm/vm_events.h). In tasks only. Without a swap disk,
 * anonymous memory stays; without any disk nothing here takes a frame or runs.
 */
#ifndef KERNEL_VM_VM_H
#define KERNEL_VM_VM_H

#include "drivers/block/block.h"
#include "kernel/lib/types.h"
#include "mm/psi.h"

#define VM_USERS_MAX 8

/* The most pages of a user: 4 TiB. */
#define VM_PAGES_MAX (UINT64_C(1) << 30)

/* ---- Tasks that use it ---- */

enum vm_kind {
	VM_ANONYMOUS, /* memory of its own: zeros at first */
	VM_CACHE,     /* pages of the cache's disk */
};

/* What a user wants. */
struct vm_want {
	enum vm_kind kind;
	uint64_t first, pages, limit;
	bool writes;
	void (*ended)(unsigned task, const char *why); /* called at its end, its own or not */
};

/*
 * Makes the calling task a user of `pages` pages, from page `first` of the disk with VM_CACHE,
 * and stores where they lie. With `limit`, no more than so many of its anonymous pages are in
 * memory at a time. What it touches comes; where a page cannot be had, or the killer chose the
 * task, the touch does not return: vm_user_end() is done for it, and the task ends. So it holds
 * nothing else while it touches them. -EINVAL: no pages, or more than there may be; -EAGAIN:
 * there are VM_USERS_MAX; -ENODEV: there is no cache, or it has not so many pages; -EROFS:
 * `writes`, and the cache's disk is not for writing.
 */
int vm_user_begin(const struct vm_want *want, uint8_t **memory);

/* Frees all its anonymous memory; cached pages stay. In pieces, between which others run. */
void vm_user_end(void);

/*
 * Tells the user that it is to end, as soon as it touches, or asks vm_user_is_doomed(). `why`
 * is kept. -ESRCH: the task is no user.
 */
int vm_user_doom(unsigned task, const char *why);

/* Sleeps until the calling user is to end. */
void vm_user_wait_for_end(void);

/* Sleeps until then, or until the calling user is to end. It wants nothing meanwhile. */
void vm_user_sleep_until(uint64_t deadline);

/* Frees pages of the calling user's anonymous memory; when it touches them again they are zeros. */
void vm_user_discard(uint64_t page, uint64_t count);

/* Returns why the calling user is to end, or NULL. */
const char *vm_user_is_doomed(void);

/*
 * Tells whether a page of the caller was read from a disk since this was asked last: then
 * its contents are to be verified. `page` counts from its first.
 */
bool vm_page_came_back(uint64_t page);

/* Reports a page whose contents were not what had been written there. */
void vm_page_is_wrong(uint64_t page);

/* Pages that the caller will touch next, in ascending order: they may be read at once. */
void vm_user_will_touch(uint64_t page, uint64_t count);

/* A user, for `ps` and the killer. */
struct vm_user_info {
	unsigned task;
	enum vm_kind kind;
	uint64_t pages, resident, swapped, limit;
	const char *doomed; /* why it is to end, or NULL */
	bool stalled;	    /* it waits for memory */
};

/* Describes the user that this task is; false: it is none. */
bool vm_user_describe(unsigned task, struct vm_user_info *info);

/* ---- The machine's side ---- */

struct vm_config {
	char swap[BLOCK_SERIAL_SIZE]; /* the words of the command line; "": none */
	char cache[BLOCK_SERIAL_SIZE];
	/*
	 * The whole guest stands still while a page moves, so that nothing hangs on how fast the
	 * disk is: what is counted is the same each time.
	 */
	bool lockstep;
};

/* Begins; the killer shows where memory is by `show_memory`. Once. */
void vm_start(const struct vm_config *config, void (*show_memory)(void));

/*
 * Waits until the disks that were named have been looked at, some seconds at the most: before
 * the shell's first command. In a task.
 */
void vm_wait_for_disks(void);

/* How much of the time users waited for memory: some of them, all of them. */
extern struct psi vm_psi;

/* What people are told. */
struct vm_figures {
	uint64_t low, high; /* watermarks, in frames; the reserve is vm_events' */
	bool active;	    /* there is a disk, or a user */
	bool backed_off;    /* background reclaim found nothing: it looks at a 64th once a second */
	const char *swap, *cache; /* names of the disks, or NULL */
	uint64_t cache_pages;	  /* that can be used of the latter */
};

/* Stores them. May be called in an interrupt. */
void vm_figures(struct vm_figures *figures);

#endif
