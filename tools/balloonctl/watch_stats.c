/* SPDX-License-Identifier: BSD-2-Clause */
/* The statistics of a guest on the screen of `balloonctl watch`, instead of its course. */
#include <inttypes.h>
#include <stdio.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/report.h"
#include "tools/balloonctl/watch_parts.h"

#define COLUMN 38 /* of two beside each other in 80 */

static void write_value(enum stat_unit unit, uint64_t value, char text[SIZE_TEXT])
{
	if (unit == STAT_BYTES)
		size_word(value, text);
	else
		snprintf(text, SIZE_TEXT, "%" PRIu64, value);
}

/* In columns of so many rows as there are. */
void watch_draw_stats(struct grid *grid, int top, int rows, const struct watch_view *view)
{
	static const struct {
		const char *name;
		enum stat_unit unit;
	} lines[STAT_COUNT] = {
#define STAT_ROW(constant, tag, qmp, virsh, unit) [tag] = { (qmp), (unit) },
		STAT_TABLE(STAT_ROW)
#undef STAT_ROW
	};
	char text[REPORT_SITUATION], value_text[SIZE_TEXT];
	int place = 0;
	uint64_t value;

	report_write_situation(&view->sample.situation, text, sizeof(text));
	grid_words(grid, top, 1, GRID_BOLD, text);
	for (unsigned i = 0; i < STAT_COUNT && rows > 1; i++) {
		int row = top + 1 + place % (rows - 1);
		int column = 1 + place / (rows - 1) * COLUMN;

		if (!sample_stat(&view->sample, i, &value))
			continue;
		write_value(lines[i].unit, value, value_text);
		if (grid_field(grid, row, column, grid->columns, GRID_PLAIN, "%-16s %12s",
			       lines[i].name, value_text) == column)
			break;
		place++;
	}
}
