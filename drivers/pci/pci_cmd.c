/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lspci: the functions in the list, in the manner of Linux's lspci -nn (names and
 * numbers). -v reads the registers again; nothing is written.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drivers/pci/pci_internal.h"
#include "drivers/pci/pci_names.h"
#include "kernel/lib/command.h"
#include "kernel/lib/hooks.h"
#include "kernel/lib/json.h"
#include "kernel/lib/wrap.h"

#define VENDOR_VIRTIO 0x1af4

#define CAP_MSI 0x05
#define CAP_VENDOR 0x09
#define CAP_MSIX 0x11

/* From a capability's start: message control (PCI 3.0, 6.8.1.3, 6.8.2.3) */
#define CAP_CONTROL 2 /* 16 */
#define MSI_ENABLE 0x0001
#define MSI_64 0x0080
#define MSIX_ENABLE 0x8000
#define MSIX_MASKED 0x4000
#define MSIX_SIZE 0x07ff

#define CAP_VIRTIO_TYPE 3 /* 8; virtio 1.3, 4.1.4 */

#define SIZE_TEXT 24

/* "64", "4K", "2M": sizes are powers of two, or multiples of such. */
static const char *size_text(uint64_t size, char text[SIZE_TEXT])
{
	static const char units[] = { 'K', 'M', 'G', 'T', 'P', 'E' };
	size_t unit = 0;

	if (size < KIB) {
		snprintf(text, SIZE_TEXT, "%" PRIu64, size);
		return text;
	}
	for (size /= KIB; size % KIB == 0; size /= KIB)
		unit++;
	snprintf(text, SIZE_TEXT, "%" PRIu64 "%c", size, units[unit]);
	return text;
}

/* Prints what is known of the name: "Red Hat, Inc. Virtio RNG", "Device 1234:5678". */
static void print_device_name(struct wrap *line, uint16_t vendor, uint16_t device)
{
	const char *vendor_name = pci_vendor_name(vendor);
	const char *name = vendor_name ? pci_device_name(vendor, device) : NULL;

	if (vendor_name)
		wrap_text(line, vendor_name);
	wrap_text(line, name ? name : "Device");
	wrap_word(line, "[%04x:%04x]", vendor, device);
}

static void print_heading(const struct pci_device *device)
{
	uint16_t class = (uint16_t)(device->class >> 8);
	const char *class_name = pci_class_name(class);
	char name[PCI_NAME_SIZE];
	struct wrap line;

	wrap_begin(&line, 8);
	wrap_word(&line, "%s", pci_name(device, name));
	wrap_text(&line, class_name ? class_name : "Class");
	wrap_word(&line, "[%04x]:", class);
	print_device_name(&line, device->vendor, device->device);
	if (device->revision != 0)
		wrap_word(&line, "(rev %02x)", device->revision);
	wrap_end(&line);
}

/* ---- -j ---- */

static void print_device_json(const struct pci_device *device)
{
	uint16_t class = (uint16_t)(device->class >> 8);
	char name[PCI_NAME_SIZE];

	printf("{\"address\":\"%s\",\"class\":\"%04x\",\"class-name\":", pci_name(device, name),
	       class);
	json_print_string(pci_class_name(class));
	printf(",\"vendor\":\"%04x\",\"vendor-name\":", device->vendor);
	json_print_string(pci_vendor_name(device->vendor));
	printf(",\"device\":\"%04x\",\"device-name\":", device->device);
	json_print_string(pci_device_name(device->vendor, device->device));
	printf(",\"revision\":%u}", device->revision);
}

static void print_json(void)
{
	const char *comma = "";

	printf("{\"devices\":[");
	for (const struct pci_device *device = pci_devices(); device; device = device->next) {
		printf("%s", comma);
		print_device_json(device);
		comma = ",";
	}
	printf("]}\n");
}

/* ---- -v ---- */

