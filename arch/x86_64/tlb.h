/* SPDX-License-Identifier: BSD-2-Clause */
/* What the processor knows of page tables: which it uses, and what it remembers of them. */
#ifndef ARCH_X86_64_TLB_H
#define ARCH_X86_64_TLB_H

#include <stdint.h>

/* Uses the tables under `top`, a physical address, and forgets all others. */
static inline void tlb_load(uint64_t top)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(top) : "memory");
}

/* Forgets all pages, and where all tables are. */
static inline void tlb_flush(void)
{
	uint64_t top;

	__asm__ volatile("movq %%cr3, %0" : "=r"(top));
	tlb_load(top);
}

/* Forgets the page of an address, and where all tables are (Intel SDM volume 3, 4.10.4.1). */
static inline void tlb_flush_page(uint64_t vaddr)
{
	__asm__ volatile("invlpg (%0)" : : "r"(vaddr) : "memory");
}

#endif
