/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated virtio-blk device (virtio 1.3, 5.2) with its content in memory. It answers at
 * once, in the world's turn, so many a second, when the test says so, or never; and it lies
 * when it is told to. It holds the driver to the rules: a request of another shape than the device
 * allows, a write to a read-only disk, or a status byte that looks well beforehand, is a
 * violation of `virtio`.
 */
#ifndef TESTS_SIM_SIM_BLK_H
#define TESTS_SIM_SIM_BLK_H

#include "drivers/block/block_internal.h"
#include "tests/sim/sim_virtio.h"

#define SIM_BLK_CAPACITY 0x00 /* config (5.2.4) */
#define SIM_BLK_SIZE_MAX 0x08
#define SIM_BLK_SEG_MAX 0x0c
#define SIM_BLK_BLK_SIZE 0x14
#define SIM_BLK_CONFIG_SIZE 0x3c

#define SIM_BLK_SECTOR 512
#define SIM_BLK_PENDING_MAX 256
#define SIM_BLK_TYPES 9

/* What QEMU offers, but for MQ. */
#define SIM_BLK_OFFERED \
	(VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_BLK_F_SEG_MAX) | \
	 VIRTIO_BIT(VIRTIO_BLK_F_GEOMETRY) | VIRTIO_BIT(VIRTIO_BLK_F_BLK_SIZE) | \
	 VIRTIO_BIT(VIRTIO_BLK_F_FLUSH) | VIRTIO_BIT(VIRTIO_BLK_F_TOPOLOGY) | \
	 VIRTIO_BIT(VIRTIO_BLK_F_CONFIG_WCE) | VIRTIO_BIT(VIRTIO_BLK_F_DISCARD) | \
	 VIRTIO_BIT(VIRTIO_BLK_F_WRITE_ZEROES))

enum sim_blk_completion {
	SIM_BLK_AT_ONCE,   /* within the notification */
	SIM_BLK_IN_TURN,   /* when no task can run */
	SIM_BLK_PACED,	   /* likewise, one in `pace_ns` */
	SIM_BLK_ON_DEMAND, /* by sim_blk_complete() */
	SIM_BLK_NEVER,	   /* taken and forgotten */
};

struct sim_blk_request {
	uint32_t type;
	uint64_t sector;
	uint32_t data; /* bytes */
	struct sim_virtio_chain chain;
};

struct sim_blk {
	struct sim_virtio virtio;
	enum sim_blk_completion completion;
	uint64_t pace_ns;
	uint64_t paced_ns; /* when it answered last */
	bool newest_first;

	/* How it misbehaves. */
	bool no_status;	  /* writes none */
	int status;	  /* writes this one, whatever was done; -1: none of that */
	int written;	  /* adds so much to the length that it claims */
	bool fails_reads; /* status 1 from `bad_sector` on */
	bool fails_writes;
	uint64_t bad_sector;
	bool merges;				 /* reads that wait together fail together */
	void (*on_failure)(struct sim_blk *sim); /* after a read that failed; or NULL */
	bool no_serial;				 /* GET_ID is not supported */

	/* What is so. */
	uint32_t seg_max, size_max;
	uint64_t sectors;
	uint64_t sectors_made; /* what there is in truth; the rest fails */
	uint8_t *content;
	char serial[20]; /* perhaps without a NUL */

	/* What it was asked. */
	uint64_t requests[SIM_BLK_TYPES];
	size_t most_pending;
	unsigned most_pieces;
	struct sim_blk_request pending[SIM_BLK_PENDING_MAX]; /* oldest first */
	size_t pending_count;
};

/* A disk of `bytes`, full of a pattern, with the serial number "sim". */
void sim_blk_init(struct sim_blk *sim, uint64_t features, uint64_t bytes);

/* Gives its content back. */
void sim_blk_fini(struct sim_blk *sim);

/* Says that it has another size from now on: config and interrupt. */
void sim_blk_resize(struct sim_blk *sim, uint64_t sectors);

/* Writes a le32 field of the config, without an interrupt. */
void sim_blk_show(struct sim_blk *sim, size_t offset, uint32_t value);

/* Answers up to `count` requests. Returns how many. */
size_t sim_blk_complete(struct sim_blk *sim, size_t count);

/* The world's turn at `now_ns`. Returns whether anything was done. */
bool sim_blk_turn(struct sim_blk *sim, uint64_t now_ns);

#endif
