/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds names of guests: see guest_names.h. Only names are found here: whether a socket may
 * be trusted is asked when it is opened. libvirt, which may block for ever, is asked in a
 * thread that is left behind if it does.
 */
#include "tools/balloonctl/guest_names.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/balloonctl/guest.h"
#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/thread.h"
#include "tools/deadline.h"

#define SUFFIX ".qmp"

static int add(struct guest_names *names, const char *name)
{
	char **more = realloc(names->name, (names->count + 1) * sizeof(*more));
	char *copy = strdup(name);

	if (more)
		names->name = more;
	if (!more || !copy) {
		free(copy);
		return -ENOMEM;
	}
	names->name[names->count++] = copy;
	return 0;
}

void guest_names_free(struct guest_names *names)
{
	while (names->count)
		free(names->name[--names->count]);
	free(names->name);
	names->name = NULL;
}

/* ---- sockets ---- */

static bool is_served_by(const char *name, const struct stat *socket)
{
	struct guest guest = { .name = NULL };
	char *path = NULL;
	struct stat st;
	bool same;

	if (guest_is_uri(name) || guest_find_socket(&guest, name, &path))
		return false;
	same = !stat(path, &st) && st.st_dev == socket->st_dev && st.st_ino == socket->st_ino;
	free(path);
	return same;
}

/* A guest that is known already, by its short name perhaps, is no other one. */
static int add_socket(struct guest_names *names, const char *path)
{
	struct stat st;

	if (!stat(path, &st))
		for (size_t i = 0; i < names->count; i++)
			if (is_served_by(names->name[i], &st))
				return 0;
	return add(names, path);
}

/* ---- folders ---- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_socket(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISSOCK(st.st_mode);
}

static int add_folder(struct guest_names *names, const char *folder)
{
	size_t first = names->count, suffix = strlen(SUFFIX);
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir))) {
		size_t length = strlen(entry->d_name);
		char path[PATH_MAX];

		if (length <= suffix || strcmp(entry->d_name + length - suffix, SUFFIX) != 0)
			continue;
		snprintf(path, sizeof(path), "%s%s%s", folder,
			 folder[strlen(folder) - 1] == '/' ? "" : "/", entry->d_name);
		if (is_socket(path))
			err = add_socket(names, path);
	}
	closedir(dir);
	if (names->count > first)
		qsort(names->name + first, names->count - first, sizeof(char *), compare_names);
	return err;
}

/* ---- libvirt ---- */

struct search {
	struct thread_share share;
	char *uri;
	struct guest_names names;
	struct guest guest; /* for the error's sentence */
	int err;
};

static void free_search(struct search *search)
{
	thread_share_destroy(&search->share);
	guest_names_free(&search->names);
	free(search->uri);
	free(search);
}

static int take_domain(void *context, const char *domain)
{
	struct search *search = context;
	char *name;
	int err;

	if (asprintf(&name, "%s#%s", search->uri, domain) < 0)
		return -ENOMEM;
	err = add(&search->names, name);
	free(name);
	return err;
}

static void *run_search(void *arg)
{
	struct search *search = arg;

	search->err = guest_libvirt_list(&search->guest, search->uri, take_domain, search);
	if (thread_share_end(&search->share))
		free_search(search);
	return NULL;
}

static struct search *make_search(const char *uri)
{
	struct search *search = calloc(1, sizeof(*search));

	if (!search)
		return NULL;
	thread_share_init(&search->share);
	search->uri = strdup(uri);
	if (search->uri)
		return search;
	free_search(search);
	return NULL;
}

/* Moves what was found, by the deadline, to `names`; nobody has the search after it. */
static int finish_search(struct search *search, struct guest_names *names, int64_t deadline,
			 char **error)
{
	int err;

	pthread_mutex_lock(&search->share.lock);
	while (!search->share.ended && deadline_left(deadline))
		thread_wait(&search->share.changed, &search->share.lock, deadline);
	err = search->share.ended ? search->err : -ETIMEDOUT;
	for (size_t i = 0; !err && i < search->names.count; i++)
		err = add(names, search->names.name[i]);
	if (err == -ETIMEDOUT)
		*error = strdup("no answer from libvirt in time");
	else if (err && err != -ENOMEM)
		*error = strdup(search->guest.error);
	if (thread_share_leave(&search->share))
		free_search(search);
	return err;
}

