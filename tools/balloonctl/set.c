/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl set, take, give: a target for the balloon. They differ in what
 * their size means, which is the whole confusion of ballooning, so each
 * prints both amounts. The device counts pages: an odd target is rounded so
 * that the guest has rather more than less.
 */
#include <errno.h>
#include <string.h>

#include <getopt.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/guest.h"
#include "tools/balloonctl/report.h"
#include "tools/balloonctl/wait.h"

#define PAGE 4096ull
#define PATIENCE_S 5

static const char help[] =
	"usage: balloonctl [-g NAME] set SIZE [--wait[=SEC]] [--patience=SEC]\n"
	"       balloonctl [-g NAME] take SIZE ...\n"
	"       balloonctl [-g NAME] give SIZE ...\n"
	"\n"
	"  set SIZE    leave the guest SIZE of its memory: a target, as in `virsh setmem`\n"
	"  take SIZE   have the balloon hold SIZE in all, whatever it holds now; `take 0`\n"
	"              gives everything back\n"
	"  give SIZE   let the guest have SIZE more than it has now, by what it last\n"
	"              reported (not by the last target, which it may have missed)\n"
	"\n"
	"  --wait[=SEC]     wait until the target is reached, for SEC seconds at most;\n"
	"                   without SEC, as long as there is progress\n"
	"  --patience=SEC   so long without progress is a standstill (default 5)\n"
	"\n"
	"Each prints target and actual, as memory left to the guest and memory taken.\n"
	"SIZE is in bytes or has a unit, K M G T, powers of 1024, and is rounded to pages\n"
	"in favour of the guest.\n"
	"\n"
	"Exit status: without --wait 0 says that the target was set and a driver is there\n"
	"to see it; with --wait, that it was reached.\n"
	"  3  shortfall: the guest's driver works, but the guest stays short of the target;\n"
	"     it keeps the memory that it needs\n"
	"  4  SEC seconds are over and the guest is still on its way, or it is paused\n"
	"  5  the machine has no balloon device\n"
	"  6  no driver in the guest (the target stays for one that comes)\n"
	"  7  cannot connect, or the connection was lost\n"
	"  1  anything else, 2 bad arguments or a size that this guest cannot have\n";

struct request {
	uint64_t size;
	bool wait;
	struct wait_limits limits;
};

/* Bytes to be left, for a size that means what the command says; complains. */
static int find_goal(const char *command, const struct guest_state *state, uint64_t size,
		     uint64_t *goal)
{
	uint64_t most = state->ram;
	char most_text[SIZE_TEXT];

	if (!strcmp(command, "give"))
		most = state->taken;
	if (size > most) {
		size_format(most, most_text);
		complain(!strcmp(command, "give") ? "the balloon holds no more than %s"
						  : "the guest has no more than %s",
			 most_text + strspn(most_text, " "));
		return -ERANGE;
	}
	if (!strcmp(command, "set"))
		*goal = size;
	else if (!strcmp(command, "take"))
		*goal = state->ram - size;
	else
		*goal = state->left + size;
	*goal = (*goal + PAGE - 1) / PAGE * PAGE;
	return 0;
}

static int print_result(struct guest *guest, bool waited)
{
	struct guest_state state;
	int err = guest_state(guest, &state);

	if (err)
		return guest_failed(guest, err);
	report_print_amounts(&state);
	if (state.complaint[0] != '\0')
		complain("%s", state.complaint);
	if (!waited && state.has_features && !state.driver_ok) {
		complain("the target is set, but no balloon driver runs in the guest");
		return EXIT_NO_DRIVER;
	}
	return EXIT_REACHED;
}

static int set_target(struct guest *guest, const char *command, const struct request *request)
{
	struct guest_state state;
	int status = EXIT_REACHED, printed;
	uint64_t goal = 0;
	int err = guest_state(guest, &state);

	if (err)
		return guest_failed(guest, err);
	err = find_goal(command, &state, request->size, &goal);
	if (err)
		return exit_status(err);
	err = guest_set_target(guest, goal);
	if (err)
		return guest_failed(guest, err);
	if (request->wait)
		status = wait_for_target(guest, &state, goal, &request->limits);
	/* Whom we cannot ask any more has nothing to show. */
	if (status == EXIT_NO_CONNECT)
		return status;
	printed = print_result(guest, request->wait);
	return status ? status : printed;
}

/* An exit status, or -1: go on. */
static int parse_limit(const char *option, const char *text, unsigned *seconds)
{
	if (!seconds_parse(text, seconds) && *seconds)
		return -1;
	complain("%s=%s: whole seconds, 1 or more, are wanted", option, text);
	return EXIT_USAGE;
}

/* The same. */
static int parse_option(int c, char **argv, struct request *request)
{
	switch (c) {
	case 'w':
		request->wait = true;
		return optarg ? parse_limit("--wait", optarg, &request->limits.seconds) : -1;
	case 'p':
		return parse_limit("--patience", optarg, &request->limits.patience);
	case 'h':
		fputs(help, stdout);
		return EXIT_REACHED;
	default:
		return bad_option(c, argv);
	}
}

static int parse(int argc, char **argv, struct request *request)
{
	static const struct option options[] = {
		{ "wait", optional_argument, NULL, 'w' },
		{ "patience", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c, status;

	while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		status = parse_option(c, argv, request);
		if (status >= 0)
			return status;
	}
	if (argc - optind != 1) {
		complain("one size is wanted, as in `balloonctl %s 512M`%s", argv[0],
			 request->wait && argc - optind > 1 ? "; seconds go behind =: --wait=60"
							    : "");
		return EXIT_USAGE;
	}
	if (size_parse(argv[optind], &request->size)) {
		complain("'%s' is no size: bytes, or a number with K, M, G or T, as in 512M",
			 argv[optind]);
		return EXIT_USAGE;
	}
	return -1;
}

int cmd_set(const struct common *common, int argc, char **argv)
{
	struct request request = { .limits.patience = PATIENCE_S };
	struct guest *guest;
	int status = parse(argc, argv, &request);

	if (status >= 0)
		return status;
	status = open_guest(common, &guest);
	if (status)
		return status;
	status = set_target(guest, argv[0], &request);
	guest_close(guest);
	return status;
}
