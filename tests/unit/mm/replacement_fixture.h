/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames for mm/replacement.c: an array of records, whose numbers are indices, and a bit for
 * each that says whether it was used. A frame holds the page that the test says.
 */
#ifndef TESTS_UNIT_MM_REPLACEMENT_FIXTURE_H
#define TESTS_UNIT_MM_REPLACEMENT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mm/replacement.h"

/* Frames have the numbers 1 to below this. */
#define FRAMES 4096

extern struct page_record records[FRAMES];
extern bool used[FRAMES];
extern unsigned times_asked; /* whether a page was used */

extern struct replacement replacement;

/* Starts anew, with memory for ghosts of `pages` pages; it is exactly as long as promised. */
void fixture_start(enum replacement_policy policy, uint64_t pages);

/* Gives the replacement other memory, and frees what it had. */
void fixture_set_ghosts(uint64_t pages);

/* Frees memory: for a test's teardown. Returns 0. */
int fixture_stop(void **state);

/* A frame gets a page, and it comes in. Returns whether it is a refault. */
bool fixture_enter(uint32_t number, uint64_t page);

/* What is chosen among as many as there are; it must be something. */
uint32_t fixture_choose(void);

/* Frames `first` to `last` come in, with pages of their numbers. */
void fixture_fill(uint32_t first, uint32_t last);

/* Frames likewise; they went, and came back at once: they are main's, in this order. */
void fixture_fill_main(uint32_t first, uint32_t last);

/* So many pages are in. */
void fixture_assert_counts(uint64_t new_pages, uint64_t main_pages);

#endif
