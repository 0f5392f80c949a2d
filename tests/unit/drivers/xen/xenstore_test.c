/* SPDX-License-Identifier: BSD-2-Clause */
/* The store's client: values, nodes that are followed, several askers, and time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/barrier.h"
#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/xen/xenstore_internal.h"
#include "tests/sim/sim_log.h"
#include "tests/unit/drivers/xen/xenstore_fixture.h"

static int tear_down(void **state)
{
	(void)state;
	if (!fixture_end())
		return -1;
	if (daemon_side.violation)
		fprintf(stderr, "violation: %s\n", daemon_side.violation);
	return daemon_side.violation ? -1 : 0;
}

static void run(void (*fn)(void *))
{
	sim_tasks_run(fn, NULL);
}

static void start(void)
{
	assert_int_equal(xenstore_start(), 0);
	assert_null(xenstore_fault());
}

/* ---- What tests ask ---- */

static char value[XENSTORE_PAYLOAD_MAX + 1];
static size_t length;

static int read_value(const char *path)
{
	memset(value, '?', sizeof(value));
	length = 12345;
	return xenstore_read(path, value, sizeof(value), &length);
}

static void assert_reads(const char *path, const char *expected)
{
	assert_int_equal(read_value(path), 0);
	assert_string_equal(value, expected);
	assert_int_equal(length, strlen(expected));
}

static void assert_fails(const char *path, int err)
{
	assert_int_equal(read_value(path), err);
	assert_int_equal(length, 12345);
	assert_int_equal(value[0], '?');
}

static struct xenstore_counts counts(void)
{
	struct xenstore_counts now;

	xenstore_get_counts(&now);
	return now;
}

static struct wait_queue waiters;
static struct xenstore_node target, control;

/* Waits until the target was found changed so often. */
static void wait_for_changes(uint64_t changes)
{
	uint64_t deadline = clock_ns() + 2 * NS_PER_S;
	uint64_t flags = irq_save();

	while (target.changes < changes && task_wait(&waiters, deadline))
		;
	irq_restore(flags);
	assert_int_equal(target.changes, changes);
}

static void follow_target(void)
{
	target = (struct xenstore_node){ .path = "memory/target", .waiters = &waiters };
	assert_int_equal(xenstore_follow(&target), 0);
}

/* ---- The start ---- */

static void ask_without_store(void *arg)
{
	struct xenstore_node node = { .path = "memory/target" };

	(void)arg;
	assert_fails("name", -ENODEV);
	assert_int_equal(xenstore_write("data", "1"), -ENODEV);
	assert_int_equal(xenstore_follow(&node), -ENODEV);
	assert_null(xenstore_fault());
}

static void before_the_start_there_is_no_store(void **state)
{
	(void)state;
	run(ask_without_store);
}

static void start_in_vain(void *arg)
{
	int *err = arg;

	*err = xenstore_start();
}

static void assert_start_fails(int expected)
{
	int err = 0;

	sim_tasks_run(start_in_vain, &err);
	assert_int_equal(err, expected);
	assert_int_equal(sim_tasks_left(), 0);
	assert_int_equal(sim_log_warnings, 0);
	fixture_set_up(NULL);
}

static void without_a_page_or_a_port_there_is_no_store(void **state)
{
	(void)state;
	fixture_pfn = 0;
	assert_start_fails(-ENODEV);
	fixture_pfn = UINT64_MAX;
	assert_start_fails(-ENODEV);
	fixture_port = 0;
	assert_start_fails(-ENODEV);
	fixture_port = XEN_EVENT_PORTS;
	assert_start_fails(-ENODEV);
	fixture_map_err = -ENOMEM;
	assert_start_fails(-ENODEV);
	assert_int_equal(fixture_notified, 0);
}

static void start_without_stack(void *arg)
{
	(void)arg;
	sim_tasks_stack_err = -ENOMEM;
	assert_int_equal(xenstore_start(), -ENOMEM);
	sim_tasks_stack_err = 0;
	ask_without_store(NULL);
}

static void without_a_task_there_is_no_store(void **state)
{
	(void)state;
	run(start_without_stack);
	assert_int_equal(daemon_side.requests[XENSTORE_RESET_WATCHES], 0);
}

static void start_and_read(void *arg)
{
	(void)arg;
	start();
	assert_reads("name", "guest");
}

static void what_another_image_left_is_forgotten(void **state)
{
	(void)state;
	/* It has asked, read half of an answer, and follows a node; its counts have wrapped. */
	fixture_page.request_cons = fixture_page.request_prod = UINT32_MAX - 5;
	fixture_page.response_cons = UINT32_MAX - 10;
	fixture_page.response_prod = 7;
	daemon_side.request_cons = UINT32_MAX - 5;
	daemon_side.response_prod = 7;
	daemon_side.watch[3] = (struct sim_xenstore_watch){ true, "control", "old" };
	run(start_and_read);
	for (unsigned i = 0; i < SIM_XENSTORE_WATCHES; i++)
		assert_false(daemon_side.watch[i].used);
	assert_int_equal(counts().requests, 2);
	assert_int_equal(counts().unknown, 0);
}

static void a_store_that_cannot_reset_watches_is_used(void **state)
{
	(void)state;
	daemon_side.old = true;
	run(start_and_read);
	assert_int_equal(sim_log_warnings, 0);
}

static void hear_again(void)
{
	daemon_side.lie = SIM_XENSTORE_HONEST;
}

