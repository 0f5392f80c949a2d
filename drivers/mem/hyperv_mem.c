/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges that Hyper-V adds. A region is announced for more than the first range in it, as there
 * are few regions, and Hyper-V adds in pieces of some 128 MiB that follow each other: as far as the
 * host's own region goes, or as is likely and costs little.
 */
#include "drivers/mem/hyperv_mem.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "arch/clock.h"
#include "arch/cpu.h"
#include "drivers/mem/mem_events.h"
#include "drivers/mem/mem_source.h"
#include "kernel/lib/log.h"
#include "kernel/lib/parse.h"
#include "mm/frame_spans.h"
#include "mm/ledger.h"
#include "mm/memory_region.h"

/*
 * One for each region that there can be. Only where somebody else has announced regions could there
 * be more: what follows a range there is of the same source.
 */
#define SOURCES_MAX FRAME_SPANS_MAX

/* 2 GiB at once, before others run. */
#define STEP_BLOCKS 1024

/* The books of a region this many times as large as the guest take less than 0.1 % of it. */
#define REGION_TIMES 64

/* 1 GiB: a frame or two of books. */
#define MODEST_BLOCKS_MIN 512

static struct {
	struct mem_source source[SOURCES_MAX];
	size_t sources;
	uint64_t frames;
	/* The request under way. */
	struct hyperv_mem_request request;
	pfn_t next, end;
	uint64_t said_ns;
	bool said_limit; /* which stays: once is enough */
} mem;

void hyperv_mem_init(void)
{
	for (size_t i = 0; i < mem.sources; i++)
		mem_source_remove(&mem.source[i]);
	mem.sources = 0;
	mem.frames = 0;
	mem.next = mem.end = 0;
	mem.said_ns = 0;
	mem.said_limit = false;
}

uint64_t hyperv_mem_frames(void)
{
	return mem.frames;
}

/* A region as large as the guest, or larger if it is a small one, in blocks. */
static size_t modest_blocks(void)
{
	return max_u64(ledger_managed() / BLOCK_FRAMES, MODEST_BLOCKS_MIN);
}

void hyperv_mem_prepare(void)
{
	if (frame_region_keep_ready(modest_blocks()))
		log_debug("memory: nothing is kept for the books of what Hyper-V may add");
}

/* ---- Where it lies ---- */

/* Returns the first frame that the processor cannot address. */
static pfn_t pfn_end(void)
{
	return UINT64_C(1) << (cpu_physical_bits() - FRAME_SHIFT);
}

static bool is_in(const struct mem_source *source, pfn_t pfn)
{
	return pfn >= source->part.start && pfn < frame_region_part_end(&source->part);
}

static struct mem_source *find_source(pfn_t pfn)
{
	for (size_t i = 0; i < mem.sources; i++)
		if (is_in(&mem.source[i], pfn))
			return &mem.source[i];
	return NULL;
}

static void add_source(pfn_t start, size_t blocks)
{
	struct mem_source *source = &mem.source[mem.sources];

	assert(mem.sources < SOURCES_MAX);
	*source = (struct mem_source){ .kind = "hyperv",
				       .part = { .start = start, .blocks = blocks, .unit = 1 },
				       .stays = true };
	snprintf(source->name, sizeof(source->name), "range %zu", mem.sources);
	mem.sources++;
	mem_source_add(source);
	mem_event(MEM_EVENT_ANNOUNCED, start, blocks * BLOCK_FRAMES);
}

/* Returns the first frame after the region that `pfn` lies in; 0: it lies in none. */
static pfn_t region_end(pfn_t pfn)
{
	struct frame_region_part region;

	for (size_t i = 0; frame_region_get(i, &region); i++)
		if (pfn >= region.start && pfn < frame_region_part_end(&region))
			return frame_region_part_end(&region);
	return 0;
}

/* How far a region from `next` on should reach. */
static pfn_t likely_end(void)
{
	const struct hyperv_mem_request *request = &mem.request;
	uint64_t managed = ledger_managed();
	pfn_t end = mem.end;

	if (request->region_first <= mem.next &&
	    request->region_count > end - request->region_first)
		end = request->region_first +
		      min_u64(request->region_count, pfn_end() - request->region_first);
	else if (request->frames_max > managed)
		end = max_u64(end, mem.next + min_u64(request->frames_max - managed,
						      managed * REGION_TIMES));
	return align_down(min_u64(end, pfn_end()), BLOCK_FRAMES);
}

