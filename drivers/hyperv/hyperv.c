/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls. An input must not cross a page, and Hyper-V reads it by its physical address: so all
 * of them lie in one frame, one at a time. Nothing here waits between writing it and the call.
 */
#include "drivers/hyperv/hyperv.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "arch/hyperv.h"
#include "arch/phys_map.h"
#include "mm/frame.h"

_Static_assert(sizeof(struct hv_heat_hint) <= FRAME_SIZE, "an input fits a frame");

static void *input; /* the frame; NULL before hyperv_start() */

int hyperv_start(void)
{
	pfn_t pfn;

	if (!hyperv_is_there())
		return -ENODEV;
	if (input)
		return 0;
	if (frame_alloc(0, OWNER_KERNEL, &pfn))
		return -ENOMEM;
	input = phys_to_virt(pfn_to_paddr(pfn));
	return 0;
}

void hyperv_stop(void)
{
	int err;

	if (!input)
		return;
	err = frame_free(paddr_to_pfn(virt_to_phys(input)), 1, OWNER_KERNEL);
	assert(!err);
	input = NULL;
}

uint32_t hyperv_vp_index(void)
{
	if (!(hyperv_cpuid()->access_low & HV_ACCESS_VP_INDEX))
		return 0;
	return (uint32_t)hyperv_msr_read(HV_MSR_VP_INDEX);
}

static unsigned status_of(uint64_t result)
{
	return (unsigned)(result & HV_STATUS_MASK);
}

static int error_of(uint64_t result)
{
	switch (status_of(result)) {
	case HV_SUCCESS:
		return 0;
	case HV_INSUFFICIENT_MEMORY:
	case HV_INSUFFICIENT_BUFFERS:
		return -EAGAIN;
	case HV_INVALID_CONNECTION:
		return -ENXIO;
	default:
		return -EIO;
	}
}

int hyperv_post_message(uint32_t connection, const void *payload, size_t size)
{
	struct hv_post_message *message = input;

	assert(message && size > 0 && size <= HV_MESSAGE_PAYLOAD);
	*message = (struct hv_post_message){ .connection = connection,
					     .type = HV_MESSAGE_CHANNEL,
					     .size = (uint32_t)size };
	memcpy(message->payload, payload, size);
	return error_of(hyperv_hypercall(HV_POST_MESSAGE, virt_to_phys(message), 0));
}

int hyperv_signal_event(uint32_t connection)
{
	int err = error_of(hyperv_hypercall(HV_SIGNAL_EVENT | HV_CALL_FAST, connection, 0));

	return err == -EAGAIN ? -EIO : err;
}

uint64_t hyperv_ext_capabilities(void)
{
	uint64_t *output = input;
	uint64_t result;

	assert(output);
	if (!(hyperv_cpuid()->access_high & HV_ACCESS_HIGH_EXTENDED))
		return 0;
	*output = 0;
	result = hyperv_hypercall(HV_EXT_QUERY_CAPABILITIES, 0, virt_to_phys(output));
	return status_of(result) == HV_SUCCESS ? *(volatile uint64_t *)output : 0;
}

int hyperv_discard_cold(const struct hyperv_blocks *ranges, size_t count)
{
	struct hv_heat_hint *hint = input;
	uint64_t result;

	if (!hint)
		return -ENODEV;
	assert(count > 0 && count <= HV_HEAT_RANGES);
	hint->type = HV_HEAT_COLD_DISCARD;
	for (size_t i = 0; i < count; i++) {
		assert(ranges[i].count > 0 && ranges[i].count <= HYPERV_COLD_BLOCKS_MAX);
		hint->range[i] = ranges[i].first << HV_HEAT_LARGE_SHIFT | HV_HEAT_LARGE |
				 (ranges[i].count - 1);
	}
	result = hyperv_hypercall(HV_EXT_MEMORY_HEAT_HINT | (uint64_t)count << HV_CALL_REPEAT_SHIFT,
				  virt_to_phys(hint), 0);
	if (status_of(result) != HV_SUCCESS ||
	    (result >> HV_CALL_REPEAT_SHIFT & HV_CALL_REPEAT_MASK) != count)
		return -EIO;
	return 0;
}
