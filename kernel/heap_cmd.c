/* SPDX-License-Identifier: BSD-2-Clause */
/* heap: how large malloc()'s memory is, and whether it comes back. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/lib/command.h"
#include "kernel/lib/hooks.h"
#include "kernel/lib/parse.h"
#include "kernel/task/task.h"
#include "mm/heap.h"
#include "mm/ledger.h"

/* Pieces are of this size, so that malloc() has something to merge. */
#define PIECE 4000

/* A piece begins with the address of the one before. */
struct piece {
	struct piece *next;
};

static void print_heap(const char *when)
{
	printf("%-6s %zu bytes, %" PRIu64 " frames\n", when, heap_size(), ledger_count(OWNER_HEAP));
}

/* Returns the last piece; `*bytes` is how much there was of what was asked for. */
static struct piece *take_pieces(uint64_t *bytes)
{
	struct piece *last = NULL;
	uint64_t got = 0;

	while (got < *bytes && !lib_interrupted()) {
		struct piece *piece = malloc(PIECE);

		if (!piece)
			break;
		piece->next = last;
		last = piece;
		got += PIECE;
		task_yield();
	}
	*bytes = got;
	return last;
}

static void free_pieces(struct piece *piece)
{
	while (piece) {
		struct piece *next = piece->next;

		free(piece);
		piece = next;
		task_yield();
	}
}

static int cmd_heap(int argc, char **argv)
{
	struct piece *pieces;
	uint64_t bytes = 0, got;

	if (argc > 2)
		return -EINVAL;
	if (argc == 2 && parse_size(argv[1], &bytes)) {
		printf("heap: %s is no size; write 64M, 1.5G or a number of bytes\n", argv[1]);
		return -ERANGE;
	}
	print_heap("Heap:");
	if (argc == 1)
		return 0;
	got = bytes;
	pieces = take_pieces(&got);
	print_heap("Taken:");
	free_pieces(pieces);
	print_heap("Freed:");
	if (lib_interrupted()) {
		printf("heap: interrupted\n");
		return -EINTR;
	}
	if (got < bytes) {
		printf("heap: only %" PRIu64 " bytes could be had\n", got);
		return -ENOMEM;
	}
	return 0;
}
COMMAND("heap", "[SIZE]", "the size of malloc()'s heap",
	"With SIZE: takes that much by malloc(), frees it, and shows the heap after each.",
	cmd_heap);
