/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stops: QEMU is stopped as a whole while a request is in flight, for as long as would
 * be the end of a device that did not answer. Only what is seen in the guest's memory
 * once QEMU stands still counts; else it goes on at once, and the stop was none.
 */
#include "tests/soak/soak.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/deadline.h"
#include "tools/vm.h"

#define STOP_MS 2100
/* For one stop that counts. */
#define CATCH_MS (10 * 60 * 1000)
/* Guests that did not even get to a stop. */
#define FAILURES_MAX 3

/* Sends the signal and waits until QEMU stands still, or runs again. */
static int signal_qemu(struct guest *guest, int signal, int state)
{
	pid_t pid = vm_pid(guest->vm);
	siginfo_t info;
	int ret;

	if (kill(pid, signal))
		return guest_wrong(guest, "QEMU is gone");
	do {
		ret = waitid(P_PID, (id_t)pid, &info, state | WEXITED | WNOWAIT);
	} while (ret && errno == EINTR);
	if (ret || info.si_code == CLD_EXITED || info.si_code == CLD_KILLED ||
	    info.si_code == CLD_DUMPED)
		return guest_wrong(guest, "QEMU has ended");
	waitid(P_PID, (id_t)pid, &info, state);
	return 0;
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Until a request is seen, or `end`. */
static bool watch(const struct guest *guest, const struct wait *wait, const struct ring *ring,
		  int64_t end)
{
	while (!wait->in_flight(guest, ring)) {
		if (now_us() >= end)
			return false;
		sched_yield();
	}
	return true;
}

static void let_pass(int64_t us)
{
	int64_t end = now_us() + us;

	while (now_us() < end)
		sched_yield();
}

/*
 * Stops QEMU with a request in flight: *caught tells whether one was. A stop that was
 * none leaves it running.
 */
static int catch_one(struct guest *guest, const struct wait *wait, const struct ring *ring,
		     bool *caught)
{
	int64_t end = now_us() + wait->window_ms * INT64_C(1000);
	int err;

	*caught = false;
	while (watch(guest, wait, ring, end)) {
		let_pass(random() % (wait->phase_us + 1));
		err = signal_qemu(guest, SIGSTOP, WSTOPPED);
		if (err)
			return err;
		guest->tally->attempts++;
		*caught = wait->in_flight(guest, ring);
		if (*caught)
			return 0;
		err = signal_qemu(guest, SIGCONT, WCONTINUED);
		if (err)
			return err;
	}
	return 0;
}

/* One stop that counts, and what must be right after it. */
static int stop_once(struct guest *guest, const struct wait *wait, const struct ring *ring)
{
	int64_t deadline = deadline_in(CATCH_MS);
	bool caught;
	int err;

	for (;;) {
		err = wait->prepare ? wait->prepare(guest) : 0;
		if (!err)
			err = wait->begin(guest);
		if (err)
			return err;
		err = catch_one(guest, wait, ring, &caught);
		if (!err && caught)
			break;
		/* What was begun ends in any case; the first complaint is that of the stop. */
		if (wait->finish(guest, wait, ring) || err)
			return -EPROTO;
		if (!deadline_left(deadline))
			return guest_wrong(guest, "no request was in flight at any of %u stops",
					   guest->tally->attempts);
	}
	turn_rest(STOP_MS);
	guest->tally->counted++;
	err = signal_qemu(guest, SIGCONT, WCONTINUED);
	if (!err)
		err = wait->finish(guest, wait, ring);
	/* What matters most is whether it was given up. */
	if (err)
		guest_balloon_lives(guest);
	return err;
}

void stop_run(const struct wait *wait, const char *name, struct tally *tally)
{
	struct guest guest = { .tally = tally, .name = name, .traces = { -1, -1 } };
	struct ring ring = { 0 };
	unsigned failures = 0;

	turn_take();
	while (tally->counted < tally->wanted && failures < FAILURES_MAX) {
		unsigned counted = tally->counted;
		int err = guest.vm ? 0 : guest_start(&guest, &wait->plan);

		if (!err && guest.vm && wait->queue >= 0)
			err = ring_find(&guest, (unsigned)wait->queue, wait->packed, &ring);
		if (!err)
			err = stop_once(&guest, wait, &ring);
		if (!err)
			continue;
		failures += tally->counted == counted;
		if (guest.vm)
			guest_tell(&guest);
		guest_end(&guest, true);
		tally->lost++;
	}
	guest_end(&guest, false);
	turn_give();
	tally->ended = tally->counted == tally->wanted;
}
