/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In the place of guest_libvirt.c where libvirt's headers are not installed: says
 * so to everybody who names a guest by a URI.
 */
#include <errno.h>

#include "tools/balloonctl/guest_backend.h"

static int refuse(struct guest *guest, const char *name)
{
	return guest_fail(guest, -ENOTSUP,
			  "%s: this balloonctl was built without libvirt; install libvirt-dev "
			  "and build it again",
			  name);
}

int guest_libvirt_list(struct guest *guest, const char *uri,
		       int (*take)(void *context, const char *domain), void *context)
{
	(void)take, (void)context;
	return refuse(guest, uri);
}

static void close_nothing(struct guest *guest)
{
	(void)guest;
}

const struct guest_backend guest_backend_libvirt = { .open = refuse, .close = close_nothing };
