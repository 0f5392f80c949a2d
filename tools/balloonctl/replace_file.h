/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replace_file.c: a file that others may read at any moment is written under
 * another name first, and put into its place when it is whole.
 */
#ifndef TOOLS_BALLOONCTL_REPLACE_FILE_H
#define TOOLS_BALLOONCTL_REPLACE_FILE_H

#include <stdio.h>

struct replacement {
	FILE *file;
	char *temporary;
	const char *path; /* not ours */
};

/*
 * Write to @replacement->file then. Mode 0644, less the umask. 0 or a negative
 * errno; -EEXIST: what is there is a device, a link or the like, and stays.
 */
int replace_begin(struct replacement *replacement, const char *path);

/* All was written: put it into place. On failure what was there stays. */
int replace_commit(struct replacement *replacement);

/* Forget it; what was there stays. */
void replace_abort(struct replacement *replacement);

/* Words for what these gave. */
const char *replace_error(int err);

#endif
