/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The port on Hyper-V; see hyperv_balloon.h. A frame that the host was given comes back by
 * UNBALLOON alone: no end of the channel makes it ours, since nobody says what the host does
 * with it then.
 */
#include "drivers/balloon/port/hyperv_balloon.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/balloon_stats.h"
#include "drivers/hyperv/dm.h"
#include "drivers/hyperv/hyperv.h"
#include "drivers/hyperv/vmbus.h"
#include "drivers/mem/hyperv_mem.h"
#include "kernel/lib/log.h"
#include "mm/ledger.h"

#define CAPABILITIES \
	(DM_CAP_BALLOON | DM_CAP_HOT_ADD | HYPERV_MEM_ALIGNMENT << DM_CAP_ALIGNMENT_SHIFT)

/* A port that is being started, or given up, by the balloon's task is looked at so often. */
#define RETRY_NS (10 * NS_PER_MS)

/* A start that failed is tried again after 1 s, 2 s and so on: for some two minutes. */
#define TRIES_MAX 8

static struct wait_queue news; /* the balloon's task */

static struct {
	struct vmbus_channel *channel; /* that is offered; NULL: none is */
	struct dm dm;
	uint64_t floor;	  /* frames */
	uint64_t next_ns; /* STATUS; while one is wanted */
	bool unsaid_no_hints;
	struct hyperv_balloon_status status;
	uint64_t said_unusable_ns, said_gave_up_ns;
	uint64_t again_ns; /* when the channel is tried again; DEADLINE_NEVER */
	unsigned tries;	   /* that failed, since it was offered */
	uint64_t said_again_ns;
} hv;

/* ---- STATUS ---- */

uint64_t hyperv_balloon_committed(void)
{
	struct balloon_figures figures;

	balloon_figures(&figures);
	return paddr_to_pfn(figures.total_memory - figures.available_memory) +
	       balloon_frames_of(&hyperv_balloon_port) + hv.floor;
}

/* One for which there is no room is not sent later: there will be a newer one. */
static void send_status(void)
{
	struct dm_status message = { .header = { .type = DM_STATUS, .size = sizeof(message) } };
	struct balloon_figures figures;

	balloon_figures(&figures);
	message.available = paddr_to_pfn(figures.available_memory);
	message.committed = hyperv_balloon_committed();
	if (dm_send(&hv.dm, &message.header)) {
		hv.status.statuses_unsent++;
		return;
	}
	hv.status.statuses++;
	hv.status.available = message.available;
	hv.status.committed = message.committed;
}

static uint64_t next_look(void)
{
	return hv.dm.wants_status ? hv.next_ns : DEADLINE_NEVER;
}

/* The log may sleep, and memory in need must not wait for ranges meanwhile. */
static void say_no_hints(void)
{
	if (!hv.unsaid_no_hints)
		return;
	hv.unsaid_no_hints = false;
	log_info("balloon: Hyper-V takes no hints about free memory, though it says so");
}

static bool work(uint64_t floor)
{
	say_no_hints();
	hv.floor = floor;
	if (hv.dm.wants_status && clock_ns() >= hv.next_ns) {
		send_status();
		hv.next_ns = task_next_look(clock_ns());
	}
	return false;
}

/* ---- What the host asks for ---- */

static enum balloon_fault take_finished(void)
{
	hyperv_requests_take();
	return hyperv_requests_fault() ? BALLOON_FAULT_RULES : BALLOON_OK;
}

static enum balloon_fault read_target(uint64_t given, uint64_t *target)
{
	*target = given + hyperv_requests_asked();
	return BALLOON_OK;
}

static void want_interrupts(bool wanted)
{
	if (hv.dm.channel)
		vmbus_want_signals(hv.dm.channel, wanted);
}

/* ---- Hints ---- */

/* Blocks that are free are of no use to anybody; they stay ours, and Hyper-V answers at once. */
static int send_ranges(const struct frame_run *ranges, size_t count)
{
	static struct hyperv_blocks blocks[HV_HEAT_RANGES];
	uint64_t frames = 0;
	int err;

	assert(count > 0 && count <= HV_HEAT_RANGES);
	for (size_t i = 0; i < count; i++) {
		blocks[i] = (struct hyperv_blocks){ ranges[i].first / BLOCK_FRAMES,
						    ranges[i].count / BLOCK_FRAMES };
		frames += ranges[i].count;
	}
	err = hyperv_discard_cold(blocks, count);
	if (err) {
		/* While the guest ends nobody is to be told, and it is nobody's fault. */
		hv.unsaid_no_hints = err != -ENODEV;
		hv.status.takes_hints = false;
		return -ENOTSUP;
	}
	hv.status.hints++;
	hv.status.hint_ranges += count;
	hv.status.hint_frames += frames;
	balloon_ranges_answered(ranges);
	return 0;
}

