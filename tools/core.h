/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core.c: a machine's memory by physical address: in a file, an ELF64 core as QMP's
 * dump-guest-memory makes it (paging=false), or wherever the caller reads it from.
 * It knows nothing of what lies in that memory, and reads only what it is asked for: where
 * no memory is plugged, the file may have holes.
 *
 * The file is input. On failure a function that takes `error` leaves a sentence
 * of at most CORE_ERROR_MAX bytes in it.
 */
#ifndef TOOLS_CORE_H
#define TOOLS_CORE_H

#include <stddef.h>
#include <stdint.h>

#define CORE_ERROR_MAX 200

/* Segments of memory: a few, or one for every second block where memory came and went. */
#define CORE_SEGMENTS_MAX (1024 * 1024)

struct core;

/*
 * Opens a dump and checks its headers; *core is the caller's by core_close().
 * -EINVAL: the file is no dump, or a damaged one; -ENOMEM; or what open(2) says.
 */
int core_open(const char *path, struct core **core, char error[CORE_ERROR_MAX]);

/*
 * Reads `size` bytes at a physical address for core_read(), whose errors are its own:
 * -EFAULT: there is no such memory; any other: it cannot be read now.
 */
typedef int (*core_reader)(void *context, uint64_t paddr, void *to, size_t size);

/* Makes a core of memory that `read` gives; *core is the caller's by core_close(). -ENOMEM. */
int core_open_reader(core_reader read, void *context, struct core **core);

/* Closes and frees; NULL is allowed. */
void core_close(struct core *core);

/*
 * Reads `size` bytes of memory. -EFAULT: not all of them are in the dump; -EIO:
 * the file cannot be read (any more); or what a core_reader gives.
 */
int core_read(const struct core *core, uint64_t paddr, void *to, size_t size);

#endif
