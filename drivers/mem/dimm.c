/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DIMMs, from the look at a slot to the ejection. What a slot says is input: it may lie over
 * other memory, change while it is used, or be empty all of a sudden. Then it is not used,
 * or not any more; what is in use of memory that is gone cannot be helped, and is named.
 */
#include "drivers/mem/dimm.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "arch/clock.h"
#include "drivers/acpi/acpi_memory.h"
#include "drivers/mem/dimm_internal.h"
#include "drivers/mem/mem_events.h"
#include "drivers/mem/mem_leave.h"
#include "drivers/mem/mem_lost.h"
#include "drivers/mem/mem_source.h"
#include "kernel/lib/log.h"
#include "kernel/lib/parse.h"
#include "mm/memory_region.h"

/* So long the balloon may take to move out, by clock_awake_ns(). */
#define LEAVE_NS (5 * NS_PER_S)

enum dimm_state {
	DIMM_EMPTY,   /* nothing is there, or it was not looked at */
	DIMM_REFUSED, /* something is there that cannot be used */
	DIMM_USED,
	DIMM_LEAVING, /* it is used until the balloon has moved out */
	DIMM_LOST,    /* it is not there any more, and some of it is in use */
};

static struct dimm {
	struct acpi_memory_slot slot; /* as it was at the last look */
	enum dimm_state state;
	bool wanted;		       /* the host wants it back, and that is not answered */
	uint64_t since_awake;	       /* when it began to leave */
	struct acpi_memory_slot taken; /* as it was when that was decided */
	struct mem_source source;      /* in the list while it is used, or lost */
} dimms[ACPI_MEMORY_SLOTS_MAX];

static uint64_t unused; /* bytes */

static unsigned number(const struct dimm *dimm)
{
	return (unsigned)(dimm - dimms);
}

static bool is_used(const struct dimm *dimm)
{
	return dimm->state == DIMM_USED || dimm->state == DIMM_LEAVING;
}

static bool is_same(const struct acpi_memory_slot *a, const struct acpi_memory_slot *b)
{
	return a->present == b->present && a->address == b->address && a->size == b->size;
}

static uint64_t bytes(const struct dimm *dimm)
{
	return pfn_to_paddr(dimm->source.plugged);
}

/* ---- Coming ---- */

static void use(struct dimm *dimm, pfn_t start, size_t blocks)
{
	struct mem_source *source = &dimm->source;

	*source = (struct mem_source){
		.kind = "dimm",
		.part = { .start = start, .blocks = blocks, .unit = blocks },
		.requested = blocks * BLOCK_FRAMES,
		.plugged = blocks * BLOCK_FRAMES,
	};
	snprintf(source->name, sizeof(source->name), "slot %u", number(dimm));
	dimm->state = DIMM_USED;
	mem_source_add(source);
	mem_event(MEM_EVENT_PLUGGED, start, source->plugged);
}

static void say_used(const struct dimm *dimm)
{
	char size[FORMAT_SIZE_MAX], rest[FORMAT_SIZE_MAX];

	format_size(bytes(dimm), size);
	if (dimm->slot.size == bytes(dimm))
		log_info("memory: slot %u brings %s", number(dimm), size);
	else
		log_warn("memory: slot %u brings %s; its last %s are not used, as blocks have "
			 "2 MiB",
			 number(dimm), size, format_size(dimm->slot.size - bytes(dimm), rest));
}

static void say_refused(const struct dimm *dimm, const char *why)
{
	char size[FORMAT_SIZE_MAX];

	log_warn("memory: slot %u: %s at %#" PRIx64 " are not used: %s", number(dimm),
		 format_size(dimm->slot.size, size), dimm->slot.address, why);
}

/* Takes into use what is in a slot, if that can be done, and says so. */
static void come(struct dimm *dimm)
{
	size_t blocks;
	pfn_t start;
	const char *why = dimm_plug(&dimm->slot, &start, &blocks);

	dimm->taken = dimm->slot;
	if (why) {
		dimm->state = DIMM_REFUSED;
		say_refused(dimm, why);
	} else {
		use(dimm, start, blocks);
		say_used(dimm);
	}
	if (dimm->slot.inserted)
		acpi_memory_report(number(dimm), !why);
}

