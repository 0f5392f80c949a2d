/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/hyperv/synic.c: the host's side of its two pages is played by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "drivers/hyperv/synic.h"
#include "tests/sim/sim_frame.h"
#include "tests/sim/sim_irq.h"
#include "tests/sim/sim_time.h"
#include "tests/unit/drivers/hyperv/hyperv_fixture.h"

#define SINT 2

static struct wait_queue waiters;
static struct synic_counts before;

static int set_up(void **state)
{
	(void)state;
	fake_hyperv_reset();
	sim_frame_reset();
	sim_irq_reset();
	sim_time_reset();
	synic_get_counts(&before);
	return 0;
}

static void start(void)
{
	assert_int_equal(synic_start(SINT, &waiters), 0);
}

/* ---- The host ---- */

static void *page(uint32_t msr)
{
	return (void *)(uintptr_t)(fake_hyperv_msr(msr) & HV_MSR_FRAME);
}

static struct hv_message *slot(unsigned sint)
{
	return &((struct hv_message_page *)page(HV_MSR_SIMP))->slot[sint];
}

static uint64_t *events(unsigned sint)
{
	return ((struct hv_event_page *)page(HV_MSR_SIEFP))->flags[sint];
}

static void set_event(uint32_t event)
{
	events(SINT)[event / 64] |= UINT64_C(1) << event % 64;
}

static void fill_slot(unsigned sint, uint8_t flags)
{
	*slot(sint) = (struct hv_message){
		.type = HV_MESSAGE_CHANNEL, .size = 3, .flags = flags, .payload = { 1, 2, 3 }
	};
}

static void interrupt(void)
{
	uint64_t flags = irq_save();

	sim_irq_send(SIM_IRQ_ADDRESS, (uint32_t)fake_hyperv_msr(HV_MSR_SINT0 + SINT));
	irq_restore(flags);
}

/* ---- Listeners ---- */

static unsigned heard[3];

static void hear(struct synic_listener *listener);

static struct synic_listener listeners[] = {
	{ .event = 0, .handle = hear },
	{ .event = SYNIC_EVENTS - 1, .handle = hear },
	{ .event = SYNIC_EVENTS - 1, .handle = hear },
};

static void hear(struct synic_listener *listener)
{
	assert_true(fake_irqs_off);
	heard[listener - listeners]++;
}

static bool listening; /* all of them */

static void listen_all(void)
{
	listening = true;
	memset(heard, 0, sizeof(heard));
	for (size_t i = 0; i < ARRAY_SIZE(listeners); i++)
		synic_listen(&listeners[i]);
}

static void unlisten_all(void)
{
	listening = false;
	for (size_t i = 0; i < ARRAY_SIZE(listeners); i++)
		synic_unlisten(&listeners[i]);
}

static int tear_down(void **state)
{
	(void)state;
	/* However the test has ended. */
	if (listening)
		unlisten_all();
	synic_stop();
	assert_null(sim_irq_violation);
	assert_int_equal(sim_irq_messages(), 0);
	assert_int_equal(sim_frame_in_use(), 0);
	assert_int_equal(fake_irqs_off, 0);
	return 0;
}

static void expect_heard(unsigned first, unsigned second, unsigned third)
{
	assert_int_equal(heard[0], first);
	assert_int_equal(heard[1], second);
	assert_int_equal(heard[2], third);
}

/* ---- The start, and the end ---- */

static void all_is_told_before_it_is_enabled(void **state)
{
	struct synic_counts counts;

	(void)state;
	start();
	assert_int_equal(sim_frame_in_use(), 2);
	assert_int_equal(sim_irq_messages(), 1);
	assert_int_equal(fake_hyperv_msr(HV_MSR_SIMP) & (FRAME_SIZE - 1), HV_MSR_ENABLE);
	assert_int_equal(fake_hyperv_msr(HV_MSR_SIEFP) & (FRAME_SIZE - 1), HV_MSR_ENABLE);
	assert_ptr_not_equal(page(HV_MSR_SIMP), page(HV_MSR_SIEFP));
	assert_int_equal(fake_hyperv_msr(HV_MSR_SINT0 + SINT), SIM_IRQ_FIRST_VECTOR);
	assert_int_equal(fake_hyperv.writes[fake_hyperv.write_count - 1].msr, HV_MSR_SCONTROL);
	assert_int_equal(fake_hyperv_msr(HV_MSR_SCONTROL), HV_MSR_ENABLE);
	synic_get_counts(&counts);
	assert_int_equal(counts.vector, SIM_IRQ_FIRST_VECTOR);
	/* What lay in the frames is no message, and no event. */
	assert_false(synic_has_message());
	synic_look();
	synic_get_counts(&counts);
	assert_int_equal(counts.events, before.events);
}

