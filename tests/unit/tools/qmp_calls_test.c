/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/qmp.c and its parts where calls of the system are interrupted, fail, or do a part
 * of what was asked. The peer is scripted, as in qmp_test.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/unit/tools/failing.h"
#include "tools/deadline.h"
#include "tools/qmp.h"
#include "tools/qmp_holder.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define NEGOTIATED "{\"return\": {}, \"id\": 1}\r\n"
#define SHORT_MS 100
#define LONG_MS 60000
#define ALARM_S 60u
#define LARGE ((size_t)4 * 1024 * 1024) /* more than a socket takes at once */

struct fixture {
	struct qmp *q;
	int peer;
};

static int begin(void **state)
{
	(void)state;
	alarm(ALARM_S);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fail_nth(FAILING_CALLS, 0);
	fail_with(0);
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

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static struct fixture new_fixture(int *fd)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	*fd = ends[0];
	return (struct fixture){ qmp_new(), ends[1] };
}

static struct fixture connected(const char *script)
{
	struct fixture f;
	int fd;

	f = new_fixture(&fd);
	say(f.peer, GREETING NEGOTIATED);
	assert_int_equal(qmp_attach(f.q, fd, LONG_MS), 0);
	say(f.peer, script);
	qmp_set_timeout(f.q, LONG_MS);
	return f;
}

static void done(struct fixture *f)
{
	qmp_free(f->q);
	close(f->peer);
}

static void assert_error(const struct qmp *q, const char *words)
{
	assert_string_equal(qmp_error(q), words);
}

/* ---- interrupted ---- */

/* Greets, negotiates and answers, with an errno at the n-th call. */
static int talk(unsigned n, int err, struct fixture *f)
{
	int fd, ret;

	*f = new_fixture(&fd);
	say(f->peer, GREETING NEGOTIATED "{\"return\": {}, \"id\": 2}\n");
	qmp_set_timeout(f->q, LONG_MS);
	fail_with(err);
	fail_nth(FAILING_CALLS, n);
	ret = qmp_attach(f->q, fd, LONG_MS);
	if (!ret)
		ret = qmp_execute(f->q, "x", NULL, NULL);
	return ret;
}

static void interrupted_calls_are_made_again(void **state)
{
	struct fixture f;
	unsigned n = 0;
	bool failed;

	(void)state;
	do {
		assert_int_equal(talk(++n, EINTR, &f), 0);
		failed = failed_call();
		done(&f);
	} while (failed);
	assert_true(n > 4);
}

static void socket_that_has_nothing_yet_is_asked_again(void **state)
{
	struct fixture f;
	unsigned n = 0;
	bool failed;

	(void)state;
	do {
		int ret = talk(++n, EAGAIN, &f);

		failed = failed_call();
		/* poll() never says that. */
		if (failed && !strcmp(failed_call(), "poll"))
			assert_int_equal(ret, -EAGAIN);
		else
			assert_int_equal(ret, 0);
		done(&f);
	} while (failed);
	assert_true(n > 4);
}

/* The connection is closed, and what is asked then is told so. */
static void failure_closes_the_connection(void **state)
{
	static const struct {
		const char *call, *words;
	} all[] = { { "poll", "poll: Input/output error" },
		    { "recv", "cannot read from QEMU: Input/output error" },
		    { "send", "cannot send to QEMU: Input/output error" } };
	struct fixture f;
	unsigned n = 0;
	bool failed;

	(void)state;
	do {
		int before = next_fd(), ret = talk(++n, 0, &f);

		failed = failed_call();
		assert_int_equal(ret, failed ? -EIO : 0);
		for (size_t i = 0; failed && i < 3; i++)
			if (!strcmp(failed_call(), all[i].call))
				assert_error(f.q, all[i].words);
		if (failed) {
			assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -ENOTCONN);
			assert_error(f.q, "not connected to QEMU");
		}
		done(&f);
		assert_int_equal(next_fd(), before);
	} while (failed);
}

