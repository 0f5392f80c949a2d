/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/run.sh in a folder of its own; see script_harness.h. */
#include "tests/integration/script_harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A machine that a failed test leaves behind ends by itself. */
#define TIMEOUT_LATE "120"

static const char *const variables[] = {
	"APPEND",     "BALLOON", "EXTRA", "QEMU", "FIRMWARE",
	"HYPERVISOR", "MACHINE", "GROW",  "SWAP", "COURSE",
};

char script_runtime[128];

int script_begin(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		unsetenv(variables[i]);
	setenv("XDG_RUNTIME_DIR", balloonctl_folder, 1);
	setenv("NAME", "guest", 1);
	setenv("MEM", "64M", 1);
	setenv("TIMEOUT", TIMEOUT_LATE, 1);
	snprintf(script_runtime, sizeof(script_runtime), "%s/aerostat-%u", balloonctl_folder,
		 (unsigned)geteuid());
	return 0;
}

int script_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		unsetenv(variables[i]);
	unsetenv("XDG_RUNTIME_DIR");
	unsetenv("NAME");
	unsetenv("MEM");
	unsetenv("TIMEOUT");
	(*harness_tests_run)++;
	if (rmdir(script_runtime) && errno != ENOENT) {
		fprintf(stderr, "%s: %s\n", script_runtime, strerror(errno));
		return -1;
	}
	return 0;
}

void script_start(struct program *program, int input, const char *const argv[])
{
	int own = dup(STDIN_FILENO);

	assert_true(input >= 0);
	dup2(input, STDIN_FILENO);
	program_start(program, false, argv);
	dup2(own, STDIN_FILENO);
	close(own);
}

int script_input_of(const char *text)
{
	FILE *file = tmpfile();
	int fd;

	assert_non_null(file);
	fputs(text, file);
	rewind(file);
	fd = dup(fileno(file));
	fclose(file);
	return fd;
}

const struct program_end *script_run(const char *input, const char *option)
{
	const char *const argv[] = { SCRIPT, option, NULL };
	static struct program_end ended;
	struct program program;
	int fd = script_input_of(input);

	script_start(&program, fd, argv);
	program_finish(&program, &ended);
	close(fd);
	return &ended;
}
