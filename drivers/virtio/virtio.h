/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio device, whatever it is reached by (virtio 1.3, chapters 2 and 3).
 * Device drivers see this file and drivers/virtio/virtq.h, never PCI.
 *
 *   virtio.c		features, status, the order of initialisation (3.1)
 *   virtio_features.c	names of feature bits; which are implemented, which refused
 *   virtq.c		virtqueues (2.6): what both formats share
 *   virtq_split.c	the split format (2.7)
 *   virtq_packed.c	the packed format (2.8)
 *   virtio_pci.c	finding virtio devices on PCI (4.1), which transport
 *   virtio_pci_modern.c	capabilities and registers (4.1.4)
 *   virtio_pci_legacy.c	the transitional interface (4.1.4.8 ... 4.1.5)
 *   virtio_mmio.c	virtio devices in memory, without a bus (4.2)
 *   virtio_cmd.c	`virtio` and `features`
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_H
#define DRIVERS_VIRTIO_VIRTIO_H

#include "kernel/task/task.h"
#include "kernel/lib/types.h"

struct virtq;
struct virtio_device;

/* Device status (2.1). */
#define VIRTIO_STATUS_ACKNOWLEDGE 1
#define VIRTIO_STATUS_DRIVER 2
#define VIRTIO_STATUS_DRIVER_OK 4
#define VIRTIO_STATUS_FEATURES_OK 8
#define VIRTIO_STATUS_NEEDS_RESET 64
#define VIRTIO_STATUS_FAILED 128

/* Device types (5). */
#define VIRTIO_ID_BALLOON 5

/* Feature bits that are not of one device type (6), as bit numbers. */
#define VIRTIO_F_NOTIFY_ON_EMPTY 24 /* legacy only */
#define VIRTIO_F_ANY_LAYOUT 27	    /* legacy only */
#define VIRTIO_F_INDIRECT_DESC 28
#define VIRTIO_F_EVENT_IDX 29
#define VIRTIO_F_VERSION_1 32
#define VIRTIO_F_ACCESS_PLATFORM 33
#define VIRTIO_F_RING_PACKED 34
#define VIRTIO_F_IN_ORDER 35
#define VIRTIO_F_ORDER_PLATFORM 36
#define VIRTIO_F_SR_IOV 37
#define VIRTIO_F_NOTIFICATION_DATA 38
#define VIRTIO_F_RING_RESET 40

#define VIRTIO_FEATURES 64
#define VIRTIO_BIT(bit) (UINT64_C(1) << (bit))

/* No wait on a device is longer than this. */
#define VIRTIO_DEADLINE_NS (2 * NS_PER_S)

/* What an interrupt was for (4.1.4.5). */
#define VIRTIO_ISR_QUEUE 1
#define VIRTIO_ISR_CONFIG 2

/*
 * What a transport does. Registers only; no function waits.
 */
struct virtio_transport {
	const char *name; /* "pci modern", "mmio legacy" */
	bool legacy;
	bool fixed_queue_size; /* queues have the device's own size */
	/* Of the bits that are a transport's own, those it implements: NOTIFICATION_DATA. */
	uint64_t features;
	/* Nobody is there, for sure; asked when the status reads as all ones. NULL: then it is so. */
	bool (*is_gone)(struct virtio_device *device);
	uint8_t (*get_status)(struct virtio_device *device);
	void (*set_status)(struct virtio_device *device, uint8_t status);
	uint64_t (*get_features)(struct virtio_device *device);
	void (*set_features)(struct virtio_device *device, uint64_t features);
	/* Bytes of device config that can be reached. */
	size_t (*config_size)(struct virtio_device *device);
	/* One access of four bytes (5.5.6.2.1) within config_size(). */
	uint32_t (*config_read32)(struct virtio_device *device, size_t offset);
	void (*config_write32)(struct virtio_device *device, size_t offset, uint32_t value);
	/* Changes whenever the config did (2.5.3); always 0 on legacy. */
	uint8_t (*config_generation)(struct virtio_device *device);
	/* The largest size of queue `index`; 0: there is none. */
	uint16_t (*queue_size_max)(struct virtio_device *device, uint16_t index);
	/* Tells the device where the queue's rings lie, and enables it. -EIO, -EINVAL. */
	int (*queue_enable)(struct virtio_device *device, struct virtq *queue);
	void (*queue_notify)(struct virtio_device *device, struct virtq *queue);
	/* After each reset, which makes the device forget its MSI-X vectors; may be NULL. */
	void (*after_reset)(struct virtio_device *device);
	/* Reads, and by that acknowledges, the interrupt status. From interrupts. */
	uint8_t (*read_isr)(struct virtio_device *device);
};

#define VIRTIO_QUEUES_MAX 8

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
	uint16_t queue_count;
	struct virtq *queue[VIRTIO_QUEUES_MAX]; /* by index; NULL if not used */
	const char *broken;	      /* why nothing is expected of it any more; NULL: it is fine */
	bool gone;		      /* it was pulled out: see virtio_gone() */
	struct wait_queue interrupts; /* woken by every interrupt of the device */
	volatile bool config_changed; /* by the interrupt; the driver clears it */
	bool shared_interrupt;	      /* so that config_changed may be about the queues only */
	int generation;		      /* of the config, for virtio_config_is_new(); -1: not yet */
	volatile uint64_t interrupt_count;
	struct virtio_device *next;
};

