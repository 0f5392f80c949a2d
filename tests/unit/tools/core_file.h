/* SPDX-License-Identifier: BSD-2-Clause */
/* core_file.c: an ELF core with the memory that a test wants, in a file without a name. */
#ifndef TESTS_UNIT_TOOLS_CORE_FILE_H
#define TESTS_UNIT_TOOLS_CORE_FILE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/core.h"

struct core_piece {
	uint64_t paddr;
	const void *data;
	size_t size;
};

/*
 * Makes the file and returns its descriptor: a header, program headers, a note as QEMU
 * has one, the pieces.
 */
int core_file_make(const struct core_piece *pieces, size_t count);

/*
 * Opens the file of a descriptor, which need not have a name, as a core, and closes
 * the descriptor. Returns what core_open() returns.
 */
int core_file_open(int fd, struct core **core, char error[CORE_ERROR_MAX]);

/* Gives the offset of program header `i` in the file; 0 is the note, the pieces follow. */
size_t core_file_header(size_t i);

#endif