static void peer_that_resets_has_closed(void **state)
{
	struct fixture f = connected("");

	(void)state;
	fail_with(ECONNRESET);
	/* It is sent; one waits for the answer; and it is read. */
	fail_nth(FAILING_CALLS, 2);
	say(f.peer, "{\"ret");
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -ECONNRESET);
	assert_error(f.q, "poll: Connection reset by peer");
	done(&f);
	f = connected("{\"ret");
	fail_nth(FAILING_CALLS, 3);
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -ECONNRESET);
	assert_error(f.q, "QEMU closed the connection");
	done(&f);
}

/* ---- quit ---- */

static int quit_failing(unsigned n, int err, const char *script)
{
	struct fixture f = connected(script);
	int ret;

	fail_with(err);
	fail_nth(FAILING_CALLS, n);
	ret = qmp_quit(f.q);
	fail_nth(FAILING_CALLS, 0);
	done(&f);
	return ret;
}

static void quit_is_done_when_the_connection_ends(void **state)
{
	static const char yes[] = "{\"return\": {}, \"id\": 2}\n";

	(void)state;
	assert_int_equal(quit_failing(0, 0, yes), 0);
	assert_int_equal(quit_failing(1, EPIPE, yes), 0);
	assert_int_equal(quit_failing(3, ECONNRESET, yes), 0);
	assert_int_equal(quit_failing(1, EIO, yes), -EIO);
	assert_int_equal(quit_failing(3, EIO, yes), -EIO);
	assert_int_equal(quit_failing(0, 0,
				      "{\"error\": {\"class\": \"GenericError\", \"desc\": "
				      "\"no\"}, \"id\": 2}\n"),
			 -EREMOTEIO);
}

/* ---- parts ---- */

/* Reads a line of this size after the negotiation's, and answers; a process of its own. */
static pid_t read_and_answer(int fd, size_t size)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		static char text[65536];
		size_t got = 0, lines = 0;
		ssize_t n;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (lines < 2 && (n = read(fd, text, sizeof(text))) > 0)
			for (ssize_t i = 0; i < n; i++) {
				got += lines == 1;
				lines += text[i] == '\n';
			}
		if (got == size)
			say(fd, "{\"return\": {}, \"id\": 2}\n");
		_exit(0);
	}
	return pid;
}

static void long_command_is_sent_in_parts(void **state)
{
	static const char around[] = "{\"execute\":\"x\",\"arguments\":{\"text\":\"\"},\"id\":2}\n";
	struct fixture f = connected("");
	struct json_object *args = json_object_new_object();
	char *text = malloc(LARGE + 1);
	pid_t pid;

	(void)state;
	memset(text, 'x', LARGE);
	text[LARGE] = '\0';
	json_object_object_add(args, "text", json_object_new_string(text));
	pid = read_and_answer(f.peer, strlen(around) + LARGE);
	assert_int_equal(qmp_execute(f.q, "x", args, NULL), 0);
	waitpid(pid, NULL, 0);
	free(text);
	done(&f);
}

/* What was sent in part cannot be taken back. */
static void command_that_nobody_reads_ends_in_time(void **state)
{
	struct fixture f = connected("");
	struct json_object *args = json_object_new_object();
	char *text = malloc(LARGE + 1);

	(void)state;
	memset(text, 'x', LARGE);
	text[LARGE] = '\0';
	json_object_object_add(args, "text", json_object_new_string(text));
	free(text);
	qmp_set_timeout(f.q, SHORT_MS);
	assert_int_equal(qmp_execute(f.q, "x", args, NULL), -ETIMEDOUT);
	assert_error(f.q, "cannot send to QEMU: Connection timed out");
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -ENOTCONN);
	done(&f);
}

