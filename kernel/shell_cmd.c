/* SPDX-License-Identifier: BSD-2-Clause */
/* The shell's own commands: about commands, the log, time and the console. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/serial/uart16550.h"
#include "drivers/xen/xen_console.h"
#include "kernel/console.h"
#include "kernel/console_input.h"
#include "kernel/lib/command.h"
#include "kernel/lib/hooks.h"
#include "kernel/lib/log.h"
#include "kernel/lib/parse.h"
#include "kernel/task/task.h"
#include "kernel/shell.h"

/* Where summaries begin, so that all of them end within 80 columns. */
#define SUMMARY_COLUMN 28

static void list_commands(void)
{
	const struct command *command;
	char synopsis[80];
	int column;

	for (command = command_after(NULL); command; command = command_after(command)) {
		column = snprintf(synopsis, sizeof(synopsis), "%s%s%s", command->name,
				  *command->arguments ? " " : "", command->arguments);
		printf("%s", synopsis);
		if (column > SUMMARY_COLUMN - 2) {
			printf("\n");
			column = 0;
		}
		printf("%*s%s\n", SUMMARY_COLUMN - column, "", command->summary);
	}
}

static int cmd_help(int argc, char **argv)
{
	const struct command *command;

	if (argc > 2)
		return -EINVAL;
	if (argc == 1) {
		list_commands();
		return 0;
	}
	command = command_find(argv[1]);
	if (!command) {
		printf("%s: no such command; help lists them\n", argv[1]);
		return -ENOENT;
	}
	command_print_usage(command);
	printf("%s\n", command->summary);
	if (command->details)
		puts(command->details);
	return 0;
}

COMMAND("help", "[command]", "list the commands, or explain one",
	"Commands on one line are separated by `;`. Double quotes keep blanks together.\n"
	"Sizes are bytes, or 4096k, 64M, 1.5G, 1GiB. Tab completes names, Ctrl-C\n"
	"interrupts.",
	cmd_help);

static void print_log_line(uint64_t ns, const char *line, void *arg)
{
	(void)arg;
	if (lib_interrupted())
		return;
	printf("[%5" PRIu64 ".%06" PRIu64 "] %s\n", ns / NS_PER_S, ns % NS_PER_S / NS_PER_US, line);
}

static int cmd_dmesg(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return -EINVAL;
	log_for_each(print_log_line, NULL);
	return 0;
}

COMMAND("dmesg", "", "the kernel's log, with seconds since boot", NULL, cmd_dmesg);

static int cmd_uptime(int argc, char **argv)
{
	uint64_t ms = clock_ns() / NS_PER_MS;
	uint64_t s = ms / 1000;

	(void)argv;
	if (argc > 1)
		return -EINVAL;
	printf("up %" PRIu64 ":%02u:%02u.%03u, %" PRIu64 " jiffies (%u Hz)\n", s / 3600,
	       (unsigned)(s / 60 % 60), (unsigned)(s % 60), (unsigned)(ms % 1000), clock_jiffies(),
	       TICK_HZ);
	return 0;
}

COMMAND("uptime", "", "time since boot, and jiffies", NULL, cmd_uptime);

/* Ctrl-C wakes nobody. */
#define SLEEP_STEP_NS (50 * NS_PER_MS)

static int cmd_sleep(int argc, char **argv)
{
	uint64_t ns, end;

	if (argc != 2)
		return -EINVAL;
	if (parse_seconds(argv[1], &ns)) {
		printf("sleep: %s is no time; write a number of seconds, as 10 or 0.5\n", argv[1]);
		return -ERANGE;
	}
	end = clock_ns() + ns;
	while (clock_ns() < end && !lib_interrupted())
		task_sleep_until(min_u64(end, clock_ns() + SLEEP_STEP_NS));
	return 0;
}

COMMAND("sleep", "SECONDS", "do nothing for so long",
	"SECONDS may have decimals, as in 0.5. Ctrl-C ends it.", cmd_sleep);

static int cmd_version(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "-j") == 0;

	if (argc > 2 || (argc == 2 && !json))
		return -EINVAL;
	printf(json ? "{\"version\":\"%s\"}\n" : "Aerostat %s\n", AEROSTAT_VERSION);
	return 0;
}

COMMAND("version", "[-j]", "the version of this Aerostat", "With -j: one line of JSON.",
	cmd_version);

static void print_line_counts(void)
{
	struct uart_counts counts;

	uart_get_counts(&counts);
	printf("sent      %" PRIu64 " bytes, %" PRIu64 " dropped as nobody read them\n",
	       counts.sent, counts.sent_dropped);
	printf("received  %" PRIu64 " bytes\n", counts.received);
	printf("line      %" PRIu64 " overruns, %" PRIu64 " errors, %" PRIu64 " breaks\n",
	       counts.overruns, counts.line_errors, counts.breaks);
}

static void print_xen_counts(void)
{
	struct xen_console_counts counts;

	xen_console_get_counts(&counts);
	printf("sent      %" PRIu64 " bytes to Xen, %" PRIu64 " dropped as nobody read them\n",
	       counts.sent, counts.sent_dropped);
	if (!xen_console_has_input())
		return;
	printf("received  %" PRIu64 " bytes from Xen\n", counts.received);
	if (counts.nonsense > 0)
		printf("ring      held more than it can, as was said %" PRIu64 " times\n",
		       counts.nonsense);
}

/* Of all that was received, wherever. */
static void print_text_counts(void)
{
	uint64_t lines;
	uint64_t bytes;

	shell_get_dropped(&lines, &bytes);
	printf("input     %" PRIu64 " dropped as nobody took them, %" PRIu64
	       " that are no text, %" PRIu64 " lines dropped\n",
	       console_input_dropped(), bytes, lines);
}

static int cmd_console(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return -EINVAL;
	printf("on        %s\n", console_name());
	/* What is not there has no counts. */
	if (uart_name())
		print_line_counts();
	if (xen_console_name())
		print_xen_counts();
	if (uart_name() || xen_console_has_input())
		print_text_counts();
	return 0;
}

COMMAND("console", "", "where it is; what came, went and was lost on it", NULL, cmd_console);
