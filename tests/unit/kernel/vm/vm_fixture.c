/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest around kernel/vm; see vm_fixture.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/kernel/vm/vm_fixture.h"

#include "arch/clock.h"
#include "arch/irq.h"
#include "drivers/balloon/balloon.h"
#include "kernel/pressure.h"
#include "kernel/show_mem.h"
#include "mm/ledger.h"

#define GUESTS_MAX 12
#define HELD_MAX 16384

uint64_t machine_frames;
const char *machine_swap, *machine_cache;
bool machine_lockstep;
uint64_t machine_balloon, machine_balloon_asks;
unsigned machine_tries;
bool machine_refuses;
void (*machine_short)(uint64_t frames);

static struct guest guests[GUESTS_MAX];
static uint32_t cache_written[GUEST_PAGES_MAX];
static pfn_t held[HELD_MAX];
static size_t held_count;

/* ---- The balloon, and the console ---- */

size_t balloon_reclaim(unsigned order)
{
	machine_balloon_asks++;
	if (machine_balloon == 0 || order > 0)
		return 0;
	machine_balloon--;
	return (size_t)frame_free_owned(OWNER_BALLOON, 1);
}

void balloon_set_short_hook(void (*hook)(uint64_t frames))
{
	machine_short = hook;
}

void balloon_try_again(void)
{
	machine_tries++;
}

uint64_t balloon_floor(void)
{
	return vm_events.reserve;
}

size_t pressure_reclaim(unsigned order)
{
	return balloon_reclaim(order);
}

/* What is read of the books is no part of this guest. */
void pressure_note(void)
{
}

/* A console is slow: whoever may sleep does. */
static void print(void)
{
	if (!fake_irqs_off)
		task_yield();
}

void show_mem(void)
{
	for (unsigned i = 0; i < 20; i++)
		print();
}

/* ---- The machine ---- */

static void (*body)(void);

static void run_body(void *unused)
{
	(void)unused;
	body();
}

extern void __lsan_disable(void) __attribute__((weak));

