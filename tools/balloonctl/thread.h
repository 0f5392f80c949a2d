/* SPDX-License-Identifier: BSD-2-Clause */
/* thread.c: threads that may hang, and waits for them that have a deadline. */
#ifndef TOOLS_BALLOONCTL_THREAD_H
#define TOOLS_BALLOONCTL_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Starts a thread that gets no signal: these are for the thread that shows things. It is to
 * be joined. -EAGAIN: there are too many.
 */
int thread_start(pthread_t *thread, void *(*run)(void *), void *arg);

/* Initialises a condition for thread_wait(). */
void thread_init_condition(pthread_cond_t *condition);

/* Waits for the condition, at most until `deadline` (of tools/deadline.h). */
void thread_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t deadline);

/*
 * What a thread and its owner share, in a structure that the last of them frees: a thread
 * that hangs cannot be ended, only left. The owner frees it if the thread has ended,
 * so that memory is its own, and nobody else's, as soon as it knows of that.
 */
struct thread_share {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* something in that structure */
	bool ended;		/* the thread does not touch it any more */
	bool left;		/* nor does the owner */
};

/* Initialises it, all zero before. */
void thread_share_init(struct thread_share *share);

/* Starts the thread that shares it, which is not to be joined. -EAGAIN: there are too many. */
int thread_share_start(struct thread_share *share, void *(*run)(void *), void *arg);

/* Ends the lock and the condition; for who frees the structure. */
void thread_share_destroy(struct thread_share *share);

/* The thread ends, without the lock. Returns whether it is the thread that frees. */
bool thread_share_end(struct thread_share *share);

/*
 * The owner leaves, and gives back the lock, which it has. Returns whether the owner frees:
 * then the thread is gone, with all that a library keeps for it.
 */
bool thread_share_leave(struct thread_share *share);

/*
 * Whether a thread was left that may be running still. A process then ends by _exit(): what
 * libraries do in exit() is not for a moment at which one of them is in use.
 */
bool thread_was_left(void);

#endif