/* ---- Leaving ---- */

static void forget(struct dimm *dimm)
{
	mem_source_remove(&dimm->source);
	dimm->source.plugged = 0;
	dimm->state = DIMM_EMPTY;
}

/* Lets the host take what nobody uses; tells whether it did. */
static bool eject(struct dimm *dimm)
{
	acpi_memory_eject(number(dimm));
	acpi_memory_read(number(dimm), &dimm->slot);
	return !is_same(&dimm->slot, &dimm->taken);
}

/* What nobody has used leaves without a look at it. */
static void eject_unused(struct dimm *dimm)
{
	dimm->taken = dimm->slot;
	if (eject(dimm)) {
		log_info("memory: slot %u is empty", number(dimm));
		dimm->state = DIMM_EMPTY;
	} else {
		log_warn("memory: slot %u: the host does not take what it wanted back",
			 number(dimm));
		dimm->state = DIMM_REFUSED;
	}
}

static void begin_leaving(struct dimm *dimm)
{
	dimm->wanted = false;
	dimm->state = DIMM_LEAVING;
	dimm->since_awake = clock_awake_ns();
	dimm->source.requested = 0;
	mem_event(MEM_EVENT_REQUESTED, 0, dimm->source.plugged);
	mem_leave_begin(&dimm->source);
}

static void end_leaving(struct dimm *dimm)
{
	mem_leave_end(&dimm->source);
	dimm->source.requested = dimm->source.plugged;
	dimm->state = DIMM_USED;
}

/* All of it is OWNER_UNPLUGGED's: it may go. */
static void hand_over(struct dimm *dimm)
{
	const struct frame_region_part *part = &dimm->source.part;
	char size[FORMAT_SIZE_MAX];
	int err;

	format_size(bytes(dimm), size);
	mem_event(MEM_EVENT_CLAIMED, part->start, dimm->source.plugged);
	end_leaving(dimm);
	if (!eject(dimm)) {
		memory_region_keep(part->start, part->blocks);
		mem_event(MEM_EVENT_KEPT, part->start, dimm->source.plugged);
		log_warn("memory: slot %u: the host does not take the %s that it wanted back",
			 number(dimm), size);
		return;
	}
	err = memory_region_leave(part->start, part->blocks);
	assert(!err);
	mem_event(MEM_EVENT_LEFT, part->start, dimm->source.plugged);
	log_info("memory: slot %u: %s have left", number(dimm), size);
	forget(dimm);
}

static void refuse(struct dimm *dimm, const char *why)
{
	char size[FORMAT_SIZE_MAX], users[DIMM_USERS_MAX];
	bool used = dimm_list_users(&dimm->source.part, users);

	acpi_memory_refuse(number(dimm));
	mem_event(MEM_EVENT_STUCK, 0, dimm->source.plugged);
	end_leaving(dimm);
	log_warn("memory: slot %u: %s cannot leave: %s%s", number(dimm),
		 format_size(bytes(dimm), size), used ? "in it are " : "", used ? users : why);
}

/* Goes on with one that leaves; returns whether it will take longer. */
static bool go_on(struct dimm *dimm)
{
	const char *why = NULL;
	size_t blocks;
	pfn_t start;

	switch (mem_leave(&dimm->source, dimm->source.part.blocks, &start, &blocks, &why)) {
	case MEM_LEAVE_CLAIMED:
		hand_over(dimm);
		return false;
	case MEM_LEAVE_LATER:
		if (clock_awake_ns() - dimm->since_awake < LEAVE_NS)
			return true;
		break;
	case MEM_LEAVE_STUCK:
		break;
	}
	refuse(dimm, why);
	return false;
}

/* ---- Gone without a word ---- */

/* Nobody gets any of what is gone. */
static void look_at_lost(struct dimm *dimm)
{
	mem_lost_look(&dimm->source);
	if (dimm->source.plugged == 0)
		forget(dimm);
}

