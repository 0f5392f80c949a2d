/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_thread.c: reaches a guest through a backend whose operations may block for
 * ever, as libvirt's do, which knows no deadline. They run in a thread of their own;
 * when one is not over by the guest's deadline the caller goes on without it.
 */
#ifndef TOOLS_BALLOONCTL_GUEST_THREAD_H
#define TOOLS_BALLOONCTL_GUEST_THREAD_H

#include "tools/balloonctl/guest_backend.h"

/* Threads left behind in operations that block; as long as there are so many, no more. */
#define GUEST_THREADS_LEFT_MAX 64

/*
 * Opens `guest` through `backend`, whose operations run in a thread from now on; sets
 * guest->backend in any case. -ETIMEDOUT: it was not open by the guest's deadline, or too
 * many that were not block still; -EAGAIN; -ENOMEM; or what the backend's open() gives.
 */
int guest_thread_open(struct guest *guest, const struct guest_backend *backend, const char *name);

#endif
