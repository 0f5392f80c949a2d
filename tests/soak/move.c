/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random targets for one guest with all features of the balloon and poison, and at every
 * tenth a move into another QEMU while it runs: on the way to that target, mostly.
 * After each the balloon is where it was sent to, and every frame is accounted for; after
 * each move what the guest holds is as it was, too.
 */
#include "tests/soak/soak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/vm.h"
#include "tools/vm_migrate.h"

#define TIMEOUT_MS 180000
#define TARGETS_A_MOVE 10
#define TAKEN_MAX (160 * MIB)
#define HOLD "hold 24M"

#define ALL_FEATURES \
	.mem = "256M", .size = 256 * MIB, .append = "poison=a5", \
	.balloon = "deflate-on-oom=on,free-page-hint=on,iothread=io0," \
		   "free-page-reporting=on,page-poison=on"
#define IOTHREAD "-object iothread,id=io0"

static const struct plan plan = { ALL_FEATURES, .extra = IOTHREAD };
static const struct plan target_plan = { ALL_FEATURES, .extra = IOTHREAD " -incoming defer" };

/* Two of them by turns, as there are two during a move. */
struct course {
	struct guest guests[2];
	unsigned at;
	char names[2][64];
	char folder[64], socket[80], uri[96];
};

static struct guest *current(struct course *course)
{
	return &course->guests[course->at];
}

static int check(struct guest *guest, uint64_t taken)
{
	int err = guest_arrives(guest, taken);

	if (!err)
		err = guest_balloon_lives(guest);
	return err ? err : guest_says(guest, "audit", "Ledger: ok (");
}

static int set_out(struct course *course)
{
	struct guest *guest = current(course);
	int err = guest_start(guest, &plan);

	if (!err)
		err = guest_says(guest, "balloon", "PAGE_POISON REPORTING");
	return err ? err : guest_says(guest, HOLD, "held ");
}

/* The target is set and the move begins at once. */
static int move(struct course *course, uint64_t taken)
{
	struct guest *from = current(course), *to = &course->guests[!course->at];
	int err = guest_start(to, &target_plan);

	if (!err)
		err = guest_target(from, taken);
	if (err)
		return err;
	from->tally->moves++;
	if (vm_migrate_incoming(to->vm, course->uri) || vm_migrate_begin(from->vm, course->uri) ||
	    vm_migrate_wait(from->vm, "completed", TIMEOUT_MS) ||
	    vm_migrate_wait(to->vm, "completed", TIMEOUT_MS))
		err = guest_wrong(from, "its move to a target of %llu frames does not end",
				  (unsigned long long)(taken / FRAME));
	unlink(course->socket);
	if (err)
		return err;
	guest_end(from, false);
	course->at = !course->at;
	return guest_says(to, "release all; " HOLD, "pattern intact");
}

static int follow(struct course *course, bool moving)
{
	uint64_t taken = (uint64_t)random() % (TAKEN_MAX / FRAME) * FRAME;
	int err = 0;

	if (!current(course)->vm)
		err = set_out(course);
	if (!err)
		err = moving ? move(course, taken) : guest_target(current(course), taken);
	return err ? err : check(current(course), taken);
}

static void give_up(struct course *course, struct tally *tally)
{
	if (current(course)->vm)
		guest_tell(current(course));
	for (size_t i = 0; i < 2; i++)
		guest_end(&course->guests[i], course->guests[i].vm);
	tally->lost++;
}

void move_run(const char *name, struct tally *tally)
{
	struct course course = { .folder = "/tmp/aerostat-soak-XXXXXX" };

	for (size_t i = 0; i < 2; i++) {
		snprintf(course.names[i], sizeof(course.names[i]), "%s-%c", name, "ab"[i]);
		course.guests[i] = (struct guest){ .tally = tally,
						   .name = course.names[i],
						   .traces = { -1, -1 } };
	}
	if (!mkdtemp(course.folder)) {
		guest_wrong(current(&course), "no folder for a socket");
		return;
	}
	snprintf(course.socket, sizeof(course.socket), "%s/state", course.folder);
	snprintf(course.uri, sizeof(course.uri), "unix:%s", course.socket);
	turn_take();
	while (tally->counted + tally->lost < tally->wanted) {
		bool moving = (tally->counted + tally->lost) % TARGETS_A_MOVE == TARGETS_A_MOVE - 1;

		if (follow(&course, moving))
			give_up(&course, tally);
		else
			tally->counted++;
	}
	for (size_t i = 0; i < 2; i++)
		guest_end(&course.guests[i], false);
	turn_give();
	rmdir(course.folder);
	tally->ended = true;
}
