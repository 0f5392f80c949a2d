/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What QEMU says is the input, in one of two ways. Beginning with a brace or anything
 * even, it is all that QEMU ever says: greeting, answers and events. Beginning with an odd
 * byte, it says how a good conversation is laid out: what white space stands between its
 * tokens, and where its bytes are cut. Then each answer must be what it always is.
 *
 * A packet of the socket is what one read gives. The connection ends after it all, so
 * nothing waits.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/fuzz/fuzz.h"
#include "tools/json_member.h"
#include "tools/qmp.h"

#define INPUT_MAX (64 * 1024)
#define PACKETS_MAX 120 /* with the rest in one, what a socket's buffer takes */
#define PACKET_MAX 4096 /* what one read takes */
#define TIMEOUT_MS 10000

/* A conversation by its tokens: white space may stand before each. */
static const char *const tokens[] = {
	/* The greeting, and the end of the negotiation. */
	"{",
	"\"QMP\"",
	":",
	"{",
	"\"version\"",
	":",
	"{",
	"\"qemu\"",
	":",
	"{",
	"\"major\"",
	":",
	"10",
	"}",
	"}",
	",",
	"\"capabilities\"",
	":",
	"[",
	"\"oob\"",
	"]",
	"}",
	"}",
	"{",
	"\"return\"",
	":",
	"{",
	"}",
	",",
	"\"id\"",
	":",
	"1",
	"}",
	/* An event, and what is left. */
	"{",
	"\"event\"",
	":",
	"\"BALLOON_CHANGE\"",
	",",
	"\"data\"",
	":",
	"{",
	"\"actual\"",
	":",
	"18446744073709551615",
	"}",
	"}",
	"{",
	"\"id\"",
	":",
	"2",
	",",
	"\"return\"",
	":",
	"{",
	"\"actual\"",
	":",
	"-1234567",
	"}",
	"}",
	/* A refusal, and a text. */
	"{",
	"\"error\"",
	":",
	"{",
	"\"class\"",
	":",
	"\"DeviceNotActive\"",
	",",
	"\"desc\"",
	":",
	"\"} \\\" {\"",
	"}",
	",",
	"\"id\"",
	":",
	"3",
	"}",
	"{",
	"\"return\"",
	":",
	"\"a \\u0062 ]\"",
	",",
	"\"id\"",
	":",
	"4",
	"}",
};

#define TOKENS (sizeof(tokens) / sizeof(tokens[0]))

static void ask(struct qmp *q)
{
	struct json_object *reply = NULL, *event = NULL;
	char *text = NULL;
	int64_t left;

	qmp_balloon(q, 268435456);
	qmp_query_balloon(q, &left);
	if (!qmp_execute(q, "query-status", NULL, &reply))
		json_object_put(reply);
	if (!qmp_human(q, "info balloon", &text))
		free(text);
	if (!qmp_event(q, "BALLOON_CHANGE", 1, &event))
		json_object_put(event);
	qmp_forget_events(q);
	qmp_quit(q);
}

/* Asks for what the tokens say. */
static void ask_well(struct qmp *q)
{
	struct json_object *event = NULL, *data;
	uint64_t value;
	char *text = NULL;
	int64_t left;

	fuzz_require(qmp_version(q) == 10, "version %u", qmp_version(q));
	fuzz_require(!qmp_query_balloon(q, &left) && left == -1234567, "left: %s", qmp_error(q));
	fuzz_require(qmp_execute(q, "x", NULL, NULL) == -ENODEV, "error: %s", qmp_error(q));
	fuzz_require(strstr(qmp_error(q), ": } \" {"), "words: %s", qmp_error(q));
	fuzz_require(!qmp_human(q, "x", &text) && !strcmp(text, "a b ]"), "text: %s", qmp_error(q));
	free(text);
	fuzz_require(!qmp_event(q, "BALLOON_CHANGE", 0, &event), "event: %s", qmp_error(q));
	data = json_object_object_get(event, "data");
	fuzz_require(json_member_uint64(data, "actual", &value) && value == UINT64_MAX, "number");
	json_object_put(event);
}

static void say(int fd, const char *text, size_t size)
{
	if (size && send(fd, text, size, 0) != (ssize_t)size)
		abort();
}

/* Cuts where the input says, then as large as may be. */
static void say_in_pieces(int fd, struct fuzz_input *cuts, const char *text, size_t size)
{
	for (unsigned i = 0; i < PACKETS_MAX && fuzz_left(cuts) && size; i++) {
		size_t length = 1 + fuzz_byte(cuts) % 64;

		length = length < size ? length : size;
		say(fd, text, length);
		text += length;
		size -= length;
	}
	while (size) {
		size_t length = size < PACKET_MAX ? size : PACKET_MAX;

		say(fd, text, length);
		text += length;
		size -= length;
	}
}

/* Each byte of the input is the white space before a token: how much, and of which kind. */
static size_t lay_out(struct fuzz_input *in, char *text)
{
	size_t size = 0;

	for (size_t i = 0; i < TOKENS; i++) {
		uint8_t byte = fuzz_byte(in);

		for (unsigned n = byte & 7; n; n--, byte = (uint8_t)(byte << 1 | byte >> 7))
			text[size++] = " \t\r\n"[byte >> 6];
		memcpy(text + size, tokens[i], strlen(tokens[i]));
		size += strlen(tokens[i]);
	}
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, data + (size < INPUT_MAX ? size : INPUT_MAX) };
	bool good = size && data[0] != '{' && data[0] & 1;
	struct qmp *q = qmp_new();
	char text[TOKENS * 40];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))
		abort();
	if (good) {
		size_t length;

		fuzz_byte(&in);
		length = lay_out(&in, text);
		say_in_pieces(pair[1], &in, text, length);
	} else {
		/* The input cuts itself, so that seeds can be read. */
		struct fuzz_input cuts = in;

		say_in_pieces(pair[1], &cuts, (const char *)in.at, fuzz_left(&in));
	}
	if (shutdown(pair[1], SHUT_WR))
		abort();
	if (!qmp_attach(q, pair[0], TIMEOUT_MS)) {
		if (good)
			ask_well(q);
		else
			ask(q);
	} else {
		fuzz_require(!good, "no greeting: %s", qmp_error(q));
	}
	qmp_free(q);
	close(pair[1]);
	return 0;
}
