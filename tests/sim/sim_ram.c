/* SPDX-License-Identifier: BSD-2-Clause */
/* RAM and the kernel around a driver, for host tests; see sim_ram.h. */
#include "tests/sim/sim_ram.h"

#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/lib/panic.h"
#include "kernel/task/task.h"
#include "tests/sim/sim_bits.h"

#define RAM ((void *)(uintptr_t)SIM_RAM_START)
#define RAM_BYTES (SIM_RAM_FRAMES * FRAME_SIZE)
#define FIRST (SIM_RAM_START / FRAME_SIZE)

static void *metadata;
static uint8_t lent[SIM_RAM_FRAMES / 8]; /* a bit a frame, from FIRST on */

void (*sim_ram_task)(void *arg);
int sim_ram_task_err;
void (*sim_ram_on_task)(void);

/* Unless the program has real tasks. */
__attribute__((weak)) int task_create(const char *name, enum task_priority priority,
				      void (*fn)(void *), void *arg)
{
	(void)name, (void)priority, (void)arg;
	sim_ram_task = fn;
	if (sim_ram_on_task)
		sim_ram_on_task();
	return sim_ram_task_err;
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	abort();
}

int sim_ram_reserve(void)
{
	void *ram = mmap(RAM, RAM_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	return ram == RAM ? 0 : -1;
}

void sim_ram_start(const struct memmap *map)
{
	size_t bytes = align_up(frame_init_bytes(map), 64);

	for (pfn_t pfn = sim_ram_next_lent(FIRST); pfn != PFN_NONE;
	     pfn = sim_ram_next_lent(pfn + 1))
		sim_ram_lend(pfn, 1, false);
	madvise(RAM, RAM_BYTES, MADV_DONTNEED);
	metadata = aligned_alloc(64, bytes);
	memset(metadata, 0xa5, bytes);
	frame_init(map, metadata);
}

void sim_ram_start_all(void)
{
	const struct memmap map = { .count = 1,
				    .range = { SIM_RAM_RANGE },
				    .frames = SIM_RAM_FRAMES };

	sim_ram_start(&map);
}

void sim_ram_stop(void)
{
	free(metadata);
	metadata = NULL;
}

void sim_ram_lend(pfn_t pfn, uint64_t frames, bool to_device)
{
	const void *start = (const void *)(uintptr_t)(pfn * FRAME_SIZE);

	if (pfn < FIRST || frames > SIM_RAM_FRAMES || pfn - FIRST > SIM_RAM_FRAMES - frames)
		return;
	sim_bits_set_range(lent, pfn - FIRST, pfn - FIRST + frames, to_device);
	if (to_device)
		ASAN_POISON_MEMORY_REGION(start, frames * FRAME_SIZE);
	else
		ASAN_UNPOISON_MEMORY_REGION(start, frames * FRAME_SIZE);
}

bool sim_ram_is_lent(pfn_t pfn)
{
	return pfn >= FIRST && pfn - FIRST < SIM_RAM_FRAMES && sim_bits_test(lent, pfn - FIRST);
}

pfn_t sim_ram_next_lent(pfn_t from)
{
	uint64_t next = sim_bits_next(lent, from > FIRST ? from - FIRST : 0, SIM_RAM_FRAMES);

	return next < SIM_RAM_FRAMES ? FIRST + next : PFN_NONE;
}
