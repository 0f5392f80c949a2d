/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command.c: runs one command of balloonctl, from its arguments to its exit
 * status. A command is a constant in the file of its name; commands.c lists
 * them all.
 *
 * To run it is always the same: the request begins as a copy of the defaults,
 * each option and then the words go into it, the guest is opened if the command
 * needs one, run() does the work, and the guest is closed.
 */
#ifndef TOOLS_BALLOONCTL_COMMAND_H
#define TOOLS_BALLOONCTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/balloonctl/balloonctl.h"

struct option; /* of <getopt.h> */

/* Given to run(). */
struct call {
	const struct common *common;
	const void *request; /* the command's own, complete and checked */
	struct guest *guest; /* connected if the command needs it, else NULL */
	int64_t start;	     /* of the command, by deadline_now() */
	int timeout_ms;	     /* how long answers may take: -t, or ANSWERS_MS */
	int64_t deadline;    /* for all answers; the guest has it */
};

struct command {
	const char *name;
	const char *arguments, *summary; /* its line in `balloonctl --help` */
	const char *help;		 /* all that `balloonctl NAME --help` says */

	/*
	 * For getopt_long(): --help is the letter h and handled by command_run();
	 * `letters` are the short options apart from -h, NULL: there are none.
	 */
	const struct option *options;
	const char *letters;

	/* A word like -512M is a word and no option. */
	bool takes_minus;

	const void *defaults;
	size_t request_size;
	bool needs_guest;

	/* Stores one option; complains and gives false if the value is bad. */
	bool (*take_option)(void *request, int letter, const char *value);

	/*
	 * Stores the words after the options, which live as long as the call, and
	 * checks the request as a whole; complains and gives false if something is
	 * wrong. NULL: no word is allowed.
	 */
	bool (*take_words)(void *request, char **words, size_t count);

	/*
	 * Gives the seconds after which the whole command is to end, answers or not;
	 * 0: the request names none. NULL: it never does.
	 */
	unsigned (*time_limit)(const void *request);

	/* Does the work, complains of what fails, returns the exit status. */
	int (*run)(const struct call *call);
};

extern const struct command command_list, command_status, command_set, command_take, command_give,
	command_grow, command_shrink, command_stats, command_watch, command_record, command_plot,
	command_export, command_dump;

/* All of them, in the order of --help; NULL ends the list. */
extern const struct command *const commands[];

/* Finds the command that is called `name`; NULL: there is none. */
const struct command *command_find(const char *name);

/*
 * Runs `command` with its own arguments, argv[0] being its name, which
 * getopt_long() may reorder. Returns the exit status; complains of everything
 * but success.
 */
int command_run(const struct command *command, const struct common *common, int argc, char **argv);

/* Complains and gives false if there is a word. */
bool no_words(char **words, size_t count);

#endif
