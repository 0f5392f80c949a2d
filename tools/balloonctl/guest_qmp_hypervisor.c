/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest of the hypervisor for tests: see guest_qmp_hypervisor.h. */
#include "tools/balloonctl/guest_qmp_hypervisor.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/guest_qmp.h"
#include "tools/deadline.h"
#include "tools/hypervisor.h"
#include "tools/qmp.h"

#define MEMORY "hypervisor-ram"
#define MEMORY_PATH "/objects/" MEMORY
#define IN_A_FILE "memory-backend-file"
#define IN_A_MEMFD "memory-backend-memfd"
#define MEMFD_LINK "/memfd:" IN_A_MEMFD

#define FRAME 4096ull
#define FRAMES_MAX ((uint64_t)INT64_MAX / FRAME / 4) /* sums of two are no overflow, either */
#define HEARD_MS 100				     /* a ring is, or the guest stands still */
#define TICKS_S 10000000.0			     /* of 100 ns */
#define PATH_SIZE 4096

static struct qmp *qmp_of(struct guest *guest)
{
	return guest->connection;
}

/* ---- the memory ---- */

/* Says why a file cannot be used. */
static int fail_open(struct guest *guest, const char *what, int err,
		     const struct hypervisor_found *found)
{
	switch (err) {
	case -EPERM:
		return guest_fail(guest, -EPERM,
				  "%s, the guest's memory, belongs to user %u, not to us (user "
				  "%u): only its owner may set the target in it",
				  what, (unsigned)found->owner, (unsigned)geteuid());
	case -EPROTO:
		return guest_fail(guest, -EPROTONOSUPPORT,
				  "the hypervisor's control block is of version %" PRIu32
				  " with pages of %" PRIu32 " bytes, and this balloonctl knows "
				  "version %d with pages of %d: take both from one build",
				  found->version, found->page_size, HV_CONTROL_VERSION,
				  HV_CONTROL_PAGE);
	case -ENOENT:
		return guest_fail(guest, -EPROTONOSUPPORT,
				  "no control block in %s (yet): it is there when "
				  "build/hypervisor.elf has started in a machine whose " MEMORY
				  " has share=on",
				  what);
	case -ENOMEM:
		return guest_fail(guest, err, "out of memory");
	default:
		return guest_fail(guest, -EPROTONOSUPPORT,
				  "%s, the guest's memory by QEMU's word, cannot be used: %s", what,
				  err == -EINVAL  ? "it is no file, or too small"
				  : err == -ENXIO ? "there is no such file (any more)"
						  : strerror(-err));
	}
}

static int open_file(struct guest *guest, struct hypervisor **out)
{
	struct hypervisor_found found = { 0 };
	struct json_object *path;
	const char *text;
	int err = qom_get(qmp_of(guest), MEMORY_PATH, "mem-path", &path);

	if (err)
		return guest_fail_qmp(guest, err);
	text = json_object_is_type(path, json_type_string) ? json_object_get_string(path) : "";
	if (*text == '\0')
		err = guest_fail_answer(guest, "qom-get mem-path");
	else
		err = hypervisor_open(text, out, &found);
	if (err && *text)
		err = fail_open(guest, text, err, &found);
	json_object_put(path);
	return err;
}

/* Whether a descriptor of QEMU's is a memory without a name; *path is that of the link. */
static bool is_memfd(pid_t pid, const char *number, char path[PATH_SIZE])
{
	char is[sizeof(MEMFD_LINK)];
	ssize_t n;

	snprintf(path, PATH_SIZE, "/proc/%d/fd/%s", pid, number);
	n = readlink(path, is, sizeof(is) - 1);
	return n == sizeof(is) - 1 && !strncmp(is, MEMFD_LINK, (size_t)n);
}

/* Of several the one with a block is the machine's. */
static int open_memfd_of(pid_t pid, DIR *folder, struct hypervisor **out,
			 struct hypervisor_found *found)
{
	struct dirent *entry;
	int err = -ENOENT;

	while (err == -ENOENT && (entry = readdir(folder))) {
		char path[PATH_SIZE];

		if (is_memfd(pid, entry->d_name, path))
			err = hypervisor_open(path, out, found);
		/* QEMU has closed it meanwhile. */
		if (err == -ENXIO)
			err = -ENOENT;
	}
	return err;
}

