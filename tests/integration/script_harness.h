/* SPDX-License-Identifier: BSD-2-Clause */
/* script_harness.c: runs tools/run.sh as scripts do, with its sockets in a folder of the tests'. */
#ifndef TESTS_INTEGRATION_SCRIPT_HARNESS_H
#define TESTS_INTEGRATION_SCRIPT_HARNESS_H

#include "tests/integration/balloonctl_harness.h"

#define SCRIPT "tools/run.sh"

/* Where the script has its sockets and locks. */
extern char script_runtime[128];

/* One entry of a group whose folder balloonctl_make_folder() makes. */
#define SCRIPT_TEST(name) cmocka_unit_test_setup_teardown(name, script_begin, script_end)

/* Sets what the script reads: a guest of 64M, which ends by itself some day. Returns 0. */
int script_begin(void **state);

/* Returns 0; -1: a socket, a lock or a file is left in the folder. */
int script_end(void **state);

/* Starts the script with `input` as its standard input. */
void script_start(struct program *program, int input, const char *const argv[]);

/* Returns a file of that text, at its start; the caller closes it. */
int script_input_of(const char *text);

/*
 * Runs the script to its end, with a text to read, and an option or NULL. What it gives is good
 * until the next.
 */
const struct program_end *script_run(const char *input, const char *option);

#endif
