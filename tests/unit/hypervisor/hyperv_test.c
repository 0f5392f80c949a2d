/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of tests/hypervisor/hyperv.c: CPUID, MSRs, hypercalls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/unit/hypervisor/hyperv_guest.h"

static struct hyperv_wish *wish(void)
{
	return &hyperv_control()->wish;
}

static struct hyperv_seen *seen(void)
{
	return &hyperv_control()->seen;
}

static struct guest_cpuid leaf(uint32_t number)
{
	struct guest_cpuid out;

	sim_machine_cpuid(0x40000000 + number, &out);
	return out;
}

static uint64_t read_msr(uint32_t msr)
{
	uint64_t value = ~UINT64_C(0);

	assert_true(sim_machine_msr_read(msr, &value));
	return value;
}

static void write_msr(uint32_t msr, uint64_t value)
{
	assert_true(sim_machine_msr_write(msr, value));
}

static bool is_there(uint32_t msr)
{
	uint64_t value;

	return sim_machine_msr_read(msr, &value);
}

static void cpuid_has_what_a_guest_looks_for(void **state)
{
	struct guest_cpuid range = leaf(HV_LEAF_RANGE), features = leaf(HV_LEAF_FEATURES);
	char signature[13] = "";

	(void)state;
	memcpy(signature, &range.ebx, 4);
	memcpy(signature + 4, &range.ecx, 4);
	memcpy(signature + 8, &range.edx, 4);
	assert_string_equal(signature, HV_SIGNATURE);
	assert_true(range.eax >= 0x40000000 + HV_LEAF_LIMITS && range.eax <= 0x4000ffff);
	assert_int_equal(leaf(HV_LEAF_INTERFACE).eax, HV_INTERFACE);
	assert_int_equal(leaf(HV_LEAF_VERSION).ebx >> 16, 10);
	assert_true(features.eax & HV_ACCESS_SYNIC);
	assert_true(features.eax & HV_ACCESS_HYPERCALL);
	assert_true(features.eax & HV_ACCESS_VP_INDEX);
	assert_true(features.eax & HV_ACCESS_TSC_INVARIANT);
	assert_true(features.ebx & HV_ACCESS_HIGH_POST_MESSAGES);
	assert_true(features.ebx & HV_ACCESS_HIGH_SIGNAL_EVENTS);
	assert_int_equal(leaf(HV_LEAF_HINTS).eax, 0);
	wish()->no_auto_eoi = 1;
	assert_int_equal(leaf(HV_LEAF_HINTS).eax, HV_HINT_NO_AUTO_EOI);
	assert_int_equal(leaf(0x100).eax, 0);
}

