/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The start, and which disks: only those that were named are used, and only a disk with
 * Linux's swap signature without being named.
 */
#include "kernel/vm/vm.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "arch/phys_map.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/log.h"
#include "kernel/vm/vm_internal.h"
#include "mm/frame.h"
#include "mm/ledger.h"

/* The first page of a swap area of Linux: a signature at its end, version 1 before its table. */
#define SIGNATURE_AT 4086
#define SIGNATURE "SWAPSPACE2"
#define SIGNATURE_HIBERNATED "S1SUSPEND"
#define VERSION_AT 1024
#define VERSION 1
#define LAST_PAGE_AT 1028

/* The shell's first command waits so long for the disks that it may want. */
#define DISKS_NS (5 * NS_PER_S)

#define SERIAL_AUTO "auto"

static struct vm_config config;

static struct {
	bool come; /* a disk has come, or gone, since the last look */
	bool held; /* pages of one that is gone are in use: no other can take its place yet */
	bool told_swap, told_cache; /* that no disk has the name */
	bool looked;		    /* at all disks, once */
	struct wait_queue changed;
} disks;

/* ---- What lies on a disk ---- */

enum header { HEADER_SWAP, HEADER_HIBERNATED, HEADER_OTHER_VERSION, HEADER_NONE };

static enum header look_at(const uint8_t *page, uint64_t *pages)
{
	le32 version, last;

	if (memcmp(page + SIGNATURE_AT, SIGNATURE_HIBERNATED, strlen(SIGNATURE_HIBERNATED)) == 0)
		return HEADER_HIBERNATED;
	if (memcmp(page + SIGNATURE_AT, SIGNATURE, strlen(SIGNATURE)) != 0)
		return HEADER_NONE;
	memcpy(&version, page + VERSION_AT, sizeof(version));
	memcpy(&last, page + LAST_PAGE_AT, sizeof(last));
	*pages = min_u64(*pages, (uint64_t)le32_to_cpu(last) + 1);
	return le32_to_cpu(version) == VERSION ? HEADER_SWAP : HEADER_OTHER_VERSION;
}

/* Reads a disk's first page; `pages` becomes no more than its header says. */
static int read_header(struct block_disk *disk, enum header *header, uint64_t *pages)
{
	struct block_request request = { .count = 1 };
	int err = frame_alloc(0, OWNER_VIRTQUEUES, &request.frames[0]);

	if (err)
		return err;
	err = block_submit(disk, &request);
	if (!err)
		err = block_wait(disk, &request);
	if (!err)
		*header = look_at(phys_to_virt(pfn_to_paddr(request.frames[0])), pages);
	/* A device that could not be reset keeps it. */
	if (err != -EBUSY)
		frame_free(request.frames[0], 1, OWNER_VIRTQUEUES);
	return err;
}

/* ---- Disks that go ---- */

static void note_change(void)
{
	disks.come = true;
	task_wake(&disks.changed);
}

static void swap_is_gone(struct block_disk *disk)
{
	struct block_info info;

	/* Whoever reads its header gives it back. */
	if (vm_swap_disk != disk)
		return;
	block_info(disk, &info);
	vm_swap_disk = NULL;
	block_release(disk);
	vm_doom_swapped_users("its memory was on a swap disk that is gone");
	vm_reclaim_set_watermarks();
	log_warn("vm: the swap disk %s is gone: tasks that have memory there end", info.name);
	note_change();
}

static void cache_is_gone(struct block_disk *disk)
{
	struct block_info info;

	block_info(disk, &info);
	vm_cache_disk = NULL;
	block_release(disk);
	vm_doom_cache_users("the cache's disk is gone");
	vm_reclaim_set_watermarks();
	log_warn("vm: the cache's disk %s is gone: its users end", info.name);
	note_change();
}

/* ---- Disks that are used ---- */

/*
 * Uses a claimed disk for swap. Returns NULL, or why not, for people: "" if nobody asked for it
 * and it has no signature. Sleeps.
 */
static const char *try_swap(struct block_disk *disk, uint64_t pages, bool named)
{
	struct block_info info;
	enum header header = HEADER_NONE;

	if (read_header(disk, &header, &pages))
		return "cannot be read";
	if (header == HEADER_HIBERNATED)
		return "holds the memory of a Linux that hibernates";
	if (header == HEADER_OTHER_VERSION)
		return "has swap of a version that is not 1";
	if (header == HEADER_NONE && !named)
		return "";
	if (vm_pages_track_anonymous() || vm_swap_on(disk, pages))
		return "is too small, or memory is";
	/* Then nobody tells of that any more. */
	block_info(disk, &info);
	if (!info.broken)
		return NULL;
	vm_swap_disk = NULL;
	vm_swap_forget();
	return "has broken";
}

static void use_swap(struct block_disk *disk, const struct block_info *info, bool named)
{
	const char *why;
	uint64_t total;
	int err;

	if (info->read_only && !named)
		return;
	err = block_claim(disk, "swap", true, swap_is_gone);
	if (err) {
		log_warn("vm: disk %s %s: no swap there", info->name,
			 err == -EROFS ? "is read-only" : "is broken, or in use");
		return;
	}
	why = try_swap(disk, info->pages, named);
	total = vm_events.swap_total;
	/* Before anything is printed, which may take a while: then it may have gone. */
	if (why)
		block_release(disk);
	if (!why)
		log_info("vm: swap on disk %s, %" PRIu64 " kB", info->name, total * FRAME_KIB);
	else if (why[0])
		log_warn("vm: disk %s %s: no swap there", info->name, why);
}

