/* SPDX-License-Identifier: BSD-2-Clause */
/* Rewrites busy holds, after whatever else there is to do; see hold.h. */
#include "kernel/hold.h"

#include "kernel/task/task.h"

static bool running;

static void rewrite(void *arg)
{
	(void)arg;
	while (hold_rewrite_some())
		;
	running = false;
}

int hold_task_start(void)
{
	int err;

	if (running)
		return 0;
	err = task_create("hold", TASK_PRIORITY_BACKGROUND, rewrite, NULL);
	running = !err;
	return err;
}
