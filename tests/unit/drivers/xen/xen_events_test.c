/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/xen/xen_events.c on a simulated Xen, in the order of a guest's life. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "arch/irq.h"
#include "drivers/xen/xen_events.h"
#include "tests/sim/sim_irq.h"
#include "tests/sim/sim_xen.h"

/* A listener that counts. */
struct ear {
	struct xen_event_handler handler;
	unsigned heard;
	uint32_t raises; /* another event, while it is called; 0: none */
};

static struct xen_shared_info *shared(void)
{
	return (struct xen_shared_info *)(uintptr_t)(sim_xen.shared_info * FRAME_SIZE);
}

static void hear(struct xen_event_handler *handler)
{
	struct ear *ear = (struct ear *)handler;
	uint32_t raises = ear->raises;

	assert_true(fake_irqs_off);
	ear->heard++;
	ear->raises = 0;
	if (raises)
		sim_xen_raise(raises);
}

static bool interrupted; /* an upcall came while interrupts were off: it is to come */

static void take_interrupt(uint8_t vector)
{
	if (fake_irqs_off) {
		interrupted = true;
		return;
	}
	irq_disable();
	do {
		interrupted = false;
		sim_irq_send(SIM_IRQ_ADDRESS, vector);
	} while (interrupted);
	irq_enable();
}

static void *memory(uint64_t address, uint64_t size)
{
	(void)size;
	return (void *)(uintptr_t)address;
}

static struct xen_event_counts counts(void)
{
	struct xen_event_counts result;

	xen_events_get_counts(&result);
	assert_false(fake_irqs_off);
	return result;
}

static struct ear store, console, second, late, far, early;

static void start(void)
{
	sim_xen_begin(0x100, 0x1000);
	sim_xen.guest = (struct sim_xen_guest){ .memory = memory, .interrupt = take_interrupt };
	sim_irq_reset();
}

static void listen(struct ear *ear, uint32_t port)
{
	*ear = (struct ear){ .handler = { .handle = hear, .port = port } };
	xen_events_listen(&ear->handler);
	assert_false(fake_irqs_off);
}

static void what_is_missing_is_an_error(void **state)
{
	(void)state;
	start();
	sim_irq_messages_left = 0;
	assert_int_equal(xen_events_start(), -ENOSPC);
	sim_irq_messages_left = SIM_IRQ_MESSAGES;
	sim_xen.absent = true;
	assert_int_equal(xen_events_start(), -EIO);
	/* The vector is another's again. */
	assert_int_equal(sim_irq_messages(), 0);
	assert_null(sim_irq_violation);
}

static void all_ports_are_masked_until_somebody_listens(void **state)
{
	(void)state;
	start();
	assert_int_equal(xen_events_start(), 0);
	assert_int_equal(sim_xen.vector, SIM_IRQ_FIRST_VECTOR);
	for (uint32_t port = 1; port < XEN_EVENT_PORTS; port += 7)
		sim_xen_raise(port);
	assert_int_equal(counts().upcalls, 0);
	memset((void *)shared()->pending, 0, sizeof(shared()->pending));
}

/* Xen has set bits without a vector to interrupt by, and sets none of them twice. */
static void what_came_before_the_vector_keeps_nothing_back(void **state)
{
	uint64_t upcalls = counts().upcalls;

	(void)state;
	start();
	sim_xen.early = 1 << 1 | 1 << 5;
	assert_int_equal(xen_events_start(), 0);
	listen(&early, 5);
	assert_int_equal(early.heard, 1);
	sim_xen_raise(5);
	assert_int_equal(early.heard, 2);
	assert_int_equal(counts().upcalls - upcalls, 1);
}

static void what_came_before_is_heard_once_on_listening(void **state)
{
	(void)state;
	sim_xen_raise(1);
	sim_xen_raise(1);
	listen(&store, 1);
	assert_int_equal(store.heard, 1);
	listen(&console, 2);
	assert_int_equal(console.heard, 0);
	assert_int_equal(counts().upcalls, 0);
	assert_int_equal(counts().events, 1);
}

