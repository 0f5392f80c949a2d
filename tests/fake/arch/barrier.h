/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Barriers for host tests. A simulated device runs in the same thread as the
 * driver, so there is nothing to order.
 */
#ifndef ARCH_BARRIER_H
#define ARCH_BARRIER_H

static inline void dma_store_barrier(void)
{
}

static inline void dma_load_barrier(void)
{
}

static inline void dma_full_barrier(void)
{
}

#endif
