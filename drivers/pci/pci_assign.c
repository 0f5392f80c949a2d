/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving addresses to BARs and windows that the firmware left without: all of them
 * (qboot, microvm), or those of functions plugged in since. Nothing that has an
 * address is moved. BARs behind a bridge go into its windows; a bridge without
 * windows first gets some, as large as the functions behind it need.
 *
 * Even 64-bit BARs stay below 4 GiB while there is room, where every processor and
 * bridge reaches them; only large ones go above at once.
 */
#include <assert.h>
#include <inttypes.h>

#include "drivers/pci/pci_internal.h"
#include "kernel/lib/log.h"

/* Units of windows, and their least sizes, which leave room for plugging in. */
#define IO_UNIT ((uint64_t)4 * KIB)
#define IO_WINDOW_MIN IO_UNIT
#define MEMORY_UNIT MIB
#define MEMORY_WINDOW_MIN (2 * MIB)

/* Behind a bridge, 64-bit BARs from this size on deserve a window above 4 GiB. */
#define LARGE (64 * MIB)

#define REQUESTS_MAX 512

/* A BAR or a window that wants an address on one bus. */
struct request {
	struct pci_function *function;
	unsigned bar;		   /* PCI_BARS: it is the window `kind` */
	enum pci_window_kind kind; /* of the window to take it from */
	uint64_t size, align;
	bool optional;
};

static struct pci_windows kept;
static const struct pci_windows *const host = &kept;

/* None are left but between being wanted and being given. */
static struct request requests[REQUESTS_MAX];
static size_t request_count;
static bool told_full;

/* ---- Which window serves which BAR ---- */

/* Tells whether this bridge and all above it can open a window above 4 GiB. */
static bool can_reach_far(const struct pci_function *bridge)
{
	for (; bridge; bridge = pci_bridge_of(bridge)) {
		if (!bridge->wide)
			return false;
	}
	return host->memory64_end > host->memory64_start;
}

static enum pci_window_kind kind_for(const struct pci_function *bridge, const struct pci_bar *bar)
{
	if (bar->kind == PCI_BAR_IO)
		return PCI_WINDOW_IO;
	if (bar->kind == PCI_BAR_MEMORY32)
		return PCI_WINDOW_MEMORY;
	/* The root bus makes no such difference: this kind stands for both its ranges. */
	if (!bridge)
		return PCI_WINDOW_PREFETCHABLE;
	if (!bar->prefetchable)
		return PCI_WINDOW_MEMORY;
	if (pci_is_open(&bridge->window[PCI_WINDOW_PREFETCHABLE]))
		return PCI_WINDOW_PREFETCHABLE;
	return bar->size >= LARGE && can_reach_far(bridge) ? PCI_WINDOW_PREFETCHABLE
							   : PCI_WINDOW_MEMORY;
}

/* Stores the ranges to try, in that order; returns how many. */
static size_t ranges_for(const struct pci_function *bridge, enum pci_window_kind kind,
			 struct pci_window range[2])
{
	const struct pci_window io = { host->io_start, host->io_end };
	const struct pci_window memory = { host->memory_start, host->memory_end };
	const struct pci_window memory64 = { host->memory64_start, host->memory64_end };

	range[0] = bridge ? bridge->window[kind] : kind == PCI_WINDOW_IO ? io : memory;
	range[1] = bridge ? bridge->window[PCI_WINDOW_MEMORY] : memory64;
	return kind == PCI_WINDOW_PREFETCHABLE ? 2 : 1;
}

/* ---- Requests on one bus ---- */

/* Sorts optional windows last, then by kind, and large ones first. */
static bool goes_before(const struct request *a, const struct request *b)
{
	if (a->optional != b->optional)
		return b->optional;
	if (a->kind != b->kind)
		return a->kind < b->kind;
	return a->align > b->align;
}

