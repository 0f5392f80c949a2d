/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands between guest.c and whoever reaches a guest: QMP
 * (guest_qmp.c) or libvirt (guest_libvirt.c). Only these files include it.
 *
 * Operations return what guest.h says of the function of the same name; when
 * one fails it has called guest_fail() first. What guest.c checks need not be
 * checked again: the target's range, the path of a dump.
 */
#ifndef TOOLS_BALLOONCTL_GUEST_BACKEND_H
#define TOOLS_BALLOONCTL_GUEST_BACKEND_H

#include "tools/balloonctl/guest.h"

struct guest_backend {
	bool shared; /* it serves many connections at a time: one may be kept */
	/* Connect; @name as the person gave it (QMP: the socket's path). */
	int (*open)(struct guest *guest, const char *name);
	/* Called once, also after an open() that failed. */
	void (*close)(struct guest *guest);
	/* *@state is all zero before. */
	int (*state)(struct guest *guest, struct guest_state *state);
	int (*set_target)(struct guest *guest, uint64_t bytes_left);
	/* *@stats is all zero before. */
	int (*stats)(struct guest *guest, struct guest_stats *stats);
	int (*set_interval)(struct guest *guest, unsigned seconds);
	int (*cost)(struct guest *guest, struct guest_cost *cost);
	int (*dump)(struct guest *guest, const char *path);
};

struct guest {
	const struct guest_backend *backend;
	void *connection; /* the backend's own */
	char *name;
	char error[512];
};

extern const struct guest_backend guest_backend_qmp;
extern const struct guest_backend guest_backend_libvirt; /* with HAVE_LIBVIRT */

/* Keep the sentence for guest_error(); returns @err. */
__attribute__((format(printf, 3, 4))) int guest_fail(struct guest *guest, int err,
						     const char *format, ...);

/*
 * guest_find.c: the path, by free(), of the socket that @name says, which is
 * none or no URI; the folder that it lies in is safe.
 */
int guest_find_socket(struct guest *guest, const char *name, char **path);

/*
 * guest.c: fill ram, left and taken from what was said: @left may be anything. What
 * cannot be becomes the nearest that can, and a complaint.
 */
void guest_account(struct guest_state *state, uint64_t ram, int64_t left);

/* The same for the target, of which @taken bytes were said. */
void guest_account_target(struct guest_state *state, uint64_t taken);

/* guest_cost.c: Pss and processor time of process @pid; -ENOTSUP if we may not see them. */
int guest_cost_of_process(struct guest *guest, int pid, struct guest_cost *cost);

#endif
