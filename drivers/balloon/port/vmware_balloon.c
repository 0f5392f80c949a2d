/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon on VMware: the start, the target, the end; see vmware_balloon.h. START makes the host
 * forget what it had; so whoever was here before, another kernel in the same memory or this port
 * with a host that it gave up, has no frames there any more.
 */
#include "drivers/balloon/port/vmware_balloon.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "arch/clock.h"
#include "arch/vmware.h"
#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/port/vmware_balloon_call.h"
#include "drivers/balloon/port/vmware_balloon_pages.h"
#include "kernel/lib/log.h"
#include "kernel/lib/wrap.h"
#include "kernel/task/task.h"
#include "mm/ledger.h"

static struct {
	bool started;	    /* the host knows of the guest */
	bool patient;	    /* with a host that is busy: not while the machine boots */
	uint64_t poll_ns;   /* from one look at the target to the next */
	uint64_t next_poll; /* when it is due */
	uint64_t known;	    /* the target that the core knows */
	uint64_t polls, resets;
	const char *why; /* no start, for people */
	bool said;	 /* why there is no balloon */
	char failed[VMWARE_CALL_SENTENCE_MAX + 16];
} vmware;

/* ---- What the host wants ---- */

/* A second is the one that others look at, too: an idle machine wakes up once for all. */
static uint64_t poll_after(uint64_t now)
{
	const char *what;

	if (vmware_call_failing_awake(&what) != DEADLINE_NEVER)
		return now + CLOCK_AWAKE_LOOK_NS;
	if (vmware.poll_ns % TASK_LOOK_NS == 0)
		return task_next_look(now + vmware.poll_ns - TASK_LOOK_NS);
	return now + vmware.poll_ns;
}

static void poll(void)
{
	uint64_t limit = ledger_managed();

	if (!(vmware_call_capabilities() & VMWARE_64_BIT_TARGET))
		limit = min_u64(limit, UINT32_MAX);
	vmware.polls++;
	vmware_call(VMWARE_GET_TARGET, limit, 0);
	vmware.next_poll = poll_after(clock_ns());
}

/* The host has nothing any more, and is to be started. */
static enum balloon_fault all_ours(void)
{
	if (vmware_call_is_forgotten())
		vmware.resets++;
	vmware.started = false;
	return BALLOON_FAULT_ALL_OURS;
}

static enum balloon_fault read_target(uint64_t given, uint64_t *target)
{
	/* It was started while the balloon was not empty. */
	if (given > vmware_balloon_pages_given())
		return all_ours();
	if (clock_ns() >= vmware.next_poll) {
		poll();
		vmware_call_say();
	}
	if (vmware_call_is_forgotten())
		return all_ours();
	vmware.known = vmware_call_target();
	*target = vmware.known;
	return BALLOON_OK;
}

static bool has_news(void)
{
	return vmware_call_is_forgotten() || vmware_call_target() != vmware.known ||
	       clock_ns() >= vmware.next_poll;
}

static uint64_t next_look(void)
{
	return vmware.next_poll;
}

static void short_of(uint64_t frames)
{
	assert(frames > 0);
	vmware_balloon_pages_note_scarce();
}

/* ---- Start and end ---- */

/* Asks again while the host is busy, or wants to be asked again. */
static int insist(int (*ask)(void))
{
	uint64_t start_awake = clock_awake_ns();
	int err = ask();

	while (err == -EAGAIN && vmware.patient &&
	       clock_awake_ns() - start_awake < BALLOON_DEADLINE_NS) {
		task_sleep_until(clock_ns() + CLOCK_AWAKE_LOOK_NS);
		err = ask();
	}
	return err == -EAGAIN ? -ETIMEDOUT : err;
}

static const char *start_sentence(int err)
{
	switch (err) {
	case -ENODEV:
		return "nobody answers START";
	case -ENOTSUP:
		return "it takes no frames";
	case -ETIMEDOUT:
		return "it does not end with being busy, or reset, at START";
	default:
		return "it answers START with nonsense";
	}
}

static int start(void)
{
	int err = insist(vmware_call_start);

	vmware.started = !err;
	if (err) {
		vmware.why = start_sentence(err);
		return err;
	}
	vmware.why = NULL;
	vmware_balloon_pages_begin();
	vmware.next_poll = 0;
	vmware.known = 0;
	vmware_call(VMWARE_GUEST_ID, VMWARE_GUEST_UNKNOWN, 0);
	return 0;
}

static void terms(enum balloon_strategy strategy, struct balloon_terms *terms)
{
	terms->deflate_on_oom = true;
	vmware_balloon_pages_terms(strategy, terms);
}

/* A host that does not let go of what it has keeps it. */
static int reset(void)
{
	vmware.started = false;
	return insist(vmware_call_end) ? -EBUSY : 0;
}

static bool is_failing_too_long(const char **what)
{
	uint64_t since_awake = vmware_call_failing_awake(what);
	uint64_t now_awake = clock_awake_ns();

	return since_awake != DEADLINE_NEVER && now_awake > since_awake &&
	       now_awake - since_awake > BALLOON_DEADLINE_NS;
}

