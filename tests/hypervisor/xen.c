/* SPDX-License-Identifier: BSD-2-Clause */
/* A Xen with one domain; see xen.h. */
#include "tests/hypervisor/xen.h"

#include <string.h>

#include "tests/hypervisor/control.h"
#include "tests/hypervisor/host_frames.h"
#include "tests/hypervisor/personality.h"

/* CPUID and the hypercall page (Xen's public/arch-x86/cpuid.h). */
#define LEAF_FIRST 0x40000000
#define LEAF_LAST 0x40000004
#define VERSION ((4u << 16) | 17)
#define MSR_HYPERCALL_PAGE 0x40000000
#define ENTRY_SIZE 32
#define FRAME_BYTES 4096
#define FRAME_KIB 4
#define JUNK 0x6b /* what somebody had in a frame before */

#define STORE_PORT 1
#define TARGET_PATH "memory/target"
#define NUMBER_TEXT 24

static struct sim_xenstore store;
static uint64_t frames; /* that the domain may have */
static uint64_t target; /* that were told last */

static struct xen_control *control(void)
{
	return hv_control_of(struct xen_control, HV_CONTROL_XEN);
}

/* ---- What it sees of the guest ---- */

static const char *check_frame(uint64_t pfn, bool populates)
{
	(void)populates;
	return machine_is_ram(pfn, 1) ? NULL : "a frame was given or populated that is no RAM";
}

/* A living domain's frames are not cleared by Xen. */
static void hand_over(uint64_t first, uint64_t count, bool to_xen)
{
	void *memory;

	if (to_xen) {
		host_frames_take(first, count);
		return;
	}
	if (host_frames_return(first, count) != HOST_FRAMES_OK)
		return;
	memory = machine_memory(first * FRAME_BYTES, count * FRAME_BYTES);
	if (memory)
		memset(memory, JUNK, count * FRAME_BYTES);
}

static void move_store(void)
{
	while (sim_xenstore_step(&store))
		;
}

static void notified(uint32_t port)
{
	if (port == STORE_PORT)
		move_store();
}

static void notify_domain(void *arg)
{
	(void)arg;
	sim_xen_raise(STORE_PORT);
}

/* Other ends are the guest's own business: it has a machine that it can turn off. */
static void end(uint32_t reason)
{
	if (reason == XEN_SHUTDOWN_REBOOT)
		machine_reset();
}

/* ---- The store ---- */

