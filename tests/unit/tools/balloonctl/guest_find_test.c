/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/guest_find.c: names are found where tools/run.sh puts them,
 * and no socket is used that somebody else could have put there.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/guest.h"
#include "tools/deadline.h"

/* A runtime folder with one living guest. */
struct fixture {
	char base[32], folder[64];
	struct fake_place place;
};

static void set_up(struct fixture *f)
{
	const struct fake_qemu qemu = { 0 };

	strcpy(f->base, "/tmp/balloonctl-XXXXXX");
	assert_non_null(mkdtemp(f->base));
	snprintf(f->folder, sizeof(f->folder), "%s/aerostat-%u", f->base, (unsigned)geteuid());
	setenv("XDG_RUNTIME_DIR", f->base, 1);
	fake_qemu_start(&qemu, &f->place);
}

static void make_folder(const struct fixture *f, mode_t mode)
{
	assert_int_equal(mkdir(f->folder, 0700), 0);
	assert_int_equal(chmod(f->folder, mode), 0);
}

static const char *path_of(const struct fixture *f, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	return path;
}

static void add_living(const struct fixture *f, const char *name)
{
	assert_int_equal(link(f->place.path, path_of(f, name)), 0);
}

/* As a QEMU that was killed leaves it. */
static void add_dead(const struct fixture *f, const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(addr.sun_path, path_of(f, name));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
}

static void clean_up(struct fixture *f)
{
	char command[128];

	fake_qemu_stop(&f->place);
	/* The name is mkdtemp()'s own. */
	snprintf(command, sizeof(command), "rm -r %s", f->base);
	assert_int_equal(system(command), 0);
	unsetenv("XDG_RUNTIME_DIR");
}

static void assert_opens(const char *name, const char *is_called)
{
	struct guest_state state;
	struct guest *guest;
	char *error;
	int err = guest_open(name, deadline_in(60000), &guest, &error);

	if (err)
		fail_msg("%d: %s", err, error);
	assert_string_equal(guest_name(guest), is_called);
	assert_int_equal(guest_state(guest, &state), 0);
	guest_close(guest);
}

static void assert_fails(const char *name, int err, const char *words)
{
	struct guest *guest;
	char *error;
	int is = guest_open(name, deadline_in(60000), &guest, &error);

	if (is != err)
		fail_msg("%d: %s", is, is ? error : "it opened");
	assert_says(error, words);
	free(error);
}

static void only_guest_needs_no_name(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_fails(NULL, -ENOENT, "no guest runs here");
	make_folder(&f, 0700);
	assert_fails(NULL, -ENOTCONN, "no guest runs here");
	assert_fails("other", -ENOENT, "no guest other runs here");
	assert_fails("other", -ENOENT, "other.qmp; nor is there another");
	add_living(&f, "aerostat.qmp");
	assert_int_equal(mknod(path_of(&f, "aerostat.lock"), S_IFREG | 0600, 0), 0);
	assert_opens(NULL, "aerostat");
	assert_opens("aerostat", "aerostat");
	assert_fails("other", -ENOENT, "other.qmp; there are: aerostat");
	clean_up(&f);
}

static void of_several_guests_one_must_be_named(void **state)
{
	struct fixture f;
	size_t count;
	char **names, *error;

	(void)state;
	set_up(&f);
	make_folder(&f, 0700);
	add_living(&f, "b.qmp");
	add_living(&f, "a-2.qmp");
	assert_fails(NULL, -ENOTCONN, "2 guests run here; say which one with -g NAME: a-2 b");
	assert_opens("a-2", "a-2");
	assert_fails("a", -ENOENT, "a.qmp; there are: a-2 b");
	for (int i = 7; i > 0; i--) {
		char name[8] = { 'c', (char)('0' + i * 5 % 8), '.', 'q', 'm', 'p' };

		add_dead(&f, name);
	}
	assert_int_equal(guest_list(&names, &count, &error), 0);
	assert_int_equal(count, 9);
	assert_string_equal(names[0], "a-2");
	for (size_t i = 1; i < count; i++)
		assert_true(strcmp(names[i - 1], names[i]) < 0);
	while (count)
		free(names[--count]);
	free(names);
	clean_up(&f);
}

