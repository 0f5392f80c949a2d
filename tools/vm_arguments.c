/* SPDX-License-Identifier: BSD-2-Clause */
/* QEMU's command line; see vm_arguments.h. */
#include "tools/vm_arguments.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* One argument a line; an empty line is an empty argument. */
int vm_read_arguments(char *args[], size_t max)
{
	FILE *print;
	size_t count = 0, size = 0;
	bool more;
	ssize_t len;

	args[0] = NULL;
	print = popen("tools/run.sh --print", "re");
	if (!print)
		return -errno;
	while (count < max - 1 && (len = getline(&args[count], &size, print)) > 0) {
		args[count++][len - 1] = '\0';
		args[count] = NULL;
		size = 0;
	}
	free(args[count]);
	args[count] = NULL;
	more = fgetc(print) != EOF;
	if ((pclose(print) != 0 || count == 0) && !more)
		return -EIO;
	return more ? -E2BIG : 0;
}

void vm_free_arguments(char *args[])
{
	for (size_t i = 0; args[i]; i++)
		free(args[i]);
}
