/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/guest_libvirt.c over a libvirt of this file, which stands in front of
 * the real one: what each call is given, and what becomes of it when it fails.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tests/unit/tools/failing.h"
#include "tools/balloonctl/balloonctl.h"
#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/guest_names.h"
#include "tools/balloonctl/poller.h"
#include "tools/deadline.h"

#define NAME "qemu:///x#dom"
#define KIB_MAX (INT64_MAX / 1024)

/* ---- a libvirt ---- */

struct _virConnect {
	int nothing;
};

struct _virDomain {
	int nothing;
};

static struct _virConnect the_connection;
static struct _virDomain the_domain;

enum call {
	OPEN = 1,
	LOOKUP,
	INFO,
	MEMORY_STATS,
	SET_MEMORY,
	XML,
	SET_PERIOD,
	PEEK,
	STATE,
	SUSPEND,
	RESUME,
	LIST,
	GET_NAME,
	UPDATE
};

static struct {
	enum call fails; /* 0: none */
	bool silent;	 /* without an error that could be asked for */
	bool mute;	 /* an error without words */
	int code;
	virDomainMemoryStatStruct stats[VIR_DOMAIN_MEMORY_STAT_NR];
	int nr_stats;
	virDomainInfo info;
	const char *xml;

	/* What it was told. */
	virErrorFunc on_error;
	char uri[64], name[64];
	unsigned long long start;
	unsigned long kib;
	unsigned flags;
	char element[512];
	int period, opened, closed, freed;
	int reason; /* of its state */

	const char *const *domains; /* that run; NULL ends them */
	atomic_bool hangs;	    /* when it is opened */
	atomic_bool closes;	    /* it has been closed */
	unsigned sessions, systems; /* that were opened */
} fake;

static virError last_error;

virErrorPtr virGetLastError(void)
{
	last_error.code = fake.code;
	last_error.message = fake.mute ? NULL : (char *)(uintptr_t) "words of libvirt";
	return fake.silent ? NULL : &last_error;
}

void virSetErrorFunc(void *data, virErrorFunc handler)
{
	(void)data;
	fake.on_error = handler;
}

static bool fails(enum call call)
{
	/* As the real one does, unless somebody has asked for silence. */
	if (fake.fails == call && fake.on_error)
		fake.on_error(NULL, &last_error);
	else if (fake.fails == call)
		fputs("libvirt: error\n", stderr);
	return fake.fails == call;
}

virConnectPtr virConnectOpen(const char *name)
{
	fake.opened++;
	fake.sessions += !strcmp(name, "qemu:///session");
	fake.systems += !strcmp(name, "qemu:///system");
	while (fake.hangs)
		usleep(1000);
	snprintf(fake.uri, sizeof(fake.uri), "%s", name);
	return fails(OPEN) ? NULL : &the_connection;
}

int virConnectClose(virConnectPtr connection)
{
	assert_ptr_equal(connection, &the_connection);
	assert_true(fake.freed == 1 || fake.fails == LOOKUP || fake.domains);
	fake.closed++;
	fake.closes = true;
	return 0;
}

virDomainPtr virDomainLookupByName(virConnectPtr connection, const char *name)
{
	assert_ptr_equal(connection, &the_connection);
	snprintf(fake.name, sizeof(fake.name), "%s", name);
	return fails(LOOKUP) ? NULL : &the_domain;
}

