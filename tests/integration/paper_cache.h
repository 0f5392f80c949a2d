/* SPDX-License-Identifier: BSD-2-Clause */
/* What a cache by mm/replacement.c would do with a workload's touches, on paper. */
#ifndef TESTS_INTEGRATION_PAPER_CACHE_H
#define TESTS_INTEGRATION_PAPER_CACHE_H

#include <stdint.h>

#define PAPER_CACHE_PAGES 65536

/*
 * Plays what `stress cache` does with so many pages ("zipf" or "rand"), passes, and that seed, to a
 * cache of `frames` frames. Returns the misses after the first pass.
 */
uint64_t paper_cache_misses(const char *pattern, uint64_t pages, unsigned passes, uint64_t seed,
			    uint32_t frames);

#endif
