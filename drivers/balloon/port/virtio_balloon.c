/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio balloon as a port (virtio 1.3, 5.5): negotiation, the device's config,
 * and its queues as rows of one table. What a queue does is in the file of its name.
 */
#include "drivers/balloon/port/virtio_balloon.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/balloon_stats.h"
#include "drivers/balloon/port/virtio_balloon_hint.h"
#include "drivers/balloon/port/virtio_balloon_pages.h"
#include "drivers/balloon/port/virtio_balloon_report.h"
#include "drivers/balloon/port/virtio_balloon_stats.h"
#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtio_feature_names.h"
#include "kernel/lib/log.h"
#include "kernel/lib/wrap.h"

/* Device config (5.5.4), 4 bytes each; the hint id is virtio_balloon_hint.c's. */
#define CONFIG_NUM_PAGES 0x00
#define CONFIG_ACTUAL 0x04
#define CONFIG_POISON 0x0c

/* A config that never holds still is looked at so often at a time. */
#define CONFIG_LOOKS_MAX 8

#define FEATURE_BIT(constant, bit, name) | VIRTIO_BIT(bit)
#define FEATURES_ALLOWED (0 VIRTIO_BALLOON_FEATURES(FEATURE_BIT))

_Static_assert(BALLOON_DEADLINE_NS == VIRTIO_DEADLINE_NS, "one deadline for every wait");

static struct virtio_device *device; /* NULL: there is none */

static bool has(unsigned feature)
{
	return virtio_has(device, feature);
}

/* ---- The queues ---- */

#define ALWAYS VIRTIO_FEATURES

/* Other rows' operations are there, but hints never interrupt. */
static const struct {
	unsigned feature; /* the bit that it comes with, or ALWAYS */
	uint16_t queues;
	int (*start)(struct virtio_device *device, uint16_t index);
	int (*take)(void);
	bool (*has_news)(void);
	void (*want_interrupts)(bool wanted);
	void (*stop)(void);
	void (*forget)(void);
} rows[] = {
	{ ALWAYS, 2, virtio_balloon_pages_start, virtio_balloon_pages_take,
	  virtio_balloon_pages_has_news, virtio_balloon_pages_want_interrupts,
	  virtio_balloon_pages_stop, virtio_balloon_pages_forget },
	{ VIRTIO_BALLOON_F_STATS_VQ, 1, virtio_balloon_stats_start, virtio_balloon_stats_take,
	  virtio_balloon_stats_has_news, virtio_balloon_stats_want_interrupts,
	  virtio_balloon_stats_stop, virtio_balloon_stats_forget },
	{ VIRTIO_BALLOON_F_FREE_PAGE_HINT, 1, virtio_balloon_hint_start, virtio_balloon_hint_take,
	  virtio_balloon_hint_has_news, NULL, virtio_balloon_hint_stop,
	  virtio_balloon_hint_forget },
	{ VIRTIO_BALLOON_F_REPORTING, 1, virtio_balloon_report_start, virtio_balloon_report_take,
	  virtio_balloon_report_has_news, virtio_balloon_report_want_interrupts,
	  virtio_balloon_report_stop, virtio_balloon_report_forget },
};

/* 5.5.2: a queue has the number of those before it that the device offers. */
static int start_queues(void)
{
	uint16_t index = 0;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && !err; i++) {
		if (rows[i].feature != ALWAYS && !(device->offered >> rows[i].feature & 1))
			continue;
		if (rows[i].feature == ALWAYS || has(rows[i].feature))
			err = rows[i].start(device, index);
		index = (uint16_t)(index + rows[i].queues);
	}
	return err;
}

/* The device is reset: whatever it had is ours again. */
static void stop_queues(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		rows[i].stop();
}

static void want_interrupts(bool wanted)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].want_interrupts)
			rows[i].want_interrupts(wanted);
}

