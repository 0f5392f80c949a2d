/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is a set of ACPI tables as a firmware might leave them. Checksums
 * and lengths are made right for most of them, or little would be read. Each
 * table ends with a page, and no page follows it: reading on is caught.
 *
 * First a byte for the roots, then tables: a byte for its kind, two for its
 * length, and its contents, without the header but for raw ones.
 */
#include "tests/fuzz/fuzz.h"

#include "drivers/acpi/acpi_memory.h"
#include "drivers/acpi/acpi_notify.h"
#include "tests/sim/sim_acpi.h"
#include "tests/sim/sim_log.h"

#define RSDP 0xfffd0 /* where a search finds it */
#define RSDP_PAGE 0xff000
#define TABLES_MAX 24
#define FIRST_TABLE 0x200000
#define TABLE_STEP 0x40000 /* addresses for each */
#define HEADER sizeof(struct acpi_header)
#define FADT_DSDT 40
#define FADT_X_DSDT 140

#define ANSWERS_MAX 100000

enum kind {
	KIND_RAW, /* as it is, header and all */
	KIND_MCFG,
	KIND_FACP,
	KIND_APIC,
	KIND_DSDT,
	KIND_SSDT,
	KIND_ROOT,   /* more entries for the root */
	KIND_SUMMED, /* as raw, but its length and checksum are right */
};

static const char signatures[][5] = { "", "MCFG", "FACP", "APIC", "DSDT", "SSDT", "", "" };

struct table {
	enum kind kind;
	paddr_t paddr;
	uint8_t *data; /* NULL: it has no memory of its own */
	size_t size;
};

static struct table tables[TABLES_MAX];
static size_t table_count;
static uint64_t entries[2 * TABLES_MAX]; /* of the root */
static size_t entry_count;

/* ---- Laying them out ---- */

/* So that it ends where its last page does. */
static uint8_t *place(struct table *table, paddr_t at, const uint8_t *contents, size_t size)
{
	size_t whole = align_up(size, FRAME_SIZE);
	uint8_t *pages = calloc(1, whole);

	memcpy(pages + whole - size, contents, size);
	table->paddr = at + whole - size;
	table->size = size;
	table->data = sim_acpi_add(at, pages, whole) + whole - size;
	free(pages);
	return table->data;
}

static bool has_header(enum kind kind)
{
	return kind != KIND_RAW && kind != KIND_SUMMED;
}

static void make_sound(struct table *table)
{
	uint32_t length = (uint32_t)table->size;

	if (table->kind == KIND_RAW || table->size < HEADER)
		return;
	memcpy(table->data + 4, &length, 4);
	sim_acpi_fix_checksum(table->data, table->size, 9);
}

static void add_entries(const uint8_t *data, size_t size)
{
	for (; size >= 8 && entry_count < ARRAY_SIZE(entries); data += 8, size -= 8)
		memcpy(&entries[entry_count++], data, 8);
}

static void add_table(struct fuzz_input *in)
{
	struct table *table = &tables[table_count];
	enum kind kind = fuzz_byte(in) & 7;
	size_t size = (size_t)fuzz_number(in, 2);
	uint8_t *contents;
	size_t before = has_header(kind) ? HEADER : 0;

	if (size > fuzz_left(in))
		size = fuzz_left(in);
	if (kind == KIND_ROOT || before + size == 0) {
		add_entries(in->at, size);
		in->at += size;
		return;
	}
	contents = calloc(1, before + size);
	memcpy(contents, signatures[kind], 4 * (before != 0));
	memcpy(contents + before, in->at, size);
	in->at += size;
	table->kind = kind;
	place(table, FIRST_TABLE + table_count * TABLE_STEP, contents, before + size);
	table_count++;
	free(contents);
	if (kind != KIND_DSDT)
		entries[entry_count++] = table->paddr;
}

/* A FADT names the last DSDT there is, unless it says something itself. */
static void link_dsdt(const struct table *fadt)
{
	for (size_t i = 0; i < table_count; i++) {
		uint64_t paddr = tables[i].paddr;

		if (tables[i].kind != KIND_DSDT)
			continue;
		if (fadt->size >= FADT_X_DSDT + 8 && fadt->data[FADT_X_DSDT] == 0)
			memcpy(fadt->data + FADT_X_DSDT, &paddr, 8);
		else if (fadt->size >= FADT_DSDT + 4 && fadt->data[FADT_DSDT] == 0)
			memcpy(fadt->data + FADT_DSDT, &paddr, 4);
	}
}

