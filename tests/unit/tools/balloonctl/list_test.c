/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * balloonctl list, guest_names.c: guests of tools/run.sh, of folders and of libvirt, each
 * with what can be said of it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/schema/assert_fits.h"
#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/guest_names.h"

/* A runtime folder, and in it the folder of tools/run.sh. */
static char base[32], folder[64];

static int set_up(void **state)
{
	(void)state;
	strcpy(base, "/tmp/balloonctl-XXXXXX");
	if (!mkdtemp(base))
		return -1;
	snprintf(folder, sizeof(folder), "%s/aerostat-%u", base, (unsigned)geteuid());
	setenv("XDG_RUNTIME_DIR", base, 1);
	setenv("HOME", base, 1);
	/* This machine may run a libvirt. */
	guest_names_run = base;
	run_within(0);
	return mkdir(folder, 0700);
}

static int clean_up(void **state)
{
	char command[64];

	(void)state;
	/* The name is mkdtemp()'s own. */
	snprintf(command, sizeof(command), "rm -r %s", base);
	return system(command);
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void add_guest(const struct fake_place *place, const char *name)
{
	assert_int_equal(link(place->path, path_of(name)), 0);
}

/* A socket that somebody listens on, or has listened on. */
static int add_socket(const char *name, bool listens)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(addr.sun_path, path_of(name));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	if (listens)
		assert_int_equal(listen(fd, 5), 0);
	else
		close(fd);
	return fd;
}

static struct outcome list(const char *word, const char *other)
{
	struct outcome got = run_command(NULL, "list", word, other, NULL);
	struct outcome json = run_command(NULL, "list", "--json", word, other, NULL);

	assert_int_equal(json.status, got.status);
	assert_fits("balloonctl-list", json.out);
	/* For assert_says(): one text after the other. */
	strncat(got.out, json.out, sizeof(got.out) - strlen(got.out) - 1);
	return got;
}

static void guests_of_the_run_script_are_listed(void **state)
{
	const struct fake_qemu one = { .left_before = 768 * MIB };
	const struct fake_qemu two = { .no_driver = true, .paused = true }, three = { .old = true };
	struct fake_place places[3];
	struct outcome got;

	(void)state;
	fake_qemu_start(&one, &places[0]);
	fake_qemu_start(&two, &places[1]);
	fake_qemu_start(&three, &places[2]);
	add_guest(&places[0], "web.qmp");
	add_guest(&places[1], "db-2.qmp");
	add_guest(&places[2], "x.qmp");
	got = list(NULL, NULL);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_string_equal(got.err, "");
	assert_says(got.out, "db-2  1.000 GiB left       0 B taken   no driver, paused\n"
			     "web   768.0 MiB left   256.0 MiB taken   driver\n"
			     "x     1.000 GiB left       0 B taken   driver unknown\n");
	assert_says(got.out, "{\"guests\":[{\"guest\":\"db-2\",");
	assert_says(got.out, "{\"guest\":\"web\",\"ram\":1073741824,\"left\":805306368,"
			     "\"taken\":268435456,");
	for (int i = 0; i < 3; i++)
		fake_qemu_stop(&places[i]);
}

/* The lines have what is left of all of it; the JSON what that is made of. */
static void guest_that_has_grown_is_listed(void **state)
{
	const struct fake_answer answers[] = {
		{ .asks = "query-memory-devices",
		  .value =
			  "[{\"type\": \"virtio-mem\", \"data\": {\"id\": \"m0\", \"memdev\": "
			  "\"/objects/vm0\", \"node\": 0, \"memaddr\": 4294967296, \"block-size\": "
			  "2097152, \"max-size\": 4294967296, \"size\": 1073741824, "
			  "\"requested-size\": 2147483648}}]" },
		{ .asks = NULL },
	};
	const struct fake_qemu qemu = { .left_before = 768 * MIB, .answers = answers };
	struct fake_place place;
	struct outcome got;

	(void)state;
	fake_qemu_start(&qemu, &place);
	add_guest(&place, "web.qmp");
	got = list(NULL, NULL);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, "web  1.750 GiB left   256.0 MiB taken   driver\n");
	assert_says(got.out, "\"base\":1073741824,\"dimms\":0,\"grown\":1073741824,"
			     "\"requested\":2147483648,\"memory-devices\":[{\"id\":\"m0\",");
	fake_qemu_stop(&place);
}

