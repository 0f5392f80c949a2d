/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine for personalities; see sim_machine.h. */
#include "tests/sim/sim_machine.h"

#include <string.h>

#include "arch/clock.h"
#include "tests/sim/sim_ram.h"

#define FIRST (SIM_RAM_START / FRAME_SIZE)
#define LIMIT (FIRST + SIM_RAM_FRAMES)

/* The data of this program, by the linker: a driver's own pages lie there. */
extern char __data_start[], _end[];

struct hv_control hv_control;
struct sim_machine sim_machine;

static uint64_t bitmap[LIMIT / 64 + 1];

static void start(void)
{
	host_frames_init(bitmap, LIMIT);
	hv_control.common.starts++;
	if (sim_machine.personality && sim_machine.personality->start)
		sim_machine.personality->start();
}

void sim_machine_begin(const struct personality *personality, uint64_t frames)
{
	memset(&hv_control, 0, sizeof(hv_control));
	sim_machine = (struct sim_machine){ .personality = personality,
					    .first = FIRST,
					    .frames = frames };
	start();
}

void sim_machine_restart(void)
{
	host_frames_return_all();
	start();
}

const char *sim_machine_violation(void)
{
	return hv_control.common.violation[0] ? hv_control.common.violation : NULL;
}

/* ---- personality.h ---- */

bool machine_is_ram(uint64_t first, uint64_t count)
{
	return first >= sim_machine.first && count <= sim_machine.frames &&
	       first - sim_machine.first <= sim_machine.frames - count;
}

static bool is_own_data(uint64_t address, uint64_t size)
{
	uint64_t start = (uintptr_t)__data_start, end = (uintptr_t)_end;

	return address >= start && size <= end - start && address - start <= end - start - size;
}

void *machine_memory(uint64_t address, uint64_t size)
{
	uint64_t first = address / FRAME_SIZE, end = (address + size + FRAME_SIZE - 1) / FRAME_SIZE;

	if (size == 0 || size > UINT64_MAX - FRAME_SIZE || address > UINT64_MAX - FRAME_SIZE - size)
		return NULL;
	if (is_own_data(address, size))
		return (void *)(uintptr_t)address;
	if (!machine_is_ram(first, end - first))
		return NULL;
	for (uint64_t pfn = first; pfn < end; pfn++)
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
	*first = 0;
	return 0;
}

void machine_show(uint64_t first, uint64_t count, bool present)
{
	if (!sim_machine.blind)
		sim_ram_lend(first, count, !present);
}

void machine_interrupt(uint8_t vector)
{
	if (sim_machine.interrupt)
		sim_machine.interrupt(vector);
}

uint64_t machine_time_100ns(void)
{
	return clock_ns() / 100;
}

uint32_t machine_tsc_khz(void)
{
	return SIM_MACHINE_TSC_KHZ;
}

void machine_violate(const char *what)
{
	char *text = hv_control.common.violation;

	if (!text[0])
		strncpy(text, what, HV_CONTROL_TEXT - 1);
}
