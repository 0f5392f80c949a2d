/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hyper-V for its guests: CPUID, MSRs and hypercalls (TLFS 2, 3 and appendix C), and whose turn it
 * is. What it does is in the files that hyperv_host.h names; what a test and it have in common is
 * hyperv.h.
 */
#include "tests/hypervisor/hyperv.h"

#include <string.h>

#include "tests/hypervisor/hyperv_host.h"
#include "tests/hypervisor/personality.h"

#define FIRST_LEAF UINT32_C(0x40000000)
#define HIGHEST_LEAF UINT32_C(0x4000000a)

/* Windows Server 2022. */
#define BUILD 20348
#define VERSION ((UINT32_C(10) << 16) | 0)
#define PROCESSORS 64

/* QEMU's APIC counts nanoseconds. */
#define APIC_HZ UINT64_C(1000000000)

#define CRASH_PARAMETERS 5
#define GIB_FRAMES_SHIFT 18
#define MIB2_FRAMES_SHIFT 9

static uint64_t guest_id, hypercall_page, vp_assist, tsc_invariant;

/* ---- CPUID ---- */

static uint32_t access_low(void)
{
	return (HV_ACCESS_REFERENCE_COUNTER | HV_ACCESS_SYNIC | HV_ACCESS_HYPERCALL |
		HV_ACCESS_VP_INDEX | HV_ACCESS_FREQUENCY | HV_ACCESS_TSC_INVARIANT) &
	       ~wish()->hide_low;
}

static uint32_t access_high(void)
{
	return (HV_ACCESS_HIGH_POST_MESSAGES | HV_ACCESS_HIGH_SIGNAL_EVENTS |
		HV_ACCESS_HIGH_EXTENDED) &
	       ~wish()->hide_high;
}

static uint32_t features(void)
{
	return (HV_FEATURE_FREQUENCY | HV_FEATURE_CRASH) & ~wish()->hide_features;
}

static void cpuid(uint32_t leaf, struct guest_cpuid *out)
{
	switch (leaf - FIRST_LEAF) {
	case HV_LEAF_RANGE:
		out->eax = HIGHEST_LEAF;
		memcpy(&out->ebx, HV_SIGNATURE, 4);
		memcpy(&out->ecx, &HV_SIGNATURE[4], 4);
		memcpy(&out->edx, &HV_SIGNATURE[8], 4);
		break;
	case HV_LEAF_INTERFACE:
		out->eax = HV_INTERFACE;
		break;
	case HV_LEAF_VERSION:
		out->eax = BUILD;
		out->ebx = VERSION;
		break;
	case HV_LEAF_FEATURES:
		out->eax = access_low();
		out->ebx = access_high();
		out->edx = features();
		break;
	case HV_LEAF_HINTS:
		out->eax = wish()->no_auto_eoi ? HV_HINT_NO_AUTO_EOI : 0;
		out->ebx = UINT32_MAX; /* a spinning processor need never say so */
		break;
	case HV_LEAF_LIMITS:
		out->eax = out->ebx = PROCESSORS;
		break;
	}
}

/* ---- MSRs ---- */

static bool msr_read(uint32_t msr, uint64_t *value)
{
	*value = 0;
	switch (msr) {
	case HV_MSR_GUEST_OS_ID:
		*value = guest_id;
		return true;
	case HV_MSR_HYPERCALL:
		*value = hypercall_page;
		return true;
	case HV_MSR_VP_INDEX:
		return access_low() & HV_ACCESS_VP_INDEX;
	case HV_MSR_REFERENCE_COUNTER:
		*value = machine_time_100ns();
		return access_low() & HV_ACCESS_REFERENCE_COUNTER;
	case HV_MSR_TSC_FREQUENCY:
		*value = machine_tsc_khz() * UINT64_C(1000);
		return access_low() & HV_ACCESS_FREQUENCY;
	case HV_MSR_APIC_FREQUENCY:
		*value = APIC_HZ;
		return access_low() & HV_ACCESS_FREQUENCY;
	case HV_MSR_VP_ASSIST:
		*value = vp_assist;
		return true;
	case HV_MSR_TSC_INVARIANT:
		*value = tsc_invariant;
		return access_low() & HV_ACCESS_TSC_INVARIANT;
	case HV_MSR_CRASH_CONTROL:
		*value = UINT64_C(1) << 63; /* parameters can be written */
		return features() & HV_FEATURE_CRASH;
	default:
		if (msr >= HV_MSR_CRASH_P0 && msr < HV_MSR_CRASH_P0 + CRASH_PARAMETERS) {
			*value = seen()->crash[msr - HV_MSR_CRASH_P0];
			return features() & HV_FEATURE_CRASH;
		}
		return access_low() & HV_ACCESS_SYNIC && host_synic_msr_read(msr, value);
	}
}

