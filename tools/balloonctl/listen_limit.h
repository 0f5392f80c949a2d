/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listen_limit.c: what a web server grants its clients: each connection a time in all, however
 * slowly it speaks or reads, and a number of connections at a time, of which the oldest
 * makes room for a new one. So clients that do nothing delay nobody.
 */
#ifndef TOOLS_BALLOONCTL_LISTEN_LIMIT_H
#define TOOLS_BALLOONCTL_LISTEN_LIMIT_H

#include <stddef.h>

struct listen_limit;

/* Room for those that were ended and not yet removed. */
#define LISTEN_LIMIT_MAX 64

/*
 * Begins with no connection, and ends each after `total_ms`, and those above `most`. The
 * caller's by listen_limit_stop(); NULL: no memory, or no thread.
 */
struct listen_limit *listen_limit_start(size_t most, int total_ms);

/* Adds a connection that has just been made. */
void listen_limit_add(struct listen_limit *limit, int fd);

/* Removes a connection before its socket is closed. */
void listen_limit_remove(struct listen_limit *limit, int fd);

/* Ends and frees, when nobody adds or removes any more; NULL is allowed. */
void listen_limit_stop(struct listen_limit *limit);

#endif
