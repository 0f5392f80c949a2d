/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of drivers/xen/xen_console.c on a simulated Xen, with a daemon that reads the ring when it
 * is told to. The driver's state lives as long as the program: the order is that of a guest's life.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/xen/xen_console.h"
#include "drivers/xen/xen_events.h"
#include "kernel/lib/types.h"
#include "tests/sim/sim_irq.h"
#include "tests/sim/sim_time.h"
#include "tests/sim/sim_xen.h"

#define PORT 2
#define SIZE XEN_CONSOLE_OUT_SIZE

static struct xen_console_ring *ring; /* 4 GiB is as far as the boot tables reach */

/* ---- The daemon ---- */

static enum { READS_AT_ONCE, READS_NEVER } daemon_mode;
static unsigned bytes_a_look; /* that it reads whenever the guest looks at its clock */
static unsigned read_every;   /* so many looks */
static char output[200000];
static size_t output_length;

static void daemon_read(size_t most)
{
	uint32_t prod = ring->out_prod;

	assert_true(prod - ring->out_cons <= SIZE);
	for (; most > 0 && ring->out_cons != prod; most--) {
		assert_true(output_length < sizeof(output));
		output[output_length++] = ring->out[ring->out_cons % SIZE];
		ring->out_cons++;
	}
}

static void notified(uint32_t port)
{
	assert_int_equal(port, PORT);
	if (daemon_mode == READS_AT_ONCE)
		daemon_read(SIZE);
}

static void on_look(void)
{
	static unsigned looks;

	if (++looks % read_every == 0)
		daemon_read(bytes_a_look);
}

static void take_interrupt(uint8_t vector)
{
	irq_disable();
	sim_irq_send(SIM_IRQ_ADDRESS, vector);
	irq_enable();
}

static void *memory(uint64_t address, uint64_t size)
{
	(void)size;
	return (void *)(uintptr_t)address;
}

/* ---- The guest ---- */

static char typed[4096];
static size_t typed_length;

static void take_input(uint8_t byte)
{
	assert_true(fake_irqs_off);
	assert_true(typed_length < sizeof(typed) - 1);
	typed[typed_length++] = (char)byte;
	typed[typed_length] = '\0';
}

static struct xen_console_counts counts(void)
{
	struct xen_console_counts result;

	xen_console_get_counts(&result);
	return result;
}

static char pattern[100000];

static int begin(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (char)(i * 7 + i / 251);
	daemon_mode = READS_AT_ONCE;
	bytes_a_look = 0;
	read_every = 1;
	output_length = typed_length = 0;
	if (ring)
		ring->out_cons = ring->out_prod;
	sim_time_on_look = on_look;
	sim_time_on_wait = NULL;
	sim_time_step_ns = 100000;
	irq_enable();
	return 0;
}

static void assert_output(const char *expected, size_t length)
{
	assert_int_equal(output_length, length);
	assert_memory_equal(output, expected, length);
	output_length = 0;
}

/* ---- Finding it ---- */

static void without_xen_there_is_no_console(void **state)
{
	(void)state;
	sim_xen.absent = true;
	sim_time_reset();
	assert_false(xen_console_init());
	assert_null(xen_console_name());
	xen_console_write("x", 1, false);
	xen_console_flush();
	xen_console_start(take_input);
	assert_int_equal(counts().sent, 0);
	assert_int_equal(counts().sent_dropped, 0);
}

static void without_a_ring_it_is_the_hypervisors(void **state)
{
	(void)state;
	sim_xen_begin(0x100, 0x1000);
	sim_xen.absent = false;
	sim_xen.guest = (struct sim_xen_guest){ .memory = memory,
						.notified = notified,
						.interrupt = take_interrupt };
	assert_true(xen_console_init());
	assert_false(xen_console_has_input());
	assert_string_equal(xen_console_name(), "the hypervisor's console, which takes no input");
	xen_console_write("hello", 5, true);
	assert_memory_equal(sim_xen.text, "hello", 5);
	assert_int_equal(counts().sent, 5);
	sim_xen.no_console = true;
	xen_console_write("hello", 5, true);
	assert_int_equal(counts().sent_dropped, 5);
	xen_console_flush();
	/* A domain that may not use it has none. */
	assert_false(xen_console_init());
	assert_null(xen_console_name());
}

