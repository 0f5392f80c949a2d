/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When nothing else helps: of the tasks with anonymous memory, the one that has most, in
 * memory and on the swap disk, ends; of equals the one that began last.
 */
#include <inttypes.h>

#include "kernel/lib/log.h"
#include "kernel/vm/vm_internal.h"

static void (*show)(void); /* prints where all memory is */

void vm_killer_start(void (*show_memory)(void))
{
	show = show_memory;
}

static uint64_t size_of(const struct vm_user *user)
{
	return user->region->resident + user->region->swapped;
}

static bool is_better(const struct vm_user *user, const struct vm_user *best)
{
	if (!best || size_of(user) != size_of(best))
		return !best || size_of(user) > size_of(best);
	return user->number > best->number;
}

static struct vm_user *choose(void)
{
	struct vm_user *best = NULL;

	for (struct vm_user *user = vm_users; user < vm_users + VM_USERS_MAX; user++)
		if (user->used && !user->doomed && user->region->kind == VM_ANONYMOUS &&
		    size_of(user) > 0 && is_better(user, best))
			best = user;
	return best;
}

/* One that is to end, and has not given back what it has in memory. */
static struct vm_user *find_ending(void)
{
	for (struct vm_user *user = vm_users; user < vm_users + VM_USERS_MAX; user++)
		if (user->used && user->doomed && user->region->kind == VM_ANONYMOUS &&
		    user->region->resident > 0)
			return user;
	return NULL;
}

/* What is printed may have to wait for the console, and the victim runs meanwhile. */
static void kill(struct vm_user *victim, uint64_t in_vain_ns)
{
	uint64_t resident = victim->region->resident, swapped = victim->region->swapped;
	unsigned task = victim->task;

	vm_events.oom_kills++;
	vm_user_doom(task, "out of memory");
	show();
	log_warn("vm: out of memory: task %u ends, which has %" PRIu64 " kB in memory and %" PRIu64
		 " kB swapped; for %" PRIu64 " ms no page could go",
		 task, resident * FRAME_KIB, swapped * FRAME_KIB, in_vain_ns / NS_PER_MS);
}

bool vm_kill(uint64_t in_vain_ns)
{
	struct vm_user *victim = find_ending();
	struct vm_region *region;

	if (victim) {
		vm_region_empty(victim->region);
		return true;
	}
	victim = choose();
	if (!victim)
		return false;
	region = victim->region;
	region->moving++;
	kill(victim, in_vain_ns);
	vm_region_empty(region);
	region->moving--;
	task_wake(&vm_changed);
	return true;
}
