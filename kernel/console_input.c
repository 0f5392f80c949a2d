/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring whose positions run freely: whatever a crashed kernel left there, none reaches outside of
 * it. It is touched with interrupts off only.
 */
#include "kernel/console_input.h"

#include <assert.h>

#include "arch/irq.h"
#include "kernel/task/task.h"

#define RING_SIZE 16384u

/* Positions wrap at 2^32, and must then still name the same place. */
_Static_assert((RING_SIZE & (RING_SIZE - 1)) == 0, "a power of two");

static uint8_t ring[RING_SIZE];
static uint32_t head; /* next free place; advanced by interrupts */
static uint32_t tail; /* next byte to read */
static uint64_t dropped;
static struct wait_queue readers;

void console_input_put(uint8_t byte)
{
	uint64_t flags = irq_save();

	assert(head - tail <= RING_SIZE);
	if (head - tail < RING_SIZE)
		ring[head++ % RING_SIZE] = byte;
	else
		dropped++;
	task_wake(&readers);
	irq_restore(flags);
}

bool console_input_take(uint8_t *byte)
{
	uint64_t flags = irq_save();
	bool any = head != tail;

	if (any)
		*byte = ring[tail++ % RING_SIZE];
	irq_restore(flags);
	return any;
}

bool console_input_wait(uint64_t deadline)
{
	uint64_t flags = irq_save();
	bool any;

	while (head == tail && task_wait(&readers, deadline))
		;
	any = head != tail;
	irq_restore(flags);
	return any;
}

void console_input_discard(void)
{
	uint64_t flags = irq_save();

	tail = head;
	irq_restore(flags);
}

uint64_t console_input_dropped(void)
{
	uint64_t flags = irq_save();
	uint64_t count = dropped;

	irq_restore(flags);
	return count;
}
