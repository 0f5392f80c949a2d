/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions that newlib expects of a system, as far as the kernel uses it.
 * It also expects sbrk(), which is in mm/heap.c: a heap is made of frames.
 */
#include <stdlib.h>

#include "kernel/lib/panic.h"

void abort(void)
{
	panic("abort() was called; the heap's own records are damaged");
}
