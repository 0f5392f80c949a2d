/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio block device (virtio 1.3, 5.2): its config, its queue, and what a request looks
 * like: a header that the device reads, the caller's frames, and a status byte that it writes.
 * Header and status lie in a frame of the driver's, so that a device that does not finish its reset
 * can keep them.
 *
 * FLUSH is accepted: a device whose driver does not flush has to make each write last before
 * it is done (5.2.6.2), which QEMU does by a flush of the host's file after each of them. Swap
 * needs no such thing; who does calls block_flush(). CONFIG_WCE is not, so a cache that
 * writes back is taken for granted (5.2.5.1).
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/paging.h"
#include "drivers/block/block_internal.h"
#include "kernel/lib/endian.h"
#include "kernel/lib/log.h"
#include "mm/frame.h"

/* 5.2.3; what is not here is for speed only, or for kinds of disks that nobody gives a guest. */
#define FEATURES_ALLOWED \
	(VIRTIO_BIT(VIRTIO_BLK_F_SIZE_MAX) | VIRTIO_BIT(VIRTIO_BLK_F_SEG_MAX) | \
	 VIRTIO_BIT(VIRTIO_BLK_F_RO) | VIRTIO_BIT(VIRTIO_BLK_F_BLK_SIZE) | \
	 VIRTIO_BIT(VIRTIO_BLK_F_FLUSH))

/* Device config (5.2.4): le64, le32, le32, le32. A legacy one is as the guest has it: the same. */
#define CONFIG_CAPACITY 0x00
#define CONFIG_SIZE_MAX 0x08
#define CONFIG_SEG_MAX 0x0c
#define CONFIG_BLK_SIZE 0x14

#define QUEUE_INDEX 0 /* 5.2.2 */
#define QUEUE_ORDER 3 /* frames of struct block_queue */

_Static_assert(sizeof(struct block_queue) <= FRAME_SIZE << QUEUE_ORDER, "it has room there");

#define SECTORS_MAX (INT64_MAX / BLOCK_SECTOR_SIZE) /* or bytes would be no number */

/* A chain is a header, pieces and a status. */
#define FRAMING 2
#define PIECES_MAX BLOCK_PAGES_MAX

/* 5.2.6: the status byte. */
enum status {
	STATUS_OK = 0,
	STATUS_IOERR = 1,
	STATUS_UNSUPP = 2,
	STATUS_NONE = 0xff, /* before the device has written one */
};

/* 5.2.6: what the device reads of a request, and, in memory of its own, what it writes. */
struct wire {
	le32 type;
	le32 reserved;
	le64 sector;
	volatile uint8_t status;
};

#define HEADER_SIZE 16

_Static_assert(offsetof(struct wire, sector) == 8, "as the device reads it");
_Static_assert(offsetof(struct wire, status) == HEADER_SIZE, "all before it is the header");

struct wires {
	struct wire wire[BLOCK_SLOTS];
	volatile uint8_t serial[BLOCK_SERIAL_BYTES];
};

_Static_assert(sizeof(struct wires) <= FRAME_SIZE, "one frame has room for all");

static struct wires *wires_of(const struct block_disk *disk)
{
	return phys_to_virt(pfn_to_paddr(disk->wire_frame));
}

static struct wire *wire_of(const struct block_disk *disk, const struct block_slot *slot)
{
	return &wires_of(disk)->wire[slot - disk->queue->slot];
}

/* ---- Its config ---- */

int virtio_blk_read_size(struct block_disk *disk)
{
	uint64_t before = disk->sectors;
	uint64_t sectors = virtio_config_read64(disk->device, CONFIG_CAPACITY);

	if (sectors > SECTORS_MAX)
		return -EINVAL;
	disk->sectors = sectors;
	return sectors != before;
}

/* How a request may be cut. Without SEG_MAX there is one piece, which every device takes. */
static void read_limits(struct block_disk *disk)
{
	struct virtio_device *device = disk->device;
	uint32_t pieces = 1, bytes = UINT32_MAX;

	if (virtio_has(device, VIRTIO_BLK_F_SEG_MAX))
		pieces = virtio_config_read32(device, CONFIG_SEG_MAX);
	if (virtio_has(device, VIRTIO_BLK_F_SIZE_MAX))
		bytes = virtio_config_read32(device, CONFIG_SIZE_MAX);
	disk->pieces_max = (unsigned)min_u64(max_u64(pieces, 1), PIECES_MAX);
	disk->piece_max = (uint32_t)align_down(bytes, BLOCK_SECTOR_SIZE);
}

