/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/guest_thread.c over a backend that blocks when it is told to, and over
 * libvirt and a daemon that accepts and says nothing.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/guest_thread.h"
#include "tools/deadline.h"

/* What a thread that was left behind in libvirt has not freed yet: that is no leak of ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libcrypto\nleak:libvirt\nleak:libtls\nleak:libgnutls";
}

#define LONG_MS 60000 /* for answers that come */
#define SHORT_MS 100  /* for those that do not */
#define ALARM_S 60u   /* for ever */

/* ---- a backend that blocks ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool blocks;
static unsigned inside, calls, closed;
static bool halted;

/* Each operation begins with this. */
static void enter(void)
{
	pthread_mutex_lock(&lock);
	inside++;
	calls++;
	pthread_cond_broadcast(&changed);
	while (blocks)
		pthread_cond_wait(&changed, &lock);
	inside--;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void set_blocks(bool value)
{
	pthread_mutex_lock(&lock);
	blocks = value;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static unsigned nr_inside(void)
{
	unsigned is;

	pthread_mutex_lock(&lock);
	is = inside;
	pthread_mutex_unlock(&lock);
	return is;
}

/* Of the connections that are closed at some time. */
static void wait_until_closed(unsigned count)
{
	pthread_mutex_lock(&lock);
	while (closed < count)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static int open_fake(struct guest *guest, const char *name)
{
	enter();
	guest->connection = guest;
	return strcmp(name, "bad") ? 0 : guest_fail(guest, -EPERM, "not this one");
}

static void close_fake(struct guest *guest)
{
	(void)guest;
	pthread_mutex_lock(&lock);
	closed++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static const struct guest_mem_device device = { .name = "m0", .block = MIB, .region = 8 * MIB };

static int state_fake(struct guest *guest, struct guest_state *state)
{
	enter();
	assert(guest->connection == guest);
	guest_account_device(state, &device);
	guest_account(state, 7 * MIB, 5 * MIB);
	return 0;
}

static int set_target_fake(struct guest *guest, uint64_t bytes_left)
{
	enter();
	return bytes_left == 3 * MIB ? 0 : guest_fail(guest, -ERANGE, "no such size");
}

static int request_fake(struct guest *guest, const char *name, uint64_t bytes)
{
	enter();
	return !strcmp(name, "m0") && bytes == 3 * MIB
		       ? 0
		       : guest_fail(guest, -ENOTSUP, "%s cannot", name);
}

static int find_driver_fake(struct guest *guest, const char *name, bool *driver_ok)
{
	(void)guest;
	enter();
	*driver_ok = !strcmp(name, "m0");
	return 0;
}

static int stats_fake(struct guest *guest, struct guest_stats *stats)
{
	(void)guest;
	enter();
	stats->interval = 9;
	return 0;
}

static int set_interval_fake(struct guest *guest, unsigned seconds)
{
	enter();
	return seconds == 4 ? 0 : guest_fail(guest, -EREMOTEIO, "no");
}

static int cost_fake(struct guest *guest, struct guest_cost *cost)
{
	(void)guest;
	enter();
	cost->cpu_ms = 11;
	return 0;
}

static int peek_fake(struct guest *guest, uint64_t paddr, void *to, size_t size)
{
	enter();
	memset(to, (int)(paddr & 0xff), size);
	return paddr < MIB ? 0 : guest_fail(guest, -EREMOTEIO, "no memory there");
}

static int halt_fake(struct guest *guest, bool *ran)
{
	(void)guest;
	enter();
	*ran = !halted;
	halted = true;
	return 0;
}

static int resume_fake(struct guest *guest)
{
	(void)guest;
	enter();
	halted = false;
	return 0;
}

static const struct guest_backend fake = {
	.open = open_fake,
	.close = close_fake,
	.state = state_fake,
	.set_target = set_target_fake,
	.request = request_fake,
	.find_driver = find_driver_fake,
	.stats = stats_fake,
	.set_interval = set_interval_fake,
	.cost = cost_fake,
	.peek = peek_fake,
	.halt = halt_fake,
	.resume = resume_fake,
};

static struct guest *new_guest(int time_ms)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	assert_non_null(guest);
	guest->deadline = deadline_in(time_ms);
	return guest;
}

static int begin(void **state)
{
	(void)state;
	set_blocks(false);
	closed = calls = 0;
	alarm(ALARM_S);
	return 0;
}

static int end(void **state)
{
	(void)state;
	alarm(0);
	return 0;
}

/* ---- tests ---- */

static void all_that_is_asked_is_passed_on(void **state)
{
	struct guest *guest = new_guest(LONG_MS);
	struct guest_state gives;
	struct guest_stats stats;
	struct guest_cost cost;
	char memory[4] = "";
	bool ran;

	(void)state;
	assert_int_equal(guest_thread_open(guest, &fake, "x"), 0);
	assert_true(guest_may_be_kept(guest));
	assert_int_equal(guest_state(guest, &gives), 0);
	assert_true(gives.ram == 7 * MIB && gives.left == 5 * MIB && gives.taken == 2 * MIB);
	assert_int_equal(guest_set_target(guest, 3 * MIB), 0);
	assert_int_equal(guest_set_target(guest, 4 * MIB), -ERANGE);
	assert_string_equal(guest_error(guest), "no such size");
	assert_int_equal(guest_request(guest, "m0", 3 * MIB), 0);
	assert_int_equal(guest_request(guest, "m0", 4 * MIB), -ENOTSUP);
	assert_string_equal(guest_error(guest), "m0 cannot");
	ran = false;
	assert_int_equal(guest_find_driver(guest, "m0", &ran), 0);
	assert_true(ran);
	assert_int_equal(guest_stats(guest, &stats), 0);
	assert_int_equal(stats.interval, 9);
	assert_int_equal(guest_set_interval(guest, 4), 0);
	assert_int_equal(guest_set_interval(guest, 5), -EREMOTEIO);
	assert_int_equal(guest_cost(guest, &cost), 0);
	assert_int_equal(cost.cpu_ms, 11);
	assert_int_equal(guest_peek(guest, 0x17, memory, 3), 0);
	assert_memory_equal(memory, "\x17\x17\x17", 4);
	assert_int_equal(guest_peek(guest, MIB, memory, 3), -EREMOTEIO);
	assert_memory_equal(memory, "\x17\x17\x17", 4);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(guest_halt(guest, &ran), 0);
		assert_int_equal(ran, i == 0);
	}
	assert_int_equal(guest_resume(guest), 0);
	assert_int_equal(guest_halt(guest, &ran), 0);
	assert_true(ran);
	guest_close(guest);
	assert_int_equal(closed, 1);
}

static void guest_that_does_not_open_says_why(void **state)
{
	struct guest *guest = new_guest(LONG_MS);

	(void)state;
	assert_int_equal(guest_thread_open(guest, &fake, "bad"), -EPERM);
	assert_string_equal(guest_error(guest), "not this one");
	guest_close(guest);
	/* As guest_backend.h has it. */
	assert_int_equal(closed, 1);
}

static void call_that_blocks_is_left_behind(void **state)
{
	struct guest *guest = new_guest(LONG_MS);
	struct guest_state gives;

	(void)state;
	assert_int_equal(guest_thread_open(guest, &fake, "x"), 0);
	set_blocks(true);
	do {
		guest_set_deadline(guest, deadline_in(SHORT_MS));
		assert_int_equal(guest_state(guest, &gives), -ETIMEDOUT);
	} while (nr_inside() == 0);
	assert_string_equal(guest_error(guest), "x: no answer from libvirt in time");
	/* Nothing is asked as long as it blocks. */
	guest_set_deadline(guest, deadline_in(SHORT_MS));
	assert_int_equal(guest_set_interval(guest, 4), -ETIMEDOUT);
	assert_int_equal(calls, 2);
	guest_close(guest);
	assert_int_equal(closed, 0);
	/* The thread does what is left when it can. */
	set_blocks(false);
	wait_until_closed(1);
}

static void answer_that_comes_late_is_not_that_to_the_next_question(void **state)
{
	struct guest *guest = new_guest(LONG_MS);
	struct guest_state gives;
	struct guest_stats stats;

	(void)state;
	assert_int_equal(guest_thread_open(guest, &fake, "x"), 0);
	set_blocks(true);
	guest_set_deadline(guest, deadline_in(SHORT_MS));
	assert_int_equal(guest_state(guest, &gives), -ETIMEDOUT);
	set_blocks(false);
	guest_set_deadline(guest, deadline_in(LONG_MS));
	assert_int_equal(guest_stats(guest, &stats), 0);
	assert_int_equal(stats.interval, 9);
	guest_close(guest);
}

static void nothing_is_asked_after_the_deadline(void **state)
{
	struct guest *guest = new_guest(LONG_MS);

	(void)state;
	assert_int_equal(guest_thread_open(guest, &fake, "x"), 0);
	guest_set_deadline(guest, deadline_in(-1));
	assert_int_equal(guest_set_interval(guest, 4), -ETIMEDOUT);
	guest_close(guest);
	wait_until_closed(1);
	assert_int_equal(calls, 1);
}

static void only_so_many_calls_are_left_behind(void **state)
{
	struct guest *guest;

	(void)state;
	set_blocks(true);
	while (nr_inside() < GUEST_THREADS_LEFT_MAX) {
		guest = new_guest(1);
		assert_int_equal(guest_thread_open(guest, &fake, "x"), -ETIMEDOUT);
		guest_close(guest);
	}
	guest = new_guest(LONG_MS);
	assert_int_equal(guest_thread_open(guest, &fake, "x"), -ETIMEDOUT);
	assert_says(guest_error(guest), "64 calls of libvirt hang already");
	guest_close(guest);
	set_blocks(false);
	wait_until_closed(GUEST_THREADS_LEFT_MAX);
	/* They are counted off a moment after that. */
	guest = new_guest(LONG_MS);
	while (guest_thread_open(guest, &fake, "x")) {
		guest_close(guest);
		usleep(1000);
		guest = new_guest(LONG_MS);
	}
	guest_close(guest);
}

/* A socket that takes connections and never says a word. */
static void libvirt_that_says_nothing_is_not_waited_for(void **state)
{
	char dir[] = "/tmp/balloonctl-XXXXXX", path[64], name[128];
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct outcome got;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sock", dir);
	strcpy(addr.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 5), 0);
	snprintf(name, sizeof(name), "qemu+unix:///system?socket=%s#web", path);
	run_within(300);
	got = run_command(name, "set", "1G", "--wait", NULL);
	/* Built without libvirt it says so. */
	if (!strstr(got.err, "built without libvirt")) {
		assert_int_equal(got.status, EXIT_TIMEOUT);
		assert_says(got.err, "no answer from libvirt in time");
	}
	close(fd);
	unlink(path);
	rmdir(dir);
}

/*
 * A thread that was left to itself may still be at its end. What libvirt keeps for each thread
 * must not be freed while the process ends and frees it as well.
 */
static int wait_for_the_last_thread(void **state)
{
	int64_t deadline = deadline_in(LONG_MS);
	struct stat tasks;

	(void)state;
	/* A link for each thread, and two of every folder. */
	while (stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3) {
		if (deadline_left(deadline) == 0)
			fail_msg("waited %d s in vain for threads to end", LONG_MS / 1000);
		usleep(1000);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_that_is_asked_is_passed_on, begin, end),
		cmocka_unit_test_setup_teardown(guest_that_does_not_open_says_why, begin, end),
		cmocka_unit_test_setup_teardown(call_that_blocks_is_left_behind, begin, end),
		cmocka_unit_test_setup_teardown(
			answer_that_comes_late_is_not_that_to_the_next_question, begin, end),
		cmocka_unit_test_setup_teardown(nothing_is_asked_after_the_deadline, begin, end),
		cmocka_unit_test_setup_teardown(only_so_many_calls_are_left_behind, begin, end),
		cmocka_unit_test_setup_teardown(libvirt_that_says_nothing_is_not_waited_for, begin,
						end),
	};

	return cmocka_run_group_tests_name("balloonctl/guest_thread", tests, NULL,
					   wait_for_the_last_thread);
}
