/* SPDX-License-Identifier: BSD-2-Clause */
/* The balloon's settings, and how people write them. Amounts are in frames. */
#ifndef DRIVERS_BALLOON_BALLOON_SETTINGS_H
#define DRIVERS_BALLOON_BALLOON_SETTINGS_H

#include "kernel/lib/types.h"

/* How frames go into the balloon. */
enum balloon_strategy {
	BALLOON_AUTO,	     /* the port's choice */
	BALLOON_PORTABLE,    /* in batches that every host takes */
	BALLOON_WHOLE_BLOCK, /* a whole block in one batch: QEMU frees a huge page only then */
	BALLOON_RANGE_FIRST, /* whole blocks as ranges first, then as frames */
	BALLOON_STRATEGIES,
};

struct balloon_config {
	uint64_t floor; /* free frames that inflation leaves alone */
	enum balloon_strategy strategy;
	bool poison; /* freed frames are filled with poison_byte */
	uint8_t poison_byte;
};

/* Finds a strategy by its name. -EINVAL: none has that name; nothing is stored. */
int balloon_parse_strategy(const char *name, enum balloon_strategy *strategy);

/* Returns a strategy's name. */
const char *balloon_strategy_name(enum balloon_strategy strategy);

/* Returns all the names: "auto, portable, ..." */
const char *balloon_strategy_names(void);

/*
 * Reads a floor as a person writes it: "64M", rounded up to whole frames. Nothing
 * is stored on an error: -EINVAL: no size; -ERANGE: more than this machine's memory.
 */
int balloon_parse_floor(const char *text, uint64_t *floor);

#endif
