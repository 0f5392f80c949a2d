/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to the store. One is with the store at a time, the others wait for their turn; the
 * answer must have its number and its type. The request's text is copied when its turn comes, so
 * an asker who has waited for long enough can go. The answer is owed all the same: until it comes,
 * however late, nothing else is sent, as a request may be only half in the ring.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/xen/xen_stamps.h"
#include "drivers/xen/xenstore_internal.h"
#include "kernel/lib/log.h"

/* The store is judged first, in its own task; an asker goes after that. */
#define ASKER_DEADLINE_NS (XENSTORE_DEADLINE_NS + CLOCK_AWAKE_STEP_NS)

static struct {
	struct xenstore_request *first; /* those that wait for their turn */
	struct xenstore_request *asker; /* whose turn it is; NULL: nobody's, or he has gone */
	bool owed;			/* an answer is, with these: */
	enum xenstore_type type;
	uint32_t id;
	uint64_t since_awake;	 /* so long */
	bool silent;		 /* for too long; */
	bool silence_said;	 /* and the log says so */
	uint64_t answered_awake; /* when the last answer came */
	const char *fault;
	volatile bool news; /* for the store's task */
	/* When the store first interrupted: before the turn of its task, and in it; 0: never. */
	uint64_t turn_interrupted_ns;
	volatile uint64_t interrupted_ns;
	struct wait_queue task;
	struct xenstore_counts counts;
} store;

void xenstore_requests_begin(void)
{
	uint32_t id = store.id;

	assert(!store.first && !store.asker && !store.task.first);
	memset(&store, 0, sizeof(store));
	/* An answer that comes late is not taken for one of what is asked from now on. */
	store.id = id;
}

void xenstore_get_counts(struct xenstore_counts *counts)
{
	*counts = store.counts;
}

void xenstore_count_event(bool known)
{
	uint64_t told_ns = store.turn_interrupted_ns ? store.turn_interrupted_ns
						     : store.interrupted_ns;

	store.counts.events++;
	store.counts.unknown += !known;
	if (known)
		xen_event(XEN_STAMP_WATCH, told_ns ? (clock_ns() - told_ns) / NS_PER_US : 0, 0);
}

/* ---- The store's task ---- */

void xenstore_note_news(void)
{
	store.news = true;
	task_wake(&store.task);
}

void xenstore_note_interrupt(void)
{
	if (store.interrupted_ns == 0)
		store.interrupted_ns = clock_ns();
	xenstore_note_news();
}

void xenstore_wait_for_news(void)
{
	uint64_t now = clock_ns();
	/* Once it is found silent, there is no hurry. */
	bool hurry = store.owed && !store.silent;
	uint64_t deadline = hurry ? now + CLOCK_AWAKE_LOOK_NS : task_next_look(now);
	uint64_t flags = irq_save();
	bool woken = true;

	while (woken && !store.news)
		woken = hurry ? task_wait_device(&store.task, deadline)
			      : task_wait(&store.task, deadline);
	store.news = false;
	store.turn_interrupted_ns = store.interrupted_ns;
	store.interrupted_ns = 0;
	irq_restore(flags);
}

/* ---- Silence ---- */

bool xenstore_is_silent(void)
{
	return store.silent;
}

void xenstore_log_silence(void)
{
	if (store.silent == store.silence_said)
		return;
	store.silence_said = store.silent;
	if (store.silent)
		log_warn("xenstore: it does not answer; nothing can be asked until it does");
	else if (!store.fault)
		log_info("xenstore: it answers again: all that is followed is read anew");
}

/* ---- The end ---- */

const char *xenstore_fault(void)
{
	return store.fault;
}

static void finish(struct xenstore_request *request, int err)
{
	request->err = err;
	request->done = true;
	task_wake(&request->waiters);
}

void xenstore_give_up(const char *fault)
{
	struct xenstore_request *asker = store.asker;

	assert(!store.fault);
	store.fault = fault;
	store.owed = store.silent = false;
	store.asker = NULL;
	if (asker)
		finish(asker, -EIO);
	while (store.first) {
		struct xenstore_request *request = store.first;

		store.first = request->next;
		finish(request, -EIO);
	}
	/* Last: it may sleep, and nobody who asks waits for that. */
	log_warn("xenstore: %s: it is not used any more", fault);
}

