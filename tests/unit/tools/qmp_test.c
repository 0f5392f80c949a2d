/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/qmp.c and its parts against a scripted peer. What the peer will say is written
 * into its end of a socket pair beforehand: ids are counted from 1, and the
 * negotiation takes the first. No QEMU runs here.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tools/deadline.h"
#include "tools/json_member.h"
#include "tools/qmp.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define NEGOTIATED "{\"return\": {}, \"id\": 1}\r\n"
#define SHORT_MS 100  /* for waits that must be in vain */
#define LONG_MS 20000 /* for waits that must not */

struct fixture {
	struct qmp *q;
	int peer;
};

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* A client whose peer has said `script`; the attach's result is returned. */
static int attach(struct fixture *f, const char *script, int timeout_ms)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	f->q = qmp_new();
	f->peer = pair[1];
	say(f->peer, script);
	return qmp_attach(f->q, pair[0], timeout_ms);
}

static struct fixture connected(const char *script)
{
	struct fixture f;

	assert_int_equal(attach(&f, GREETING NEGOTIATED, LONG_MS), 0);
	say(f.peer, script);
	qmp_set_timeout(f.q, SHORT_MS);
	return f;
}

static void done(struct fixture *f)
{
	qmp_free(f->q);
	if (f->peer >= 0)
		close(f->peer);
}

static void hang_up(struct fixture *f)
{
	close(f->peer);
	f->peer = -1;
}

static void assert_error_says(const struct fixture *f, const char *words)
{
	if (!strstr(qmp_error(f->q), words))
		fail_msg("\"%s\" lacks \"%s\"", qmp_error(f->q), words);
}

static void sends_one_line_a_command_with_an_id(void **state)
{
	struct fixture f = connected("{\"return\": {}, \"id\": 2}\n");
	char sent[512] = "";

	(void)state;
	assert_int_equal(qmp_balloon(f.q, 268435456), 0);
	assert_true(read(f.peer, sent, sizeof(sent) - 1) > 0);
	assert_string_equal(sent, "{\"execute\":\"qmp_capabilities\",\"id\":1}\n"
				  "{\"execute\":\"balloon\",\"arguments\":{\"value\":268435456},"
				  "\"id\":2}\n");
	done(&f);
}

static void numbers_are_exact_up_to_2_64_minus_1(void **state)
{
	struct fixture f = connected("{\"return\": {\"stat-swap-in\": "
				     "18446744073709551615}, \"id\": 2}\n");
	struct json_object *reply, *number;

	(void)state;
	assert_int_equal(qmp_execute(f.q, "x", NULL, &reply), 0);
	assert_true(json_object_object_get_ex(reply, "stat-swap-in", &number));
	assert_true(json_object_get_uint64(number) == UINT64_MAX);
	json_object_put(reply);
	done(&f);
}

static void events_in_the_middle_of_an_answer_are_kept(void **state)
{
	struct fixture f = connected("{\"event\": \"RESET\", \"data\": {\"guest\": true}}\r\n"
				     "{\"event\": \"BALLOON_CHANGE\", \"data\": {\"actual\": 7}}\n"
				     "\r\n"
				     "{\"return\": {\"actual\": 42}, \"id\": 2}\r\n");
	struct json_object *event, *data;
	int64_t actual;

	(void)state;
	assert_int_equal(qmp_query_balloon(f.q, &actual), 0);
	assert_int_equal(actual, 42);
	assert_int_equal(qmp_event(f.q, "BALLOON_CHANGE", SHORT_MS, &event), 0);
	data = json_object_object_get(event, "data");
	assert_int_equal(json_object_get_int(json_object_object_get(data, "actual")), 7);
	json_object_put(event);
	assert_int_equal(qmp_event(f.q, "RESET", SHORT_MS, NULL), 0);
	assert_int_equal(qmp_event(f.q, "RESET", SHORT_MS, NULL), -ETIMEDOUT);
	say(f.peer, "{\"event\": \"RESET\"}\n");
	assert_int_equal(qmp_event(f.q, "RESET", SHORT_MS, NULL), 0);
	done(&f);
}