static bool has_news(void)
{
	bool news = device->config_changed;

	for (size_t i = 0; i < ARRAY_SIZE(rows) && !news; i++)
		news = rows[i].has_news();
	return news;
}

static enum balloon_fault take_finished(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].take())
			return BALLOON_FAULT_RULES;
	return BALLOON_OK;
}

static void forget(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		rows[i].forget();
}

/* ---- From reset to running, and back ---- */

/* 3.1.1 up to FEATURES_OK. Errors are those of virtio_negotiate(). */
static int negotiate(void)
{
	uint8_t poison;
	int err;

	device->declined = balloon_poison(&poison) ? 0 : VIRTIO_BIT(VIRTIO_BALLOON_F_PAGE_POISON);
	err = virtio_negotiate(device, FEATURES_ALLOWED);
	if (err || !has(VIRTIO_BALLOON_F_FREE_PAGE_HINT) || !has(VIRTIO_F_EVENT_IDX))
		return err;
	/*
	 * With EVENT_IDX QEMU interrupts at a queue's first buffer, wanted or not, and
	 * from the hinting thread it may not: 7.2 ends itself then (see
	 * virtio_balloon_hint.h).
	 */
	device->declined |= VIRTIO_BIT(VIRTIO_F_EVENT_IDX);
	return virtio_negotiate(device, FEATURES_ALLOWED);
}

/* 5.5.5 wants this done before DRIVER_OK. */
static int prepare(void)
{
	uint8_t poison;
	int err;

	if (!virtio_config_has(device, CONFIG_ACTUAL, sizeof(uint32_t))) {
		virtio_break(device, "its config does not reach to `actual`");
		return -ENODEV;
	}
	err = start_queues();
	if (err) {
		virtio_break(device, "no queues or no memory for the balloon");
		return err;
	}
	if (has(VIRTIO_BALLOON_F_PAGE_POISON) && balloon_poison(&poison))
		virtio_config_write32(device, CONFIG_POISON, poison * UINT32_C(0x01010101));
	want_interrupts(false);
	return 0;
}

static int start(void)
{
	int err = negotiate();

	if (!err)
		err = prepare();
	if (err) {
		if (virtio_is_reset(device))
			stop_queues();
		return err;
	}
	virtio_ready(device);
	virtio_balloon_stats_ready();
	return 0;
}

static void terms(enum balloon_strategy strategy, struct balloon_terms *terms)
{
	terms->needs_turns = true;
	terms->deflate_on_oom = has(VIRTIO_BALLOON_F_DEFLATE_ON_OOM);
	virtio_balloon_pages_terms(strategy, terms);
	virtio_balloon_report_terms(terms);
}

/* What becomes of the queues after a reset, or after one that does not end (-ETIMEDOUT). */
static int let_go(int err)
{
	if (err == -ETIMEDOUT)
		virtio_balloon_hint_let_go();
	else
		stop_queues();
	return err;
}

static int reset(void)
{
	return let_go(virtio_reset(device));
}

static int give_up(const char **why)
{
	virtio_break(device, *why);
	*why = device->broken;
	return let_go(virtio_is_reset(device) ? 0 : -ETIMEDOUT);
}

/* ---- The device's config ---- */

/* What changes while the id is read is read, too: its interrupt may come when the round runs. */
static void read_hint_id(void)
{
	bool is_new = virtio_config_is_new(device);
	unsigned left = CONFIG_LOOKS_MAX;

	do
		virtio_balloon_hint_config_changed(is_new);
	while (--left > 0 && (is_new = virtio_config_has_moved(device)));
}

/*
 * A changed config, or one that reads as a target no device can mean, is the
 * moment to ask the device whether it is well.
 */
static enum balloon_fault read_target(uint64_t given, uint64_t *target)
{
	bool changed = device->config_changed;

