/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/listen.c and listen_limit.c: addresses of both kinds, what is left when
 * a server ends, and who is ended of many clients.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/loopback.h"
#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tests/unit/tools/failing.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/guest_thread.h"
#include "tools/balloonctl/listen.h"
#include "tools/balloonctl/listen_limit.h"
#include "tools/balloonctl/poller.h"
#include "tools/balloonctl/thread.h"
#include "tools/deadline.h"

#define LONG_MS 600000
#define PATIENCE_MS 30000 /* less than the alarm, which would not say why */
#define ALARM_S 60u

static int begin(void **state)
{
	(void)state;
	alarm(ALARM_S);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fail_nth(FAILING_MEMORY, 0);
	fail_nth(FAILING_CALLS, 0);
	alarm(0);
	return 0;
}

static int next_fd(void)
{
	int fd = dup(STDERR_FILENO);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static char *make_page(void *context, size_t *size)
{
	*size = strlen(context);
	return strdup(context);
}

static unsigned port_of(const char *address)
{
	return (unsigned)strtoul(strrchr(address, ':') + 1, NULL, 10);
}

/* ---- addresses ---- */

static void assert_address(const char *where, const char *is)
{
	char address[LISTEN_ADDRESS];
	struct listener *listener;

	assert_int_equal(listen_start(where, make_page, (void *)(uintptr_t) "x", LONG_MS, &listener,
				      address),
			 EXIT_REACHED);
	assert_int_equal(strncmp(address, is, strlen(is)), 0);
	assert_true(port_of(address) > 0);
	listen_stop(listener);
}

/* Not every machine has it. */
static bool has_ipv6(void)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool has = fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at));

	if (fd >= 0)
		close(fd);
	return has;
}

static void addresses_are_of_both_kinds(void **state)
{
	(void)state;
	assert_address("0", "127.0.0.1:");
	assert_address("00000", "127.0.0.1:");
	assert_address(":0", "127.0.0.1:");
	assert_address("127.0.0.2:0", "127.0.0.2:");
	assert_address("0.0.0.0:0", "0.0.0.0:");
	if (!has_ipv6())
		return;
	assert_address("[::1]:0", "[::1]:");
	assert_address("[0:0:0:0:0:0:0:1]:0", "[::1]:");
	assert_address("[::]:0", "[::]:");
}

static void assert_refused(const char *where)
{
	char address[LISTEN_ADDRESS];
	struct listener *listener;

	assert_int_equal(listen_start(where, make_page, NULL, LONG_MS, &listener, address),
			 EXIT_USAGE);
}

static void odd_addresses_are_refused(void **state)
{
	(void)state;
	assert_refused("65536");
	assert_refused("000000");
	assert_refused("[127.0.0.1:0");
	assert_refused("127.0.0.1]:0");
	assert_refused("::1:0");
	assert_refused("[::1:0");
	assert_refused("::1]:0");
	assert_refused("[:::::::::::::::::::::::::::::::::::::::::::::::::::::]:0");
	assert_refused("1234567890123456789012345678901234567890123456789:0");
	assert_refused("[x]:0");
}

/* Whether it can be had is another question. */
static void longest_address_and_highest_port_are_understood(void **state)
{
	static const char *const good[] = { "65535", "127.0.0.1:65535",
					    "[0000:0000:0000:0000:0000:ffff:255.255.255.255]:0" };
	char address[LISTEN_ADDRESS];
	struct listener *listener;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int status = listen_start(good[i], make_page, NULL, LONG_MS, &listener, address);

		if (status == EXIT_REACHED)
			listen_stop(listener);
		assert_int_not_equal(status, EXIT_USAGE);
	}
}

static void port_that_is_taken_leaves_nothing_open(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), before;
	char address[LISTEN_ADDRESS], port[16];
	socklen_t size = sizeof(at);
	struct listener *listener;

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	snprintf(port, sizeof(port), "%u", (unsigned)ntohs(at.sin_port));
	before = next_fd();
	assert_int_equal(listen_start(port, make_page, NULL, LONG_MS, &listener, address),
			 EXIT_WRONG);
	assert_int_equal(next_fd(), before);
	close(fd);
}

/* ---- a server ---- */

