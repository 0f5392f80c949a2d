/* SPDX-License-Identifier: BSD-2-Clause */
/* The balloon on Hyper-V between tasks and a host; see hyperv_world.h. */
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/unit/drivers/balloon/port/hyperv_world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/cpu.h"
#include "arch/irq_flags.h"
#include "arch/paging.h"
#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_port.h"
#include "drivers/mem/hyperv_mem.h"
#include "kernel/lib/log.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "mm/memory_region.h"
#include "tests/sim/sim_detach.h"
#include "tests/sim/sim_hyperv.h"
#include "tests/sim/sim_irq.h"

#define KINDS 16

struct hyperv_world hyperv_world;

static char mistake[200];
static bool wrong;

static void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *fmt, ...)
{
	va_list args;

	if (wrong)
		return;
	wrong = true;
	va_start(args, fmt);
	vsnprintf(mistake, sizeof(mistake), fmt, args);
	va_end(args);
}

/* ---- The log: at most a line of a kind in a second ---- */

static struct {
	char name[48];
	uint64_t last_ns;
} kinds[KINDS];
static size_t kind_count;

/* What is before the first digit says which kind it is. */
static void note_line(const char *line)
{
	size_t length = strcspn(line, "0123456789"), i = 0;
	char name[sizeof(kinds[0].name)];

	snprintf(name, sizeof(name), "%.*s", (int)length, line);
	while (i < kind_count && strcmp(kinds[i].name, name) != 0)
		i++;
	if (i < kind_count && clock_ns() - kinds[i].last_ns < NS_PER_S)
		note("two lines in a second: %s", line);
	if (i == kind_count && kind_count < KINDS)
		strcpy(kinds[kind_count++].name, name);
	if (i < KINDS)
		kinds[i].last_ns = clock_ns();
}

void log_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(hyperv_world.line, sizeof(hyperv_world.line), fmt, args);
	va_end(args);
	note_line(hyperv_world.line);
	hyperv_world.lines++;
}

void log_info(const char *fmt, ...)
{
	(void)fmt;
	hyperv_world.infos++;
	if (hyperv_world.on_info)
		hyperv_world.on_info();
}

void log_debug(const char *fmt, ...)
{
	(void)fmt;
}

/* ---- Page tables: all is mapped, and what is not there is guarded ---- */

int paging_prepare_blocks(paddr_t start, paddr_t end)
{
	return end > start ? 0 : -EINVAL;
}

void paging_set_taken(bool (*is_taken)(paddr_t start, paddr_t end))
{
	(void)is_taken;
}

void paging_map_blocks(paddr_t start, paddr_t end, paddr_t *table)
{
	(void)start, (void)end, (void)table;
}

paddr_t paging_unmap_blocks(paddr_t start, paddr_t end)
{
	(void)start, (void)end;
	return 0;
}

paddr_t paging_block_table(paddr_t paddr)
{
	(void)paddr;
	return 1; /* there is one */
}

paddr_t paging_move_block_table(paddr_t paddr, paddr_t table)
{
	(void)paddr;
	return table;
}

/* ---- The machine ---- */

unsigned cpu_physical_bits(void)
{
	return hyperv_world.physical_bits;
}

/* The host's turn, when no task can run. */
static bool turn(void)
{
	sim_machine_time = clock_ns() / 100;
	sim_machine_ring();
	if (hyperv_world.no_interrupts)
		return false;
	/* What interrupts all the time does not make time stand still. */
	return sim_hyperv_interrupt() && hyperv_control()->lie.storm == 0;
}

int hyperv_world_reserve(void)
{
	return sim_ram_reserve();
}

