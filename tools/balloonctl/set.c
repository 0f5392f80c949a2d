/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl set, take, give: a target for the balloon. They differ in what
 * their amount means, which is the whole confusion of ballooning, so each
 * prints both amounts. The device counts pages: an odd target is rounded so
 * that the guest has rather more than less.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <getopt.h>

#include "tools/balloonctl/amount.h"
#include "tools/balloonctl/command.h"
#include "tools/balloonctl/guest.h"
#include "tools/balloonctl/report.h"
#include "tools/balloonctl/wait_options.h"

#define PAGE 4096ull
#define WORDS_MAX 200

static const char help[] =
	"usage: balloonctl [-g NAME] set AMOUNT [--wait[=SEC]] [--patience=SEC] [--json]\n"
	"       balloonctl [-g NAME] take AMOUNT ...\n"
	"       balloonctl [-g NAME] give AMOUNT ...\n"
	"\n"
	"  set AMOUNT   leave the guest AMOUNT of its memory: a target, as in\n"
	"               `virsh setmem`; +AMOUNT and -AMOUNT: more or less than it has now\n"
	"  take AMOUNT  have the balloon hold AMOUNT in all, whatever it holds now, and\n"
	"               +AMOUNT or -AMOUNT more or less than now; `take 0` gives\n"
	"               everything back\n"
	"  give AMOUNT  let the guest have AMOUNT more than it has now\n"
	"\n"
	"AMOUNT is a size in bytes or with a unit, 1.5G, 64MiB, 64M (K, M, G, T are\n"
	"powers of 1024), or a share of the guest's RAM, 25%. \"Now\" is what the guest\n"
	"last reported, not the last target, which it may have missed. Targets are\n"
	"rounded to pages in favour of the guest. What virtio-mem has plugged counts as\n"
	"the guest's memory, and the balloon takes none of it: see grow and shrink. If\n"
	"that changes during --wait, set and give end with 1; while it may still\n"
	"change they wait until nothing has moved for so long as --patience says.\n"
	"\n"
	"  --all            instead of an amount: leave the guest all it has; take all\n"
	"                   that it does not need; give all that the balloon holds\n"
	"  --wait[=SEC]     wait until the target is reached, for SEC seconds at most;\n"
	"                   without SEC, as long as there is progress; SEC counts from\n"
	"                   the start of the command, also when nobody answers\n"
	"  --patience=SEC   so long without progress is a standstill (default 5)\n"
	"  --json           what came of it as one JSON object on one line\n"
	"\n"
	"Each prints target and actual, as memory left to the guest and memory taken. Who\n"
	"interrupts a wait leaves the target as it is.\n"
	"\n"
	"Exit status: without --wait 0 says that the target was set, and that a driver\n"
	"is there to see it, as far as QEMU tells; with --wait, that it was reached.\n"
	"  3  shortfall: the guest lives and its driver works, but it stays short of the\n"
	"     target: it keeps the memory that it needs\n"
	"  4  SEC seconds are over and the guest is still on its way; or it is paused,\n"
	"     has panicked, or shows no sign of life when asked; or QEMU does not answer\n"
	"  5  the machine has no balloon device\n"
	"  6  no driver in the guest (the target stays for one that comes)\n"
	"  7  cannot connect, or the connection was lost\n"
	"  1  anything else, 2 bad arguments or a size that this guest cannot have\n";

/* ---- what an amount means ---- */

enum { SET, TAKE, GIVE };

struct request {
	int meaning;
	const char *typed; /* NULL: --all */
	struct amount amount;
	bool all, json;
	struct wait_options wait;
};

static const char *const names[] = { [SET] = "set", [TAKE] = "take", [GIVE] = "give" };

/* What is typed changes what is left, or what is taken; `now` is how much that is. */
static int find_sum(const struct request *request, uint64_t now, uint64_t bytes, uint64_t *sum)
{
	int sign = request->meaning == GIVE ? 1 : request->amount.sign;
	char now_text[SIZE_TEXT];

	if (sign < 0 && bytes > now) {
		complain("'%s' is too much: %s no more than %s now", request->typed,
			 request->meaning == TAKE ? "the balloon holds" : "the guest has",
			 size_word(now, now_text));
		return -ERANGE;
	}
	*sum = sign < 0 ? now - bytes : sign > 0 ? now + bytes : bytes;
	return 0;
}

