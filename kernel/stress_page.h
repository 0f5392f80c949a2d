/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contents of a workload's pages, and which is next: pure. A page names itself: each of its
 * lines of 64 bytes begins with a word of the seed, the page and the line, and is zeros else,
 * but for the first line, which also counts touches.
 */
#ifndef KERNEL_STRESS_PAGE_H
#define KERNEL_STRESS_PAGE_H

#include "kernel/lib/types.h"

/* Writes to a page of zeros for the first time. `bytes` is FRAME_SIZE long, aligned. */
void stress_page_name(uint8_t *bytes, uint64_t seed, uint64_t page);

/* Does so to a page of anything. */
void stress_page_fill(uint8_t *bytes, uint64_t seed, uint64_t page);

/* Writes to a page that was filled: one more touch. */
void stress_page_touch(uint8_t *bytes);

/* Tells whether each byte is what was written. */
bool stress_page_is_right(const uint8_t *bytes, uint64_t seed, uint64_t page);

/* A number from 0 to below `n`, each as likely. The state begins as the seed. */
uint64_t stress_random(uint64_t *state, uint64_t n);

/*
 * A number from 0 to below `n`, of which that of rank k comes about as often as 1 / k; ranks are
 * strewn among the numbers. By octaves: each has as many of them as the others.
 */
uint64_t stress_zipf(uint64_t *state, uint64_t n);

#endif
