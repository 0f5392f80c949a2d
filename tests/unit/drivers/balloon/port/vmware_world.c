/* SPDX-License-Identifier: BSD-2-Clause */
/* A whole life on VMware; see vmware_world.h. */
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/unit/drivers/balloon/port/vmware_world.h"

#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/balloon_wait.h"
#include "drivers/balloon/port/vmware_abi.h"
#include "drivers/balloon/port/vmware_balloon.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "tests/sim/sim_detach.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_ram.h"
#include "tests/sim/sim_time.h"

#define FIRST (SIM_RAM_START / FRAME_SIZE)

/* A look at a clock takes so long, so that a busy wait is over soon; and a round. */
#define LOOK_NS 20000
#define ROUND_NS (5 * NS_PER_MS)

/* Lines of a start or an end, beside one of each kind a second. */
#define LINES_FREE 12
#define KINDS_OF_LINES 3

static struct {
	uint64_t longest_ns; /* round, awake */
	bool begun;
} world;

int vmware_world_reserve(void)
{
	return sim_ram_reserve();
}

void vmware_world_begin(uint32_t withheld, bool is_old)
{
	const struct memmap map = { .count = 1,
				    .range = { { FIRST, FIRST + VMWARE_WORLD_FRAMES } },
				    .frames = VMWARE_WORLD_FRAMES };

	sim_time_reset();
	sim_time_step_ns = LOOK_NS;
	sim_log_reset();
	sim_ram_start(&map);
	sim_vmware_begin(VMWARE_WORLD_FRAMES);
	sim_vmware()->withheld = withheld;
	sim_vmware()->is_old = is_old;
	memset(&world, 0, sizeof(world));
	frame_set_reclaimer(balloon_reclaim);
}

void vmware_world_be_blind(void)
{
	sim_machine.blind = true;
	sim_vmware()->is_lenient = true;
	sim_ram_lend(FIRST, VMWARE_WORLD_FRAMES, false);
}

static void note(uint64_t began_awake)
{
	world.longest_ns = max_u64(world.longest_ns, clock_awake_ns() - began_awake);
}

static bool is_there(void)
{
	struct balloon_status status;

	balloon_status(&status);
	return status.present;
}

bool vmware_world_is_well(void)
{
	struct balloon_status status;

	balloon_status(&status);
	return status.present && !status.broken;
}

bool vmware_world_start(void)
{
	const struct balloon_config config = { 0 };
	uint64_t began_awake = clock_awake_ns();

	balloon_init(&config);
	sim_ram_task = NULL;
	vmware_balloon_start(VMWARE_BALLOON_POLL_NS);
	note(began_awake);
	world.begun = true;
	return is_there();
}

void vmware_world_live(uint64_t ns)
{
	uint64_t end = clock_ns() + ns;

	while (clock_ns() < end) {
		uint64_t began_awake = clock_awake_ns();
		bool more = balloon_step();

		note(began_awake);
		if (more || !vmware_world_is_well())
			sim_time_advance(more ? ROUND_NS : NS_PER_S / 4);
		else
			balloon_wait_for_news(balloons);
	}
}

void vmware_world_need_memory(void)
{
	static pfn_t pfns[VMWARE_WORLD_FRAMES];
	size_t count = frame_alloc_bulk(VMWARE_WORLD_FRAMES, PFN_NONE, OWNER_HELD, pfns);
	uint64_t began_awake = clock_awake_ns();
	pfn_t one;

	for (size_t i = 0; i < count; i++)
		*(volatile char *)(uintptr_t)pfn_to_paddr(pfns[i]) = 1;
	if (frame_alloc(0, OWNER_HELD, &one) == 0)
		*(volatile char *)(uintptr_t)pfn_to_paddr(one) = 1;
	note(began_awake);
	frame_free_owned(OWNER_HELD, UINT64_MAX);
}

void vmware_world_behave(void)
{
	sim_vmware_on_command = NULL;
	sim_vmware_behave();
}

/* A free frame may be written by the next owner. */
static const char *check_free_frames(void)
{
	uint64_t first, count;

	for (uint64_t from = 0; (count = host_frames_find(from, UINT64_MAX, &first)) > 0;
	     from = first + count)
		for (uint64_t pfn = first; pfn < first + count; pfn++) {
			enum owner owner = frame_owner(pfn);

			if (owner != OWNER_BALLOON && owner != OWNER_IN_FLIGHT)
				return "a frame that the host has is not the balloon's";
		}
	return NULL;
}

const char *vmware_world_mistake(void)
{
	static char words[200];
	char verdict[LEDGER_VERDICT_MAX];
	uint64_t lines = sim_log_warnings + sim_log_infos;

	if (!ledger_audit(verdict)) {
		snprintf(words, sizeof(words), "%s", verdict);
		return words;
	}
	if (ledger_refused() > 0)
		return "a change of owner was refused";
	if (world.longest_ns > VMWARE_WORLD_ROUND_NS)
		return "a round that lasts too long";
	if (lines > LINES_FREE + KINDS_OF_LINES * (1 + clock_ns() / NS_PER_S))
		return "more lines than a second has room for";
	if (sim_machine.blind)
		return NULL;
	return sim_machine_violation() ? sim_machine_violation() : check_free_frames();
}

bool vmware_world_end(void)
{
	if (world.begun)
		sim_detach_all();
	world.begun = false;
	return ledger_count(OWNER_FREE) == VMWARE_WORLD_FRAMES;
}

void vmware_world_stop(void)
{
	if (world.begun)
		sim_detach_all();
	world.begun = false;
	host_frames_return_all();
	frame_set_reclaimer(NULL);
	sim_ram_stop();
}
