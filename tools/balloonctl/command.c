/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs one command: see command.h. Bad arguments are refused before any guest is
 * looked for.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <getopt.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/guest.h"
#include "tools/deadline.h"

/* How reading a command's arguments ended. */
enum arguments { ARGUMENTS_GOOD, ARGUMENTS_HELP, ARGUMENTS_BAD };

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* Stands before the words that begin with a minus; nobody has typed it. */
static char end_of_options[] = "--";

bool no_words(char **words, size_t count)
{
	if (count)
		complain("'%s' is too much; see --help", words[0]);
	return !count;
}

static enum arguments read_options(const struct command *command, void *request, int argc,
				   char **argv)
{
	char letters[16];
	int c;

	snprintf(letters, sizeof(letters), ":h%s", command->letters ? command->letters : "");
	optind = 0;
	while ((c = getopt_long(argc, argv, letters, command->options, NULL)) != -1) {
		if (c == 'h') {
			fputs(command->help, stdout);
			return ARGUMENTS_HELP;
		}
		if (c == '?' || c == ':') {
			bad_option(c, argv);
			return ARGUMENTS_BAD;
		}
		if (optarg == end_of_options) {
			complain("%s wants a value; see --help", argv[optind - 2]);
			return ARGUMENTS_BAD;
		}
		if (!command->take_option(request, c, optarg))
			return ARGUMENTS_BAD;
	}
	return ARGUMENTS_GOOD;
}

static bool is_minus(const char *word)
{
	return word[0] == '-' && ((word[1] >= '0' && word[1] <= '9') || word[1] == '.');
}

/*
 * Puts words like -512M behind all others, after a "--", where getopt_long() takes them for
 * words. `sorted` has room for argc + 2; returns how many there are.
 */
static int sort_words(int argc, char **argv, char **sorted)
{
	int options = argc, count = 0;

	for (int i = 0; i < argc; i++)
		if (!strcmp(argv[i], end_of_options) && i < options)
			options = i;
	for (int i = 0; i < options; i++)
		if (!is_minus(argv[i]))
			sorted[count++] = argv[i];
	sorted[count++] = end_of_options;
	for (int i = 0; i < argc; i++)
		if (i > options || (i < options && is_minus(argv[i])))
			sorted[count++] = argv[i];
	sorted[count] = NULL;
	return count;
}

static enum arguments read_arguments(const struct command *command, void *request, int argc,
				     char **argv)
{
	enum arguments outcome = read_options(command, request, argc, argv);
	char **words = argv + optind;
	size_t count = (size_t)(argc - optind);
	bool good;

	if (outcome != ARGUMENTS_GOOD)
		return outcome;
	assert(optind <= argc);
	good = command->take_words ? command->take_words(request, words, count)
				   : no_words(words, count);
	return good ? ARGUMENTS_GOOD : ARGUMENTS_BAD;
}

/* The clock of a command starts when its arguments are understood. */
static void start_clock(const struct command *command, struct call *call)
{
	unsigned limit = command->time_limit ? command->time_limit(call->request) : 0;

	call->start = deadline_now();
	call->timeout_ms = call->common->timeout_ms ? call->common->timeout_ms : ANSWERS_MS;
	call->deadline = call->start + call->timeout_ms;
	if (limit)
		call->deadline = deadline_first(call->deadline,
						call->start + (int64_t)limit * 1000);
}

/* A command that needs no guest may have been given one, which can be none. */
static int check_guest(const char *name)
{
	char *error = NULL;

	if (!name || !guest_check_name(name, &error))
		return EXIT_REACHED;
	complain("%s", error ? error : "out of memory");
	free(error);
	return EXIT_USAGE;
}

static int run_with_guest(const struct command *command, struct call *call)
{
	int status;

	start_clock(command, call);
	if (command->needs_guest)
		status = open_guest(call->common, call->deadline, &call->guest);
	else
		status = check_guest(call->common->guest);
	if (!status)
		status = command->run(call);
	guest_close(call->guest);
	return status;
}

int command_run(const struct command *command, const struct common *common, int argc, char **argv)
{
	struct call call = { .common = common };
	void *request = malloc(command->request_size);
	char **sorted = calloc((size_t)argc + 2, sizeof(*sorted));
	int status;

	assert(argc > 0 && command->request_size > 0);
	if (!request || !sorted) {
		free(request);
		free(sorted);
		complain("out of memory");
		return EXIT_WRONG;
	}
	memcpy(request, command->defaults, command->request_size);
	call.request = request;
	if (command->takes_minus)
		argc = sort_words(argc, argv, sorted);
	switch (read_arguments(command, request, argc, command->takes_minus ? sorted : argv)) {
	case ARGUMENTS_GOOD:
		status = run_with_guest(command, &call);
		break;
	case ARGUMENTS_HELP:
		status = EXIT_REACHED;
		break;
	default:
		status = EXIT_USAGE;
		break;
	}
	free(sorted);
	free(request);
	return status;
}
