/* SPDX-License-Identifier: BSD-2-Clause */
/* balloonctl plot: draws what `balloonctl record` has written. */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <getopt.h>
#include <json-c/json.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/course_sum.h"
#include "tools/balloonctl/replace_file.h"
#include "tools/balloonctl/report.h"
#include "tools/svg_plot.h"

static const char help[] =
	"usage: balloonctl plot FILE -o OUT.svg [--title TEXT] [--json]\n"
	"\n"
	"Draws the course that `balloonctl record` has written to FILE (- for standard\n"
	"input): memory left to the guest and the target, what the guest says is free and\n"
	"available, and QEMU's memory on the host. Of a guest that can grow, or did, the\n"
	"RAM is a line, too, and so is what it would be with all that is requested of its\n"
	"virtio-mem devices. OUT.svg is replaced; - is standard output. Where nothing is\n"
	"known the lines have gaps.\n"
	"\n"
	"  -o, --output OUT.svg\n"
	"      --title TEXT       above the picture; without it the guest's name\n"
	"      --json             what was drawn as one JSON object on one line: of each\n"
	"                         column its first, last, least and most\n";

struct request {
	const char *input, *output, *title;
	bool json;
};

/* The lines that are drawn, the last on top. */
static const struct line {
	enum course_column column;
	const char *label;
	bool steps, dashed;
	bool growth; /* only where the guest can grow, or did */
} lines[] = {
	{ COURSE_TARGET, "target (left)", true, true, false },
	{ COURSE_LEFT, "left to the guest", false, false, false },
	{ COURSE_TAKEN, "taken", false, false, false },
	{ COURSE_FREE, "free in the guest", true, false, false },
	{ COURSE_AVAILABLE, "available", true, true, false },
	{ COURSE_HOST, "host memory of QEMU", false, false, false },
	{ COURSE_RAM, "RAM of the guest", false, false, true },
	{ COURSE_REQUESTED, "RAM requested", true, true, true },
};

#define LINES (sizeof(lines) / sizeof(lines[0]))

_Static_assert(LINES <= SVG_SERIES_MAX, "a colour for each line");

/* Of what is requested it is the RAM with that: beside the RAM it shows what is still to come. */
static double value_of(const struct course_row *row, enum course_column which)
{
	const double *values = row->values;

	if (which == COURSE_REQUESTED)
		return values[COURSE_RAM] - values[COURSE_GROWN] + values[COURSE_REQUESTED];
	return values[which];
}

static double *column(const struct course *course, enum course_column which)
{
	double *values = malloc((course->count + 1) * sizeof(values[0]));

	for (size_t i = 0; values && i < course->count; i++)
		values[i] = value_of(&course->rows[i], which);
	return values;
}

static struct course_sum sum_up(const struct course *course)
{
	struct course_sum sum = { .rows = 0 };

	for (size_t i = 0; i < course->count; i++)
		course_sum_add(&sum, &course->rows[i]);
	return sum;
}

/* RAM that can do nothing but stay as it is would be a line without news. */
static bool is_drawn(const struct line *line, const struct course_sum *sum)
{
	const struct course_span *ram = &sum->columns[COURSE_RAM];

	return !line->growth || sum->columns[COURSE_GROWN].count > 0 || ram->least < ram->most;
}

static bool has_any(const double *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!isnan(values[i]))
			return true;
	return false;
}

/* Series of the columns that hold something; how many. -ENOMEM. */
static int make_series(const struct course *course, const double *time,
		       struct svg_series series[LINES])
{
	const struct course_sum sum = sum_up(course);
	int count = 0;

	for (size_t i = 0; i < LINES; i++) {
		double *values;

		if (!is_drawn(&lines[i], &sum))
			continue;
		values = column(course, lines[i].column);
		if (!values)
			return -ENOMEM;
		if (!has_any(values, course->count)) {
			free(values);
			continue;
		}
		series[count++] = (struct svg_series){ .label = lines[i].label,
						       .x = time,
						       .y = values,
						       .count = course->count,
						       .steps = lines[i].steps,
						       .dashed = lines[i].dashed };
	}
	return count;
}

