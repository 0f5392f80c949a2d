/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decisions of the UEFI loader: whether the carried file is a kernel and where
 * it goes, the command line, the memory map. System V ABI (ELF-64), UEFI 2.10, 7.2
 * and 9.1. Must not call the firmware.
 *
 * The kernel that is carried was built with the loader, but a wrong linker
 * script must end in a message and not in a write over the firmware.
 */
#include <elf.h>
#include <stdbool.h>
#include <string.h>

#include "arch/x86_64/efi/handover.h"

/* Memory below this is used by the firmware, or was by the old BIOS. */
#define KERNEL_LOWEST 0x100000ull
/* Pointers in the kernel's first instructions have 32 bits. */
#define KERNEL_LIMIT 0x100000000ull

/* ---- the kernel ---- */

static bool elf_is_ours(const Elf64_Ehdr *header)
{
	return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
	       header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
	       header->e_type == ET_EXEC && header->e_machine == EM_X86_64;
}

static bool elf_has_headers(const Elf64_Ehdr *header, size_t size)
{
	return header->e_phentsize == sizeof(Elf64_Phdr) &&
	       header->e_phoff % _Alignof(Elf64_Phdr) == 0 && header->e_phoff <= size &&
	       header->e_phnum <= (size - header->e_phoff) / sizeof(Elf64_Phdr);
}

static const Elf64_Phdr *elf_segments(const Elf64_Ehdr *header)
{
	return (const void *)((const char *)header + header->e_phoff);
}

static bool segment_is_loaded(const Elf64_Phdr *segment)
{
	return segment->p_type == PT_LOAD && segment->p_memsz != 0;
}

/* Returns NULL, or what is wrong. `lowest`: where the segment before this one ended. */
static const char *segment_check(const Elf64_Phdr *segment, size_t size, uint64_t lowest)
{
	if (segment->p_offset > size || segment->p_filesz > size - segment->p_offset)
		return "a segment is not all in the file";
	if (segment->p_filesz > segment->p_memsz)
		return "a segment is larger in the file than in memory";
	if (segment->p_paddr != segment->p_vaddr)
		return "a segment's physical address is not its virtual one";
	if (segment->p_paddr < KERNEL_LOWEST || segment->p_paddr > KERNEL_LIMIT ||
	    segment->p_memsz > KERNEL_LIMIT - segment->p_paddr)
		return "a segment lies below 1 MiB or above 4 GiB";
	/* ELF requires ascending addresses; this finds overlaps, too. */
	if (segment->p_paddr < lowest)
		return "its segments overlap or are not in order";
	return NULL;
}

static bool segment_has_code(const Elf64_Phdr *segment, uint64_t address)
{
	return (segment->p_flags & PF_X) && address >= segment->p_paddr &&
	       address - segment->p_paddr < segment->p_filesz;
}

const char *handover_check_kernel(const void *elf, size_t size, struct kernel_image *image)
{
	const Elf64_Ehdr *header = elf;
	const Elf64_Phdr *segment;
	uint64_t start = 0;
	uint64_t end = 0;
	bool entry_found = false;

	if (size < sizeof(*header))
		return "it is shorter than an ELF header";
	if (!elf_is_ours(header))
		return "it is no static ELF64 program for x86_64";
	if (!elf_has_headers(header, size))
		return "its program headers are not all in the file";

	segment = elf_segments(header);
	for (unsigned i = 0; i < header->e_phnum; i++, segment++) {
		const char *error;

		if (!segment_is_loaded(segment))
			continue;
		error = segment_check(segment, size, end);
		if (error)
			return error;
		if (end == 0)
			start = segment->p_paddr;
		end = segment->p_paddr + segment->p_memsz;
		if (segment_has_code(segment, header->e_entry))
			entry_found = true;
	}
	if (end == 0)
		return "it has nothing to load";
	if (!entry_found)
		return "its entry is not in its code";

	image->start = start & ~(KERNEL_PAGE_SIZE - 1ull);
	image->end = (end + KERNEL_PAGE_SIZE - 1) & ~(KERNEL_PAGE_SIZE - 1ull);
	image->entry = header->e_entry;
	return NULL;
}

void handover_load_kernel(const void *elf, const struct kernel_image *image, void *memory)
{
	const Elf64_Ehdr *header = elf;
	const Elf64_Phdr *segment = elf_segments(header);

	memset(memory, 0, image->end - image->start);
	for (unsigned i = 0; i < header->e_phnum; i++, segment++) {
		if (segment_is_loaded(segment))
			memcpy((char *)memory + segment->p_paddr - image->start,
			       (const char *)elf + segment->p_offset, segment->p_filesz);
	}
}

/* ---- the command line ---- */

