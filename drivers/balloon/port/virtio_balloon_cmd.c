/* SPDX-License-Identifier: BSD-2-Clause */
/* features: the balloon's accepted bits as Linux's sysfs has them. */
#include <errno.h>
#include <stdio.h>

#include "drivers/virtio/virtio.h"
#include "kernel/lib/command.h"

static int cmd_features(int argc, char **argv)
{
	const struct virtio_device *device = virtio_find(VIRTIO_ID_BALLOON);
	char text[VIRTIO_FEATURES + 1];

	(void)argv;
	if (argc != 1)
		return -EINVAL;
	if (!device) {
		printf("features: there is no balloon device\n");
		return -ENODEV;
	}
	for (unsigned bit = 0; bit < VIRTIO_FEATURES; bit++)
		text[bit] = virtio_has(device, bit) ? '1' : '0';
	text[VIRTIO_FEATURES] = '\0';
	printf("%s\n", text);
	return 0;
}

COMMAND("features", "", "the balloon's accepted feature bits, bit 0 first",
	"The same text as Linux's /sys/bus/virtio/devices/virtioN/features.", cmd_features);
