/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The figures of show_mem and how they are printed. The guest fills them from
 * its counters (show_mem.c), the host's `balloonctl dump` from a dump of the
 * guest's memory: both print the same words. Host programs include this file.
 *
 * Amounts are in frames until they are printed, where no other unit is named.
 */
#ifndef KERNEL_MEM_FIGURES_H
#define KERNEL_MEM_FIGURES_H

#include "drivers/balloon/balloon_account.h"
#include "drivers/balloon/balloon_dump.h"
#include "kernel/lib/types.h"
#include "mm/ledger.h"

#define MEM_OWNERS_MAX 32

/* One balloon of several. */
struct mem_balloon {
	char name[BALLOON_DUMP_NAME]; /* of its port, as "virtio" */
	uint64_t target, actual, shortfall;
};

struct mem_figures {
	const char *version; /* of the Aerostat whose figures they are */
	struct balloon_account account;
	bool has_balloon;
	uint64_t target, actual, shortfall, floor; /* with has_balloon: of all balloons */
	unsigned balloon_count;
	struct mem_balloon balloon[BALLOON_DUMP_BALLOONS];
	unsigned owner_count;
	struct {
		const char *name;
		uint64_t frames;
	} owner[MEM_OWNERS_MAX];
	uint64_t free_by_order[BLOCK_ORDER + 1];
	char verdict[LEDGER_VERDICT_MAX];
	bool ledger_ok;
	bool has_unused;       /* a dump does not tell */
	uint64_t unused_bytes; /* that are there, and not managed; with has_unused */
	bool has_paging;       /* memory can be taken back, or is used that could: */
	uint64_t cached, dirty, anonymous, swap_total, swap_free;
	bool has_regions;      /* where memory can come and leave; an interrupt does not tell */
	uint64_t removable;    /* that could leave, but for the floor; with has_regions */
};

/* Prints all figures as text. */
void mem_figures_print(const struct mem_figures *figures);

/* Prints only the owners. */
void mem_figures_print_owners(const struct mem_figures *figures);

/* Prints the owners as a member of a JSON object, in bytes: "owners":{...} */
void mem_figures_print_owners_json(const struct mem_figures *figures);

/* Prints a line of JSON, in bytes; `more`, if any, prints further members ("\"name\":value,"). */
void mem_figures_print_json(const struct mem_figures *figures, void (*more)(void));

#endif
