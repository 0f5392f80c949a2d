/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait_signals.c: SIGINT, SIGTERM, SIGHUP and SIGPIPE during a wait for a guest. They end the
 * program at once, with a word of the target, which stays; unless something has to be put right
 * first.
 */
#ifndef TOOLS_BALLOONCTL_WAIT_SIGNALS_H
#define TOOLS_BALLOONCTL_WAIT_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Begins to watch for them. `goal` is what is to be left to the guest, in bytes; the word of it
 * begins on a line of its own if there is a bar.
 */
void wait_signals_watch(uint64_t goal, bool bar);

/* Holds the first one back from now on: somebody has to be restored before the end. */
void wait_signals_hold(void);

/* Tells whether one is held back, so that the wait has to end. */
bool wait_signals_held(void);

/* Ends the watch, and the program if one was held back. */
void wait_signals_unwatch(void);

#endif
