/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/replace_file.c: whoever reads the file sees the old one or the new one,
 * and nothing else is left, whatever fails.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tools/failing.h"
#include "tools/balloonctl/replace_file.h"

static char folder[] = "/tmp/balloonctl-XXXXXX", path[64];

static int begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/balloonctl-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

/* Only the file itself is there. */
static int end(void **state)
{
	(void)state;
	fail_nth(FAILING_CALLS, 0);
	unlink(path);
	return rmdir(folder);
}

static int lowest_fd(void)
{
	int fd = dup(STDERR_FILENO);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static void assert_holds(const char *text)
{
	char is[64] = "";
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, is, sizeof(is) - 1), strlen(text));
	assert_string_equal(is, text);
	close(fd);
}

static void put(const char *text)
{
	struct replacement r;

	assert_int_equal(replace_begin(&r, path), 0);
	fputs(text, r.file);
	assert_int_equal(replace_commit(&r), 0);
}

static void file_is_the_old_one_until_it_is_the_new_one(void **state)
{
	int before = lowest_fd();
	struct replacement r;

	(void)state;
	put("old");
	assert_int_equal(replace_begin(&r, path), 0);
	fputs("new", r.file);
	fflush(r.file);
	assert_holds("old");
	assert_int_equal(replace_commit(&r), 0);
	assert_holds("new");
	assert_int_equal(lowest_fd(), before);
}

static void file_that_is_given_up_leaves_the_old_one(void **state)
{
	int before = lowest_fd();
	struct replacement r;

	(void)state;
	put("old");
	assert_int_equal(replace_begin(&r, path), 0);
	fputs("new", r.file);
	replace_abort(&r);
	assert_holds("old");
	assert_int_equal(lowest_fd(), before);
	/* There is nothing left to give up. */
	replace_abort(&r);
}

/* As a shell would make it: others may read it if the mask lets them. */
static void mode_is_that_of_the_mask(void **state)
{
	static const struct {
		mode_t mask, mode;
	} trials[] = { { 022, 0644 }, { 077, 0600 }, { 027, 0640 }, { 0, 0644 } };
	mode_t before = umask(022);
	struct stat st;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		umask(trials[i].mask);
		put("x");
		assert_int_equal(umask(trials[i].mask), trials[i].mask);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, trials[i].mode);
	}
	umask(before);
}

static void only_a_file_is_replaced(void **state)
{
	char link[80];
	struct replacement r;

	(void)state;
	put("old");
	snprintf(link, sizeof(link), "%s-link", folder);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(replace_begin(&r, link), -EEXIST);
	assert_string_equal(replace_error(-EEXIST),
			    "there is something that is no regular file, and stays");
	assert_int_equal(unlink(link), 0);
	assert_int_equal(replace_begin(&r, "/nowhere/a"), -ENOENT);
	assert_string_equal(replace_error(-ENOENT), "No such file or directory");
	assert_holds("old");
}

/* Each in turn, and nothing of it stays: neither a file nor a descriptor. */
static void what_fails_leaves_nothing(void **state)
{
	static const char *const calls[] = { "mkstemp", "fdopen", "fchmod", "rename" };
	int before = lowest_fd();
	struct replacement r;
	unsigned seen = 0;

	(void)state;
	put("old");
	fail_with(EPERM);
	for (unsigned n = 1; n <= 4; n++) {
		int err;

		fail_nth(FAILING_CALLS, n);
		err = replace_begin(&r, path);
		if (!err)
			err = replace_commit(&r);
		assert_int_equal(err, -EPERM);
		for (unsigned c = 0; c < 4; c++)
			seen |= !strcmp(failed_call(), calls[c]) ? 1u << c : 0;
		assert_int_equal(lowest_fd(), before);
		assert_holds("old");
	}
	assert_int_equal(seen, 15);
	fail_with(0);
	fail_nth(FAILING_MEMORY, 1);
	assert_int_equal(replace_begin(&r, path), -ENOMEM);
	fail_nth(FAILING_MEMORY, 0);
	assert_int_equal(lowest_fd(), before);
}

/* A disk that is full is noticed by what is written last. */
static void file_that_has_no_room_is_given_up(void **state)
{
	int before = lowest_fd();
	struct rlimit limit, small;
	struct replacement r;

	(void)state;
	put("old");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(replace_begin(&r, path), 0);
	fputs("new", r.file);
	small = limit;
	small.rlim_cur = 2;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(replace_commit(&r), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_holds("old");
	assert_int_equal(lowest_fd(), before);
}

/* Who calls without a standard input has the number 0 for the file. */
static void descriptor_0_is_one(void **state)
{
	int saved = dup(STDIN_FILENO), bad = 0, left;
	struct replacement r;

	(void)state;
	put("old");
	assert_true(saved > 0);
	close(STDIN_FILENO);
	bad |= replace_begin(&r, path);
	if (!bad) {
		bad |= fileno(r.file);
		fputs("new", r.file);
		bad |= replace_commit(&r);
	}
	fail_nth(FAILING_CALLS, 2);
	bad |= !replace_begin(&r, path);
	fail_nth(FAILING_CALLS, 0);
	left = fcntl(STDIN_FILENO, F_GETFD);
	bad |= dup2(saved, STDIN_FILENO) != STDIN_FILENO;
	close(saved);
	assert_int_equal(bad, 0);
	assert_int_equal(left, -1);
	assert_holds("new");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(file_is_the_old_one_until_it_is_the_new_one),
		TEST(file_that_is_given_up_leaves_the_old_one),
		TEST(mode_is_that_of_the_mask),
		TEST(only_a_file_is_replaced),
		TEST(what_fails_leaves_nothing),
		TEST(file_that_has_no_room_is_given_up),
		TEST(descriptor_0_is_one),
	};

	return cmocka_run_group_tests_name("balloonctl/replace_file", tests, NULL, NULL);
}
