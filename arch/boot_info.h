/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine as the kernel found it. Every way of booting fills this one
 * structure; after that there is one path. It is also the contract between the
 * UEFI loader and the kernel, so it uses fixed-width types only and includes
 * nothing of the kernel.
 *
 * The memory map is the firmware's: unsorted, overlapping, perhaps wrong.
 * mm/memmap.c makes sense of it.
 */
#ifndef ARCH_BOOT_INFO_H
#define ARCH_BOOT_INFO_H

#include <stdint.h>

#define BOOT_MEMORY_MAX 256
#define BOOT_COMMAND_LINE_MAX 4096

/* The types of an E820 map, which PVH uses and the UEFI loader translates to. */
enum boot_memory_type {
	BOOT_MEMORY_RAM = 1,
	BOOT_MEMORY_RESERVED = 2,
	BOOT_MEMORY_ACPI = 3, /* tables; never handed out */
	BOOT_MEMORY_NVS = 4,
	BOOT_MEMORY_UNUSABLE = 5,
};

struct boot_memory {
	uint64_t start; /* physical address, bytes */
	uint64_t size;	/* bytes */
	uint32_t type;	/* enum boot_memory_type, or another number */
	uint32_t pad;
};

struct boot_info {
	char way[16];		   /* "pvh" or "uefi" */
	uint64_t acpi_rsdp;	   /* physical address, or 0 */
	uint32_t memory_count;	   /* entries used below */
	uint32_t memory_dropped;   /* entries for which there was no room */
	uint32_t command_line_cut; /* 1: it was longer */
	uint32_t pad;
	uint64_t module;	   /* physical address of a file that the loader brought */
	uint64_t module_size;	   /* bytes; 0: it brought none */
	struct boot_memory memory[BOOT_MEMORY_MAX];
	char command_line[BOOT_COMMAND_LINE_MAX]; /* with its NUL */
};

_Static_assert(sizeof(struct boot_memory) == 24, "the loader's entries");

#endif
