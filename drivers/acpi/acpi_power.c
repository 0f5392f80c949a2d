/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Turning the machine off and resetting it, by the registers that the FADT
 * names (ACPI 6.4, 4.8.3, 5.2.9). The sleep type of S5 is read out of the
 * bytes of the DSDT; no AML is run. All is read at the start, as the tables
 * might be overwritten later.
 */
#include <string.h>

#include "arch/clock.h"
#include "drivers/acpi/acpi_internal.h"

/* Fixed ACPI Description Table (5.2.9) */
#define FADT_DSDT 40		/* 32 */
#define FADT_SMI_COMMAND 48	/* 32, a port */
#define FADT_ACPI_ENABLE 52	/* 8 */
#define FADT_PM1A_CONTROL 64	/* 32, a port */
#define FADT_PM1B_CONTROL 68	/* 32 */
#define FADT_RESET_REGISTER 116 /* generic address */
#define FADT_RESET_VALUE 128	/* 8 */
#define FADT_X_DSDT 140		/* 64 */
#define FADT_X_PM1A_CONTROL 172 /* generic address */
#define FADT_X_PM1B_CONTROL 184
#define FADT_SLEEP_CONTROL 244
#define FADT_FLAG_RESET (1u << 10)

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

static const struct acpi_header *dsdt; /* NULL: there is none that is sound */

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
	struct aml aml = aml_open(table);

	while (aml_find_name(&aml, "_S5_")) {
		if (read_s5(aml))
			return true;
	}
	return false;
}

/* ---- What the FADT says ---- */

static const struct acpi_header *find_dsdt(const struct acpi_header *fadt)
{
	paddr_t paddr = acpi_read_field64(fadt, FADT_X_DSDT);
	const struct acpi_header *table;

	if (paddr == 0)
		paddr = acpi_read_field32(fadt, FADT_DSDT);
	table = paddr ? acpi_check_table(paddr) : NULL;
	return table && acpi_has_signature(table, "DSDT") ? table : NULL;
}

const struct acpi_header *acpi_find_aml(size_t n)
{
	if (n == 0 && dsdt)
		return dsdt;
	return acpi_find_nth("SSDT", dsdt ? n - 1 : n);
}

static bool find_any_s5(void)
{
	const struct acpi_header *table;

	for (size_t n = 0; (table = acpi_find_aml(n)); n++) {
		if (find_s5(table))
			return true;
	}
	return false;
}

void acpi_read_power(void)
{
	const struct acpi_header *fadt = acpi_find("FACP");
	uint32_t flags;

	memset(&power, 0, sizeof(power));
	dsdt = fadt ? find_dsdt(fadt) : NULL;
	if (!fadt)
		return;
	flags = acpi_read_field32(fadt, ACPI_FADT_FLAGS);
	power.has_s5 = find_any_s5();
	if (flags & ACPI_FLAG_HW_REDUCED) {
		power.sleep_control = acpi_read_register(fadt, FADT_SLEEP_CONTROL);
	} else {
		power.pm1[0] = acpi_read_block(fadt, FADT_PM1A_CONTROL, FADT_X_PM1A_CONTROL);
		power.pm1[1] = acpi_read_block(fadt, FADT_PM1B_CONTROL, FADT_X_PM1B_CONTROL);
		power.smi_command = acpi_read_port(fadt, FADT_SMI_COMMAND);
		power.acpi_enable = acpi_read_field8(fadt, FADT_ACPI_ENABLE);
	}
	if (flags & FADT_FLAG_RESET && fadt->length > FADT_RESET_VALUE) {
		power.reset = acpi_read_register(fadt, FADT_RESET_REGISTER);
		power.reset_value = acpi_read_field8(fadt, FADT_RESET_VALUE);
	}
}

/* ---- Turning off, resetting ---- */

/* Tells whether the firmware still has the registers. */
static bool is_legacy_mode(void)
{
	uint32_t control;

	return acpi_register_read(&power.pm1[0], 2, &control) && !(control & PM1_SCI_ENABLE);
}

/* It must hand them over before ACPI can enter a sleep state. */
void acpi_enter_mode(void)
{
	unsigned polls = 0;

	if (power.acpi_enable != 0 && is_legacy_mode() &&
	    acpi_register_write(&power.smi_command, 1, power.acpi_enable))
		while (is_legacy_mode() && ++polls < ENABLE_POLLS)
			;
}

static bool sleep_pm1(unsigned i, uint16_t more)
{
	uint32_t control;

	if (!acpi_register_read(&power.pm1[i], 2, &control))
		return false;
	control &= ~(uint32_t)PM1_SLEEP_TYPE;
	control |= (uint32_t)power.sleep_type[i] << PM1_SLEEP_TYPE_SHIFT;
	acpi_register_write(&power.pm1[i], 2, control | more);
	return true;
}

static void wait_for_the_end(void)
{
	uint64_t start_awake = clock_awake_ns(), now_awake;
	unsigned looks = 0;

	do {
		now_awake = clock_awake_ns();
	} while (now_awake - start_awake < END_WAIT_NS && (now_awake || ++looks < END_LOOKS));
}

void acpi_power_off(void)
{
	uint8_t sleep = (uint8_t)(power.sleep_type[0] << SLEEP_TYPE_SHIFT | SLEEP_ENABLE);

	if (!power.has_s5)
		return;
	if (!acpi_register_write(&power.sleep_control, 1, sleep)) {
		acpi_enter_mode();
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
	if (acpi_register_write(&power.reset, 1, power.reset_value))
		wait_for_the_end();
}
