/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dump_root.c: finds in a dump of a guest's memory what kernel/dump.h speaks of,
 * and reads the parts that it leads to. For the files that know these parts.
 *
 * The dump is input. Functions return 0 or a negative errno (-EINVAL: no dump of
 * this kernel, or a damaged one; -EIO), with a sentence in `error`.
 */
#ifndef TOOLS_DUMP_ROOT_H
#define TOOLS_DUMP_ROOT_H

#include <stdbool.h>

#include "kernel/dump.h"
#include "tools/core.h"

/* Leaves the sentence in `error`; returns `err`. */
__attribute__((format(printf, 3, 4))) int dump_fail(char error[CORE_ERROR_MAX], int err,
						    const char *format, ...);

/*
 * Reads `count` elements of `size` bytes of the array at physical address `array`,
 * from element `first` on; `what` names it in the sentence. -EINVAL: not all of
 * them are in the dump; -EIO.
 */
int dump_read(const struct core *core, uint64_t array, uint64_t first, size_t size, size_t count,
	      void *to, const char *what, char error[CORE_ERROR_MAX]);

/*
 * Tells whether text of at most `size` bytes is a name, as people and JSON are shown it: small
 * letters, digits and hyphens, with a NUL. May be empty.
 */
bool dump_is_name(const char *text, size_t size);

/* Finds the root; -EINVAL, too: it is of another version. */
int dump_read_root(const struct core *core, struct dump_root *root, char error[CORE_ERROR_MAX]);

/* Reads a part, whose first two fields are its version and size; -EINVAL, too: not these. */
int dump_read_part(const struct core *core, const char *what, uint64_t paddr, uint32_t version,
		   void *part, size_t size, char error[CORE_ERROR_MAX]);

#endif
