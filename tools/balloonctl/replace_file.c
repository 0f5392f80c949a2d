/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes a file under another name, then renames it: see replace_file.h. */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/balloonctl/replace_file.h"

/*
 * rename() would put a file where /dev/null or the link /dev/stdout was, for
 * all who use that name after us.
 */
static bool may_be_replaced(const char *path)
{
	struct stat st;

	return lstat(path, &st) || S_ISREG(st.st_mode);
}

int replace_begin(struct replacement *replacement, const char *path)
{
	mode_t mask = umask(0);
	int fd, err;

	umask(mask);
	*replacement = (struct replacement){ .path = path };
	if (!may_be_replaced(path))
		return -EEXIST;
	/*
	 * In this folder, or rename() would not be atomic; under a name that no
	 * collector of *.prom reads.
	 */
	if (asprintf(&replacement->temporary, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkstemp(replacement->temporary);
	if (fd >= 0 && fchmod(fd, 0644 & ~mask) == 0)
		replacement->file = fdopen(fd, "w");
	if (replacement->file)
		return 0;
	err = -errno;
	if (fd >= 0) {
		close(fd);
		unlink(replacement->temporary);
	}
	replace_abort(replacement);
	return err;
}

void replace_abort(struct replacement *replacement)
{
	if (replacement->file) {
		fclose(replacement->file);
		unlink(replacement->temporary);
	}
	free(replacement->temporary);
	*replacement = (struct replacement){ 0 };
}

int replace_commit(struct replacement *replacement)
{
	int err = 0;

	assert(replacement->file);
	if (fflush(replacement->file) || ferror(replacement->file) ||
	    rename(replacement->temporary, replacement->path))
		err = errno ? -errno : -EIO;
	if (err) {
		replace_abort(replacement);
		return err;
	}
	fclose(replacement->file);
	free(replacement->temporary);
	*replacement = (struct replacement){ 0 };
	return 0;
}

const char *replace_error(int err)
{
	if (err == -EEXIST)
		return "there is something that is no regular file, and stays";
	return strerror(-err);
}
