/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/poller.c and guest_set.c: guests that come, go and hang,
 * and somebody who never waits for them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/guest_set.h"
#include "tools/balloonctl/poller.h"
#include "tools/deadline.h"

#define PATIENCE_MS 60000

static const struct poller_rate often = { .interval_ms = 20, .timeout_ms = PATIENCE_MS };
static const struct poller_rate seldom = { .interval_ms = 3600000, .timeout_ms = PATIENCE_MS };

/* The next sample after *sample. */
static void next(struct poller *poller, struct sample *sample)
{
	assert_true(poller_wait(poller, sample->number, PATIENCE_MS, sample));
}

static void next_with(struct poller *poller, int err, struct sample *sample)
{
	int64_t deadline = deadline_in(PATIENCE_MS);

	do
		next(poller, sample);
	while (sample->err != err && deadline_left(deadline));
	assert_int_equal(sample->err, err);
}

/* A guest, and a poller that looks at it often. */
static struct poller *start(const struct fake_qemu *qemu, struct fake_place *place)
{
	struct poller *poller;

	fake_qemu_start(qemu, place);
	assert_int_equal(poller_start(place->path, &often, &poller), 0);
	return poller;
}

static void end(struct poller *poller, struct fake_place *place)
{
	poller_stop(poller);
	fake_qemu_stop(place);
}

static void samples_hold_what_the_guest_says(void **state)
{
	struct fake_qemu qemu = { .left_before = 768 * MIB };
	struct sample sample = { 0 };
	struct fake_place place;
	struct poller *poller;
	uint64_t value;

	(void)state;
	/* The first of them, for the next one is an hour later. */
	fake_qemu_start(&qemu, &place);
	assert_int_equal(poller_start(place.path, &seldom, &poller), 0);
	next(poller, &sample);
	assert_int_equal(sample.number, 1);
	assert_int_equal(sample.err, 0);
	assert_int_equal(sample.state.ram, FAKE_RAM);
	assert_int_equal(sample.state.left, 768 * MIB);
	/* It has a process, which costs something, and has not sent statistics. */
	assert_true(sample.has_cost && sample.cost.resident > 0);
	assert_true(sample.has_stats);
	assert_false(sample_stat(&sample, STAT_FREE_MEMORY, &value));
	end(poller, &place);
	poller = start(&qemu, &place);
	sample.number = 0;
	next(poller, &sample);
	next(poller, &sample);
	assert_true(sample.number >= 2);
	end(poller, &place);
}

/* Whatever one part says, another can make it worthless. */
static void statistic_is_known_only_if_all_say_so(void **state)
{
	struct sample sample = { .has_stats = true,
				 .stats = { .ever = true, .present = 1u << STAT_FREE_MEMORY } };
	uint64_t value = 1;

	(void)state;
	sample.stats.value[STAT_FREE_MEMORY] = 42;
	assert_true(sample_stat(&sample, STAT_FREE_MEMORY, &value));
	assert_int_equal(value, 42);
	assert_false(sample_stat(&sample, STAT_AVAILABLE_MEMORY, &value));
	sample.err = -ENOTCONN;
	assert_false(sample_stat(&sample, STAT_FREE_MEMORY, &value));
	sample.err = 0;
	sample.has_stats = false;
	assert_false(sample_stat(&sample, STAT_FREE_MEMORY, &value));
	sample.has_stats = true;
	sample.stats.ever = false;
	assert_false(sample_stat(&sample, STAT_FREE_MEMORY, &value));
	assert_int_equal(value, 42);
}

