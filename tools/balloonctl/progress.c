/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Progress towards a target: see progress.h. The rate is that of the newest
 * samples, so that a guest that slows down is seen to.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/progress.h"

#define LINE_MS 1000 /* between two lines without a terminal */
#define WIDTH_MAX 120
#define WORDS_WIDTH 68 /* of all that is said beside a bar, and a blank */
#define BAR_MIN 10
#define BAR_MAX 40

static uint64_t newest(const struct progress *progress)
{
	return progress->samples[(progress->count - 1) % PROGRESS_SAMPLES].left;
}

static void add_sample(struct progress *progress, uint64_t left, int64_t now)
{
	unsigned at = progress->count++ % PROGRESS_SAMPLES;

	progress->samples[at].time = now;
	progress->samples[at].left = left;
}

/* Bytes from @from to @to; 0 if that is the other way. */
static double moved(const struct progress *progress, uint64_t from, uint64_t to)
{
	bool inflating = progress->goal < progress->start;
	double way = (double)to - (double)from;

	if (inflating)
		way = -way;
	return way > 0 ? way : 0;
}

/* Bytes a second; 0 if there is no movement, or nothing to tell it by. */
static double rate(const struct progress *progress)
{
	unsigned last = (progress->count - 1) % PROGRESS_SAMPLES;
	unsigned first = progress->count > PROGRESS_SAMPLES ? (last + 1) % PROGRESS_SAMPLES : 0;
	int64_t time = progress->samples[last].time - progress->samples[first].time;

	if (time <= 0)
		return 0;
	return moved(progress, progress->samples[first].left, progress->samples[last].left) * 1000 /
	       (double)time;
}

static double done(const struct progress *progress)
{
	double way = moved(progress, progress->start, progress->goal);
	double part = way > 0 ? moved(progress, progress->start, newest(progress)) / way : 1;

	return part < 1 ? part : 1;
}

/* Sizes without the blanks that align them in columns. */
static const char *size_word(uint64_t bytes, char text[SIZE_TEXT])
{
	size_format(bytes, text);
	return text + strspn(text, " ");
}

static void words(const struct progress *progress, char *text, size_t size)
{
	char left[SIZE_TEXT], taken[SIZE_TEXT], speed[SIZE_TEXT];
	double per_second = rate(progress);
	double rest = moved(progress, newest(progress), progress->goal);
	size_t len;

	len = (size_t)snprintf(text, size, "%3d%%  %s left, %s taken", (int)(done(progress) * 100),
			       size_word(newest(progress), left),
			       size_word(progress->ram - newest(progress), taken));
	if (per_second <= 0 || rest <= 0 || len >= size)
		return;
	snprintf(text + len, size - len, ", %s/s, ", size_word((uint64_t)per_second, speed));
	len = strlen(text);
	if (rest < per_second)
		snprintf(text + len, size - len, "under 1 s to go");
	else
		snprintf(text + len, size - len, "%.0f s to go", rest / per_second);
}

static void print_bar(char *text, size_t width, double part)
{
	size_t filled = (size_t)((double)(width - 2) * part);

	text[0] = '[';
	for (size_t i = 0; i < width - 2; i++)
		text[1 + i] = i < filled ? '#' : '.';
	text[width - 1] = ']';
	text[width] = '\0';
}

void progress_text(const struct progress *progress, char *text, size_t width)
{
	/* Always as long, however long the words are at the moment. */
	size_t bar = width > WORDS_WIDTH ? width - WORDS_WIDTH : 0;
	char said[WIDTH_MAX];

	words(progress, said, sizeof(said));
	if (bar > BAR_MAX)
		bar = BAR_MAX;
	if (progress->terminal && bar >= BAR_MIN) {
		print_bar(text, bar, done(progress));
		snprintf(text + bar, width + 1 - bar, " %s", said);
	} else {
		snprintf(text, width + 1, "%s", said);
	}
}

/* A full last column would move the cursor to the next line. */
static size_t terminal_width(void)
{
	struct winsize size;
	size_t width = 80;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		width = size.ws_col;
	return (width < WIDTH_MAX ? width : WIDTH_MAX) - 1;
}

static void show(struct progress *progress, int64_t now)
{
	char text[WIDTH_MAX + 1];

	if (progress->terminal) {
		progress_text(progress, text, terminal_width());
		printf("\r%s\033[K", text);
		fflush(stdout);
		progress->shown = true;
	} else if (now >= progress->next_line) {
		progress_text(progress, text, WIDTH_MAX);
		puts(text);
		fflush(stdout);
		progress->next_line = now + LINE_MS;
	}
}

void progress_begin(struct progress *progress, uint64_t ram, uint64_t left, uint64_t goal,
		    int64_t now)
{
	memset(progress, 0, sizeof(*progress));
	progress->ram = ram;
	progress->start = left;
	progress->goal = goal;
	progress->terminal = isatty(STDOUT_FILENO) != 0;
	progress->next_line = now + LINE_MS;
	add_sample(progress, left, now);
}

void progress_update(struct progress *progress, uint64_t left, int64_t now)
{
	add_sample(progress, left, now);
	show(progress, now);
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		putchar('\n');
	progress->shown = false;
}
