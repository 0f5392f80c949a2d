/* SPDX-License-Identifier: BSD-2-Clause */
/* The strategies' names: see balloon_strategy.h. */
#include "drivers/balloon/balloon_strategy.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "kernel/lib/types.h"

static const char *const strategy_names[BALLOON_STRATEGIES] = {
	[BALLOON_AUTO] = "auto",
	[BALLOON_PORTABLE] = "portable",
	[BALLOON_WHOLE_BLOCK] = "whole-block",
	[BALLOON_RANGE_FIRST] = "range-first",
};

const char *balloon_strategy_name(enum balloon_strategy strategy)
{
	assert(strategy < BALLOON_STRATEGIES);
	return strategy_names[strategy];
}

int balloon_parse_strategy(const char *name, enum balloon_strategy *strategy)
{
	for (size_t i = 0; i < BALLOON_STRATEGIES; i++) {
		if (strcmp(name, strategy_names[i]) == 0) {
			*strategy = (enum balloon_strategy)i;
			return 0;
		}
	}
	return -EINVAL;
}
