/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/core.c: memory by physical address, and files that are none of its kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/tools/core_file.h"
#include "tools/core.h"

static const struct core_piece two_pieces[] = {
	/* Not in the order of their addresses, and adjacent. */
	{ 0x1004, "efgh", 4 },
	{ 0x1000, "abcd", 4 },
	{ 0x100000000, "high", 4 },
};

static struct core *open_good(void)
{
	char error[CORE_ERROR_MAX];
	struct core *core;

	if (core_file_open(core_file_make(two_pieces, 3), &core, error))
		fail_msg("%s", error);
	return core;
}

static void refused(int fd, const char *says)
{
	char error[CORE_ERROR_MAX] = "";
	struct core *core = NULL;

	assert_true(core_file_open(fd, &core, error) < 0);
	assert_null(core);
	if (!strstr(error, says))
		fail_msg("\"%s\" lacks \"%s\"", error, says);
}

static void reads_by_physical_address(void **state)
{
	struct core *core = open_good();
	char text[9] = "";

	(void)state;
	assert_int_equal(core_read(core, 0x1001, text, 2), 0);
	assert_string_equal(text, "bc");
	assert_int_equal(core_read(core, 0x100000000, text, 4), 0);
	assert_string_equal(text, "high");
	core_close(core);
}

static void reads_across_adjacent_segments(void **state)
{
	struct core *core = open_good();
	char text[9] = "";

	(void)state;
	assert_int_equal(core_read(core, 0x1000, text, 8), 0);
	assert_string_equal(text, "abcdefgh");
	core_close(core);
}

static void tells_what_is_not_in_the_dump(void **state)
{
	static const uint64_t absent[] = { 0, 0xfff, 0x1007, 0x1008, 0x100000003, UINT64_MAX };
	struct core *core = open_good();
	char text[2];

	(void)state;
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++)
		assert_int_equal(core_read(core, absent[i], text, 2), -EFAULT);
	core_close(core);
}

static void tells_that_the_file_was_cut_after_it_was_opened(void **state)
{
	int fd = core_file_make(two_pieces, 3);
	char error[CORE_ERROR_MAX], text[4];
	struct core *core;

	(void)state;
	assert_int_equal(core_file_open(dup(fd), &core, error), 0);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(core_read(core, 0x1000, text, 4), -EIO);
	core_close(core);
	close(fd);
}

static void refuses_what_is_no_file(void **state)
{
	char error[CORE_ERROR_MAX];
	struct core *core;

	(void)state;
	assert_int_equal(core_open("/nonexistent", &core, error), -ENOENT);
	assert_string_equal(error, "No such file or directory");
	assert_int_equal(core_open("/", &core, error), -EINVAL);
	assert_string_equal(error, "no regular file");
	assert_int_equal(core_open("/dev/zero", &core, error), -EINVAL);
	assert_string_equal(error, "no regular file");
}

static void refuses_a_pipe_without_waiting_for_a_writer(void **state)
{
	char path[] = "/tmp/core-test-XXXXXX", error[CORE_ERROR_MAX];
	struct core *core;

	(void)state;
	assert_non_null(mkdtemp(path));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(core_open(path, &core, error), -EINVAL);
	assert_string_equal(error, "no regular file");
	unlink(path);
}

static void refuses_every_shorter_file(void **state)
{
	int fd = core_file_make(two_pieces, 3);
	char error[CORE_ERROR_MAX];
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t size = st.st_size - 1; size >= 0; size--) {
		struct core *core;

		assert_int_equal(ftruncate(fd, size), 0);
		assert_int_equal(core_file_open(dup(fd), &core, error), -EINVAL);
	}
	assert_string_equal(error, "empty");
	close(fd);
}

static void tells_that_a_dump_is_cut_off(void **state)
{
	int fd = core_file_make(two_pieces, 3);
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(ftruncate(fd, st.st_size - 1), 0);
	refused(fd, "cut off");
}

/* The core with a program header changed. */
static int with_header(size_t i, Elf64_Phdr header)
{
	int fd = core_file_make(two_pieces, 3);

	assert_int_equal(pwrite(fd, &header, sizeof(header), (off_t)core_file_header(i)),
			 sizeof(header));
	return fd;
}

