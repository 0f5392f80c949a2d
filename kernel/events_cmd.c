/* SPDX-License-Identifier: BSD-2-Clause */
/* events: what the drivers saw and did last. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/events_print.h"
#include "kernel/lib/command.h"

static int cmd_events(int argc, char **argv)
{
	size_t count = (size_t)(__stop_event_sources - __start_event_sources);

	if (argc == 1) {
		events_print(__start_event_sources, count);
		return 0;
	}
	if (argc != 2 || strcmp(argv[1], "-j") != 0)
		return -EINVAL;
	printf("{");
	events_print_json(__start_event_sources, count);
	printf("}\n");
	return 0;
}
COMMAND("events", "[-j]", "what the drivers saw and did, and when",
	"The last 64 of each driver, and how many of each kind there were since boot.\n"
	"With -j: one line of JSON.",
	cmd_events);
