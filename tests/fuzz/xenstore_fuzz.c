/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store's client, with xenstored led by the input: each byte is something that it does when no
 * task of the guest can run. As long as it is honest, however slow, every call gets what it should,
 * and the node that is followed ends with the value that it has. When it has lied, calls still end
 * in time, and one line is all that is said.
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
	else if (op == OP_FIRE)
		sim_xenstore_fire_all(&daemon_side);
	else
		change_pace(op);
	return true;
}

static bool world(void)
{
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
	fuzz_require(lied || err == 0, "%s: %d of an honest store", call, err);
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
		fuzz_require(lied || !strcmp(value, text), "another value: %s", value);
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

static void live(void *arg)
{
	static char a[] = "data/a", b[] = "data/b";
	uint64_t begin = clock_awake_ns();

	(void)arg;
	check_call("start", xenstore_start(), begin);
	askers = 2;
	sim_tasks_add("a", ask, a);
	sim_tasks_add("b", ask, b);
	begin = clock_awake_ns();
	target = (struct xenstore_node){ .path = "memory/target" };
	check_call("follow", xenstore_follow(&target), begin);
	while (askers > 0 || fuzz_left(&in) > 0)
		task_sleep_until(clock_ns() + 10 * NS_PER_MS);
	/* Events may be lost; a look a second is not. */
	task_sleep_until(clock_ns() + 4 * NS_PER_S);
	check_target();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fixture_begin();
	in = (struct fuzz_input){ data, data + (size < 4096 ? size : 4096) };
	lied = false;
	jumps = 0;
	sim_tasks_world = world;
	sim_tasks_run(live, NULL);
	fuzz_require(lied || !xenstore_fault(), "given up: %s", xenstore_fault());
	fuzz_require(lied || !daemon_side.violation, "violation: %s", daemon_side.violation);
	fuzz_require(sim_log_warnings == !!xenstore_fault(), "%u lines", sim_log_warnings);
	fuzz_require(fixture_end(), "a task that never ends");
	return 0;
}