static void add_request(const struct request *request)
{
	size_t at = request_count;

	assert(request->size > 0 && request->align > 0);
	if (request_count == REQUESTS_MAX) {
		if (!told_full)
			log_warn("pci: more than %d addresses are wanted on one bus", REQUESTS_MAX);
		told_full = true;
		return;
	}
	for (; at > 0 && goes_before(request, &requests[at - 1]); at--)
		requests[at] = requests[at - 1];
	requests[at] = *request;
	request_count++;
}

static void want_bars(const struct pci_function *bridge, struct pci_function *function)
{
	for (unsigned i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &function->device.bar[i];

		if (bar->kind != PCI_BAR_NONE && bar->address == 0)
			add_request(&(struct request){ .function = function,
						       .bar = i,
						       .kind = kind_for(bridge, bar),
						       .size = bar->size,
						       .align = bar->size });
	}
}

static void want_windows(struct pci_function *function)
{
	for (enum pci_window_kind kind = PCI_WINDOW_IO; kind < PCI_WINDOWS; kind++) {
		const struct pci_need *need = &function->need[kind];

		if (need->size > 0 && !pci_is_open(&function->window[kind]))
			add_request(&(struct request){ .function = function,
						       .bar = PCI_BARS,
						       .kind = kind,
						       .size = need->size,
						       .align = need->align,
						       .optional = need->optional });
	}
}

/* Collects what has no address behind `bridge`; NULL: on the root bus. */
static void collect_requests(const struct pci_function *bridge)
{
	for (size_t i = 0; i < pci_function_count; i++) {
		if (pci_bridge_of(&pci_functions[i]) != bridge)
			continue;
		want_bars(bridge, &pci_functions[i]);
		want_windows(&pci_functions[i]);
	}
}

/* No window below 4 GiB can hold this: without it, there is one for the others. */
static bool is_hopeless(const struct request *request)
{
	return request->kind == PCI_WINDOW_MEMORY &&
	       request->size > (host->memory_end - host->memory_start) / 2;
}

/* Computes how large a window must be to hold the requests one after the other. */
static struct pci_need add_up(enum pci_window_kind kind)
{
	struct pci_need need = { .align = kind == PCI_WINDOW_IO ? IO_UNIT : MEMORY_UNIT,
				 .optional = true };

	for (size_t i = 0; i < request_count; i++) {
		const struct request *request = &requests[i];

		if (request->kind != kind || is_hopeless(request))
			continue;
		need.size = align_up(need.size, request->align) + request->size;
		need.align = max_u64(need.align, request->align);
		need.optional = need.optional && request->optional;
	}
	return need;
}

static void find_needs(struct pci_function *bridge)
{
	collect_requests(bridge);
	for (enum pci_window_kind kind = PCI_WINDOW_IO; kind < PCI_WINDOWS; kind++) {
		uint64_t unit = kind == PCI_WINDOW_IO ? IO_UNIT : MEMORY_UNIT;
		uint64_t min = kind == PCI_WINDOW_IO ? IO_WINDOW_MIN : MEMORY_WINDOW_MIN;
		struct pci_need need = add_up(kind);

		if (bridge->untouched && kind != PCI_WINDOW_PREFETCHABLE && need.size == 0)
			need.size = min;
		if (need.size > 0 && need.size < min)
			need.size = min;
		need.size = align_up(need.size, unit);
		bridge->need[kind] = need;
	}
	request_count = 0;
}

/* ---- Giving addresses ---- */

static bool put_at(const struct request *request, uint64_t at)
{
	assert(at % request->align == 0);
	if (request->bar == PCI_BARS)
		return pci_set_window(request->function, request->kind, at, at + request->size) ==
		       0;
	return pci_set_bar(&request->function->device, request->bar, at) == 0;
}

/* Returns the part of a range that the registers of the request can hold. */
static struct pci_window reachable(const struct request *request, struct pci_window range)
{
	bool far = request->bar == PCI_BARS
			   ? request->kind == PCI_WINDOW_PREFETCHABLE && request->function->wide
			   : request->function->device.bar[request->bar].kind == PCI_BAR_MEMORY64;

