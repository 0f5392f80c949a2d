/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio function on PCI, for tests of the PCI transports: a simulated device
 * behind simulated registers. The fixture plays drivers/pci and has the windows;
 * the registers are sim_virtio_pci's, and the device behind them sim_virtio.
 */
#ifndef TESTS_UNIT_DRIVERS_VIRTIO_VIRTIO_PCI_FIXTURE_H
#define TESTS_UNIT_DRIVERS_VIRTIO_VIRTIO_PCI_FIXTURE_H

#include "drivers/pci/pci.h"
#include "drivers/virtio/virtio_pci.h"
#include "tests/sim/sim_frame.h"
#include "tests/sim/sim_irq.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_time.h"
#include "tests/sim/sim_virtio_pci.h"

#define PORTS 0xc000
#define PORTS_SIZE SIM_VIRTIO_PCI_PORTS_SIZE

#define BAR SIM_VIRTIO_PCI_BAR
#define BAR_SIZE SIM_VIRTIO_PCI_SIZE
#define COMMON SIM_VIRTIO_PCI_COMMON
#define ISR SIM_VIRTIO_PCI_ISR
#define DEVICE SIM_VIRTIO_PCI_DEVICE
#define NOTIFY SIM_VIRTIO_PCI_NOTIFY
#define TABLE_BAR SIM_VIRTIO_PCI_TABLE_BAR

extern struct sim_virtio sim;
extern struct sim_virtio_pci regs;
extern struct pci_device pci;
extern uint8_t config_space[256];
extern bool enabled;	       /* pci_enable() was called */
extern bool enable_is_refused; /* MSI-X does not stay on */

/* Adds one of virtio's capabilities; returns its place. */
unsigned add_vendor(uint8_t type, uint8_t bar, uint32_t offset, uint32_t length);

/* Writes 32 bits of config space. */
void set32(unsigned at, uint32_t value);

/* Makes a function with its BARs, but without any capability. */
void make_function(uint16_t device, bool legacy, uint64_t features);

/* Makes a modern function with QEMU's capabilities. */
void make_modern(void);

/* Makes a transitional function, or a modern one. */
void make_either(unsigned legacy);

/* Ends the probe's hold on `pci`, and leaves nothing for the next test. Returns 0. */
int teardown(void **state);

/* Probes; there must be one device, and no word in the log. */
struct virtio_device *probe(void);

/* The function is left alone, with one line that contains `why`. */
void assert_left_alone(const char *why);

/* Runs the whole life of a device: features, a queue, a buffer, config, interrupts. */
void use_device(struct virtio_device *device);

#define CASE(name) cmocka_unit_test_teardown(name, teardown)

#endif
