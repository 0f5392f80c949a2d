/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated virtio-mem device (virtio 1.3, 5.15), with QEMU's habits: it knows which of its
 * blocks are plugged, and answers at once, when the test says so, or never. It holds the
 * driver to the rules: a request that is none, a block that is unplugged while the guest has
 * it mapped, or mapped while it is not plugged, is a violation of `virtio`.
 */
#ifndef TESTS_SIM_SIM_MEM_H
#define TESTS_SIM_SIM_MEM_H

#include "drivers/mem/virtio_mem_request.h"
#include "tests/sim/sim_virtio.h"

#define SIM_MEM_BLOCK_SIZE 0x00 /* config (5.15.4) */
#define SIM_MEM_NODE 0x08
#define SIM_MEM_ADDR 0x10
#define SIM_MEM_REGION_SIZE 0x18
#define SIM_MEM_USABLE 0x20
#define SIM_MEM_PLUGGED 0x28
#define SIM_MEM_REQUESTED 0x30
#define SIM_MEM_CONFIG_SIZE 0x38

/* What is usable is so much more than what is requested. */
#define SIM_MEM_MARGIN (256 * MIB)

#define SIM_MEM_PENDING_MAX 64
#define SIM_MEM_TYPES 4

enum sim_mem_completion {
	SIM_MEM_AT_ONCE,   /* within the notification */
	SIM_MEM_ON_DEMAND, /* by sim_mem_complete() */
	SIM_MEM_NEVER,	   /* taken and forgotten */
};

struct sim_mem_request {
	uint16_t head;
	uint16_t type;
	uint64_t addr;
	uint16_t nb_blocks;
	paddr_t answer_at;
};

struct sim_mem_answer {
	uint16_t type;
	uint16_t state;
};

struct sim_mem {
	struct sim_virtio virtio;
	enum sim_mem_completion completion;

	/* How it misbehaves, or is in no mood. */
	bool busy;	      /* answers BUSY to all but STATE, as QEMU does while it migrates */
	bool busy_with_state; /* and to that */
	bool forgetful;	      /* a reset unplugs everything */
	uint32_t written;     /* the length that answers claim */
	/* Decides on an answer: true, and the request is not obeyed. May be NULL. */
	bool (*lie)(struct sim_mem *sim, const struct sim_mem_request *request,
		    struct sim_mem_answer *answer);

	/* What is so. */
	uint64_t block_size;
	uint64_t addr;
	uint64_t region_size;
	uint64_t usable;
	uint64_t requested;
	uint64_t plugged;    /* bytes */
	uint8_t *is_plugged; /* a byte for each of its blocks */
	uint8_t *is_mapped;  /* a byte for each 2 MiB from `addr` on, by the guest */
	bool blind;	     /* it does not complain of what the guest maps */

	/* What it was asked. */
	uint64_t requests[SIM_MEM_TYPES];
	uint64_t answers[SIM_MEM_TYPES]; /* by answer */
	uint64_t largest;		 /* blocks in one request */
	size_t most_pending;
	struct sim_mem_request pending[SIM_MEM_PENDING_MAX]; /* oldest first */
	size_t pending_count;
};

/* A device with such a region, of which nothing is plugged, and nothing is requested. */
void sim_mem_init(struct sim_mem *sim, uint64_t features, paddr_t addr, uint64_t region_size,
		  uint64_t block_size);

/* Gives its books back. */
void sim_mem_fini(struct sim_mem *sim);

/* The host wants so many bytes to be plugged: config and interrupt. */
void sim_mem_request_size(struct sim_mem *sim, uint64_t bytes);

/* Shows this value in the config, without an interrupt. */
void sim_mem_show(struct sim_mem *sim, size_t offset, uint64_t value);

/* Plugs or unplugs blocks by itself, as if that had been asked for. */
void sim_mem_set(struct sim_mem *sim, paddr_t addr, uint64_t bytes, bool plugged);

/* Tells whether all of it is plugged. */
bool sim_mem_has(const struct sim_mem *sim, paddr_t addr, uint64_t bytes);

/* The guest's page tables change: what it maps must be plugged. Elsewhere nothing happens. */
void sim_mem_map(struct sim_mem *sim, paddr_t addr, uint64_t bytes, bool mapped);

/* Obeys and answers up to `count` requests, the oldest first. Returns how many. */
size_t sim_mem_complete(struct sim_mem *sim, size_t count);

/* Answers the oldest request with this, and does not obey it; false: there is none. */
bool sim_mem_answer(struct sim_mem *sim, uint16_t type, uint16_t state);

#endif