static void terms(enum balloon_strategy strategy, struct balloon_terms *terms)
{
	*terms = (struct balloon_terms){
		.pfn_limit = UINT64_C(1) << DM_RANGE_FIRST_BITS,
		.best = BALLOON_WHOLE_BLOCK,
		.batches = BALLOON_BATCHES,
		.batch_frames = HYPERV_BALLOON_RUNS,
		.batch_block_frames = strategy == BALLOON_PORTABLE ? BLOCK_FRAMES
								   : HYPERV_BALLOON_BLOCK_FRAMES,
		.batch_runs = HYPERV_BALLOON_RUNS,
		.ranges = hv.status.takes_hints ? HV_HEAT_RANGES : 0,
		.range_blocks = HV_HEAT_RANGES * HYPERV_COLD_BLOCKS_MAX,
	};
}

/* ---- From reset to running, and back ---- */

/* Those of the channel that was open before are kept. */
static void add_messages(struct dm_counts *sum)
{
	sum->sent += hv.dm.counts.sent;
	sum->received += hv.dm.counts.received;
	sum->ignored += hv.dm.counts.ignored;
}

/* What befell all of VMBus has its own line. */
static bool is_vmbus_gone(void)
{
	struct vmbus_info info;

	vmbus_get_info(&info);
	return info.fault;
}

static void say_unusable(int err)
{
	const char *why = hv.dm.fault;

	if (is_vmbus_gone() || !log_is_due(&hv.said_unusable_ns, clock_ns()))
		return;
	if (!why)
		why = err == -ETIMEDOUT ? "the host does not answer"
		      : err == -ENOTSUP ? "the host does not agree to what this guest can do"
		      : err == -ENOMEM	? "there is no memory for its rings"
					: "the host does not open the channel";
	log_warn("balloon: Hyper-V's dynamic memory cannot be used: %s", why);
}

static int start(void)
{
	int err;

	if (!hv.channel || vmbus_fault(hv.channel)) {
		log_debug("balloon: Hyper-V offers no channel for it");
		return -ENODEV;
	}
	add_messages(&hv.status.messages);
	hv.status.starting = true;
	err = dm_start(&hv.dm, hv.channel, CAPABILITIES, &news);
	hv.status.starting = false;
	if (err) {
		say_unusable(err);
		return err;
	}
	hv.again_ns = DEADLINE_NEVER;
	hv.status.version = hv.dm.version;
	hyperv_requests_begin(&hv.dm, &hyperv_balloon_port);
	hyperv_mem_prepare();
	hv.next_ns = task_next_look(clock_ns());
	hv.status.takes_hints = hyperv_ext_capabilities() & HV_EXT_COLD_DISCARD;
	return 0;
}

/* All that the host was given it keeps. */
static int reset(void)
{
	dm_stop(&hv.dm);
	return -EBUSY;
}

static int give_up(const char **why)
{
	bool withdrawn = hv.channel && vmbus_fault(hv.channel);

	if (hv.dm.channel && hyperv_requests_fault())
		*why = hyperv_requests_fault();
	/* So has a start that failed. */
	if (is_vmbus_gone() || !hv.dm.channel || !log_is_due(&hv.said_gave_up_ns, clock_ns()))
		log_debug("balloon: Hyper-V is not asked any more: %s", *why);
	else
		log_warn("balloon: Hyper-V is not asked any more: %s%s", *why,
			 withdrawn ? "" : "; `balloon retry` tries it once more");
	return reset();
}

static void print_traffic(void)
{
	struct hyperv_request_counts counts;

	hyperv_requests_get_counts(&counts);
	printf("Given to Hyper-V: %" PRIu64 " frames in %" PRIu64 " messages for %" PRIu64
	       " requests, %" PRIu64 " more could not be had; the longest took %" PRIu64 " us\n",
	       counts.frames[HYPERV_REQUEST_BALLOON], counts.messages,
	       counts.requests[HYPERV_REQUEST_BALLOON], counts.refused, counts.balloon_us_max);
	printf("Taken from Hyper-V: %" PRIu64 " frames in %" PRIu64 " requests\n",
	       counts.frames[HYPERV_REQUEST_UNBALLOON], counts.requests[HYPERV_REQUEST_UNBALLOON]);
	printf("Added by Hyper-V: %" PRIu64 " frames in %" PRIu64 " requests\n",
	       counts.frames[HYPERV_REQUEST_HOT_ADD], counts.requests[HYPERV_REQUEST_HOT_ADD]);
	printf("Told: %" PRIu64 " statuses; %" PRIu64 " frames are cold, in %" PRIu64
	       " ranges and %" PRIu64 " calls\n",
	       hv.status.statuses, hv.status.hint_frames, hv.status.hint_ranges, hv.status.hints);
}

