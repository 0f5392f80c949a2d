/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl record: writes a guest's course as CSV, a line at a time, so that all
 * that was recorded is in the file however this ends.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <getopt.h>
#include <json-c/json.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/course_sum.h"
#include "tools/balloonctl/periodic.h"
#include "tools/balloonctl/poller.h"
#include "tools/balloonctl/report.h"
#include "tools/deadline.h"

static const char help[] =
	"usage: balloonctl [-g NAME] record FILE [--interval SEC] [--for SEC] [--force]\n"
	"                                   [--json]\n"
	"\n"
	"Writes the guest's course as CSV, with a headline, until it is interrupted (or\n"
	"the guest ends): time, RAM, target, memory left and taken, what the guest says\n"
	"is free and available and how old that is, and QEMU's memory (Pss) and\n"
	"processor time on this machine, what the RAM is made of (base, DIMMs, grown by\n"
	"virtio-mem devices, and what is requested of them), and its name. What is not\n"
	"known is an empty field.\n"
	"`balloonctl plot` draws it. FILE may be - for standard output.\n"
	"\n"
	"  --interval SEC   a line every SEC seconds, 0.1 to 3600 (default 1)\n"
	"  --for SEC        for so long, in whole seconds\n"
	"  --force          overwrite FILE\n"
	"  --json           at the end, what was recorded as one JSON object on one line:\n"
	"                   rows, seconds, of each column the first, last, least and most\n"
	"\n"
	"If nobody asks the guest for its statistics, it is asked every second (or SEC)\n"
	"as long as this runs. Exit status: 0 also after a signal; 7 the guest is gone.\n";

struct request {
	const char *path;
	int interval_ms;
	bool has_end;
	unsigned seconds;
	bool force, json;
};

struct recording {
	FILE *file;
	struct poller *poller;
	int64_t start; /* deadline_now() of the first line; 0: none yet */
	double unix_start;
	bool silent; /* it has been said that the guest does not answer */
	struct course_sum sum;
};

/* ---- lines ---- */

static double unix_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void put_stats(struct course_row *row, const struct sample *sample)
{
	uint64_t value;

	if (sample_stat(sample, STAT_FREE_MEMORY, &value))
		row->values[COURSE_FREE] = (double)value;
	if (sample_stat(sample, STAT_AVAILABLE_MEMORY, &value))
		row->values[COURSE_AVAILABLE] = (double)value;
	if (sample->has_stats && sample->stats.ever)
		row->values[COURSE_STATS_AGE] = sample->stats.age;
}

static void put_growth(struct course_row *row, const struct guest_state *state)
{
	row->values[COURSE_BASE] = (double)state->base;
	row->values[COURSE_DIMMS] = (double)state->dimms;
	if (!state->has_grown)
		return;
	row->values[COURSE_GROWN] = (double)state->grown;
	row->values[COURSE_REQUESTED] = (double)state->requested;
}

static int write_row(struct recording *recording, const struct sample *sample)
{
	const struct guest_state *state = &sample->state;
	struct course_row row;
	double time;

	assert(!sample->err && sample->number > 0);
	if (!recording->start) {
		recording->start = sample->time;
		recording->unix_start = unix_time();
	}
	for (unsigned i = 0; i < COURSE_COLUMNS; i++)
		row.values[i] = NAN;
	time = (double)(sample->time - recording->start) / 1000;
	row.values[COURSE_TIME] = time;
	row.values[COURSE_UNIX_TIME] = recording->unix_start + time;
	row.values[COURSE_RAM] = (double)state->ram;
	if (state->has_target)
		row.values[COURSE_TARGET] = (double)state->target_left;
	row.values[COURSE_LEFT] = (double)state->left;
	row.values[COURSE_TAKEN] = (double)state->taken;
	put_growth(&row, state);
	put_stats(&row, sample);
	if (sample->has_cost) {
		row.values[COURSE_HOST] = (double)sample->cost.resident;
		row.values[COURSE_CPU] = (double)sample->cost.cpu_ms / 1000;
	}
	course_sum_add(&recording->sum, &row);
	course_write_row(recording->file, &row, poller_name(recording->poller));
	return fflush(recording->file) ? -errno : 0;
}

/* Writes a sample; false: the recording ends, and its exit status is stored. */
static bool take(struct recording *recording, const struct sample *sample, int *status)
{
	int err;

	if ((sample->err == -ETIMEDOUT || sample->err == -EBUSY) && recording->start) {
		if (!recording->silent)
			complain("%s; waiting for it", sample->error);
		recording->silent = true;
		return true;
	}
	if (sample->err) {
		complain("%s", sample->error);
		*status = exit_status(sample->err);
		return false;
	}
	recording->silent = false;
	err = write_row(recording, sample);
	if (!err)
		return true;
	/* Whoever reads no more from a pipe has had enough: see end_by_pipe(). */
	if (err != -EPIPE || !stop_asked())
		complain("cannot write the file: %s", strerror(-err));
	*status = EXIT_WRONG;
	return false;
}