static void dead_sockets_do_not_count(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	make_folder(&f, 0700);
	add_dead(&f, "dead.qmp");
	assert_fails(NULL, -ECONNREFUSED, "nobody listens");
	add_living(&f, "alive.qmp");
	assert_opens(NULL, "alive");
	assert_fails("dead", -ECONNREFUSED, "nobody listens");
	clean_up(&f);
}

static void folder_that_is_not_private_is_refused(void **state)
{
	static const mode_t open_modes[] = { 0701, 0710, 0750, 0755, 0777, 01777 };
	char words[64];
	struct fixture f;

	(void)state;
	set_up(&f);
	make_folder(&f, 0700);
	add_living(&f, "a.qmp");
	for (size_t i = 0; i < sizeof(open_modes) / sizeof(open_modes[0]); i++) {
		size_t count;
		char **names, *error;

		assert_int_equal(chmod(f.folder, open_modes[i]), 0);
		snprintf(words, sizeof(words), "(mode %03o); make it private: chmod 700",
			 (unsigned)open_modes[i] & 0777);
		assert_fails(NULL, -EPERM, words);
		assert_fails("a", -EPERM, words);
		assert_int_equal(guest_list(&names, &count, &error), -EPERM);
		assert_int_equal(count, 0);
		assert_says(error, words);
		free(error);
	}
	assert_int_equal(chmod(f.folder, 0700), 0);
	assert_opens("a", "a");
	clean_up(&f);
}

static void folder_of_somebody_else_is_refused(void **state)
{
	struct fixture f;

	(void)state;
	set_up(&f);
	make_folder(&f, 0700);
	add_living(&f, "a.qmp");
	/* Only root can give a folder away; others skip this half. */
	if (chown(f.folder, 12345, (gid_t)-1) == 0) {
		assert_fails("a", -EPERM, "belongs to user 12345");
		assert_fails(path_of(&f, "a.qmp"), -EPERM, "belongs to user 12345");
		assert_int_equal(chown(f.folder, geteuid(), (gid_t)-1), 0);
	}
	assert_int_equal(rename(f.folder, path_of(&f, "../moved")), 0);
	assert_int_equal(symlink("moved", f.folder), 0);
	assert_fails("a", -EPERM, "is not a folder");
	clean_up(&f);
}

static void path_is_taken_as_it_is(void **state)
{
	static const mode_t modes[] = { 0777, 0770, 0702, 0720 };
	char words[128];
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_opens(f.place.path, f.place.path);
	/* Anybody may put a socket there, so that the right one proves nothing. */
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		snprintf(words, sizeof(words),
			 "others may put files into the socket's folder %s (mode %03o)",
			 f.place.dir, (unsigned)modes[i]);
		assert_int_equal(chmod(f.place.dir, modes[i]), 0);
		assert_fails(f.place.path, -EPERM, words);
	}
	/* What they can only read is ours. */
	assert_int_equal(chmod(f.place.dir, 0755), 0);
	assert_opens(f.place.path, f.place.path);
	/* As in /tmp: they may, but not in the place of ours. */
	assert_int_equal(chmod(f.place.dir, 01777), 0);
	assert_opens(f.place.path, f.place.path);
	assert_fails("/nonexistent/x", -ENOENT, "/nonexistent: No such file");
	assert_fails("/nonexistent", -ENOENT, "/nonexistent: No such file");
	assert_fails("/etc/passwd", -ENOTSOCK, "not a socket");
	assert_fails("/proc/self/exe", -ENOTSOCK, "a symbolic link; name the socket itself");
	clean_up(&f);
}

static void what_names_no_guest_is_refused(void **state)
{
	static const char *const bad[] = { "", "-a", "a b", "a,b", ".a", "a\n", "\x1b[2J", "b:c" };
	struct fixture f;
	char longest[200];

	(void)state;
	set_up(&f);
	make_folder(&f, 0700);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_fails(bad[i], -EINVAL, "names no guest");
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_fails(longest, -ENAMETOOLONG, "a socket's path has at most");
	clean_up(&f);
}

