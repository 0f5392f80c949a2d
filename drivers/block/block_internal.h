/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk, as the files of this folder see it:
 *
 *   virtio_blk.c     the device (virtio 1.3, 5.2): config, queue, what a request looks like
 *   block_rate.c     how many requests may be under way, by how fast it was
 *   block_request.c  requests, their deadline, and how a disk breaks
 *   block.c	      the table of disks: names, claims, tasks, plugging
 *   block_cmd.c      the commands `lsblk` and `disk_read`
 *
 * Each calls only those above it in this list.
 */
#ifndef DRIVERS_BLOCK_BLOCK_INTERNAL_H
#define DRIVERS_BLOCK_BLOCK_INTERNAL_H

#include "drivers/block/block.h"
#include "drivers/virtio/virtq.h"
#include "kernel/lib/types.h"
#include "kernel/task/task.h"

/* So many requests are under way at most: as many of one piece as a queue of 256 has room for. */
#define BLOCK_SLOTS 84

#define BLOCK_SECTOR_SIZE UINT64_C(512)		   /* 5.2.4 */
#define BLOCK_SERIAL_BYTES (BLOCK_SERIAL_SIZE - 1) /* on the wire: without a NUL */

/* X(constant, bit, name): the features of the device type (5.2.3); the legacy ones, too. */
#define VIRTIO_BLK_FEATURES(X) \
	X(VIRTIO_BLK_F_BARRIER, 0, "BARRIER") \
	X(VIRTIO_BLK_F_SIZE_MAX, 1, "SIZE_MAX") \
	X(VIRTIO_BLK_F_SEG_MAX, 2, "SEG_MAX") \
	X(VIRTIO_BLK_F_GEOMETRY, 4, "GEOMETRY") \
	X(VIRTIO_BLK_F_RO, 5, "RO") \
	X(VIRTIO_BLK_F_BLK_SIZE, 6, "BLK_SIZE") \
	X(VIRTIO_BLK_F_SCSI, 7, "SCSI") \
	X(VIRTIO_BLK_F_FLUSH, 9, "FLUSH") \
	X(VIRTIO_BLK_F_TOPOLOGY, 10, "TOPOLOGY") \
	X(VIRTIO_BLK_F_CONFIG_WCE, 11, "CONFIG_WCE") \
	X(VIRTIO_BLK_F_MQ, 12, "MQ") \
	X(VIRTIO_BLK_F_DISCARD, 13, "DISCARD") \
	X(VIRTIO_BLK_F_WRITE_ZEROES, 14, "WRITE_ZEROES") \
	X(VIRTIO_BLK_F_LIFETIME, 15, "LIFETIME") \
	X(VIRTIO_BLK_F_SECURE_ERASE, 16, "SECURE_ERASE") \
	X(VIRTIO_BLK_F_ZONED, 17, "ZONED")

#define VIRTIO_BLK_FEATURE(constant, bit, name) constant = (bit),
enum { VIRTIO_BLK_FEATURES(VIRTIO_BLK_FEATURE) };
#undef VIRTIO_BLK_FEATURE

/* Types of requests (5.2.6). */
enum virtio_blk_type {
	VIRTIO_BLK_T_IN = 0,
	VIRTIO_BLK_T_OUT = 1,
	VIRTIO_BLK_T_FLUSH = 4,
	VIRTIO_BLK_T_GET_ID = 8,
};

/* A request under way, of which the device has one part at a time. */
struct block_slot {
	struct block_request *request; /* NULL: the slot is free */
	enum virtio_blk_type type;
	uint32_t bytes; /* of data, all of it */
	uint32_t done;	/* of those, moved */
	uint32_t part;	/* that the device has been told to move */
};

/* The driver's side of a disk's queue, in frames of its own. */
struct block_queue {
	struct virtq virtq;
	struct block_slot slot[BLOCK_SLOTS];
};

/* How fast the disk is; see block_rate.c. */
struct block_rate {
	unsigned room;
	unsigned finished;     /* in the present window */
	uint64_t window_awake; /* its begin, as if the disk had been busy since */
	uint64_t busy_ns;      /* how much of it has passed, while the disk is idle */
};

