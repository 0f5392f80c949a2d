/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One virtio-mem device, for the files of its driver alone; they are listed in mem_source.h,
 * and each calls only those above it there. All of it is for the device's task, or for who
 * takes the device away when that has ended.
 */
#ifndef DRIVERS_MEM_VIRTIO_MEM_INTERNAL_H
#define DRIVERS_MEM_VIRTIO_MEM_INTERNAL_H

#include "drivers/mem/mem_source.h"
#include "drivers/mem/virtio_mem_request.h"
#include "drivers/virtio/virtio.h"

/* X(constant, bit, name): 5.15.3. */
#define VIRTIO_MEM_FEATURES(X) \
	X(VIRTIO_MEM_F_ACPI_PXM, 0, "ACPI_PXM") \
	X(VIRTIO_MEM_F_UNPLUGGED_INACCESSIBLE, 1, "UNPLUGGED_INACCESSIBLE") \
	X(VIRTIO_MEM_F_PERSISTENT_SUSPEND, 2, "PERSISTENT_SUSPEND")

/* So many are used. */
#define VIRTIO_MEM_DEVICES 8

/*
 * Runs of blocks that come or leave, and claims, that are recorded of one piece of work: more
 * would push out of the ring how it began.
 */
#define VIRTIO_MEM_RECORDED 16

#define VIRTIO_MEM_FEATURE_CONSTANT(constant, bit, name) constant = (bit),
enum { VIRTIO_MEM_FEATURES(VIRTIO_MEM_FEATURE_CONSTANT) };
#undef VIRTIO_MEM_FEATURE_CONSTANT

/* Device config (5.15.4), in bytes. The first three never change. */
struct virtio_mem_config {
	uint64_t block_size;
	paddr_t addr;
	uint64_t region_size;
	uint64_t usable;    /* of the region, from its start on: what may be plugged */
	uint64_t plugged;   /* by the device's count */
	uint64_t requested; /* how much the host wants to be plugged */
};

/* Of one kind of change: so many blocks that lie together, not yet recorded as an event. */
struct virtio_mem_run {
	bool left; /* or plugged */
	pfn_t start;
	uint64_t frames;
	unsigned recorded; /* runs in this piece of work */
};

struct virtio_mem {
	struct virtio_device *device; /* NULL: nobody is here */
	struct mem_source source;     /* in the list while `announced` */
	struct virtio_mem_config config;
	struct virtio_mem_queue queue;
	bool announced;	   /* its region is, and it is a source */
	bool running;	   /* the device is: it is asked, and answers */
	bool task_running; /* its task has begun, and not ended */
	bool removing;	   /* it goes: its task ends */
	bool changed;	   /* the config is to be read, whatever the device says */
	bool unknown;	   /* something is plugged that we do not have: UNPLUG_ALL comes first */
	bool nacked;	   /* it may count what we do not have */
	bool doubt;	   /* books and device may differ: an audit comes first */
	bool reached;	   /* what was requested last, and that is recorded */
	bool stuck;	   /* in this piece of work, and that is recorded */
	bool said;	   /* and what is in the way is in the log */
	bool waits;	   /* for a balloon that moves out: looked at again soon */
	/* Frames. */
	uint64_t wanted;     /* what is requested, as far as there can be as much */
	uint64_t plugging;   /* the device was asked to */
	uint64_t unplugging; /* likewise; a part of source.plugged */
	size_t at_once;	     /* blocks, not frames: see virtio_mem_blocks_now() */
	pfn_t next;	     /* below it nothing is absent that was not asked for */
	pfn_t refused;	     /* the lowest block that was not plugged though asked for; PFN_NONE */
	/* Times are those of clock_ns(). */
	uint64_t requested_time; /* when the last change of the wish was seen */
	uint64_t waits_since;	 /* for the balloon, without any block that left; 0: it does not */
	uint64_t pause_end;	 /* nothing is asked for before it */
	uint64_t busy_ns;	 /* the last pause because the device was busy; 0: it is not */
	uint64_t count_rest_end; /* before it no count leads to an audit */
	uint64_t reset_time;
	unsigned resets_in_a_row;
	unsigned claims;	   /* in this piece of work */
	bool doubt_named;	   /* in this piece of work, what was in doubt */
	unsigned named;		   /* refusals that were logged, a bit for each type and answer */
	uint64_t audited;	   /* what the device says is plugged, when that was looked into */
	struct virtio_mem_run run; /* for events */
};

/* ---- virtio_mem_config.c ---- */

/* Reads the whole config. -ENODEV: the device does not have that much. */
int virtio_mem_read_config(struct virtio_device *device, struct virtio_mem_config *config);

/* Reads what the device counts as plugged, in bytes. */
uint64_t virtio_mem_read_plugged(struct virtio_device *device);

/* Reads those fields that change: `usable`, `plugged` and `requested`. */
void virtio_mem_read_wish(struct virtio_device *device, struct virtio_mem_config *config);

/*
 * Checks where a region lies and of what blocks it is; stores the part of it that is whole
 * blocks of ours. -EINVAL: it cannot be used, and the log says why.
 */
