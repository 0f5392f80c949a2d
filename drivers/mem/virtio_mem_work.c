/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the host wants of a virtio-mem device (virtio 1.3, 5.15.6), and how it is reached:
 * round by round, in one direction at a time. What was asked for in the other is waited for
 * first, so that a wish that changes in mid-work turns the work round.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "arch/clock.h"
#include "drivers/mem/mem_events.h"
#include "drivers/mem/mem_leave.h"
#include "drivers/mem/virtio_mem_internal.h"
#include "kernel/lib/log.h"
#include "kernel/task/task.h"

/* After an audit for a count that differs, the next one for another such count comes so late. */
#define COUNT_REST_NS NS_PER_S

/* No device counts so much. */
#define NOT_AUDITED UINT64_MAX

static const char wants_reset[] = "it asks for a reset";
static const char breaks_rules[] = "it answered what no device may answer";
static const char is_silent[] = "no answer within 2 s";

/* Returns what is wrong with a device that was asked in vain: -EIO, or -ETIMEDOUT. */
static const char *fault_of(int err)
{
	return err == -ETIMEDOUT ? is_silent : breaks_rules;
}

/* ---- What the host wants ---- */

/* As many frames as there can be. */
static uint64_t reachable(const struct virtio_mem *mem)
{
	const struct frame_region_part *part = &mem->source.part;
	uint64_t most = (uint64_t)part->blocks * BLOCK_SIZE;
	uint64_t bytes = min_u64(mem->config.requested, most);

	return bytes / (part->unit * BLOCK_SIZE) * (part->unit * BLOCK_FRAMES);
}

static void begin_piece_of_work(struct virtio_mem *mem)
{
	mem->source.requested = mem->config.requested / FRAME_SIZE;
	mem_event(MEM_EVENT_REQUESTED, mem->source.requested, mem->source.plugged);
	mem->wanted = reachable(mem);
	mem->requested_time = clock_ns();
	mem->reached = false;
	mem->named = 0;
	mem->doubt_named = false;
	mem->stuck = false;
	mem->said = false;
	mem->claims = 0;
	mem->waits_since = 0;
	mem->run.recorded = 0;
	virtio_mem_begin_slowly(mem);
}

/*
 * Asks for an audit when the device's count is not ours, once for each such count; one that
 * is another at each look would be asked without end, so once a second, too.
 */
static bool check_count(struct virtio_mem *mem)
{
	bool differs = mem->config.plugged != mem->source.plugged * FRAME_SIZE;
	uint64_t now = clock_ns();

	if (differs && mem->config.plugged != mem->audited) {
		if (now < mem->count_rest_end)
			return mem->doubt;
		mem->count_rest_end = now + COUNT_REST_NS;
		mem->doubt = true;
	}
	mem->audited = mem->config.plugged;
	return mem->doubt;
}

/* Reads what may change; wants_reset, or NULL. */
static const char *look(struct virtio_mem *mem)
{
	const struct virtio_mem_config before = mem->config;

	if (!mem->changed && !mem->device->config_changed)
		return NULL;
	mem->changed = false;
	/* Before it is read: a change after that is not missed. */
	mem->device->config_changed = false;
	virtio_mem_read_wish(mem->device, &mem->config);
	if (virtio_needs_reset(mem->device)) {
		mem->config = before;
		return wants_reset;
	}
	if (mem->config.usable != before.usable)
		mem->audited = NOT_AUDITED;
	if (mem->nacked && mem->queue.count == 0) {
		mem->nacked = false;
		check_count(mem);
	}
	if (mem->config.requested != before.requested)
		begin_piece_of_work(mem);
	else if (mem->config.usable == before.usable)
		return NULL;
	/* It is asked at once; if it is busy still, the next pause is no shorter for that. */
	mem->pause_end = 0;
	return NULL;
}

static void name_refusal(struct virtio_mem *mem, const struct virtio_mem_request *request)
{
	static const char *const types[] = { "plug", "unplug", "unplug all", "tell the state of" };
	unsigned bit = 1u << (4 * (unsigned)request->type + (unsigned)request->answer);
	bool nack = request->answer == VIRTIO_MEM_NACK;

	virtio_mem_pause(mem, nack ? "the device does not want that now"
				   : "the device says that it is wrong");
	if (mem->named & bit)
		return;
	mem->named |= bit;
	mem_event(MEM_EVENT_REFUSED, request->type, request->answer);
	log_warn("virtio-mem: %s: %s to the request to %s %" PRIu64 " MiB at 0x%" PRIx64,
		 mem->source.name, nack ? "NACK" : "ERROR", types[request->type],
		 request->bytes / MIB, request->start);
}

