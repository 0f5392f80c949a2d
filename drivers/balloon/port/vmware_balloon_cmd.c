/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmmemctl: the figures of Linux's /sys/kernel/debug/vmmemctl, in the form that they had up to
 * 4.19, or in that of later ones. What this driver has not has a figure all the same, and it is
 * true: no allocation of it sleeps, so none did, at a rate of 0 in a second; nobody rings a
 * doorbell.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/port/vmware_balloon.h"
#include "drivers/balloon/port/vmware_balloon_call.h"
#include "drivers/balloon/port/vmware_balloon_pages.h"
#include "kernel/lib/command.h"
#include "mm/ledger.h"

struct figures {
	struct vmware_balloon_state state;
	uint64_t shrinks, shrunk_frames; /* memory in need */
	struct vmware_call_counts command[VMWARE_COMMANDS];
	struct vmware_balloon_counts frames, blocks;
	uint64_t frames_set_aside; /* of those refused; the others are free again */
};

static bool get_figures(struct figures *f)
{
	if (!vmware_balloon_get_state(&f->state))
		return false;
	balloon_get_taken_back(&vmware_balloon_port, &f->shrinks, &f->shrunk_frames);
	for (unsigned i = 0; i < VMWARE_COMMANDS; i++)
		vmware_call_counts((enum vmware_command)i, &f->command[i]);
	vmware_balloon_pages_counts(false, &f->frames);
	vmware_balloon_pages_counts(true, &f->blocks);
	f->frames_set_aside = ledger_count(OWNER_REFUSED);
	return true;
}

static uint64_t errors_freed(const struct figures *f)
{
	return f->frames.refused - min_u64(f->frames.refused, f->frames_set_aside);
}

static uint64_t tried(const struct vmware_balloon_counts *counts)
{
	return counts->offered + counts->scarce;
}

/* ---- As up to Linux 4.19 ---- */

static void print_amount(const char *name, uint64_t amount, const char *unit)
{
	printf("%-19s %8" PRIu64 "%s\n", name, amount, unit);
}

static void print_tries(const char *name, uint64_t all, uint64_t failed)
{
	printf("%-19s %8" PRIu64 " (%4" PRIu64 " failed)\n", name, all, failed);
}

/* Of one command, or of two that do the same. */
static void print_commands(const struct figures *f, const char *name, enum vmware_command one,
			   enum vmware_command other)
{
	const struct vmware_call_counts *a = &f->command[one], *b = &f->command[other];
	bool both = one != other;

	print_tries(name, a->calls + (both ? b->calls : 0), a->failed + (both ? b->failed : 0));
}

static void print_old_frames(const struct figures *f)
{
	print_tries("prim2mAlloc:", tried(&f->blocks), f->blocks.scarce);
	print_tries("primNoSleepAlloc:", tried(&f->frames), f->frames.scarce);
	print_tries("primCanSleepAlloc:", 0, 0);
	print_amount("prim2mFree:", f->blocks.freed, "");
	print_amount("primFree:", f->frames.freed, "");
	print_amount("err2mAlloc:", f->blocks.refused, "");
	print_amount("errAlloc:", f->frames.refused, "");
	print_amount("err2mFree:", f->blocks.returned, "");
	print_amount("errFree:", errors_freed(f), "");
}

static void print_old(const struct figures *f)
{
	printf("balloon capabilities:   %#x\n", VMWARE_CALL_CAPABILITIES);
	printf("used capabilities:      %#" PRIx32 "\n", f->state.capabilities);
	printf("is resetting:           %c\n", f->state.resetting ? 'y' : 'n');
	print_amount("target:", f->state.target, " pages");
	print_amount("current:", balloon_frames_of(&vmware_balloon_port), " pages");
	print_amount("rateSleepAlloc:", 0, " pages/sec");
	printf("\n");
	print_amount("timer:", f->state.polls, "");
	print_amount("doorbell:", 0, "");
	print_commands(f, "start:", VMWARE_START, VMWARE_START);
	print_commands(f, "guestType:", VMWARE_GUEST_ID, VMWARE_GUEST_ID);
	print_commands(f, "2m-lock:", VMWARE_BATCHED_2M_LOCK, VMWARE_BATCHED_2M_LOCK);
	print_commands(f, "lock:", VMWARE_LOCK, VMWARE_BATCHED_LOCK);
	print_commands(f, "2m-unlock:", VMWARE_BATCHED_2M_UNLOCK, VMWARE_BATCHED_2M_UNLOCK);
	print_commands(f, "unlock:", VMWARE_UNLOCK, VMWARE_BATCHED_UNLOCK);
	print_commands(f, "target:", VMWARE_GET_TARGET, VMWARE_GET_TARGET);
	print_old_frames(f);
	print_amount("doorbellSet:", f->command[VMWARE_DOORBELL_SET].calls, "");
	print_amount("doorbellUnset:", 0, "");
}

/* ---- As since then; and JSON ---- */

/* X(old name of a command in Linux, command): in its order. */
#define NEW_COMMANDS(X) \
	X("start", VMWARE_START) \
	X("target", VMWARE_GET_TARGET) \
	X("lock", VMWARE_LOCK) \
	X("unlock", VMWARE_UNLOCK) \
	X("guestType", VMWARE_GUEST_ID) \
	X("batchLock", VMWARE_BATCHED_LOCK) \
	X("batchUnlock", VMWARE_BATCHED_UNLOCK) \
	X("2m-lock", VMWARE_BATCHED_2M_LOCK) \
	X("2m-unlock", VMWARE_BATCHED_2M_UNLOCK) \
	X("doorbellSet", VMWARE_DOORBELL_SET)

