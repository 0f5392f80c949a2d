/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress.c: how far a guest is on its way to a target: a bar that moves on a
 * terminal, a line now and then anywhere else. Times are in milliseconds.
 */
#ifndef TOOLS_BALLOONCTL_PROGRESS_H
#define TOOLS_BALLOONCTL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRESS_SAMPLES 8
#define PROGRESS_WIDTH_MAX 120 /* columns */

struct progress {
	uint64_t ram, start, goal; /* bytes left to the guest */
	bool terminal;		   /* stdout is one */
	bool shown;		   /* a bar stands on the line */
	int64_t next_line;	   /* not before, without a terminal */
	struct {
		int64_t time;
		uint64_t left;
	} samples[PROGRESS_SAMPLES]; /* the newest, for the rate */
	unsigned count;
};

/* Begins at `left` bytes; the goal may be more than the RAM, as it may grow. Shows nothing yet. */
void progress_begin(struct progress *progress, uint64_t ram, uint64_t left, uint64_t goal,
		    int64_t now);

/* Adds what is left now, of a RAM that may have grown or shrunk, and shows it. */
void progress_update(struct progress *progress, uint64_t ram, uint64_t left, int64_t now);

/* Leaves the line of the bar; may be called when there is none. */
void progress_end(struct progress *progress);

/*
 * progress_text.c: writes what is shown, in at most `width` columns; `text` has room
 * for `width` + 1 bytes.
 */
void progress_text(const struct progress *progress, char *text, size_t width);

#endif
