/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Booted by the PVH protocol (Xen's public/arch-x86/hvm/start_info.h): from
 * QEMU's -kernel, Firecracker, Xen and others.
 */
#include <string.h>

#include "arch/hyperv.h"
#include "arch/paging.h"
#include "arch/x86_64/entry.h"
#include "arch/x86_64/xen_memory_map.h"
#include "arch/xen.h"

#define PVH_MAGIC 0x336ec578

/* What the boot tables (start.S) map. */
#define BOOT_TABLES_END (4 * GIB)

struct pvh_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t modules;      /* all addresses are physical */
	uint64_t command_line; /* or 0 */
	uint64_t rsdp;	       /* or 0 */
	uint64_t memory_map;   /* from version 1 on */
	uint32_t memory_count;
	uint32_t reserved;
};

_Static_assert(sizeof(struct pvh_start_info) == 56, "version 1");

struct pvh_module {
	uint64_t address, size;
	uint64_t command_line; /* or 0 */
	uint64_t reserved;
};

_Static_assert(sizeof(struct pvh_module) == 32, "struct hvm_modlist_entry");

static struct boot_info boot;

static void read_memory_map(const struct pvh_start_info *info)
{
	const struct boot_memory *entry = phys_to_virt(info->memory_map);
	uint32_t count = info->memory_count;

	/* Xen tells its first domain none, but may be asked. */
	if (info->version < 1 || info->memory_map == 0) {
		boot.memory_count = xen_read_memory_map(boot.memory, BOOT_MEMORY_MAX);
		return;
	}
	if (count > BOOT_MEMORY_MAX) {
		boot.memory_dropped = count - BOOT_MEMORY_MAX;
		count = BOOT_MEMORY_MAX;
	}
	/* struct hvm_memmap_table_entry has the layout of struct boot_memory. */
	memcpy(boot.memory, entry, count * sizeof(*entry));
	boot.memory_count = count;
}

/* No more is read than there is room for: what lies there may have no end. */
static void read_command_line(const char *from)
{
	size_t most = sizeof(boot.command_line) - 1;
	size_t length = strnlen(from, most + 1);

	boot.command_line_cut = length > most;
	memcpy(boot.command_line, from, length > most ? most : length);
}

/* The first; there is no use for others, nor for a list that the boot tables do not reach. */
static void read_module(const struct pvh_start_info *info)
{
	const struct pvh_module *module = phys_to_virt(info->modules);

	if (info->module_count == 0 || info->modules == 0 ||
	    info->modules > BOOT_TABLES_END - sizeof(*module))
		return;
	boot.module = module->address;
	boot.module_size = module->size;
}

void pvh_main(const void *start_info)
{
	const struct pvh_start_info *info = start_info;

	if (!xen_find())
		hyperv_find();
	strcpy(boot.way, "pvh");
	if (info->magic == PVH_MAGIC) {
		boot.acpi_rsdp = info->rsdp;
		read_memory_map(info);
		if (info->command_line != 0)
			read_command_line(phys_to_virt(info->command_line));
		read_module(info);
	}
	kernel_main(&boot);
}