static void refuses_segments_that_cannot_be(void **state)
{
	Elf64_Phdr h = { .p_type = PT_LOAD, .p_offset = 64, .p_paddr = 0x2000, .p_filesz = 8 };

	(void)state;
	h.p_offset = UINT64_MAX - 3;
	refused(with_header(1, h), "cut off");
	h.p_offset = 64;
	h.p_filesz = UINT64_MAX - 3;
	refused(with_header(1, h), "cut off");
	h.p_filesz = 8;
	h.p_paddr = UINT64_MAX - 3;
	refused(with_header(1, h), "damaged");
	h.p_paddr = 0x1003;
	refused(with_header(1, h), "0x1003 is in it twice");
	refused(with_header(1, h), "with paging false");
	h.p_paddr = 0x1000;
	refused(with_header(1, h), "no dump of a machine");
}

static void refuses_other_elf_files(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
		const char *says;
	} lies[] = {
		{ 0, 'x', "no ELF file" },
		{ EI_CLASS, ELFCLASS32, "in 64-bit mode" },
		{ offsetof(Elf64_Ehdr, e_machine), EM_386, "in 64-bit mode" },
		{ offsetof(Elf64_Ehdr, e_type), ET_EXEC, "but no core" },
		{ offsetof(Elf64_Ehdr, e_phnum), 1, "without memory" },
		{ offsetof(Elf64_Ehdr, e_phnum) + 1, 0xff, "cut off" },
		{ offsetof(Elf64_Ehdr, e_phoff) + 7, 0xff, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		int fd = core_file_make(two_pieces, 3);

		assert_int_equal(pwrite(fd, &lies[i].byte, 1, (off_t)lies[i].at), 1);
		refused(fd, lies[i].says);
	}
}

static void end_of_all_addresses_may_be_in_a_dump(void **state)
{
	Elf64_Phdr h = { .p_type = PT_LOAD, .p_offset = 64, .p_filesz = 8 };
	char error[CORE_ERROR_MAX];
	struct core *core;

	(void)state;
	h.p_paddr = UINT64_MAX - 8;
	assert_int_equal(core_file_open(with_header(1, h), &core, error), 0);
	core_close(core);
	h.p_paddr = UINT64_MAX - 7;
	refused(with_header(1, h), "damaged: memory at 0xfffffffffffffff8 is said to have 8 bytes");
	core_close(NULL);
}

static void cut_segment_is_named_with_its_numbers(void **state)
{
	Elf64_Phdr h = { .p_type = PT_LOAD, .p_offset = 64, .p_paddr = 0x2000 };
	int fd = core_file_make(two_pieces, 3);
	char error[CORE_ERROR_MAX], words[CORE_ERROR_MAX];
	struct core *core;
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	/* All that is left of the file is as much as it can have. */
	h.p_filesz = (uint64_t)st.st_size - 64;
	assert_int_equal(core_file_open(with_header(1, h), &core, error), 0);
	core_close(core);
	h.p_filesz++;
	snprintf(
		words, sizeof(words),
		"cut off: its headers speak of memory at 64, %llu bytes long, but the file ends at "
		"%llu",
		(unsigned long long)h.p_filesz, (unsigned long long)st.st_size);
	refused(with_header(1, h), words);
}

/* Segments of nothing, and what is no memory, may lie anywhere. */
static void headers_of_nothing_do_not_count(void **state)
{
	Elf64_Phdr h = { .p_type = PT_LOAD, .p_offset = UINT64_MAX, .p_paddr = 0x1000 };
	char error[CORE_ERROR_MAX], text[8];
	struct core *core;

	(void)state;
	assert_int_equal(core_file_open(with_header(1, h), &core, error), 0);
	assert_int_equal(core_read(core, 0x1000, text, 4), 0);
	assert_int_equal(core_read(core, 0x1004, text, 1), -EFAULT);
	core_close(core);
	h.p_type = PT_NOTE;
	h.p_filesz = 8;
	assert_int_equal(core_file_open(with_header(1, h), &core, error), 0);
	core_close(core);
	/* The first may be memory, too. */
	h = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = 64, .p_paddr = 0x5000, .p_filesz = 8 };
	assert_int_equal(core_file_open(with_header(0, h), &core, error), 0);
	assert_int_equal(core_read(core, 0x5000, text, 8), 0);
	core_close(core);
}

