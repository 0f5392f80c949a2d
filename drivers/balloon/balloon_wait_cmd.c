/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for the target, from the guest's side: see balloon_wait_cmd.h. As for balloonctl,
 * which looks from the other side, a balloon that moves no more has not failed: the guest
 * keeps what it needs.
 */
#include "drivers/balloon/balloon_wait_cmd.h"

#include <errno.h>
#include <stdio.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon_state.h"
#include "kernel/lib/hooks.h"
#include "kernel/lib/parse.h"
#include "kernel/task/task.h"

/* So long without progress is a standstill, and balloonctl's --patience, too. */
#define PATIENCE_S 5

#define LOOK_NS (10 * NS_PER_MS)

static bool moved_since(const struct balloon_status *before, const struct balloon_status *now)
{
	return before->actual != now->actual || before->target != now->target;
}

static int complain_no_device(void)
{
	printf("balloon: the machine has no usable balloon device\n");
	return BALLOON_WAIT_NO_DEVICE;
}

static int complain_given_up(const struct balloon_status *s)
{
	printf("balloon: the device was given up: %s\n", s->broken);
	return BALLOON_WAIT_GIVEN_UP;
}

/* Says how far it is; `why` is the rest of the sentence. */
static int complain(const struct balloon_status *s, const char *why, int status)
{
	char actual[FORMAT_SIZE_MAX], target[FORMAT_SIZE_MAX];

	printf("balloon: %s: %s of %s are taken\n", why,
	       format_size(pfn_to_paddr(s->actual), actual),
	       format_size(pfn_to_paddr(s->target), target));
	return status;
}

/* Whether there is nothing to wait for: `*result` is the answer then. */
static bool is_settled(const struct balloon_status *s, int *result)
{
	*result = BALLOON_WAIT_REACHED;
	if (!s->present)
		*result = complain_no_device();
	else if (s->broken)
		*result = complain_given_up(s);
	else if (lib_interrupted())
		*result = complain(s, "interrupted", -EINTR);
	else
		return s->actual == s->target;
	return true;
}

int balloon_wait_for_target(const char *seconds)
{
	struct balloon_status before, s;
	uint64_t ns = 0, end, last_move_awake;
	int result;

	if (seconds && parse_seconds(seconds, &ns)) {
		printf("balloon: %s is no time; write a number of seconds, as 10 or 0.5\n",
		       seconds);
		return -ERANGE;
	}
	end = seconds ? clock_ns() + ns : DEADLINE_NEVER;
	last_move_awake = clock_awake_ns();
	balloon_status(&s);
	while (!is_settled(&s, &result)) {
		if (clock_ns() >= end)
			return complain(&s, "time is up", BALLOON_WAIT_TIME_UP);
		if (clock_awake_ns() - last_move_awake >= PATIENCE_S * NS_PER_S)
			return complain(&s, "nothing has moved for 5 s", BALLOON_WAIT_SHORTFALL);
		before = s;
		task_sleep_until(min_u64(end, clock_ns() + LOOK_NS));
		balloon_status(&s);
		if (moved_since(&before, &s))
			last_move_awake = clock_awake_ns();
	}
	return result;
}
