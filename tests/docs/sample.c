/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds, plays and compares the samples of a page: see sample.h. */
#include "tests/docs/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/docs/stage.h"

#define FENCE "```"
#define SAMPLE "<!-- sample:"
#define EXCUSE "<!-- not compared: "
#define REMARK "←"
#define WORDS_MAX 16
#define SLEEP "aerostat> sleep "
#define SLEEPS_MAX 60

enum prompt { PROMPT_NONE, PROMPT_GUEST, PROMPT_MONITOR, PROMPT_SHELL };

static const char *const prompts[] = {
	[PROMPT_GUEST] = "aerostat> ",
	[PROMPT_MONITOR] = "(qemu) ",
	[PROMPT_SHELL] = "$ ",
};

struct sample {
	const char *path; /* of the page */
	char *text;	  /* the marker, cut into words */
	const char *word[WORDS_MAX + 1];
	size_t first, end; /* the fence's lines */
	struct lines_rule rule;
	bool foreign; /* made with another QEMU: played, and not compared */
};

/* ---- The marker ---- */

/* The value of the marker's word @name, "" for a word alone, or NULL. */
static const char *value(const struct sample *sample, const char *name)
{
	size_t length = strlen(name);

	for (const char *const *word = sample->word; *word; word++) {
		if (strncmp(*word, name, length))
			continue;
		if ((*word)[length] == '=' || (*word)[length] == '\0')
			return *word + length + ((*word)[length] == '=');
	}
	return NULL;
}

/* Cuts the word at @text off, without its quotes; returns what comes after it. */
static char *cut_word(char *text)
{
	bool quoted = false;
	char *to = text;

	for (; *text && (quoted || *text != ' '); text++) {
		if (*text == '"')
			quoted = !quoted;
		else
			*to++ = *text;
	}
	if (*text)
		text++;
	*to = '\0';
	return text;
}

static void read_marker(struct sample *sample, const char *marker)
{
	char *at, *end;
	size_t count = 0;

	sample->text = strdup(marker + strlen(SAMPLE));
	end = strstr(sample->text, "-->");
	if (end)
		*end = '\0';
	for (at = sample->text; *at && count < WORDS_MAX;) {
		while (*at == ' ')
			at++;
		if (!*at)
			break;
		sample->word[count++] = at;
		at = cut_word(at);
	}
	sample->rule.numbers = value(sample, "numbers");
	sample->rule.exact = value(sample, "exact");
}

/* ---- Commands ---- */

static enum prompt prompt_of(const char *line)
{
	for (enum prompt prompt = PROMPT_GUEST; prompt <= PROMPT_SHELL; prompt++)
		if (strncmp(line, prompts[prompt], strlen(prompts[prompt])) == 0)
			return prompt;
	return PROMPT_NONE;
}

/* The command in a line, by free(). */
static char *command_of(const char *line)
{
	char *command = strdup(line + strlen(prompts[prompt_of(line)]));
	char *remark = strstr(command, REMARK);
	size_t length;

	if (remark)
		*remark = '\0';
	length = strlen(command);
	while (length && command[length - 1] == ' ')
		command[--length] = '\0';
	return command;
}

/* The first line after @at that is a command, or the fence's end. */
static size_t next_command(const struct lines *page, const struct sample *sample, size_t at)
{
	while (at < sample->end && prompt_of(page->line[at]) == PROMPT_NONE)
		at++;
	return at;
}

static bool wants_guest(const struct lines *page, const struct sample *sample)
{
	for (size_t i = sample->first; i < sample->end; i++) {
		enum prompt prompt = prompt_of(page->line[i]);

		if (prompt == PROMPT_GUEST || prompt == PROMPT_MONITOR)
			return true;
	}
	return value(sample, "guest");
}

