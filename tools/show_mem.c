/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reader of the guest's `show_mem`: see show_mem.h for the contract. A line
 * counts only if printing the numbers found in it gives the line again, which is
 * shorter than a parser and as strict.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/show_mem.h"

static bool line_is(const char *line, const char *expected)
{
	size_t len = strlen(expected);

	return !strncmp(line, expected, len) && (line[len] == '\n' || line[len] == '\0');
}

static bool parse_balloon(const char *line, struct show_mem *found)
{
	uint64_t total, free;
	char again[128];

	if (sscanf(line, "Balloon InflatedTotal:%" SCNu64 "kB InflatedFree:%" SCNu64 "kB", &total,
		   &free) != 2 ||
	    total > UINT64_MAX / 1024 || free > UINT64_MAX / 1024)
		return false;
	snprintf(again, sizeof(again),
		 "Balloon InflatedTotal:%" PRIu64 "kB InflatedFree:%" PRIu64 "kB", total, free);
	found->inflated_total = total * 1024;
	found->inflated_free = free * 1024;
	return line_is(line, again);
}

static bool parse_ledger(const char *line, struct show_mem *found)
{
	char again[64];

	if (!strncmp(line, "Ledger: BROKEN", 14))
		return true;
	if (sscanf(line, "Ledger: ok (%" SCNu64, &found->ledger_frames) != 1)
		return false;
	snprintf(again, sizeof(again), "Ledger: ok (%" PRIu64 " frames)", found->ledger_frames);
	found->ledger_ok = line_is(line, again);
	return found->ledger_ok;
}

int show_mem_parse(const char *text, struct show_mem *found)
{
	bool balloon = false, ledger = false;
	const char *line = text;

	memset(found, 0, sizeof(*found));
	while (line) {
		balloon = balloon || parse_balloon(line, found);
		ledger = ledger || parse_ledger(line, found);
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	if (!balloon || !ledger)
		return -ENOENT;
	return found->inflated_total && found->inflated_free ? -EINVAL : 0;
}