/* Pages that are not mapped yet, ports that no table has. */
static void a_ring_that_cannot_be_is_none(void **state)
{
	(void)state;
	sim_xen.param[XEN_PARAM_CONSOLE_PFN] = UINT64_C(1) << 20;
	sim_xen.param[XEN_PARAM_CONSOLE_PORT] = PORT;
	assert_false(xen_console_init());
	sim_xen.param[XEN_PARAM_CONSOLE_PFN] = (uintptr_t)ring / FRAME_SIZE;
	sim_xen.param[XEN_PARAM_CONSOLE_PORT] = 0;
	assert_false(xen_console_init());
	sim_xen.param[XEN_PARAM_CONSOLE_PORT] = XEN_EVENT_PORTS;
	assert_false(xen_console_init());
}

static void a_ring_is_found_and_goes_on_where_it_stands(void **state)
{
	(void)state;
	ring->out_cons = ring->out_prod = UINT32_MAX - 5;
	ring->in_cons = ring->in_prod = UINT32_MAX - 1;
	sim_xen.param[XEN_PARAM_CONSOLE_PORT] = PORT;
	assert_true(xen_console_init());
	assert_string_equal(xen_console_name(), "Xen's console");
	assert_true(xen_console_has_input());
	xen_console_write("over the edge", 13, false);
	assert_output("over the edge", 13);
	assert_int_equal(ring->out_prod, 7);
}

/* ---- Before the clock goes ---- */

/* It stands at 0. */
static void stop_clock(void)
{
	sim_time_reset();
	sim_time_step_ns = 0;
	sim_time_on_look = on_look;
}

static void early_output_that_nobody_reads_does_not_hang(void **state)
{
	uint64_t dropped = counts().sent_dropped, calls;

	(void)state;
	stop_clock();
	daemon_mode = READS_NEVER;
	xen_console_write(pattern, SIZE, false);
	assert_int_equal(counts().sent_dropped, dropped);
	calls = sim_xen.calls;
	xen_console_write("more", 4, true);
	assert_int_equal(counts().sent_dropped - dropped, 4);
	assert_in_range(sim_xen.calls - calls, 1000, 30000);
	/* Once bitten. */
	calls = sim_xen.calls;
	xen_console_write("more", 4, true);
	xen_console_flush();
	assert_int_equal(counts().sent_dropped - dropped, 8);
	assert_int_equal(sim_xen.calls, calls);
	daemon_read(SIZE);
	assert_output(pattern, SIZE);
}

static void early_output_waits_for_a_slow_reader(void **state)
{
	uint64_t dropped = counts().sent_dropped;

	(void)state;
	stop_clock();
	daemon_mode = READS_NEVER;
	bytes_a_look = 3;
	xen_console_write(pattern, 50000, false);
	xen_console_flush();
	assert_output(pattern, 50000);
	/* Longer than for one who reads nothing. */
	bytes_a_look = 1;
	read_every = 15;
	xen_console_write(pattern, SIZE, false);
	xen_console_flush();
	assert_output(pattern, SIZE);
	assert_int_equal(counts().sent_dropped, dropped);
}

/* ---- With events ---- */

static void what_was_typed_before_is_taken_at_the_start(void **state)
{
	(void)state;
	memcpy(ring->in + (UINT32_MAX - 1) % XEN_CONSOLE_IN_SIZE, "ab", 2);
	memcpy(ring->in, "cd", 2);
	ring->in_prod += 4;
	sim_irq_reset();
	assert_int_equal(xen_events_start(), 0);
	xen_console_start(take_input);
	assert_string_equal(typed, "abcd");
	assert_int_equal(ring->in_cons, ring->in_prod);
	assert_int_equal(counts().received, 4);
}

static void input_comes_by_events(void **state)
{
	uint64_t sent = sim_xen.sent;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		char byte = (char)('a' + i % 26);

		ring->in[ring->in_prod++ % XEN_CONSOLE_IN_SIZE] = byte;
		sim_xen_raise(PORT);
		assert_int_equal(typed_length, i + 1);
		assert_int_equal(typed[i], byte);
	}
	/* Each time the other end learns that there is room. */
	assert_int_equal(sim_xen.sent - sent, 1000);
	/* An event for nothing. */
	sim_xen_raise(PORT);
	assert_int_equal(typed_length, 1000);
	assert_int_equal(sim_xen.sent - sent, 1000);
}

