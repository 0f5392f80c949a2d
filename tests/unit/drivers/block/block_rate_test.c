/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/block/block_rate.c: how many requests may be under way. */
#include "tests/unit/drivers/block/block_fixture.h"

static struct block_rate rate;
static uint64_t now_awake;

static int set_up(void **state)
{
	(void)state;
	now_awake = 5 * NS_PER_S;
	block_rate_init(&rate);
	block_rate_busy(&rate, now_awake);
	return 0;
}

/* So many requests, one after the other, each after so long. */
static void answer(unsigned count, uint64_t each_ns)
{
	while (count-- > 0) {
		now_awake += each_ns;
		block_rate_count(&rate, now_awake);
	}
}

static void a_disk_that_is_not_known_gets_a_few(void **state)
{
	(void)state;
	assert_int_equal(rate.room, 4);
	answer(5, NS_PER_MS);
	assert_int_equal(rate.room, 4);
}

static void ten_requests_a_second_are_two_at_a_time(void **state)
{
	(void)state;
	answer(3, 100 * NS_PER_MS);
	assert_int_equal(rate.room, 2);
}

static void a_disk_slower_than_that_has_two_all_the_same(void **state)
{
	(void)state;
	answer(3, NS_PER_S);
	assert_int_equal(rate.room, 2);
}

static void a_fast_disk_gets_all_there_are(void **state)
{
	(void)state;
	answer(600, 100 * NS_PER_US);
	assert_int_equal(rate.room, BLOCK_SLOTS);
}

/* 100 ms each, three at a time: with one more it would be faster. */
static void room_grows_as_long_as_that_helps(void **state)
{
	(void)state;
	answer(6, 30 * NS_PER_MS);
	assert_int_equal(rate.room, 7);
	answer(2, 150 * NS_PER_MS);
	assert_int_equal(rate.room, 2);
}

static void time_without_requests_does_not_count(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		answer(1, NS_PER_MS);
		block_rate_idle(&rate, now_awake);
		now_awake += NS_PER_S;
		block_rate_busy(&rate, now_awake);
	}
	assert_int_equal(rate.room, BLOCK_SLOTS);
}

/* A window of a busy disk may go on after a pause, so that single requests are counted, too. */
static void single_requests_of_a_slow_disk_are_counted(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		answer(1, 20 * NS_PER_MS);
		block_rate_idle(&rate, now_awake);
		now_awake += NS_PER_S;
		block_rate_busy(&rate, now_awake);
	}
	assert_int_equal(rate.room, 10);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_disk_that_is_not_known_gets_a_few),
		TEST(ten_requests_a_second_are_two_at_a_time),
		TEST(a_disk_slower_than_that_has_two_all_the_same),
		TEST(a_fast_disk_gets_all_there_are),
		TEST(room_grows_as_long_as_that_helps),
		TEST(time_without_requests_does_not_count),
		TEST(single_requests_of_a_slow_disk_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
