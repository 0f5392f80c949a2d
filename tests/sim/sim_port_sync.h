/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hypervisor with a level target that is polled, and that answers in the call. As
 * VMware: it refuses single frames, for any reason, and may forget everything at any
 * command, which the next look at it says. As Xen (`takes_most`, `gives_most`): it
 * refuses no frame but takes the first ones of a batch, and the rest is refused for
 * now. Its memory comes back by itself when the guest needs it.
 */
#ifndef TESTS_SIM_SIM_PORT_SYNC_H
#define TESTS_SIM_SIM_PORT_SYNC_H

#include "tests/sim/sim_host.h"

#define SIM_PORT_SYNC_POLL_NS NS_PER_S

struct sim_port_sync {
	struct sim_host host;
	uint64_t target;
	struct balloon_terms terms; /* as it would agree to them; at first without ranges */

	/* What it refuses: each time for the next of the reasons, or for the only one. */
	unsigned refuse_every; /* so many-th frame that it is given; 0: none */
	unsigned keep_every;   /* so many-th frame that is wanted back; 0: none */
	bool one_reason;
	enum balloon_refusal reason;
	uint64_t takes_most; /* frames of a batch; UINT64_MAX: all */
	uint64_t gives_most;
	uint64_t gives_after; /* until then it gives nothing back, for now */
	pfn_t stubborn;	      /* a frame that it never gives back; 0: there is none */

	/* At which command from now on it forgets everything; 0: at none. */
	unsigned forgets_at;
	bool forgets_after; /* not before the command, but when it was obeyed */
	int start_err;
	uint64_t resets_well;	  /* so many resets that it asked for end well, */
	int reset_err;		  /* and later ones so; 0: well, too */
	enum balloon_fault fault; /* what take_finished() says next, once */

	/* What happened. */
	bool running;
	bool forgotten;	  /* and the guest does not know */
	uint64_t seen[2]; /* frames offered: to give, to take back */
	uint64_t batches[2];
	uint64_t refused[BALLOON_REFUSALS];
	uint64_t ranges;
	uint64_t starts, resets, forgot;
	uint64_t polls;
	uint64_t last_poll; /* when */
	uint64_t actual;
};

extern struct sim_port_sync sim_sync;

/* A host that refuses nothing and wants nothing. */
void sim_port_sync_init(void);

/* Returns its port, for balloon_attach(). */
const struct balloon_port *sim_port_sync(void);

/* Now, not at a command. */
void sim_port_sync_forget(void);

#endif
