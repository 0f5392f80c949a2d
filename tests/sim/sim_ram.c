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

/* Without the address sanitizer, nothing is known to be lent. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
#define __asan_address_is_poisoned(address) ((void)(address), 0)
#endif

#define RAM ((void *)(uintptr_t)SIM_RAM_START)
#define RAM_BYTES (SIM_RAM_FRAMES * FRAME_SIZE)

static void *metadata;

void (*sim_ram_task)(void *arg);

int task_create(const char *name, enum task_priority priority, void (*fn)(void *), void *arg)
{
	(void)name, (void)priority, (void)arg;
	sim_ram_task = fn;
	return 0;
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

	for (pfn_t pfn = SIM_RAM_START / FRAME_SIZE, end = pfn + SIM_RAM_FRAMES; pfn < end; pfn++)
		if (sim_ram_is_lent(pfn))
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
	pfn_t first = SIM_RAM_START / FRAME_SIZE;
	const void *start = (const void *)(uintptr_t)(pfn * FRAME_SIZE);

	if (pfn < first || frames > SIM_RAM_FRAMES || pfn - first > SIM_RAM_FRAMES - frames)
		return;
	if (to_device)
		ASAN_POISON_MEMORY_REGION(start, frames * FRAME_SIZE);
	else
		ASAN_UNPOISON_MEMORY_REGION(start, frames * FRAME_SIZE);
}

bool sim_ram_is_lent(pfn_t pfn)
{
	return __asan_address_is_poisoned((const void *)(uintptr_t)(pfn * FRAME_SIZE));
}
