/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hyper-V's synthetic interrupt controller, of which the VMBus uses one source: a slot for
 * messages, a row of flags, an interrupt (TLFS 11).
 *
 * Who writes what in the guest's pages: the host fills a slot whose type is 0 and sets the type
 * last; the guest empties it by setting the type to 0. The host sets flags, the guest clears them.
 */
#include "tests/hypervisor/hyperv_host.h"

#include <string.h>

#include "tests/hypervisor/personality.h"

#define QUEUE_MESSAGES 64

/* The most that one message of the guest's is answered with: offers, each twice. */
#define QUEUE_ROOM 16

struct message {
	enum hyperv_kind kind;
	uint32_t bytes;
	uint8_t payload[HV_MESSAGE_PAYLOAD];
};

/* Those that wait, the oldest first. */
static struct message queue[QUEUE_MESSAGES];
static uint32_t queued;

static uint64_t control, event_page, message_page;
static uint64_t sint[HV_SINT_COUNT];
static bool awaits_eom;	     /* the guest was told that more messages wait */
static bool eom_was_written; /* while a lie kept it from being heard */

void host_synic_start(void)
{
	control = event_page = message_page = 0;
	for (unsigned i = 0; i < HV_SINT_COUNT; i++)
		sint[i] = HV_SINT_MASKED;
	host_synic_forget();
	awaits_eom = eom_was_written = false;
}

void host_synic_forget(void)
{
	queued = 0;
}

/* ---- The guest's pages ---- */

/* A page that the guest has named; NULL: it is not enabled, or nowhere. */
static void *page_at(uint64_t msr)
{
	void *page;

	if (!(msr & HV_MSR_ENABLE))
		return NULL;
	page = machine_memory(msr & ~(uint64_t)(FRAME_BYTES - 1), FRAME_BYTES);
	if (!page)
		machine_violate("a page of the SynIC lies where the guest has no RAM");
	return page;
}

static void set_page(uint64_t *msr, uint64_t value)
{
	bool was_enabled = *msr & HV_MSR_ENABLE;
	void *page;

	*msr = value;
	page = page_at(value);
	/* As on Hyper-V, where the page is laid over the guest's. */
	if (page && !was_enabled)
		memset(page, 0, FRAME_BYTES);
}

static struct hv_message *slot(void)
{
	struct hv_message_page *page = page_at(message_page);

	return page ? &page->slot[VMBUS_SINT] : NULL;
}

bool host_synic_is_ready(void)
{
	return control & HV_MSR_ENABLE && message_page & HV_MSR_ENABLE &&
	       event_page & HV_MSR_ENABLE && !(sint[VMBUS_SINT] & HV_SINT_MASKED);
}

static void interrupt(void)
{
	if (lie()->no_interrupts || !host_synic_is_ready())
		return;
	seen()->interrupts++;
	machine_interrupt((uint8_t)(sint[VMBUS_SINT] & HV_SINT_VECTOR_MASK));
}

/* ---- Messages ---- */

bool host_synic_has_room(void)
{
	return queued <= QUEUE_MESSAGES - QUEUE_ROOM;
}

/* The first message that no lie keeps back, from `from` on; `queued`: there is none. */
static uint32_t next_message(uint32_t from)
{
	while (from < queued && is_in(lie()->silent, queue[from].kind))
		from++;
	return from;
}

static void remove_message(uint32_t which)
{
	queued--;
	memmove(&queue[which], &queue[which + 1], (queued - which) * sizeof(queue[0]));
}

/* A slot that is taken gets the flag that makes the guest write EOM. */
static void deliver(void)
{
	uint32_t which = next_message(0);
	struct hv_message *to;

	if (which == queued || awaits_eom || !host_synic_is_ready())
		return;
	to = slot();
	if (!to)
		return;
	if (to->type != HV_MESSAGE_NONE) {
		to->flags |= HV_MESSAGE_PENDING;
		awaits_eom = true;
		return;
	}
	awaits_eom = next_message(which + 1) < queued;
	memset(to, 0, sizeof(*to));
	memcpy(to->payload, queue[which].payload, queue[which].bytes);
	to->size = (uint8_t)queue[which].bytes;
	to->flags = awaits_eom ? HV_MESSAGE_PENDING : 0;
	to->type = HV_MESSAGE_CHANNEL;
	remove_message(which);
	interrupt();
}

static void put(enum hyperv_kind kind, const void *message, uint32_t bytes)
{
	struct message *last;

	if (queued == QUEUE_MESSAGES) {
		seen()->lost++;
		return;
	}
	last = &queue[queued++];
	last->kind = kind;
	last->bytes = bytes;
	memcpy(last->payload, message, bytes);
	seen()->told[kind]++;
}