static int record(struct recording *recording, const struct request *request)
{
	int64_t end = deadline_now() + (int64_t)request->seconds * 1000;
	struct sample sample = { 0 };
	int status = EXIT_REACHED;
	bool on = true;

	while (on && !stop_asked()) {
		if (request->has_end && deadline_left(end) == 0)
			break;
		if (poller_wait(recording->poller, sample.number, PERIODIC_SLICE_MS, &sample))
			on = take(recording, &sample, &status);
	}
	return status;
}

/* ---- the command ---- */

static int open_file(const struct request *request, FILE **file)
{
	int fd;

	if (!strcmp(request->path, "-")) {
		*file = stdout;
		return EXIT_REACHED;
	}
	/* A pipe that nobody reads would be waited for. */
	fd = open(request->path,
		  O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | (request->force ? O_TRUNC : O_EXCL),
		  0666);
	*file = fd < 0 || fcntl(fd, F_SETFL, 0) ? NULL : fdopen(fd, "w");
	if (*file)
		return EXIT_REACHED;
	if (errno == EEXIST)
		complain("%s is there already; --force overwrites it", request->path);
	else if (errno == ENXIO)
		complain("%s: nobody reads there", request->path);
	else
		complain("%s: %s", request->path, strerror(errno));
	return EXIT_WRONG;
}

static bool take_option(void *request, int letter, const char *value)
{
	struct request *r = request;

	switch (letter) {
	case 'i':
		return !interval_parse("--interval", value, &r->interval_ms);
	case 't':
		r->has_end = true;
		return !seconds_option("--for", value, &r->seconds);
	case 'j':
		r->json = true;
		return true;
	default:
		assert(letter == 'f');
		r->force = true;
		return true;
	}
}

static bool take_words(void *request, char **words, size_t count)
{
	struct request *r = request;

	if (!count) {
		complain("which FILE is to be written? See --help");
		return false;
	}
	r->path = words[0];
	if (r->json && !strcmp(r->path, "-")) {
		complain("standard output takes the course or --json, not both; see watch --json");
		return false;
	}
	return no_words(words + 1, count - 1);
}

/*
 * A guest that cannot be reached at the start leaves no file. Stores the name of
 * the only guest if -g gave none. The guest is closed again: it serves one
 * connection at a time, and the poller makes its own.
 */
static int find_guest(const struct call *call, char **name)
{
	struct guest_state state;
	struct guest *guest;
	int status = open_guest(call->common, call->deadline, &guest);
	int err;

	if (status)
		return status;
	err = guest_look(guest, &state);
	if (err) {
		status = guest_failed(guest, err);
	} else if (!(*name = strdup(guest_name(guest)))) {
		complain("out of memory");
		status = EXIT_WRONG;
	}
	guest_close(guest);
	return status;
}

static int record_to(struct recording *recording, const struct call *call, const char *name)
{
	const struct request *request = call->request;
	struct poller_rate rate = poller_rate_of(call->common, request->interval_ms);
	int err, status;

	stop_on_signals();
	course_write_head(recording->file);
	err = poller_start(name, &rate, &recording->poller);
	if (err) {
		complain("%s", strerror(-err));
		return EXIT_WRONG;
	}
	status = record(recording, request);
	poller_stop(recording->poller);
	return status;
}

static void print_json(const struct recording *recording, const char *guest, const char *path,
		       int status)
{
	struct json_object *all = json_object_new_object();

	json_object_object_add(all, "guest", json_object_new_string(guest));
	json_object_object_add(all, "file", json_object_new_string(path));
	course_sum_report(&recording->sum, ~(1u << COURSE_TIME | 1u << COURSE_UNIX_TIME), all);
	json_object_object_add(all, "status", json_object_new_int(status));
	report_print_json(all);
}

static int run(const struct call *call)
{
	const struct request *request = call->request;
	struct recording recording = { 0 };
	char *name = NULL;
	int status = find_guest(call, &name);

	if (!status)
		status = open_file(request, &recording.file);
	if (!status) {
		status = record_to(&recording, call, name);
		if (recording.file != stdout && fclose(recording.file) && !status) {
			complain("%s: %s", request->path, strerror(errno));
			status = EXIT_WRONG;
		}
		if (request->json)
			print_json(&recording, name, request->path, status);
	}
	free(name);
	end_by_pipe();
	return status;
}

static const struct option options[] = {
	{ "interval", required_argument, NULL, 'i' }, { "for", required_argument, NULL, 't' },
	{ "force", no_argument, NULL, 'f' },	      { "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },	      { 0 },
};

const struct command command_record = {
	.name = "record",
	.arguments = "FILE [--for SEC]",
	.summary = "a guest's memory over time as CSV",
	.help = help,
	.options = options,
	.defaults = &(const struct request){ .interval_ms = 1000 },
	.request_size = sizeof(struct request),
	.take_option = take_option,
	.take_words = take_words,
	.run = run,
};