static void use_cache(struct block_disk *disk, const struct block_info *info)
{
	int err = block_claim(disk, "cache", !info->read_only, cache_is_gone);

	if (err) {
		log_warn("vm: disk %s cannot be cached: error %d", info->name, -err);
		return;
	}
	vm_cache_disk = disk;
	vm_cache_writes = !info->read_only;
	vm_cache_region_open(info->pages);
	log_info("vm: the cache is of disk %s, %" PRIu64 " kB%s", info->name,
		 info->pages * FRAME_KIB, info->read_only ? ", read-only" : "");
}

/* A name that no disk has, once: which there are. */
static void tell_serials(const char *word, const char *serial, bool *told)
{
	char names[BLOCK_DISKS_MAX * (BLOCK_SERIAL_SIZE + sizeof(" (none)"))] = "";
	struct block_info info;
	size_t at = 0;

	if (*told)
		return;
	*told = true;
	for (unsigned i = 0; block_disk(i); i++) {
		block_info(block_disk(i), &info);
		at += (size_t)snprintf(names + at, sizeof(names) - at, " %s",
				       info.serial[0] ? info.serial : "(none)");
	}
	log_warn("vm: no disk has the serial of %s=%s; there %s%s", word, serial,
		 at > 0 ? "are:" : "is no disk", names);
}

/* Whether a disk can be used: a broken one may still have the name of one that came for it. */
static bool is_usable(struct block_disk *disk, struct block_info *info)
{
	block_info(disk, info);
	return !info->broken && !info->user;
}

static void find_swap(void)
{
	struct block_info info;
	bool automatic = strcmp(config.swap, SERIAL_AUTO) == 0;

	if (!config.swap[0] || vm_swap_disk)
		return;
	if (!vm_swap_forget()) {
		disks.held = true;
		return;
	}
	for (unsigned i = 0; block_disk(i) && !vm_swap_disk; i++)
		if (is_usable(block_disk(i), &info) &&
		    (automatic || strcmp(info.serial, config.swap) == 0))
			use_swap(block_disk(i), &info, !automatic);
	if (vm_swap_disk)
		disks.told_swap = false;
	else if (!automatic && !block_find(config.swap))
		tell_serials("swap", config.swap, &disks.told_swap);
	else if (automatic && !disks.looked)
		log_warn("vm: swap=auto: no disk has Linux's swap signature");
}

static void find_cache(void)
{
	struct block_info info;

	if (!config.cache[0] || vm_cache_disk)
		return;
	if (vm_cache_is_in_use()) {
		disks.held = true;
		return;
	}
	for (unsigned i = 0; block_disk(i) && !vm_cache_disk; i++)
		if (is_usable(block_disk(i), &info) && strcmp(info.serial, config.cache) == 0)
			use_cache(block_disk(i), &info);
	if (vm_cache_disk)
		disks.told_cache = false;
	else if (!block_find(config.cache))
		tell_serials("cache", config.cache, &disks.told_cache);
}

/* Sleeps until disks are to be looked at again: one has come or gone, or users may have ended. */
static void wait_for_change(void)
{
	uint64_t flags = irq_save();
	uint64_t deadline = disks.held ? task_next_look(clock_ns()) : DEADLINE_NEVER;
	bool woken = true;

	while (!disks.come && woken)
		woken = task_wait(&disks.changed, deadline);
	irq_restore(flags);
}

static void look_for_disks(void *unused)
{
	(void)unused;
	for (;;) {
		disks.come = disks.held = false;
		find_swap();
		find_cache();
		vm_reclaim_set_watermarks();
		disks.looked = true;
		task_wake(&disks.changed);
		wait_for_change();
	}
}

void vm_wait_for_disks(void)
{
	if (config.swap[0] || config.cache[0])
		task_await(&disks.changed, &disks.looked, DISKS_NS);
}

void vm_start(const struct vm_config *wanted, void (*show_memory)(void))
{
	config = *wanted;
	vm_lockstep = wanted->lockstep;
	psi_init(&vm_psi, clock_ns());
	vm_pages_start();
	vm_fault_start();
	vm_killer_start(show_memory);
	if (!config.swap[0] && !config.cache[0])
		return;
	vm_reclaim_start();
	block_set_arrival_hook(note_change);
	if (task_create("vm-disks", TASK_PRIORITY_DRIVER, look_for_disks, NULL))
		log_warn("vm: no task to look for disks: there is no swap, and no cache");
}

void vm_figures(struct vm_figures *figures)
{
	struct block_info info;

	*figures = (struct vm_figures){ .active = vm_swap_disk || vm_cache_disk };
	vm_reclaim_figures(figures);
	for (unsigned i = 0; i < VM_USERS_MAX; i++)
		figures->active |= vm_users[i].used;
	if (vm_swap_disk) {
		block_info(vm_swap_disk, &info);
		figures->swap = info.name;
	}
	if (vm_cache_disk) {
		block_info(vm_cache_disk, &info);
		figures->cache = info.name;
		figures->cache_pages = vm_cache_region_pages();
	}
}
