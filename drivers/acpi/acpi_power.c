/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turning the machine off and resetting it, by the registers that the FADT
 * names (ACPI 6.4, 4.8.3, 5.2.9). The sleep type of S5 is read out of the
 * bytes of the DSDT; no AML is run. All is read at the start, as the tables
 * might be overwritten later.
 */
#include <string.h>

#include "arch/clock.h"
#include "arch/io.h"
#include "arch/mmio.h"
#include "arch/paging.h"
#include "drivers/acpi/acpi_internal.h"

/* Fixed ACPI Description Table (5.2.9) */
#define FADT_DSDT 40		/* 32 */
#define FADT_SMI_COMMAND 48	/* 32, a port */
#define FADT_ACPI_ENABLE 52	/* 8 */
#define FADT_PM1A_CONTROL 64	/* 32, a port */
#define FADT_PM1B_CONTROL 68	/* 32 */
#define FADT_FLAGS 112		/* 32 */
#define FADT_RESET_REGISTER 116 /* generic address */
#define FADT_RESET_VALUE 128	/* 8 */
#define FADT_X_DSDT 140		/* 64 */
#define FADT_X_PM1A_CONTROL 172 /* generic address */
#define FADT_X_PM1B_CONTROL 184
#define FADT_SLEEP_CONTROL 244
#define FADT_FLAG_RESET (1u << 10)
#define FADT_FLAG_HW_REDUCED (1u << 20)

/* Generic Address Structure (5.2.3.2) */
#define GAS_SPACE 0   /* 8 */
#define GAS_ADDRESS 4 /* 64 */
#define SPACE_MEMORY 0
#define SPACE_IO 1

/* PM1 control registers (4.8.3.2.1), 16 bits */
#define PM1_SCI_ENABLE 0x0001
#define PM1_SLEEP_TYPE_SHIFT 10
#define PM1_SLEEP_TYPE 0x1c00
#define PM1_SLEEP_ENABLE 0x2000

/* Sleep control register (4.8.3.7) of hardware-reduced ACPI, 8 bits */
#define SLEEP_TYPE_SHIFT 2
#define SLEEP_ENABLE 0x20

#define SLEEP_TYPE_MAX 7

/* Reads of a register that should change at once. */
#define ENABLE_POLLS 1000

/* A hypervisor may take a while to stop the processor after the write; time awake. */
#define END_WAIT_NS NS_PER_S
#define END_LOOKS 1000000 /* while the clock still stands at 0 */

/* A register; address 0: there is none. */
struct acpi_register {
	uint8_t space;
	uint64_t address;
};

/* How to turn the machine off and how to reset it, as far as the FADT says. */
static struct {
	bool has_s5;
	uint8_t sleep_type[2]; /* for PM1a and PM1b */
	struct acpi_register pm1[2];
	struct acpi_register sleep_control;
	struct acpi_register reset;
	uint8_t reset_value;
	struct acpi_register smi_command;
	uint8_t acpi_enable;
} power;

/* ---- The sleep type of S5 ---- */

static bool read_sleep_type(struct aml *aml, uint8_t *type)
{
	uint64_t value;

	if (!aml_read_integer(aml, &value) || value > SLEEP_TYPE_MAX)
		return false;
	*type = (uint8_t)value;
	return true;
}

/* `aml` begins after the name: a package of PM1a's type, PM1b's, and more. */
static bool read_s5(struct aml aml)
{
	uint8_t types[2];
	uint8_t byte;

	if (!aml_read_byte(&aml, &byte) || byte != AML_PACKAGE || !aml_enter_package(&aml) ||
	    !aml_read_byte(&aml, &byte) || byte < 1)
		return false;
	if (!read_sleep_type(&aml, &types[0]))
		return false;
	if (byte < 2 || !read_sleep_type(&aml, &types[1]))
		types[1] = types[0];
	memcpy(power.sleep_type, types, sizeof(types));
	return true;
}

static bool find_s5(const struct acpi_header *table)
{
	const uint8_t *start = (const uint8_t *)table + sizeof(*table);
	const uint8_t *end = (const uint8_t *)table + table->length;

	for (const uint8_t *at = start; end - at >= 4; at++) {
		at = memchr(at, '_', (size_t)(end - at) - 3);
		if (!at)
			return false;
		if (memcmp(at, "_S5_", 4) == 0 && aml_is_name(start, at) &&
		    read_s5((struct aml){ .at = at + 4, .end = end }))
			return true;
	}
	return false;
}

/* ---- What the FADT says ---- */

static struct acpi_register read_register(const struct acpi_header *fadt, size_t offset)
{
	const struct acpi_register none = { 0, 0 };
	struct acpi_register reg = {
		.space = (uint8_t)acpi_read_field(fadt, offset + GAS_SPACE, 1),
		.address = acpi_read_field(fadt, offset + GAS_ADDRESS, 8),
	};

	if (reg.space == SPACE_IO)
		return reg.address <= UINT16_MAX ? reg : none;
	return reg.space == SPACE_MEMORY && reg.address < ACPI_ADDRESS_END ? reg : none;
}

static struct acpi_register read_port(const struct acpi_header *fadt, size_t offset)
{
	uint64_t port = acpi_read_field(fadt, offset, 4);

	return (struct acpi_register){ SPACE_IO, port <= UINT16_MAX ? port : 0 };
}

/* The extended field counts where it is filled in (5.2.9). */
static struct acpi_register read_pm1(const struct acpi_header *fadt, size_t offset, size_t extended)
{
	struct acpi_register reg = read_register(fadt, extended);

