/* SPDX-License-Identifier: BSD-2-Clause */
/* kernel/stress.c: which pages a workload touches, when, and what it finds there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "kernel/course.h"
#include "kernel/stress.h"
#include "kernel/stress_page.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_tasks.h"
#include "tests/unit/kernel/fake_vm.h"

static void (*body)(void);
static struct stress_info info;

static void run_body(void *unused)
{
	(void)unused;
	body();
	fake_vm_end_all();
	assert_false(stress_next(0, &info));
	/* Their tasks have ended, too. */
	task_sleep_until(clock_ns() + NS_PER_S);
}

static void run(void (*fn)(void))
{
	body = fn;
	fake_vm_reset();
	sim_log_reset();
	sim_tasks_reset();
	sim_tasks_run(run_body, NULL);
	fake_vm_reset();
}

static void wait_ns(uint64_t ns)
{
	task_sleep_until(clock_ns() + ns);
}

static unsigned start(struct stress_want want)
{
	unsigned task;

	assert_int_equal(stress_start(&want, &task), 0);
	return task;
}

static void run_sequential(void)
{
	unsigned task = start((struct stress_want){ .pages = 100, .seed = 7 });

	wait_ns(NS_PER_S);
	assert_true(stress_next(0, &info));
	assert_int_equal(info.task, task);
	assert_int_equal(info.touched, 100);
	assert_true(info.touched >= info.want.pages);
	for (uint64_t page = 0; page < 100; page++)
		assert_true(stress_page_is_right(fake_vm_memory + page * FRAME_SIZE, 7, page));
	assert_false(stress_page_is_right(fake_vm_memory + 100 * FRAME_SIZE, 7, 100));
	assert_int_equal(fake_vm_announced, 0);
	assert_int_equal(stress_stop(task + 1), -ESRCH);
	assert_int_equal(stress_stop(task), 0);
	wait_ns(NS_PER_S);
	assert_int_equal(stress_stop(task), -ESRCH);
	assert_non_null(strstr(sim_log_info, "has ended: stopped"));
}

static void all_pages_are_named_once_in_order_and_held(void **state)
{
	(void)state;
	run(run_sequential);
}

static void run_rate(void)
{
	unsigned task = start((struct stress_want){
		.pages = 100, .seed = 1, .rate = 1000, .pattern = STRESS_LOOP });

	wait_ns(NS_PER_S);
	assert_true(stress_next(0, &info));
	assert_in_range(info.touched, 980, 1040);
	/* In 50 turns a second, not a thousand. */
	assert_in_range(fake_vm_sleeps, 40, 60);
	for (uint64_t page = 0; page < 100; page++)
		assert_in_range(fake_vm_touches(page), 8, 10);
	assert_int_equal(stress_stop(task), 0);
	/* A slow one ends as fast. */
	wait_ns(NS_PER_S);
	task = start(
		(struct stress_want){ .pages = 100, .seed = 1, .rate = 1, .pattern = STRESS_LOOP });
	wait_ns(NS_PER_S / 2);
	assert_int_equal(stress_stop(task), 0);
	wait_ns(NS_PER_MS);
	assert_int_equal(fake_vm_users(), 0);
}

static void a_rate_is_kept_in_few_turns(void **state)
{
	(void)state;
	run(run_rate);
}

static void run_verify(void)
{
	start((struct stress_want){ .pages = 50, .seed = 3, .rate = 1000, .pattern = STRESS_LOOP });
	wait_ns(NS_PER_S / 5);
	fake_vm_came_back = 20;
	wait_ns(NS_PER_S / 5);
	assert_true(stress_next(0, &info));
	assert_int_equal(info.verified, 1);
	assert_int_equal(info.wrong, 0);
	fake_vm_memory[20 * FRAME_SIZE + 1000] ^= 1;
	fake_vm_came_back = 20;
	wait_ns(NS_PER_S / 5);
	assert_true(stress_next(0, &info));
	assert_int_equal(info.verified, 1);
	assert_int_equal(info.wrong, 1);
	assert_int_equal(fake_vm_wrong, 1);
}

static void a_page_that_came_back_is_verified(void **state)
{
	(void)state;
	run(run_verify);
}

static void run_random(void)
{
	static uint64_t seen[100];

	for (unsigned i = 0; i < 2; i++) {
		unsigned task = start((struct stress_want){
			.pages = 100, .seed = 5, .rate = 2000, .pattern = STRESS_RANDOM });

		wait_ns(NS_PER_S);
		for (uint64_t page = 0; page < 100; page++) {
			assert_true(i == 0 || fake_vm_touches(page) == seen[page]);
			seen[page] = fake_vm_touches(page);
			assert_in_range(seen[page], 1, 60);
		}
		stress_stop(task);
		wait_ns(NS_PER_S);
	}
}

