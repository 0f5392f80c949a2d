/* SPDX-License-Identifier: BSD-2-Clause */
/* The tasks that use memory that can be taken back, and how long they wait for it. */
#include <assert.h>
#include <errno.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "kernel/vm/vm_internal.h"
#include "mm/psi.h"

struct vm_user vm_users[VM_USERS_MAX];
struct psi vm_psi;

static struct vm_user *find(unsigned task)
{
	for (struct vm_user *user = vm_users; user < vm_users + VM_USERS_MAX; user++)
		if (user->used && user->task == task)
			return user;
	return NULL;
}

void vm_users_changed(void)
{
	unsigned active = 0, stalled = 0;

	for (const struct vm_user *user = vm_users; user < vm_users + VM_USERS_MAX; user++) {
		active += user->used && !user->idle;
		stalled += user->used && user->stalls > 0;
	}
	psi_set(&vm_psi, stalled, active > stalled, clock_ns());
}

struct vm_user *vm_user_self(void)
{
	return find(task_id());
}

const char *vm_user_is_doomed(void)
{
	const struct vm_user *user = vm_user_self();

	return user ? user->doomed : NULL;
}

void vm_user_sleep_until(uint64_t deadline)
{
	struct vm_user *user = vm_user_self();
	uint64_t flags = irq_save();

	assert(user);
	user->idle = true;
	vm_users_changed();
	while (!user->doomed && clock_ns() < deadline)
		task_wait(&vm_changed, deadline);
	user->idle = false;
	vm_users_changed();
	irq_restore(flags);
}

void vm_user_wait_for_end(void)
{
	vm_user_sleep_until(DEADLINE_NEVER);
}

int vm_user_doom(unsigned task, const char *why)
{
	struct vm_user *user = find(task);

	if (!user)
		return -ESRCH;
	if (!user->doomed)
		user->doomed = why;
	task_wake(&vm_changed);
	return 0;
}

void vm_doom_cache_users(const char *why)
{
	for (struct vm_user *user = vm_users; user < vm_users + VM_USERS_MAX; user++)
		if (user->used && user->region->kind == VM_CACHE)
			vm_user_doom(user->task, why);
}

void vm_doom_swapped_users(const char *why)
{
	for (struct vm_user *user = vm_users; user < vm_users + VM_USERS_MAX; user++)
		if (user->used && user->region->kind == VM_ANONYMOUS && user->region->swapped > 0)
			vm_user_doom(user->task, why);
}

void vm_page_failed(uint64_t page)
{
	for (struct vm_user *user = vm_users; user < vm_users + VM_USERS_MAX; user++)
		if (user->used && user->touches == page)
			user->failures++;
}

bool vm_user_describe(unsigned task, struct vm_user_info *info)
{
	const struct vm_user *user = find(task);
	bool anonymous = user && user->region->kind == VM_ANONYMOUS;

	if (!user)
		return false;
	*info = (struct vm_user_info){
		.task = task,
		.kind = user->region->kind,
		.pages = user->pages,
		.resident = anonymous ? user->region->resident : 0,
		.swapped = anonymous ? user->region->swapped : 0,
		.limit = user->region->limit,
		.doomed = user->doomed,
		.stalled = user->stalls > 0,
	};
	return true;
}

/* ---- Waits for memory ---- */

void vm_stall_begin(void)
{
	struct vm_user *user = vm_user_self();

	if (!user)
		return;
	user->stalls++;
	vm_users_changed();
}

void vm_stall_end(void)
{
	struct vm_user *user = vm_user_self();

	if (!user)
		return;
	assert(user->stalls > 0);
	user->stalls--;
	vm_users_changed();
}
