/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl set, take, give: a target for the balloon. They differ in what
 * their size means, which is the whole confusion of ballooning, so each
 * prints both amounts. The device counts pages: an odd target is rounded so
 * that the guest has rather more than less.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <getopt.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/guest.h"
#include "tools/balloonctl/report.h"
#include "tools/balloonctl/wait.h"
#include "tools/deadline.h"

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
	"                   without SEC, as long as there is progress; SEC counts from the\n"
	"                   start of the command, also when nobody answers\n"
	"  --patience=SEC   so long without progress is a standstill (default 5)\n"
	"\n"
	"Each prints target and actual, as memory left to the guest and memory taken.\n"
	"SIZE is in bytes or has a unit, K M G T, powers of 1024, and is rounded to pages\n"
	"in favour of the guest.\n"
	"\n"
	"Exit status: without --wait 0 says that the target was set and a driver is there\n"
	"to see it; with --wait, that it was reached.\n"
	"  3  shortfall: the guest lives and its driver works, but it stays short of the\n"
	"     target: it keeps the memory that it needs\n"
	"  4  SEC seconds are over and the guest is still on its way; or it is paused, has\n"
	"     panicked, or shows no sign of life when it is asked; or QEMU does not answer\n"
	"  5  the machine has no balloon device\n"
	"  6  no driver in the guest (the target stays for one that comes)\n"
	"  7  cannot connect, or the connection was lost\n"
	"  1  anything else, 2 bad arguments or a size that this guest cannot have\n";

/* ---- what a size means ---- */

static uint64_t ram_of(const struct guest_state *state)
{
	return state->ram;
}

static uint64_t taken_of(const struct guest_state *state)
{
	return state->taken;
}

static uint64_t goal_of_set(const struct guest_state *state, uint64_t size)
{
	(void)state;
	return size;
}

static uint64_t goal_of_take(const struct guest_state *state, uint64_t size)
{
	return state->ram - size;
}

static uint64_t goal_of_give(const struct guest_state *state, uint64_t size)
{
	return state->left + size;
}

enum { SET, TAKE, GIVE };

static const struct meaning {
	const char *command;
	uint64_t (*most_of)(const struct guest_state *state); /* the largest size */
	const char *too_much;
	uint64_t (*goal_of)(const struct guest_state *state, uint64_t size); /* to be left */
} meanings[] = {
	[SET] = { "set", ram_of, "the guest has no more than", goal_of_set },
	[TAKE] = { "take", ram_of, "the guest has no more than", goal_of_take },
	[GIVE] = { "give", taken_of, "the balloon holds no more than", goal_of_give },
};

struct request {
	const struct meaning *meaning;
	uint64_t size;
	bool wait;
	struct wait_limits limits;
};

/* Stores how many bytes are to be left to the guest; complains, -ERANGE. */
static int find_goal(const struct request *request, const struct guest_state *state, uint64_t *goal)
{
	const struct meaning *meaning = request->meaning;
	uint64_t most = meaning->most_of(state);
	char most_text[SIZE_TEXT];

	if (request->size > most) {
		complain("%s %s", meaning->too_much, size_word(most, most_text));
		return -ERANGE;
	}
	*goal = (meaning->goal_of(state, request->size) + PAGE - 1) / PAGE * PAGE;
	/* The guest's RAM need not be whole pages. */
	if (*goal > state->ram)
		*goal = state->ram;
	return 0;
}

/* ---- the command ---- */

static void print_result(const struct guest_state *state)
{
	report_print_amounts(state);
	if (state->complaint[0] != '\0')
		complain("%s", state->complaint);
}

static int show_new_target(struct guest *guest)
{
	struct guest_state state;
	int err = guest_state(guest, &state);

	if (err)
		return guest_failed(guest, err);
	print_result(&state);
	if (state.panicked) {
		complain("the target is set, but the guest has panicked");
		return EXIT_TIMEOUT;
	}
	if (state.has_features && !state.driver_ok) {
		complain("the target is set, but no balloon driver runs in the guest");
		return EXIT_NO_DRIVER;
	}
	return EXIT_REACHED;
}

static int wait_and_show(const struct call *call, struct guest_state *state, uint64_t goal)
{
	const struct request *request = call->request;
	struct wait_limits limits = request->limits;
	int status;

	limits.look_ms = call->timeout_ms;
	limits.end = DEADLINE_NONE;
	if (limits.seconds)
		limits.end = call->start + (int64_t)limits.seconds * 1000;
	status = wait_for_target(call->guest, state, goal, &limits);
	if (state->ram)
		print_result(state);
	return status;
}

static int run(const struct call *call)
{
	const struct request *request = call->request;
	struct guest *guest = call->guest;
	struct guest_state state;
	uint64_t goal = 0;
	int err = guest_state(guest, &state);

	if (err)
		return guest_failed(guest, err);
	err = find_goal(request, &state, &goal);
	if (err)
		return exit_status(err);
	err = guest_set_target(guest, goal);
	if (err)
		return guest_failed(guest, err);
	return request->wait ? wait_and_show(call, &state, goal) : show_new_target(guest);
}

static bool parse_limit(const char *option, const char *text, unsigned *seconds)
{
	if (!seconds_parse(text, seconds) && *seconds)
		return true;
	complain("%s=%s: whole seconds, 1 or more, are wanted", option, text);
	return false;
}

static bool take_option(void *request, int letter, const char *value)
{
	struct request *r = request;

	if (letter == 'p')
		return parse_limit("--patience", value, &r->limits.patience);
	assert(letter == 'w');
	r->wait = true;
	return !value || parse_limit("--wait", value, &r->limits.seconds);
}

static bool take_words(void *request, char **words, size_t count)
{
	struct request *r = request;

	if (count != 1) {
		complain("one size is wanted, as in `balloonctl %s 512M`%s", r->meaning->command,
			 r->wait && count > 1 ? "; seconds go after =: --wait=60" : "");
		return false;
	}
	if (!size_parse(words[0], &r->size))
		return true;
	complain("'%s' is no size: bytes, or a number with K, M, G or T, as in 512M", words[0]);
	return false;
}

static unsigned time_limit(const void *request)
{
	const struct request *r = request;

	return r->limits.seconds;
}

static const struct option options[] = {
	{ "wait", optional_argument, NULL, 'w' },
	{ "patience", required_argument, NULL, 'p' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* The three commands differ only in what their size means. */
#define SET_COMMAND(word, row, words) \
	{ \
		.name = (word), .arguments = "SIZE [--wait[=SEC]]", .summary = (words), \
		.help = help, .options = options, \
		.defaults = &(const struct request){ .meaning = &(row), \
						     .limits.patience = PATIENCE_S }, \
		.request_size = sizeof(struct request), .needs_guest = true, \
		.take_option = take_option, .take_words = take_words, .time_limit = time_limit, \
		.run = run, \
	}

const struct command command_set = SET_COMMAND("set", meanings[SET], "leave the guest SIZE");
const struct command command_take = SET_COMMAND("take", meanings[TAKE],
						"have the balloon hold SIZE in all");
const struct command command_give = SET_COMMAND("give", meanings[GIVE],
						"let the guest have SIZE more than now");