static int open_memfd(struct guest *guest, struct hypervisor **out)
{
	struct hypervisor_found found = { 0 };
	char path[64];
	DIR *folder;
	pid_t pid;
	int err = qmp_peer(qmp_of(guest), &pid);

	if (err)
		return guest_fail_qmp(guest, err);
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = qmp_has_our_numbers(pid) ? opendir(path) : NULL;
	if (!folder)
		return guest_fail(guest, -EPERM,
				  "QEMU's memory cannot be reached from here: call balloonctl as "
				  "the user who runs QEMU, and where QEMU runs");
	err = open_memfd_of(pid, folder, out, &found);
	closedir(folder);
	return err ? fail_open(guest, "QEMU's " IN_A_MEMFD, err, &found) : 0;
}

/* Finds the block, or -ENODEV: it is no such machine. */
static int open_block(struct guest *guest, struct hypervisor **out)
{
	struct json_object *type;
	const char *text;
	int err = qom_get(qmp_of(guest), MEMORY_PATH, "type", &type);

	if (qmp_has_refused(err))
		return -ENODEV;
	if (err)
		return guest_fail_qmp(guest, err);
	text = json_object_is_type(type, json_type_string) ? json_object_get_string(type) : "";
	if (!strcmp(text, IN_A_FILE))
		err = open_file(guest, out);
	else if (!strcmp(text, IN_A_MEMFD))
		err = open_memfd(guest, out);
	else
		err = guest_fail(guest, -EPROTONOSUPPORT,
				 "QEMU's " MEMORY " is a %.40s, which nobody else can map: it has "
				 "to be a " IN_A_MEMFD " with share=on",
				 text);
	json_object_put(type);
	return err;
}

/* ---- the block ---- */

/* What is in it now. */
struct block {
	char personality[GUEST_HYPERVISOR_NAME];
	uint64_t ram, added, ballooned, target; /* frames */
	uint64_t driver, said, reports, available, reported, looked;
};

/* For people and for JSON: letters that anybody can print. */
static void read_name(volatile const char *from, char to[GUEST_HYPERVISOR_NAME])
{
	for (size_t i = 0; i + 1 < GUEST_HYPERVISOR_NAME; i++) {
		char c = from[i];

		to[i] = '\0';
		if (c == '\0')
			return;
		to[i] = c > ' ' && c <= '~' ? c : '?';
	}
	to[GUEST_HYPERVISOR_NAME - 1] = '\0';
}

static void read_block(struct hypervisor *hypervisor, struct block *block)
{
	volatile const struct hv_control_common *common = hypervisor_common(hypervisor);

	read_name(common->personality, block->personality);
	block->ram = common->ram_frames;
	block->added = common->added;
	block->ballooned = common->ballooned;
	block->target = common->target;
	block->driver = common->driver;
	block->said = common->said;
	block->reports = common->reports;
	block->available = common->available;
	block->reported = common->reported_100ns;
	block->looked = common->looked_100ns;
}

static int check_block(struct guest *guest, const struct block *block)
{
	if (block->driver == HV_DRIVER_NO_BALLOON)
		return guest_fail(guest, -ENODEV,
				  "the machine has no balloon device, and its hypervisor, %s, none "
				  "that balloonctl knows: vmware and hyperv have one",
				  *block->personality ? block->personality : "without a name");
	if (block->ram == 0 || block->ram > FRAMES_MAX || block->added > FRAMES_MAX)
		return guest_fail(guest, -EPROTO,
				  "the hypervisor's control block makes no sense: %" PRIu64
				  " frames of RAM, and %" PRIu64 " that were added",
				  block->ram, block->added);
	return 0;
}

/* Opens and reads; *hypervisor is the caller's by hypervisor_close(). */
static int look(struct guest *guest, struct hypervisor **hypervisor, struct block *block)
{
	int err = open_block(guest, hypervisor);

	if (err)
		return err;
	read_block(*hypervisor, block);
	err = check_block(guest, block);
	if (err)
		hypervisor_close(*hypervisor);
	return err;
}

/* A machine that cannot ring lets the hypervisor look at the guest's next exit. */
static int ring(struct guest *guest)
{
	int err = qmp_execute(qmp_of(guest), "inject-nmi", NULL, NULL);

	return err && !qmp_has_refused(err) ? guest_fail_qmp(guest, err) : 0;
}

