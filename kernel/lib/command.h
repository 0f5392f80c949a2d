/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a file adds a command to the console:
 *
 *	static int cmd_uptime(int argc, char **argv) { ... }
 *	COMMAND("uptime", "", "time since boot, and jiffies", NULL, cmd_uptime);
 *
 * The linker collects the entries; the shell sorts and finds them. A command
 * runs in the shell's task, may sleep and must yield at least every 20 ms of
 * work. It returns 0, or a negative errno after it has said what was wrong: scripts
 * rely on it, as `exit` does (shell_failure()). -EINVAL without a word makes the
 * shell print the usage line. A command whose failures are told apart returns a status
 * of its own, 2 to 127; all others stand for COMMAND_FAILED.
 */
#ifndef KERNEL_LIB_COMMAND_H
#define KERNEL_LIB_COMMAND_H

#include "kernel/lib/types.h"

#define COMMAND_FAILED 1

struct command {
	const char *name;
	const char *arguments;		   /* "SIZE [order]"; "" if there are none */
	const char *summary;		   /* one line, no full stop */
	const char *details;		   /* further lines for `help NAME`, or NULL */
	int (*run)(int argc, char **argv); /* argv[0] is the name */
};

#define COMMAND(name_, arguments_, summary_, details_, run_) \
	static const struct command command_##run_ \
		__attribute__((used, section("commands"), aligned(8))) = { \
			.name = (name_), \
			.arguments = (arguments_), \
			.summary = (summary_), \
			.details = (details_), \
			.run = (run_), \
		}

/* The entries; the linker names the ends of a section after it. */
extern const struct command __start_commands[];
extern const struct command __stop_commands[];

#endif
