/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine of the device: a PCI bus, its interrupts, and the device's registers
 * on it; see lies.h. Everything between these and the balloon is the real thing:
 * drivers/pci finds the device, drivers/virtio drives it.
 */
#include "drivers/pci/pci.h"
#include "drivers/virtio/virtio_pci.h"
#include "tests/lies/lies.h"
#include "tests/sim/sim_irq.h"

#define CLASS_OTHER 0x00ff00
#define VENDOR 0x1af4
#define MODERN 0x1045
#define TRANSITIONAL 0x1002
#define SUBSYSTEM 0x2e
#define INTERRUPT_PIN 0x3d

/* What the firmware leaves to be given out: nothing has an address yet. */
static const struct pci_windows windows = {
	.memory_start = 0xc0000000,
	.memory_end = 0xfec00000,
	.memory64_start = UINT64_C(1) << 32,
	.memory64_end = UINT64_C(1) << 36,
	.io_start = 0xc000,
	.io_end = 0x10000,
};

struct machine machine;

static struct sim_virtio_pci registers;

/* ---- Going away in mid-run ---- */

static void set_gone(bool gone)
{
	world.virtio.gone = gone;
	machine.function->gone = gone;
}

void machine_pull(void)
{
	sim_balloon_forget(&world);
	set_gone(true);
}

void machine_put_back(void)
{
	set_gone(false);
}

static void count_access(void)
{
	if (machine.accesses_left > 0 && --machine.accesses_left == 0)
		machine_pull();
}

static uint32_t read_register(struct sim_pci_function *f, unsigned bar, uint64_t offset,
			      unsigned width)
{
	(void)f;
	count_access();
	return sim_virtio_pci_read(&registers, bar, offset, width);
}

static void write_register(struct sim_pci_function *f, unsigned bar, uint64_t offset,
			   unsigned width, uint32_t value)
{
	(void)f;
	count_access();
	sim_virtio_pci_write(&registers, bar, offset, width, value);
}

/* ---- Building ---- */

/* A transitional device without capabilities is a legacy one. */
static void add_interface(struct sim_pci_function *f, bool legacy)
{
	if (legacy) {
		sim_pci_put(f, SUBSYSTEM, 2, VIRTIO_ID_BALLOON);
		sim_pci_set_bar(f, SIM_VIRTIO_PCI_PORTS_BAR, SIM_PCI_IO, SIM_VIRTIO_PCI_PORTS_SIZE,
				0);
	} else {
		sim_pci_set_bar(f, SIM_VIRTIO_PCI_BAR, SIM_PCI_MEMORY64 | SIM_PCI_PREFETCHABLE,
				SIM_VIRTIO_PCI_SIZE, 0);
		sim_virtio_pci_add_modern(&registers);
	}
}

static void add_msix(struct sim_pci_function *f, unsigned vectors)
{
	unsigned at;

	if (vectors == 0)
		return;
	at = sim_virtio_pci_add_msix(&registers, vectors);
	f->writable[at + 3] = 0xc0; /* enable, and mask all */
	sim_pci_set_bar(f, SIM_VIRTIO_PCI_TABLE_BAR, SIM_PCI_MEMORY32, SIM_VIRTIO_PCI_TABLE_SIZE,
			0);
}

void machine_build(const struct ring *ring)
{
	struct sim_pci_function *f;

	sim_pci_reset();
	sim_irq_reset();
	machine = (struct machine){ .ring = ring, .registers = &registers };
	if (ring->bridged)
		machine.bridge = sim_pci_add_bridge(NULL, 2, 0);
	f = sim_pci_add(machine.bridge, 3, 0, VENDOR, ring->legacy ? TRANSITIONAL : MODERN,
			CLASS_OTHER);
	machine.function = f;
	f->config[INTERRUPT_PIN] = 1;
	f->read = read_register;
	f->write = write_register;
	sim_virtio_pci_init(&registers, &world.virtio, f->config);
	add_interface(f, ring->legacy);
	add_msix(f, ring->vectors);
	sim_pci_on_read = count_access;
}

/* ---- Plugging ---- */

void machine_plug(void)
{
	if (pci_config_use_ports() == 0)
		pci_scan(&windows);
	virtio_pci_probe();
}

/* First what is behind a bridge, then the bridge. */
void machine_unplug(void)
{
	bool gone = world.virtio.gone;

	for (const struct pci_device *d = pci_devices(); d; d = d->next)
		virtio_pci_remove(d, gone);
	while (pci_devices()) {
		if (!gone)
			pci_disable(pci_devices());
		pci_forget(pci_devices());
	}
}

bool machine_is_seen(void)
{
	for (const struct pci_device *d = pci_devices(); d; d = d->next)
		if (d->vendor == VENDOR &&
		    (d->device == MODERN || d->subsystem == VIRTIO_ID_BALLOON))
			return true;
	return false;
}