static void lose(struct dimm *dimm)
{
	char size[FORMAT_SIZE_MAX], users[DIMM_USERS_MAX];

	if (dimm->state == DIMM_LEAVING)
		end_leaving(dimm);
	format_size(bytes(dimm), size);
	mem_event(MEM_EVENT_PULLED, dimm->source.part.start, dimm->source.plugged);
	dimm->state = DIMM_LOST;
	dimm->wanted = false;
	dimm->source.requested = 0;
	dimm->source.part.unit = 1;
	dimm->source.trouble = "it was taken away while it was in use";
	look_at_lost(dimm);
	if (dimm->state == DIMM_EMPTY)
		log_warn("memory: slot %u: %s were taken away unasked", number(dimm), size);
	else
		log_warn("memory: slot %u: %s were taken away unasked, and with them %s",
			 number(dimm), size,
			 dimm_list_users(&dimm->source.part, users) ? users
								    : "some of the balloon's");
}

/* ---- Looking ---- */

/* Acts on what a slot says, which `dimm->slot` has. */
static void act(struct dimm *dimm)
{
	const struct acpi_memory_slot *slot = &dimm->slot;

	if (slot->inserted)
		acpi_memory_clear_inserted(number(dimm));
	if (slot->removing)
		acpi_memory_clear_removing(number(dimm));
	if (dimm->state == DIMM_LOST)
		look_at_lost(dimm);
	else if (is_used(dimm) && !is_same(slot, &dimm->taken))
		lose(dimm);
	if (dimm->state == DIMM_LOST) {
		if (slot->removing)
			acpi_memory_refuse(number(dimm));
		return;
	}
	if (!slot->present)
		dimm->state = DIMM_EMPTY;
	else if (is_used(dimm))
		dimm->wanted |= slot->removing && dimm->state == DIMM_USED;
	else if (slot->removing)
		eject_unused(dimm);
	else if (dimm->state == DIMM_EMPTY || slot->inserted || !is_same(slot, &dimm->taken))
		come(dimm);
}

static uint64_t unused_in(const struct dimm *dimm)
{
	uint64_t used = is_used(dimm) ? bytes(dimm) : 0;

	return dimm->slot.size - min_u64(dimm->slot.size, used);
}

/* The sum may be asked for in an interrupt, so it is whole at any time. */
static void count_unused(void)
{
	uint64_t sum = 0, size;

	for (unsigned i = 0; i < acpi_memory_slots(); i++) {
		size = unused_in(&dimms[i]);
		/* Sizes that cannot be do not make the sum small. */
		sum = size <= UINT64_MAX - sum ? sum + size : UINT64_MAX;
	}
	unused = sum;
}

/* Sorts slots by address, as regions are announced in that order. */
static void sort(struct dimm *order[], unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		struct dimm *dimm = order[i];
		unsigned at = i;

		for (; at > 0 && order[at - 1]->slot.address > dimm->slot.address; at--)
			order[at] = order[at - 1];
		order[at] = dimm;
	}
}

void dimm_look(void)
{
	static struct dimm *order[ACPI_MEMORY_SLOTS_MAX];
	unsigned count = acpi_memory_slots();

	for (unsigned i = 0; i < count; i++) {
		order[i] = &dimms[i];
		acpi_memory_read(i, &dimms[i].slot);
	}
	sort(order, count);
	for (unsigned i = 0; i < count; i++)
		act(order[i]);
	count_unused();
}

/* One leaves at a time, so that each has its time for it. */
static struct dimm *next_to_leave(void)
{
	struct dimm *wanted = NULL;

	for (unsigned i = acpi_memory_slots(); i-- > 0;) {
		if (dimms[i].state == DIMM_LEAVING)
			return &dimms[i];
		if (dimms[i].wanted)
			wanted = &dimms[i];
	}
	if (wanted)
		begin_leaving(wanted);
	return wanted;
}

bool dimm_step(void)
{
	struct dimm *dimm;

	while ((dimm = next_to_leave())) {
		if (go_on(dimm))
			return true;
		count_unused();
	}
	return false;
}

void dimm_start(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(dimms); i++)
		dimms[i] = (struct dimm){ 0 };
	unused = 0;
	if (acpi_memory_find())
		return;
	dimm_announce_windows();
	dimm_look();
}

uint64_t dimm_unused(void)
{
	return unused;
}