static void start_after_a_lie(void *arg)
{
	void (*notify)(void *arg) = daemon_side.notify;
	struct xenstore_header last;

	(void)arg;
	assert_int_equal(xenstore_start(), -EIO);
	assert_non_null(xenstore_fault());
	assert_fails("name", -EIO);
	/* Its task has ended by then. */
	task_yield();
	memcpy(&last, daemon_side.in, sizeof(last));
	sim_xenstore_begin(&daemon_side, &fixture_page);
	sim_xenstore_set(&daemon_side, "name", "guest");
	daemon_side.notify = notify;
	/* Now it answers rightly, before it hears anything new. */
	sim_xenstore_say(&daemon_side, last.type, last.id, "OK", 3);
	daemon_side.lie = SIM_XENSTORE_DEAF;
	fixture_on_turn = hear_again;
	start();
	assert_int_equal(daemon_side.requests[XENSTORE_RESET_WATCHES], 1);
	assert_reads("name", "guest");
	assert_int_equal(counts().unknown, 1);
}

static void a_store_that_was_given_up_can_be_started_again(void **state)
{
	unsigned listeners = fixture_listeners;

	(void)state;
	daemon_side.lie = SIM_XENSTORE_NO_TYPE;
	run(start_after_a_lie);
	assert_int_equal(sim_log_warnings, 1);
	assert_in_range(fixture_listeners - listeners, 0, 1);
}

static void start_again_without_stack(void *arg)
{
	uint64_t begin;

	(void)arg;
	daemon_side.lie = SIM_XENSTORE_NO_TYPE;
	assert_int_equal(xenstore_start(), -EIO);
	task_yield();
	begin = clock_ns();
	start_without_stack(NULL);
	assert_int_equal(clock_ns(), begin);
}

static void without_a_task_there_is_no_second_store(void **state)
{
	(void)state;
	run(start_again_without_stack);
	assert_int_equal(sim_log_warnings, 1);
}

/* ---- One value ---- */

static void read_values(void *arg)
{
	char small[6];

	(void)arg;
	start();
	assert_reads("name", "guest");
	assert_reads("/local/domain/1/memory/target", "65536");
	assert_reads("empty", "");
	assert_fails("nothing", -ENOENT);
	assert_fails("secret", -EACCES);
	assert_fails("a//b", -EINVAL);
	assert_fails("", -EINVAL);
	assert_int_equal(read_value("zeros"), 0);
	assert_int_equal(length, 5);
	assert_memory_equal(value, "a\0b\0c", 6);
	/* Its NUL does not fit; then it does. */
	assert_int_equal(xenstore_read("name", small, 5, &length), -E2BIG);
	assert_int_equal(xenstore_read("name", small, 6, &length), 0);
	assert_string_equal(small, "guest");
	assert_int_equal(xenstore_read("empty", small, 1, &length), 0);
	assert_reads("name", "guest");
}

static void values_are_read(void **state)
{
	(void)state;
	sim_xenstore_set(&daemon_side, "empty", "");
	sim_xenstore_set(&daemon_side, "secret", "x");
	sim_xenstore_find(&daemon_side, "secret")->secret = true;
	sim_xenstore_set_bytes(&daemon_side, "zeros", "a\0b\0c", 5);
	run(read_values);
	assert_int_equal(sim_log_warnings, 0);
	assert_int_equal(counts().requests, 12);
}

static void read_long_paths(void *arg)
{
	char path[XENSTORE_PATH_MAX + 2];

	(void)arg;
	start();
	memset(path, 'p', sizeof(path));
	path[XENSTORE_PATH_MAX + 1] = '\0';
	assert_fails(path, -EINVAL);
	assert_int_equal(xenstore_write(path, "x"), -EINVAL);
	path[XENSTORE_PATH_MAX] = '\0';
	assert_fails(path, -ENOENT);
	assert_int_equal(xenstore_write(path, "long"), 0);
	assert_reads(path, "long");
}

static void paths_have_a_bound(void **state)
{
	(void)state;
	run(read_long_paths);
}

static void write_values(void *arg)
{
	static char text[XENSTORE_PAYLOAD_MAX + 1];

	(void)arg;
	start();
	assert_int_equal(xenstore_write("data/a", "one"), 0);
	assert_reads("data/a", "one");
	assert_int_equal(xenstore_write("data/a", ""), 0);
	assert_reads("data/a", "");
	assert_int_equal(xenstore_write("/local/domain/0/name", "x"), -EACCES);
	assert_int_equal(xenstore_write("a//b", "x"), -EINVAL);
	/* With its path it fills a message, and then is one byte too long. */
	memset(text, 't', sizeof(text) - 1);
	text[XENSTORE_PAYLOAD_MAX - 2] = '\0';
	assert_int_equal(xenstore_write("l", text), 0);
	assert_reads("l", text);
	text[XENSTORE_PAYLOAD_MAX - 2] = 't';
	text[XENSTORE_PAYLOAD_MAX - 1] = '\0';
	assert_int_equal(xenstore_write("l", text), -E2BIG);
	assert_reads("name", "guest");
}

static void values_are_written(void **state)
{
	(void)state;
	run(write_values);
	assert_int_equal(daemon_side.requests[XENSTORE_WRITE], 5);
}

static void fill_store(void *arg)
{
	char path[8];
	int err = 0;

	(void)arg;
	start();
	for (unsigned i = 0; i < SIM_XENSTORE_NODES && err == 0; i++) {
		snprintf(path, sizeof(path), "n%u", i);
		err = xenstore_write(path, "x");
	}
	assert_int_equal(err, -ENOSPC);
}

static void a_domain_that_writes_too_much_is_told(void **state)
{
	(void)state;
	run(fill_store);
}

static void read_long_value(void *arg)
{
	char room[1000];

	(void)arg;
	start();
	assert_int_equal(read_value("long"), 0);
	assert_int_equal(length, XENSTORE_PAYLOAD_MAX);
	for (size_t i = 0; i < length; i++)
		assert_int_equal((unsigned char)value[i], i % 251);
	room[0] = '?';
	assert_int_equal(xenstore_read("long", room, sizeof(room), &length), -E2BIG);
	assert_int_equal(room[0], '?');
	assert_reads("name", "guest");
}