/* All devices found, for the commands. */
struct virtio_device *virtio_devices(void);

/*
 * For transports: enters a device into that list and offers it to the drivers;
 * takes it off again, after its driver's remove().
 */
void virtio_register(struct virtio_device *device);
void virtio_unregister(struct virtio_device *device);

/* What drives one type of device. */
struct virtio_driver {
	uint16_t type; /* VIRTIO_ID_* */
	/* A device is there. 0: the driver has it now; an error: it stays without. */
	int (*probe)(struct virtio_device *device);
	/*
	 * The device goes. It still works if it is not `broken`; the driver resets
	 * it and gives its queues back. May sleep; what it returned from is not
	 * looked at again.
	 */
	void (*remove)(struct virtio_device *device);
	/* For people: why a bit is among the device's `declined`. May be NULL. */
	const char *(*why_declined)(unsigned bit);
	struct virtio_driver *next; /* the list's */
};

/*
 * Probes the devices of its type that are there, and from then on those that
 * come. Returns what probe() did for the first of them; -ENODEV: none yet.
 * Called again, it probes again.
 */
int virtio_register_driver(struct virtio_driver *driver);

/* The first device of this type, or NULL. */
struct virtio_device *virtio_find(uint16_t type);

/*
 * Steps 1 to 6 of 3.1.1: reset (waits for status 0), ACKNOWLEDGE, DRIVER,
 * features, FEATURES_OK, read back. Accepted is what is offered, and is one of
 * `allowed` (the device type's bits) or of this layer's own, and was not
 * refused by virtio_refuse_features().
 * -ETIMEDOUT: no reset; -ENOTSUP: VERSION_1 is missing or FEATURES_OK was
 * refused; -EIO: all ones. On an error the device is marked broken, its status
 * FAILED.
 */
int virtio_negotiate(struct virtio_device *device, uint64_t allowed);

/* All that may be accepted of a device; `of_type` is what its driver allows. */
uint64_t virtio_features_allowed(const struct virtio_device *device, uint64_t of_type);

/*
 * These are not accepted from now on, whoever offers and allows them: for
 * people and tests. VERSION_1 cannot be refused (6.1), which is said.
 */
void virtio_refuse_features(uint64_t features);

/* Why a bit that was offered was not accepted, in words. */
const char *virtio_refusal_reason(const struct virtio_device *device, unsigned bit);

/* "EVENT_IDX,INDIRECT_DESC", of a device type. -EINVAL: a name is unknown. */
int virtio_parse_features(uint16_t type, const char *text, uint64_t *features);

/* Step 8: DRIVER_OK. Queues must be there. */
void virtio_ready(struct virtio_device *device);

static inline bool virtio_has(const struct virtio_device *device, unsigned bit)
{
	return device->accepted >> bit & 1;
}

/*
 * Gives up on a device: FAILED, then a reset; says why (once) in the log, breaks its
 * queues, frees nothing. `why` is kept. virtio_negotiate() starts anew.
 */
void virtio_break(struct virtio_device *device, const char *why);

/* For transports: the device was pulled out. Marks it and its queues as broken. */
void virtio_gone(struct virtio_device *device);

/*
 * Writes status 0 and waits until it reads back as 0 (2.4.2): before that the
 * device may still use the rings, all of which are broken now. -ETIMEDOUT;
 * -EIO: the device is gone.
 */
int virtio_reset(struct virtio_device *device);

/*
 * Whether the device is reset, or gone: it does not touch memory any more. One
 * whose registers read as all ones, but which is still there, may do so.
 */
bool virtio_is_reset(struct virtio_device *device);

/* True if the device asks for a reset (2.1.2) or answers all ones. */
bool virtio_needs_reset(struct virtio_device *device);

/*
 * Device config, little-endian on every transport for the balloon (5.5.4),
 * read again until the generation holds still. `offset` beyond the config
 * reads as 0; a device that is gone, as all ones: before a value is obeyed,
 * virtio_needs_reset() tells.
 */
uint32_t virtio_config_read32(struct virtio_device *device, size_t offset);
void virtio_config_write32(struct virtio_device *device, size_t offset, uint32_t value);

/* Whether the config is so long. */
bool virtio_config_has(struct virtio_device *device, size_t offset, size_t width);

/*
 * Whether it is the config that an interrupt was about. One that all sources
 * share does not tell: there, whether the generation is another than at the last
 * call (2.5.3), which only modern devices have.
 */
bool virtio_config_is_new(struct virtio_device *device);

/* For transports: what an interrupt means. From the interrupt. */
void virtio_interrupt(struct virtio_device *device, uint8_t isr);

/* The name of a feature bit for a device type: "DEFLATE_ON_OOM"; NULL if unknown. */
const char *virtio_feature_name(uint16_t type, unsigned bit);

/*
 * virtio_pci.c: makes devices of all virtio functions that pci_scan() found.
 * Returns how many. May be called again: starts anew.
 */
size_t virtio_pci_probe(void);

/* MSI-X is used where a device has it, unless this was called first. */
void virtio_pci_refuse_msix(void);

/* A function came or goes; `gone`: it is not there any more. Others are passed over. */
struct pci_device;
void virtio_pci_add(const struct pci_device *pci);
void virtio_pci_remove(const struct pci_device *pci, bool gone);

#endif