static void expect_no_start(int err)
{
	assert_int_equal(synic_start(SINT, &waiters), err);
	assert_int_equal(sim_frame_in_use(), 0);
	assert_int_equal(sim_irq_messages(), 0);
	assert_int_equal(fake_hyperv.write_count, 0);
	assert_false(synic_has_message());
}

static void a_guest_that_may_not_does_not(void **state)
{
	(void)state;
	fake_hyperv.cpuid.access_low &= ~HV_ACCESS_SYNIC;
	expect_no_start(-ENODEV);
	fake_hyperv.cpuid.access_low = UINT32_MAX;
	fake_hyperv.there = false;
	expect_no_start(-ENODEV);
}

static void without_a_vector_nothing_is_kept(void **state)
{
	(void)state;
	sim_irq_messages_left = 0;
	expect_no_start(-ENOSPC);
	sim_irq_messages_left = 1;
	start();
}

static void without_memory_nothing_is_kept(void **state)
{
	(void)state;
	sim_frame_fail(true);
	expect_no_start(-ENOMEM);
	sim_frame_fail(false);
	start();
}

static void before_the_start_nothing_comes(void **state)
{
	struct hv_message message;

	(void)state;
	assert_false(synic_has_message());
	assert_false(synic_take_message(&message));
	synic_look();
	synic_stop();
	assert_int_equal(fake_hyperv.write_count, 0);
}

static void the_end_leaves_the_host_no_page(void **state)
{
	(void)state;
	start();
	synic_stop();
	assert_int_equal(fake_hyperv_msr(HV_MSR_SINT0 + SINT), HV_SINT_MASKED | HV_SINT_VECTOR_MIN);
	assert_int_equal(fake_hyperv_msr(HV_MSR_SIMP), 0);
	assert_int_equal(fake_hyperv_msr(HV_MSR_SIEFP), 0);
	assert_int_equal(fake_hyperv_msr(HV_MSR_SCONTROL), 0);
	assert_int_equal(sim_frame_in_use(), 0);
	assert_int_equal(sim_irq_messages(), 0);
	assert_false(synic_has_message());
}

/* Each MSR has what it had, but for what has a meaning. */
static void expect_reserved_bits(uint64_t expected)
{
	static const struct {
		uint32_t msr;
		uint64_t reserved;
	} msrs[] = {
		{ HV_MSR_SCONTROL, ~UINT64_C(1) },
		{ HV_MSR_SIMP, 0xffe },
		{ HV_MSR_SIEFP, 0xffe },
		{ HV_MSR_SINT0 + SINT, ~UINT64_C(0x700ff) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(msrs); i++)
		assert_true((fake_hyperv_msr(msrs[i].msr) & msrs[i].reserved) ==
			    (expected & msrs[i].reserved));
}

/* As firmware may have left them, or as a newer host has them. */
static void what_is_reserved_stays_as_the_host_had_it(void **state)
{
	static const uint64_t values[] = { UINT64_MAX, UINT64_C(0xa5a5a5a5a5a5a5a5), 0 };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		uint64_t source;

		set_up(state);
		fake_hyperv.msr_before = values[i];
		start();
		expect_reserved_bits(values[i]);
		source = fake_hyperv_msr(HV_MSR_SINT0 + SINT);
		assert_int_equal(source & UINT64_C(0x700ff), SIM_IRQ_FIRST_VECTOR);
		assert_int_equal(sim_frame_in_use(), 2);
		fill_slot(SINT, 0);
		assert_true(synic_has_message());
		synic_stop();
		expect_reserved_bits(values[i]);
		assert_int_equal(fake_hyperv_msr(HV_MSR_SIMP) & ~UINT64_C(0xffe), 0);
		assert_int_equal(fake_hyperv_msr(HV_MSR_SIEFP) & ~UINT64_C(0xffe), 0);
		assert_int_equal(fake_hyperv_msr(HV_MSR_SCONTROL) & 1, 0);
	}
}

