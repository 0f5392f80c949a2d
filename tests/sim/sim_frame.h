/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame_alloc() and frame_free() for host tests of drivers that only need a
 * few runs of frames. The frames are real memory below 4 GiB, so that a legacy
 * device can be told their address; they are full of junk when allocated.
 */
#ifndef TESTS_SIM_SIM_FRAME_H
#define TESTS_SIM_SIM_FRAME_H

#include "mm/frame.h"

#define SIM_FRAME_COUNT 256
#define SIM_FRAME_JUNK 0xa5

/* Frees all of them; nothing fails. */
void sim_frame_reset(void);

/* Returns how many frames are allocated now. */
size_t sim_frame_in_use(void);

/* Makes frame_alloc() return -ENOMEM from now on, or no longer. */
void sim_frame_fail(bool fail);

/* Lets `count` more allocations succeed, at least 1, and then none. */
void sim_frame_fail_after(size_t count);

#endif