static void set_long_value(void)
{
	unsigned char bytes[XENSTORE_PAYLOAD_MAX];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i % 251);
	sim_xenstore_set_bytes(&daemon_side, "long", bytes, sizeof(bytes));
}

static void messages_larger_than_the_ring_come_whole(void **state)
{
	(void)state;
	set_long_value();
	run(read_long_value);
}

/* ---- Rings ---- */

static void write_beside_a_full_ring(void *arg)
{
	static char text[3000];

	(void)arg;
	start();
	memset(text, 't', sizeof(text) - 1);
	/* It reads what is there, and long after that what came since. */
	fixture_pause_ns = 100 * NS_PER_MS;
	assert_int_equal(xenstore_write("data/text", text), 0);
	assert_reads("data/text", text);
	fixture_pause_ns = 0;
}

static void a_full_ring_is_waited_for(void **state)
{
	(void)state;
	run(write_beside_a_full_ring);
	assert_true(sim_tasks_idle_ns > 500 * NS_PER_MS);
}

static void a_store_that_moves_single_bytes_is_as_good(void **state)
{
	(void)state;
	daemon_side.piece = 1;
	values_are_read(state);
	tear_down(state);
	fixture_set_up(state);
	daemon_side.piece = 7;
	set_long_value();
	run(read_long_value);
}

static void read_many(void *arg)
{
	char text[200], path[2] = "a";

	(void)arg;
	start();
	for (unsigned i = 0; i < 2000; i++) {
		memset(text, 'a' + (char)(i % 26), sizeof(text));
		text[i * 7 % sizeof(text)] = '\0';
		path[0] = (char)('a' + i % 5);
		assert_int_equal(xenstore_write(path, text), 0);
		assert_reads(path, text);
	}
}

static void counts_and_rings_wrap(void **state)
{
	(void)state;
	fixture_page.request_cons = fixture_page.request_prod = UINT32_MAX - 1500;
	fixture_page.response_cons = fixture_page.response_prod = UINT32_MAX - 100;
	daemon_side.request_cons = UINT32_MAX - 1500;
	daemon_side.response_prod = UINT32_MAX - 100;
	run(read_many);
	assert_true(fixture_page.request_prod < UINT32_MAX / 2);
	assert_true(fixture_page.response_cons < UINT32_MAX / 2);
}

static void the_other_side_is_told_only_of_news(void **state)
{
	(void)state;
	run(start_and_read);
	/* Two requests; there was room for all that was answered. */
	assert_int_equal(fixture_notified, 2);
}

static void read_one_that_fills(void *arg)
{
	char room[XENSTORE_RING_SIZE];

	start();
	fixture_notified = 0;
	assert_int_equal(xenstore_read("full", room, sizeof(room), &length), 0);
	assert_int_equal(length, *(size_t *)arg);
}

static void a_full_ring_of_answers_is_told_of_when_it_has_room(void **state)
{
	static const char bytes[XENSTORE_RING_SIZE];
	size_t fills = XENSTORE_RING_SIZE - sizeof(struct xenstore_header);

	(void)state;
	sim_xenstore_set_bytes(&daemon_side, "full", bytes, fills - 1);
	sim_tasks_run(read_one_that_fills, &(size_t){ fills - 1 });
	/* For the request alone. */
	assert_int_equal(fixture_notified, 1);
	tear_down(state);
	fixture_set_up(state);
	sim_xenstore_set_bytes(&daemon_side, "full", bytes, fills);
	sim_tasks_run(read_one_that_fills, &fills);
	assert_int_equal(fixture_notified, 2);
}

static void read_fast(void *arg)
{
	uint64_t begin;

	(void)arg;
	start();
	begin = clock_ns();
	for (unsigned i = 0; i < 50; i++)
		assert_reads("name", "guest");
	assert_in_range(clock_ns() - begin, 0, 5 * NS_PER_MS);
	/* As many events in front of each answer as a turn has not the time for. */
	follow_target();
	daemon_side.events_first = 20;
	begin = clock_ns();
	for (unsigned i = 0; i < 50; i++)
		assert_reads("name", "guest");
	assert_in_range(clock_ns() - begin, 0, 50 * NS_PER_MS);
	daemon_side.events_first = 0;
}

static void an_answer_wakes_its_asker(void **state)
{
	(void)state;
	run(read_fast);
}

/* ---- Nodes ---- */

static void assert_target(uint64_t changes, const char *expected)
{
	wait_for_changes(changes);
	assert_true(target.exists);
	assert_string_equal(target.value, expected);
	assert_int_equal(target.length, strlen(expected));
}

static void follow_and_see(void *arg)
{
	(void)arg;
	start();
	follow_target();
	assert_ptr_equal(xenstore_nodes(), &target);
	assert_target(1, "65536");
	sim_xenstore_set(&daemon_side, "memory/target", "70000");
	assert_target(2, "70000");
	sim_xenstore_remove(&daemon_side, "memory/target");
	wait_for_changes(3);
	assert_false(target.exists);
	assert_string_equal(target.value, "");
	sim_xenstore_set(&daemon_side, "memory/target", "");
	assert_target(4, "");
	sim_xenstore_set(&daemon_side, "memory/target", "1");
	assert_target(5, "1");
	task_sleep_until(clock_ns() + NS_PER_MS);
	assert_int_equal(counts().events, 5);
	assert_int_equal(counts().unknown, 0);
	assert_int_equal(daemon_side.requests[XENSTORE_READ], 5);
}

static void a_node_is_followed(void **state)
{
	(void)state;
	run(follow_and_see);
	/* By interrupts, not by looks once a second. */
	assert_true(sim_tasks_idle_ns < NS_PER_S / 10);
}

