/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine around a personality; see sim_machine.h. */
#include "tests/sim/sim_machine.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define FIRST (SIM_RAM_START / FRAME_SIZE)
#define LIMIT (FIRST + SIM_RAM_FRAMES)
#define VECTORS 256
#define TSC_KHZ 2400000

struct hv_control hv_control;

void (*sim_machine_on_interrupt)(void);
uint64_t sim_machine_time;

static const struct personality *personality;
static uint64_t bitmap[(LIMIT + 63) / 64];
static uint64_t spare_frames;
static bool waits[VECTORS];

static uint64_t spare_first(void)
{
	return LIMIT - spare_frames;
}

/* ---- The guest's life ---- */

static void begin(void)
{
	sim_ram_lend(FIRST, SIM_RAM_FRAMES, false);
	host_frames_init(bitmap, LIMIT);
	memset(waits, 0, sizeof(waits));
	sim_machine_time = 0;
	if (spare_frames > 0)
		host_frames_take(spare_first(), spare_frames);
	hv_control.common.ram_frames = machine_ram_frames();
	hv_control.common.starts++;
	personality->start();
	if (personality->work)
		personality->work();
}

void sim_machine_start(const struct personality *whose, uint64_t spare)
{
	personality = whose;
	spare_frames = spare;
	sim_machine_on_interrupt = NULL;
	memset(&hv_control, 0, sizeof(hv_control));
	begin();
}

void sim_machine_reset(void)
{
	begin();
}

static void turn(void)
{
	hv_control.common.exits++;
	if (personality->work)
		personality->work();
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
	if (personality->cpuid)
		personality->cpuid(leaf, out);
	turn();
}

bool sim_machine_msr_read(uint32_t msr, uint64_t *value)
{
	bool done = personality->msr_read && personality->msr_read(msr, value);

	turn();
	return done;
}

bool sim_machine_msr_write(uint32_t msr, uint64_t value)
{
	bool done = personality->msr_write && personality->msr_write(msr, value);

	turn();
	return done;
}

bool sim_machine_hypercall(struct guest_registers *registers)
{
	bool done = personality->hypercall && personality->hypercall(registers);

	turn();
	return done;
}

bool sim_machine_port_in(uint16_t port, struct guest_registers *registers)
{
	bool done = false;

	for (unsigned i = 0; personality->port_in && i < PERSONALITY_PORTS && !done; i++)
		done = personality->ports[i] == port && personality->port_in(port, registers);
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

bool machine_is_ram(uint64_t first, uint64_t count)
{
	if (first < FIRST || first >= LIMIT || count > LIMIT - first)
		return false;
	/* As in the real machine: what is spare is a piece of its own. */
	return first >= spare_first() || count <= spare_first() - first;
}

void *machine_memory(uint64_t address, uint64_t size)
{
	uint64_t first = address / FRAME_SIZE, last;

	if (size == 0 || size > UINT64_MAX - address)
		return NULL;
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
	return SIM_RAM_FRAMES - spare_frames;
}

uint64_t machine_spare(uint64_t *first)
{
	*first = spare_first();
	return spare_frames;
}

void machine_show(uint64_t first, uint64_t count, bool present)
{
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
	return TSC_KHZ;
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
