/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A round: its id goes out in a buffer of four bytes, then blocks as buffers
 * for the device to "write", then STOP in four bytes again. The device returns
 * each buffer when it has taken note of it.
 *
 *	free -> in-flight -> hinted -> free
 *	        the device's | until DONE
 *	            ^--------'
 *	      in the next round
 *
 * A round that follows another hints the same blocks again: they are not freed in
 * between, and nobody writes to them.
 */
#include "drivers/balloon/port/virtio_balloon_hint.h"

#include <assert.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/paging.h"
#include "drivers/balloon/balloon_port.h"
#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtq.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/panic.h"
#include "mm/frame.h"
#include "mm/ledger.h"

/* Device config (5.5.4). */
#define CONFIG_HINT_ID 0x08

/* Ids that are no round's. */
#define HINT_STOP 0
#define HINT_DONE 1

/* Buffers with the device at a time, and blocks in one: 16 MiB. */
#define HINTS 32
#define HINT_BLOCKS 8

/*
 * A guest that was moved in mid-round has buffers with a device that nobody
 * told of them: QEMU does not look into this queue by itself.
 */
#define REMIND_NS (VIRTIO_DEADLINE_NS / 2)
/* Memory in need does not wait that long. */
#define REMIND_IN_NEED_NS NS_PER_MS

/* Frames that are with the device; a token of the queue. */
struct hint {
	bool sent;
	pfn_t pfn;
	size_t blocks;	     /* 0: a command, or nothing */
	uint64_t sent_awake; /* while `sent` */
	uint64_t told_awake; /* when the device was last told to look at it */
};

enum state {
	HINT_IDLE,
	HINT_BEGIN, /* the id is to be sent */
	HINT_ROUND,
	HINT_END, /* STOP is to be sent */
};

/* The device's; zeroed by the start. */
static struct {
	bool present;
	struct virtio_device *device;
	struct virtq queue;
	enum state state;
	uint32_t id;  /* of the round */
	bool release; /* DONE was said: `hinted` goes back */
	pfn_t again;  /* of what earlier rounds hinted, all from here on is to be hinted anew */
	struct hint hint[HINTS];
	pfn_t frame;   /* of the two commands */
	le32 *command; /* [0] the id, [1] STOP; what the device reads */
	struct hint command_token[2];
	size_t in_flight; /* buffers */
} hint;

/* For people; zeroed when another device comes. */
static struct {
	uint64_t frames;
	uint64_t rounds;
} counts;

_Static_assert(HINT_BLOCKS *BLOCK_SIZE <= UINT32_MAX, "a buffer's length has 32 bits");

int virtio_balloon_hint_start(struct virtio_device *device, uint16_t index)
{
	int err;

	memset(&hint, 0, sizeof(hint));
	err = frame_alloc(0, OWNER_VIRTQUEUES, &hint.frame);
	if (err)
		return err;
	hint.command = phys_to_virt(pfn_to_paddr(hint.frame));
	hint.command[1] = cpu_to_le32(HINT_STOP);
	hint.device = device;
	err = virtq_create(device, index, &hint.queue);
	if (err)
		goto err_frame;
	virtq_set_interrupts(&hint.queue, false);
	hint.present = true;
	return 0;

err_frame:
	frame_free(hint.frame, 1, OWNER_VIRTQUEUES);
	return err;
}

/* ---- What the host says ---- */

void virtio_balloon_hint_config_changed(bool is_new)
{
	uint32_t id;

	if (!hint.present)
		return;
	id = virtio_config_read32(hint.device, CONFIG_HINT_ID);
	if (id == HINT_DONE) {
		hint.release = true;
		hint.state = HINT_IDLE;
		frame_pause_filling(false);
	} else if (id == HINT_STOP) {
		if (is_new && (hint.state == HINT_ROUND || hint.state == HINT_BEGIN))
			hint.state = hint.state == HINT_ROUND ? HINT_END : HINT_IDLE;
	} else if (id != hint.id) {
		/* Each id once (5.5.6.5.1). What an older round hinted is to be hinted anew. */
		hint.id = id;
		hint.again = 0;
		hint.state = HINT_BEGIN;
		frame_pause_filling(true);
	}
}

