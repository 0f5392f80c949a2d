/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frames that a simulated hypervisor has: a model that its port keeps beside the
 * guest's books (sim_port_sync.h, sim_port_delta.h). A frame that is given twice,
 * that is not in-flight when it is given, or that is not the host's when it is given
 * back, is a violation, and a test ends with assert_null(host->violation). The
 * guest touches what the host has, or was lent: the address sanitizer ends the test.
 */
#ifndef TESTS_SIM_SIM_HOST_H
#define TESTS_SIM_SIM_HOST_H

#include "drivers/balloon/balloon_port.h"
#include "tests/sim/sim_ram.h"

struct sim_host {
	uint64_t count;	       /* frames that it has */
	const char *violation; /* the guest's first mistake, or NULL */
	bool has[SIM_RAM_FRAMES];
};

/* Remembers the guest's first mistake. */
void sim_host_violate(struct sim_host *host, const char *what);

/* Frames become the host's. */
void sim_host_take(struct sim_host *host, pfn_t first, uint64_t count);

/* Frames are the guest's again. */
void sim_host_give_back(struct sim_host *host, pfn_t first, uint64_t count);

/* Everything is the guest's. */
void sim_host_forget(struct sim_host *host);

/* Tells whether the host has this frame. */
bool sim_host_has(const struct sim_host *host, pfn_t pfn);

/*
 * The first frames of the host's from `from` on that lie beside each other, at most
 * `most` of them. Returns how many; 0: it has none from there on.
 */
uint64_t sim_host_find(const struct sim_host *host, pfn_t from, uint64_t most, pfn_t *first);

/* What every port may rely on: ascending runs that never touch, no more than was agreed. */
void sim_host_check_batch(struct sim_host *host, const struct balloon_batch *batch,
			  const struct balloon_terms *terms);

#endif
