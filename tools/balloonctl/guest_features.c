/* SPDX-License-Identifier: BSD-2-Clause */
/* Feature bits that a balloon device can have (virtio 1.3, 5.5.3 and 6). */
#include <stddef.h>

#include "drivers/balloon/port/virtio_balloon_names.h"
#include "drivers/virtio/virtio_features.h"
#include "tools/balloonctl/guest.h"

static const char *const names[64] = {
#define FEATURE_NAME(constant, bit, name) [bit] = (name),
	VIRTIO_BALLOON_FEATURES(FEATURE_NAME) VIRTIO_SHARED_FEATURES(FEATURE_NAME)
#undef FEATURE_NAME
		[30] = "BAD_FEATURE", /* QEMU's, of legacy devices */
};

const char *guest_feature_name(unsigned bit)
{
	return bit < 64 ? names[bit] : NULL;
}
