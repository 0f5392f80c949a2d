/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest_names.c: names of guests, as guest_open() takes them, found in the places where
 * guests are: folders of QMP sockets, and libvirt.
 */
#ifndef TOOLS_BALLOONCTL_GUEST_NAMES_H
#define TOOLS_BALLOONCTL_GUEST_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* All zero at first. */
struct guest_names {
	char **name;
	size_t count;
};

/*
 * Adds the guests of tools/run.sh, and the running domains of a libvirt that runs here. A place
 * that is not there has no guests, nor has a libvirt that may not be asked, or cannot by this
 * build. On failure those that were found are there, and *error is a sentence about the first
 * one, by free(), or NULL: what guest_list() says; -ETIMEDOUT: libvirt has not answered by
 * `deadline`; -ENOTCONN, -EPROTO.
 */
int guest_names_add_usual(struct guest_names *names, int64_t deadline, char **error);

/*
 * Adds the guests at `place`: NAME.qmp in a folder, a QMP socket, both with a slash in them,
 * or the running domains of a libvirt URI without #. On failure *error is a sentence by
 * free(), or NULL. -EINVAL: no place, or Xen's; -ENOENT, -ENOTSOCK, -EACCES and what else
 * opendir(3) says; -ENOTSUP: built without libvirt; -ETIMEDOUT; -ENOTCONN; -EPROTO; -ENOMEM.
 */
int guest_names_add(struct guest_names *names, const char *place, int64_t deadline, char **error);

/* The folder below which the system's libvirt listens: "/run"; tests have one of their own. */
extern const char *guest_names_run;

/* Frees the names. */
void guest_names_free(struct guest_names *names);

#endif
