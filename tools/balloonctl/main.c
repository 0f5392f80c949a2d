/* SPDX-License-Identifier: BSD-2-Clause */
/* balloonctl: the options that all commands share, --help, and the exit status. */
#include <stdlib.h>

#include <getopt.h>
#include <unistd.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/thread.h"

#define TIMEOUT_MAX 86400u /* a day */

static const char help_guest[] =
	"\n"
	"  -g, --guest NAME   the guest; without it, the only one that runs here\n"
	"  -t, --timeout SEC  how long QEMU or libvirt may take for all its answers:\n"
	"                     30 without this, 10 for each look of watch, record, export\n"
	"  -h, --help         this, or after a command, what it does in full\n"
	"  -V, --version\n"
	"\n"
	"A guest's NAME is the short name that `make run` gave it (NAME=..., aerostat\n"
	"by default), the path of a QMP socket (with a slash in it), or a libvirt URI\n"
	"with the domain after #: libvirt:///session#name, qemu+ssh://host/system#name.\n"
	"\n"
	"Sizes are bytes, or have a unit, as in 1.5G, 64MiB, 64M: K, M, G, T are powers\n"
	"of 1024.\n"
	"\"Left\" is memory that the guest has, \"taken\" what the balloon has of it.\n";

static const char help_status[] =
	"\n"
	"Exit status: 0 done (with --wait: reached), 1 failed, 2 bad arguments,\n"
	"3 shortfall: the guest stays short of the target, 4 time is up, or no answer\n"
	"came in time, 5 no balloon device (grow, shrink: no virtio-mem device), 6 no\n"
	"driver in the guest, 7 cannot connect, 8 bad dump file.\n";

static int print_help(void)
{
	printf("usage: balloonctl [-g NAME] [-t SEC] COMMAND [ARGUMENT...]\n\n");
	for (size_t i = 0; commands[i]; i++)
		printf("  %-8s %-32s %s\n", commands[i]->name, commands[i]->arguments,
		       commands[i]->summary);
	fputs(help_guest, stdout);
	fputs(help_status, stdout);
	return EXIT_REACHED;
}

static int run_command(const struct common *common, int argc, char **argv)
{
	const struct command *command = command_find(argv[0]);

	if (!command) {
		complain("there is no command '%s'; see balloonctl --help", argv[0]);
		return EXIT_USAGE;
	}
	complain_for(command->name);
	return command_run(command, common, argc, argv);
}

/* Output that did not arrive is a failure, too: the disk may be full. */
static int finish(int status)
{
	if ((fflush(stdout) || ferror(stdout)) && status == EXIT_REACHED) {
		complain("cannot write the output");
		status = EXIT_WRONG;
	}
	if (thread_was_left())
		_exit(status);
	return status;
}

static bool take_timeout(struct common *common, const char *text)
{
	unsigned seconds;

	if (seconds_parse(text, &seconds) || seconds < 1 || seconds > TIMEOUT_MAX) {
		complain("--timeout %s: whole seconds are wanted, 1 to %u", text, TIMEOUT_MAX);
		return false;
	}
	common->timeout_ms = (int)seconds * 1000;
	return true;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "guest", required_argument, NULL, 'g' },
		{ "timeout", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct common common = { 0 };
	int c;

	while ((c = getopt_long(argc, argv, "+:g:t:hV", options, NULL)) != -1) {
		switch (c) {
		case 'g':
			common.guest = optarg;
			break;
		case 't':
			if (!take_timeout(&common, optarg))
				return EXIT_USAGE;
			break;
		case 'h':
			return finish(print_help());
		case 'V':
			puts("balloonctl " AEROSTAT_VERSION);
			return finish(EXIT_REACHED);
		default:
			return bad_option(c, argv);
		}
	}
	if (optind == argc) {
		complain("what is to be done? See balloonctl --help");
		return EXIT_USAGE;
	}
	return finish(run_command(&common, argc - optind, argv + optind));
}
