/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listen.c: a web server with one page, /metrics, and at / a link to it, for
 * `balloonctl export`.
 */
#ifndef TOOLS_BALLOONCTL_LISTEN_H
#define TOOLS_BALLOONCTL_LISTEN_H

#include <stddef.h>

struct listener;

/*
 * Makes the page's text, by free(), and stores its length; NULL: not now. Runs in
 * the server's thread.
 */
typedef char *(*listen_page)(void *context, size_t *size);

#define LISTEN_ADDRESS 80

/*
 * Starts the server, which gives each connection `total_ms`, one answer, and no more.
 * `where` is ADDR:PORT, [ADDR]:PORT for IPv6, or PORT alone for
 * loopback; ADDR is numeric, PORT 0 has the system choose one. Returns an exit
 * status; complains of everything but success. `address` is then what follows
 * "http://" in a URL.
 */
int listen_start(const char *where, listen_page page, void *context, int total_ms,
		 struct listener **out, char address[LISTEN_ADDRESS]);

/* Ends the server: no page is asked for any more when this returns. */
void listen_stop(struct listener *listener);

#endif
