/* SPDX-License-Identifier: BSD-2-Clause */
/* The circumstances of a measurement: see circumstances.h for the contract. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/circumstances.h"

static void read_processor(char *text, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256], *value = NULL;

	while (file && !value && fgets(line, sizeof(line), file))
		if (!strncmp(line, "model name", 10))
			value = strchr(line, ':');
	if (value) {
		value += 1 + strspn(value + 1, " ");
		value[strcspn(value, "\n")] = '\0';
	}
	snprintf(text, size, "%s", value ? value : "unknown processor");
	if (file)
		fclose(file);
}

static void join(char *text, size_t size, int count, char **words)
{
	size_t len = 0;

	for (int i = 0; i < count && len < size; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%s", i ? " " : "", words[i]);
}

void circumstances_note(struct circumstances *c, int argc, char **argv)
{
	time_t now = time(NULL);
	char processor[128];
	struct utsname system;

	memset(c, 0, sizeof(*c));
	read_processor(processor, sizeof(processor));
	uname(&system);
	snprintf(c->host, sizeof(c->host), "%s, %ld cores, Linux %.64s", processor,
		 sysconf(_SC_NPROCESSORS_ONLN), system.release);
	strftime(c->date, sizeof(c->date), "%Y-%m-%d", localtime(&now));
	join(c->command, sizeof(c->command), argc, argv);
}