static void server_leaves_nothing_open(void **state)
{
	static char page[] = "page\n";
	char address[LISTEN_ADDRESS], text[4096];
	struct listener *listener;
	int before = next_fd();

	(void)state;
	assert_int_equal(listen_start("0", make_page, page, LONG_MS, &listener, address), 0);
	loopback_ask(port_of(address), "HEAD /metrics HTTP/1.0\r\n\r\n", text, sizeof(text));
	assert_says(text, " 200 OK\r\n");
	assert_says(text, "Content-Length: 5\r\n");
	assert_null(strstr(text, "page"));
	loopback_ask(port_of(address), "GET /metrics/ HTTP/1.0\r\n\r\n", text, sizeof(text));
	assert_says(text, " 404 ");
	assert_says(text, "Content-Type: text/plain\r\n");
	assert_says(text, "\r\n\r\nthere is only /metrics\n");
	assert_null(strstr(text, "Allow:"));
	loopback_ask(port_of(address), "PUT /metrics HTTP/1.0\r\n\r\n", text, sizeof(text));
	assert_says(text, " 405 ");
	assert_says(text, "\r\n\r\nGET is wanted\n");
	/* Another server cannot have the port, and the first goes on. */
	{
		struct listener *second = NULL;
		char other[LISTEN_ADDRESS];

		assert_int_equal(listen_start(address, make_page, page, LONG_MS, &second, other),
				 EXIT_WRONG);
		assert_null(second);
	}
	loopback_ask(port_of(address), "GET /metrics HTTP/1.0\r\n\r\n", text, sizeof(text));
	assert_says(text, "\r\n\r\npage\n");
	listen_stop(listener);
	assert_int_equal(next_fd(), before);
	/* The port is free at once, whoever was connected. */
	assert_int_equal(listen_start(address, make_page, page, LONG_MS, &listener, text), 0);
	listen_stop(listener);
	assert_int_equal(next_fd(), before);
}

static unsigned count_threads(void)
{
	DIR *folder = opendir("/proc/self/task");
	struct dirent *entry;
	unsigned count = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder)))
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

/* A thread is there yet for a moment after its last word. */
static void server_leaves_no_thread(void **state)
{
	unsigned before = count_threads();
	char address[LISTEN_ADDRESS];
	struct listener *listener;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(listen_start("0", make_page, NULL, LONG_MS, &listener, address),
				 0);
		assert_true(count_threads() > before);
		listen_stop(listener);
	}
	for (int64_t until = deadline_in(PATIENCE_MS); count_threads() > before; usleep(1000))
		assert_true(deadline_left(until) > 0);
}

/* More, one after the other, than there may be at a time. */
static void clients_that_have_gone_do_not_count(void **state)
{
	static char page[] = "page\n";
	char address[LISTEN_ADDRESS], text[4096];
	struct listener *listener;

	(void)state;
	assert_int_equal(listen_start("0", make_page, page, LONG_MS, &listener, address), 0);
	for (int i = 0; i < 3 * LISTEN_LIMIT_MAX; i++) {
		loopback_ask(port_of(address), "GET /metrics HTTP/1.0\r\n\r\n", text, sizeof(text));
		assert_says(text, "\r\n\r\npage\n");
	}
	listen_stop(listener);
}

static void server_may_have_the_number_0(void **state)
{
	static char page[] = "page\n";
	char address[LISTEN_ADDRESS], text[4096];
	int saved = dup(STDIN_FILENO), status;
	struct listener *listener;

	(void)state;
	close(STDIN_FILENO);
	status = listen_start("0", make_page, page, LONG_MS, &listener, address);
	assert_int_equal(status, 0);
	assert_true(next_fd() > STDERR_FILENO);
	loopback_ask(port_of(address), "GET /metrics HTTP/1.0\r\n\r\n", text, sizeof(text));
	assert_says(text, "\r\n\r\npage\n");
	listen_stop(listener);
	assert_int_equal(dup(saved), STDIN_FILENO);
	close(saved);
}

