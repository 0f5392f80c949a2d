/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is a dump, of which everything is read that `balloonctl dump` reads.
 * Seeds are the parts of real dumps that matter, without the memory in between.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "tools/core.h"
#include "tools/events_dump.h"
#include "tools/frame_dump.h"

static void read_frames(const struct frame_dump_reader *dump)
{
	/* Of the seeds; the frames of regions last. */
	static const pfn_t frames[] = {
		0,	  0x100,       0x123,	    0x5ff,	 0x100000,
		PFN_NONE, 0x200001000, 0x200001207, 0x200001400, 0x20001d0ff
	};
	char error[CORE_ERROR_MAX];
	struct mem_figures figures;
	const char *name;

	frame_dump_figures(dump, &figures, error);
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
		frame_dump_owner(dump, frames[i], &name, error);
}

/* What it prints is thrown away, but must be printable. */
static void read_events(const struct core *core)
{
	struct events_dump_reader *dump;
	char error[CORE_ERROR_MAX];
	FILE *real = stdout;
	size_t length;
	char *text;

	if (events_dump_open(core, &dump, error))
		return;
	stdout = open_memstream(&text, &length);
	if (!stdout)
		abort();
	events_dump_print(dump);
	events_dump_print_json(dump);
	fclose(stdout);
	stdout = real;
	for (size_t i = 0; i < length; i++)
		fuzz_require(text[i] == '\n' || (text[i] >= 0x20 && text[i] < 0x7f),
			     "what is printed would steer a terminal");
	free(text);
	events_dump_close(dump);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("core", MFD_CLOEXEC);
	struct frame_dump_reader *dump;
	char error[CORE_ERROR_MAX], path[32];
	struct core *core;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (core_open(path, &core, error)) {
		close(fd);
		return 0;
	}
	if (!frame_dump_open(core, &dump, error)) {
		read_frames(dump);
		frame_dump_close(dump);
	}
	read_events(core);
	core_close(core);
	close(fd);
	return 0;
}