struct block_disk {
	struct virtio_device *device; /* NULL: the place is free, or its device was pulled out */
	char name[4];
	char address[24];
	char serial[BLOCK_SERIAL_SIZE];
	uint64_t sectors; /* of 512 bytes (5.2.4) */
	bool read_only;
	bool can_flush;
	unsigned pieces_max; /* of memory in a request */
	uint32_t piece_max;  /* bytes of each */
	struct block_queue *queue;
	pfn_t wire_frame;   /* headers and status bytes; PFN_NONE: there is none */
	const char *broken; /* NULL: it is fine */
	bool told;	    /* that it is broken: the log, and its user */
	const char *user;
	bool writes; /* claimed for writing */
	void (*gone)(struct block_disk *disk);
	uint64_t read_bytes, written_bytes, errors;
	unsigned in_flight;	 /* slots in use */
	unsigned waiting;	 /* of those, whose next part waits for descriptors */
	unsigned flushes;	 /* under way, or about to be */
	uint64_t answered_awake; /* when it answered last, or was idle */
	struct block_rate rate;
	struct wait_queue finished; /* woken when requests are done, and when it breaks */
	bool dozing;		    /* its task does not look for answers */
	bool ready;		    /* for its task */
	bool removing, task_running;
	uint64_t said_ns; /* when its size was said to change */
};

/* Returns the disk's whole pages. */
static inline uint64_t block_pages(const struct block_disk *disk)
{
	return disk->sectors / (FRAME_SIZE / BLOCK_SECTOR_SIZE);
}

/* ---- virtio_blk.c ---- */

/*
 * Takes the device from its reset to DRIVER_OK. Errors: those of virtio_negotiate() and
 * virtq_create(); -EINVAL: it cannot be used as it is; the log has said why. After an error the
 * device is reset, if it can be.
 */
int virtio_blk_start(struct block_disk *disk);

/* Gives back what virtio_blk_start() made; a device that is not reset keeps it. */
void virtio_blk_stop(struct block_disk *disk);

/* Reads the size. Returns whether it has changed; -EINVAL: no disk has such a size. */
int virtio_blk_read_size(struct block_disk *disk);

/* Tells whether a chain of any request has room. */
bool virtio_blk_has_room(const struct block_disk *disk);

/*
 * Adds the next part of a request to the queue: as many bytes as one chain takes. The device
 * sees it after virtq_kick(). -ENOSPC: no descriptors now; -EIO: the queue is broken.
 */
int virtio_blk_send(struct block_disk *disk, struct block_slot *slot);

/*
 * Takes a part that the device has finished: 1, its slot and the part's error, 0 or -EIO; 0:
 * there is none; -EIO: the device broke the rules, and is distrusted.
 */
int virtio_blk_take(struct block_disk *disk, struct block_slot **slot, int *error);

/* Reads the serial number that a finished GET_ID has left. */
void virtio_blk_read_serial(struct block_disk *disk);

/* ---- block_rate.c ---- */

/* Begins with a disk of which nothing is known. */
void block_rate_init(struct block_rate *rate);

/* The disk has a request under way again, or none any more. */
void block_rate_busy(struct block_rate *rate, uint64_t now_awake);
void block_rate_idle(struct block_rate *rate, uint64_t now_awake);

/* A request is done. */
void block_rate_count(struct block_rate *rate, uint64_t now_awake);

/* ---- block_request.c ---- */

/* Hands a request of any type to the device, `bytes` of data with it. The disk has room. */
void block_request_send(struct block_disk *disk, enum virtio_blk_type type, uint32_t bytes,
			struct block_request *request);

/* Expects nothing of the device any more. `why` is kept; the first reason stays. Does not wait. */
void block_request_break(struct block_disk *disk, const char *why);

/* Breaks the disk if it has owed an answer for too long at `now_awake`. */
void block_request_judge(struct block_disk *disk, uint64_t now_awake);

/*
 * Resets the device of a broken disk, and ends all of its requests: -EIO; -EBUSY: the device does
 * not finish its reset.
 */
void block_request_end(struct block_disk *disk, bool may_sleep);

#endif
