/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl list: the guests that can be reached from here, and in what state each is. All
 * of them are asked at the same time, so that one that hangs costs its own time only.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <getopt.h>
#include <json-c/json.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/guest_names.h"
#include "tools/balloonctl/guest_set.h"
#include "tools/balloonctl/report.h"
#include "tools/deadline.h"

#define LIST_MS 3000	 /* for all answers of a guest, or of libvirt, without -t */
#define GRACE_MS 500	 /* a guest that says nothing ends its look by itself */
#define ONCE_MS 86400000 /* a second look never comes */

static const char help[] =
	"usage: balloonctl [-t SEC] list [--json] [WHERE...]\n"
	"\n"
	"Shows the guests that can be reached, one a line: name as for -g, memory left\n"
	"and taken, and what is known of the balloon's driver; or why there is no more to\n"
	"say:\n"
	"  busy         its QMP socket serves another client, one that waits or watches\n"
	"  no answer    QEMU is there, and says nothing for 3 s, or SEC\n"
	"  no balloon   the machine has no such device, nor memory that comes and goes\n"
	"  gone         nobody listens on the socket any more\n"
	"\n"
	"Guests are those of `make run`, and the running domains of a libvirt that runs\n"
	"here. WHERE adds others: a folder with NAME.qmp sockets, a QMP socket (both with\n"
	"a slash in the path), or a libvirt URI like qemu+ssh://host/system.\n"
	"\n"
	"  --json   one JSON object on one line; all amounts in bytes\n"
	"\n"
	"Exit status: 0 all that there are were listed, whatever became of them, also if\n"
	"there is none. Else one may be missing: 1 there was no memory, 2 a WHERE is no\n"
	"place, 4 libvirt gave no answer, 7 a place cannot be searched; the others are\n"
	"listed.\n";

struct request {
	bool json;
	char **places;
	size_t count;
};

/* ---- where guests are ---- */

static int add_place(const char *place, int timeout_ms, struct guest_names *names)
{
	char *error = NULL;
	int err = guest_names_add(names, place, deadline_in(timeout_ms), &error);

	if (!err)
		return EXIT_REACHED;
	complain("%s: %s", place, error ? error : strerror(-err));
	free(error);
	return err == -EINVAL ? EXIT_USAGE : exit_status(err);
}

static int add_usual(int timeout_ms, struct guest_names *names)
{
	char *error = NULL;
	int err = guest_names_add_usual(names, deadline_in(timeout_ms), &error);

	if (err)
		complain("%s", error ? error : strerror(-err));
	free(error);
	return exit_status(err);
}

/* The status is that of the first place that cannot be searched; the others are. */
static int find_guests(const struct call *call, int timeout_ms, struct guest_names *names)
{
	const struct request *request = call->request;
	int status = add_usual(timeout_ms, names);

	for (size_t i = 0; i < request->count; i++) {
		int one = add_place(request->places[i], timeout_ms, names);

		if (!status)
			status = one;
	}
	return status;
}

/* ---- output ---- */

static const char *driver_word(const struct guest_state *state)
{
	if (state->lacks_balloon)
		return "no balloon";
	return !state->has_driver ? "driver unknown" : state->driver_ok ? "driver" : "no driver";
}

static const char *run_word(const struct guest_state *state)
{
	return state->panicked ? ", panicked" : state->paused ? ", paused" : "";
}

/* A guest that was not seen in time gave no answer. */
static enum condition condition_of(const struct sample *sample)
{
	enum condition condition = sample_condition(sample);

	return condition == CONDITION_PENDING ? CONDITION_NO_ANSWER : condition;
}

/* QEMU answers, whatever became of the guest. */
static bool has_amounts(enum condition condition)
{
	return condition == CONDITION_UP || condition == CONDITION_PANICKED;
}

static void print_line(const char *name, const struct sample *sample, int width)
{
	char left[SIZE_TEXT], taken[SIZE_TEXT];
	enum condition condition = condition_of(sample);
	char word[24];

	put_escaped(stdout, name);
	printf("%*s", (int)strlen(name) < width ? width - (int)strlen(name) : 0, "");
	if (has_amounts(condition)) {
		size_format(sample->state.left, left);
		size_format(sample->state.taken, taken);
		printf("  %s left   %s taken   %s%s\n", left, taken, driver_word(&sample->state),
		       run_word(&sample->state));
		return;
	}
	snprintf(word, sizeof(word), "%s", condition_word(condition));
	for (char *c = word; *c; c++)
		*c = *c == '_' ? ' ' : *c;
	printf("  %s", word);
	if (condition == CONDITION_FAILED) {
		fputs(": ", stdout);
		put_escaped(stdout, sample->error);
	}
	putchar('\n');
}

static void print_all(const struct guest_set *set, const struct sample *samples, bool json)
{
	struct json_object *all = json_object_new_object(), *array = json_object_new_array();
	int width = 0;

	for (size_t i = 0; i < set->count; i++) {
		int length = (int)strlen(poller_name(set->pollers[i]));

		width = length > width && length <= 40 ? length : width;
	}
	for (size_t i = 0; i < set->count; i++) {
		const char *name = poller_name(set->pollers[i]);

		if (json)
			json_object_array_add(array, report_condition(name, &samples[i],
								      condition_of(&samples[i])));
		else
			print_line(name, &samples[i], width);
	}
	json_object_object_add(all, "guests", array);
	if (json)
		report_print_json(all);
	else
		json_object_put(all);
}

/* ---- the command ---- */

static int ask_and_show(const struct call *call, const struct guest_names *names, int timeout_ms)
{
	const struct request *request = call->request;
	const struct poller_rate rate = { .interval_ms = ONCE_MS, .timeout_ms = timeout_ms };
	struct guest_set set = { .pollers = NULL };
	int64_t end = deadline_in(timeout_ms + GRACE_MS);
	struct sample *samples = calloc(names->count + 1, sizeof(*samples));
	int status = EXIT_REACHED;

	if (!samples) {
		complain("out of memory");
		return EXIT_WRONG;
	}
	/* Without a name a set would be of those of `make run`. */
	if (names->count)
		status = guest_set_open(&set, &(struct common){ .guest = NULL }, names->name,
					names->count, &rate);
	for (size_t i = 0; i < set.count; i++)
		poller_wait(set.pollers[i], 0, deadline_left(end), &samples[i]);
	if (!status)
		print_all(&set, samples, request->json);
	guest_set_close(&set);
	free(samples);
	return status;
}

static int run(const struct call *call)
{
	int timeout_ms = call->common->timeout_ms ? call->common->timeout_ms : LIST_MS;
	struct guest_names names = { .count = 0 };
	int found = find_guests(call, timeout_ms, &names);
	int shown = ask_and_show(call, &names, timeout_ms);

	guest_names_free(&names);
	return shown ? shown : found;
}

static bool take_option(void *request, int letter, const char *value)
{
	struct request *r = request;

	(void)value;
	assert(letter == 'j');
	r->json = true;
	return true;
}

static bool take_words(void *request, char **words, size_t count)
{
	struct request *r = request;

	r->places = words;
	r->count = count;
	return true;
}

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

const struct command command_list = {
	.name = "list",
	.arguments = "[--json] [WHERE...]",
	.summary = "the guests that can be reached",
	.help = help,
	.options = options,
	.letters = "j",
	.defaults = &(const struct request){ .json = false },
	.request_size = sizeof(struct request),
	.take_option = take_option,
	.take_words = take_words,
	.run = run,
};
