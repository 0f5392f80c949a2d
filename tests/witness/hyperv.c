/* SPDX-License-Identifier: BSD-2-Clause */
/* The plan on Hyper-V, and the witness hv_balloon. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "tests/hypervisor/hyperv.h"
#include "tests/witness/subject.h"

/* Linux adds memory by 128 MiB. */
#define ADDED 32768

struct step {
	const char *what;
	uint64_t target; /* frames; ALL: more than there are, which is refused in part */
	uint64_t added;	 /* frames, in all */
	enum hyperv_order order;
	bool withdraws; /* first: the channel, which is then offered anew */
};

#define ALL UINT64_MAX

static const struct step steps[] = {
	{ "inflate", 50000, 0, HYPERV_LOWEST, false },
	{ "deflate, from the highest on", 30000, 0, HYPERV_HIGHEST, false },
	{ "deflate, scattered", 20000, 0, HYPERV_SCATTERED, false },
	{ "hot add", 20000, ADDED, HYPERV_LOWEST, false },
	{ "more than there is", ALL, ADDED, HYPERV_LOWEST, false },
	{ "deflate all", 0, ADDED, HYPERV_LOWEST, false },
	{ "another channel", 1000, ADDED, HYPERV_LOWEST, true },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static volatile struct hyperv_control *host_of(struct subject *subject)
{
	return hypervisor_page(subject->hypervisor, HV_CONTROL_HYPERV);
}

static void await_ready(struct subject *subject)
{
	subject_await_step(subject, &host_of(subject)->seen.progress, HYPERV_READY,
			   "the guest's progress");
}

static void withdraw(struct subject *subject)
{
	volatile struct hyperv_control *host = host_of(subject);
	uint32_t releases = host->seen.releases;

	host->wish.no_dm = 1;
	subject_ring(subject);
	subject_await_step(subject, &host->seen.releases, releases + 1,
			   "channels that were let go");
	host->wish.no_dm = 0;
	subject_ring(subject);
	await_ready(subject);
}

/* ---- A step ---- */

/*
 * A guest's books follow its answers. While the host still asks for more than there is, a guest is
 * ahead of it by what it answers next.
 */
static bool agrees(struct subject *subject, const struct step *step, const struct guest_file *file)
{
	volatile struct hyperv_seen *seen = &host_of(subject)->seen;
	uint64_t ballooned = guest_file_figure(file, "pages_ballooned");

	if (guest_file_figure(file, "pages_added") != seen->added ||
	    guest_file_figure(file, "pages_onlined") != seen->added)
		return false;
	return step->target == ALL ? ballooned >= seen->ballooned : ballooned == seen->ballooned;
}

static struct guest_file read_file(struct subject *subject, const struct step *step)
{
	struct patience patience = patience_begin(subject, "a file that agrees with the host");

	for (;;) {
		struct guest_file file = subject_read(subject, "hv-balloon -n", "hv-balloon");

		if (agrees(subject, step, &file))
			return file;
		guest_file_free(&file);
		patience_wait(&patience);
	}
}

static void check_file(struct subject *subject, const struct guest_file *file)
{
	volatile struct hyperv_seen *seen = &host_of(subject)->seen;

	assert_int_equal(guest_file_figure(file, "page_size"), 4096);
	/* What the host is told is of the last report. */
	assert_in_range(guest_file_figure(file, "total_pages_committed"), 1,
			subject->common->ram_frames + seen->added);
}

/* So much is not there: the guest gives what it can spare, and says that that is all. */
static void want_all(struct subject *subject)
{
	volatile struct hyperv_seen *seen = &host_of(subject)->seen;
	uint64_t all = subject->common->ram_frames + seen->added, refusals = seen->given_short;

	subject->common->target = all;
	subject_ring(subject);
	subject_await(subject, &seen->given_short, refusals + 1, UINT64_MAX,
		      "an answer that is short");
	assert_in_range(seen->ballooned, all / 4, all - 1);
}

static void reach(struct subject *subject, const struct step *step)
{
	volatile struct hyperv_control *host = host_of(subject);

	host->wish.order = step->order;
	host->wish.added = step->added;
	subject->common->target = step->target;
	subject_ring(subject);
	subject_await(subject, &host->seen.added, step->added, step->added, "what was added");
	subject_await(subject, &host->seen.ballooned, step->target, step->target,
		      "what the host has");
	subject_await_step(subject, &host->seen.requests, 0, "requests without an answer");
}

static void go(struct subject *subject, const struct step *step, struct guest_file *file)
{
	print_message("hyperv, %s: %s\n", subject->is_linux ? "Linux" : "Aerostat", step->what);
	if (step->withdraws)
		withdraw(subject);
	if (step->target == ALL)
		want_all(subject);
	else
		reach(subject, step);
	*file = read_file(subject, step);
	check_file(subject, file);
}

static void go_through(struct subject *subject, struct guest_file *files)
{
	await_ready(subject);
	for (size_t i = 0; i < STEPS; i++)
		go(subject, &steps[i], &files[i]);
}

const struct plan hyperv_plan = { "hyperv", STEPS, go_through };
