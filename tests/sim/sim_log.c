/* SPDX-License-Identifier: BSD-2-Clause */
/* The log for host tests; see sim_log.h. */
#include "tests/sim/sim_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

unsigned sim_log_warnings;
char sim_log_warning[LOG_LINE_MAX + 1];
char sim_log_first_warning[LOG_LINE_MAX + 1];
unsigned sim_log_infos;
char sim_log_info[LOG_LINE_MAX + 1];
unsigned sim_log_debugs;
void (*sim_log_on_warning)(void);

void sim_log_reset(void)
{
	sim_log_warnings = 0;
	sim_log_warning[0] = '\0';
	sim_log_first_warning[0] = '\0';
	sim_log_infos = 0;
	sim_log_info[0] = '\0';
	sim_log_debugs = 0;
	sim_log_on_warning = NULL;
}

void log_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(sim_log_warning, sizeof(sim_log_warning), fmt, args);
	va_end(args);
	if (sim_log_warnings++ == 0)
		strcpy(sim_log_first_warning, sim_log_warning);
	if (sim_log_on_warning)
		sim_log_on_warning();
}

void log_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(sim_log_info, sizeof(sim_log_info), fmt, args);
	va_end(args);
	sim_log_infos++;
}

void log_debug(const char *fmt, ...)
{
	(void)fmt;
	sim_log_debugs++;
}
