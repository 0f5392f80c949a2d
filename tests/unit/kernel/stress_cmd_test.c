/* SPDX-License-Identifier: BSD-2-Clause */
/* stress and kill: what a person writes, and reads; each mistake says what would be right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "kernel/lib/hooks.h"
#include "kernel/stress.h"
#include "kernel/vm/vm.h"
#include "mm/ledger.h"
#include "mm/memory.h"
#include "tests/sim/sim_command.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_ram.h"
#include "tests/sim/sim_tasks.h"
#include "tests/unit/kernel/fake_vm.h"

static const char *cache_name;
static const char *module;

void vm_figures(struct vm_figures *figures)
{
	*figures = (struct vm_figures){ .cache = cache_name, .cache_pages = 100 };
}

const void *memory_module(size_t *size)
{
	*size = module ? strlen(module) : 0;
	return module;
}

static int set_up_ram(void **state)
{
	(void)state;
	return sim_ram_reserve();
}

static void (*body)(void);

static void run_body(void *unused)
{
	(void)unused;
	body();
	fake_vm_end_all();
	task_sleep_until(clock_ns() + NS_PER_S);
}

static void run(void (*fn)(void))
{
	body = fn;
	cache_name = module = NULL;
	fake_vm_reset();
	sim_log_reset();
	sim_tasks_reset();
	sim_ram_start_all();
	sim_tasks_run(run_body, NULL);
	sim_command_forget();
	sim_ram_stop();
	fake_vm_reset();
}

static void assert_refused(const char *line, int result, const char *text)
{
	assert_int_equal(sim_command(line), result);
	assert_string_equal(sim_command_text, text);
	assert_int_equal(fake_vm_users(), 0);
}

static void run_mistakes(void)
{
	static const struct {
		const char *line, *text;
	} mistakes[] = {
		{ "stress anon much",
		  "stress: much is no size; write 64M, 1.5G or a number of bytes\n" },
		{ "stress anon 0", "stress: 0 is no size; write 64M, 1.5G or a number of bytes\n" },
		{ "stress anon 1M --pattern", "stress: --pattern wants a value\n" },
		{ "stress anon 1M --pattern up",
		  "stress: there is no pattern up; choose seq, loop, rand or zipf\n" },
		{ "stress anon 1M --touch fast", "stress: --touch fast is no number\n" },
		{ "stress anon 1M --touch 0",
		  "stress: --touch 0 touches nothing; write 1 or more, or leave it out\n" },
		{ "stress anon 1M --seed -1", "stress: --seed -1 is no number\n" },
		{ "stress anon 1M --write",
		  "stress: --write is for cache only: anon always writes\n" },
		{ "stress cache 1M --limit 2M",
		  "stress: --limit is for anon only: the cache takes what is free\n" },
		{ "stress anon 1M loop", "stress: loop is unknown; choose --pattern, --passes, "
					 "--touch, --seed, --limit\n" },
		{ "stress cache 1M --fast 1",
		  "stress: --fast is unknown; choose --pattern, --passes, "
		  "--touch, --seed, --write\n" },
		{ "stress huge some", "stress: huge some is no number\n" },
		{ "stress huge 0", "stress: huge 0 is no block; write 1 or more\n" },
		{ "stress stop x", "stress: x is no task's number; `ps` lists them\n" },
		{ "kill x", "kill: x is no task's number; `ps` lists them\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++)
		assert_refused(mistakes[i].line, -ERANGE, mistakes[i].text);
	assert_refused("kill 3", -ESRCH, "kill: task 3 is no workload; `stress` lists them\n");
	/* The shell shows how it is written. */
	assert_refused("stress anon", -EINVAL, "");
	assert_refused("stress often", -EINVAL, "");
	assert_refused("stress stop", -EINVAL, "");
	assert_refused("stress oom 3", -EINVAL, "");
	assert_refused("kill", -EINVAL, "");
}

static void a_mistake_is_told_with_what_would_be_right(void **state)
{
	(void)state;
	run(run_mistakes);
}