static void run_child(void)
{
	/* One that hangs does not outlive its parent, which may be timed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	if (__lsan_disable)
		__lsan_disable();
	sim_log_reset();
	sim_log_on_warning = print;
	sim_demand_reset();
	sim_disk_reset();
	sim_tasks_reset();
	sim_tasks_run(run_body, NULL);
	exit(0);
}

void run_machine(void (*fn)(void))
{
	pid_t child;
	int status;

	body = fn;
	machine_frames = 2048;
	machine_swap = machine_cache = "";
	machine_lockstep = false;
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (sim_ram_reserve())
			abort();
		run_child();
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

void start_machine(void)
{
	static const pfn_t first = SIM_RAM_START / FRAME_SIZE;
	const struct memmap map = {
		.count = 1,
		.range[0] = { first, first + machine_frames },
		.frames = machine_frames,
	};
	struct vm_config config = { .lockstep = machine_lockstep };

	sim_ram_start(&map);
	snprintf(config.swap, sizeof(config.swap), "%s", machine_swap);
	snprintf(config.cache, sizeof(config.cache), "%s", machine_cache);
	vm_start(&config, show_mem);
	for (uint64_t i = 0; i < machine_balloon; i++) {
		pfn_t pfn;

		assert_int_equal(frame_alloc(0, OWNER_BALLOON, &pfn), 0);
	}
}

/* ---- Waiting ---- */

void wait_ns(uint64_t ns)
{
	task_sleep_until(clock_ns() + ns);
}

void wait_until(bool (*is_so)(void), const char *what)
{
	uint64_t deadline = clock_ns() + 300 * NS_PER_S;

	while (!is_so()) {
		if (clock_ns() > deadline)
			fail_msg("in vain: %s", what);
		wait_ns(NS_PER_MS);
	}
}

static bool nothing_moves(void)
{
	for (unsigned i = 0; i < VM_REGIONS_MAX; i++)
		if (vm_regions[i].used && vm_regions[i].moving > 0)
			return false;
	return vm_leaving == 0;
}

void settle(void)
{
	wait_until(nothing_moves, "nothing moves");
}

/* ---- Disks ---- */

static bool swap_is_used(void)
{
	return vm_swap_disk;
}

static bool cache_is_used(void)
{
	return vm_cache_disk;
}

struct sim_disk *plug_swap(uint64_t pages)
{
	struct sim_disk *disk = sim_disk_plug("swap", pages);

	wait_until(swap_is_used, "the swap disk is used");
	disk->reads = 0;
	return disk;
}

/* A page of the cache's disk that was written so often. */
static void name_page(uint8_t *bytes, uint64_t id, uint64_t page, uint32_t written)
{
	uint64_t word = id << 56 | page << 32 | written;

	memcpy(bytes, &word, sizeof(word));
	memcpy(bytes + FRAME_SIZE - sizeof(word), &word, sizeof(word));
}

struct sim_disk *plug_cache(uint64_t pages)
{
	struct sim_disk *disk = sim_disk_plug("cache", pages);

	memset(cache_written, 0, sizeof(cache_written));
	for (uint64_t page = 0; page < pages; page++)
		name_page(disk->bytes + page * FRAME_SIZE, VM_CACHE, page, 0);
	wait_until(cache_is_used, "the cache's disk is used");
	return disk;
}

static int fail_writes(const struct block_request *request)
{
	return machine_refuses && request->write ? -EIO : 0;
}

void start_with_disks(uint64_t swap_pages, struct sim_disk **swap, uint64_t cache_pages,
		      struct sim_disk **cache)
{
	machine_swap = swap_pages > 0 ? "swap" : "";
	machine_cache = cache_pages > 0 ? "cache" : "";
	start_machine();
	*swap = swap_pages > 0 ? plug_swap(swap_pages) : NULL;
	*cache = cache_pages > 0 ? plug_cache(cache_pages) : NULL;
	if (*swap)
		(*swap)->fails = fail_writes;
	if (*cache)
		(*cache)->fails = fail_writes;
}

/* ---- Users ---- */

/* What must be in a page of its own: zeros until it was written, else its name. */
static void check_page(const struct guest *guest, const uint8_t *bytes, uint64_t page)
{
	uint8_t right[FRAME_SIZE] = { 0 };

	if (guest->kind == VM_CACHE)
		name_page(right, VM_CACHE, guest->want.first + page,
			  cache_written[guest->want.first + page]);
	else if (guest->written[page] > 0)
		name_page(right, 16 + (uint64_t)(guest - guests), page, guest->written[page]);
	assert_memory_equal(bytes, right, FRAME_SIZE);
}

static void write_page(struct guest *guest, uint8_t *bytes, uint64_t page)
{
	uint64_t number = guest->want.first + page;

	if (guest->kind == VM_CACHE)
		name_page(bytes, VM_CACHE, number, ++cache_written[number]);
	else
		name_page(bytes, 16 + (uint64_t)(guest - guests), page, ++guest->written[page]);
}

static void touch_page(struct guest *guest, uint64_t page, bool write)
{
	uint8_t *bytes = sim_demand_touch(guest->first + page, write);

	check_page(guest, bytes, page);
	guest->came_back += vm_page_came_back(page);
	if (write)
		write_page(guest, bytes, page);
	guest->touched++;
}

static void do_it(struct guest *guest)
{
	uint64_t end = guest->page + guest->count;

	switch (guest->act) {
	case GUEST_READ:
	case GUEST_WRITE:
		for (uint64_t page = guest->page; page < end; page++)
			touch_page(guest, page, guest->act == GUEST_WRITE);
		return;
	case GUEST_WILL_TOUCH:
		vm_user_will_touch(guest->page, guest->count);
		return;
	case GUEST_DISCARD:
		vm_user_discard(guest->page, guest->count);
		memset(guest->written + guest->page, 0, guest->count * sizeof(uint32_t));
		return;
	case GUEST_END:
		return;
	}
}

static void note_end(unsigned task, const char *why)
{
	for (struct guest *guest = guests; guest < guests + GUESTS_MAX; guest++) {
		if (!guest->used || guest->ended || guest->task != task)
			continue;
		guest->why = why;
		guest->ended = true;
		guest->busy = false;
		task_wake(&guest->queue);
	}
}

static void wait_while_idle(struct guest *guest)
{
	uint64_t flags = irq_save();

	while (!guest->busy && !vm_user_is_doomed())
		task_wait(&guest->queue, clock_ns() + NS_PER_S);
	irq_restore(flags);
}

static void live(void *arg)
{
	struct guest *guest = arg;
	uint8_t *memory = NULL;
	bool more = true;

	guest->task = task_id();
	guest->err = vm_user_begin(&guest->want, &memory);
	guest->busy = false;
	task_wake(&guest->queue);
	if (guest->err)
		return;
	guest->first = ((uintptr_t)memory - PAGING_DEMAND_START) >> FRAME_SHIFT;
	while (more) {
		wait_while_idle(guest);
		more = !vm_user_is_doomed() && guest->act != GUEST_END;
		if (more)
			do_it(guest);
		guest->busy = false;
		task_wake(&guest->queue);
	}
	vm_user_end();
}

void wait_for(struct guest *guest)
{
	uint64_t deadline = clock_ns() + 600 * NS_PER_S, flags = irq_save();

	while (guest->busy && clock_ns() < deadline)
		task_wait(&guest->queue, deadline);
	irq_restore(flags);
	assert_false(guest->busy);
}

struct guest *begin_guest_at(const struct vm_want *want)
{
	struct guest *guest = guests;

	while (guest->used)
		guest++;
	assert_true(guest < guests + GUESTS_MAX);
	memset(guest, 0, sizeof(*guest));
	guest->used = true;
	guest->want = *want;
	guest->want.ended = note_end;
	guest->kind = want->kind;
	guest->busy = true;
	assert_int_equal(task_create("guest", TASK_PRIORITY_BACKGROUND, live, guest), 0);
	wait_for(guest);
	guest->act = GUEST_READ;
	return guest;
}

struct guest *begin_guest(enum vm_kind kind, uint64_t pages, uint64_t limit, bool writes)
{
	struct guest *guest = begin_guest_at(&(struct vm_want){
		.kind = kind, .pages = pages, .limit = limit, .writes = writes });

	assert_int_equal(guest->err, 0);
	return guest;
}

void ask(struct guest *guest, enum guest_act what, uint64_t page, uint64_t count)
{
	assert_false(guest->busy);
	if (guest->ended)
		return;
	guest->act = what;
	guest->page = page;
	guest->count = count;
	guest->busy = true;
	task_wake(&guest->queue);
}

void act(struct guest *guest, enum guest_act what, uint64_t page, uint64_t count)
{
	ask(guest, what, page, count);
	wait_for(guest);
}

void end_guest(struct guest *guest)
{
	uint64_t deadline = clock_ns() + 60 * NS_PER_S;

	act(guest, GUEST_END, 0, 0);
	while (!guest->err && !guest->ended && clock_ns() < deadline)
		wait_ns(NS_PER_MS);
	assert_true(guest->err || guest->ended);
	guest->used = false;
}

/* ---- What must hold ---- */

static uint64_t sum(enum vm_kind kind)
{
	uint64_t resident = 0;

	for (unsigned i = 0; i < VM_REGIONS_MAX; i++)
		if (vm_regions[i].used && vm_regions[i].kind == kind)
			resident += vm_regions[i].resident;
	return resident;
}

static uint64_t swapped(void)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < VM_REGIONS_MAX; i++)
		pages += vm_regions[i].used ? vm_regions[i].swapped : 0;
	return pages;
}