static void event_between_others_leaves_them(void **state)
{
	struct fixture f = connected("{\"event\": \"A\"}\n{\"event\": \"B\"}\n"
				     "{\"event\": \"C\"}\n{\"event\": \"D\"}\n"
				     "{\"return\": {}, \"id\": 2}\n");
	static const char *const names[] = { "B", "C", "A", "D" };

	(void)state;
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(qmp_event(f.q, names[i], SHORT_MS, NULL), 0);
		assert_int_equal(qmp_event(f.q, names[i], 0, NULL), -ETIMEDOUT);
	}
	done(&f);
}

static void of_too_many_events_the_newest_are_kept(void **state)
{
	struct fixture f = connected("");
	char line[64];

	(void)state;
	for (int i = 0; i < QMP_EVENTS + 10; i++) {
		snprintf(line, sizeof(line), "{\"event\": \"E%d\"}\n", i);
		say(f.peer, line);
	}
	say(f.peer, "{\"return\": {}, \"id\": 2}\n");
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), 0);
	assert_int_equal(qmp_event(f.q, "E9", SHORT_MS, NULL), -ETIMEDOUT);
	assert_int_equal(qmp_event(f.q, "E10", SHORT_MS, NULL), 0);
	assert_int_equal(qmp_event(f.q, "E73", SHORT_MS, NULL), 0);
	qmp_forget_events(f.q);
	assert_int_equal(qmp_event(f.q, "E20", SHORT_MS, NULL), -ETIMEDOUT);
	done(&f);
}

static void newer_event_undoes_an_older_one(void **state)
{
	struct fixture f = connected("{\"event\": \"A\"}\n{\"event\": \"C\"}\n"
				     "{\"return\": {}, \"id\": 2}\n"
				     "{\"event\": \"B\"}\n{\"event\": \"C\"}\n"
				     "{\"return\": {}, \"id\": 3}\n{\"event\": \"A\"}");

	(void)state;
	assert_false(qmp_has_seen(f.q, "A", "B"));
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), 0);
	assert_true(qmp_has_seen(f.q, "A", "B"));
	assert_false(qmp_has_seen(f.q, "B", "A"));
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), 0);
	assert_false(qmp_has_seen(f.q, "A", "B"));
	assert_true(qmp_has_seen(f.q, "B", "A"));
	qmp_forget_events(f.q);
	assert_false(qmp_has_seen(f.q, "B", "A"));
	done(&f);
}

/* Asks in vain, and again when `late` has come, which answers both: the second with `value`. */
static void ask_twice(struct fixture *f, const char *error, const char *late, int64_t value)
{
	int64_t actual;

	assert_int_equal(qmp_query_balloon(f->q, &actual), -ETIMEDOUT);
	assert_error_says(f, error);
	say(f->peer, late);
	assert_int_equal(qmp_query_balloon(f->q, &actual), 0);
	assert_int_equal(actual, value);
	done(f);
}

static void late_answer_is_not_taken_for_the_next(void **state)
{
	struct fixture f = connected("");

	(void)state;
	ask_twice(&f, "query-balloon",
		  "{\"return\": {\"actual\": 1}, \"id\": 2}\n"
		  "{\"return\": {\"actual\": 2}, \"id\": 3}\n",
		  2);
}

static void answer_in_two_pieces_is_one_answer(void **state)
{
	struct fixture f = connected("{\"return\": {\"act");

	(void)state;
	ask_twice(&f, "half of one came",
		  "ual\": 1}, \"id\": 2}\n"
		  "{\"return\": {\"actual\": 5}, \"id\": 3}\n",
		  5);
}

