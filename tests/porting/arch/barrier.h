/* SPDX-License-Identifier: BSD-2-Clause */
/* What arch/barrier.h promises, in C11: the device is another thread here. */
#ifndef ARCH_BARRIER_H
#define ARCH_BARRIER_H

#include <stdatomic.h>

/* Stores before it are seen by the device before stores after it. */
static inline void dma_store_barrier(void)
{
	atomic_thread_fence(memory_order_release);
}

/* Loads before it are done before loads after it. */
static inline void dma_load_barrier(void)
{
	atomic_thread_fence(memory_order_acquire);
}

/* Stores before it are seen by the device before loads after it are done. */
static inline void dma_full_barrier(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

#endif
