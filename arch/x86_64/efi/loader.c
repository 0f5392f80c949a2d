/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UEFI way of booting: an application that carries the kernel's ELF file,
 * puts it where it was linked for, fills a struct boot_info, leaves the boot
 * services and calls the kernel. UEFI 2.10, chapters 7 and 9.
 *
 * The kernel starts on the firmware's identity page tables, in memory that
 * its boot_info calls RAM, with interrupts off. It must have tables of its
 * own before it hands out the first frame.
 *
 * Nothing is printed if all goes well: a line costs milliseconds on a serial
 * console. Nothing is written to the kernel's place before everything is checked.
 */
#include <efi.h>
#include <stdbool.h>
#include <string.h>

#include "arch/boot_info.h"
#include "arch/io.h"
#include "arch/platform.h"
#include "arch/x86_64/cpu_needs.h"
#include "arch/x86_64/efi/handover.h"

/* A timer's handler may allocate and make the key stale: try again, a few times. */
#define EXIT_ATTEMPTS 8

/* The map grows when the buffer for it is allocated, by an entry or two. */
#define MEMORY_MAP_SLACK 4096

struct memory_map {
	UINT8 *descriptors;
	UINTN room; /* bytes */
	UINTN size; /* bytes used */
	UINTN key;
	UINTN stride; /* from one descriptor to the next: 48, not 40 */
};

/* payload.S */
extern const UINT8 payload_start[] __attribute__((visibility("hidden")));
extern const UINT8 payload_end[] __attribute__((visibility("hidden")));

/* Called by gnu-efi's start code. */
EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *table);

static EFI_SYSTEM_TABLE *system_table;
static EFI_BOOT_SERVICES *boot_services;

/* ---- functions that a C compiler may call by itself ---- */

void *memset(void *to, int value, size_t size)
{
	void *start = to;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
	return start;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	void *start = to;

	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
	return start;
}

int memcmp(const void *left, const void *right, size_t size)
{
	const unsigned char *a = left;
	const unsigned char *b = right;

	for (size_t i = 0; i < size; i++) {
		if (a[i] != b[i])
			return a[i] - b[i];
	}
	return 0;
}

/* ---- the console ---- */

static void print(const char *text)
{
	CHAR16 line[128];
	UINTN length = 0;

	if (!system_table->ConOut)
		return;
	while (*text != '\0' && length < sizeof(line) / sizeof(line[0]) - 1)
		line[length++] = (unsigned char)*text++;
	line[length] = 0;
	system_table->ConOut->OutputString(system_table->ConOut, line);
}

static void print_hex(UINT64 value)
{
	char text[19];
	unsigned i = sizeof(text) - 1;

	text[i] = '\0';
	do {
		text[--i] = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value != 0);
	text[--i] = 'x';
	text[--i] = '0';
	print(text + i);
}

/* `status`: the firmware's answer, or EFI_SUCCESS if it was not asked. */
static EFI_STATUS fail(const char *what, EFI_STATUS status)
{
	print("aerostat: ");
	print(what);
	if (status != EFI_SUCCESS) {
		print(" (EFI status ");
		print_hex(status);
		print(")");
	}
	print("\r\n");
	return EFI_LOAD_ERROR;
}

/* ---- the processor ---- */

/*
 * Ends the machine, with a status where it has isa-debug-exit, if the processor lacks
 * something: the next entry of a boot menu would not help.
 */
static EFI_STATUS check_processor(void)
{
	const char *missing = cpu_needs_missing(cpuid_read);

	if (!missing)
		return EFI_SUCCESS;
	print(CPU_NEEDS_BEFORE);
	print(missing);
	print(CPU_NEEDS_AFTER CPU_NEEDS_END);
	io_write32(PORT_DEBUG_EXIT, CPU_NEEDS_STATUS);
	system_table->RuntimeServices->ResetSystem(EfiResetShutdown, EFI_UNSUPPORTED, 0, NULL);
	return EFI_UNSUPPORTED;
}

/* ---- the kernel and its boot_info ---- */

/*
 * Takes the kernel's pages from the firmware and fills them. The pages are of
 * type "code", because firmware may make data not executable.
 */