/* ---- Answers ---- */

static void handle(struct virtio_mem *mem, const struct virtio_mem_request *request)
{
	bool plug = request->type == VIRTIO_MEM_PLUG;
	size_t blocks = (size_t)(request->bytes / BLOCK_SIZE);
	pfn_t pfn = paddr_to_pfn(request->start);

	*(plug ? &mem->plugging : &mem->unplugging) -= blocks * BLOCK_FRAMES;
	if (request->answer == VIRTIO_MEM_ACK) {
		if (plug)
			virtio_mem_come(mem, pfn, blocks);
		else
			virtio_mem_leave(mem, pfn, blocks);
		if (mem->busy_ns > 0)
			mem->source.trouble = NULL;
		mem->busy_ns = 0;
		return;
	}
	if (plug)
		mem->refused = min_u64(mem->refused, pfn);
	else if (request->answer != VIRTIO_MEM_ERROR)
		virtio_mem_keep(mem, pfn, blocks);
	if (request->answer == VIRTIO_MEM_BUSY) {
		virtio_mem_wait_for_busy(mem, request->type);
		return;
	}
	name_refusal(mem, request);
	/* One of the blocks may be in another state: then it is not used before that is known. */
	mem->doubt |= request->answer == VIRTIO_MEM_ERROR;
	/* Or it counts what we do not have. */
	mem->nacked |= request->answer == VIRTIO_MEM_NACK;
	mem->changed = true;
}

static int take_answers(struct virtio_mem *mem)
{
	struct virtio_mem_request request;
	int got;

	while ((got = virtio_mem_take(&mem->queue, &request)) > 0)
		handle(mem, &request);
	return got;
}

/* ---- Plugging ---- */

/* Asks for more; returns whether it did. */
static bool plug_some(struct virtio_mem *mem, size_t blocks)
{
	size_t left = (size_t)min_u64(blocks, virtio_mem_blocks_now(mem));
	pfn_t end = virtio_mem_usable_end(mem);
	bool sent = false;

	if (mem->queue.count == 0) {
		mem->next = min_u64(mem->next, mem->refused);
		mem->refused = PFN_NONE;
	}
	while (left > 0 && virtio_mem_has_room(&mem->queue)) {
		size_t n = virtio_mem_find_absent(mem, &mem->next, end, left);

		if (n == 0 || virtio_mem_send(&mem->queue, VIRTIO_MEM_PLUG, pfn_to_paddr(mem->next),
					      n * BLOCK_SIZE))
			break;
		mem->plugging += n * BLOCK_FRAMES;
		mem->next += n * BLOCK_FRAMES;
		left -= n;
		sent = true;
	}
	if (sent)
		virtio_mem_kick_some(mem);
	else if (mem->queue.count == 0)
		virtio_mem_stay(mem, "the device lets no more of its region be used");
	return sent;
}

/* ---- Unplugging ---- */

/* Claims blocks and adds the request; what came of it. */
static enum mem_leave unplug_run(struct virtio_mem *mem, size_t *left, const char **why)
{
	enum mem_leave leave;
	size_t blocks;
	pfn_t pfn;

	leave = mem_leave(&mem->source, *left, &pfn, &blocks, why);
	if (leave != MEM_LEAVE_CLAIMED)
		return leave;
	if (virtio_mem_send(&mem->queue, VIRTIO_MEM_UNPLUG, pfn_to_paddr(pfn),
			    blocks * BLOCK_SIZE)) {
		/* It has not seen the request, and is looked into at the next answer. */
		virtio_mem_keep(mem, pfn, blocks);
		*why = breaks_rules;
		return MEM_LEAVE_LATER;
	}
	if (mem->claims++ < VIRTIO_MEM_RECORDED)
		mem_event(MEM_EVENT_CLAIMED, pfn, blocks * BLOCK_FRAMES);
	mem->unplugging += blocks * BLOCK_FRAMES;
	*left -= blocks;
	return leave;
}

/* Asks for less; returns whether it did. */
static bool unplug_some(struct virtio_mem *mem, size_t blocks)
{
	size_t left = (size_t)min_u64(blocks, virtio_mem_blocks_now(mem));
	enum mem_leave leave = MEM_LEAVE_CLAIMED;
	const char *why = NULL;
	bool sent = false;

	mem_leave_begin(&mem->source);
	while (left > 0 && virtio_mem_has_room(&mem->queue)) {
		leave = unplug_run(mem, &left, &why);
		if (leave != MEM_LEAVE_CLAIMED)
			break;
		sent = true;
	}
	if (sent)
		virtio_mem_kick_some(mem);
	else if (leave == MEM_LEAVE_STUCK && mem->queue.count == 0)
		virtio_mem_stay(mem, why);
	if (leave == MEM_LEAVE_LATER)
		virtio_mem_wait_for_balloon(mem, sent, why);
	else
		mem->waits_since = 0;
	return sent;
}

