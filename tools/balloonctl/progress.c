/* SPDX-License-Identifier: BSD-2-Clause */
/* Shows the progress towards a target as it is made: see progress.h. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/balloonctl/progress.h"

#define LINE_MS 1000 /* between two lines without a terminal */

static void add_sample(struct progress *progress, uint64_t left, int64_t now)
{
	unsigned at = progress->count++ % PROGRESS_SAMPLES;

	progress->samples[at].time = now;
	progress->samples[at].left = left;
}

/* A full last column would move the cursor to the next line. */
static size_t terminal_width(void)
{
	struct winsize size;
	size_t width = 80;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		width = size.ws_col;
	return (width < PROGRESS_WIDTH_MAX ? width : PROGRESS_WIDTH_MAX) - 1;
}

static void show(struct progress *progress, int64_t now)
{
	char text[PROGRESS_WIDTH_MAX + 1];

	if (progress->terminal) {
		progress_text(progress, text, terminal_width());
		printf("\r%s\033[K", text);
		fflush(stdout);
		progress->shown = true;
	} else if (now >= progress->next_line) {
		progress_text(progress, text, PROGRESS_WIDTH_MAX);
		puts(text);
		fflush(stdout);
		progress->next_line = now + LINE_MS;
	}
}

void progress_begin(struct progress *progress, uint64_t ram, uint64_t left, uint64_t goal,
		    int64_t now)
{
	assert(left <= ram);
	memset(progress, 0, sizeof(*progress));
	progress->ram = ram;
	progress->start = left;
	progress->goal = goal;
	progress->terminal = isatty(STDOUT_FILENO) != 0;
	progress->next_line = now + LINE_MS;
	add_sample(progress, left, now);
}

void progress_update(struct progress *progress, uint64_t ram, uint64_t left, int64_t now)
{
	assert(left <= ram);
	progress->ram = ram;
	add_sample(progress, left, now);
	show(progress, now);
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		putchar('\n');
	progress->shown = false;
}