static void error_answer_gives_class_and_words(void **state)
{
	struct fixture f = connected("{\"error\": {\"class\": \"GenericError\", \"desc\": "
				     "\"no \\u001b[2J such\"}, \"id\": 2}\n"
				     "{\"error\": {\"class\": \"DeviceNotActive\", \"desc\": "
				     "\"No balloon device\"}, \"id\": 3}\n"
				     "{\"error\": 7, \"id\": 4}\n"
				     "{\"return\": {}, \"id\": 5}\n");

	(void)state;
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -EREMOTEIO);
	assert_string_equal(qmp_error_class(f.q), "GenericError");
	assert_error_says(&f, "no ?[2J such");
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -ENODEV);
	assert_error_says(&f, "No balloon device");
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -EREMOTEIO);
	assert_string_equal(qmp_error_class(f.q), "");
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), 0);
	done(&f);
}

static void connection_that_dies_is_an_error(void **state)
{
	struct fixture f = connected("");
	int64_t actual;

	(void)state;
	hang_up(&f);
	assert_true(qmp_query_balloon(f.q, &actual) < 0);
	assert_int_equal(qmp_query_balloon(f.q, &actual), -ENOTCONN);
	done(&f);
}

static void connection_that_dies_in_mid_answer_is_an_error(void **state)
{
	struct fixture f = connected("{\"return\": {\"actual\": 1");
	int64_t actual;

	(void)state;
	shutdown(f.peer, SHUT_WR);
	assert_int_equal(qmp_query_balloon(f.q, &actual), -ECONNRESET);
	assert_error_says(&f, "middle of an answer");
	assert_int_equal(qmp_query_balloon(f.q, &actual), -ENOTCONN);
	done(&f);
}

/* A child that says `first`, and then `more` until nobody listens. */
static pid_t flood(int fd, const char *first, char more)
{
	static char text[65536];
	pid_t writer = fork();

	assert_true(writer >= 0);
	if (writer == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		memset(text, more, sizeof(text));
		send(fd, first, strlen(first), MSG_NOSIGNAL);
		while (send(fd, text, sizeof(text), MSG_NOSIGNAL) > 0)
			;
		_exit(0);
	}
	return writer;
}

static void object_without_end_is_an_error(void **state)
{
	static const struct {
		const char *first;
		char more;
	} floods[] = { { "{\"return\": \"", 'x' },
		       { "{\"return\": ", ' ' },
		       { "{\"return\": ", '1' } };

	(void)state;
	for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
		struct fixture f = connected("");
		int64_t actual;
		pid_t writer;

		qmp_set_timeout(f.q, LONG_MS);
		writer = flood(f.peer, floods[i].first, floods[i].more);
		assert_int_equal(qmp_query_balloon(f.q, &actual), -EMSGSIZE);
		assert_error_says(&f, "more than 1048576 bytes");
		done(&f);
		kill(writer, SIGKILL);
		waitpid(writer, NULL, 0);
	}
}

static void object_of_the_largest_size_is_taken(void **state)
{
	struct fixture f = connected("");
	char *text = malloc(QMP_VALUE_MAX + 1);
	int length = snprintf(text, QMP_VALUE_MAX, "{\"id\": 2, \"return\": \"");
	struct json_object *reply;
	pid_t writer;

	(void)state;
	memset(text + length, 'x', (size_t)(QMP_VALUE_MAX - length));
	memcpy(text + QMP_VALUE_MAX - 2, "\"}", 3);
	qmp_set_timeout(f.q, LONG_MS);
	writer = fork();
	assert_true(writer >= 0);
	if (writer == 0)
		_exit(send(f.peer, text, QMP_VALUE_MAX, MSG_NOSIGNAL) != QMP_VALUE_MAX);
	assert_int_equal(qmp_execute(f.q, "x", NULL, &reply), 0);
	assert_int_equal(json_object_get_string_len(reply), QMP_VALUE_MAX - length - 2);
	json_object_put(reply);
	waitpid(writer, NULL, 0);
	free(text);
	done(&f);
}

