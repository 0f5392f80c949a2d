/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding ACPI tables (ACPI 6.4, 5.2). All of it is input: a table is used
 * only if it can be reached, its length makes sense and its bytes add up to
 * zero; a field only if it lies in the table.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/paging.h"
#include "drivers/acpi/acpi_internal.h"
#include "kernel/lib/log.h"

#define TABLES_MAX 64
#define TABLE_SIZE_MAX (1 * MIB)

/* Root System Description Pointer (5.2.5.3): offsets */
#define RSDP_SIGNATURE "RSD PTR "
#define RSDP_REVISION 15 /* 8 */
#define RSDP_RSDT 16	 /* 32 */
#define RSDP_V1_SIZE 20
#define RSDP_LENGTH 20 /* 32, from revision 2 on */
#define RSDP_XSDT 24   /* 64 */
#define RSDP_V2_SIZE 36
#define RSDP_SIZE_MAX 4096
#define RSDP_STEP 16

/*
 * Where it lies (5.2.5.1): in the first KiB of the EBDA, or in the BIOS area.
 * Page 0, which says where the EBDA is, is not mapped; an EBDA of the usual size
 * is here.
 */
#define EBDA_START 0x9fc00
#define EBDA_END 0xa0000
#define BIOS_START 0xe0000
#define BIOS_END 0x100000

static const struct acpi_header *tables[TABLES_MAX];
static size_t table_count;

/* ---- Bytes ---- */

static uint64_t read_field(const struct acpi_header *table, size_t offset, size_t bytes)
{
	assert(bytes <= sizeof(uint64_t));
	if (offset + bytes > table->length)
		return 0;
	return acpi_read_number((const uint8_t *)table + offset, bytes);
}

uint8_t acpi_read_field8(const struct acpi_header *table, size_t offset)
{
	return (uint8_t)read_field(table, offset, sizeof(uint8_t));
}

uint16_t acpi_read_field16(const struct acpi_header *table, size_t offset)
{
	return (uint16_t)read_field(table, offset, sizeof(uint16_t));
}

uint32_t acpi_read_field32(const struct acpi_header *table, size_t offset)
{
	return (uint32_t)read_field(table, offset, sizeof(uint32_t));
}

uint64_t acpi_read_field64(const struct acpi_header *table, size_t offset)
{
	return read_field(table, offset, sizeof(uint64_t));
}

static bool adds_up(const void *data, size_t size)
{
	const uint8_t *byte = data;
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + byte[i]);
	return sum == 0;
}

/* Returns what lies at an address of the firmware, or NULL: it is not mapped. */
static const void *reach(paddr_t paddr, uint64_t size)
{
	paddr_t page;

	if (paddr == 0 || paddr >= ACPI_ADDRESS_END || size > ACPI_ADDRESS_END - paddr)
		return NULL;
	for (page = align_down(paddr, FRAME_SIZE); page < paddr + size; page += FRAME_SIZE) {
		if (!paging_is_mapped(page))
			return NULL;
	}
	return phys_to_virt(paddr);
}

/* ---- Tables ---- */

const struct acpi_header *acpi_check_table(paddr_t paddr)
{
	const struct acpi_header *header = reach(paddr, sizeof(*header));
	const char *wrong = NULL;

	if (!header)
		wrong = "cannot be reached";
	else if (header->length < sizeof(*header) || header->length > TABLE_SIZE_MAX)
		wrong = "has an impossible length";
	else if (!reach(paddr, header->length))
		wrong = "cannot be reached";
	else if (!adds_up(header, header->length))
		wrong = "has a wrong checksum";
	if (!wrong)
		return header;
	log_warn("acpi: the table at %#" PRIx64 " %s", paddr, wrong);
	return NULL;
}

bool acpi_has_signature(const struct acpi_header *table, const char *signature)
{
	return memcmp(table->signature, signature, sizeof(table->signature)) == 0;
}

/* `entry_size`: 4 for the RSDT, 8 for the XSDT. */
static bool read_root(paddr_t paddr, const char *signature, size_t entry_size)
{
	const struct acpi_header *root = acpi_check_table(paddr);
	size_t offset;

	if (!root || !acpi_has_signature(root, signature))
		return false;
	for (offset = sizeof(*root); offset + entry_size <= root->length; offset += entry_size) {
		const struct acpi_header *table;

		if (table_count == TABLES_MAX) {
			log_warn("acpi: more than %d tables", TABLES_MAX);
			break;
		}
		table = acpi_check_table(read_field(root, offset, entry_size));
		if (table)
			tables[table_count++] = table;
	}
	return true;
}

static const uint8_t *check_rsdp(paddr_t paddr)
{
	const uint8_t *rsdp = reach(paddr, RSDP_V1_SIZE);

	if (!rsdp || memcmp(rsdp, RSDP_SIGNATURE, strlen(RSDP_SIGNATURE)) != 0 ||
	    !adds_up(rsdp, RSDP_V1_SIZE))
		return NULL;
	return rsdp;
}

static paddr_t search_rsdp(paddr_t start, paddr_t end)
{
	for (paddr_t at = start; at + RSDP_V1_SIZE <= end; at += RSDP_STEP) {
		if (check_rsdp(at))
			return at;
	}
	return 0;
}

/* Returns the XSDT's address, or 0 if there is none to trust: then use the RSDT. */
static paddr_t find_xsdt(paddr_t paddr, const uint8_t *rsdp)
{
	uint64_t length;

	if (rsdp[RSDP_REVISION] < 2 || !reach(paddr, RSDP_V2_SIZE))
		return 0;
	length = acpi_read_number(rsdp + RSDP_LENGTH, 4);
	if (length < RSDP_V2_SIZE || length > RSDP_SIZE_MAX || !reach(paddr, length) ||
	    !adds_up(rsdp, length)) {
		log_warn("acpi: the RSDP's second part is damaged");
		return 0;
	}
	return acpi_read_number(rsdp + RSDP_XSDT, 8);
}

const struct acpi_header *acpi_find_nth(const char signature[4], size_t n)
{
	for (size_t i = 0; i < table_count; i++) {
		if (acpi_has_signature(tables[i], signature) && n-- == 0)
			return tables[i];
	}
	return NULL;
}

const struct acpi_header *acpi_find(const char signature[4])
{
	return acpi_find_nth(signature, 0);
}

int acpi_find_tables(paddr_t rsdp)
{
	const uint8_t *pointer;
	paddr_t xsdt;
	bool found;

	table_count = 0;
	if (rsdp == 0)
		rsdp = search_rsdp(EBDA_START, EBDA_END);
	if (rsdp == 0)
		rsdp = search_rsdp(BIOS_START, BIOS_END);
	if (rsdp == 0)
		return -ENOENT;
	pointer = check_rsdp(rsdp);
	if (!pointer) {
		log_warn("acpi: there is no RSDP at %#" PRIx64, rsdp);
		return -ENOENT;
	}
	xsdt = find_xsdt(rsdp, pointer);
	found = xsdt != 0 && read_root(xsdt, "XSDT", 8);
	if (!found)
		found = read_root(acpi_read_number(pointer + RSDP_RSDT, 4), "RSDT", 4);
	return found ? 0 : -ENOENT;
}