int virConnectListAllDomains(virConnectPtr connection, virDomainPtr **domains, unsigned flags)
{
	int count = 0;

	assert_ptr_equal(connection, &the_connection);
	assert_int_equal(flags, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
	if (fails(LIST))
		return -1;
	while (fake.domains && fake.domains[count])
		count++;
	/* Not with calloc(), which may be told to fail. */
	*domains = aligned_alloc(sizeof(**domains), (size_t)(count + 1) * sizeof(**domains));
	for (int i = 0; i < count; i++)
		(*domains)[i] = (virDomainPtr)(uintptr_t)&fake.domains[i];
	return count;
}

const char *virDomainGetName(virDomainPtr domain)
{
	return fails(GET_NAME) ? NULL : *(const char *const *)domain;
}

int virDomainFree(virDomainPtr domain)
{
	assert_true(domain == &the_domain || fake.domains);
	fake.freed++;
	return 0;
}

int virDomainGetInfo(virDomainPtr domain, virDomainInfoPtr info)
{
	assert_ptr_equal(domain, &the_domain);
	*info = fake.info;
	return fails(INFO) ? -1 : 0;
}

int virDomainMemoryStats(virDomainPtr domain, virDomainMemoryStatPtr stats, unsigned most,
			 unsigned flags)
{
	assert_ptr_equal(domain, &the_domain);
	assert_int_equal(most, VIR_DOMAIN_MEMORY_STAT_NR);
	assert_int_equal(flags, 0);
	memcpy(stats, fake.stats, sizeof(fake.stats));
	return fails(MEMORY_STATS) ? -1 : fake.nr_stats;
}

int virDomainSetMemoryFlags(virDomainPtr domain, unsigned long kib, unsigned flags)
{
	assert_ptr_equal(domain, &the_domain);
	fake.kib = kib;
	fake.flags = flags;
	return fails(SET_MEMORY) ? -1 : 0;
}

char *virDomainGetXMLDesc(virDomainPtr domain, unsigned flags)
{
	assert_ptr_equal(domain, &the_domain);
	assert_int_equal(flags, 0);
	return fails(XML) ? NULL : strdup(fake.xml);
}

int virDomainSetMemoryStatsPeriod(virDomainPtr domain, int period, unsigned flags)
{
	assert_ptr_equal(domain, &the_domain);
	fake.period = period;
	fake.flags = flags;
	return fails(SET_PERIOD) ? -1 : 0;
}

int virDomainMemoryPeek(virDomainPtr domain, unsigned long long start, size_t size, void *buffer,
			unsigned flags)
{
	assert_ptr_equal(domain, &the_domain);
	fake.start = start;
	fake.flags = flags;
	memset(buffer, 0x5a, size);
	return fails(PEEK) ? -1 : 0;
}

int virDomainGetState(virDomainPtr domain, int *state, int *reason, unsigned flags)
{
	assert_ptr_equal(domain, &the_domain);
	assert_int_equal(flags, 0);
	*state = fake.info.state;
	if (reason)
		*reason = fake.reason;
	return fails(STATE) ? -1 : 0;
}

int virDomainSuspend(virDomainPtr domain)
{
	assert_ptr_equal(domain, &the_domain);
	fake.info.state = VIR_DOMAIN_PAUSED;
	return fails(SUSPEND) ? -1 : 0;
}

int virDomainUpdateDeviceFlags(virDomainPtr domain, const char *xml, unsigned flags)
{
	assert_ptr_equal(domain, &the_domain);
	snprintf(fake.element, sizeof(fake.element), "%s", xml);
	fake.flags = flags;
	return fails(UPDATE) ? -1 : 0;
}

int virDomainResume(virDomainPtr domain)
{
	assert_ptr_equal(domain, &the_domain);
	if (fails(RESUME))
		return -1;
	fake.info.state = VIR_DOMAIN_RUNNING;
	return 0;
}

static void add_stat(int tag, unsigned long long value)
{
	fake.stats[fake.nr_stats++] = (virDomainMemoryStatStruct){ .tag = tag, .val = value };
}

/* A guest of 8 MiB, with 6 of them left to it, that has everything. */
static int begin(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.info = (virDomainInfo){ .state = VIR_DOMAIN_RUNNING,
				     .maxMem = 8192,
				     .cpuTime = 7654321000000ull };
	fake.xml = "<domain/>";
	add_stat(VIR_DOMAIN_MEMORY_STAT_RSS, 77);
	add_stat(VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, 6144);
	/* This machine may run one. */
	guest_names_run = "/nowhere";
	return 0;
}

/* ---- guests ---- */

/* Without the thread that libvirt is called in: guest_thread_test.c has that. */
static int open_guest_called(const char *name, struct guest **out)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	assert_non_null(guest);
	guest->backend = &guest_backend_libvirt;
	guest->name = strdup(name);
	*out = guest;
	return guest->backend->open(guest, name);
}

static struct guest *open_good(void)
{
	struct guest *guest;

	assert_int_equal(open_guest_called(NAME, &guest), 0);
	return guest;
}

/* Closes it, and counts what libvirt's own are freed. */
static void end(struct guest *guest)
{
	guest_close(guest);
	assert_int_equal(fake.freed, 1);
	assert_int_equal(fake.closed, 1);
}

static void assert_uri(const char *name, const char *uri, const char *domain)
{
	struct guest *guest;

	assert_int_equal(open_guest_called(name, &guest), 0);
	assert_string_equal(fake.uri, uri);
	assert_string_equal(fake.name, domain);
	guest_close(guest);
	fake.freed = fake.closed = 0;
}

static void name_is_an_uri_and_a_domain(void **state)
{
	(void)state;
	assert_uri("test:///default#a", "test:///default", "a");
	assert_uri("libvirt:///session#web", "qemu:///session", "web");
	assert_uri("libvirt:///system#w", "qemu:///system", "w");
	assert_uri("libvirt://host/system#web-2", "qemu://host/system", "web-2");
	assert_uri("qemu+ssh://host/system#web", "qemu+ssh://host/system", "web");
	assert_uri("test:///a#b#c", "test:///a#b", "c");
}

static void connection_that_fails_is_not_kept(void **state)
{
	struct guest *guest;

	(void)state;
	fake.fails = OPEN;
	fake.code = VIR_ERR_NO_CONNECT;
	assert_int_equal(open_guest_called(NAME, &guest), -ENOTCONN);
	assert_string_equal(guest_error(guest), "libvirt: words of libvirt");
	guest_close(guest);
	assert_true(fake.freed == 0 && fake.closed == 0);
	fake.fails = LOOKUP;
	fake.code = VIR_ERR_NO_DOMAIN;
	assert_int_equal(open_guest_called(NAME, &guest), -ENOTCONN);
	guest_close(guest);
	assert_true(fake.freed == 0 && fake.closed == 1);
}

/* Both ways in which an URI is made. */
static void memory_that_is_short_is_told(void **state)
{
	static const char *const names[] = { NAME, "libvirt:///session#dom" };

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct guest *guest = calloc(1, sizeof(*guest));

		assert_non_null(guest);
		guest->backend = &guest_backend_libvirt;
		fail_nth(FAILING_MEMORY, 1 + (unsigned)i % 2);
		assert_int_equal(guest->backend->open(guest, names[i / 2]), -ENOMEM);
		assert_string_equal(guest_error(guest), "out of memory");
		fail_nth(FAILING_MEMORY, 0);
		guest_close(guest);
		assert_int_equal(fake.opened, 0);
	}
}

