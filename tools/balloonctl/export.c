/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl export: guests as Prometheus metrics: printed, in a file for
 * node_exporter, or by HTTP.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <getopt.h>
#include <json-c/json.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/guest_set.h"
#include "tools/balloonctl/listen.h"
#include "tools/balloonctl/metrics.h"
#include "tools/balloonctl/periodic.h"
#include "tools/balloonctl/replace_file.h"
#include "tools/balloonctl/report.h"
#include "tools/deadline.h"

#define CLIENT_MS 10000 /* for a client of the server to ask, and to read the answer */

/* On top of what a look may take: */
#define FIRST_MS 2000	/* until the first sample */
#define SILENCE_MS 5000 /* and the interval: a guest silent for longer is gone */

static const char help[] =
	"usage: balloonctl export [--textfile FILE [--every SEC] | --listen ADDR:PORT]\n"
	"                         [--interval SEC] [--stats SEC] [GUEST...]\n"
	"       balloonctl export --json [GUEST...]\n"
	"\n"
	"Guests as Prometheus metrics. Without a GUEST (or -g) all that `make run` has\n"
	"started. balloon_guest_state says of each whether it is up, has panicked, is\n"
	"busy (another client has its socket: what was seen last stands there with its\n"
	"age), silent, without balloon, DIMMs and virtio-mem devices (no_balloon), or\n"
	"gone; balloon_up is 0 for those that have panicked, are silent or gone, and the\n"
	"latter two have no values. What is not known is absent. Without an option they\n"
	"are printed once.\n"
	"\n"
	"  --textfile FILE      write FILE once, for node_exporter's textfile collector,\n"
	"                       which reads only names that end in .prom\n"
	"  --every SEC          renew it every SEC seconds, and remove it at the end\n"
	"  --listen ADDR:PORT   serve http://ADDR:PORT/metrics until interrupted; ADDR is\n"
	"                       numeric, [ADDR] for IPv6; PORT alone is on loopback.\n"
	"                       There is no password: take care who can reach another\n"
	"                       address.\n"
	"                       A client has ten seconds for a request and its answer\n"
	"  --interval SEC       with --listen: look every SEC seconds, 0.1 to 3600\n"
	"                       (default 5)\n"
	"  --stats SEC          with --listen or --every: have guests asked for\n"
	"                       statistics every SEC seconds while this runs, where\n"
	"                       nobody else asks\n"
	"  --json               print one JSON object on one line, once: the same values,\n"
	"                       by the names of list, stats and watch --json\n";

struct request {
	const char *textfile, *listen;
	int interval_ms, every_ms;
	unsigned stats;
	bool json, has_interval;
	char **guests;
	size_t guest_count;
};

struct exporter {
	pthread_mutex_t lock; /* of the set: pages are made in another thread */
	struct guest_set set;
	int interval_ms, timeout_ms;
};

/* ---- all guests ---- */

/* As metrics; -ENOMEM. */
static int write_all(struct exporter *exporter, FILE *file)
{
	size_t count = exporter->set.count;
	struct metrics_guest *guests = calloc(count + 1, sizeof(guests[0]));
	struct sample *samples = calloc(count + 1, sizeof(samples[0]));
	int64_t silence = (int64_t)exporter->interval_ms + exporter->timeout_ms + SILENCE_MS;

	for (size_t i = 0; guests && samples && i < count; i++) {
		struct poller *poller = exporter->set.pollers[i];

		poller_latest(poller, &samples[i]);
		guests[i].now = deadline_now();
		guests[i].name = poller_name(poller);
		guests[i].sample = &samples[i];
		guests[i].hangs = guests[i].now - samples[i].time > silence;
	}
	if (guests && samples)
		metrics_write(file, guests, count);
	else
		count = SIZE_MAX;
	free(samples);
	free(guests);
	return count == SIZE_MAX ? -ENOMEM : 0;
}

