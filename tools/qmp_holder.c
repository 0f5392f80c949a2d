/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections of a unix socket, as the kernel lists them: see qmp_holder.h. Each end
 * of one is a socket of its own, and the server's end bears the server's address. One that
 * was not accepted yet has no inode, and is not in the list.
 */
#include <errno.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>

#include "tools/qmp_holder.h"

#define ESTABLISHED 1 /* TCP_ESTABLISHED, which unix sockets use, too */
#define CHUNK 32768   /* what the kernel fills at a time */
#define WAIT_S 2      /* it answers at once */

struct search {
	char name[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* the server's address */
	size_t name_len;
	uint32_t inode; /* of our own end */
	bool found;
};

/* A path ends before its zero, or where the address does; else it is abstract. */
static size_t name_length(const char *name, size_t size)
{
	return size && name[0] != '\0' ? strnlen(name, size) : size;
}

/* Whose connections are looked for, and what our own end is; false: it has no name. */
static bool begin(struct search *search, int fd, const char *path)
{
	struct sockaddr_un peer = { 0 };
	socklen_t len = sizeof(peer);
	struct stat st;

	memset(search, 0, sizeof(*search));
	if (fstat(fd, &st))
		return false;
	search->inode = (uint32_t)st.st_ino;
	if (!getpeername(fd, (struct sockaddr *)&peer, &len)) {
		/* The zero behind a path that leaves no room for it is counted, and not given. */
		if (len > sizeof(peer))
			len = sizeof(peer);
		search->name_len = name_length(peer.sun_path,
					       len - offsetof(struct sockaddr_un, sun_path));
		path = peer.sun_path;
	} else if (path) {
		search->name_len = strlen(path);
	}
	if (!path || search->name_len > sizeof(search->name))
		return false;
	memcpy(search->name, path, search->name_len);
	return search->name_len > 0;
}

static bool ask(int fd)
{
	struct {
		struct nlmsghdr head;
		struct unix_diag_req body;
	} request = {
		.head = { .nlmsg_len = sizeof(request),
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = AF_UNIX,
			  .udiag_states = 1u << ESTABLISHED,
			  .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER },
	};

	return send(fd, &request, sizeof(request), 0) == (ssize_t)sizeof(request);
}

/*
 * The attribute that begins at `at`, of a message that ends at `end`; NULL: none does, or
 * the message has ended before.
 */
static const struct rtattr *attribute_at(const char *at, const char *end)
{
	const struct rtattr *part = (const struct rtattr *)at;

	if (end - at < (ptrdiff_t)sizeof(*part) || part->rta_len < sizeof(*part) ||
	    part->rta_len > end - at)
		return NULL;
	return part;
}

/* Notes a socket of the list if it is the server's end of somebody else's connection. */
static void look_at(struct search *search, const struct nlmsghdr *head)
{
	const struct unix_diag_msg *socket = NLMSG_DATA(head);
	const char *end = (const char *)head + head->nlmsg_len, *at = (const char *)(socket + 1);
	bool named = false;
	uint32_t peer = 0;
	const struct rtattr *part;

	for (; (part = attribute_at(at, end)); at += RTA_ALIGN(part->rta_len)) {
		size_t size = part->rta_len - sizeof(*part);
		const void *value = part + 1;

		if (part->rta_type == UNIX_DIAG_NAME)
			named = name_length(value, size) == search->name_len &&
				!memcmp(value, search->name, search->name_len);
		else if (part->rta_type == UNIX_DIAG_PEER && size == sizeof(peer))
			memcpy(&peer, value, size);
	}
	/* One that has gone without the server having noticed has no inode any more. */
	search->found |= named && peer != 0 && peer != search->inode;
}

/* One answer of the kernel; false: it was the last. */
static bool read_part(struct search *search, int fd)
{
	alignas(struct nlmsghdr) char buf[CHUNK];
	ssize_t received = recv(fd, buf, sizeof(buf), 0);
	unsigned left;

	if (received <= 0)
		return received < 0 && errno == EINTR;
	left = (unsigned)received;
	for (struct nlmsghdr *head = (struct nlmsghdr *)buf; NLMSG_OK(head, left);
	     head = NLMSG_NEXT(head, left)) {
		if (head->nlmsg_type == NLMSG_DONE || head->nlmsg_type == NLMSG_ERROR)
			return false;
		look_at(search, head);
	}
	return true;
}

bool qmp_is_held_by_other(int fd, const char *path)
{
	const struct timeval wait = { .tv_sec = WAIT_S };
	struct search search;
	int diag;

	if (!begin(&search, fd, path))
		return false;
	diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (diag < 0)
		return false;
	if (!setsockopt(diag, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) && ask(diag))
		while (read_part(&search, diag))
			;
	close(diag);
	return search.found;
}
