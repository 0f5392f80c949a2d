/* SPDX-License-Identifier: BSD-2-Clause */
/* Intervals, and signals that end a command: see periodic.h. */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/periodic.h"

static volatile sig_atomic_t asked, pipe_gone;

int interval_parse(const char *option, const char *text, int *ms)
{
	double seconds = 0;
	char *end = NULL;

	/* strtod() alone would take hexadecimal, exponents, blanks and "inf". */
	if (*text != '\0' && text[strspn(text, "0123456789.")] == '\0')
		seconds = strtod(text, &end);
	if (!end || *end != '\0' || seconds < 0.1 || seconds > 3600) {
		complain("%s %s: seconds are wanted, 0.1 to 3600", option, text);
		return -EINVAL;
	}
	*ms = (int)lround(seconds * 1000);
	return 0;
}

int seconds_option(const char *option, const char *text, unsigned *seconds)
{
	int err = seconds_parse(text, seconds);

	if (err)
		complain("%s %s: whole seconds are wanted, 0 to %d", option, text, SECONDS_MAX);
	return err;
}

int look_timeout(const struct common *common)
{
	return common->timeout_ms ? common->timeout_ms : LOOK_MS;
}

struct poller_rate poller_rate_of(const struct common *common, int interval_ms)
{
	assert(interval_ms > 0);
	return (struct poller_rate){
		.interval_ms = interval_ms,
		.timeout_ms = look_timeout(common),
		.stats_interval = interval_ms < 1000 ? 1 : (unsigned)interval_ms / 1000,
	};
}

static void note_signal(int number)
{
	asked = 1;
	if (number == SIGPIPE)
		pipe_gone = 1;
}

void catch_signal(int number, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler }, before;

	sigemptyset(&action.sa_mask);
	if (!sigaction(number, NULL, &before) && before.sa_handler != SIG_IGN)
		sigaction(number, &action, NULL);
}

void stop_on_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };

	asked = pipe_gone = 0;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		catch_signal(signals[i], note_signal);
}

bool stop_asked(void)
{
	return asked != 0;
}

void end_by_pipe(void)
{
	/* What is written only now may be what nobody reads. */
	fflush(stdout);
	if (!pipe_gone)
		return;
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
}
