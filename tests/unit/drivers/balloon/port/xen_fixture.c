/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests of the balloon on Xen share; see xen_fixture.h. */
#include "drivers/balloon/balloon_state_internal.h"
#include "tests/unit/drivers/balloon/port/xen_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/phys_map.h"
#include "drivers/balloon/balloon_batch.h"
#include "drivers/xen/xenstore.h"
#include "tests/sim/sim_detach.h"

struct xen_store store;

/* ---- The store ---- */

static struct xenstore_node *followed; /* NULL: nobody has asked this store for it yet */

int xenstore_read(const char *path, char *value, size_t size, size_t *length)
{
	if (store.err)
		return store.err;
	assert_string_equal(path, "memory/static-max");
	if (!store.static_max)
		return -ENOENT;
	assert_true(strlen(store.static_max) < size);
	*length = strlen(store.static_max);
	memcpy(value, store.static_max, *length + 1);
	return 0;
}

/* The store's task reads what has changed. */
static void update_node(void)
{
	size_t length = store.target ? strlen(store.target) : 0;

	if (!followed)
		return;
	followed->changes++;
	followed->exists = store.target;
	followed->cut = length >= XENSTORE_NODE_MAX;
	followed->length = followed->cut ? XENSTORE_NODE_MAX - 1 : length;
	memcpy(followed->value, store.target ? store.target : "", followed->length);
	followed->value[followed->length] = '\0';
	task_wake(followed->waiters);
}

const struct xenstore_node *xenstore_nodes(void)
{
	return followed;
}

int xenstore_follow(struct xenstore_node *node)
{
	if (store.err || store.follow_err)
		return store.err ? store.err : store.follow_err;
	assert_string_equal(node->path, "memory/target");
	store.followers++;
	followed = node;
	update_node();
	return 0;
}

void put_target(const char *text)
{
	store.target = text;
	update_node();
}

void write_target_text(const char *text)
{
	put_target(text);
	settle();
}

static const char *kib_text(uint64_t kib)
{
	static char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)kib);
	return text;
}

void write_target(uint64_t kib)
{
	write_target_text(kib_text(kib));
}

void ask_for(uint64_t frames)
{
	sim_xen_limit(RAM_FRAMES - frames);
	put_target(kib_text(MAX_KIB - frames * FRAME_KIB));
}

void xen_wants(uint64_t frames)
{
	ask_for(frames);
	settle();
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
	return frame_owner(pfn) == OWNER_IN_FLIGHT ? NULL : "a frame that is not in-flight";
}

static void hand_over(uint64_t first, uint64_t count, bool to_xen)
{
	sim_ram_lend(first, count, to_xen);
	if (!to_xen)
		memset(phys_to_virt(pfn_to_paddr(first)), 0xe7, count * FRAME_SIZE);
}

void begin_sim_xen(uint64_t frames)
{
	sim_xen.guest = (struct sim_xen_guest){ .memory = guest_memory,
						.check = check_frame,
						.hand_over = hand_over };
	sim_xen_begin(FIRST_FRAME, frames);
	sim_xen.param[XEN_PARAM_STORE_PFN] = 0xfeffc;
	sim_xen.param[XEN_PARAM_STORE_PORT] = 1;
}

int set_up_xen(void **state)
{
	set_up(state);
	begin_sim_xen(RAM_FRAMES);
	store = (struct xen_store){ .static_max = MAX_KIB_TEXT, .target = MAX_KIB_TEXT };
	followed = NULL;
	assert_int_equal(MAX_KIB, 65540);
	return 0;
}

void get_well(void)
{
	sim_xen.faults = (struct sim_xen_faults){
		.extents_most = { UINT64_MAX, UINT64_MAX },
		.stubborn = { SIM_XEN_NO_FRAME, SIM_XEN_NO_FRAME },
	};
	sim_xen.host_free = UINT64_MAX / 2;
	sim_xen_limit(sim_xen.frames);
}

void end_xen(void)
{
	const char *violation = sim_xen.violation;

	assert_int_equal(sim_xen.there + ballooned() + ledger_count(OWNER_IN_FLIGHT),
			 sim_xen.frames);
	get_well();
	sim_detach_all();
	if (violation || sim_xen.violation)
		fail_msg("%s", violation ? violation : sim_xen.violation);
}

/* What a balloon that was given up has is Xen's for ever. */
int tear_down_xen(void **state)
{
	(void)state;
	assert_books();
	end_xen();
	assert_books();
	assert_int_equal(ledger_count(OWNER_FREE) + ledger_count(OWNER_HELD), sim_xen.there);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), RAM_FRAMES - sim_xen.there);
	sim_ram_stop();
	return 0;
}

/* ---- The balloon ---- */

void begin_xen(uint64_t floor)
{
	const struct balloon_config config = { .floor = floor };

	balloon_init(&config);
	assert_int_equal(xen_balloon_start(), 0);
	settle();
}

void assert_xen_has(uint64_t frames)
{
	assert_int_equal(ballooned(), frames);
	assert_int_equal(RAM_FRAMES - sim_xen.there, frames);
	assert_int_equal(status().actual, frames);
	assert_int_equal(ledger_count(OWNER_IN_FLIGHT), 0);
}
