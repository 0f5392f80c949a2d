/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kinds of waits in which a guest is stopped. Each is a row of one table: what
 * makes the guest wait, how it is seen that it does, and what has to be right when all
 * of it is over.
 *
 * What is in flight:
 *	inflate, deflate, report, hint	the device has a chain that it has not returned
 *	reclaim	the same on the deflate queue, while `hold` waits for memory
 *	statistics	the device has returned the one buffer and the guest has not answered,
 *			or it has and the device has not looked yet; else the device just
 *			keeps it, and nobody waits
 *	reset	the guest has begun one (it counts the device's lives) and has not
 *		noted its end (an event); QEMU answers in the call, in the midst of which
 *		it is held up until the stop is over
 */
#include "tests/soak/soak.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "drivers/virtio/virtio_events.h"
#include "tools/deadline.h"
#include "tools/qmp.h"
#include "tools/vm.h"
#include "tools/vm_migrate.h"

#define TIMEOUT_MS 180000
#define SMALL (3 * FRAME)
#define LARGE (160 * MIB + 5 * FRAME)
/* More than is left is asked for, by some 30 MiB. */
#define NEARLY_ALL (176 * MIB)
#define HOLD "hold 100M"
#define HOLD_OFF_MS 2100 /* in which a guest that reclaimed does not inflate */
/* Bytes a second: a migration does not end. */
#define SLOW 65536
#define RECOVERED "Recovered from resets: "
#define QUIET_MS 800 /* a little less than BALLOON_REPORT_QUIET_NS */

/* Alive, at its target, and all frames accounted for. */
static int all_is_well(struct guest *guest, uint64_t taken)
{
	int err = guest_balloon_lives(guest);

	if (!err)
		err = guest_arrives(guest, taken);
	return err ? err : guest_says(guest, "audit", "Ledger: ok (");
}

/* The same, and it follows another target. */
static int all_goes_on(struct guest *guest, uint64_t taken)
{
	int err = guest_balloon_lives(guest);

	if (!err)
		err = guest_take(guest, taken);
	return err ? err : all_is_well(guest, taken);
}

/* Until nothing of the queue is in flight any more. */
static int wait_answered(struct guest *guest, const struct wait *wait, const struct ring *ring)
{
	int64_t deadline = deadline_in(TIMEOUT_MS);

	int err = 0;

	while (!err && wait->in_flight(guest, ring)) {
		if (!deadline_left(deadline))
			return guest_wrong(guest, "a request is still in flight after %d s",
					   TIMEOUT_MS / 1000);
		usleep(VM_POLL_MS * 1000);
		err = guest_balloon_lives(guest);
	}
	return err;
}

/* ---- Inflate and deflate ---- */

static int take_little(struct guest *guest)
{
	return guest_take(guest, SMALL);
}

static int take_much(struct guest *guest)
{
	return guest_take(guest, LARGE);
}

static int begin_inflating(struct guest *guest)
{
	return guest_target(guest, LARGE);
}

static int begin_deflating(struct guest *guest)
{
	return guest_target(guest, SMALL);
}

static int finish_inflating(struct guest *guest, const struct wait *wait, const struct ring *ring)
{
	(void)wait;
	(void)ring;
	return all_is_well(guest, LARGE);
}

static int finish_deflating(struct guest *guest, const struct wait *wait, const struct ring *ring)
{
	(void)wait;
	(void)ring;
	return all_is_well(guest, SMALL);
}

/* ---- Reports ---- */

/* Memory that was used is given back by the host page by page, which takes a while. */
static int use_memory(struct guest *guest)
{
	return guest_says(guest, HOLD, "held ");
}

static int begin_reporting(struct guest *guest)
{
	int err = guest_says(guest, "release all", "pattern intact");

	/* Only what was free for so long is reported; the rest of that time is watched. */
	turn_rest(QUIET_MS);
	return err;
}

static int finish_reporting(struct guest *guest, const struct wait *wait, const struct ring *ring)
{
	int err = wait_answered(guest, wait, ring);

	if (!err)
		err = all_goes_on(guest, LARGE);
	return err ? err : all_goes_on(guest, SMALL);
}

/* ---- Hints ---- */

/* What is held has to be sent, so that a migration does not end before it is cancelled. */
static int hold_some(struct guest *guest)
{
	return guest_says(guest, "release all; hold 24M", "held ");
}

static int begin_hinting(struct guest *guest)
{
	if (vm_migrate_limit(guest->vm, SLOW) ||
	    vm_migrate_begin(guest->vm, "exec:cat > /dev/null"))
		return guest_wrong(guest, "no migration begins");
	return 0;
}

static int finish_hinting(struct guest *guest, const struct wait *wait, const struct ring *ring)
{
	int err;

	if (qmp_execute(vm_qmp(guest->vm), "migrate_cancel", NULL, NULL) ||
	    vm_migrate_wait(guest->vm, "cancelled", TIMEOUT_MS))
		return guest_wrong(guest, "the migration is not cancelled");
	err = wait_answered(guest, wait, ring);
	if (!err)
		err = all_goes_on(guest, LARGE);
	return err ? err : all_goes_on(guest, SMALL);
}

/* ---- Statistics ---- */

static int begin_statistics(struct guest *guest)
{
	/* Switched on anew they are wanted at once. */
	return guest_poll_statistics(guest, 1);
}

static int finish_statistics(struct guest *guest, const struct wait *wait, const struct ring *ring)
{
	int err = guest_poll_statistics(guest, 0);

	if (!err)
		err = wait_answered(guest, wait, ring);
	if (!err)
		err = all_goes_on(guest, LARGE);
	return err ? err : all_goes_on(guest, SMALL);
}

/* ---- Reclaim ---- */

static int take_nearly_all(struct guest *guest)
{
	return guest_take(guest, NEARLY_ALL);
}

static int begin_reclaiming(struct guest *guest)
{
	return guest_type(guest, HOLD);
}

static int finish_reclaiming(struct guest *guest, const struct wait *wait, const struct ring *ring)
{
	int err = guest_answers(guest, HOLD, "held ");

	(void)wait;
	(void)ring;
	if (!err)
		err = guest_says(guest, "release all", "pattern intact");
	if (!err)
		err = guest_balloon_lives(guest);
	turn_rest(HOLD_OFF_MS);
	return err ? err : all_is_well(guest, NEARLY_ALL);
}

/* ---- Reset ---- */

static struct {
	uint64_t lives;	    /* of virtio.c, one more at each reset */
	uint64_t resets;    /* that have ended, counted by their events */
	uint64_t recovered; /* resets that the balloon has survived, by its own count */
	pthread_t upsetter;
	bool begun; /* it runs, and QMP is its own */
	int err;    /* of it */
} at;

static uint64_t read64(const struct guest *guest, uint64_t address)
{
	return *(const volatile uint64_t *)(guest->ram + address);
}

/* There is one device, so that a reset that was begun is this one's. */
static bool is_resetting(const struct guest *guest, const struct ring *ring)
{
	(void)ring;
	return read64(guest, at.lives) > read64(guest, at.resets);
}

/*
 * QEMU resets the device in the guest's write to its status, which takes some
 * microseconds: too short to be seen. But the first that it does is to trace that, and
 * while it cannot, the guest waits.
 */
static int take_much_and_count(struct guest *guest)
{
	int err = take_much(guest);

	return err ? err : guest_number(guest, "balloon", RECOVERED, &at.recovered);
}

static void *upset(void *arg)
{
	struct guest *guest = arg;
	struct ring ring;

	at.err = ring_find(guest, 0, false, &ring);
	if (!at.err)
		at.err = ring_upset(guest, &ring);
	return NULL;
}

/* QMP's answer may come only after the guest's reset, so another thread waits for it. */
static int begin_reset(struct guest *guest)
{
	guest_hold_traces(guest);
	at.err = pthread_create(&at.upsetter, NULL, upset, guest);
	at.begun = !at.err;
	return at.err ? guest_wrong(guest, "no thread") : 0;
}

/* Until it has recovered once more; or does not live any more. */
static int wait_recovered(struct guest *guest)
{
	int64_t deadline = deadline_in(TIMEOUT_MS);
	uint64_t now = 0;
	int err;

	do {
		err = guest_balloon_lives(guest);
		if (!err)
			err = guest_number(guest, "balloon", RECOVERED, &now);
		if (err || now == at.recovered + 1)
			return err;
		usleep(VM_POLL_MS * 1000);
	} while (deadline_left(deadline));
	return guest_wrong(guest,
			   "it has recovered %" PRIu64 " times after %d s, and %" PRIu64 " before",
			   now, TIMEOUT_MS / 1000, at.recovered);
}

static int finish_reset(struct guest *guest, const struct wait *wait, const struct ring *ring)
{
	int err;

	guest_take_traces(guest);
	if (at.begun)
		pthread_join(at.upsetter, NULL);
	at.begun = false;
	err = at.err ? at.err : wait_answered(guest, wait, ring);
	if (!err)
		err = wait_recovered(guest);
	if (!err)
		err = all_is_well(guest, LARGE);
	return err ? err : all_goes_on(guest, SMALL);
}

void wait_prepare(void)
{
	at.lives = image_symbol("lives");
	at.resets = image_symbol("virtio_events") + offsetof(struct event_ring, count) +
		    VIRTIO_EVENT_RESET * sizeof(uint64_t);
}

/* ---- The table ---- */

#define SMALL_GUEST .mem = "256M", .size = 256 * MIB, .mapped = true

/* A queue has the number of those before it that the device offers. */
const struct wait waits[] = {
	{ "inflate",
	  { SMALL_GUEST },
	  0,
	  take_little,
	  begin_inflating,
	  ring_in_flight,
	  finish_inflating,
	  .window_ms = 2000,
	  .phase_us = 30000 },
	{ "deflate",
	  { SMALL_GUEST },
	  1,
	  take_much,
	  begin_deflating,
	  ring_in_flight,
	  finish_deflating,
	  .window_ms = 2000,
	  .phase_us = 10000 },
	{ "report",
	  { SMALL_GUEST, .balloon = "free-page-reporting=on" },
	  3,
	  use_memory,
	  begin_reporting,
	  ring_in_flight,
	  finish_reporting,
	  .window_ms = 3000,
	  .phase_us = 3000 },
	{ "hint",
	  { SMALL_GUEST, .balloon = "free-page-hint=on,iothread=io0",
	    .extra = "-object iothread,id=io0" },
	  3,
	  hold_some,
	  begin_hinting,
	  ring_in_flight,
	  finish_hinting,
	  .window_ms = 1000 },
	{ "statistics",
	  { SMALL_GUEST },
	  2,
	  NULL,
	  begin_statistics,
	  ring_is_asked,
	  finish_statistics,
	  .window_ms = 500 },
	{ "reclaim",
	  { SMALL_GUEST, .balloon = "deflate-on-oom=on" },
	  1,
	  take_nearly_all,
	  begin_reclaiming,
	  ring_in_flight,
	  finish_reclaiming,
	  .window_ms = 2000,
	  .phase_us = 10000 },
	{ "reset",
	  { SMALL_GUEST, .trace = "virtio_set_status" },
	  0,
	  take_much_and_count,
	  begin_reset,
	  is_resetting,
	  finish_reset,
	  .window_ms = 3000 },
	{ "inflate-packed",
	  { SMALL_GUEST, .balloon = "packed=on" },
	  0,
	  take_little,
	  begin_inflating,
	  ring_in_flight,
	  finish_inflating,
	  .window_ms = 2000,
	  .phase_us = 30000,
	  .packed = true },
	{ "deflate-packed",
	  { SMALL_GUEST, .balloon = "packed=on" },
	  1,
	  take_much,
	  begin_deflating,
	  ring_in_flight,
	  finish_deflating,
	  .window_ms = 2000,
	  .phase_us = 10000,
	  .packed = true },
	{ "reclaim-packed",
	  { SMALL_GUEST, .balloon = "packed=on,deflate-on-oom=on" },
	  1,
	  take_nearly_all,
	  begin_reclaiming,
	  ring_in_flight,
	  finish_reclaiming,
	  .window_ms = 2000,
	  .phase_us = 10000,
	  .packed = true },
};

const size_t wait_count = sizeof(waits) / sizeof(waits[0]);
