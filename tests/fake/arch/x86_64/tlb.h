/* SPDX-License-Identifier: BSD-2-Clause */
/* What the processor knows of page tables, for host tests: the test program says. */
#ifndef ARCH_X86_64_TLB_H
#define ARCH_X86_64_TLB_H

#include <stdint.h>

/* Uses the tables under `top`. */
void tlb_load(uint64_t top);

/* Forgets all pages, and where all tables are. */
void tlb_flush(void);

/* Forgets the page of an address, and where all tables are. */
void tlb_flush_page(uint64_t vaddr);

#endif
