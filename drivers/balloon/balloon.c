/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon's life, top to bottom: where the frames stand, what is offered to
 * the device and in which way, telling the host, one round, waiting, memory
 * pressure, the start, recovery. The queues' own work is in the files beside
 * this one; see balloon.h.
 *
 *	free ──► in-flight ──► balloon ──► in-flight ──► free
 *	  └► reported ► leaving ┘              (range-first)
 *
 * The owner map is the only list of the frames. A ballooned frame is never
 * touched.
 */
#include "drivers/balloon/balloon.h"

#include <errno.h>
#include <string.h>

#include "arch/barrier.h"
#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/balloon/balloon_account.h"
#include "drivers/balloon/balloon_dump.h"
#include "drivers/balloon/balloon_hint.h"
#include "drivers/balloon/balloon_pages.h"
#include "drivers/balloon/balloon_report.h"
#include "drivers/balloon/balloon_stats.h"
#include "drivers/virtio/virtio.h"
#include "kernel/lib/log.h"
#include "mm/frame.h"
#include "mm/ledger.h"

/* Device config (5.5.4), 4 bytes each. */
#define CONFIG_NUM_PAGES 0x00
#define CONFIG_ACTUAL 0x04
#define CONFIG_POISON 0x0c

#define FEATURES_ALLOWED \
	(VIRTIO_BIT(VIRTIO_BALLOON_F_MUST_TELL_HOST) | VIRTIO_BIT(VIRTIO_BALLOON_F_STATS_VQ) | \
	 VIRTIO_BIT(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) | \
	 VIRTIO_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT) | VIRTIO_BIT(VIRTIO_BALLOON_F_PAGE_POISON) | \
	 VIRTIO_BIT(VIRTIO_BALLOON_F_REPORTING))

/* `actual` is written at the end of the work, and this often meanwhile. */
#define ACTUAL_INTERVAL_NS (NS_PER_S / 4)

/* While the floor is in the way, the free memory is looked at this often. */
#define RETRY_NS (NS_PER_S / 10)

/* Without any interrupt the target is read this often. */
#define IDLE_NS NS_PER_S

#define BAD_RING "a used ring is not what a device may write"

/* Recoveries of a device that keeps asking to be reset: then it is given up. */
#define RECOVERIES_IN_A_ROW 5

static struct {
	struct virtio_device *device;
	struct balloon_config config;
	struct balloon_status status;
	uint64_t actual_time; /* when `actual` was last written */
	uint64_t hold_off;    /* no inflation before */
	unsigned recoveries;  /* since the device last made progress */
	const char *wrong;    /* found outside the task, which is to act on it */
	bool nudged;	      /* from outside the task: there is something to do */
	bool going;	      /* the device goes: the target is 0, the task ends */
	volatile bool task_runs;
} balloon;

/* ---- Where the frames stand ---- */

/* Frames that belong to the balloon, or will when the device answers. */
static uint64_t frames_given(void)
{
	return ledger_count(OWNER_BALLOON) + ledger_count(OWNER_LEAVING) +
	       balloon_pages_inflating() + balloon_report_leaving_sent();
}

/* Free frames above the floor. */
static uint64_t frames_spare(void)
{
	uint64_t free = ledger_count(OWNER_FREE);

	return free > balloon.config.floor ? free - balloon.config.floor : 0;
}

/* ---- What is offered ---- */

static enum balloon_strategy effective_strategy(void)
{
	if (balloon.config.strategy != BALLOON_AUTO)
		return balloon.config.strategy;
	/* With poison QEMU acknowledges ranges and discards nothing. */
	return balloon_report_present() && !balloon.config.poison ? BALLOON_RANGE_FIRST
								  : BALLOON_PORTABLE;
}

/*
 * Range-first: all the ranges of a target go before the first PFN, so that the
 * host has the memory in milliseconds. Single frames are for what is left.
 */
