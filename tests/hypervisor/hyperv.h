/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hyperv.c and those beside it: Hyper-V as its guests see it. This is what a test and it have in
 * common: the page HV_CONTROL_HYPERV of the control block. Full of zeros it asks for an honest
 * host of the latest version, with dynamic memory on its VMBus and nothing else.
 *
 * What the host wants of the balloon is hv_control.common.target: frames that the guest gives, the
 * spare ones (machine_spare()) not among them. The host turns it into deltas, as Hyper-V does. It
 * looks at wishes and lies after each exit of the guest and at each ring of the test's, and acts
 * at once; what must be set before the guest starts says so. A guest without anything to do may
 * have no exits: then a test rings. `wish`, `lie` and `push` are the test's to write, the rest is
 * the host's. Amounts are frames of 4 KiB.
 */
#ifndef TESTS_HYPERVISOR_HYPERV_H
#define TESTS_HYPERVISOR_HYPERV_H

#include <stdint.h>

#include "tests/hypervisor/control.h"

/*
 * What a host says: a bit each in masks, an index in counts. The first ones are messages of the
 * VMBus, those from HYPERV_DM on are packets of the dm channel.
 */
enum hyperv_kind {
	HYPERV_VERSION,
	HYPERV_OFFER,
	HYPERV_ALL_OFFERS,
	HYPERV_RESCIND,
	HYPERV_GPADL_CREATED,
	HYPERV_OPEN_RESULT,
	HYPERV_GPADL_TORNDOWN,
	HYPERV_UNLOAD_RESPONSE,
	HYPERV_DM,
	HYPERV_DM_VERSION = HYPERV_DM,
	HYPERV_DM_CAPABILITIES,
	HYPERV_DM_INFO,
	HYPERV_DM_BALLOON,
	HYPERV_DM_UNBALLOON,
	HYPERV_DM_HOT_ADD,
	HYPERV_PUSHED, /* what a test pushes: no lie is told about it */
	HYPERV_KINDS,
};

#define HYPERV_BIT(kind) (UINT32_C(1) << (kind))

/* Which of the balloon's frames go back first. */
enum hyperv_order {
	HYPERV_LOWEST,	  /* the longest runs that there are, from the lowest on */
	HYPERV_HIGHEST,	  /* the same from the highest on */
	HYPERV_SCATTERED, /* short runs from everywhere */
	HYPERV_SINGLES,	  /* single frames, of which no two lie beside each other if that can be */
};

struct hyperv_wish {
	/* Before the guest looks. Bits of CPUID's leaf of features that are not shown. */
	uint32_t hide_low, hide_high, hide_features;
	uint32_t no_auto_eoi;	 /* 1: a hint tells the guest not to use AutoEOI */
	uint32_t no_extended;	 /* 1: ExtQueryCapabilities tells of no cold discard */
	uint32_t vmbus_version;	 /* the highest; 0: 5.3 */
	uint32_t dm_version;	 /* the highest; 0: 2.0 */
	uint32_t other_channels; /* of a type that nobody knows, offered before dm's; at most 3 */

	/* Any time. */
	uint32_t no_dm;	      /* 1: dm is not offered, or rescinded; 0 again: offered anew */
	uint32_t offer_again; /* 1: dm is offered anew after a rescission that was a lie */
	uint32_t no_reports;  /* 1: CAPABILITIES_RESPONSE asks for no STATUS */
	uint32_t no_info;     /* 1: no INFO after it */
	uint32_t no_region;   /* 1: HOT_ADD is without a region, as of older hosts */
	uint32_t polls;	      /* 1: the host wants no signals, and looks at its ring by itself */
	uint32_t order;	      /* enum hyperv_order */
	uint32_t ranges_most; /* in an UNBALLOON, which then is several; 0: 510 */
	uint32_t ask_most;    /* in a BALLOON; 0: as many as are missing */
	uint64_t pages_max;   /* told by INFO; 0: the RAM and what can be added */
	uint64_t added;	      /* spare frames that the guest should have; never fewer than it has */
};

