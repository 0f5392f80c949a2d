/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks: the table of them, their names, who claimed them, how they come and go, and a task
 * for each that takes what it has finished and tells when it breaks. A broken disk stays so
 * until it is plugged anew: nobody knows what is on it, so that going on would help nobody.
 */
#include "drivers/block/block.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/block/block_internal.h"
#include "kernel/lib/log.h"

/* While its serial number is asked for, it is looked at so often. */
#define SERIAL_SPIN_NS (200 * NS_PER_US)
#define SERIAL_LOOK_NS NS_PER_MS

static struct block_disk disks[BLOCK_DISKS_MAX];
static void (*on_arrival)(void);

/* ---- The table ---- */

/* A disk that was pulled out keeps its place until its user gives it back. */
static bool is_taken(const struct block_disk *disk)
{
	return disk->device || disk->user;
}

/* Finds the place of a device; with NULL a free one; or NULL. */
static struct block_disk *find(const struct virtio_device *device)
{
	for (size_t i = 0; i < BLOCK_DISKS_MAX; i++)
		if (device ? disks[i].device == device : !is_taken(&disks[i]))
			return &disks[i];
	return NULL;
}

struct block_disk *block_disk(unsigned i)
{
	for (size_t k = 0; k < BLOCK_DISKS_MAX; k++)
		if (is_taken(&disks[k]) && i-- == 0)
			return &disks[k];
	return NULL;
}

struct block_disk *block_find(const char *serial)
{
	/* One that was pulled out, and is kept for its user, may be there again. */
	for (size_t i = 0; serial[0] && i < BLOCK_DISKS_MAX; i++)
		if (disks[i].device && strcmp(disks[i].serial, serial) == 0)
			return &disks[i];
	return NULL;
}

void block_info(const struct block_disk *disk, struct block_info *info)
{
	*info = (struct block_info){
		.name = disk->name,
		.address = disk->address,
		.bytes = disk->sectors * BLOCK_SECTOR_SIZE,
		.pages = block_pages(disk),
		.read_only = disk->read_only,
		.broken = disk->broken,
		.user = disk->user,
		.read_bytes = disk->read_bytes,
		.written_bytes = disk->written_bytes,
		.errors = disk->errors,
		.in_flight = disk->in_flight,
		.room = disk->rate.room,
	};
	memcpy(info->serial, disk->serial, sizeof(info->serial));
}

/* ---- Its user ---- */

int block_claim(struct block_disk *disk, const char *user, bool writes,
		void (*gone)(struct block_disk *disk))
{
	assert(user);
	if (disk->user)
		return -EBUSY;
	if (disk->broken)
		return -EIO;
	if (writes && disk->read_only)
		return -EROFS;
	disk->user = user;
	disk->writes = writes;
	disk->gone = gone;
	return 0;
}

void block_release(struct block_disk *disk)
{
	assert(disk->user && disk->in_flight == 0);
	disk->user = NULL;
	disk->writes = false;
	disk->gone = NULL;
}

/* ---- A disk that breaks ---- */

/* Says, once, that the disk is of no use any more. */
static void tell(struct block_disk *disk)
{
	bool kept = !virtio_is_reset(disk->device);

	if (disk->told)
		return;
	disk->told = true;
	log_warn("block: %s (%s): broken: %s%s; it stays so until it is plugged anew", disk->name,
		 disk->address, disk->broken,
		 kept ? "; and it does not finish its reset, so it keeps the frames that it has"
		      : "");
	if (disk->gone)
		disk->gone(disk);
}

/* Resets a broken disk, and ends what it had. */
static void end(struct block_disk *disk)
{
	block_request_end(disk, true);
	tell(disk);
}

static void look_at_size(struct block_disk *disk)
{
	uint64_t before = disk->sectors;
	int changed = virtio_blk_read_size(disk);

	if (changed < 0)
		block_request_break(disk, "its capacity is none");
	else if (changed && log_is_due(&disk->said_ns, clock_ns()))
		log_info("block: %s: %" PRIu64 " KiB now, %" PRIu64 " KiB before", disk->name,
			 disk->sectors * BLOCK_SECTOR_SIZE / KIB, before * BLOCK_SECTOR_SIZE / KIB);
}

/* 5.2.6.1: the capacity may have changed; 2.1.2: or the device asks for a reset. */
static void look_at_device(struct block_disk *disk)
{
	disk->device->config_changed = false;
	if (virtio_needs_reset(disk->device))
		block_request_break(disk, "it asks for a reset");
	else
		look_at_size(disk);
}

/* ---- A task for each ---- */

static bool has_news(const struct block_disk *disk)
{
	return disk->removing || disk->broken || disk->device->config_changed ||
	       (disk->dozing && disk->in_flight > 0) || virtq_has_used(&disk->queue->virtq);
}

