/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/bench/trace.c: the lines are as QEMU 7.2 and 10.0 write them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/bench/trace.h"

#define STATUS "24288@1795239909.184352:virtio_set_status vdev 0x55717b106600 val 15\n"
#define ACTUAL_1 "24288@1795239911.400000:virtio_balloon_set_config actual: 258048 oldactual: 0\n"
#define ACTUAL_2 \
	"24288@1795239911.406943:virtio_balloon_set_config actual: 524288 oldactual: 258048\n"

struct log {
	struct trace trace;
	int qemu; /* the file as QEMU has it */
};

static int setup(void **state)
{
	static struct log log;

	if (trace_open(&log.trace))
		return -1;
	log.qemu = open(log.trace.path, O_WRONLY | O_APPEND | O_CLOEXEC);
	*state = &log;
	return log.qemu < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct log *log = *state;

	close(log->qemu);
	trace_close(&log->trace);
	return 0;
}

static void write_log(struct log *log, const char *text)
{
	assert_int_equal(write(log->qemu, text, strlen(text)), strlen(text));
}

static void waits_for_the_value_and_counts_the_writes(void **state)
{
	struct log *log = *state;
	unsigned int writes;
	double when;

	write_log(log, STATUS ACTUAL_1 "qemu-system-x86_64: a warning\n" ACTUAL_2);
	assert_int_equal(trace_wait(&log->trace, TRACE_ACTUAL, 524288, 0, &when, &writes), 0);
	assert_int_equal(writes, 2);
	assert_true(when > 1795239911.4069 && when < 1795239911.4070);
}

static void a_status_with_more_bits_is_enough(void **state)
{
	struct log *log = *state;
	double when;

	write_log(log, ACTUAL_1 STATUS);
	assert_int_equal(trace_wait(&log->trace, TRACE_STATUS, 4, 0, &when, NULL), 0);
	write_log(log, STATUS);
	assert_int_equal(trace_wait(&log->trace, TRACE_STATUS, 64, 0, &when, NULL), -ETIMEDOUT);
}

static void half_a_line_is_no_line(void **state)
{
	struct log *log = *state;
	double when;

	/* "actual: 52" is another number than it will be. */
	write_log(log, "1@2.000003:virtio_balloon_set_config actual: 52");
	assert_int_equal(trace_wait(&log->trace, TRACE_ACTUAL, 52, 0, &when, NULL), -ETIMEDOUT);
	write_log(log, "4288 oldactual: 0\n");
	assert_int_equal(trace_wait(&log->trace, TRACE_ACTUAL, 524288, 0, &when, NULL), 0);
}

static void what_was_skipped_does_not_come_back(void **state)
{
	struct log *log = *state;
	double when;

	for (int i = 0; i < 1000; i++)
		write_log(log, ACTUAL_1);
	trace_skip(&log->trace);
	assert_int_equal(trace_wait(&log->trace, TRACE_ACTUAL, 258048, 0, &when, NULL), -ETIMEDOUT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(waits_for_the_value_and_counts_the_writes),
		TEST(a_status_with_more_bits_is_enough),
		TEST(half_a_line_is_no_line),
		TEST(what_was_skipped_does_not_come_back),
	};

	return cmocka_run_group_tests_name("bench/trace", tests, NULL, NULL);
}
