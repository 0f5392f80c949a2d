/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a VMware may say that is not so, or makes no sense: rows of a table, for the test that tells
 * each at each step of the balloon's life.
 */
#ifndef TESTS_UNIT_DRIVERS_BALLOON_PORT_VMWARE_LIES_H
#define TESTS_UNIT_DRIVERS_BALLOON_PORT_VMWARE_LIES_H

#include "tests/unit/drivers/balloon/port/vmware_world.h"

struct vmware_lie_row {
	const char *name;
	struct vmware_lie lie;
	/* Values that it has in turn, `value_count` of them; 0: that of the lie alone. */
	const uint64_t *values;
	size_t value_count;
	bool lenient;	 /* the guest is misled about who has a frame, to the safe side */
	bool blind;	 /* and to the other side, too */
	bool must_break; /* the host must be given up, where the lie was told */
	bool must_go_on; /* it must not be, nor may it be where it is told now and then */
};

extern const struct vmware_lie_row vmware_lies[];
extern const size_t vmware_lie_count;

#endif
