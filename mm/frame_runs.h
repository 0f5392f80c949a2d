/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bitmap of a block's free frames, a bit for each, and the naturally
 * aligned runs of 2^order set bits in it.
 */
#ifndef MM_FRAME_RUNS_H
#define MM_FRAME_RUNS_H

#include "kernel/lib/types.h"

#define BLOCK_WORDS (BLOCK_FRAMES / 64)

/* No frame is free. */
#define ORDER_NONE 0xff

/* No such run. */
#define RUN_NONE UINT32_MAX

/* The first frame of the lowest aligned free run of 2^order, or RUN_NONE. */
unsigned frame_runs_lowest(const uint64_t free[BLOCK_WORDS], unsigned order);

/*
 * The order of the largest aligned free run, which is known to be `at_most` or
 * less. A frame must be free.
 */
uint8_t frame_runs_largest(const uint64_t free[BLOCK_WORDS], unsigned at_most);

/* The order of the largest aligned free run around an aligned one of 2^order. */
uint8_t frame_runs_around(const uint64_t free[BLOCK_WORDS], unsigned first, unsigned order);

/* Sets or clears `count` bits from `first` on. */
void frame_runs_mark(uint64_t free[BLOCK_WORDS], unsigned first, unsigned count, bool is_free);

#endif
