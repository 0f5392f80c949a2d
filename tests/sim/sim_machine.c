/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine around a personality; see sim_machine.h. */
#include "tests/sim/sim_machine.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define FIRST (SIM_RAM_START / FRAME_SIZE)
#define LIMIT (FIRST + SIM_RAM_FRAMES)
#define VECTORS 256

/* The data of this program, by the linker: a driver's own pages lie there. */
extern char __data_start[], _end[];

struct hv_control hv_control;
struct sim_machine sim_machine;

void (*sim_machine_on_interrupt)(void);
uint64_t sim_machine_time;

static uint64_t bitmap[(LIMIT + 63) / 64];
static bool waits[VECTORS];

static uint64_t spare_first(void)
{
	return sim_machine.first + sim_machine.frames;
}

/* ---- The guest's life ---- */

void sim_machine_restart(void)
{
	const struct personality *personality = sim_machine.personality;

	host_frames_return_all();
	host_frames_init(bitmap, LIMIT);
	memset(waits, 0, sizeof(waits));
	sim_machine_time = 0;
	if (sim_machine.spare > 0)
		host_frames_take(spare_first(), sim_machine.spare);
	hv_control.common.ram_frames = machine_ram_frames();
	hv_control.common.starts++;
	if (personality && personality->start)
		personality->start();
	if (personality && personality->work)
		personality->work();
}

static void begin(const struct personality *personality, uint64_t frames, uint64_t spare)
{
	memset(&hv_control, 0, sizeof(hv_control));
	sim_machine = (struct sim_machine){
		.personality = personality, .first = FIRST, .frames = frames, .spare = spare
	};
	sim_machine_on_interrupt = NULL;
	sim_ram_lend(FIRST, SIM_RAM_FRAMES, false);
	host_frames_init(bitmap, LIMIT);
	sim_machine_restart();
}

void sim_machine_begin(const struct personality *personality, uint64_t frames)
{
	begin(personality, frames, 0);
}

void sim_machine_start(const struct personality *personality, uint64_t spare)
{
	begin(personality, SIM_RAM_FRAMES - spare, spare);
}

/* ---- What the guest does ---- */

static void turn(void)
{
	hv_control.common.exits++;
	if (sim_machine.personality->work)
		sim_machine.personality->work();
	hv_control.common.taken = host_frames_count();
	for (unsigned i = 0; i < VECTORS && sim_machine_on_interrupt; i++)
		if (waits[i]) {
			sim_machine_on_interrupt();
			break;
		}
}

void sim_machine_cpuid(uint32_t leaf, struct guest_cpuid *out)
{
	*out = (struct guest_cpuid){ 0 };
	if (sim_machine.personality->cpuid)
		sim_machine.personality->cpuid(leaf, out);
	turn();
}

bool sim_machine_msr_read(uint32_t msr, uint64_t *value)
{
	bool done = sim_machine.personality->msr_read &&
		    sim_machine.personality->msr_read(msr, value);

	turn();
	return done;
}

bool sim_machine_msr_write(uint32_t msr, uint64_t value)
{
	bool done = sim_machine.personality->msr_write &&
		    sim_machine.personality->msr_write(msr, value);

	turn();
	return done;
}

bool sim_machine_hypercall(struct guest_registers *registers)
{
	bool done = sim_machine.personality->hypercall &&
		    sim_machine.personality->hypercall(registers);

	turn();
	return done;
}

bool sim_machine_port_in(uint16_t port, struct guest_registers *registers)
{
	bool done = false;

	for (unsigned i = 0; sim_machine.personality->port_in && i < PERSONALITY_PORTS && !done;
	     i++)
		done = sim_machine.personality->ports[i] == port &&
		       sim_machine.personality->port_in(port, registers);
	turn();
	return done;
}

void sim_machine_ring(void)
{
	hv_control.common.rings++;
	turn();
}

bool sim_machine_take_interrupt(uint8_t *vector)
{
	for (unsigned i = 0; i < VECTORS; i++)
		if (waits[i]) {
			waits[i] = false;
			*vector = (uint8_t)i;
			hv_control.common.interrupts++;
			return true;
		}
	return false;
}

/* ---- What a personality calls ---- */

static bool is_within(uint64_t first, uint64_t count, uint64_t start, uint64_t frames)
{
	return first >= start && count <= frames && first - start <= frames - count;
}

/* As in the real machine, spare frames are a piece of RAM of their own. */
bool machine_is_ram(uint64_t first, uint64_t count)
{
	return is_within(first, count, sim_machine.first, sim_machine.frames) ||
	       is_within(first, count, spare_first(), sim_machine.spare);
}

static bool is_own_data(uint64_t address, uint64_t size)
{
	uint64_t start = (uintptr_t)__data_start;

	return is_within(address, size, start, (uintptr_t)_end - start);
}

void *machine_memory(uint64_t address, uint64_t size)
{
	uint64_t first = address / FRAME_SIZE, last;

	if (size == 0 || size > UINT64_MAX - address)
		return NULL;
	if (is_own_data(address, size))
		return (void *)(uintptr_t)address;
	last = (address + size - 1) / FRAME_SIZE;
	if (!machine_is_ram(first, last - first + 1))
		return NULL;
	for (uint64_t pfn = first; pfn <= last; pfn++)
		if (host_frames_has(pfn))
			return NULL;
	return (void *)(uintptr_t)address;
}

uint64_t machine_ram_frames(void)
{
	return sim_machine.frames;
}

uint64_t machine_spare(uint64_t *first)
{
	*first = spare_first();
	return sim_machine.spare;
}

void machine_show(uint64_t first, uint64_t count, bool present)
{
	if (!sim_machine.blind)
		sim_ram_lend(first, count, !present);
}

void machine_interrupt(uint8_t vector)
{
	waits[vector] = true;
}

uint64_t machine_time_100ns(void)
{
	return sim_machine_time;
}

uint32_t machine_tsc_khz(void)
{
	return SIM_MACHINE_TSC_KHZ;
}

void machine_violate(const char *what)
{
	char *violation = hv_control.common.violation;

	if (!violation[0])
		snprintf(violation, HV_CONTROL_TEXT, "%s", what);
}

const char *sim_machine_violation(void)
{
	return hv_control.common.violation[0] ? hv_control.common.violation : NULL;
}
