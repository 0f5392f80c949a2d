/* SPDX-License-Identifier: BSD-2-Clause */
/* The log for host tests: counted and remembered instead of shown. */
#ifndef TESTS_SIM_SIM_LOG_H
#define TESTS_SIM_SIM_LOG_H

#include "kernel/lib/log.h"

/* Lines of log_warn() since sim_log_reset(), the last of them, and the first. */
extern unsigned sim_log_warnings;
extern char sim_log_warning[LOG_LINE_MAX + 1];
extern char sim_log_first_warning[LOG_LINE_MAX + 1];

/* Lines of log_info() since then, and the last of them. */
extern unsigned sim_log_infos;
extern char sim_log_info[LOG_LINE_MAX + 1];

/* Lines of log_debug() since then. */
extern unsigned sim_log_debugs;

/* Called after each log_warn(), which may sleep on a machine; NULL: nothing is. */
extern void (*sim_log_on_warning)(void);

/* Forgets all lines and counts, and calls nothing any more. */
void sim_log_reset(void);

#endif
