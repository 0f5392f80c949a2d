/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the QEMU under test can do: asks it, and guesses nothing from its version.
 * A QEMU that does not answer ends the program with a message.
 */
#include "tests/matrix/matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES_MAX 16
#define HELP_MAX 8192

/* Runs QEMU with these arguments and keeps what it says, all of it. */
static void ask(const char *arguments, char *answer, size_t size)
{
	char command[256];
	size_t len;
	FILE *pipe;

	snprintf(command, sizeof(command), "\"${QEMU:-qemu-system-x86_64}\" %s", arguments);
	pipe = popen(command, "re");
	len = pipe ? fread(answer, 1, size - 1, pipe) : 0;
	answer[len] = '\0';
	if (!pipe || len == size - 1 || pclose(pipe) != 0 || len == 0) {
		fprintf(stderr, "no answer from %s\n", command);
		exit(1);
	}
}

/* What -device @device,help says; asked once. */
static const char *device_help(const char *device)
{
	static struct {
		const char *device;
		char help[HELP_MAX];
	} known[DEVICES_MAX];
	char arguments[128];
	size_t i = 0;

	while (known[i].device && strcmp(known[i].device, device) != 0)
		if (++i == DEVICES_MAX)
			abort();
	if (!known[i].device) {
		snprintf(arguments, sizeof(arguments), "-device %s,help", device);
		ask(arguments, known[i].help, sizeof(known[i].help));
		known[i].device = device;
	}
	return known[i].help;
}

/* Its lines are "  vectors=<uint32> ...". */
bool qemu_device_has(const char *device, const char *property)
{
	char line[64];

	snprintf(line, sizeof(line), "\n  %s=", property);
	return strstr(device_help(device), line);
}

const char *qemu_version(void)
{
	static char version[512];

	if (version[0] == '\0')
		ask("--version", version, sizeof(version));
	version[strcspn(version, "\n")] = '\0';
	return version;
}