static void what_is_hidden_is_not_there(void **state)
{
	struct guest_cpuid features;
	uint64_t status;

	(void)state;
	guest_enable();
	wish()->hide_low = HV_ACCESS_FREQUENCY | HV_ACCESS_SYNIC | HV_ACCESS_VP_INDEX |
			   HV_ACCESS_REFERENCE_COUNTER | HV_ACCESS_TSC_INVARIANT;
	wish()->hide_high = HV_ACCESS_HIGH_POST_MESSAGES | HV_ACCESS_HIGH_SIGNAL_EVENTS |
			    HV_ACCESS_HIGH_EXTENDED;
	wish()->hide_features = HV_FEATURE_CRASH;
	features = leaf(HV_LEAF_FEATURES);
	assert_int_equal(features.eax, HV_ACCESS_HYPERCALL);
	assert_int_equal(features.ebx, 0);
	assert_int_equal(features.edx, HV_FEATURE_FREQUENCY);
	assert_false(is_there(HV_MSR_TSC_FREQUENCY));
	assert_false(is_there(HV_MSR_APIC_FREQUENCY));
	assert_false(is_there(HV_MSR_SIMP));
	assert_false(is_there(HV_MSR_VP_INDEX));
	assert_false(is_there(HV_MSR_REFERENCE_COUNTER));
	assert_false(is_there(HV_MSR_TSC_INVARIANT));
	assert_false(is_there(HV_MSR_CRASH_P0));
	assert_false(is_there(HV_MSR_CRASH_CONTROL));
	assert_false(sim_machine_msr_write(HV_MSR_SCONTROL, 1));
	assert_false(sim_machine_msr_write(HV_MSR_CRASH_P0, 1));
	assert_false(sim_machine_msr_write(HV_MSR_TSC_INVARIANT, 1));
	status = guest_hypercall(HV_POST_MESSAGE, GUEST_INPUT * FRAME_SIZE, 0);
	assert_int_equal(status, HV_ACCESS_DENIED);
	status = guest_hypercall(HV_SIGNAL_EVENT | HV_CALL_FAST, 1, 0);
	assert_int_equal(status, HV_ACCESS_DENIED);
	status = guest_hypercall(HV_EXT_QUERY_CAPABILITIES, 0, GUEST_INPUT * FRAME_SIZE);
	assert_int_equal(status, HV_INVALID_CODE);
	wish()->hide_low |= HV_ACCESS_HYPERCALL;
	assert_false(sim_machine_msr_write(HV_MSR_HYPERCALL, 0));
	assert_false(sim_machine_msr_write(HV_MSR_GUEST_OS_ID, 1));
}

static void the_hypercall_page_is_a_call_and_a_return(void **state)
{
	static const uint8_t code[] = { 0x0f, 0x01, 0xd9, 0xc3 };
	uint64_t page = GUEST_HYPERCALL_PAGE * FRAME_SIZE;
	struct guest_registers registers = { .rcx = HV_SIGNAL_EVENT | HV_CALL_FAST };

	(void)state;
	assert_false(sim_machine_hypercall(&registers));
	/* A guest without a name has none. */
	write_msr(HV_MSR_HYPERCALL, page | HV_MSR_ENABLE);
	assert_int_equal(read_msr(HV_MSR_HYPERCALL), page);
	assert_false(sim_machine_hypercall(&registers));
	write_msr(HV_MSR_GUEST_OS_ID, 0x8100);
	assert_int_equal(seen()->guest_id, 0x8100);
	write_msr(HV_MSR_HYPERCALL, page | HV_MSR_ENABLE);
	assert_int_equal(read_msr(HV_MSR_HYPERCALL), page | HV_MSR_ENABLE);
	assert_memory_equal(guest_page(GUEST_HYPERCALL_PAGE), code, sizeof(code));
	assert_int_equal(seen()->progress, HYPERV_HYPERCALLS);
	assert_true(sim_machine_hypercall(&registers));
	assert_int_equal(registers.rax, HV_INVALID_CONNECTION);
	write_msr(HV_MSR_GUEST_OS_ID, 0);
	assert_int_equal(read_msr(HV_MSR_HYPERCALL), page);
	assert_int_equal(seen()->progress, HYPERV_NOWHERE);
	assert_null(sim_machine_violation());
}

static void a_hypercall_page_outside_ram_is_a_mistake(void **state)
{
	(void)state;
	write_msr(HV_MSR_GUEST_OS_ID, 1);
	write_msr(HV_MSR_HYPERCALL, UINT64_C(1) << 45 | HV_MSR_ENABLE);
	assert_string_equal(sim_machine_violation(),
			    "the hypercall page lies where the guest has no RAM");
	assert_int_equal(read_msr(HV_MSR_HYPERCALL) & HV_MSR_ENABLE, 0);
}