/* libvirt would ask Xen, to which balloonctl could say nothing. */
static void what_libvirt_takes_for_xen_is_refused(void **state)
{
	static const char *const xen[] = {
		"xen://",
		"xen:///",
		"xen:///system",
		"xen:///system#a",
		"xen://host/system#a",
		"xen+ssh://root@host/system#a",
		"xen+tls://host/#a",
		"xen+tcp://host/#a",
		"xen+unix:///system#a",
		"xen+libssh2://h/#a",
		"XEN:///system#a",
		"Xen+SSH://h/#a",
		"xen:a",
		"xen:/system",
		"qemu+ssh://host/?name=xen:///system#a",
		"qemu+ssh://host/?no_tty=1&name=xen:///#a",
	};
	static const char *const others[] = { "xen", "xen-1", "xen.ax", "xentop", "xen_a" };
	struct fixture f;

	(void)state;
	set_up(&f);
	make_folder(&f, 0700);
	for (size_t i = 0; i < sizeof(xen) / sizeof(xen[0]); i++)
		assert_fails(xen[i], -EINVAL, "guests of Xen are not balloonctl's: ");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_fails(others[i], -ENOENT, "no guest xen");
	/* A path is one, and a URI is libvirt's, whatever is in them. */
	assert_fails("/xen:/x", -ENOENT, "/xen:: No such file");
	assert_fails("xen+a/x", -ENOENT, "xen+a: No such file");
	assert_fails("xenapi://", -EINVAL, "names no domain");
	assert_fails("libvirt:///?name=a", -EINVAL, "names no domain");
	assert_fails("qemu+ssh://xen:22/system", -EINVAL, "names no domain");
	clean_up(&f);
}

/* "/./././." at the end of a path names the same folder. */
static void lengthen(char *path, size_t length)
{
	while (strlen(path) + 2 <= length)
		strcat(path, "/.");
	if (strlen(path) < length)
		strcat(path, "/");
	assert_int_equal(strlen(path), length);
}

/* PATH_MAX is 4096, with the NUL: the folder's name, "/aerostat-UID", must fit. */
static void runtime_folder_may_be_as_long_as_a_path(void **state)
{
	char base[5000], mine[32];
	size_t rest;
	struct fixture f;

	(void)state;
	set_up(&f);
	make_folder(&f, 0700);
	rest = (size_t)snprintf(mine, sizeof(mine), "/aerostat-%u", (unsigned)geteuid());
	strcpy(base, f.base);
	lengthen(base, 4095 - rest);
	setenv("XDG_RUNTIME_DIR", base, 1);
	assert_fails("a", -ENAMETOOLONG, "a socket's path has at most");
	lengthen(base, 4096 - rest);
	setenv("XDG_RUNTIME_DIR", base, 1);
	assert_fails("a", -ENAMETOOLONG, "XDG_RUNTIME_DIR is too long for a socket");
	clean_up(&f);
}

static void path_that_is_too_long_is_refused(void **state)
{
	static char path[5000];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = path[4095] = '/';
	path[4097] = '\0';
	/* The folder, of 4095 bytes, is not there; of 4096 it cannot be. */
	assert_fails(path, -ENAMETOOLONG, "/xxx");
	path[4095] = 'x';
	path[4096] = '/';
	path[4097] = 'x';
	path[4098] = '\0';
	assert_fails(path, -ENAMETOOLONG, "xxx...: the path is too long");
}

static void socket_in_the_root_has_a_folder(void **state)
{
	(void)state;
	assert_fails("/no-such-socket", -ENOENT, "/no-such-socket: No such file");
}

/* Without a runtime folder, or with one that is none, it is the one in /tmp. */
static void tmp_is_used_without_a_runtime_folder(void **state)
{
	static const char *const none[] = { NULL, "", "/nonexistent", "/etc/passwd" };
	char folder[64];
	struct stat is;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/aerostat-%u", (unsigned)geteuid());
	if (!stat(folder, &is))
		snprintf(folder, sizeof(folder), "/tmp/aerostat-%u/none.qmp", (unsigned)geteuid());
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		if (none[i])
			setenv("XDG_RUNTIME_DIR", none[i], 1);
		else
			unsetenv("XDG_RUNTIME_DIR");
		assert_fails("none", -ENOENT, folder);
	}
	unsetenv("XDG_RUNTIME_DIR");
}