static int draw(FILE *file, const struct course *course, const char *title)
{
	struct svg_series series[LINES] = { 0 };
	char of_guest[COURSE_GUEST + 16];
	struct svg_plot plot = {
		.title = title,
		.x = { .label = "time", .unit = SVG_TIME },
		.y = { .unit = SVG_BYTES },
		.series = series,
	};
	double *time = column(course, COURSE_TIME);
	int err = -ENOMEM;

	if (!title && course->guest[0] != '\0') {
		snprintf(of_guest, sizeof(of_guest), "Memory of %s", course->guest);
		plot.title = of_guest;
	}
	if (time)
		err = make_series(course, time, series);
	if (err > 0) {
		plot.count = (size_t)err;
		err = svg_plot_write(file, &plot);
	} else if (err == 0) {
		err = -EINVAL;
	}
	for (size_t i = 0; i < LINES; i++)
		free((double *)series[i].y);
	free(time);
	return err;
}

static int complain_drawing(const struct request *request, int err)
{
	if (err == -EINVAL)
		complain("%s: there is nothing to be drawn in it", request->input);
	else
		complain("%s: %s", request->output, replace_error(err));
	return EXIT_WRONG;
}

static int draw_to_file(const struct request *request, const struct course *course)
{
	struct replacement replacement;
	int err;

	if (!strcmp(request->output, "-")) {
		err = draw(stdout, course, request->title);
		return err ? complain_drawing(request, err) : EXIT_REACHED;
	}
	err = replace_begin(&replacement, request->output);
	if (err)
		return complain_drawing(request, err == -EINVAL ? -EIO : err);
	err = draw(replacement.file, course, request->title);
	if (err)
		replace_abort(&replacement);
	else
		err = replace_commit(&replacement);
	return err ? complain_drawing(request, err) : EXIT_REACHED;
}

static int read_file(const struct request *request, struct course *course)
{
	bool standard = !strcmp(request->input, "-");
	FILE *file = standard ? stdin : fopen(request->input, "re");
	char error[COURSE_ERROR];
	int err;

	if (!file) {
		complain("%s: %s", request->input, strerror(errno));
		return EXIT_WRONG;
	}
	err = course_read(file, COURSE_ROWS_MAX, course, error);
	if (!standard)
		fclose(file);
	if (!err)
		return EXIT_REACHED;
	complain("%s: %s", request->input, error);
	return EXIT_WRONG;
}

/* The picture must not take the place of the course. */
static bool is_same_file(const char *input, const char *output)
{
	struct stat in, out;

	return !stat(input, &in) && !stat(output, &out) && in.st_dev == out.st_dev &&
	       in.st_ino == out.st_ino;
}

static bool take_option(void *request, int letter, const char *value)
{
	struct request *r = request;

	switch (letter) {
	case 'o':
		r->output = value;
		break;
	case 't':
		r->title = value;
		break;
	default:
		assert(letter == 'j');
		r->json = true;
		break;
	}
	return true;
}

static bool take_words(void *request, char **words, size_t count)
{
	struct request *r = request;

	if (!count || !r->output) {
		complain(!count ? "which FILE is to be drawn? See --help"
				: "where to? -o OUT.svg is wanted; see --help");
		return false;
	}
	r->input = words[0];
	if (r->json && !strcmp(r->output, "-")) {
		complain("standard output takes the picture or --json, not both");
		return false;
	}
	if (is_same_file(r->input, r->output)) {
		complain("%s is the course itself; the picture needs another file", r->output);
		return false;
	}
	return no_words(words + 1, count - 1);
}

static void print_json(const struct request *request, const struct course *course)
{
	struct json_object *all = json_object_new_object();
	const struct course_sum sum = sum_up(course);
	unsigned drawn = 0;

	for (size_t i = 0; i < LINES; i++)
		if (is_drawn(&lines[i], &sum))
			drawn |= 1u << lines[i].column;
	json_object_object_add(all, "course", json_object_new_string(request->input));
	json_object_object_add(all, "picture", json_object_new_string(request->output));
	if (course->guest[0] != '\0')
		json_object_object_add(all, "guest", json_object_new_string(course->guest));
	course_sum_report(&sum, drawn, all);
	report_print_json(all);
}

static int run(const struct call *call)
{
	const struct request *request = call->request;
	struct course course;
	int status = read_file(request, &course);

	if (status)
		return status;
	status = draw_to_file(request, &course);
	if (!status && request->json)
		print_json(request, &course);
	course_free(&course);
	return status;
}

static const struct option options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "title", required_argument, NULL, 't' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

const struct command command_plot = {
	.name = "plot",
	.arguments = "FILE -o OUT.svg",
	.summary = "a picture of what was recorded",
	.help = help,
	.options = options,
	.letters = "o:",
	.defaults = &(const struct request){ .input = NULL },
	.request_size = sizeof(struct request),
	.take_option = take_option,
	.take_words = take_words,
	.run = run,
};
