/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What newlib wants of a system, as far as the parts of it that are used do.
 * It also wants sbrk(), which is in mm/heap.c: a heap is made of frames.
 */
#include <stdlib.h>

#include "kernel/lib/panic.h"

void abort(void)
{
	panic("abort() was called; the heap's own records are damaged");
}
