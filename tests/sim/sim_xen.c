/* SPDX-License-Identifier: BSD-2-Clause */
/* Xen without a machine; see sim_xen.h. */
#include "tests/sim/sim_xen.h"

#include <string.h>

#include "arch/xen.h"

/* Xen's error numbers, which are Linux's. */
enum {
	NO_DOMAIN = -3,
	FORBIDDEN = -1,
	NO_ENTRY = -2,
	BAD_ADDRESS = -14,
	INVALID = -22,
	UNKNOWN = -XEN_ENOSYS,
};

#define FRAME_BYTES 4096
#define BLOCK_ORDER_MAX 9

#define VERSION ((4u << 16) | 17)
#define EXTRA_VERSION ".0-sim"
#define EXTRA_VERSION_SIZE 16

/* Numbers that a guest of ours does not use, in the words of the public headers. */
enum {
	XENVER_VERSION = 0,
	XENVER_EXTRAVERSION = 1,
	XENVER_GET_FEATURES = 6,
	SCHEDOP_BLOCK = 1,
	LOWEST_VECTOR = 16,
	MEM_TYPE_RAM = 0,
	MEM_TYPE_NONE = 2,
};

struct sim_xen sim_xen;

static void *guest_memory(uint64_t address, uint64_t size)
{
	return sim_xen.guest.memory ? sim_xen.guest.memory(address, size) : NULL;
}

static void violate(const char *what)
{
	if (!sim_xen.violation)
		sim_xen.violation = what;
}

/* ---- The domain ---- */

void sim_xen_begin(uint64_t first, uint64_t frames)
{
	struct sim_xen_guest guest = sim_xen.guest;

	memset(&sim_xen, 0, sizeof(sim_xen));
	sim_xen.guest = guest;
	sim_xen.faults.extents_most[false] = UINT64_MAX;
	sim_xen.faults.extents_most[true] = UINT64_MAX;
	sim_xen.faults.stubborn[false] = SIM_XEN_NO_FRAME;
	sim_xen.faults.stubborn[true] = SIM_XEN_NO_FRAME;
	sim_xen.first = first;
	sim_xen.frames = frames < SIM_XEN_FRAMES ? frames : SIM_XEN_FRAMES;
	sim_xen.there = sim_xen.frames;
	sim_xen.current = sim_xen.frames;
	sim_xen.host_free = UINT64_MAX / 2;
	memset(sim_xen.is_there, true, sim_xen.frames * sizeof(sim_xen.is_there[0]));
	sim_xen.map[0] = (struct xen_e820){ first * FRAME_BYTES, sim_xen.frames * FRAME_BYTES, 1 };
	sim_xen.map_count = 1;
	sim_xen_limit(sim_xen.frames);
}

void sim_xen_back_only(uint64_t frames)
{
	sim_xen.on_demand = sim_xen.there > frames ? sim_xen.there - frames : 0;
	sim_xen.current = sim_xen.there - sim_xen.on_demand;
	sim_xen_limit(frames);
}

void sim_xen_limit(uint64_t frames)
{
	sim_xen.maximum = frames + SIM_XEN_SLACK_FRAMES;
}

static bool is_ram(uint64_t pfn)
{
	return pfn >= sim_xen.first && pfn - sim_xen.first < sim_xen.frames;
}

bool sim_xen_is_guests(uint64_t pfn)
{
	return is_ram(pfn) && sim_xen.is_there[pfn - sim_xen.first];
}

void sim_xen_note_touch(uint64_t pfn)
{
	if (is_ram(pfn) && !sim_xen_is_guests(pfn))
		violate("a frame was touched that Xen has");
}

/* ---- Frames come and go ---- */

static void check(uint64_t pfn, bool populates)
{
	const char *what = sim_xen.guest.check ? sim_xen.guest.check(pfn, populates) : NULL;

	if (what)
		violate(what);
}

static void hand_over(uint64_t pfn, bool to_xen)
{
	sim_xen.is_there[pfn - sim_xen.first] = !to_xen;
	if (sim_xen.guest.hand_over)
		sim_xen.guest.hand_over(pfn, 1, to_xen);
}

static bool is_lost(uint64_t pfn)
{
	return pfn >= sim_xen.faults.lost_from && pfn < sim_xen.faults.lost_to;
}