	if (!far)
		range.end = min_u64(range.end, 4 * GIB);
	return range;
}

static void complain(const struct request *request, const char *what)
{
	static const char *const names[] = { "I/O", "memory", "prefetchable memory" };
	char name[PCI_NAME_SIZE];

	if (request->optional)
		return;
	pci_name(&request->function->device, name);
	if (request->bar < PCI_BARS)
		log_warn("pci: %s: BAR %u of %#" PRIx64 " bytes: %s", name, request->bar,
			 request->size, what);
	else
		log_warn("pci: %s: %s window of %#" PRIx64 " bytes: %s", name, names[request->kind],
			 request->size, what);
}

static void give(const struct request *request, const struct pci_function *bridge)
{
	struct pci_window range[2];
	size_t count = ranges_for(bridge, request->kind, range);

	for (size_t i = 0; i < count; i++) {
		struct pci_window window = reachable(request, range[i]);
		uint64_t at = pci_find_gap(bridge, &window, request->kind == PCI_WINDOW_IO,
					   request->size, request->align);

		if (at == 0)
			continue;
		if (!put_at(request, at))
			complain(request, "it does not keep an address");
		return;
	}
	complain(request, "there is no room");
}

static void give_all(const struct pci_function *bridge)
{
	for (size_t i = 0; i < request_count; i++)
		give(&requests[i], bridge);
	request_count = 0;
}

/* ---- Addresses of the firmware ---- */

static bool is_passed_on(const struct pci_function *bridge, const struct pci_bar *bar)
{
	for (enum pci_window_kind kind = PCI_WINDOW_IO; kind < PCI_WINDOWS; kind++) {
		if ((kind == PCI_WINDOW_IO) == (bar->kind == PCI_BAR_IO) &&
		    bar->address >= bridge->window[kind].start &&
		    bar->address + bar->size <= bridge->window[kind].end)
			return true;
	}
	return false;
}

/* Drops addresses that the bridge above does not pass on. */
static void drop_unreachable(struct pci_function *function)
{
	const struct pci_function *bridge = pci_bridge_of(function);
	char name[PCI_NAME_SIZE];

	if (!bridge)
		return;
	for (unsigned i = 0; i < PCI_BARS; i++) {
		struct pci_bar *bar = &function->device.bar[i];

		if (bar->kind == PCI_BAR_NONE || bar->address == 0 || is_passed_on(bridge, bar))
			continue;
		log_warn("pci: %s: BAR %u: %#" PRIx64 " is not passed on by its bridge",
			 pci_name(&function->device, name), i, bar->address);
		bar->address = 0;
	}
}

void pci_assign(const struct pci_windows *windows)
{
	kept = *windows;
	told_full = false;
	/* In the table a bridge stands before what is behind it: needs go up, addresses down. */
	for (size_t i = pci_function_count; i-- > 0;) {
		drop_unreachable(&pci_functions[i]);
		if (pci_is_bridge(&pci_functions[i].device))
			find_needs(&pci_functions[i]);
	}
	collect_requests(NULL);
	give_all(NULL);
	for (size_t i = 0; i < pci_function_count; i++) {
		if (!pci_is_bridge(&pci_functions[i].device))
			continue;
		collect_requests(&pci_functions[i]);
		give_all(&pci_functions[i]);
	}
}

/*
 * New functions go into the windows of their bridge. A window that is still
 * closed, as nothing needed it, is opened now.
 */
void pci_assign_slot(struct pci_device *bridge)
{
	struct pci_function *above = bridge ? container_of(bridge, struct pci_function, device)
					    : NULL;

	if (above) {
		find_needs(above);
		want_windows(above);
		give_all(pci_bridge_of(above));
	}
	for (struct pci_device *d = pci_devices(); d; d = d->next) {
		if (d->is_new)
			want_bars(above, container_of(d, struct pci_function, device));
	}
	give_all(above);
}