/* ---- Buffers ---- */

static int send(paddr_t address, uint64_t length, bool device_writes, struct hint *token)
{
	struct virtq_buffer buffer = {
		.address = address,
		.length = (uint32_t)length,
		.device_writes = device_writes,
	};
	int err;

	assert(!token->sent);
	err = virtq_add(&hint.queue, &buffer, 1, token);
	if (!err) {
		token->sent = true;
		token->sent_awake = token->told_awake = clock_awake_ns();
		hint.in_flight++;
	}
	return err;
}

/* Sends a command if there is room. Those of the last round are back by then. */
static bool send_command(unsigned which)
{
	if (which == 0)
		hint.command[0] = cpu_to_le32(hint.id);
	return send(virt_to_phys(&hint.command[which]), sizeof(le32), false,
		    &hint.command_token[which]) == 0;
}

#define TOKENS (HINTS + ARRAY_SIZE(hint.command_token))

static struct hint *token(size_t i)
{
	return i < HINTS ? &hint.hint[i] : &hint.command_token[i - HINTS];
}

static struct hint *find_idle(void)
{
	for (size_t i = 0; i < HINTS; i++)
		if (!hint.hint[i].sent)
			return &hint.hint[i];
	return NULL;
}

static void must(int err)
{
	if (err)
		panic("balloon: a hinted frame had another owner; look for a wild write");
}

/* Takes blocks that an earlier round hinted. Those of this round come back below `again`. */
static bool take_hinted(struct hint *one)
{
	pfn_t pfn;

	if (hint.again == PFN_NONE || frame_collect(OWNER_HINTED, hint.again, 1, &pfn) == 0) {
		hint.again = PFN_NONE;
		return false;
	}
	one->pfn = pfn;
	one->blocks = frame_count_blocks(pfn, HINT_BLOCKS, OWNER_HINTED);
	/* They are hinted, and go back, as whole blocks only. */
	assert(one->blocks > 0);
	must(frame_change_owner(pfn, one->blocks * BLOCK_FRAMES, OWNER_HINTED, OWNER_IN_FLIGHT));
	hint.again = pfn + one->blocks * BLOCK_FRAMES;
	return true;
}

/* Takes free blocks, as long as `floor` frames stay. */
static bool take_free(struct hint *one, uint64_t floor)
{
	uint64_t free = ledger_count(OWNER_FREE);
	uint64_t spare = (free - min_u64(free, floor)) / BLOCK_FRAMES;
	size_t max = (size_t)min_u64(spare, HINT_BLOCKS);

	return max > 0 &&
	       !frame_alloc_blocks(max, PFN_NONE, OWNER_IN_FLIGHT, &one->pfn, &one->blocks);
}

/* One buffer of blocks: first those that are hinted anew, then free ones. */
static bool send_blocks(uint64_t floor)
{
	struct hint *one = find_idle();

	if (!one || hint.queue.free_count == 0)
		return false;
	if (!take_hinted(one) && !take_free(one, floor))
		return false;
	if (send(pfn_to_paddr(one->pfn), one->blocks * BLOCK_SIZE, true, one)) {
		must(frame_free(one->pfn, one->blocks * BLOCK_FRAMES, OWNER_IN_FLIGHT));
		return false;
	}
	return true;
}

/* ---- Going back ---- */

/* As much as the longest run that anybody may ask for. */
static size_t free_hinted_gib(void)
{
	return (size_t)frame_free_owned(OWNER_HINTED, GIB / FRAME_SIZE);
}

