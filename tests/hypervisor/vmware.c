/* SPDX-License-Identifier: BSD-2-Clause */
/* VMware's side of its balloon, and lies about it; see vmware.h. */
#include "tests/hypervisor/vmware.h"

#include <stddef.h>
#include <string.h>

#include "drivers/balloon/port/vmware_abi.h"
#include "tests/hypervisor/host_frames.h"

#define SIGNATURE "VMwareVMware"
#define LEAF_FIRST 0x40000000u
#define LEAF_TIMING 0x40000010u
#define BUS_KHZ 1000000u /* of QEMU's local APIC */

#define BACKDOOR_PORT 0x5658
#define BACKDOOR_MAGIC 0x564d5868u
#define BACKDOOR_GETVERSION 10
#define BACKDOOR_GETHZ 45
#define BACKDOOR_VERSION 6
#define PRODUCT_TYPE 4

#define BALLOON_PORT 0x5670
#define BALLOON_MAGIC 0x456c6d6fu

#define OLD_PROTOCOL 2
#define FRAME_SHIFT 12
#define FRAME_SIZE (1u << FRAME_SHIFT)
#define BLOCK_FRAMES 512
#define ALL_CAPABILITIES \
	(VMWARE_BASIC | VMWARE_BATCHED | VMWARE_BATCHED_2M | VMWARE_SIGNALLED_WAKEUP | \
	 VMWARE_64_BIT_TARGET)

/* What an `in` leaves in registers that nobody promised to keep. */
#define SCRIBBLE UINT64_C(0xa5a5a5a5a5a5a5a5)

static struct {
	bool forgotten;	     /* the guest is to be told */
	bool has_own_target; /* a lie's, in place of the test's */
	uint64_t own_target;
	uint64_t seen[VMWARE_CONTROL_LIES]; /* commands, or frames, that a row is about */
	/* The command that is being obeyed: */
	uint32_t number;
	bool result_lies;
	uint64_t result;
} state;

static struct vmware_control *control(void)
{
	return hv_control_of(struct vmware_control, HV_CONTROL_VMWARE);
}

/* ---- Lies ---- */

static bool is_due(size_t row)
{
	const struct vmware_lie *lie = &control()->lie[row];
	uint64_t nth = ++state.seen[row];

	if (nth <= lie->after || (lie->times > 0 && control()->told[row] >= lie->times))
		return false;
	if (lie->every > 0 && (nth - lie->after) % lie->every != 0)
		return false;
	control()->told[row]++;
	return true;
}

/* The lie of these kinds that is due now; NULL: none. Each row that fits counts. */
static const struct vmware_lie *find_lie(enum vmware_lie_kind first, enum vmware_lie_kind last)
{
	const struct vmware_lie *found = NULL;

	for (size_t row = 0; row < VMWARE_CONTROL_LIES; row++) {
		const struct vmware_lie *lie = &control()->lie[row];

		if (lie->kind < (uint32_t)first || lie->kind > (uint32_t)last)
			continue;
		if (lie->commands != 0 && !(lie->commands >> state.number & 1))
			continue;
		if (is_due(row) && !found)
			found = lie;
	}
	return found;
}

/* What balloonctl sees of it: no statistics, as this balloon has none. */
static void tell(void)
{
	struct hv_control_common *common = &hv_control.common;

	common->driver = control()->is_started ? HV_DRIVER_RUNS : HV_DRIVER_NONE;
	common->ballooned = host_frames_count();
	common->reports = HV_NO_REPORTS;
}

static void forget(void)
{
	host_frames_return_all();
	control()->is_started = 0;
	control()->capabilities = 0;
}

static void look_at_plan(void)
{
	if (control()->plan != control()->plan_seen) {
		memset(state.seen, 0, sizeof(state.seen));
		memset(control()->told, 0, sizeof(control()->told));
		state.has_own_target = false;
		control()->plan_seen = control()->plan;
	}
	if (control()->forget != control()->forget_seen) {
		state.forgotten = control()->is_started;
		control()->forget_seen = control()->forget;
	}
}

/* ---- Frames ---- */

