/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each lie of xen_lies.c at each step of the balloon's life on Xen, in three kinds of domain; a
 * lie that can begin in mid-call does, too. Then:
 *
 *	an end		each wait within 2 s of the guest's time
 *	the target	the last good one stays
 *	the ledger	whole, by a count of every frame, and no frame is free that Xen has
 *	a line		of a kind in a second, at most
 *	recovery	once all behave: a target is reached, and at the end all frames are free;
 *			also with a store that was silent, and answers now
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/balloon_state_internal.h"
#include "mm/ledger.h"
#include "tests/unit/drivers/balloon/port/xen_lies.h"

#define GIVEN 3000 /* frames in the balloon at the later steps */
#define PAUSES_NS (130 * NS_PER_S)

static const char *const step_names[XEN_STEPS] = { "start", "idle",  "give",
						   "take",  "pause", "remove" };

static const struct {
	const char *name;
	bool no_blocks, on_demand;
} domains[] = {
	{ "a domain", false, false },
	{ "a domain without blocks", true, false },
	{ "a domain that is populated on demand", false, true },
};

/* When a lie begins: at this frame of the move; 0: before it. */
static const uint64_t moments[] = { 0, 1, 700 };

static struct {
	const struct xen_lie *lie;
	unsigned variant;
	enum xen_step step;
	size_t domain, moment;
	uint64_t first_frame; /* when the step began */
	bool told;
} now;

static char where[256];

/* ---- One life ---- */

static void tell(void)
{
	now.told = true;
	now.lie->tell(now.variant);
}

static void tell_in_call(uint64_t frames)
{
	if (frames - now.first_frame + 1 < moments[now.moment])
		return;
	xen_world.on_frame = NULL;
	tell();
}

static void check(const char *when)
{
	const char *mistake = xen_world_mistake();

	if (mistake)
		fail_msg("%s: %s", when, mistake);
}

static uint64_t ballooned(void)
{
	return ledger_count(OWNER_BALLOON);
}

static bool is_broken(void)
{
	struct balloon_status status;

	balloon_status(&status);
	return status.broken;
}

/* Before the last moment of a step the move is on its way: its frames will be counted. */
static void begin_move(uint64_t frames)
{
	now.first_frame = xen_world.frames;
	if (moments[now.moment] > 0)
		xen_world.on_frame = tell_in_call;
	else
		tell();
	xen_world_want(frames);
}

static void come_to_step(void)
{
	if (now.step != XEN_STEP_IDLE && now.step != XEN_STEP_GIVE) {
		xen_world_want(GIVEN);
		xen_world_wait(2 * NS_PER_S);
		assert_int_equal(ballooned(), GIVEN);
	}
	if (now.step == XEN_STEP_PAUSE) {
		sim_xen.host_free = 0;
		xen_world_want(100);
		xen_world_wait(NS_PER_S / 2);
		assert_int_equal(ballooned(), GIVEN);
	}
	if (now.step == XEN_STEP_GIVE)
		begin_move(GIVEN);
	else if (now.step == XEN_STEP_TAKE)
		begin_move(200);
	else
		tell();
}

/* The toolstack goes on wishing. */
static void go_on(void)
{
	static const uint64_t wishes[] = { 1500, 2500 };
	uint64_t begin;
	size_t length;
	char value[16];

	for (size_t i = 0; i < ARRAY_SIZE(wishes); i++) {
		xen_world_wait(4 * NS_PER_S);
		check("after the lie");
		xen_world_want(wishes[i]);
	}
	begin = clock_awake_ns();
	xenstore_read("name", value, sizeof(value), &length);
	xen_world_note_wait("xenstore_read()", begin);
	xen_world_wait(4 * NS_PER_S);
	check("after other targets");
}

static void check_verdict(void)
{
	bool called = XEN_WITH_CALLS >> now.step & 1;

	if (now.told && now.lie->must_break && called && !is_broken())
		fail_msg("the driver believes it");
	if (now.lie->must_go_on && (is_broken() || xenstore_fault()))
		fail_msg("given up on what is no fault: %s",
			 xenstore_fault() ? xenstore_fault() : "Xen");
	if ((is_broken() || xenstore_fault() || xenstore_is_silent()) && xen_world.lines == 0)
		fail_msg("given up without a word");
}

/* ---- And its end ---- */

static void reach(uint64_t frames)
{
	/* Where Xen has said what was not so, nobody knows how much it has. */
	uint64_t least = now.lie->blind ? 0 : frames, most = now.lie->blind ? UINT64_MAX : frames;
	uint64_t begin = clock_ns();

	xen_world_want(frames);
	while (ballooned() != frames && clock_ns() - begin < PAUSES_NS)
		xen_world_wait(NS_PER_S);
	if (ballooned() < least || ballooned() > most)
		fail_msg("afterwards the target of %u is not reached, but %u", (unsigned)frames,
			 (unsigned)ballooned());
	check("after recovery");
}

