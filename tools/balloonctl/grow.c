/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl grow, shrink: more memory for a guest than it began with, and back, by a
 * virtio-mem device and its balloon together. grow_plan.c has the order of the two, and
 * grow_refuse.c the words for sizes that cannot be.
 */
#include <assert.h>

#include <getopt.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/grow_plan.h"
#include "tools/balloonctl/grow_refuse.h"
#include "tools/balloonctl/guest.h"
#include "tools/balloonctl/report.h"
#include "tools/balloonctl/wait_options.h"

#define NAMES_MAX 400

static const char help[] =
	"usage: balloonctl [-g NAME] grow SIZE [--device=ID] [--wait[=SEC]] [--json]\n"
	"       balloonctl [-g NAME] grow --to SIZE ...\n"
	"       balloonctl [-g NAME] shrink SIZE ...\n"
	"       balloonctl [-g NAME] shrink --to SIZE ...\n"
	"\n"
	"  grow SIZE     let the guest have SIZE more than it has now\n"
	"  shrink SIZE   let it have SIZE less than now\n"
	"  --to SIZE     instead: let it have SIZE in all, more or less than now\n"
	"\n"
	"For guests with a virtio-mem device, whatever runs in them, if it has a driver.\n"
	"To grow, the balloon gives back what it holds first, and only the rest is\n"
	"plugged. To shrink, blocks are unplugged first; only when none is left to go,\n"
	"the balloon takes the rest. A guest that began with 1 GiB, and has 2 GiB plugged\n"
	"and 256 MiB in the balloon, has 2.75 GiB now: `grow 1G` empties its balloon and\n"
	"plugs 768 MiB; `shrink 2.25G` unplugs the 2 GiB and has the balloon hold\n"
	"512 MiB. Blocks that the guest needs stay plugged, and their going stays\n"
	"requested: the balloon does not take their place. \"Now\" is what the guest last\n"
	"reported.\n"
	"\n"
	"SIZE is in bytes or with a unit, 1.5G, 64MiB, 64M (K, M, G, T are powers of\n"
	"1024). What is plugged is whole blocks of the device, often of 2 MiB.\n"
	"\n"
	"  --device=ID      the device, by the name that `status` shows; where there is\n"
	"                   only one it need not be said\n"
	"  --wait[=SEC]     wait until that is reached, for SEC seconds at most; without\n"
	"                   SEC, as long as there is progress\n"
	"  --patience=SEC   so long without progress is a standstill (default 5)\n"
	"  --json           what came of it as one JSON object on one line\n"
	"\n"
	"Exit status: without --wait 0 says that it was requested, and that a driver is\n"
	"there to see it, as far as QEMU tells (7.2 to 10; libvirt does not); with\n"
	"--wait, that it was reached.\n"
	"  2  bad arguments, or a size that this guest cannot have: a line says which it\n"
	"     can; or several devices and no --device\n"
	"  3  shortfall: the guest lives, but plugs or gives no more; where QEMU does not\n"
	"     tell, and nothing has moved, it may also have no driver for the device\n"
	"  4  SEC seconds are over and the guest is still on its way; or it is paused,\n"
	"     has panicked, or shows no sign of life when asked; or QEMU does not answer,\n"
	"     or moves the guest (a migration), which requests wait for\n"
	"  5  the machine has no virtio-mem device\n"
	"  6  no driver in the guest (what is requested stays for one that comes)\n"
	"  7  cannot connect, or the connection was lost\n"
	"  1  anything else\n";

struct request {
	struct grow_wish wish;
	const char *typed, *device;
	bool json;
	struct wait_options wait;
};

static const char *name_of(const struct request *request)
{
	return grow_command(&request->wish);
}

/* ---- which device ---- */

/* "m0, m1" */
static void list_names(const struct guest_state *state, char names[NAMES_MAX])
{
	size_t length = 0;

	*names = '\0';
	for (unsigned i = 0; i < state->nr_devices && length < NAMES_MAX; i++)
		length += (size_t)snprintf(names + length, NAMES_MAX - length, "%s%s",
					   i ? ", " : "", state->devices[i].name);
}

/* What the balloon can do without a device; "": there is no balloon. */
static void balloon_instead(const struct request *request, const struct guest_state *state,
			    char *words, size_t size)
{
	char most[SIZE_TEXT];

	size_exact(state->taken, most);
	if (state->lacks_balloon)
		*words = '\0';
	else if (request->wish.shrinks)
		snprintf(words, size, "; its balloon takes memory by `balloonctl take +SIZE`");
	else if (state->taken)
		snprintf(words, size, "; its balloon can give back by `balloonctl give %s`", most);
	else
		snprintf(words, size, "; its balloon holds nothing that it could give back");
}

