/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store's client, with xenstored led by the input: each byte is something that it does when no
 * task of the guest can run. As long as it is honest, however slow, every call gets what it should,
 * and the node that is followed ends with the value that it has. If it was stopped for a while,
 * calls may have been in vain, but at the end it is used, and the value is known. When it has lied,
 * calls still end in time. Of each silence, and of an end, there is one line.
 */
#include <errno.h>

#include "arch/clock.h"
#include "tests/fuzz/fuzz.h"
#include "tests/sim/sim_log.h"
#include "tests/unit/drivers/xen/xenstore_fixture.h"

#define CALL_NS_MAX (XENSTORE_DEADLINE_NS + 50 * NS_PER_MS)

/* An honest daemon gets its turn in time, however often the guest is stopped. */
#define JUMPS_MAX 20

enum op {
	OP_STEP,
	OP_STEPS, /* up to 63 */
	OP_SET,	  /* the node that is followed */
	OP_REMOVE,
	OP_FIRE,
	OP_PIECE,
	OP_EVENTS_FIRST,
	OP_NO_EVENTS,
	OP_JUMP,
	OP_IDLE,
	OP_STALL, /* for up to 25 s */
	/* From here on it lies. */
	OP_EDIT,
	OP_COUNT,
	OP_SAY,
	OP_LIE,
	OPS,
};

#define FIRST_LIE OP_EDIT

static struct fuzz_input in;
static bool lied;
static bool stalled; /* once; then calls may have been in vain */
static uint64_t stall_end_ns;
static unsigned jumps, askers;
static struct xenstore_node target;

/* ---- The daemon ---- */

static void edit_page(void)
{
	size_t at = fuzz_number(&in, 2) % sizeof(fixture_page);
	size_t length = fuzz_byte(&in) % 32;

	for (; length > 0 && at < sizeof(fixture_page); length--, at++)
		((uint8_t *)&fixture_page)[at] = fuzz_byte(&in);
}

static void move_count(void)
{
	volatile uint32_t *const counts[] = { &fixture_page.request_cons,
					      &fixture_page.request_prod,
					      &fixture_page.response_cons,
					      &fixture_page.response_prod };
	uint8_t which = fuzz_byte(&in);
	uint32_t value = (uint32_t)fuzz_number(&in, which & 4 ? 4 : 2);

	*counts[which % 4] = which & 8 ? value : *counts[which % 4] + value;
}

/* Any message: mostly with a number that may be right. */
static void say(void)
{
	uint32_t type = fuzz_byte(&in), id = fuzz_byte(&in);
	uint8_t payload[255], length = fuzz_byte(&in);

	for (size_t i = 0; i < length; i++)
		payload[i] = fuzz_byte(&in);
	sim_xenstore_say(&daemon_side, type, id, payload, length);
}

static void set_target(void)
{
	uint8_t text[127], length = fuzz_byte(&in) % sizeof(text);

	for (size_t i = 0; i < length; i++)
		text[i] = fuzz_byte(&in);
	sim_xenstore_set_bytes(&daemon_side, "memory/target", text, length);
}

static void lie(enum op op)
{
	lied = true;
	if (op == OP_EDIT)
		edit_page();
	else if (op == OP_COUNT)
		move_count();
	else if (op == OP_SAY)
		say();
	else
		daemon_side.lie = fuzz_byte(&in) % SIM_XENSTORE_LIES;
}

static void step(unsigned count)
{
	while (count-- > 0)
		sim_xenstore_step(&daemon_side);
}

static void change_pace(enum op op)
{
	if (op == OP_PIECE)
		daemon_side.piece = fuzz_byte(&in);
	else if (op == OP_EVENTS_FIRST)
		daemon_side.events_first = fuzz_byte(&in) % 8;
	else if (op == OP_NO_EVENTS)
		fixture_no_events = fuzz_byte(&in) & 1;
	else if (op == OP_JUMP && jumps++ < JUMPS_MAX)
		sim_tasks_jump(fuzz_byte(&in) * NS_PER_S / 10);
}

static void stall(void)
{
	stalled = true;
	stall_end_ns = clock_ns() + fuzz_byte(&in) * NS_PER_S / 10;
}

static bool do_next(void)
{
	enum op op = fuzz_byte(&in) % OPS;

	if (op >= FIRST_LIE)
		lie(op);
	else if (op == OP_STEP)
		step(1);
	else if (op == OP_STEPS)
		step(fuzz_byte(&in) % 64);
	else if (op == OP_SET)
		set_target();
	else if (op == OP_REMOVE && sim_xenstore_find(&daemon_side, "memory/target"))
		sim_xenstore_remove(&daemon_side, "memory/target");
	else if (op == OP_STALL)
		stall();
	else if (op == OP_FIRE)
		sim_xenstore_fire_all(&daemon_side);
	else
		change_pace(op);
	return true;
}

