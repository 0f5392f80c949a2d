/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events of ACPI. Fixed hardware (ACPI 6.4, 4.8.3.1, 4.8.4.1): status registers whose
 * bits raise the SCI, a shared level, while they and their enable bits are set; a bit is
 * cleared by writing a one. All but the bits that are handled here are disabled, or one
 * of them could hold the line for ever. A machine without that hardware may have a
 * Generic Event Device, as QEMU's microvm and cloud-hypervisor: one register that is
 * cleared by reading.
 */
#include "drivers/acpi/acpi_notify.h"

#include <assert.h>
#include <errno.h>

#include "arch/irq.h"
#include "drivers/acpi/acpi_internal.h"

/* Fixed ACPI Description Table (5.2.9) */
#define FADT_SCI 46	       /* 16 */
#define FADT_PM1A_EVENT 56     /* 32, a port */
#define FADT_PM1B_EVENT 60     /* 32 */
#define FADT_GPE0 80	       /* 32 */
#define FADT_GPE1 84	       /* 32 */
#define FADT_PM1_EVENT_SIZE 88 /* 8: status, and as many bytes of enable bits */
#define FADT_GPE0_SIZE 92      /* 8, likewise */
#define FADT_GPE1_SIZE 93      /* 8 */
#define FADT_X_PM1A_EVENT 148  /* generic address */
#define FADT_X_PM1B_EVENT 160
#define FADT_X_GPE0 220
#define FADT_X_GPE1 232

/* PM1 status and enable registers (4.8.3.1), 16 bits each */
#define PM1_POWER_BUTTON 0x0100
#define PM1_EVENT_SIZE_MIN 4

/* General-purpose events; which one stands for memory is QEMU's choice. */
#define GPE_MEMORY 0x08
#define GPE_SIZE_MIN 2

/*
 * Generic Event Devices. Which register the AML reads, and which of its bits mean what, is
 * each hypervisor's choice: QEMU (its docs/specs/acpi_hw_reduced_hotplug), and
 * cloud-hypervisor (its devices/src/acpi.rs), whose memory in slots is not QEMU's.
 */
#define GED_ID "ACPI0013"

static const struct ged_kind {
	const char *region;
	unsigned width; /* of the region and of an access, in bytes */
	uint32_t memory, power_button;
} ged_kinds[] = {
	{ "EREG", 4, 0x1, 0x2 },
	{ "GDST", 1, 0, 0x8 },
};

/* Events served in one interrupt: each may have come while another was. */
#define ROUNDS 16

static const struct acpi_notify_ops *ops;

/* Where events stand, and are let through; the registers of PM1b may be missing. */
static struct acpi_register pm1_status[2];
static struct acpi_register gpe_status;
static struct acpi_register ged;
static const struct ged_kind *ged_kind;

/* ---- Fixed hardware ---- */

/* Clears what is handled here of `reg`, and returns it. */
static uint32_t take_status(const struct acpi_register *reg, unsigned width, uint32_t handled)
{
	uint32_t status;

	if (!acpi_register_read(reg, width, &status) || !(status & handled))
		return 0;
	acpi_register_write(reg, width, status & handled);
	return status & handled;
}

static bool handle_sci(struct irq_handler *handler)
{
	uint32_t button = take_status(&pm1_status[0], 2, PM1_POWER_BUTTON) |
			  take_status(&pm1_status[1], 2, PM1_POWER_BUTTON);
	uint32_t memory = take_status(&gpe_status, 1, GPE_MEMORY);

	(void)handler;
	if (button)
		ops->power_button();
	if (memory)
		ops->memory();
	return button || memory;
}

static struct irq_handler sci_handler = { .handle = handle_sci };

/* Lets the power button through, if the block is there, and nothing else of it. */
static struct acpi_register start_pm1(const struct acpi_header *fadt, size_t offset,
				      size_t extended)
{
	const struct acpi_register none = { 0 };
	struct acpi_register status = acpi_read_block(fadt, offset, extended);
	size_t size = acpi_read_field8(fadt, FADT_PM1_EVENT_SIZE);
	struct acpi_register enable = acpi_register_after(status, size / 2);
	uint32_t kept;

	if (size < PM1_EVENT_SIZE_MIN || !acpi_register_write(&status, 2, PM1_POWER_BUTTON))
		return none;
	acpi_register_write(&enable, 2, PM1_POWER_BUTTON);
	/* Where nothing answers, all bits would stand for events. */
	if (!acpi_register_read(&enable, 2, &kept) || kept == UINT16_MAX ||
	    !(kept & PM1_POWER_BUTTON))
		return none;
	return status;
}