static void msrs_say_what_time_it_is_and_which_processor(void **state)
{
	(void)state;
	sim_machine_time = 12345;
	assert_int_equal(read_msr(HV_MSR_REFERENCE_COUNTER), 12345);
	assert_int_equal(read_msr(HV_MSR_TSC_FREQUENCY), machine_tsc_khz() * UINT64_C(1000));
	assert_int_equal(read_msr(HV_MSR_APIC_FREQUENCY), 1000000000);
	assert_int_equal(read_msr(HV_MSR_VP_INDEX), 0);
	write_msr(HV_MSR_VP_ASSIST, 0x5001);
	assert_int_equal(read_msr(HV_MSR_VP_ASSIST), 0x5001);
	write_msr(HV_MSR_TSC_INVARIANT, 1);
	assert_int_equal(read_msr(HV_MSR_TSC_INVARIANT), 1);
	assert_false(is_there(HV_MSR_RESET));
	assert_false(sim_machine_msr_write(0x40000400, 0));
}

static void a_crash_is_kept_for_the_test(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		write_msr(HV_MSR_CRASH_P0 + i, 0x100 + i);
	write_msr(HV_MSR_CRASH_CONTROL, UINT64_C(1) << 63);
	assert_int_equal(read_msr(HV_MSR_CRASH_P0 + 4), 0x104);
	assert_int_equal(seen()->crash[0], 0x100);
	assert_int_equal(seen()->crash[4], 0x104);
	assert_int_equal(seen()->crash_control, UINT64_C(1) << 63);
	assert_int_equal(read_msr(HV_MSR_CRASH_CONTROL), UINT64_C(1) << 63);
}

static void calls_that_are_none_are_refused(void **state)
{
	(void)state;
	guest_enable();
	assert_int_equal(guest_hypercall(0x1234, 0, 0), HV_INVALID_CODE);
	assert_int_equal(guest_hypercall(HV_POST_MESSAGE | HV_CALL_FAST, 1, 0), HV_INVALID_INPUT);
	assert_int_equal(guest_hypercall(HV_SIGNAL_EVENT, 1, 0), HV_INVALID_INPUT);
	assert_int_equal(guest_hypercall(HV_EXT_QUERY_CAPABILITIES | HV_CALL_FAST, 1, 0),
			 HV_INVALID_INPUT);
	assert_int_equal(guest_hypercall(HV_EXT_MEMORY_HEAT_HINT | HV_CALL_FAST, 1, 0),
			 HV_INVALID_INPUT);
	assert_int_equal(guest_hypercall(HV_SIGNAL_EVENT | HV_CALL_FAST, UINT64_C(1) << 32, 0),
			 HV_INVALID_PARAMETER);
	assert_null(sim_machine_violation());
}

static void parameters_have_to_be_aligned_in_one_page_and_in_ram(void **state)
{
	static const uint64_t bad[] = { 4, 0xf08 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		guest_begin(0);
		guest_enable();
		assert_int_equal(guest_hypercall(HV_POST_MESSAGE, GUEST_INPUT * FRAME_SIZE + bad[i],
						 0),
				 HV_INVALID_PARAMETER);
		assert_string_equal(sim_machine_violation(),
				    "a hypercall's memory is not aligned, or crosses a page");
	}
	guest_begin(0);
	guest_enable();
	assert_int_equal(guest_hypercall(HV_POST_MESSAGE, 0x1000, 0), HV_INVALID_PARAMETER);
	assert_int_equal(guest_hypercall(HV_EXT_QUERY_CAPABILITIES, 0, 0x1000),
			 HV_INVALID_PARAMETER);
}

