/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load.c: the guest's kernel, an ELF file of 32 or 64 bits with a PVH note (Xen's
 * docs/misc/pvh.pandoc). What comes after its end, from the next multiple of 4 KiB on, is
 * the guest's own module: an initramfs.
 */
#ifndef TESTS_HYPERVISOR_LOAD_H
#define TESTS_HYPERVISOR_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#define LOAD_SEGMENTS 16

/* What goes where: bytes of the file, and where they and the zeros after them go. */
struct load_segment {
	uint64_t offset, file_size;
	uint64_t address, memory_size;
};

struct load_image {
	struct load_segment segment[LOAD_SEGMENTS];
	unsigned segments;
	uint64_t entry; /* the 32-bit one */
	uint64_t end;	/* of the file, before what follows it */
};

/* Reads the headers of a file of `size` bytes. Returns what is wrong with it; NULL: nothing. */
const char *load_read(const uint8_t *file, uint64_t size, struct load_image *image);

/* Tells whether a piece of memory is where a segment will be. */
bool load_overlaps(const struct load_image *image, uint64_t address, uint64_t size);

#endif