/* Several buffers long, and in several pieces. */
static void long_answer_is_read_whole(void **state)
{
	const size_t size = 100000;
	char *text = malloc(size + 100), *is;
	struct fixture f = connected("");
	size_t len;

	(void)state;
	len = (size_t)sprintf(text, "{\"return\": \"");
	for (size_t i = 0; i < size; i++)
		text[len++] = (char)('a' + i % 26);
	strcpy(text + len, "\", \"id\": 2}\n{\"return\": \"next\", \"id\": 3}\n");
	say(f.peer, text);
	assert_int_equal(qmp_human(f.q, "x", &is), 0);
	assert_int_equal(strlen(is), size);
	assert_memory_equal(is, text + strlen("{\"return\": \""), size);
	free(is);
	/* What came with it is not lost. */
	assert_int_equal(qmp_human(f.q, "x", &is), 0);
	assert_string_equal(is, "next");
	free(is);
	free(text);
	done(&f);
}

/* ---- answers ---- */

static void only_the_answer_to_the_last_command_counts(void **state)
{
	struct fixture f = connected("{\"return\": \"old\", \"id\": 1}\n"
				     "{\"return\": \"text\", \"id\": \"2\"}\n"
				     "{\"return\": \"new\", \"id\": 3}\n"
				     "{\"return\": \"right\", \"id\": 2}\n"
				     "{\"return\": \"without\"}\n");
	char *text;

	(void)state;
	assert_int_equal(qmp_human(f.q, "x", &text), 0);
	assert_string_equal(text, "right");
	free(text);
	assert_int_equal(qmp_human(f.q, "x", &text), 0);
	assert_string_equal(text, "without");
	free(text);
	done(&f);
}

static void words_of_qemu_are_made_harmless(void **state)
{
	struct fixture f = connected("{\"error\": {\"class\": \"A\\u001fB\", \"desc\": "
				     "\"\\u0001\\u001f \\u007e\\u007f\\u00e9\"}, \"id\": 2}\n");

	(void)state;
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -EREMOTEIO);
	assert_error(f.q, "QEMU refuses 'x': ?? ~?\xc3\xa9");
	assert_string_equal(qmp_error_class(f.q), "A?B");
	/* The class is that of this error, and not of the next. */
	assert_int_equal(qmp_event(f.q, "E", 0, NULL), -ETIMEDOUT);
	assert_string_equal(qmp_error_class(f.q), "");
	assert_error(f.q, "no event E from QEMU in time");
	done(&f);
}

static void break_is_sent_to_its_console(void **state)
{
	struct fixture f = connected("{\"return\": {}, \"id\": 2}\n");
	char sent[512] = "";

	(void)state;
	assert_int_equal(qmp_send_break(f.q, "con"), 0);
	assert_true(read(f.peer, sent, sizeof(sent) - 1) > 0);
	assert_string_equal(strchr(sent, '\n') + 1, "{\"execute\":\"chardev-send-break\","
						    "\"arguments\":{\"id\":\"con\"},\"id\":2}\n");
	done(&f);
}

static void amounts_are_exact_or_none(void **state)
{
	struct fixture f = connected("{\"return\": {\"actual\": 9223372036854775807}, \"id\": 2}\n"
				     "{\"return\": {\"actual\": 9223372036854775808}, \"id\": 3}\n"
				     "{\"return\": {\"actual\": -9223372036854775808}, \"id\": 4}\n"
				     "{\"return\": {\"actual\": 1.5}, \"id\": 5}\n");
	int64_t actual = 0;

	(void)state;
	assert_int_equal(qmp_query_balloon(f.q, &actual), 0);
	assert_true(actual == INT64_MAX);
	assert_int_equal(qmp_query_balloon(f.q, &actual), -EPROTO);
	assert_error(f.q, "query-balloon gave no number");
	assert_int_equal(qmp_query_balloon(f.q, &actual), 0);
	assert_true(actual == INT64_MIN);
	assert_int_equal(qmp_query_balloon(f.q, &actual), -EPROTO);
	done(&f);
}