/* Somebody who connects and stays. */
static int hold(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char greeting;

	strcpy(addr.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(read(fd, &greeting, 1), 1);
	return fd;
}

/* As long as somebody else is connected nothing is asked, and nothing is lost. */
static void busy_guest_is_not_gone(void **state)
{
	static const struct poller_rate rate = { .interval_ms = 20, .timeout_ms = 500 };
	struct fake_qemu qemu = { .left_before = 768 * MIB };
	struct sample sample = { 0 }, seen;
	struct fake_place place;
	struct poller *poller;
	int other;

	(void)state;
	fake_qemu_start(&qemu, &place);
	assert_int_equal(poller_start(place.path, &rate, &poller), 0);
	next_with(poller, 0, &sample);
	other = hold(place.path);
	next_with(poller, -EBUSY, &sample);
	assert_int_equal(sample_condition(&sample), CONDITION_BUSY);
	assert_non_null(strstr(sample.error, "another client"));
	assert_int_equal(sample.state.left, 768 * MIB);
	assert_true(sample.seen > 0 && sample.seen < sample.time);
	seen = sample;
	next(poller, &sample);
	assert_int_equal(sample.err, -EBUSY);
	assert_int_equal(sample.seen, seen.seen);
	close(other);
	next_with(poller, 0, &sample);
	assert_int_equal(sample.seen, sample.time);
	end(poller, &place);
}

/* One that says nothing to us, and serves nobody else either; another one does. */
static void silent_guest_is_not_busy(void **state)
{
	static const struct poller_rate rate = { .interval_ms = 20, .timeout_ms = 200 };
	struct fake_qemu silent = { .greeting = FAKE_SAYS_NOTHING }, held = { 0 };
	struct fake_place place, elsewhere;
	struct sample sample = { 0 };
	struct poller *poller;
	int other;

	(void)state;
	fake_qemu_start(&held, &elsewhere);
	other = hold(elsewhere.path);
	fake_qemu_start(&silent, &place);
	assert_int_equal(poller_start(place.path, &rate, &poller), 0);
	/* The first one: later ones may find something else. */
	next(poller, &sample);
	assert_int_equal(sample.err, -ETIMEDOUT);
	assert_int_equal(sample_condition(&sample), CONDITION_NO_ANSWER);
	assert_int_equal(sample.seen, 0);
	close(other);
	fake_qemu_stop(&elsewhere);
	end(poller, &place);
}

/* It has not noticed that its last client is gone. */
static void guest_that_is_stopped_is_not_busy(void **state)
{
	static const struct poller_rate rate = { .interval_ms = 20, .timeout_ms = 200 };
	struct fake_qemu qemu = { 0 };
	struct sample sample = { 0 };
	struct fake_place place;
	struct poller *poller;
	int other;

	(void)state;
	fake_qemu_start(&qemu, &place);
	other = hold(place.path);
	kill(place.pid, SIGSTOP);
	close(other);
	assert_int_equal(poller_start(place.path, &rate, &poller), 0);
	/* The first one: later ones may find something else. */
	next(poller, &sample);
	assert_int_equal(sample.err, -ETIMEDOUT);
	end(poller, &place);
}

/* Those who wait for their turn are not served, whoever else waits. */
static void guest_that_accepts_nobody_is_not_busy(void **state)
{
	static const struct poller_rate rate = { .interval_ms = 20, .timeout_ms = 200 };
	struct fake_qemu qemu = { .deaf = true };
	struct sample sample = { 0 };
	struct fake_place place;
	struct poller *poller;

	(void)state;
	fake_qemu_start(&qemu, &place);
	assert_int_equal(poller_start(place.path, &rate, &poller), 0);
	/* The first one: later ones may find something else. */
	next(poller, &sample);
	assert_int_equal(sample.err, -ETIMEDOUT);
	end(poller, &place);
}

/* One client at a time: between two looks others are served. */
static void others_get_their_turn(void **state)
{
	struct fake_qemu qemu = { 0 };
	struct fake_place place;
	struct sample sample = { 0 };
	struct poller *poller;

	(void)state;
	fake_qemu_start(&qemu, &place);
	assert_int_equal(poller_start(place.path,
				      &(struct poller_rate){ .interval_ms = 3600000,
							     .timeout_ms = PATIENCE_MS },
				      &poller),
			 0);
	next(poller, &sample);
	assert_int_equal(run_command(place.path, "status", NULL).status, EXIT_REACHED);
	end(poller, &place);
}

static void guest_that_dies_is_gone_until_it_is_back(void **state)
{
	struct fake_qemu qemu = { 0 }, other = { .left_before = 512 * MIB };
	struct fake_place place, back;
	struct sample sample = { 0 };
	struct poller *poller;

	(void)state;
	poller = start(&qemu, &place);
	next_with(poller, 0, &sample);
	fake_qemu_stop(&place);
	next_with(poller, -ENOENT, &sample);
	assert_non_null(strstr(sample.error, place.dir));
	assert_int_equal(sample.state.ram, 0);
	/* Another at the same place. */
	fake_qemu_start(&other, &back);
	assert_int_equal(mkdir(place.dir, 0700), 0);
	assert_int_equal(rename(back.path, place.path), 0);
	next_with(poller, 0, &sample);
	assert_int_equal(sample.state.left, 512 * MIB);
	poller_stop(poller);
	place.pid = back.pid;
	fake_qemu_stop(&place);
	rmdir(back.dir);
}

static void connection_that_breaks_is_made_anew(void **state)
{
	/* More than once, as only the newest sample is there to be seen. */
	static const struct fake_answer answers[] = {
		{ .asks = "query-balloon", .times = 50, .hang_up = true },
		{ 0 },
	};
	struct fake_qemu qemu = { .answers = answers };
	struct fake_place place;
	struct sample sample = { 0 };
	struct poller *poller;

	(void)state;
	poller = start(&qemu, &place);
	next_with(poller, -ECONNRESET, &sample);
	next_with(poller, 0, &sample);
	assert_int_equal(sample.state.left, FAKE_RAM);
	end(poller, &place);
}

/* Nothing here waits for it; the time that is measured is our own. */
static void guest_that_hangs_holds_up_nobody(void **state)
{
	struct fake_qemu qemu = { 0 };
	struct fake_place place;
	struct sample sample = { 0 };
	struct poller *poller;

	(void)state;
	fake_qemu_start(&qemu, &place);
	kill(place.pid, SIGSTOP);
	assert_int_equal(poller_start(place.path, &often, &poller), 0);
	poller_latest(poller, &sample);
	assert_int_equal(sample.number, 0);
	assert_false(poller_wait(poller, 0, 50, &sample));
	poller_ask_stop(poller);
	poller_stop(poller);
	/* The thread ends when its guest does, and frees all it has. */
	fake_qemu_stop(&place);
}

static void machine_without_a_balloon_is_no_guest(void **state)
{
	struct fake_qemu qemu = { .no_device = true };
	struct fake_place place;
	struct sample sample = { 0 };
	struct poller *poller;

	(void)state;
	poller = start(&qemu, &place);
	next(poller, &sample);
	assert_int_equal(sample.err, -ENODEV);
	assert_true(strlen(sample.error) > 0);
	end(poller, &place);
}

static void memory_that_comes_and_goes_is_seen_without_a_balloon(void **state)
{
	const struct fake_mem mem = { .id = "m0", .block = MIB, .region = MIB, .requested = MIB };
	const struct fake_qemu qemu = { .no_device = true, .mems = &mem, .nr_mems = 1 };
	struct fake_place place;
	struct sample sample = { 0 };
	struct poller *poller;

	(void)state;
	poller = start(&qemu, &place);
	next(poller, &sample);
	assert_int_equal(sample.err, 0);
	assert_int_equal(sample_condition(&sample), CONDITION_UP);
	assert_true(sample.state.lacks_balloon && sample.state.grown == MIB);
	assert_false(sample.has_stats);
	end(poller, &place);
}

static void same_name_is_one_guest(void **state)
{
	char one[] = "/nowhere/one.qmp", two[] = "/nowhere/two.qmp";
	char *names[] = { one, two, one };
	struct common common = { .guest = "/nowhere/not-this.qmp" };
	struct guest_set set;

	(void)state;
	assert_int_equal(guest_set_open(&set, &common, names, 3, &often), EXIT_REACHED);
	assert_int_equal(set.count, 2);
	assert_string_equal(poller_name(set.pollers[1]), two);
	guest_set_find(&set);
	assert_int_equal(set.count, 2);
	guest_set_close(&set);
	assert_int_equal(guest_set_open(&set, &common, NULL, 0, &often), EXIT_REACHED);
	assert_int_equal(set.count, 1);
	assert_string_equal(poller_name(set.pollers[0]), common.guest);
	guest_set_close(&set);
}

/* A socket in the runtime folder, which may be dead. */
static void put_socket(const char *folder, const char *name)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.qmp", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
}

