/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of arch/x86_64/efi/handover.c: ELF files with one thing wrong each,
 * load options as shells, boot entries and QEMU hand them over, memory maps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/efi/handover.h"

/* ---- the kernel ---- */

struct test_elf {
	Elf64_Ehdr header;
	Elf64_Phdr segment[3];
	uint8_t code[16];
	uint8_t data[16];
};

static void elf_make(struct test_elf *elf)
{
	memset(elf, 0, sizeof(*elf));
	memcpy(elf->header.e_ident, ELFMAG, SELFMAG);
	elf->header.e_ident[EI_CLASS] = ELFCLASS64;
	elf->header.e_ident[EI_DATA] = ELFDATA2LSB;
	elf->header.e_type = ET_EXEC;
	elf->header.e_machine = EM_X86_64;
	elf->header.e_entry = 0x100010;
	elf->header.e_phoff = offsetof(struct test_elf, segment);
	elf->header.e_phentsize = sizeof(Elf64_Phdr);
	elf->header.e_phnum = 3;
	elf->segment[0] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_offset = offsetof(struct test_elf, code),
		.p_vaddr = 0x100008,
		.p_paddr = 0x100008,
		.p_filesz = 16,
		.p_memsz = 16,
	};
	elf->segment[1] = (Elf64_Phdr){
		.p_type = PT_NOTE,
		.p_paddr = 4,
		.p_memsz = 4,
	};
	elf->segment[2] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W,
		.p_offset = offsetof(struct test_elf, data),
		.p_vaddr = 0x101000,
		.p_paddr = 0x101000,
		.p_filesz = 16,
		.p_memsz = 0x1001,
	};
	memset(elf->code, 0xc0, sizeof(elf->code));
	memset(elf->data, 0xda, sizeof(elf->data));
}

static void a_kernel_is_accepted_and_loaded(void **state)
{
	struct kernel_image image;
	struct test_elf elf;
	uint8_t *memory;

	(void)state;
	elf_make(&elf);
	assert_null(handover_check_kernel(&elf, sizeof(elf), &image));
	assert_int_equal(image.start, 0x100000);
	assert_int_equal(image.end, 0x103000);
	assert_int_equal(image.entry, 0x100010);

	memory = malloc(0x3000);
	assert_non_null(memory);
	memset(memory, 0xff, 0x3000);
	handover_load_kernel(&elf, &image, memory);
	assert_int_equal(memory[7], 0);
	assert_memory_equal(memory + 8, elf.code, 16);
	assert_int_equal(memory[24], 0);
	assert_memory_equal(memory + 0x1000, elf.data, 16);
	for (size_t i = 0x1010; i < 0x3000; i++)
		assert_int_equal(memory[i], 0);
	free(memory);
}

static void every_cut_file_is_refused(void **state)
{
	struct kernel_image image;
	struct test_elf elf;

	(void)state;
	elf_make(&elf);
	for (size_t size = 0; size < sizeof(elf); size++) {
		/* Of exact size, so that the sanitizer sees a read past it. */
		void *copy = malloc(size + (size == 0));

		assert_non_null(copy);
		memcpy(copy, &elf, size);
		assert_non_null(handover_check_kernel(copy, size, &image));
		free(copy);
	}
}

#define REFUSED(statement, reason) \
	do { \
		struct kernel_image image_; \
		struct test_elf elf; \
		const char *error_; \
\
		elf_make(&elf); \
		statement; \
		error_ = handover_check_kernel(&elf, sizeof(elf), &image_); \
		assert_non_null(error_); \
		assert_non_null(strstr(error_, reason)); \
	} while (0)

static void other_files_are_refused(void **state)
{
	(void)state;
	REFUSED(elf.header.e_ident[0] = 'M', "ELF64");
	REFUSED(elf.header.e_ident[EI_CLASS] = ELFCLASS32, "ELF64");
	REFUSED(elf.header.e_ident[EI_DATA] = ELFDATA2MSB, "ELF64");
	REFUSED(elf.header.e_type = ET_DYN, "ELF64");
	REFUSED(elf.header.e_machine = EM_386, "ELF64");
	REFUSED(elf.header.e_phnum = 0, "nothing to load");
	REFUSED(elf.header.e_phentsize = 32, "program headers");
	REFUSED(elf.header.e_phoff = 65, "program headers");
	REFUSED(elf.header.e_phoff = UINT64_MAX - 7, "program headers");
	REFUSED(elf.header.e_phnum = 0xffff, "program headers");
}