static int run_command(const struct sample *sample, const char *line, bool last, struct lines *said)
{
	const char *ends = last ? value(sample, "ends") : NULL;
	char *command = command_of(line);
	int err = -1;

	switch (prompt_of(line)) {
	case PROMPT_GUEST:
		err = ends ? stage_type_last(command, atoi(ends), said) : stage_type(command, said);
		break;
	case PROMPT_MONITOR:
		err = stage_monitor(command, said);
		break;
	case PROMPT_SHELL:
		err = stage_shell(command, said);
		break;
	case PROMPT_NONE:
		break;
	}
	free(command);
	return err;
}

/* ---- Comparing ---- */

static void show(const char *sign, char *const *line, size_t count)
{
	for (size_t i = 0; i < count; i++)
		fprintf(stderr, "%s%s\n", sign, line[i]);
}

/*
 * Compares what was @said with the page's lines from @at to @end; @now gets what
 * the page should show.
 */
static bool compare(const struct lines *page, const struct sample *sample, size_t at, size_t end,
		    const struct lines *said, struct lines *now)
{
	char *const *shown = page->line + at;

	if (sample->foreign) {
		for (size_t i = at; i < end; i++)
			lines_add(now, page->line[i]);
		return true;
	}
	if (lines_agree(shown, end - at, said, &sample->rule, now))
		return true;
	for (size_t i = 0; i < said->count; i++)
		lines_add(now, said->line[i]);
	fprintf(stderr, "%s:%zu: the page (-) and the real thing (+) differ\n", sample->path,
		at + 1);
	show("-", shown, end - at);
	show("+", said->line, said->count);
	return false;
}

/*
 * Whether what a page's `sleep` waits for has come: the lines that it shows, else the
 * memory that was asked for.
 */
static bool has_come(const struct lines *page, const struct sample *sample, size_t at, size_t end,
		     const struct lines *said)
{
	if (at + 1 < end)
		return lines_agree(page->line + at + 1, end - at - 1, said, &sample->rule, NULL);
	return stage_memory_has_come();
}

/* A busy machine may need more than one `sleep`. */
static int sleep_on(const struct lines *page, const struct sample *sample, size_t at, size_t end,
		    struct lines *said)
{
	if (strncmp(page->line[at], SLEEP, strlen(SLEEP)))
		return 0;
	for (int tries = 0; tries < SLEEPS_MAX; tries++) {
		if (has_come(page, sample, at, end, said))
			return 0;
		if (run_command(sample, page->line[at], false, said))
			return -1;
	}
	fprintf(stderr, "%s:%zu: what it waits for does not come\n", sample->path, at + 1);
	return 0;
}

/* Plays one command and compares. */
static bool play_command(const struct lines *page, const struct sample *sample, size_t at,
			 size_t end, struct lines *now)
{
	struct lines said = { 0 };
	bool agree;

	lines_add(now, page->line[at]);
	if (run_command(sample, page->line[at], end == sample->end, &said) ||
	    sleep_on(page, sample, at, end, &said)) {
		fprintf(stderr, "%s:%zu: cannot be played\n", sample->path, at + 1);
		lines_free(&said);
		return false;
	}
	agree = compare(page, sample, at + 1, end, &said, now);
	lines_free(&said);
	return agree;
}

/* The guest that the sample wants, and what it says as it starts. */
static bool prepare_guest(const struct lines *page, const struct sample *sample, size_t end,
			  struct lines *now)
{
	struct lines said = { 0 };
	bool agree = true;

	if (value(sample, "continue")) {
		if (!stage_has_guest())
			fprintf(stderr, "%s:%zu: there is no guest to continue with\n",
				sample->path, sample->first);
		return stage_has_guest();
	}
	stage_stop();
	if (!wants_guest(page, sample))
		return true;
	if (stage_start(sample->word, &said)) {
		fprintf(stderr, "%s:%zu: no guest\n", sample->path, sample->first + 1);
		agree = false;
	} else if (end > sample->first) {
		agree = compare(page, sample, sample->first, end, &said, now);
	}
	lines_free(&said);
	return agree;
}

