/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and processor time that a guest costs this machine, from proc(5). Pss and not
 * Rss, since pages may be shared with another process, as those of a memfd are.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/balloonctl/guest_backend.h"

/* The number after "Pss:" in kB, as the kernel sums it over all mappings. */
static int read_pss(int pid, uint64_t *bytes)
{
	char line[256];
	char path[64];
	int err = -ENOTSUP;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	file = fopen(path, "re");
	while (file && err && fgets(line, sizeof(line), file)) {
		uint64_t kib;

		if (sscanf(line, "Pss: %" SCNu64 " kB", &kib) == 1) {
			*bytes = kib * 1024;
			err = 0;
		}
	}
	if (file)
		fclose(file);
	return err;
}

/* Fields 14 and 15 of proc(5)'s stat. The name before them may hold anything, even blanks. */
static int read_cpu(int pid, uint64_t *ms)
{
	char text[1024];
	char path[64];
	uint64_t user, system;
	const char *at = NULL;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (file && fgets(text, sizeof(text), file))
		at = strrchr(text, ')');
	if (file)
		fclose(file);
	if (!at || sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
			  &user, &system) != 2)
		return -ENOTSUP;
	*ms = (user + system) * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
	return 0;
}

int guest_cost_of_process(struct guest *guest, int pid, struct guest_cost *cost)
{
	if (read_pss(pid, &cost->resident) || read_cpu(pid, &cost->cpu_ms))
		return guest_fail(guest, -ENOTSUP, "what process %d costs cannot be seen", pid);
	return 0;
}