static void a_full_input_ring_is_believed_and_a_fuller_one_is_not(void **state)
{
	uint64_t nonsense = counts().nonsense;

	(void)state;
	ring->in_prod += XEN_CONSOLE_IN_SIZE;
	sim_xen_raise(PORT);
	assert_int_equal(typed_length, XEN_CONSOLE_IN_SIZE);
	assert_int_equal(counts().nonsense, nonsense);
	ring->in_prod += XEN_CONSOLE_IN_SIZE + 1;
	sim_xen_raise(PORT);
	assert_int_equal(typed_length, XEN_CONSOLE_IN_SIZE);
	assert_int_equal(counts().nonsense - nonsense, 1);
	assert_int_equal(ring->in_cons, ring->in_prod);
	/* And backwards, with what the guest has read changed under it. */
	ring->in_prod -= 5;
	ring->in_cons = 77;
	sim_xen_raise(PORT);
	assert_int_equal(counts().nonsense - nonsense, 2);
	ring->in[ring->in_prod++ % XEN_CONSOLE_IN_SIZE] = 'x';
	sim_xen_raise(PORT);
	assert_int_equal(typed[XEN_CONSOLE_IN_SIZE], 'x');
	assert_int_equal(typed_length, XEN_CONSOLE_IN_SIZE + 1);
}

static void a_task_sleeps_until_there_is_room(void **state)
{
	uint64_t calls, waits = sim_time_waits;

	(void)state;
	daemon_mode = READS_NEVER;
	bytes_a_look = 100;
	sim_time_on_look = NULL;
	sim_time_on_wait = on_look;
	xen_console_write(pattern, SIZE, true);
	assert_int_equal(sim_time_waits, waits);
	calls = sim_xen.calls;
	xen_console_write(pattern, SIZE, true);
	assert_true(sim_time_waits > waits);
	/* It did not keep the processor: only events were sent. */
	assert_true(sim_xen.calls - calls <= SIZE);
	assert_false(fake_irqs_off);
	daemon_read(SIZE);
	assert_int_equal(output_length, 2 * SIZE);
	assert_memory_equal(output + SIZE, pattern, SIZE);
}

static void an_event_wakes_the_writer(void **state)
{
	uint64_t wakes = sim_time_wakes;

	(void)state;
	sim_xen_raise(PORT);
	assert_true(sim_time_wakes > wakes);
}

static void in_an_interrupt_nobody_sleeps(void **state)
{
	uint64_t waits = sim_time_waits, dropped = counts().sent_dropped;

	(void)state;
	daemon_mode = READS_NEVER;
	bytes_a_look = 100;
	read_every = 5;
	irq_disable();
	xen_console_write(pattern, 3 * SIZE, true);
	assert_true(fake_irqs_off);
	irq_enable();
	assert_int_equal(sim_time_waits, waits);
	assert_int_equal(counts().sent_dropped, dropped);
}

static void a_reader_that_is_gone_costs_one_bound_once(void **state)
{
	uint64_t dropped = counts().sent_dropped, start, slept;

	(void)state;
	daemon_mode = READS_NEVER;
	start = clock_awake_ns();
	xen_console_write(pattern, sizeof(pattern), true);
	assert_int_equal(counts().sent_dropped - dropped, sizeof(pattern) - SIZE);
	assert_in_range(clock_awake_ns() - start, NS_PER_S / 2, 2 * NS_PER_S);
	start = clock_awake_ns();
	slept = sim_time_slept_ns;
	for (unsigned i = 0; i < 100; i++)
		xen_console_write("x", 1, true);
	xen_console_flush();
	assert_int_equal(sim_time_slept_ns, slept);
	assert_true(clock_awake_ns() - start < NS_PER_S / 10);
	/* It comes back. */
	daemon_read(SIZE);
	assert_output(pattern, SIZE);
	xen_console_write("back", 4, true);
	daemon_read(SIZE);
	assert_output("back", 4);
}

static void flush_waits_until_all_is_read(void **state)
{
	(void)state;
	daemon_mode = READS_NEVER;
	bytes_a_look = 1;
	/* Longer than a reader of nothing is waited for. */
	sim_time_step_ns = NS_PER_MS;
	xen_console_write(pattern, 1500, false);
	xen_console_flush();
	assert_output(pattern, 1500);
}

/* The last words of a guest, and a reader that hangs: so long, and no longer. */
static void flush_gives_up(void **state)
{
	uint64_t start = clock_awake_ns();

	(void)state;
	daemon_mode = READS_NEVER;
	xen_console_write("last words", 10, false);
	xen_console_flush();
	assert_in_range(clock_awake_ns() - start, NS_PER_S / 2, 2 * NS_PER_S);
	assert_false(fake_irqs_off);
}

