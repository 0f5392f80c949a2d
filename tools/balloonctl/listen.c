/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A web server with one page and one that leads to it: see listen.h. Requests are input
 * from anybody who can connect: few connections, short waits, a time for all, one answer,
 * no body, nothing echoed.
 */
#include <assert.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/listen.h"
#include "tools/balloonctl/listen_limit.h"
#include "tools/balloonctl/metrics.h"

#define CONNECTIONS 16u
#define CONNECTIONS_ENDING 16u /* on top: the oldest make room, and are gone in a moment */
#define REQUEST_BYTES ((size_t)16 * 1024) /* of memory for each */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct listener {
	struct MHD_Daemon *daemon;
	struct listen_limit *limit;
	listen_page page;
	void *context;
};

/* ---- addresses ---- */

#define WANTED "ADDR:PORT is wanted, as in 127.0.0.1:9100 or [::1]:9100, or PORT alone"

/* A wrong address: what is wrong with it, and a part of it that is. */
struct mistake {
	const char *what;
	char part[64];
};

static bool parse_port(const char *text, in_port_t *port, struct mistake *mistake)
{
	unsigned long value = strtoul(text, NULL, 10);

	if (*text == '\0')
		mistake->what = "there is no port";
	else if (strlen(text) > 5 || text[strspn(text, "0123456789")] != '\0' || value > 65535)
		mistake->what = "is no port, which is 0 to 65535";
	snprintf(mistake->part, sizeof(mistake->part), "%s", text);
	*port = htons((uint16_t)value);
	return !mistake->what;
}

static bool parse_host(const char *host, in_port_t port, union address *address)
{
	*address = (union address){ .v4 = { .sin_family = AF_INET, .sin_port = port } };
	if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1)
		return true;
	*address = (union address){ .v6 = { .sin6_family = AF_INET6, .sin6_port = port } };
	return inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1;
}

/* The end of ADDR, after which there may be a port; NULL: there is no ADDR. */
static const char *end_of_host(const char *where)
{
	const char *colon = strrchr(where, ':');

	if (where[0] == '[' && where[strlen(where) - 1] == ']')
		return where + strlen(where);
	return colon ? colon : strchr(where, '.') ? where + strlen(where) : NULL;
}

static bool parse_address(const char *where, union address *address, struct mistake *mistake)
{
	const char *end = end_of_host(where), *port_text = end ? end + (*end == ':') : where;
	size_t len = end ? (size_t)(end - where) : 0;
	char host[INET6_ADDRSTRLEN + 2] = "127.0.0.1";
	in_port_t port;

	if (!parse_port(port_text, &port, mistake))
		return false;
	snprintf(mistake->part, sizeof(mistake->part), "%.*s", (int)len, where);
	mistake->what = "is no numeric address";
	if (len >= sizeof(host))
		return false;
	if (len)
		snprintf(host, sizeof(host), "%.*s", (int)len, where);
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		memmove(host, host + 1, len - 1);
	} else if (strchr(host, ':')) {
		/* It is not clear which colon begins the port. */
		mistake->what = "has a colon, and is not in brackets";
		return false;
	}
	return parse_host(host, port, address);
}

static void complain_address(const char *where, const struct mistake *mistake)
{
	if (mistake->part[0] == '\0')
		complain("--listen %s: %s; " WANTED, where, mistake->what);
	else
		complain("--listen %s: '%s' %s; " WANTED, where, mistake->part, mistake->what);
}

/* Writes the address that the socket has now, with the port that was chosen. */
static void print_address(int fd, char text[LISTEN_ADDRESS])
{
	union address address = { .any.sa_family = AF_UNSPEC };
	socklen_t size = sizeof(address);
	char host[INET6_ADDRSTRLEN] = "";

	getsockname(fd, &address.any, &size);
	if (address.any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof(host));
		snprintf(text, LISTEN_ADDRESS, "[%s]:%u", host, ntohs(address.v6.sin6_port));
	} else {
		inet_ntop(AF_INET, &address.v4.sin_addr, host, sizeof(host));
		snprintf(text, LISTEN_ADDRESS, "%s:%u", host, ntohs(address.v4.sin_port));
	}
}