/* A byte of two pieces is one too many, wherever they lie. */
static void pieces_may_touch_and_not_overlap(void **state)
{
	Elf64_Phdr h = { .p_type = PT_LOAD, .p_offset = 64, .p_filesz = 8 };
	char error[CORE_ERROR_MAX];
	struct core *core;

	(void)state;
	h.p_paddr = 0x1000 - 8;
	assert_int_equal(core_file_open(with_header(1, h), &core, error), 0);
	core_close(core);
	h.p_paddr = 0x1000 - 7;
	refused(with_header(1, h), "0x1000 is in it twice");
	h.p_paddr = 0x100000004;
	assert_int_equal(core_file_open(with_header(1, h), &core, error), 0);
	core_close(core);
	h.p_paddr = 0x100000003;
	refused(with_header(1, h), "0x100000003 is in it twice");
	/* Whichever of two that begin at one address comes first in the file. */
	h.p_paddr = 0x100000000;
	refused(with_header(1, h), "0x100000000 is in it twice");
}

/* The library's own words, and not that it has none. */
static void why_headers_cannot_be_read_is_told(void **state)
{
	static const uint8_t lies[][2] = { { offsetof(Elf64_Ehdr, e_phnum) + 1, 0xff },
					   { offsetof(Elf64_Ehdr, e_phoff) + 7, 0xff },
					   { offsetof(Elf64_Ehdr, e_phoff) + 2, 0xff } };

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		int fd = core_file_make(two_pieces, 3);
		char error[CORE_ERROR_MAX] = "";
		struct core *core;

		assert_int_equal(pwrite(fd, &lies[i][1], 1, lies[i][0]), 1);
		assert_int_equal(core_file_open(fd, &core, error), -EINVAL);
		assert_int_equal(strncmp(error, "cut off or damaged: ", 20), 0);
		assert_null(strstr(error, "unknown error"));
	}
}

/* With so many the count stands in the first section's header. */
static int with_count(uint32_t count)
{
	int fd = core_file_make(two_pieces, 3);
	Elf64_Ehdr header;
	Elf64_Shdr section = { .sh_info = count };

	assert_int_equal(pread(fd, &header, sizeof(header), 0), sizeof(header));
	header.e_phnum = PN_XNUM;
	header.e_shnum = 1;
	header.e_shentsize = sizeof(section);
	header.e_shoff = 60 * 1024 * 1024;
	assert_int_equal(pwrite(fd, &header, sizeof(header), 0), sizeof(header));
	assert_int_equal(pwrite(fd, &section, sizeof(section), 60 * 1024 * 1024), sizeof(section));
	return fd;
}

static void only_so_many_headers_are_read(void **state)
{
	char error[CORE_ERROR_MAX];
	struct core *core;

	(void)state;
	/* Those after the third are of nothing: the file is a hole there. */
	assert_int_equal(core_file_open(with_count(CORE_SEGMENTS_MAX), &core, error), 0);
	core_close(core);
	refused(with_count(CORE_SEGMENTS_MAX + 1), "damaged: 1048577 program headers");
}

/* Each of many, at its first and its last byte; and none between them. */
static void every_one_of_many_pieces_is_found(void **state)
{
	static char data[64][2];
	struct core_piece pieces[64];
	char error[CORE_ERROR_MAX], text[2];
	struct core *core;

	(void)state;
	for (int i = 0; i < 64; i++) {
		data[i][0] = data[i][1] = (char)i;
		pieces[i * 5 % 64] =
			(struct core_piece){ .paddr = (uint64_t)i * 3, .data = data[i], .size = 2 };
	}
	assert_int_equal(core_file_open(core_file_make(pieces, 64), &core, error), 0);
	for (int i = 0; i < 64; i++) {
		assert_int_equal(core_read(core, (uint64_t)i * 3, text, 2), 0);
		assert_true(text[0] == i && text[1] == i);
		assert_int_equal(core_read(core, (uint64_t)i * 3 + 1, text, 1), 0);
		assert_true(text[0] == i);
		assert_int_equal(core_read(core, (uint64_t)i * 3 + 2, text, 1), -EFAULT);
	}
	assert_int_equal(core_read(core, 0, text, 0), 0);
	core_close(core);
}

