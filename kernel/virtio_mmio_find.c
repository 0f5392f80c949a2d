/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio devices in memory, from the command line and from ACPI. */
#include "kernel/virtio_mmio_find.h"

#include <inttypes.h>

#include "drivers/acpi/acpi.h"
#include "drivers/virtio/virtio_mmio.h"
#include "kernel/command_line.h"
#include "kernel/lib/log.h"

#define OPTION "virtio_mmio.device"
#define OPTION_MAX 80

/* The _HID that QEMU, Firecracker and Linux have agreed on. */
#define ACPI_ID "LNRO0005"

/* A hostile table has no end of them. */
#define DEVICES_MAX 64

static void find_on_command_line(const char *command_line)
{
	struct virtio_mmio_place place;
	char text[OPTION_MAX];
	int got;

	while ((got = command_line_next(&command_line, OPTION, text, sizeof(text))) != 0) {
		if (got < 0)
			log_warn("virtio: a value of " OPTION " is too long or its quote is open");
		else if (virtio_mmio_parse(text, &place))
			log_warn("virtio: " OPTION "=%s is not SIZE@BASE:IRQ[:ID]", text);
		else
			virtio_mmio_add(&place);
	}
}

static void find_in_acpi(void)
{
	struct acpi_device device;

	for (size_t n = 0; n < DEVICES_MAX && acpi_find_device(ACPI_ID, n, &device) == 0; n++)
		virtio_mmio_add(&(struct virtio_mmio_place){ .base = device.base,
							     .size = device.size,
							     .has_irq = device.has_interrupt,
							     .gsi = device.gsi,
							     .level = device.level });
}

void virtio_mmio_find(const char *command_line)
{
	find_on_command_line(command_line);
	find_in_acpi();
}
