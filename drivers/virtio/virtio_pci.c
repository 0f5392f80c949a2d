/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio devices on PCI (virtio 1.3, 4.1.2): which functions are virtio, which
 * of the two transports they get, and their INTx. The modern interface is
 * preferred; the legacy one is for transitional devices without it.
 */
#include "drivers/virtio/virtio_pci.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "drivers/pci/pci.h"
#include "kernel/lib/log.h"

#define VENDOR_VIRTIO 0x1af4
#define DEVICE_TRANSITIONAL 0x1000 /* to 0x103f; the type is the subsystem id */
#define DEVICE_MODERN 0x1040	   /* plus the type, to 0x107f */
#define DEVICE_END 0x1080

/* Message control of the MSI-X capability (PCI 3.0, 6.8.2.3). */
#define CAP_MSIX 0x11
#define MSIX_CONTROL 2 /* 16 */
#define MSIX_ENABLE 0x8000

#define ISR_GONE 0xff

#define VIRTIO_PCI_MAX 16

static struct virtio_pci functions[VIRTIO_PCI_MAX];
static size_t function_count;

static bool is_transitional(const struct pci_device *pci)
{
	return pci->device < DEVICE_MODERN;
}

/* 0: not virtio. The revision is not asked: devices have shipped with any. */
static uint16_t device_type(const struct pci_device *pci)
{
	if (pci->vendor != VENDOR_VIRTIO)
		return 0;
	if (pci->device < DEVICE_TRANSITIONAL || pci->device >= DEVICE_END)
		return 0;
	if (is_transitional(pci))
		return pci->subsystem;
	return (uint16_t)(pci->device - DEVICE_MODERN);
}

/*
 * The line is shared: the device is asked whether it was it, and reading the
 * answer also makes it let go of the line (4.1.4.5).
 */
static bool handle_interrupt(struct irq_handler *handler)
{
	struct virtio_pci *vp = container_of(handler, struct virtio_pci, irq);
	uint8_t isr = vp->device.transport->read_isr(&vp->device);

	if (isr == ISR_GONE) {
		/* It cannot have been it; but whoever waits should look. */
		task_wake(&vp->device.interrupts);
		return false;
	}
	if (isr == 0)
		return false;
	virtio_interrupt(&vp->device, isr);
	return true;
}

/*
 * With MSI-X on, INTx would stay silent and the legacy config lie elsewhere.
 * It is off after a reset; a firmware may have thought otherwise.
 */
static void turn_msix_off(const struct pci_device *pci)
{
	unsigned at = pci_find_capability(pci, CAP_MSIX, 0);
	uint16_t control;

	if (at == 0)
		return;
	control = pci_read16(pci, at + MSIX_CONTROL);
	if (control & MSIX_ENABLE)
		pci_write16(pci, at + MSIX_CONTROL, (uint16_t)(control & ~MSIX_ENABLE));
}

static int setup_transport(struct virtio_pci *vp)
{
	const char *modern = NULL;
	const char *legacy = "not transitional";
	const struct pci_device *pci = vp->pci;

	if (virtio_pci_modern_setup(vp, &modern) == 0)
		return 0;
	if (is_transitional(pci) && virtio_pci_legacy_setup(vp, &legacy) == 0)
		return 0;
	log_warn("virtio: %s: [%04x:%04x] left alone: %s; %s", vp->device.address, pci->vendor,
		 pci->device, modern, legacy);
	return -ENODEV;
}

static int setup_function(struct virtio_pci *vp, const struct pci_device *pci, uint16_t type)
{
	int err;

	memset(vp, 0, sizeof(*vp));
	vp->pci = pci;
	vp->device.type = type;
	vp->device.transport_data = vp;
	snprintf(vp->device.address, sizeof(vp->device.address), "0000:%02x:%02x.%x",
		 pci->address.bus, pci->address.device, pci->address.function);
	pci_enable(pci);
	turn_msix_off(pci);
	err = setup_transport(vp);
	if (err != 0)
		return err;
	/* What the firmware did with it ends here, and no old interrupt is pending. */
	vp->device.transport->set_status(&vp->device, 0);
	vp->device.transport->read_isr(&vp->device);
	virtio_register(&vp->device);
	if (pci->interrupt_pin == 0) {
		log_warn("virtio: %s: has no interrupt pin: it will be polled", vp->device.address);
		return 0;
	}
	vp->irq.handle = handle_interrupt;
	vp->has_irq = true;
	irq_register(IRQ_PCI, &vp->irq);
	return 0;
}

static void forget_functions(void)
{
	for (size_t i = 0; i < function_count; i++) {
		if (functions[i].has_irq)
			irq_unregister(IRQ_PCI, &functions[i].irq);
		virtio_unregister(&functions[i].device);
	}
	function_count = 0;
}

size_t virtio_pci_probe(void)
{
	forget_functions();
	for (const struct pci_device *pci = pci_devices(); pci != NULL; pci = pci->next) {
		uint16_t type = device_type(pci);

		if (type == 0)
			continue;
		if (function_count == VIRTIO_PCI_MAX) {
			log_warn("virtio: more than %d devices: the others are left alone",
				 VIRTIO_PCI_MAX);
			break;
		}
		if (setup_function(&functions[function_count], pci, type) == 0)
			function_count++;
	}
	return function_count;
}