/* Returns why the disk cannot be used, or NULL. */
static const char *read_config(struct block_disk *disk)
{
	struct virtio_device *device = disk->device;

	if (!virtio_config_has(device, CONFIG_CAPACITY, sizeof(uint64_t)))
		return "its config has no capacity";
	if (virtio_blk_read_size(disk) < 0)
		return "its capacity is none";
	disk->read_only = virtio_has(device, VIRTIO_BLK_F_RO);
	disk->can_flush = virtio_has(device, VIRTIO_BLK_F_FLUSH);
	read_limits(disk);
	if (disk->piece_max == 0)
		return "it takes no pieces of a sector";
	if (virtio_has(device, VIRTIO_BLK_F_BLK_SIZE) &&
	    virtio_config_read32(device, CONFIG_BLK_SIZE) > FRAME_SIZE)
		return "its blocks are larger than a page";
	return NULL;
}

/* ---- Start and stop ---- */

static int make_queue(struct block_disk *disk)
{
	pfn_t pfn;
	int err;

	if (frame_alloc(QUEUE_ORDER, OWNER_VIRTQUEUES, &pfn))
		return -ENOMEM;
	disk->queue = phys_to_virt(pfn_to_paddr(pfn));
	memset(disk->queue, 0, sizeof(*disk->queue));
	if (frame_alloc(0, OWNER_VIRTQUEUES, &disk->wire_frame)) {
		disk->wire_frame = PFN_NONE;
		return -ENOMEM;
	}
	err = virtq_create(disk->device, QUEUE_INDEX, &disk->queue->virtq);
	if (err)
		return err;
	if (disk->queue->virtq.size <= FRAMING)
		return -EINVAL;
	disk->pieces_max = (unsigned)min_u64(disk->pieces_max, disk->queue->virtq.size - FRAMING);
	return 0;
}

void virtio_blk_stop(struct block_disk *disk)
{
	bool reset = virtio_is_reset(disk->device);

	assert(disk->in_flight == 0);
	if (disk->wire_frame != PFN_NONE && reset)
		frame_free(disk->wire_frame, 1, OWNER_VIRTQUEUES);
	disk->wire_frame = PFN_NONE;
	if (!disk->queue)
		return;
	virtq_destroy(&disk->queue->virtq);
	frame_free(paddr_to_pfn(virt_to_phys(disk->queue)), (size_t)1 << QUEUE_ORDER,
		   OWNER_VIRTQUEUES);
	disk->queue = NULL;
}

int virtio_blk_start(struct block_disk *disk)
{
	const char *why;
	int err;

	disk->wire_frame = PFN_NONE;
	err = virtio_negotiate(disk->device, FEATURES_ALLOWED);
	if (err)
		return err;
	why = read_config(disk);
	err = why ? -EINVAL : make_queue(disk);
	if (err) {
		virtio_break(disk->device, why ? why : "no queue or no memory for the disk");
		virtio_blk_stop(disk);
		return err;
	}
	virtio_ready(disk->device);
	return 0;
}

/* ---- Requests ---- */

bool virtio_blk_has_room(const struct block_disk *disk)
{
	return disk->queue->virtq.free_count >= disk->pieces_max + FRAMING;
}

/* Where byte `at` of a request's data is. */
static paddr_t data_at(const struct block_disk *disk, const struct block_slot *slot, uint32_t at)
{
	if (slot->type == VIRTIO_BLK_T_GET_ID) {
		assert(at == 0);
		return pfn_to_paddr(disk->wire_frame) + offsetof(struct wires, serial);
	}
	return pfn_to_paddr(slot->request->frames[at / FRAME_SIZE]) + at % FRAME_SIZE;
}

/*
 * Adds data to the chain until it is all there or the chain has no room, and stores how much
 * it is. Returns how many pieces there are. All but the last are whole sectors.
 */
static unsigned add_pieces(const struct block_disk *disk, struct block_slot *slot,
			   struct virtq_buffer *piece)
{
	uint32_t at = slot->done;
	unsigned count = 0;