static void run_refusals(void)
{
	static const struct {
		int err;
		const char *text;
	} errors[] = {
		{ -EAGAIN,
		  "stress: there are as many workloads, or tasks, as there can be; stop one\n" },
		{ -ENODEV, "stress: there is no cache; boot with cache=SERIAL of a disk\n" },
		{ -EROFS, "stress: the cache's disk is read-only; leave out --write\n" },
		{ -EINVAL, "stress: 1024 kB are more than a workload can have, 4294967296 kB\n" },
		{ -ENOMEM, "stress: no memory for a task\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		fake_vm_err = errors[i].err;
		/* With -EINVAL the shell would print the usage line instead. */
		assert_refused("stress cache 1M --write",
			       errors[i].err == -EINVAL ? -ERANGE : errors[i].err, errors[i].text);
	}
	cache_name = "vdb";
	fake_vm_err = -ENODEV;
	assert_refused("stress cache 1M", -ENODEV,
		       "stress: the cache's disk vdb has 400 kB; write no more\n");
	fake_vm_err = 0;
	assert_int_equal(sim_command("stress cache 64K --write"), 0);
	assert_int_equal(sim_command("stress cache 64K --write --seed 2"), -EBUSY);
	assert_string_equal(sim_command_text,
			    "stress: another workload writes these pages with another "
			    "--seed; use its seed, or stop it\n");
}

static void a_workload_that_cannot_start_says_why(void **state)
{
	(void)state;
	run(run_refusals);
}

static void run_all_options(void)
{
	struct stress_info info;
	char line[40], text[120];

	assert_int_equal(sim_command("stress"), 0);
	assert_string_equal(sim_command_text, "no workload runs\n");
	assert_int_equal(sim_command("stress anon 1025K --pattern zipf --limit 64K"), 0);
	assert_true(stress_next(0, &info));
	assert_int_equal(info.want.pages, 257);
	assert_int_equal(info.want.limit, 16);
	assert_int_equal(info.want.pattern, STRESS_ZIPF);
	snprintf(text, sizeof(text), "stress %u: anon 1.0 MiB, zipf, seed 1: 0 touches\n",
		 info.task);
	assert_string_equal(sim_command_text, text);
	snprintf(line, sizeof(line), "kill %u", info.task);
	assert_int_equal(sim_command(line), 0);
	task_sleep_until(clock_ns() + NS_PER_S);
	assert_int_equal(sim_command("stress cache 64K --touch 5 --seed 9"), 0);
	assert_true(stress_next(0, &info));
	assert_int_equal(info.want.rate, 5);
	assert_true(info.want.cache);
	assert_int_equal(info.want.seed, 9);
	assert_int_equal(sim_command("stress anon 64K"), 0);
	assert_int_equal(sim_command("stress stop all"), 0);
	task_sleep_until(clock_ns() + NS_PER_S);
	assert_int_equal(sim_command("stress"), 0);
	assert_string_equal(sim_command_text, "no workload runs\n");
}

static void options_are_what_the_workload_gets(void **state)
{
	(void)state;
	run(run_all_options);
}

static void run_huge(void)
{
	assert_int_equal(sim_command("stress huge 3"), 0);
	assert_string_equal(sim_command_text, "stress: 3 of 3 blocks of 2 MiB could be had\n");
	assert_int_equal(sim_command("stress huge 99"), -ENOMEM);
	assert_string_equal(sim_command_text, "stress: 32 of 99 blocks of 2 MiB could be had\n");
	assert_int_equal(ledger_count(OWNER_FREE), SIM_RAM_FRAMES);
}

static void huge_takes_blocks_and_gives_them_back(void **state)
{
	(void)state;
	run(run_huge);
}

static void run_course(void)
{
	assert_refused("stress course", -ENOENT,
		       "stress: there is no course; start with COURSE=FILE, which balloonctl "
		       "record wrote\n");
	assert_refused("stress course --speed 0", -ERANGE,
		       "stress: --speed 0 is not from 1 to 1000\n");
	assert_refused("stress course --speed 1001", -ERANGE,
		       "stress: --speed 1001 is not from 1 to 1000\n");
	assert_refused("stress course fast", -EINVAL, "");
	module = "time,used\n";
	assert_refused("stress course", -EIO,
		       "stress: the course cannot be played: line 1 lacks time_s, left_bytes or "
		       "guest_available_bytes\n");
}

static void a_course_that_cannot_be_played_is_told(void **state)
{
	(void)state;
	run(run_course);
}

static bool yes(void)
{
	return true;
}

static void run_wait(void)
{
	uint64_t start = clock_ns();

	assert_int_equal(sim_command("stress wait"), 0);
	assert_string_equal(sim_command_text, "no workload runs\n");
	assert_refused("stress wait soon", -ERANGE,
		       "stress: soon is no time; write a number of seconds, as 10 or 0.5\n");
	assert_refused("stress wait 1 2", -EINVAL, "");
	/* 16 pages, ten a second. */
	assert_int_equal(sim_command("stress anon 64K --touch 10"), 0);
	assert_int_equal(sim_command("stress wait 0.5"), -ETIMEDOUT);
	assert_in_range(clock_ns() - start, NS_PER_S / 2, NS_PER_S / 2 + 20 * NS_PER_MS);
	assert_int_equal(sim_command("stress wait"), 0);
	assert_non_null(strstr(sim_command_text, ": 16 touches, done"));
	assert_in_range(clock_ns() - start, 1500 * NS_PER_MS, 2 * NS_PER_S);
	assert_int_equal(sim_command("stress anon 64K --pattern zipf --passes 2"), 0);
	assert_int_equal(sim_command("stress wait 9"), 0);
	assert_non_null(strstr(sim_command_text, ": 32 touches, done"));
	/* One that never is done. */
	assert_int_equal(sim_command("stress anon 64K --pattern rand --touch 50"), 0);
	assert_int_equal(sim_command("stress wait"), -ERANGE);
	assert_non_null(strstr(sim_command_text, " touches pages for ever; start it with --passes "
						 "N, or say for how many seconds to wait\n"));
	assert_int_equal(sim_command("stress wait 0.1"), -ETIMEDOUT);
	lib_set_interrupted(yes);
	assert_int_equal(sim_command("stress wait 60"), -EINTR);
	lib_set_interrupted(NULL);
	assert_in_range(clock_ns() - start, NS_PER_S, 3 * NS_PER_S);
}

static void workloads_are_waited_for(void **state)
{
	(void)state;
	run(run_wait);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mistake_is_told_with_what_would_be_right),
		cmocka_unit_test(a_workload_that_cannot_start_says_why),
		cmocka_unit_test(options_are_what_the_workload_gets),
		cmocka_unit_test(huge_takes_blocks_and_gives_them_back),
		cmocka_unit_test(a_course_that_cannot_be_played_is_told),
		cmocka_unit_test(workloads_are_waited_for),
	};

	return cmocka_run_group_tests_name("stress_cmd", tests, set_up_ram, NULL);
}