static void set_number(const char *path, uint64_t number)
{
	char text[NUMBER_TEXT];
	char *digit = text + sizeof(text) - 1;

	*digit = '\0';
	do {
		*--digit = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	sim_xenstore_set(&store, path, digit);
}

/* What `xl mem-set` does. */
static void set_target(void)
{
	target = hv_control.common.target;
	if (target > frames)
		target = frames;
	sim_xen_limit(frames - target);
	set_number(TARGET_PATH, (frames - target) * FRAME_KIB);
}

static void begin_store(void)
{
	uint64_t address;
	struct xenstore_ring *page = machine_shared_page(&address);

	sim_xenstore_begin(&store, page);
	store.notify = notify_domain;
	sim_xen.param[XEN_PARAM_STORE_PFN] = address / FRAME_BYTES;
	sim_xen.param[XEN_PARAM_STORE_PORT] = STORE_PORT;
	set_number("memory/static-max", frames * FRAME_KIB);
	set_target();
}

/* ---- The domain ---- */

/* Frames up to the end of RAM; whatever is none among them the guest does not give. */
static uint64_t find_end(void)
{
	uint64_t limit = SIM_XEN_FRAMES;

	while (limit > 1 && !machine_is_ram(limit - 1, 1))
		limit--;
	return limit;
}

static void start(void)
{
	sim_xen.guest = (struct sim_xen_guest){ .memory = machine_virtual,
						.check = check_frame,
						.hand_over = hand_over,
						.notified = notified,
						.interrupt = machine_interrupt,
						.end = end };
	sim_xen_begin(0, find_end());
	frames = machine_ram_frames();
	sim_xen.there = frames;
	sim_xen.current = frames;
	begin_store();
	control()->done = control()->order;
}

static void set_registers(struct guest_cpuid *out, const char *text)
{
	memcpy(&out->ebx, text, sizeof(out->ebx));
	memcpy(&out->ecx, text + 4, sizeof(out->ecx));
	memcpy(&out->edx, text + 8, sizeof(out->edx));
}

static void cpuid(uint32_t leaf, struct guest_cpuid *out)
{
	switch (leaf) {
	case LEAF_FIRST:
		out->eax = LEAF_LAST;
		set_registers(out, "XenVMMXenVMM");
		break;
	case LEAF_FIRST + 1:
		out->eax = VERSION;
		break;
	case LEAF_FIRST + 2:
		out->eax = 1;
		out->ebx = MSR_HYPERCALL_PAGE;
		break;
	case LEAF_FIRST + 3:
		out->ecx = machine_tsc_khz();
		break;
	default:
		break;
	}
}

/* An entry for each number: mov eax, N; vmmcall; ret. */
static bool msr_write(uint32_t msr, uint64_t value)
{
	const uint8_t entry[] = { 0xb8, 0, 0, 0, 0, 0x0f, 0x01, 0xd9, 0xc3 };
	uint8_t *page = machine_memory(value / FRAME_BYTES * FRAME_BYTES, FRAME_BYTES);

	if (msr != MSR_HYPERCALL_PAGE || !page)
		return false;
	for (uint32_t number = 0; number < FRAME_BYTES / ENTRY_SIZE; number++) {
		uint8_t *place = page + number * ENTRY_SIZE;

		memcpy(place, entry, sizeof(entry));
		memcpy(place + 1, &number, sizeof(number));
	}
	return true;
}

static bool hypercall(struct guest_registers *registers)
{
	registers->rax = (uint64_t)sim_xen_call(registers->rax, registers->rdi, registers->rsi,
						registers->rdx);
	return true;
}

static void touched(uint64_t pfn)
{
	sim_xen_note_touch(pfn);
}

/* ---- The test's orders ---- */

static bool is_honest(const struct sim_xen_faults *faults)
{
	const uint8_t *bytes = (const uint8_t *)faults;
	uint8_t any = 0;

	for (size_t i = 0; i < sizeof(*faults); i++)
		any |= bytes[i];
	return !any;
}

static void take_faults(const struct sim_xen_faults *faults)
{
	if (is_honest(faults)) {
		sim_xen.faults = (struct sim_xen_faults){
			.extents_most = { UINT64_MAX, UINT64_MAX },
			.stubborn = { SIM_XEN_NO_FRAME, SIM_XEN_NO_FRAME },
		};
		return;
	}
	sim_xen.faults = *faults;
	sim_xen.faults.tell = NULL;
}

static void obey(void)
{
	struct xen_control *order = control();

	take_faults(&order->faults);
	store.lie = (enum sim_xenstore_lie)order->lie;
	store.honest = (unsigned)(store.answers + order->honest);
	order->path[XEN_CONTROL_TEXT - 1] = '\0';
	order->value[XEN_CONTROL_TEXT - 1] = '\0';
	if (order->path[0])
		sim_xenstore_set(&store, order->path, order->value);
	move_store();
}

static void tell(void)
{
	struct xen_control *told = control();

	told->calls = sim_xen.calls;
	told->store_answers = store.answers;
	for (unsigned i = 0; i < 2; i++) {
		told->memory_calls[i] = sim_xen.memory_calls[i];
		told->frames_done[i] = sim_xen.frames_done[i];
	}
	if (sim_xen.violation)
		machine_violate(sim_xen.violation);
	if (store.violation)
		machine_violate(store.violation);
}

static void work(void)
{
	volatile struct xen_control *order = control();
	uint64_t number = order->order;

	if (number != order->done) {
		obey();
		order->done = number;
	}
	if (hv_control.common.target != target && hv_control.common.target <= frames) {
		set_target();
		move_store();
	}
	tell();
}

const struct personality xen_personality = {
	.name = "xen",
	.start = start,
	.cpuid = cpuid,
	.msr_write = msr_write,
	.hypercall = hypercall,
	.work = work,
	.touched = touched,
};