static void every_error_of_libvirt_has_one_of_ours(void **state)
{
	static const struct {
		int code, err;
	} errors[] = {
		{ VIR_ERR_NO_DOMAIN, -ENOTCONN },
		{ VIR_ERR_NO_CONNECT, -ENOTCONN },
		{ VIR_ERR_INVALID_CONN, -ENOTCONN },
		{ VIR_ERR_SYSTEM_ERROR, -ENOTCONN },
		{ VIR_ERR_RPC, -ENOTCONN },
		{ VIR_ERR_OPERATION_INVALID, -ENOTCONN },
		{ VIR_ERR_AUTH_FAILED, -EPERM },
		{ VIR_ERR_AUTH_CANCELLED, -EPERM },
		{ VIR_ERR_ACCESS_DENIED, -EPERM },
		{ VIR_ERR_OPERATION_TIMEOUT, -ETIMEDOUT },
		{ VIR_ERR_DEVICE_MISSING, -ENODEV },
		{ VIR_ERR_INTERNAL_ERROR, -EPROTO },
		{ VIR_ERR_OPERATION_FAILED, -EPROTO },
	};
	struct guest *guest = open_good();
	struct guest_state is;

	(void)state;
	fake.fails = INFO;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		fake.code = errors[i].code;
		assert_int_equal(guest_state(guest, &is), errors[i].err);
		assert_string_equal(guest_error(guest), "libvirt: words of libvirt");
	}
	fake.mute = true;
	fake.code = VIR_ERR_RPC;
	assert_int_equal(guest_state(guest, &is), -ENOTCONN);
	assert_string_equal(guest_error(guest), "libvirt fails without saying why");
	fake.silent = true;
	assert_int_equal(guest_state(guest, &is), -EPROTO);
	assert_string_equal(guest_error(guest), "libvirt fails without saying why");
	end(guest);
}

/* -ENODEV is what nothing of all this has by itself. */
static void every_call_may_fail(void **state)
{
	struct guest *guest = open_good();
	struct guest_state is;
	struct guest_stats stats;
	struct guest_cost cost;
	char bytes[3];
	bool ran;

	(void)state;
	fake.code = VIR_ERR_ACCESS_DENIED;
	fake.fails = INFO;
	assert_int_equal(guest_state(guest, &is), -EPERM);
	fake.fails = MEMORY_STATS;
	assert_int_equal(guest_state(guest, &is), -EPERM);
	assert_int_equal(guest_stats(guest, &stats), -EPERM);
	assert_int_equal(guest_cost(guest, &cost), -EPERM);
	fake.fails = XML;
	assert_int_equal(guest_stats(guest, &stats), -EPERM);
	fake.fails = SET_MEMORY;
	assert_int_equal(guest_set_target(guest, 4096), -EPERM);
	fake.fails = SET_PERIOD;
	assert_int_equal(guest_set_interval(guest, 5), -EPERM);
	fake.fails = STATE;
	assert_int_equal(guest_state(guest, &is), -EPERM);
	assert_int_equal(guest_halt(guest, &ran), -EPERM);
	fake.fails = PEEK;
	assert_int_equal(guest_peek(guest, 0, bytes, sizeof(bytes)), -EPERM);
	fake.info.state = VIR_DOMAIN_RUNNING;
	fake.fails = SUSPEND;
	assert_int_equal(guest_halt(guest, &ran), -EPERM);
	fake.fails = RESUME;
	assert_int_equal(guest_resume(guest), -EPERM);
	/* Each was told, and libvirt did not print it. */
	assert_string_equal(guest_error(guest), "libvirt: words of libvirt");
	assert_non_null(fake.on_error);
	end(guest);
}

static void amounts_are_in_kib(void **state)
{
	struct guest *guest = open_good();
	struct guest_state is;

	(void)state;
	assert_int_equal(guest_state(guest, &is), 0);
	assert_true(is.ram == 8 * MIB && is.left == 6 * MIB && is.taken == 2 * MIB);
	assert_false(is.paused);
	assert_string_equal(is.complaint, "");
	fake.info.state = VIR_DOMAIN_PAUSED;
	assert_int_equal(guest_state(guest, &is), 0);
	assert_true(is.paused);
	end(guest);
}

static void panic_is_told_apart_from_a_pause(void **state)
{
	static const struct {
		int state, reason;
		bool panicked, paused;
	} trials[] = {
		{ VIR_DOMAIN_RUNNING, VIR_DOMAIN_PAUSED_CRASHED, false, false },
		{ VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER, false, true },
		{ VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED, true, true },
		{ VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED, true, true },
		{ VIR_DOMAIN_SHUTDOWN, 0, false, false },
	};
	struct guest *guest = open_good();

	(void)state;
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		struct guest_state is;

		fake.info.state = (unsigned char)trials[i].state;
		fake.reason = trials[i].reason;
		assert_int_equal(guest_state(guest, &is), 0);
		assert_int_equal(is.panicked, trials[i].panicked);
		assert_int_equal(is.paused, trials[i].paused);
	}
	end(guest);
}

static void guest_without_a_balloon_is_told(void **state)
{
	struct guest *guest = open_good();
	struct guest_state is;

	(void)state;
	/* What lies after those that it gave is not looked at. */
	fake.nr_stats--;
	assert_int_equal(guest_state(guest, &is), -ENODEV);
	assert_string_equal(guest_error(guest), "the machine has no balloon device");
	fake.nr_stats = 0;
	assert_int_equal(guest_state(guest, &is), -ENODEV);
	end(guest);
}

