/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stage.c: where a page's samples are played: a guest with its console and
 * QEMU's monitor, and a shell in a folder of its own, whose PATH has
 * balloonctl and for which the guest is the only one of `make run`. One guest
 * at a time.
 *
 * Each int is 0, or -1 after a word on stderr.
 */
#ifndef TESTS_DOCS_STAGE_H
#define TESTS_DOCS_STAGE_H

#include <stdbool.h>

#include "tests/docs/lines.h"

/*
 * Makes the folder; it goes away with the process. To be run from the project's
 * root. Returns 0 or -1.
 */
int stage_init(const char *build);

/*
 * Starts a guest. @variables are NAME=VALUE, as tools/run.sh takes them from the
 * environment; NULL ends them. Adds what it says before its prompt to @said. Returns
 * 0 or -1.
 */
int stage_start(const char *const *variables, struct lines *said);

/* Tells whether there is a guest. */
bool stage_has_guest(void);

/* Stops the guest, if there is one. */
void stage_stop(void);

/* Types a command at the console; adds what it prints to @said. Returns 0 or -1. */
int stage_type(const char *command, struct lines *said);

/* Types a command after which QEMU ends, with the exit status @status. Returns 0 or -1. */
int stage_type_last(const char *command, int status, struct lines *said);

/* Waits until no task of the guest runs apart from its shell. Returns 0 or -1. */
int stage_settle(void);

/* Tells whether each virtio-mem device has as much as QEMU asks of it. */
bool stage_memory_has_come(void);

/*
 * Gives QEMU's monitor a command, and waits until the balloon has done what it asks
 * and the guest has recorded that. Returns 0 or -1.
 */
int stage_monitor(const char *command, struct lines *said);

/*
 * Runs a shell's command; adds stdout and stderr. Its exit status does not matter.
 * Returns 0 or -1.
 */
int stage_shell(const char *command, struct lines *said);

#endif