static void follow_what_does_not_change(void *arg)
{
	(void)arg;
	start();
	follow_target();
	sim_xenstore_set(&daemon_side, "memory/target", "65536");
	sim_xenstore_set(&daemon_side, "memory/target/below", "1");
	sim_xenstore_set(&daemon_side, "memory/targets", "1");
	task_sleep_until(clock_ns() + NS_PER_S);
	assert_target(1, "65536");
	assert_int_equal(counts().events, 3);
}

static void what_is_written_anew_is_no_change(void **state)
{
	(void)state;
	run(follow_what_does_not_change);
}

static void follow_nothing(void *arg)
{
	(void)arg;
	start();
	control = (struct xenstore_node){ .path = "control/shutdown" };
	assert_int_equal(xenstore_follow(&control), 0);
	assert_int_equal(control.changes, 1);
	assert_false(control.exists);
	follow_target();
	sim_xenstore_set(&daemon_side, "control/shutdown", "reboot");
	sim_xenstore_set(&daemon_side, "memory/target", "2");
	assert_target(2, "2");
	task_sleep_until(clock_ns() + NS_PER_MS);
	assert_int_equal(control.changes, 2);
	assert_string_equal(control.value, "reboot");
}

static void a_node_that_does_not_exist_is_followed(void **state)
{
	(void)state;
	run(follow_nothing);
}

static void follow_long_value(void *arg)
{
	char text[XENSTORE_NODE_MAX + 1];

	(void)arg;
	memset(text, 'x', sizeof(text));
	text[XENSTORE_NODE_MAX - 1] = '\0';
	sim_xenstore_set(&daemon_side, "memory/target", text);
	start();
	follow_target();
	assert_target(1, text);
	assert_false(target.cut);
	text[XENSTORE_NODE_MAX - 1] = 'x';
	text[XENSTORE_NODE_MAX] = '\0';
	sim_xenstore_set(&daemon_side, "memory/target", text);
	text[XENSTORE_NODE_MAX - 1] = '\0';
	assert_target(2, text);
	assert_true(target.cut);
	sim_xenstore_set(&daemon_side, "memory/target", text);
	assert_target(3, text);
	assert_false(target.cut);
}

static void a_longer_value_is_cut(void **state)
{
	(void)state;
	run(follow_long_value);
}

/* The value changes when its answer is on its way, after an event that is in front of that. */
static void change_behind_the_answer(void)
{
	if (daemon_side.requests[XENSTORE_READ] != 2)
		return;
	daemon_side.events_first = 0;
	memcpy(sim_xenstore_find(&daemon_side, "memory/target")->value, "33333", 5);
	fixture_on_turn = NULL;
}

static void follow_while_it_changes(void *arg)
{
	(void)arg;
	start();
	follow_target();
	daemon_side.events_first = 1;
	fixture_on_turn = change_behind_the_answer;
	sim_xenstore_set(&daemon_side, "memory/target", "22222");
	assert_target(2, "22222");
	assert_target(3, "33333");
	task_sleep_until(clock_ns() + NS_PER_S);
	assert_int_equal(daemon_side.requests[XENSTORE_READ], 3);
}

static void an_event_during_the_reading_has_it_read_again(void **state)
{
	(void)state;
	run(follow_while_it_changes);
}

static void follow_it_twice(void *arg)
{
	static struct xenstore_node second;

	(void)arg;
	start();
	follow_target();
	second = (struct xenstore_node){ .path = "memory/target" };
	assert_int_equal(xenstore_follow(&second), 0);
	assert_string_equal(second.value, "65536");
	sim_xenstore_set(&daemon_side, "memory/target", "2");
	assert_target(2, "2");
	task_sleep_until(clock_ns() + NS_PER_MS);
	assert_string_equal(second.value, "2");
	assert_int_equal(second.changes, 2);
}

static void two_follow_one_name(void **state)
{
	(void)state;
	run(follow_it_twice);
}

static void follow_in_vain(void *arg)
{
	(void)arg;
	start();
	target = (struct xenstore_node){ .path = "" };
	assert_int_equal(xenstore_follow(&target), -EINVAL);
	target.path = "a//b";
	assert_int_equal(xenstore_follow(&target), -EINVAL);
	/* An event comes with the answer: it is being read again when it is forgotten. */
	daemon_side.events_first = 1;
	target.path = "secret";
	assert_int_equal(xenstore_follow(&target), -EACCES);
	assert_null(xenstore_nodes());
	memset(&target, '?', sizeof(target));
	assert_reads("name", "guest");
	assert_int_equal(daemon_side.requests[XENSTORE_READ], 3);
	assert_int_equal(target.changes, UINT64_C(0x3f3f3f3f3f3f3f3f));
	assert_true(counts().unknown > 0);
	daemon_side.events_first = 0;
	follow_target();
	sim_xenstore_set(&daemon_side, "memory/target", "2");
	assert_target(2, "2");
}

static void a_name_that_may_not_be_read_is_not_followed(void **state)
{
	(void)state;
	sim_xenstore_set(&daemon_side, "secret", "x");
	sim_xenstore_find(&daemon_side, "secret")->secret = true;
	run(follow_in_vain);
	assert_int_equal(sim_log_warnings, 0);
}