static void amounts_that_cannot_be_are_refused(void **state)
{
	struct guest *guest = open_good();
	struct guest_state is;

	(void)state;
	fake.info.maxMem = KIB_MAX;
	fake.stats[1].val = KIB_MAX;
	assert_int_equal(guest_state(guest, &is), 0);
	assert_true(is.ram == KIB_MAX * 1024ull && is.left == is.ram);
	fake.stats[1].val = KIB_MAX + 1;
	assert_int_equal(guest_state(guest, &is), -EPROTO);
	assert_string_equal(guest_error(guest), "libvirt's figures make no sense");
	fake.stats[1].val = 1;
	fake.info.maxMem = KIB_MAX + 1;
	assert_int_equal(guest_state(guest, &is), -EPROTO);
	end(guest);
}

static void orders_are_for_the_running_guest(void **state)
{
	struct guest *guest = open_good();
	char bytes[3] = "";
	bool ran;

	(void)state;
	assert_int_equal(guest_set_target(guest, 5 * MIB), 0);
	assert_true(fake.kib == 5120 && fake.flags == VIR_DOMAIN_AFFECT_LIVE);
	assert_int_equal(guest_set_target(guest, 5 * MIB + 1), -ERANGE);
	assert_string_equal(guest_error(guest),
			    "libvirt counts in KiB, and 5242881 bytes are no multiple");
	assert_int_equal(fake.kib, 5120);
	fake.flags = 0;
	assert_int_equal(guest_set_interval(guest, 9), 0);
	assert_true(fake.period == 9 && fake.flags == VIR_DOMAIN_AFFECT_LIVE);
	assert_int_equal(guest_peek(guest, 0x1234, bytes, 2), 0);
	assert_true(fake.start == 0x1234 && fake.flags == VIR_MEMORY_PHYSICAL);
	assert_memory_equal(bytes, "\x5a\x5a\0", 3);
	fake.info.state = VIR_DOMAIN_RUNNING;
	assert_int_equal(guest_halt(guest, &ran), 0);
	assert_true(ran && fake.info.state == VIR_DOMAIN_PAUSED);
	assert_int_equal(guest_halt(guest, &ran), 0);
	assert_false(ran);
	assert_int_equal(guest_resume(guest), 0);
	assert_int_equal(fake.info.state, VIR_DOMAIN_RUNNING);
	end(guest);
}

/* It was on its way out when it was halted: libvirt lets it run no more. */
static void guest_that_ended_while_it_was_halted_need_not_run_on(void **state)
{
	struct guest *guest = open_good();

	(void)state;
	fake.fails = RESUME;
	fake.code = VIR_ERR_OPERATION_INVALID;
	fake.info.state = VIR_DOMAIN_SHUTOFF;
	assert_int_equal(guest_resume(guest), 0);
	fake.info.state = VIR_DOMAIN_CRASHED;
	assert_int_equal(guest_resume(guest), 0);
	fake.info.state = VIR_DOMAIN_PAUSED;
	assert_true(guest_resume(guest) < 0);
	assert_string_equal(guest_error(guest), "libvirt: words of libvirt");
	end(guest);
}

/* 4 MiB of which 2 are plugged, and a DIMM of 1 MiB, in a domain of 8 MiB with them. */
static const char with_devices[] =
	"<domain><devices><memory model='virtio-mem'><target><size unit='KiB'>4096</size>"
	"<block unit='KiB'>2048</block><requested unit='KiB'>4096</requested>"
	"<current unit='KiB'>2048</current></target><alias name='m0'/></memory>"
	"<memory model='dimm'><target><size unit='KiB'>1024</size></target></memory>"
	"</devices></domain>";

static void memory_devices_are_in_the_domains_memory(void **state)
{
	struct guest *guest = open_good();
	struct guest_state is;

	(void)state;
	fake.xml = with_devices;
	fake.stats[1].val = 3072;
	assert_int_equal(guest_state(guest, &is), 0);
	assert_true(is.base == 3 * MIB && is.dimms == MIB && is.grown == 2 * MIB);
	assert_true(is.ram == 6 * MIB && is.taken == MIB && is.left == 5 * MIB);
	assert_true(is.requested == 4 * MIB && is.nr_devices == 1);
	assert_string_equal(is.complaint, "");
	fake.info.maxMem = 5119;
	assert_int_equal(guest_state(guest, &is), -EPROTO);
	fake.info.maxMem = 8192;
	fake.fails = XML;
	fake.code = VIR_ERR_ACCESS_DENIED;
	assert_int_equal(guest_state(guest, &is), -EPERM);
	fake.fails = 0;
	fake.nr_stats = 0;
	assert_int_equal(guest_memory(guest, &is), 0);
	assert_true(is.lacks_balloon && is.left == is.ram && is.ram == 6 * MIB);
	end(guest);
}

static void memory_device_is_updated(void **state)
{
	struct guest *guest = open_good();
	bool driver_ok = true;

	(void)state;
	fake.xml = with_devices;
	assert_int_equal(guest_request(guest, "m0", 2 * MIB), 0);
	assert_int_equal(fake.flags, VIR_DOMAIN_AFFECT_LIVE);
	assert_string_equal(
		fake.element,
		"<memory model='virtio-mem'><target><size unit='KiB'>4096</size>"
		"<block unit='KiB'>2048</block><requested unit='KiB'>2048</requested>"
		"<current unit='KiB'>2048</current></target><alias name='m0'/></memory>");
	assert_int_equal(guest_find_driver(guest, "m0", &driver_ok), -ENOTSUP);
	assert_false(driver_ok);
	fake.fails = UPDATE;
	fake.code = VIR_ERR_OPERATION_TIMEOUT;
	assert_int_equal(guest_request(guest, "m0", 0), -ETIMEDOUT);
	assert_string_equal(guest_error(guest), "libvirt: words of libvirt");
	fake.silent = true;
	assert_int_equal(guest_request(guest, "m0", 0), -EPROTO);
	end(guest);
}

