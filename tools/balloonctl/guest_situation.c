/* SPDX-License-Identifier: BSD-2-Clause */
/* From a guest's statistics to its situation: see guest_situation.h. */
#include "tools/balloonctl/guest_situation.h"

#include <string.h>

/* Those that the guest has sent. */
static void read_stats(const struct guest_stats *stats, struct reading *reading)
{
	static const struct {
		unsigned stat;
		enum reading_value value;
	} rows[] = {
		{ STAT_OOM_KILLS, READING_OOM_KILLS },
		{ STAT_ALLOC_STALLS, READING_STALLS },
		{ STAT_ASYNC_SCANS, READING_ASYNC_SCANS },
		{ STAT_DIRECT_SCANS, READING_DIRECT_SCANS },
		{ STAT_ASYNC_RECLAIMS, READING_ASYNC_RECLAIMS },
		{ STAT_DIRECT_RECLAIMS, READING_DIRECT_RECLAIMS },
		{ STAT_SWAP_IN, READING_SWAP_IN },
		{ STAT_SWAP_OUT, READING_SWAP_OUT },
		{ STAT_MAJOR_FAULTS, READING_MAJOR_FAULTS },
		{ STAT_TOTAL_MEMORY, READING_TOTAL },
	};

	*reading = (struct reading){ 0 };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (stats->present >> rows[i].stat & 1)
			reading_set(reading, rows[i].value, stats->value[rows[i].stat]);
}

void guest_readings_add(struct guest_readings *readings, const struct guest_stats *stats)
{
	struct reading reading;

	if (!stats->ever || stats->update == readings->update)
		return;
	/* Before the year 292 million, which is said by no clock. */
	if (stats->update < readings->update || stats->update > UINT64_MAX / 1000)
		memset(readings, 0, sizeof(*readings));
	if (stats->update > UINT64_MAX / 1000)
		return;
	readings->update = stats->update;
	read_stats(stats, &reading);
	readings_add(&readings->readings, &reading, stats->update * 1000);
}
