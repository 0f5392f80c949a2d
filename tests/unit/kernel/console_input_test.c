/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of kernel/console_input.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/irq.h"
#include "kernel/console_input.h"
#include "kernel/lib/types.h"
#include "kernel/task/task.h"

#define ROOM 16384

static unsigned waits, wakes;
static bool comes_meanwhile;

static void put(uint8_t byte)
{
	irq_disable();
	console_input_put(byte);
	irq_enable();
}

bool task_wait(struct wait_queue *queue, uint64_t deadline)
{
	(void)queue;
	(void)deadline;
	assert_true(fake_irqs_off);
	waits++;
	if (!comes_meanwhile)
		return false;
	/* A wake-up for nothing, and then one for a byte. */
	if (waits == 2) {
		console_input_put('x');
		comes_meanwhile = false;
	}
	return true;
}

void task_wake(struct wait_queue *queue)
{
	(void)queue;
	wakes++;
}

static int begin(void **state)
{
	(void)state;
	console_input_discard();
	waits = wakes = 0;
	return 0;
}

static void bytes_are_taken_in_order(void **state)
{
	uint8_t byte;

	(void)state;
	/* Some rounds of the ring. */
	for (unsigned i = 0; i < 4 * ROOM; i += 1000) {
		for (unsigned j = i; j < i + 1000; j++)
			put((uint8_t)(j * 7));
		for (unsigned j = i; j < i + 1000; j++) {
			assert_true(console_input_take(&byte));
			assert_int_equal(byte, (uint8_t)(j * 7));
		}
		assert_false(console_input_take(&byte));
	}
	assert_false(fake_irqs_off);
	assert_int_equal(console_input_dropped(), 0);
}

static void what_has_no_room_is_dropped_and_counted(void **state)
{
	uint64_t before = console_input_dropped();
	uint8_t byte;
	unsigned got = 0;

	(void)state;
	for (unsigned i = 0; i < 20000; i++)
		put((uint8_t)(i / 3));
	for (; console_input_take(&byte); got++)
		assert_int_equal(byte, (uint8_t)(got / 3));
	assert_int_equal(got, ROOM);
	assert_int_equal(console_input_dropped() - before, 20000 - ROOM);
	assert_int_equal(wakes, 20000);
}

static void a_reader_sleeps_until_input_or_deadline(void **state)
{
	uint8_t byte;

	(void)state;
	assert_false(console_input_wait(5));
	assert_int_equal(waits, 1);
	waits = 0;
	comes_meanwhile = true;
	assert_true(console_input_wait(DEADLINE_NEVER));
	assert_int_equal(waits, 2);
	assert_false(fake_irqs_off);
	/* There is some: nobody sleeps. */
	assert_true(console_input_wait(0));
	assert_int_equal(waits, 2);
	console_input_discard();
	assert_false(console_input_take(&byte));
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_are_taken_in_order),
		TEST(what_has_no_room_is_dropped_and_counted),
		TEST(a_reader_sleeps_until_input_or_deadline),
	};

	return cmocka_run_group_tests_name("console_input", tests, NULL, NULL);
}