static int add_libvirt(struct guest_names *names, const char *uri, int64_t deadline, char **error)
{
	struct search *search = make_search(uri);
	int err;

	if (!search)
		return -ENOMEM;
	err = thread_share_start(&search->share, run_search, search);
	if (!err)
		return finish_search(search, names, deadline, error);
	free_search(search);
	return err;
}

/* ---- places ---- */

int guest_names_add(struct guest_names *names, const char *place, int64_t deadline, char **error)
{
	const char *refusal = guest_refusal(place);
	struct stat st;

	*error = NULL;
	if (refusal) {
		*error = strdup(refusal);
		return -EINVAL;
	}
	if (guest_is_uri(place) && !strchr(place, '#'))
		return add_libvirt(names, place, deadline, error);
	if (guest_is_uri(place))
		return add(names, place);
	if (!strchr(place, '/')) {
		*error = strdup("no place of guests: take a folder or a socket, with a slash in "
				"its path, or a URI like libvirt:///session");
		return -EINVAL;
	}
	if (stat(place, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return add_folder(names, place);
	if (S_ISSOCK(st.st_mode))
		return add_socket(names, place);
	*error = strdup("neither a folder nor a socket");
	return -ENOTSOCK;
}

const char *guest_names_run = "/run";

/* To open libvirt's URI would start a daemon where none runs. */
static bool listens(const char *format, const char *folder, const char *daemon)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	bool there = false;
	int fd;

	if (!folder || *folder == '\0' ||
	    (size_t)snprintf(addr.sun_path, sizeof(addr.sun_path), format, folder, daemon) >=
		    sizeof(addr.sun_path))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		there = !connect(fd, (const struct sockaddr *)&addr, sizeof(addr));
		close(fd);
	}
	return there;
}

/* Keeps the first of several errors; takes the sentence of either. */
static int first_of(int err, char **error, int other, char *sentence)
{
	if (err || !other) {
		free(sentence);
		return err;
	}
	*error = sentence;
	return other;
}

/* Who may not ask, or cannot, has no guests there. */
static int add_if_allowed(struct guest_names *names, const char *uri, int64_t deadline,
			  char **error)
{
	char *sentence = NULL;
	int err = add_libvirt(names, uri, deadline, &sentence);

	if (err == -EPERM || err == -ENOTSUP)
		err = 0;
	if (err && asprintf(error, "%s: %s", uri, sentence ? sentence : strerror(-err)) < 0)
		*error = NULL;
	free(sentence);
	return err;
}

static int add_running_libvirt(struct guest_names *names, int64_t deadline, char **error)
{
	static const char *const daemons[] = { "virtqemud-sock", "libvirt-sock" };
	bool session = false, system = false;
	char *sentence = NULL;
	int err = 0;

	for (size_t i = 0; i < 2; i++) {
		system |= listens("%s/libvirt/%s", guest_names_run, daemons[i]);
		session |= listens("%s/libvirt/%s", getenv("XDG_RUNTIME_DIR"), daemons[i]) ||
			   listens("%s/.cache/libvirt/%s", getenv("HOME"), daemons[i]);
	}
	/* What root calls its session is the system's. */
	if (session && geteuid())
		err = add_if_allowed(names, "libvirt:///session", deadline, error);
	if (system) {
		int other = add_if_allowed(names, "libvirt:///system", deadline, &sentence);

		err = first_of(err, error, other, sentence);
	}
	return err;
}

int guest_names_add_usual(struct guest_names *names, int64_t deadline, char **error)
{
	char **found, *sentence = NULL;
	size_t count;
	int err, other;

	*error = NULL;
	err = guest_list(&found, &count, error);
	for (size_t i = 0; i < count; i++) {
		if (add(names, found[i]) && !err)
			err = -ENOMEM;
		free(found[i]);
	}
	free(found);
	other = add_running_libvirt(names, deadline, &sentence);
	return first_of(err, error, other, sentence);
}