/* What the guest calls, in its own memory. (Hyper-V lays a page of its own over it.) */
static void lay_hypercall_page(uint64_t address)
{
	static const uint8_t code[] = { 0x0f, 0x01, 0xd9, /* vmmcall */ 0xc3 /* ret */ };
	uint8_t *page = machine_memory(address, FRAME_BYTES);

	if (!page) {
		machine_violate("the hypercall page lies where the guest has no RAM");
		hypercall_page &= ~HV_MSR_ENABLE;
		return;
	}
	memset(page, 0xcc, FRAME_BYTES);
	memcpy(page, code, sizeof(code));
}

static bool write_hypercall(uint64_t value)
{
	if (!(access_low() & HV_ACCESS_HYPERCALL))
		return false;
	if (guest_id == 0)
		value &= ~HV_MSR_ENABLE;
	hypercall_page = value;
	if (value & HV_MSR_ENABLE)
		lay_hypercall_page(value & ~(uint64_t)(FRAME_BYTES - 1));
	return true;
}

/* A guest without a name has no hypercalls. */
static bool write_guest_id(uint64_t value)
{
	guest_id = value;
	seen()->guest_id = value;
	if (value == 0)
		hypercall_page &= ~HV_MSR_ENABLE;
	return access_low() & HV_ACCESS_HYPERCALL;
}

static bool write_crash(uint32_t msr, uint64_t value)
{
	if (!(features() & HV_FEATURE_CRASH))
		return false;
	if (msr == HV_MSR_CRASH_CONTROL)
		seen()->crash_control = value;
	else
		seen()->crash[msr - HV_MSR_CRASH_P0] = value;
	return true;
}

static bool msr_write(uint32_t msr, uint64_t value)
{
	switch (msr) {
	case HV_MSR_GUEST_OS_ID:
		return write_guest_id(value);
	case HV_MSR_HYPERCALL:
		return write_hypercall(value);
	case HV_MSR_VP_ASSIST:
		vp_assist = value;
		return true;
	case HV_MSR_TSC_INVARIANT:
		tsc_invariant = value;
		return access_low() & HV_ACCESS_TSC_INVARIANT;
	default:
		if (msr >= HV_MSR_CRASH_P0 && msr <= HV_MSR_CRASH_CONTROL)
			return write_crash(msr, value);
		return access_low() & HV_ACCESS_SYNIC && host_synic_msr_write(msr, value);
	}
}

/* ---- Hypercalls ---- */

/* Memory of a hypercall, aligned, in one page; NULL: it is not. */
static void *parameters(uint64_t address, uint64_t bytes)
{
	if (address % 8 != 0 || address % FRAME_BYTES + bytes > FRAME_BYTES) {
		machine_violate("a hypercall's memory is not aligned, or crosses a page");
		return NULL;
	}
	return machine_memory(address, bytes);
}

static uint64_t post_message(uint64_t address)
{
	const struct hv_post_message *message = parameters(address, sizeof(*message));

	seen()->posts++;
	if (!(access_high() & HV_ACCESS_HIGH_POST_MESSAGES))
		return HV_ACCESS_DENIED;
	if (!message)
		return HV_INVALID_PARAMETER;
	if (lie()->post_status)
		return lie()->post_status;
	if (lie()->post_busy)
		return HV_INSUFFICIENT_BUFFERS;
	if (message->type != HV_MESSAGE_CHANNEL || message->size > HV_MESSAGE_PAYLOAD ||
	    message->reserved != 0) {
		machine_violate("a message was posted with a header that is wrong");
		return HV_INVALID_PARAMETER;
	}
	return host_vmbus_post(message->connection, message->payload, message->size);
}

static uint64_t signal_event(uint64_t connection)
{
	seen()->signals++;
	if (!(access_high() & HV_ACCESS_HIGH_SIGNAL_EVENTS))
		return HV_ACCESS_DENIED;
	if (lie()->signal_status)
		return lie()->signal_status;
	/* Bits 47:32 are the number of a flag: only 0 is there. */
	if (connection >> 32 != 0)
		return HV_INVALID_PARAMETER;
	return channel_signal((uint32_t)connection);
}

static uint64_t query_capabilities(uint64_t address)
{
	uint64_t *capabilities = parameters(address, sizeof(*capabilities));

	if (!(access_high() & HV_ACCESS_HIGH_EXTENDED))
		return HV_INVALID_CODE;
	if (!capabilities)
		return HV_INVALID_PARAMETER;
	*capabilities = wish()->no_extended ? 0 : HV_EXT_COLD_DISCARD;
	return HV_SUCCESS;
}

/* Takes note of a range of cold memory. Returns whether all of it is RAM. */
static bool take_hint(uint64_t range)
{
	unsigned shift = !(range & HV_HEAT_LARGE) ? 0
			 : range & HV_HEAT_GIB	  ? GIB_FRAMES_SHIFT
						  : MIB2_FRAMES_SHIFT;
	unsigned place = range & HV_HEAT_LARGE ? HV_HEAT_LARGE_SHIFT : HV_HEAT_PAGE_SHIFT;
	uint64_t first = range >> place << (place - FRAME_BITS);
	uint64_t count = ((range & HV_HEAT_MORE_MASK) + 1) << shift;

	if (!machine_is_ram(first, count)) {
		machine_violate("a heat hint for what is no RAM");
		return false;
	}
	seen()->hint_ranges++;
	seen()->hint_frames += count;
	return true;
}

