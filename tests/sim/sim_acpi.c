/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory with ACPI tables; see sim_acpi.h. */
#include "tests/sim/sim_acpi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/io.h"
#include "arch/mmio.h"
#include "arch/paging.h"
#include "kernel/lib/elapsed.h"

#define PIECES_MAX 128
#define HEADER 36

struct piece {
	paddr_t start;
	size_t size;
	uint8_t *data;
};

struct sim_acpi_write sim_acpi_writes[SIM_ACPI_WRITES_MAX];
size_t sim_acpi_write_count;
unsigned sim_acpi_looks;
bool sim_acpi_refuses_windows;
unsigned sim_acpi_smi_reads;

static struct piece pieces[PIECES_MAX];
static size_t piece_count;
static uint16_t port_number, port_value;
static uint16_t smi_port;
static uint8_t smi_value;
static paddr_t window_address;
static uint32_t window; /* what paging_map_device() gives */

void sim_acpi_reset(void)
{
	for (size_t i = 0; i < piece_count; i++)
		free(pieces[i].data);
	piece_count = 0;
	sim_acpi_write_count = 0;
	sim_acpi_looks = 0;
	sim_acpi_refuses_windows = false;
	sim_acpi_smi_reads = 0;
	port_number = port_value = smi_port = 0;
}

/* ---- Memory ---- */

uint8_t *sim_acpi_add(paddr_t paddr, const void *data, size_t size)
{
	struct piece *piece = &pieces[piece_count];

	if (piece_count == PIECES_MAX)
		abort();
	piece_count++;
	piece->start = paddr;
	piece->size = size;
	piece->data = malloc(size);
	if (!piece->data)
		abort();
	memcpy(piece->data, data, size);
	return piece->data;
}

void sim_acpi_fix_checksum(uint8_t *data, size_t size, size_t offset)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + data[i]);
	data[offset] = (uint8_t)(data[offset] - sum);
}

uint8_t *sim_acpi_add_table(paddr_t paddr, const char *signature, const void *body,
			    size_t body_size)
{
	uint32_t length = (uint32_t)(HEADER + body_size);
	uint8_t *data = calloc(1, length);
	uint8_t *table;

	if (!data)
		abort();
	memcpy(data, signature, 4);
	memcpy(data + 4, &length, 4);
	if (body_size > 0)
		memcpy(data + HEADER, body, body_size);
	sim_acpi_fix_checksum(data, length, 9);
	table = sim_acpi_add(paddr, data, length);
	free(data);
	return table;
}

uint8_t *sim_acpi_add_rsdp(paddr_t paddr, uint8_t revision, uint32_t rsdt, uint64_t xsdt)
{
	uint8_t data[36] = "RSD PTR ";
	uint32_t length = sizeof(data);

	data[15] = revision;
	memcpy(data + 16, &rsdt, 4);
	if (revision >= 2) {
		memcpy(data + 20, &length, 4);
		memcpy(data + 24, &xsdt, 8);
	}
	sim_acpi_fix_checksum(data, 20, 8);
	if (revision >= 2)
		sim_acpi_fix_checksum(data, length, 32);
	return sim_acpi_add(paddr, data, revision >= 2 ? 36 : 20);
}

uint8_t *sim_acpi_add_rsdt(paddr_t paddr, const uint32_t *tables, size_t count)
{
	return sim_acpi_add_table(paddr, "RSDT", tables, count * sizeof(*tables));
}

uint8_t *sim_acpi_add_xsdt(paddr_t paddr, const uint64_t *tables, size_t count)
{
	return sim_acpi_add_table(paddr, "XSDT", tables, count * sizeof(*tables));
}

void *phys_to_virt(paddr_t paddr)
{
	for (size_t i = 0; i < piece_count; i++) {
		if (paddr >= pieces[i].start && paddr - pieces[i].start < pieces[i].size)
			return pieces[i].data + (paddr - pieces[i].start);
	}
	abort(); /* not of this machine: it would have been a fault */
}

bool paging_is_mapped(uint64_t vaddr)
{
	for (size_t i = 0; i < piece_count; i++) {
		if (vaddr < pieces[i].start + pieces[i].size &&
		    pieces[i].start < align_down(vaddr, FRAME_SIZE) + FRAME_SIZE)
			return true;
	}
	return false;
}

/* ---- Registers ---- */

int paging_map_device(paddr_t paddr, uint64_t size, void **out)
{
	if (size == 0 || size > sizeof(window) || sim_acpi_refuses_windows)
		return -EINVAL;
	window_address = paddr;
	window = 0;
	*out = &window;
	return 0;
}

static void record(bool memory, uint64_t address, unsigned width, uint32_t value)
{
	if (sim_acpi_write_count == SIM_ACPI_WRITES_MAX)
		abort();
	sim_acpi_writes[sim_acpi_write_count++] = (struct sim_acpi_write){ memory, address, width,
									   value };
}

/* Time flies: the guest is stopped for 100 ms between any two looks. */
uint64_t clock_awake_ns(void)
{
	static struct elapsed elapsed;

	elapsed_look(&elapsed, elapsed.counter_ns + 100000000, CLOCK_AWAKE_STEP_NS);
	sim_acpi_looks++;
	return elapsed.awake_ns;
}

void sim_acpi_set_port(uint16_t port, uint16_t value)
{
	port_number = port;
	port_value = value;
}

void sim_acpi_set_smi(uint16_t smi, uint8_t value)
{
	smi_port = smi;
	smi_value = value;
}

void io_write8(uint16_t port, uint8_t value)
{
	record(false, port, 1, value);
	if (smi_port != 0 && port == smi_port && value == smi_value)
		port_value |= SIM_ACPI_SCI_ENABLE;
}

void io_write16(uint16_t port, uint16_t value)
{
	record(false, port, 2, value);
	if (port == port_number)
		port_value = value;
}

uint16_t io_read16(uint16_t port)
{
	/* It takes its time. */
	if (sim_acpi_smi_reads > 0 && --sim_acpi_smi_reads == 0)
		port_value |= SIM_ACPI_SCI_ENABLE;
	return port == port_number ? port_value : 0;
}

uint16_t mmio_read16(const void *reg)
{
	return *(const uint16_t *)reg;
}

void mmio_write8(void *reg, uint8_t value)
{
	*(uint8_t *)reg = value;
	record(true, window_address, 1, value);
}

void mmio_write16(void *reg, uint16_t value)
{
	*(uint16_t *)reg = value;
	record(true, window_address, 2, value);
}