static void server_that_does_not_start_says_so(void **state)
{
	for (int kind = FAILING_MEMORY; kind <= FAILING_CALLS; kind++) {
		unsigned n = 0;
		bool failed;

		(void)state;
		do {
			char address[LISTEN_ADDRESS];
			struct listener *listener = NULL;
			int before = next_fd(), status;

			fail_nth((enum failing)kind, ++n);
			status = listen_start("0", make_page, NULL, LONG_MS, &listener, address);
			failed = failed_call() && strcmp(failed_call(), "setsockopt") != 0;
			if (!failed && status)
				fail_msg("%d %u", kind, n);
			if (failed)
				assert_int_equal(status, EXIT_WRONG);
			failed = failed_call();
			fail_nth((enum failing)kind, 0);
			if (!status)
				listen_stop(listener);
			assert_int_equal(next_fd(), before);
		} while (failed);
		assert_true(n > 2);
	}
}

/* The page is freed, and the client learns that there is none. */
static void answer_without_memory_is_none(void **state)
{
	static char page[] = "page\n";
	char address[LISTEN_ADDRESS], text[4096];
	struct listener *listener;
	unsigned n = 0;

	(void)state;
	assert_int_equal(listen_start("0", make_page, page, LONG_MS, &listener, address), 0);
	do {
		fail_nth(FAILING_MEMORY, ++n);
		loopback_ask(port_of(address), "GET /metrics HTTP/1.0\r\n\r\n", text, sizeof(text));
		assert_true(!failed_call() == !!strstr(text, " 200 OK"));
		/* The first is that of the page itself. */
		assert_true((n == 1) == !!strstr(text, " 500 "));
	} while (failed_call());
	assert_int_equal(n, 3);
	listen_stop(listener);
}

/* ---- export, of which the page is made in the server's thread ---- */

static char port[8];
static unsigned nr_good, nr_none; /* answers with a page, and without */

static void find_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t size = sizeof(at);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	snprintf(port, sizeof(port), "%u", ntohs(at.sin_port));
	close(fd);
}

static bool is_served(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)atoi(port)),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool is = !connect(fd, (struct sockaddr *)&to, sizeof(to));

	close(fd);
	return is;
}

/* Asks until no allocation is left that could fail, and then ends the program's command. */
static void *ask_without_memory(void *arg)
{
	char text[16384];
	unsigned n = 0;

	(void)arg;
	while (!is_served())
		usleep(10000);
	/* Once the guest was looked at, nobody else allocates anything. */
	do {
		usleep(10000);
		loopback_ask((unsigned)atoi(port), "GET /metrics HTTP/1.0\r\n\r\n", text,
			     sizeof(text));
	} while (!strstr(text, "balloon_left_bytes"));
	nr_good = nr_none = 0;
	do {
		fail_nth(FAILING_MEMORY, ++n);
		loopback_ask((unsigned)atoi(port), "GET /metrics HTTP/1.0\r\n\r\n", text,
			     sizeof(text));
		nr_good += strstr(text, " 200 OK") && strstr(text, "balloon_left_bytes");
		nr_none += strstr(text, "not now\n") && strstr(text, " 500 ");
	} while (failed_call());
	kill(getpid(), SIGTERM);
	return NULL;
}

/* The book of samples, the text, and the answer: without one of them there is no page. */
static void page_without_memory_is_none(void **state)
{
	const struct fake_qemu qemu = { .left_before = 640 * MIB };
	struct fake_place place;
	struct outcome got;
	pthread_t thread;

	(void)state;
	fake_qemu_start(&qemu, &place);
	do {
		find_port();
		assert_int_equal(pthread_create(&thread, NULL, ask_without_memory, NULL), 0);
		got = run_command(place.path, "export", "--listen", port, "--interval", "3600",
				  NULL);
		if (got.status)
			pthread_cancel(thread);
		pthread_join(thread, NULL);
		/* Somebody else may have taken it. */
	} while (strstr(got.err, "Address already in use"));
	fake_qemu_stop(&place);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_int_equal(nr_none, 3);
	assert_int_equal(nr_good, 1);
}

/* ---- who is ended ---- */

struct pair {
	int ours, theirs;
};

static struct pair make_pair(struct listen_limit *limit)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	listen_limit_add(limit, ends[0]);
	return (struct pair){ ends[0], ends[1] };
}

static bool is_ended(const struct pair *pair, int timeout_ms)
{
	struct pollfd pollfd = { .fd = pair->theirs, .events = POLLIN };
	char byte;

	return poll(&pollfd, 1, timeout_ms) == 1 && read(pair->theirs, &byte, 1) == 0;
}

static void close_pair(struct listen_limit *limit, const struct pair *pair)
{
	listen_limit_remove(limit, pair->ours);
	close(pair->ours);
	close(pair->theirs);
}

