/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feature bits of the virtio balloon (virtio 1.3, 5.5.3), each with its name:
 * the one list of them. Host programs include this file.
 */
#ifndef DRIVERS_BALLOON_BALLOON_NAMES_H
#define DRIVERS_BALLOON_BALLOON_NAMES_H

/* X(bit, NAME) for each; the name is the specification's after VIRTIO_BALLOON_F_. */
#define VIRTIO_BALLOON_FEATURES(X) \
	X(0, MUST_TELL_HOST) \
	X(1, STATS_VQ) \
	X(2, DEFLATE_ON_OOM) \
	X(3, FREE_PAGE_HINT) \
	X(4, PAGE_POISON) \
	X(5, REPORTING)

/* VIRTIO_BALLOON_F_MUST_TELL_HOST and so on, as bit numbers. */
#define VIRTIO_BALLOON_FEATURE_BIT(bit, name) VIRTIO_BALLOON_F_##name = bit,

enum virtio_balloon_feature { VIRTIO_BALLOON_FEATURES(VIRTIO_BALLOON_FEATURE_BIT) };

#endif
