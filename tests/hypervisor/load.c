/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the guest's kernel; see load.h. The file is input. */
#include "tests/hypervisor/load.h"

#include <stddef.h>
#include <string.h>

#define ELF_CLASS 4 /* its place in e_ident */
#define ELF_CLASS_32 1
#define ELF_CLASS_64 2
#define PT_LOAD 1
#define PT_NOTE 4
#define NOTE_PHYS32_ENTRY 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
#define PAGE 4096

/* Where the fields of a header are, and how wide: those of 32 bits and of 64 differ. */
struct field {
	uint8_t offset, size;
};

struct layout {
	struct field phoff, shoff, phentsize, phnum, shentsize, shnum;
	struct field type, offset, address, file_size, memory_size; /* of a program header */
};

static const struct layout layout32 = {
	.phoff = { 28, 4 },
	.shoff = { 32, 4 },
	.phentsize = { 42, 2 },
	.phnum = { 44, 2 },
	.shentsize = { 46, 2 },
	.shnum = { 48, 2 },
	.type = { 0, 4 },
	.offset = { 4, 4 },
	.address = { 12, 4 },
	.file_size = { 16, 4 },
	.memory_size = { 20, 4 },
};

static const struct layout layout64 = {
	.phoff = { 32, 8 },
	.shoff = { 40, 8 },
	.phentsize = { 54, 2 },
	.phnum = { 56, 2 },
	.shentsize = { 58, 2 },
	.shnum = { 60, 2 },
	.type = { 0, 4 },
	.offset = { 8, 8 },
	.address = { 24, 8 },
	.file_size = { 32, 8 },
	.memory_size = { 40, 8 },
};

#define HEADER_SIZE 64 /* enough for either */
#define PROGRAM_HEADER_SIZE 56

struct note {
	uint32_t name_size, desc_size, type;
};

struct reader {
	const uint8_t *file;
	uint64_t size;
	const struct layout *layout;
	struct load_image *image;
};

/* Little-endian, as this machine is. */
static uint64_t get(const uint8_t *from, struct field field)
{
	uint64_t value = 0;

	memcpy(&value, from + field.offset, field.size);
	return value;
}

static bool is_inside(const struct reader *reader, uint64_t offset, uint64_t size)
{
	return offset <= reader->size && size <= reader->size - offset;
}

static void reach(struct reader *reader, uint64_t end)
{
	if (end > reader->image->end)
		reader->image->end = end;
}

static const char *read_segment(struct reader *reader, const struct load_segment *segment)
{
	struct load_image *image = reader->image;

	if (image->segments == LOAD_SEGMENTS)
		return "it has too many segments";
	if (segment->file_size > segment->memory_size ||
	    segment->memory_size > UINT64_MAX - segment->address)
		return "a segment of it has a wrong size";
	image->segment[image->segments++] = *segment;
	return NULL;
}

static uint64_t round_up_4(uint64_t size)
{
	return (size + 3) / 4 * 4;
}

static void read_notes(struct reader *reader, uint64_t offset, uint64_t size)
{
	while (size >= sizeof(struct note)) {
		struct note note;
		uint64_t name, desc, whole;

		memcpy(&note, reader->file + offset, sizeof(note));
		name = offset + sizeof(note);
		desc = name + round_up_4(note.name_size);
		whole = desc - offset + round_up_4(note.desc_size);
		if (whole > size)
			return;
		if (note.type == NOTE_PHYS32_ENTRY && note.name_size == 4 &&
		    memcmp(reader->file + name, "Xen", 4) == 0 &&
		    (note.desc_size == 4 || note.desc_size == 8))
			reader->image->entry = get(reader->file + desc,
						   (struct field){ 0, (uint8_t)note.desc_size });
		offset += whole;
		size -= whole;
	}
}

static const char *read_program_header(struct reader *reader, const uint8_t *header)
{
	const struct layout *layout = reader->layout;
	struct load_segment segment = {
		.offset = get(header, layout->offset),
		.file_size = get(header, layout->file_size),
		.address = get(header, layout->address),
		.memory_size = get(header, layout->memory_size),
	};

	if (!is_inside(reader, segment.offset, segment.file_size))
		return "it ends in the middle of a segment";
	reach(reader, segment.offset + segment.file_size);
	if (get(header, layout->type) == PT_NOTE)
		read_notes(reader, segment.offset, segment.file_size);
	if (get(header, layout->type) != PT_LOAD || segment.memory_size == 0)
		return NULL;
	return read_segment(reader, &segment);
}

/* Of the sections only their headers' end matters: they come last in what a linker writes. */
static void reach_sections(struct reader *reader)
{
	uint64_t offset = get(reader->file, reader->layout->shoff);
	uint64_t size = get(reader->file, reader->layout->shentsize) *
			get(reader->file, reader->layout->shnum);

	if (is_inside(reader, offset, size))
		reach(reader, offset + size);
}

static const char *read_headers(struct reader *reader)
{
	uint64_t offset = get(reader->file, reader->layout->phoff);
	uint64_t each = get(reader->file, reader->layout->phentsize);
	uint64_t count = get(reader->file, reader->layout->phnum);
	const char *wrong = NULL;

	if (each < PROGRAM_HEADER_SIZE && reader->layout == &layout64)
		return "its program headers are too short";
	if (!is_inside(reader, offset, each * count + PROGRAM_HEADER_SIZE))
		return "it ends in the middle of its program headers";
	for (uint64_t i = 0; i < count && !wrong; i++)
		wrong = read_program_header(reader, reader->file + offset + i * each);
	if (!wrong && reader->image->entry == 0)
		wrong = "it has no PVH entry";
	return wrong;
}

const char *load_read(const uint8_t *file, uint64_t size, struct load_image *image)
{
	struct reader reader = { .file = file, .size = size, .image = image };
	const char *wrong;

	memset(image, 0, sizeof(*image));
	if (size < HEADER_SIZE || memcmp(file, "\177ELF", 4) != 0)
		return "it is no ELF file";
	if (file[ELF_CLASS] != ELF_CLASS_32 && file[ELF_CLASS] != ELF_CLASS_64)
		return "it is an ELF file neither of 32 bits nor of 64";
	reader.layout = file[ELF_CLASS] == ELF_CLASS_32 ? &layout32 : &layout64;
	wrong = read_headers(&reader);
	if (wrong)
		return wrong;
	reach_sections(&reader);
	image->end = (image->end + PAGE - 1) / PAGE * PAGE;
	return NULL;
}

bool load_overlaps(const struct load_image *image, uint64_t address, uint64_t size)
{
	for (unsigned i = 0; i < image->segments; i++) {
		const struct load_segment *segment = &image->segment[i];

		if (segment->address < address + size &&
		    address < segment->address + segment->memory_size)
			return true;
	}
	return false;
}
