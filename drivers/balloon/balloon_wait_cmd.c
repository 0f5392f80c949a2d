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

/* Of all balloons that have a host. */
struct look {
	struct balloon_status sum;
	const char *broken; /* of one that was given up; NULL: none was */
	bool reached;	    /* each has its target */
	bool moved;	    /* since the last look */
};

/* Looks at them; of the last look, `look` still has the sum. */
static void take_look(struct look *look)
{
	struct balloon_status before = look->sum, one;

	balloon_status(&look->sum);
	look->moved = before.actual != look->sum.actual || before.target != look->sum.target;
	look->broken = NULL;
	look->reached = true;
	for (size_t i = 0; i < BALLOONS; i++) {
		if (!balloon_status_of(i, &one))
			continue;
		look->broken = one.broken ? one.broken : look->broken;
		look->reached = look->reached && one.actual == one.target;
	}
}

static int complain_no_device(void)
{
	printf("balloon: the machine has no usable balloon device\n");
	return BALLOON_WAIT_NO_DEVICE;
}

static int complain_given_up(const char *why)
{
	printf("balloon: the device was given up: %s\n", why);
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
static bool is_settled(const struct look *look, int *result)
{
	*result = BALLOON_WAIT_REACHED;
	if (!look->sum.present)
		*result = complain_no_device();
	else if (look->broken)
		*result = complain_given_up(look->broken);
	else if (lib_interrupted())
		*result = complain(&look->sum, "interrupted", -EINTR);
	else
		return look->reached;
	return true;
}

int balloon_wait_for_target(const char *seconds)
{
	uint64_t ns = 0, end, last_move_awake;
	struct look look = { 0 };
	int result;

	if (seconds && parse_seconds(seconds, &ns)) {
		printf("balloon: %s is no time; write a number of seconds, as 10 or 0.5\n",
		       seconds);
		return -ERANGE;
	}
	end = seconds ? clock_ns() + ns : DEADLINE_NEVER;
	last_move_awake = clock_awake_ns();
	take_look(&look);
	while (!is_settled(&look, &result)) {
		if (clock_ns() >= end)
			return complain(&look.sum, "time is up", BALLOON_WAIT_TIME_UP);
		if (clock_awake_ns() - last_move_awake >= PATIENCE_S * NS_PER_S)
			return complain(&look.sum, "nothing has moved for 5 s",
					BALLOON_WAIT_SHORTFALL);
		task_sleep_until(min_u64(end, clock_ns() + LOOK_NS));
		take_look(&look);
		if (look.moved)
			last_move_awake = clock_awake_ns();
	}
	return result;
}