static bool world(void)
{
	if (clock_ns() < stall_end_ns)
		return false;
	if (fuzz_left(&in) > 0)
		return do_next();
	/* One that goes on so without an end is not what this is about. */
	daemon_side.events_first = 0;
	return sim_xenstore_step(&daemon_side);
}

/* ---- The guest ---- */

/* What a call returned; `begin`: when it began. */
static void check_call(const char *call, int err, uint64_t begin)
{
	uint64_t ns = clock_awake_ns() - begin;

	fuzz_require(ns <= CALL_NS_MAX, "%s took %llu ms", call,
		     (unsigned long long)(ns / NS_PER_MS));
	fuzz_require(lied || err == 0 || (stalled && err == -ETIMEDOUT),
		     "%s: %d of an honest store", call, err);
	fuzz_require(err <= 0, "%s: %d", call, err);
}

static void ask(void *arg)
{
	const char *path = arg;
	char text[] = "0......................................", value[64];

	for (unsigned i = 0; i < 4; i++) {
		uint64_t begin = clock_awake_ns();
		size_t length = 0;
		int err;

		text[0] = (char)('0' + i);
		check_call("write", xenstore_write(path, text), begin);
		begin = clock_awake_ns();
		err = xenstore_read(path, value, sizeof(value), &length);
		check_call("read", err, begin);
		fuzz_require(err || (length < sizeof(value) && value[length] == '\0'), "no end");
		fuzz_require(lied || stalled || !strcmp(value, text), "another value: %s", value);
		/* What was written in vain may be there later. */
		fuzz_require(lied || err || !strcmp(value + 1, text + 1), "no value: %s", value);
	}
	askers--;
}

static void check_target(void)
{
	const struct sim_xenstore_node *node = sim_xenstore_find(&daemon_side, "memory/target");

	fuzz_require(target.length < XENSTORE_NODE_MAX && !target.value[target.length], "no end");
	if (lied || !target.path)
		return;
	fuzz_require(target.exists == !!node, "exists: %d", target.exists);
	if (!node)
		return;
	fuzz_require(target.cut == (node->length >= XENSTORE_NODE_MAX), "cut: %d", target.cut);
	fuzz_require(!memcmp(target.value, node->value, target.length), "another value");
	fuzz_require(target.cut || target.length == node->length, "another length");
}

/* A silence that is over has a second line, unless the answer that ended it was a lie. */
static void check_lines(void)
{
	unsigned ended = sim_log_infos, open = xenstore_is_silent(), given_up = !!xenstore_fault();

	fuzz_require(!open || !given_up, "silent, and given up");
	fuzz_require(sim_log_warnings == ended + open + given_up ||
			     (given_up && sim_log_warnings == ended + 2),
		     "%u warnings, %u silences ended", sim_log_warnings, ended);
}

static void live(void *arg)
{
	static char a[] = "data/a", b[] = "data/b";
	uint64_t begin = clock_awake_ns();
	int err;

	(void)arg;
	check_call("start", xenstore_start(), begin);
	askers = 2;
	sim_tasks_add("a", ask, a);
	sim_tasks_add("b", ask, b);
	begin = clock_awake_ns();
	target = (struct xenstore_node){ .path = "memory/target" };
	err = xenstore_follow(&target);
	check_call("follow", err, begin);
	while (askers > 0 || fuzz_left(&in) > 0 || clock_ns() < stall_end_ns)
		task_sleep_until(clock_ns() + 10 * NS_PER_MS);
	/* Events may be lost; a look a second is not. */
	task_sleep_until(clock_ns() + 4 * NS_PER_S);
	fuzz_require(lied || !xenstore_is_silent(), "silent for ever");
	if (err == -ETIMEDOUT && !lied)
		fuzz_require(xenstore_follow(&target) == 0, "nothing can be followed any more");
	check_target();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fixture_begin();
	in = (struct fuzz_input){ data, data + (size < 4096 ? size : 4096) };
	lied = stalled = false;
	stall_end_ns = 0;
	jumps = 0;
	sim_tasks_world = world;
	sim_tasks_run(live, NULL);
	fuzz_require(lied || !xenstore_fault(), "given up: %s", xenstore_fault());
	fuzz_require(lied || !daemon_side.violation, "violation: %s", daemon_side.violation);
	check_lines();
	fuzz_require(fixture_end(), "a task that never ends");
	return 0;
}