#define NEW_COMMAND(name, command) { name, command },
static const struct {
	const char *name;
	enum vmware_command command;
} new_commands[] = { NEW_COMMANDS(NEW_COMMAND) };

static void print_new_figure(const char *name, uint64_t figure)
{
	printf("%-22s: %16" PRIu64 "\n", name, figure);
}

static void print_new_pair(const char *name, uint64_t frames, uint64_t blocks)
{
	printf("%-18s(4k): %16" PRIu64 "\n", name, frames);
	printf("%-18s(2M): %16" PRIu64 "\n", name, blocks);
}

static void print_new(const struct figures *f)
{
	printf("%-22s: %#16x\n", "balloon capabilities", VMWARE_CALL_CAPABILITIES);
	printf("%-22s: %#16" PRIx32 "\n", "used capabilities", f->state.capabilities);
	printf("%-22s: %16s\n", "is resetting", f->state.resetting ? "y" : "n");
	print_new_figure("target", f->state.target);
	print_new_figure("current", balloon_frames_of(&vmware_balloon_port));
	for (size_t i = 0; i < ARRAY_SIZE(new_commands); i++) {
		const struct vmware_call_counts *counts = &f->command[new_commands[i].command];

		printf("%-22s: %16" PRIu64 " (%" PRIu64 " failed)\n", new_commands[i].name,
		       counts->calls, counts->failed);
	}
	print_new_figure("timer", f->state.polls);
	print_new_figure("doorbell", 0);
	print_new_figure("reset", f->state.resets);
	print_new_figure("shrink", f->shrinks);
	print_new_figure("shrinkFree", f->shrunk_frames);
	print_new_pair("alloc", tried(&f->frames), tried(&f->blocks));
	print_new_pair("allocFail", f->frames.scarce, f->blocks.scarce);
	print_new_pair("errAlloc", f->frames.refused, f->blocks.refused);
	print_new_pair("errFree", errors_freed(f), f->blocks.returned);
	print_new_pair("free", f->frames.freed, f->blocks.freed);
}

static void print_json_pair(const char *name, uint64_t frames, uint64_t blocks)
{
	printf(",\"%s\":{\"frames\":%" PRIu64 ",\"blocks\":%" PRIu64 "}", name, frames, blocks);
}

static void print_json(const struct figures *f)
{
	printf("{\"capabilities\":%u,\"used-capabilities\":%" PRIu32 ",\"resetting\":%s"
	       ",\"target\":%" PRIu64 ",\"current\":%" PRIu64 ",\"polls\":%" PRIu64
	       ",\"resets\":%" PRIu64 ",\"commands\":{",
	       VMWARE_CALL_CAPABILITIES, f->state.capabilities,
	       f->state.resetting ? "true" : "false", pfn_to_paddr(f->state.target),
	       pfn_to_paddr(balloon_frames_of(&vmware_balloon_port)), f->state.polls,
	       f->state.resets);
	for (size_t i = 0; i < ARRAY_SIZE(new_commands); i++) {
		const struct vmware_call_counts *counts = &f->command[new_commands[i].command];

		printf("%s\"%s\":{\"calls\":%" PRIu64 ",\"failed\":%" PRIu64 "}", i > 0 ? "," : "",
		       new_commands[i].name, counts->calls, counts->failed);
	}
	printf("}");
	print_json_pair("tried", tried(&f->frames), tried(&f->blocks));
	print_json_pair("scarce", f->frames.scarce, f->blocks.scarce);
	print_json_pair("refused", f->frames.refused, f->blocks.refused);
	print_json_pair("kept", f->frames.kept, f->blocks.kept);
	print_json_pair("freed", f->frames.freed, f->blocks.freed);
	printf("}\n");
}

/* ---- The command ---- */

static int cmd_vmmemctl(int argc, char **argv)
{
	bool new = argc == 2 && strcmp(argv[1], "-n") == 0;
	bool json = argc == 2 && strcmp(argv[1], "-j") == 0;
	struct figures figures;

	if (argc > 2 || (argc == 2 && !new && !json))
		return -EINVAL;
	if (!get_figures(&figures)) {
		printf("vmmemctl: there is no balloon of VMware's\n");
		return -ENODEV;
	}
	if (json)
		print_json(&figures);
	else if (new)
		print_new(&figures);
	else
		print_old(&figures);
	return 0;
}

COMMAND("vmmemctl", "[-n|-j]", "the balloon on VMware, as Linux's debugfs shows it",
	"The names are those in /sys/kernel/debug/vmmemctl: as Linux had them up to 4.19,\n"
	"with -n as later ones have them. All is counted since the balloon began. timer:\n"
	"times that the host was asked for its target. lock, unlock: commands, with 512\n"
	"frames each where the host takes batches; 2m: with up to 512 blocks of 2 MiB.\n"
	"prim: frames offered, or wanted when there was none; err: those that the host\n"
	"refused. Nothing sleeps for memory here, and there is no doorbell: 0.\n"
	"With -j: one line of JSON, memory in bytes.",
	cmd_vmmemctl);
