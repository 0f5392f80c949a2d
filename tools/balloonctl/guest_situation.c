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
#define ROW(reading, statistic) { (statistic), (reading) },
		READING_STATS(ROW)
#undef ROW
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
