/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a virtio-mem device says of itself (virtio 1.3, 5.15.4): input, as everything that it
 * says. A region that cannot be used is named in one line.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "drivers/mem/virtio_mem_internal.h"
#include "kernel/lib/log.h"

#define CONFIG_BLOCK_SIZE 0x00
#define CONFIG_ADDR 0x10
#define CONFIG_REGION_SIZE 0x18
#define CONFIG_USABLE 0x20
#define CONFIG_PLUGGED 0x28
#define CONFIG_REQUESTED 0x30
#define CONFIG_SIZE 0x38

/* Nobody means more; so much costs 32 MiB of books. */
#define REGION_MAX ((uint64_t)16 << 40)

/* Room for another source's kind and name. */
#define OTHER_MAX 48

uint64_t virtio_mem_read_plugged(struct virtio_device *device)
{
	return virtio_config_read64(device, CONFIG_PLUGGED);
}

void virtio_mem_read_wish(struct virtio_device *device, struct virtio_mem_config *config)
{
	config->usable = virtio_config_read64(device, CONFIG_USABLE);
	config->plugged = virtio_mem_read_plugged(device);
	config->requested = virtio_config_read64(device, CONFIG_REQUESTED);
}

int virtio_mem_read_config(struct virtio_device *device, struct virtio_mem_config *config)
{
	if (!virtio_config_has(device, 0, CONFIG_SIZE))
		return -ENODEV;
	config->block_size = virtio_config_read64(device, CONFIG_BLOCK_SIZE);
	config->addr = virtio_config_read64(device, CONFIG_ADDR);
	config->region_size = virtio_config_read64(device, CONFIG_REGION_SIZE);
	virtio_mem_read_wish(device, config);
	return 0;
}

/* Returns what is wrong with the figures by themselves, or NULL. */
static const char *wrong_figures(const struct virtio_mem_config *config)
{
	uint64_t block = config->block_size;

	if (block < FRAME_SIZE || (block & (block - 1)) != 0)
		return "its block size is none";
	if (config->addr == 0)
		return "its region lies at 0";
	if (config->region_size == 0 || config->region_size > REGION_MAX)
		return "its region has no size, or one above 16 TiB";
	if (config->addr > UINT64_MAX - config->region_size)
		return "its region wraps around";
	if (config->addr % block != 0 || config->region_size % block != 0)
		return "its region is no whole number of its blocks";
	return NULL;
}

/* Trims the region to blocks of ours; false: there are none. */
static bool find_part(const struct virtio_mem_config *config, struct frame_region_part *part)
{
	paddr_t end = align_down(config->addr + config->region_size, BLOCK_SIZE);
	paddr_t start = align_up(config->addr, BLOCK_SIZE);

	if (start < config->addr || start >= end)
		return false;
	part->start = paddr_to_pfn(start);
	part->blocks = (size_t)((end - start) / BLOCK_SIZE);
	part->unit = (size_t)(max_u64(config->block_size, BLOCK_SIZE) / BLOCK_SIZE);
	assert(part->blocks % part->unit == 0);
	return true;
}

/* In one line: what is wrong, and more of it. */
static void say_refused(const char *name, const struct virtio_mem_config *config, const char *wrong,
			const char *more)
{
	log_warn("virtio-mem: %s: not used: %s%s (block size 0x%" PRIx64 ", region 0x%" PRIx64
		 " + 0x%" PRIx64 ")",
		 name, wrong, more, config->block_size, config->addr, config->region_size);
}

static int check_place(const char *name, const struct virtio_mem_config *config,
		       const struct frame_region_part *part)
{
	const struct mem_source *other = mem_source_at(part->start, part->blocks);
	char which[OTHER_MAX];

	if (!other)
		return 0;
	snprintf(which, sizeof(which), "%s %s", other->kind, other->name);
	say_refused(name, config, "its region is in use by ", which);
	return -EINVAL;
}

int virtio_mem_check_config(const char *name, const struct virtio_mem_config *config,
			    struct frame_region_part *part)
{
	const char *wrong = wrong_figures(config);

	if (!wrong && !find_part(config, part))
		wrong = "its region has no whole 2 MiB";
	if (!wrong)
		return check_place(name, config, part);
	say_refused(name, config, wrong, "");
	return -EINVAL;
}

int virtio_mem_announce(const char *name, const struct virtio_mem_config *config,
			const struct frame_region_part *part)
{
	const char *why;

	/* Others that were found at boot may have become sources since it was checked. */
	if (check_place(name, config, part))
		return -EINVAL;
	if (frame_region_contains(part->start, part->blocks))
		return 0;
	why = mem_source_announce(part->start, part->blocks);
	if (!why)
		return 0;
	say_refused(name, config, "its region is no place for memory: ", why);
	return -EINVAL;
}
