/* SPDX-License-Identifier: BSD-2-Clause */
/* wait_options.c: --wait and --patience, the same in every command that may wait. */
#ifndef TOOLS_BALLOONCTL_WAIT_OPTIONS_H
#define TOOLS_BALLOONCTL_WAIT_OPTIONS_H

#include <stdbool.h>

#include "tools/balloonctl/wait.h"

struct call;

struct wait_options {
	bool wanted, has_patience;
	struct wait_limits limits;
};

#define WAIT_OPTIONS \
	{ \
		.limits.patience = 5 \
	}

/* For a table of getopt_long(), with the letters that wait_take_option() knows. */
#define WAIT_OPTION_ROWS \
	{ "wait", optional_argument, NULL, 'w' }, \
	{ \
		"patience", required_argument, NULL, 'p' \
	}

/* Stores --wait or --patience, by its letter; complains and gives false if the value is bad. */
bool wait_take_option(struct wait_options *options, int letter, const char *value);

/* Complains and gives false if the options do not go together. */
bool wait_check_options(const struct wait_options *options);

/* Makes the limits of a wait in this call. */
struct wait_limits wait_limits(const struct wait_options *options, const struct call *call,
			       bool quiet);

#endif