static enum balloon_fault take_finished(void)
{
	const char *what;

	vmware_call_say();
	if (vmware_call_is_forgotten())
		return all_ours();
	if (vmware_balloon_pages_fault() || is_failing_too_long(&what))
		return BALLOON_FAULT_RULES;
	return BALLOON_OK;
}

static int give_up(const char **why)
{
	const char *failing, *fault = vmware_balloon_pages_fault();

	if (vmware.why)
		*why = vmware.why;
	else if (fault)
		*why = fault;
	/* It will have said something else by the time that this is read. */
	else if (is_failing_too_long(&failing) &&
		 snprintf(vmware.failed, sizeof(vmware.failed), "%s for 2 s", failing) > 0)
		*why = vmware.failed;
	log_warn("balloon: VMware is not asked any more: %s; `balloon retry` tries it once more",
		 *why);
	return reset();
}

static void forget(void)
{
	vmware_call_forget();
	vmware_balloon_pages_forget();
	vmware.polls = 0;
	vmware.resets = 0;
}

/* ---- For people ---- */

static void print_direction(const char *name, uint64_t blocks, uint64_t frames)
{
	printf("%s: %" PRIu64 " blocks and %" PRIu64 " frames\n", name, blocks, frames);
}

static void print_traffic(void)
{
	struct vmware_balloon_counts blocks, frames;

	vmware_balloon_pages_counts(true, &blocks);
	vmware_balloon_pages_counts(false, &frames);
	print_direction("Given to VMware", blocks.offered - blocks.refused,
			frames.offered - frames.refused);
	print_direction("Taken from VMware", blocks.freed, frames.freed);
}

static void print_features(void)
{
	static const struct {
		enum vmware_capability bit;
		const char *name;
	} names[] = {
		{ VMWARE_BASIC, "basic" },
		{ VMWARE_BATCHED, "batched" },
		{ VMWARE_BATCHED_2M, "batched-2m" },
		{ VMWARE_64_BIT_TARGET, "64-bit-target" },
	};
	struct wrap line;

	wrap_begin(&line, 14);
	wrap_word(&line, "Capabilities:");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (vmware_call_capabilities() & names[i].bit)
			wrap_word(&line, "%s", names[i].name);
	if (vmware_call_capabilities() == 0)
		wrap_word(&line, "none");
	wrap_end(&line);
}

/* ---- The port ---- */

const struct balloon_port vmware_balloon_port = {
	.name = "vmware",
	.reset_empties = true,
	.start = start,
	.terms = terms,
	.reset = reset,
	.give_up = give_up,
	.take_finished = take_finished,
	.read_target = read_target,
	.inflate = vmware_balloon_pages_inflate,
	.deflate = vmware_balloon_pages_deflate,
	.short_of = short_of,
	.next_look = next_look,
	.has_news = has_news,
	.forget = forget,
	.print_traffic = print_traffic,
	.print_features = print_features,
};

bool vmware_balloon_get_state(struct vmware_balloon_state *state)
{
	*state = (struct vmware_balloon_state){
		.capabilities = vmware_call_capabilities(),
		.resetting = !vmware.started || vmware_call_is_forgotten(),
		.target = vmware_call_target(),
		.polls = vmware.polls,
		.resets = vmware.resets,
	};
	return balloon_is_attached(&vmware_balloon_port);
}

/* ---- The guest's start and end ---- */

/* Of a host that is busy for long there is one line. */
static void say_no_balloon(int err)
{
	if (err == -EBUSY)
		log_info("balloon: VMware's is not used, as others are");
	else if (vmware.why && !vmware.said)
		log_info("balloon: VMware's is not used: %s", vmware.why);
	else if (!vmware.why)
		log_warn("balloon: VMware's cannot be used: error %d", -err);
	vmware.said = true;
}

static int attach(void)
{
	int err = balloon_attach(&vmware_balloon_port, NULL);

	if (err)
		say_no_balloon(err);
	return err;
}

/* A host that was busy at boot is asked until it is not. */
static void attach_later(void *arg)
{
	(void)arg;
	do {
		task_sleep_until(task_next_look(clock_ns()));
	} while (attach() == -ETIMEDOUT);
}

void vmware_balloon_start(uint64_t poll_ns)
{
	int err;

	assert(poll_ns > 0);
	vmware.started = false;
	vmware.said = false;
	vmware.patient = false;
	vmware.poll_ns = poll_ns;
	if (!vmware_is_there())
		return;
	err = attach();
	vmware.patient = true;
	if (err != -ETIMEDOUT)
		return;
	err = task_create("vmware", TASK_PRIORITY_DRIVER, attach_later, NULL);
	if (err)
		log_warn("balloon: no task that waits for VMware's: error %d", -err);
}

void vmware_balloon_leave(void)
{
	if (vmware.started)
		vmware_call_end();
	vmware.started = false;
}
