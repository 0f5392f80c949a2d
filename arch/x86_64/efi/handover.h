/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decisions of the UEFI loader before it calls the kernel. They call no
 * firmware and touch no memory but their arguments, so that they are tested on
 * the host; loader.c talks to the firmware.
 */
#ifndef ARCH_X86_64_EFI_HANDOVER_H
#define ARCH_X86_64_EFI_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/boot_info.h"

#define KERNEL_PAGE_SIZE 4096

struct kernel_image {
	uint64_t start; /* physical address, first page */
	uint64_t end;	/* physical address, past the last page */
	uint64_t entry; /* physical address of the first instruction */
};

/*
 * Checks the ELF file of `size` bytes at `elf` (8-byte aligned) and stores where
 * it must be loaded. Returns NULL, or what is wrong with it, for a person; then it
 * must not be loaded.
 */
const char *handover_check_kernel(const void *elf, size_t size, struct kernel_image *image);

/*
 * Copies the segments of a checked file to `memory`, which stands for
 * image->start and has image->end - image->start bytes; what the file does
 * not fill becomes zero.
 */
void handover_load_kernel(const void *elf, const struct kernel_image *image, void *memory);

/*
 * Makes a command line from an image's load options: UCS-2, `size` bytes, at any
 * alignment, with or without a NUL. Drops the image's own name at the start;
 * anything but printable ASCII becomes '?'. Options that do not begin as text are
 * binary data of a boot entry and give an empty line. What does not fit is cut,
 * and noted in `info`.
 */
void handover_set_options(struct boot_info *info, const void *options, size_t size);

/*
 * Adds `size` bytes of a text file to a command line that begins empty: line ends become
 * blanks, anything but printable ASCII '?'. What does not fit is cut, and noted in `info`.
 * Returns whether what follows in the file matters.
 */
bool handover_add_text(struct boot_info *info, const char *text, size_t size);

/* Ends that line after its last word. */
void handover_end_text(struct boot_info *info);

/*
 * Adds a range to the memory map of `info`, joining it to a neighbour of the same
 * type. A range for which there is no room is counted as dropped. An empty range
 * changes nothing; one beyond the last address is cut there.
 */
void handover_add_memory(struct boot_info *info, uint64_t start, uint64_t pages, uint32_t type);

#endif
