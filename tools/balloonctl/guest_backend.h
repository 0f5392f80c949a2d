/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operations by which guest.c reaches a guest, in two ways: QMP
 * (guest_qmp.c) and libvirt (guest_libvirt.c). Only these files, their parts, guest_account.c,
 * guest_thread.h, guest_find.c, guest_names.c and guest_cost.c include it.
 *
 * Operations return what guest.h says of the function of the same name; when
 * one fails it has called guest_fail() first. The target's range has been checked by
 * guest.c.
 */
#ifndef TOOLS_BALLOONCTL_GUEST_BACKEND_H
#define TOOLS_BALLOONCTL_GUEST_BACKEND_H

#include "tools/balloonctl/guest.h"

struct guest_backend {
	bool shared; /* it serves many connections at a time: one may be kept */
	/* Connects; `name` as the person gave it (QMP: the socket's path). */
	int (*open)(struct guest *guest, const char *name);
	/* guest->deadline has changed; NULL: it is read when something is asked. */
	void (*note_deadline)(struct guest *guest);
	/* Called once, also after an open() that failed. */
	void (*close)(struct guest *guest);
	/*
	 * *state is all zero before. A machine without a balloon is no error: it lacks_balloon,
	 * all is left, and guest_fail() has been called with the words that guest_state() wants.
	 */
	int (*state)(struct guest *guest, struct guest_state *state);
	int (*set_target)(struct guest *guest, uint64_t bytes_left);
	/* One of its devices, with a size that it can have. */
	int (*request)(struct guest *guest, const char *device, uint64_t bytes);
	int (*find_driver)(struct guest *guest, const char *device, bool *driver_ok);
	int (*find_migration)(struct guest *guest, bool *migrates); /* NULL: it cannot know */
	/* *stats is all zero before. */
	int (*stats)(struct guest *guest, struct guest_stats *stats);
	int (*set_interval)(struct guest *guest, unsigned seconds);
	int (*cost)(struct guest *guest, struct guest_cost *cost);
	int (*peek)(struct guest *guest, uint64_t paddr, void *to, size_t size);
	int (*halt)(struct guest *guest, bool *ran);
	int (*resume)(struct guest *guest);
};

struct guest {
	const struct guest_backend *backend;
	void *connection; /* the backend's own */
	int64_t deadline; /* of all that is asked */
	char *name;
	char error[512];
};

extern const struct guest_backend guest_backend_qmp;
/* Refuses where it was built without. Blocks as long as libvirt does: see guest_thread.h. */
extern const struct guest_backend guest_backend_libvirt;

/*
 * guest_libvirt.c: calls `take` with the name of each running domain of a URI, until it
 * returns an error. Blocks as long as libvirt does. -ENOTSUP: built without; -ENOTCONN,
 * -EPERM, -EPROTO, with a sentence in guest->error; -ENOMEM; or what `take` returns.
 */
int guest_libvirt_list(struct guest *guest, const char *uri,
		       int (*take)(void *context, const char *domain), void *context);

/* Keeps the sentence for guest_error(); returns `err`. */
__attribute__((format(printf, 3, 4))) int guest_fail(struct guest *guest, int err,
						     const char *format, ...);

/* guest.c: tells whether a name, of a guest or of a place of guests, is a URI; NULL is none. */
bool guest_is_uri(const char *name);

/*
 * guest.c: a sentence why nothing by this name, of a guest or of a place of guests, is ever
 * balloonctl's, and what is; NULL: it may be.
 */
const char *guest_refusal(const char *name);

/* guest_find.c: whether `name`, which is no URI, can be that of a guest. -EINVAL. */
int guest_find_check(struct guest *guest, const char *name);

/*
 * guest_find.c: finds the QMP socket that `name`, which is NULL or no URI, stands
 * for, and makes sure that nobody else could have put it there; *path is the
 * caller's by free(), NULL on an error. -EINVAL: no name of a guest; -ENOENT and
 * -ENOTCONN: there is no such guest, or more than one for NULL; -EPERM: others may
 * write to its folder; -ENAMETOOLONG; -ENOMEM; or what stat(2) says.
 */
int guest_find_socket(struct guest *guest, const char *name, char **path);

/*
 * guest_account.c: adds a virtio-mem device, before guest_account(). What was said of it may be
 * anything: a device that is impossible becomes a complaint, and is not added.
 */
void guest_account_device(struct guest_state *state, const struct guest_mem_device *device);

/*
 * guest_account.c: fills in ram, base, left and taken; dimms and the devices are there already.
 * `counted` is the RAM that the balloon counts, base and DIMMs, and `left` is how much of that
 * is said to be left; it may be anything: an impossible amount becomes the nearest
 * possible one, and a complaint.
 */
void guest_account(struct guest_state *state, uint64_t counted, int64_t left);

/*
 * guest_account.c: fills in the target, by the bytes that are said to be taken with it, after
 * guest_account(). An impossible amount becomes a complaint, and the target unknown.
 */
void guest_account_target(struct guest_state *state, uint64_t taken);

/* guest_cost.c: reads Pss and processor time of a process; -ENOTSUP: we may not see them. */
int guest_cost_of_process(struct guest *guest, int pid, struct guest_cost *cost);

#endif
