/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Eleven courses of references to pages, the same on every machine, by which replacement is
 * measured: each is good for some of the algorithms, and hard for others. Sizes are in pages;
 * C is COURSE_CACHE, the pages that a memory has room for.
 */
#ifndef TESTS_BENCH_COURSES_H
#define TESTS_BENCH_COURSES_H

#include <stddef.h>
#include <stdint.h>

#define COURSES 11
#define COURSE_CACHE 8192
#define COURSE_REFERENCES 2000000

struct course {
	size_t references; /* a burst is one */
	uint32_t *touch;   /* pages, in the order in which they are touched */
	size_t touches;
	uint32_t pages; /* all numbers of pages are below this */
};

/* Returns what a course is called: at most 27 characters. `number` is below COURSES. */
const char *course_name(unsigned number);

/* Touches of a burst come within so many references, and a burst has at most so many. */
#define COURSE_SPREAD 50
#define COURSE_BURST_MAX 8

/*
 * Makes a course in which each page that is referred to is touched `burst` times: at once, and
 * again within the next COURSE_SPREAD references. The caller ends it by course_free().
 */
void course_make(struct course *course, unsigned number, size_t references, unsigned burst);

/* Frees what course_make() took. */
void course_free(struct course *course);

#endif
