/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listen.c: a web server with one page, /metrics, for `balloonctl export`.
 */
#ifndef TOOLS_BALLOONCTL_LISTEN_H
#define TOOLS_BALLOONCTL_LISTEN_H

#include <stddef.h>

struct listener;

/* The page's text and its length, by free(); NULL: not now. Called in the server's thread. */
typedef char *(*listen_page)(void *context, size_t *size);

#define LISTEN_ADDRESS 80

/*
 * @where is ADDR:PORT, [ADDR]:PORT for IPv6, or PORT alone for loopback; ADDR
 * is numeric, PORT 0 has the system choose one. Complains. An exit status;
 * @address is then what can be put behind "http://".
 */
int listen_start(const char *where, listen_page page, void *context, struct listener **out,
		 char address[LISTEN_ADDRESS]);

void listen_stop(struct listener *listener);

#endif