	(void)given;
	/* Only what was seen: an interrupt may come between the two. */
	if (changed)
		device->config_changed = false;
	*target = virtio_config_read32(device, CONFIG_NUM_PAGES);
	if ((changed || *target == UINT32_MAX) && virtio_needs_reset(device))
		return BALLOON_FAULT_RESET_WANTED;
	if (changed)
		read_hint_id();
	return BALLOON_OK;
}

/* 5.5.6.2: `actual` follows the operations. */
static void write_actual(uint64_t actual)
{
	assert(actual <= VIRTIO_BALLOON_PFN_LIMIT);
	virtio_config_write32(device, CONFIG_ACTUAL, (uint32_t)actual);
}

/* One that asks for a reset owes no answers (2.1.2). */
static bool wants_reset(void)
{
	return virtio_needs_reset(device);
}

/* ---- For people ---- */

static void print_traffic(void)
{
	uint64_t frames, rounds;

	virtio_balloon_hint_counts(&frames, &rounds);
	printf("Hinted: %" PRIu64 " frames in %" PRIu64 " rounds\n", frames, rounds);
}

static void print_features(void)
{
	struct wrap line;

	wrap_begin(&line, 10);
	wrap_word(&line, "Features:");
	for (unsigned bit = 0; bit < VIRTIO_FEATURES; bit++) {
		const char *name = virtio_feature_name(VIRTIO_ID_BALLOON, bit);

		if (device->accepted >> bit & 1)
			wrap_word(&line, "%s", name ? name : "?");
	}
	if (device->accepted == 0)
		wrap_word(&line, "none");
	wrap_end(&line);
}

/* The two bits that negotiate() declines. */
static const char *why_declined(unsigned bit)
{
	return bit == VIRTIO_BALLOON_F_PAGE_POISON ? "only with poison=XX on the command line"
						   : "not together with FREE_PAGE_HINT";
}

/* ---- The port, and the driver ---- */

static const struct balloon_port port = {
	.name = "virtio",
	.ranges_need = "a device with REPORTING",
	.start = start,
	.terms = terms,
	.reset = reset,
	.give_up = give_up,
	.take_finished = take_finished,
	.read_target = read_target,
	.inflate = virtio_balloon_pages_inflate,
	.deflate = virtio_balloon_pages_deflate,
	.kick = virtio_balloon_pages_kick,
	.send_ranges = virtio_balloon_report_send,
	.write_actual = write_actual,
	.sent_awake = virtio_balloon_hint_sent_awake,
	.has_news = has_news,
	.want_interrupts = want_interrupts,
	.wants_reset = wants_reset,
	.work = virtio_balloon_hint_offer,
	.reclaim = virtio_balloon_hint_reclaim,
	.forget = forget,
	.print_traffic = print_traffic,
	.print_features = print_features,
};

/* The one in use goes, or one that was given up. */
static void release(void)
{
	balloon_detach(&port);
	balloon_stats_forget();
	device = NULL;
}

/* A newer one takes its place: of two that are the same, it is the one that was reset last. */
static int probe(struct virtio_device *found)
{
	int err;

	if (device)
		release();
	device = found;
	err = balloon_attach(&port, &found->interrupts);
	if (err)
		device = NULL;
	if (err == -EBUSY)
		log_info("balloon: virtio's is not used, as there are others");
	return err;
}

static void remove_device(struct virtio_device *gone)
{
	if (device == gone)
		release();
}

#define FEATURE_NAME(constant, bit, name) { bit, name },

static const struct virtio_feature_name feature_names[] = {
	VIRTIO_BALLOON_FEATURES(FEATURE_NAME){ 0, NULL },
};

static struct virtio_driver driver = {
	.type = VIRTIO_ID_BALLOON,
	.feature_names = feature_names,
	.probe = probe,
	.remove = remove_device,
	.why_declined = why_declined,
	.remedy = "; `balloon retry` tries it once more",
};

int virtio_balloon_start(void)
{
	device = NULL;
	return virtio_register_driver(&driver);
}
