/* SPDX-License-Identifier: BSD-2-Clause */
/* hold, release, held. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/hold.h"
#include "kernel/lib/command.h"
#include "kernel/lib/parse.h"
#include "kernel/shell.h"
#include "mm/frame.h"
#include "mm/ledger.h"

static void print_hold(const struct hold_info *info)
{
	char size[FORMAT_SIZE_MAX];

	printf("held %u: %s in %" PRIu64 " runs of order %u\n", info->id,
	       format_size(pfn_to_paddr(info->runs << info->order), size), info->runs, info->order);
}

/* Says what is wrong with the words; stores what they mean. */
static int parse_hold(int argc, char **argv, uint64_t *runs, unsigned *order)
{
	uint64_t bytes, number = 0;

	if (argc < 2 || argc > 3)
		return -EINVAL;
	if (parse_size(argv[1], &bytes)) {
		printf("hold: %s is no size; write 64M, 1G or a number of bytes\n", argv[1]);
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
	*order = (unsigned)number;
	*runs = align_up(bytes, FRAME_SIZE << *order) >> (FRAME_SHIFT + *order);
	return 0;
}

static int cmd_hold(int argc, char **argv)
{
	struct hold_info info;
	unsigned id;
	int err = parse_hold(argc, argv, &info.runs, &info.order);

	if (err)
		return err;
	err = hold_take(info.runs, info.order, shell_interrupted, &id);
	switch (err) {
	case 0:
		info.id = id;
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
COMMAND("hold", "SIZE [order]", "take memory, filled with a pattern",
	"In runs of 2^order frames of 4 KiB: 0 (the default) to 18. The pattern is\n"
	"verified when the memory is released.",
	cmd_hold);

static int release(unsigned id)
{
	uint64_t broken;
	pfn_t first;

	if (hold_release(id, &broken, &first)) {
		printf("release: there is no hold %u; `held` lists them\n", id);
		return -ENOENT;
	}
	if (broken > 0) {
		printf("released %u: PATTERN BROKEN in %" PRIu64 " frames, first in PFN %#" PRIx64
		       "\n",
		       id, broken, first);
		return -EIO;
	}
	printf("released %u: pattern intact\n", id);
	return 0;
}

static int cmd_release(int argc, char **argv)
{
	struct hold_info info;
	uint64_t id;
	int err = 0;

	if (argc != 2)
		return -EINVAL;
	if (strcmp(argv[1], "all") == 0) {
		while (hold_next(0, &info)) {
			int one = release(info.id);

			err = err ? err : one;
		}
		return err;
	}
	if (parse_u64(argv[1], &id) || id == 0 || id > UINT32_MAX) {
		printf("release: %s is no hold's number; `held` lists them\n", argv[1]);
		return -ERANGE;
	}
	return release((unsigned)id);
}
COMMAND("release", "ID|all", "verify held memory and give it back", NULL, cmd_release);

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