static void the_same_seed_touches_the_same_pages(void **state)
{
	(void)state;
	run(run_random);
}

static void run_cache(void)
{
	unsigned first, task;

	first = start((struct stress_want){ .cache = true, .pages = 64, .seed = 1 });
	wait_ns(NS_PER_S / 10);
	assert_int_equal(fake_vm_want.kind, VM_CACHE);
	assert_false(fake_vm_want.writes);
	assert_int_equal(fake_vm_announced, 2);
	/* A reader leaves pages as they are. */
	for (size_t i = 0; i < 64 * FRAME_SIZE; i++)
		assert_int_equal(fake_vm_memory[i], 0);
	start((struct stress_want){ .cache = true, .writes = true, .pages = 64, .seed = 2 });
	wait_ns(NS_PER_S / 10);
	assert_true(fake_vm_want.writes);
	assert_true(stress_page_is_right(fake_vm_memory, 2, 0));
	/* Another name would be found by the other; the same is fine. */
	assert_int_equal(stress_start(
				 &(struct stress_want){
					 .cache = true, .writes = true, .pages = 64, .seed = 3 },
				 &task),
			 -EBUSY);
	start((struct stress_want){ .cache = true, .writes = true, .pages = 64, .seed = 2 });
	start((struct stress_want){ .cache = true, .pages = 64, .seed = 3 });
	assert_int_equal(stress_stop(first), 0);
}

static void the_cache_is_read_or_written_under_one_name(void **state)
{
	(void)state;
	run(run_cache);
}

static void run_errors(void)
{
	unsigned task;
	struct stress_want want = { .pages = 10, .limit = 3 };

	fake_vm_err = -ENODEV;
	assert_int_equal(stress_start(&want, &task), -ENODEV);
	assert_false(stress_next(0, &info));
	sim_tasks_stack_err = -ENOMEM;
	assert_int_equal(stress_start(&want, &task), -ENOMEM);
	sim_tasks_stack_err = 0;
	fake_vm_err = 0;
	for (unsigned i = 0; i < VM_USERS_MAX; i++)
		start(want);
	assert_int_equal(fake_vm_want.limit, 3);
	assert_int_equal(stress_start(&want, &task), -EAGAIN);
	task = 0;
	for (unsigned i = 0; i < VM_USERS_MAX; i++, task = info.task)
		assert_true(stress_next(task, &info));
	assert_false(stress_next(task, &info));
}

static void a_workload_that_cannot_begin_leaves_nothing(void **state)
{
	(void)state;
	run(run_errors);
}

static void run_course(void)
{
	static const char text[] = "time_s,left_bytes,guest_available_bytes\n"
				   "0,1000000,1000000\n"
				   "1,1000000,590400\n"
				   "2,1000000,\n"
				   "3,1000000,918080\n";
	static struct course course;
	struct course_extent extent;
	char why[COURSE_WHY_MAX];

	assert_int_equal(course_open(&course, text, sizeof(text) - 1, &extent, why), 0);
	start((struct stress_want){ .course = &course, .speed = 2, .pages = 101, .seed = 1 });
	wait_ns(3 * NS_PER_S / 4);
	/* 409,600 bytes. */
	assert_true(stress_page_is_right(fake_vm_memory + 99 * FRAME_SIZE, 1, 99));
	assert_false(stress_page_is_right(fake_vm_memory + 100 * FRAME_SIZE, 1, 100));
	assert_int_equal(fake_vm_discarded, 0);
	wait_ns(NS_PER_S);
	assert_int_equal(fake_vm_discarded, 80);
	assert_int_equal(fake_vm_users(), 0);
	assert_non_null(strstr(sim_log_info, "its course is over"));
}

static void a_course_has_as_much_in_use_as_it_says(void **state)
{
	(void)state;
	run(run_course);
}

static void patterns_have_names(void **state)
{
	enum stress_pattern pattern;

	(void)state;
	for (unsigned i = STRESS_SEQUENTIAL; i <= STRESS_ZIPF; i++) {
		assert_int_equal(stress_parse_pattern(stress_pattern_name((enum stress_pattern)i),
						      &pattern),
				 0);
		assert_int_equal(pattern, i);
	}
	assert_int_equal(stress_parse_pattern("seqq", &pattern), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_pages_are_named_once_in_order_and_held),
		cmocka_unit_test(a_rate_is_kept_in_few_turns),
		cmocka_unit_test(a_page_that_came_back_is_verified),
		cmocka_unit_test(the_same_seed_touches_the_same_pages),
		cmocka_unit_test(the_cache_is_read_or_written_under_one_name),
		cmocka_unit_test(a_workload_that_cannot_begin_leaves_nothing),
		cmocka_unit_test(a_course_has_as_much_in_use_as_it_says),
		cmocka_unit_test(patterns_have_names),
	};

	return cmocka_run_group_tests_name("stress", tests, NULL, NULL);
}
