/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl status: shows what is known of a guest's balloon now. Unknown values
 * are left out, in the text as in the JSON; 0 always means an amount of zero.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <getopt.h>
#include <json-c/json.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/guest.h"
#include "tools/balloonctl/report.h"

static const char help[] =
	"usage: balloonctl [-g NAME] status [--json]\n"
	"\n"
	"Shows the guest's memory, the balloon's target and what was reached of it, the\n"
	"features that the driver negotiated, and the last statistics with their age.\n"
	"Of a guest that has DIMMs or virtio-mem devices it shows what its RAM is made of\n"
	"(base, DIMMs, grown), and of each device what is plugged, what is requested of\n"
	"it, and what it can bring in all, by blocks of what size; and \"no driver\", if\n"
	"none runs it in the guest and QEMU (7.2 to 10) tells.\n"
	"The target is read from the device's registers, where the guest has mapped\n"
	"them; \"unknown\" otherwise. In a guest of the hypervisor for tests (make run\n"
	"HYPERVISOR=vmware) target, amounts and driver are those of its control block.\n"
	"What the guest never sent is not shown. The rest is QEMU's RAM less what\n"
	"statistics and balloon account for: what the guest keeps for itself at boot, and\n"
	"DIMMs that it does not use, or that came after the statistics. It is shown while\n"
	"the guest is asked for statistics and answers, and its balloon does not give\n"
	"back; never of a guest with virtio-mem devices.\n"
	"\n"
	"  --json   one JSON object on one line; all amounts in bytes, ages in seconds\n";

struct request {
	bool json;
};

static void print_features(uint64_t features)
{
	fputs("Features    ", stdout);
	for (unsigned bit = 0; bit < 64; bit++) {
		const char *name = guest_feature_name(bit);

		if (!(features >> bit & 1))
			continue;
		if (name)
			printf(" %s", name);
		else
			printf(" bit-%u", bit);
	}
	puts(features ? "" : " none");
}

static void print_driver(const struct guest_state *state)
{
	if (!state->has_driver)
		puts("Driver       unknown (QEMU 7.2 to 10 tell over QMP)");
	else if (!state->driver_ok)
		puts("Driver       none in the guest");
	else if (!state->has_features)
		puts("Driver       in the guest");
	else
		print_features(state->accepted);
}

static void print_state(const struct guest *guest, const struct guest_state *state)
{
	fputs("Guest        ", stdout);
	put_escaped(stdout, guest_name(guest));
	puts(state->panicked ? " (panicked)" : state->paused ? " (paused)" : "");
	report_print_memory(state);
	if (state->lacks_balloon) {
		puts("Balloon      none");
	} else {
		report_print_amounts(state);
		if (*state->hypervisor)
			printf("Balloon      of the hypervisor for tests, as %s has it\n",
			       state->hypervisor);
		print_driver(state);
	}
	if (*state->complaint) {
		fputs("Complaint    ", stdout);
		put_escaped(stdout, state->complaint);
		putchar('\n');
	}
}

static void print_unused(const struct guest_state *state, const struct guest_stats *stats)
{
	char text[SIZE_TEXT];
	uint64_t unused;

	if (!guest_unused(state, stats, &unused))
		return;
	size_format(unused, text);
	printf("Rest         %s of RAM not used by the guest\n", text);
}

static int print_json(const struct guest *guest, const struct guest_state *state,
		      const struct guest_stats *stats)
{
	struct json_object *all = report_state(guest, state);
	uint64_t unused;

	report_add_stats(all, stats);
	if (guest_unused(state, stats, &unused))
		json_object_object_add(all, "unused", json_object_new_uint64(unused));
	report_print_json(all);
	return EXIT_REACHED;
}

static int look(struct guest *guest, struct guest_state *state, struct guest_stats *stats)
{
	int err = guest_look(guest, state);

	memset(stats, 0, sizeof(*stats));
	if (!err)
		err = guest_find_drivers(guest, state);
	return err || state->lacks_balloon ? err : guest_stats(guest, stats);
}

static int show(struct guest *guest, bool json)
{
	struct guest_state state;
	struct guest_stats stats;
	int err = look(guest, &state, &stats);

	if (err)
		return guest_failed(guest, err);
	if (json)
		return print_json(guest, &state, &stats);
	print_state(guest, &state);
	if (!state.lacks_balloon)
		report_print_stats(&stats);
	print_unused(&state, &stats);
	return EXIT_REACHED;
}

static bool take_option(void *request, int letter, const char *value)
{
	struct request *r = request;

	(void)value;
	assert(letter == 'j');
	r->json = true;
	return true;
}

static int run(const struct call *call)
{
	const struct request *request = call->request;

	return show(call->guest, request->json);
}

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

const struct command command_status = {
	.name = "status",
	.arguments = "[--json]",
	.summary = "memory, target, features, statistics",
	.help = help,
	.options = options,
	.defaults = &(const struct request){ .json = false },
	.request_size = sizeof(struct request),
	.needs_guest = true,
	.take_option = take_option,
	.run = run,
};
