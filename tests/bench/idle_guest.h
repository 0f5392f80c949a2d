/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * idle_guest.c: many guests at once that do nothing, each with a serial line of its own
 * and nothing else, so that what is measured is theirs. A failure ends the program, and
 * all guests end with it.
 */
#ifndef TESTS_BENCH_IDLE_GUEST_H
#define TESTS_BENCH_IDLE_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "tests/bench/arguments.h"

struct idle_guest {
	pid_t pid;
	int serial;
};

/* Starts QEMU with these arguments and a serial line. */
void idle_guest_start(struct idle_guest *guest, struct arguments *arguments);

/* Waits until the guest has said Aerostat's prompt after what was asked last. */
void idle_guest_wait_prompt(struct idle_guest *guest);

/* Types a command and waits for the next prompt; gives the time that this took, in ms. */
double idle_guest_ask(struct idle_guest *guest);

/* Ends it. */
void idle_guest_stop(struct idle_guest *guest);

#endif
