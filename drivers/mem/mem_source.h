/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that comes and goes: its sources, which are virtio-mem devices, slots with
 * DIMMs and what Hyper-V adds, in one list for those who show them. Amounts are in frames.
 *
 *   mem_source.c	   the list
 *   mem_leave.c	   how blocks leave: free ones first, then those that the balloon holds
 *   mem_lost.c	   what was taken away unasked
 *   mem_events.c	   the events that all of it records
 *   virtio_mem_config.c   virtio-mem (virtio 1.3, 5.15): what a device says of itself
 *   virtio_mem_request.c  its requests, on their way
 *   virtio_mem_books.c	   what its answers do to the frame map
 *   virtio_mem_audit.c	   whether device and books agree, block by block
 *   virtio_mem_recovery.c from reset to running and back
 *   virtio_mem_wait.c	   when a device is looked at again
 *   virtio_mem_work.c	   what the host wants, and how it is reached
 *   virtio_mem.c	   devices: their start, their tasks, their end
 *   dimm_place.c	   where memory of slots may be
 *   dimm_users.c	   who is in the way of a DIMM that is to leave
 *   dimm.c		   DIMMs, by the registers that drivers/acpi reads
 *   hyperv_mem.c	   what Hyper-V adds
 *   mem_cmd.c		   the command `lsmem`
 *
 * Tasks only.
 */
#ifndef DRIVERS_MEM_MEM_SOURCE_H
#define DRIVERS_MEM_MEM_SOURCE_H

#include "kernel/lib/types.h"
#include "mm/frame_region.h"

/* A source belongs to its driver, which keeps it right; readers change nothing. */
struct mem_source {
	const char *kind;	       /* "virtio-mem", "dimm" or "hyperv" */
	char name[24];		       /* "0000:00:04.0", "slot 0" */
	struct frame_region_part part; /* all that it can have, in its units */
	uint64_t requested;	       /* what the host wants there to be */
	uint64_t plugged;	       /* what is there */
	const char *trouble; /* why the two differ, or will for ever: a clause for people; NULL */
	bool stays;	     /* its host never takes any of it back */
	bool leaving;	     /* mem_leave.c's: it gives back, or wants to */
	struct mem_source *next; /* the list's */
};

/* Puts a source at its place in the list, which is in the order of addresses. */
void mem_source_add(struct mem_source *source);

/* Takes it out of the list. */
void mem_source_remove(struct mem_source *source);

/* Returns the first source, or NULL. */
const struct mem_source *mem_sources(void);

/* Finds the first source that has any of these blocks, plugged or not; NULL: none has. */
const struct mem_source *mem_source_at(pfn_t start, size_t blocks);

/* Returns why there can be no more regions or sources, a clause that names the limit. */
const char *mem_source_limit(void);

/*
 * Announces a region where sources may have memory. Returns why there can be none, a clause for
 * people, or NULL.
 */
const char *mem_source_announce(pfn_t start, size_t blocks);

/*
 * Stores how many frames could leave now, as blocks that are free: show_mem's MemRemovable.
 * Returns false if there is no source.
 */
bool mem_removable(uint64_t *frames);

#endif
