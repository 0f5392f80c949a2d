/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio function on PCI, for tests; see virtio_pci_fixture.h. */
#include "tests/unit/drivers/virtio/virtio_pci_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/sim_bus.h"
#include "tests/unit/drivers/virtio/virtio_fixture.h"

/* Windows are cookies: nothing is there, BAR n begins at n + 1 TiB. */
#define COOKIE_BITS 40
#define COOKIE(bar) ((uintptr_t)((bar) + 1) << COOKIE_BITS)

struct sim_virtio sim;
struct sim_virtio_pci regs;
struct pci_device pci;
uint8_t config_space[256];
bool enabled;
bool enable_is_refused;

/* ---- drivers/pci ---- */

struct pci_device *pci_devices(void)
{
	return &pci;
}

uint8_t pci_read8(const struct pci_device *device, unsigned offset)
{
	(void)device;
	assert_true(offset < sizeof(config_space));
	return config_space[offset];
}

uint16_t pci_read16(const struct pci_device *device, unsigned offset)
{
	return (uint16_t)(pci_read8(device, offset) | pci_read8(device, offset + 1) << 8);
}

uint32_t pci_read32(const struct pci_device *device, unsigned offset)
{
	return pci_read16(device, offset) | (uint32_t)pci_read16(device, offset + 2) << 16;
}

bool pci_is_there(const struct pci_device *device)
{
	(void)device;
	return !sim.gone;
}

void pci_write16(const struct pci_device *device, unsigned offset, uint16_t value)
{
	(void)device;
	if (enable_is_refused && regs.msix != 0 && offset == regs.msix + 2)
		value &= 0x7fff;
	memcpy(config_space + offset, &value, sizeof(value));
}

unsigned pci_find_capability(const struct pci_device *device, uint8_t id, unsigned after)
{
	unsigned at = config_space[after == 0 ? 0x34 : after + 1];

	(void)device;
	for (unsigned i = 0; i < 48 && at >= 0x40; i++, at = config_space[at + 1])
		if (config_space[at] == id)
			return at;
	return 0;
}

void pci_enable(const struct pci_device *device)
{
	(void)device;
	enabled = true;
}

int pci_map_bar(const struct pci_device *device, unsigned bar, uint64_t offset, uint64_t size,
		void **window)
{
	if (bar >= PCI_BARS || offset + size > device->bar[bar].size)
		return -EINVAL;
	if (device->bar[bar].address == 0)
		return -ENXIO;
	*window = (void *)(COOKIE(bar) + offset);
	return 0;
}

uint32_t sim_mmio_read(uintptr_t at, unsigned width)
{
	return sim_virtio_pci_read(&regs, (unsigned)(at >> COOKIE_BITS) - 1, at & (COOKIE(0) - 1),
				   width);
}

void sim_mmio_write(uintptr_t at, unsigned width, uint32_t value)
{
	sim_virtio_pci_write(&regs, (unsigned)(at >> COOKIE_BITS) - 1, at & (COOKIE(0) - 1), width,
			     value);
}

uint32_t sim_port_read(uint16_t port, unsigned width)
{
	assert_in_range(port, PORTS, PORTS + PORTS_SIZE - width);
	return sim_virtio_pci_read(&regs, SIM_VIRTIO_PCI_PORTS_BAR, port - PORTS, width);
}

void sim_port_write(uint16_t port, unsigned width, uint32_t value)
{
	assert_in_range(port, PORTS, PORTS + PORTS_SIZE - width);
	sim_virtio_pci_write(&regs, SIM_VIRTIO_PCI_PORTS_BAR, port - PORTS, width, value);
}

/* ---- Building the function that is probed ---- */

unsigned add_vendor(uint8_t type, uint8_t bar, uint32_t offset, uint32_t length)
{
	return sim_virtio_pci_add_vendor(&regs, type, bar, offset, length);
}

void set32(unsigned at, uint32_t value)
{
	memcpy(config_space + at, &value, sizeof(value));
}

void make_function(uint16_t device, bool legacy, uint64_t features)
{
	memset(&pci, 0, sizeof(pci));
	virtio_pci_probe(); /* lets go of what was there before */
	memset(config_space, 0, sizeof(config_space));
	pci.vendor = 0x1af4;
	pci.device = device;
	pci.subsystem = device < 0x1040 ? VIRTIO_ID_BALLOON : 0x1100;
	pci.address.device = 3;
	pci.interrupt_pin = 1;
	pci.bar[0] = (struct pci_bar){ PCI_BAR_IO, false, PORTS, PORTS_SIZE };
	pci.bar[BAR] = (struct pci_bar){ PCI_BAR_MEMORY64, true, 0x800000000, BAR_SIZE };
	enabled = false;
	enable_is_refused = false;
	sim_time_reset();
	sim_log_reset();
	sim_irq_reset();
	sim_frame_reset();
	sim_virtio_init(&sim, VIRTIO_ID_BALLOON, legacy, features, 3);
	sim.config_size = 16;
	sim_virtio_pci_init(&regs, &sim, config_space);
}

void make_modern(void)
{
	make_function(0x1045, false,
		      VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(1) | VIRTIO_BIT(33));
	sim_virtio_pci_add_modern(&regs);
}

void make_either(unsigned legacy)
{
	if (legacy)
		make_function(0x1002, true, VIRTIO_BIT(1));
	else
		make_modern();
}

int teardown(void **state)
{
	(void)state;
	pci.vendor = 0;
	virtio_pci_probe();
	if (sim_irq_messages() != 0)
		return -1;
	if (sim.violation || sim_irq_violation) {
		print_error("violation: %s\n", sim.violation ? sim.violation : sim_irq_violation);
		return -1;
	}
	return !virtio_devices() && !sim_irq_line ? 0 : -1;
}

struct virtio_device *probe(void)
{
	assert_int_equal(virtio_pci_probe(), 1);
	assert_int_equal(sim_log_warnings, 0);
	assert_true(enabled);
	return virtio_devices();
}

void assert_left_alone(const char *why)
{
	assert_int_equal(virtio_pci_probe(), 0);
	assert_null(virtio_devices());
	assert_null(sim_irq_line);
	assert_int_equal(sim_log_warnings, 1);
	if (!strstr(sim_log_warning, why))
		fail_msg("\"%s\" is not in \"%s\"", why, sim_log_warning);
}

void use_device(struct virtio_device *device)
{
	virtio_use(device, &sim);
}
