/* SPDX-License-Identifier: BSD-2-Clause */
/* The log for host tests: counted and remembered instead of shown. */
#ifndef TESTS_SIM_SIM_LOG_H
#define TESTS_SIM_SIM_LOG_H

#include "kernel/lib/log.h"

/* Lines of log_warn() since sim_log_reset(), and the last of them. */
extern unsigned sim_log_warnings;
extern char sim_log_warning[LOG_LINE_MAX + 1];

/* Lines of log_info() since then, and the last of them. */
extern unsigned sim_log_infos;
extern char sim_log_info[LOG_LINE_MAX + 1];

/* Lines of log_debug() since then. */
extern unsigned sim_log_debugs;

/* Forgets all lines and counts. */
void sim_log_reset(void);

#endif