/* A frame without memory goes before one that has some. */
static bool give_frame(uint64_t pfn)
{
	if (!is_ram(pfn)) {
		violate("a frame was given that is no RAM");
		return false;
	}
	if (!sim_xen_is_guests(pfn)) {
		violate("a frame was given twice");
		return false;
	}
	check(pfn, false);
	if (pfn == sim_xen.faults.stubborn[false])
		return false;
	sim_xen.frames_done[false]++;
	if (is_lost(pfn))
		return true;
	sim_xen.there--;
	if (sim_xen.on_demand > 0) {
		sim_xen.on_demand--;
	} else {
		sim_xen.current--;
		sim_xen.host_free++;
	}
	hand_over(pfn, true);
	return true;
}

/* Those before the one that is refused have gone, though the extent does not count. */
static bool give_extent(uint64_t first, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (!give_frame(first + i))
			return false;
	return true;
}

/* Only as a whole: Xen allocates an extent before it looks where it is to lie. */
static bool populate_extent(uint64_t first, uint64_t count)
{
	uint64_t room = sim_xen.maximum -
			(sim_xen.current < sim_xen.maximum ? sim_xen.current : sim_xen.maximum);

	if (count > room || count > sim_xen.host_free)
		return false;
	for (uint64_t pfn = first; pfn < first + count; pfn++) {
		if (!is_ram(pfn))
			violate("a frame was populated that is no RAM");
		if (!is_ram(pfn) || pfn == sim_xen.faults.stubborn[true])
			return false;
	}
	for (uint64_t pfn = first; pfn < first + count; pfn++) {
		check(pfn, true);
		sim_xen.frames_done[true]++;
		if (is_lost(pfn))
			continue;
		if (sim_xen_is_guests(pfn))
			violate("a frame was populated that is there");
		else
			sim_xen.there++;
		sim_xen.current++;
		sim_xen.host_free--;
		hand_over(pfn, false);
	}
	return true;
}

static bool is_refused(bool populates, unsigned order)
{
	unsigned every = sim_xen.faults.refuse_every[populates];

	sim_xen.seen[populates]++;
	if (order > 0 && sim_xen.faults.no_blocks[populates])
		return true;
	return every > 0 && sim_xen.seen[populates] % every == 0;
}

/* Whatever is wrong ends the list, and is no error. */
static long change_extents(bool populates, const struct xen_memory_reservation *request)
{
	uint64_t most = sim_xen.faults.extents_most[populates], frames = UINT64_C(1)
									 << request->order;
	uint64_t done = 0;

	for (; done < request->count && done < most; done++) {
		const uint64_t *pfn = guest_memory(request->extents + done * sizeof(*pfn),
						   sizeof(*pfn));

		if (!pfn || is_refused(populates, request->order))
			break;
		if (*pfn % frames != 0)
			violate("an extent that is not aligned");
		if (!(populates ? populate_extent(*pfn, frames) : give_extent(*pfn, frames)))
			break;
	}
	for (uint64_t i = 0; i < request->count && sim_xen.faults.scribbles; i++) {
		uint64_t *pfn = guest_memory(request->extents + i * sizeof(*pfn), sizeof(*pfn));

		if (pfn)
			*pfn = ~*pfn;
	}
	return (long)done;
}

static long change_reservation(bool populates, uint64_t address)
{
	const struct xen_memory_reservation *request = guest_memory(address, sizeof(*request));
	long done = 0;

	sim_xen.memory_calls[populates]++;
	if (sim_xen.faults.no_memory_op[populates])
		return UNKNOWN;
	if (sim_xen.faults.error[populates] != 0)
		return sim_xen.faults.error[populates];
	if (!request)
		return BAD_ADDRESS;
	sim_xen.extents[populates] += request->count;
	if (request->count > sim_xen.extents_max[populates])
		sim_xen.extents_max[populates] = request->count;
	if (request->domid == XEN_DOMID_SELF && request->order <= BLOCK_ORDER_MAX)
		done = change_extents(populates, request);
	return sim_xen.faults.tell ? sim_xen.faults.tell(populates, request->count, done) : done;
}

static long count_frames(uint64_t address, uint64_t frames)
{
	const uint16_t *domid = guest_memory(address, sizeof(*domid));

	if (!domid)
		return BAD_ADDRESS;
	if (sim_xen.faults.no_counts)
		return FORBIDDEN;
	return *domid == XEN_DOMID_SELF ? (long)frames : NO_DOMAIN;
}

