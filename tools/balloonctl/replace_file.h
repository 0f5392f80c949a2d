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
 * Opens the other file, for the caller to write to `file`, and then to commit or
 * abort. Mode 0644, less the umask. -EEXIST: at `path` is a device, a link or the
 * like, and stays; -ENOMEM; or what mkstemp(3) says.
 */
int replace_begin(struct replacement *replacement, const char *path);

/*
 * Puts the file into its place: all was written. On failure the old file stays and
 * the new one is gone. Returns 0, or a negative errno: -EIO, -ENOSPC and what else
 * write(2) and rename(2) say.
 */
int replace_commit(struct replacement *replacement);

/* Removes the new file; the old one stays. */
void replace_abort(struct replacement *replacement);

/* Gives the words for an error of replace_begin() or replace_commit(). */
const char *replace_error(int err);

#endif
