/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame_alloc(), frame_free() and frame_owner() for host tests that only need a
 * few runs of frames. The frames are real memory below 4 GiB, as legacy devices
 * need; they come full of junk.
 */
#ifndef TESTS_SIM_SIM_FRAME_H
#define TESTS_SIM_SIM_FRAME_H

#include "mm/frame.h"

#define SIM_FRAME_COUNT 256
#define SIM_FRAME_JUNK 0xa5

/* Makes all of them free; nothing fails. */
void sim_frame_reset(void);

/* Counts the frames that are allocated. */
size_t sim_frame_in_use(void);

/* Makes frame_alloc() fail from now on with -ENOMEM, or ends that. */
void sim_frame_fail(bool fail);

/* Lets `count` more allocations succeed, at least 1, and then none. */
void sim_frame_fail_after(size_t count);

#endif