static void oldest_is_ended_for_one_too_many(void **state)
{
	struct listen_limit *limit = listen_limit_start(3, LONG_MS);
	struct pair p[8];

	(void)state;
	for (int i = 0; i < 3; i++)
		p[i] = make_pair(limit);
	for (int i = 0; i < 3; i++)
		assert_false(is_ended(&p[i], 0));
	p[3] = make_pair(limit);
	assert_true(is_ended(&p[0], 0));
	assert_false(is_ended(&p[1], 0));
	/* It does not count any more, though it is there yet. */
	p[4] = make_pair(limit);
	assert_true(is_ended(&p[1], 0));
	assert_false(is_ended(&p[2], 0));
	/* One in the middle goes: those after it are as old as they were. */
	close_pair(limit, &p[3]);
	p[5] = make_pair(limit);
	assert_false(is_ended(&p[2], 0) || is_ended(&p[4], 0));
	p[6] = make_pair(limit);
	assert_true(is_ended(&p[2], 0));
	assert_false(is_ended(&p[4], 0) || is_ended(&p[5], 0) || is_ended(&p[6], 0));
	p[7] = make_pair(limit);
	assert_true(is_ended(&p[4], 0));
	assert_false(is_ended(&p[5], 0) || is_ended(&p[6], 0) || is_ended(&p[7], 0));
	for (int i = 0; i < 8; i++)
		if (i != 3)
			close_pair(limit, &p[i]);
	listen_limit_stop(limit);
	listen_limit_stop(NULL);
}

/* Whichever of them goes. */
static void as_many_as_may_be_come_and_go(void **state)
{
	struct listen_limit *limit = listen_limit_start(LISTEN_LIMIT_MAX - 1, LONG_MS);
	struct pair p[LISTEN_LIMIT_MAX];

	(void)state;
	for (int i = 0; i < LISTEN_LIMIT_MAX; i++)
		p[i] = make_pair(limit);
	assert_true(is_ended(&p[0], 0));
	close_pair(limit, &p[LISTEN_LIMIT_MAX - 1]);
	p[LISTEN_LIMIT_MAX - 1] = make_pair(limit);
	for (int i = 1; i < LISTEN_LIMIT_MAX; i++)
		assert_false(is_ended(&p[i], 0));
	for (int i = LISTEN_LIMIT_MAX - 1; i >= 0; i--)
		close_pair(limit, &p[i]);
	listen_limit_stop(limit);
}

/* Each when its own time is over; a later one is waited for as well. */
static void late_ones_are_ended(void **state)
{
	struct listen_limit *limit = listen_limit_start(8, 100);
	struct pair one = make_pair(limit), other;

	(void)state;
	assert_true(is_ended(&one, LONG_MS));
	other = make_pair(limit);
	assert_true(is_ended(&other, LONG_MS));
	close_pair(limit, &one);
	close_pair(limit, &other);
	one = make_pair(limit);
	assert_true(is_ended(&one, LONG_MS));
	close_pair(limit, &one);
	listen_limit_stop(limit);
}

static void limit_that_does_not_start_is_none(void **state)
{
	(void)state;
	fail_nth(FAILING_MEMORY, 1);
	assert_null(listen_limit_start(3, LONG_MS));
	fail_nth(FAILING_CALLS, 1);
	assert_null(listen_limit_start(3, LONG_MS));
	assert_string_equal(failed_call(), "pthread_create");
}

/* ---- threads ---- */

static void *touch(void *arg)
{
	*(volatile bool *)arg = true;
	return NULL;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void thread_that_does_not_start_is_an_error(void **state)
{
	volatile bool touched = false;
	pthread_t thread;

	(void)state;
	fail_nth(FAILING_CALLS, 1);
	assert_int_equal(thread_start(&thread, touch, (void *)(uintptr_t)&touched), -EAGAIN);
	assert_false(touched);
}

/* By the clock that deadlines are of, whatever the other is. */
static void wait_ends_at_its_deadline(void **state)
{
	int64_t deadline = deadline_in(50);
	pthread_cond_t condition;

	(void)state;
	thread_init_condition(&condition);
	pthread_mutex_lock(&lock);
	while (deadline_left(deadline)) {
		int64_t before = deadline_now();

		thread_wait(&condition, &lock, deadline);
		/* Not at once, again and again. */
		assert_true(deadline_now() > before);
	}
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&condition);
}

