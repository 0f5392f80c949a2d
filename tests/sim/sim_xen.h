/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Xen without a machine: what its hypercalls do for one domain, in plain C. The answers are those
 * of Xen 4.17 to a PVH domain, the odd ones included: a list of extents ends at the first that is
 * wrong, and what was done up to there is counted, but no error; an extent of 2 MiB that fails in
 * its middle has lost the frames before; an unaligned one takes whatever lies there; a frame that
 * is there can be populated, which costs another one.
 *
 * It knows which frame is whose. The guest's first mistake is remembered, and a test ends with
 * assert_null(sim_xen.violation). The guest is reached through struct sim_xen_guest alone. For
 * host tests it is arch/xen.h, too.
 */
#ifndef TESTS_SIM_SIM_XEN_H
#define TESTS_SIM_SIM_XEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/xen/xen_abi.h"

#define SIM_XEN_FRAMES 0x40000 /* that a domain can have: 1 GiB */
#define SIM_XEN_TEXT 4096
#define SIM_XEN_PARAMS 38
#define SIM_XEN_MAP_ENTRIES 8
#define SIM_XEN_NO_FRAME UINT64_MAX

/* max_pages of a domain is its target and this. */
#define SIM_XEN_SLACK_FRAMES 256

/* How the guest is reached. All but `memory` may be NULL. */
struct sim_xen_guest {
	/* Where so many bytes at an address of the guest's lie; NULL: nowhere. */
	void *(*memory)(uint64_t address, uint64_t size);
	/* Says what is wrong with giving, or populating, this frame now; NULL: nothing. */
	const char *(*check)(uint64_t pfn, bool populates);
	/*
	 * Frames are Xen's from now on, and read as ones; or the guest's, and full of what somebody
	 * had in them, which is for this function to do.
	 */
	void (*hand_over)(uint64_t first, uint64_t count, bool to_xen);
	void (*notified)(uint32_t port);   /* by an event that the guest sends */
	void (*interrupt)(uint8_t vector); /* an upcall */
	void (*end)(uint32_t reason);
};

/* What Xen does otherwise than it should. Pairs: [false] for giving, [true] for populating. */
struct sim_xen_faults {
	bool no_memory_op[2];	     /* -ENOSYS, as QEMU's own Xen */
	bool no_blocks[2];	     /* extents of 2 MiB are refused */
	uint64_t extents_most[2];    /* that are done in a call; UINT64_MAX: all */
	unsigned refuse_every[2];    /* so many-th extent ends its list; 0: none does */
	uint64_t stubborn[2];	     /* a frame with which it never does it; SIM_XEN_NO_FRAME */
	long error[2];		     /* returned instead of doing anything; 0: it does */
	uint64_t lost_from, lost_to; /* said to be given, or back, when nothing happened: frames */
	/* Makes up the answer, after the fact; NULL: the truth is told. */
	long (*tell)(bool populates, uint64_t asked, long done);
	bool no_counts;	  /* it does not say how many frames the domain has, or may have */
	bool no_mem_type; /* it does not say whether a frame is there */
	bool scribbles;	  /* into the list, when it has done it */
};

struct sim_xen {
	struct sim_xen_guest guest;
	struct sim_xen_faults faults;
	bool absent;

	/* The domain. */
	uint64_t first, frames; /* where its RAM lies, and how much it may be */
	uint64_t there;		/* frames of it that are the guest's */
	uint64_t current;	/* Xen's own count; what was populated twice is in it, too */
	uint64_t maximum;	/* of that */
	uint64_t on_demand;	/* frames that are there, but have no memory yet */
	uint64_t host_free;	/* frames that Xen has left for it */
	uint64_t param[SIM_XEN_PARAMS];
	uint64_t shared_info; /* frame; 0: none */
	uint8_t vector;	      /* of its upcall; 0: none */
	uint64_t early;	      /* ports below 64 with events before the page is shared */
	struct xen_e820 map[SIM_XEN_MAP_ENTRIES];
	size_t map_count;
	bool no_console; /* console_io is forbidden */

	/* What happened. */
	const char *violation; /* the guest's first mistake; NULL: there was none */
	uint64_t calls;
	uint64_t memory_calls[2]; /* [populates] */
	uint64_t extents[2];	  /* asked for */
	uint64_t extents_max[2];  /* asked for in a call */
	uint64_t frames_done[2];
	uint64_t seen[2]; /* extents looked at */
	uint64_t sent;	  /* events of the guest's */
	char text[SIM_XEN_TEXT];
	size_t text_length;

	bool is_there[SIM_XEN_FRAMES];
};

extern struct sim_xen sim_xen;

/*
 * A domain begins that has all its `frames` of RAM from `first` on, its shared page not shared,
 * and a Xen without faults. The guest's functions stay, if there are any.
 */
void sim_xen_begin(uint64_t first, uint64_t frames);

/* Only so many of the frames that are there have memory: it is populated on demand. */
void sim_xen_back_only(uint64_t frames);

/* What `xl mem-set` does to the domain: it may have so many frames, and a little more. */
void sim_xen_limit(uint64_t frames);

/* A hypercall of the guest's; addresses among the arguments are the guest's. */
long sim_xen_call(uint64_t number, uint64_t first, uint64_t second, uint64_t third);

/* An event for the guest: its bits are set, and an upcall comes. Without a shared page: lost. */
void sim_xen_raise(uint32_t port);

/* Whether the guest may touch a frame: it is RAM of its, and not given. */
bool sim_xen_is_guests(uint64_t pfn);

/* The guest touched a frame: a mistake, if it was given. */
void sim_xen_note_touch(uint64_t pfn);

#endif