/* Lies about rings: bits of hyperv_lie.ring. */
enum hyperv_ring_lie {
	HYPERV_RING_WRITE = 1 << 0,   /* `write` of the ring to the guest is ring_value */
	HYPERV_RING_READ = 1 << 1,    /* `read` of the ring to the host */
	HYPERV_RING_OFFSET = 1 << 2,  /* offset8 of each packet that is written */
	HYPERV_RING_LENGTH = 1 << 3,  /* length8 of each */
	HYPERV_RING_TYPE = 1 << 4,    /* type of each */
	HYPERV_RING_TRAILER = 1 << 5, /* the trailer of each */
	HYPERV_RING_GUESTS_READ = 1
				  << 6, /* `read` of the ring to the guest, which is the guest's */
	HYPERV_RING_GUESTS_WRITE = 1 << 7, /* `write` of the ring to the host, likewise */
};

/* Ranges that no guest may take, each in every UNBALLOON: bits of hyperv_lie.ranges. */
enum hyperv_range_lie {
	HYPERV_RANGE_NOT_GIVEN = 1 << 0, /* RAM that the guest has */
	HYPERV_RANGE_NO_RAM = 1 << 1,
	HYPERV_RANGE_TWICE = 1 << 2,  /* the message's first one again */
	HYPERV_RANGE_BEYOND = 1 << 3, /* the message's first one is longer than what was given */
	HYPERV_RANGE_EMPTY = 1 << 4,  /* count 0 */
	HYPERV_RANGE_HUGE = 1 << 5,   /* 2^24 - 1 frames from the first one of RAM on */
	HYPERV_RANGE_COUNT = 1 << 6,  /* range_count says that there are 1000 more */
	HYPERV_RANGE_MORE = 1 << 7,   /* each says that more follow, and none does */
};

/* Once a mask or a flag is 0 again the truth is told again. */
struct hyperv_lie {
	/* Masks of HYPERV_BIT(): what becomes of what the host says. */
	uint32_t silent;  /* kept back. It follows when the bit is cleared: that is a late answer */
	uint32_t refused; /* VERSION, GPADL_CREATED, OPEN_RESULT, DM_VERSION, DM_CAPABILITIES: no */
	uint32_t twice;	  /* said twice */
	uint32_t cut;	  /* cut short to cut_bytes */
	uint32_t cut_bytes;
	uint32_t unknown; /* of a type that there is not */
	uint32_t foreign; /* its number of channel, GPADL, opening or transaction is another's */
	uint32_t sized;	  /* dm: the header's size is size_value */
	uint32_t size_value;

	/*
	 * At the so-many-th of the guest's messages and packets, all counted (seen.said), since it
	 * started; 0: never. Before it is answered,
	 */
	uint32_t rescind_at; /* dm is rescinded */
	uint32_t
		torn_down_at; /* the ring's GPADL is said to be torn down, which nobody asked for */

	/* Rings. */
	uint32_t ring; /* enum hyperv_ring_lie */
	uint32_t ring_value;
	uint32_t unread; /* 1: the host never reads its ring */

	/* Interrupts and hypercalls. */
	uint32_t no_interrupts; /* 1 */
	uint32_t storm;		/* so many interrupts each time that the host looks */
	uint32_t no_eom;	/* 1: EOM brings nothing */
	uint32_t post_busy;	/* 1: PostMessage says HV_INSUFFICIENT_BUFFERS */
	uint32_t post_status;	/* not 0: PostMessage says so */
	uint32_t signal_status; /* not 0: SignalEvent says so, and nothing was heard */
	uint32_t hint_status;	/* not 0: MemoryHeatHint says so */

	/* dm. */
	uint32_t ranges;	/* enum hyperv_range_lie */
	uint32_t impatient;	/* 1: no request waits for the answer to another */
	uint32_t balloon_count; /* BALLOONs like the next line that are sent since the start */
	uint32_t balloon_pages;
	uint32_t hot_add_count; /* HOT_ADDs like the next line that are sent since the start */
	uint32_t reserved;
	uint64_t hot_add_first, hot_add_frames; /* the range, whatever lies there */
};