static int complain_too_much(const struct request *request, const struct guest_state *state)
{
	char most[SIZE_TEXT], now[SIZE_TEXT];

	if (request->meaning == GIVE)
		complain("'%s' is too much: the balloon holds no more than %s", request->typed,
			 size_word(state->taken, most));
	else if (request->amount.sign)
		complain("'%s' is too much: the guest has no more than %s, of which %s %s now",
			 request->typed, size_word(state->ram, most),
			 size_word(request->meaning == TAKE ? state->taken : state->left, now),
			 request->meaning == TAKE ? "are taken" : "are left");
	else
		complain("'%s' is too much: the guest has no more than %s", request->typed,
			 size_word(state->ram, most));
	return -ERANGE;
}

/*
 * A guest cannot be left without any memory, and the balloon takes none that is grown: all of
 * the rest is all but a page.
 */
static uint64_t goal_of_all(const struct request *request, const struct guest_state *state)
{
	return request->meaning == TAKE && state->ram - state->grown > PAGE ? state->grown + PAGE
									    : state->ram;
}

/* The balloon takes less than base and DIMMs: what virtio-mem has plugged is not its own. */
static int complain_grown(const struct request *request, const struct guest_state *state)
{
	char grown[SIZE_TEXT], rest[SIZE_TEXT];

	complain("'%s' is too %s: %s of the guest's memory are plugged by virtio-mem, which only "
		 "`balloonctl shrink` gives back; its balloon can take the other %s",
		 request->typed, request->meaning == TAKE ? "much to take" : "little to leave",
		 size_word(state->grown, grown), size_word(state->ram - state->grown, rest));
	return -ERANGE;
}

/*
 * Stores how many bytes are to be left to the guest, of all that it has; complains, -ERANGE:
 * less than is grown, or more than there is.
 */
static int find_goal(const struct request *request, const struct guest_state *state, uint64_t *goal)
{
	bool taken = request->meaning == TAKE;
	uint64_t bytes = amount_bytes(&request->amount, state->ram), sum;
	int err;

	if (request->all) {
		*goal = goal_of_all(request, state);
		return 0;
	}
	err = find_sum(request, taken ? state->taken : state->left, bytes, &sum);
	if (err)
		return err;
	if (sum > state->ram)
		return complain_too_much(request, state);
	*goal = ((taken ? state->ram - sum : sum) + PAGE - 1) / PAGE * PAGE;
	/* The guest's RAM need not be whole pages. */
	if (*goal > state->ram)
		*goal = state->ram;
	/* Without anything grown this is nothing at all, which has its own words. */
	if (state->grown && *goal <= state->grown)
		return complain_grown(request, state);
	return 0;
}

/* ---- the command ---- */

static void print_result(const struct request *request, const struct guest *guest,
			 const struct guest_state *state, int status)
{
	if (request->json)
		report_print_outcome(guest, state, status, request->wait.wanted);
	else
		report_print_amounts(state);
	if (*state->complaint)
		complain("%s", state->complaint);
}

/* Whether somebody is there to see the new target; complains if not. */
static int judge_target(const struct guest_state *state)
{
	if (state->panicked) {
		complain("the target is set, but the guest has panicked");
		return EXIT_TIMEOUT;
	}
	if (state->has_driver && !state->driver_ok) {
		complain("the target is set, but no balloon driver runs in the guest");
		return EXIT_NO_DRIVER;
	}
	return EXIT_REACHED;
}

/* Whether a size was named for all that the guest is to have. */
static bool is_of_the_whole(const struct request *request)
{
	return request->meaning != TAKE && !request->all;
}

/* The target holds for what is plugged now. */
static void warn_of_change(const struct guest_state *state)
{
	char plugged[SIZE_TEXT], requested[SIZE_TEXT];

	if (state->requested != state->grown)
		complain("virtio-mem has %s plugged and %s requested: what is left to the guest "
			 "will change as much",
			 size_word(state->grown, plugged), size_word(state->requested, requested));
}