static uint64_t inflate_by_ranges(uint64_t want)
{
	uint64_t since;
	uint64_t sent = balloon_report_leaving(want / BLOCK_FRAMES, BALLOON_PFN_LIMIT);

	if (sent > 0 || balloon_report_busy(&since))
		return sent;
	sent = balloon_pages_inflate_leaving();
	/* While frames leave, the requests are for them. */
	return sent > 0 || ledger_count(OWNER_LEAVING) > 0 ? sent : balloon_pages_inflate(want);
}

static uint64_t inflate(uint64_t want)
{
	uint64_t spare = frames_spare();

	if (want > spare)
		want = spare;
	if (clock_ns() < balloon.hold_off)
		want = 0;
	if (effective_strategy() == BALLOON_RANGE_FIRST || ledger_count(OWNER_LEAVING) > 0)
		return inflate_by_ranges(want);
	return balloon_pages_inflate(want);
}

/* What only leaves is simply free again; the rest goes by the deflate queue. */
static uint64_t deflate(uint64_t want)
{
	uint64_t freed = frame_free_owned(OWNER_LEAVING, want);

	return freed + balloon_pages_deflate(want - freed);
}

static uint64_t offer(uint64_t target)
{
	uint64_t given = frames_given();

	if (given > target)
		return deflate(given - target);
	return inflate(target - given);
}

/* ---- Telling the host ---- */

/*
 * 5.5.6.2: `actual` follows the operations, and one write may stand for
 * several. A watcher sees a few a second, and the last one at once.
 */
static void write_actual(bool busy)
{
	struct balloon_status *status = &balloon.status;
	uint64_t actual = ledger_count(OWNER_BALLOON);
	uint64_t now = clock_ns();

	if (actual == status->actual || (busy && now - balloon.actual_time < ACTUAL_INTERVAL_NS))
		return;
	virtio_config_write32(balloon.device, CONFIG_ACTUAL, (uint32_t)actual);
	status->actual = actual;
	status->actual_writes++;
	balloon.actual_time = now;
}

/* ---- What can go wrong ---- */

static void give_up(const char *why);
static void recover(void);

/* True if something was with the device for longer than any answer may take. */
static bool is_overdue(bool (*busy)(uint64_t *since))
{
	uint64_t since;

	return busy(&since) && clock_ns() - since > VIRTIO_DEADLINE_NS;
}

/* Takes all that the device has finished; says what is wrong with it, or NULL. */
static const char *take_finished(void)
{
	if (balloon_pages_step() || balloon_report_step() || balloon_stats_step())
		return BAD_RING;
	if (is_overdue(balloon_pages_busy) || is_overdue(balloon_report_busy) ||
	    is_overdue(balloon_hint_busy))
		return "no answer within 2 s";
	return NULL;
}

/* One that asks for a reset owes no answers (2.1.2), but its rings must be right. */
static bool is_excused(const char *wrong)
{
	return strcmp(wrong, BAD_RING) != 0 && virtio_needs_reset(balloon.device);
}

/*
 * A changed config, or one that reads as a target no device can mean, is the
 * moment to ask the device whether it is well.
 */
static bool read_config(void)
{
	struct virtio_device *device = balloon.device;
	bool changed = device->config_changed;

	/* Before the target is read: a change after that is not missed. */
	balloon.nudged = false;
	/* Only what was seen: an interrupt may come between the two. */
	if (changed)
		device->config_changed = false;
	balloon.status.target = balloon.going ? 0 : virtio_config_read32(device, CONFIG_NUM_PAGES);
	if ((changed || balloon.status.target == UINT32_MAX) && virtio_needs_reset(device))
		return false;
	/* The hint id may be read after a change only: in mid-round QEMU has STOP in its place. */
	if (changed && virtio_config_is_new(device))
		balloon_hint_config_changed();
	return true;
}

/* ---- One round ---- */

static bool has_news(void)
{
	return balloon.nudged || balloon.device->config_changed || balloon_pages_have_news() ||
	       balloon_report_has_news() || balloon_stats_has_news() || balloon_hint_has_news();
}