/* Lets only the events of the first byte through that are `handled`. */
static struct acpi_register start_gpe(struct acpi_register status, size_t size, uint32_t handled)
{
	const struct acpi_register none = { 0 };
	struct acpi_register enable = acpi_register_after(status, size / 2);
	uint32_t kept;

	for (size_t i = size / 2; i-- > 1;) {
		struct acpi_register other = acpi_register_after(enable, i);

		acpi_register_write(&other, 1, 0);
	}
	take_status(&status, 1, handled);
	if (size < GPE_SIZE_MIN || !acpi_register_write(&enable, 1, handled) ||
	    !acpi_register_read(&enable, 1, &kept) || kept != handled)
		return none;
	return status;
}

static int start_fixed(const struct acpi_header *fadt)
{
	uint32_t gsi = acpi_read_field16(fadt, FADT_SCI);
	int err;

	acpi_enter_mode();
	pm1_status[0] = start_pm1(fadt, FADT_PM1A_EVENT, FADT_X_PM1A_EVENT);
	pm1_status[1] = start_pm1(fadt, FADT_PM1B_EVENT, FADT_X_PM1B_EVENT);
	if (pm1_status[0].address == 0)
		return -ENODEV;
	start_gpe(acpi_read_block(fadt, FADT_GPE1, FADT_X_GPE1),
		  acpi_read_field8(fadt, FADT_GPE1_SIZE), 0);
	err = irq_register_gsi(gsi, true, &sci_handler);
	if (err)
		return err;
	gpe_status = start_gpe(acpi_read_block(fadt, FADT_GPE0, FADT_X_GPE0),
			       acpi_read_field8(fadt, FADT_GPE0_SIZE), GPE_MEMORY);
	return 0;
}

/* ---- The Generic Event Device ---- */

/* Edges: what comes after the last look makes a new one. */
static bool handle_ged(struct irq_handler *handler)
{
	uint32_t events;
	bool any = false;

	(void)handler;
	for (unsigned i = 0; i < ROUNDS; i++) {
		if (!acpi_register_read(&ged, ged_kind->width, &events) || events == 0)
			break;
		any = true;
		if (events & ged_kind->power_button)
			ops->power_button();
		if (events & ged_kind->memory)
			ops->memory();
	}
	return any;
}

static struct irq_handler ged_handler = { .handle = handle_ged };

/* Finds the register, and drops what it has to say. */
static bool find_ged(const struct ged_kind *kind)
{
	const uint32_t nobody = UINT32_MAX >> (32 - 8 * kind->width);
	struct acpi_region region;
	uint32_t old;

	if (acpi_find_region(kind->region, &region) || region.size != kind->width)
		return false;
	ged = acpi_make_register(region.space, region.base);
	ged_kind = kind;
	return acpi_register_read(&ged, kind->width, &old) && old != nobody;
}

static int start_ged(void)
{
	struct acpi_device device;

	if (acpi_find_device(GED_ID, 0, &device) || !device.has_interrupt)
		return -ENODEV;
	for (size_t i = 0; i < ARRAY_SIZE(ged_kinds); i++) {
		if (find_ged(&ged_kinds[i]))
			return irq_register_gsi(device.gsi, device.level, &ged_handler);
	}
	return -ENODEV;
}

int acpi_notify_start(const struct acpi_notify_ops *callbacks)
{
	const struct acpi_header *fadt = acpi_find("FACP");

	assert(callbacks->power_button && callbacks->memory);
	if (!fadt)
		return -ENODEV;
	ops = callbacks;
	if (acpi_read_field32(fadt, ACPI_FADT_FLAGS) & ACPI_FLAG_HW_REDUCED)
		return start_ged();
	return start_fixed(fadt);
}
