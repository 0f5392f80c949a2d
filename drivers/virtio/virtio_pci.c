/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio devices on PCI (virtio 1.3, 4.1.2): which functions are virtio, and
 * which of the two transports they get. The modern interface is preferred; the
 * legacy one is for transitional devices without it.
 */
#include "drivers/virtio/virtio_pci.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "drivers/virtio/virtio_pci_internal.h"
#include "kernel/lib/log.h"

#define VENDOR_VIRTIO 0x1af4
#define DEVICE_TRANSITIONAL 0x1000 /* to 0x103f; the type is the subsystem id */
#define DEVICE_MODERN 0x1040	   /* plus the type, to 0x107f */
#define DEVICE_END 0x1080

#define VIRTIO_PCI_MAX 16

static struct virtio_pci functions[VIRTIO_PCI_MAX];
static bool msix_refused;

static bool is_transitional(const struct pci_device *pci)
{
	return pci->device < DEVICE_MODERN;
}

/* Returns 0 for other devices. The revision is not checked: devices have shipped with any. */
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

void virtio_pci_refuse_msix(void)
{
	msix_refused = true;
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

static void setup_function(struct virtio_pci *vp, const struct pci_device *pci, uint16_t type)
{
	int msix_err, err;

	assert(!vp->pci && type != 0);
	memset(vp, 0, sizeof(*vp));
	vp->pci = pci;
	vp->device.type = type;
	vp->device.transport_data = vp;
	snprintf(vp->device.address, sizeof(vp->device.address), "0000:%02x:%02x.%x",
		 pci->address.bus, pci->address.device, pci->address.function);
	pci_enable(pci);
	msix_err = pci_msix_setup(pci, &vp->msix);
	if (!msix_err && msix_refused)
		msix_err = -ENODEV;
	err = setup_transport(vp);
	if (err) {
		vp->pci = NULL;
		return;
	}
	/* End whatever the firmware did with the device, and drop an old interrupt. */
	vp->device.transport->set_status(&vp->device, 0);
	vp->device.transport->read_isr(&vp->device);
	virtio_pci_irq_setup(vp, msix_err);
	virtio_register(&vp->device);
}

static void drop_function(struct virtio_pci *vp)
{
	virtio_unregister(&vp->device);
	virtio_pci_irq_stop(vp);
	vp->pci = NULL;
}

static struct virtio_pci *find_function(const struct pci_device *pci)
{
	for (size_t i = 0; i < VIRTIO_PCI_MAX; i++)
		if (functions[i].pci == pci)
			return &functions[i];
	return NULL;
}

void virtio_pci_add(const struct pci_device *pci)
{
	uint16_t type = device_type(pci);
	struct virtio_pci *vp = find_function(NULL);

	if (type == 0)
		return;
	if (!vp)
		log_warn("virtio: more than %d devices: the others are left alone", VIRTIO_PCI_MAX);
	else
		setup_function(vp, pci, type);
}

void virtio_pci_remove(const struct pci_device *pci, bool gone)
{
	struct virtio_pci *vp = find_function(pci);

	if (!vp)
		return;
	if (gone)
		virtio_gone(&vp->device);
	drop_function(vp);
}

size_t virtio_pci_probe(void)
{
	size_t count = 0;

	for (size_t i = 0; i < VIRTIO_PCI_MAX; i++)
		if (functions[i].pci)
			drop_function(&functions[i]);
	for (const struct pci_device *pci = pci_devices(); pci; pci = pci->next)
		virtio_pci_add(pci);
	for (size_t i = 0; i < VIRTIO_PCI_MAX; i++)
		count += !!functions[i].pci;
	return count;
}
