/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_mem.c: reads the lines of the guest's `show_mem` that a host program
 * compares with QMP. The text is input: nothing in it is trusted.
 */
#ifndef TOOLS_SHOW_MEM_H
#define TOOLS_SHOW_MEM_H

#include <stdbool.h>
#include <stdint.h>

struct show_mem {
	uint64_t inflated_total; /* bytes, subtracted from MemTotal */
	uint64_t inflated_free;	 /* bytes, counted as used */
	uint64_t ledger_frames;
	bool ledger_ok;
};

/*
 * Finds the "Balloon InflatedTotal:..." line and the "Ledger: ..." line in
 * `text`. -ENOENT: one of them is not there or not of the exact form;
 * -EINVAL: both kinds of inflated memory at a time, which cannot be.
 */
int show_mem_parse(const char *text, struct show_mem *found);

/* Gives the bytes in the balloon, in whichever mode the guest accounts for them. */
static inline uint64_t show_mem_ballooned(const struct show_mem *mem)
{
	return mem->inflated_total + mem->inflated_free;
}

#endif
