/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lsblk: the disks, and how they are. disk_read: reads from one, to see whether and how fast
 * that works. Nothing here writes to a disk.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/paging.h"
#include "drivers/block/block.h"
#include "kernel/lib/command.h"
#include "kernel/lib/hooks.h"
#include "kernel/lib/json.h"
#include "kernel/lib/parse.h"
#include "mm/frame.h"

/* ---- lsblk ---- */

static void print_disk(const struct block_info *info)
{
	char size[FORMAT_SIZE_MAX], read[FORMAT_SIZE_MAX], written[FORMAT_SIZE_MAX], requests[24];

	snprintf(requests, sizeof(requests), "%u/%u", info->in_flight, info->room);
	printf("%-4s %8s %-4s %-13s %-6s %8s %8s %6" PRIu64 " %8s %s\n", info->name,
	       format_size_exact(info->bytes, "B", size), info->read_only ? "ro" : "rw",
	       info->address, info->user ? info->user : "-",
	       format_size_exact(info->read_bytes, "B", read),
	       format_size_exact(info->written_bytes, "B", written), info->errors, requests,
	       info->serial[0] ? info->serial : "-");
	if (info->broken)
		printf("     broken: %s\n", info->broken);
}

static void print_json(const struct block_info *info)
{
	printf("{\"name\":");
	json_print_string(info->name);
	printf(",\"size\":%" PRIu64 ",\"read_only\":%s,\"address\":", info->bytes,
	       info->read_only ? "true" : "false");
	json_print_string(info->address);
	printf(",\"serial\":");
	json_print_string(info->serial[0] ? info->serial : NULL);
	printf(",\"user\":");
	json_print_string(info->user);
	printf(",\"read\":%" PRIu64 ",\"written\":%" PRIu64 ",\"errors\":%" PRIu64
	       ",\"in_flight\":%u,\"room\":%u,\"broken\":",
	       info->read_bytes, info->written_bytes, info->errors, info->in_flight, info->room);
	json_print_string(info->broken);
	printf("}");
}

static void print_all(bool json)
{
	struct block_disk *disk;
	struct block_info info;

	for (unsigned i = 0; (disk = block_disk(i)); i++) {
		block_info(disk, &info);
		if (json && i > 0)
			printf(",");
		if (json)
			print_json(&info);
		else
			print_disk(&info);
	}
}

static int cmd_lsblk(int argc, char **argv)
{
	bool json = argc == 2 && strcmp(argv[1], "-j") == 0;

	if (argc > 2 || (argc == 2 && !json))
		return -EINVAL;
	if (json)
		printf("{\"disks\":[");
	else if (block_disk(0))
		printf("%-4s %8s %-4s %-13s %-6s %8s %8s %6s %8s %s\n", "NAME", "SIZE", "MODE",
		       "ADDRESS", "USER", "READ", "WRITTEN", "ERRORS", "REQUESTS", "SERIAL");
	else
		printf("no disk\n");
	print_all(json);
	if (json)
		printf("]}\n");
	return 0;
}
COMMAND("lsblk", "[-j]", "disks, who uses them, and how they are",
	"READ and WRITTEN are what was moved, ERRORS the requests that failed. REQUESTS\n"
	"are those under way, and how many may be, by how fast the disk was lately.\n"
	"Nothing is written to a disk that nobody uses. A line below says why a disk is\n"
	"of no use any more, if it is not.\n"
	"With -j: one line of JSON, all in bytes.",
	cmd_lsblk);

/* ---- disk_read ---- */

/* So many requests are under way at a time, if the disk has room for them. */
#define READERS 4
#define READER_ORDER 5

_Static_assert(BLOCK_PAGES_MAX == 1 << READER_ORDER, "a reader has room for a whole request");

/* FNV-1a, 64 bits. */
#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

struct reader {
	pfn_t first; /* of its frames; PFN_NONE: it has none */
	struct block_request request;
};

/* Of the shell's task, so there is one disk_read at a time. */
static struct reader reader[READERS];

static struct block_disk *find_disk(const char *name)
{
	struct block_disk *disk;
	struct block_info info;

	for (unsigned i = 0; (disk = block_disk(i)); i++) {
		block_info(disk, &info);
		if (strcmp(info.name, name) == 0)
			return disk;
	}
	return NULL;
}

static int make_readers(void)
{
	int err = 0;

	for (size_t i = 0; i < READERS; i++) {
		reader[i] = (struct reader){ .first = PFN_NONE };
		if (!err)
			err = frame_alloc(READER_ORDER, OWNER_VIRTQUEUES, &reader[i].first);
		if (err)
			reader[i].first = PFN_NONE;
	}
	return err;
}

/* A device that is not reset keeps its frames. */
static void free_readers(void)
{
	for (size_t i = 0; i < READERS; i++)
		if (reader[i].first != PFN_NONE && reader[i].request.error != -EBUSY)
			frame_free(reader[i].first, BLOCK_PAGES_MAX, OWNER_VIRTQUEUES);
}

static int submit(struct block_disk *disk, struct reader *next, uint64_t page, unsigned count)
{
	struct block_request *request = &next->request;

	*request = (struct block_request){ .page = page, .count = count };
	for (unsigned i = 0; i < count; i++)
		request->frames[i] = next->first + i;
	block_wait_for_room(disk);
	return block_submit(disk, request);
}