/* A socket that listens, or a negative errno. */
static int open_socket(const union address *address)
{
	socklen_t size = address->any.sa_family == AF_INET6 ? sizeof(address->v6)
							    : sizeof(address->v4);
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &address->any, size) || listen(fd, (int)CONNECTIONS)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

/* ---- requests ---- */

#define HTML "text/html; charset=utf-8"

static const char front_page[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\">\n"
	"<head><meta charset=\"utf-8\"><title>balloonctl export</title></head>\n"
	"<body><h1>balloonctl export " AEROSTAT_VERSION "</h1>\n"
	"<p>Memory balloons of virtual machines: <a href=\"/metrics\">metrics</a> for "
	"Prometheus.</p></body>\n"
	"</html>\n";

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
			      char *text, size_t size, enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(size, text, mode);
	enum MHD_Result result;

	if (!response) {
		if (mode == MHD_RESPMEM_MUST_FREE)
			free(text);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	/* So that the time of a connection is that of a request. */
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *why)
{
	return answer(connection, status, "text/plain", (char *)why, strlen(why),
		      MHD_RESPMEM_PERSISTENT);
}

/* The parameters are libmicrohttpd's. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **request)
{
	struct listener *listener = context;
	size_t size;
	char *text;

	(void)version, (void)upload, (void)upload_size, (void)request;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET is wanted\n");
	if (!strcmp(url, "/"))
		return answer(connection, MHD_HTTP_OK, HTML, (char *)front_page, strlen(front_page),
			      MHD_RESPMEM_PERSISTENT);
	if (strcmp(url, "/metrics") != 0)
		return refuse(connection, MHD_HTTP_NOT_FOUND, "there is only /metrics\n");
	text = listener->page(listener->context, &size);
	if (!text)
		return refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "not now\n");
	return answer(connection, MHD_HTTP_OK, METRICS_CONTENT_TYPE, text, size,
		      MHD_RESPMEM_MUST_FREE);
}

/* The parameters are libmicrohttpd's. */
static void note_connection(void *context, struct MHD_Connection *connection, void **unused,
			    enum MHD_ConnectionNotificationCode what)
{
	struct listener *listener = context;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	(void)unused;
	assert(info);
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		listen_limit_add(listener->limit, info->connect_fd);
	else
		listen_limit_remove(listener->limit, info->connect_fd);
}

/* Signals are for the thread that waits for them. */
static struct MHD_Daemon *start_daemon(struct listener *listener, int fd)
{
	struct MHD_Daemon *daemon;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL,
				  handle, listener, MHD_OPTION_LISTEN_SOCKET, fd,
				  MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS + CONNECTIONS_ENDING,
				  MHD_OPTION_NOTIFY_CONNECTION, note_connection, listener,
				  MHD_OPTION_CONNECTION_MEMORY_LIMIT, REQUEST_BYTES,
				  MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return daemon;
}

static void stop(struct listener *listener)
{
	if (listener && listener->daemon)
		MHD_stop_daemon(listener->daemon);
	if (listener)
		listen_limit_stop(listener->limit);
	free(listener);
}

int listen_start(const char *where, listen_page page, void *context, int total_ms,
		 struct listener **out, char address[LISTEN_ADDRESS])
{
	struct mistake mistake = { .what = NULL };
	struct listener *listener;
	union address bind_to;
	int fd;

	if (!parse_address(where, &bind_to, &mistake)) {
		complain_address(where, &mistake);
		return EXIT_USAGE;
	}
	fd = open_socket(&bind_to);
	if (fd < 0) {
		complain("--listen %s: %s", where, strerror(-fd));
		return EXIT_WRONG;
	}
	print_address(fd, address);
	listener = calloc(1, sizeof(*listener));
	if (listener) {
		listener->page = page;
		listener->context = context;
		listener->limit = listen_limit_start(CONNECTIONS, total_ms);
		if (listener->limit)
			listener->daemon = start_daemon(listener, fd);
	}
	if (!listener || !listener->daemon) {
		complain("--listen %s: the server did not start", where);
		stop(listener);
		close(fd);
		return EXIT_WRONG;
	}
	*out = listener;
	return EXIT_REACHED;
}

void listen_stop(struct listener *listener)
{
	assert(listener && listener->daemon);
	stop(listener);
}
