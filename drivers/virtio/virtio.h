/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device as its driver sees it, whatever it is reached by (virtio 1.3,
 * chapters 2 and 3). A device driver includes this file and
 * drivers/virtio/virtq.h, and nothing else of this folder.
 *
 * From the bottom to the top; each file calls only those above it in this list:
 *
 *   virtio_features.c	    the allow-list of feature bits
 *   virtio.c		    devices, drivers, status, the order of initialisation (3.1)
 *   virtio_feature_names.c names of feature bits, for people
 *   virtq_split.c	    the split format of virtqueues (2.7)
 *   virtq_packed.c	    the packed format (2.8)
 *   virtq.c		    virtqueues (2.6): what both formats share
 *   virtio_pci_irq.c	    interrupts of virtio devices on PCI
 *   virtio_pci_modern.c    capabilities and registers (4.1.4)
 *   virtio_pci_legacy.c    the transitional interface (4.1.4.10)
 *   virtio_pci.c	    finding virtio devices on PCI (4.1.2)
 *   virtio_mmio.c	    virtio devices in memory, without a bus (4.2)
 *   virtio_cmd.c	    the command `virtio`
 *
 * Transports add virtio_transport.h; kernel/ starts them by virtio_pci.h and
 * virtio_mmio.h. Nothing here is for interrupts.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_H
#define DRIVERS_VIRTIO_VIRTIO_H

#include "drivers/virtio/virtio_features.h"
#include "kernel/lib/types.h"
#include "kernel/task/task.h"

struct virtq;
struct virtio_device;
struct virtio_transport;

/* Device types (5). */
#define VIRTIO_ID_BLOCK 2
#define VIRTIO_ID_BALLOON 5
#define VIRTIO_ID_MEM 24

/* No wait on a device is longer than this. */
#define VIRTIO_DEADLINE_NS (2 * NS_PER_S)

#define VIRTIO_QUEUES_MAX 8

/* ---- Drivers ---- */

struct virtio_feature_name {
	unsigned bit;
	const char *name; /* NULL ends a table of them */
};

/* A driver of one type of device. */
struct virtio_driver {
	uint16_t type; /* VIRTIO_ID_* */
	/* Names of the type's own feature bits, for people. May be NULL. */
	const struct virtio_feature_name *feature_names;
	/* Takes a device. 0: the driver has it now; an error: the device stays without. */
	int (*probe)(struct virtio_device *device);
	/*
	 * Gives up a device that goes. It still works if it is not `broken`; the
	 * driver resets it and gives its queues back. May sleep; what it returned
	 * from is not looked at again.
	 */
	void (*remove)(struct virtio_device *device);
	/* Says why a bit is among the device's `declined`. May be NULL. */
	const char *(*why_declined)(unsigned bit);
	/* For people, in the log: what may help with a device that broke. May be NULL. */
	const char *remedy;
	struct virtio_driver *next; /* the list's */
};

struct virtio_device {
	const struct virtio_transport *transport;
	void *transport_data;
	struct virtio_driver *driver; /* whose probe() took it, or NULL */
	char address[24];	      /* where it is: "0000:00:03.0", "mmio@feb00e00" */
	char interrupts_by[48];	      /* "INTx", "MSI-X, vectors ...", "GSI 5"; for people */
	uint16_t type;		      /* VIRTIO_ID_* */
	uint64_t offered;	      /* feature bits, after virtio_negotiate() */
	uint64_t declined;	      /* feature bits that its driver does without, and says why */
	uint64_t accepted;
	/*
	 * Each reset begins another life, with a number that no device had before;
	 * a queue of an earlier one is dead. 0: never reset, or pulled out.
	 */
	uint64_t life;
	uint16_t queue_count;
	struct virtq *queue[VIRTIO_QUEUES_MAX]; /* by index; NULL if not used */
	const char *broken;	      /* why nothing is expected of it any more; NULL: it is fine */
	bool distrusted;	      /* it is broken, and not yet reset: see virtio_distrust() */
	bool gone;		      /* it was pulled out: see virtio_gone() */
	struct wait_queue interrupts; /* woken by every interrupt of the device */
	volatile bool config_changed; /* set by the interrupt; the driver clears it */
	bool shared_interrupt;	      /* so that config_changed may be about the queues only */
	uint8_t generation;	      /* of the config at the last look, or at the reset */
	bool generation_moves;	      /* it was seen to, since the reset */
	volatile uint64_t interrupt_count;
	struct virtio_device *next;
};