static void guest_that_grows_without_a_balloon_is_listed(void **state)
{
	const struct fake_mem mem = { .id = "m0", .block = MIB, .region = MIB, .requested = MIB };
	const struct fake_qemu qemu = { .no_device = true, .mems = &mem, .nr_mems = 1 };
	struct fake_place place;
	struct outcome got;

	(void)state;
	fake_qemu_start(&qemu, &place);
	add_guest(&place, "web.qmp");
	got = list(NULL, NULL);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, "web  1.001 GiB left       0 B taken   no balloon\n");
	assert_says(got.out, "}],\"balloon\":false,");
	assert_says(got.out, "\"condition\":\"up\"");
	fake_qemu_stop(&place);
}

static void guests_that_say_nothing_say_why(void **state)
{
	const struct fake_qemu silent = { .greeting = FAKE_SAYS_NOTHING },
			       bare = { .no_device = true };
	struct fake_place places[2];
	struct outcome got;
	int fd, held, served;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	(void)state;
	fake_qemu_start(&silent, &places[0]);
	fake_qemu_start(&bare, &places[1]);
	add_guest(&places[0], "a-silent.qmp");
	add_guest(&places[1], "b-bare.qmp");
	add_socket("c-dead.qmp", false);
	/* It serves one client, and takes no other meanwhile. */
	fd = add_socket("d-busy.qmp", true);
	strcpy(addr.sun_path, path_of("d-busy.qmp"));
	held = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(held, (struct sockaddr *)&addr, sizeof(addr)), 0);
	served = accept(fd, NULL, NULL);
	assert_true(served >= 0);
	run_within(1000);
	got = list(NULL, NULL);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out, "a-silent  no answer\n"
			     "b-bare    no balloon\n"
			     "c-dead    gone\n"
			     "d-busy    busy\n");
	assert_says(got.out, "\"guest\":\"d-busy\",\"error\":\"busy: another client");
	assert_says(got.out, "\"condition\":\"gone\"");
	close(served);
	close(held);
	close(fd);
	fake_qemu_stop(&places[0]);
	fake_qemu_stop(&places[1]);
}

static void folders_and_sockets_may_be_named(void **state)
{
	const struct fake_qemu qemu = { .panicked = true };
	struct fake_place place;
	struct outcome got;
	char line[160];

	(void)state;
	fake_qemu_start(&qemu, &place);
	got = list(place.dir, NULL);
	assert_int_equal(got.status, EXIT_REACHED);
	snprintf(line, sizeof(line), "%s/fake.qmp  1.000 GiB left", place.dir);
	assert_says(got.out, line);
	assert_says(got.out, "driver, panicked\n");
	/* A folder's name may end with a slash, and a guest is listed once. */
	snprintf(line, sizeof(line), "%s/", place.dir);
	got = list(line, place.path);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_non_null(strchr(got.out, '\n'));
	assert_true(strchr(got.out, '\n')[1] == '{');
	fake_qemu_stop(&place);
}

static void only_sockets_of_that_name_are_guests(void **state)
{
	char other[80];
	struct outcome got;

	(void)state;
	snprintf(other, sizeof(other), "%s/../other", folder);
	assert_int_equal(mkdir(other, 0700), 0);
	assert_int_equal(mknod(path_of("../other/file.qmp"), S_IFREG | 0600, 0), 0);
	add_socket("../other/socket", false);
	add_socket("../other/.qmp", false);
	got = list(other, NULL);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_string_equal(got.out, "{\"guests\":[]}\n");
}

