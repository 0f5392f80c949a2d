/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that fail: see failing.h. */
#include "tests/unit/tools/failing.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>
#include <libelf.h>
#include <microhttpd.h>

static atomic_uint left[2];
static const char *_Atomic failed;
static atomic_int wanted_errno;

void fail_nth(enum failing kind, unsigned n)
{
	left[!kind] = 0;
	failed = NULL;
	left[kind] = n;
}

void fail_with(int err)
{
	wanted_errno = err;
}

const char *failed_call(void)
{
	return failed;
}

static bool fails(enum failing kind, const char *name, int err)
{
	unsigned now = left[kind];

	while (now && !atomic_compare_exchange_weak(&left[kind], &now, now - 1))
		;
	if (now != 1)
		return false;
	failed = name;
	errno = wanted_errno ? wanted_errno : err;
	return true;
}

/*
 * WRAP(kind, result, name, result of a failure, errno, (parameters), (arguments)): what
 * the linker calls instead of `name`.
 */
#define WRAP(kind, type, name, failure, err, parameters, arguments) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters \
	{ \
		return fails(kind, #name, err) ? (failure) : __real_##name arguments; \
	}
#define MEMORY(name, parameters, arguments) \
	WRAP(FAILING_MEMORY, void *, name, NULL, ENOMEM, parameters, arguments)
#define CALL(type, name, failure, err, parameters, arguments) \
	WRAP(FAILING_CALLS, type, name, failure, err, parameters, arguments)

MEMORY(malloc, (size_t size), (size))
MEMORY(calloc, (size_t count, size_t size), (count, size))
MEMORY(realloc, (void *old, size_t size), (old, size))
MEMORY(strdup, (const char *text), (text))
MEMORY(strndup, (const char *text, size_t size), (text, size))
MEMORY(open_memstream, (char **text, size_t *size), (text, size))
MEMORY(json_tokener_new_ex, (int depth), (depth))

int __wrap_asprintf(char **text, const char *format, ...);
int __wrap_asprintf(char **text, const char *format, ...)
{
	va_list args;
	int length;

	/* What it leaves in *text then is not defined. */
	*text = (char *)1;
	if (fails(FAILING_MEMORY, "asprintf", ENOMEM))
		return -1;
	va_start(args, format);
	length = vasprintf(text, format, args);
	va_end(args);
	return length;
}

WRAP(FAILING_MEMORY, struct MHD_Response *, MHD_create_response_from_buffer, NULL, ENOMEM,
     (size_t size, void *buffer, enum MHD_ResponseMemoryMode mode), (size, buffer, mode))

CALL(int, pthread_create, EAGAIN, EAGAIN,
     (pthread_t * thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg),
     (thread, attr, run, arg))
CALL(FILE *, fopen, NULL, EMFILE, (const char *path, const char *mode), (path, mode))
CALL(FILE *, fdopen, NULL, EMFILE, (int fd, const char *mode), (fd, mode))
CALL(DIR *, opendir, NULL, EMFILE, (const char *path), (path))
CALL(int, memfd_create, -1, EMFILE, (const char *name, unsigned flags), (name, flags))
CALL(int, stat, -1, EACCES, (const char *path, struct stat *st), (path, st))
CALL(int, mkstemp, -1, EMFILE, (char *path), (path))
CALL(int, fchmod, -1, EPERM, (int fd, mode_t mode), (fd, mode))
CALL(int, rename, -1, EIO, (const char *from, const char *to), (from, to))
CALL(int, fstat, -1, EIO, (int fd, struct stat *st), (fd, st))
CALL(ssize_t, pread, -1, EIO, (int fd, void *to, size_t size, off_t at), (fd, to, size, at))
CALL(int, socket, -1, EMFILE, (int domain, int type, int protocol), (domain, type, protocol))
CALL(int, setsockopt, -1, EIO, (int fd, int level, int name, const void *value, socklen_t size),
     (fd, level, name, value, size))
CALL(int, getsockopt, -1, EIO, (int fd, int level, int name, void *value, socklen_t *size),
     (fd, level, name, value, size))
CALL(ssize_t, recv, -1, EIO, (int fd, void *to, size_t size, int flags), (fd, to, size, flags))
CALL(ssize_t, send, -1, EIO, (int fd, const void *from, size_t size, int flags),
     (fd, from, size, flags))
CALL(int, connect, -1, EIO, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size))
CALL(int, poll, -1, EIO, (struct pollfd * fds, nfds_t count, int timeout_ms),
     (fds, count, timeout_ms))
CALL(Elf *, elf_begin, NULL, EIO, (int fd, Elf_Cmd command, Elf *ref), (fd, command, ref))
