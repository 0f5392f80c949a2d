/* SPDX-License-Identifier: BSD-2-Clause */
/* The way into a dump of the guest's memory: see dump.h. */
#include "kernel/dump.h"

#include "drivers/balloon/balloon_dump.h"
#include "mm/frame_dump.h"

_Static_assert(sizeof(DUMP_MAGIC) == DUMP_MAGIC_SIZE, "the magic fills its field");

/* linker.ld puts the section at the start of a page. */
__attribute__((section(".dump"), used, aligned(DUMP_PAGE))) const struct dump_root dump_root = {
	.magic = DUMP_MAGIC,
	.version = DUMP_VERSION,
	.size = sizeof(struct dump_root),
	.self = (uintptr_t)&dump_root,
	.frames = (uintptr_t)&frame_dump,
	.balloon = (uintptr_t)&balloon_dump,
};