static void print_subsystem(const struct pci_device *device)
{
	const char *vendor = pci_vendor_name(device->subsystem_vendor);

	if (device->subsystem_vendor == 0)
		return;
	printf("\tSubsystem: %s%sDevice [%04x:%04x]\n", vendor ? vendor : "", vendor ? " " : "",
	       device->subsystem_vendor, device->subsystem);
}

static void print_flags(const struct pci_device *device)
{
	static const char *const speeds[] = { "fast", "medium", "slow", "?" };
	uint16_t command = pci_read16(device, PCI_COMMAND);
	uint16_t status = pci_read16(device, PCI_STATUS);

	printf("\tFlags: %s%s%s%s%s%s devsel, latency %u\n",
	       command & PCI_COMMAND_MASTER ? "bus master, " : "",
	       command & PCI_COMMAND_IO ? "I/O, " : "",
	       command & PCI_COMMAND_MEMORY ? "memory, " : "",
	       status & PCI_STATUS_66MHZ ? "66MHz, " : "",
	       status & PCI_STATUS_FAST_BACK ? "fast back to back, " : "",
	       speeds[(status & PCI_STATUS_DEVSEL) >> 9], pci_read8(device, PCI_LATENCY_TIMER));
	if (device->interrupt_pin == 0)
		return;
	printf("\tInterrupt: pin %c, line %u%s\n", 'A' + device->interrupt_pin - 1,
	       pci_read8(device, PCI_INTERRUPT_LINE),
	       command & PCI_COMMAND_INTX_DISABLE ? " [disabled]" : "");
}

static void print_bar(const struct pci_bar *bar, uint16_t command)
{
	bool io = bar->kind == PCI_BAR_IO;
	bool decoded = command & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
	char size[SIZE_TEXT];

	printf(io ? "\tI/O ports at " : "\tMemory at ");
	if (bar->address == 0)
		printf("<unassigned>");
	else if (io)
		printf("%04" PRIx64, bar->address);
	else
		printf("%08" PRIx64, bar->address);
	if (!io)
		printf(" (%s-bit, %sprefetchable)", bar->kind == PCI_BAR_MEMORY64 ? "64" : "32",
		       bar->prefetchable ? "" : "non-");
	printf("%s [size=%s]\n", decoded ? "" : " [disabled]", size_text(bar->size, size));
}

static void print_bars(const struct pci_device *device)
{
	uint16_t command = pci_read16(device, PCI_COMMAND);
	uint32_t rom;

	for (unsigned i = 0; i < PCI_BARS; i++) {
		if (device->bar[i].kind != PCI_BAR_NONE)
			print_bar(&device->bar[i], command);
	}
	if (device->header_type != PCI_HEADER_DEVICE)
		return;
	rom = pci_read32(device, PCI_ROM);
	if (rom != 0 && rom != UINT32_MAX)
		printf("\tExpansion ROM at %08" PRIx32 "%s\n", rom & 0xfffff800,
		       rom & PCI_ROM_ENABLE ? "" : " [disabled]");
}

static void print_window(const struct pci_window *window, const char *name, int digits)
{
	char size[SIZE_TEXT];

	if (!pci_is_open(window)) {
		printf("\t%s behind bridge: [disabled]\n", name);
		return;
	}
	printf("\t%s behind bridge: %0*" PRIx64 "-%0*" PRIx64 " [size=%s]\n", name, digits,
	       window->start, digits, window->end - 1,
	       size_text(window->end - window->start, size));
}

static void print_bridge(const struct pci_device *device)
{
	const struct pci_function *bridge = container_of(device, struct pci_function, device);

	printf("\tBus: primary=%02x, secondary=%02x, subordinate=%02x\n", device->address.bus,
	       device->secondary_bus, device->subordinate_bus);
	print_window(&bridge->window[PCI_WINDOW_IO], "I/O", 4);
	print_window(&bridge->window[PCI_WINDOW_MEMORY], "Memory", 8);
	print_window(&bridge->window[PCI_WINDOW_PREFETCHABLE], "Prefetchable memory", 8);
}