/* Plays a sample; @now gets the lines that its fence should have. */
static bool play(const struct lines *page, const struct sample *sample, struct lines *now)
{
	size_t at = next_command(page, sample, sample->first);
	bool agree = prepare_guest(page, sample, at, now);

	if (sample->first == sample->end) {
		fprintf(stderr, "%s:%zu: an empty sample\n", sample->path, sample->first);
		return false;
	}
	if (!agree && !stage_has_guest())
		return false;
	if (value(sample, "settled") && stage_settle())
		return false;
	while (at < sample->end) {
		size_t end = next_command(page, sample, at + 1);

		agree &= play_command(page, sample, at, end, now);
		at = end;
	}
	return agree;
}

/* ---- A page ---- */

static bool is_installed(const char *program)
{
	struct lines path = { 0 };
	char command[256];
	bool installed;

	snprintf(command, sizeof(command), "command -v '%s'", program);
	installed = stage_shell(command, &path) == 0 && path.count > 0;
	lines_free(&path);
	return installed;
}

/* The major version of the QEMU that is used; 0: it does not say. */
static int qemu_major(void)
{
	struct lines said = { 0 };
	int major = 0;

	if (!stage_shell("${QEMU:-qemu-system-x86_64} --version", &said) && said.count)
		sscanf(said.line[0], "QEMU emulator version %d", &major);
	lines_free(&said);
	return major;
}

/* Tells whether @number is one of @list, as "7,10". */
static bool is_in_list(const char *list, int number)
{
	while (list && atoi(list) != number) {
		list = strchr(list, ',');
		if (list)
			list++;
	}
	return list;
}

static void look_at_qemu(struct sample *sample, struct sample_counts *counts)
{
	const char *made_with = value(sample, "qemu");
	int major = made_with ? qemu_major() : 0;

	sample->foreign = made_with && !is_in_list(made_with, major);
	if (!sample->foreign)
		return;
	printf("%s:%zu: played and not compared, as it was made with QEMU %s, and this is %d\n",
	       sample->path, sample->first, made_with, major);
	counts->left_out++;
}

static void check_sample(struct lines *page, struct sample *sample, bool update,
			 struct sample_counts *counts)
{
	const char *needs = value(sample, "needs");
	struct lines now = { 0 };

	if (needs && !is_installed(needs)) {
		printf("%s:%zu: left out, as %s is not installed\n", sample->path, sample->first,
		       needs);
		counts->left_out++;
		return;
	}
	look_at_qemu(sample, counts);
	counts->samples++;
	if (!play(page, sample, &now))
		counts->differing++;
	if (update && now.count) {
		lines_replace(page, sample->first, sample->end - sample->first, &now);
		sample->end = sample->first + now.count;
	}
	lines_free(&now);
}

/* A fence without a marker: it has no commands, or an excuse. */
static void check_unmarked(const struct lines *page, const struct sample *sample,
			   const char *before, struct sample_counts *counts)
{
	if (strncmp(before, EXCUSE, strlen(EXCUSE)) == 0) {
		counts->excused++;
	} else if (next_command(page, sample, sample->first) < sample->end) {
		fprintf(stderr, "%s:%zu: commands without a marker (see tests/docs/sample.h)\n",
			sample->path, sample->first);
		counts->differing++;
	}
}

static bool is_fence(const char *line)
{
	return strncmp(line, FENCE, strlen(FENCE)) == 0;
}

void sample_check_page(const char *path, struct lines *page, bool update,
		       struct sample_counts *counts)
{
	for (size_t i = 0; i < page->count; i++) {
		struct sample sample = { .path = path, .first = i + 1, .end = i + 1 };
		const char *before = i ? page->line[i - 1] : "";

		if (!is_fence(page->line[i]))
			continue;
		while (sample.end < page->count && !is_fence(page->line[sample.end]))
			sample.end++;
		if (strncmp(before, SAMPLE, strlen(SAMPLE)) == 0) {
			read_marker(&sample, before);
			check_sample(page, &sample, update, counts);
		} else {
			check_unmarked(page, &sample, before, counts);
		}
		free(sample.text);
		i = sample.end;
	}
	stage_stop();
}
