/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands on the host; see sim_command.h. */
#include "tests/sim/sim_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/lib/command.h"

#define WORDS_MAX 8

char *sim_command_text;

static const struct command *find(const char *name)
{
	for (const struct command *c = __start_commands; c < __stop_commands; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	fprintf(stderr, "no command %s\n", name);
	abort();
}

void sim_command_forget(void)
{
	free(sim_command_text);
	sim_command_text = NULL;
}

int sim_command(const char *line)
{
	char words[128], *argv[WORDS_MAX + 1] = { NULL }, *rest = words;
	FILE *console = stdout;
	int argc = 0, err;
	size_t length;

	snprintf(words, sizeof(words), "%s", line);
	while (rest && argc < WORDS_MAX)
		argv[argc++] = strsep(&rest, " ");
	sim_command_forget();
	stdout = open_memstream(&sim_command_text, &length);
	if (!stdout)
		abort();
	err = find(argv[0])->run(argc, argv);
	fclose(stdout);
	stdout = console;
	return err;
}