static bool is_blank(unsigned c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_printable(unsigned c)
{
	return c >= ' ' && c <= '~';
}

static char clean(unsigned c)
{
	if (is_blank(c))
		return ' ';
	return is_printable(c) ? (char)c : '?';
}

/* A line that grows: `length` bytes of it are there. */
static void add_character(struct boot_info *info, size_t *length, unsigned c)
{
	if (*length < BOOT_COMMAND_LINE_MAX - 1)
		info->command_line[(*length)++] = clean(c);
	else if (!is_blank(c))
		info->command_line_cut = 1;
}

/* Ends the line at `length`, without trailing blanks. */
static void finish_line(struct boot_info *info, size_t length)
{
	/* Those before a cut show that the last word is whole. */
	while (!info->command_line_cut && length > 0 && info->command_line[length - 1] == ' ')
		length--;
	info->command_line[length] = '\0';
}

/* UCS-2 of unknown alignment: a boot entry's options follow odd-sized data. */
static unsigned unit_at(const unsigned char *options, size_t i)
{
	return options[2 * i] | (unsigned)options[2 * i + 1] << 8;
}

static size_t skip_blanks(const unsigned char *options, size_t i, size_t count)
{
	while (i < count && is_blank(unit_at(options, i)))
		i++;
	return i;
}

/* The end of the word at `i`; the shell puts a name with blanks in quotes. */
static size_t skip_word(const unsigned char *options, size_t i, size_t count)
{
	bool quoted = false;

	for (; i < count; i++) {
		if (unit_at(options, i) == '"')
			quoted = !quoted;
		else if (!quoted && is_blank(unit_at(options, i)))
			break;
	}
	return i;
}

static bool ends_in_efi(const unsigned char *options, size_t start, size_t end)
{
	static const char suffix[] = ".efi";
	size_t length = sizeof(suffix) - 1;

	/* Quoted as a whole: run="boot a.efi" is no name. */
	if (end > start && unit_at(options, start) == '"')
		end--;
	if (end - start < length)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned c = unit_at(options, end - length + i);

		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		if (c != (unsigned)suffix[i])
			return false;
	}
	return true;
}

void handover_set_options(struct boot_info *info, const void *options, size_t size)
{
	const unsigned char *units = options;
	size_t count = 0;
	size_t length = 0;
	size_t start;
	size_t end;

	while (count < size / 2 && unit_at(units, count) != 0)
		count++;
	start = skip_blanks(units, 0, count);
	if (start < count && !is_printable(unit_at(units, start)))
		start = count; /* a GUID or the like, for the firmware's use */
	end = skip_word(units, start, count);
	if (ends_in_efi(units, start, end))
		start = skip_blanks(units, end, count);

	while (start < count)
		add_character(info, &length, unit_at(units, start++));
	finish_line(info, length);
}

/* The loader has no C library. */
static size_t line_length(const struct boot_info *info)
{
	size_t length = 0;

	while (info->command_line[length] != '\0')
		length++;
	return length;
}

bool handover_add_text(struct boot_info *info, const char *text, size_t size)
{
	size_t length = line_length(info);
	size_t i = 0;

	while (i < size && text[i] != '\0' && !info->command_line_cut)
		add_character(info, &length, (unsigned char)text[i++]);
	info->command_line[length] = '\0';
	return i == size && !info->command_line_cut;
}

void handover_end_text(struct boot_info *info)
{
	finish_line(info, line_length(info));
}

/* ---- the memory map ---- */

/* Tells whether the range could be joined to this entry. Ends do not wrap: see below. */
static bool memory_merge(struct boot_memory *entry, uint64_t start, uint64_t size, uint32_t type)
{
	if (entry->type != type)
		return false;
	if (entry->start + entry->size == start) {
		entry->size += size;
		return true;
	}
	if (start + size == entry->start) {
		entry->start = start;
		entry->size += size;
		return true;
	}
	return false;
}

void handover_add_memory(struct boot_info *info, uint64_t start, uint64_t pages, uint32_t type)
{
	uint64_t room = UINT64_MAX - start;
	uint64_t size;

	size = pages > room / KERNEL_PAGE_SIZE ? room : pages * KERNEL_PAGE_SIZE;
	if (size == 0)
		return;
	/* Backwards: most maps ascend, and the neighbour is the last entry. */
	for (uint32_t i = info->memory_count; i > 0; i--) {
		if (memory_merge(&info->memory[i - 1], start, size, type))
			return;
	}
	if (info->memory_count == BOOT_MEMORY_MAX) {
		info->memory_dropped++;
		return;
	}
	info->memory[info->memory_count++] = (struct boot_memory){
		.start = start,
		.size = size,
		.type = type,
	};
}