/* One that is too old names what may be typed with another. */
static void libvirt_that_cannot_update_says_what_to_type(void **state)
{
	static const int codes[] = { VIR_ERR_NO_SUPPORT, VIR_ERR_OPERATION_UNSUPPORTED,
				     VIR_ERR_CONFIG_UNSUPPORTED };
	struct guest *guest = open_good();

	(void)state;
	fake.xml = with_devices;
	fake.fails = UPDATE;
	for (size_t i = 0; i < 3; i++) {
		fake.code = codes[i];
		assert_int_equal(guest_request(guest, "m0", 2 * MIB), -ENOTSUP);
		assert_says(guest_error(guest),
			    "does not change the size of m0 (words of libvirt)");
		assert_says(guest_error(guest), "update-memory-device dom --alias m0 "
						"--requested-size 2048");
	}
	fake.mute = true;
	assert_int_equal(guest_request(guest, "m0", 2 * MIB), -ENOTSUP);
	assert_says(guest_error(guest), "(it says no more)");
	end(guest);
}

/* Counts stay as they are, amounts come in KiB. */
static void statistics_have_their_own_numbers_and_units(void **state)
{
	static const struct {
		int tag;
		unsigned stat;
		uint64_t unit;
	} all[] = {
		{ VIR_DOMAIN_MEMORY_STAT_SWAP_IN, STAT_SWAP_IN, 1024 },
		{ VIR_DOMAIN_MEMORY_STAT_SWAP_OUT, STAT_SWAP_OUT, 1024 },
		{ VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, STAT_MAJOR_FAULTS, 1 },
		{ VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT, STAT_MINOR_FAULTS, 1 },
		{ VIR_DOMAIN_MEMORY_STAT_UNUSED, STAT_FREE_MEMORY, 1024 },
		{ VIR_DOMAIN_MEMORY_STAT_AVAILABLE, STAT_TOTAL_MEMORY, 1024 },
		{ VIR_DOMAIN_MEMORY_STAT_USABLE, STAT_AVAILABLE_MEMORY, 1024 },
		{ VIR_DOMAIN_MEMORY_STAT_DISK_CACHES, STAT_DISK_CACHES, 1024 },
		{ VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC, STAT_HTLB_PGALLOC, 1 },
		{ VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL, STAT_HTLB_PGFAIL, 1 },
	};
	const size_t count = sizeof(all) / sizeof(all[0]);
	struct guest *guest = open_good();
	struct guest_stats stats;

	(void)state;
	assert_int_equal(guest_stats(guest, &stats), 0);
	assert_int_equal(stats.present, 0);
	for (size_t i = 0; i < count; i++)
		add_stat(all[i].tag, 100 + i);
	assert_int_equal(guest_stats(guest, &stats), 0);
	for (size_t i = 0; i < count; i++) {
		assert_true(stats.present >> all[i].stat & 1);
		assert_int_equal(stats.value[all[i].stat], (100 + i) * all[i].unit);
		stats.present &= ~(1u << all[i].stat);
	}
	assert_int_equal(stats.present, 0);
	end(guest);
}

static void report_has_the_age_of_its_time(void **state)
{
	struct guest *guest = open_good();
	struct guest_stats stats;
	time_t now = time(NULL);

	(void)state;
	assert_int_equal(guest_stats(guest, &stats), 0);
	assert_false(stats.ever);
	add_stat(VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, 0);
	assert_int_equal(guest_stats(guest, &stats), 0);
	assert_false(stats.ever);
	fake.stats[2].val = 1;
	assert_int_equal(guest_stats(guest, &stats), 0);
	assert_true(stats.ever && stats.update == 1 && stats.age >= (double)now - 1);
	fake.stats[2].val = (unsigned long long)now - 100;
	assert_int_equal(guest_stats(guest, &stats), 0);
	assert_true(stats.age >= 100 && stats.age <= 100 + difftime(time(NULL), now));
	assert_true(stats.update == (uint64_t)now - 100);
	/* Its clock may be ahead of ours. */
	fake.stats[2].val = (unsigned long long)now + 10000;
	assert_int_equal(guest_stats(guest, &stats), 0);
	assert_true(stats.ever && stats.age == 0);
	end(guest);
}

static void interval_is_that_of_the_balloon(void **state)
{
	static const struct {
		const char *xml;
		unsigned seconds;
	} all[] = {
		{ "<domain><devices><memballoon model='virtio'><stats period='17'/></memballoon>"
		  "</devices></domain>",
		  17 },
		{ "<devices><memballoon model='virtio'/>", 0 },
		{ "<devices><stats period='5'/>", 0 },
		{ "<devices><stats period='5'/><memballoon model='virtio'></memballoon>", 0 },
		{ "<devices><memballoon><stats period='many'/></memballoon>", 0 },
		/* What a person wrote for himself stands before the devices. */
		{ "<memballoon><stats period='5'/></memballoon><devices><memballoon/></devices>",
		  0 },
		{ "", 0 },
	};
	struct guest *guest = open_good();
	struct guest_stats stats;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		fake.xml = all[i].xml;
		assert_int_equal(guest_stats(guest, &stats), 0);
		assert_int_equal(stats.interval, all[i].seconds);
	}
	end(guest);
}

