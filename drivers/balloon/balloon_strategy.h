/* SPDX-License-Identifier: BSD-2-Clause */
/* How frames go into the balloon, and what people call that. */
#ifndef DRIVERS_BALLOON_BALLOON_STRATEGY_H
#define DRIVERS_BALLOON_BALLOON_STRATEGY_H

enum balloon_strategy {
	BALLOON_AUTO,	     /* the port's choice */
	BALLOON_PORTABLE,    /* in batches that every host takes */
	BALLOON_WHOLE_BLOCK, /* a whole block in one batch: QEMU frees a huge page only then */
	BALLOON_RANGE_FIRST, /* whole blocks as ranges first, then as frames */
	BALLOON_STRATEGIES,
};

/* Finds a strategy by its name. -EINVAL: none has that name; nothing is stored. */
int balloon_parse_strategy(const char *name, enum balloon_strategy *strategy);

/* Returns its name. */
const char *balloon_strategy_name(enum balloon_strategy strategy);

/* All the names, as a sentence has them. */
#define BALLOON_STRATEGY_NAMES "auto, portable, whole-block or range-first"

#endif
