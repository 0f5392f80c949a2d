/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks, in pages of 4 KiB: what swap and the page cache read and write. Virtio-blk
 * devices (virtio 1.3, 5.2) are the only ones. A disk that nobody claimed is never
 * written to.
 *
 * The frames of a request are the device's data, nothing is copied: they belong to the
 * device from block_submit() until the request is done. A device that breaks, goes, or
 * answers nothing for BLOCK_DEADLINE_NS is reset, and all that it had ends with -EIO; only if
 * it cannot be reset the frames stay with it, and the request ends with -EBUSY: then the caller
 * must never use them again.
 *
 * In tasks only.
 */
#ifndef DRIVERS_BLOCK_BLOCK_H
#define DRIVERS_BLOCK_BLOCK_H

#include "kernel/lib/types.h"
#include "kernel/task/task.h"

/* The most pages of one request: 128 KiB, which costs hardly more than one page. */
#define BLOCK_PAGES_MAX 32

#define BLOCK_DISKS_MAX 8

/* A serial number's bytes, with the NUL at the end (5.2.6). */
#define BLOCK_SERIAL_SIZE 21

/*
 * A disk with requests under way that answers none for so long, while the guest runs, is broken;
 * while a flush is under way, a minute.
 */
#define BLOCK_DEADLINE_NS (2 * NS_PER_S)

struct block_disk;

/* What people are told of a disk. */
struct block_info {
	const char *name; /* "vda": by the order in which they came */
	const char *address;
	char serial[BLOCK_SERIAL_SIZE]; /* printable; "" if it has none */
	uint64_t bytes;			/* as the device says now */
	uint64_t pages;			/* whole ones */
	bool read_only;
	const char *broken;		    /* why it cannot be used any more; NULL: it is fine */
	const char *user;		    /* who claimed it: "swap", "cache"; NULL: nobody */
	uint64_t read_bytes, written_bytes; /* moved since it came */
	uint64_t errors;		    /* requests that failed */
	unsigned in_flight;
	unsigned room; /* requests that may be under way at a time, by the rate last seen */
};

/*
 * A request: it stays where it is from block_submit() until it is done. Neighbouring frames
 * make one piece of memory for the device. The device sees nothing of it but the frames.
 */
struct block_request {
	bool write;
	uint64_t page; /* the first on the disk */
	unsigned count;
	pfn_t frames[BLOCK_PAGES_MAX];
	/*
	 * Called once it is done, in the disk's task or in that of a block_poll(); or NULL.
	 * Must not sleep.
	 */
	void (*finished)(struct block_request *request);
	bool done;
	int error; /* once done: 0, -EIO or -EBUSY */
};

/* Begins to look for disks, and drives those that come. Once. */
void block_start(void);

/* Has `hook` called, in a task, when a disk has come. */
void block_set_arrival_hook(void (*hook)(void));

/*
 * Returns disk number `i` of those that are there, or NULL if there are not so many. One that is
 * not claimed may be forgotten whenever its caller sleeps.
 */
struct block_disk *block_disk(unsigned i);

/* Finds a disk that is plugged in by its serial number, or NULL; none has the number "". */
struct block_disk *block_find(const char *serial);

/* Describes a disk; the texts are good as long as the disk is there. */
void block_info(const struct block_disk *disk, struct block_info *info);

/*
 * Claims a disk for `user`, a word for people that is kept, not copied; `gone`, which may be
 * NULL, is called once, in a task, when the disk breaks or is pulled out, after its requests are
 * done. Even then the disk is the user's until block_release(). -EBUSY: it has a user; -EROFS: it
 * is read-only and `writes` is asked for; -EIO: it is broken.
 */
int block_claim(struct block_disk *disk, const char *user, bool writes,
		void (*gone)(struct block_disk *disk));

/* Gives a claimed disk back; no request is under way. */
void block_release(struct block_disk *disk);

/* Tells whether another request can be submitted at once: fewer than `room` are under way. */
bool block_has_room(const struct block_disk *disk);

/*
 * Hands a request to the device. Does not wait. -EAGAIN: it has no room (block_has_room());
 * -EINVAL: beyond the end of the disk, or no pages; -EROFS: the disk was not claimed for
 * writing; -EIO: the disk is broken.
 */
int block_submit(struct block_disk *disk, struct block_request *request);

/* Takes what the device has finished; returns whether that was anything. Does not wait. */
bool block_poll(struct block_disk *disk);

/* Sleeps until the request is done. Returns its error. */
int block_wait(struct block_disk *disk, struct block_request *request);

/* Sleeps until block_has_room(), or the disk is broken. */
void block_wait_for_room(struct block_disk *disk);

/*
 * Waits until the request is done, without giving up the processor: for who must not sleep. A
 * disk that answers nothing for BLOCK_DEADLINE_NS is broken, as ever, and reset here. Returns
 * the request's error.
 */
int block_wait_here(struct block_disk *disk, struct block_request *request);

/*
 * Makes what was written last: sleeps until all writes that are done are where a power cut does
 * not reach them. Whoever does not call it has no such promise. The disk may take a minute for it.
 * Returns 0, -EIO or -EBUSY.
 */
int block_flush(struct block_disk *disk);

#endif