/* Bytes that a test wants to say: it fills this in, and then adds 1 to `number`. */
#define HYPERV_PUSH_BYTES 480

struct hyperv_push {
	uint32_t number; /* said when seen.pushed is the same */
	uint32_t packet; /* 0: a message, of at most 240 bytes; 1: a packet on the dm channel */
	uint32_t length;
	uint8_t bytes[HYPERV_PUSH_BYTES];
};

/* Where the guest is. Each step has those before it. */
enum hyperv_progress {
	HYPERV_NOWHERE,
	HYPERV_HYPERCALLS, /* has enabled its hypercall page */
	HYPERV_SYNIC,	   /* has pages for messages and events, and an interrupt */
	HYPERV_CONNECTED,  /* to the VMBus */
	HYPERV_OPENED,	   /* the dm channel */
	HYPERV_NEGOTIATED, /* dm's version */
	HYPERV_READY,	   /* has told its capabilities, and was accepted */
};

/* All are 0 when the guest starts. */
struct hyperv_seen {
	uint32_t progress; /* enum hyperv_progress */
	uint32_t vmbus_version, dm_version;

	/* The balloon. */
	uint64_t ballooned;    /* frames */
	uint64_t asked, given; /* in all */
	uint64_t given_ranges;
	uint64_t given_short; /* answers with fewer frames than were asked for */
	uint64_t returned, returned_ranges;
	uint64_t waiting;  /* frames that a BALLOON without its last answer asks for; 0: none */
	uint32_t requests; /* BALLOON, UNBALLOON, HOT_ADD without their last answer */
	uint32_t balloon_lies, hot_add_lies;

	/* Hot add. */
	uint64_t added;		 /* spare frames that the guest has */
	uint32_t hot_add_never;	 /* 1: it wants to be asked no more */
	uint32_t hot_add_result; /* the last one */
	uint64_t hot_add_pages;	 /* of the last answer */

	/* What the guest told of itself. */
	uint64_t guest_id;
	uint64_t capabilities, pages_min, page_max;
	uint64_t reports; /* STATUS */
	uint64_t available, committed, page_file, zero_free;
	uint32_t page_file_writes, io_difference;
	uint64_t reported_100ns; /* when the last one came, since the start */
	uint64_t crash[5];
	uint64_t crash_control;

	/* Heat hints. */
	uint64_t hints, hint_ranges, hint_frames;
	uint64_t hint_first_100ns, hint_last_100ns; /* when a call came, since the start */

	/* The machinery. */
	uint64_t said;		     /* messages and packets of the guest's */
	uint64_t told[HYPERV_KINDS]; /* of the host's, by kind */
	uint64_t posts, signals;     /* hypercalls */
	uint64_t signals_idle;	     /* with nothing in the ring */
	uint64_t packets_in, packets_out;
	uint64_t responses;	     /* BALLOON_RESPONSE, each */
	uint64_t ring_full;	     /* times that the host found no room in the ring */
	uint64_t events;	     /* flags set for the guest */
	uint64_t interrupts;	     /* asked of the machine */
	uint64_t eoms, eoms_unasked; /* the second: though no message waited */
	uint64_t lost;		     /* messages for which there was no room in the queue */
	uint32_t opens, closes, gpadls, rescinds, releases, unloads, connects;
	uint32_t pushed;
};

struct hyperv_control {
	struct hyperv_wish wish;
	struct hyperv_lie lie;
	struct hyperv_push push;
	struct hyperv_seen seen;
};

_Static_assert(sizeof(struct hyperv_control) <= HV_CONTROL_PAGE, "a page");

/* Returns the page. */
static inline struct hyperv_control *hyperv_control(void)
{
	return hv_control_of(struct hyperv_control, HV_CONTROL_HYPERV);
}

#endif