/* For those outside the task. */
static void nudge(void)
{
	balloon.nudged = true;
	task_wake(&balloon.device->interrupts);
}

bool balloon_step(void)
{
	uint64_t offered, since;
	const char *wrong;
	int hinted;
	bool busy;

	if (!balloon.status.present || balloon.status.broken)
		return false;
	wrong = balloon.wrong ? balloon.wrong : take_finished();
	if (wrong && !is_excused(wrong)) {
		give_up(wrong);
		return false;
	}
	if (wrong || !read_config()) {
		recover();
		return true;
	}
	offered = offer(balloon.status.target);
	if (offered > 0) {
		balloon_pages_kick();
		balloon.recoveries = 0;
	}
	hinted = balloon_hint_step(balloon.config.floor);
	if (hinted < 0) {
		give_up(BAD_RING);
		return false;
	}
	busy = offered > 0 || balloon_pages_busy(&since) || ledger_count(OWNER_LEAVING) > 0;
	write_actual(busy);
	if (!busy && balloon_report_free_blocks())
		return true;
	/* What was finished meanwhile may have been what the offer lacked. */
	return hinted > 0 || (offered > 0 && balloon_pages_have_room()) || has_news();
}

/* ---- Waiting ---- */

/* True if an answer is due: then the task is seen waiting for a device. */
static bool is_waiting_for_device(uint64_t *since)
{
	return balloon_pages_busy(since) || balloon_report_busy(since) || balloon_hint_busy(since);
}

static uint64_t next_look(void)
{
	uint64_t now = clock_ns();
	struct balloon_status status;
	uint64_t report = balloon_report_next();
	uint64_t look = now + IDLE_NS;
	uint64_t since;

	if (balloon_hint_busy(&since))
		return now + BALLOON_HINT_POLL_NS;
	if (is_waiting_for_device(&since))
		return since + VIRTIO_DEADLINE_NS + 1;
	balloon_status(&status);
	if (now < balloon.hold_off)
		look = balloon.hold_off;
	else if (status.shortfall > 0)
		look = now + RETRY_NS;
	return report < look ? report : look;
}

static void set_interrupts(bool wanted)
{
	balloon_pages_set_interrupts(wanted);
	balloon_report_set_interrupts(wanted);
	balloon_stats_set_interrupts(wanted);
}

/* Until the device has news or it is time to look by ourselves. */
static void wait_for_news(void)
{
	uint64_t deadline = next_look();
	uint64_t flags, since;
	bool (*wait)(struct wait_queue *,
		     uint64_t) = is_waiting_for_device(&since) ? task_wait_device : task_wait;

	set_interrupts(true);
	/* 2.7.13.3: the wish must be seen before we conclude that nothing is used. */
	dma_full_barrier();
	flags = irq_save();
	while (!has_news() && wait(&balloon.device->interrupts, deadline))
		;
	irq_restore(flags);
	set_interrupts(false);
}

static bool is_alive(void)
{
	return balloon.status.present && !balloon.status.broken;
}

static void balloon_task(void *arg)
{
	(void)arg;
	balloon.task_runs = true;
	while (is_alive() && !balloon.going) {
		if (balloon_step())
			task_yield();
		else if (is_alive() && !balloon.going)
			wait_for_news();
	}
	balloon.task_runs = false;
}

/* ---- Memory pressure ---- */

static uint64_t frames_wanted(unsigned order)
{
	uint64_t run = UINT64_C(1) << order;

	return order == 0 || run > BLOCK_FRAMES ? run : BLOCK_FRAMES;
}

/* Frames that are only lent come back first: they cost the host nothing. */
static size_t reclaim_lent(void)
{
	uint64_t deadline = clock_ns() + VIRTIO_DEADLINE_NS;
	uint64_t before = ledger_count(OWNER_FREE);
	uint64_t since;

	while (balloon_report_busy(&since) && clock_ns() < deadline && !balloon_report_step())
		;
	balloon_hint_reclaim(deadline);
	/* Whoever asks next is not to wait as long again. */
	if (clock_ns() >= deadline && (balloon_report_busy(&since) || balloon_hint_busy(&since))) {
		balloon.wrong = "no answer about frames that are needed";
		nudge();
	}
	return (size_t)(ledger_count(OWNER_FREE) - before);
}

