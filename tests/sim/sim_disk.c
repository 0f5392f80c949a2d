/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks for host tests; see sim_disk.h. */
#include "tests/sim/sim_disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/irq.h"
#include "tests/sim/sim_demand.h"
#include "tests/sim/sim_ram.h"

#define REQUESTS_MAX 64

struct block_disk {
	struct sim_disk is;
	bool plugged;
	char name[4];
	char serial[BLOCK_SERIAL_SIZE];
	const char *broken, *user;
	bool writes, told;
	void (*gone)(struct block_disk *disk);
	struct block_request *had[REQUESTS_MAX]; /* first come, first */
	unsigned count;
	unsigned may_answer; /* while it is held */
	uint64_t busy_ns;    /* since then it has had something, or answered last */
	struct wait_queue changed, finished;
	uint64_t read_bytes, written_bytes, errors;
};

static struct block_disk disks[BLOCK_DISKS_MAX];
static void (*on_arrival)(void);

static void complain(const char *what)
{
	fprintf(stderr, "sim_disk: %s\n", what);
	abort();
}

static struct block_disk *of(struct sim_disk *disk)
{
	return (struct block_disk *)disk;
}
_Static_assert(offsetof(struct block_disk, is) == 0, "of()");

struct block_disk *sim_disk_block(struct sim_disk *disk)
{
	return of(disk);
}

unsigned sim_disk_in_flight(const struct sim_disk *disk)
{
	return ((const struct block_disk *)disk)->count;
}

/* ---- Requests ---- */

static uint8_t *frame(const struct block_request *request, unsigned i)
{
	return (uint8_t *)(uintptr_t)(request->frames[i] * FRAME_SIZE);
}

static void lend(const struct block_request *request, bool to_device)
{
	for (unsigned i = 0; i < request->count; i++)
		sim_ram_lend(request->frames[i], 1, to_device);
}

static void move(struct block_disk *disk, const struct block_request *request)
{
	for (unsigned i = 0; i < request->count; i++) {
		uint8_t *at = disk->is.bytes + (request->page + i) * FRAME_SIZE;

		if (request->write)
			memcpy(at, frame(request, i), FRAME_SIZE);
		else
			memcpy(frame(request, i), at, FRAME_SIZE);
	}
	if (request->write)
		disk->written_bytes += request->count * FRAME_SIZE;
	else
		disk->read_bytes += request->count * FRAME_SIZE;
}

/* A device that still has what it should write to keeps the frames. */
static void finish(struct block_disk *disk, unsigned i, int error)
{
	struct block_request *request = disk->had[i];

	disk->count--;
	memmove(&disk->had[i], &disk->had[i + 1], (disk->count - i) * sizeof(disk->had[0]));
	disk->busy_ns = clock_awake_ns();
	if (error != -EBUSY || request->write)
		lend(request, false);
	if (!error)
		move(disk, request);
	disk->errors += error != 0;
	request->error = error;
	request->done = true;
	if (request->finished)
		request->finished(request);
	task_wake(&disk->finished);
}

static void answer(struct block_disk *disk)
{
	unsigned i = disk->is.order == SIM_DISK_LAST_COME ? disk->count - 1 : 0;

	finish(disk, i, disk->is.fails ? disk->is.fails(disk->had[i]) : 0);
}

static bool may_answer(const struct block_disk *disk)
{
	return disk->count > 0 && !disk->is.dead && (!disk->is.held || disk->may_answer > 0);
}

bool block_poll(struct block_disk *disk)
{
	if (!may_answer(disk) || disk->broken)
		return false;
	disk->may_answer -= disk->is.held;
	answer(disk);
	return true;
}

/* ---- Its end ---- */

static void break_it(struct block_disk *disk, const char *why)
{
	if (!disk->broken)
		disk->broken = why;
	task_wake(&disk->changed);
}

static void end_all(struct block_disk *disk)
{
	while (disk->count > 0)
		finish(disk, 0, disk->is.stuck ? -EBUSY : -EIO);
}

static void tell(struct block_disk *disk)
{
	void (*gone)(struct block_disk *) = disk->gone;

	end_all(disk);
	if (disk->told)
		return;
	disk->told = true;
	if (gone)
		gone(disk);
}

static bool is_overdue(const struct block_disk *disk)
{
	return disk->count > 0 && clock_awake_ns() - disk->busy_ns >= BLOCK_DEADLINE_NS;
}

/* ---- Its task ---- */

static bool wait_a_while(struct block_disk *disk, uint64_t ns)
{
	uint64_t flags = irq_save();
	bool woken = task_wait(&disk->changed, clock_ns() + ns);

	irq_restore(flags);
	return woken;
}

static void run(void *arg)
{
	struct block_disk *disk = arg;

	while (!disk->broken) {
		if (is_overdue(disk)) {
			break_it(disk, "it has not answered for 2 s");
		} else if (!may_answer(disk)) {
			wait_a_while(disk, CLOCK_AWAKE_LOOK_NS);
		} else {
			if (disk->is.latency_ns > 0)
				task_sleep_until(clock_ns() + disk->is.latency_ns);
			block_poll(disk);
		}
	}
	if (disk->plugged)
		tell(disk);
}

/* ---- drivers/block/block.h ---- */

void block_start(void)
{
}

void block_set_arrival_hook(void (*hook)(void))
{
	on_arrival = hook;
}

static bool is_taken(const struct block_disk *disk)
{
	return disk->plugged || disk->user;
}

struct block_disk *block_disk(unsigned i)
{
	for (unsigned k = 0; k < BLOCK_DISKS_MAX; k++)
		if (is_taken(&disks[k]) && i-- == 0)
			return &disks[k];
	return NULL;
}

