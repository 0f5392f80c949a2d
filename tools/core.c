/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a machine's memory dump: see core.h. libelf takes the headers apart; they
 * are checked against the file before they are used.
 */
#include "tools/core.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gelf.h>

struct segment {
	uint64_t paddr;
	uint64_t size;
	uint64_t offset; /* in the file */
};

struct core {
	core_reader read; /* NULL: a file */
	void *context;
	int fd;
	size_t count;
	struct segment *segment; /* sorted by paddr, disjoint */
};

__attribute__((format(printf, 3, 4))) static int fail(char error[CORE_ERROR_MAX], int err,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, CORE_ERROR_MAX, format, args);
	va_end(args);
	return err;
}

static int compare_segments(const void *left, const void *right)
{
	const struct segment *a = left, *b = right;

	return (a->paddr > b->paddr) - (a->paddr < b->paddr);
}

/* Keeps a segment of memory that lies in the file as a whole. */
static int add_segment(struct core *core, const GElf_Phdr *header, uint64_t file_size,
		       char error[CORE_ERROR_MAX])
{
	if (header->p_type != PT_LOAD || header->p_filesz == 0)
		return 0;
	if (header->p_offset > file_size || header->p_filesz > file_size - header->p_offset)
		return fail(error, -EINVAL,
			    "cut off: its headers speak of memory at %" PRIu64 ", %" PRIu64
			    " bytes long, but the file ends at %" PRIu64,
			    header->p_offset, header->p_filesz, file_size);
	if (header->p_paddr > UINT64_MAX - header->p_filesz)
		return fail(error, -EINVAL,
			    "damaged: memory at %#" PRIx64 " is said to have %" PRIu64 " bytes",
			    header->p_paddr, header->p_filesz);
	core->segment[core->count++] = (struct segment){ header->p_paddr, header->p_filesz,
							 header->p_offset };
	return 0;
}

/* Sorted, the segments must not overlap; those of a process's core all begin at 0. */
static int check_segments(struct core *core, char error[CORE_ERROR_MAX])
{
	if (core->count == 0)
		return fail(error, -EINVAL,
			    "an ELF core without memory in it; QMP's dump-guest-memory makes one "
			    "with");
	qsort(core->segment, core->count, sizeof(*core->segment), compare_segments);
	for (size_t i = 1; i < core->count; i++)
		if (core->segment[i].paddr - core->segment[i - 1].paddr < core->segment[i - 1].size)
			return fail(error, -EINVAL,
				    "no dump of a machine: physical address %#" PRIx64
				    " is in it twice; QMP's dump-guest-memory makes one, "
				    "with paging false",
				    core->segment[i].paddr);
	return 0;
}

static int read_segments(struct core *core, Elf *elf, char error[CORE_ERROR_MAX])
{
	uint64_t file_size;
	struct stat st;
	size_t count;
	int err = 0;

	if (fstat(core->fd, &st))
		return fail(error, -errno, "%s", strerror(errno));
	file_size = (uint64_t)st.st_size;
	if (elf_getphdrnum(elf, &count))
		return fail(error, -EINVAL, "cut off or damaged: %s", elf_errmsg(-1));
	if (count > CORE_SEGMENTS_MAX)
		return fail(error, -EINVAL, "damaged: %zu program headers", count);
	core->segment = calloc(count + 1, sizeof(*core->segment));
	if (!core->segment)
		return fail(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < count && !err; i++) {
		GElf_Phdr header;

		if (!gelf_getphdr(elf, (int)i, &header))
			return fail(error, -EINVAL, "cut off or damaged: %s", elf_errmsg(-1));
		err = add_segment(core, &header, file_size, error);
	}
	return err ? err : check_segments(core, error);
}

