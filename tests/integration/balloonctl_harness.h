/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl_harness.c: shared by the tests of balloonctl against real guests.
 * The harness has QEMU's first QMP socket: the tool gets a second one, in a
 * folder that a group makes and removes.
 */
#ifndef TESTS_INTEGRATION_BALLOONCTL_HARNESS_H
#define TESTS_INTEGRATION_BALLOONCTL_HARNESS_H

#include "tests/integration/harness.h"
#include "tests/integration/program.h"

extern char balloonctl_folder[], balloonctl_qmp[64];
extern char balloonctl_option[128]; /* for QEMU, with a blank in it */

/* A group's set-up and teardown; each returns 0, or -1 if it cannot make or remove the folder. */
int balloonctl_make_folder(void **state);
int balloonctl_remove_folder(void **state);

/* Boots a guest as harness_boot() does, with the second socket. */
struct vm *balloonctl_boot(struct guest_options guest);

#define CALL(...) \
	((const char *const[]){ program_path("balloonctl"), "-g", balloonctl_qmp, __VA_ARGS__, \
				NULL })

#define BALLOONCTL(...) program_run(CALL(__VA_ARGS__))

/* Checks the exit status, and that `says` is in stdout, or, after a '!', in stderr. */
void assert_end(const struct program_end *end, int status, const char *says);

#endif