/* Which bytes of a message say whose it is; 0: none do. */
static uint32_t number_offset(enum hyperv_kind kind)
{
	switch (kind) {
	case HYPERV_OFFER:
		return offsetof(struct vmbus_offer, relid);
	case HYPERV_RESCIND:
		return offsetof(struct vmbus_relid, relid);
	case HYPERV_GPADL_CREATED:
		return offsetof(struct vmbus_gpadl_created, gpadl);
	case HYPERV_OPEN_RESULT:
		return offsetof(struct vmbus_open_result, open_id);
	case HYPERV_GPADL_TORNDOWN:
		return offsetof(struct vmbus_gpadl_torndown, gpadl);
	default:
		return 0;
	}
}

#define UNKNOWN_TYPE 0x7777
#define FOREIGN_BITS UINT32_C(0x5a5a0000)

static void change_word(uint8_t *message, uint32_t bytes, uint32_t offset, uint32_t bits)
{
	uint32_t word;

	if (offset + sizeof(word) > bytes)
		return;
	memcpy(&word, message + offset, sizeof(word));
	word ^= bits;
	memcpy(message + offset, &word, sizeof(word));
}

void host_synic_tell(enum hyperv_kind kind, const void *message, uint32_t bytes)
{
	uint8_t said[HV_MESSAGE_PAYLOAD];
	uint32_t offset = number_offset(kind);

	if (bytes > sizeof(said))
		bytes = sizeof(said);
	memcpy(said, message, bytes);
	if (is_in(lie()->unknown, kind))
		change_word(said, bytes, 0, UNKNOWN_TYPE);
	if (is_in(lie()->foreign, kind) && offset > 0)
		change_word(said, bytes, offset, FOREIGN_BITS);
	if (is_in(lie()->cut, kind) && lie()->cut_bytes < bytes)
		bytes = lie()->cut_bytes;
	put(kind, said, bytes);
	if (is_in(lie()->twice, kind))
		put(kind, said, bytes);
}

static void end_of_message(void)
{
	seen()->eoms++;
	if (!awaits_eom)
		seen()->eoms_unasked++;
	if (lie()->no_eom)
		eom_was_written = true;
	else
		awaits_eom = false;
}

/* ---- Events ---- */

void host_synic_signal(uint32_t relid)
{
	struct hv_event_page *page = page_at(event_page);

	if (!page || relid >= sizeof(page->flags[0]) * 8)
		return;
	page->flags[VMBUS_SINT][relid / 64] |= UINT64_C(1) << relid % 64;
	seen()->events++;
	interrupt();
}

void host_synic_work(void)
{
	if (eom_was_written && !lie()->no_eom)
		eom_was_written = awaits_eom = false;
	deliver();
	for (uint32_t i = 0; i < lie()->storm; i++)
		interrupt();
}

/* ---- MSRs ---- */

bool host_synic_msr_read(uint32_t msr, uint64_t *value)
{
	switch (msr) {
	case HV_MSR_SCONTROL:
		*value = control;
		return true;
	case HV_MSR_SVERSION:
		*value = 1;
		return true;
	case HV_MSR_SIEFP:
		*value = event_page;
		return true;
	case HV_MSR_SIMP:
		*value = message_page;
		return true;
	case HV_MSR_EOM:
		*value = 0;
		return true;
	default:
		if (msr < HV_MSR_SINT0 || msr >= HV_MSR_SINT0 + HV_SINT_COUNT)
			return false;
		*value = sint[msr - HV_MSR_SINT0];
		return true;
	}
}

/* A source whose vector cannot be one is refused, unless it is masked. */
static bool set_sint(uint32_t which, uint64_t value)
{
	if (!(value & HV_SINT_MASKED) && (value & HV_SINT_VECTOR_MASK) < HV_SINT_VECTOR_MIN) {
		machine_violate("a SINT with a vector below 16");
		return false;
	}
	sint[which] = value;
	return true;
}

bool host_synic_msr_write(uint32_t msr, uint64_t value)
{
	switch (msr) {
	case HV_MSR_SCONTROL:
		control = value;
		return true;
	case HV_MSR_SIEFP:
		set_page(&event_page, value);
		return true;
	case HV_MSR_SIMP:
		set_page(&message_page, value);
		return true;
	case HV_MSR_EOM:
		end_of_message();
		return true;
	default:
		if (msr < HV_MSR_SINT0 || msr >= HV_MSR_SINT0 + HV_SINT_COUNT)
			return false;
		return set_sint(msr - HV_MSR_SINT0, value);
	}
}