static void recover(void)
{
	const char *why;

	xen_world_behave();
	xen_world_wait(4 * NS_PER_S);
	if (is_broken())
		assert_int_equal(balloon_retry(balloons, &why), 0);
	if (now.lie->must_go_on && xenstore_is_silent())
		fail_msg("silent for ever");
	/* Without a store the last good target stays. */
	if (!xenstore_fault() && !xenstore_is_silent()) {
		reach(2 * BLOCK_FRAMES + 77);
		reach(0);
	}
	check("after recovery");
}

/* As the guest does when the store answers at last. */
static void start_late(void)
{
	int err;

	xen_world_behave();
	xen_world_wait(4 * NS_PER_S);
	if (xenstore_fault() || xenstore_is_silent())
		fail_msg("a store that answers is not used");
	err = xen_world_start_balloon();
	if (err)
		fail_msg("no balloon when the store answers: %d", err);
}

static void live(void *arg)
{
	int err;

	(void)arg;
	if (domains[now.domain].on_demand) {
		xen_world_want(GIVEN);
		sim_xen_back_only(XEN_WORLD_FRAMES - GIVEN);
	}
	if (now.step == XEN_STEP_START)
		tell();
	err = xen_world_start();
	if (now.step != XEN_STEP_START)
		come_to_step();
	if (now.step == XEN_STEP_REMOVE)
		balloon_detach(balloons->port);
	else
		go_on();
	if (err == -ETIMEDOUT && now.lie->must_go_on)
		start_late();
	if (xen_world.has_balloon && now.step != XEN_STEP_REMOVE) {
		check_verdict();
		recover();
	}
	sim_xen_limit(XEN_WORLD_FRAMES);
	balloon_detach(balloons->port);
	check("at the end");
	if (!now.lie->blind && now.step != XEN_STEP_REMOVE &&
	    ledger_count(OWNER_FREE) != XEN_WORLD_FRAMES)
		fail_msg("frames are lost: %u are free", (unsigned)ledger_count(OWNER_FREE));
}

static void try(void)
{
	snprintf(where, sizeof(where), "%s (%u); at step %s, moment %u; %s", now.lie->name,
		 now.variant, step_names[now.step], (unsigned)now.moment, domains[now.domain].name);
	xen_world_begin();
	xen_world.blind = now.lie->blind;
	for (size_t i = 0; i < 2; i++)
		sim_xen.faults.no_blocks[i] = domains[now.domain].no_blocks;
	now.told = false;
	sim_tasks_run(live, NULL);
	assert_true(xen_world_end());
}

static void try_moments(void)
{
	bool in_call = now.lie->in_call && (XEN_WITH_CALLS >> now.step & 1);

	for (now.moment = 0; now.moment < (in_call ? ARRAY_SIZE(moments) : 1); now.moment++)
		try();
}

static void try_domains(void)
{
	now.domain = (now.step + now.variant) % ARRAY_SIZE(domains);
	if (!now.lie->each_domain) {
		try_moments();
		return;
	}
	for (now.domain = 0; now.domain < ARRAY_SIZE(domains); now.domain++)
		try_moments();
}

static void lie_is_survived(void **state)
{
	unsigned variants;

	now.lie = *state;
	variants = now.lie->variants ? now.lie->variants : 1;
	for (now.step = 0; now.step < XEN_STEPS; now.step++)
		for (now.variant = 0; now.variant < variants; now.variant++)
			if (now.lie->only == XEN_ANY_STEP || now.lie->only >> now.step & 1)
				try_domains();
	where[0] = '\0';
}

static int tell_where(void **state)
{
	(void)state;
	if (where[0] == '\0')
		return 0;
	fprintf(stderr, "         %s\n", where);
	/* Whatever state the tasks are in: they cannot go on. */
	exit(1);
}

/* A sanitizer's report ends the program: it should say what was tried. */
void __asan_on_error(void);
void __asan_on_error(void)
{
	fprintf(stderr, "In: %s\n", where);
}

int main(int argc, char **argv)
{
	struct CMUnitTest *tests = calloc(xen_lie_count, sizeof(*tests));
	int failed;

	for (size_t i = 0; i < xen_lie_count; i++)
		tests[i] = (struct CMUnitTest){
			.name = xen_lies[i].name,
			.test_func = lie_is_survived,
			.teardown_func = tell_where,
			.initial_state = (void *)(uintptr_t)&xen_lies[i],
		};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = xen_world_reserve() != 0
			 ? 1
			 : _cmocka_run_group_tests("xen_lies", tests, xen_lie_count, NULL, NULL);
	free(tests);
	return failed;
}
