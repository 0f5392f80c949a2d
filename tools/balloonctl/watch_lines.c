/* SPDX-License-Identifier: BSD-2-Clause */
/* `balloonctl watch --json`: see watch_lines.h. */
#include "tools/balloonctl/watch_lines.h"

#include <time.h>

#include <json-c/json.h>

#include "tools/balloonctl/guest_set.h"
#include "tools/balloonctl/periodic.h"
#include "tools/balloonctl/report.h"
#include "tools/deadline.h"

#define FIND_MS 2000 /* between two searches for new guests */
#define TURN_MS 20   /* no look is overtaken by the next, which is 100 ms later at least */

struct lines {
	struct guest_set *set;
	uint64_t printed[GUEST_SET_MAX]; /* of each poller, the last look that was printed */
};

/* When a look was over, which was a moment ago. */
static struct json_object *time_of(const struct sample *sample, int64_t now)
{
	struct timespec clock;
	char text[32];
	double value;

	clock_gettime(CLOCK_REALTIME, &clock);
	value = (double)clock.tv_sec + (double)clock.tv_nsec / 1e9 -
		(double)(now - sample->time) / 1000;
	snprintf(text, sizeof(text), "%.3f", value);
	return json_object_new_double_s(value, text);
}

static void print_new(struct lines *lines)
{
	for (size_t i = 0; i < lines->set->count; i++) {
		struct poller *poller = lines->set->pollers[i];
		struct json_object *all;
		struct sample sample;
		int64_t now;

		poller_latest(poller, &sample);
		/* Not before: the look may have ended in between. */
		now = deadline_now();
		if (sample.number == lines->printed[i])
			continue;
		lines->printed[i] = sample.number;
		all = report_look(poller_name(poller), &sample, sample_condition(&sample), now);
		json_object_object_add(all, "time", time_of(&sample, now));
		report_print_json(all);
	}
	/* Whoever reads them is to have them now. */
	fflush(stdout);
}

static void print_until_told(struct lines *lines)
{
	const struct timespec turn = { .tv_nsec = TURN_MS * 1000000l };
	int64_t find = deadline_in(FIND_MS);

	while (!stop_asked() && !ferror(stdout)) {
		if (deadline_left(find) == 0) {
			guest_set_find(lines->set);
			find = deadline_in(FIND_MS);
		}
		print_new(lines);
		nanosleep(&turn, NULL);
	}
}

void watch_lines(struct guest_set *set)
{
	struct lines lines = { .set = set };

	stop_on_signals();
	print_until_told(&lines);
}