/*
 * Probes the devices of the driver's type that are there, and from then on those
 * that come. Returns what probe() did for the first of them; -ENODEV: there is
 * none yet. Called again, it probes again.
 */
int virtio_register_driver(struct virtio_driver *driver);

/* Returns the registered driver of a device type, or NULL. */
const struct virtio_driver *virtio_find_driver(uint16_t type);

/* Returns the first device of a type, or NULL. */
struct virtio_device *virtio_find(uint16_t type);

/* ---- A device's life ---- */

/*
 * Takes steps 1 to 6 of 3.1.1: reset (waits for status 0), ACKNOWLEDGE, DRIVER,
 * features, FEATURES_OK, read back. A feature is accepted if it is offered, is
 * one of `allowed` (the device type's bits) or of those that
 * virtio_features_allowed() adds, and is not one of the device's `declined`.
 * -ETIMEDOUT: no reset; -ENOTSUP: VERSION_1 is missing or FEATURES_OK was
 * refused; -EIO: all registers read as ones. On an error the device is marked
 * broken, its status FAILED.
 */
int virtio_negotiate(struct virtio_device *device, uint64_t allowed);

/* Takes step 8 of 3.1.1: DRIVER_OK. All queues have been created. */
void virtio_ready(struct virtio_device *device);

/* Tells whether a feature was accepted. */
static inline bool virtio_has(const struct virtio_device *device, unsigned bit)
{
	return device->accepted >> bit & 1;
}

/*
 * Expects nothing more of a device that broke a rule: FAILED, and its queues are dead.
 * It waits for nothing, so that a rule may be found broken in the midst of an
 * allocation; until virtio_break() the device may still write to what it has. `why` is
 * kept, not copied.
 */
void virtio_distrust(struct virtio_device *device, const char *why);

/*
 * Gives up on a device: FAILED, then a reset, for which it may sleep; says why (once) in
 * the log, and kills its queues, but frees nothing. `why` is kept, not copied, and not
 * used if the device is distrusted already. virtio_negotiate() starts anew.
 */
void virtio_break(struct virtio_device *device, const char *why);

/*
 * Writes status 0 and waits until it reads back as 0 (2.4.2); until then the
 * device may still use the rings, which are dead for us at once. -ETIMEDOUT: it
 * does not read back; -EIO: the device is gone.
 */
int virtio_reset(struct virtio_device *device);

/*
 * Resets the device like virtio_reset(), but without giving up the processor: for who must not
 * sleep. -ETIMEDOUT: it does not read back; -EIO: the device is gone.
 */
int virtio_reset_here(struct virtio_device *device);

/*
 * Tells whether the device is reset, or gone: it does not touch memory any more. One
 * whose registers read as all ones, but which is still there, may do so.
 */
bool virtio_is_reset(struct virtio_device *device);

/* Tells whether the device asks for a reset (2.1.2) or its status reads as all ones. */
bool virtio_needs_reset(struct virtio_device *device);

/* ---- Its configuration (2.5) ---- */

/*
 * Reads four bytes of the config, little-endian on every transport for the
 * balloon (5.5.4), again until the generation holds still. Returns 0 if they lie
 * beyond the config, and all ones if the device is gone: virtio_needs_reset()
 * tells, before such a value is obeyed. `offset` is a multiple of 4.
 */
uint32_t virtio_config_read32(struct virtio_device *device, size_t offset);

/*
 * Reads eight bytes of the config by two accesses (2.5.1), again until the generation holds
 * still, so that they belong together. Returns 0 if they lie beyond the config, and all ones
 * if the device is gone. `offset` is a multiple of 4.
 */
uint64_t virtio_config_read64(struct virtio_device *device, size_t offset);

/* Writes four bytes of the config, if it has them, in one access. */
void virtio_config_write32(struct virtio_device *device, size_t offset, uint32_t value);

/* Tells whether the config has `width` bytes at `offset`. */
bool virtio_config_has(struct virtio_device *device, size_t offset, size_t width);

/*
 * Tells whether an interrupt was about a change of the config that was not seen yet, as far as
 * the device says so: whether the generation (2.5.3) is another than at the last call. Where it
 * has never moved, an interrupt of the config's own is taken at its word; so are all of a legacy
 * device, which has no generation. Not for what must not be missed: a device that was moved
 * to another host may begin to count anew, and come to the same generation.
 */
bool virtio_config_is_new(struct virtio_device *device);

/*
 * Tells whether the generation is another than at the last call of this or of
 * virtio_config_is_new(), or at the reset: something has changed since.
 */
bool virtio_config_has_moved(struct virtio_device *device);

#endif
