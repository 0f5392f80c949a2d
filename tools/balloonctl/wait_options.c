/* SPDX-License-Identifier: BSD-2-Clause */
/* How long a command waits, as it was asked to: see wait_options.h. */
#include <assert.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/wait_options.h"
#include "tools/deadline.h"

static bool parse_limit(const char *option, const char *text, unsigned *seconds)
{
	if (!seconds_parse(text, seconds) && *seconds)
		return true;
	complain("%s=%s: whole seconds are wanted, 1 to %d", option, text, SECONDS_MAX);
	return false;
}

bool wait_take_option(struct wait_options *options, int letter, const char *value)
{
	if (letter == 'p') {
		options->has_patience = true;
		return parse_limit("--patience", value, &options->limits.patience);
	}
	assert(letter == 'w');
	options->wanted = true;
	return !value || parse_limit("--wait", value, &options->limits.seconds);
}

bool wait_check_options(const struct wait_options *options)
{
	if (options->has_patience && !options->wanted)
		complain("--patience goes with --wait");
	return options->wanted || !options->has_patience;
}

struct wait_limits wait_limits(const struct wait_options *options, const struct call *call,
			       bool quiet)
{
	struct wait_limits limits = options->limits;

	limits.look_ms = call->timeout_ms;
	limits.quiet = quiet;
	limits.end = DEADLINE_NONE;
	if (limits.seconds)
		limits.end = call->start + (int64_t)limits.seconds * 1000;
	return limits;
}
