/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames that a simulated hypervisor has; see sim_host.h. */
#include "tests/sim/sim_host.h"

#include <string.h>

#define FIRST (SIM_RAM_START / FRAME_SIZE)

void sim_host_violate(struct sim_host *host, const char *what)
{
	if (!host->violation)
		host->violation = what;
}

static bool is_ram(pfn_t first, uint64_t count)
{
	return first >= FIRST && count <= SIM_RAM_FRAMES && first - FIRST <= SIM_RAM_FRAMES - count;
}

bool sim_host_has(const struct sim_host *host, pfn_t pfn)
{
	return is_ram(pfn, 1) && host->has[pfn - FIRST];
}

void sim_host_take(struct sim_host *host, pfn_t first, uint64_t count)
{
	if (!is_ram(first, count)) {
		sim_host_violate(host, "a frame was given that is no RAM");
		return;
	}
	for (pfn_t pfn = first; pfn < first + count; pfn++) {
		if (host->has[pfn - FIRST])
			sim_host_violate(host, "a frame was given twice");
		else if (frame_owner(pfn) != OWNER_IN_FLIGHT)
			sim_host_violate(host, "a frame was given that is not in-flight");
		host->has[pfn - FIRST] = true;
	}
	host->count += count;
	sim_ram_lend(first, count, true);
}

void sim_host_give_back(struct sim_host *host, pfn_t first, uint64_t count)
{
	if (!is_ram(first, count)) {
		sim_host_violate(host, "a frame was wanted back that is no RAM");
		return;
	}
	for (pfn_t pfn = first; pfn < first + count; pfn++) {
		if (!host->has[pfn - FIRST])
			sim_host_violate(host, "a frame was wanted back that was not given");
		host->has[pfn - FIRST] = false;
	}
	host->count -= count;
	sim_ram_lend(first, count, false);
}

void sim_host_forget(struct sim_host *host)
{
	pfn_t first = 0;
	uint64_t count;

	while ((count = sim_host_find(host, first, SIM_RAM_FRAMES, &first)) > 0)
		sim_host_give_back(host, first, count);
}

uint64_t sim_host_find(const struct sim_host *host, pfn_t from, uint64_t most, pfn_t *first)
{
	uint64_t i = from > FIRST ? from - FIRST : 0, count = 0;

	while (i < SIM_RAM_FRAMES && !host->has[i])
		i++;
	while (i + count < SIM_RAM_FRAMES && count < most && host->has[i + count])
		count++;
	*first = FIRST + i;
	return count;
}

/* A run of whole blocks may be longer than a batch of single frames. */
static bool is_blocks(const struct balloon_batch *batch)
{
	for (size_t i = 0; i < batch->run_count; i++)
		if (batch->run[i].first % BLOCK_FRAMES != 0 ||
		    batch->run[i].count % BLOCK_FRAMES != 0)
			return false;
	return true;
}

void sim_host_check_batch(struct sim_host *host, const struct balloon_batch *batch,
			  const struct balloon_terms *terms)
{
	uint64_t frames = 0, end = 0;

	if (batch->index > BALLOON_BATCHES)
		sim_host_violate(host, "a batch that has no number");
	for (size_t i = 0; i < batch->run_count; i++) {
		if (batch->run[i].count == 0 || (i > 0 && batch->run[i].first <= end))
			sim_host_violate(host, "runs that touch, or do not ascend");
		end = batch->run[i].first + batch->run[i].count;
		frames += batch->run[i].count;
	}
	if (frames == 0 || frames != batch->frames)
		sim_host_violate(host, "a batch that is not the sum of its runs");
	if (end > terms->pfn_limit)
		sim_host_violate(host, "a frame beyond the limit");
	if (frames > terms->batch_frames &&
	    (!is_blocks(batch) || frames > terms->batch_block_frames ||
	     batch->run_count > terms->batch_runs))
		sim_host_violate(host, "a batch of more than was agreed");
}
