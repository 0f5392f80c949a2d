/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where memory of slots may be. The SRAT names a range for all of it, which is announced at
 * boot. Without one, memory that is there at boot is announced as it is found, and what
 * comes later if it lies above all that is known.
 */
#include <inttypes.h>

#include "drivers/acpi/acpi.h"
#include "drivers/mem/dimm_internal.h"
#include "drivers/mem/mem_events.h"
#include "drivers/mem/mem_source.h"
#include "kernel/lib/log.h"
#include "kernel/lib/parse.h"
#include "mm/memory_region.h"

/* A machine names one range; a table may name any number. So many are looked at, and used. */
#define RANGES_MAX 64
#define WINDOWS_MAX 8

/* Of a larger one no table is true: its books alone would take 32 MiB. */
#define WINDOW_BYTES_MAX (16 * 1024 * GIB)

static bool has_window;

static const char *announce(pfn_t start, size_t blocks)
{
	const char *why = mem_source_announce(start, blocks);

	if (!why)
		mem_event(MEM_EVENT_ANNOUNCED, start, blocks * BLOCK_FRAMES);
	return why;
}

static void announce_window(paddr_t address, uint64_t size)
{
	paddr_t start = align_up(address, BLOCK_SIZE);
	paddr_t end = align_down(address + size, BLOCK_SIZE);
	const char *why;

	/* Close to the end of all addresses the first may be 0. */
	if (start < address || start >= end)
		return;
	why = end - start > WINDOW_BYTES_MAX
		      ? "that is more than 16 TiB"
		      : announce(paddr_to_pfn(start), (size_t)((end - start) / BLOCK_SIZE));
	if (why)
		log_warn("acpi: SRAT: memory that comes at %#" PRIx64 " to %#" PRIx64
			 " could not be used: %s",
			 start, end, why);
	else
		has_window = true;
}

/* Finds the lowest range that begins at or above `from`; false: there is none. */
static bool find_lowest(paddr_t from, paddr_t *start, uint64_t *size)
{
	uint64_t bytes;
	paddr_t at;

	*start = UINT64_MAX;
	for (size_t n = 0; n < RANGES_MAX && !acpi_find_hotplug_range(n, &at, &bytes); n++) {
		if (at < from || at >= *start)
			continue;
		*start = at;
		*size = bytes;
	}
	return *start != UINT64_MAX;
}

void dimm_announce_windows(void)
{
	paddr_t from = 0, start;
	uint64_t size = 0;

	has_window = false;
	for (unsigned i = 0; i < WINDOWS_MAX && find_lowest(from, &start, &size); i++) {
		announce_window(start, size);
		from = start + size;
	}
}

/* What cannot be true, or cannot be used, wherever it lies. */
static const char *check_shape(const struct acpi_memory_slot *slot)
{
	if (slot->size < BLOCK_SIZE)
		return "a block has 2 MiB";
	if (slot->address % BLOCK_SIZE != 0)
		return "its address is no multiple of 2 MiB";
	if (slot->size > WINDOW_BYTES_MAX || slot->size > UINT64_MAX - slot->address)
		return "no memory has that size";
	return NULL;
}

const char *dimm_plug(const struct acpi_memory_slot *slot, pfn_t *start, size_t *blocks)
{
	const char *why = check_shape(slot);

	if (why)
		return why;
	*start = paddr_to_pfn(slot->address);
	*blocks = (size_t)(slot->size / BLOCK_SIZE);
	if (mem_source_at(*start, *blocks))
		return "other memory that comes and goes lies there";
	if (!has_window && !frame_region_contains(*start, *blocks))
		why = announce(*start, *blocks);
	if (why)
		return why;
	return memory_region_plug(*start, *blocks)
		       ? "it lies outside of what the firmware (SRAT) has announced"
		       : NULL;
}
