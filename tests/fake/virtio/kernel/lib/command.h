/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands for host tests: as in kernel/lib/command.h, but in a section whose
 * start and end the host's linker names, so that a test can find and run them.
 */
#ifndef KERNEL_LIB_COMMAND_H
#define KERNEL_LIB_COMMAND_H

#include "kernel/lib/types.h"

struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	const char *details;
	int (*run)(int argc, char **argv);
};

#define COMMAND(name_, arguments_, summary_, details_, run_) \
	static const struct command command_##run_ \
	__attribute__((used, section("commands"), aligned(8))) = { \
		.name = (name_), .arguments = (arguments_), .summary = (summary_), \
		.details = (details_), .run = (run_), \
	}

extern const struct command __start_commands[];
extern const struct command __stop_commands[];

#endif