static int show_new_target(const struct request *request, struct guest *guest)
{
	struct guest_state state;
	int err = guest_state(guest, &state);
	int status;

	if (err)
		return guest_failed(guest, err);
	status = judge_target(&state);
	print_result(request, guest, &state, status);
	if (is_of_the_whole(request))
		warn_of_change(&state);
	return status;
}

static int wait_and_show(const struct call *call, struct guest_state *state, uint64_t goal)
{
	const struct request *request = call->request;
	struct wait_goal target = { .balloon = true,
				    .taken = state->ram - goal,
				    .left = is_of_the_whole(request) ? goal : 0 };
	struct wait_limits limits = wait_limits(&request->wait, call, request->json);
	int status;

	status = wait_for_target(call->guest, state, &target, &limits);
	if (state->ram)
		print_result(request, call->guest, state, status);
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
	err = guest_set_target(guest, goal - state.grown);
	if (err)
		return guest_failed(guest, err);
	return request->wait.wanted ? wait_and_show(call, &state, goal)
				    : show_new_target(request, guest);
}

static bool take_option(void *request, int letter, const char *value)
{
	struct request *r = request;

	switch (letter) {
	case 'a':
		r->all = true;
		return true;
	case 'j':
		r->json = true;
		return true;
	default:
		return wait_take_option(&r->wait, letter, value);
	}
}

/* All that was typed, with blanks between the words. */
static void join_words(char **words, size_t count, char text[WORDS_MAX])
{
	size_t length = 0;

	*text = '\0';
	for (size_t i = 0; i < count && length < WORDS_MAX; i++)
		length += (size_t)snprintf(text + length, WORDS_MAX - length, "%s%s", i ? " " : "",
					   words[i]);
}

static bool complain_count(const struct request *r, char **words, size_t count)
{
	const char *name = names[r->meaning];
	char text[WORDS_MAX];

	join_words(words, count, text);
	if (r->all)
		complain("'%s' is too much beside --all: either an amount or all", text);
	else if (!count)
		complain("an amount is wanted, as in `balloonctl %s 512M`, %s25%%, or --all", name,
			 r->meaning == GIVE ? "" : "+512M, ");
	else
		complain("'%s' is more than one amount: write it in one word, as in "
			 "`balloonctl %s 512M`%s",
			 text, name, r->wait.wanted ? "; seconds go after =: --wait=60" : "");
	return false;
}

static bool take_words(void *request, char **words, size_t count)
{
	struct request *r = request;
	int err;

	if (!wait_check_options(&r->wait))
		return false;
	if (count != !r->all)
		return complain_count(r, words, count);
	if (r->all)
		return true;
	r->typed = words[0];
	err = amount_parse(words[0], &r->amount);
	if (err) {
		complain_size(words[0], err,
			      "; +512M or -512M: more or less than now; 25%: of its RAM");
		return false;
	}
	if (r->meaning == GIVE && r->amount.sign < 0) {
		complain("'%s' cannot be given: `balloonctl take +%s` takes as much more", words[0],
			 words[0] + 1);
		return false;
	}
	return true;
}

static unsigned time_limit(const void *request)
{
	const struct request *r = request;

	return r->wait.limits.seconds;
}

static const struct option options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "json", no_argument, NULL, 'j' },
	WAIT_OPTION_ROWS,
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* The three commands differ only in what their amount means. */
#define SET_COMMAND(word, row, words) \
	{ \
		.name = (word), .arguments = "AMOUNT | --all [--wait[=SEC]]", .summary = (words), \
		.help = help, .options = options, .takes_minus = true, \
		.defaults = &(const struct request){ .meaning = (row), .wait = WAIT_OPTIONS }, \
		.request_size = sizeof(struct request), .needs_guest = true, \
		.take_option = take_option, .take_words = take_words, .time_limit = time_limit, \
		.run = run, \
	}

const struct command command_set = SET_COMMAND("set", SET, "leave the guest AMOUNT");
const struct command command_take = SET_COMMAND("take", TAKE, "have the balloon hold AMOUNT");
const struct command command_give = SET_COMMAND("give", GIVE, "let the guest have AMOUNT more");
