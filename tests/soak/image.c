/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's symbols: where in its memory a guest keeps what only it knows; see soak.h. */
#include "tests/soak/soak.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The address of a symbol in one section; 0: it is not there. */
static uint64_t find_in(Elf *elf, Elf_Scn *section, const char *wanted)
{
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Shdr header;
	GElf_Sym symbol;

	if (!data || !gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
		return 0;
	for (int i = 0; gelf_getsym(data, i, &symbol); i++) {
		const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);

		if (name && strcmp(name, wanted) == 0)
			return symbol.st_value;
	}
	return 0;
}

uint64_t image_symbol(const char *name)
{
	const char *build = getenv("BUILD");
	Elf_Scn *section = NULL;
	uint64_t address = 0;
	char path[256];
	Elf *elf;
	int fd;

	snprintf(path, sizeof(path), "%s/aerostat.elf", build ? build : "build");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	elf_version(EV_CURRENT);
	elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	while (elf && address == 0 && (section = elf_nextscn(elf, section)))
		address = find_in(elf, section, name);
	elf_end(elf);
	if (fd >= 0)
		close(fd);
	if (address == 0) {
		fprintf(stderr, "%s has no symbol '%s'\n", path, name);
		exit(1);
	}
	return address;
}
