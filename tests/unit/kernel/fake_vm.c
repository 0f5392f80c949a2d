/* SPDX-License-Identifier: BSD-2-Clause */
/* Users whose memory never goes; see fake_vm.h. */
#include "tests/unit/kernel/fake_vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "kernel/task/task.h"

int fake_vm_err;
struct vm_want fake_vm_want;
uint8_t *fake_vm_memory;
uint64_t fake_vm_came_back, fake_vm_discarded;
unsigned fake_vm_wrong, fake_vm_announced, fake_vm_sleeps;

static struct user {
	bool used;
	unsigned task;
	const char *doomed;
	uint8_t *memory;
	void (*ended)(unsigned task, const char *why);
} users[VM_USERS_MAX];

static struct wait_queue changed;

static struct user *find(unsigned task)
{
	for (struct user *user = users; user < users + VM_USERS_MAX; user++)
		if (user->used && user->task == task)
			return user;
	return NULL;
}

void fake_vm_reset(void)
{
	for (struct user *user = users; user < users + VM_USERS_MAX; user++) {
		free(user->memory);
		*user = (struct user){ .used = false };
	}
	fake_vm_err = 0;
	fake_vm_came_back = UINT64_MAX;
	fake_vm_discarded = 0;
	fake_vm_wrong = fake_vm_announced = fake_vm_sleeps = 0;
	fake_vm_memory = NULL;
}

unsigned fake_vm_users(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < VM_USERS_MAX; i++)
		count += users[i].used;
	return count;
}

uint64_t fake_vm_touches(uint64_t page)
{
	uint64_t words[2];

	memcpy(words, fake_vm_memory + page * FRAME_SIZE, sizeof(words));
	return words[1];
}

void fake_vm_end_all(void)
{
	for (unsigned i = 0; i < VM_USERS_MAX; i++)
		if (users[i].used)
			vm_user_doom(users[i].task, "the end");
	while (fake_vm_users() > 0)
		task_sleep_until(clock_ns() + NS_PER_MS);
}

/* ---- kernel/vm/vm.h ---- */

int vm_user_begin(const struct vm_want *want, uint8_t **memory)
{
	struct user *user = users;

	fake_vm_want = *want;
	if (fake_vm_err)
		return fake_vm_err;
	while (user->used)
		user++;
	free(user->memory);
	*user = (struct user){ .used = true,
			       .task = task_id(),
			       .ended = want->ended,
			       .memory = aligned_alloc(FRAME_SIZE, FAKE_VM_PAGES * FRAME_SIZE) };
	memset(user->memory, 0, FAKE_VM_PAGES * FRAME_SIZE);
	*memory = fake_vm_memory = user->memory;
	return 0;
}

void vm_user_end(void)
{
	struct user *user = find(task_id());

	user->used = false;
	user->ended(user->task, user->doomed);
}

int vm_user_doom(unsigned task, const char *why)
{
	struct user *user = find(task);

	if (!user)
		return -ESRCH;
	user->doomed = why;
	task_wake(&changed);
	return 0;
}

const char *vm_user_is_doomed(void)
{
	return find(task_id())->doomed;
}

void vm_user_sleep_until(uint64_t deadline)
{
	struct user *user = find(task_id());
	uint64_t flags = irq_save();

	fake_vm_sleeps++;
	while (!user->doomed && clock_ns() < deadline)
		task_wait(&changed, deadline);
	irq_restore(flags);
}

void vm_user_wait_for_end(void)
{
	vm_user_sleep_until(DEADLINE_NEVER);
}

void vm_user_discard(uint64_t page, uint64_t count)
{
	memset(find(task_id())->memory + page * FRAME_SIZE, 0, count * FRAME_SIZE);
	fake_vm_discarded += count;
}

bool vm_page_came_back(uint64_t page)
{
	bool came = page == fake_vm_came_back;

	if (came)
		fake_vm_came_back = UINT64_MAX;
	return came;
}

void vm_page_is_wrong(uint64_t page)
{
	(void)page;
	fake_vm_wrong++;
}

void vm_user_will_touch(uint64_t page, uint64_t count)
{
	(void)page, (void)count;
	fake_vm_announced++;
}
