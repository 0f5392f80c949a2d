/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory with ACPI tables; see sim_acpi.h. */
#include "tests/sim/sim_acpi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/io.h"
#include "arch/irq.h"
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
bool sim_acpi_clock_stands;
uint64_t sim_acpi_look_ns;
bool sim_acpi_refuses_windows;
uint32_t sim_acpi_gsi;
bool sim_acpi_level;
bool sim_acpi_empty_bus;
int sim_acpi_irq_err;
void (*sim_acpi_on_port_write)(uint16_t port, uint32_t value);
void (*sim_acpi_on_port_read)(uint16_t port, unsigned width);
unsigned sim_acpi_smi_reads;

static struct piece pieces[PIECES_MAX];
static size_t piece_count;
static uint8_t ports[0x10000];
static uint8_t clears[0x10000]; /* bits of them that a written one clears */
static uint16_t pm1_control;	/* the port that was set last */
static uint16_t smi_port;
static uint8_t smi_value;
static paddr_t window_address;
static uint32_t window; /* what paging_map_device() gives */
static paddr_t memory_address;
static uint32_t memory_value;
static struct irq_handler *handler;

void sim_acpi_reset(void)
{
	for (size_t i = 0; i < piece_count; i++)
		free(pieces[i].data);
	piece_count = 0;
	sim_acpi_write_count = 0;
	sim_acpi_looks = 0;
	sim_acpi_clock_stands = false;
	sim_acpi_look_ns = 100 * NS_PER_MS;
	sim_acpi_refuses_windows = false;
	memset(ports, 0, sizeof(ports));
	memset(clears, 0, sizeof(clears));
	pm1_control = smi_port = 0;
	memory_address = memory_value = 0;
	handler = NULL;
	sim_acpi_irq_err = 0;
	sim_acpi_empty_bus = false;
	sim_acpi_on_port_write = NULL;
	sim_acpi_on_port_read = NULL;
	sim_acpi_smi_reads = 0;
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
	window = memory_address != 0 && paddr == memory_address ? memory_value : 0;
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

/* Time flies: the guest may be stopped between any two looks. */
uint64_t clock_awake_ns(void)
{
	static struct elapsed elapsed;

	sim_acpi_looks++;
	if (sim_acpi_clock_stands)
		return 0;
	elapsed_look(&elapsed, elapsed.counter_ns + sim_acpi_look_ns, CLOCK_AWAKE_STEP_NS);
	return elapsed.awake_ns;
}

void sim_acpi_set_port(uint16_t port, uint16_t value)
{
	pm1_control = port;
	sim_acpi_set_ports(port, 2, value);
}

void sim_acpi_set_ports(uint16_t port, unsigned width, uint32_t value)
{
	memcpy(ports + port, &value, width);
}

uint32_t sim_acpi_get_ports(uint16_t port, unsigned width)
{
	uint32_t value = 0;

	/* The bytes after the last port are those of the first. */
	for (unsigned i = width; i-- > 0;)
		value = value << 8 | ports[(uint16_t)(port + i)];
	return value;
}

void sim_acpi_clear_by_ones(uint16_t port, unsigned width)
{
	memset(clears + port, 0xff, width);
}

void sim_acpi_set_memory(paddr_t address, uint32_t value)
{
	memory_address = address;
	memory_value = value;
}

void sim_acpi_set_smi(uint16_t smi, uint8_t value)
{
	smi_port = smi;
	smi_value = value;
}

static void write_port(uint16_t port, unsigned width, uint32_t value)
{
	uint32_t written = value;

	record(false, port, width, value);
	for (unsigned i = 0; i < width; i++, value >>= 8) {
		uint8_t *at = &ports[(uint16_t)(port + i)];
		uint8_t ones = clears[(uint16_t)(port + i)];

		*at = (uint8_t)((ones & *at & ~value) | (~ones & value));
	}
	if (sim_acpi_on_port_write)
		sim_acpi_on_port_write(port, written);
}

void io_write8(uint16_t port, uint8_t value)
{
	write_port(port, 1, value);
	if (smi_port != 0 && port == smi_port && value == smi_value)
		ports[pm1_control] |= SIM_ACPI_SCI_ENABLE;
}

void io_write16(uint16_t port, uint16_t value)
{
	write_port(port, 2, value);
}

void io_write32(uint16_t port, uint32_t value)
{
	write_port(port, 4, value);
}

static uint32_t read_port(uint16_t port, unsigned width)
{
	if (sim_acpi_on_port_read)
		sim_acpi_on_port_read(port, width);
	return sim_acpi_empty_bus ? UINT32_MAX : sim_acpi_get_ports(port, width);
}

uint8_t io_read8(uint16_t port)
{
	return (uint8_t)read_port(port, 1);
}

uint16_t io_read16(uint16_t port)
{
	/* It takes its time. */
	if (sim_acpi_smi_reads > 0 && --sim_acpi_smi_reads == 0)
		ports[pm1_control] |= SIM_ACPI_SCI_ENABLE;
	return (uint16_t)read_port(port, 2);
}

uint32_t io_read32(uint16_t port)
{
	return read_port(port, 4);
}

int irq_register_gsi(uint32_t gsi, bool level, struct irq_handler *new_handler)
{
	if (sim_acpi_irq_err)
		return sim_acpi_irq_err;
	sim_acpi_gsi = gsi;
	sim_acpi_level = level;
	handler = new_handler;
	return 0;
}

bool sim_acpi_has_handler(void)
{
	return handler;
}

bool sim_acpi_interrupt(void)
{
	return handler->handle(handler);
}

/* Only Generic Event Devices have registers of these widths: reading clears them. */
uint8_t mmio_read8(const void *reg)
{
	uint8_t value = *(const uint8_t *)reg;

	if (window_address == memory_address && value != UINT8_MAX)
		memory_value = 0;
	return value;
}

uint32_t mmio_read32(const void *reg)
{
	uint32_t value = *(const uint32_t *)reg;

	if (window_address == memory_address && value != UINT32_MAX)
		memory_value = 0;
	return value;
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

void mmio_write32(void *reg, uint32_t value)
{
	*(uint32_t *)reg = value;
	record(true, window_address, 4, value);
}