void hyperv_world_begin(void)
{
	const struct memmap map = { .count = 1,
				    .range = { { HYPERV_WORLD_FIRST,
						 HYPERV_WORLD_FIRST + HYPERV_WORLD_FRAMES } },
				    .frames = HYPERV_WORLD_FRAMES };
	const struct balloon_config config = { .floor = 0 };
	pfn_t page;

	memset(&hyperv_world, 0, sizeof(hyperv_world));
	hyperv_world.physical_bits = 46;
	wrong = false;
	kind_count = 0;
	sim_tasks_reset();
	sim_tasks_world = turn;
	sim_irq_reset();
	sim_ram_start(&map);
	sim_machine_start(&hyperv_personality, HYPERV_WORLD_SPARE);
	if (frame_alloc(0, OWNER_KERNEL, &page))
		note("no frame for the hypercall page");
	sim_hyperv_begin(page);
	memory_region_set_obstacles(NULL);
	balloon_init(&config);
}

int hyperv_world_start(void)
{
	/* What was said at time 0 would count as never said (log.h). */
	hyperv_world_wait(NS_PER_MS);
	hyperv_find();
	hyperv_balloon_start();
	return vmbus_start();
}

void hyperv_world_wait(uint64_t ns)
{
	task_sleep_until(clock_ns() + ns);
}

bool hyperv_world_await(bool (*done)(void), uint64_t ns)
{
	uint64_t end = clock_ns() + ns;

	while (!done() && clock_ns() < end)
		hyperv_world_wait(NS_PER_MS);
	return done();
}

bool hyperv_world_is_ready(void)
{
	return hyperv_control()->seen.progress == HYPERV_READY;
}

static uint64_t wanted;

static bool is_reached(void)
{
	return ledger_count(OWNER_BALLOON) == wanted && hyperv_control()->seen.ballooned == wanted;
}

bool hyperv_world_reach(uint64_t frames)
{
	wanted = frames;
	hv_control.common.target = frames;
	return hyperv_world_await(is_reached, 10 * NS_PER_S);
}

void hyperv_world_behave(void)
{
	memset(&hyperv_control()->lie, 0, sizeof(hyperv_control()->lie));
	hyperv_world.no_interrupts = false;
}

/* ---- What must be so ---- */

static void check_owner(pfn_t pfn)
{
	enum owner owner = frame_owner(pfn);

	if (host_frames_has(pfn) && owner != OWNER_BALLOON && owner != OWNER_IN_FLIGHT &&
	    owner != OWNER_ABSENT)
		note("frame %llx, which the host has, is %s", (unsigned long long)pfn,
		     owner_name(owner));
}

const char *hyperv_world_mistake(void)
{
	char verdict[LEDGER_VERDICT_MAX];

	if (!ledger_audit(verdict))
		note("%s", verdict);
	if (ledger_refused() > 0)
		note("a change named a wrong owner");
	for (pfn_t pfn = HYPERV_WORLD_FIRST; pfn < HYPERV_WORLD_FIRST + SIM_RAM_FRAMES; pfn++)
		check_owner(pfn);
	if (!hyperv_world.blind && !hyperv_world.crossing && sim_machine_violation())
		note("%s", sim_machine_violation());
	if (sim_hyperv_mistake)
		note("%s", sim_hyperv_mistake);
	if (sim_irq_violation)
		note("%s", sim_irq_violation);
	return wrong ? mistake : NULL;
}

void hyperv_world_note_wait(const char *what, uint64_t begin_awake, unsigned waits)
{
	uint64_t ns = clock_awake_ns() - begin_awake;

	if (ns > waits * HYPERV_WORLD_WAIT_NS_MAX)
		note("%s took %llu ms", what, (unsigned long long)(ns / NS_PER_MS));
}

static void end(void *arg)
{
	uint64_t begin = clock_awake_ns();

	(void)arg;
	sim_detach_all();
	vmbus_unload();
	hyperv_world_note_wait("the end", begin, 4);
	/* Tasks that were ending have ended. */
	hyperv_world_wait(NS_PER_S);
	hyperv_world_mistake();
}

const char *hyperv_world_end(void)
{
	if (sim_tasks_abandoned())
		return "it was left in the middle";
	sim_tasks_run(end, NULL);
	sim_ram_stop();
	if (sim_tasks_left() > 0)
		note("a task is left");
	return wrong ? mistake : NULL;
}
