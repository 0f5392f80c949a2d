/* SPDX-License-Identifier: BSD-2-Clause */
/* The balloon on Xen between tasks, a Xen and a store; see xen_world.h. */
#include "tests/unit/drivers/balloon/port/xen_world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/clock.h"
#include "drivers/balloon/balloon.h"
#include "drivers/xen/xen_events.h"
#include "drivers/xen/xen_map.h"
#include "kernel/lib/log.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "tests/sim/sim_ram.h"

#define FIRST_FRAME (SIM_RAM_START / FRAME_SIZE)
#define STORE_PFN 0xfeffc
#define STORE_PORT 1
#define KINDS 16

struct xen_world xen_world;

static struct xenstore_ring page;
static struct xenstore_node other_node = { .path = "control/shutdown" };
static struct xen_event_handler *listener; /* the client listens once in a program's life */
static uint64_t turn_ns;		   /* xenstored's last */
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
	char line[LOG_LINE_MAX + 1];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	note_line(line);
	xen_world.lines++;
}

void log_info(const char *fmt, ...)
{
	(void)fmt;
}

void log_debug(const char *fmt, ...)
{
	(void)fmt;
}

/* ---- What the drivers call ---- */

int xen_map_page(pfn_t pfn, void **window)
{
	if (pfn != STORE_PFN)
		return -EINVAL;
	*window = &page;
	return 0;
}

void xen_events_listen(struct xen_event_handler *handler)
{
	listener = handler;
}

static void interrupt(void *arg)
{
	(void)arg;
	if (listener && !xen_world.no_events)
		listener->handle(listener);
}

/* ---- Xen, and what it sees of the guest ---- */

static void *guest_memory(uint64_t address, uint64_t size)
{
	(void)size;
	return (void *)(uintptr_t)address;
}

static const char *check_frame(uint64_t pfn, bool populates)
{
	(void)populates;
	if (xen_world.on_frame)
		xen_world.on_frame(xen_world.frames);
	xen_world.frames++;
	return frame_owner(pfn) == OWNER_IN_FLIGHT ? NULL : "a frame that is not in-flight";
}

static void hand_over(uint64_t first, uint64_t count, bool to_xen)
{
	/* Nobody reads what is in there. A guest that is lied to about this may touch it. */
	if (!xen_world.blind)
		sim_ram_lend(first, count, to_xen);
}

static void begin_xen(void)
{
	sim_xen.guest = (struct sim_xen_guest){ .memory = guest_memory,
						.check = check_frame,
						.hand_over = hand_over };
	sim_xen_begin(FIRST_FRAME, XEN_WORLD_FRAMES);
	sim_xen.param[XEN_PARAM_STORE_PFN] = STORE_PFN;
	sim_xen.param[XEN_PARAM_STORE_PORT] = STORE_PORT;
}

/* ---- The world ---- */

bool xen_world_turn(void)
{
	if (clock_ns() - turn_ns < xen_world.pause_ns)
		return false;
	turn_ns = clock_ns();
	return sim_xenstore_step(&xen_world.store);
}

int xen_world_reserve(void)
{
	return sim_ram_reserve();
}

static const char *kib_text(uint64_t kib)
{
	static char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)kib);
	return text;
}

static uint64_t level_of(uint64_t kib)
{
	return (XEN_WORLD_MAX_KIB - kib) / FRAME_KIB;
}

static void note_good(uint64_t kib)
{
	xen_world.good_kib = kib;
	xen_world.was_good[level_of(kib)] = true;
}

void xen_world_begin(void)
{
	const struct memmap map = { .count = 1,
				    .range = { { FIRST_FRAME, FIRST_FRAME + XEN_WORLD_FRAMES } },
				    .frames = XEN_WORLD_FRAMES };
	const struct balloon_config config = { .floor = 0 };

	memset(&xen_world, 0, sizeof(xen_world));
	note_good(XEN_WORLD_MAX_KIB);
	wrong = false;
	kind_count = 0;
	turn_ns = 0;
	sim_tasks_reset();
	sim_tasks_world = xen_world_turn;
	sim_ram_start(&map);
	begin_xen();
	sim_xenstore_begin(&xen_world.store, &page);
	xen_world.store.notify = interrupt;
	sim_xenstore_set(&xen_world.store, "memory/static-max", kib_text(XEN_WORLD_MAX_KIB));
	sim_xenstore_set(&xen_world.store, "memory/target", kib_text(XEN_WORLD_MAX_KIB));
	sim_xenstore_set(&xen_world.store, "name", "guest");
	balloon_init(&config);
}

void xen_world_write(const char *text, bool good)
{
	sim_xenstore_set(&xen_world.store, "memory/target", text);
	if (good)
		note_good(strtoull(text, NULL, 10));
}