int virtio_mem_check_config(const char *name, const struct virtio_mem_config *config,
			    struct frame_region_part *part);

/*
 * Announces a region, unless it lies in one that is known. -EINVAL: it cannot be used, and the
 * log says why.
 */
int virtio_mem_announce(const char *name, const struct virtio_mem_config *config,
			const struct frame_region_part *part);

/* ---- virtio_mem_books.c ---- */

/* Frees blocks that the device has plugged. */
void virtio_mem_come(struct virtio_mem *mem, pfn_t pfn, size_t blocks);

/* Lets claimed blocks go that the device has unplugged. */
void virtio_mem_leave(struct virtio_mem *mem, pfn_t pfn, size_t blocks);

/* Frees claimed blocks that the device has not unplugged. */
void virtio_mem_keep(struct virtio_mem *mem, pfn_t pfn, size_t blocks);

/* Records as events what has come and left and is not recorded yet. */
void virtio_mem_record(struct virtio_mem *mem);

/* Returns how many blocks a request can be about: whole units, at least one. */
size_t virtio_mem_blocks_max(const struct virtio_mem *mem);

/* Returns how many blocks may be asked for at once now: whole units, at least one. */
size_t virtio_mem_blocks_now(const struct virtio_mem *mem);

/* Notifies the device of requests; how long that takes decides about the next ones. */
void virtio_mem_kick_some(struct virtio_mem *mem);

/* Begins anew with a number of blocks that costs no device much time. */
void virtio_mem_begin_slowly(struct virtio_mem *mem);

/*
 * Finds the first units from *pfn on and below `end` that are absent; returns how many blocks
 * they are, at most `max`.
 */
size_t virtio_mem_find_absent(const struct virtio_mem *mem, pfn_t *pfn, pfn_t end, size_t max);

/* Returns where the usable part of the region ends, in whole units. */
pfn_t virtio_mem_usable_end(const struct virtio_mem *mem);

/* ---- virtio_mem_audit.c ---- */

/* Tells whether a request has waited for its answer longer than any may take. */
bool virtio_mem_is_overdue(const struct virtio_mem *mem);

/*
 * Asks the device, while nothing else is on its way, and waits for the answer. 0: it is in
 * `request`; -EIO: the device broke the rules; -ETIMEDOUT: it does not answer.
 */
int virtio_mem_ask(struct virtio_mem *mem, enum virtio_mem_type type, paddr_t start, uint64_t bytes,
		   struct virtio_mem_request *request);

/*
 * Goes through the region with the device, and makes the two agree: what it has plugged and
 * we do not have is unplugged; what was claimed leaves, or is free again. 0: they agree;
 * -EAGAIN: the device is busy, or goes; -EPROTO: what it says cannot be, and `*why` says
 * what; -EIO, -ETIMEDOUT: as virtio_mem_ask().
 */
int virtio_mem_audit(struct virtio_mem *mem, const char **why);

/* ---- virtio_mem_recovery.c ---- */

/* Resets a device whose region cannot be used, which one line has said. */
void virtio_mem_refuse(struct virtio_mem *mem);

/*
 * Brings a device from reset to running. -ENODEV, -ENOTSUP, -EINVAL, -EIO, -ENOMEM,
 * -ETIMEDOUT: it cannot be used, and the log says why.
 */
int virtio_mem_run_device(struct virtio_mem *mem);

/*
 * Resets a device that broke the rules; nothing more is expected of it. What it was asked to
 * take stays claimed, as nobody knows whether it has. `why` is kept.
 */
void virtio_mem_give_up(struct virtio_mem *mem, const char *why);

/*
 * Resets and starts anew a device that asks for it: what is plugged stays plugged, and what
 * was under way is in doubt.
 */
void virtio_mem_recover(struct virtio_mem *mem);

/* ---- virtio_mem_wait.c ---- */

/* Asks for nothing until the next second, or until the host wants something else; keeps why. */
void virtio_mem_pause(struct virtio_mem *mem, const char *why);

/* Does so, and the log says why, once for each piece of work: what is there stays as it is. */
void virtio_mem_stay(struct virtio_mem *mem, const char *why);

/* Asks for nothing for a while, each time longer, as the device was busy. */
void virtio_mem_wait_for_busy(struct virtio_mem *mem, enum virtio_mem_type type);

/*
 * Waits for a balloon that moves out; `sent`: some blocks could be asked for meanwhile. `why`
 * is said when that takes long.
 */
void virtio_mem_wait_for_balloon(struct virtio_mem *mem, bool sent, const char *why);

/* Tells whether a round would find something new. */
bool virtio_mem_has_news(const struct virtio_mem *mem);

/* Waits until there is something to do. */
void virtio_mem_wait(struct virtio_mem *mem);

/* ---- virtio_mem_work.c ---- */

/* Does one round of work; returns whether another would find something to do at once. */
bool virtio_mem_step(struct virtio_mem *mem);

/* ---- virtio_mem.c ---- */

/* The devices, each at a place that it keeps. */
extern struct virtio_mem virtio_mem_devices[VIRTIO_MEM_DEVICES];

#endif