	while (at < slot->bytes) {
		paddr_t address = data_at(disk, slot, at);
		uint32_t bytes = (uint32_t)(FRAME_SIZE - address % FRAME_SIZE);
		struct virtq_buffer *last = count > 0 ? &piece[count - 1] : NULL;

		bytes = (uint32_t)min_u64(bytes, slot->bytes - at);
		if (last && last->address + last->length == address &&
		    last->length < disk->piece_max) {
			bytes = (uint32_t)min_u64(bytes, disk->piece_max - last->length);
			last->length += bytes;
		} else if (count < disk->pieces_max) {
			bytes = (uint32_t)min_u64(bytes, disk->piece_max);
			piece[count++] = (struct virtq_buffer){
				.address = address,
				.length = bytes,
				.device_writes = slot->type != VIRTIO_BLK_T_OUT,
			};
		} else {
			break;
		}
		at += bytes;
	}
	slot->part = at - slot->done;
	return count;
}

/* 5.2.6: of what is neither read nor written it is 0. */
static uint64_t first_sector(const struct block_slot *slot)
{
	if (slot->type != VIRTIO_BLK_T_IN && slot->type != VIRTIO_BLK_T_OUT)
		return 0;
	return (slot->request->page * FRAME_SIZE + slot->done) / BLOCK_SECTOR_SIZE;
}

int virtio_blk_send(struct block_disk *disk, struct block_slot *slot)
{
	struct virtq_buffer chain[FRAMING + PIECES_MAX];
	struct wire *wire = wire_of(disk, slot);
	unsigned count;

	wire->type = cpu_to_le32(slot->type);
	wire->reserved = 0;
	wire->sector = cpu_to_le64(first_sector(slot));
	wire->status = STATUS_NONE;
	chain[0] = (struct virtq_buffer){ .address = virt_to_phys(wire), .length = HEADER_SIZE };
	count = 1 + add_pieces(disk, slot, chain + 1);
	chain[count++] = (struct virtq_buffer){
		.address = virt_to_phys(wire) + offsetof(struct wire, status),
		.length = sizeof(wire->status),
		.device_writes = true,
	};
	return virtq_add(&disk->queue->virtq, chain, count, slot);
}

/*
 * Returns what is wrong with an answer, or NULL. A legacy device's length says nothing
 * (5.2.6.3), and some modern ones leave the status byte out of it.
 */
static const char *find_lie(const struct block_disk *disk, const struct block_slot *slot,
			    uint8_t status, uint32_t written)
{
	uint32_t data = slot->type == VIRTIO_BLK_T_OUT ? 0 : slot->part;

	if (status == STATUS_NONE)
		return "it gives a request back without a status";
	if (status > STATUS_UNSUPP)
		return "it answers with a status that is none";
	if (!virtio_has(disk->device, VIRTIO_F_VERSION_1))
		return NULL;
	if (written > data + sizeof(uint8_t))
		return "it says that it wrote more than it was given room for";
	if (status == STATUS_OK && slot->type == VIRTIO_BLK_T_IN && written < data)
		return "it says that it read, but not all";
	return NULL;
}

int virtio_blk_take(struct block_disk *disk, struct block_slot **slot, int *error)
{
	const char *lie;
	uint32_t written;
	uint8_t status;
	void *token;
	int got = virtq_get_used(&disk->queue->virtq, &token, &written);

	if (got <= 0)
		return got;
	*slot = token;
	assert((*slot)->request);
	/* Read once: the device may go on writing. */
	status = wire_of(disk, *slot)->status;
	lie = find_lie(disk, *slot, status, written);
	if (lie) {
		virtio_distrust(disk->device, lie);
		return -EIO;
	}
	*error = status == STATUS_OK ? 0 : -EIO;
	return 1;
}

/* 5.2.6: there is a NUL at the end if there is room for one. */
void virtio_blk_read_serial(struct block_disk *disk)
{
	const volatile uint8_t *serial = wires_of(disk)->serial;
	size_t length = 0;
	uint8_t byte;

	memset(disk->serial, 0, sizeof(disk->serial));
	for (size_t i = 0; i < BLOCK_SERIAL_BYTES && (byte = serial[i]) != 0; i++) {
		disk->serial[i] = byte >= ' ' && byte <= '~' ? (char)byte : '?';
		if (byte != ' ')
			length = i + 1;
	}
	disk->serial[length] = '\0';
}
