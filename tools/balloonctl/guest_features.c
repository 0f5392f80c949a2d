/* SPDX-License-Identifier: BSD-2-Clause */
/* Feature bits that a balloon device can have (virtio 1.3, 5.5.3 and 6). */
#include <stddef.h>

#include "drivers/balloon/port/virtio_balloon_names.h"
#include "tools/balloonctl/guest.h"

static const char *const names[64] = {
#define FEATURE_NAME(constant, bit, name) [bit] = (name),
	VIRTIO_BALLOON_FEATURES(FEATURE_NAME)
#undef FEATURE_NAME
	[24] = "NOTIFY_ON_EMPTY",   [27] = "ANY_LAYOUT",  [28] = "INDIRECT_DESC",
	[29] = "EVENT_IDX",	    [30] = "BAD_FEATURE", [32] = "VERSION_1",
	[33] = "ACCESS_PLATFORM",   [34] = "RING_PACKED", [35] = "IN_ORDER",
	[36] = "ORDER_PLATFORM",    [37] = "SR_IOV",	  [38] = "NOTIFICATION_DATA",
	[39] = "NOTIF_CONFIG_DATA", [40] = "RING_RESET",  [41] = "ADMIN_VQ",
};

const char *guest_feature_name(unsigned bit)
{
	return bit < 64 ? names[bit] : NULL;
}
