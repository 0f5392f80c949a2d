/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connection: from the highest version that both sides know, through offers that come and
 * go, to the end. All is done by one task, but for waits of drivers, which take messages, too.
 */
#include "drivers/hyperv/vmbus.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/hyperv.h"
#include "arch/irq.h"
#include "arch/phys_map.h"
#include "drivers/hyperv/hyperv.h"
#include "drivers/hyperv/synic.h"
#include "drivers/hyperv/vmbus_internal.h"
#include "kernel/lib/log.h"
#include "mm/frame.h"

/* Frames that the host may write to: for interrupts of old versions, and a monitor each way. */
enum page {
	PAGE_INTERRUPT,
	PAGE_FROM_HOST,
	PAGE_TO_HOST,
	PAGES_ORDER = 2,
};

/* After so many looks at messages and channels others have a turn. */
#define TURN_ROUNDS 32

/* Events are known by the SynIC's bits, which hosts set from 2.4 on. */
static const uint32_t versions[] = {
	VMBUS_VERSION(5, 3), VMBUS_VERSION(5, 2), VMBUS_VERSION(5, 1), VMBUS_VERSION(5, 0),
	VMBUS_VERSION(4, 1), VMBUS_VERSION(4, 0), VMBUS_VERSION(3, 0), VMBUS_VERSION(2, 4),
};

static struct vmbus_driver *drivers;

static struct {
	bool started;
	bool ending;
	bool running; /* the task */
	pfn_t pages;  /* the first of them */
	uint32_t version;
	uint64_t connect_us;
	bool all_offers;
	/* The answer to INITIATE_CONTACT, and to UNLOAD. */
	bool answered, supported, unloaded;
	uint32_t connection;
} bus;

void vmbus_register(struct vmbus_driver *driver)
{
	assert(driver->offered && driver->rescinded && !bus.started);
	for (struct vmbus_driver *other = drivers; other; other = other->next)
		if (other == driver)
			return;
	driver->next = drivers;
	drivers = driver;
}

/* ---- What messages say ---- */

static const char *take_version(const struct vmbus_version_response *response)
{
	if (bus.answered)
		return vmbus_ignore();
	bus.answered = true;
	bus.supported = response->supported && response->state == 0;
	bus.connection = response->connection;
	return NULL;
}

static const char *handle(const union vmbus_message *message)
{
	switch (message->header.type) {
	case VMBUS_VERSION_RESPONSE:
		return take_version(&message->version_response);
	case VMBUS_ALL_OFFERS:
		bus.all_offers = true;
		return NULL;
	case VMBUS_UNLOAD_RESPONSE:
		bus.unloaded = true;
		return NULL;
	default:
		/* Channels are offered, and answered for, once there is a connection. */
		if (bus.version == 0)
			return vmbus_ignore();
		return vmbus_channels_handle(message);
	}
}

/* ---- The connection ---- */

static bool has_flag(const void *flag)
{
	return *(const bool *)flag;
}

static uint64_t page_address(enum page page)
{
	return pfn_to_paddr(bus.pages + page);
}

static bool is_new(uint32_t version)
{
	return version >= VMBUS_VERSION(5, 0);
}

/* Asks for a version. 0: there was an answer. */
static int ask_for(uint32_t version)
{
	struct vmbus_initiate_contact request = {
		.header = { .type = VMBUS_INITIATE_CONTACT },
		.version = version,
		.target_vp = hyperv_vp_index(),
		.interrupt_page = is_new(version) ? VMBUS_SINT : page_address(PAGE_INTERRUPT),
		.monitor_page = { page_address(PAGE_FROM_HOST), page_address(PAGE_TO_HOST) },
	};
	int err;

	bus.answered = false;
	vmbus_message_set_connection(is_new(version) ? VMBUS_CONNECTION : VMBUS_CONNECTION_OLD);
	err = vmbus_post(&request, sizeof(request));
	return err ? err : vmbus_await(has_flag, &bus.answered);
}

/* An error without a fault: there is no VMBus here, as in a KVM that imitates Hyper-V. */
static int connect(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		int err = ask_for(versions[i]);

		/* An older host does not know where newer ones have their messages posted. */
		if (err == -ENXIO && is_new(versions[i]))
			continue;
		if (err == -ETIMEDOUT)
			vmbus_give_up("it does not answer");
		if (err)
			return err;
		if (!bus.supported)
			continue;
		bus.version = versions[i];
		if (is_new(bus.version))
			vmbus_message_set_connection(bus.connection);
		return 0;
	}
	vmbus_give_up("it knows none of the versions 5.3 to 2.4");
	return -EIO;
}

static int request_offers(void)
{
	static const struct vmbus_header request = { .type = VMBUS_REQUEST_OFFERS };
	int err = vmbus_post(&request, sizeof(request));

	if (err)
		vmbus_give_up("it takes no request for its offers");
	return err;
}

/* ---- Offers ---- */

static struct vmbus_driver *find_driver(const struct vmbus_guid *type)
{
	struct vmbus_driver *driver = drivers;

	while (driver && memcmp(&driver->type, type, sizeof(*type)) != 0)
		driver = driver->next;
	return driver;
}

