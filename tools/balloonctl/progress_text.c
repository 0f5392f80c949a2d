/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bar and the words of a progress: see progress.h. The rate is that of the
 * newest samples, so that it is seen when a guest slows down.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/progress.h"

#define WORDS_WIDTH 68 /* of the longest words beside a bar, and a blank */
#define BAR_MIN 10
#define BAR_MAX 40

static uint64_t newest(const struct progress *progress)
{
	assert(progress->count > 0);
	return progress->samples[(progress->count - 1) % PROGRESS_SAMPLES].left;
}

/* Bytes from `from` to `to`; 0 if that is the other way. */
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

	assert(width > 2 && part >= 0 && part <= 1);
	text[0] = '[';
	for (size_t i = 0; i < width - 2; i++)
		text[1 + i] = i < filled ? '#' : '.';
	text[width - 1] = ']';
	text[width] = '\0';
}

void progress_text(const struct progress *progress, char *text, size_t width)
{
	/* The bar keeps its length, however long the words are at the moment. */
	size_t bar = width > WORDS_WIDTH ? width - WORDS_WIDTH : 0;
	char said[PROGRESS_WIDTH_MAX];

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
