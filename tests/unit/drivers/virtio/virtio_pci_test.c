/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PCI transports: a simulated device behind simulated registers. This file
 * plays drivers/pci and has the windows; the registers are sim_virtio_pci's, and
 * the device behind them sim_virtio.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/pci/pci.h"
#include "drivers/virtio/virtio_pci.h"
#include "tests/sim/sim_bus.h"
#include "tests/sim/sim_frame.h"
#include "tests/sim/sim_irq.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_time.h"
#include "tests/sim/sim_virtio_pci.h"

#define PORTS 0xc000
#define PORTS_SIZE SIM_VIRTIO_PCI_PORTS_SIZE

#define BAR SIM_VIRTIO_PCI_BAR
#define BAR_SIZE SIM_VIRTIO_PCI_SIZE
#define COMMON SIM_VIRTIO_PCI_COMMON
#define ISR SIM_VIRTIO_PCI_ISR
#define DEVICE SIM_VIRTIO_PCI_DEVICE
#define NOTIFY SIM_VIRTIO_PCI_NOTIFY
#define TABLE_BAR SIM_VIRTIO_PCI_TABLE_BAR

/* Windows are cookies: nothing is there, BAR n begins at n + 1 TiB. */
#define COOKIE_BITS 40
#define COOKIE(bar) ((uintptr_t)((bar) + 1) << COOKIE_BITS)

static struct sim_virtio sim;
static struct sim_virtio_pci regs;
static struct pci_device pci;
static uint8_t config_space[256];
static bool enabled;
static bool enable_is_refused;

/* drivers/pci */

struct pci_device *pci_devices(void)
{
	return &pci;
}

uint8_t pci_read8(const struct pci_device *device, unsigned offset)
{
	(void)device;
	assert_true(offset < sizeof(config_space));
	return config_space[offset];
}

uint16_t pci_read16(const struct pci_device *device, unsigned offset)
{
	return (uint16_t)(pci_read8(device, offset) | pci_read8(device, offset + 1) << 8);
}

uint32_t pci_read32(const struct pci_device *device, unsigned offset)
{
	return pci_read16(device, offset) | (uint32_t)pci_read16(device, offset + 2) << 16;
}

bool pci_is_there(const struct pci_device *device)
{
	(void)device;
	return !sim.gone;
}

void pci_write16(const struct pci_device *device, unsigned offset, uint16_t value)
{
	(void)device;
	if (enable_is_refused && regs.msix != 0 && offset == regs.msix + 2)
		value &= 0x7fff;
	memcpy(config_space + offset, &value, sizeof(value));
}

unsigned pci_find_capability(const struct pci_device *device, uint8_t id, unsigned after)
{
	unsigned at = config_space[after == 0 ? 0x34 : after + 1];

	(void)device;
	for (unsigned i = 0; i < 48 && at >= 0x40; i++, at = config_space[at + 1])
		if (config_space[at] == id)
			return at;
	return 0;
}

void pci_enable(const struct pci_device *device)
{
	(void)device;
	enabled = true;
}

int pci_map_bar(const struct pci_device *device, unsigned bar, uint64_t offset, uint64_t size,
		void **window)
{
	if (bar >= PCI_BARS || offset + size > device->bar[bar].size)
		return -EINVAL;
	if (device->bar[bar].address == 0)
		return -ENXIO;
	*window = (void *)(COOKIE(bar) + offset);
	return 0;
}

uint32_t sim_mmio_read(uintptr_t at, unsigned width)
{
	return sim_virtio_pci_read(&regs, (unsigned)(at >> COOKIE_BITS) - 1, at & (COOKIE(0) - 1),
				   width);
}

void sim_mmio_write(uintptr_t at, unsigned width, uint32_t value)
{
	sim_virtio_pci_write(&regs, (unsigned)(at >> COOKIE_BITS) - 1, at & (COOKIE(0) - 1), width,
			     value);
}

uint32_t sim_port_read(uint16_t port, unsigned width)
{
	assert_in_range(port, PORTS, PORTS + PORTS_SIZE - width);
	return sim_virtio_pci_read(&regs, SIM_VIRTIO_PCI_PORTS_BAR, port - PORTS, width);
}