	return reg.address != 0 ? reg : read_port(fadt, offset);
}

const struct acpi_header *acpi_find_dsdt(const struct acpi_header *fadt)
{
	paddr_t paddr = acpi_read_field(fadt, FADT_X_DSDT, 8);
	const struct acpi_header *dsdt;

	if (paddr == 0)
		paddr = acpi_read_field(fadt, FADT_DSDT, 4);
	dsdt = paddr ? acpi_check_table(paddr) : NULL;
	return dsdt && acpi_has_signature(dsdt, "DSDT") ? dsdt : NULL;
}

static bool find_any_s5(const struct acpi_header *fadt)
{
	const struct acpi_header *dsdt = acpi_find_dsdt(fadt);
	const struct acpi_header *ssdt;

	if (dsdt && find_s5(dsdt))
		return true;
	for (size_t n = 0; (ssdt = acpi_find_nth("SSDT", n)); n++) {
		if (find_s5(ssdt))
			return true;
	}
	return false;
}

void acpi_read_power(void)
{
	const struct acpi_header *fadt = acpi_find("FACP");
	uint64_t flags;

	memset(&power, 0, sizeof(power));
	if (!fadt)
		return;
	flags = acpi_read_field(fadt, FADT_FLAGS, 4);
	power.has_s5 = find_any_s5(fadt);
	if (flags & FADT_FLAG_HW_REDUCED) {
		power.sleep_control = read_register(fadt, FADT_SLEEP_CONTROL);
	} else {
		power.pm1[0] = read_pm1(fadt, FADT_PM1A_CONTROL, FADT_X_PM1A_CONTROL);
		power.pm1[1] = read_pm1(fadt, FADT_PM1B_CONTROL, FADT_X_PM1B_CONTROL);
		power.smi_command = read_port(fadt, FADT_SMI_COMMAND);
		power.acpi_enable = (uint8_t)acpi_read_field(fadt, FADT_ACPI_ENABLE, 1);
	}
	if (flags & FADT_FLAG_RESET && fadt->length > FADT_RESET_VALUE) {
		power.reset = read_register(fadt, FADT_RESET_REGISTER);
		power.reset_value = (uint8_t)acpi_read_field(fadt, FADT_RESET_VALUE, 1);
	}
}

/* ---- Turning off, resetting ---- */

static bool write_register(const struct acpi_register *reg, uint8_t value)
{
	void *window;

	if (reg->address == 0)
		return false;
	if (reg->space == SPACE_IO) {
		io_write8((uint16_t)reg->address, value);
		return true;
	}
	if (paging_map_device(reg->address, 1, &window))
		return false;
	mmio_write8(window, value);
	return true;
}

static bool read_pm1_control(const struct acpi_register *reg, uint16_t *value)
{
	void *window;

	if (reg->address == 0)
		return false;
	if (reg->space == SPACE_IO) {
		*value = io_read16((uint16_t)reg->address);
		return true;
	}
	if (paging_map_device(reg->address, 2, &window))
		return false;
	*value = mmio_read16(window);
	return true;
}

static void write_pm1_control(const struct acpi_register *reg, uint16_t value)
{
	void *window;

	if (reg->space == SPACE_IO)
		io_write16((uint16_t)reg->address, value);
	else if (paging_map_device(reg->address, 2, &window) == 0)
		mmio_write16(window, value);
}

/* The firmware must hand the registers over before ACPI can enter a sleep state. */
static void enter_acpi_mode(void)
{
	uint16_t control;

	if (power.smi_command.address == 0 || power.acpi_enable == 0)
		return;
	for (unsigned i = 0; i < ENABLE_POLLS; i++) {
		if (!read_pm1_control(&power.pm1[0], &control) || control & PM1_SCI_ENABLE)
			return;
		if (i == 0)
			write_register(&power.smi_command, power.acpi_enable);
	}
}

static bool sleep_pm1(unsigned i, uint16_t more)
{
	uint16_t control;

	if (!read_pm1_control(&power.pm1[i], &control))
		return false;
	control &= (uint16_t)~PM1_SLEEP_TYPE;
	control |= (uint16_t)(power.sleep_type[i] << PM1_SLEEP_TYPE_SHIFT);
	write_pm1_control(&power.pm1[i], (uint16_t)(control | more));
	return true;
}

static void wait_for_the_end(void)
{
	uint64_t start_awake = clock_awake_ns(), now_awake;
	unsigned looks = 0;

	do {
		now_awake = clock_awake_ns();
	} while (now_awake > 0 ? now_awake - start_awake < END_WAIT_NS : ++looks < END_LOOKS);
}

void acpi_power_off(void)
{
	uint8_t sleep = (uint8_t)(power.sleep_type[0] << SLEEP_TYPE_SHIFT | SLEEP_ENABLE);

	if (!power.has_s5)
		return;
	if (!write_register(&power.sleep_control, sleep)) {
		enter_acpi_mode();
		/* Both get the type before either is told to go (16.1.6). */
		if (!sleep_pm1(0, 0))
			return;
		sleep_pm1(1, 0);
		sleep_pm1(0, PM1_SLEEP_ENABLE);
		sleep_pm1(1, PM1_SLEEP_ENABLE);
	}
	wait_for_the_end();
}

void acpi_reset(void)
{
	if (write_register(&power.reset, power.reset_value))
		wait_for_the_end();
}