size_t balloon_reclaim(unsigned order)
{
	size_t freed;

	if (!balloon.status.present || balloon.status.broken || balloon.wrong)
		return 0;
	freed = reclaim_lent();
	/* Without the bit: never below the target by ourselves (5.5.6.1). */
	if (freed > 0 || !balloon.status.deflate_on_oom)
		return freed;
	if (balloon_pages_take_back(frames_wanted(order), &freed))
		balloon.wrong = "no answer to a request for frames that are needed";
	if (freed > 0) {
		balloon.status.oom_events++;
		balloon.status.oom_frames += freed;
		/* Or inflation would chase us at once. */
		balloon.hold_off = clock_ns() + BALLOON_HOLD_OFF_NS;
	}
	/* `actual` has changed, or there is something to mend: the task's business. */
	nudge();
	return freed;
}

/* ---- The start ---- */

/* 5.5.2: a queue has the number of those before it that the device offers. */
static uint16_t queue_number(unsigned feature)
{
	uint16_t number = 2;

	if (feature == VIRTIO_BALLOON_F_STATS_VQ)
		return number;
	number += balloon.device->offered >> VIRTIO_BALLOON_F_STATS_VQ & 1;
	if (feature == VIRTIO_BALLOON_F_FREE_PAGE_HINT)
		return number;
	return (uint16_t)(number +
			  (balloon.device->offered >> VIRTIO_BALLOON_F_FREE_PAGE_HINT & 1));
}

static bool has(unsigned feature)
{
	return virtio_has(balloon.device, feature);
}

static int start_queues(void)
{
	struct virtio_device *device = balloon.device;
	const uint8_t *poison = has(VIRTIO_BALLOON_F_PAGE_POISON) ? &balloon.config.poison_byte
								  : NULL;
	int err = balloon_pages_start(device);

	if (!err && has(VIRTIO_BALLOON_F_STATS_VQ))
		err = balloon_stats_start(device, queue_number(VIRTIO_BALLOON_F_STATS_VQ));
	if (!err && has(VIRTIO_BALLOON_F_FREE_PAGE_HINT))
		err = balloon_hint_start(device, queue_number(VIRTIO_BALLOON_F_FREE_PAGE_HINT));
	if (!err && has(VIRTIO_BALLOON_F_REPORTING))
		err = balloon_report_start(device, queue_number(VIRTIO_BALLOON_F_REPORTING),
					   poison);
	return err;
}

/* The device is reset: whatever it had is ours again. */
static void stop_queues(void)
{
	balloon_pages_stop();
	balloon_report_stop();
	balloon_hint_stop();
	balloon_stats_stop();
}