static void cost_is_rss_and_processor_time(void **state)
{
	struct guest *guest = open_good();
	struct guest_cost cost;

	(void)state;
	assert_int_equal(guest_cost(guest, &cost), 0);
	assert_int_equal(cost.resident, 77 * 1024);
	assert_int_equal(cost.cpu_ms, 7654321);
	fake.fails = INFO;
	assert_int_equal(guest_cost(guest, &cost), -ENOTSUP);
	assert_string_equal(guest_error(guest), "libvirt does not say what the guest costs");
	fake.fails = 0;
	fake.nr_stats = 0;
	assert_int_equal(guest_cost(guest, &cost), -ENOTSUP);
	end(guest);
}

/* ---- guests that are looked at again and again ---- */

#define LONG_MS 60000

static struct poller *look(int interval_ms, unsigned looks, unsigned stats_interval)
{
	const struct poller_rate rate = { .interval_ms = interval_ms,
					  .timeout_ms = LONG_MS,
					  .stats_interval = stats_interval };
	struct sample sample = { 0 };
	struct poller *poller;

	assert_int_equal(poller_start(NAME, &rate, &poller), 0);
	while (sample.number < looks) {
		assert_true(poller_wait(poller, sample.number, LONG_MS, &sample));
		assert_int_equal(sample.err, 0);
		assert_true(sample.has_cost && sample.has_stats);
	}
	return poller;
}

/* Its owner waits a second for a poller to end, and on a busy machine that is too short. */
static void stop(struct poller *poller)
{
	poller_stop(poller);
	for (int i = 0; i < LONG_MS / 10 && !fake.closed; i++)
		usleep(10000);
	assert_int_equal(fake.closed, 1);
}

/* To connect is expensive over ssh: libvirt keeps the connection. */
static void connection_is_kept_between_looks(void **state)
{
	(void)state;
	stop(look(20, 3, 0));
	assert_int_equal(fake.opened, 1);
	/* Nobody asks for statistics, and nobody is told to. */
	assert_int_equal(fake.period, 0);
	poller_stop(NULL);
}

static void statistics_are_asked_for_as_long_as_somebody_looks(void **state)
{
	struct poller *poller;

	(void)state;
	fake.period = -1;
	poller = look(20, 3, 7);
	assert_int_equal(fake.period, 7);
	stop(poller);
	/* It is left as it was found. */
	assert_int_equal(fake.period, 0);
	/* At once, however long it is until the next look. */
	fake.freed = fake.closed = 0;
	poller = look(3600000, 1, 7);
	assert_int_equal(fake.period, 7);
	stop(poller);
	assert_int_equal(fake.period, 0);
}

static void statistics_that_are_asked_for_already_are_left_alone(void **state)
{
	(void)state;
	fake.period = -1;
	fake.xml = "<devices><memballoon><stats period='5'/></memballoon>";
	stop(look(20, 3, 7));
	assert_int_equal(fake.period, -1);
}

/* ---- names of guests ---- */

#define LONG_MS 60000

static const char *const two[] = { "web", "db", NULL };

static void domains_are_named_after_their_uri(void **state)
{
	struct guest_names names = { .count = 0 };
	char *error = NULL;

	(void)state;
	fake.domains = two;
	assert_int_equal(
		guest_names_add(&names, "libvirt:///session", deadline_in(LONG_MS), &error), 0);
	assert_null(error);
	assert_int_equal(names.count, 2);
	assert_string_equal(names.name[0], "libvirt:///session#web");
	assert_string_equal(names.name[1], "libvirt:///session#db");
	assert_string_equal(fake.uri, "qemu:///session");
	assert_true(fake.opened == 1 && fake.freed == 2 && fake.closed == 1);
	guest_names_free(&names);
	assert_int_equal(names.count, 0);
	assert_null(names.name);
}

static void libvirt_that_fails_has_its_words(void **state)
{
	static const enum call calls[] = { OPEN, LIST, GET_NAME };
	struct guest_names names = { .count = 0 };
	char *error;

	(void)state;
	for (int i = 0; i < 3; i++) {
		begin(NULL);
		fake.domains = two;
		fake.fails = calls[i];
		fake.code = VIR_ERR_NO_CONNECT;
		assert_int_equal(guest_names_add(&names, "test:///x", deadline_in(LONG_MS), &error),
				 -ENOTCONN);
		assert_string_equal(error, "libvirt: words of libvirt");
		free(error);
		assert_int_equal(names.count, 0);
		assert_int_equal(fake.closed, i > 0);
		assert_int_equal(fake.freed, i == 2 ? 2 : 0);
	}
}

/* What it says later is for nobody, and is freed by whoever is the last to know of it. */
static void libvirt_that_hangs_is_left_behind(void **state)
{
	struct guest_names names = { .count = 0 };
	char *error;

	(void)state;
	fake.domains = two;
	fake.hangs = true;
	assert_int_equal(guest_names_add(&names, "test:///x", deadline_in(50), &error), -ETIMEDOUT);
	assert_string_equal(error, "no answer from libvirt in time");
	free(error);
	assert_int_equal(names.count, 0);
	fake.hangs = false;
	for (int i = 0; i < LONG_MS && !fake.closes; i++)
		usleep(1000);
	assert_true(fake.closes);
}