/* Frames that a device keeps, as it could not be reset: they are its for good. */
static uint64_t kept(enum owner owner)
{
	uint64_t frames = 0;

	for (pfn_t pfn = sim_ram_next_lent(0); pfn != PFN_NONE; pfn = sim_ram_next_lent(pfn + 1))
		frames += frame_owner(pfn) == owner;
	return frames;
}

void assert_whole(void)
{
	char verdict[LEDGER_VERDICT_MAX];

	settle();
	if (!ledger_check(verdict))
		fail_msg("%s", verdict);
	assert_int_equal(ledger_count(OWNER_ANON), vm_events.anonymous + kept(OWNER_ANON));
	assert_int_equal(ledger_count(OWNER_CACHE), vm_events.cached + kept(OWNER_CACHE));
	assert_int_equal(ledger_count(OWNER_PAGE_TABLES), sim_demand_tables());
	assert_int_equal(sim_demand_mapped(), vm_events.anonymous + vm_events.cached);
	assert_int_equal(sum(VM_ANONYMOUS), vm_events.anonymous);
	assert_int_equal(sum(VM_CACHE), vm_events.cached);
	assert_int_equal(swapped(), vm_events.swapped);
	assert_true(vm_events.dirty <= vm_events.cached);
	assert_true(vm_events.swapped <= vm_events.swap_total);
	assert_true(vm_events.limit_stalls + vm_events.disk_stalls <= vm_events.stalls);
}

void assert_empty(void)
{
	assert_whole();
	assert_int_equal(vm_events.anonymous, 0);
	assert_int_equal(vm_events.swapped, 0);
	if (vm_events.cached == 0) {
		assert_int_equal(sim_demand_tables(), 0);
		assert_int_equal(page_record_count(), 0);
	}
}

void hold_all_but(uint64_t free)
{
	while (ledger_count(OWNER_FREE) > free) {
		assert_true(held_count < HELD_MAX);
		assert_int_equal(frame_alloc(0, OWNER_HELD, &held[held_count++]), 0);
	}
}

void hold_none(void)
{
	while (held_count > 0)
		assert_int_equal(frame_free(held[--held_count], 1, OWNER_HELD), 0);
}
