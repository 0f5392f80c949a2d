/* SPDX-License-Identifier: BSD-2-Clause */
/* The holes in the memory map that PCI may use. */
#include "kernel/pci_windows.h"

#include "arch/cpu.h"
#include "drivers/acpi/acpi.h"

/* Not lower, whatever the memory map leaves out; not up to the IOAPIC. */
#define MEMORY_LOWEST UINT64_C(0x80000000)
#define MEMORY_END UINT64_C(0xfec00000)

#define MEMORY64_SIZE (32 * GIB)

/* Of ranges where memory may come so many are looked at: a table may name any number. */
#define RANGES_MAX 64

/* Above the ports of the chipset. */
#define IO_START 0xc000
#define IO_END 0x10000

#define ECAM_BUS_SHIFT 20

static bool is_sane(const struct boot_memory *m)
{
	return m->size > 0 && m->start + m->size > m->start;
}

/* Raises `top` to the end of [start, start + size) if that ends below `limit`. */
static void pass_by(uint64_t start, uint64_t size, uint64_t limit, uint64_t *top)
{
	if (start + size <= limit && start + size > *top)
		*top = start + size;
}

/* The end of a range that [start, end) touches and where memory may come, or 0. */
static uint64_t end_of_hotplug_range(uint64_t start, uint64_t end)
{
	uint64_t size;
	paddr_t at;

	for (size_t n = 0; n < RANGES_MAX && !acpi_find_hotplug_range(n, &at, &size); n++)
		if (at < end && at + size > start)
			return at + size;
	return 0;
}

/* The end of an entry that [start, end) touches, or 0. */
static uint64_t end_of_obstacle(const struct boot_info *boot, uint64_t start, uint64_t end)
{
	for (uint32_t i = 0; i < boot->memory_count; i++) {
		const struct boot_memory *m = &boot->memory[i];

		if (is_sane(m) && m->start < end && m->start + m->size > start)
			return m->start + m->size;
	}
	return end_of_hotplug_range(start, end);
}

/* The lowest place above 4 GiB with nothing in it; the processor may end before it. */
static uint64_t find_window64(const struct boot_info *boot)
{
	uint64_t start = 4 * GIB;
	uint64_t end;

	while ((end = end_of_obstacle(boot, start, start + MEMORY64_SIZE)) != 0 &&
	       end < UINT64_MAX - 2 * MEMORY64_SIZE)
		start = align_up(end, GIB);
	return start;
}

static uint64_t find_window32(const struct boot_info *boot, paddr_t ecam, uint8_t last_bus)
{
	uint64_t start = MEMORY_LOWEST;

	for (uint32_t i = 0; i < boot->memory_count; i++)
		if (is_sane(&boot->memory[i]))
			pass_by(boot->memory[i].start, boot->memory[i].size, MEMORY_END, &start);
	if (ecam != 0 && ecam < MEMORY_END)
		pass_by(ecam, ((uint64_t)last_bus + 1) << ECAM_BUS_SHIFT, MEMORY_END, &start);
	return align_up(start, MIB);
}

void pci_windows_find(const struct boot_info *boot, paddr_t ecam, uint8_t last_bus,
		      struct pci_windows *windows)
{
	uint64_t high = find_window64(boot);

	*windows = (struct pci_windows){
		.memory_start = find_window32(boot, ecam, last_bus),
		.memory_end = MEMORY_END,
		.memory64_start = high,
		.memory64_end = high + MEMORY64_SIZE,
		.io_start = IO_START,
		.io_end = IO_END,
	};
	if (windows->memory64_end > UINT64_C(1) << cpu_physical_bits())
		windows->memory64_start = windows->memory64_end = 0;
}