/* ---- connections ---- */

static void nothing_can_be_asked_without_a_connection(void **state)
{
	struct qmp *q = qmp_new();
	pid_t pid;

	(void)state;
	assert_int_equal(qmp_execute(q, "x", json_object_new_object(), NULL), -ENOTCONN);
	assert_error(q, "not connected to QEMU");
	assert_int_equal(qmp_event(q, "E", LONG_MS, NULL), -ENOTCONN);
	assert_error(q, "not connected to QEMU");
	assert_int_equal(qmp_peer(q, &pid), -ENOTCONN);
	assert_error(q, "not connected to QEMU");
	qmp_free(q);
	qmp_free(NULL);
}

static void peer_is_the_process_behind_the_socket(void **state)
{
	struct fixture f = connected("");
	pid_t pid = 0;

	(void)state;
	assert_int_equal(qmp_peer(f.q, &pid), 0);
	assert_int_equal(pid, getpid());
	fail_nth(FAILING_CALLS, 1);
	assert_int_equal(qmp_peer(f.q, &pid), -EIO);
	assert_error(f.q, "whose socket: Input/output error");
	done(&f);
}

/* Nothing of the connection before is left. */
static void another_connection_begins_anew(void **state)
{
	struct fixture f = connected("{\"event\": \"OLD\"}\n{\"event\": \"OTHER\"}\n{\"half");
	char text[512];
	int fd, ends[2];
	ssize_t n;

	(void)state;
	assert_int_equal(qmp_event(f.q, "OTHER", LONG_MS, NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	fd = ends[1];
	say(fd, GREETING "{\"return\": {}, \"id\": 2}\n{\"event\": \"NEW\"}\n");
	assert_int_equal(qmp_attach(f.q, ends[0], LONG_MS), 0);
	assert_int_equal(qmp_event(f.q, "OLD", 0, NULL), -ETIMEDOUT);
	assert_int_equal(qmp_event(f.q, "NEW", LONG_MS, NULL), 0);
	/* The first socket is closed. */
	while ((n = read(f.peer, text, sizeof(text))) > 0)
		;
	assert_int_equal(n, 0);
	done(&f);
	close(fd);
}

static void greeting_that_does_not_come_closes(void **state)
{
	int before = next_fd(), fd;
	struct fixture f = new_fixture(&fd);

	(void)state;
	assert_int_equal(qmp_attach(f.q, fd, SHORT_MS), -ETIMEDOUT);
	assert_error(f.q, "no greeting from QEMU in time");
	close(f.peer);
	assert_int_equal(next_fd(), before);
	qmp_free(f.q);
	f = new_fixture(&fd);
	say(f.peer, GREETING "{\"error\": {\"class\": \"C\", \"desc\": \"no\"}, \"id\": 1}\n");
	assert_int_equal(qmp_attach(f.q, fd, LONG_MS), -EREMOTEIO);
	close(f.peer);
	assert_int_equal(next_fd(), before);
	qmp_free(f.q);
}

static void connecting_fails_where_it_is(void **state)
{
	static const char *const says[] = { "socket: Input/output error", "setsockopt", "connect",
					    "getsockopt" };
	char dir[] = "/tmp/qmp-test-XXXXXX", path[64], words[128];
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct qmp *q = qmp_new();
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), before;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/qmp", dir);
	strcpy(addr.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 5), 0);
	before = next_fd();
	fail_with(EIO);
	for (unsigned n = 1; n <= 4; n++) {
		fail_nth(FAILING_CALLS, n);
		assert_int_equal(qmp_connect(q, path, LONG_MS), -EIO);
		snprintf(words, sizeof(words), "%s%s: Input/output error",
			 n == 4 ? "" : "cannot connect to ", path);
		assert_error(q, n == 1 ? says[0] : words);
		if (n > 1)
			assert_string_equal(failed_call(), says[n - 1]);
		assert_int_equal(next_fd(), before);
	}
	/* Interrupted, it goes on until its time is over: nobody greets here. */
	fail_with(EINTR);
	fail_nth(FAILING_CALLS, 3);
	assert_int_equal(qmp_connect(q, path, SHORT_MS), -ETIMEDOUT);
	assert_error(q, "no greeting from QEMU in time");
	fail_nth(FAILING_CALLS, 3);
	assert_int_equal(qmp_connect(q, path, 0), -ETIMEDOUT);
	snprintf(words, sizeof(words), "cannot connect to %s: Connection timed out", path);
	assert_error(q, words);
	unlink(path);
	rmdir(dir);
	close(fd);
	qmp_free(q);
}