/* ---- Asking ---- */

void xenstore_add(struct xenstore_request *request)
{
	struct xenstore_request **end = &store.first;

	assert(!store.fault && !request->waiters.first);
	request->done = false;
	request->asked_awake = clock_awake_ns();
	request->next = NULL;
	while (*end)
		end = &(*end)->next;
	*end = request;
	xenstore_note_news();
}

void xenstore_withdraw(struct xenstore_request *request)
{
	struct xenstore_request **at = &store.first;

	if (store.asker == request)
		store.asker = NULL;
	while (*at && *at != request)
		at = &(*at)->next;
	if (*at)
		*at = request->next;
}

int xenstore_ask(struct xenstore_request *request, uint64_t begin_awake)
{
	uint64_t flags;

	if (store.fault)
		return -EIO;
	if (store.silent)
		return -ETIMEDOUT;
	xenstore_add(request);
	flags = irq_save();
	while (!request->done && clock_awake_ns() - begin_awake <= ASKER_DEADLINE_NS)
		task_wait_device(&request->waiters, clock_ns() + CLOCK_AWAKE_LOOK_NS);
	irq_restore(flags);
	if (request->done)
		return request->err;
	xenstore_withdraw(request);
	return -ETIMEDOUT;
}

/* Begins with the next one, which is there. One that is too long is answered at once. */
static void begin_next(void)
{
	struct xenstore_request *request = store.first;
	struct xenstore_header header = { .type = request->type, .id = store.id + 1 };

	store.first = request->next;
	if (xenstore_ring_put_message(&header, request->path, request->text,
				      request->type != XENSTORE_WRITE)) {
		finish(request, -E2BIG);
		return;
	}
	store.counts.requests++;
	store.asker = request;
	store.owed = true;
	store.type = request->type;
	store.id = header.id;
	store.since_awake = max_u64(request->asked_awake, store.answered_awake);
}

void xenstore_go_on(uint64_t now_awake)
{
	assert(!store.fault);
	while (!store.owed && store.first)
		begin_next();
	if (xenstore_ring_send())
		xenstore_give_up("it counts more bytes of requests than there are");
	else if (store.owed &&
		 now_awake - min_u64(store.since_awake, now_awake) > XENSTORE_DEADLINE_NS)
		store.silent = true;
}

/* ---- Answers ---- */

/* What xenstored calls errors (xsd_errors of io/xs_wire.h); what is not here is -EIO. */
static int error_number(const char *name)
{
	static const struct {
		const char *name;
		int err;
	} errors[] = {
		{ "ENOENT", -ENOENT }, { "EACCES", -EACCES }, { "EPERM", -EACCES },
		{ "EROFS", -EACCES },  { "EINVAL", -EINVAL }, { "E2BIG", -E2BIG },
		{ "ENOSPC", -ENOSPC }, { "EEXIST", -EEXIST },
	};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (strcmp(name, errors[i].name) == 0)
			return errors[i].err;
	return -EIO;
}

/* What cannot be the answer to what was asked; NULL: it can. */
static const char *wrong_with(const struct xenstore_header *header)
{
	if (header->type != (uint32_t)store.type && header->type != XENSTORE_ERROR)
		return "it answers what was not asked";
	if (header->transaction != 0)
		return "it answers in a transaction";
	if (!xenstore_ring_is_sent())
		return "it answers before it was asked";
	return NULL;
}

bool xenstore_answer(const struct xenstore_message *message, uint64_t now_awake)
{
	const struct xenstore_header *header = &message->header;
	struct xenstore_request *asker = store.asker;
	bool was_silent = store.silent;
	int err = header->type == XENSTORE_ERROR ? error_number(message->payload) : 0;
	const char *wrong;

	if (!store.owed || header->id != store.id) {
		store.counts.unknown++;
		return false;
	}
	wrong = wrong_with(header);
	if (wrong) {
		xenstore_give_up(wrong);
		return false;
	}
	if (was_silent || store.answered_awake == 0)
		xen_event(XEN_STAMP_ANSWERS, was_silent, 0);
	store.owed = store.silent = false;
	store.asker = NULL;
	store.answered_awake = now_awake;
	if (asker && asker->take)
		err = asker->take(asker, err, message->payload, header->length);
	if (asker)
		finish(asker, err);
	return was_silent;
}