static int complain_none(const struct request *request, const struct guest_state *state)
{
	char balloon[SIZE_TEXT + 60];

	if (state->has_grown) {
		complain("%s", state->complaint);
		return EXIT_WRONG;
	}
	balloon_instead(request, state, balloon, sizeof(balloon));
	if (*state->hypervisor) {
		complain("a guest of %s does not %s: there is no virtio-mem device beside its "
			 "hypervisor%s",
			 state->hypervisor, name_of(request), balloon);
		return EXIT_USAGE;
	}
	complain("the machine has no virtio-mem device to %s by%s", name_of(request), balloon);
	return EXIT_NO_DEVICE;
}

/* Finds the device that is meant. Returns an exit status; complains of all but success. */
static int choose_device(const struct request *request, const struct guest_state *state,
			 const struct guest_mem_device **device)
{
	char names[NAMES_MAX];

	list_names(state, names);
	if (!state->nr_devices)
		return complain_none(request, state);
	*device = request->device ? guest_find_device(state, request->device) : state->devices;
	if (!*device)
		complain("the machine has no virtio-mem device '%s'%s %s", request->device,
			 state->nr_unlisted ? " among those that balloonctl lists:" : ": it has",
			 names);
	else if (!request->device && state->nr_devices > 1)
		complain("the machine has several virtio-mem devices: say which by --device=ID, "
			 "one of %s",
			 names);
	else
		return EXIT_REACHED;
	return EXIT_USAGE;
}

/* Returns an exit status; complains of all but success. */
static int make_plan(const struct request *request, const struct guest_state *state,
		     const struct guest_mem_device *device, struct grow_plan *plan)
{
	struct grow_refusal refusal = {
		.wish = &request->wish,
		.typed = request->typed,
		.state = state,
		.device = device,
	};
	enum grow_verdict verdict = grow_plan(state, device, &request->wish, plan, &refusal.near);

	return verdict == GROW_PLANNED ? EXIT_REACHED : grow_refuse(verdict, &refusal);
}

/* ---- the command ---- */

/* A request that is what it was, and followed, need not be sent: it may be refused. */
static bool is_new_request(const struct guest_state *state, const struct wait_goal *goal)
{
	const struct guest_mem_device *device = guest_find_device(state, goal->device);

	assert(device);
	return device->requested != goal->requested || device->plugged != goal->requested;
}

static int send_request(struct guest *guest, const struct guest_state *state,
			const struct wait_goal *goal)
{
	return is_new_request(state, goal) ? guest_request(guest, goal->device, goal->requested)
					   : 0;
}

static int send_target(struct guest *guest, const struct guest_state *state,
		       const struct wait_goal *goal)
{
	return goal->balloon ? guest_set_target(guest, state->base + state->dimms - goal->taken)
			     : 0;
}

/* Of a plan of two steps the second has failed: says what stands of the first. */
static int complain_half(const struct guest *guest, const struct request *request,
			 const struct guest_state *state, const struct wait_goal *goal, int err)
{
	char size[SIZE_TEXT];

	if (request->wish.shrinks && is_new_request(state, goal))
		complain("%s; that %s has %s plugged stays requested", guest_error(guest),
			 goal->device, size_word(goal->requested, size));
	else if (!request->wish.shrinks && goal->balloon)
		complain("%s; the balloon's target of %s left stands", guest_error(guest),
			 size_word(state->ram - goal->taken, size));
	else
		return guest_failed(guest, err);
	return exit_status(err);
}

/*
 * The means that comes first is told first. Returns an exit status; complains of all but
 * success.
 */
static int send_plan(struct guest *guest, const struct request *request,
		     const struct guest_state *state, const struct wait_goal *goal)
{
	bool shrinks = request->wish.shrinks;
	int err = shrinks ? send_request(guest, state, goal) : send_target(guest, state, goal);

	if (err)
		return guest_failed(guest, err);
	err = shrinks ? send_target(guest, state, goal) : send_request(guest, state, goal);
	return err ? complain_half(guest, request, state, goal, err) : EXIT_REACHED;
}

static void print_text(const struct guest_state *state, const struct wait_goal *goal)
{
	const struct guest_mem_device *device = guest_find_device(state, goal->device);

	if (goal->balloon)
		report_print_amounts(state);
	if (!device)
		return;
	report_print_grown(device->plugged, device->requested);
	fputs(" of ", stdout);
	put_escaped(stdout, device->name);
	putchar('\n');
}

static void print_result(const struct call *call, const struct guest_state *state,
			 const struct wait_goal *goal, int status)
{
	const struct request *request = call->request;

	if (request->json)
		report_print_outcome(call->guest, state, status, request->wait.wanted);
	else
		print_text(state, goal);
	if (*state->complaint)
		complain("%s", state->complaint);
}

/* Whether no driver runs a device; not if that cannot be known. */
static bool lacks_driver(struct guest *guest, const char *device)
{
	bool driver_ok;

	return !guest_find_driver(guest, device, &driver_ok) && !driver_ok;
}