static EFI_STATUS place_kernel(struct kernel_image *image)
{
	size_t size = (size_t)(payload_end - payload_start);
	EFI_PHYSICAL_ADDRESS address;
	EFI_STATUS status;
	const char *error;

	error = handover_check_kernel(payload_start, size, image);
	if (error) {
		print("aerostat: the carried kernel cannot be used: ");
		print(error);
		print("\r\n");
		return EFI_LOAD_ERROR;
	}
	address = image->start;
	status = boot_services->AllocatePages(AllocateAddress, EfiLoaderCode,
					      (image->end - image->start) / KERNEL_PAGE_SIZE,
					      &address);
	if (EFI_ERROR(status)) {
		print("aerostat: the firmware does not give memory from ");
		print_hex(image->start);
		print(" to ");
		print_hex(image->end);
		print(", where the kernel must be\r\n");
		return EFI_LOAD_ERROR;
	}
	handover_load_kernel(payload_start, image, (void *)address);
	return EFI_SUCCESS;
}

static EFI_STATUS allocate_boot_info(struct boot_info **info)
{
	EFI_PHYSICAL_ADDRESS address = 0xffffffff;
	EFI_STATUS status;

	status = boot_services->AllocatePages(AllocateMaxAddress, EfiLoaderData,
					      EFI_SIZE_TO_PAGES(sizeof(**info)), &address);
	if (EFI_ERROR(status))
		return fail("no memory below 4 GiB", status);
	*info = (struct boot_info *)address;
	memset(*info, 0, sizeof(**info));
	memcpy((*info)->way, "uefi", sizeof("uefi"));
	return EFI_SUCCESS;
}

/* ---- the ACPI root ---- */

static UINT64 find_table(const EFI_GUID *guid)
{
	EFI_CONFIGURATION_TABLE *table = system_table->ConfigurationTable;

	for (UINTN i = 0; i < system_table->NumberOfTableEntries; i++) {
		if (memcmp(&table[i].VendorGuid, guid, sizeof(*guid)) == 0)
			return (UINT64)table[i].VendorTable;
	}
	return 0;
}

static UINT64 find_acpi_rsdp(void)
{
	static const EFI_GUID acpi_20 = ACPI_20_TABLE_GUID;
	static const EFI_GUID acpi_10 = ACPI_TABLE_GUID;
	UINT64 rsdp = find_table(&acpi_20);

	return rsdp != 0 ? rsdp : find_table(&acpi_10);
}

/* ---- the command line ---- */

/* Reads on after the room is full: a blank may stand there, and words after it. */
static void read_command_line_text(EFI_FILE_HANDLE file, struct boot_info *info)
{
	static char text[BOOT_COMMAND_LINE_MAX];
	UINTN size;

	do {
		size = sizeof(text);
		if (file->Read(file, &size, text) != EFI_SUCCESS)
			break;
	} while (handover_add_text(info, text, size) && size == sizeof(text));
	handover_end_text(info);
}

/* A missing file is the usual case, and no error. */
static void read_command_line_file(EFI_HANDLE device, struct boot_info *info)
{
	static EFI_GUID file_system = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	static CHAR16 path[] = L"\\EFI\\BOOT\\cmdline.txt";
	EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume;
	EFI_FILE_HANDLE root, file;

	if (boot_services->HandleProtocol(device, &file_system, (void **)&volume) != EFI_SUCCESS)
		return;
	if (volume->OpenVolume(volume, &root) != EFI_SUCCESS)
		return;
	if (root->Open(root, &file, path, EFI_FILE_MODE_READ, 0) == EFI_SUCCESS) {
		read_command_line_text(file, info);
		file->Close(file);
	}
	root->Close(root);
}

static void find_command_line(EFI_HANDLE handle, struct boot_info *info)
{
	static EFI_GUID loaded_image = LOADED_IMAGE_PROTOCOL;
	EFI_LOADED_IMAGE *self;

	if (boot_services->HandleProtocol(handle, &loaded_image, (void **)&self) != EFI_SUCCESS)
		return;
	if (self->LoadOptions)
		handover_set_options(info, self->LoadOptions, self->LoadOptionsSize);
	if (info->command_line[0] == '\0' && self->DeviceHandle)
		read_command_line_file(self->DeviceHandle, info);
}

/* ---- the memory map and the end of the boot services ---- */

static EFI_STATUS read_memory_map(struct memory_map *map)
{
	UINT32 version;

	map->size = map->room;
	return boot_services->GetMemoryMap(&map->size, (EFI_MEMORY_DESCRIPTOR *)map->descriptors,
					   &map->key, &map->stride, &version);
}