struct block_disk *block_find(const char *serial)
{
	for (unsigned k = 0; serial[0] && k < BLOCK_DISKS_MAX; k++)
		if (disks[k].plugged && strcmp(disks[k].serial, serial) == 0)
			return &disks[k];
	return NULL;
}

void block_info(const struct block_disk *disk, struct block_info *info)
{
	*info = (struct block_info){
		.name = disk->name,
		.address = "a test's",
		.bytes = disk->is.pages * FRAME_SIZE,
		.pages = disk->is.pages,
		.read_only = disk->is.read_only,
		.broken = disk->broken,
		.user = disk->user,
		.read_bytes = disk->read_bytes,
		.written_bytes = disk->written_bytes,
		.errors = disk->errors,
		.in_flight = disk->count,
		.room = disk->is.room,
	};
	strcpy(info->serial, disk->serial);
}

int block_claim(struct block_disk *disk, const char *user, bool writes,
		void (*gone)(struct block_disk *disk))
{
	if (disk->user)
		return -EBUSY;
	if (disk->broken)
		return -EIO;
	if (writes && disk->is.read_only)
		return -EROFS;
	disk->user = user;
	disk->writes = writes;
	disk->gone = gone;
	return 0;
}

void block_release(struct block_disk *disk)
{
	if (!disk->user || disk->count > 0)
		complain("a disk is given back that nobody has, or that is busy");
	disk->user = NULL;
	disk->writes = false;
	disk->gone = NULL;
}

bool block_has_room(const struct block_disk *disk)
{
	return !disk->broken && disk->count < disk->is.room;
}

static void count_request(struct sim_disk *is, const struct block_request *request)
{
	unsigned *most = request->write ? &is->write_pages_max : &is->read_pages_max;

	is->writes += request->write;
	is->reads += !request->write;
	*most = (unsigned)max_u64(*most, request->count);
}

int block_submit(struct block_disk *disk, struct block_request *request)
{
	if (request->count > BLOCK_PAGES_MAX)
		complain("a request is too large");
	if (disk->broken)
		return -EIO;
	if (request->write && !disk->writes)
		return -EROFS;
	if (request->count == 0 || request->page >= disk->is.pages ||
	    request->count > disk->is.pages - request->page)
		return -EINVAL;
	if (!block_has_room(disk))
		return -EAGAIN;
	for (unsigned i = 0; i < request->count; i++)
		if (sim_demand_remembers(request->frames[i]) || sim_ram_is_lent(request->frames[i]))
			complain("a request has a frame that the processor, or a disk, uses");
	count_request(&disk->is, request);
	lend(request, true);
	request->done = false;
	request->error = 0;
	if (disk->count == 0)
		disk->busy_ns = clock_awake_ns();
	disk->had[disk->count++] = request;
	task_wake(&disk->changed);
	return 0;
}

static void sleep_until_finished(struct block_disk *disk)
{
	uint64_t flags = irq_save();

	task_wait_device(&disk->finished, clock_ns() + CLOCK_AWAKE_LOOK_NS);
	irq_restore(flags);
}

int block_wait(struct block_disk *disk, struct block_request *request)
{
	while (!request->done)
		sleep_until_finished(disk);
	return request->error;
}

void block_wait_for_room(struct block_disk *disk)
{
	while (!disk->broken && !block_has_room(disk))
		sleep_until_finished(disk);
}

int block_wait_here(struct block_disk *disk, struct block_request *request)
{
	while (!request->done) {
		if (block_poll(disk))
			continue;
		/* Nothing comes: what a busy wait for BLOCK_DEADLINE_NS ends with. */
		break_it(disk, "it has not answered for 2 s");
		end_all(disk);
	}
	return request->error;
}

int block_flush(struct block_disk *disk)
{
	return disk->broken ? -EIO : 0;
}

/* ---- What a test does ---- */

void sim_disk_reset(void)
{
	for (unsigned k = 0; k < BLOCK_DISKS_MAX; k++)
		free(disks[k].is.bytes);
	memset(disks, 0, sizeof(disks));
	on_arrival = NULL;
}

struct sim_disk *sim_disk_plug(const char *serial, uint64_t pages)
{
	struct block_disk *disk = disks;

	while (disk < disks + BLOCK_DISKS_MAX && is_taken(disk))
		disk++;
	if (disk == disks + BLOCK_DISKS_MAX || pages > SIM_DISK_PAGES_MAX)
		complain("there are too many disks, or pages");
	free(disk->is.bytes);
	*disk = (struct block_disk){
		.is = { .pages = pages, .room = 4, .bytes = calloc(pages, FRAME_SIZE) },
		.plugged = true,
	};
	snprintf(disk->name, sizeof(disk->name), "vd%c", 'a' + (int)(disk - disks));
	snprintf(disk->serial, sizeof(disk->serial), "%s", serial);
	if (task_create("disk", TASK_PRIORITY_DRIVER, run, disk))
		complain("no task for a disk");
	if (on_arrival)
		on_arrival();
	return &disk->is;
}

void sim_disk_pull(struct sim_disk *disk)
{
	break_it(of(disk), "it was pulled out");
	tell(of(disk));
	of(disk)->plugged = false;
}

void sim_disk_break(struct sim_disk *disk)
{
	break_it(of(disk), "it asks for a reset");
	task_sleep_until(clock_ns() + NS_PER_MS);
}

void sim_disk_answer(struct sim_disk *disk, unsigned count)
{
	of(disk)->may_answer = (unsigned)min_u64(count, of(disk)->count);
	while (of(disk)->may_answer > 0) {
		task_wake(&of(disk)->changed);
		task_sleep_until(clock_ns() + NS_PER_MS);
	}
}