/* Whether somebody is there to do it; complains if not. */
static int judge_plan(struct guest *guest, const struct guest_state *state,
		      const struct wait_goal *goal)
{
	const struct guest_mem_device *device = guest_find_device(state, goal->device);

	if (state->panicked) {
		complain("it is requested, but the guest has panicked");
		return EXIT_TIMEOUT;
	}
	if (goal->balloon && state->taken != goal->taken && state->has_driver &&
	    !state->driver_ok) {
		complain("it is requested, but no balloon driver runs in the guest");
		return EXIT_NO_DRIVER;
	}
	if (device && device->plugged != goal->requested && lacks_driver(guest, goal->device)) {
		complain("%s has its request, but no driver runs it in the guest", goal->device);
		return EXIT_NO_DRIVER;
	}
	return EXIT_REACHED;
}

static int show_plan(const struct call *call, const struct wait_goal *goal)
{
	struct guest_state state;
	int err = guest_memory(call->guest, &state);
	int status;

	if (err)
		return guest_failed(call->guest, err);
	status = judge_plan(call->guest, &state, goal);
	print_result(call, &state, goal, status);
	return status;
}

static int wait_and_show(const struct call *call, struct guest_state *state,
			 const struct wait_goal *goal)
{
	const struct request *request = call->request;
	struct wait_limits limits = wait_limits(&request->wait, call, request->json);
	int status = wait_for_target(call->guest, state, goal, &limits);

	if (state->ram)
		print_result(call, state, goal, status);
	return status;
}

static int run(const struct call *call)
{
	const struct request *request = call->request;
	const struct guest_mem_device *device;
	struct guest_mem_device chosen; /* *device is of the state, which a wait writes over */
	struct guest_state state;
	struct wait_goal goal = { .balloon = false };
	struct grow_plan plan;
	int err = guest_memory(call->guest, &state);
	int status;

	if (err)
		return guest_failed(call->guest, err);
	status = choose_device(request, &state, &device);
	if (!status)
		status = make_plan(request, &state, device, &plan);
	if (status)
		return status;
	chosen = *device;
	goal = (struct wait_goal){ .balloon = !state.lacks_balloon,
				   .taken = state.base + state.dimms - plan.bytes_left,
				   .device = chosen.name,
				   .requested = plan.requested,
				   .left = plan.bytes_left + state.grown - device->plugged +
					   plan.requested };
	status = send_plan(call->guest, request, &state, &goal);
	if (status)
		return status;
	return request->wait.wanted ? wait_and_show(call, &state, &goal) : show_plan(call, &goal);
}

static bool take_option(void *request, int letter, const char *value)
{
	struct request *r = request;

	switch (letter) {
	case 'd':
		r->device = value;
		return true;
	case 't':
		r->wish.in_all = true;
		r->typed = value;
		return true;
	case 'j':
		r->json = true;
		return true;
	default:
		return wait_take_option(&r->wait, letter, value);
	}
}

static bool take_words(void *request, char **words, size_t count)
{
	struct request *r = request;
	int err;

	if (!wait_check_options(&r->wait))
		return false;
	if (count != !r->typed) {
		complain(
			"one size is wanted, as in `balloonctl %s 512M` or `balloonctl %s --to 2G`",
			name_of(r), name_of(r));
		return false;
	}
	if (!r->typed)
		r->typed = words[0];
	err = size_parse(r->typed, &r->wish.bytes);
	if (err)
		complain_size(r->typed, err, "");
	else if (!r->wish.bytes)
		complain("'%s' is nothing: a size is wanted, as in `balloonctl %s 512M`", r->typed,
			 name_of(r));
	return !err && r->wish.bytes;
}

static unsigned time_limit(const void *request)
{
	const struct request *r = request;

	return r->wait.limits.seconds;
}

static const struct option options[] = {
	{ "device", required_argument, NULL, 'd' }, { "to", optional_argument, NULL, 't' },
	{ "json", no_argument, NULL, 'j' },	    WAIT_OPTION_ROWS,
	{ "help", no_argument, NULL, 'h' },	    { 0 },
};

/* The two commands differ only in their direction. */
#define GROW_COMMAND(word, way, words) \
	{ \
		.name = (word), .arguments = "[--to] SIZE [--device=ID]", .summary = (words), \
		.help = help, .options = options, \
		.defaults = &(const struct request){ .wish.shrinks = (way), \
						     .wait = WAIT_OPTIONS }, \
		.request_size = sizeof(struct request), .needs_guest = true, \
		.take_option = take_option, .take_words = take_words, .time_limit = time_limit, \
		.run = run, \
	}

const struct command command_grow = GROW_COMMAND("grow", false,
						 "let it have SIZE more: virtio-mem");
const struct command command_shrink = GROW_COMMAND("shrink", true, "let it have SIZE less");