static void names_need_memory(void **state)
{
	struct guest_names names = { .count = 0 };
	unsigned n = 0;
	char *error;
	int err;

	(void)state;
	do {
		begin(NULL);
		fake.domains = two;
		fail_nth(FAILING_MEMORY, ++n);
		err = guest_names_add(&names, "test:///x", deadline_in(LONG_MS), &error);
		assert_int_equal(err, failed_call() ? -ENOMEM : 0);
		fail_nth(FAILING_MEMORY, 0);
		/* What was found before may be in the list. */
		assert_true(err ? names.count < 2 : names.count == 2);
		free(error);
		guest_names_free(&names);
	} while (err);
	assert_true(n > 8);
}

static void calls_for_names_may_fail(void **state)
{
	struct guest_names names = { .count = 0 };
	char *error;

	(void)state;
	fail_with(EAGAIN);
	fail_nth(FAILING_CALLS, 1);
	assert_int_equal(guest_names_add(&names, "test:///x", deadline_in(LONG_MS), &error),
			 -EAGAIN);
	assert_string_equal(failed_call(), "pthread_create");
	assert_null(error);
	fail_with(EACCES);
	for (unsigned n = 1; n < 3; n++) {
		fail_nth(FAILING_CALLS, n);
		assert_int_equal(guest_names_add(&names, "/tmp", deadline_in(LONG_MS), &error),
				 -EACCES);
		assert_string_equal(failed_call(), n == 1 ? "stat" : "opendir");
		assert_null(error);
	}
	fail_with(0);
	fail_nth(FAILING_CALLS, 0);
	assert_int_equal(names.count, 0);
	assert_int_equal(fake.opened, 0);
}

/*
 * Without a guest, and whatever there is no memory for: no list, or all of it but what could not be
 * looked for, as in a libvirt that this machine may run.
 */
static void list_that_cannot_be_made_says_why(void **state)
{
	char base[] = "/tmp/balloonctl-XXXXXX";
	struct outcome got;
	unsigned n = 2;

	(void)state;
	assert_non_null(mkdtemp(base));
	setenv("XDG_RUNTIME_DIR", base, 1);
	setenv("HOME", base, 1);
	do {
		/* The first are the test's own, for the words. */
		fail_nth(FAILING_MEMORY, ++n);
		got = run_command(NULL, "list", "--json", NULL);
		if (!failed_call())
			break;
		if (got.status) {
			assert_int_equal(got.status, EXIT_WRONG);
			if (*got.out)
				assert_string_equal(got.out, "{\"guests\":[]}\n");
			if (!strstr(got.err, "out of memory\n"))
				assert_says(got.err, strerror(ENOMEM));
		}
	} while (n < 100);
	fail_nth(FAILING_MEMORY, 0);
	assert_true(n > 3);
	assert_int_equal(got.status, EXIT_REACHED);
	assert_string_equal(got.out, "{\"guests\":[]}\n");
	assert_int_equal(rmdir(base), 0);
}

/* Somebody listens there, in a folder of this test's own. */
static int listen_at(const char *base, const char *folder, const char *name, char path[108])
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(path, 108, "%s/%s", base, folder);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/libvirt");
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(strcat(path, "/"), name);
	strcpy(addr.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}

static void remove_listener(int fd, char *path)
{
	close(fd);
	unlink(path);
	for (int i = 0; i < 3; i++) {
		*strrchr(path, '/') = '\0';
		assert_int_equal(rmdir(path), 0);
	}
}

/* Who root is for a while. */
#define NOBODY 65534

/* How often a session is asked where this is called so; `runtime` is in that folder, or not. */
static unsigned asked_at(const char *folder, const char *name, const char *runtime)
{
	struct guest_names names = { .count = 0 };
	char base[] = "/tmp/balloonctl-XXXXXX", path[108], text[300], *error;
	int fd, err;

	begin(NULL);
	assert_non_null(mkdtemp(base));
	fd = listen_at(base, folder, name, path);
	setenv("HOME", base, 1);
	unsetenv("XDG_RUNTIME_DIR");
	snprintf(text, sizeof(text), "%s/%s", base, runtime ? runtime : "");
	if (runtime)
		setenv("XDG_RUNTIME_DIR", *runtime ? text : "", 1);
	fake.domains = two;
	err = guest_names_add_usual(&names, deadline_in(LONG_MS), &error);
	assert_int_equal(err, 0);
	assert_true(names.count >= 2 * fake.sessions);
	free(error);
	guest_names_free(&names);
	remove_listener(fd, path);
	return fake.sessions;
}

/* To ask where none runs would start one. */
static void session_is_asked_where_it_listens(void **state)
{
	bool root = geteuid() == 0;
	char far[200];

	(void)state;
	/* What root calls its session is the system's. */
	if (root) {
		assert_int_equal(asked_at("xdg", "libvirt-sock", "xdg"), 0);
		assert_int_equal(seteuid(NOBODY), 0);
	}
	assert_int_equal(asked_at("xdg", "libvirt-sock", "xdg"), 1);
	assert_int_equal(asked_at("xdg", "virtqemud-sock", "xdg"), 1);
	assert_int_equal(asked_at(".cache", "libvirt-sock", NULL), 1);
	assert_int_equal(asked_at(".cache", "virtqemud-sock", "nowhere"), 1);
	assert_int_equal(asked_at("xdg", "other-sock", "xdg"), 0);
	assert_int_equal(asked_at("xdg", "libvirt-sock", NULL), 0);
	assert_int_equal(asked_at("xdg", "libvirt-sock", ""), 0);
	/* Longer than an address can be. */
	memset(far, 'x', sizeof(far));
	far[sizeof(far) - 1] = '\0';
	assert_int_equal(asked_at("xdg", "libvirt-sock", far), 0);
	assert_int_equal(seteuid(getuid()), 0);
}

