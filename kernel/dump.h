/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way in for a reader of the guest's memory from outside (tools/dump_root.c):
 * a structure at the start of a page of the image, within the first
 * DUMP_LIMIT bytes of physical memory. It names the parts that it leads to:
 * mm/frame_dump.h, drivers/balloon/balloon_dump.h, kernel/lib/epitaph.h,
 * kernel/lib/events_dump.h and mm/vm_dump.h.
 *
 * Everything is a constant that the linker fills in, so it costs nothing at
 * boot and cannot go stale; the counters and tables themselves are read where
 * the kernel has them. All fields have a fixed width, and addresses are
 * physical, as all of the kernel's are. Host programs include this file.
 */
#ifndef KERNEL_DUMP_H
#define KERNEL_DUMP_H

#include <stdint.h>

#define DUMP_MAGIC "Aerostat dump\r\n" /* with its NUL: DUMP_MAGIC_SIZE bytes */
#define DUMP_MAGIC_SIZE 16

/* Grows when a field here changes its meaning; the parts have versions of their own. */
#define DUMP_VERSION 4

/* Room for the version of Aerostat, its NUL included. */
#define DUMP_RELEASE_MAX 24

#define DUMP_PAGE 4096
#define DUMP_LIMIT (64 * 1024 * 1024)

struct dump_root {
	char magic[DUMP_MAGIC_SIZE];
	uint32_t version;
	uint32_t size;	  /* of this structure */
	uint64_t self;	  /* its address, by which a copy (in a loader's image) is told apart */
	uint64_t frames;  /* struct frame_dump */
	uint64_t balloon; /* struct balloon_dump */
	uint64_t epitaph; /* struct epitaph */
	uint64_t events;  /* struct events_dump */
	uint64_t vm;	  /* struct vm_dump */
	char release[DUMP_RELEASE_MAX]; /* "1.2.3" */
};

extern const struct dump_root dump_root;

#endif