static void finish(struct hint *one)
{
	assert(one->sent && hint.in_flight > 0);
	one->sent = false;
	hint.in_flight--;
	if (one->blocks == 0)
		return;
	must(frame_change_owner(one->pfn, one->blocks * BLOCK_FRAMES, OWNER_IN_FLIGHT,
				OWNER_HINTED));
	counts.frames += one->blocks * BLOCK_FRAMES;
}

int virtio_balloon_hint_take(void)
{
	void *token;
	int got = 0;

	while (hint.present && (got = virtq_get_used(&hint.queue, &token, NULL)) > 0)
		finish(token);
	return got;
}

/* Tells the device of buffers that it may never have been told of. */
static void remind(uint64_t after_ns)
{
	uint64_t now_awake = clock_awake_ns();
	bool due = false;

	for (size_t i = 0; i < TOKENS; i++) {
		struct hint *one = token(i);

		if (!one->sent || now_awake - one->told_awake <= after_ns)
			continue;
		one->told_awake = now_awake;
		due = true;
	}
	if (due)
		virtq_remind(&hint.queue);
}

void virtio_balloon_hint_reclaim(void)
{
	if (hint.present && free_hinted_gib() == 0)
		remind(REMIND_IN_NEED_NS);
}

/* ---- A round goes on ---- */

/* Returns whether something was sent. */
static bool go_on(uint64_t floor)
{
	bool sent = false;

	switch (hint.state) {
	case HINT_IDLE:
		break;
	case HINT_BEGIN:
		/* Not before all of the last round is back: what it hinted is hinted anew. */
		if (hint.in_flight > 0 || !send_command(0))
			return false;
		counts.rounds++;
		hint.state = HINT_ROUND;
		return true;
	case HINT_ROUND:
		while (send_blocks(floor))
			sent = true;
		if (!sent && find_idle() && hint.queue.free_count > 0)
			hint.state = HINT_END;
		return sent || hint.state == HINT_END;
	case HINT_END:
		if (!send_command(1))
			return false;
		hint.state = HINT_IDLE;
		return true;
	}
	return false;
}

bool virtio_balloon_hint_offer(uint64_t floor)
{
	bool more;

	if (!hint.present)
		return false;
	remind(REMIND_NS);
	/* DONE, and all of the round's buffers are back. */
	if (hint.release && hint.in_flight == 0) {
		hint.release = balloon_free_some(OWNER_HINTED);
		if (hint.release)
			return true;
	}
	more = !hint.release && go_on(floor);
	if (more)
		virtq_kick(&hint.queue);
	return more;
}

bool virtio_balloon_hint_has_news(void)
{
	return hint.present && virtq_has_used(&hint.queue);
}

uint64_t virtio_balloon_hint_sent_awake(void)
{
	uint64_t oldest = DEADLINE_NEVER;

	for (size_t i = 0; hint.present && hint.in_flight > 0 && i < TOKENS; i++)
		if (token(i)->sent)
			oldest = min_u64(oldest, token(i)->sent_awake);
	return oldest;
}

void virtio_balloon_hint_let_go(void)
{
	balloon_free_all(OWNER_HINTED);
	frame_pause_filling(false);
}

void virtio_balloon_hint_stop(void)
{
	if (!hint.present)
		return;
	for (size_t i = 0; i < HINTS; i++)
		if (hint.hint[i].sent)
			must(frame_free(hint.hint[i].pfn, hint.hint[i].blocks * BLOCK_FRAMES,
					OWNER_IN_FLIGHT));
	virtio_balloon_hint_let_go();
	virtq_destroy(&hint.queue);
	frame_free(hint.frame, 1, OWNER_VIRTQUEUES);
	hint.present = false;
}

void virtio_balloon_hint_forget(void)
{
	memset(&hint, 0, sizeof(hint));
	memset(&counts, 0, sizeof(counts));
}

void virtio_balloon_hint_counts(uint64_t *frames, uint64_t *rounds)
{
	*frames = counts.frames;
	*rounds = counts.rounds;
}