static void what_is_no_json_object_is_an_error(void **state)
{
	static const char *const texts[] = {
		"hello\n",
		"[1, 2]\n",
		"42\n",
		"\"text\"\n",
		"}\n",
		"//words\n{\"return\": {}, \"id\": 2}\n",
		"{/*words*/\"return\": {}, \"id\": 2}\n",
		"{\"return\": {}, \"id\": 2,}\n",
		"{\"return\": {} \"id\": 2}\n",
		"{\"return\": nil, \"id\": 2}\n",
		"{\"return\": [1}\n",
		"{\"return\": \"\\x\"}\n",
		"{return: {}}\n",
		/* Objects, but no answers. */
		"{}\n",
		"{} {}\n",
		"{\"id\": 2}\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fixture f = connected(texts[i]);

		if (qmp_execute(f.q, "x", NULL, NULL) != -EPROTO)
			fail_msg("taken: %s", texts[i]);
		assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -ENOTCONN);
		done(&f);
	}
}

static void error_says_where_json_ends(void **state)
{
	struct fixture f = connected("{\"return\": {\"actual\": 12 or more}}\n");
	int64_t actual;

	(void)state;
	assert_int_equal(qmp_query_balloon(f.q, &actual), -EPROTO);
	assert_error_says(&f, "no JSON object: or more}}");
	done(&f);
}

/* No more than is there, nor more than fits a line. */
static void what_is_no_json_is_shown_in_part(void **state)
{
	char text[400] = "{\"return\": \"", words[120], much[101] = "";
	struct fixture f;

	(void)state;
	memset(text + strlen(text), 'x', 200);
	strcat(text, "\", \"id\": 2}\n");
	f = connected(text);
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), 0);
	say(f.peer, "{\"return\": 3, \"id\": 3}\r\nrubbish");
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), 0);
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -EPROTO);
	assert_string_equal(qmp_error(f.q), "QEMU sent what is no JSON object: rubbish");
	done(&f);
	memset(much, 'y', 100);
	for (size_t length = 79; length < 82; length++) {
		much[length] = '\0';
		f = connected(much);
		much[length] = 'y';
		assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -EPROTO);
		snprintf(words, sizeof(words), "QEMU sent what is no JSON object: %.*s",
			 length < 80 ? (int)length : 80, much);
		assert_string_equal(qmp_error(f.q), words);
		done(&f);
	}
}

/* The answer is good; what follows is nobody's. */
static void rubbish_after_an_answer_is_the_next_ones(void **state)
{
	struct fixture f = connected("{\"return\": {}, \"id\": 2}//words\n");

	(void)state;
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), 0);
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -EPROTO);
	done(&f);
}

static void zero_bytes_are_no_json(void **state)
{
	static const char before[] = "\0{\"return\": {}, \"id\": 2}";
	static const char within[] = "{\"return\": \0{}, \"id\": 2}";
	static const char in_text[] = "{\"return\": \"a\0b\", \"id\": 2}";
	static const struct {
		const char *text;
		size_t size;
	} trials[] = { { before, sizeof(before) - 1 },
		       { within, sizeof(within) - 1 },
		       { in_text, sizeof(in_text) - 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		struct fixture f = connected("");

		assert_int_equal(write(f.peer, trials[i].text, trials[i].size), trials[i].size);
		assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -EPROTO);
		done(&f);
	}
}

static void deep_nesting_is_an_error(void **state)
{
	struct fixture f = connected("{\"return\": ");
	char deep[10001] = "";

	(void)state;
	memset(deep, '[', sizeof(deep) - 1);
	say(f.peer, deep);
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -EPROTO);
	assert_error_says(&f, "more than 64 levels");
	done(&f);
}

static void nesting_that_is_allowed_is_taken(void **state)
{
	struct fixture f = connected("{\"id\": 2, \"return\": ");
	char levels[63] = "";

	(void)state;
	memset(levels, '[', sizeof(levels) - 1);
	say(f.peer, levels);
	memset(levels, ']', sizeof(levels) - 1);
	say(f.peer, levels);
	say(f.peer, "}");
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), 0);
	done(&f);
}

/* ---- cuts: each packet is what one read gives ---- */