static void places_that_cannot_be_searched_are_named(void **state)
{
	struct outcome got = list("/nowhere", NULL);

	(void)state;
	assert_int_equal(got.status, EXIT_NO_CONNECT);
	assert_says(got.err, "/nowhere: No such file or directory");
	assert_says(got.out, "{\"guests\":[]}");
	got = list("name", NULL);
	assert_int_equal(got.status, EXIT_USAGE);
	assert_says(got.err, "name: no place of guests: take a folder or a socket");
	got = list("xen+ssh://host/system", NULL);
	assert_int_equal(got.status, EXIT_USAGE);
	assert_says(got.err, "xen+ssh://host/system: guests of Xen are not balloonctl's: ");
	assert_says(got.out, "{\"guests\":[]}");
	got = list("/etc/passwd", NULL);
	assert_int_equal(got.status, EXIT_NO_CONNECT);
	assert_says(got.err, "/etc/passwd: neither a folder nor a socket");
	/* The others are listed all the same. */
	add_socket("../gone.qmp", false);
	got = list("/nowhere", path_of("../gone.qmp"));
	assert_int_equal(got.status, EXIT_NO_CONNECT);
	assert_says(got.out, "/gone.qmp  gone\n");
}

/* Where a guest may be missing, the status tells, and the others are listed. */
static void folder_that_is_not_ours_alone_is_told(void **state)
{
	char other[80];
	struct outcome got;

	(void)state;
	snprintf(other, sizeof(other), "%s/other", base);
	assert_int_equal(mkdir(other, 0700), 0);
	add_socket("../other/a.qmp", false);
	assert_int_equal(chmod(folder, 0755), 0);
	got = list(other, NULL);
	assert_int_equal(got.status, EXIT_NO_CONNECT);
	assert_says(got.err, "others may use the folder ");
	assert_says(got.out, "/other/a.qmp  gone\n");
	/* Nor are its guests passed over by the commands that look again and again. */
	got = run_command(NULL, "watch", "--json", NULL);
	assert_int_equal(got.status, EXIT_NO_CONNECT);
	assert_says(got.err, "others may use the folder ");
	assert_int_equal(run_command(NULL, "export", NULL).status, EXIT_NO_CONNECT);
	/* Where there is none there are no guests. */
	assert_int_equal(rmdir(folder), 0);
	got = list(other, NULL);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_string_equal(got.err, "");
}

#define NOBODY 65534

/* It takes a connection, and says nothing. Root has no libvirt of its own. */
static void libvirt_that_hangs_is_told(void **state)
{
	bool root = geteuid() == 0;
	struct outcome got;
	char path[80];
	int fd;

	(void)state;
	got = run_command(NULL, "list", "test:///default", NULL);
	if (strstr(got.err, "built without libvirt"))
		return;
	assert_false(root && (chown(base, NOBODY, (gid_t)-1) || seteuid(NOBODY)));
	snprintf(path, sizeof(path), "%s/libvirt", base);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(folder, sizeof(folder), "%s/aerostat-%u", base, (unsigned)geteuid());
	assert_false(root && mkdir(folder, 0700));
	add_socket("a.qmp", false);
	fd = add_socket("../libvirt/libvirt-sock", true);
	run_within(500);
	got = run_command(NULL, "list", NULL);
	assert_false(root && seteuid(0));
	close(fd);
	assert_int_equal(got.status, EXIT_TIMEOUT);
	assert_says(got.err, "libvirt:///session: no answer from libvirt in time\n");
	assert_string_equal(got.out, "a  gone\n");
}

/* However often, and by whatever name its socket is given. */
static void guest_is_listed_once(void **state)
{
	char slashes[128];
	struct outcome got;

	(void)state;
	add_socket("web.qmp", false);
	snprintf(slashes, sizeof(slashes), "%s//web.qmp", folder);
	got = run_command(NULL, "list", folder, path_of("web.qmp"), slashes, NULL);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_string_equal(got.out, "web  gone\n");
}

/* A name that is too long for a column is in no one's way. */
static void names_are_a_column_of_forty(void **state)
{
	char name[48], text[256];
	struct outcome got;

	(void)state;
	add_socket("a.qmp", false);
	snprintf(name, sizeof(name), "%041d.qmp", 7);
	add_socket(name, false);
	got = run_command(NULL, "list", NULL);
	snprintf(text, sizeof(text), "%041d  gone\na  gone\n", 7);
	assert_string_equal(got.out, text);
	snprintf(name, sizeof(name), "%040d.qmp", 8);
	add_socket(name, false);
	got = run_command(NULL, "list", NULL);
	snprintf(text, sizeof(text), "%041d  gone\n%040d  gone\n%-40s  gone\n", 7, 8, "a");
	assert_string_equal(got.out, text);
}