static uint64_t hash(uint64_t sum, const struct reader *done)
{
	const uint8_t *data = phys_to_virt(pfn_to_paddr(done->first));

	for (size_t i = 0; i < done->request.count * FRAME_SIZE; i++)
		sum = (sum ^ data[i]) * FNV_PRIME;
	return sum;
}

/* Waits for all that is under way. -EBUSY, if frames stay with the device, goes before `err`. */
static int drain(struct block_disk *disk, uint64_t taken, uint64_t sent, int err)
{
	for (; taken < sent; taken++)
		if (block_wait(disk, &reader[taken % READERS].request) == -EBUSY)
			err = -EBUSY;
	return err;
}

/*
 * Reads from page *done to `end` in order, by requests of up to `count` pages, `ahead` of them
 * under way; adds what was read to *done, in pages, and to *sum, if it is not NULL.
 */
static int read_in_order(struct block_disk *disk, uint64_t end, unsigned count, unsigned ahead,
			 uint64_t *done, uint64_t *sum)
{
	uint64_t sent = 0, taken = 0; /* requests */
	uint64_t page = *done;	      /* of the next request */
	int err = 0;

	while (!err && *done < end) {
		while (!err && sent - taken < ahead && page < end) {
			struct reader *next = &reader[sent % READERS];

			err = submit(disk, next, page, (unsigned)min_u64(count, end - page));
			if (!err) {
				page += next->request.count;
				sent++;
			}
		}
		if (!err)
			err = block_wait(disk, &reader[taken % READERS].request);
		if (!err) {
			if (sum)
				*sum = hash(*sum, &reader[taken % READERS]);
			*done += reader[taken++ % READERS].request.count;
			err = lib_interrupted() ? -EINTR : 0;
		}
		task_yield();
	}
	return drain(disk, taken, sent, err);
}

/*
 * Reads the first `pages` pages. A device may make one of requests for neighbours (QEMU does), and
 * then they fail together: each page of those that were under way is asked for alone.
 */
static int read_pages(struct block_disk *disk, uint64_t pages, uint64_t *done, uint64_t *sum)
{
	int err;

	do {
		err = read_in_order(disk, pages, BLOCK_PAGES_MAX, READERS, done, sum);
		if (err == -EIO)
			err = read_in_order(disk, min_u64(*done + READERS * BLOCK_PAGES_MAX, pages),
					    1, 1, done, sum);
	} while (!err && *done < pages);
	return err;
}

static void print_read(const char *name, uint64_t pages, const uint64_t *sum, uint64_t ns)
{
	uint64_t bytes = pages * FRAME_SIZE, ms = max_u64(ns / NS_PER_MS, 1);
	char size[FORMAT_SIZE_MAX], rate[FORMAT_SIZE_MAX];

	printf("%s: %" PRIu64 " bytes read (%s) in %" PRIu64 ".%03" PRIu64 " s, %s/s\n", name,
	       bytes, format_size(bytes, size), ms / 1000, ms % 1000,
	       format_size(bytes / ms * 1000, rate));
	if (sum)
		printf("FNV-1a (64 bits): %016" PRIx64 "\n", *sum);
}

static int read_disk(struct block_disk *disk, const char *name, uint64_t pages, bool sums)
{
	uint64_t start = clock_ns(), done = 0, basis = FNV_BASIS;
	uint64_t *sum = sums ? &basis : NULL;
	int err = make_readers();

	if (err)
		printf("disk_read: no memory for %d requests\n", READERS);
	else
		err = read_pages(disk, pages, &done, sum);
	free_readers();
	if (err == -EIO || err == -EBUSY)
		printf("%s: page %" PRIu64 " of %" PRIu64 " cannot be read\n", name, done, pages);
	else if (!err)
		print_read(name, done, sum, clock_ns() - start);
	return err;
}

static int cmd_disk_read(int argc, char **argv)
{
	struct block_disk *disk;
	struct block_info info;
	bool sums = true;
	uint64_t pages;
	int err;

	if (argc > 1 && strcmp(argv[1], "-n") == 0) {
		sums = false;
		argc--;
		argv++;
	}
	if (argc < 2 || argc > 3)
		return -EINVAL;
	disk = find_disk(argv[1]);
	if (!disk) {
		printf("disk_read: %s is no disk; `lsblk` lists them\n", argv[1]);
		return -ENODEV;
	}
	block_info(disk, &info);
	pages = info.pages;
	if (argc == 3 && (parse_u64(argv[2], &pages) || pages > info.pages)) {
		printf("disk_read: %s is no number of pages up to %" PRIu64 "\n", argv[2],
		       info.pages);
		return -ERANGE;
	}
	err = block_claim(disk, "read", false, NULL);
	if (err) {
		printf("disk_read: %s is %s\n", argv[1],
		       err == -EBUSY ? "in use: `lsblk` says by whom" : "broken");
		return err;
	}
	err = read_disk(disk, argv[1], pages, sums);
	block_release(disk);
	return err;
}
COMMAND("disk_read", "[-n] NAME [PAGES]", "read a disk from its start, and sum it up",
	"Reads the first PAGES pages of 4 KiB, or all of them, by requests of 128 KiB, up\n"
	"to 4 of them at a time; says how fast that was, and the FNV-1a checksum of what\n"
	"was read. With -n there is no sum, which takes longer than a fast disk does.\n"
	"Nothing is written. The disk must not be in use.",
	cmd_disk_read);
