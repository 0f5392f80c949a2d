/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * opened_dump.c: a core that was made of a guest with the real mm/ code, opened as a dump by
 * tools/frame_dump.c. The guest has a driver with an event, and has not panicked.
 */
#ifndef TESTS_UNIT_TOOLS_OPENED_DUMP_H
#define TESTS_UNIT_TOOLS_OPENED_DUMP_H

#include "tests/unit/tools/core_file.h"
#include "tools/frame_dump.h"

struct opened {
	struct core *core;
	struct frame_dump_reader *dump;
	char error[CORE_ERROR_MAX];
	int err; /* what frame_dump_open() returned */
};

/*
 * Makes a core of the pieces, opens it, which must succeed, and opens the dump in it, which
 * need not. To be closed by done().
 */
struct opened open_pieces(const struct core_piece *pieces, size_t count);

/* Closes dump and core. */
void done(struct opened *o);

/* Gives the figures; must succeed. */
struct mem_figures figures_of(const struct opened *o);

/* Fails unless frames, free runs, audit and sum are what the guest says of itself now. */
void assert_same_figures(const struct mem_figures *f);

#endif
