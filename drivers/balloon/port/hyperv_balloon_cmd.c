/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hv-balloon: what /sys/kernel/debug/hv-balloon shows in a Linux guest, line by line, with the
 * names of the vendors' kernels, or of Linux itself, which differ.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/port/hyperv_balloon.h"
#include "drivers/hyperv/vmbus.h"
#include "drivers/mem/hyperv_mem.h"
#include "kernel/lib/command.h"
#include "mm/ledger.h"

/* In frames. */
struct figures {
	struct hyperv_balloon_status status;
	struct hyperv_request_counts counts;
	unsigned state;
	uint64_t ballooned, added, held, committed;
};

/* As Linux numbers them. */
static const char *const states[] = { "Initializing", "Initialized", "Balloon Up",
				      "Balloon Down", "Hot Add",     "Error" };

enum {
	STATE_INITIALIZING = 0,
	STATE_INITIALIZED = 1, /* and on top of it the request that is being done */
	STATE_ERROR = 5,
};

static unsigned state_of(const struct hyperv_balloon_status *status)
{
	if (status->starting)
		return STATE_INITIALIZING;
	return status->running ? STATE_INITIALIZED + hyperv_requests_current() : STATE_ERROR;
}

static bool get_figures(struct figures *f)
{
	if (!hyperv_balloon_get_status(&f->status))
		return false;
	hyperv_requests_get_counts(&f->counts);
	f->state = state_of(&f->status);
	f->ballooned = balloon_frames_of(&hyperv_balloon_port);
	f->added = hyperv_mem_frames();
	f->held = ledger_count(OWNER_HELD);
	f->committed = hyperv_balloon_committed();
	return true;
}

static unsigned major(const struct figures *f)
{
	return f->status.version >> 16;
}

static unsigned minor(const struct figures *f)
{
	return f->status.version & 0xffff;
}

/* ---- Text ---- */

static void print_name(const char *name)
{
	printf("%-22s:", name);
}

static void print_figure(const char *name, uint64_t figure)
{
	print_name(name);
	printf(" %" PRIu64 "\n", figure);
}

/* What both have. */
static void print_host(const struct figures *f)
{
	print_name("host_version");
	printf(" %u.%u\n", major(f), minor(f));
	print_name("capabilities");
	printf(" enabled hot_add\n");
	print_name("state");
	printf(" %u (%s)\n", f->state, states[f->state]);
	print_figure("page_size", FRAME_SIZE);
	print_figure("pages_added", f->added);
	/* All of it is in use at once. */
	print_figure("pages_onlined", f->added);
}

static void print_as_vendors(const struct figures *f)
{
	print_host(f);
	print_figure("pages_ballooned_out", f->ballooned);
	print_figure("vm_pages_commited", f->held);
	print_figure("total_pages_commited", f->committed);
	print_figure("max_dynamic_page_count", f->status.pages_max);
}

static void print_as_linux(const struct figures *f)
{
	print_host(f);
	print_figure("pages_ballooned", f->ballooned);
	print_figure("total_pages_committed", f->committed);
	print_figure("max_dynamic_page_count", f->status.pages_max);
}

/* ---- -j ---- */

static void print_json_request(const char *name, const struct figures *f, enum hyperv_request type)
{
	printf(",\"%s\":{\"requests\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", name,
	       f->counts.requests[type], pfn_to_paddr(f->counts.frames[type]));
}

static void print_json(const struct figures *f)
{
	printf("{\"host-version\":\"%u.%u\",\"state\":\"%s\",\"ballooned\":%" PRIu64
	       ",\"added\":%" PRIu64 ",\"held\":%" PRIu64 ",\"committed\":%" PRIu64
	       ",\"max\":%" PRIu64,
	       major(f), minor(f), states[f->state], pfn_to_paddr(f->ballooned),
	       pfn_to_paddr(f->added), pfn_to_paddr(f->held), pfn_to_paddr(f->committed),
	       pfn_to_paddr(f->status.pages_max));
	print_json_request("balloon", f, HYPERV_REQUEST_BALLOON);
	print_json_request("unballoon", f, HYPERV_REQUEST_UNBALLOON);
	print_json_request("hot-add", f, HYPERV_REQUEST_HOT_ADD);
	printf(",\"not-had\":%" PRIu64 ",\"responses\":%" PRIu64 ",\"last-us\":%" PRIu64
	       ",\"longest-us\":%" PRIu64,
	       pfn_to_paddr(f->counts.refused), f->counts.messages, f->counts.balloon_us,
	       f->counts.balloon_us_max);
	printf(",\"status\":{\"wanted\":%s,\"sent\":%" PRIu64 ",\"unsent\":%" PRIu64
	       ",\"available\":%" PRIu64 ",\"committed\":%" PRIu64 "}",
	       f->status.wants_status ? "true" : "false", f->status.statuses,
	       f->status.statuses_unsent, pfn_to_paddr(f->status.available),
	       pfn_to_paddr(f->status.committed));
	printf(",\"cold\":{\"wanted\":%s,\"calls\":%" PRIu64 ",\"ranges\":%" PRIu64
	       ",\"bytes\":%" PRIu64 "}",
	       f->status.takes_hints ? "true" : "false", f->status.hints, f->status.hint_ranges,
	       pfn_to_paddr(f->status.hint_frames));
	printf(",\"messages\":{\"sent\":%" PRIu64 ",\"received\":%" PRIu64 ",\"ignored\":%" PRIu64
	       "}}\n",
	       f->status.messages.sent, f->status.messages.received, f->status.messages.ignored);
}

/* ---- The command ---- */

/* Whether offers are still to come, or there is one and it is not agreed on. */
static bool may_still_come(const struct figures *f)
{
	struct vmbus_info bus;

	vmbus_get_info(&bus);
	return bus.looking || (f->status.starting && !bus.fault);
}

static int cmd_hv_balloon(int argc, char **argv)
{
	bool as_linux = argc == 2 && strcmp(argv[1], "-n") == 0;
	bool json = argc == 2 && strcmp(argv[1], "-j") == 0;
	struct figures figures;

	if (argc > 1 && !as_linux && !json)
		return -EINVAL;
	if (!get_figures(&figures)) {
		printf("hv-balloon: there is no balloon on Hyper-V%s\n",
		       may_still_come(&figures) ? " yet: the host is being asked" : "");
		return -ENODEV;
	}
	if (json)
		print_json(&figures);
	else if (as_linux)
		print_as_linux(&figures);
	else
		print_as_vendors(&figures);
	return 0;
}

COMMAND("hv-balloon", "[-j|-n]", "the balloon on Hyper-V, as Linux's debugfs shows it",
	"The names are those of vendors' kernels for /sys/kernel/debug/hv-balloon; with\n"
	"-n those of Linux itself, since 6.0. Figures are in pages of 4 KiB:\n"
	"pages_added were added by the host while the guest runs, and are all in use;\n"
	"pages_ballooned_out are what the host has; vm_pages_commited is what `hold` has;\n"
	"total_pages_commited is all that is used, ballooned, and the floor: so the host\n"
	"is told. max_dynamic_page_count is the most that the guest may have, 0 where the\n"
	"host does not say.\n"
	"With -j: one line of JSON, memory in bytes, with what has moved since boot.",
	cmd_hv_balloon);