/* ---- what is asked ---- */

int qmp_hypervisor_state(struct guest *guest, struct guest_state *state)
{
	struct hypervisor *hypervisor;
	struct block block;
	uint64_t counted;
	int64_t left = INT64_MIN;
	int err = look(guest, &hypervisor, &block);

	if (err)
		return err;
	hypervisor_close(hypervisor);
	counted = (block.ram + block.added) * FRAME;
	if (state->dimms > INT64_MAX - counted || state->grown > INT64_MAX - counted - state->dimms)
		return guest_fail_answer(guest, "query-memory-devices");
	counted += state->dimms;
	state->dimms += block.added * FRAME;
	if (block.ballooned <= FRAMES_MAX)
		left = (int64_t)counted - (int64_t)(block.ballooned * FRAME);
	guest_account(state, counted, left);
	guest_account_target(state, block.target <= FRAMES_MAX ? block.target * FRAME : UINT64_MAX);
	state->has_driver = block.driver == HV_DRIVER_NONE || block.driver == HV_DRIVER_RUNS;
	state->driver_ok = block.driver == HV_DRIVER_RUNS;
	memcpy(state->hypervisor, block.personality, sizeof(state->hypervisor));
	return 0;
}

int qmp_hypervisor_set_target(struct guest *guest, uint64_t bytes_left, uint64_t untaken)
{
	struct hypervisor *hypervisor;
	struct block block;
	uint64_t counted;
	int err = look(guest, &hypervisor, &block);

	if (err)
		return err;
	counted = (block.ram + block.added) * FRAME;
	/* It may have become less since it was looked at. */
	bytes_left = bytes_left > untaken ? bytes_left - untaken : 0;
	hypervisor_common(hypervisor)->target = bytes_left < counted
							? (counted - bytes_left) / FRAME
							: 0;
	hypervisor_close(hypervisor);
	return ring(guest);
}

/* Has the hypervisor look at its clock; a guest that stands still has it ring on. */
static int look_again(struct guest *guest, struct hypervisor *hypervisor, struct block *block)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	uint64_t before = hypervisor_common(hypervisor)->rings;
	int64_t end = deadline_in(HEARD_MS);
	int err = ring(guest);

	if (err)
		return err;
	while (hypervisor_common(hypervisor)->rings == before && deadline_left(end))
		nanosleep(&pause, NULL);
	read_block(hypervisor, block);
	return 0;
}

static void read_report(const struct block *block, struct guest_stats *stats)
{
	struct timespec now;

	stats->ever = block->reports > 0;
	if (!stats->ever)
		return;
	if (block->looked > block->reported)
		stats->age = (double)(block->looked - block->reported) / TICKS_S;
	clock_gettime(CLOCK_REALTIME, &now);
	if (stats->age < (double)now.tv_sec)
		stats->update = (uint64_t)((double)now.tv_sec + (double)now.tv_nsec / 1e9 -
					   stats->age);
	if (block->available > FRAMES_MAX)
		return;
	stats->present = 1u << STAT_AVAILABLE_MEMORY;
	stats->value[STAT_AVAILABLE_MEMORY] = block->available * FRAME;
}

int qmp_hypervisor_stats(struct guest *guest, struct guest_stats *stats)
{
	struct hypervisor *hypervisor;
	struct block block;
	int err = look(guest, &hypervisor, &block);

	if (err)
		return err;
	stats->has_pulse = true;
	stats->pulse = block.said;
	stats->way = block.reports == HV_NO_REPORTS ? STATS_NEVER : STATS_UNASKED;
	if (stats->way == STATS_UNASKED) {
		err = look_again(guest, hypervisor, &block);
		read_report(&block, stats);
	}
	hypervisor_close(hypervisor);
	return err;
}

int qmp_hypervisor_set_interval(struct guest *guest)
{
	struct hypervisor *hypervisor;
	struct block block;
	int err = look(guest, &hypervisor, &block);

	if (err)
		return err;
	hypervisor_close(hypervisor);
	return guest_fail(guest, -ENOTSUP, "a guest of %s cannot be asked for statistics",
			  block.personality);
}