/* As QEMU writes it with pretty=on, with events between. */
static const char conversation[] =
	"{\n    \"QMP\": {\n        \"version\": {\n            \"qemu\": {\n"
	"                \"major\": 7\n            }\n        },\n"
	"        \"capabilities\": [\n            \"oob\"\n        ]\n    }\n}\r\n"
	"{\n    \"return\": {\n    },\n    \"id\": 1\n}\r\n"
	"{\n    \"event\": \"BALLOON_CHANGE\",\n    \"data\": {\n"
	"        \"actual\": 18446744073709551615\n    }\n}\r\n"
	"{\n    \"return\": {\n        \"actual\": -1234567\n    },\n    \"id\": 2\n}\r\n"
	"{\"id\":3,\"error\":{\"class\":\"DeviceNotActive\",\"desc\":\"\\u0022{\\\\\\\"}\"}}"
	"{\"return\":\"two\\r\\nlines }\",\"id\":4}";

static void say_in_packets(int fd, const char *text, size_t size, size_t packet)
{
	for (size_t at = 0; at < size; at += packet) {
		size_t length = size - at < packet ? size - at : packet;

		assert_int_equal(send(fd, text + at, length, MSG_NOSIGNAL), length);
	}
}

#define CONVERSATION (sizeof(conversation) - 1)

/*
 * The whole conversation, of which the bytes from `from` to `to` come in packets of `packet`
 * bytes: some hundreds of them are what a socket takes.
 */
static void hold_conversation(size_t from, size_t to, size_t packet)
{
	struct fixture f = { .q = qmp_new() };
	struct json_object *event, *data;
	int64_t actual;
	int pair[2];
	uint64_t value;
	char *text;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	f.peer = pair[1];
	say_in_packets(f.peer, conversation, from, CONVERSATION);
	say_in_packets(f.peer, conversation + from, to - from, packet);
	say_in_packets(f.peer, conversation + to, CONVERSATION - to, CONVERSATION);
	assert_int_equal(qmp_attach(f.q, pair[0], LONG_MS), 0);
	assert_int_equal(qmp_version(f.q), 7);
	assert_int_equal(qmp_query_balloon(f.q, &actual), 0);
	assert_int_equal(actual, -1234567);
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -ENODEV);
	assert_error_says(&f, "\"{\\\"}");
	assert_int_equal(qmp_human(f.q, "x", &text), 0);
	assert_string_equal(text, "two\r\nlines }");
	free(text);
	assert_int_equal(qmp_event(f.q, "BALLOON_CHANGE", 0, &event), 0);
	data = json_object_object_get(event, "data");
	assert_true(json_member_uint64(data, "actual", &value));
	assert_true(value == UINT64_MAX);
	json_object_put(event);
	done(&f);
}

static void conversation_may_be_cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t cut = 1; cut < CONVERSATION; cut++)
		hold_conversation(0, cut, cut);
}

static void conversation_may_come_byte_by_byte(void **state)
{
	(void)state;
	for (size_t from = 0; from < CONVERSATION; from += 50)
		hold_conversation(from, from + 100 < CONVERSATION ? from + 100 : CONVERSATION, 1);
	hold_conversation(0, CONVERSATION, 7);
}

static void who_does_not_greet_is_no_qemu(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(attach(&f, "", SHORT_MS), -ETIMEDOUT);
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -ENOTCONN);
	done(&f);
	assert_int_equal(attach(&f, "220 mail ready\r\n", SHORT_MS), -EPROTO);
	done(&f);
	assert_int_equal(attach(&f, "{\"return\": {}}\n", SHORT_MS), -EPROTO);
	done(&f);
	assert_int_equal(attach(&f,
				GREETING "{\"error\": {\"class\": \"C\", "
					 "\"desc\": \"D\"}, \"id\": 1}\n",
				SHORT_MS),
			 -EREMOTEIO);
	done(&f);
}