/* ---- Messages ---- */

static bool has_written_eom(void)
{
	return fake_hyperv.writes[fake_hyperv.write_count - 1].msr == HV_MSR_EOM;
}

static void a_message_is_taken_once(void **state)
{
	struct synic_counts counts;
	struct hv_message message;

	(void)state;
	start();
	fill_slot(SINT, 0);
	assert_true(synic_has_message());
	assert_true(synic_take_message(&message));
	assert_int_equal(message.type, HV_MESSAGE_CHANNEL);
	assert_int_equal(message.size, 3);
	assert_int_equal(message.payload[2], 3);
	assert_int_equal(slot(SINT)->type, HV_MESSAGE_NONE);
	assert_false(synic_has_message());
	assert_false(synic_take_message(&message));
	synic_get_counts(&counts);
	assert_int_equal(counts.messages, before.messages + 1);
}

static void the_host_is_told_of_room_when_a_message_waits_for_it(void **state)
{
	struct hv_message message;

	(void)state;
	start();
	fill_slot(SINT, 0);
	assert_true(synic_take_message(&message));
	assert_false(has_written_eom());
	fill_slot(SINT, HV_MESSAGE_PENDING);
	assert_true(synic_take_message(&message));
	assert_true(has_written_eom());
}

static void slots_of_other_sources_are_left_alone(void **state)
{
	struct hv_message message;

	(void)state;
	start();
	fill_slot(SINT - 1, 0);
	fill_slot(SINT + 1, 0);
	assert_false(synic_take_message(&message));
	assert_int_equal(slot(SINT + 1)->type, HV_MESSAGE_CHANNEL);
}

/* ---- Events ---- */

static void an_event_reaches_all_who_listen_to_it(void **state)
{
	struct synic_counts counts;

	(void)state;
	start();
	listen_all();
	set_event(0);
	set_event(1);
	set_event(SYNIC_EVENTS - 1);
	interrupt();
	expect_heard(1, 1, 1);
	synic_get_counts(&counts);
	assert_int_equal(counts.events, before.events + 3);
	assert_int_equal(counts.unclaimed, before.unclaimed + 1);
	/* None is heard of twice. */
	interrupt();
	expect_heard(1, 1, 1);
}

static void events_are_found_without_an_interrupt(void **state)
{
	(void)state;
	start();
	listen_all();
	set_event(SYNIC_EVENTS - 1);
	synic_look();
	expect_heard(0, 1, 1);
}

static void events_of_other_sources_are_left_alone(void **state)
{
	(void)state;
	start();
	listen_all();
	events(SINT + 1)[0] = UINT64_MAX;
	interrupt();
	expect_heard(0, 0, 0);
	assert_true(events(SINT + 1)[0] == UINT64_MAX);
}

static void whoever_has_left_hears_nothing(void **state)
{
	(void)state;
	start();
	listen_all();
	synic_unlisten(&listeners[1]);
	set_event(0);
	set_event(SYNIC_EVENTS - 1);
	interrupt();
	expect_heard(1, 0, 1);
	synic_listen(&listeners[1]);
}

static void each_interrupt_wakes_whoever_waits(void **state)
{
	struct synic_counts counts;

	(void)state;
	start();
	interrupt();
	interrupt();
	assert_int_equal(sim_time_wakes, 2);
	synic_get_counts(&counts);
	assert_int_equal(counts.interrupts, before.interrupts + 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(all_is_told_before_it_is_enabled),
		TEST(a_guest_that_may_not_does_not),
		TEST(without_a_vector_nothing_is_kept),
		TEST(without_memory_nothing_is_kept),
		TEST(before_the_start_nothing_comes),
		TEST(the_end_leaves_the_host_no_page),
		TEST(what_is_reserved_stays_as_the_host_had_it),
		TEST(a_message_is_taken_once),
		TEST(the_host_is_told_of_room_when_a_message_waits_for_it),
		TEST(slots_of_other_sources_are_left_alone),
		TEST(an_event_reaches_all_who_listen_to_it),
		TEST(events_are_found_without_an_interrupt),
		TEST(events_of_other_sources_are_left_alone),
		TEST(whoever_has_left_hears_nothing),
		TEST(each_interrupt_wakes_whoever_waits),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
