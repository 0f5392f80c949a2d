/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Barriers for host tests. A simulated device runs in the same thread as the
 * driver, so there is nothing to order. But a program may define fake_barrier(), to
 * check, and to do, what a device could at that moment.
 */
#ifndef ARCH_BARRIER_H
#define ARCH_BARRIER_H

enum fake_barrier {
	FAKE_BARRIER_STORE,
	FAKE_BARRIER_LOAD,
	FAKE_BARRIER_FULL,
};

/* Called by each barrier, if the program defines it. */
__attribute__((weak)) void fake_barrier(enum fake_barrier kind);

/* The barriers of arch/barrier.h. */
static inline void dma_store_barrier(void)
{
	if (fake_barrier)
		fake_barrier(FAKE_BARRIER_STORE);
}

static inline void dma_load_barrier(void)
{
	if (fake_barrier)
		fake_barrier(FAKE_BARRIER_LOAD);
}

static inline void dma_full_barrier(void)
{
	if (fake_barrier)
		fake_barrier(FAKE_BARRIER_FULL);
}

#endif