/* QEMU does so when the guest begins to run between the connection and the greeting. */
static void events_before_the_greeting_are_kept(void **state)
{
	struct fixture f;

	(void)state;
	assert_int_equal(
		attach(&f,
		       "{\"event\": \"RESUME\"}\n{\"event\": \"RTC_CHANGE\"}\n" GREETING NEGOTIATED,
		       LONG_MS),
		0);
	assert_int_equal(qmp_event(f.q, "RTC_CHANGE", SHORT_MS, NULL), 0);
	assert_int_equal(qmp_event(f.q, "RESUME", SHORT_MS, NULL), 0);
	done(&f);
}

static void version_is_what_the_greeting_says(void **state)
{
	static const struct {
		const char *version;
		unsigned is;
	} greetings[] = {
		{ "{\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}}", 7 },
		{ "{\"qemu\": {\"major\": 4294967295}}", UINT_MAX },
		{ "{\"qemu\": {\"major\": 4294967296}}", 0 },
		{ "{\"qemu\": {\"major\": -1}}", 0 },
		{ "{\"qemu\": {\"major\": \"7\"}}", 0 },
		{ "{\"qemu\": 7}", 0 },
		{ "[7]", 0 },
		{ "null", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(greetings) / sizeof(greetings[0]); i++) {
		char script[256];
		struct fixture f;

		snprintf(script, sizeof(script), "{\"QMP\": {\"version\": %s}}\n" NEGOTIATED,
			 greetings[i].version);
		assert_int_equal(attach(&f, script, LONG_MS), 0);
		assert_int_equal(qmp_version(f.q), greetings[i].is);
		done(&f);
	}
}

static void balloon_of_a_lying_guest_is_given_as_it_is(void **state)
{
	struct fixture f = connected("{\"return\": {\"actual\": -17591917609984}, \"id\": 2}\n");
	int64_t actual;

	(void)state;
	assert_int_equal(qmp_query_balloon(f.q, &actual), 0);
	assert_true(actual == -17591917609984);
	done(&f);
}

static void balloon_that_is_no_number_is_an_error(void **state)
{
	struct fixture f = connected(
		"{\"return\": {}, \"id\": 2}\n"
		"{\"return\": {\"actual\": \"1\"}, \"id\": 3}\n"
		"{\"return\": {\"actual\": 1.5}, \"id\": 4}\n"
		"{\"return\": {\"actual\": 18446744073709551615}, \"id\": 5}\n"
		"{\"return\": [], \"id\": 6}\n"
		"{\"return\": null, \"id\": 7}\n"
		"{\"return\": {\"actual\": 9223372036854775807}, \"id\": 8}\n");
	int64_t actual = 0;

	(void)state;
	for (int i = 2; i <= 7; i++)
		assert_int_equal(qmp_query_balloon(f.q, &actual), -EPROTO);
	assert_int_equal(qmp_query_balloon(f.q, &actual), 0);
	assert_true(actual == INT64_MAX);
	done(&f);
}

static void human_monitor_gives_text(void **state)
{
	struct fixture f = connected("{\"return\": \"line 1\\r\\nline 2\", \"id\": 2}\n"
				     "{\"return\": 7, \"id\": 3}\n");
	char *text;

	(void)state;
	assert_int_equal(qmp_human(f.q, "info x", &text), 0);
	assert_string_equal(text, "line 1\r\nline 2");
	free(text);
	assert_int_equal(qmp_human(f.q, "info x", &text), -EPROTO);
	done(&f);
}

/* ---- deadlines ---- */

/* A child that says `line` until nobody listens; to be killed. */
static pid_t say_for_ever(int fd, const char *line)
{
	static char flood[65536];
	size_t size = 0;
	pid_t pid;

	/* More at a time than is read, so that there is always something. */
	for (; size + strlen(line) < sizeof(flood); size += strlen(line))
		memcpy(flood + size, line, strlen(line));
	pid = fork();
	assert_true(pid >= 0);
	/* It has both ends, so that nobody hangs up when an alarm ends us. */
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (pid == 0)
		if (send(fd, flood, size, MSG_NOSIGNAL) < 0)
			_exit(0);
	return pid;
}

static void assert_nothing_puts_the_deadline_off(const char *line)
{
	struct fixture f = connected("");
	pid_t pid;

	alarm(60);
	pid = say_for_ever(f.peer, line);
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -ETIMEDOUT);
	assert_error_says(&f, "no answer to 'x'");
	assert_int_equal(qmp_event(f.q, "WANTED", SHORT_MS, NULL), -ETIMEDOUT);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	alarm(0);
	done(&f);
}

