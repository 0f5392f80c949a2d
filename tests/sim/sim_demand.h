/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The window of arch/paging_demand.h for host tests: entries in a table, and a processor that
 * remembers what was taken away until it is flushed. Tables of entries are frames of the allocator,
 * so that a ledger shows what was not given back. A frame's bytes are reached where it is.
 */
#ifndef TESTS_SIM_SIM_DEMAND_H
#define TESTS_SIM_SIM_DEMAND_H

#include "arch/paging_demand.h"

/* Of the 2^30 pages from each multiple of that on, the first so many can be used. */
#define SIM_DEMAND_PAGES 8192
#define SIM_DEMAND_STRETCHES 10

/* Forgets everything, the handler too; tables are not given back. */
void sim_demand_reset(void);

/*
 * Does what the processor does when a task touches a page: sets its mark and returns its bytes,
 * good until the task sleeps; calls the handler as long as it is not mapped, or not for this
 * write. It does not return if the handler ends the task. A touch that the handler calls a
 * mistake, or of a page that the processor still remembers elsewhere, ends the program.
 */
uint8_t *sim_demand_touch(uint64_t page, bool write);

/* Tells whether the processor may still reach a frame that is not mapped any more. */
bool sim_demand_remembers(pfn_t pfn);

/* Tells whether a mapped page is for writing. */
bool sim_demand_is_writable(uint64_t page);

/* Counts pages that are mapped, and tables. */
uint64_t sim_demand_mapped(void);
uint64_t sim_demand_tables(void);

/* Makes paging_demand_prepare() fail, where a table is missing, or ends that. */
void sim_demand_fail(bool fail);

#endif
