/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How guests are named: short names of tools/run.sh's sockets, and paths. A
 * QMP socket is as powerful as the user who runs QEMU, so the folder that it
 * lies in must not let anybody else put another one there.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/balloonctl/guest_backend.h"

#define SUFFIX ".qmp"

/* ---- folders ---- */

/* The folder of tools/run.sh, which must be private. */
static int runtime_folder(struct guest *guest, char *path, size_t size)
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	if (!base || *base == '\0' || stat(base, &st) || !S_ISDIR(st.st_mode))
		base = "/tmp";
	if ((size_t)snprintf(path, size, "%s/aerostat-%u", base, (unsigned)geteuid()) >= size)
		return guest_fail(guest, -ENAMETOOLONG, "XDG_RUNTIME_DIR is too long for a socket");
	if (lstat(path, &st))
		return guest_fail(guest, -ENOENT,
				  "no guest runs here: there is no folder %s; start one with "
				  "`make run`, or name a QMP socket by a path with a slash",
				  path);
	if (!S_ISDIR(st.st_mode))
		return guest_fail(guest, -EPERM, "%s is not a folder", path);
	if (st.st_uid != geteuid())
		return guest_fail(guest, -EPERM, "%s belongs to user %u, not to us", path,
				  (unsigned)st.st_uid);
	if (st.st_mode & 077)
		return guest_fail(guest, -EPERM,
				  "others may use the folder %s (mode %03o); make it private: "
				  "chmod 700",
				  path, (unsigned)(st.st_mode & 0777));
	return 0;
}

/* Makes sure that nobody else could have put this socket into its folder. */
static int check_folder(struct guest *guest, const char *path)
{
	size_t len = (size_t)(strrchr(path, '/') - path);
	char folder[PATH_MAX];
	struct stat st;

	if (len >= sizeof(folder))
		return guest_fail(guest, -ENAMETOOLONG, "%.60s...: the path is too long", path);
	memcpy(folder, path, len);
	strcpy(folder + len, len ? "" : "/");
	if (stat(folder, &st))
		return guest_fail(guest, -errno, "%s: %s", folder, strerror(errno));
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return guest_fail(guest, -EPERM, "the socket's folder %s belongs to user %u",
				  folder, (unsigned)st.st_uid);
	if ((st.st_mode & 022) && !(st.st_mode & S_ISVTX))
		return guest_fail(guest, -EPERM,
				  "others may put files into the socket's folder %s (mode %03o)",
				  folder, (unsigned)(st.st_mode & 0777));
	return 0;
}

/* ---- short names ---- */

/* Tells whether tools/run.sh could have given this name. */
static bool is_short_name(const char *name)
{
	return *name != '\0' && *name != '-' && *name != '.' &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] == '\0';
}

/* Tells whether it is a "NAME.qmp". */
static bool is_name_of_socket(const char *file)
{
	size_t len = strlen(file), suffix = strlen(SUFFIX);

	return len > suffix && !strcmp(file + len - suffix, SUFFIX) && is_short_name(file);
}

/* The name in it, by free(); NULL: out of memory. */
static char *name_of_socket(const char *file)
{
	return strndup(file, strlen(file) - strlen(SUFFIX));
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(const char *file, char ***names, size_t *count)
{
	char *name = name_of_socket(file);
	char **more = realloc(*names, (*count + 1) * sizeof(char *));

	if (more)
		*names = more;
	if (!more || !name) {
		free(name);
		return -ENOMEM;
	}
	(*names)[(*count)++] = name;
	return 0;
}

/* On failure there are those that were found. */
static int list_folder(struct guest *guest, const char *folder, char ***names, size_t *count)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return guest_fail(guest, -errno, "%s: %s", folder, strerror(errno));
	while (!err && (entry = readdir(dir)))
		if (is_name_of_socket(entry->d_name))
			err = add_name(entry->d_name, names, count);
	closedir(dir);
	if (*count)
		qsort(*names, *count, sizeof(char *), compare_names);
	return err ? guest_fail(guest, err, "out of memory; a guest may be missing") : 0;
}

int guest_list(char ***names, size_t *count, char **error)
{
	struct guest guest = { .name = NULL };
	char folder[PATH_MAX];
	int err = runtime_folder(&guest, folder, sizeof(folder));

	*names = NULL;
	*count = 0;
	*error = NULL;
	if (err == -ENOENT)
		return 0;
	if (!err)
		err = list_folder(&guest, folder, names, count);
	if (err)
		*error = strdup(guest.error);
	return err;
}