static void print_features(void)
{
	printf("Dynamic memory %u.%u%s%s\n", (unsigned)(hv.status.version >> 16),
	       (unsigned)(hv.status.version & 0xffff), hv.dm.wants_status ? ", status" : "",
	       hv.status.takes_hints ? ", cold discard" : "");
}

const struct balloon_port hyperv_balloon_port = {
	.name = "hyperv",
	.ranges_need = "a Hyper-V with cold discard hints",
	.start = start,
	.terms = terms,
	.reset = reset,
	.give_up = give_up,
	.take_finished = take_finished,
	.read_target = read_target,
	.inflate = hyperv_requests_inflate,
	.send_ranges = send_ranges,
	.short_of = hyperv_requests_short_of,
	.sent_awake = hyperv_requests_owed_awake,
	.next_look = next_look,
	.has_news = hyperv_requests_have_news,
	.want_interrupts = want_interrupts,
	.work = work,
	.print_traffic = print_traffic,
	.print_features = print_features,
};

/* ---- The channel ---- */

static bool is_running(void)
{
	return hv.dm.channel && !hv.status.starting;
}

/*
 * There may be memory in a while. A host that does not answer, or refuses, gets no second try by
 * itself: what it has said to the first one is lost.
 */
static bool may_pass(int err)
{
	return err == -ENOMEM || err == -EAGAIN;
}

static void try_later(int err)
{
	uint64_t delay = NS_PER_S << hv.tries;
	bool due = err != 0 && err != -EBUSY && log_is_due(&hv.said_again_ns, clock_ns());

	hv.again_ns = DEADLINE_NEVER;
	if (vmbus_fault(hv.channel))
		return;
	/* One that is attached has its own line: a person may try it again. */
	if (!may_pass(err) || hv.tries + 1 == TRIES_MAX) {
		if (due && !balloon_is_attached(&hyperv_balloon_port))
			log_info("balloon: Hyper-V's is tried again when its channel is offered "
				 "anew");
		return;
	}
	hv.tries++;
	hv.again_ns = clock_ns() + delay;
	if (due)
		log_info("balloon: Hyper-V's is tried again in %u s", (unsigned)(delay / NS_PER_S));
}

/*
 * The balloon's task may still be at the end of the one before, or a person tries it again, and may
 * be quicker. The channel may go meanwhile.
 */
static int resume(void)
{
	while (balloon_is_attached(&hyperv_balloon_port) && !is_running() &&
	       !vmbus_fault(hv.channel)) {
		int err = balloon_resume(&hyperv_balloon_port);

		if (err != -EALREADY && err != -EBUSY)
			return err;
		task_sleep_until(clock_ns() + RETRY_NS);
	}
	return is_running() || vmbus_fault(hv.channel) ? 0 : -EBUSY;
}

/* Goes on with the channel, or begins. */
static void use_channel(void)
{
	int err = balloon_is_attached(&hyperv_balloon_port)
			  ? resume()
			  : balloon_attach(&hyperv_balloon_port, &news);

	if (err == -EBUSY)
		log_info("balloon: Hyper-V's is not used, as there are others");
	try_later(err);
}

static void take(struct vmbus_channel *channel)
{
	hv.channel = channel;
	hv.tries = 0;
	use_channel();
}

static void offered(struct vmbus_channel *channel)
{
	if (hv.channel)
		log_info("balloon: Hyper-V offers a second channel for it, which is not used as "
			 "long as the first is there");
	else
		take(channel);
}

/* A second channel is used once the first one has gone. */
static void look(struct vmbus_channel *channel)
{
	if (!hv.channel)
		take(channel);
	else if (hv.channel == channel && clock_ns() >= hv.again_ns)
		use_channel();
}

/*
 * Each wait for the host ends at once, as the channel is gone: those of the balloon's task, and of
 * whoever starts it anew. The channel is theirs up to then.
 */
static void rescinded(struct vmbus_channel *channel)
{
	if (hv.channel != channel)
		return;
	while (hv.status.starting || hv.dm.channel) {
		task_wake(&news);
		task_sleep_until(clock_ns() + RETRY_NS);
	}
	hv.channel = NULL;
}

static struct vmbus_driver driver = {
	.type = DM_GUID,
	.offered = offered,
	.rescinded = rescinded,
	.look = look,
};

void hyperv_balloon_start(void)
{
	memset(&hv, 0, sizeof(hv));
	hv.again_ns = DEADLINE_NEVER;
	hyperv_requests_init();
	hyperv_mem_init();
	vmbus_register(&driver);
}

bool hyperv_balloon_get_status(struct hyperv_balloon_status *status)
{
	*status = hv.status;
	status->running = is_running();
	status->wants_status = hv.dm.wants_status;
	status->pages_max = hv.dm.pages_max;
	add_messages(&status->messages);
	return balloon_is_attached(&hyperv_balloon_port);
}