/* ---- One round ---- */

/* 5.15.5: what was plugged before our time is of no use to anybody. */
static bool unplug_unknown(struct virtio_mem *mem, const char **fault)
{
	struct virtio_mem_request request;
	int err = virtio_mem_ask(mem, VIRTIO_MEM_UNPLUG_ALL, 0, 0, &request);

	if (err) {
		*fault = fault_of(err);
		return false;
	}
	if (request.answer == VIRTIO_MEM_BUSY) {
		virtio_mem_wait_for_busy(mem, request.type);
		return false;
	}
	if (request.answer != VIRTIO_MEM_ACK) {
		name_refusal(mem, &request);
		return false;
	}
	mem->unknown = false;
	mem->busy_ns = 0;
	mem->changed = true; /* `usable`, at least */
	mem->config.plugged = virtio_mem_read_plugged(mem->device);
	mem->doubt = mem->config.plugged > 0;
	return true;
}

static bool audit(struct virtio_mem *mem, const char **fault)
{
	int err = virtio_mem_audit(mem, fault);

	mem->changed = true;
	switch (err) {
	case 0:
		mem->doubt = false;
		mem->busy_ns = 0;
		return true;
	case -EAGAIN:
		virtio_mem_wait_for_busy(mem, VIRTIO_MEM_STATE);
		break;
	case -EPROTO:
		assert(*fault);
		break;
	default:
		*fault = fault_of(err);
	}
	return false;
}

/* Nothing is in the way any more; what differs will do so for ever. */
static void end_trouble(struct virtio_mem *mem)
{
	uint64_t requested = mem->source.requested;

	mem->busy_ns = 0;
	mem->stuck = false;
	mem->source.trouble = NULL;
	if (requested > mem->source.part.blocks * BLOCK_FRAMES)
		mem->source.trouble = "its region has no more";
	else if (requested > mem->source.plugged)
		mem->source.trouble = "only whole blocks are used";
}

/* All is as it should be, or as near as it can be; returns whether the device sees it otherwise. */
static bool settle(struct virtio_mem *mem)
{
	end_trouble(mem);
	if (mem->reached)
		return false;
	mem->reached = true;
	mem_leave_end(&mem->source);
	virtio_mem_record(mem);
	mem_event(MEM_EVENT_REACHED, mem->source.plugged,
		  (clock_ns() - mem->requested_time) / NS_PER_US);
	return true;
}

static bool work(struct virtio_mem *mem, const char **fault)
{
	uint64_t will = mem->source.plugged + mem->plugging - mem->unplugging;
	bool idle = mem->queue.count == 0;

	mem->waits = false;
	if (clock_ns() < mem->pause_end && !(mem->doubt && mem->busy_ns == 0))
		return false;
	if (mem->unknown)
		return unplug_unknown(mem, fault);
	if (mem->doubt)
		return idle && audit(mem, fault);
	if (will < mem->wanted && mem->unplugging == 0) {
		mem_leave_end(&mem->source);
		return plug_some(mem, (size_t)((mem->wanted - will) / BLOCK_FRAMES));
	}
	if (will > mem->wanted && mem->plugging == 0)
		return unplug_some(mem, (size_t)((will - mem->wanted) / BLOCK_FRAMES));
	if (!idle)
		return false;
	/* Not the wish as well: look() would see no change of it then. */
	if (settle(mem))
		mem->config.plugged = virtio_mem_read_plugged(mem->device);
	return check_count(mem);
}

bool virtio_mem_step(struct virtio_mem *mem)
{
	const char *fault = NULL;
	bool more = false;

	if (!mem->running)
		return false;
	if (take_answers(mem))
		fault = breaks_rules;
	else if (virtio_mem_is_overdue(mem))
		fault = is_silent;
	else
		fault = look(mem);
	if (!fault)
		more = work(mem, &fault);
	if (!fault)
		return more || virtio_mem_has_news(mem);
	/* One that asks for a reset owes no answers, but those that it gave must be right. */
	if (fault != breaks_rules && virtio_needs_reset(mem->device))
		virtio_mem_recover(mem);
	else
		virtio_mem_give_up(mem, fault);
	return mem->running;
}
