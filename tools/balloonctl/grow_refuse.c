/* SPDX-License-Identifier: BSD-2-Clause */
/* Words for sizes that a guest cannot have: see grow_refuse.h. */
#include <assert.h>

#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/grow_refuse.h"

const char *grow_command(const struct grow_wish *wish)
{
	return wish->shrinks ? "shrink" : "grow";
}

static void complain_backwards(const struct grow_refusal *r)
{
	char now[SIZE_TEXT];

	complain("'%s' is %s than the guest has now, %s: `balloonctl %s --to %s` is what you want",
		 r->typed, r->wish->shrinks ? "more" : "less", size_word(r->state->left, now),
		 r->wish->shrinks ? "grow" : "shrink", r->typed);
}

/* "the balloon holds 256.0 MiB" */
static void balloon_words(const struct guest_state *state, char *words, size_t size)
{
	char taken[SIZE_TEXT];

	if (state->lacks_balloon)
		snprintf(words, size, "there is no balloon");
	else
		snprintf(words, size, "the balloon holds %s", size_word(state->taken, taken));
}

/* What the means are, for a size that is beyond them. */
static void complain_too_much(const struct grow_refusal *r)
{
	uint64_t nearest = r->near.below ? r->near.below : r->near.above;
	char size[SIZE_TEXT], region[SIZE_TEXT], is[SIZE_TEXT], balloon[SIZE_TEXT + 20];
	const char *to = r->wish->in_all ? "--to " : "";

	size_exact(nearest, size);
	balloon_words(r->state, balloon, sizeof(balloon));
	complain("'%s' is too %s: %s has %s plugged of %s, and %s; possible: %s%s%s%s", r->typed,
		 r->wish->shrinks && r->wish->in_all ? "little" : "much", r->device->name,
		 size_word(r->device->plugged, is), size_word(r->device->region, region), balloon,
		 nearest ? grow_command(r->wish) : "nothing", nearest ? " " : "", nearest ? to : "",
		 nearest ? size : "");
}

/* `why`, and which sizes are next to it. */
static void complain_between(const struct grow_refusal *r, const char *why)
{
	char below[SIZE_TEXT], above[SIZE_TEXT];
	const char *to = r->wish->in_all ? "--to " : "";

	size_exact(r->near.below, below);
	size_exact(r->near.above, above);
	complain("'%s' %s; possible: %s%s%s%s%s%s", r->typed, why, r->near.below ? to : "",
		 r->near.below ? below : "", r->near.below && r->near.above ? " or " : "",
		 r->near.above ? to : "", r->near.above ? above : "",
		 r->near.below || r->near.above ? "" : "nothing");
}

static void complain_multiple(const struct grow_refusal *r)
{
	char block[SIZE_TEXT], why[GUEST_MEM_NAME + 100];

	size_exact(r->device->block, block);
	snprintf(why, sizeof(why), "cannot be made of the blocks of %s, which have %s",
		 r->device->name, block);
	complain_between(r, why);
}

int grow_refuse(enum grow_verdict verdict, const struct grow_refusal *refusal)
{
	assert(verdict != GROW_PLANNED);
	switch (verdict) {
	case GROW_BACKWARDS:
		complain_backwards(refusal);
		break;
	case GROW_TOO_MUCH:
		complain_too_much(refusal);
		break;
	case GROW_NO_CHANGE:
		complain_between(refusal, "would change nothing by the balloon's pages");
		break;
	default:
		complain_multiple(refusal);
		break;
	}
	return EXIT_USAGE;
}
