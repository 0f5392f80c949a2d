/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations that may block, with a deadline: see guest_thread.h. The thread has a guest
 * of its own, `inner`, on which it calls the backend; what is asked and answered is
 * copied, so that it can go on alone. The caller frees the worker when the thread has
 * ended; one that the caller left to itself frees it.
 */
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tools/balloonctl/guest_thread.h"
#include "tools/balloonctl/thread.h"
#include "tools/deadline.h"

#define CLOSE_MS 1000 /* a connection may take so long to be closed in order */

enum kind {
	OPEN,
	STATE,
	SET_TARGET,
	REQUEST,
	FIND_DRIVER,
	STATS,
	SET_INTERVAL,
	COST,
	PEEK,
	HALT,
	RESUME
};

/* What is asked, and the answer to it. */
struct question {
	enum kind kind;
	uint64_t bytes; /* left, or requested */
	char device[GUEST_MEM_NAME];
	bool driver_ok;
	unsigned seconds;
	uint64_t paddr;
	size_t size;
	bool ran;
	struct guest_state state;
	struct guest_stats stats;
	struct guest_cost cost;
	int err;
};

struct worker {
	struct thread_share share;
	bool asked;  /* `question` is the thread's own until it is answered */
	bool closed; /* nobody asks any more */
	struct question question;
	struct guest inner;
	uint8_t memory[GUEST_PEEK_MAX]; /* of PEEK: the caller may have gone */
};

static atomic_uint threads_left;

static void free_worker(struct worker *worker)
{
	thread_share_destroy(&worker->share);
	free(worker->inner.name);
	free(worker);
}

/* ---- the thread ---- */

static int answer(struct worker *worker)
{
	struct question *question = &worker->question;
	struct guest *inner = &worker->inner;

	switch (question->kind) {
	case OPEN:
		return inner->backend->open(inner, inner->name);
	case STATE:
		return inner->backend->state(inner, &question->state);
	case SET_TARGET:
		return inner->backend->set_target(inner, question->bytes);
	case REQUEST:
		return inner->backend->request(inner, question->device, question->bytes);
	case FIND_DRIVER:
		return inner->backend->find_driver(inner, question->device, &question->driver_ok);
	case STATS:
		return inner->backend->stats(inner, &question->stats);
	case SET_INTERVAL:
		return inner->backend->set_interval(inner, question->seconds);
	case COST:
		return inner->backend->cost(inner, &question->cost);
	case PEEK:
		return inner->backend->peek(inner, question->paddr, worker->memory, question->size);
	case HALT:
		return inner->backend->halt(inner, &question->ran);
	default:
		assert(question->kind == RESUME);
		return inner->backend->resume(inner);
	}
}

static void answer_until_closed(struct worker *worker)
{
	pthread_mutex_lock(&worker->share.lock);
	while (worker->asked || !worker->closed) {
		if (!worker->asked) {
			thread_wait(&worker->share.changed, &worker->share.lock, DEADLINE_NONE);
			continue;
		}
		pthread_mutex_unlock(&worker->share.lock);
		worker->question.err = answer(worker);
		pthread_mutex_lock(&worker->share.lock);
		worker->asked = false;
		pthread_cond_broadcast(&worker->share.changed);
	}
	pthread_mutex_unlock(&worker->share.lock);
}

static void *run(void *arg)
{
	struct worker *worker = arg;

	answer_until_closed(worker);
	worker->inner.backend->close(&worker->inner);
	if (thread_share_end(&worker->share)) {
		free_worker(worker);
		atomic_fetch_sub(&threads_left, 1);
	}
	return NULL;
}

/* ---- the caller ---- */

/* Waits until the thread has nothing to do, or the deadline has passed. Has the lock. */
static bool wait_for_answer(struct worker *worker, int64_t deadline)
{
	while (worker->asked && deadline_left(deadline))
		thread_wait(&worker->share.changed, &worker->share.lock, deadline);
	return !worker->asked;
}

/* Asks; the answer is in *question. -ETIMEDOUT, or what the backend gives. */
static int ask(struct guest *guest, struct question *question)
{
	struct worker *worker = guest->connection;
	int err = -ETIMEDOUT;

	pthread_mutex_lock(&worker->share.lock);
	/* An answer that came too late is dropped. */
	if (wait_for_answer(worker, guest->deadline) && deadline_left(guest->deadline)) {
		worker->question = *question;
		worker->asked = true;
		pthread_cond_broadcast(&worker->share.changed);
		if (wait_for_answer(worker, guest->deadline)) {
			*question = worker->question;
			err = question->err;
			/* Also where there is no error: of a balloon that is lacking. */
			memcpy(guest->error, worker->inner.error, sizeof(guest->error));
			pthread_mutex_unlock(&worker->share.lock);
			return err;
		}
	}
	pthread_mutex_unlock(&worker->share.lock);
	return guest_fail(guest, err, "%s: no answer from libvirt in time", worker->inner.name);
}

