/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's memory as a bar and in words: see watch_parts.h. The bar is the RAM that the guest
 * has, used, free and taken, and what is requested of its virtio-mem devices and still to come.
 */
#include <string.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/watch_parts.h"

uint64_t watch_still_to_come(const struct watch_view *view)
{
	const struct guest_state *state = &view->sample.state;

	return state->requested > state->grown ? state->requested - state->grown : 0;
}

/* The bytes of the whole bar; of impossible amounts, no picture is right. */
static uint64_t whole_of(const struct watch_view *view)
{
	uint64_t whole;

	if (__builtin_add_overflow(view->sample.state.ram, watch_still_to_come(view), &whole))
		return UINT64_MAX;
	return whole;
}

static void put_target(struct grid *grid, int row, int column, int inner, int at)
{
	watch_put(grid, row, column + (at < inner ? at : inner - 1), &watch_target);
}

void watch_draw_bar(struct grid *grid, int row, const struct watch_view *view)
{
	const struct guest_state *state = &view->sample.state;
	/* Without the brackets, and a column to their left and right. */
	int inner = grid->columns - 4, left, busy, here;
	uint64_t free, whole = whole_of(view);

	if (inner < 1)
		return;
	here = watch_still_to_come(view) ? watch_share(state->ram, whole, inner) : inner;
	left = busy = watch_share(state->left, whole, inner);
	if (sample_stat(&view->sample, STAT_FREE_MEMORY, &free) && free <= state->left)
		busy = watch_share(state->left - free, whole, inner);
	grid_text(grid, row, 1, GRID_DIM, "[");
	for (int i = 0; i < inner; i++)
		watch_put(grid, row, 2 + i,
			  i < busy   ? &watch_used
			  : i < left ? &watch_unused
			  : i < here ? &watch_taken
				     : &watch_requested);
	if (state->has_target)
		put_target(grid, row, 2, inner, watch_share(state->target_left, whole, inner));
	grid_text(grid, row, grid->columns - 2, GRID_DIM, "]");
}

/* "2.000 GiB"; what has grown may be on its way: "2.000 GiB of 4.000 GiB". */
static void write_amount(const struct watch_view *view, enum watch_sort amount, double bytes,
			 char words[2 * SIZE_TEXT + 4])
{
	const struct guest_state *state = &view->sample.state;
	char text[SIZE_TEXT], wanted[SIZE_TEXT];

	const char *word = size_word((uint64_t)bytes, text);

	if (amount == WATCH_BY_GROWN && state->requested != state->grown)
		snprintf(words, 2 * SIZE_TEXT + 4, "%s of %s", word,
			 size_word(state->requested, wanted));
	else
		snprintf(words, 2 * SIZE_TEXT + 4, "%s", word);
}

void watch_draw_amounts(struct grid *grid, int row, const struct watch_view *view)
{
	static const struct {
		enum watch_sort amount;
		const char *name;
	} amounts[] = { { WATCH_BY_LEFT, "left" },
			{ WATCH_BY_TAKEN, "taken" },
			{ WATCH_BY_GROWN, "grown" },
			{ WATCH_BY_FREE, "free" },
			{ WATCH_BY_TARGET, "target left" } };
	char words[2 * SIZE_TEXT + 4];
	int column = 1;
	double bytes;

	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++) {
		int before = column, width;

		if (!watch_amount(view, amounts[i].amount, &bytes))
			continue;
		write_amount(view, amounts[i].amount, bytes, words);
		column = grid_field(grid, row, column, grid->columns, GRID_PLAIN, "%s %s",
				    amounts[i].name, words);
		if (column == before)
			break;
		/* So that they stay where they are. */
		width = strstr(words, " of ") ? 10 + 4 + 10 : 10;
		column = before + (int)strlen(amounts[i].name) + 1 + width + 1;
	}
}