static void follow_too_many(void *arg)
{
	static struct xenstore_node node[SIM_XENSTORE_WATCHES + 1];
	static char path[SIM_XENSTORE_WATCHES + 1][4];

	(void)arg;
	start();
	for (unsigned i = 0; i < SIM_XENSTORE_WATCHES; i++) {
		snprintf(path[i], sizeof(path[i]), "n%u", i);
		node[i].path = path[i];
		assert_int_equal(xenstore_follow(&node[i]), 0);
	}
	node[SIM_XENSTORE_WATCHES].path = "one-more";
	assert_int_equal(xenstore_follow(&node[SIM_XENSTORE_WATCHES]), -E2BIG);
	/* All are told of at once, and all are read, each in its turn. */
	for (unsigned i = 0; i < SIM_XENSTORE_WATCHES; i++)
		sim_xenstore_set(&daemon_side, path[i], "x");
	task_sleep_until(clock_ns() + 10 * NS_PER_MS);
	for (unsigned i = 0; i < SIM_XENSTORE_WATCHES; i++)
		assert_string_equal(node[i].value, "x");
}

static void as_many_as_the_store_allows_are_followed(void **state)
{
	(void)state;
	run(follow_too_many);
}

/* ---- Events without end ---- */

static void fire_all(void)
{
	sim_xenstore_fire_all(&daemon_side);
}

static void live_in_a_flood(void *arg)
{
	(void)arg;
	start();
	follow_target();
	control = (struct xenstore_node){ .path = "control/shutdown" };
	assert_int_equal(xenstore_follow(&control), 0);
	fixture_on_turn = fire_all;
	for (unsigned i = 0; i < 50; i++)
		assert_reads("name", "guest");
	sim_xenstore_set(&daemon_side, "memory/target", "2");
	sim_xenstore_set(&daemon_side, "control/shutdown", "halt");
	assert_target(2, "2");
	task_sleep_until(clock_ns() + 100 * NS_PER_MS);
	assert_string_equal(control.value, "halt");
	assert_true(counts().events > 1000);
	fixture_on_turn = NULL;
}

static void events_without_end_hold_up_nobody(void **state)
{
	(void)state;
	run(live_in_a_flood);
	assert_int_equal(sim_log_warnings, 0);
}

static void read_after_events(void *arg)
{
	(void)arg;
	start();
	follow_target();
	daemon_side.events_first = 30;
	for (unsigned i = 0; i < 10; i++)
		assert_reads("name", "guest");
	assert_int_equal(xenstore_write("memory/target", "3"), 0);
	assert_target(2, "3");
	assert_true(counts().events > 11 * 30);
	daemon_side.events_first = 0;
}

/* The daemon goes on while the store's task reads: there is never an end to what it reads. */
static bool floods;
static unsigned barriers;

void fake_barrier(enum fake_barrier kind)
{
	if (!floods || kind != FAKE_BARRIER_FULL)
		return;
	/* A turn is bounded: so others had theirs long before. */
	if (++barriers > 100000)
		abort();
	sim_xenstore_fire_all(&daemon_side);
	sim_xenstore_step(&daemon_side);
}

static void flood_from_within(void *arg)
{
	(void)arg;
	start();
	follow_target();
	sim_xenstore_fire_all(&daemon_side);
	xenstore_note_news();
	floods = true;
	for (unsigned i = 0; i < 20; i++) {
		barriers = 0;
		task_yield();
		assert_in_range(barriers, 0, 100);
	}
	assert_in_range(barriers, 10, 100);
	floods = false;
	assert_reads("name", "guest");
}

static void a_turn_has_an_end_though_the_messages_have_none(void **state)
{
	(void)state;
	run(flood_from_within);
	assert_int_equal(sim_log_warnings, 0);
}

static void events_in_front_of_answers_are_endured(void **state)
{
	(void)state;
	run(read_after_events);
	tear_down(state);
	fixture_set_up(state);
	daemon_side.piece = 1;
	run(read_after_events);
}

/* ---- Several askers ---- */

struct asker {
	char name;
	unsigned done;
};

static unsigned askers_left;

static void ask_again_and_again(void *arg)
{
	struct asker *asker = arg;
	char path[2] = { asker->name, 0 }, text[3], got[3];
	size_t size;

	for (; asker->done < 20; asker->done++) {
		snprintf(text, sizeof(text), "%u", asker->done);
		assert_int_equal(xenstore_write(path, text), 0);
		assert_int_equal(xenstore_read(path, got, sizeof(got), &size), 0);
		assert_string_equal(got, text);
	}
	askers_left--;
}

static void ask_all_at_once(void *arg)
{
	static const char *const names[] = { "a", "b", "c", "d", "e" };
	struct asker askers[ARRAY_SIZE(names)];

	(void)arg;
	start();
	follow_target();
	askers_left = ARRAY_SIZE(names);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		askers[i] = (struct asker){ *names[i], 0 };
		sim_tasks_add(names[i], ask_again_and_again, &askers[i]);
	}
	while (askers_left > 0) {
		task_sleep_until(clock_ns() + NS_PER_MS / 100);
		/* In turn: none is ever far ahead. */
		for (unsigned i = 1; i < ARRAY_SIZE(names); i++)
			assert_in_range(askers[i].done + 1, askers[0].done, askers[0].done + 2);
	}
	assert_int_equal(daemon_side.requests[XENSTORE_WRITE], ARRAY_SIZE(names) * 20);
}

static void several_tasks_ask_at_the_same_time(void **state)
{
	(void)state;
	run(ask_all_at_once);
	tear_down(state);
	fixture_set_up(state);
	daemon_side.piece = 3;
	daemon_side.events_first = 1;
	run(ask_all_at_once);
}

/* ---- Time ---- */

static void use_without_events(void *arg)
{
	uint64_t begin, idle;

	(void)arg;
	start();
	begin = clock_ns();
	assert_reads("name", "guest");
	assert_in_range(clock_ns() - begin, 0, 20 * NS_PER_MS);
	follow_target();
	/* Nothing is owed: no look but the one that all have in common. */
	task_sleep_until(task_next_look(clock_ns()) + NS_PER_MS);
	begin = clock_ns();
	idle = sim_tasks_alarms;
	sim_xenstore_set(&daemon_side, "memory/target", "2");
	wait_for_changes(2);
	assert_in_range(clock_ns() - begin, NS_PER_S / 2, NS_PER_S + 20 * NS_PER_MS);
	assert_in_range(sim_tasks_alarms - idle, 1, 6);
}

