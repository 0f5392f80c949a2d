/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page poison: every frame that is freed is filled with one byte value, at once or
 * later, but before it is used again (mm/frame.h). So a device can rely on it (virtio
 * 1.3, 5.5.6.6), and a use after free can be seen. It costs a write to all memory that
 * is freed. A free block that was reported to a device without PAGE_POISON holds whatever
 * the host put there.
 */
#ifndef MM_POISON_H
#define MM_POISON_H

#include "kernel/lib/types.h"

/* Lets the allocator fill whatever is freed from now on, until the next frame_init(). */
void poison_enable(uint8_t byte);

#endif
