/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio devices on PCI (virtio 1.3, 4.1.2): which functions are virtio, which
 * of the two transports they get, and their interrupts. The modern interface is
 * preferred; the legacy one is for transitional devices without it. MSI-X is
 * preferred to INTx.
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

#define ISR_GONE 0xff

#define VIRTIO_PCI_MAX 16

static struct virtio_pci functions[VIRTIO_PCI_MAX];
static bool msix_refused;

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

/* ---- Interrupts ---- */

/*
 * The line is shared: the device is asked whether it was it, and reading the
 * answer also makes it let go of the line (4.1.4.5).
 */
static bool handle_intx(struct irq_handler *handler)
{
	struct virtio_pci *vp = container_of(handler, struct virtio_pci, intx);
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

static bool handle_config(struct irq_handler *handler)
{
	struct virtio_pci *vp = container_of(handler, struct virtio_pci, message[0]);
	uint8_t isr = VIRTIO_ISR_CONFIG;

	/* Alone it stands for the queues, too: both are looked at (4.1.5.1.2). */
	if (vp->vectors == 1)
		isr |= VIRTIO_ISR_QUEUE;
	virtio_interrupt(&vp->device, isr);
	return true;
}

static bool handle_queues(struct irq_handler *handler)
{
	struct virtio_pci *vp = container_of(handler, struct virtio_pci, message[1]);

	virtio_interrupt(&vp->device, VIRTIO_ISR_QUEUE);
	return true;
}

static void use_intx(struct virtio_pci *vp)
{
	struct virtio_device *device = &vp->device;

	if (vp->pci->interrupt_pin == 0) {
		log_warn("virtio: %s: has no interrupt pin: it will be polled", device->address);
		snprintf(device->interrupts_by, sizeof(device->interrupts_by), "nothing");
		return;
	}
	vp->intx.handle = handle_intx;
	vp->has_intx = true;
	snprintf(device->interrupts_by, sizeof(device->interrupts_by), "INTx");
	irq_register(IRQ_PCI, &vp->intx);
}

/*
 * While MSI-X is on, INTx is silent, and the legacy config lies elsewhere. It
 * is off after a reset; a firmware may have thought otherwise.
 */
static void stop_messages(struct virtio_pci *vp)
{
	pci_msix_disable(&vp->msix);
	for (unsigned i = 0; i < vp->vectors; i++)
		irq_unregister_message(&vp->message[i]);
	vp->vectors = 0;
}

void virtio_pci_fall_back(struct virtio_pci *vp)
{
	if (vp->vectors == 0)
		return;
	log_warn("virtio: %s: does not take an MSI-X vector: INTx instead", vp->device.address);
	stop_messages(vp);
	use_intx(vp);
}

/* As many vectors as table and machine have, up to two. */
static int use_messages(struct virtio_pci *vp)
{
	struct virtio_device *device = &vp->device;
	struct irq_message message[2] = { 0 };
	unsigned wanted = vp->msix.count < 2 ? vp->msix.count : 2;
	int err = 0;

	vp->message[0].handle = handle_config;
	vp->message[1].handle = handle_queues;
	while (vp->vectors < wanted && err == 0) {
		err = irq_register_message(&vp->message[vp->vectors], &message[vp->vectors]);
		if (err == 0)
			vp->vectors++;
	}
	if (vp->vectors == 0)
		return err;
	device->shared_interrupt = vp->vectors == 1;
	for (unsigned i = 0; i < vp->vectors; i++)
		pci_msix_set(&vp->msix, i, message[i].address, message[i].data);
	err = pci_msix_enable(&vp->msix);
	if (err != 0) {
		stop_messages(vp);
		return err;
	}
	if (vp->vectors == 1)
		snprintf(device->interrupts_by, sizeof(device->interrupts_by), "MSI-X, vector %u",
			 message[0].vector);
	else
		snprintf(device->interrupts_by, sizeof(device->interrupts_by),
			 "MSI-X, vectors %u (config), %u (queues)", message[0].vector,
			 message[1].vector);
	return 0;
}

static void setup_interrupts(struct virtio_pci *vp, int msix_err)
{
	if (msix_err == 0 && !msix_refused)
		msix_err = use_messages(vp);
	else if (msix_err == 0)
		msix_err = -ENODEV;
	if (msix_err != 0 && msix_err != -ENODEV)
		log_warn("virtio: %s: no MSI-X: error %d", vp->device.address, msix_err);
	if (msix_err != 0)
		use_intx(vp);
}

void virtio_pci_refuse_msix(void)
{
	msix_refused = true;
}

/* ---- Functions ---- */

bool virtio_pci_is_gone(struct virtio_device *device)
{
	return !pci_is_there(virtio_pci_of(device)->pci);
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
	int msix_err, err;

	memset(vp, 0, sizeof(*vp));
	vp->pci = pci;
	vp->device.type = type;
	vp->device.transport_data = vp;
	snprintf(vp->device.address, sizeof(vp->device.address), "0000:%02x:%02x.%x",
		 pci->address.bus, pci->address.device, pci->address.function);
	pci_enable(pci);
	msix_err = pci_msix_setup(pci, &vp->msix);
	err = setup_transport(vp);
	if (err != 0) {
		vp->pci = NULL;
		return err;
	}
	/* What the firmware did with it ends here, and no old interrupt is pending. */
	vp->device.transport->set_status(&vp->device, 0);
	vp->device.transport->read_isr(&vp->device);
	setup_interrupts(vp, msix_err);
	virtio_register(&vp->device);
	return 0;
}

static void drop_function(struct virtio_pci *vp)
{
	virtio_unregister(&vp->device);
	if (vp->has_intx)
		irq_unregister(IRQ_PCI, &vp->intx);
	stop_messages(vp);
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
	if (vp == NULL)
		log_warn("virtio: more than %d devices: the others are left alone", VIRTIO_PCI_MAX);
	else
		setup_function(vp, pci, type);
}

void virtio_pci_remove(const struct pci_device *pci, bool gone)
{
	struct virtio_pci *vp = find_function(pci);

	if (vp == NULL)
		return;
	if (gone)
		virtio_gone(&vp->device);
	drop_function(vp);
}

size_t virtio_pci_probe(void)
{
	size_t count = 0;

	for (size_t i = 0; i < VIRTIO_PCI_MAX; i++)
		if (functions[i].pci != NULL)
			drop_function(&functions[i]);
	for (const struct pci_device *pci = pci_devices(); pci != NULL; pci = pci->next)
		virtio_pci_add(pci);
	for (size_t i = 0; i < VIRTIO_PCI_MAX; i++)
		count += functions[i].pci != NULL;
	return count;
}