static void without_interrupts_a_look_once_a_second_finds_what_came(void **state)
{
	(void)state;
	fixture_no_events = true;
	run(use_without_events);
}

static void be_idle(void *arg)
{
	(void)arg;
	start();
	follow_target();
	task_sleep_until(task_next_look(clock_ns()) + NS_PER_MS);
	sim_tasks_alarms = 0;
	task_sleep_until(clock_ns() + 10 * NS_PER_S);
	assert_in_range(sim_tasks_alarms, 10, 30);
}

static void an_idle_store_wakes_nobody_but_once_a_second(void **state)
{
	(void)state;
	run(be_idle);
}

static void jump_ahead(void)
{
	sim_tasks_jump(3 * NS_PER_S);
}

static void read_while_stopped(void *arg)
{
	(void)arg;
	start();
	/* Each time before the daemon has its turn. */
	fixture_no_events = true;
	fixture_pause_ns = 10 * NS_PER_S;
	fixture_on_turn = jump_ahead;
	for (unsigned i = 0; i < 5; i++)
		assert_reads("name", "guest");
	fixture_on_turn = NULL;
}

static void a_guest_that_was_stopped_waits_on(void **state)
{
	(void)state;
	run(read_while_stopped);
	assert_int_equal(sim_log_warnings, 0);
}

static int slow_results[3];
static uint64_t slow_ns[3];

static void ask_slowly(void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;
	uint64_t begin = clock_awake_ns();
	char text[10];
	size_t size;

	slow_results[i] = xenstore_read("name", text, sizeof(text), &size);
	slow_ns[i] = clock_awake_ns() - begin;
}

static void ask_a_slow_store(void *arg)
{
	(void)arg;
	start();
	fixture_pause_ns = 1500 * NS_PER_MS;
	/* Its next turn is that much later. */
	assert_reads("name", "guest");
	for (size_t i = 0; i < 3; i++) {
		sim_tasks_add("asker", ask_slowly, (void *)(uintptr_t)i);
		task_sleep_until(clock_ns() + NS_PER_MS);
	}
	task_sleep_until(clock_ns() + 2 * NS_PER_S + 100 * NS_PER_MS);
	assert_int_equal(slow_results[0], 0);
	for (size_t i = 1; i < 3; i++) {
		assert_int_equal(slow_results[i], -ETIMEDOUT);
		assert_in_range(slow_ns[i], 2 * NS_PER_S, 2 * NS_PER_S + 50 * NS_PER_MS);
	}
	/* It answers each in time: nothing is wrong with it. */
	assert_null(xenstore_fault());
	fixture_pause_ns = 0;
	assert_reads("name", "guest");
	assert_reads("memory/target", "65536");
}

static void who_waits_in_a_queue_for_too_long_goes(void **state)
{
	(void)state;
	run(ask_a_slow_store);
	assert_int_equal(sim_log_warnings, 0);
	assert_int_equal(counts().unknown, 0);
}

static void follow_slowly(void *arg)
{
	uint64_t begin;

	(void)arg;
	start();
	fixture_pause_ns = 1500 * NS_PER_MS;
	assert_reads("name", "guest");
	begin = clock_awake_ns();
	target = (struct xenstore_node){ .path = "memory/target", .waiters = &waiters };
	assert_int_equal(xenstore_follow(&target), -ETIMEDOUT);
	assert_in_range(clock_awake_ns() - begin, 2 * NS_PER_S, 2 * NS_PER_S + 50 * NS_PER_MS);
	assert_null(xenstore_nodes());
	fixture_pause_ns = 0;
	/* The watch is there: that is as good. */
	follow_target();
	assert_null(xenstore_fault());
}

static void to_follow_has_one_deadline(void **state)
{
	(void)state;
	run(follow_slowly);
	assert_int_equal(sim_log_warnings, 0);
}

/* ---- Silence ---- */

/* The daemon has no turn any more, until it goes on. */
static void stall(void)
{
	fixture_pause_ns = UINT64_MAX;
}

static void go_on(void)
{
	fixture_pause_ns = 0;
	fixture_on_turn = NULL;
	task_sleep_until(clock_ns() + 2 * NS_PER_S);
}

/* As if the event had been lost. */
static void change_target_unseen(const char *text)
{
	struct sim_xenstore_node *node = sim_xenstore_find(&daemon_side, "memory/target");

	node->length = strlen(text);
	memcpy(node->value, text, node->length);
}

static void assert_silent(unsigned lines)
{
	assert_true(xenstore_is_silent());
	assert_null(xenstore_fault());
	assert_int_equal(sim_log_warnings, lines);
	assert_string_equal(sim_log_warning,
			    "xenstore: it does not answer; nothing can be asked until it does");
}

static void assert_answers_again(unsigned lines)
{
	assert_false(xenstore_is_silent());
	assert_null(xenstore_fault());
	assert_int_equal(sim_log_infos, lines);
	assert_string_equal(sim_log_info,
			    "xenstore: it answers again: all that is followed is read anew");
	assert_reads("name", "guest");
}

static void assert_all_askers_went(void)
{
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(slow_results[i], -ETIMEDOUT);
		assert_in_range(slow_ns[i], 2 * NS_PER_S, 2 * NS_PER_S + 50 * NS_PER_MS);
	}
}

