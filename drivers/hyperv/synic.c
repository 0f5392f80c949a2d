/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two frames that Hyper-V writes to. A message's slot is the host's to fill while its type is 0;
 * if another message waits for it, the host has set `pending`, and is told by EOM that the slot is
 * empty. A bit of an event is set by the host and cleared here, before anybody looks at what it
 * is about: an event that comes later is not lost.
 */
#include "drivers/hyperv/synic.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/barrier.h"
#include "arch/hyperv.h"
#include "arch/irq.h"
#include "arch/phys_map.h"
#include "mm/frame.h"

#define WORD_BITS 64
#define WORDS (SYNIC_EVENTS / WORD_BITS)

_Static_assert(WORDS == ARRAY_SIZE(((struct hv_event_page *)0)->flags[0]), "a slot of events");

static struct {
	struct hv_message_page *messages; /* NULL: it is not started */
	struct hv_event_page *events;
	unsigned sint;
	struct wait_queue *waiters;
	struct synic_listener *listeners;
	struct synic_counts counts;
} synic;

/* ---- Events ---- */

static void deliver(uint32_t event)
{
	bool claimed = false;

	synic.counts.events++;
	for (struct synic_listener *listener = synic.listeners; listener;
	     listener = listener->next) {
		if (listener->event != event)
			continue;
		claimed = true;
		listener->handle(listener);
	}
	if (!claimed)
		synic.counts.unclaimed++;
}

/* With interrupts off. */
static void take_events(void)
{
	uint64_t *word = synic.events->flags[synic.sint];

	for (uint32_t i = 0; i < WORDS; i++) {
		uint64_t bits;

		if (__atomic_load_n(&word[i], __ATOMIC_RELAXED) == 0)
			continue;
		bits = __atomic_exchange_n(&word[i], 0, __ATOMIC_SEQ_CST);
		for (; bits != 0; bits &= bits - 1)
			deliver(i * WORD_BITS + (uint32_t)__builtin_ctzll(bits));
	}
}

void synic_look(void)
{
	uint64_t flags = irq_save();

	if (synic.events)
		take_events();
	irq_restore(flags);
}

void synic_listen(struct synic_listener *listener)
{
	uint64_t flags = irq_save();

	assert(listener->event < SYNIC_EVENTS && listener->handle);
	listener->next = synic.listeners;
	synic.listeners = listener;
	irq_restore(flags);
}

void synic_unlisten(struct synic_listener *listener)
{
	struct synic_listener **at = &synic.listeners;
	uint64_t flags = irq_save();

	while (*at && *at != listener)
		at = &(*at)->next;
	assert(*at);
	*at = listener->next;
	irq_restore(flags);
}

/* ---- Messages ---- */

static struct hv_message *slot(void)
{
	return &synic.messages->slot[synic.sint];
}

bool synic_has_message(void)
{
	return synic.messages &&
	       __atomic_load_n(&slot()->type, __ATOMIC_ACQUIRE) != HV_MESSAGE_NONE;
}

bool synic_take_message(struct hv_message *message)
{
	struct hv_message *from;

	if (!synic_has_message())
		return false;
	from = slot();
	memcpy(message, from, sizeof(*message));
	__atomic_store_n(&from->type, HV_MESSAGE_NONE, __ATOMIC_RELEASE);
	/* The slot is empty before `pending` is read: who finds it full after that sets it. */
	dma_full_barrier();
	if (__atomic_load_n(&from->flags, __ATOMIC_RELAXED) & HV_MESSAGE_PENDING)
		hyperv_msr_write(HV_MSR_EOM, 0);
	synic.counts.messages++;
	return true;
}

/* ---- Interrupts ---- */

static bool handle(struct irq_handler *handler)
{
	(void)handler;
	synic.counts.interrupts++;
	take_events();
	task_wake(synic.waiters);
	return true;
}

static struct irq_handler interrupt = { .handle = handle };

/* ---- The start, and the end ---- */

static bool may_use(void)
{
	return hyperv_is_there() && (hyperv_cpuid()->access_low & HV_ACCESS_SYNIC);
}

static int alloc_pages(void)
{
	pfn_t first;

	if (frame_alloc(1, OWNER_KERNEL, &first))
		return -ENOMEM;
	synic.messages = phys_to_virt(pfn_to_paddr(first));
	synic.events = phys_to_virt(pfn_to_paddr(first + 1));
	memset(synic.messages, 0, sizeof(*synic.messages));
	memset(synic.events, 0, sizeof(*synic.events));
	return 0;
}

static void free_pages(void)
{
	int err = frame_free(paddr_to_pfn(virt_to_phys(synic.messages)), 2, OWNER_KERNEL);

	assert(!err);
	synic.messages = NULL;
	synic.events = NULL;
}

/* Changes these bits of an MSR: the rest is the host's. */
static void change(uint32_t msr, uint64_t bits, uint64_t value)
{
	hyperv_msr_write(msr, (hyperv_msr_read(msr) & ~bits) | value);
}

static void enable(enum hv_msr msr, const void *page)
{
	hyperv_msr_write(msr, hyperv_msr_with_page(hyperv_msr_read(msr), virt_to_phys(page)));
}

/* Has the source interrupt by this vector, or not at all. */
static void set_source(uint64_t vector_or_masked)
{
	change(HV_MSR_SINT0 + synic.sint,
	       HV_SINT_VECTOR_MASK | HV_SINT_MASKED | HV_SINT_AUTO_EOI | HV_SINT_POLLING,
	       vector_or_masked);
}

int synic_start(unsigned sint, struct wait_queue *waiters)
{
	struct irq_message message;
	int err;

	assert(sint < HV_SINT_COUNT && waiters && !synic.waiters);
	if (!may_use())
		return -ENODEV;
	err = alloc_pages();
	if (err)
		return err;
	/* From here on an interrupt may come, as a late one of an earlier start. */
	synic.sint = sint;
	synic.waiters = waiters;
	err = irq_register_message(&interrupt, &message);
	if (err) {
		free_pages();
		synic.waiters = NULL;
		return err;
	}
	synic.counts.vector = message.vector;
	enable(HV_MSR_SIMP, synic.messages);
	enable(HV_MSR_SIEFP, synic.events);
	/* Without AutoEOI: the end of an interrupt is written to the local APIC, as always. */
	set_source(message.vector);
	change(HV_MSR_SCONTROL, 0, HV_MSR_ENABLE);
	return 0;
}

void synic_stop(void)
{
	if (!synic.waiters)
		return;
	set_source(HV_SINT_MASKED | HV_SINT_VECTOR_MIN);
	change(HV_MSR_SIMP, HV_MSR_FRAME | HV_MSR_ENABLE, 0);
	change(HV_MSR_SIEFP, HV_MSR_FRAME | HV_MSR_ENABLE, 0);
	change(HV_MSR_SCONTROL, HV_MSR_ENABLE, 0);
	irq_unregister_message(&interrupt);
	free_pages();
	synic.waiters = NULL;
}

void synic_get_counts(struct synic_counts *counts)
{
	uint64_t flags = irq_save();

	*counts = synic.counts;
	irq_restore(flags);
}
