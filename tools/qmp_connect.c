/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connects to a QMP socket that is ours: see qmp.h. Its name is checked before
 * the connection, and the process that serves it after.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/deadline.h"
#include "tools/qmp_holder.h"
#include "tools/qmp_internal.h"

static int check_owner(struct qmp *q, const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return qmp_fail(q, -errno, "%s: %s", path, strerror(errno));
	if (S_ISLNK(st.st_mode))
		return qmp_fail(q, -ENOTSOCK, "%s is a symbolic link; name the socket itself",
				path);
	if (!S_ISSOCK(st.st_mode))
		return qmp_fail(q, -ENOTSOCK, "%s is not a socket", path);
	if (st.st_uid != geteuid())
		return qmp_fail(q, -EPERM, "%s belongs to user %u, not to us", path,
				(unsigned)st.st_uid);
	return 0;
}

static int peer_of(int fd, struct ucred *peer)
{
	socklen_t len = sizeof(*peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &len) ? -errno : 0;
}

static int check_peer(struct qmp *q, int fd, const char *path)
{
	struct ucred peer;
	int ret = peer_of(fd, &peer);

	if (ret)
		return qmp_fail(q, ret, "%s: %s", path, strerror(-ret));
	if (peer.uid != geteuid())
		return qmp_fail(q, -EPERM, "%s is served by user %u, not by us", path,
				(unsigned)peer.uid);
	return 0;
}

int qmp_peer(struct qmp *q, pid_t *pid)
{
	struct ucred peer;
	int ret;

	if (q->fd < 0)
		return qmp_fail(q, -ENOTCONN, "not connected to QEMU");
	ret = peer_of(q->fd, &peer);
	if (ret)
		return qmp_fail(q, ret, "whose socket: %s", strerror(-ret));
	*pid = peer.pid;
	return 0;
}

/*
 * Whoever listens without accepting fills his backlog, and connect(2) then waits, for as
 * long as a send may.
 */
static int connect_in_time(struct qmp *q, int fd, const struct sockaddr_un *addr)
{
	do {
		int left = deadline_left(q->deadline);
		/* A time of zero would be none. */
		struct timeval time = { left / 1000, left % 1000 * 1000 + 1 };

		if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)))
			return -errno;
		if (!connect(fd, (const struct sockaddr *)addr, sizeof(*addr)))
			return 0;
	} while ((errno == EINTR || errno == EAGAIN) && deadline_left(q->deadline));
	return errno == EINTR || errno == EAGAIN ? -ETIMEDOUT : -errno;
}

int qmp_connect(struct qmp *q, const char *path, int timeout_ms)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int ret, fd;

	qmp_begin(q, deadline_in(timeout_ms));
	if (strlen(path) >= sizeof(addr.sun_path))
		return qmp_fail(q, -ENAMETOOLONG, "%.60s...: a socket's path has at most %zu bytes",
				path, sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, path, strlen(path));
	ret = check_owner(q, path);
	if (ret)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return qmp_fail(q, -errno, "socket: %s", strerror(errno));
	ret = connect_in_time(q, fd, &addr);
	if (ret == -ETIMEDOUT && qmp_is_held_by_other(fd, path))
		ret = qmp_fail_busy(q);
	else if (ret)
		qmp_fail(q, ret, "cannot connect to %s: %s", path, strerror(-ret));
	else
		ret = check_peer(q, fd, path);
	if (ret) {
		close(fd);
		return ret;
	}
	return qmp_attach(q, fd, deadline_left(q->deadline));
}