static void a_message_has_a_header(void **state)
{
	struct hv_post_message *input = guest_page(GUEST_INPUT);
	static const struct hv_post_message bad[] = {
		{ .connection = 1, .type = 2, .size = 40 },
		{ .connection = 1, .type = 1, .size = 241 },
		{ .connection = 1, .type = 1, .size = 40, .reserved = 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		guest_begin(0);
		guest_enable();
		*input = bad[i];
		assert_int_equal(guest_hypercall(HV_POST_MESSAGE, GUEST_INPUT * FRAME_SIZE, 0),
				 HV_INVALID_PARAMETER);
		assert_string_equal(sim_machine_violation(),
				    "a message was posted with a header that is wrong");
	}
}

static void statuses_may_be_lies(void **state)
{
	struct hyperv_lie *lie = &hyperv_control()->lie;
	uint64_t in = GUEST_INPUT * FRAME_SIZE;

	(void)state;
	guest_reach(HYPERV_OPENED);
	lie->post_busy = 1;
	assert_int_equal(guest_hypercall(HV_POST_MESSAGE, in, 0), HV_INSUFFICIENT_BUFFERS);
	lie->post_status = HV_INSUFFICIENT_MEMORY;
	assert_int_equal(guest_hypercall(HV_POST_MESSAGE, in, 0), HV_INSUFFICIENT_MEMORY);
	lie->signal_status = HV_INVALID_CONNECTION;
	assert_int_equal(guest_hypercall(HV_SIGNAL_EVENT | HV_CALL_FAST, guest_dm.connection, 0),
			 HV_INVALID_CONNECTION);
	lie->hint_status = HV_ACCESS_DENIED;
	assert_int_equal(guest_hypercall(HV_EXT_MEMORY_HEAT_HINT, in, 0), HV_ACCESS_DENIED);
	assert_null(sim_machine_violation());
}

/* A heat hint of so many ranges, the first of which is given. */
static uint64_t hint(uint64_t type, uint64_t count, uint64_t range)
{
	struct hv_heat_hint *input = guest_page(GUEST_INPUT);

	input->type = type;
	for (uint64_t i = 0; i < count && i < HV_HEAT_RANGES; i++)
		input->range[i] = range;
	return guest_hypercall(HV_EXT_MEMORY_HEAT_HINT | count << HV_CALL_REPEAT_SHIFT,
			       GUEST_INPUT * FRAME_SIZE, 0);
}

static void cold_memory_is_counted(void **state)
{
	uint64_t *capabilities = guest_page(GUEST_INPUT);
	uint64_t large = SIM_RAM_START | HV_HEAT_LARGE | 3, small = SIM_RAM_START | 1;

	(void)state;
	guest_enable();
	assert_int_equal(guest_hypercall(HV_EXT_QUERY_CAPABILITIES, 0, GUEST_INPUT * FRAME_SIZE),
			 HV_SUCCESS);
	assert_int_equal(*capabilities, HV_EXT_COLD_DISCARD);
	sim_machine_time = 100;
	assert_int_equal(hint(HV_HEAT_COLD_DISCARD, 2, large), UINT64_C(2) << 32);
	assert_int_equal(seen()->hint_frames, 2 * 4 * 512);
	sim_machine_time = 200;
	assert_int_equal(hint(HV_HEAT_COLD_DISCARD, 1, small), UINT64_C(1) << 32);
	assert_int_equal(seen()->hint_first_100ns, 100);
	assert_int_equal(seen()->hint_last_100ns, 200);
	assert_int_equal(seen()->hint_frames, 2 * 4 * 512 + 2);
	assert_int_equal(seen()->hint_ranges, 3);
	assert_int_equal(seen()->hints, 2);
	assert_int_equal(hint(HV_HEAT_COLD_DISCARD, HV_HEAT_RANGES, small) >> 32, HV_HEAT_RANGES);
	assert_null(sim_machine_violation());
	wish()->no_extended = 1;
	assert_int_equal(hint(HV_HEAT_COLD_DISCARD, 1, small), HV_INVALID_CODE);
	guest_hypercall(HV_EXT_QUERY_CAPABILITIES, 0, GUEST_INPUT * FRAME_SIZE);
	assert_int_equal(*capabilities, 0);
}

static void hints_that_no_guest_gives_are_mistakes(void **state)
{
	uint64_t gib = (SIM_RAM_START & ~UINT64_C(0x1fffff)) | HV_HEAT_LARGE | HV_HEAT_GIB;

	(void)state;
	guest_enable();
	assert_int_equal(hint(HV_HEAT_COLD_DISCARD, 1, gib), HV_INVALID_PARAMETER);
	assert_string_equal(sim_machine_violation(), "a heat hint for what is no RAM");
	for (unsigned i = 0; i < 3; i++) {
		guest_begin(0);
		guest_enable();
		assert_int_equal(hint(i == 0 ? 1 : HV_HEAT_COLD_DISCARD,
				      i == 1   ? 0
				      : i == 2 ? HV_HEAT_RANGES + 1
					       : 1,
				      SIM_RAM_START),
				 HV_INVALID_PARAMETER);
		assert_string_equal(sim_machine_violation(),
				    "a heat hint of no known kind, or of too many ranges");
	}
}

static void a_reset_forgets_all_but_what_the_test_wants(void **state)
{
	(void)state;
	guest_reach(HYPERV_READY);
	hv_control.common.target = 100;
	hyperv_control()->wish.no_info = 1;
	sim_machine_restart();
	assert_int_equal(hv_control.common.starts, 2);
	assert_int_equal(seen()->progress, HYPERV_NOWHERE);
	assert_int_equal(seen()->posts, 0);
	assert_int_equal(read_msr(HV_MSR_GUEST_OS_ID), 0);
	assert_int_equal(read_msr(HV_MSR_HYPERCALL), 0);
	assert_int_equal(wish()->no_info, 1);
	wish()->no_info = 0;
	hv_control.common.target = 0;
	guest_reach(HYPERV_READY);
	assert_null(sim_machine_violation());
}

static void bytes_of_the_tests_are_said_as_they_are(void **state)
{
	struct hyperv_push *push = &hyperv_control()->push;
	uint8_t message[DM_MESSAGE_MAX];

	(void)state;
	guest_reach(HYPERV_CONNECTED);
	memset(push->bytes, 0xa7, sizeof(push->bytes));
	push->length = 1000;
	push->number++;
	sim_machine_ring();
	assert_int_equal(seen()->pushed, 1);
	assert_true(guest_take(message));
	assert_memory_equal(message, push->bytes, HV_MESSAGE_PAYLOAD);
	/* Without a channel a packet has to wait. */
	push->packet = 1;
	push->number++;
	sim_machine_ring();
	assert_int_equal(seen()->pushed, 1);
	guest_open_channel();
	assert_int_equal(guest_receive(message), HYPERV_PUSH_BYTES);
	assert_memory_equal(message, push->bytes, HYPERV_PUSH_BYTES);
	assert_int_equal(seen()->pushed, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(cpuid_has_what_a_guest_looks_for, guest_set_up),
		cmocka_unit_test_setup(what_is_hidden_is_not_there, guest_set_up),
		cmocka_unit_test_setup(the_hypercall_page_is_a_call_and_a_return, guest_set_up),
		cmocka_unit_test_setup(a_hypercall_page_outside_ram_is_a_mistake, guest_set_up),
		cmocka_unit_test_setup(msrs_say_what_time_it_is_and_which_processor, guest_set_up),
		cmocka_unit_test_setup(a_crash_is_kept_for_the_test, guest_set_up),
		cmocka_unit_test_setup(calls_that_are_none_are_refused, guest_set_up),
		cmocka_unit_test_setup(parameters_have_to_be_aligned_in_one_page_and_in_ram,
				       guest_set_up),
		cmocka_unit_test_setup(a_message_has_a_header, guest_set_up),
		cmocka_unit_test_setup(statuses_may_be_lies, guest_set_up),
		cmocka_unit_test_setup(cold_memory_is_counted, guest_set_up),
		cmocka_unit_test_setup(hints_that_no_guest_gives_are_mistakes, guest_set_up),
		cmocka_unit_test_setup(a_reset_forgets_all_but_what_the_test_wants, guest_set_up),
		cmocka_unit_test_setup(bytes_of_the_tests_are_said_as_they_are, guest_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