/*
 * Allocates room for the map once, with slack: after a failed attempt to exit,
 * the firmware may be unable to give more.
 */
static EFI_STATUS allocate_memory_map(struct memory_map *map)
{
	EFI_STATUS status;

	map->room = 0;
	map->descriptors = NULL;
	status = read_memory_map(map);
	if (status != EFI_BUFFER_TOO_SMALL)
		return fail("the firmware tells no memory map", status);
	if (map->stride < sizeof(EFI_MEMORY_DESCRIPTOR))
		return fail("the firmware's memory map is malformed", EFI_SUCCESS);
	map->room = map->size + MEMORY_MAP_SLACK;
	status = boot_services->AllocatePool(EfiLoaderData, map->room, (void **)&map->descriptors);
	if (EFI_ERROR(status))
		return fail("no memory for the memory map", status);
	return EFI_SUCCESS;
}

/*
 * A call that fails may already have stopped drivers: then only reading the map
 * and exiting again is allowed, nothing in between (7.4, ExitBootServices).
 */
static EFI_STATUS exit_boot_services(EFI_HANDLE handle, struct memory_map *map)
{
	EFI_STATUS status = EFI_SUCCESS;

	for (unsigned i = 0; i < EXIT_ATTEMPTS; i++) {
		status = read_memory_map(map);
		if (EFI_ERROR(status))
			break;
		status = boot_services->ExitBootServices(handle, map->key);
		if (!EFI_ERROR(status))
			return EFI_SUCCESS;
	}
	return fail("the firmware does not let go", status);
}

/*
 * Maps UEFI's types to ours by what may be used after the boot services (table
 * 7.10). Runtime services are never called, but their memory stays the firmware's
 * (SMM, reset). Types newer than gnu-efi's header (persistent, unaccepted) are
 * reserved.
 */
static UINT32 memory_type(UINT32 type)
{
	switch (type) {
	case EfiLoaderCode:
	case EfiLoaderData:
	case EfiBootServicesCode:
	case EfiBootServicesData:
	case EfiConventionalMemory:
		return BOOT_MEMORY_RAM;
	case EfiACPIReclaimMemory:
		return BOOT_MEMORY_ACPI;
	case EfiACPIMemoryNVS:
		return BOOT_MEMORY_NVS;
	case EfiUnusableMemory:
		return BOOT_MEMORY_UNUSABLE;
	default:
		return BOOT_MEMORY_RESERVED;
	}
}

static void translate_memory_map(const struct memory_map *map, struct boot_info *info)
{
	const UINT8 *at = map->descriptors;

	for (UINTN left = map->size; left >= map->stride; left -= map->stride) {
		const EFI_MEMORY_DESCRIPTOR *entry = (const void *)at;

		handover_add_memory(info, entry->PhysicalStart, entry->NumberOfPages,
				    memory_type(entry->Type));
		at += map->stride;
	}
}

/* ---- all of it ---- */

static _Noreturn void enter_kernel(UINT64 entry, const struct boot_info *info)
{
	/* A frame pointer of 0 ends the kernel's backtraces. */
	__asm__ volatile("cli\n\t"
			 "cld\n\t"
			 "xorl %%ebp, %%ebp\n\t"
			 "jmp *%%rax"
			 :
			 : "a"(entry), "D"(info)
			 : "memory");
	__builtin_unreachable();
}

EFI_STATUS efi_main(EFI_HANDLE handle, EFI_SYSTEM_TABLE *table)
{
	struct kernel_image image;
	struct memory_map map;
	struct boot_info *info;
	EFI_STATUS status;

	system_table = table;
	boot_services = table->BootServices;

	status = check_processor();
	if (EFI_ERROR(status))
		return status;
	status = place_kernel(&image);
	if (EFI_ERROR(status))
		return status;
	status = allocate_boot_info(&info);
	if (EFI_ERROR(status))
		return status;
	info->acpi_rsdp = find_acpi_rsdp();
	find_command_line(handle, info);
	status = allocate_memory_map(&map);
	if (EFI_ERROR(status))
		return status;
	status = exit_boot_services(handle, &map);
	if (EFI_ERROR(status))
		return status;

	/* The firmware is gone from here on. */
	translate_memory_map(&map, info);
	enter_kernel(image.entry, info);
}
