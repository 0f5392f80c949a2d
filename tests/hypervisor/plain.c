/* SPDX-License-Identifier: BSD-2-Clause */
/* No hypervisor to the guest; see plain.h. */
#include "tests/hypervisor/plain.h"

#include "tests/hypervisor/control.h"
#include "tests/hypervisor/host_frames.h"
#include "tests/hypervisor/personality.h"

static uint64_t rings;

static void start(void)
{
	struct plain_control *control = hv_control_of(struct plain_control, HV_CONTROL_PLAIN);

	rings = hv_control.common.rings;
	control->done = control->order;
}

static void work(void)
{
	volatile struct plain_control *control = hv_control_of(struct plain_control,
							       HV_CONTROL_PLAIN);
	uint64_t order = control->order;

	if (order != control->done) {
		control->result = control->give_back
					  ? host_frames_return(control->first, control->count)
					  : host_frames_take(control->first, control->count);
		control->done = order;
	}
	if (rings != hv_control.common.rings && control->ring_vector)
		machine_interrupt((uint8_t)control->ring_vector);
	rings = hv_control.common.rings;
}

const struct personality plain_personality = {
	.name = "plain",
	.start = start,
	.work = work,
};