static void bad_segments_are_refused(void **state)
{
	(void)state;
	REFUSED(elf.segment[2].p_offset = UINT64_MAX - 8, "not all in");
	REFUSED(elf.segment[2].p_filesz = 17, "not all in");
	REFUSED(elf.segment[0].p_filesz = UINT64_MAX, "not all in");
	REFUSED(elf.segment[0].p_memsz = 15, "larger in the file");
	REFUSED(elf.segment[0].p_vaddr += 8, "physical address");
	REFUSED(elf.segment[0].p_vaddr = elf.segment[0].p_paddr = 0xff000, "below 1 MiB");
	REFUSED(elf.segment[2].p_memsz = UINT64_MAX, "above 4 GiB");
	REFUSED(elf.segment[2].p_memsz = 0xffeff001, "above 4 GiB");
	REFUSED(elf.segment[2].p_vaddr = elf.segment[2].p_paddr = 1ull << 40, "above 4 GiB");
	REFUSED(elf.segment[2].p_vaddr = elf.segment[2].p_paddr = 0x100017, "overlap");
	REFUSED(elf.header.e_entry = 0x100007, "entry");
	REFUSED(elf.header.e_entry = 0x100018, "entry");
	REFUSED(elf.header.e_entry = 0x101000, "entry");
}

/* ---- the command line ---- */

static struct boot_info info;

static void begin_line(void)
{
	memset(info.command_line, 'x', sizeof(info.command_line));
	info.command_line_cut = 0;
}

static void options_give(const char *text, const char *expected)
{
	size_t length = strlen(text);
	uint8_t *options = malloc(2 * length + 1);

	assert_non_null(options);
	for (size_t i = 0; i < length; i++) {
		options[1 + 2 * i] = (uint8_t)text[i];
		options[2 + 2 * i] = 0;
	}
	begin_line();
	handover_set_options(&info, options + 1, 2 * length);
	assert_string_equal(info.command_line, expected);
	assert_int_equal(info.command_line_cut, 0);
	free(options);
}

static void the_name_in_front_is_dropped(void **state)
{
	(void)state;
	options_give("", "");
	options_give("  \t", "");
	options_give("run=\"a.efi b.efi\" c", "run=\"a.efi b.efi\" c");
	options_give("a.efi", "");
	options_give("FS0:\\EFI\\A.EFI  x=1 b.efi ", "x=1 b.efi");
	options_give(" \"fs0:\\my dir\\a.Efi\" x", "x");
	options_give("a.efi.x y", "a.efi.x y");
	options_give("efi y", "efi y");
	options_give("\"", "\"");
}

static void what_is_no_text_is_cleaned_or_dropped(void **state)
{
	static const uint8_t guid[] = {
		0x4e, 0xac, 0x08, 0x81, 0x11, 0x9f, 0x59, 0x4d,
		0x85, 0x0e, 0xe2, 0x1a, 0x52, 0x2c, 0x59, 0xb2,
	};
	static const uint8_t wide[] = { 'a', 0, 'b', 1, 7, 0, '\n', 0, 'c', 0, 'd' };
	static const uint8_t ended[] = { 'a', 0, 0, 0, 'b', 0 };

	(void)state;
	handover_set_options(&info, guid, sizeof(guid));
	assert_string_equal(info.command_line, "");
	handover_set_options(&info, wide, sizeof(wide));
	assert_string_equal(info.command_line, "a?? c");
	handover_set_options(&info, ended, sizeof(ended));
	assert_string_equal(info.command_line, "a");
	info.command_line[0] = '\0';
	assert_false(handover_add_text(&info, "run=\"x\"\r\ny\xc3\xa4\0z", 14));
	handover_end_text(&info);
	assert_string_equal(info.command_line, "run=\"x\"  y??");
}

/* As the loader reads a file, of which no piece may be the last that matters. */
static void add_in_pieces(const char *text, size_t size)
{
	size_t piece = BOOT_COMMAND_LINE_MAX;

	info.command_line[0] = '\0';
	while (size > piece && handover_add_text(&info, text, piece)) {
		text += piece;
		size -= piece;
	}
	handover_add_text(&info, text, size < piece ? size : piece);
	handover_end_text(&info);
}

/* `length` letters and then `rest`, by both ways; the line must be as long, and cut or not. */
static void check_long(size_t length, const char *rest, size_t kept, bool cut)
{
	static char text[2 * BOOT_COMMAND_LINE_MAX], wide[2 * sizeof(text)];
	size_t whole = length + strlen(rest);

	memset(text, 'a', length);
	memcpy(text + length, rest, strlen(rest));
	for (size_t i = 0; i < whole; i++) {
		wide[2 * i] = text[i];
		wide[2 * i + 1] = 0;
	}
	for (int way = 0; way < 2; way++) {
		begin_line();
		if (way == 0)
			add_in_pieces(text, whole);
		else
			handover_set_options(&info, wide, 2 * whole);
		assert_int_equal(strlen(info.command_line), kept);
		assert_int_equal(info.command_line_cut, cut);
	}
}