void sim_port_write(uint16_t port, unsigned width, uint32_t value)
{
	assert_in_range(port, PORTS, PORTS + PORTS_SIZE - width);
	sim_virtio_pci_write(&regs, SIM_VIRTIO_PCI_PORTS_BAR, port - PORTS, width, value);
}

/* Building the function that is probed. */

static unsigned add_vendor(uint8_t type, uint8_t bar, uint32_t offset, uint32_t length)
{
	return sim_virtio_pci_add_vendor(&regs, type, bar, offset, length);
}

static void set32(unsigned at, uint32_t value)
{
	memcpy(config_space + at, &value, sizeof(value));
}

/* A function with its BARs, but without any capability. */
static void make_function(uint16_t device, bool legacy, uint64_t features)
{
	memset(&pci, 0, sizeof(pci));
	virtio_pci_probe(); /* lets go of what was there before */
	memset(config_space, 0, sizeof(config_space));
	pci.vendor = 0x1af4;
	pci.device = device;
	pci.subsystem = device < 0x1040 ? VIRTIO_ID_BALLOON : 0x1100;
	pci.address.device = 3;
	pci.interrupt_pin = 1;
	pci.bar[0] = (struct pci_bar){ PCI_BAR_IO, false, PORTS, PORTS_SIZE };
	pci.bar[BAR] = (struct pci_bar){ PCI_BAR_MEMORY64, true, 0x800000000, BAR_SIZE };
	enabled = false;
	enable_is_refused = false;
	sim_time_reset();
	sim_log_reset();
	sim_irq_reset();
	sim_frame_reset();
	sim_virtio_init(&sim, VIRTIO_ID_BALLOON, legacy, features, 3);
	sim.config_size = 16;
	sim_virtio_pci_init(&regs, &sim, config_space);
}

static void make_modern(void)
{
	make_function(0x1045, false,
		      VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(1) | VIRTIO_BIT(33));
	sim_virtio_pci_add_modern(&regs);
}

/* Ends the probe's hold on `pci`, and leaves nothing behind for the next test. */
static int teardown(void **state)
{
	(void)state;
	pci.vendor = 0;
	virtio_pci_probe();
	if (sim_irq_messages() != 0)
		return -1;
	if (sim.violation != NULL || sim_irq_violation != NULL) {
		print_error("violation: %s\n", sim.violation ? sim.violation : sim_irq_violation);
		return -1;
	}
	return virtio_devices() == NULL && sim_irq_line == NULL ? 0 : -1;
}

static struct virtio_device *probe(void)
{
	assert_int_equal(virtio_pci_probe(), 1);
	assert_int_equal(sim_log_warnings, 0);
	assert_true(enabled);
	return virtio_devices();
}

