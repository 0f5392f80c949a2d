/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of drivers/xen/xen.c: what reaches a simulated Xen, and what comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "drivers/xen/xen.h"
#include "kernel/lib/types.h"
#include "tests/sim/sim_xen.h"

#define FIRST 0x100
#define FRAMES 0x1000

static uint32_t notified_port;
static uint32_t end_reason;

static void *memory(uint64_t address, uint64_t size)
{
	(void)size;
	return (void *)(uintptr_t)address;
}

static void notified(uint32_t port)
{
	notified_port = port;
}

static void end(uint32_t reason)
{
	end_reason = reason;
}

static int begin(void **state)
{
	(void)state;
	sim_xen_begin(FIRST, FRAMES);
	sim_xen.absent = false;
	sim_xen.no_console = false;
	sim_xen.guest =
		(struct sim_xen_guest){ .memory = memory, .notified = notified, .end = end };
	return 0;
}

static void a_version_is_three_numbers(void **state)
{
	char text[XEN_VERSION_TEXT_MAX] = "";

	(void)state;
	assert_int_equal(xen_get_version(text), 0);
	assert_string_equal(text, "4.17.0-sim");
	sim_xen.absent = true;
	assert_int_equal(xen_get_version(text), -EIO);
}

static void parameters_are_read_and_set(void **state)
{
	(void)state;
	sim_xen.param[XEN_PARAM_STORE_PFN] = 0xfeffc;
	assert_int_equal(xen_param(XEN_PARAM_STORE_PFN), 0xfeffc);
	assert_int_equal(xen_set_param(XEN_PARAM_CALLBACK_IRQ, 1), 0);
	assert_int_equal(sim_xen.param[XEN_PARAM_CALLBACK_IRQ], 1);
	assert_int_equal(xen_set_param(SIM_XEN_PARAMS, 1), -EIO);
	assert_int_equal(xen_param(SIM_XEN_PARAMS), 0);
}

static void events_and_the_end_reach_xen(void **state)
{
	(void)state;
	xen_notify(18);
	assert_int_equal(notified_port, 18);
	xen_shut_down(XEN_SHUTDOWN_CRASH);
	assert_int_equal(end_reason, 3);
	xen_yield();
}

static void extents_go_and_come(void **state)
{
	static const pfn_t blocks[] = { 0x200, 0x600, 0x601 };
	long before = xen_current_frames();

	(void)state;
	assert_int_equal(before, FRAMES);
	assert_int_equal(xen_maximum_frames(), FRAMES + SIM_XEN_SLACK_FRAMES);
	assert_int_equal(xen_change_reservation(XEN_MEMORY_DECREASE_RESERVATION, blocks, 2, 9), 2);
	assert_int_equal(xen_current_frames(), before - 1024);
	assert_false(sim_xen_is_guests(0x7ff));
	assert_int_equal(xen_change_reservation(XEN_MEMORY_POPULATE_PHYSMAP, &blocks[1], 2, 0), 2);
	assert_int_equal(xen_current_frames(), before - 1022);
	assert_true(sim_xen_is_guests(0x601));
	assert_false(sim_xen_is_guests(0x602));
	assert_null(sim_xen.violation);
}

static void a_frame_is_there_if_xen_says_so(void **state)
{
	static const pfn_t given = 0x300;

	(void)state;
	assert_int_equal(xen_change_reservation(XEN_MEMORY_DECREASE_RESERVATION, &given, 1, 0), 1);
	assert_true(xen_frame_is_there(0x2ff));
	assert_false(xen_frame_is_there(0x300));
	assert_true(xen_frame_is_there(0x301));
	assert_false(xen_frame_is_there(FIRST + FRAMES));
	sim_xen.faults.no_mem_type = true;
	assert_false(xen_frame_is_there(0x301));
}

static void a_refusal_is_xens_number(void **state)
{
	static const pfn_t frame = 0x200;

	(void)state;
	sim_xen.faults.no_memory_op[true] = true;
	assert_int_equal(xen_change_reservation(XEN_MEMORY_POPULATE_PHYSMAP, &frame, 1, 0),
			 -XEN_ENOSYS);
	sim_xen.absent = true;
	assert_int_equal(xen_current_frames(), -XEN_ENOSYS);
	assert_int_equal(xen_param(XEN_PARAM_STORE_PFN), 0);
	assert_int_equal(xen_share_page(0x200), -EIO);
	assert_int_equal(xen_set_upcall_vector(64), -EIO);
	assert_int_equal(xen_write_console("x", 1), -EIO);
}

static void text_is_shown_if_the_domain_may(void **state)
{
	(void)state;
	assert_int_equal(xen_write_console("two words", 3), 0);
	assert_int_equal(sim_xen.text_length, 3);
	assert_memory_equal(sim_xen.text, "two", 3);
	sim_xen.no_console = true;
	assert_int_equal(xen_write_console("x", 1), -EIO);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_version_is_three_numbers),      TEST(parameters_are_read_and_set),
		TEST(events_and_the_end_reach_xen),    TEST(extents_go_and_come),
		TEST(a_frame_is_there_if_xen_says_so), TEST(a_refusal_is_xens_number),
		TEST(text_is_shown_if_the_domain_may),
	};

	return cmocka_run_group_tests_name("xen", tests, NULL, NULL);
}