static void violate_owner(const char *what)
{
	if (!control()->is_lenient)
		machine_violate(what);
}

static bool is_pinned(uint64_t first, uint64_t count)
{
	uint64_t pinned = control()->pinned_first, end = pinned + control()->pinned_count;

	return pinned < end && first < end && pinned < first + count;
}

static uint32_t status_of(enum host_frames_result result)
{
	switch (result) {
	case HOST_FRAMES_HAS:
		violate_owner("a frame was locked twice");
		return VMWARE_PPN_LOCKED;
	case HOST_FRAMES_HAS_NOT:
		violate_owner("a frame was unlocked that was not locked");
		return VMWARE_PPN_UNLOCKED;
	case HOST_FRAMES_NO_RAM:
		machine_violate("a frame that is no RAM");
		return VMWARE_PPN_INVALID;
	default:
		return VMWARE_SUCCESS;
	}
}

/* Moves a frame, or a block, as an honest host does. */
static uint32_t move(uint64_t first, uint64_t count, bool lock)
{
	uint64_t *moved = lock ? control()->locked : control()->unlocked;
	uint32_t status;

	if (first % count != 0) {
		machine_violate("a block that is not aligned");
		return VMWARE_PPN_INVALID;
	}
	if (lock && is_pinned(first, count) && machine_is_ram(first, count))
		return VMWARE_PPN_PINNED;
	status = status_of(lock ? host_frames_take(first, count)
				: host_frames_return(first, count));
	if (status == VMWARE_SUCCESS)
		moved[count > 1] += count;
	return status;
}

/* Moves it, or says so. Bits to be turned over in its entry are stored, if it has one. */
static uint32_t obey_one(uint64_t first, uint64_t count, bool lock, uint64_t *turned)
{
	const struct vmware_lie *lie = find_lie(VMWARE_LIE_ONE_REFUSED, VMWARE_LIE_ADDRESS);
	uint32_t kind = lie ? lie->kind : VMWARE_LIE_NONE, status;

	*turned = kind == VMWARE_LIE_ADDRESS ? lie->value : 0;
	if (kind == VMWARE_LIE_ONE_REFUSED) {
		control()->refused[count > 1] += lock ? count : 0;
		return (uint32_t)lie->value;
	}
	status = move(first, count, lock);
	if (lock && status != VMWARE_SUCCESS)
		control()->refused[count > 1] += count;
	return kind == VMWARE_LIE_ONE_PRETENDED ? (uint32_t)lie->value : status;
}

/* ---- Commands ---- */

static uint32_t obey_start(uint64_t wanted, uint64_t *common)
{
	uint32_t all = ALL_CAPABILITIES & ~control()->withheld;

	forget();
	state.forgotten = false;
	if (wanted & 1)
		machine_violate("bit 0 of the capabilities");
	if (wanted == 0) {
		control()->leaves++;
		return control()->is_old ? VMWARE_SUCCESS : VMWARE_SUCCESS_WITH_CAPABILITIES;
	}
	control()->is_started = 1;
	control()->capabilities = control()->is_old ? VMWARE_BASIC : (uint32_t)wanted & all;
	*common = control()->is_old ? OLD_PROTOCOL : control()->capabilities;
	return control()->is_old ? VMWARE_SUCCESS : VMWARE_SUCCESS_WITH_CAPABILITIES;
}

static uint32_t obey_get_target(uint64_t limit)
{
	if (limit > UINT32_MAX && !(control()->capabilities & VMWARE_64_BIT_TARGET))
		machine_violate("a limit of more than 32 bits");
	control()->limit = limit;
	return VMWARE_SUCCESS;
}

static uint32_t obey_frame(uint64_t pfn, bool lock)
{
	uint64_t turned;

	if (pfn > UINT32_MAX) {
		machine_violate("a frame of more than 32 bits");
		return VMWARE_PPN_INVALID;
	}
	return obey_one(pfn, 1, lock, &turned);
}

