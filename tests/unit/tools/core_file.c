/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes a small ELF core as QEMU would: see core_file.h. */
#include "tests/unit/tools/core_file.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

size_t core_file_header(size_t i)
{
	return sizeof(Elf64_Ehdr) + i * sizeof(Elf64_Phdr);
}

static void put(int fd, const void *data, size_t size, size_t at)
{
	assert_int_equal(pwrite(fd, data, size, (off_t)at), size);
}

static void put_header(int fd, size_t headers)
{
	Elf64_Ehdr header = {
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(header),
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)headers,
	};

	memcpy(header.e_ident, ELFMAG, SELFMAG);
	header.e_ident[EI_CLASS] = ELFCLASS64;
	header.e_ident[EI_DATA] = ELFDATA2LSB;
	header.e_ident[EI_VERSION] = EV_CURRENT;
	put(fd, &header, sizeof(header), 0);
}

int core_file_make(const struct core_piece *pieces, size_t count)
{
	static const char note[16] = "a note";
	int fd = memfd_create("core", MFD_CLOEXEC);
	size_t at = core_file_header(count + 1);
	Elf64_Phdr segment = { .p_type = PT_NOTE, .p_offset = at, .p_filesz = sizeof(note) };

	assert_true(fd >= 0);
	put_header(fd, count + 1);
	put(fd, &segment, sizeof(segment), core_file_header(0));
	put(fd, note, sizeof(note), at);
	at += sizeof(note);
	for (size_t i = 0; i < count; i++) {
		segment = (Elf64_Phdr){
			.p_type = PT_LOAD,
			.p_offset = at,
			.p_paddr = pieces[i].paddr,
			.p_filesz = pieces[i].size,
			.p_memsz = pieces[i].size,
		};
		put(fd, &segment, sizeof(segment), core_file_header(i + 1));
		put(fd, pieces[i].data, pieces[i].size, at);
		at += pieces[i].size;
	}
	return fd;
}

int core_file_open(int fd, struct core **core, char error[CORE_ERROR_MAX])
{
	char path[32];
	int err;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = core_open(path, core, error);
	close(fd);
	return err;
}