/* The system's are asked as well, once each way of listening. */
static void system_is_asked_where_it_listens(void **state)
{
	struct guest_names names = { .count = 0 };
	char base[] = "/tmp/balloonctl-XXXXXX", run[64], path[108], *error;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(run, sizeof(run), "%s/run", base);
	fd = listen_at(base, "run", "virtqemud-sock", path);
	setenv("HOME", run, 1);
	setenv("XDG_RUNTIME_DIR", "/nowhere", 1);
	fake.domains = two;
	assert_int_equal(guest_names_add_usual(&names, deadline_in(LONG_MS), &error), 0);
	assert_int_equal(fake.systems, 0);
	guest_names_free(&names);
	guest_names_run = run;
	assert_int_equal(guest_names_add_usual(&names, deadline_in(LONG_MS), &error), 0);
	assert_int_equal(fake.systems, 1);
	assert_int_equal(fake.sessions, 0);
	assert_true(names.count >= 2);
	assert_string_equal(names.name[names.count - 2], "libvirt:///system#web");
	guest_names_free(&names);
	remove_listener(fd, path);
}

/* Here the call that fails has no words of its own. */
static void session_that_cannot_be_asked_has_a_reason(void **state)
{
	struct guest_names names = { .count = 0 };
	char base[] = "/tmp/balloonctl-XXXXXX", path[108], *error;
	unsigned n = 0;
	int fd, err;

	(void)state;
	if (geteuid() == 0)
		assert_int_equal(seteuid(NOBODY), 0);
	assert_non_null(mkdtemp(base));
	fd = listen_at(base, ".cache", "libvirt-sock", path);
	setenv("HOME", base, 1);
	unsetenv("XDG_RUNTIME_DIR");
	fake.domains = two;
	fail_with(EAGAIN);
	do {
		error = NULL;
		fail_nth(FAILING_CALLS, ++n);
		err = guest_names_add_usual(&names, deadline_in(LONG_MS), &error);
		assert_non_null(failed_call());
		if (strcmp(failed_call(), "pthread_create") != 0)
			free(error);
	} while (strcmp(failed_call(), "pthread_create") != 0);
	fail_with(0);
	fail_nth(FAILING_CALLS, 0);
	assert_int_equal(err, -EAGAIN);
	assert_string_equal(error, "libvirt:///session: Resource temporarily unavailable");
	free(error);
	guest_names_free(&names);
	remove_listener(fd, path);
	assert_int_equal(seteuid(getuid()), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(name_is_an_uri_and_a_domain, begin),
		cmocka_unit_test_setup(connection_that_fails_is_not_kept, begin),
		cmocka_unit_test_setup(memory_that_is_short_is_told, begin),
		cmocka_unit_test_setup(every_error_of_libvirt_has_one_of_ours, begin),
		cmocka_unit_test_setup(every_call_may_fail, begin),
		cmocka_unit_test_setup(amounts_are_in_kib, begin),
		cmocka_unit_test_setup(panic_is_told_apart_from_a_pause, begin),
		cmocka_unit_test_setup(guest_without_a_balloon_is_told, begin),
		cmocka_unit_test_setup(amounts_that_cannot_be_are_refused, begin),
		cmocka_unit_test_setup(orders_are_for_the_running_guest, begin),
		cmocka_unit_test_setup(guest_that_ended_while_it_was_halted_need_not_run_on, begin),
		cmocka_unit_test_setup(memory_devices_are_in_the_domains_memory, begin),
		cmocka_unit_test_setup(memory_device_is_updated, begin),
		cmocka_unit_test_setup(libvirt_that_cannot_update_says_what_to_type, begin),
		cmocka_unit_test_setup(statistics_have_their_own_numbers_and_units, begin),
		cmocka_unit_test_setup(report_has_the_age_of_its_time, begin),
		cmocka_unit_test_setup(interval_is_that_of_the_balloon, begin),
		cmocka_unit_test_setup(cost_is_rss_and_processor_time, begin),
		cmocka_unit_test_setup(connection_is_kept_between_looks, begin),
		cmocka_unit_test_setup(statistics_are_asked_for_as_long_as_somebody_looks, begin),
		cmocka_unit_test_setup(statistics_that_are_asked_for_already_are_left_alone, begin),
		cmocka_unit_test_setup(domains_are_named_after_their_uri, begin),
		cmocka_unit_test_setup(libvirt_that_fails_has_its_words, begin),
		cmocka_unit_test_setup(libvirt_that_hangs_is_left_behind, begin),
		cmocka_unit_test_setup(names_need_memory, begin),
		cmocka_unit_test_setup(calls_for_names_may_fail, begin),
		cmocka_unit_test_setup(list_that_cannot_be_made_says_why, begin),
		cmocka_unit_test_setup(session_is_asked_where_it_listens, begin),
		cmocka_unit_test_setup(system_is_asked_where_it_listens, begin),
		cmocka_unit_test_setup(session_that_cannot_be_asked_has_a_reason, begin),
	};

	return cmocka_run_group_tests_name("balloonctl/libvirt_calls", tests, NULL, NULL);
}