void xen_world_want(uint64_t frames)
{
	sim_xen_limit(XEN_WORLD_FRAMES - frames);
	xen_world_write(kib_text(XEN_WORLD_MAX_KIB - frames * FRAME_KIB), true);
}

/* ---- The guest ---- */

static void note_waits(const char *what, uint64_t begin_awake, unsigned waits)
{
	uint64_t ns = clock_awake_ns() - begin_awake;

	if (ns > waits * XEN_WORLD_WAIT_NS_MAX)
		note("%s took %llu ms", what, (unsigned long long)(ns / NS_PER_MS));
}

void xen_world_note_wait(const char *what, uint64_t begin_awake)
{
	note_waits(what, begin_awake, 1);
}

int xen_world_start_balloon(void)
{
	uint64_t begin = clock_awake_ns();
	int err = xen_balloon_start();

	/* static-max, the watch, and the target. */
	note_waits("xen_balloon_start()", begin, xen_world.slow ? 3 : 1);
	xen_world.has_balloon = !err;
	return err;
}

int xen_world_start(void)
{
	uint64_t begin = clock_awake_ns();
	int err = xenstore_start();

	xen_world_note_wait("xenstore_start()", begin);
	/* Somebody else follows something else: the watch, and the value. */
	begin = clock_awake_ns();
	if (!err)
		xenstore_follow(&other_node);
	note_waits("xenstore_follow()", begin, xen_world.slow ? 2 : 1);
	if (!err)
		err = xen_world_start_balloon();
	begin = clock_awake_ns();
	xen_balloon_wait_for_first_target();
	xen_world_note_wait("the first target", begin);
	return err;
}

void xen_world_wait(uint64_t ns)
{
	task_sleep_until(clock_ns() + ns);
}

void xen_world_behave(void)
{
	sim_xen.faults = (struct sim_xen_faults){
		.extents_most = { UINT64_MAX, UINT64_MAX },
		.stubborn = { SIM_XEN_NO_FRAME, SIM_XEN_NO_FRAME },
	};
	sim_xen.host_free = UINT64_MAX / 2;
	sim_xen_limit(XEN_WORLD_FRAMES);
	for (size_t i = 0; i < SIM_XENSTORE_NODES; i++)
		xen_world.store.node[i].secret = false;
	xen_world.on_frame = NULL;
	xen_world.no_events = false;
	xen_world.pause_ns = 0;
	xen_world.store.piece = 0;
	xen_world.store.bytes_left = SIZE_MAX;
	xen_world.store.events_first = 0;
	xen_world.store.lie = SIM_XENSTORE_HONEST;
}

/* ---- What must be so ---- */

static void check_owner(pfn_t pfn)
{
	bool there = sim_xen_is_guests(pfn);
	enum owner owner = frame_owner(pfn);

	if (!there && owner != OWNER_BALLOON && owner != OWNER_IN_FLIGHT)
		note("a frame that Xen has is %s", owner_name(owner));
	if (there && owner != OWNER_FREE && owner != OWNER_REFUSED && owner != OWNER_HELD)
		note("a frame that Xen has not is %s", owner_name(owner));
}

const char *xen_world_mistake(void)
{
	struct xen_balloon_target target;
	char verdict[LEDGER_VERDICT_MAX];

	if (xen_world.has_balloon && !xen_world.any_target && xen_balloon_get_target(&target) &&
	    (target.kib > XEN_WORLD_MAX_KIB || !xen_world.was_good[level_of(target.kib)]))
		note("%llu KiB were never wanted", (unsigned long long)target.kib);

	if (!ledger_audit(verdict))
		note("%s", verdict);
	if (ledger_refused() > 0)
		note("a change named a wrong owner");
	for (pfn_t pfn = FIRST_FRAME; !xen_world.blind && pfn < FIRST_FRAME + XEN_WORLD_FRAMES;
	     pfn++)
		check_owner(pfn);
	if (!xen_world.blind && sim_xen.violation)
		note("%s", sim_xen.violation);
	return wrong ? mistake : NULL;
}

static void end_store(void *arg)
{
	(void)arg;
	/* The last turn of the store's task is at its next look, at the latest. */
	task_sleep_until(clock_ns() + 2 * NS_PER_S);
}

bool xen_world_end(void)
{
	bool abandoned = sim_tasks_abandoned();

	sim_ram_stop();
	if (abandoned)
		return false;
	/* It gets itself given up. */
	xen_world.pause_ns = 0;
	xen_world.store.lie = SIM_XENSTORE_REQUEST_CONS_WILD;
	xen_world.store.honest = 0;
	sim_tasks_run(end_store, NULL);
	return sim_tasks_left() == 0;
}