/* As one object, in which a guest that was not seen in time is pending. */
static void print_json(struct exporter *exporter)
{
	struct json_object *all = json_object_new_object(), *guests = json_object_new_array();

	for (size_t i = 0; i < exporter->set.count; i++) {
		struct poller *poller = exporter->set.pollers[i];
		struct sample sample;

		poller_latest(poller, &sample);
		json_object_array_add(guests,
				      report_look(poller_name(poller), &sample,
						  sample_condition(&sample), deadline_now()));
	}
	json_object_object_add(all, "version", json_object_new_string(AEROSTAT_VERSION));
	json_object_object_add(all, "guests", guests);
	report_print_json(all);
}

static char *make_page(void *context, size_t *size)
{
	struct exporter *exporter = context;
	char *text = NULL;
	FILE *file = open_memstream(&text, size);
	int err;

	if (!file)
		return NULL;
	pthread_mutex_lock(&exporter->lock);
	err = write_all(exporter, file);
	pthread_mutex_unlock(&exporter->lock);
	if (fclose(file) || err) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- waiting ---- */

/* Waits until every guest was looked at, or one of them hangs; false: told to end. */
static bool wait_for_all(struct exporter *exporter)
{
	int64_t deadline = deadline_in(exporter->timeout_ms) + FIRST_MS;
	struct sample sample;

	for (size_t i = 0; i < exporter->set.count;) {
		int left = deadline_left(deadline);

		if (stop_asked())
			return false;
		if (left > PERIODIC_SLICE_MS)
			left = PERIODIC_SLICE_MS;
		if (poller_wait(exporter->set.pollers[i], 0, left, &sample) || !left)
			i++;
	}
	return true;
}

/* Waits so long; false: told to end. */
static bool pause_for(int ms)
{
	const struct timespec slice = { .tv_nsec = PERIODIC_SLICE_MS * 1000000l };
	int64_t deadline = deadline_in(ms);

	while (!stop_asked() && deadline_left(deadline) > 0)
		nanosleep(&slice, NULL);
	return !stop_asked();
}

static void find_new(struct exporter *exporter)
{
	pthread_mutex_lock(&exporter->lock);
	guest_set_find(&exporter->set);
	pthread_mutex_unlock(&exporter->lock);
}

/* ---- the three ways ---- */

static int write_file(struct exporter *exporter, const char *path)
{
	struct replacement replacement;
	int err = replace_begin(&replacement, path);

	if (!err) {
		err = write_all(exporter, replacement.file);
		if (err)
			replace_abort(&replacement);
		else
			err = replace_commit(&replacement);
	}
	if (!err)
		return EXIT_REACHED;
	complain("%s: %s", path, replace_error(err));
	return EXIT_WRONG;
}

static int export_file(struct exporter *exporter, const struct request *request)
{
	int status;

	if (!wait_for_all(exporter))
		return EXIT_REACHED;
	status = write_file(exporter, request->textfile);
	if (status || !request->every_ms)
		return status;
	while (!status && pause_for(request->every_ms)) {
		find_new(exporter);
		status = write_file(exporter, request->textfile);
	}
	/* A file that is not renewed would go on showing guests that are gone. */
	unlink(request->textfile);
	return status;
}

static int export_by_http(struct exporter *exporter, const struct request *request)
{
	char address[LISTEN_ADDRESS];
	struct listener *listener;
	int status = listen_start(request->listen, make_page, exporter, CLIENT_MS, &listener,
				  address);

	if (status)
		return status;
	printf("http://%s/metrics\n", address);
	fflush(stdout);
	while (pause_for(request->interval_ms))
		find_new(exporter);
	listen_stop(listener);
	return EXIT_REACHED;
}

static int export_once(struct exporter *exporter, bool json)
{
	if (!wait_for_all(exporter))
		return EXIT_REACHED;
	if (json) {
		print_json(exporter);
		return EXIT_REACHED;
	}
	if (!write_all(exporter, stdout))
		return EXIT_REACHED;
	complain("out of memory");
	return EXIT_WRONG;
}

/* ---- the command ---- */

static bool take_option(void *request, int letter, const char *value)
{
	struct request *r = request;

	switch (letter) {
	case 't':
		r->textfile = value;
		return true;
	case 'e':
		return !interval_parse("--every", value, &r->every_ms);
	case 'l':
		r->listen = value;
		return true;
	case 'i':
		r->has_interval = true;
		return !interval_parse("--interval", value, &r->interval_ms);
	case 'j':
		r->json = true;
		return true;
	default:
		assert(letter == 's');
		return !seconds_option("--stats", value, &r->stats);
	}
}

static bool has_suffix(const char *path, const char *suffix)
{
	size_t length = strlen(path), end = strlen(suffix);

	return length >= end && !strcmp(path + length - end, suffix);
}

static bool take_words(void *request, char **words, size_t count)
{
	struct request *r = request;

	r->guests = words;
	r->guest_count = count;
	if (r->textfile && r->listen)
		complain("--textfile and --listen exclude each other");
	else if (r->textfile && !has_suffix(r->textfile, ".prom"))
		complain("--textfile %s: a name that ends in .prom is wanted, as node_exporter "
			 "reads no other",
			 r->textfile);
	else if (r->json && (r->textfile || r->listen))
		complain("--json is printed; %s is for Prometheus, which reads no JSON",
			 r->textfile ? "--textfile" : "--listen");
	else if (r->every_ms && !r->textfile)
		complain("--every goes with --textfile");
	else if (r->has_interval && !r->listen)
		complain("--interval goes with --listen%s",
			 r->textfile ? "; a file is renewed by --every" : "");
	else if (r->stats && !r->listen && !r->every_ms)
		complain("--stats goes with --listen or --every: a guest is asked while this runs");
	else
		return true;
	return false;
}

static int export_as(struct exporter *exporter, const struct request *request)
{
	stop_on_signals();
	if (request->listen)
		return export_by_http(exporter, request);
	if (request->textfile)
		return export_file(exporter, request);
	return export_once(exporter, request->json);
}

static int run(const struct call *call)
{
	const struct request *request = call->request;
	/* A file that is renewed is as new as it can be. */
	int interval_ms = request->every_ms ? request->every_ms : request->interval_ms;
	struct exporter exporter = { .lock = PTHREAD_MUTEX_INITIALIZER,
				     .interval_ms = interval_ms,
				     .timeout_ms = look_timeout(call->common) };
	struct poller_rate rate = { .interval_ms = interval_ms,
				    .timeout_ms = exporter.timeout_ms,
				    .stats_interval = request->stats };
	int status = guest_set_open(&exporter.set, call->common, request->guests,
				    request->guest_count, &rate);

	if (status)
		return status;
	/* Only a command that runs on can wait for the first guest. */
	if (!exporter.set.count && !request->listen && !request->every_ms) {
		complain("no guest runs here: start one with `make run`, or name a QMP socket by a "
			 "path with a slash");
		return EXIT_NO_CONNECT;
	}
	status = export_as(&exporter, request);
	guest_set_close(&exporter.set);
	end_by_pipe();
	return status;
}

static const struct option options[] = {
	{ "textfile", required_argument, NULL, 't' }, { "every", required_argument, NULL, 'e' },
	{ "listen", required_argument, NULL, 'l' },   { "interval", required_argument, NULL, 'i' },
	{ "stats", required_argument, NULL, 's' },    { "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },	      { 0 },
};

const struct command command_export = {
	.name = "export",
	.arguments = "[--textfile FILE | --listen ...]",
	.summary = "metrics for Prometheus",
	.help = help,
	.options = options,
	.defaults = &(const struct request){ .interval_ms = 5000 },
	.request_size = sizeof(struct request),
	.take_option = take_option,
	.take_words = take_words,
	.run = run,
};