/* Waits for news. Returns false if an idle disk had none for as long as it is left alone. */
static bool wait_for_news(struct block_disk *disk)
{
	struct virtq *queue = &disk->queue->virtq;
	uint64_t now = clock_ns(), deadline, flags;
	bool woken = true, dozing = disk->in_flight == 0;

	deadline = dozing ? task_next_look(now) : now + CLOCK_AWAKE_LOOK_NS;
	virtq_set_interrupts(queue, true);
	disk->dozing = dozing;
	flags = irq_save();
	while (woken && !has_news(disk))
		woken = task_wait(&disk->device->interrupts, deadline);
	irq_restore(flags);
	disk->dozing = false;
	virtq_set_interrupts(queue, false);
	return woken || !dozing;
}

static void disk_task(void *arg)
{
	struct block_disk *disk = arg;
	bool look = false;

	/* That of an earlier disk in this place, which ran so late, serves this one, or ends. */
	if (disk->task_running)
		return;
	disk->task_running = true;
	while (disk->ready && !disk->removing && !disk->broken) {
		/* The time first: what came meanwhile is seen before it is judged. */
		uint64_t now_awake = clock_awake_ns();

		block_poll(disk);
		block_request_judge(disk, now_awake);
		if (!disk->broken && (look || disk->device->config_changed))
			look_at_device(disk);
		/* Without any interrupt the device is looked at once a second. */
		look = !disk->broken && !wait_for_news(disk);
	}
	if (disk->ready && !disk->removing)
		end(disk);
	disk->task_running = false;
}

/* ---- Coming ---- */

/*
 * Asks for the serial number, and waits for it: who looks for a disk by that finds it as soon
 * as it is there. No task runs for the disk yet.
 */
static void ask_serial(struct block_disk *disk)
{
	struct block_request request = { .write = false };
	uint64_t start_awake = clock_awake_ns();

	block_request_send(disk, VIRTIO_BLK_T_GET_ID, BLOCK_SERIAL_BYTES, &request);
	while (!request.done && !disk->broken) {
		uint64_t now_awake = clock_awake_ns();

		block_poll(disk);
		if (!request.done)
			block_request_judge(disk, now_awake);
		if (!request.done && now_awake - start_awake > SERIAL_SPIN_NS)
			task_sleep_until(clock_ns() + SERIAL_LOOK_NS);
	}
	if (disk->broken)
		end(disk);
	else if (!request.error)
		virtio_blk_read_serial(disk);
	/* One that has none may say so: that is no fault. */
	disk->errors = 0;
	block_rate_init(&disk->rate);
}

static int probe(struct virtio_device *device)
{
	struct block_disk *disk = find(NULL);
	int err;

	/* It is probed again. */
	if (find(device))
		return 0;
	if (!disk) {
		log_warn("block: %s: not used: there are %d disks already", device->address,
			 BLOCK_DISKS_MAX);
		return -ENOSPC;
	}
	assert(!disk->task_running && disk->in_flight == 0);
	memset(disk, 0, sizeof(*disk));
	disk->device = device;
	memcpy(disk->name, "vd", 2);
	disk->name[2] = (char)('a' + (disk - disks));
	memcpy(disk->address, device->address, sizeof(disk->address));
	block_rate_init(&disk->rate);
	err = virtio_blk_start(disk);
	if (err) {
		disk->device = NULL;
		return err;
	}
	ask_serial(disk);
	if (disk->broken)
		return 0;
	log_info("block: %s (%s): %" PRIu64 " KiB%s%s%s", disk->name, disk->address,
		 disk->sectors * BLOCK_SECTOR_SIZE / KIB, disk->read_only ? ", read-only" : "",
		 disk->serial[0] ? ", serial " : "", disk->serial);
	disk->ready = true;
	if (task_create("disk", TASK_PRIORITY_DRIVER, disk_task, disk)) {
		block_request_break(disk, "there is no task for it");
		end(disk);
	}
	if (on_arrival)
		on_arrival();
	return 0;
}

/* ---- Going ---- */

/* Every wait for the device in there is bounded. */
static void stop_task(struct block_disk *disk)
{
	disk->removing = true;
	while (disk->task_running) {
		task_wake(&disk->device->interrupts);
		task_sleep_until(clock_ns() + NS_PER_MS);
	}
}

/* One that nobody uses goes without a warning. */
static void remove_device(struct virtio_device *device)
{
	struct block_disk *disk = find(device);

	if (!disk)
		return;
	stop_task(disk);
	if (!disk->broken && !disk->user) {
		log_info("block: %s (%s): pulled out", disk->name, disk->address);
		disk->told = true;
	}
	block_request_break(disk, "it was pulled out");
	end(disk);
	virtio_blk_stop(disk);
	disk->ready = false;
	disk->device = NULL;
}

#define FEATURE_NAME(constant, bit, name) { bit, name },

static const struct virtio_feature_name feature_names[] = {
	VIRTIO_BLK_FEATURES(FEATURE_NAME){ 0, NULL },
};

static struct virtio_driver driver = {
	.type = VIRTIO_ID_BLOCK,
	.feature_names = feature_names,
	.probe = probe,
	.remove = remove_device,
};

void block_set_arrival_hook(void (*hook)(void))
{
	on_arrival = hook;
}

void block_start(void)
{
	memset(disks, 0, sizeof(disks));
	on_arrival = NULL;
	virtio_register_driver(&driver);
}
