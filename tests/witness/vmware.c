/* SPDX-License-Identifier: BSD-2-Clause */
/* The plan on VMware, and the witness vmw_balloon. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

#include "drivers/balloon/port/vmware_abi.h"
#include "tests/hypervisor/vmware.h"
#include "tests/witness/subject.h"

#define LOCKS (1 << VMWARE_BATCHED_LOCK | 1 << VMWARE_BATCHED_2M_LOCK)
#define REFUSED_EVERY 31 /* entries of a batch */

/* Linux moves whole blocks while it has such, in both directions. */
#define SLACK 511

struct step {
	const char *what;
	uint64_t target;
	bool refuses; /* some entries, for good */
	bool forgets; /* first: RESET */
};

static const struct step steps[] = {
	{ "inflate", 50000, false, false }, { "inflate further", 100000, false, false },
	{ "deflate", 20000, false, false }, { "inflate, some refused", 90000, true, false },
	{ "RESET", 90000, false, true },    { "deflate all", 0, false, false },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

/* What the file calls a command. GET_TARGET, which is a poll, goes on all the time. */
static const struct {
	const char *name;
	enum vmware_command command;
} commands[] = {
	{ "start", VMWARE_START },
	{ "lock", VMWARE_LOCK },
	{ "unlock", VMWARE_UNLOCK },
	{ "guestType", VMWARE_GUEST_ID },
	{ "batchLock", VMWARE_BATCHED_LOCK },
	{ "batchUnlock", VMWARE_BATCHED_UNLOCK },
	{ "2m-lock", VMWARE_BATCHED_2M_LOCK },
	{ "2m-unlock", VMWARE_BATCHED_2M_UNLOCK },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static volatile struct vmware_control *host_of(struct subject *subject)
{
	return hypervisor_page(subject->hypervisor, HV_CONTROL_VMWARE);
}

/* Rows of a plan count anew from there. */
static void set_refusals(struct subject *subject, bool refuses)
{
	volatile struct vmware_control *host = host_of(subject);
	const struct vmware_lie lie = { .kind = refuses ? VMWARE_LIE_ONE_REFUSED : VMWARE_LIE_NONE,
					.commands = LOCKS,
					.every = REFUSED_EVERY,
					.value = VMWARE_PPN_PINNED };

	memcpy((void *)&host->lie[0], &lie, sizeof(lie));
	host->plan++;
	subject_await(subject, &host->plan_seen, host->plan, host->plan, "the plan that is obeyed");
}

static void forget(struct subject *subject)
{
	volatile struct vmware_control *host = host_of(subject);
	uint64_t starts = host->calls[VMWARE_START];

	host->forget++;
	subject_await(subject, &host->calls[VMWARE_START], starts + 1, UINT64_MAX, "START again");
}

/* What the host has counted. */
struct counts {
	uint64_t calls[COMMANDS], failed[COMMANDS];
};

static struct counts count(struct subject *subject)
{
	volatile struct vmware_control *host = host_of(subject);
	struct counts counts;

	for (size_t i = 0; i < COMMANDS; i++) {
		counts.calls[i] = host->calls[commands[i].command];
		counts.failed[i] = host->failed[commands[i].command];
	}
	return counts;
}

/* Linux counts from the first reading of its file on: so what has been added is compared. */
static void check_counts(const struct guest_file *before, const struct counts *host_before,
			 const struct guest_file *now, const struct counts *host)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		const char *name = commands[i].name;

		assert_int_equal(guest_file_figure(now, name) - guest_file_figure(before, name),
				 host->calls[i] - host_before->calls[i]);
		assert_int_equal(guest_file_failed(now, name) - guest_file_failed(before, name),
				 host->failed[i] - host_before->failed[i]);
	}
}

static bool is_at_rest(struct subject *subject, const struct step *step,
		       const struct guest_file *file)
{
	return guest_file_figure(file, "target") == step->target &&
	       guest_file_figure(file, "current") == subject->common->ballooned;
}

/* The file of a guest that is at its target, knows so, and gives no command meanwhile but polls. */
static struct guest_file read_at_rest(struct subject *subject, const struct step *step)
{
	struct patience patience = patience_begin(subject, "a file that agrees with the host");

	for (;;) {
		struct counts before = count(subject), after;
		struct guest_file file = subject_read(subject, "vmmemctl -n", "vmmemctl");

		after = count(subject);
		if (is_at_rest(subject, step, &file) && !memcmp(&before, &after, sizeof(before)))
			return file;
		guest_file_free(&file);
		patience_wait(&patience);
	}
}

static void go(struct subject *subject, const struct step *step, struct guest_file *file)
{
	uint64_t slack = subject->is_linux ? SLACK : 0;
	uint64_t least = step->target > slack ? step->target - slack : 0;

	print_message("vmware, %s: %s\n", subject->is_linux ? "Linux" : "Aerostat", step->what);
	set_refusals(subject, step->refuses);
	if (step->forgets)
		forget(subject);
	subject->common->target = step->target;
	subject_await(subject, &subject->common->ballooned, least, step->target + slack,
		      "what the host has");
	*file = read_at_rest(subject, step);
	assert_in_range(subject->common->ballooned, least, step->target + slack);
}

static void go_through(struct subject *subject, struct guest_file *files)
{
	volatile struct vmware_control *host = host_of(subject);
	struct guest_file first = subject_read(subject, "vmmemctl -n", "vmmemctl");
	const struct guest_file *last = &first;
	struct counts last_counts = count(subject), counts;

	for (size_t i = 0; i < STEPS; i++) {
		go(subject, &steps[i], &files[i]);
		counts = count(subject);
		check_counts(last, &last_counts, &files[i], &counts);
		last = &files[i];
		last_counts = counts;
	}
	assert_true(host->resets > 0);
	assert_true(host->refused[0] + host->refused[1] > 0);
	guest_file_free(&first);
}

const struct plan vmware_plan = { "vmware", STEPS, go_through };
