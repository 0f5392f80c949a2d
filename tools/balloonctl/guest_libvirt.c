/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that libvirt manages, here or on another machine: see
 * guest_backend.h. Its name is libvirt's own URI with the domain after a #;
 * "libvirt:///session" is short for "qemu:///session". libvirt counts in KiB,
 * and says nothing of targets and features: these stay unknown.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/guest_libvirt_xml.h"

#define KIB 1024ull

/* virDomainMemoryStats() has its own numbers; these are the same statistics. */
static const struct {
	int libvirt;
	unsigned stat;
} tags[] = {
	{ VIR_DOMAIN_MEMORY_STAT_SWAP_IN, STAT_SWAP_IN },
	{ VIR_DOMAIN_MEMORY_STAT_SWAP_OUT, STAT_SWAP_OUT },
	{ VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, STAT_MAJOR_FAULTS },
	{ VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT, STAT_MINOR_FAULTS },
	{ VIR_DOMAIN_MEMORY_STAT_UNUSED, STAT_FREE_MEMORY },
	{ VIR_DOMAIN_MEMORY_STAT_AVAILABLE, STAT_TOTAL_MEMORY },
	{ VIR_DOMAIN_MEMORY_STAT_USABLE, STAT_AVAILABLE_MEMORY },
	{ VIR_DOMAIN_MEMORY_STAT_DISK_CACHES, STAT_DISK_CACHES },
	{ VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC, STAT_HTLB_PGALLOC },
	{ VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL, STAT_HTLB_PGFAIL },
};

struct connection {
	virConnectPtr connect;
	virDomainPtr domain;
};

static virDomainPtr domain_of(struct guest *guest)
{
	struct connection *connection = guest->connection;

	return connection->domain;
}

static bool is_bytes(unsigned stat)
{
	static const bool bytes[STAT_COUNT] = {
#define STAT_IS_BYTES(constant, tag, qmp, virsh, unit) [tag] = (unit) == STAT_BYTES,
		STAT_TABLE(STAT_IS_BYTES)
#undef STAT_IS_BYTES
	};

	return bytes[stat];
}

/* ---- errors ---- */

/* libvirt would print each error by itself. */
static void be_quiet(void *data, virErrorPtr error)
{
	(void)data, (void)error;
}

static int errno_of(int code)
{
	switch (code) {
	case VIR_ERR_NO_DOMAIN:
	case VIR_ERR_NO_CONNECT:
	case VIR_ERR_INVALID_CONN:
	case VIR_ERR_SYSTEM_ERROR:
	case VIR_ERR_RPC:
	case VIR_ERR_OPERATION_INVALID: /* the domain does not run */
		return -ENOTCONN;
	case VIR_ERR_AUTH_FAILED:
	case VIR_ERR_AUTH_CANCELLED:
	case VIR_ERR_AUTH_UNAVAILABLE:
	case VIR_ERR_ACCESS_DENIED:
		return -EPERM;
	case VIR_ERR_OPERATION_TIMEOUT:
		return -ETIMEDOUT;
	case VIR_ERR_DEVICE_MISSING:
		return -ENODEV;
	default:
		return -EPROTO;
	}
}

/* Turns libvirt's last error into one of guest.h. */
static int fail_libvirt(struct guest *guest)
{
	const virError *error = virGetLastError();
	int err = error ? errno_of(error->code) : -EPROTO;

	/* An error may be without words where memory is short. */
	if (!error || !error->message)
		return guest_fail(guest, err, "libvirt fails without saying why");
	return guest_fail(guest, err, "libvirt: %s", error->message);
}

/* ---- open and close ---- */

/* The URI that libvirt knows, by free(); NULL: out of memory. */
static char *uri_of(const char *name, size_t length)
{
	static const char ours[] = "libvirt://";
	char *uri;

	if (strncmp(name, ours, strlen(ours)) != 0)
		return strndup(name, length);
	if (asprintf(&uri, "qemu://%.*s", (int)(length - strlen(ours)), name + strlen(ours)) < 0)
		return NULL;
	return uri;
}

static int open_libvirt(struct guest *guest, const char *name)
{
	const char *hash = strrchr(name, '#');
	struct connection *connection;
	char *uri;

	assert(hash && hash[1] != '\0');
	connection = calloc(1, sizeof(*connection));
	uri = uri_of(name, (size_t)(hash - name));
	guest->connection = connection;
	if (!connection || !uri) {
		free(uri);
		return guest_fail(guest, -ENOMEM, "out of memory");
	}
	virSetErrorFunc(NULL, be_quiet);
	connection->connect = virConnectOpen(uri);
	free(uri);
	if (!connection->connect)
		return fail_libvirt(guest);
	connection->domain = virDomainLookupByName(connection->connect, hash + 1);
	return connection->domain ? 0 : fail_libvirt(guest);
}

static void close_libvirt(struct guest *guest)
{
	struct connection *connection = guest->connection;

	if (!connection)
		return;
	if (connection->domain)
		virDomainFree(connection->domain);
	if (connection->connect)
		virConnectClose(connection->connect);
	free(connection);
}