/* Nobody waits, and what was known stays. */
static void use_a_silent_store(void)
{
	uint64_t begin = clock_ns();

	control = (struct xenstore_node){ .path = "control/shutdown" };
	assert_fails("name", -ETIMEDOUT);
	assert_int_equal(xenstore_write("data", "1"), -ETIMEDOUT);
	assert_int_equal(xenstore_follow(&control), -ETIMEDOUT);
	assert_int_equal(clock_ns(), begin);
	assert_ptr_equal(xenstore_nodes(), &target);
	assert_null(target.next);
	assert_string_equal(target.value, "65536");
	assert_int_equal(target.changes, 1);
}

static void lose_the_store_for_a_while(void *arg)
{
	(void)arg;
	start();
	follow_target();
	stall();
	for (size_t i = 0; i < 3; i++)
		sim_tasks_add("asker", ask_slowly, (void *)(uintptr_t)i);
	task_sleep_until(clock_ns() + 2 * NS_PER_S + 100 * NS_PER_MS);
	assert_all_askers_went();
	assert_silent(1);
	use_a_silent_store();
	change_target_unseen("2");
	go_on();
	assert_target(2, "2");
	assert_answers_again(1);
	assert_int_equal(counts().unknown, 0);
	sim_xenstore_set(&daemon_side, "memory/target", "3");
	assert_target(3, "3");
}

static void a_silent_store_is_used_again_when_it_answers(void **state)
{
	(void)state;
	run(lose_the_store_for_a_while);
	assert_int_equal(sim_log_warnings, 1);
	tear_down(state);
	fixture_set_up(state);
	fixture_no_events = true;
	run(lose_the_store_for_a_while);
}

static void lose_the_store_twice(void *arg)
{
	(void)arg;
	start();
	follow_target();
	for (unsigned i = 1; i <= 2; i++) {
		stall();
		assert_fails("name", -ETIMEDOUT);
		assert_silent(i);
		/* A minute of it is not worth another word. */
		task_sleep_until(clock_ns() + 60 * NS_PER_S);
		assert_silent(i);
		go_on();
		assert_answers_again(i);
	}
}

static void each_silence_has_two_lines(void **state)
{
	(void)state;
	run(lose_the_store_twice);
}

static void be_idle_beside_silence(void *arg)
{
	(void)arg;
	start();
	stall();
	assert_fails("name", -ETIMEDOUT);
	task_sleep_until(task_next_look(clock_ns()) + NS_PER_MS);
	sim_tasks_alarms = 0;
	task_sleep_until(clock_ns() + 10 * NS_PER_S);
	assert_in_range(sim_tasks_alarms, 10, 30);
	assert_silent(1);
}

static void a_silent_store_wakes_nobody_but_once_a_second(void **state)
{
	(void)state;
	run(be_idle_beside_silence);
}

static void stall_before_the_reading(void)
{
	if (daemon_side.events == 2)
		stall();
}

static void lose_the_store_in_mid_reading(void *arg)
{
	(void)arg;
	start();
	follow_target();
	assert_int_equal(daemon_side.events, 1);
	fixture_on_turn = stall_before_the_reading;
	sim_xenstore_set(&daemon_side, "memory/target", "2");
	task_sleep_until(clock_ns() + 3 * NS_PER_S);
	assert_silent(1);
	assert_int_equal(target.changes, 1);
	go_on();
	assert_target(2, "2");
	assert_answers_again(1);
	/* The first, that one, and it anew. */
	assert_int_equal(daemon_side.requests[XENSTORE_READ], 3 + 1);
	sim_xenstore_set(&daemon_side, "memory/target", "3");
	assert_target(3, "3");
}

static void a_silence_during_a_reading_ends_with_its_answer(void **state)
{
	(void)state;
	run(lose_the_store_in_mid_reading);
}

/* It has seen 1 KiB at most of what it is told. */
static void lose_the_store_in_mid_request(void *arg)
{
	static char text[3000], sent[sizeof(text)];
	const struct sim_xenstore_node *node;

	(void)arg;
	memset(text, 't', sizeof(text) - 1);
	memcpy(sent, text, sizeof(text));
	start();
	stall();
	assert_int_equal(xenstore_write("data/text", text), -ETIMEDOUT);
	memset(text, '?', sizeof(text) - 1);
	assert_silent(1);
	go_on();
	assert_answers_again(1);
	node = sim_xenstore_find(&daemon_side, "data/text");
	assert_non_null(node);
	assert_int_equal(node->length, sizeof(sent) - 1);
	assert_memory_equal(node->value, sent, sizeof(sent) - 1);
}

static void half_a_request_is_sent_to_its_end(void **state)
{
	(void)state;
	run(lose_the_store_in_mid_request);
}

static void ask_just_before_the_silence(void *arg)
{
	(void)arg;
	start();
	stall();
	sim_tasks_add("first", ask_slowly, (void *)(uintptr_t)0);
	task_sleep_until(clock_ns() + 1500 * NS_PER_MS);
	sim_tasks_add("second", ask_slowly, (void *)(uintptr_t)1);
	task_sleep_until(clock_ns() + NS_PER_S);
	assert_silent(1);
	assert_int_equal(slow_results[0], -ETIMEDOUT);
	go_on();
	assert_int_equal(slow_results[1], 0);
	assert_in_range(slow_ns[1], NS_PER_S, 2 * NS_PER_S);
	assert_answers_again(1);
}

static void who_waits_when_a_silence_begins_has_his_two_seconds(void **state)
{
	(void)state;
	slow_results[1] = -EIO;
	run(ask_just_before_the_silence);
}

static void start_in_silence(void *arg)
{
	(void)arg;
	stall();
	assert_int_equal(xenstore_start(), -ETIMEDOUT);
	assert_silent(1);
	assert_fails("name", -ETIMEDOUT);
	go_on();
	assert_answers_again(1);
	assert_int_equal(daemon_side.requests[XENSTORE_RESET_WATCHES], 1);
	follow_target();
	sim_xenstore_set(&daemon_side, "memory/target", "2");
	assert_target(2, "2");
}