/* 3.1.1 from reset to DRIVER_OK, and what 5.5.5 adds to it. */
static int start_device(void)
{
	struct virtio_device *device = balloon.device;
	int err;

	device->declined = balloon.config.poison ? 0 : VIRTIO_BIT(VIRTIO_BALLOON_F_PAGE_POISON);
	err = virtio_negotiate(device, FEATURES_ALLOWED);
	if (!err && has(VIRTIO_BALLOON_F_FREE_PAGE_HINT) &&
	    virtio_has(device, VIRTIO_F_EVENT_IDX)) {
		/*
		 * With EVENT_IDX QEMU interrupts at a queue's first buffer,
		 * wanted or not, and from the hinting thread it may not: 7.2
		 * ends itself then (see balloon_hint.h).
		 */
		device->declined |= VIRTIO_BIT(VIRTIO_F_EVENT_IDX);
		err = virtio_negotiate(device, FEATURES_ALLOWED);
	}
	if (err)
		return err;
	if (!virtio_config_has(device, CONFIG_ACTUAL, sizeof(uint32_t))) {
		virtio_break(device, "its config does not reach to `actual`");
		return -ENODEV;
	}
	err = start_queues();
	if (err) {
		virtio_break(device, "no queues or no memory for the balloon");
		return err;
	}
	if (has(VIRTIO_BALLOON_F_PAGE_POISON))
		virtio_config_write32(device, CONFIG_POISON,
				      balloon.config.poison_byte * UINT32_C(0x01010101));
	balloon.status.features = device->accepted;
	balloon.status.deflate_on_oom = has(VIRTIO_BALLOON_F_DEFLATE_ON_OOM);
	if (balloon_set_strategy(balloon.config.strategy))
		log_warn("balloon: range-first needs a device with REPORTING; it is auto now");
	set_interrupts(false);
	virtio_ready(device);
	balloon_stats_ready();
	/* The device keeps the number over a reset; what we have is the truth. */
	balloon.status.actual = ledger_count(OWNER_BALLOON);
	virtio_config_write32(device, CONFIG_ACTUAL, (uint32_t)balloon.status.actual);
	return 0;
}

static void forget_device(void)
{
	struct balloon_config config = balloon.config;

	memset(&balloon, 0, sizeof(balloon));
	balloon.config = config;
	balloon_pages_forget();
	balloon_report_forget();
	balloon_hint_forget();
	balloon_stats_forget();
}

static int balloon_probe(struct virtio_device *device)
{
	int err;

	forget_device();
	balloon.device = device;
	err = start_device();
	if (err)
		goto err_stop;
	balloon.status.present = true;
	err = task_create("balloon", TASK_PRIORITY_DRIVER, balloon_task, NULL);
	if (!err)
		return 0;
	virtio_break(balloon.device, "no task for the balloon");

err_stop:
	if (virtio_is_reset(balloon.device))
		stop_queues();
	balloon.status.present = false;
	return err;
}

/* ---- The end, or not ---- */

void balloon_stop(void)
{
	if (!balloon.status.present)
		return;
	balloon.status.present = false;
	balloon.status.deflate_on_oom = false;
	if (virtio_reset(balloon.device) == -ETIMEDOUT)
		return;
	stop_queues();
	frame_free_owned(OWNER_LEAVING, UINT64_MAX);
	frame_free_owned(OWNER_BALLOON, UINT64_MAX);
}

/* Every wait on the device in there is bounded, and so is this one. */
static void stop_task(void)
{
	while (balloon.task_runs) {
		nudge();
		task_sleep_until(clock_ns() + NS_PER_MS);
	}
}

static bool has_frames(void)
{
	uint64_t since;

	return ledger_count(OWNER_BALLOON) > 0 || ledger_count(OWNER_LEAVING) > 0 ||
	       balloon_pages_busy(&since);
}

/* The target is 0 now; a request that is not answered in time ends it. */
static void deflate_all(void)
{
	do {
		if (balloon_step())
			task_yield();
		else if (is_alive() && has_frames())
			wait_for_news();
	} while (is_alive() && has_frames());
}

static void balloon_remove(struct virtio_device *device)
{
	if (balloon.device != device)
		return;
	balloon.going = true;
	stop_task();
	deflate_all();
	balloon_step(); /* `actual` is 0 now */
	balloon_stop();
	forget_device();
}

/* The two bits that start_device() declines. */
static const char *balloon_why_declined(unsigned bit)
{
	return bit == VIRTIO_BALLOON_F_PAGE_POISON ? "only with poison=XX on the command line"
						   : "not together with FREE_PAGE_HINT";
}

#define FEATURE_NAME(bit, name) { bit, #name },

static const struct virtio_feature_name feature_names[] = {
	VIRTIO_BALLOON_FEATURES(FEATURE_NAME){ 0, NULL },
};

static struct virtio_driver driver = {
	.type = VIRTIO_ID_BALLOON,
	.feature_names = feature_names,
	.probe = balloon_probe,
	.remove = balloon_remove,
	.why_declined = balloon_why_declined,
};

