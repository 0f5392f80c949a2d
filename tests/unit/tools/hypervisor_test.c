/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the control block of a hypervisor in a guest's memory file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/hypervisor.h"

#define MIB 0x100000ull
#define FILE_SIZE (20 * MIB)

static char path[] = "/tmp/aerostat-hypervisor-test-XXXXXX";
static struct hypervisor *hypervisor;
static struct hypervisor_found found;

static int setup(void **state)
{
	int fd;

	(void)state;
	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, FILE_SIZE), 0);
	close(fd);
	hypervisor = NULL;
	found = (struct hypervisor_found){ 0 };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hypervisor_close(hypervisor);
	unlink(path);
	return 0;
}

static void write_block(off_t place, uint32_t version, uint32_t page_size)
{
	struct hv_control_common common = { .magic = HV_CONTROL_MAGIC,
					    .version = version,
					    .page_size = page_size,
					    .personality = "plain",
					    .taken = (uint64_t)place };
	FILE *file = fopen(path, "r+");

	assert_non_null(file);
	assert_int_equal(fseeko(file, place, SEEK_SET), 0);
	assert_int_equal(fwrite(&common, sizeof(common), 1, file), 1);
	assert_int_equal(fclose(file), 0);
}

static void write_good_block(off_t place)
{
	write_block(place, HV_CONTROL_VERSION, HV_CONTROL_PAGE);
}

static void block_is_found_wherever_it_may_lie(void **state)
{
	static const uint64_t places[] = { 0, 2 * MIB, 18 * MIB };

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		write_good_block((off_t)places[i]);
		assert_int_equal(hypervisor_open(path, &hypervisor, &found), 0);
		assert_int_equal(hypervisor_common(hypervisor)->taken, places[i]);
		hypervisor_close(hypervisor);
		hypervisor = NULL;
	}
}

static void block_changes_for_both_sides(void **state)
{
	struct hypervisor *other = NULL;

	(void)state;
	write_good_block(2 * MIB);
	assert_int_equal(hypervisor_open(path, &hypervisor, &found), 0);
	assert_int_equal(hypervisor_open(path, &other, NULL), 0);
	hypervisor_common(hypervisor)->target = 77;
	*(volatile uint64_t *)hypervisor_page(hypervisor, HV_CONTROL_XEN) = 88;
	assert_int_equal(hypervisor_common(other)->target, 77);
	assert_int_equal(*(volatile uint64_t *)hypervisor_page(other, HV_CONTROL_XEN), 88);
	assert_int_equal((volatile uint8_t *)hypervisor_page(other, HV_CONTROL_XEN) -
				 (volatile uint8_t *)hypervisor_common(other),
			 HV_CONTROL_XEN * HV_CONTROL_PAGE);
	hypervisor_close(other);
}

static void magic_between_the_places_is_none(void **state)
{
	(void)state;
	write_good_block(3 * MIB);
	assert_int_equal(hypervisor_open(path, &hypervisor, &found), -ENOENT);
}

static void block_that_would_end_beyond_the_file_is_none(void **state)
{
	(void)state;
	write_good_block(18 * MIB);
	assert_int_equal(truncate(path, 18 * MIB + sizeof(struct hv_control) - 1), 0);
	assert_int_equal(hypervisor_open(path, &hypervisor, &found), -ENOENT);
	assert_int_equal(truncate(path, 18 * MIB + sizeof(struct hv_control)), 0);
	assert_int_equal(hypervisor_open(path, &hypervisor, &found), 0);
}

static void block_of_another_version_is_said(void **state)
{
	(void)state;
	write_block(2 * MIB, HV_CONTROL_VERSION + 1, HV_CONTROL_PAGE);
	assert_int_equal(hypervisor_open(path, &hypervisor, &found), -EPROTO);
	assert_int_equal(found.version, HV_CONTROL_VERSION + 1);
	assert_int_equal(found.page_size, HV_CONTROL_PAGE);
	write_block(2 * MIB, HV_CONTROL_VERSION, 2 * HV_CONTROL_PAGE);
	assert_int_equal(hypervisor_open(path, &hypervisor, &found), -EPROTO);
	assert_int_equal(found.page_size, 2 * HV_CONTROL_PAGE);
	assert_int_equal(hypervisor_open(path, &hypervisor, NULL), -EPROTO);
}

static void files_that_are_no_memory_are_refused(void **state)
{
	(void)state;
	assert_int_equal(hypervisor_open("/tmp", &hypervisor, &found), -EISDIR);
	assert_int_equal(hypervisor_open("/dev/zero", &hypervisor, &found), -EINVAL);
	assert_int_equal(hypervisor_open("/nowhere/at/all", &hypervisor, &found), -ENXIO);
	assert_int_equal(truncate(path, 2 * MIB - 1), 0);
	assert_int_equal(hypervisor_open(path, &hypervisor, &found), -EINVAL);
}

/* Only root can give a file away. */
static void file_of_another_user_is_refused(void **state)
{
	(void)state;
	write_good_block(2 * MIB);
	if (chown(path, 65534, (gid_t)-1))
		skip();
	assert_int_equal(hypervisor_open(path, &hypervisor, &found), -EPERM);
	assert_int_equal(found.owner, 65534);
	assert_int_equal(found.version, 0);
}

/* A guest that uses little of its memory goes on having little: shmem fills what is mapped. */
static void holes_stay_holes(void **state)
{
	int fd = memfd_create("memory", MFD_CLOEXEC);
	struct stat before, after;
	char link[64];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, FILE_SIZE), 0);
	assert_int_equal(pwrite(fd, HV_CONTROL_MAGIC, sizeof(HV_CONTROL_MAGIC), 0), 16);
	assert_int_equal(fstat(fd, &before), 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	assert_int_equal(hypervisor_open(link, &hypervisor, &found), -EPROTO);
	assert_int_equal(fstat(fd, &after), 0);
	assert_int_equal(after.st_blocks, before.st_blocks);
	close(fd);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(block_is_found_wherever_it_may_lie),
		CASE(block_changes_for_both_sides),
		CASE(magic_between_the_places_is_none),
		CASE(block_that_would_end_beyond_the_file_is_none),
		CASE(block_of_another_version_is_said),
		CASE(files_that_are_no_memory_are_refused),
		CASE(file_of_another_user_is_refused),
		CASE(holes_stay_holes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
