/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the guest's kernel: files of both widths, and each way to be cut short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <elf.h>

#include "tests/hypervisor/load.h"

#define FILE_SIZE 16384
#define TEXT_OFFSET 4096
#define TEXT_SIZE 100

static uint8_t file[FILE_SIZE];
static struct load_image image;

struct note {
	uint32_t name_size, desc_size, type;
	char name[4];
	uint64_t desc;
};

static struct note *note_at(size_t offset)
{
	return (struct note *)(void *)(file + offset);
}

#define NOTE_OFFSET 1024

static void put_note(uint32_t desc_size)
{
	*note_at(NOTE_OFFSET) = (struct note){ 4, desc_size, 18, "Xen", 0x100020 };
}

/* A segment, and a note; no sections. */
static void make64(void)
{
	Elf64_Ehdr *header = (void *)file;
	Elf64_Phdr *program = (void *)(file + sizeof(*header));

	memset(file, 0, sizeof(file));
	memcpy(header->e_ident, ELFMAG, SELFMAG);
	header->e_ident[EI_CLASS] = ELFCLASS64;
	header->e_phoff = sizeof(*header);
	header->e_phentsize = sizeof(*program);
	header->e_phnum = 2;
	program[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
				   .p_offset = TEXT_OFFSET,
				   .p_paddr = 0x100000,
				   .p_vaddr = 0xffffffff80100000,
				   .p_filesz = TEXT_SIZE,
				   .p_memsz = 0x3000 };
	program[1] = (Elf64_Phdr){ .p_type = PT_NOTE,
				   .p_offset = NOTE_OFFSET,
				   .p_filesz = sizeof(struct note) };
	put_note(8);
}

static void make32(void)
{
	Elf32_Ehdr *header = (void *)file;
	Elf32_Phdr *program = (void *)(file + sizeof(*header));

	memset(file, 0, sizeof(file));
	memcpy(header->e_ident, ELFMAG, SELFMAG);
	header->e_ident[EI_CLASS] = ELFCLASS32;
	header->e_phoff = sizeof(*header);
	header->e_phentsize = sizeof(*program);
	header->e_phnum = 2;
	program[0] = (Elf32_Phdr){ .p_type = PT_LOAD,
				   .p_offset = TEXT_OFFSET,
				   .p_paddr = 0x100000,
				   .p_vaddr = 0xc0100000,
				   .p_filesz = TEXT_SIZE,
				   .p_memsz = 0x3000 };
	program[1] = (Elf32_Phdr){ .p_type = PT_NOTE, .p_offset = NOTE_OFFSET, .p_filesz = 20 };
	put_note(4);
}

static void check_image(void)
{
	assert_null(load_read(file, sizeof(file), &image));
	assert_int_equal(image.entry, 0x100020);
	assert_int_equal(image.segments, 1);
	assert_int_equal(image.segment[0].offset, TEXT_OFFSET);
	assert_int_equal(image.segment[0].file_size, TEXT_SIZE);
	assert_int_equal(image.segment[0].address, 0x100000);
	assert_int_equal(image.segment[0].memory_size, 0x3000);
	assert_int_equal(image.end, 8192);
}

static void files_of_both_widths_are_read(void **state)
{
	(void)state;
	make64();
	check_image();
	make32();
	check_image();
}

static void what_follows_begins_after_the_headers_of_sections(void **state)
{
	Elf64_Ehdr *header = (void *)file;

	(void)state;
	make64();
	assert_null(load_read(file, TEXT_OFFSET + TEXT_SIZE, &image));
	assert_int_equal(image.end, 8192);
	header->e_shoff = 8193 - 2 * sizeof(Elf64_Shdr);
	header->e_shentsize = sizeof(Elf64_Shdr);
	header->e_shnum = 2;
	assert_null(load_read(file, sizeof(file), &image));
	assert_int_equal(image.end, 12288);
	/* Headers that are not there do not count. */
	header->e_shoff = 1 << 20;
	assert_null(load_read(file, sizeof(file), &image));
	assert_int_equal(image.end, 8192);
}

static void says(const char *what)
{
	const char *wrong = load_read(file, sizeof(file), &image);

	assert_non_null(wrong);
	assert_string_equal(wrong, what);
}

static void what_is_no_kernel_is_said(void **state)
{
	Elf64_Ehdr *header = (void *)file;
	Elf64_Phdr *program = (void *)(file + sizeof(*header));

	(void)state;
	make64();
	file[0] = 0;
	says("it is no ELF file");
	make64();
	file[EI_CLASS] = 7;
	says("it is an ELF file neither of 32 bits nor of 64");
	make64();
	header->e_phentsize = 40;
	says("its program headers are too short");
	make64();
	header->e_phnum = 300;
	says("it ends in the middle of its program headers");
	make64();
	program->p_offset = sizeof(file) - TEXT_SIZE + 1;
	says("it ends in the middle of a segment");
	make64();
	program->p_filesz = UINT64_MAX - TEXT_OFFSET + 1;
	says("it ends in the middle of a segment");
	make64();
	program->p_memsz = TEXT_SIZE - 1;
	says("a segment of it has a wrong size");
	make64();
	program->p_memsz = UINT64_MAX;
	says("a segment of it has a wrong size");
	make64();
	note_at(NOTE_OFFSET)->type = 1;
	says("it has no PVH entry");
	make64();
	note_at(NOTE_OFFSET)->desc_size = UINT32_MAX;
	says("it has no PVH entry");
	make64();
	note_at(NOTE_OFFSET)->name_size = UINT32_MAX;
	says("it has no PVH entry");
}

static void too_many_segments_are_said(void **state)
{
	Elf64_Ehdr *header = (void *)file;
	Elf64_Phdr *program = (void *)(file + sizeof(*header));

	(void)state;
	make64();
	header->e_phnum = LOAD_SEGMENTS + 1;
	for (unsigned i = 1; i <= LOAD_SEGMENTS; i++)
		program[i] = program[0];
	says("it has too many segments");
}

/* The address sanitizer sees a read beyond a copy of just that size. */
static void no_cut_file_is_read_beyond_its_end(void **state)
{
	(void)state;
	for (unsigned width = 0; width < 2; width++) {
		for (size_t size = 0; size < TEXT_OFFSET + TEXT_SIZE; size++) {
			uint8_t *cut = malloc(size + 1);

			if (width)
				make64();
			else
				make32();
			memcpy(cut + 1, file, size);
			assert_non_null(load_read(cut + 1, size, &image));
			free(cut);
		}
	}
}

static void overlaps_are_seen_at_both_ends(void **state)
{
	(void)state;
	make64();
	check_image();
	assert_false(load_overlaps(&image, 0xff000, 0x1000));
	assert_true(load_overlaps(&image, 0xff000, 0x1001));
	assert_true(load_overlaps(&image, 0x101000, 1));
	assert_true(load_overlaps(&image, 0x102fff, 0x1000));
	assert_false(load_overlaps(&image, 0x103000, 0x1000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_of_both_widths_are_read),
		cmocka_unit_test(what_follows_begins_after_the_headers_of_sections),
		cmocka_unit_test(what_is_no_kernel_is_said),
		cmocka_unit_test(too_many_segments_are_said),
		cmocka_unit_test(no_cut_file_is_read_beyond_its_end),
		cmocka_unit_test(overlaps_are_seen_at_both_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