static void a_store_that_is_silent_from_the_start_can_be_used_later(void **state)
{
	(void)state;
	run(start_in_silence);
}

static void hear_a_lie_after_silence(void *arg)
{
	(void)arg;
	start();
	follow_target();
	stall();
	assert_fails("name", -ETIMEDOUT);
	assert_silent(1);
	daemon_side.lie = SIM_XENSTORE_WRONG_TYPE;
	go_on();
	assert_string_equal(xenstore_fault(), "it answers what was not asked");
	assert_false(xenstore_is_silent());
	assert_fails("name", -EIO);
	assert_int_equal(sim_tasks_left(), 1);
}

static void a_lie_that_ends_a_silence_is_one(void **state)
{
	(void)state;
	run(hear_a_lie_after_silence);
	assert_int_equal(sim_log_warnings, 2);
	assert_int_equal(sim_log_infos, 0);
}

static void hear_others_in_silence(void *arg)
{
	(void)arg;
	start();
	follow_target();
	daemon_side.lie = SIM_XENSTORE_SILENT;
	assert_fails("name", -ETIMEDOUT);
	assert_silent(1);
	/* Neither an event nor another's answer is what it owes. */
	sim_xenstore_say(&daemon_side, XENSTORE_READ, 12345, "x", 1);
	sim_xenstore_set(&daemon_side, "memory/target", "2");
	task_sleep_until(clock_ns() + 3 * NS_PER_S);
	assert_silent(1);
	assert_int_equal(counts().unknown, 1);
	assert_int_equal(counts().events, 2);
	assert_int_equal(target.changes, 1);
}

static void only_the_answer_that_it_owes_ends_a_silence(void **state)
{
	(void)state;
	run(hear_others_in_silence);
	assert_int_equal(sim_log_infos, 0);
}

/* As a console does that nobody reads. */
static void sleep_a_second(void)
{
	task_sleep_until(clock_ns() + NS_PER_S);
}

static void lose_the_store_beside_a_slow_console(void *arg)
{
	(void)arg;
	start();
	stall();
	sim_log_on_warning = sleep_a_second;
	/* They are gone, with their stacks, before the console has taken the line. */
	for (size_t i = 0; i < 3; i++)
		sim_tasks_add("asker", ask_slowly, (void *)(uintptr_t)i);
	task_sleep_until(clock_ns() + 2 * NS_PER_S + 100 * NS_PER_MS);
	assert_all_askers_went();
	task_sleep_until(clock_ns() + 2 * NS_PER_S);
	assert_int_equal(sim_tasks_left(), 2);
	go_on();
	assert_answers_again(1);
}

static void a_console_that_nobody_reads_holds_up_no_asker(void **state)
{
	(void)state;
	run(lose_the_store_beside_a_slow_console);
	assert_int_equal(sim_log_warnings, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* The first: later there was one, which was given up. */
		TEST(before_the_start_there_is_no_store),
		TEST(without_a_page_or_a_port_there_is_no_store),
		TEST(without_a_task_there_is_no_store),
		TEST(what_another_image_left_is_forgotten),
		TEST(a_store_that_cannot_reset_watches_is_used),
		TEST(a_store_that_was_given_up_can_be_started_again),
		TEST(without_a_task_there_is_no_second_store),
		TEST(values_are_read),
		TEST(paths_have_a_bound),
		TEST(values_are_written),
		TEST(a_domain_that_writes_too_much_is_told),
		TEST(messages_larger_than_the_ring_come_whole),
		TEST(a_full_ring_is_waited_for),
		TEST(a_store_that_moves_single_bytes_is_as_good),
		TEST(counts_and_rings_wrap),
		TEST(the_other_side_is_told_only_of_news),
		TEST(a_full_ring_of_answers_is_told_of_when_it_has_room),
		TEST(an_answer_wakes_its_asker),
		TEST(a_node_is_followed),
		TEST(what_is_written_anew_is_no_change),
		TEST(a_node_that_does_not_exist_is_followed),
		TEST(a_longer_value_is_cut),
		TEST(an_event_during_the_reading_has_it_read_again),
		TEST(two_follow_one_name),
		TEST(a_name_that_may_not_be_read_is_not_followed),
		TEST(as_many_as_the_store_allows_are_followed),
		TEST(events_without_end_hold_up_nobody),
		TEST(a_turn_has_an_end_though_the_messages_have_none),
		TEST(events_in_front_of_answers_are_endured),
		TEST(several_tasks_ask_at_the_same_time),
		TEST(without_interrupts_a_look_once_a_second_finds_what_came),
		TEST(an_idle_store_wakes_nobody_but_once_a_second),
		TEST(a_guest_that_was_stopped_waits_on),
		TEST(who_waits_in_a_queue_for_too_long_goes),
		TEST(to_follow_has_one_deadline),
		TEST(a_silent_store_is_used_again_when_it_answers),
		TEST(each_silence_has_two_lines),
		TEST(a_silent_store_wakes_nobody_but_once_a_second),
		TEST(a_silence_during_a_reading_ends_with_its_answer),
		TEST(half_a_request_is_sent_to_its_end),
		TEST(who_waits_when_a_silence_begins_has_his_two_seconds),
		TEST(a_store_that_is_silent_from_the_start_can_be_used_later),
		TEST(a_lie_that_ends_a_silence_is_one),
		TEST(only_the_answer_that_it_owes_ends_a_silence),
		TEST(a_console_that_nobody_reads_holds_up_no_asker),
	};

	return cmocka_run_group_tests_name("xenstore", tests, NULL, NULL);
}
