/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * audit: counts every frame anew, and lets others run meanwhile. What they change makes
 * a count worthless, and so it begins anew; where they never rest, there is a smaller
 * verdict in the end rather than none.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kernel/lib/command.h"
#include "kernel/lib/hooks.h"
#include "kernel/lib/json.h"
#include "kernel/task/task.h"
#include "mm/ledger.h"

/* Counts that may be lost. The next one does without the sums, and so ends. */
#define RESTARTS_MAX 8

/* Steps to the end, or until it is of no use. */
static enum ledger_step count_all(struct ledger_audit *audit, char verdict[LEDGER_VERDICT_MAX])
{
	enum ledger_step step = ledger_audit_step(audit, verdict);

	while (step == LEDGER_MORE && !lib_interrupted()) {
		task_yield();
		step = ledger_audit_step(audit, verdict);
	}
	return step;
}

static void print_restarts(unsigned restarts)
{
	if (restarts > 0)
		printf("Started over: %u of %u times, as memory changed hands\n", restarts,
		       RESTARTS_MAX);
	if (restarts == RESTARTS_MAX)
		printf("Not compared: the sums of all blocks, as that never stopped\n");
}

static void print_verdict(unsigned restarts, const char *verdict)
{
	if (ledger_refused() > 0)
		printf("Refused: %" PRIu64 " changes that named a wrong owner\n", ledger_refused());
	print_restarts(restarts);
	printf("Ledger: %s\n", verdict);
}

static void print_verdict_json(enum ledger_step step, unsigned restarts, const char *verdict)
{
	printf("{\"ledger\":");
	json_print_string(step == LEDGER_SOUND ? "ok" : verdict);
	printf(",\"frames\":%" PRIu64 ",\"restarts\":%u,\"sums-compared\":%s"
	       ",\"refused-changes\":%" PRIu64 "}\n",
	       ledger_managed(), restarts, restarts < RESTARTS_MAX ? "true" : "false",
	       ledger_refused());
}

static int cmd_audit(int argc, char **argv)
{
	char verdict[LEDGER_VERDICT_MAX];
	struct ledger_audit audit;
	enum ledger_step step;
	unsigned restarts = 0;
	bool json = argc == 2 && strcmp(argv[1], "-j") == 0;

	if (argc > 2 || (argc == 2 && !json))
		return -EINVAL;
	ledger_audit_begin(&audit, true);
	while ((step = count_all(&audit, verdict)) == LEDGER_CHANGED)
		ledger_audit_begin(&audit, ++restarts < RESTARTS_MAX);
	if (step == LEDGER_MORE) {
		printf("audit: interrupted; no verdict\n");
		return -EINTR;
	}
	if (json)
		print_verdict_json(step, restarts, verdict);
	else
		print_verdict(restarts, verdict);
	return step == LEDGER_SOUND ? 0 : -EIO;
}
COMMAND("audit", "[-j]", "count every frame anew and compare with the books",
	"Others run meanwhile. If memory changes hands then, it starts over, up to 8\n"
	"times; then it checks each block, and the books, but does not compare the sums\n"
	"of all blocks. Ctrl-C ends it. With -j: one line of JSON.",
	cmd_audit);
