/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qmp_holder.c: who has the one connection that a QMP socket serves at a time. The
 * kernel tells (unix(7) sockets by sock_diag(7)), so that QEMU need not be asked.
 */
#ifndef TOOLS_QMP_HOLDER_H
#define TOOLS_QMP_HOLDER_H

#include <stdbool.h>

/*
 * Tells whether the server at `path` has accepted somebody else's connection than that of
 * the socket `fd`, and still has it. If `fd` is connected its own peer is meant, and
 * `path` may be NULL. false also where the kernel does not tell.
 */
bool qmp_is_held_by_other(int fd, const char *path);

#endif
