/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * periodic.c: shared by the commands that run until they are told to end: watch,
 * record and export; and signals for those that wait.
 */
#ifndef TOOLS_BALLOONCTL_PERIODIC_H
#define TOOLS_BALLOONCTL_PERIODIC_H

#include <stdbool.h>

#include "tools/balloonctl/poller.h"

#define PERIODIC_SLICE_MS 100 /* how long a wait may overlook a signal */

/* Reads the value of an option: "0.5" seconds, 0.1 to 3600. Complains; -EINVAL. */
int interval_parse(const char *option, const char *text, int *ms);

/* Reads the value of an option: whole seconds, as seconds_parse() does. Complains; -EINVAL. */
int seconds_option(const char *option, const char *text, unsigned *seconds);

struct common;

/* Gives the rate of a poller that looks so often: statistics as often, in whole seconds. */
struct poller_rate poller_rate_of(const struct common *common, int interval_ms);

/* Returns the milliseconds that one look may take: -t, or LOOK_MS. */
int look_timeout(const struct common *common);

/* Sets what a signal does, unless it is ignored, as nohup(1) has it. */
void catch_signal(int number, void (*handler)(int));

/*
 * From now on SIGINT, SIGTERM, SIGHUP, and SIGPIPE, by which a reader of ours is gone, only
 * make stop_asked() true, so that guests are left as they were found.
 */
void stop_on_signals(void);

/*
 * Writes what stdout still holds, and ends the program as SIGPIPE would have, if that was it.
 * Whoever has called stop_on_signals() calls it when guests are left as they were found.
 */
void end_by_pipe(void);

/* Tells whether one of these signals has come since stop_on_signals(). */
bool stop_asked(void);

#endif
