/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of virtio devices on PCI (virtio 1.3, 4.1.4.5 and 4.1.5.1.2): by
 * messages (MSI-X) where a device has them, else by INTx, else by nothing.
 */
#include <errno.h>
#include <stdio.h>

#include "drivers/virtio/virtio_pci_internal.h"
#include "kernel/lib/log.h"

_Static_assert(VIRTIO_PCI_VECTORS_MAX == 2, "handle_config() and handle_queues()");

/* ---- INTx ---- */

static bool handle_intx(struct irq_handler *handler)
{
	return virtio_interrupt_shared(&container_of(handler, struct virtio_pci, intx)->device);
}

static void use_intx(struct virtio_pci *vp)
{
	struct virtio_device *device = &vp->device;

	assert(vp->vectors == 0 && !vp->has_intx);
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

/* ---- Messages ---- */

static bool handle_config(struct irq_handler *handler)
{
	struct virtio_pci *vp = container_of(handler, struct virtio_pci, message[0]);

	/* Alone it stands for the queues, too: who is woken looks at both (4.1.5.1.2). */
	virtio_interrupt(&vp->device, VIRTIO_ISR_CONFIG);
	return true;
}

static bool handle_queues(struct irq_handler *handler)
{
	struct virtio_pci *vp = container_of(handler, struct virtio_pci, message[1]);

	virtio_interrupt(&vp->device, VIRTIO_ISR_QUEUE);
	return true;
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

/* Registers as many vectors as table and machine have, up to two. */
static int register_messages(struct virtio_pci *vp, struct irq_message *message)
{
	unsigned wanted = (unsigned)min_u64(vp->msix.count, VIRTIO_PCI_VECTORS_MAX);

	assert(vp->vectors == 0 && vp->msix.count > 0);
	vp->message[0].handle = handle_config;
	vp->message[1].handle = handle_queues;
	while (vp->vectors < wanted) {
		int err = irq_register_message(&vp->message[vp->vectors], &message[vp->vectors]);

		if (err)
			return vp->vectors > 0 ? 0 : err;
		vp->vectors++;
	}
	return 0;
}

static int use_messages(struct virtio_pci *vp)
{
	struct irq_message message[VIRTIO_PCI_VECTORS_MAX] = { 0 };
	struct virtio_device *device = &vp->device;
	int err = register_messages(vp, message);

	if (err)
		return err;
	device->shared_interrupt = vp->vectors == 1;
	for (unsigned i = 0; i < vp->vectors; i++)
		pci_msix_set(&vp->msix, i, message[i].address, message[i].data);
	err = pci_msix_enable(&vp->msix);
	if (err) {
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

/* ---- Which of them ---- */

void virtio_pci_irq_setup(struct virtio_pci *vp, int msix_err)
{
	int err = msix_err ? msix_err : use_messages(vp);

	if (err && err != -ENODEV)
		log_warn("virtio: %s: no MSI-X: error %d", vp->device.address, err);
	if (err)
		use_intx(vp);
}

void virtio_pci_irq_stop(struct virtio_pci *vp)
{
	if (vp->has_intx)
		irq_unregister(IRQ_PCI, &vp->intx);
	stop_messages(vp);
}

void virtio_pci_irq_fall_back(struct virtio_pci *vp)
{
	assert(vp->vectors > 0);
	log_warn("virtio: %s: does not take an MSI-X vector: INTx instead", vp->device.address);
	stop_messages(vp);
	use_intx(vp);
}