static void talk_does_not_put_the_deadline_off(void **state)
{
	(void)state;
	assert_nothing_puts_the_deadline_off("{\"event\": \"CHATTER\"}\n");
	assert_nothing_puts_the_deadline_off("{\"return\": {}, \"id\": 99}\n");
	assert_nothing_puts_the_deadline_off(" \r\n\n");
}

/* As for somebody who was stopped himself in between. */
static void what_came_in_time_counts_after_the_deadline(void **state)
{
	struct fixture f = connected("{\"event\": \"OTHER\"}\n{\"event\": \"RESET\"}\n");

	(void)state;
	assert_int_equal(qmp_event(f.q, "RESET", 0, NULL), 0);
	assert_int_equal(qmp_event(f.q, "OTHER", 0, NULL), 0);
	assert_int_equal(qmp_event(f.q, "RESET", 0, NULL), -ETIMEDOUT);
	done(&f);
}

static void deadline_of_all_is_on_top_of_the_single_times(void **state)
{
	struct fixture f = connected("");
	char sent[512];
	ssize_t n = read(f.peer, sent, sizeof(sent));

	(void)state;
	assert_true(n > 0);
	alarm(60);
	qmp_set_timeout(f.q, INT_MAX);
	assert_int_equal(qmp_set_deadline(f.q, deadline_in(SHORT_MS)), DEADLINE_NONE);
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), -ETIMEDOUT);
	assert_true(read(f.peer, sent, sizeof(sent)) > 0);
	/* Now that it has passed nothing is sent any more. */
	assert_int_equal(qmp_execute(f.q, "x", json_object_new_object(), NULL), -ETIMEDOUT);
	assert_error_says(&f, "no time is left for 'x'");
	assert_int_equal(recv(f.peer, sent, sizeof(sent), MSG_DONTWAIT), -1);
	assert_int_equal(qmp_event(f.q, "E", INT_MAX, NULL), -ETIMEDOUT);
	assert_true(qmp_set_deadline(f.q, DEADLINE_NONE) <= deadline_now());
	say(f.peer, "{\"return\": {}, \"id\": 3}\n");
	assert_int_equal(qmp_execute(f.q, "x", NULL, NULL), 0);
	alarm(0);
	done(&f);
}

static void quit_may_end_the_connection(void **state)
{
	struct fixture f = connected("");

	(void)state;
	shutdown(f.peer, SHUT_WR);
	assert_int_equal(qmp_quit(f.q), 0);
	done(&f);
}

/* ---- paths ---- */

static void bind_socket(const char *path, int *fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	strcpy(addr.sun_path, path);
	*fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(*fd, 1), 0);
}

static void paths_are_checked_before_they_are_used(void **state)
{
	struct qmp *q = qmp_new();
	char path[200];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(qmp_connect(q, path, SHORT_MS), -ENAMETOOLONG);
	assert_int_equal(qmp_connect(q, "/nonexistent/qmp", SHORT_MS), -ENOENT);
	assert_int_equal(qmp_connect(q, "/etc/passwd", SHORT_MS), -ENOTSOCK);
	assert_int_equal(qmp_execute(q, "x", NULL, NULL), -ENOTCONN);
	qmp_free(q);
}