/* ---- guests in threads ---- */

static int open_nothing(struct guest *guest, const char *name)
{
	(void)guest, (void)name;
	return 0;
}

static void close_nothing(struct guest *guest)
{
	(void)guest;
}

static int peek_nothing(struct guest *guest, uint64_t paddr, void *to, size_t size)
{
	(void)guest, (void)paddr, (void)to, (void)size;
	return 0;
}

static const struct guest_backend nothing = {
	.open = open_nothing,
	.close = close_nothing,
	.peek = peek_nothing,
};

static struct guest *new_guest(void)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	assert_non_null(guest);
	guest->deadline = deadline_in(LONG_MS);
	return guest;
}

static void guest_without_a_thread_is_told(void **state)
{
	char place[8];

	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		struct guest *guest = new_guest();

		fail_nth(FAILING_MEMORY, n);
		assert_int_equal(guest_thread_open(guest, &nothing, "x"), -ENOMEM);
		assert_string_equal(guest_error(guest), "out of memory");
		guest_close(guest);
	}
	{
		struct guest *guest = new_guest();

		fail_nth(FAILING_CALLS, 1);
		assert_int_equal(guest_thread_open(guest, &nothing, "x"), -EAGAIN);
		assert_string_equal(guest_error(guest), "x: Resource temporarily unavailable");
		guest_close(guest);
		guest = new_guest();
		assert_int_equal(guest_thread_open(guest, &nothing, "x"), 0);
		assert_int_equal(guest_peek(guest, 0, place, sizeof(place)), 0);
		guest_close(guest);
	}
}

static void poller_that_does_not_start_is_none(void **state)
{
	const struct poller_rate rate = { .interval_ms = 1000, .timeout_ms = 1000 };
	struct poller *poller;

	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		fail_nth(FAILING_MEMORY, n);
		assert_int_equal(poller_start("/no/a", &rate, &poller), -ENOMEM);
	}
	fail_nth(FAILING_CALLS, 1);
	assert_int_equal(poller_start("/no/a", &rate, &poller), -EAGAIN);
}

/* A guest that is named, in a folder of its own. */
static void name_without_memory_finds_nobody(void **state)
{
	char base[] = "/tmp/balloonctl-XXXXXX", folder[64], *error;
	struct guest *guest;
	int err;

	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(folder, sizeof(folder), "%s/aerostat-%u", base, (unsigned)geteuid());
	assert_int_equal(mkdir(folder, 0700), 0);
	setenv("XDG_RUNTIME_DIR", base, 1);
	/* The guest itself, its name, the path; the next is QMP's, which ends the program. */
	for (unsigned n = 1; n <= 3; n++) {
		fail_nth(FAILING_MEMORY, n);
		err = guest_open("web", deadline_in(LONG_MS), &guest, &error);
		assert_int_equal(err, n == 2 ? -ENOENT : -ENOMEM);
		assert_true((n == 1) == !error);
		if (n == 3)
			assert_string_equal(error, "out of memory");
		free(error);
	}
	unsetenv("XDG_RUNTIME_DIR");
	rmdir(folder);
	assert_int_equal(rmdir(base), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(addresses_are_of_both_kinds),
		TEST(odd_addresses_are_refused),
		TEST(longest_address_and_highest_port_are_understood),
		TEST(port_that_is_taken_leaves_nothing_open),
		TEST(server_leaves_nothing_open),
		TEST(server_leaves_no_thread),
		TEST(clients_that_have_gone_do_not_count),
		TEST(server_may_have_the_number_0),
		TEST(server_that_does_not_start_says_so),
		TEST(answer_without_memory_is_none),
		TEST(page_without_memory_is_none),
		TEST(oldest_is_ended_for_one_too_many),
		TEST(as_many_as_may_be_come_and_go),
		TEST(late_ones_are_ended),
		TEST(limit_that_does_not_start_is_none),
		TEST(thread_that_does_not_start_is_an_error),
		TEST(wait_ends_at_its_deadline),
		TEST(guest_without_a_thread_is_told),
		TEST(poller_that_does_not_start_is_none),
		TEST(name_without_memory_finds_nobody),
	};

	return cmocka_run_group_tests_name("balloonctl/listen", tests, NULL, NULL);
}