/* ---- who holds a socket ---- */

struct server {
	struct sockaddr_un addr;
	socklen_t len;
	int fd;
};

/* With its NUL, as it is usual, if the address has room for it; "@" begins an abstract one. */
static void serve_at(struct server *server, const char *path)
{
	size_t len = strlen(path);

	*server = (struct server){ .addr = { .sun_family = AF_UNIX } };
	memcpy(server->addr.sun_path, path, len);
	if (*path == '@')
		server->addr.sun_path[0] = '\0';
	else if (len < sizeof(server->addr.sun_path))
		len++;
	server->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	server->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&server->addr, server->len), 0);
	assert_int_equal(listen(server->fd, 5), 0);
}

static int client_of(const struct server *server)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&server->addr, server->len), 0);
	return fd;
}

static void unlink_server(const struct server *server)
{
	char path[sizeof(server->addr.sun_path) + 1] = "";

	memcpy(path, server->addr.sun_path, sizeof(server->addr.sun_path));
	assert_int_equal(unlink(path), 0);
}

static void end_server(struct server *server)
{
	if (server->addr.sun_path[0] != '\0')
		unlink_server(server);
	close(server->fd);
}

/* Before, while and after somebody else is served, as a client sees it that is connected. */
static void assert_holder_is_seen(const char *path)
{
	struct server server;
	int other, served, we;

	serve_at(&server, path);
	we = client_of(&server);
	assert_false(qmp_is_held_by_other(we, NULL));
	served = accept(server.fd, NULL, NULL);
	/* That is our own connection. */
	assert_false(qmp_is_held_by_other(we, NULL));
	other = client_of(&server);
	assert_true(qmp_is_held_by_other(other, NULL));
	/* One that waits, as we do, holds nothing. */
	assert_false(qmp_is_held_by_other(we, NULL));
	/* The server has not noticed yet. */
	close(we);
	assert_false(qmp_is_held_by_other(other, NULL));
	close(other);
	close(served);
	end_server(&server);
}

static void other_client_is_seen_at_any_address(void **state)
{
	char base[] = "/tmp/qmp-XXXXXX", path[109], abstract[40];
	int here = open(".", O_RDONLY), client, served;
	struct server longer;

	(void)state;
	assert_non_null(mkdtemp(base));
	assert_int_equal(chdir(base), 0);
	assert_holder_is_seen("x");
	assert_int_equal(fchdir(here), 0);
	close(here);
	snprintf(path, sizeof(path), "%s/x", base);
	assert_holder_is_seen(path);
	/* As long as can be, with a NUL behind it and without. */
	for (size_t len = 107; len <= 108; len++) {
		memset(path + strlen(path), 'y', len - strlen(path));
		path[len] = '\0';
		assert_holder_is_seen(path);
	}
	assert_int_equal(rmdir(base), 0);
	/* One that begins like it is another. */
	snprintf(abstract, sizeof(abstract), "@aerostat-test-%d-2", getpid());
	serve_at(&longer, abstract);
	client = client_of(&longer);
	served = accept(longer.fd, NULL, NULL);
	abstract[strlen(abstract) - 2] = '\0';
	assert_holder_is_seen(abstract);
	close(served);
	close(client);
	end_server(&longer);
}