static void socket_of_somebody_else_is_refused(void **state)
{
	char dir[] = "/tmp/qmp-test-XXXXXX", path[64];
	struct qmp *q = qmp_new();
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/qmp", dir);
	bind_socket(path, &fd);
	/* Ours, but silent. */
	assert_int_equal(qmp_connect(q, path, SHORT_MS), -ETIMEDOUT);
	/* Only root can give a file away; others skip this half. */
	if (chown(path, 12345, (gid_t)-1) == 0)
		assert_int_equal(qmp_connect(q, path, SHORT_MS), -EPERM);
	close(fd);
	assert_true(qmp_connect(q, path, SHORT_MS) < 0);
	unlink(path);
	rmdir(dir);
	qmp_free(q);
}

/* Whoever listens and accepts nobody. */
static void full_backlog_is_not_waited_for(void **state)
{
	char dir[] = "/tmp/qmp-test-XXXXXX", path[64];
	struct qmp *q = qmp_new();
	int fd, taken[8], i = 0;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/qmp", dir);
	bind_socket(path, &fd);
	strcpy(addr.sun_path, path);
	do
		taken[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	while (!connect(taken[i++], (struct sockaddr *)&addr, sizeof(addr)) && i < 8);
	alarm(60);
	assert_int_equal(qmp_connect(q, path, SHORT_MS), -ETIMEDOUT);
	assert_non_null(strstr(qmp_error(q), "cannot connect to /tmp/qmp-test-"));
	alarm(0);
	while (i)
		close(taken[--i]);
	close(fd);
	unlink(path);
	rmdir(dir);
	qmp_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_one_line_a_command_with_an_id),
		cmocka_unit_test(numbers_are_exact_up_to_2_64_minus_1),
		cmocka_unit_test(events_in_the_middle_of_an_answer_are_kept),
		cmocka_unit_test(event_between_others_leaves_them),
		cmocka_unit_test(of_too_many_events_the_newest_are_kept),
		cmocka_unit_test(newer_event_undoes_an_older_one),
		cmocka_unit_test(late_answer_is_not_taken_for_the_next),
		cmocka_unit_test(answer_in_two_pieces_is_one_answer),
		cmocka_unit_test(error_answer_gives_class_and_words),
		cmocka_unit_test(connection_that_dies_is_an_error),
		cmocka_unit_test(connection_that_dies_in_mid_answer_is_an_error),
		cmocka_unit_test(object_without_end_is_an_error),
		cmocka_unit_test(object_of_the_largest_size_is_taken),
		cmocka_unit_test(what_is_no_json_object_is_an_error),
		cmocka_unit_test(error_says_where_json_ends),
		cmocka_unit_test(what_is_no_json_is_shown_in_part),
		cmocka_unit_test(rubbish_after_an_answer_is_the_next_ones),
		cmocka_unit_test(zero_bytes_are_no_json),
		cmocka_unit_test(deep_nesting_is_an_error),
		cmocka_unit_test(nesting_that_is_allowed_is_taken),
		cmocka_unit_test(conversation_may_be_cut_at_every_byte),
		cmocka_unit_test(conversation_may_come_byte_by_byte),
		cmocka_unit_test(who_does_not_greet_is_no_qemu),
		cmocka_unit_test(events_before_the_greeting_are_kept),
		cmocka_unit_test(version_is_what_the_greeting_says),
		cmocka_unit_test(balloon_of_a_lying_guest_is_given_as_it_is),
		cmocka_unit_test(balloon_that_is_no_number_is_an_error),
		cmocka_unit_test(human_monitor_gives_text),
		cmocka_unit_test(talk_does_not_put_the_deadline_off),
		cmocka_unit_test(what_came_in_time_counts_after_the_deadline),
		cmocka_unit_test(deadline_of_all_is_on_top_of_the_single_times),
		cmocka_unit_test(quit_may_end_the_connection),
		cmocka_unit_test(paths_are_checked_before_they_are_used),
		cmocka_unit_test(socket_of_somebody_else_is_refused),
		cmocka_unit_test(full_backlog_is_not_waited_for),
	};

	return cmocka_run_group_tests_name("qmp", tests, NULL, NULL);
}
