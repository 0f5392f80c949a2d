/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and sizes; see balloon_settings.h. */
#include "drivers/balloon/balloon_settings.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "kernel/lib/parse.h"
#include "mm/ledger.h"

#define STRATEGY_NAMES(X) \
	X(BALLOON_AUTO, "auto") \
	X(BALLOON_PORTABLE, "portable") \
	X(BALLOON_WHOLE_BLOCK, "whole-block") \
	X(BALLOON_RANGE_FIRST, "range-first")

static const char *const strategy_names[BALLOON_STRATEGIES] = {
#define STRATEGY_NAME(constant, name) [constant] = (name),
	STRATEGY_NAMES(STRATEGY_NAME)
};

const char *balloon_strategy_name(enum balloon_strategy strategy)
{
	assert(strategy < BALLOON_STRATEGIES);
	return strategy_names[strategy];
}

const char *balloon_strategy_names(void)
{
#define AFTER_COMMA(constant, name) ", " name
	return &(STRATEGY_NAMES(AFTER_COMMA))[strlen(", ")];
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

int balloon_parse_floor(const char *text, uint64_t *floor)
{
	uint64_t bytes;

	if (parse_size(text, &bytes))
		return -EINVAL;
	if (bytes >> FRAME_SHIFT > ledger_managed())
		return -ERANGE;
	*floor = (bytes >> FRAME_SHIFT) + (bytes % FRAME_SIZE != 0);
	return 0;
}
