/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Barriers between this CPU and a device that reads and writes the same
 * memory, named by what they order. x86 keeps stores in order with stores and
 * loads with loads, so those two only hold the compiler; a load may pass an
 * earlier store, so the third is an instruction.
 */
#ifndef ARCH_BARRIER_H
#define ARCH_BARRIER_H

/* Stores before it are seen by the device before stores after it. */
static inline void dma_store_barrier(void)
{
	__asm__ volatile("" : : : "memory");
}

/* Loads before it are done before loads after it. */
static inline void dma_load_barrier(void)
{
	__asm__ volatile("" : : : "memory");
}

/* Stores before it are seen by the device before loads after it are done. */
static inline void dma_full_barrier(void)
{
	__asm__ volatile("mfence" : : : "memory");
}

#endif