static int list_domains(struct guest *guest, virConnectPtr connect,
			int (*take)(void *context, const char *domain), void *context)
{
	virDomainPtr *domains;
	int count = virConnectListAllDomains(connect, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	int err = 0;

	if (count < 0)
		return fail_libvirt(guest);
	for (int i = 0; i < count; i++) {
		const char *name = virDomainGetName(domains[i]);

		if (!err)
			err = name ? take(context, name) : fail_libvirt(guest);
		virDomainFree(domains[i]);
	}
	free(domains);
	return err;
}

int guest_libvirt_list(struct guest *guest, const char *uri,
		       int (*take)(void *context, const char *domain), void *context)
{
	char *known = uri_of(uri, strlen(uri));
	virConnectPtr connect;
	int err;

	if (!known)
		return guest_fail(guest, -ENOMEM, "out of memory");
	virSetErrorFunc(NULL, be_quiet);
	connect = virConnectOpen(known);
	free(known);
	if (!connect)
		return fail_libvirt(guest);
	err = list_domains(guest, connect, take, context);
	virConnectClose(connect);
	return err;
}

/* ---- what libvirt knows ---- */

struct figures {
	virDomainMemoryStatStruct stat[VIR_DOMAIN_MEMORY_STAT_NR];
	int count;
};

static int read_figures(struct guest *guest, struct figures *figures)
{
	figures->count = virDomainMemoryStats(domain_of(guest), figures->stat,
					      VIR_DOMAIN_MEMORY_STAT_NR, 0);
	return figures->count >= 0 ? 0 : fail_libvirt(guest);
}

static bool find_figure(const struct figures *figures, int tag, uint64_t *value)
{
	for (int i = 0; i < figures->count; i++) {
		if (figures->stat[i].tag != tag)
			continue;
		*value = figures->stat[i].val;
		return true;
	}
	return false;
}

/*
 * Fills in dimms and devices; *counted is the RAM that the balloon counts. libvirt's memory of
 * a domain has all memory devices in it, whatever of them is plugged.
 */
static int read_ram(struct guest *guest, unsigned long long memory_kib, struct guest_state *state,
		    uint64_t *counted)
{
	char *xml = virDomainGetXMLDesc(domain_of(guest), 0);
	uint64_t memory, all;
	int err;

	if (!xml)
		return fail_libvirt(guest);
	err = libvirt_read_devices(xml, state, &all);
	free(xml);
	if (err || memory_kib > INT64_MAX / KIB || all > memory_kib * KIB)
		return guest_fail(guest, -EPROTO, "libvirt's figures make no sense");
	memory = memory_kib * KIB;
	*counted = memory - all + state->dimms;
	return 0;
}

static void read_running(int run, int reason, struct guest_state *state)
{
	state->panicked = run == VIR_DOMAIN_CRASHED ||
			  (run == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_CRASHED);
	state->paused = run == VIR_DOMAIN_PAUSED || run == VIR_DOMAIN_CRASHED;
}

static int state_libvirt(struct guest *guest, struct guest_state *state)
{
	struct figures figures;
	uint64_t counted = 0, left;
	virDomainInfo info;
	int run, reason;
	int err;

	if (virDomainGetInfo(domain_of(guest), &info) < 0 ||
	    virDomainGetState(domain_of(guest), &run, &reason, 0) < 0)
		return fail_libvirt(guest);
	read_running(run, reason, state);
	err = read_figures(guest, &figures);
	if (!err)
		err = read_ram(guest, info.maxMem, state, &counted);
	if (err)
		return err;
	/* A domain without a balloon has all its memory, and no figure for it. */
	if (!find_figure(&figures, VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, &left)) {
		guest_fail(guest, -ENODEV, "the machine has no balloon device");
		state->lacks_balloon = true;
		left = counted / KIB;
	}
	if (left > INT64_MAX / KIB)
		return guest_fail(guest, -EPROTO, "libvirt's figures make no sense");
	guest_account(state, counted, (int64_t)(left * KIB));
	return 0;
}

static int set_target_libvirt(struct guest *guest, uint64_t bytes_left)
{
	if (bytes_left % KIB != 0)
		return guest_fail(guest, -ERANGE,
				  "libvirt counts in KiB, and %" PRIu64 " bytes are no multiple",
				  bytes_left);
	if (virDomainSetMemoryFlags(domain_of(guest), bytes_left / KIB, VIR_DOMAIN_AFFECT_LIVE) < 0)
		return fail_libvirt(guest);
	return 0;
}

/* A libvirt that cannot: what may be typed elsewhere. The domain is what guest_open() was given. */
static int fail_request(struct guest *guest, const char *device, uint64_t bytes)
{
	const virError *error = virGetLastError();

	switch (error ? error->code : 0) {
	case VIR_ERR_NO_SUPPORT:
	case VIR_ERR_OPERATION_UNSUPPORTED:
	case VIR_ERR_CONFIG_UNSUPPORTED:
		return guest_fail(guest, -ENOTSUP,
				  "this libvirt does not change the size of %s (%s); where it is "
				  "newer: virsh update-memory-device %s --alias %s "
				  "--requested-size %llu",
				  device, error->message ? error->message : "it says no more",
				  strrchr(guest->name, '#') + 1, device, bytes / KIB);
	default:
		return fail_libvirt(guest);
	}
}

static int request_libvirt(struct guest *guest, const char *device, uint64_t bytes)
{
	char *xml, *element;
	int err = 0;

	if (bytes % KIB != 0)
		return guest_fail(guest, -ERANGE, "libvirt counts in KiB");
	xml = virDomainGetXMLDesc(domain_of(guest), 0);
	if (!xml)
		return fail_libvirt(guest);
	element = libvirt_request_xml(xml, device, bytes);
	free(xml);
	if (!element)
		return guest_fail(guest, -EPROTO, "libvirt does not describe %s", device);
	if (virDomainUpdateDeviceFlags(domain_of(guest), element, VIR_DOMAIN_AFFECT_LIVE) < 0)
		err = fail_request(guest, device, bytes);
	free(element);
	return err;
}

static int find_driver_libvirt(struct guest *guest, const char *device, bool *driver_ok)
{
	*driver_ok = false;
	return guest_fail(guest, -ENOTSUP, "libvirt does not tell whether a driver runs %s",
			  device);
}

static int read_interval(struct guest *guest, unsigned *seconds)
{
	char *xml = virDomainGetXMLDesc(domain_of(guest), 0);

	if (!xml)
		return fail_libvirt(guest);
	*seconds = libvirt_read_period(xml);
	free(xml);
	return 0;
}

static int stats_libvirt(struct guest *guest, struct guest_stats *stats)
{
	struct figures figures;
	uint64_t update, value;
	int err = read_figures(guest, &figures);

	if (err)
		return err;
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (!find_figure(&figures, tags[i].libvirt, &value))
			continue;
		stats->present |= 1u << tags[i].stat;
		stats->value[tags[i].stat] = is_bytes(tags[i].stat) ? value * KIB : value;
	}
	if (find_figure(&figures, VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, &update) && update > 0) {
		stats->ever = true;
		stats->update = update;
		stats->age = difftime(time(NULL), (time_t)update);
		if (stats->age < 0)
			stats->age = 0;
	}
	return read_interval(guest, &stats->interval);
}

