/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon's statistics as the host's tools know them: the guest's own list, and
 * what the units in it are.
 */
#ifndef TOOLS_BALLOONCTL_STAT_NAMES_H
#define TOOLS_BALLOONCTL_STAT_NAMES_H

#include "drivers/balloon/port/virtio_balloon_names.h"

enum stat_unit { STAT_BYTES, STAT_EVENTS };

/* X(constant, tag, QMP's name, virsh's name or NULL, unit) */
#define STAT_TABLE(X) VIRTIO_BALLOON_STATS(X)

/* QMP's names all begin so. */
#define STAT_PREFIX "stat-"

#endif
