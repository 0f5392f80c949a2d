/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holds the samples in the documents against the real thing. To be run from the
 * project's root; pages as arguments, or README.md and docs/ without any. With
 * --update the pages are rewritten as they should be.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/docs/sample.h"
#include "tests/docs/stage.h"

static int read_page(const char *path, struct lines *page)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	if (!file) {
		perror(path);
		return -1;
	}
	while (getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		lines_add(page, line);
	}
	free(line);
	fclose(file);
	return 0;
}

static int write_page(const char *path, const struct lines *page)
{
	FILE *file = fopen(path, "w");

	if (!file) {
		perror(path);
		return -1;
	}
	for (size_t i = 0; i < page->count; i++)
		fprintf(file, "%s\n", page->line[i]);
	return fclose(file);
}

static int check_page(const char *path, bool update, struct sample_counts *counts)
{
	struct lines page = { 0 };
	int err = read_page(path, &page);

	if (!err)
		sample_check_page(path, &page, update, counts);
	if (!err && update)
		err = write_page(path, &page);
	lines_free(&page);
	return err;
}

static int check_all(bool update, struct sample_counts *counts)
{
	int err = check_page("README.md", update, counts);
	glob_t pages;

	if (glob("docs/*.md", 0, NULL, &pages)) {
		fprintf(stderr, "there is no docs/*.md; run this from the project's root\n");
		return -1;
	}
	for (size_t i = 0; i < pages.gl_pathc; i++)
		err |= check_page(pages.gl_pathv[i], update, counts);
	globfree(&pages);
	return err;
}

int main(int argc, char **argv)
{
	const char *build = getenv("BUILD");
	bool update = argc > 1 && strcmp(argv[1], "--update") == 0;
	struct sample_counts counts = { 0 };
	int err = 0;

	if (stage_init(build && *build ? build : "build"))
		return 2;
	if (argc == 1 + update)
		err = check_all(update, &counts);
	for (int i = 1 + update; i < argc; i++)
		err |= check_page(argv[i], update, &counts);
	printf("docs: %u samples, %u of them %s; %u left out, %u not compared\n", counts.samples,
	       counts.differing, update ? "new" : "wrong", counts.left_out, counts.excused);
	if (!counts.samples && argc == 1)
		err = -1;
	return err || (counts.differing && !update);
}