/* Nobody had masked them; the upcall went nowhere, and is still pending. */
static void share_early(struct xen_shared_info *shared)
{
	shared->pending[0] = sim_xen.early;
	shared->vcpu[0].words = sim_xen.early != 0;
	shared->vcpu[0].pending = sim_xen.early != 0;
}

/* The frame that lay there is lost to the domain. */
static long add_to_physmap(uint64_t address)
{
	const struct xen_add_to_physmap *request = guest_memory(address, sizeof(*request));
	struct xen_shared_info *shared;

	if (!request)
		return BAD_ADDRESS;
	if (request->domid != XEN_DOMID_SELF)
		return NO_DOMAIN;
	if (request->space != XEN_MAP_SPACE_SHARED_INFO || request->index != 0)
		return INVALID;
	shared = guest_memory(request->pfn * FRAME_BYTES, FRAME_BYTES);
	if (!shared)
		return INVALID;
	memset(shared, 0, FRAME_BYTES);
	share_early(shared);
	sim_xen.shared_info = request->pfn;
	if (sim_xen_is_guests(request->pfn))
		sim_xen.current--;
	return 0;
}

static long memory_map(uint64_t address)
{
	struct xen_memory_map *request = guest_memory(address, sizeof(*request));
	size_t bytes;
	void *buffer;

	if (!request)
		return BAD_ADDRESS;
	if (request->count > sim_xen.map_count)
		request->count = (uint32_t)sim_xen.map_count;
	bytes = request->count * sizeof(sim_xen.map[0]);
	buffer = guest_memory(request->buffer, bytes);
	if (!buffer)
		return BAD_ADDRESS;
	memcpy(buffer, sim_xen.map, bytes);
	return 0;
}

static long memory_op(uint64_t command, uint64_t address)
{
	switch (command) {
	case XEN_MEMORY_DECREASE_RESERVATION:
	case XEN_MEMORY_POPULATE_PHYSMAP:
		return change_reservation(command == XEN_MEMORY_POPULATE_PHYSMAP, address);
	case XEN_MEMORY_CURRENT_RESERVATION:
		return count_frames(address, sim_xen.current);
	case XEN_MEMORY_MAXIMUM_RESERVATION:
		return count_frames(address, sim_xen.maximum);
	case XEN_MEMORY_ADD_TO_PHYSMAP:
		return add_to_physmap(address);
	case XEN_MEMORY_MEMORY_MAP:
		return memory_map(address);
	default:
		return UNKNOWN;
	}
}

/* ---- Parameters ---- */

static long parameter(bool set, uint64_t address)
{
	struct xen_hvm_param *request = guest_memory(address, sizeof(*request));

	if (!request)
		return BAD_ADDRESS;
	if (request->domid != XEN_DOMID_SELF)
		return NO_DOMAIN;
	if (request->index >= SIM_XEN_PARAMS)
		return INVALID;
	if (set)
		sim_xen.param[request->index] = request->value;
	else
		request->value = sim_xen.param[request->index];
	return 0;
}

static long set_upcall_vector(uint64_t address)
{
	const struct xen_upcall_vector *request = guest_memory(address, sizeof(*request));

	if (!request)
		return BAD_ADDRESS;
	if (request->vcpu != 0)
		return NO_ENTRY;
	if (request->vector < LOWEST_VECTOR)
		return INVALID;
	sim_xen.vector = request->vector;
	return 0;
}

static long get_mem_type(uint64_t address)
{
	struct xen_hvm_mem_type *request = guest_memory(address, sizeof(*request));

	if (!request)
		return BAD_ADDRESS;
	if (sim_xen.faults.no_mem_type)
		return UNKNOWN;
	if (request->domid != XEN_DOMID_SELF)
		return NO_DOMAIN;
	request->type = sim_xen_is_guests(request->pfn) ? MEM_TYPE_RAM : MEM_TYPE_NONE;
	return 0;
}

static long hvm_op(uint64_t command, uint64_t address)
{
	switch (command) {
	case XEN_HVM_SET_PARAM:
	case XEN_HVM_GET_PARAM:
		return parameter(command == XEN_HVM_SET_PARAM, address);
	case XEN_HVM_GET_MEM_TYPE:
		return get_mem_type(address);
	case XEN_HVM_SET_UPCALL_VECTOR:
		return set_upcall_vector(address);
	default:
		return UNKNOWN;
	}
}