static void free_names(char **names, size_t count)
{
	while (count)
		free(names[--count]);
	free(names);
}

static int socket_path(struct guest *guest, const char *folder, const char *name, char **path)
{
	if (asprintf(path, "%s/%s" SUFFIX, folder, name) >= 0)
		return 0;
	/* What is there now is not defined. */
	*path = NULL;
	return guest_fail(guest, -ENOMEM, "out of memory");
}

/* A QEMU that was killed has left its socket, on which nobody listens. */
static bool is_dead(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool dead;

	if (fd < 0 || strlen(path) >= sizeof(addr.sun_path)) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	strcpy(addr.sun_path, path);
	dead = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) && errno == ECONNREFUSED;
	close(fd);
	return dead;
}

/* Drops dead sockets. Connecting disturbs a guest, so this is for several candidates only. */
static void drop_dead(const char *folder, char **names, size_t *count)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		char path[PATH_MAX + 64];

		snprintf(path, sizeof(path), "%s/%s" SUFFIX, folder, names[i]);
		if (is_dead(path))
			free(names[i]);
		else
			names[kept++] = names[i];
	}
	*count = kept;
}

/* Prints " NAME" for each, as far as there is room. */
static void print_names(char *text, size_t size, char **names, size_t count)
{
	size_t len = 0;

	*text = '\0';
	for (size_t i = 0; i < count && len < size; i++)
		len += (size_t)snprintf(text + len, size - len, " %s", names[i]);
}

static int fail_with_names(struct guest *guest, char **names, size_t count)
{
	char list[300];

	print_names(list, sizeof(list), names, count);
	return guest_fail(guest, -ENOTCONN, "%zu guests run here; say which one with -g NAME:%s",
			  count, list);
}

static int find_only(struct guest *guest, const char *folder, char **path)
{
	char **names = NULL;
	size_t count = 0;
	int err = list_folder(guest, folder, &names, &count);

	if (err) {
		free_names(names, count);
		return err;
	}
	if (count > 1)
		drop_dead(folder, names, &count);
	if (count == 0)
		err = guest_fail(guest, -ENOTCONN,
				 "no guest runs here: no socket in %s; start one with `make run`, "
				 "or name a QMP socket by a path with a slash",
				 folder);
	else if (count > 1)
		err = fail_with_names(guest, names, count);
	else
		err = socket_path(guest, folder, names[0], path);
	if (!err)
		guest->name = strdup(names[0]);
	free_names(names, count);
	return err;
}

static int find_named(struct guest *guest, const char *folder, const char *name, char **path)
{
	char **names = NULL;
	char list[300];
	size_t count = 0;
	struct stat st;
	int err = socket_path(guest, folder, name, path);

	/* Of a path that is too long, the connection says so. */
	if (err || strlen(*path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path) ||
	    !lstat(*path, &st) || errno != ENOENT)
		return err;
	/* They are only for the sentence. */
	list_folder(guest, folder, &names, &count);
	print_names(list, sizeof(list), names, count);
	err = guest_fail(guest, -ENOENT, "no guest %s runs here, as there is no %s; %s%s", name,
			 *path, count ? "there are:" : "nor is there another", list);
	free_names(names, count);
	free(*path);
	*path = NULL;
	return err;
}

int guest_find_check(struct guest *guest, const char *name)
{
	if (strchr(name, '/') || is_short_name(name))
		return 0;
	return guest_fail(guest, -EINVAL,
			  "'%s' names no guest: take a short name as `make run` has it, "
			  "the path of a QMP socket (with a slash), or a URI like "
			  "libvirt:///session#name",
			  name);
}

static int find_by_name(struct guest *guest, const char *name, char **path)
{
	char folder[PATH_MAX];
	int err = runtime_folder(guest, folder, sizeof(folder));

	if (err)
		return err;
	return name ? find_named(guest, folder, name, path) : find_only(guest, folder, path);
}

int guest_find_socket(struct guest *guest, const char *name, char **path)
{
	int err;

	*path = NULL;
	if (!name || !strchr(name, '/'))
		return find_by_name(guest, name, path);
	err = check_folder(guest, name);
	if (!err && !(*path = strdup(name)))
		err = guest_fail(guest, -ENOMEM, "out of memory");
	return err;
}