/* The function is left alone, with one line that contains `why`. */
static void assert_left_alone(const char *why)
{
	assert_int_equal(virtio_pci_probe(), 0);
	assert_null(virtio_devices());
	assert_null(sim_irq_line);
	assert_int_equal(sim_log_warnings, 1);
	if (strstr(sim_log_warning, why) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", why, sim_log_warning);
}

/* The whole life of a device: features, a queue, a buffer, config, interrupts. */
static void use_device(struct virtio_device *device)
{
	static struct virtq queue;
	const struct virtq_buffer buffer = { .address = 0x1000, .length = 4 };
	struct sim_virtio_chain chain;
	uint64_t interrupts, notified = sim.queue[2].notified;
	void *token;

	assert_int_equal(virtio_negotiate(device, VIRTIO_BIT(1)), 0);
	assert_true(sim.driver_features == device->accepted);
	assert_int_equal(virtq_create(device, 7, &queue), -ENODEV);
	assert_int_equal(virtq_create(device, 2, &queue), 0);
	assert_int_equal(queue.size, 128);
	virtio_ready(device);
	assert_true(sim.status & VIRTIO_STATUS_DRIVER_OK);
	assert_int_equal(virtq_add(&queue, &buffer, 1, &queue), 0);
	virtq_kick(&queue);
	assert_int_equal(sim.queue[2].notified, notified + 1);
	assert_true(sim_virtio_pop(&sim, 2, &chain));
	interrupts = device->interrupt_count;
	sim_virtio_push(&sim, 2, chain.head, 0);
	assert_int_equal(device->interrupt_count, interrupts + 1);
	assert_int_equal(virtq_get_used(&queue, &token, NULL), 1);
	assert_false(device->config_changed);
	sim_virtio_set_config32(&sim, 0, 4711);
	assert_true(device->config_changed);
	assert_int_equal(sim.isr, 0);
	assert_int_equal(virtio_config_read32(device, 0), 4711);
	virtio_config_write32(device, 4, 99);
	assert_int_equal(sim_virtio_config32(&sim, 4), 99);
	virtio_break(device, "end of test");
	virtq_destroy(&queue);
	assert_int_equal(sim_frame_in_use(), 0);
}

static void modern_device_works(void **state)
{
	struct virtio_device *device;

	(void)state;
	make_modern();
	device = probe();
	assert_int_equal(device->type, VIRTIO_ID_BALLOON);
	assert_string_equal(device->address, "0000:00:03.0");
	assert_string_equal(device->transport->name, "pci modern");
	use_device(device);
	assert_int_equal(regs.notified_at, 2 * SIM_VIRTIO_PCI_MULTIPLIER);
	/* The high half of the features arrived, too. */
	assert_true(device->offered & VIRTIO_BIT(33));
	assert_true(device->accepted == (VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(1) |
					 VIRTIO_BIT(VIRTIO_F_ACCESS_PLATFORM)));
}

static void legacy_device_works(void **state)
{
	struct virtio_device *device;

	(void)state;
	make_function(0x1002, true, VIRTIO_BIT(1) | VIRTIO_BIT(31));
	device = probe();
	assert_int_equal(device->type, VIRTIO_ID_BALLOON);
	assert_string_equal(device->transport->name, "pci legacy");
	use_device(device);
	assert_true(device->accepted == VIRTIO_BIT(1));
}

static void transitional_device_is_used_as_modern(void **state)
{
	(void)state;
	make_function(0x1002, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	sim_virtio_pci_add_modern(&regs);
	assert_string_equal(probe()->transport->name, "pci modern");
	use_device(virtio_devices());
}

static void transitional_device_of_any_revision_is_taken(void **state)
{
	(void)state;
	make_function(0x1002, true, 0);
	pci.revision = 7;
	probe();
}

static void transitional_device_with_bad_capabilities_is_used_as_legacy(void **state)
{
	(void)state;
	make_function(0x1002, true, VIRTIO_BIT(1));
	add_vendor(1, BAR, BAR_SIZE - 32, 56);
	add_vendor(2, BAR, NOTIFY, 0x1000);
	add_vendor(3, BAR, ISR, 1);
	assert_string_equal(probe()->transport->name, "pci legacy");
	use_device(virtio_devices());
}

static void other_functions_are_not_virtio(void **state)
{
	static const uint16_t ids[] = { 0x0fff, 0x1080, 0x1110 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		make_function(ids[i], false, 0);
		assert_int_equal(virtio_pci_probe(), 0);
		assert_false(enabled);
		assert_int_equal(sim_log_warnings, 0);
	}
	make_modern();
	pci.vendor = 0x8086;
	assert_int_equal(virtio_pci_probe(), 0);
	assert_int_equal(sim_log_warnings, 0);
	assert_false(enabled);
}

static void probing_again_starts_anew(void **state)
{
	(void)state;
	make_modern();
	for (unsigned i = 0; i < 100; i++)
		probe();
	assert_null(virtio_devices()->next);
	assert_null(sim_irq_line->next);
}

static void device_is_reset_by_the_probe(void **state)
{
	(void)state;
	make_modern();
	sim.status = 15;
	sim.isr = VIRTIO_ISR_QUEUE;
	probe();
	assert_int_equal(sim.status, 0);
	assert_int_equal(sim.isr, 0);
}

static void each_missing_structure_is_named(void **state)
{
	static const char *const why[] = { NULL, "common", "notify", "ISR" };

	(void)state;
	for (uint8_t missing = 1; missing <= 3; missing++) {
		make_modern();
		for (unsigned at = 0x40; at < regs.free_config; at += 20)
			if (config_space[at + 3] == missing)
				config_space[at + 3] = 99;
		assert_left_alone(why[missing]);
	}
}

static void modern_device_without_capabilities_is_left_alone(void **state)
{
	(void)state;
	make_function(0x1045, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	assert_left_alone("not transitional");
}

static void transitional_device_without_ports_is_left_alone(void **state)
{
	(void)state;
	make_function(0x1002, true, 0);
	pci.bar[0].kind = PCI_BAR_MEMORY32;
	assert_left_alone("BAR 0 is no block of ports");
	make_function(0x1002, true, 0);
	pci.bar[0].address = 0;
	assert_left_alone("BAR 0 has no usable ports");
	make_function(0x1002, true, 0);
	pci.bar[0].address = 0xfff0;
	assert_left_alone("BAR 0 has no usable ports");
	make_function(0x1002, true, 0);
	pci.bar[0].size = 16;
	assert_left_alone("BAR 0 has no usable ports");
}

static void device_without_config_has_an_empty_one(void **state)
{
	struct virtio_device *device;

	(void)state;
	make_function(0x1045, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	add_vendor(2, BAR, NOTIFY, 0x1000);
	add_vendor(3, BAR, ISR, 1);
	add_vendor(1, BAR, COMMON, 56);
	device = probe();
	assert_int_equal(virtio_negotiate(device, 0), 0);
	assert_int_equal(virtio_config_read32(device, 0), 0);
	virtio_config_write32(device, 0, 1);
}

/*
 * A capability that is no good stands in front of a good one of its type: it
 * must be passed over, and the device work with the other one.
 */
static void assert_passed_over(uint8_t type, uint8_t bar, uint32_t offset, uint32_t length)
{
	make_function(0x1045, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	add_vendor(type, bar, offset, length);
	sim_virtio_pci_add_modern(&regs);
	probe();
	use_device(virtio_devices());
}

static void bad_capabilities_are_passed_over(void **state)
{
	(void)state;
	for (uint8_t type = 1; type <= 4; type++) {
		assert_passed_over(type, 6, 0, 0x100);
		assert_passed_over(type, 255, 0, 0x100);
		assert_passed_over(type, 1, 0, 0x100); /* no such BAR */
		assert_passed_over(type, 0, 0, 0x10);  /* ports */
		assert_passed_over(type, BAR, 0, 0);
		assert_passed_over(type, BAR, BAR_SIZE, 0x100);
		assert_passed_over(type, BAR, 0x1000, BAR_SIZE);
		assert_passed_over(type, BAR, 0xfffffffc, 0x100); /* wraps in 32 bits */
		assert_passed_over(type, BAR, 0x100, 0xffffffff);
	}
	assert_passed_over(1, BAR, 0, 55);
	assert_passed_over(1, BAR, 2, 0x100);
	assert_passed_over(2, BAR, NOTIFY, 1);
	assert_passed_over(2, BAR, NOTIFY + 1, 0x100);
	assert_passed_over(4, BAR, DEVICE + 2, 0x100);
}

static void unassigned_bar_is_passed_over(void **state)
{
	(void)state;
	make_function(0x1045, false, 0);
	pci.bar[2] = (struct pci_bar){ PCI_BAR_MEMORY32, false, 0, BAR_SIZE };
	add_vendor(1, 2, COMMON, 0x1000);
	sim_virtio_pci_add_modern(&regs);
	probe();
}

static void first_usable_capability_of_a_type_wins(void **state)
{
	(void)state;
	make_modern();
	add_vendor(1, BAR, 0x2000, 0x1000);
	add_vendor(2, BAR, 0x1000, 0x1000);
	probe();
	use_device(virtio_devices());
}

static void capability_that_is_too_short_is_passed_over(void **state)
{
	unsigned at;

	(void)state;
	make_function(0x1045, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	at = add_vendor(2, BAR, 0x100, 0x100);
	config_space[at + 2] = 16; /* no room for the multiplier */
	at = add_vendor(1, BAR, 0x100, 0x100);
	config_space[at + 2] = 15;
	sim_virtio_pci_add_modern(&regs);
	probe();
	use_device(virtio_devices());
}

static void capability_at_the_end_of_config_space_is_passed_over(void **state)
{
	static const uint8_t places[] = { 0xf4, 0xfc };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		make_modern();
		regs.free_config = places[i];
		config_space[sim_virtio_pci_add_capability(&regs, 0x09, 2) + 2] = 2;
		probe();
	}
	make_function(0x1045, false, VIRTIO_BIT(VIRTIO_F_VERSION_1));
	regs.free_config = 0xec;
	config_space[add_vendor(2, BAR, 0x100, 0x100) + 2] = 32;
	regs.free_config = 0x40;
	sim_virtio_pci_add_modern(&regs);
	probe();
	use_device(virtio_devices());
}

static void capability_list_without_end_ends(void **state)
{
	(void)state;
	make_function(0x1045, false, 0);
	config_space[add_vendor(1, BAR, COMMON, 56) + 1] = 0x40;
	assert_left_alone("no usable notify capability");
}

static void multiplier_that_is_no_even_power_of_two_is_passed_over(void **state)
{
	static const uint32_t bad[] = { 1, 3, 6, 0xffffffff };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		make_modern();
		set32(0x40 + 20 + 16, bad[i]);
		assert_left_alone("no usable notify capability");
	}
}

static void multiplier_of_zero_puts_all_notifications_at_one_place(void **state)
{
	(void)state;
	make_modern();
	set32(0x40 + 20 + 16, 0);
	probe();
	use_device(virtio_devices());
	assert_int_equal(regs.notified_at, 0);
}

static void notify_offset_must_lie_within_its_capability(void **state)
{
	static struct virtq queue;

	(void)state;
	make_modern();
	set32(0x40 + 20 + 12, 0x105);
	regs.notify_offsets[0] = 0x40;
	regs.notify_offsets[1] = 0x41;
	regs.notify_offsets[2] = 0xffff;
	probe();
	assert_int_equal(virtio_negotiate(virtio_devices(), 0), 0);
	assert_int_equal(virtq_create(virtio_devices(), 1, &queue), -EINVAL);
	assert_int_equal(virtq_create(virtio_devices(), 2, &queue), -EINVAL);
	assert_int_equal(sim_frame_in_use(), 0);
	assert_int_equal(sim_log_warnings, 2);
	assert_int_equal(virtq_create(virtio_devices(), 0, &queue), 0);
	virtio_ready(virtio_devices());
	assert_int_equal(virtq_add(&queue, &(struct virtq_buffer){ .length = 4 }, 1, &queue), 0);
	virtq_kick(&queue);
	assert_int_equal(regs.notified_at, 0x100);
}

/* 4.1.5.2: 32 bits, which need room and alignment; sim_virtio checks what they say. */
static void notification_data_goes_to_the_notify_address(void **state)
{
	static const uint64_t formats[] = { 0, VIRTIO_BIT(VIRTIO_F_RING_PACKED) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		make_function(0x1045, false,
			      VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(1) | formats[i] |
				      VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA));
		sim_virtio_pci_add_modern(&regs);
		use_device(probe());
		assert_int_equal(regs.notified_at, 2 * SIM_VIRTIO_PCI_MULTIPLIER);
	}
}

static void notification_data_needs_room_and_alignment(void **state)
{
	static struct virtq queue;

	(void)state;
	make_function(0x1045, false,
		      VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA));
	sim_virtio_pci_add_modern(&regs);
	set32(0x40 + 20 + 12, 0x106);
	set32(0x40 + 20 + 16, 2);
	regs.notify_offsets[0] = 0x81; /* 2 bytes into a word */
	regs.notify_offsets[1] = 0x82; /* 2 bytes of room */
	regs.notify_offsets[2] = 0x80;
	probe();
	assert_int_equal(virtio_negotiate(virtio_devices(), 0), 0);
	assert_int_equal(virtq_create(virtio_devices(), 0, &queue), -EINVAL);
	assert_non_null(strstr(sim_log_warning, "not aligned"));
	assert_int_equal(virtq_create(virtio_devices(), 1, &queue), -EINVAL);
	assert_non_null(strstr(sim_log_warning, "beyond"));
	assert_int_equal(virtq_create(virtio_devices(), 2, &queue), 0);
	virtio_ready(virtio_devices());
	assert_int_equal(virtq_add(&queue, &(struct virtq_buffer){ .length = 4 }, 1, &queue), 0);
	virtq_kick(&queue);
	assert_int_equal(regs.notified_at, 0x100);
}

static void notify_offset_is_computed_in_64_bits(void **state)
{
	static struct virtq queue;

	(void)state;
	make_modern();
	set32(0x40 + 20 + 16, 0x80000000);
	regs.notify_offsets[0] = 2; /* times 2^31 is 0 in 32 bits */
	probe();
	assert_int_equal(virtio_negotiate(virtio_devices(), 0), 0);
	assert_int_equal(virtq_create(virtio_devices(), 0, &queue), -EINVAL);
}

static void queue_beyond_num_queues_is_not_selected(void **state)
{
	static struct virtq queue;

	(void)state;
	make_modern();
	regs.num_queues = 1;
	probe();
	assert_int_equal(virtio_negotiate(virtio_devices(), 0), 0);
	assert_int_equal(virtq_create(virtio_devices(), 1, &queue), -ENODEV);
}

static void queue_that_is_in_use_already_is_an_error(void **state)
{
	static struct virtq queue;

	(void)state;
	for (unsigned legacy = 0; legacy < 2; legacy++) {
		if (legacy)
			make_function(0x1002, true, 0);
		else
			make_modern();
		probe();
		assert_int_equal(virtio_negotiate(virtio_devices(), 0), 0);
		sim.queue[0].enabled = true;
		sim.queue[0].desc = 0x1000;
		assert_int_equal(virtq_create(virtio_devices(), 0, &queue), -EIO);
		sim.queue[0].enabled = false;
		sim.refuse_queues = true;
		assert_int_equal(virtq_create(virtio_devices(), 0, &queue), -EIO);
		assert_int_equal(sim_frame_in_use(), 0);
	}
}

static unsigned config_writes;

static void count_config_write(struct sim_virtio *virtio, size_t offset)
{
	(void)virtio;
	assert_int_equal(offset, 8);
	config_writes++;
}

/* 5.5.6.2.1 wants that of a legacy balloon. */
static void config_of_four_bytes_is_written_at_once(void **state)
{
	struct virtio_device *device;

	(void)state;
	for (unsigned legacy = 0; legacy < 2; legacy++) {
		if (legacy)
			make_function(0x1002, true, 0);
		else
			make_modern();
		device = probe();
		assert_int_equal(virtio_negotiate(device, 0), 0);
		sim.on_config_write = count_config_write;
		config_writes = 0;
		device->transport->config_write32(device, 8, 0x44332211);
		assert_int_equal(config_writes, 1);
		assert_int_equal(sim_virtio_config32(&sim, 8), 0x44332211);
		assert_int_equal(device->transport->config_read32(device, 8), 0x44332211);
	}
}

static void interrupt_of_another_device_is_not_claimed(void **state)
{
	struct virtio_device *device;

	(void)state;
	make_modern();
	device = probe();
	assert_false(sim_irq_line->handle(sim_irq_line));
	assert_int_equal(device->interrupt_count, 0);
	sim.isr = VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG;
	assert_true(sim_irq_line->handle(sim_irq_line));
	assert_int_equal(device->interrupt_count, 1);
	assert_true(device->config_changed);
	assert_false(sim_irq_line->handle(sim_irq_line));
}

static void interrupt_with_a_gone_device_wakes_but_is_not_claimed(void **state)
{
	(void)state;
	make_modern();
	probe();
	sim.gone = true;
	assert_false(sim_irq_line->handle(sim_irq_line));
	assert_int_equal(sim_time_wakes, 1);
	assert_int_equal(virtio_devices()->interrupt_count, 0);
	assert_false(virtio_devices()->config_changed);
}

static void device_without_interrupt_pin_is_said_to_be_polled(void **state)
{
	(void)state;
	make_modern();
	pci.interrupt_pin = 0;
	assert_int_equal(virtio_pci_probe(), 1);
	assert_null(sim_irq_line);
	assert_int_equal(sim_log_warnings, 1);
}

/* ---- MSI-X ---- */

static void add_msix(unsigned count)
{
	sim_virtio_pci_add_msix(&regs, count);
	pci.bar[TABLE_BAR] = (struct pci_bar){ PCI_BAR_MEMORY32, false, 0xfe000000,
					       SIM_VIRTIO_PCI_TABLE_SIZE };
}

static void make_either(unsigned legacy)
{
	if (legacy)
		make_function(0x1002, true, VIRTIO_BIT(1));
	else
		make_modern();
}

static void msix_left_on_by_the_firmware_is_turned_off(void **state)
{
	(void)state;
	make_modern();
	add_msix(2);
	pci_write16(&pci, regs.msix + 2, 0xc001);
	pci.bar[TABLE_BAR].address = 0; /* there is no way to use it */
	assert_int_equal(virtio_pci_probe(), 1);
	assert_int_equal(pci_read16(&pci, regs.msix + 2), 0x4001);
}

static void msix_has_one_vector_for_config_and_one_for_queues(void **state)
{
	(void)state;
	for (unsigned legacy = 0; legacy < 2; legacy++) {
		struct virtio_device *device;

		make_either(legacy);
		add_msix(3);
		device = probe();
		assert_null(sim_irq_line);
		assert_string_equal(device->interrupts_by,
				    "MSI-X, vectors 64 (config), 65 (queues)");
		use_device(device);
		/* A second life: the reset had taken the vectors. */
		use_device(device);
		assert_int_equal(regs.config_vector, SIM_VIRTIO_PCI_NO_VECTOR);
	}
}

static void msix_with_one_vector_means_both(void **state)
{
	static struct virtq queue;

	(void)state;
	for (unsigned legacy = 0; legacy < 2; legacy++) {
		struct virtio_device *device;

		make_either(legacy);
		add_msix(1);
		device = probe();
		assert_string_equal(device->interrupts_by, "MSI-X, vector 64");
		assert_int_equal(virtio_negotiate(device, 0), 0);
		assert_int_equal(virtq_create(device, 2, &queue), 0);
		virtio_ready(device);
		assert_int_equal(regs.config_vector, 0);
		assert_int_equal(regs.queue_vector[2], 0);
		sim_virtio_interrupt(&sim, VIRTIO_ISR_QUEUE);
		assert_int_equal(device->interrupt_count, 1);
		assert_true(device->config_changed);
		sim_virtio_set_config32(&sim, 0, 5);
		assert_int_equal(device->interrupt_count, 2);
		assert_int_equal(virtio_config_read32(device, 0), 5);
		virtio_break(device, "end of test");
		virtq_destroy(&queue);
	}
}

/* Each way in which it cannot be had; INTx works then. */
static void msix_that_does_not_work_leaves_intx(void **state)
{
	(void)state;
	for (unsigned legacy = 0; legacy < 2; legacy++) {
		for (unsigned how = 0; how < 5; how++) {
			make_either(legacy);
			add_msix(2);
			if (how == 0)
				pci.bar[TABLE_BAR].size = SIM_VIRTIO_PCI_TABLE + 2 * 16 - 1;
			else if (how == 1)
				set32(regs.msix + 4, SIM_VIRTIO_PCI_TABLE | 7);
			else if (how == 2)
				pci.bar[TABLE_BAR].address = 0;
			else if (how == 3)
				sim_irq_messages_left = 0;
			else
				enable_is_refused = true;
			assert_int_equal(virtio_pci_probe(), 1);
			assert_int_equal(sim_log_warnings, 1);
			assert_non_null(sim_irq_line);
			assert_int_equal(sim_irq_messages(), 0);
			assert_string_equal(virtio_devices()->interrupts_by, "INTx");
			use_device(virtio_devices());
		}
	}
}

static void table_that_just_fits_is_used(void **state)
{
	(void)state;
	make_modern();
	add_msix(2);
	pci.bar[TABLE_BAR].size = SIM_VIRTIO_PCI_TABLE + 2 * 16;
	use_device(probe());
	assert_null(sim_irq_line);
}

static void msix_vectors_can_run_short(void **state)
{
	(void)state;
	make_modern();
	add_msix(2);
	sim_irq_messages_left = 1;
	assert_string_equal(probe()->interrupts_by, "MSI-X, vector 64");
}

/* 0: not even the config's; 1: only that one. */
static void vector_that_does_not_read_back_means_intx(void **state)
{
	(void)state;
	for (unsigned legacy = 0; legacy < 2; legacy++) {
		for (uint16_t taken = 0; taken < 2; taken++) {
			struct virtio_device *device;

			make_either(legacy);
			add_msix(2);
			device = probe();
			regs.vectors_taken = taken;
			use_device(device);
			assert_string_equal(device->interrupts_by, "INTx");
			assert_non_null(sim_irq_line);
			assert_int_equal(sim_irq_messages(), 0);
			assert_false(sim_virtio_pci_msix_is_on(&regs));
		}
	}
}

/* ---- Coming and going ---- */

static unsigned probes, removals;
static const char *broken_at_removal;

static int count_probe(struct virtio_device *device)
{
	(void)device;
	probes++;
	return 0;
}

static void count_removal(struct virtio_device *device)
{
	removals++;
	broken_at_removal = device->broken;
}

static void a_function_comes_and_goes(void **state)
{
	static struct virtio_driver driver = { .type = VIRTIO_ID_BALLOON,
					       .probe = count_probe,
					       .remove = count_removal };

	(void)state;
	make_modern();
	pci.vendor = 0;
	assert_int_equal(virtio_pci_probe(), 0);
	probes = removals = 0;
	assert_int_equal(virtio_register_driver(&driver), -ENODEV);
	pci.vendor = 0x1af4;
	/* More often than there are entries. */
	for (unsigned i = 1; i <= 40; i++) {
		bool gone = i % 2;

		virtio_pci_add(&pci);
		assert_int_equal(probes, i);
		assert_ptr_equal(virtio_devices()->driver, &driver);
		virtio_pci_remove(&pci, gone);
		virtio_pci_remove(&pci, gone);
		assert_int_equal(removals, i);
		assert_true(gone == (broken_at_removal != NULL));
		assert_null(virtio_devices());
		assert_null(sim_irq_line);
	}
	driver.type = 0; /* for the other tests it is not there */
}

static void gone_device_is_an_error_everywhere(void **state)
{
	static struct virtq queue;
	struct virtio_device *device;

	(void)state;
	make_modern();
	device = probe();
	assert_int_equal(virtio_negotiate(device, 0), 0);
	sim.gone = true;
	assert_int_equal(virtq_create(device, 0, &queue), -EIO);
	assert_true(virtio_needs_reset(device));
	assert_int_equal(virtio_negotiate(device, 0), -EIO);
}

#define CASE(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(modern_device_works),
		CASE(legacy_device_works),
		CASE(transitional_device_is_used_as_modern),
		CASE(transitional_device_of_any_revision_is_taken),
		CASE(transitional_device_with_bad_capabilities_is_used_as_legacy),
		CASE(other_functions_are_not_virtio),
		CASE(probing_again_starts_anew),
		CASE(device_is_reset_by_the_probe),
		CASE(each_missing_structure_is_named),
		CASE(modern_device_without_capabilities_is_left_alone),
		CASE(transitional_device_without_ports_is_left_alone),
		CASE(device_without_config_has_an_empty_one),
		CASE(bad_capabilities_are_passed_over),
		CASE(unassigned_bar_is_passed_over),
		CASE(first_usable_capability_of_a_type_wins),
		CASE(capability_that_is_too_short_is_passed_over),
		CASE(capability_at_the_end_of_config_space_is_passed_over),
		CASE(capability_list_without_end_ends),
		CASE(multiplier_that_is_no_even_power_of_two_is_passed_over),
		CASE(multiplier_of_zero_puts_all_notifications_at_one_place),
		CASE(notify_offset_must_lie_within_its_capability),
		CASE(notify_offset_is_computed_in_64_bits),
		CASE(notification_data_goes_to_the_notify_address),
		CASE(notification_data_needs_room_and_alignment),
		CASE(queue_beyond_num_queues_is_not_selected),
		CASE(queue_that_is_in_use_already_is_an_error),
		CASE(config_of_four_bytes_is_written_at_once),
		CASE(interrupt_of_another_device_is_not_claimed),
		CASE(interrupt_with_a_gone_device_wakes_but_is_not_claimed),
		CASE(device_without_interrupt_pin_is_said_to_be_polled),
		CASE(msix_left_on_by_the_firmware_is_turned_off),
		CASE(gone_device_is_an_error_everywhere),
		CASE(msix_has_one_vector_for_config_and_one_for_queues),
		CASE(msix_with_one_vector_means_both),
		CASE(msix_that_does_not_work_leaves_intx),
		CASE(table_that_just_fits_is_used),
		CASE(msix_vectors_can_run_short),
		CASE(vector_that_does_not_read_back_means_intx),
		CASE(a_function_comes_and_goes),
	};

	return cmocka_run_group_tests_name("virtio_pci", tests, NULL, NULL);
}