/* With clients that are not served, and so not closed before the server is. */
static size_t fill_backlog(const struct server *server, int fds[8])
{
	size_t count = 0;

	do {
		assert_true(count < 8);
		fds[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	} while (!connect(fds[count++], (const struct sockaddr *)&server->addr, server->len));
	assert_int_equal(errno, EAGAIN);
	return count;
}

static void socket_that_is_held_and_full_is_busy(void **state)
{
	char base[] = "/tmp/qmp-XXXXXX", path[64];
	int other, served, before, waiting[8];
	struct qmp *q = qmp_new();
	struct server server;
	size_t count;

	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(path, sizeof(path), "%s/x", base);
	serve_at(&server, path);
	assert_int_equal(listen(server.fd, 0), 0);
	other = client_of(&server);
	served = accept(server.fd, NULL, NULL);
	count = fill_backlog(&server, waiting);
	before = next_fd();
	assert_int_equal(qmp_connect(q, path, SHORT_MS), -EBUSY);
	assert_error(q, "busy: another client is connected to QEMU's socket");
	assert_int_equal(next_fd(), before);
	while (count)
		close(waiting[--count]);
	close(served);
	close(other);
	end_server(&server);
	assert_int_equal(rmdir(base), 0);
	qmp_free(q);
}

/* Only root can make one: a socket is served by whoever listens. */
static void socket_that_another_user_serves_is_refused(void **state)
{
	char base[] = "/tmp/qmp-XXXXXX", path[64], words[128];
	struct qmp *q = qmp_new();
	struct server server;
	int before;

	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(path, sizeof(path), "%s/x", base);
	serve_at(&server, path);
	if (geteuid() == 0) {
		assert_int_equal(seteuid(12345), 0);
		assert_int_equal(listen(server.fd, 5), 0);
		assert_int_equal(seteuid(0), 0);
		before = next_fd();
		assert_int_equal(qmp_connect(q, path, LONG_MS), -EPERM);
		snprintf(words, sizeof(words), "%s is served by user 12345, not by us", path);
		assert_error(q, words);
		assert_int_equal(next_fd(), before);
	}
	end_server(&server);
	assert_int_equal(rmdir(base), 0);
	qmp_free(q);
}

/* By a client that could not connect. */
static void other_client_is_seen_by_the_path(void **state)
{
	static const char *const others[] = { "a", "abc", "b", "ac" };
	char base[] = "/tmp/qmp-XXXXXX", path[64];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), other, served, next;
	struct server server;

	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(path, sizeof(path), "%s/ab", base);
	serve_at(&server, path);
	other = client_of(&server);
	assert_false(qmp_is_held_by_other(fd, path));
	served = accept(server.fd, NULL, NULL);
	next = next_fd();
	assert_true(qmp_is_held_by_other(fd, path));
	assert_int_equal(next_fd(), next);
	assert_false(qmp_is_held_by_other(fd, NULL));
	assert_false(qmp_is_held_by_other(fd, ""));
	assert_false(qmp_is_held_by_other(-1, path));
	/* Names that only begin like it, or end. */
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", base, others[i]);
		assert_false(qmp_is_held_by_other(fd, path));
	}
	close(served);
	close(other);
	close(fd);
	end_server(&server);
	assert_int_equal(rmdir(base), 0);
}

/* So many that the kernel tells of them in parts. */
static void every_part_of_the_list_is_read(void **state)
{
	static struct server servers[150];
	static int clients[150], served[150];
	char name[40];

	(void)state;
	for (int i = 0; i < 150; i++) {
		snprintf(name, sizeof(name), "@aerostat-test-%d-%03d-0123456789", getpid(), i);
		serve_at(&servers[i], name);
		clients[i] = client_of(&servers[i]);
		served[i] = accept(servers[i].fd, NULL, NULL);
	}
	for (int i = 0; i < 150; i++) {
		int we = client_of(&servers[i]);

		assert_true(qmp_is_held_by_other(we, NULL));
		close(we);
	}
	for (int i = 0; i < 150; i++) {
		close(served[i]);
		close(clients[i]);
		end_server(&servers[i]);
	}
}