/* ---- Events ---- */

static long event_channel_op(uint64_t command, uint64_t address)
{
	const uint32_t *port = guest_memory(address, sizeof(*port));

	if (command != XEN_EVENT_SEND)
		return UNKNOWN;
	if (!port)
		return BAD_ADDRESS;
	if (*port == 0 || *port >= XEN_EVENT_PORTS)
		return INVALID;
	sim_xen.sent++;
	if (sim_xen.guest.notified)
		sim_xen.guest.notified(*port);
	return 0;
}

void sim_xen_raise(uint32_t port)
{
	struct xen_shared_info *shared = sim_xen.shared_info
						 ? guest_memory(sim_xen.shared_info * FRAME_BYTES,
								FRAME_BYTES)
						 : NULL;
	uint64_t word = port / 64, bit = UINT64_C(1) << port % 64;

	/* As Xen does: what is set already is no news. */
	if (!shared || port >= XEN_EVENT_PORTS || shared->pending[word] & bit)
		return;
	shared->pending[word] |= bit;
	if (shared->mask[word] & bit || shared->vcpu[0].words & UINT64_C(1) << word)
		return;
	shared->vcpu[0].words |= UINT64_C(1) << word;
	if (shared->vcpu[0].pending)
		return;
	shared->vcpu[0].pending = 1;
	if (!shared->vcpu[0].mask && sim_xen.vector && sim_xen.guest.interrupt)
		sim_xen.guest.interrupt(sim_xen.vector);
}

/* ---- The rest ---- */

static long version(uint64_t command, uint64_t address)
{
	char *text = guest_memory(address, EXTRA_VERSION_SIZE);
	uint32_t *features = guest_memory(address, 2 * sizeof(*features));

	switch (command) {
	case XENVER_VERSION:
		return VERSION;
	case XENVER_EXTRAVERSION:
		if (!text)
			return BAD_ADDRESS;
		memset(text, 0, EXTRA_VERSION_SIZE);
		memcpy(text, EXTRA_VERSION, sizeof(EXTRA_VERSION));
		return 0;
	case XENVER_GET_FEATURES:
		if (!features)
			return BAD_ADDRESS;
		features[1] = 0;
		return 0;
	default:
		return UNKNOWN;
	}
}

/* What does not fit is not kept. */
static long console_io(uint64_t command, uint64_t length, uint64_t address)
{
	const char *text = guest_memory(address, length);
	uint64_t room = SIM_XEN_TEXT - 1 - sim_xen.text_length;

	if (command != XEN_CONSOLE_WRITE)
		return UNKNOWN;
	if (sim_xen.no_console)
		return FORBIDDEN;
	if (!text)
		return BAD_ADDRESS;
	if (length > room)
		length = room;
	memcpy(sim_xen.text + sim_xen.text_length, text, length);
	sim_xen.text_length += length;
	return 0;
}

static long sched_op(uint64_t command, uint64_t address)
{
	const uint32_t *reason = guest_memory(address, sizeof(*reason));

	switch (command) {
	case XEN_SCHED_YIELD:
	case SCHEDOP_BLOCK:
		return 0;
	case XEN_SCHED_SHUTDOWN:
		if (!reason)
			return BAD_ADDRESS;
		if (sim_xen.guest.end)
			sim_xen.guest.end(*reason);
		return 0;
	default:
		return UNKNOWN;
	}
}

long sim_xen_call(uint64_t number, uint64_t first, uint64_t second, uint64_t third)
{
	if (sim_xen.absent)
		return UNKNOWN;
	sim_xen.calls++;
	switch (number) {
	case XEN_MEMORY_OP:
		return memory_op(first, second);
	case XEN_VERSION:
		return version(first, second);
	case XEN_CONSOLE_IO:
		return console_io(first, second, third);
	case XEN_SCHED_OP:
		return sched_op(first, second);
	case XEN_EVENT_CHANNEL_OP:
		return event_channel_op(first, second);
	case XEN_HVM_OP:
		return hvm_op(first, second);
	default:
		return UNKNOWN;
	}
}

/* ---- arch/xen.h ---- */

bool xen_find(void)
{
	return !sim_xen.absent;
}

bool xen_is_there(void)
{
	return !sim_xen.absent;
}

long xen_hypercall(enum xen_hypercall number, uint64_t first, uint64_t second, uint64_t third)
{
	return sim_xen_call(number, first, second, third);
}
