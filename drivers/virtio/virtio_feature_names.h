/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feature bits as people read and write them: by their names in the
 * specification, without a prefix. Names of a device type's own bits come from
 * its driver, so they are known once that is registered.
 */
#ifndef DRIVERS_VIRTIO_VIRTIO_FEATURE_NAMES_H
#define DRIVERS_VIRTIO_VIRTIO_FEATURE_NAMES_H

#include "kernel/lib/types.h"

struct virtio_device;

/* Returns a bit's name for a device type, "EVENT_IDX"; NULL if it is unknown. */
const char *virtio_feature_name(uint16_t type, unsigned bit);

/*
 * Reads "EVENT_IDX,INDIRECT_DESC" for a device type. -EINVAL: a name is unknown,
 * and nothing is stored.
 */
int virtio_parse_features(uint16_t type, const char *text, uint64_t *features);

/* Says in words why a bit was offered and not accepted. */
const char *virtio_refusal_reason(const struct virtio_device *device, unsigned bit);

#endif
