/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables for host tests of what maps pages one by one: which page has which
 * frame. Implements that part of arch/paging.h; nothing is really mapped.
 */
#ifndef TESTS_SIM_SIM_PAGING_H
#define TESTS_SIM_SIM_PAGING_H

#include "kernel/lib/types.h"

#define SIM_PAGING_PAGES 256

/* Unmaps everything; nothing fails. */
void sim_paging_reset(void);

/* Lets `count` more pages be mapped, then none: -ENOMEM. */
void sim_paging_fail_after(size_t count);

/* Counts the pages that are mapped. */
size_t sim_paging_mapped(void);

/*
 * Counts the pages that were unmapped before the page above them: their page
 * table would not be found empty (see paging_unmap_page()).
 */
size_t sim_paging_upwards(void);

#endif