static void an_event_is_heard_by_its_listener_alone(void **state)
{
	(void)state;
	store.heard = console.heard = 0;
	sim_xen_raise(2);
	assert_int_equal(console.heard, 1);
	assert_int_equal(store.heard, 0);
	sim_xen_raise(1);
	assert_int_equal(store.heard, 1);
	assert_int_equal(counts().upcalls, 2);
	assert_int_equal(shared()->pending[0], 0);
	assert_int_equal(shared()->vcpu[0].words, 0);
	assert_int_equal(shared()->vcpu[0].pending, 0);
}

/* Its word is looked at for another's sake, and its bit stays. */
static void what_nobody_listens_to_yet_is_kept(void **state)
{
	(void)state;
	console.heard = 0;
	sim_xen_raise(63);
	sim_xen_raise(2);
	assert_int_equal(console.heard, 1);
	listen(&late, 63);
	assert_int_equal(late.heard, 1);
}

static void several_may_listen_to_one_port(void **state)
{
	(void)state;
	console.heard = 0;
	listen(&second, 2);
	sim_xen_raise(2);
	assert_int_equal(console.heard, 1);
	assert_int_equal(second.heard, 1);
}

static void the_highest_port_is_heard(void **state)
{
	(void)state;
	listen(&far, XEN_EVENT_PORTS - 1);
	sim_xen_raise(XEN_EVENT_PORTS - 1);
	assert_int_equal(far.heard, 1);
	sim_xen_raise(XEN_EVENT_PORTS - 65);
	assert_int_equal(far.heard, 1);
}

/* Xen sets the bits while those of before are looked at: it interrupts again. */
static void an_event_in_the_middle_of_an_upcall_is_not_lost(void **state)
{
	uint64_t upcalls = counts().upcalls;

	(void)state;
	store.heard = console.heard = 0;
	console.raises = 1;
	sim_xen_raise(2);
	assert_int_equal(console.heard, 1);
	assert_int_equal(store.heard, 1);
	assert_true(counts().upcalls - upcalls <= 2);
	/* The same port. */
	console.raises = 2;
	sim_xen_raise(2);
	assert_int_equal(console.heard, 3);
}

static void many_in_one_upcall_are_all_heard(void **state)
{
	uint64_t events = counts().events;

	(void)state;
	store.heard = console.heard = far.heard = 0;
	irq_disable();
	sim_xen_raise(1);
	sim_xen_raise(2);
	sim_xen_raise(XEN_EVENT_PORTS - 1);
	irq_enable();
	take_interrupt(sim_xen.vector);
	assert_int_equal(store.heard, 1);
	assert_int_equal(console.heard, 1);
	assert_int_equal(far.heard, 1);
	assert_int_equal(counts().events - events, 3);
}

/* Thousands of them, all bits set, for nobody: each costs one look, and touches no listener. */
static void a_xen_of_nonsense_is_counted(void **state)
{
	uint64_t unclaimed = counts().unclaimed;

	(void)state;
	store.heard = 0;
	for (unsigned i = 0; i < 1000; i++)
		take_interrupt(sim_xen.vector);
	assert_int_equal(counts().unclaimed - unclaimed, 1000);
	assert_int_equal(store.heard, 0);
	memset((void *)shared()->mask, 0, sizeof(shared()->mask));
	memset((void *)shared()->pending, 0xff, sizeof(shared()->pending));
	shared()->vcpu[0].words = UINT64_MAX;
	take_interrupt(sim_xen.vector);
	assert_int_equal(store.heard, 1);
	assert_int_equal(counts().unclaimed - unclaimed, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_missing_is_an_error),
		cmocka_unit_test(all_ports_are_masked_until_somebody_listens),
		cmocka_unit_test(what_came_before_is_heard_once_on_listening),
		cmocka_unit_test(an_event_is_heard_by_its_listener_alone),
		cmocka_unit_test(what_nobody_listens_to_yet_is_kept),
		cmocka_unit_test(several_may_listen_to_one_port),
		cmocka_unit_test(the_highest_port_is_heard),
		cmocka_unit_test(an_event_in_the_middle_of_an_upcall_is_not_lost),
		cmocka_unit_test(many_in_one_upcall_are_all_heard),
		cmocka_unit_test(a_xen_of_nonsense_is_counted),
		cmocka_unit_test(what_came_before_the_vector_keeps_nothing_back),
	};

	return cmocka_run_group_tests_name("xen_events", tests, NULL, NULL);
}