int balloon_start(const struct balloon_config *config)
{
	memset(&balloon, 0, sizeof(balloon));
	balloon.config = *config;
	return virtio_register_driver(&driver);
}

/*
 * The device broke the rules: it is reset, and nothing more is expected of it.
 * One that does not even finish its reset may still discard what it has: then
 * all of that stays in-flight for good.
 */
static void give_up(const char *why)
{
	virtio_break(balloon.device, why);
	if (virtio_is_reset(balloon.device))
		stop_queues();
	balloon.status.broken = balloon.device->broken;
	/* What is in the balloon does not come back from it: it is accounted for so. */
	balloon.status.deflate_on_oom = false;
}

/*
 * The device asks for a reset (2.1.2), which is no fault of ours to punish.
 * Frames in the balloon stay there, those that the device had return to where
 * they came from, and the next round goes on to the target.
 */
static void recover(void)
{
	balloon.wrong = NULL;
	if (++balloon.recoveries > RECOVERIES_IN_A_ROW) {
		give_up("it asks for one reset after the other");
		return;
	}
	if (virtio_reset(balloon.device)) {
		give_up("it asks for a reset and does not finish it");
		return;
	}
	log_info("balloon: the device asked for a reset, and gets it");
	stop_queues();
	if (start_device()) {
		give_up("it cannot be started again");
		return;
	}
	balloon.status.recoveries++;
}

/* ---- Settings and state ---- */

static const char *const strategy_names[] = {
	[BALLOON_AUTO] = "auto",
	[BALLOON_PORTABLE] = "portable",
	[BALLOON_WHOLE_BLOCK] = "whole-block",
	[BALLOON_RANGE_FIRST] = "range-first",
};

const char *balloon_strategy_name(enum balloon_strategy strategy)
{
	return strategy_names[strategy];
}

int balloon_parse_strategy(const char *name, enum balloon_strategy *strategy)
{
	for (size_t i = 0; i < ARRAY_SIZE(strategy_names); i++) {
		if (strcmp(name, strategy_names[i]) == 0) {
			*strategy = (enum balloon_strategy)i;
			return 0;
		}
	}
	return -EINVAL;
}

int balloon_set_strategy(enum balloon_strategy strategy)
{
	if (strategy == BALLOON_RANGE_FIRST && !balloon_report_present()) {
		balloon.config.strategy = BALLOON_AUTO;
		return -ENOTSUP;
	}
	balloon.config.strategy = strategy;
	balloon_pages_set_buffer(effective_strategy() == BALLOON_WHOLE_BLOCK
					 ? BALLOON_BUFFER_BLOCK
					 : BALLOON_BUFFER_PORTABLE);
	return 0;
}

void balloon_set_floor(uint64_t floor)
{
	balloon.config.floor = floor;
}

void balloon_status(struct balloon_status *status)
{
	uint64_t given = frames_given();
	uint64_t spare = clock_ns() < balloon.hold_off ? 0 : frames_spare();

	*status = balloon.status;
	status->floor = balloon.config.floor;
	if (!status->present)
		return;
	status->strategy = balloon.config.strategy;
	status->effective = effective_strategy();
	status->shortfall = balloon_shortfall(status->target, given, spare);
}

/* ---- Seen from outside: balloon_dump.h ---- */

#define OFFSET(field) ((uint32_t)offsetof(__typeof__(balloon), field))

const struct balloon_dump balloon_dump = {
	.version = BALLOON_DUMP_VERSION,
	.size = sizeof(struct balloon_dump),
	.state = (uintptr_t)&balloon,
	.present = OFFSET(status.present),
	.deflate_on_oom = OFFSET(status.deflate_on_oom),
	.target = OFFSET(status.target),
	.actual = OFFSET(status.actual),
	.floor = OFFSET(config.floor),
	.owner_balloon = OWNER_BALLOON,
	.owner_in_flight = OWNER_IN_FLIGHT,
	.owner_leaving = OWNER_LEAVING,
};
