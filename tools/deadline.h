/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deadlines for the host tools: a point in monotonic time, in milliseconds.
 * Every wait on QEMU or on the guest carries one, so that nothing can hang a
 * person's terminal or a test run.
 */
#ifndef TOOLS_DEADLINE_H
#define TOOLS_DEADLINE_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

#define DEADLINE_NONE INT64_MAX

/* Gives the present, as a deadline. */
static inline int64_t deadline_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Gives the deadline that lies so far ahead. */
static inline int64_t deadline_in(int timeout_ms)
{
	return deadline_now() + timeout_ms;
}

/* Gives the earlier of two deadlines. */
static inline int64_t deadline_first(int64_t one, int64_t other)
{
	return one < other ? one : other;
}

/* Returns the milliseconds until `deadline`, never negative, as poll(2) takes them. */
static inline int deadline_left(int64_t deadline)
{
	int64_t left = deadline - deadline_now();

	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

#endif
