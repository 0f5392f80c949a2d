/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that was taken away unasked: nothing is behind its addresses any more. Who uses some
 * of it cannot be helped, but nobody else is to get any. Tasks only.
 */
#ifndef DRIVERS_MEM_MEM_LOST_H
#define DRIVERS_MEM_MEM_LOST_H

#include "drivers/mem/mem_source.h"

/*
 * Takes what is free of a lost source from the allocator, and lets blocks go that nobody uses:
 * `plugged` is what is left then. To be called once a second until that is 0, as users free
 * theirs whenever they like. The source has claimed nothing.
 */
void mem_lost_look(struct mem_source *source);

#endif