static void guest_that_fails_says_how(void **state)
{
	static const struct fake_answer answers[] = {
		{ .asks = "\"query-balloon\"", .value = "{\"actual\": \"\\u001b\"}" }, { 0 }
	};
	const struct fake_qemu strange = { .answers = answers }, none = { .no_device = true };
	struct fake_place places[2];
	struct outcome got;

	(void)state;
	fake_qemu_start(&strange, &places[0]);
	fake_qemu_start(&none, &places[1]);
	add_guest(&places[0], "a.qmp");
	add_guest(&places[1], "b.qmp");
	got = run_command(NULL, "list", NULL);
	assert_string_equal(got.out, "a  failed: query-balloon gave no number\n"
				     "b  no balloon\n");
	got = run_command(NULL, "list", "--json", NULL);
	assert_string_equal(
		got.out, "{\"guests\":[{\"guest\":\"a\",\"error\":\"query-balloon gave no number\","
			 "\"condition\":\"failed\"},{\"guest\":\"b\",\"error\":\"QEMU refuses "
			 "'query-balloon': no\",\"condition\":\"no_balloon\"}]}\n");
	fake_qemu_stop(&places[0]);
	fake_qemu_stop(&places[1]);
}

/* In the order of the names, not of the folder; a slash at its end is not doubled. */
static void sockets_of_a_folder_are_sorted(void **state)
{
	static const char *const names[] = { "d", "b", "e", "a", "c" };
	char other[80], text[600] = "";
	struct outcome got;

	(void)state;
	snprintf(other, sizeof(other), "%s/../other", folder);
	assert_int_equal(mkdir(other, 0700), 0);
	for (size_t i = 0; i < 5; i++) {
		char name[32];

		snprintf(name, sizeof(name), "../other/%s.qmp", names[i]);
		add_socket(name, false);
	}
	for (char name = 'a'; name <= 'e'; name++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s/%c.qmp  gone\n",
			 other, name);
	got = run_command(NULL, "list", other, NULL);
	assert_string_equal(got.out, text);
	strcat(other, "/");
	got = run_command(NULL, "list", other, NULL);
	assert_string_equal(got.out, text);
	/* What was named before stays before. */
	add_socket("z.qmp", false);
	got = run_command(NULL, "list", path_of("z.qmp"), other, NULL);
	assert_says(got.out, "z  gone\n");
	assert_string_equal(strchr(got.out, '\n') + 1, text);
}

/* libvirt's own driver for tests has one domain. */
static void domains_of_libvirt_are_listed(void **state)
{
	struct outcome got = list("test:///default", NULL);

	(void)state;
	if (strstr(got.err, "built without libvirt"))
		return;
	assert_int_equal(got.status, EXIT_REACHED);
	assert_says(got.out,
		    "test:///default#test  2.000 GiB left   6.000 GiB taken   driver unknown");
	got = list("test:///default#test", NULL);
	assert_says(got.out, "test:///default#test  2.000 GiB left");
	got = list("nonsense:///x", NULL);
	assert_int_equal(got.status, EXIT_NO_CONNECT);
	assert_says(got.err, "nonsense:///x: libvirt: ");
}

#define LIST_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, clean_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIST_TEST(guests_of_the_run_script_are_listed),
		LIST_TEST(guest_that_has_grown_is_listed),
		LIST_TEST(guest_that_grows_without_a_balloon_is_listed),
		LIST_TEST(guests_that_say_nothing_say_why),
		LIST_TEST(folders_and_sockets_may_be_named),
		LIST_TEST(only_sockets_of_that_name_are_guests),
		LIST_TEST(places_that_cannot_be_searched_are_named),
		LIST_TEST(folder_that_is_not_ours_alone_is_told),
		LIST_TEST(libvirt_that_hangs_is_told),
		LIST_TEST(guest_is_listed_once),
		LIST_TEST(names_are_a_column_of_forty),
		LIST_TEST(guest_that_fails_says_how),
		LIST_TEST(sockets_of_a_folder_are_sorted),
		LIST_TEST(domains_of_libvirt_are_listed),
	};

	return cmocka_run_group_tests_name("balloonctl/list", tests, NULL, NULL);
}