static uint32_t obey_batch(uint64_t pfn, uint32_t count, uint64_t frames, bool lock)
{
	volatile uint64_t *page;

	if (count == 0 || count > VMWARE_ENTRIES) {
		machine_violate("a batch of none, or of too many");
		return VMWARE_FAILURE;
	}
	page = pfn < UINT64_MAX >> FRAME_SHIFT ? machine_memory(pfn << FRAME_SHIFT, FRAME_SIZE)
					       : NULL;
	if (!page) {
		machine_violate("a batch page that is in the balloon, or no RAM");
		return VMWARE_PPN_INVALID;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint64_t entry = page[i], address = entry & ~(uint64_t)(FRAME_SIZE - 1), turned;
		uint32_t status;

		if (entry != address)
			machine_violate("an entry with bits that must be 0");
		status = obey_one(address >> FRAME_SHIFT, frames, lock, &turned);
		page[i] = (address | (status & VMWARE_ENTRY_STATUS)) ^ turned;
		/* The page itself may have been among them. */
		if (host_frames_has(pfn)) {
			machine_violate("a batch page that is in the balloon, or no RAM");
			return VMWARE_PPN_INVALID;
		}
	}
	return VMWARE_SUCCESS;
}

/* What has to be in common for a command; 0: nothing. */
static uint32_t capability_for(uint32_t command)
{
	switch (command) {
	case VMWARE_LOCK:
	case VMWARE_UNLOCK:
		return VMWARE_BASIC;
	case VMWARE_BATCHED_LOCK:
	case VMWARE_BATCHED_UNLOCK:
		return VMWARE_BATCHED;
	case VMWARE_BATCHED_2M_LOCK:
	case VMWARE_BATCHED_2M_UNLOCK:
		return VMWARE_BATCHED_2M;
	default:
		return 0;
	}
}

static uint32_t obey(uint32_t command, uint64_t first, uint32_t second, uint64_t *common)
{
	uint32_t needed = capability_for(command);
	bool lock = command % 2 == 0;

	if (needed & ~control()->capabilities) {
		machine_violate("a command without its capability");
		return VMWARE_CMD_INVALID;
	}
	switch (command) {
	case VMWARE_START:
		return obey_start(first, common);
	case VMWARE_GET_TARGET:
		return obey_get_target(first);
	case VMWARE_LOCK:
	case VMWARE_UNLOCK:
		return obey_frame(first, lock);
	case VMWARE_GUEST_ID:
		control()->guest_id = first;
		return VMWARE_SUCCESS;
	case VMWARE_BATCHED_LOCK:
	case VMWARE_BATCHED_UNLOCK:
		return obey_batch(first, second, 1, lock);
	case VMWARE_BATCHED_2M_LOCK:
	case VMWARE_BATCHED_2M_UNLOCK:
		return obey_batch(first, second, BLOCK_FRAMES, lock);
	case VMWARE_DOORBELL_SET:
		return VMWARE_SUCCESS;
	default:
		machine_violate("a command that there is not");
		return VMWARE_CMD_INVALID;
	}
}

/* Tells the guest that all is forgotten, once; START is the only thing to be done then. */
static uint32_t say_reset(void)
{
	forget();
	state.forgotten = false;
	control()->resets++;
	return VMWARE_RESET;
}

static uint32_t obey_or_lie(uint32_t command, uint64_t first, uint32_t second, uint64_t *common)
{
	const struct vmware_lie *lie = find_lie(VMWARE_LIE_REFUSES, VMWARE_LIE_RESULT);
	uint32_t kind = lie ? lie->kind : VMWARE_LIE_NONE, status;

	if (kind == VMWARE_LIE_REFUSES)
		return (uint32_t)lie->value;
	if (kind == VMWARE_LIE_FORGETS)
		return say_reset();
	if (kind == VMWARE_LIE_TARGET) {
		state.has_own_target = true;
		state.own_target = lie->value;
	}
	status = obey(command, first, second, common);
	if (kind == VMWARE_LIE_FORGETS_LATE)
		state.forgotten = control()->is_started;
	if (kind == VMWARE_LIE_RESULT) {
		state.result_lies = true;
		state.result = lie->value;
	}
	return kind == VMWARE_LIE_PRETENDS ? (uint32_t)lie->value : status;
}

