/* SPDX-License-Identifier: BSD-2-Clause */
/* What a signal does to a wait: see wait_signals.h. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/periodic.h"
#include "tools/balloonctl/wait_signals.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
static char farewell[300];
static volatile sig_atomic_t caught, must_restore;

static void die(int number)
{
	signal(number, SIG_DFL);
	raise(number);
}

/* At once, however long QEMU takes; but a guest that is asked for statistics is restored. */
static void on_signal(int number)
{
	ssize_t n = 0;

	if (must_restore && !caught) {
		caught = number;
		return;
	}
	/* Whoever reads no more needs no words. */
	if (number != SIGPIPE)
		n = write(STDERR_FILENO, farewell, strlen(farewell));
	(void)n;
	die(number);
}

void wait_signals_watch(uint64_t goal, bool bar)
{
	char left[SIZE_TEXT];

	/* It does not go on the bar's line. */
	farewell[0] = '\n';
	complaint(farewell + bar, sizeof(farewell) - bar,
		  "interrupted; the target of %s left stands, whether the guest reaches it or not",
		  size_word(goal, left));
	caught = must_restore = 0;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		catch_signal(signals[i], on_signal);
}

void wait_signals_hold(void)
{
	must_restore = 1;
}

bool wait_signals_held(void)
{
	return caught != 0;
}

void wait_signals_unwatch(void)
{
	if (caught)
		on_signal(caught);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		catch_signal(signals[i], SIG_DFL);
}