static int state_by_thread(struct guest *guest, struct guest_state *state)
{
	struct question question = { .kind = STATE };
	int err = ask(guest, &question);

	*state = question.state;
	return err;
}

static int set_target_by_thread(struct guest *guest, uint64_t bytes_left)
{
	return ask(guest, &(struct question){ .kind = SET_TARGET, .bytes = bytes_left });
}

static int request_by_thread(struct guest *guest, const char *device, uint64_t bytes)
{
	struct question question = { .kind = REQUEST, .bytes = bytes };

	strcpy(question.device, device);
	return ask(guest, &question);
}

static int find_driver_by_thread(struct guest *guest, const char *device, bool *driver_ok)
{
	struct question question = { .kind = FIND_DRIVER };
	int err;

	strcpy(question.device, device);
	err = ask(guest, &question);
	*driver_ok = question.driver_ok;
	return err;
}

static int stats_by_thread(struct guest *guest, struct guest_stats *stats)
{
	struct question question = { .kind = STATS };
	int err = ask(guest, &question);

	*stats = question.stats;
	return err;
}

static int set_interval_by_thread(struct guest *guest, unsigned seconds)
{
	return ask(guest, &(struct question){ .kind = SET_INTERVAL, .seconds = seconds });
}

static int cost_by_thread(struct guest *guest, struct guest_cost *cost)
{
	struct question question = { .kind = COST };
	int err = ask(guest, &question);

	*cost = question.cost;
	return err;
}

/* The memory is the caller's to read once it is answered: only ask() changes it. */
static int peek_by_thread(struct guest *guest, uint64_t paddr, void *to, size_t size)
{
	struct worker *worker = guest->connection;
	int err = ask(guest, &(struct question){ .kind = PEEK, .paddr = paddr, .size = size });

	if (!err)
		memcpy(to, worker->memory, size);
	return err;
}

static int halt_by_thread(struct guest *guest, bool *ran)
{
	struct question question = { .kind = HALT };
	int err = ask(guest, &question);

	*ran = question.ran;
	return err;
}

static int resume_by_thread(struct guest *guest)
{
	return ask(guest, &(struct question){ .kind = RESUME });
}

static void close_thread(struct guest *guest)
{
	struct worker *worker = guest->connection;
	int64_t deadline = deadline_in(CLOSE_MS);

	if (!worker)
		return;
	pthread_mutex_lock(&worker->share.lock);
	worker->closed = true;
	pthread_cond_broadcast(&worker->share.changed);
	/* One that did not answer in time is not waited for again. */
	while (!worker->asked && !worker->share.ended && deadline_left(deadline))
		thread_wait(&worker->share.changed, &worker->share.lock, deadline);
	if (!worker->share.ended)
		atomic_fetch_add(&threads_left, 1);
	if (thread_share_leave(&worker->share))
		free_worker(worker);
}

static const struct guest_backend guest_backend_thread = {
	.shared = true,
	.close = close_thread,
	.state = state_by_thread,
	.set_target = set_target_by_thread,
	.request = request_by_thread,
	.find_driver = find_driver_by_thread,
	.stats = stats_by_thread,
	.set_interval = set_interval_by_thread,
	.cost = cost_by_thread,
	.peek = peek_by_thread,
	.halt = halt_by_thread,
	.resume = resume_by_thread,
};

static struct worker *make_worker(const struct guest_backend *backend, const char *name)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->inner.backend = backend;
	worker->inner.name = strdup(name);
	thread_share_init(&worker->share);
	if (worker->inner.name)
		return worker;
	free_worker(worker);
	return NULL;
}

int guest_thread_open(struct guest *guest, const struct guest_backend *backend, const char *name)
{
	struct worker *worker;
	int err;

	guest->backend = &guest_backend_thread;
	if (atomic_load(&threads_left) >= GUEST_THREADS_LEFT_MAX)
		return guest_fail(guest, -ETIMEDOUT,
				  "%s: %d calls of libvirt hang already, and no more are made",
				  name, GUEST_THREADS_LEFT_MAX);
	worker = make_worker(backend, name);
	if (!worker)
		return guest_fail(guest, -ENOMEM, "out of memory");
	err = thread_share_start(&worker->share, run, worker);
	if (err) {
		free_worker(worker);
		return guest_fail(guest, err, "%s: %s", name, strerror(-err));
	}
	guest->connection = worker;
	return ask(guest, &(struct question){ .kind = OPEN });
}