static void announce(struct vmbus_channel *channel)
{
	struct vmbus_driver *driver = find_driver(vmbus_channel_type(channel));

	vmbus_channel_announce(channel, driver);
	if (driver)
		driver->offered(channel);
}

static void withdraw(struct vmbus_channel *channel)
{
	struct vmbus_driver *driver = vmbus_channel_driver(channel);

	if (driver)
		driver->rescinded(channel);
	vmbus_channel_release(channel);
}

/* What was withdrawn goes first: an offer may be of the same thing anew. */
static bool serve_one(void)
{
	struct vmbus_channel *channel = vmbus_channels_rescinded();

	if (channel) {
		withdraw(channel);
		return true;
	}
	channel = vmbus_channels_new();
	if (channel)
		announce(channel);
	return channel;
}

/* ---- The task ---- */

/* Others have had no turn since all but messages was looked for. */
static void wait_for_messages(void)
{
	uint64_t flags = irq_save();

	if (!synic_has_message())
		task_wait(vmbus_message_waiters(), task_next_look(clock_ns()));
	irq_restore(flags);
	/* Events, too, may come without an interrupt. */
	synic_look();
}

static void wait_and_look(void)
{
	wait_for_messages();
	if (!vmbus_host_fault() && !bus.ending)
		vmbus_channels_look();
}

static void follow_offers(void)
{
	for (unsigned round = 1; !vmbus_host_fault() && !bus.ending; round++) {
		/* Whatever comes so fast, and goes again, leaves others their turn. */
		if (vmbus_message_take() || round % TURN_ROUNDS == 0)
			task_sleep_until(clock_ns() + NS_PER_MS);
		else if (!vmbus_host_fault() && !serve_one())
			wait_and_look();
	}
}

static void vmbus_task(void *arg)
{
	uint64_t start = clock_ns();
	int err = connect();

	(void)arg;
	if (err && !vmbus_host_fault())
		log_debug("vmbus: Hyper-V has none for this guest");
	if (!err)
		bus.connect_us = (clock_ns() - start) / NS_PER_US;
	if (!err && !request_offers())
		follow_offers();
	if (vmbus_host_fault())
		vmbus_channels_wake_all();
	bus.running = false;
}

/* ---- The start, and the end ---- */

static bool may_use(void)
{
	static const uint32_t needed = HV_ACCESS_HIGH_POST_MESSAGES | HV_ACCESS_HIGH_SIGNAL_EVENTS;

	return (hyperv_cpuid()->access_high & needed) == needed;
}

static int alloc_pages(void)
{
	if (frame_alloc(PAGES_ORDER, OWNER_KERNEL, &bus.pages))
		return -ENOMEM;
	memset(phys_to_virt(pfn_to_paddr(bus.pages)), 0, FRAME_SIZE << PAGES_ORDER);
	return 0;
}

static void free_pages(void)
{
	int err = frame_free(bus.pages, (size_t)1 << PAGES_ORDER, OWNER_KERNEL);

	assert(!err);
}

int vmbus_start(void)
{
	int err = hyperv_start();

	if (err)
		return err;
	if (!may_use()) {
		err = -ENODEV;
		goto err_stop;
	}
	memset(&bus, 0, sizeof(bus));
	vmbus_message_begin(handle);
	err = alloc_pages();
	if (err)
		goto err_stop;
	vmbus_channels_begin();
	vmbus_open_begin(phys_to_virt(page_address(PAGE_INTERRUPT)));
	err = synic_start(VMBUS_SINT, vmbus_message_waiters());
	if (err)
		goto err_pages;
	bus.started = bus.running = true;
	err = task_create("vmbus", TASK_PRIORITY_DRIVER, vmbus_task, NULL);
	if (err)
		goto err_synic;
	return 0;

err_synic:
	bus.started = false;
	synic_stop();
err_pages:
	free_pages();
err_stop:
	hyperv_stop();
	return err;
}

/* The task may be in the midst of something, each wait of which is bounded. */
static void stop_task(void)
{
	bus.ending = true;
	while (bus.running) {
		task_wake(vmbus_message_waiters());
		task_sleep_until(clock_ns() + NS_PER_MS);
	}
}

void vmbus_unload(void)
{
	static const struct vmbus_header request = { .type = VMBUS_UNLOAD };

	if (!bus.started)
		return;
	stop_task();
	if (bus.version != 0 && !vmbus_host_fault()) {
		vmbus_close_all();
		if (!vmbus_post(&request, sizeof(request)))
			vmbus_await(has_flag, &bus.unloaded);
	}
	vmbus_message_leave();
	synic_stop();
	free_pages();
	hyperv_stop();
	bus.started = false;
}

bool vmbus_get_info(struct vmbus_info *info)
{
	struct vmbus_message_counts counts;

	vmbus_message_get_counts(&counts);
	*info = (struct vmbus_info){
		.version = bus.version,
		.connect_us = bus.connect_us,
		.fault = vmbus_host_fault(),
		.all_offers = bus.all_offers,
		.looking = bus.running && !bus.all_offers && !vmbus_host_fault(),
		.posted = counts.posted,
		.taken = counts.taken,
		.ignored = counts.ignored,
	};
	return bus.started && (bus.version != 0 || info->fault);
}