/* 32-bit entries are the 64-bit ones' lower halves. */
static struct table add_root(const char *signature, size_t entry_size)
{
	size_t size = HEADER + entry_count * entry_size;
	uint8_t *contents = calloc(1, size);
	struct table root = { .kind = KIND_SUMMED };

	memcpy(contents, signature, 4);
	for (size_t i = 0; i < entry_count; i++)
		memcpy(contents + HEADER + i * entry_size, &entries[i], entry_size);
	place(&root, FIRST_TABLE - (entry_size == 4 ? 2 : 1) * TABLE_STEP / 2, contents, size);
	make_sound(&root);
	free(contents);
	return root;
}

static void add_rsdp(uint8_t revision)
{
	uint32_t rsdt = (uint32_t)add_root("RSDT", 4).paddr;
	uint64_t xsdt = add_root("XSDT", 8).paddr;
	uint8_t page[FRAME_SIZE] = { 0 };
	uint8_t *rsdp;
	uint32_t length = 36;

	rsdp = sim_acpi_add(RSDP_PAGE, page, sizeof(page)) + RSDP - RSDP_PAGE;
	memcpy(rsdp, "RSD PTR ", 8);
	rsdp[15] = revision;
	memcpy(rsdp + 16, &rsdt, 4);
	memcpy(rsdp + 20, &length, 4);
	memcpy(rsdp + 24, &xsdt, 8);
	sim_acpi_fix_checksum(rsdp, 20, 8);
	sim_acpi_fix_checksum(rsdp, length, 32);
}

/* ---- Asking ---- */

static void ignore(void)
{
}

/* What is named, and what is told: each may be any register. */
static void ask_events(void)
{
	static const struct acpi_notify_ops ops = { ignore, ignore };
	struct acpi_memory_slot slot;
	uint8_t buses[ACPI_BUSES / 8];

	acpi_find_root_buses(buses);
	acpi_memory_find();
	for (unsigned i = 0; i < acpi_memory_slots(); i++)
		acpi_memory_read(i, &slot);
	if (acpi_notify_start(&ops) == 0)
		sim_acpi_interrupt();
	sim_acpi_write_count = 0;
}

static void ask(paddr_t rsdp)
{
	static const char *const hids[] = { "LNRO0005", "ACPI0013", "QEMU0001", "_" };
	struct acpi_device device;
	uint32_t first_gsi;
	uint8_t last_bus;
	uint16_t port;
	unsigned bits;
	paddr_t base;
	uint64_t size;
	size_t n;

	acpi_init(rsdp);
	if (acpi_find_ecam(&base, &last_bus) == 0)
		fuzz_require(base % MIB == 0 && base != 0, "an impossible ECAM window");
	for (n = 0; acpi_find_ioapic(n, &base, &first_gsi) == 0; n++)
		fuzz_require(n < ANSWERS_MAX, "no end of I/O APICs");
	if (acpi_find_pm_timer(&port, &bits) == 0)
		fuzz_require(port != 0 && (bits == 24 || bits == 32), "an impossible timer");
	if (acpi_find_hpet(&base) == 0)
		fuzz_require(base != 0 && base < UINT64_C(1) << 46, "an impossible HPET");
	for (n = 0; acpi_find_hotplug_range(n, &base, &size) == 0; n++) {
		fuzz_require(n < ANSWERS_MAX, "no end of ranges for memory");
		fuzz_require(size > 0 && base + size > base, "an impossible range for memory");
	}
	for (size_t i = 0; i < ARRAY_SIZE(hids); i++)
		for (n = 0; n < 8 && acpi_find_device(hids[i], n, &device) == 0; n++)
			fuzz_require(device.size == 0 ||
					     device.base + (device.size - 1) >= device.base,
				     "a device beyond the end of addresses");
	ask_events();
	acpi_power_off();
	sim_acpi_write_count = 0;
	acpi_reset();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	uint8_t roots = fuzz_byte(&in);

	sim_log_reset();
	sim_acpi_reset();
	table_count = entry_count = 0;
	while (fuzz_left(&in) > 0 && table_count < TABLES_MAX && entry_count < TABLES_MAX)
		add_table(&in);
	for (size_t i = 0; i < table_count; i++) {
		if (tables[i].kind == KIND_FACP)
			link_dsdt(&tables[i]);
		make_sound(&tables[i]);
	}
	add_rsdp(roots & 2);
	/* SCI_EN reads as set, or a mode is asked for that comes at once. */
	sim_acpi_set_port(0x604, roots & 4 ? SIM_ACPI_SCI_ENABLE : 0);
	sim_acpi_set_smi(0xb2, 2);
	ask(roots & 1 ? RSDP : 0);
	return 0;
}
