/* SPDX-License-Identifier: BSD-2-Clause */
/* A user's memory, from its beginning to its end. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "kernel/lib/log.h"
#include "kernel/vm/vm_internal.h"

/* The cache's region is the last, there for as long as its disk is in use. */
#define CACHE_REGION (VM_REGIONS_MAX - 1)

bool vm_cache_writes;

static uint64_t users_so_far;

/* Drops what is in memory, or swapped, from `page` to before `end`. Lets others run. */
static void drop(struct vm_region *region, uint64_t page, uint64_t end)
{
	while (page != PAGING_DEMAND_NONE) {
		page = vm_pages_drop(region, page, end);
		paging_demand_flush();
		task_wake(&vm_changed);
		task_yield();
	}
}

void vm_region_empty(struct vm_region *region)
{
	uint64_t end = region->first + region->pages;

	region->going = true;
	/* Whoever empties it may be another than its user, which must not end meanwhile. */
	region->moving++;
	drop(region, region->first, end);
	/* Those of pages that moved, or never came. */
	if (region->tabling == 0)
		paging_demand_trim_all(region->first, end);
	region->moving--;
	task_wake(&vm_changed);
}

static struct vm_region *new_region(uint64_t pages, uint64_t limit)
{
	for (unsigned i = 0; i < CACHE_REGION; i++) {
		struct vm_region *region = &vm_regions[i];

		if (region->used)
			continue;
		*region = (struct vm_region){
			.used = true,
			.kind = VM_ANONYMOUS,
			.first = i * VM_REGION_PAGES,
			.pages = pages,
			.limit = limit,
			.hand = i * VM_REGION_PAGES,
		};
		return region;
	}
	return NULL;
}

void vm_cache_region_open(uint64_t pages)
{
	uint64_t first = CACHE_REGION * VM_REGION_PAGES;

	vm_regions[CACHE_REGION] = (struct vm_region){
		.used = true,
		.kind = VM_CACHE,
		.first = first,
		.pages = min_u64(pages, VM_REGION_PAGES),
		.hand = first,
	};
}

uint64_t vm_cache_region_pages(void)
{
	const struct vm_region *cache = &vm_regions[CACHE_REGION];

	return vm_cache_disk && cache->used ? cache->pages : 0;
}

/* Also frees the clean pages of a disk that is gone, and those that were never written. */
bool vm_cache_is_in_use(void)
{
	struct vm_region *cache = &vm_regions[CACHE_REGION];

	for (unsigned i = 0; i < VM_USERS_MAX; i++)
		if (vm_users[i].used && vm_users[i].region == cache)
			return true;
	if (!cache->used)
		return false;
	vm_region_empty(cache);
	cache->used = false;
	return false;
}

/* What is wrong with the wish; stores the region of a cache's user. */
static int check(const struct vm_want *want, struct vm_region **region)
{
	struct vm_region *cache = &vm_regions[CACHE_REGION];

	*region = NULL;
	if (want->pages == 0 || want->pages > VM_REGION_PAGES)
		return -EINVAL;
	if (want->kind == VM_ANONYMOUS)
		return 0;
	if (!vm_cache_disk || !cache->used || want->first >= cache->pages ||
	    want->pages > cache->pages - want->first)
		return -ENODEV;
	if (want->writes && !vm_cache_writes)
		return -EROFS;
	*region = cache;
	return 0;
}

static struct vm_user *free_user(void)
{
	for (struct vm_user *user = vm_users; user < vm_users + VM_USERS_MAX; user++)
		if (!user->used)
			return user;
	return NULL;
}

int vm_user_begin(const struct vm_want *want, uint8_t **memory)
{
	struct vm_user *user = free_user();
	struct vm_region *region;
	int err = check(want, &region);

	assert(!vm_user_self());
	if (err)
		return err;
	if (user && !region)
		region = new_region(want->pages, want->limit);
	if (!user || !region)
		return -EAGAIN;
	*user = (struct vm_user){
		.used = true,
		.task = task_id(),
		.region = region,
		.first = region->first + want->first,
		.pages = want->pages,
		.writes = want->kind == VM_ANONYMOUS || want->writes,
		.number = ++users_so_far,
		.touches = PAGING_DEMAND_NONE,
		.ahead_next = region->first + want->first,
		.ended = want->ended,
	};
	vm_users_changed();
	*memory = paging_demand_address(user->first);
	return 0;
}

/* ---- Pages that are of no use any more ---- */

void vm_user_discard(uint64_t page, uint64_t count)
{
	struct vm_user *user = vm_user_self();
	uint64_t first, end;

	assert(user && user->region->kind == VM_ANONYMOUS);
	assert(page <= user->pages && count <= user->pages - page);
	/* drop() looks at its first page whatever its end is. */
	if (count == 0)
		return;
	first = user->first + page;
	end = first + count;
	drop(user->region, first, end);
	/* Those that move are dropped when they have come to rest. */
	while (paging_demand_next(first, end) != PAGING_DEMAND_NONE) {
		vm_wait();
		drop(user->region, first, end);
	}
}

/* ---- Its end ---- */

/* Has all that is dirty written, where a power cut does not reach it. */
static void write_back(struct vm_region *cache)
{
	uint64_t page = cache->first;
	bool refused = false;

	while (vm_cache_disk && page != PAGING_DEMAND_NONE) {
		page = vm_write_back(cache, page, &refused);
		if (page != PAGING_DEMAND_NONE)
			vm_wait_cold();
	}
	while (cache->backing > 0)
		vm_wait_cold();
	if (vm_cache_disk && (refused || block_flush(vm_cache_disk)))
		log_warn("vm: the cache's disk does not say that what was written lasts");
}

void vm_user_end(void)
{
	struct vm_user *user = vm_user_self();
	struct vm_region *region;

	assert(user);
	region = user->region;
	if (region->kind == VM_ANONYMOUS) {
		vm_region_empty(region);
		/* Its disk ends what it has in seconds, one way or the other. */
		while (region->moving > 0)
			vm_wait();
		/* What was still coming when it was emptied. */
		vm_region_empty(region);
		assert(region->resident == 0 && region->swapped == 0);
		region->used = false;
	} else if (user->writes) {
		write_back(region);
	}
	user->used = false;
	vm_users_changed();
	if (user->ended)
		user->ended(user->task, user->doomed);
}
