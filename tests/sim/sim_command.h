/* SPDX-License-Identifier: BSD-2-Clause */
/* The console for host tests of commands: runs one, and keeps what it prints. */
#ifndef TESTS_SIM_SIM_COMMAND_H
#define TESTS_SIM_SIM_COMMAND_H

/* Printed by the last sim_command(); NULL before the first. */
extern char *sim_command_text;

/*
 * Runs a line of words with single spaces between them, eight at most, the first of
 * which is a command of this program. Returns what the command does.
 */
int sim_command(const char *line);

/* Frees the output. */
void sim_command_forget(void);

#endif