/* The lowest file descriptor that is free. */
static int next_fd(void)
{
	int fd = dup(STDERR_FILENO);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

/* Its path is too long to connect to: nobody can tell that it is dead. */
static void socket_with_a_long_name_counts(void **state)
{
	char name[120];
	struct fixture f;
	size_t length;
	int saved = dup(STDIN_FILENO);

	(void)state;
	set_up(&f);
	make_folder(&f, 0700);
	add_living(&f, "a.qmp");
	memset(name, 'x', sizeof(name));
	/* By one byte. */
	length = sizeof(((struct sockaddr_un *)0)->sun_path) - strlen(path_of(&f, ""));
	strcpy(name + length - 4, ".qmp");
	assert_int_equal(strlen(path_of(&f, name)), 108);
	assert_int_equal(mknod(path_of(&f, name), S_IFREG | 0600, 0), 0);
	/* Without standard input its number is the next. */
	close(STDIN_FILENO);
	assert_fails(NULL, -ENOTCONN, "2 guests run here; say which one with -g NAME: a xxxx");
	assert_int_equal(next_fd(), STDIN_FILENO);
	assert_int_equal(dup(saved), STDIN_FILENO);
	close(saved);
	clean_up(&f);
}

static void names_of_many_guests_are_cut(void **state)
{
	struct guest *guest;
	struct fixture f;
	char *error;

	(void)state;
	set_up(&f);
	make_folder(&f, 0700);
	for (int i = 10; i < 60; i++) {
		char name[32];

		snprintf(name, sizeof(name), "guest-%d.qmp", i);
		add_living(&f, name);
	}
	assert_int_equal(guest_open(NULL, deadline_in(60000), &guest, &error), -ENOTCONN);
	assert_says(error, "50 guests run here; say which one with -g NAME: guest-10 guest-11 ");
	/* 33 of nine bytes fit into 299, and two bytes of the next. */
	assert_says(error, " guest-42 g");
	assert_true(strlen(strstr(error, "NAME:") + 5) == 299);
	free(error);
	clean_up(&f);
}

/* Names that tools/run.sh would not have given are not shown. */
static void other_files_are_no_guests(void **state)
{
	static const char *const others[] = { ".qmp",	"a.qmpx", "aqmp",
					      "-a.qmp", ".a.qmp", "a b.qmp" };
	struct fixture f;
	size_t count;
	char **names, *error;

	(void)state;
	set_up(&f);
	make_folder(&f, 0700);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(mknod(path_of(&f, others[i]), S_IFREG | 0600, 0), 0);
	add_living(&f, "b.qmp");
	assert_int_equal(guest_list(&names, &count, &error), 0);
	assert_int_equal(count, 1);
	assert_string_equal(names[0], "b");
	free(names[0]);
	free(names);
	assert_opens(NULL, "b");
	clean_up(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_guest_needs_no_name),
		cmocka_unit_test(of_several_guests_one_must_be_named),
		cmocka_unit_test(dead_sockets_do_not_count),
		cmocka_unit_test(folder_that_is_not_private_is_refused),
		cmocka_unit_test(folder_of_somebody_else_is_refused),
		cmocka_unit_test(path_is_taken_as_it_is),
		cmocka_unit_test(what_names_no_guest_is_refused),
		cmocka_unit_test(what_libvirt_takes_for_xen_is_refused),
		cmocka_unit_test(runtime_folder_may_be_as_long_as_a_path),
		cmocka_unit_test(path_that_is_too_long_is_refused),
		cmocka_unit_test(socket_in_the_root_has_a_folder),
		cmocka_unit_test(tmp_is_used_without_a_runtime_folder),
		cmocka_unit_test(socket_with_a_long_name_counts),
		cmocka_unit_test(names_of_many_guests_are_cut),
		cmocka_unit_test(other_files_are_no_guests),
	};

	return cmocka_run_group_tests_name("balloonctl/guest_find", tests, NULL, NULL);
}
