/* SPDX-License-Identifier: BSD-2-Clause */
/* The holes in the memory map that PCI may use. */
#include "kernel/pci_windows.h"

#include "arch/cpu.h"

/* Not lower, whatever the memory map leaves out; not up to the IOAPIC. */
#define MEMORY_LOWEST UINT64_C(0x80000000)
#define MEMORY_END UINT64_C(0xfec00000)

#define MEMORY64_SIZE (32 * GIB)

/* Above the ports of the chipset. */
#define IO_START 0xc000
#define IO_END 0x10000

#define ECAM_BUS_SHIFT 20

/* Raises `top` to the end of [start, start + size) if that ends below `limit`. */
static void pass_by(uint64_t start, uint64_t size, uint64_t limit, uint64_t *top)
{
	if (size > 0 && start + size > start && start + size <= limit && start + size > *top)
		*top = start + size;
}

void pci_windows_find(const struct boot_info *boot, paddr_t ecam, uint8_t last_bus,
		      struct pci_windows *windows)
{
	uint64_t address_end = UINT64_C(1) << cpu_physical_bits();
	uint64_t low = MEMORY_LOWEST;
	uint64_t high = 4 * GIB;

	for (uint32_t i = 0; i < boot->memory_count; i++) {
		const struct boot_memory *m = &boot->memory[i];

		pass_by(m->start, m->size, MEMORY_END, &low);
		pass_by(m->start, m->size, address_end, &high);
	}
	if (ecam != 0)
		pass_by(ecam, ((uint64_t)last_bus + 1) << ECAM_BUS_SHIFT, MEMORY_END, &low);
	high = align_up(high, GIB);
	*windows = (struct pci_windows){
		.memory_start = align_up(low, MIB),
		.memory_end = MEMORY_END,
		.memory64_start = high,
		.memory64_end = high + MEMORY64_SIZE,
		.io_start = IO_START,
		.io_end = IO_END,
	};
	if (windows->memory64_end > address_end)
		windows->memory64_start = windows->memory64_end = 0;
}
