/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl record: a guest's course as CSV, a line at a time, so that what
 * was recorded is there however this ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <getopt.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/course.h"
#include "tools/balloonctl/periodic.h"
#include "tools/balloonctl/poller.h"
#include "tools/deadline.h"

static const char help[] =
	"usage: balloonctl [-g NAME] record FILE [--interval SEC] [--for SEC] [--force]\n"
	"\n"
	"Writes the guest's course as CSV, with a headline, until it is interrupted (or\n"
	"the guest ends): time, RAM, target, memory left and taken, what the guest says\n"
	"is free and available and how old that is, and QEMU's memory (Pss) and\n"
	"processor time on this machine. What is not known is an empty field.\n"
	"`balloonctl plot` draws it. FILE may be - for standard output.\n"
	"\n"
	"  --interval SEC   a line every SEC seconds, 0.1 to 3600 (default 1)\n"
	"  --for SEC        for so long, in whole seconds\n"
	"  --force          overwrite FILE\n"
	"\n"
	"If nobody asks the guest for its statistics, it is asked every second (or SEC)\n"
	"as long as this runs. Exit status: 0 also after a signal; 7 the guest is gone.\n";

struct request {
	const char *path;
	int interval_ms;
	bool has_end;
	unsigned seconds;
	bool force;
};

struct recording {
	FILE *file;
	struct poller *poller;
	int64_t start; /* deadline_now() of the first line; 0: none yet */
	double unix_start;
	bool silent; /* it has been said that the guest does not answer */
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

static int write_row(struct recording *recording, const struct sample *sample)
{
	const struct guest_state *state = &sample->state;
	struct course_row row;
	double time;

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
	put_stats(&row, sample);
	if (sample->has_cost) {
		row.values[COURSE_HOST] = (double)sample->cost.resident;
		row.values[COURSE_CPU] = (double)sample->cost.cpu_ms / 1000;
	}
	course_write_row(recording->file, &row);
	return fflush(recording->file) ? -errno : 0;
}

/* An exit status, or -1: go on. */
static int take(struct recording *recording, const struct sample *sample)
{
	int err;

	if (sample->err == -ETIMEDOUT && recording->start) {
		if (!recording->silent)
			complain("%s; waiting for it", sample->error);
		recording->silent = true;
		return -1;
	}
	if (sample->err) {
		complain("%s", sample->error);
		return exit_status(sample->err);
	}
	recording->silent = false;
	err = write_row(recording, sample);
	if (!err)
		return -1;
	complain("cannot write the file: %s", strerror(-err));
	return EXIT_WRONG;
}

static int record(struct recording *recording, const struct request *request)
{
	int64_t end = deadline_now() + (int64_t)request->seconds * 1000;
	struct sample sample = { 0 };
	int status = -1;

	while (status < 0 && !stop_asked()) {
		if (request->has_end && deadline_left(end) == 0)
			return EXIT_REACHED;
		if (poller_wait(recording->poller, sample.number, PERIODIC_SLICE_MS, &sample))
			status = take(recording, &sample);
	}
	return status < 0 ? EXIT_REACHED : status;
}

/* ---- the command ---- */

static int open_file(const struct request *request, FILE **file)
{
	int fd;

	if (!strcmp(request->path, "-")) {
		*file = stdout;
		return EXIT_REACHED;
	}
	fd = open(request->path,
		  O_WRONLY | O_CREAT | O_CLOEXEC | (request->force ? O_TRUNC : O_EXCL), 0666);
	*file = fd < 0 ? NULL : fdopen(fd, "w");
	if (*file)
		return EXIT_REACHED;
	if (errno == EEXIST)
		complain("%s is there already; --force overwrites it", request->path);
	else
		complain("%s: %s", request->path, strerror(errno));
	return EXIT_WRONG;
}

/* An exit status, or -1: go on. */
static int parse(int argc, char **argv, struct request *request)
{
	static const struct option options[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "for", required_argument, NULL, 't' },
		{ "force", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (c) {
		case 'i':
			if (!interval_parse("--interval", optarg, &request->interval_ms))
				break;
			return EXIT_USAGE;
		case 't':
			request->has_end = true;
			if (!seconds_parse(optarg, &request->seconds))
				break;
			complain("--for %s: whole seconds are wanted", optarg);
			return EXIT_USAGE;
		case 'f':
			request->force = true;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_REACHED;
		default:
			return bad_option(c, argv);
		}
	}
	if (optind == argc) {
		complain("which FILE is to be written? See --help");
		return EXIT_USAGE;
	}
	request->path = argv[optind++];
	return no_more(argc, argv);
}

/* Who cannot be reached at the start leaves no file; also tells the name for -g NULL. */
static int find_guest(const struct common *common, char **name)
{
	struct guest_state state;
	struct guest *guest;
	int status = open_guest(common, &guest);
	int err;

	if (status)
		return status;
	err = guest_state(guest, &state);
	if (err)
		status = guest_failed(guest, err);
	else if (!(*name = strdup(guest_name(guest))))
		status = EXIT_WRONG;
	guest_close(guest);
	return status;
}

static int record_to(struct recording *recording, const struct request *request, const char *name)
{
	struct poller_rate rate = poller_rate_of(request->interval_ms);
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

int cmd_record(const struct common *common, int argc, char **argv)
{
	struct request request = { .interval_ms = 1000 };
	struct recording recording = { 0 };
	char *name = NULL;
	int status = parse(argc, argv, &request);

	if (status >= 0)
		return status;
	status = find_guest(common, &name);
	if (!status)
		status = open_file(&request, &recording.file);
	if (!status) {
		status = record_to(&recording, &request, name);
		if (recording.file != stdout && fclose(recording.file) && !status) {
			complain("%s: %s", request.path, strerror(errno));
			status = EXIT_WRONG;
		}
	}
	free(name);
	return status;
}
