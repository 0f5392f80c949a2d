/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls, each with its structure on the stack, which lies where Xen finds it. */
#include "drivers/xen/xen.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

/* Commands of XEN_VERSION. */
#define VERSION_NUMBER 0 /* returned: the minor one in the lower 16 bits */
#define VERSION_EXTRA 1	 /* a text of at most 16 bytes, with its NUL */
#define EXTRA_SIZE 16

static uint64_t address_of(const void *argument)
{
	return (uintptr_t)argument;
}

/* ---- The domain ---- */

int xen_get_version(char text[XEN_VERSION_TEXT_MAX])
{
	char extra[EXTRA_SIZE + 1] = { 0 };
	long number = xen_hypercall(XEN_VERSION, VERSION_NUMBER, 0, 0);

	if (number < 0)
		return -EIO;
	if (xen_hypercall(XEN_VERSION, VERSION_EXTRA, address_of(extra), 0) < 0)
		extra[0] = '\0';
	for (char *byte = extra; *byte; byte++)
		if (*byte <= ' ' || *byte > '~')
			*byte = '?';
	snprintf(text, XEN_VERSION_TEXT_MAX, "%u.%u%.*s", (unsigned)(number >> 16 & 0xffff),
		 (unsigned)(number & 0xffff), EXTRA_SIZE, extra);
	return 0;
}

uint64_t xen_param(enum xen_param index)
{
	struct xen_hvm_param param = { .domid = XEN_DOMID_SELF, .index = index };

	if (xen_hypercall(XEN_HVM_OP, XEN_HVM_GET_PARAM, address_of(&param), 0))
		return 0;
	return param.value;
}

int xen_set_param(enum xen_param index, uint64_t value)
{
	struct xen_hvm_param param = { .domid = XEN_DOMID_SELF, .index = index, .value = value };

	return xen_hypercall(XEN_HVM_OP, XEN_HVM_SET_PARAM, address_of(&param), 0) ? -EIO : 0;
}

void xen_notify(uint32_t port)
{
	xen_hypercall(XEN_EVENT_CHANNEL_OP, XEN_EVENT_SEND, address_of(&port), 0);
}

void xen_yield(void)
{
	xen_hypercall(XEN_SCHED_OP, XEN_SCHED_YIELD, 0, 0);
}

void xen_shut_down(enum xen_shutdown reason)
{
	uint32_t argument = reason;

	xen_hypercall(XEN_SCHED_OP, XEN_SCHED_SHUTDOWN, address_of(&argument), 0);
}

/* ---- Its memory ---- */

long xen_change_reservation(enum xen_memory_command command, const pfn_t *extents, size_t count,
			    unsigned order)
{
	struct xen_memory_reservation reservation = {
		.extents = address_of(extents),
		.count = count,
		.order = order,
		.domid = XEN_DOMID_SELF,
	};

	assert(command == XEN_MEMORY_DECREASE_RESERVATION ||
	       command == XEN_MEMORY_POPULATE_PHYSMAP);
	assert(extents || count == 0);
	return xen_hypercall(XEN_MEMORY_OP, command, address_of(&reservation), 0);
}

bool xen_frame_is_there(pfn_t pfn)
{
	struct xen_hvm_mem_type request = { .domid = XEN_DOMID_SELF,
					    .type = XEN_MEM_TYPE_NONE,
					    .pfn = pfn };

	return !xen_hypercall(XEN_HVM_OP, XEN_HVM_GET_MEM_TYPE, address_of(&request), 0) &&
	       request.type != XEN_MEM_TYPE_NONE;
}

static long count_frames(enum xen_memory_command command)
{
	uint16_t domid = XEN_DOMID_SELF;

	return xen_hypercall(XEN_MEMORY_OP, command, address_of(&domid), 0);
}

long xen_current_frames(void)
{
	return count_frames(XEN_MEMORY_CURRENT_RESERVATION);
}

long xen_maximum_frames(void)
{
	return count_frames(XEN_MEMORY_MAXIMUM_RESERVATION);
}

int xen_share_page(pfn_t pfn)
{
	struct xen_add_to_physmap request = {
		.domid = XEN_DOMID_SELF,
		.space = XEN_MAP_SPACE_SHARED_INFO,
		.pfn = pfn,
	};

	return xen_hypercall(XEN_MEMORY_OP, XEN_MEMORY_ADD_TO_PHYSMAP, address_of(&request), 0)
		       ? -EIO
		       : 0;
}

/* ---- Interrupts and text ---- */

int xen_set_upcall_vector(unsigned vector)
{
	struct xen_upcall_vector request = { .vector = (uint8_t)vector };

	return xen_hypercall(XEN_HVM_OP, XEN_HVM_SET_UPCALL_VECTOR, address_of(&request), 0) ? -EIO
											     : 0;
}

int xen_write_console(const char *text, size_t length)
{
	return xen_hypercall(XEN_CONSOLE_IO, XEN_CONSOLE_WRITE, length, address_of(text)) ? -EIO
											  : 0;
}
