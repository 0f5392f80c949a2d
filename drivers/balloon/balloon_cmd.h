/* SPDX-License-Identifier: BSD-2-Clause */
/* What show_mem has of the balloon's commands. */
#ifndef DRIVERS_BALLOON_BALLOON_CMD_H
#define DRIVERS_BALLOON_BALLOON_CMD_H

/*
 * Prints the last report that the host was sent, which QMP's guest-stats shows, as an
 * object of JSON; null: no host wants any.
 */
void balloon_stats_print_json(void);

#endif
