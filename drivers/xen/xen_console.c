/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counts that are ours are kept here, and only written to the page: what the other end makes
 * of them there is not read back. Nothing here waits without a bound.
 */
#include "drivers/xen/xen_console.h"

#include <assert.h>

#include "arch/barrier.h"
#include "arch/clock.h"
#include "arch/irq.h"
#include "arch/phys_map.h"
#include "drivers/xen/xen.h"
#include "drivers/xen/xen_events.h"
#include "kernel/task/task.h"

/* What lies above is not mapped before memory is known. */
#define PAGE_END (UINT64_C(1) << (32 - FRAME_SHIFT))

/*
 * How long to wait for a reader who takes nothing: with interrupts off, and in a task or at the
 * end; how long in all, if he takes little and the processor is kept meanwhile; and how often to
 * look while the clock still stands at 0.
 */
#define POLL_NS (250 * NS_PER_MS)
#define STALL_NS NS_PER_S
#define KEPT_NS (2 * NS_PER_S)
#define LOOKS_WITHOUT_CLOCK 20000

static struct xen_console_ring *ring; /* NULL: none */
static bool by_hypercall;	      /* Xen's own, instead */
static uint32_t port;
static uint32_t out_prod, in_cons;
static bool started; /* events come */
static struct xen_console_counts counts;
static xen_console_input *take_input;
static struct wait_queue writers;

/* Nothing was read until a bound passed: do not wait until something is. */
static bool stalled;
static uint32_t stalled_at; /* the reader's count then */

/* ---- Output ---- */

static uint32_t out_used(void)
{
	uint32_t used = out_prod - ring->out_cons;

	if (used <= XEN_CONSOLE_OUT_SIZE)
		return used;
	counts.nonsense++;
	return 0;
}

/* Moves what fits into the ring; returns how much. */
static size_t put(const char *text, size_t length)
{
	size_t n = min_u64(length, XEN_CONSOLE_OUT_SIZE - out_used());

	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		ring->out[out_prod++ % XEN_CONSOLE_OUT_SIZE] = text[i];
	/* The bytes are there before the count says so. */
	dma_store_barrier();
	ring->out_prod = out_prod;
	counts.sent += n;
	xen_notify(port);
	return n;
}

/* Whether the bound has passed since something was read, or since `looks` ago. */
static bool is_over(uint64_t start_awake, uint64_t bound_ns, unsigned looks)
{
	uint64_t now_awake = clock_awake_ns();

	return now_awake > 0 ? now_awake - start_awake >= bound_ns : looks >= LOOKS_WITHOUT_CLOCK;
}

static bool is_stalled(void)
{
	stalled = stalled && ring->out_cons == stalled_at;
	return stalled;
}

/* Whether the reader has gone on from `*cons`. A count that goes back, or too far, is none. */
static bool has_read(uint32_t *cons)
{
	uint32_t now = ring->out_cons;

	if (now == *cons || now - *cons > XEN_CONSOLE_OUT_SIZE)
		return false;
	*cons = now;
	return true;
}

/*
 * Waits until no more than `used` bytes are unread; false: a bound passed before. `begun_awake`:
 * since when the processor is kept.
 */
static bool wait_until_read(uint32_t used, uint64_t begun_awake, uint64_t bound_ns, bool sleeps)
{
	uint64_t start_awake = clock_awake_ns();
	uint32_t cons = ring->out_cons;
	unsigned looks = 0;

	while (out_used() > used) {
		if (has_read(&cons)) {
			start_awake = clock_awake_ns();
			looks = 0;
		}
		if (is_stalled() || is_over(start_awake, bound_ns, looks) ||
		    (!sleeps && is_over(begun_awake, KEPT_NS, looks))) {
			stalled = true;
			stalled_at = cons;
			return false;
		}
		looks++;
		if (sleeps)
			task_wait(&writers, clock_ns() + CLOCK_AWAKE_LOOK_NS);
		else
			xen_yield();
	}
	return true;
}

/* With interrupts off. */
static void write_ring(const char *text, size_t length, bool sleeps)
{
	uint64_t begun_awake = clock_awake_ns();

	while (length > 0) {
		size_t n = put(text, length);

		text += n;
		length -= n;
		if (length > 0 && !wait_until_read(XEN_CONSOLE_OUT_SIZE - 1, begun_awake,
						   sleeps ? STALL_NS : POLL_NS, sleeps)) {
			counts.sent_dropped += length;
			return;
		}
	}
}

void xen_console_write(const char *text, size_t length, bool may_sleep)
{
	uint64_t flags;

	assert(text || length == 0);
	if (!ring && !by_hypercall)
		return;
	flags = irq_save();
	if (ring)
		write_ring(text, length, may_sleep && started && irq_flags_enabled(flags));
	else if (xen_write_console(text, length))
		counts.sent_dropped += length;
	else
		counts.sent += length;
	irq_restore(flags);
}

void xen_console_flush(void)
{
	uint64_t flags = irq_save();

	if (ring)
		wait_until_read(0, clock_awake_ns(), STALL_NS, false);
	irq_restore(flags);
}

/* ---- Input ---- */

static void receive(void)
{
	uint32_t prod = ring->in_prod;

	if (prod == in_cons)
		return;
	if (prod - in_cons > XEN_CONSOLE_IN_SIZE) {
		counts.nonsense++;
		in_cons = prod;
	}
	/* The count is read before the bytes. */
	dma_load_barrier();
	for (; in_cons != prod; counts.received++)
		take_input((uint8_t)ring->in[in_cons++ % XEN_CONSOLE_IN_SIZE]);
	/* And the bytes before their place is given back. */
	dma_full_barrier();
	ring->in_cons = in_cons;
	xen_notify(port);
}

static void handle_event(struct xen_event_handler *handler)
{
	(void)handler;
	receive();
	task_wake(&writers);
}

static struct xen_event_handler event_handler = { .handle = handle_event };

void xen_console_start(xen_console_input *input)
{
	uint64_t flags;

	assert(input && !started);
	if (!ring)
		return;
	take_input = input;
	event_handler.port = port;
	xen_events_listen(&event_handler);
	flags = irq_save();
	started = true;
	/* What was typed before. */
	receive();
	irq_restore(flags);
}

/* ---- The start ---- */

/* Finds the ring; false: there is none, or it lies where no ring can. */
static bool find_ring(void)
{
	uint64_t pfn = xen_param(XEN_PARAM_CONSOLE_PFN), event = xen_param(XEN_PARAM_CONSOLE_PORT);

	if (pfn == 0 || pfn >= PAGE_END || event == 0 || event >= XEN_EVENT_PORTS)
		return false;
	ring = phys_to_virt(pfn_to_paddr(pfn));
	port = (uint32_t)event;
	out_prod = ring->out_prod;
	in_cons = ring->in_cons;
	return true;
}

bool xen_console_init(void)
{
	ring = NULL;
	by_hypercall = xen_is_there() && !find_ring() && !xen_write_console("", 0);
	return ring || by_hypercall;
}

const char *xen_console_name(void)
{
	if (ring)
		return "Xen's console";
	return by_hypercall ? "the hypervisor's console, which takes no input" : NULL;
}

bool xen_console_has_input(void)
{
	return ring;
}

void xen_console_get_counts(struct xen_console_counts *result)
{
	uint64_t flags = irq_save();

	*result = counts;
	irq_restore(flags);
}