static void print_msi(const struct pci_device *device, unsigned at)
{
	uint16_t control = pci_read16(device, at + CAP_CONTROL);

	printf(": Enable%c Count=%u/%u 64bit%c", control & MSI_ENABLE ? '+' : '-',
	       1u << (control >> 4 & 7), 1u << (control >> 1 & 7), control & MSI_64 ? '+' : '-');
}

static void print_msix(const struct pci_device *device, unsigned at)
{
	uint16_t control = pci_read16(device, at + CAP_CONTROL);

	printf(": Enable%c Count=%u Masked%c", control & MSIX_ENABLE ? '+' : '-',
	       (control & MSIX_SIZE) + 1u, control & MSIX_MASKED ? '+' : '-');
}

static void print_virtio(const struct pci_device *device, unsigned at)
{
	static const char *const types[] = { NULL,	     "CommonCfg", "Notify", "ISR",
					     "DeviceCfg",    "PCICfg",	  NULL,	    NULL,
					     "SharedMemory", "VendorCfg" };
	uint8_t type = pci_read8(device, at + CAP_VIRTIO_TYPE);

	printf(": VirtIO: %s", type < ARRAY_SIZE(types) && types[type] ? types[type] : "<unknown>");
}

static void print_express(const struct pci_device *device, unsigned at)
{
	static const char *const types[16] = {
		"Endpoint",
		"Legacy Endpoint",
		NULL,
		NULL,
		"Root Port",
		"Upstream Port",
		"Downstream Port",
		"PCI-Express to PCI/PCI-X Bridge",
		"PCI/PCI-X to PCI-Express Bridge",
		"Root Complex Integrated Endpoint",
		"Root Complex Event Collector",
	};
	const char *type = types[pci_read16(device, at + PCI_EXPRESS_FLAGS) >> 4 & 0xf];

	printf(" %s", type ? type : "<unknown>");
}

static void print_capability(const struct pci_device *device, unsigned at, uint8_t id)
{
	const char *name = pci_capability_name(id);

	printf("\tCapabilities: [%02x] ", at);
	if (name)
		printf("%s", name);
	else
		printf("id %02x", id);
	if (id == CAP_MSI)
		print_msi(device, at);
	else if (id == CAP_MSIX)
		print_msix(device, at);
	else if (id == PCI_CAP_EXPRESS)
		print_express(device, at);
	else if (id == CAP_VENDOR && device->vendor == VENDOR_VIRTIO)
		print_virtio(device, at);
	printf("\n");
}

static void print_details(const struct pci_device *device)
{
	uint8_t id;

	if (!pci_is_there(device)) {
		printf("\tdoes not answer any more\n\n");
		return;
	}
	print_subsystem(device);
	print_flags(device);
	print_bars(device);
	if (pci_is_bridge(device))
		print_bridge(device);
	for (unsigned at = pci_next_capability(device, 0, &id); at != 0;
	     at = pci_next_capability(device, at, &id))
		print_capability(device, at, id);
	printf("\n");
}

static int cmd_lspci(int argc, char **argv)
{
	bool verbose = argc == 2 && strcmp(argv[1], "-v") == 0;
	bool json = argc == 2 && strcmp(argv[1], "-j") == 0;

	if (argc > 2 || (argc == 2 && !verbose && !json))
		return -EINVAL;
	if (!pci_config_ops()) {
		printf("lspci: this machine has no PCI\n");
		return -ENODEV;
	}
	if (json) {
		print_json();
		return 0;
	}
	for (const struct pci_device *device = pci_devices(); device && !lib_interrupted();
	     device = device->next) {
		print_heading(device);
		if (verbose)
			print_details(device);
	}
	return 0;
}
COMMAND("lspci", "[-v|-j]", "the PCI devices",
	"With -v also their addresses, interrupts, bridge windows and capabilities.\n"
	"With -j: one line of JSON.",
	cmd_lspci);