static void socket_without_a_name_is_held_by_nobody(void **state)
{
	char path[300], abstract[40];
	int ends[2], fd = socket(AF_UNIX, SOCK_STREAM, 0), other, served;
	struct server server;

	(void)state;
	/* Without a name this would be it. */
	snprintf(abstract, sizeof(abstract), "@aerostat-test-%d", getpid());
	serve_at(&server, abstract);
	other = client_of(&server);
	served = accept(server.fd, NULL, NULL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_false(qmp_is_held_by_other(ends[0], NULL));
	assert_false(qmp_is_held_by_other(ends[0], "/tmp"));
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_false(qmp_is_held_by_other(fd, path));
	assert_false(qmp_is_held_by_other(fd, NULL));
	assert_false(qmp_is_held_by_other(fd, ""));
	assert_false(qmp_is_held_by_other(-1, "x"));
	close(served);
	close(other);
	end_server(&server);
	close(ends[0]);
	close(ends[1]);
	close(fd);
}

/* Whatever cannot be asked, nobody is said to be there; an interruption is nothing. */
static void holder_is_not_guessed(void **state)
{
	char base[] = "/tmp/qmp-XXXXXX", path[64];
	int other, served, we;
	struct server server;
	unsigned n = 0;
	bool held;

	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(path, sizeof(path), "%s/x", base);
	serve_at(&server, path);
	other = client_of(&server);
	served = accept(server.fd, NULL, NULL);
	we = client_of(&server);
	do {
		fail_with(EIO);
		fail_nth(FAILING_CALLS, ++n);
		held = qmp_is_held_by_other(we, NULL);
		/* What a part of the list has shown is so, whatever becomes of the next. */
		assert_true(failed_call() ? n > 5 || !held : held);
	} while (failed_call());
	assert_true(n > 4);
	fail_with(EINTR);
	for (n = 1; n < 100; n++) {
		fail_nth(FAILING_CALLS, n);
		held = qmp_is_held_by_other(we, NULL);
		if (!failed_call())
			break;
		if (!strcmp(failed_call(), "recv"))
			assert_true(held);
	}
	assert_true(held);
	fail_nth(FAILING_CALLS, 0);
	close(we);
	close(served);
	close(other);
	end_server(&server);
	assert_int_equal(rmdir(base), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(interrupted_calls_are_made_again),
		TEST(socket_that_has_nothing_yet_is_asked_again),
		TEST(failure_closes_the_connection),
		TEST(peer_that_resets_has_closed),
		TEST(quit_is_done_when_the_connection_ends),
		TEST(long_command_is_sent_in_parts),
		TEST(command_that_nobody_reads_ends_in_time),
		TEST(long_answer_is_read_whole),
		TEST(only_the_answer_to_the_last_command_counts),
		TEST(words_of_qemu_are_made_harmless),
		TEST(break_is_sent_to_its_console),
		TEST(amounts_are_exact_or_none),
		TEST(nothing_can_be_asked_without_a_connection),
		TEST(peer_is_the_process_behind_the_socket),
		TEST(another_connection_begins_anew),
		TEST(greeting_that_does_not_come_closes),
		TEST(other_client_is_seen_at_any_address),
		TEST(other_client_is_seen_by_the_path),
		TEST(socket_that_is_held_and_full_is_busy),
		TEST(socket_that_another_user_serves_is_refused),
		TEST(every_part_of_the_list_is_read),
		TEST(socket_without_a_name_is_held_by_nobody),
		TEST(holder_is_not_guessed),
		TEST(connecting_fails_where_it_is),
	};

	return cmocka_run_group_tests_name("qmp_calls", tests, NULL, NULL);
}