/* Of one call; 0: as many as are wanted. */
static size_t bytes_max;

ssize_t __real_pread(int fd, void *to, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *to, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *to, size_t size, off_t at)
{
	return __real_pread(fd, to, bytes_max && size > bytes_max ? bytes_max : size, at);
}

/* A call may give less than is wanted, and is made again for the rest. */
static void reads_in_as_many_parts_as_it_takes(void **state)
{
	static const char data[] = "0123456789";
	const struct core_piece piece = { .paddr = 0x1000, .data = data, .size = sizeof(data) };
	char error[CORE_ERROR_MAX], text[sizeof(data)] = "";
	struct core *core;

	(void)state;
	assert_int_equal(core_file_open(core_file_make(&piece, 1), &core, error), 0);
	for (bytes_max = 1; bytes_max < 5; bytes_max++) {
		memset(text, 0, sizeof(text));
		assert_int_equal(core_read(core, 0x1000, text, sizeof(text)), 0);
		assert_string_equal(text, data);
	}
	bytes_max = 0;
	core_close(core);
}

/* Who calls without a standard input has the number 0 for the file. */
static void descriptor_0_is_one(void **state)
{
	static const char data[] = "data";
	const struct core_piece piece = { .paddr = 0x1000, .data = data, .size = sizeof(data) };
	int fd = core_file_make(&piece, 1), saved = dup(STDIN_FILENO), err, left;
	char error[CORE_ERROR_MAX], text[sizeof(data)] = "";
	struct core *core;

	(void)state;
	assert_true(saved > 0);
	close(STDIN_FILENO);
	err = core_file_open(fd, &core, error);
	if (!err) {
		err = core_read(core, 0x1000, text, sizeof(text));
		core_close(core);
	}
	left = fcntl(STDIN_FILENO, F_GETFD);
	dup2(saved, STDIN_FILENO);
	close(saved);
	assert_int_equal(err, 0);
	assert_string_equal(text, data);
	assert_int_equal(left, -1);
}

/* Gives the address, byte by byte; nothing from 0x1000 on. */
static int give_addresses(void *context, uint64_t paddr, void *to, size_t size)
{
	++*(int *)context;
	if (paddr + size > 0x1000)
		return -EFAULT;
	for (size_t i = 0; i < size; i++)
		((uint8_t *)to)[i] = (uint8_t)(paddr + i);
	return 0;
}

static void memory_may_come_from_elsewhere(void **state)
{
	struct core *core;
	uint8_t bytes[3];
	int calls = 0;

	(void)state;
	assert_int_equal(core_open_reader(give_addresses, &calls, &core), 0);
	assert_int_equal(core_read(core, 0x7f, bytes, 3), 0);
	assert_memory_equal(bytes, "\x7f\x80\x81", 3);
	assert_int_equal(core_read(core, 0xffe, bytes, 3), -EFAULT);
	assert_int_equal(calls, 2);
	core_close(core);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_by_physical_address),
		cmocka_unit_test(reads_across_adjacent_segments),
		cmocka_unit_test(memory_may_come_from_elsewhere),
		cmocka_unit_test(reads_in_as_many_parts_as_it_takes),
		cmocka_unit_test(descriptor_0_is_one),
		cmocka_unit_test(tells_what_is_not_in_the_dump),
		cmocka_unit_test(tells_that_the_file_was_cut_after_it_was_opened),
		cmocka_unit_test(refuses_what_is_no_file),
		cmocka_unit_test(refuses_a_pipe_without_waiting_for_a_writer),
		cmocka_unit_test(refuses_every_shorter_file),
		cmocka_unit_test(tells_that_a_dump_is_cut_off),
		cmocka_unit_test(refuses_segments_that_cannot_be),
		cmocka_unit_test(refuses_other_elf_files),
		cmocka_unit_test(end_of_all_addresses_may_be_in_a_dump),
		cmocka_unit_test(cut_segment_is_named_with_its_numbers),
		cmocka_unit_test(headers_of_nothing_do_not_count),
		cmocka_unit_test(pieces_may_touch_and_not_overlap),
		cmocka_unit_test(why_headers_cannot_be_read_is_told),
		cmocka_unit_test(only_so_many_headers_are_read),
		cmocka_unit_test(every_one_of_many_pieces_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
