/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several devices may be there: they are tried in the order in which they were found,
 * and one of them is told, as one panic is one event. What a panic needs is ready
 * before; it allocates and maps nothing.
 */
#include "drivers/pvpanic/pvpanic.h"

#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/io.h"
#include "arch/mmio.h"
#include "drivers/acpi/acpi.h"
#include "drivers/pci/pci.h"
#include "kernel/lib/log.h"

#define ACPI_ID "QEMU0001"
#define PCI_VENDOR_REDHAT 0x1b36
#define PCI_DEVICE_PVPANIC 0x0011

/* The register's bits: read, the events that the host knows; written, what happened. */
#define EVENT_PANICKED 0x01
#define EVENTS_NOBODY 0xff /* where no device answers */

#define DEVICES_MAX 4

/* The moment in which the host acts; in looks while the clock still stands at 0. */
#define MOMENT_NS (100 * NS_PER_MS)
#define MOMENT_LOOKS 100000

/* A register that answers; port 0 and no window: a free entry. */
static struct device {
	uint16_t port;
	void *window;
	const struct pci_device *pci; /* whose window it is */
} devices[DEVICES_MAX];

static uint8_t read_events(const struct device *device)
{
	return device->window ? mmio_read8(device->window) : io_read8(device->port);
}

static void write_event(const struct device *device, uint8_t event)
{
	if (device->window)
		mmio_write8(device->window, event);
	else
		io_write8(device->port, event);
}

/* A device is described by those that it is part of, too, as far as acpi.h can tell. */
static bool is_kept(const struct device *found)
{
	for (size_t i = 0; i < DEVICES_MAX; i++)
		if (devices[i].port == found->port && devices[i].window == found->window)
			return true;
	return false;
}

/* Keeps a device that wants to know of panics; false if it does not, or there is no room. */
static bool keep(const struct device *found)
{
	uint8_t events = read_events(found);

	if (events == EVENTS_NOBODY || !(events & EVENT_PANICKED) || is_kept(found))
		return false;
	for (struct device *device = devices; device < devices + DEVICES_MAX; device++) {
		if (device->port || device->window)
			continue;
		*device = *found;
		return true;
	}
	return false;
}

void pvpanic_find(void)
{
	struct acpi_device described;

	for (size_t n = 0; n < DEVICES_MAX; n++) {
		struct device device = { 0 };

		if (acpi_find_device(ACPI_ID, n, &described))
			return;
		device.port = described.port;
		if (device.port != 0 && keep(&device))
			log_info("pvpanic: port %#x", device.port);
	}
}

void pvpanic_pci_add(const struct pci_device *pci)
{
	struct device device = { .pci = pci };

	if (pci->vendor != PCI_VENDOR_REDHAT || pci->device != PCI_DEVICE_PVPANIC)
		return;
	pci_enable(pci);
	if (pci_map_bar(pci, 0, 0, 1, &device.window) == 0 && keep(&device))
		log_info("pvpanic: %02x:%02x.%x", pci->address.bus, pci->address.device,
			 pci->address.function);
	else
		pci_disable(pci);
}

void pvpanic_pci_remove(const struct pci_device *pci)
{
	for (size_t i = 0; i < DEVICES_MAX; i++)
		if (devices[i].pci == pci)
			devices[i] = (struct device){ 0 };
}

/* Reading the device lets the host in, where only that would. */
static void wait_a_moment(const struct device *device)
{
	uint64_t start_awake = clock_awake_ns();

	for (unsigned looks = 0; looks < MOMENT_LOOKS; looks++) {
		if (clock_awake_ns() - start_awake >= MOMENT_NS)
			return;
		read_events(device);
		cpu_relax();
	}
}

void pvpanic_tell(void)
{
	static bool told;

	for (size_t i = 0; i < DEVICES_MAX && !told; i++) {
		const struct device *device = &devices[i];

		if (!device->port && !device->window)
			continue;
		told = true;
		write_event(device, EVENT_PANICKED);
		wait_a_moment(device);
	}
}
