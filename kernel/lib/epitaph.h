/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A panic leaves this in memory for a reader from outside: that it happened,
 * why, when and where. kernel/dump.h leads to it. All fields have a fixed
 * width. Host programs include this file.
 */
#ifndef KERNEL_LIB_EPITAPH_H
#define KERNEL_LIB_EPITAPH_H

#include <stdint.h>

/* Grows when a field here changes its meaning. */
#define EPITAPH_VERSION 1

#define EPITAPH_MESSAGE 200 /* bytes, with the NUL */
#define EPITAPH_SYMBOL 44   /* likewise; a longer name is cut */
#define EPITAPH_DEPTH 24    /* places of a backtrace */

/* An address in the code, and the function that it lies in. */
struct epitaph_place {
	uint64_t address;
	uint32_t offset;	     /* from the start of the function */
	char symbol[EPITAPH_SYMBOL]; /* "": no function is known there */
};

struct epitaph {
	uint32_t version;
	uint32_t size;	   /* of this structure */
	uint32_t panicked; /* 0 or 1; without it all below is 0 */
	uint32_t depth;	   /* places of the backtrace that are filled */
	uint64_t time_ns;  /* since boot */
	char message[EPITAPH_MESSAGE];
	struct epitaph_place at;		       /* where it happened */
	struct epitaph_place backtrace[EPITAPH_DEPTH]; /* the callers, innermost first */
};

_Static_assert(sizeof(struct epitaph_place) == 56, "no padding for readers to trip over");
_Static_assert(sizeof(struct epitaph) == 24 + EPITAPH_MESSAGE + 56 * (1 + EPITAPH_DEPTH),
	       "likewise");

/* Written by panic.c alone. */
extern struct epitaph panic_epitaph;

#endif