/* Returns the hypercall's result: with how many ranges were looked at. */
static uint64_t heat_hint(uint64_t address, uint64_t count)
{
	const struct hv_heat_hint *hint = parameters(address, sizeof(hint->type));
	uint64_t done = 0, status = HV_SUCCESS;

	if (!(access_high() & HV_ACCESS_HIGH_EXTENDED) || wish()->no_extended)
		return HV_INVALID_CODE;
	if (lie()->hint_status)
		return lie()->hint_status;
	if (!hint || count == 0 || count > HV_HEAT_RANGES || hint->type != HV_HEAT_COLD_DISCARD ||
	    !parameters(address, sizeof(hint->type) + count * sizeof(hint->range[0]))) {
		machine_violate("a heat hint of no known kind, or of too many ranges");
		return HV_INVALID_PARAMETER;
	}
	seen()->hint_last_100ns = machine_time_100ns();
	if (seen()->hints++ == 0)
		seen()->hint_first_100ns = seen()->hint_last_100ns;
	while (done < count && take_hint(hint->range[done]))
		done++;
	if (done < count)
		status = HV_INVALID_PARAMETER;
	return status | done << HV_CALL_REPEAT_SHIFT;
}

/* RCX is the code with its flags, RDX the input, R8 the output (TLFS 3.7). */
static bool hypercall(struct guest_registers *registers)
{
	uint64_t control = registers->rcx;
	uint64_t count = control >> HV_CALL_REPEAT_SHIFT & HV_CALL_REPEAT_MASK;
	bool fast = control & HV_CALL_FAST;

	if (!(hypercall_page & HV_MSR_ENABLE))
		return false;
	registers->rax = HV_INVALID_INPUT;
	switch (control & HV_STATUS_MASK) {
	case HV_POST_MESSAGE:
		if (!fast)
			registers->rax = post_message(registers->rdx);
		break;
	case HV_SIGNAL_EVENT:
		if (fast)
			registers->rax = signal_event(registers->rdx);
		break;
	case HV_EXT_QUERY_CAPABILITIES:
		if (!fast)
			registers->rax = query_capabilities(registers->r8);
		break;
	case HV_EXT_MEMORY_HEAT_HINT:
		if (!fast)
			registers->rax = heat_hint(registers->rdx, count);
		break;
	default:
		registers->rax = HV_INVALID_CODE;
		break;
	}
	return true;
}

/* ---- Turns ---- */

/* What balloonctl sees of it. */
static void tell(void)
{
	struct hv_control_common *common = &hv_control.common;

	common->driver = seen()->progress >= HYPERV_READY ? HV_DRIVER_RUNS : HV_DRIVER_NONE;
	common->ballooned = seen()->ballooned;
	common->added = seen()->added;
	common->said = seen()->said;
	common->reports = seen()->reports;
	common->available = seen()->available;
	common->reported_100ns = seen()->reported_100ns;
	common->looked_100ns = machine_time_100ns();
}

static void start(void)
{
	guest_id = hypercall_page = vp_assist = tsc_invariant = 0;
	memset(seen(), 0, sizeof(*seen()));
	seen()->pushed = hyperv_control()->push.number;
	ranges_start();
	host_synic_start();
	host_dm_start();
	host_vmbus_start();
	tell();
}

static void push(void)
{
	const struct hyperv_push *what = &hyperv_control()->push;
	uint32_t most = what->packet ? HYPERV_PUSH_BYTES : HV_MESSAGE_PAYLOAD;
	uint32_t bytes = what->length < most ? what->length : most;

	if (what->number == seen()->pushed || !host_synic_is_ready())
		return;
	if (what->packet && !host_dm_push(what->bytes, bytes))
		return;
	if (!what->packet)
		host_synic_tell(HYPERV_PUSHED, what->bytes, bytes);
	seen()->pushed = what->number;
}

static void note_progress(void)
{
	if (seen()->progress >= HYPERV_CONNECTED)
		return;
	seen()->progress = host_synic_is_ready()	    ? HYPERV_SYNIC
			   : hypercall_page & HV_MSR_ENABLE ? HYPERV_HYPERCALLS
							    : HYPERV_NOWHERE;
}

static void work(void)
{
	push();
	channel_work();
	host_synic_work();
	note_progress();
	seen()->ballooned = ranges_ballooned();
	tell();
}

const struct personality hyperv_personality = {
	.name = "hyperv",
	.start = start,
	.cpuid = cpuid,
	.msr_read = msr_read,
	.msr_write = msr_write,
	.hypercall = hypercall,
	.work = work,
};
