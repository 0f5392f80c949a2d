/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port's bit in `pending` is set by Xen and cleared here; unless it is masked, Xen then sets the
 * bit of its word, and interrupts if none of these was set. All ports are masked until somebody
 * listens: what came before is found then. What Xen writes into the page is input.
 */
#include "drivers/xen/xen_events.h"

#include <assert.h>
#include <errno.h>

#include "arch/irq.h"
#include "arch/phys_map.h"
#include "drivers/xen/xen.h"

#define WORD_BITS 64

static struct xen_shared_info shared __attribute__((aligned(FRAME_SIZE)));
static uint64_t listened[XEN_EVENT_WORDS]; /* ports that somebody listens to */
static struct xen_event_handler *handlers;
static struct xen_event_counts counts;

static void deliver(uint32_t port)
{
	counts.events++;
	for (struct xen_event_handler *handler = handlers; handler; handler = handler->next)
		if (handler->port == port)
			handler->handle(handler);
}

/* Takes the bits of a word that somebody listens to; the others stay. */
static uint64_t take_listened(uint32_t index)
{
	return __atomic_fetch_and(&shared.pending[index], ~listened[index], __ATOMIC_SEQ_CST) &
	       listened[index];
}

static bool deliver_word(uint32_t index)
{
	uint64_t bits = take_listened(index);
	bool any = bits != 0;

	for (; bits != 0; bits &= bits - 1)
		deliver(index * WORD_BITS + (uint32_t)__builtin_ctzll(bits));
	return any;
}

/* `pending` is cleared first: an event that comes after it interrupts again. */
static bool handle_upcall(struct irq_handler *handler)
{
	bool any = false;
	uint64_t words;

	(void)handler;
	counts.upcalls++;
	shared.vcpu[0].pending = 0;
	words = __atomic_exchange_n(&shared.vcpu[0].words, 0, __ATOMIC_SEQ_CST);
	for (; words != 0; words &= words - 1)
		any |= deliver_word((uint32_t)__builtin_ctzll(words));
	if (!any)
		counts.unclaimed++;
	return true;
}

static struct irq_handler upcall = { .handle = handle_upcall };

int xen_events_start(void)
{
	struct irq_message message;
	int err = irq_register_message(&upcall, &message);

	if (err)
		return err;
	err = xen_share_page(paddr_to_pfn(virt_to_phys(&shared)));
	if (err)
		goto err_message;
	for (size_t i = 0; i < XEN_EVENT_WORDS; i++)
		shared.mask[i] = UINT64_MAX;
	/* For what came before there was a vector, or to a firmware, Xen interrupts no more. */
	shared.vcpu[0].pending = 0;
	shared.vcpu[0].words = 0;
	err = xen_set_upcall_vector(message.vector);
	if (err)
		goto err_message;
	return 0;

err_message:
	irq_unregister_message(&upcall);
	return err;
}

void xen_events_listen(struct xen_event_handler *handler)
{
	uint32_t index = handler->port / WORD_BITS;
	uint64_t flags = irq_save(), bit = UINT64_C(1) << handler->port % WORD_BITS;

	assert(handler->port < XEN_EVENT_PORTS && handler->handle);
	handler->next = handlers;
	handlers = handler;
	listened[index] |= bit;
	/* Before the look: what comes after it interrupts. */
	__atomic_and_fetch(&shared.mask[index], ~bit, __ATOMIC_SEQ_CST);
	if (__atomic_fetch_and(&shared.pending[index], ~bit, __ATOMIC_SEQ_CST) & bit)
		deliver(handler->port);
	irq_restore(flags);
}

void xen_events_get_counts(struct xen_event_counts *result)
{
	uint64_t flags = irq_save();

	*result = counts;
	irq_restore(flags);
}