static void remove_socket(const char *folder, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s.qmp", folder, name);
	unlink(path);
}

static void new_guests_are_found_and_old_ones_kept(void **state)
{
	char base[] = "/tmp/balloonctl-XXXXXX", folder[64];
	struct common common = { 0 };
	struct guest_set set;

	(void)state;
	assert_non_null(mkdtemp(base));
	setenv("XDG_RUNTIME_DIR", base, 1);
	assert_int_equal(guest_set_open(&set, &common, NULL, 0, &often), EXIT_REACHED);
	assert_int_equal(set.count, 0);
	snprintf(folder, sizeof(folder), "%s/aerostat-%u", base, (unsigned)geteuid());
	assert_int_equal(mkdir(folder, 0700), 0);
	put_socket(folder, "web");
	guest_set_find(&set);
	assert_int_equal(set.count, 1);
	put_socket(folder, "db");
	remove_socket(folder, "web");
	guest_set_find(&set);
	assert_int_equal(set.count, 2);
	assert_string_equal(poller_name(set.pollers[0]), "web");
	assert_string_equal(poller_name(set.pollers[1]), "db");
	guest_set_close(&set);
	remove_socket(folder, "db");
	rmdir(folder);
	rmdir(base);
	unsetenv("XDG_RUNTIME_DIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_hold_what_the_guest_says),
		cmocka_unit_test(statistic_is_known_only_if_all_say_so),
		cmocka_unit_test(busy_guest_is_not_gone),
		cmocka_unit_test(silent_guest_is_not_busy),
		cmocka_unit_test(guest_that_is_stopped_is_not_busy),
		cmocka_unit_test(guest_that_accepts_nobody_is_not_busy),
		cmocka_unit_test(others_get_their_turn),
		cmocka_unit_test(guest_that_dies_is_gone_until_it_is_back),
		cmocka_unit_test(connection_that_breaks_is_made_anew),
		cmocka_unit_test(guest_that_hangs_holds_up_nobody),
		cmocka_unit_test(machine_without_a_balloon_is_no_guest),
		cmocka_unit_test(memory_that_comes_and_goes_is_seen_without_a_balloon),
		cmocka_unit_test(same_name_is_one_guest),
		cmocka_unit_test(new_guests_are_found_and_old_ones_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