/* The lines of a panic: each waits for a reader, but not for one that has been waited for. */
static void a_reader_that_is_gone_costs_one_bound_at_the_end(void **state)
{
	uint64_t dropped = counts().sent_dropped, start = clock_awake_ns();

	(void)state;
	daemon_mode = READS_NEVER;
	for (unsigned i = 0; i < 20; i++) {
		xen_console_write("backtrace", 9, false);
		xen_console_flush();
	}
	assert_in_range(clock_awake_ns() - start, NS_PER_S / 2, 2 * NS_PER_S);
	assert_int_equal(counts().sent_dropped, dropped);
	/* The text is there for whoever comes. Then he is waited for again. */
	daemon_read(5);
	bytes_a_look = 1;
	xen_console_flush();
	assert_int_equal(output_length, 20 * 9);
}

static unsigned looks;

static void read_rarely(void)
{
	daemon_read(++looks % 1000 == 0);
}

/* A byte ten times a second: with interrupts off nobody is so patient. */
static void a_reader_of_little_does_not_keep_the_processor(void **state)
{
	uint64_t dropped = counts().sent_dropped, start = clock_awake_ns();

	(void)state;
	daemon_mode = READS_NEVER;
	sim_time_on_look = read_rarely;
	xen_console_write(pattern, SIZE, false);
	xen_console_write(pattern, 200, false);
	assert_in_range(clock_awake_ns() - start, NS_PER_S, 3 * NS_PER_S);
	assert_in_range(counts().sent_dropped - dropped, 100, 199);
	start = clock_awake_ns();
	xen_console_flush();
	assert_in_range(clock_awake_ns() - start, 0, 3 * NS_PER_S);
}

static void swing(void)
{
	ring->out_cons = ring->out_prod - 98 - ++looks % 3;
	assert_true(looks < 100000);
}

/* Back and forth, as if a byte were read all the time. */
static void a_count_that_swings_is_no_reader(void **state)
{
	uint64_t start = clock_awake_ns();

	(void)state;
	daemon_mode = READS_NEVER;
	xen_console_write(pattern, 100, false);
	looks = 0;
	sim_time_on_look = swing;
	xen_console_flush();
	assert_in_range(clock_awake_ns() - start, 0, 3 * NS_PER_S / 2);
}

static void a_count_of_nonsense_is_an_empty_ring(void **state)
{
	uint64_t dropped = counts().sent_dropped, nonsense = counts().nonsense;
	uint32_t prod = ring->out_prod;

	(void)state;
	daemon_mode = READS_NEVER;
	sim_time_on_look = NULL;
	ring->out_cons = prod + 1;
	ring->out_prod = 12345;
	xen_console_write("text", 4, false);
	assert_int_equal(counts().sent_dropped, dropped);
	assert_true(counts().nonsense > nonsense);
	/* It goes on from its own count, whatever the page said. */
	assert_int_equal(ring->out_prod, prod + 4);
	assert_memory_equal(ring->out + prod % SIZE, "text", 4);
	ring->out_cons = prod - SIZE;
	xen_console_write("more", 4, false);
	assert_int_equal(counts().sent_dropped, dropped);
	assert_int_equal(ring->out_prod, prod + 8);
	xen_console_flush();
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_xen_there_is_no_console),
		TEST(without_a_ring_it_is_the_hypervisors),
		TEST(a_ring_that_cannot_be_is_none),
		TEST(a_ring_is_found_and_goes_on_where_it_stands),
		TEST(early_output_that_nobody_reads_does_not_hang),
		TEST(early_output_waits_for_a_slow_reader),
		TEST(what_was_typed_before_is_taken_at_the_start),
		TEST(input_comes_by_events),
		TEST(a_full_input_ring_is_believed_and_a_fuller_one_is_not),
		TEST(a_task_sleeps_until_there_is_room),
		TEST(an_event_wakes_the_writer),
		TEST(in_an_interrupt_nobody_sleeps),
		TEST(a_reader_that_is_gone_costs_one_bound_once),
		TEST(flush_waits_until_all_is_read),
		TEST(flush_gives_up),
		TEST(a_reader_that_is_gone_costs_one_bound_at_the_end),
		TEST(a_reader_of_little_does_not_keep_the_processor),
		TEST(a_count_that_swings_is_no_reader),
		TEST(a_count_of_nonsense_is_an_empty_ring),
	};

	/* Within 4 GiB, as Xen's page. */
	ring = mmap(NULL, FRAME_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (ring == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests_name("xen_console", tests, NULL, NULL);
}