static int set_interval_libvirt(struct guest *guest, unsigned seconds)
{
	if (virDomainSetMemoryStatsPeriod(domain_of(guest), (int)seconds, VIR_DOMAIN_AFFECT_LIVE) <
	    0)
		return fail_libvirt(guest);
	return 0;
}

static int cost_libvirt(struct guest *guest, struct guest_cost *cost)
{
	struct figures figures;
	virDomainInfo info;
	uint64_t rss;
	int err = read_figures(guest, &figures);

	if (err)
		return err;
	if (!find_figure(&figures, VIR_DOMAIN_MEMORY_STAT_RSS, &rss) ||
	    virDomainGetInfo(domain_of(guest), &info) < 0)
		return guest_fail(guest, -ENOTSUP, "libvirt does not say what the guest costs");
	cost->resident = rss * KIB;
	cost->cpu_ms = info.cpuTime / 1000000;
	return 0;
}

static int peek_libvirt(struct guest *guest, uint64_t paddr, void *to, size_t size)
{
	if (virDomainMemoryPeek(domain_of(guest), paddr, size, to, VIR_MEMORY_PHYSICAL) < 0)
		return fail_libvirt(guest);
	return 0;
}

static int halt_libvirt(struct guest *guest, bool *ran)
{
	int run;

	if (virDomainGetState(domain_of(guest), &run, NULL, 0) < 0)
		return fail_libvirt(guest);
	*ran = run == VIR_DOMAIN_RUNNING;
	return *ran && virDomainSuspend(domain_of(guest)) < 0 ? fail_libvirt(guest) : 0;
}

/* A guest that was about to end when it was halted has ended by then, and cannot run on. */
static int resume_libvirt(struct guest *guest)
{
	int run, err;

	if (virDomainResume(domain_of(guest)) == 0)
		return 0;
	err = fail_libvirt(guest);
	if (virDomainGetState(domain_of(guest), &run, NULL, 0) == 0 &&
	    (run == VIR_DOMAIN_SHUTOFF || run == VIR_DOMAIN_CRASHED))
		return 0;
	return err;
}

const struct guest_backend guest_backend_libvirt = {
	.shared = true,
	.open = open_libvirt,
	.close = close_libvirt,
	.state = state_libvirt,
	.set_target = set_target_libvirt,
	.request = request_libvirt,
	.find_driver = find_driver_libvirt,
	.stats = stats_libvirt,
	.set_interval = set_interval_libvirt,
	.cost = cost_libvirt,
	.peek = peek_libvirt,
	.halt = halt_libvirt,
	.resume = resume_libvirt,
};