/* What somebody has announced, as the firmware, is for others, too: up to the next of them. */
static pfn_t end_in_region(pfn_t end)
{
	const struct mem_source *other;

	end = min_u64(end, mem.end);
	other = mem_source_at(mem.next, (end - mem.next) / BLOCK_FRAMES);
	return other ? other->part.start : end;
}

/* Makes a place in a region that somebody has announced, and that ends at `end`. */
static const char *place_in_region(pfn_t end)
{
	struct mem_source *before = find_source(mem.next - BLOCK_FRAMES);
	size_t blocks = (end_in_region(end) - mem.next) / BLOCK_FRAMES;

	if (before && region_end(mem.next - BLOCK_FRAMES) == end)
		before->part.blocks += blocks;
	else if (mem.sources == SOURCES_MAX)
		return mem_source_limit();
	else
		add_source(mem.next, blocks);
	return NULL;
}

/* Announces a region from `next` on: where there is no room for a likely one, a smaller one. */
static const char *announce(pfn_t *end)
{
	pfn_t likely = likely_end();
	pfn_t modest = min_u64(likely, max_u64(mem.end, mem.next + modest_blocks() * BLOCK_FRAMES));
	const pfn_t ends[] = { likely, modest, mem.end };
	const char *why = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		if (i > 0 && ends[i] == *end)
			continue;
		*end = ends[i];
		why = mem_source_announce(mem.next, (*end - mem.next) / BLOCK_FRAMES);
		if (!why)
			break;
	}
	return why;
}

/* Makes a place for the next frames. Returns why there can be none, or NULL. */
static const char *make_place(void)
{
	pfn_t end = region_end(mem.next);
	const char *why;

	if (mem_source_at(mem.next, 1))
		return "other memory that comes and goes lies there";
	if (end != 0)
		return place_in_region(end);
	if (mem.sources == SOURCES_MAX)
		return mem_source_limit();
	why = announce(&end);
	if (!why)
		add_source(mem.next, (end - mem.next) / BLOCK_FRAMES);
	return why;
}

/* ---- A request ---- */

static const char *check_shape(const struct hyperv_mem_request *request)
{
	if (request->count == 0)
		return "it is no memory at all";
	if (request->first >= pfn_end() || request->count > pfn_end() - request->first)
		return "the processor cannot address it";
	if (request->first % BLOCK_FRAMES != 0 || request->count % BLOCK_FRAMES != 0)
		return "it is not made of whole blocks of 2 MiB";
	return NULL;
}

void hyperv_mem_begin(const struct hyperv_mem_request *request)
{
	mem.request = *request;
	mem.next = request->first;
	mem.end = check_shape(request) ? request->first : request->first + request->count;
	mem_event(MEM_EVENT_REQUESTED, request->count, mem.frames);
}

/* Takes the next piece into use. Returns why that cannot be, or NULL. */
static const char *plug_some(void)
{
	struct mem_source *source = find_source(mem.next);
	const char *why = source ? NULL : make_place();
	uint64_t frames;

	if (why)
		return why;
	source = find_source(mem.next);
	frames = min_u64(mem.end, frame_region_part_end(&source->part)) - mem.next;
	frames = min_u64(frames, STEP_BLOCKS * BLOCK_FRAMES);
	if (memory_region_plug(mem.next, frames / BLOCK_FRAMES))
		return "some of it is there already";
	mem_event(MEM_EVENT_PLUGGED, mem.next, frames);
	source->requested += frames;
	source->plugged += frames;
	mem.frames += frames;
	mem.next += frames;
	return NULL;
}

static void say(uint64_t added, const char *why)
{
	char size[FORMAT_SIZE_MAX], come[FORMAT_SIZE_MAX];
	const struct hyperv_mem_request *request = &mem.request;
	bool limit = why == mem_source_limit();

	format_size(pfn_to_paddr(added), come);
	if (!why) {
		log_info("memory: Hyper-V brings %s", come);
		return;
	}
	if (!(limit && mem.said_limit) && log_is_due(&mem.said_ns, clock_ns())) {
		mem.said_limit |= limit;
		log_warn("memory: of %s at %#" PRIx64 ", which Hyper-V adds, %s are used: %s",
			 format_size(pfn_to_paddr(request->count), size),
			 pfn_to_paddr(request->first), come, why);
	}
}

bool hyperv_mem_step(uint64_t *added, const char **why)
{
	*why = check_shape(&mem.request);
	if (!*why)
		*why = plug_some();
	if (!*why && mem.next < mem.end)
		return true;
	*added = mem.next - mem.request.first;
	mem.end = mem.next;
	hyperv_mem_prepare();
	say(*added, *why);
	return false;
}