static uint32_t answer(uint32_t command, uint64_t first, uint32_t second, uint64_t *common)
{
	bool may_come_first = command == VMWARE_START || command == VMWARE_DOORBELL_SET;

	if (state.forgotten && !may_come_first)
		return say_reset();
	if (!control()->is_started && !may_come_first) {
		machine_violate("a command before START");
		return say_reset();
	}
	return obey_or_lie(command, first, second, common);
}

/* ---- Ports ---- */

static uint64_t target(void)
{
	uint64_t target = state.has_own_target ? state.own_target : hv_control.common.target;

	return control()->capabilities & VMWARE_64_BIT_TARGET ? target : (uint32_t)target;
}

static bool is_success(uint32_t status)
{
	return status == VMWARE_SUCCESS || status == VMWARE_SUCCESS_WITH_CAPABILITIES;
}

static bool balloon_in(struct guest_registers *r)
{
	uint32_t command = (uint32_t)r->rcx, status;
	uint32_t number = command < VMWARE_CONTROL_COMMANDS ? command : VMWARE_CONTROL_COMMANDS - 1;
	uint64_t common = SCRIBBLE;

	if ((uint32_t)r->rax != BALLOON_MAGIC)
		return false;
	look_at_plan();
	state.number = number;
	state.result_lies = false;
	status = answer(command, r->rbx, (uint32_t)r->rsi, &common);
	control()->calls[number]++;
	if (!is_success(status))
		control()->failed[number]++;
	if (state.result_lies && command == VMWARE_START)
		common = state.result;
	r->rax = status;
	r->rbx = state.result_lies ? state.result : target();
	r->rcx = common;
	r->rdx = SCRIBBLE;
	r->rsi = SCRIBBLE;
	hv_control.common.said++;
	tell();
	return true;
}

static bool backdoor_in(struct guest_registers *r)
{
	uint64_t hz = (uint64_t)machine_tsc_khz() * 1000;

	if ((uint32_t)r->rax != BACKDOOR_MAGIC)
		return false;
	switch (r->rcx & 0xffff) {
	case BACKDOOR_GETVERSION:
		r->rax = BACKDOOR_VERSION;
		r->rbx = BACKDOOR_MAGIC;
		r->rcx = PRODUCT_TYPE;
		return true;
	case BACKDOOR_GETHZ:
		r->rax = (uint32_t)hz;
		r->rbx = hz >> 32;
		r->rcx = BUS_KHZ * 1000;
		return true;
	default:
		return false;
	}
}

static bool port_in(uint16_t port, struct guest_registers *registers)
{
	return port == BALLOON_PORT ? balloon_in(registers) : backdoor_in(registers);
}

/* ---- The rest ---- */

static void cpuid(uint32_t leaf, struct guest_cpuid *out)
{
	if (leaf == LEAF_FIRST) {
		out->eax = LEAF_TIMING;
		memcpy(&out->ebx, SIGNATURE, 4);
		memcpy(&out->ecx, &SIGNATURE[4], 4);
		memcpy(&out->edx, &SIGNATURE[8], 4);
	} else if (leaf == LEAF_TIMING) {
		out->eax = machine_tsc_khz();
		out->ebx = BUS_KHZ;
	}
}

/* What the test has written, and what was counted, stays over a reset of the machine. */
static void start(void)
{
	memset(&state, 0, sizeof(state));
	control()->is_started = 0;
	control()->capabilities = 0;
	control()->plan_seen = control()->plan - 1;
	control()->forget_seen = control()->forget;
	hv_control.common.said = 0;
	tell();
}

/* Its memory is gone: the guest has to begin anew. */
static void touched(uint64_t pfn)
{
	(void)pfn;
	state.forgotten = control()->is_started;
}

const struct personality vmware_personality = {
	.name = "vmware",
	.start = start,
	.cpuid = cpuid,
	.ports = { BACKDOOR_PORT, BALLOON_PORT },
	.port_in = port_in,
	.touched = touched,
};
