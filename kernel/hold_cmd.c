/* SPDX-License-Identifier: BSD-2-Clause */
/* hold, release, held. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/hold.h"
#include "kernel/lib/command.h"
#include "kernel/lib/hooks.h"
#include "kernel/lib/parse.h"
#include "mm/frame.h"
#include "mm/ledger.h"

static void print_hold(const struct hold_info *info)
{
	char size[FORMAT_SIZE_MAX];

	printf("held %u: %s in %" PRIu64 " runs of order %u", info->id,
	       format_size(pfn_to_paddr(info->runs << info->order), size), info->runs, info->order);
	if (info->busy)
		printf(", rewritten %" PRIu64 " times", info->rewritten);
	printf("\n");
}

/* Says what is wrong with the words; stores what they mean. */
static int parse_hold(int argc, char **argv, struct hold_info *wanted)
{
	uint64_t bytes, number = 0;

	wanted->busy = argc > 2 && strcmp(argv[argc - 1], "busy") == 0;
	argc -= wanted->busy;
	if (argc < 2 || argc > 3)
		return -EINVAL;
	if (parse_size(argv[1], &bytes)) {
		printf("hold: %s is no size; write 64M, 1.5G or a number of bytes\n", argv[1]);
		return -ERANGE;
	}
	if (bytes == 0 || bytes > pfn_to_paddr(ledger_managed())) {
		printf("hold: %s is %s\n", argv[1],
		       bytes == 0 ? "nothing to hold" : "more than this machine's memory");
		return -ERANGE;
	}
	if (argc == 3 && (parse_u64(argv[2], &number) || number > FRAME_ORDER_MAX)) {
		printf("hold: %s is no order; 0 is a frame, %d a block, %d the most\n", argv[2],
		       BLOCK_ORDER, FRAME_ORDER_MAX);
		return -ERANGE;
	}
	wanted->order = (unsigned)number;
	wanted->runs = align_up(bytes, FRAME_SIZE << number) >> (FRAME_SHIFT + number);
	return 0;
}

/* Without a task it is given back. */
static int make_busy(unsigned id)
{
	uint64_t broken;
	pfn_t first;
	int err = hold_make_busy(id);

	if (!err)
		err = hold_task_start();
	if (!err)
		return 0;
	printf("hold: no task to rewrite it; nothing is held\n");
	hold_release(id, NULL, &broken, &first);
	return err;
}

static int cmd_hold(int argc, char **argv)
{
	struct hold_info info = { 0 };
	int err = parse_hold(argc, argv, &info);

	if (err)
		return err;
	err = hold_take(info.runs, info.order, lib_interrupted, &info.id);
	switch (err) {
	case 0:
		if (info.busy)
			err = make_busy(info.id);
		if (!err)
			print_hold(&info);
		break;
	case -EAGAIN:
		printf("hold: there are %d holds; release one\n", HOLDS_MAX);
		break;
	case -ENOMEM:
		printf("hold: not enough memory in runs of order %u; nothing is held\n",
		       info.order);
		break;
	default:
		printf("hold: interrupted; nothing is held\n");
	}
	return err;
}
COMMAND("hold", "SIZE [order] [busy]", "take memory, filled with a pattern",
	"In runs of 2^order frames of 4 KiB: 0 (the default) to 18. The pattern is\n"
	"verified when the memory is released. A busy hold is rewritten with another\n"
	"pattern all the time, while nothing else is to be done.",
	cmd_hold);

static int release(unsigned id, bool half)
{
	uint64_t broken;
	pfn_t first;

	int err = half ? hold_release_half(id, lib_interrupted, &broken, &first)
		       : hold_release(id, lib_interrupted, &broken, &first);

	if (err == -ENOENT) {
		printf("release: there is no hold %u; `held` lists them\n", id);
		return err;
	}
	if (err == -EBUSY) {
		printf("release: a busy hold goes as a whole\n");
		return err;
	}
	if (broken > 0) {
		printf("released %u: PATTERN BROKEN in %" PRIu64 " frames, first in PFN %#" PRIx64
		       "\n",
		       id, broken, first);
		return -EIO;
	}
	printf("released %s%u: %s\n", half ? "half of " : "", id,
	       err ? "interrupted; not all was verified" : "pattern intact");
	return err;
}

static int release_all(void)
{
	struct hold_info info;
	int err = 0;

	while (err != -EINTR && hold_next(0, &info)) {
		int one = release(info.id, false);

		err = err && one != -EINTR ? err : one;
	}
	return err;
}

static int cmd_release(int argc, char **argv)
{
	bool half = argc == 3 && strcmp(argv[2], "half") == 0;
	uint64_t id;

	if (argc != 2 && !half)
		return -EINVAL;
	if (!half && strcmp(argv[1], "all") == 0)
		return release_all();
	if (parse_u64(argv[1], &id) || id == 0 || id > UINT32_MAX) {
		printf("release: %s is no hold's number; `held` lists them\n", argv[1]);
		return -ERANGE;
	}
	return release((unsigned)id, half);
}
COMMAND("release", "ID [half]|all", "verify held memory and give it back",
	"Ctrl-C ends the verifying: what is not verified yet of this hold is given back\n"
	"all the same; other holds stay. With `half`: every second run of the hold, so\n"
	"that what is free lies in pieces.",
	cmd_release);

static int cmd_held(int argc, char **argv)
{
	struct hold_info info = { 0 };

	(void)argv;
	if (argc > 1)
		return -EINVAL;
	if (!hold_next(0, &info))
		printf("nothing is held\n");
	for (info.id = 0; hold_next(info.id, &info);)
		print_hold(&info);
	return 0;
}
COMMAND("held", "", "list what is held", NULL, cmd_held);