static void a_long_line_is_cut_and_that_is_noted(void **state)
{
	size_t most = BOOT_COMMAND_LINE_MAX - 1;

	(void)state;
	check_long(most, "", most, false);
	check_long(most + 1, "", most, true);
	check_long(most, " \n ", most, false);
	check_long(most - 2, "   ", most - 2, false);
	check_long(most, " b", most, true);
	/* The blank before the cut shows that the word before it is whole. */
	check_long(most - 1, " b", most, true);
	check_long(2 * BOOT_COMMAND_LINE_MAX - 1, "", most, true);
	/* More than a piece of a file: blanks where the room ends hide no word after them. */
	check_long(most, "                    b", most, true);
	check_long(most - 2, "                    b", most, true);
}

/* ---- the memory map ---- */

static int clear_info(void **state)
{
	(void)state;
	memset(&info, 0, sizeof(info));
	return 0;
}

static void assert_entry(uint32_t i, uint64_t start, uint64_t size)
{
	assert_true(i < info.memory_count);
	assert_true(info.memory[i].start == start);
	assert_true(info.memory[i].size == size);
}

static void neighbours_of_one_type_become_one(void **state)
{
	(void)state;
	handover_add_memory(&info, 0x2000, 1, BOOT_MEMORY_RAM);
	handover_add_memory(&info, 0x3000, 2, BOOT_MEMORY_RAM);
	handover_add_memory(&info, 0x1000, 1, BOOT_MEMORY_RAM);
	handover_add_memory(&info, 0x5000, 1, BOOT_MEMORY_NVS);
	handover_add_memory(&info, 0x7000, 1, BOOT_MEMORY_RAM);
	handover_add_memory(&info, 0x5000, 0, BOOT_MEMORY_RAM);
	assert_int_equal(info.memory_count, 3);
	assert_entry(0, 0x1000, 0x4000);
	assert_entry(1, 0x5000, 0x1000);
	assert_entry(2, 0x7000, 0x1000);
	assert_int_equal(info.memory[1].type, BOOT_MEMORY_NVS);
}

static void a_range_ends_with_the_addresses(void **state)
{
	(void)state;
	handover_add_memory(&info, 0, UINT64_MAX, BOOT_MEMORY_RESERVED);
	handover_add_memory(&info, 0x1000, 1ull << 52, BOOT_MEMORY_NVS);
	handover_add_memory(&info, UINT64_MAX, 1, BOOT_MEMORY_RAM);
	assert_int_equal(info.memory_count, 2);
	assert_entry(0, 0, UINT64_MAX);
	assert_entry(1, 0x1000, UINT64_MAX - 0x1000);
}

static void what_has_no_room_is_counted(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < BOOT_MEMORY_MAX + 3; i++)
		handover_add_memory(&info, i * 0x2000, 1, BOOT_MEMORY_RAM);
	assert_int_equal(info.memory_count, BOOT_MEMORY_MAX);
	assert_int_equal(info.memory_dropped, 3);
	handover_add_memory(&info, 0x1000, 1, BOOT_MEMORY_RAM);
	assert_int_equal(info.memory_dropped, 3);
}

int main(void)
{
	const struct CMUnitTest kernel[] = {
		cmocka_unit_test(a_kernel_is_accepted_and_loaded),
		cmocka_unit_test(every_cut_file_is_refused),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(bad_segments_are_refused),
	};
	const struct CMUnitTest command_line[] = {
		cmocka_unit_test(the_name_in_front_is_dropped),
		cmocka_unit_test(what_is_no_text_is_cleaned_or_dropped),
		cmocka_unit_test(a_long_line_is_cut_and_that_is_noted),
	};
	const struct CMUnitTest memory[] = {
		cmocka_unit_test_setup(neighbours_of_one_type_become_one, clear_info),
		cmocka_unit_test_setup(a_range_ends_with_the_addresses, clear_info),
		cmocka_unit_test_setup(what_has_no_room_is_counted, clear_info),
	};

	return cmocka_run_group_tests(kernel, NULL, NULL) +
	       cmocka_run_group_tests(command_line, NULL, NULL) +
	       cmocka_run_group_tests(memory, NULL, NULL);
}