static int read_headers(struct core *core, Elf *elf, char error[CORE_ERROR_MAX])
{
	GElf_Ehdr header;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header))
		return fail(error, -EINVAL,
			    "no ELF file; QMP's dump-guest-memory makes a core that can be read");
	if (gelf_getclass(elf) != ELFCLASS64 || header.e_machine != EM_X86_64)
		return fail(error, -EINVAL, "no core of an x86 machine in 64-bit mode");
	if (header.e_type != ET_CORE)
		return fail(error, -EINVAL,
			    "an ELF file, but no core; QMP's dump-guest-memory makes one");
	return read_segments(core, elf, error);
}

static int read_elf(struct core *core, char error[CORE_ERROR_MAX])
{
	Elf *elf;
	int err;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return fail(error, -EINVAL, "libelf is too old: %s", elf_errmsg(-1));
	elf = elf_begin(core->fd, ELF_C_READ, NULL);
	if (!elf)
		return fail(error, -EINVAL, "no ELF file: %s", elf_errmsg(-1));
	err = read_headers(core, elf, error);
	elf_end(elf);
	return err;
}

/* The file belongs to the core from now on, also on failure. */
static int attach(int fd, struct core **out, char error[CORE_ERROR_MAX])
{
	struct core *core = calloc(1, sizeof(*core));
	struct stat st;
	int err;

	if (!core) {
		close(fd);
		return fail(error, -ENOMEM, "out of memory");
	}
	core->fd = fd;
	if (fstat(fd, &st))
		err = fail(error, -errno, "%s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		err = fail(error, -EINVAL, "no regular file");
	else if (st.st_size == 0)
		err = fail(error, -EINVAL, "empty");
	else
		err = read_elf(core, error);
	if (err)
		core_close(core);
	else
		*out = core;
	return err;
}

int core_open(const char *path, struct core **core, char error[CORE_ERROR_MAX])
{
	/* Without O_NONBLOCK a pipe would be waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return fail(error, -errno, "%s", strerror(errno));
	return attach(fd, core, error);
}

int core_open_reader(core_reader read, void *context, struct core **out)
{
	struct core *core = calloc(1, sizeof(*core));

	assert(read);
	if (!core)
		return -ENOMEM;
	core->read = read;
	core->context = context;
	core->fd = -1;
	*out = core;
	return 0;
}

void core_close(struct core *core)
{
	if (!core)
		return;
	if (core->fd >= 0)
		close(core->fd);
	free(core->segment);
	free(core);
}

/* The segment that holds an address, or NULL. */
static const struct segment *find_segment(const struct core *core, uint64_t paddr)
{
	size_t low = 1, high = core->count;

	/*
	 * Those below `low` begin at or before the address, those from `high` on after it.
	 * Where the very first begins after it, the distance is more than any size.
	 */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (core->segment[middle].paddr <= paddr)
			low = middle + 1;
		else
			high = middle;
	}
	if (paddr - core->segment[low - 1].paddr >= core->segment[low - 1].size)
		return NULL;
	return &core->segment[low - 1];
}

static int read_file(int fd, uint64_t offset, uint8_t *to, size_t size)
{
	while (size > 0) {
		ssize_t n = pread(fd, to, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) /* checked at the beginning: the file has been cut since */
			return -EIO;
		offset += (size_t)n;
		to += n;
		size -= (size_t)n;
	}
	return 0;
}

int core_read(const struct core *core, uint64_t paddr, void *to, size_t size)
{
	uint8_t *at = to;

	if (core->read)
		return core->read(core->context, paddr, to, size);
	while (size > 0) {
		const struct segment *segment = find_segment(core, paddr);
		uint64_t skip;
		size_t part;
		int err;

		if (!segment)
			return -EFAULT;
		skip = paddr - segment->paddr;
		part = segment->size - skip < size ? (size_t)(segment->size - skip) : size;
		assert(part > 0);
		err = read_file(core->fd, segment->offset + skip, at, part);
		if (err)
			return err;
		at += part;
		paddr += part;
		size -= part;
	}
	return 0;
}
