/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two halves of the QMP backend: guest_qmp.c asks, guest_qmp_target.c
 * finds out what QMP has no command for. Nobody else includes it.
 */
#ifndef TOOLS_BALLOONCTL_GUEST_QMP_H
#define TOOLS_BALLOONCTL_GUEST_QMP_H

#include <stdbool.h>
#include <stdint.h>

struct json_object;
struct qmp;

/* Where the balloon device is in QEMU's tree of objects. */
struct balloon_path {
	char *device;  /* has the properties */
	char *virtio;  /* the virtio device: the same, or behind a PCI one */
	bool is_plain; /* on a virtio-mmio bus, not on PCI */
};

/* A property; the caller's by json_object_put(). */
int qom_get(struct qmp *qmp, const char *path, const char *property, struct json_object **value);

/* A whole number that fits; anything else is no number. */
bool json_uint64(struct json_object *number, uint64_t *value);

/*
 * The device's num_pages, in bytes: what the host wants the balloon to hold.
 * -ENOENT: the guest has not mapped the device's registers, or it is of a kind
 * whose registers cannot be found; else what qmp.h has.
 */
int qmp_balloon_target(struct qmp *qmp, const struct balloon_path *path, uint64_t *taken);

#endif
