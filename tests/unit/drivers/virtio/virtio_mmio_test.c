/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio over MMIO: a simulated device behind simulated registers of version 1
 * or 2. A register that the version does not have, or one that is accessed in
 * another width than its own, fails the test.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/irq.h"
#include "arch/paging.h"
#include "drivers/virtio/virtio_mmio.h"
#include "tests/sim/sim_bus.h"
#include "tests/sim/sim_frame.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_time.h"
#include "tests/sim/sim_virtio.h"
#include "tests/unit/drivers/virtio/virtio_fixture.h"

#define BASE UINT64_C(0xfeb00e00)
#define SIZE 512
#define CONFIG 0x100
#define GSI 24

/* The window is a cookie: nothing is there. */
#define COOKIE ((uintptr_t)1 << 40)

static const struct virtio_mmio_place place = {
	.base = BASE, .size = SIZE, .has_irq = true, .gsi = GSI, .level = true
};

static struct sim_virtio sim;
static struct irq_handler *handlers;
static int irq_error;

/* The registers' own state, as the driver wrote it. */
static uint32_t magic, version, device_id;
static uint32_t device_select, driver_select;
static uint64_t driver_features;
static uint32_t selected, page_size, queue_align;
static uint32_t num_max; /* of all queues; 0: that of the simulated device */
static uint32_t size_of[VIRTIO_QUEUES_MAX];
static uint32_t halves_of[VIRTIO_QUEUES_MAX][6];
static bool aliased;	       /* every place is the same device */
static uint32_t foreign_ready; /* a queue is in use that the driver did not make */
static unsigned isr_repeats;   /* events that come while others are acknowledged */

/* ---- arch/ ---- */

int paging_map_device(paddr_t paddr, uint64_t size, void **window)
{
	if (paddr >= UINT64_C(1) << 40 || size > (UINT64_C(1) << 40) - paddr)
		return -EINVAL;
	*window = (void *)(COOKIE + (aliased ? BASE : paddr));
	return 0;
}

int irq_register_gsi(uint32_t gsi, bool level, struct irq_handler *handler)
{
	assert_int_equal(gsi, GSI);
	assert_true(level);
	if (irq_error)
		return irq_error;
	handler->next = handlers;
	handlers = handler;
	return 0;
}

void irq_unregister_gsi(uint32_t gsi, struct irq_handler *handler)
{
	assert_int_equal(gsi, GSI);
	for (struct irq_handler **at = &handlers; *at; at = &(*at)->next) {
		if (*at == handler) {
			*at = handler->next;
			return;
		}
	}
	fail_msg("a handler was unregistered that is not registered");
}

static void raise_line(struct sim_virtio *virtio)
{
	(void)virtio;
	if (handlers && sim.isr != 0)
		assert_true(handlers->handle(handlers));
}

/* ---- The registers ---- */

static uint64_t address_of(const uint32_t *half)
{
	return half[0] | (uint64_t)half[1] << 32;
}

static void write_ready(uint32_t value)
{
	const uint32_t *half = halves_of[selected];

	assert_int_equal(value, 1);
	sim_virtio_enable(&sim, selected, (uint16_t)size_of[selected], address_of(half),
			  address_of(half + 2), address_of(half + 4));
}

static void write_pfn(uint32_t pfn)
{
	uint64_t size = size_of[selected];
	paddr_t base = (paddr_t)pfn * page_size;

	assert_int_equal(page_size, 4096);
	assert_int_equal(queue_align, 4096);
	sim_virtio_enable(&sim, selected, (uint16_t)size, base, base + 16 * size,
			  base + align_up(16 * size + 6 + 2 * size, queue_align));
}

static uint32_t read_ready(void)
{
	return foreign_ready || (sim.queue[selected].enabled && !sim.refuse_queues);
}

static uint32_t read_pfn(void)
{
	if (foreign_ready)
		return 77;
	if (!sim.queue[selected].enabled || sim.refuse_queues)
		return 0;
	return (uint32_t)(sim.queue[selected].desc / page_size);
}

static uint32_t read_num_max(void)
{
	if (num_max != 0)
		return num_max;
	return selected < VIRTIO_QUEUES_MAX ? sim.queue[selected].size_max : 0;
}

/* With the version in front, where only one has the register. */
static uint32_t register_read(unsigned offset)
{
	switch (offset) {
	case 0x00:
		return magic;
	case 0x04:
		return version;
	case 0x08:
		return device_id;
	case 0x10:
		/* 4.2.2: there are two words. */
		assert_true(device_select < version);
		return (uint32_t)(sim_virtio_get_features(&sim) >> (device_select ? 32 : 0));
	case 0x34:
		return read_num_max();
	case 0x60:
		return sim.isr;
	case 0x70:
		return sim_virtio_get_status(&sim);
	}
	switch (version << 12 | offset) {
	case 0x1040:
		return read_pfn();
	case 0x2044:
		return read_ready();
	case 0x20fc:
		return sim.generation;
	}
	fail_msg("read of register 0x%x of version %u", offset, (unsigned)version);
	return 0;
}

static void write_features(uint32_t value)
{
	assert_true(driver_select < version);
	if (driver_select == 0)
		driver_features = (driver_features & ~(uint64_t)UINT32_MAX) | value;
	else
		driver_features = (uint32_t)driver_features | (uint64_t)value << 32;
	sim_virtio_set_features(&sim, driver_features);
}

static void acknowledge(uint32_t value)
{
	assert_int_equal(value & ~(uint32_t)sim.isr, 0);
	sim.isr = (uint8_t)(sim.isr & ~value);
	if (isr_repeats > 0) {
		isr_repeats--;
		sim.isr |= VIRTIO_ISR_CONFIG;
	}
}

/* True if both versions have it. */
static bool common_write(unsigned offset, uint32_t value)
{
	switch (offset) {
	case 0x14:
		device_select = value;
		return true;
	case 0x20:
		write_features(value);
		return true;
	case 0x24:
		driver_select = value;
		return true;
	case 0x30:
		selected = value;
		return true;
	case 0x38:
		size_of[selected] = value;
		return true;
	case 0x50:
		if (sim.driver_features & VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA))
			sim_virtio_notify_data(&sim, value);
		else
			sim_virtio_notify(&sim, value);
		return true;
	case 0x64:
		acknowledge(value);
		return true;
	case 0x70:
		sim_virtio_set_status(&sim, (uint8_t)value);
		return true;
	default:
		return false;
	}
}

static void register_write(unsigned offset, uint32_t value)
{
	static const uint16_t halves[] = { 0x80, 0x84, 0x90, 0x94, 0xa0, 0xa4 };

	if (common_write(offset, value))
		return;
	for (size_t i = 0; version == 2 && i < ARRAY_SIZE(halves); i++) {
		if (offset == halves[i]) {
			halves_of[selected][i] = value;
			return;
		}
	}
	switch (version << 12 | offset) {
	case 0x1028:
		page_size = value;
		break;
	case 0x103c:
		queue_align = value;
		break;
	case 0x1040:
		write_pfn(value);
		break;
	case 0x2044:
		write_ready(value);
		break;
	default:
		fail_msg("write of register 0x%x of version %u", offset, (unsigned)version);
	}
}

uint32_t sim_mmio_read(uintptr_t address, unsigned width)
{
	uint64_t at = address - COOKIE - BASE;

	if (at >= CONFIG && at + width <= SIZE)
		return sim_virtio_config_read(&sim, at - CONFIG, width);
	assert_true(at < CONFIG);
	assert_int_equal(width, 4);
	return sim.gone ? UINT32_MAX : register_read((unsigned)at);
}

void sim_mmio_write(uintptr_t address, unsigned width, uint32_t value)
{
	uint64_t at = address - COOKIE - BASE;

	if (at >= CONFIG && at + width <= SIZE) {
		sim_virtio_config_write(&sim, at - CONFIG, width, value);
		return;
	}
	assert_true(at < CONFIG);
	assert_int_equal(width, 4);
	if (!sim.gone)
		register_write((unsigned)at, value);
}

/* ---- Building ---- */

static void make_device(uint32_t of_version)
{
	bool legacy = of_version == 1;

	virtio_mmio_forget();
	magic = 0x74726976;
	version = of_version;
	device_id = VIRTIO_ID_BALLOON;
	irq_error = 0;
	device_select = driver_select = 99;
	driver_features = 0;
	selected = page_size = queue_align = num_max = foreign_ready = 0;
	isr_repeats = 0;
	aliased = false;
	memset(halves_of, 0x77, sizeof(halves_of));
	sim_time_reset();
	sim_log_reset();
	sim_frame_reset();
	sim_virtio_init(&sim, VIRTIO_ID_BALLOON, legacy,
			VIRTIO_BIT(1) | (legacy ? VIRTIO_BIT(31)
						: VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(33)),
			3);
	sim.transport.fixed_queue_size = false;
	sim.config_size = 16;
	sim.raise = raise_line;
}

static int teardown(void **state)
{
	(void)state;
	virtio_mmio_forget();
	return !virtio_devices() && !handlers && !sim.violation ? 0 : -1;
}

static struct virtio_device *add(void)
{
	assert_int_equal(virtio_mmio_add(&place), 0);
	assert_int_equal(sim_log_warnings, 0);
	assert_non_null(virtio_devices());
	return virtio_devices();
}

static void assert_refused(const struct virtio_mmio_place *where, int err, const char *why)
{
	sim_log_reset();
	assert_int_equal(virtio_mmio_add(where), err);
	assert_null(virtio_devices());
	assert_null(handlers);
	assert_int_equal(sim_log_warnings, 1);
	if (!strstr(sim_log_warning, why))
		fail_msg("\"%s\" is not in \"%s\"", why, sim_log_warning);
}

/* The whole life of a device: features, a queue, a buffer, config, interrupts. */
static void use_device(struct virtio_device *device)
{
	virtio_use(device, &sim);
}

/* ---- The tests ---- */

static void version_2_works(void **state)
{
	struct virtio_device *device;

	(void)state;
	make_device(2);
	device = add();
	assert_int_equal(device->type, VIRTIO_ID_BALLOON);
	assert_string_equal(device->address, "mmio@feb00e00");
	assert_string_equal(device->transport->name, "mmio modern");
	use_device(device);
	/* The high half of the features arrived, too. */
	assert_true(device->offered == sim.features);
	assert_true(device->accepted == (VIRTIO_BIT(VIRTIO_F_VERSION_1) |
					 VIRTIO_BIT(VIRTIO_F_ACCESS_PLATFORM) | VIRTIO_BIT(1)));
}

/* 4.2.3.3; sim_virtio checks what the data say. */
static void notification_data_goes_where_the_index_goes(void **state)
{
	static const uint64_t formats[] = { 0, VIRTIO_BIT(VIRTIO_F_RING_PACKED) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		make_device(2);
		sim.features |= VIRTIO_BIT(VIRTIO_F_NOTIFICATION_DATA) | formats[i];
		use_device(add());
	}
}

static void version_1_works(void **state)
{
	struct virtio_device *device;

	(void)state;
	make_device(1);
	device = add();
	assert_string_equal(device->transport->name, "mmio legacy");
	use_device(device);
	assert_true(device->offered == (VIRTIO_BIT(1) | VIRTIO_BIT(31)));
	assert_true(device->accepted == VIRTIO_BIT(1));
}

/* QEMU says its largest size for every queue: unlike on legacy PCI, we choose. */
static void version_1_queue_is_made_smaller_than_the_device_allows(void **state)
{
	static struct virtq queue;
	struct virtio_device *device;

	(void)state;
	make_device(1);
	sim.queue[0].size_max = 2 * VIRTQ_SIZE_MAX;
	device = add();
	assert_int_equal(virtio_negotiate(device, 0), 0);
	assert_int_equal(virtq_create(device, 0, &queue), 0);
	assert_int_equal(queue.size, VIRTQ_SIZE_MAX);
	assert_int_equal(sim.queue[0].size, VIRTQ_SIZE_MAX);
	virtio_break(device, "end of test");
	virtq_destroy(&queue);
}

static void wrong_magic_is_no_device(void **state)
{
	(void)state;
	make_device(2);
	magic = 0x74726977;
	assert_refused(&place, -ENODEV, "mmio@feb00e00: left alone: no virtio device");
	sim.gone = true;
	assert_refused(&place, -ENODEV, "no virtio device");
}

static void wrong_version_is_no_device(void **state)
{
	static const uint32_t versions[] = { 0, 3, 0x102, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		make_device(2);
		version = versions[i];
		assert_refused(&place, -ENODEV, "unknown version");
	}
}

/* 4.2.2.2: an empty place is there to be passed over in silence. */
static void device_id_0_is_an_empty_place(void **state)
{
	(void)state;
	make_device(2);
	device_id = 0;
	assert_int_equal(virtio_mmio_add(&place), 0);
	assert_null(virtio_devices());
	assert_int_equal(sim_log_warnings, 0);
	assert_int_equal(sim.status_writes, 0);
}

static void impossible_device_id_is_refused(void **state)
{
	(void)state;
	make_device(2);
	device_id = 0x10005;
	assert_refused(&place, -ENODEV, "impossible type");
}

static void impossible_places_are_refused(void **state)
{
	static const struct virtio_mmio_place places[] = {
		{ .base = BASE, .size = 0 },
		{ .base = BASE, .size = 0x100 },
		{ .base = 0, .size = SIZE },
		{ .base = 0xe00, .size = SIZE },
		{ .base = BASE + 2, .size = SIZE },
		{ .base = UINT64_C(1) << 40, .size = SIZE },
		{ .base = UINT64_MAX - 3, .size = SIZE },
		{ .base = UINT64_MAX - 511, .size = UINT64_MAX },
		{ .base = 4092, .size = SIZE },
	};

	(void)state;
	make_device(2);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		assert_refused(&places[i], -EINVAL, "left alone");
}

/* 4.2.2: registers take 256 bytes, and a config begins after them. */
static void a_place_has_what_its_size_leaves_for_a_config(void **state)
{
	static const struct {
		uint64_t size;
		size_t config_size;
	} cases[] = {
		{ 0x104, 4 }, { 4096, 4096 - 0x100 }, { 8192, 4096 - 0x100 }, { 4092, 4092 - 0x100 }
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct virtio_mmio_place sized = place;
		struct virtio_device *device;

		make_device(2);
		sized.size = cases[i].size;
		assert_int_equal(virtio_mmio_add(&sized), 0);
		device = virtio_devices();
		assert_int_equal(device->transport->config_size(device), cases[i].config_size);
	}
	/* The lowest place that there can be. */
	make_device(2);
	aliased = true;
	assert_int_equal(
		virtio_mmio_add(&(struct virtio_mmio_place){
			.base = 4096, .size = SIZE, .has_irq = true, .gsi = GSI, .level = true }),
		0);
	assert_string_equal(virtio_devices()->address, "mmio@1000");
}

static void same_place_is_taken_once(void **state)
{
	(void)state;
	make_device(2);
	add();
	assert_int_equal(virtio_mmio_add(&place), 0);
	assert_null(virtio_devices()->next);
	assert_null(handlers->next);
}

static void too_many_devices_cost_a_line(void **state)
{
	struct virtio_mmio_place next = {
		.base = BASE, .size = SIZE, .has_irq = true, .gsi = GSI, .level = true
	};
	unsigned made = 0;

	(void)state;
	make_device(2);
	aliased = true;
	for (; virtio_mmio_add(&next) == 0; next.base += SIZE)
		made++;
	assert_int_equal(made, 32);
	assert_int_equal(sim_log_warnings, 1);
	assert_non_null(strstr(sim_log_warning, "more than 32"));
	assert_int_equal(virtio_mmio_add(&next), -ENOSPC);
	/* Those that are there already cost nothing. */
	sim_log_reset();
	next.base = BASE + 31 * SIZE;
	assert_int_equal(virtio_mmio_add(&next), 0);
	next.base = BASE;
	assert_int_equal(virtio_mmio_add(&next), 0);
	assert_int_equal(sim_log_warnings, 0);
}

static void missing_queue_is_enodev(void **state)
{
	static struct virtq queue;

	(void)state;
	for (uint32_t v = 1; v <= 2; v++) {
		make_device(v);
		sim.queue[1].size_max = 0;
		assert_int_equal(virtio_negotiate(add(), 0), 0);
		assert_int_equal(virtq_create(virtio_devices(), 1, &queue), -ENODEV);
		assert_int_equal(sim_frame_in_use(), 0);
	}
}

static void impossible_queue_sizes_are_refused(void **state)
{
	static const struct {
		uint32_t max;
		int err;
	} cases[] = {
		{ 3, -EINVAL }, { 0x10000, -EIO }, { 0x80000080, -EIO }, { UINT32_MAX, -EIO }
	};
	static struct virtq queue;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		make_device(2);
		num_max = cases[i].max;
		assert_int_equal(virtio_negotiate(add(), 0), 0);
		assert_int_equal(virtq_create(virtio_devices(), 0, &queue), cases[i].err);
		assert_int_equal(sim_frame_in_use(), 0);
	}
}

static void queue_that_is_in_use_already_is_an_error(void **state)
{
	static struct virtq queue;

	(void)state;
	for (uint32_t v = 1; v <= 2; v++) {
		make_device(v);
		assert_int_equal(virtio_negotiate(add(), 0), 0);
		foreign_ready = 1;
		assert_int_equal(virtq_create(virtio_devices(), 0, &queue), -EIO);
		assert_false(sim.queue[0].enabled);
		assert_int_equal(sim_frame_in_use(), 0);
	}
}

static void queue_that_does_not_get_ready_is_an_error(void **state)
{
	static struct virtq queue;

	(void)state;
	for (uint32_t v = 1; v <= 2; v++) {
		make_device(v);
		assert_int_equal(virtio_negotiate(add(), 0), 0);
		sim.refuse_queues = true;
		assert_int_equal(virtq_create(virtio_devices(), 0, &queue), -EIO);
		assert_int_equal(sim_frame_in_use(), 0);
	}
}

static void reset_that_never_ends_has_a_deadline(void **state)
{
	(void)state;
	for (uint32_t v = 1; v <= 2; v++) {
		make_device(v);
		add();
		sim.slow_reset = SIM_VIRTIO_FOR_EVER;
		assert_int_equal(virtio_negotiate(virtio_devices(), 0), -ETIMEDOUT);
		assert_int_equal(sim_log_warnings, 1);
		sim.slow_reset = 5;
		assert_int_equal(virtio_negotiate(virtio_devices(), 0), 0);
	}
}

static void refused_features_are_an_error(void **state)
{
	(void)state;
	make_device(2);
	add();
	sim.refuse_features = true;
	assert_int_equal(virtio_negotiate(virtio_devices(), 0), -ENOTSUP);
}

/* Or the line stays up, and an edge never comes again. */
static void interrupts_are_acknowledged_until_none_is_left(void **state)
{
	struct virtio_device *device;

	(void)state;
	make_device(2);
	device = add();
	assert_string_equal(device->interrupts_by, "GSI 24");
	isr_repeats = 3;
	sim_virtio_interrupt(&sim, VIRTIO_ISR_QUEUE);
	assert_int_equal(isr_repeats, 0);
	assert_int_equal(sim.isr, 0);
	assert_int_equal(device->interrupt_count, 1);
	assert_true(device->config_changed);
}

static void interrupts_without_end_are_left(void **state)
{
	(void)state;
	make_device(2);
	add();
	isr_repeats = 1000000;
	sim_virtio_interrupt(&sim, VIRTIO_ISR_QUEUE);
	assert_int_equal(isr_repeats, 1000000 - 16);
}

static void interrupt_of_another_device_is_not_claimed(void **state)
{
	(void)state;
	make_device(2);
	add();
	assert_false(handlers->handle(handlers));
	sim.isr = 0x80; /* no kind that there is */
	assert_false(handlers->handle(handlers));
	assert_int_equal(virtio_devices()->interrupt_count, 0);
}

static void interrupt_with_a_gone_device_wakes_but_is_not_claimed(void **state)
{
	uint64_t wakes;

	(void)state;
	make_device(2);
	add();
	sim.gone = true;
	wakes = sim_time_wakes;
	assert_false(handlers->handle(handlers));
	assert_int_equal(sim_time_wakes, wakes + 1);
}

static void device_without_usable_interrupt_is_said_to_be_polled(void **state)
{
	struct virtio_mmio_place silent = place;

	(void)state;
	make_device(2);
	irq_error = -ENODEV;
	assert_int_equal(virtio_mmio_add(&place), 0);
	assert_string_equal(sim_log_warning, "virtio: mmio@feb00e00: interrupt 24 cannot be used: "
					     "it will be polled");
	assert_string_equal(virtio_devices()->interrupts_by, "nothing");
	make_device(2);
	silent.has_irq = false;
	assert_int_equal(virtio_mmio_add(&silent), 0);
	assert_string_equal(sim_log_warning,
			    "virtio: mmio@feb00e00: has no interrupt: it will be polled");
	assert_string_equal(virtio_devices()->interrupts_by, "nothing");
	assert_null(handlers);
}

static void interrupt_once_more(struct sim_virtio *virtio)
{
	virtio->isr = VIRTIO_ISR_QUEUE;
}

/* And an interrupt that the line still has is taken off it. */
static void device_is_reset_when_it_is_found(void **state)
{
	(void)state;
	make_device(2);
	sim.status = 15;
	sim.on_reset = interrupt_once_more;
	add();
	assert_int_equal(sim.status, 0);
	assert_int_equal(sim.isr, 0);
	sim.on_reset = NULL;
}

/* Nothing of it reaches the device. */
static void queue_too_high_for_a_legacy_device_is_refused(void **state)
{
	struct virtq high = { .desc = (void *)(uintptr_t)(UINT64_C(1) << 44), .size = 128 };
	struct virtio_device *device;

	(void)state;
	make_device(1);
	device = add();
	assert_int_equal(virtio_negotiate(device, 0), 0);
	high.device = device;
	assert_int_equal(device->transport->queue_enable(device, &high), -EINVAL);
	assert_int_equal(sim_log_warnings, 1);
	assert_false(sim.queue[0].enabled);
}

static void gone_device_is_an_error_everywhere(void **state)
{
	static struct virtq queue;

	(void)state;
	make_device(2);
	add();
	assert_int_equal(virtio_negotiate(virtio_devices(), 0), 0);
	sim.gone = true;
	assert_int_equal(virtq_create(virtio_devices(), 0, &queue), -EIO);
	assert_true(virtio_needs_reset(virtio_devices()));
	assert_int_equal(virtio_negotiate(virtio_devices(), 0), -EIO);
}

static void config_is_read_in_one_access(void **state)
{
	struct virtio_device *device;

	(void)state;
	make_device(2);
	device = add();
	memcpy(sim.config, "\x11\x22\x33\x44", 4);
	assert_int_equal(device->transport->config_read32(device, 0), 0x44332211);
	assert_int_equal(device->transport->config_size(device), SIZE - CONFIG);
}

static unsigned config_writes;

static void count_config_write(struct sim_virtio *virtio, size_t offset)
{
	(void)virtio;
	assert_int_equal(offset, 4);
	config_writes++;
}

/* 5.5.6.2.1 wants that of a legacy balloon. */
static void config_of_four_bytes_is_written_at_once(void **state)
{
	(void)state;
	for (uint32_t v = 1; v <= 2; v++) {
		make_device(v);
		sim.on_config_write = count_config_write;
		config_writes = 0;
		assert_int_equal(virtio_negotiate(add(), 0), 0);
		virtio_config_write32(virtio_devices(), 4, 0x44332211);
		assert_int_equal(config_writes, 1);
		assert_int_equal(sim_virtio_config32(&sim, 4), 0x44332211);
	}
}

#define CASE(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(version_2_works),
		CASE(notification_data_goes_where_the_index_goes),
		CASE(version_1_works),
		CASE(version_1_queue_is_made_smaller_than_the_device_allows),
		CASE(wrong_magic_is_no_device),
		CASE(wrong_version_is_no_device),
		CASE(device_id_0_is_an_empty_place),
		CASE(impossible_device_id_is_refused),
		CASE(impossible_places_are_refused),
		CASE(a_place_has_what_its_size_leaves_for_a_config),
		CASE(same_place_is_taken_once),
		CASE(too_many_devices_cost_a_line),
		CASE(missing_queue_is_enodev),
		CASE(impossible_queue_sizes_are_refused),
		CASE(queue_that_is_in_use_already_is_an_error),
		CASE(queue_that_does_not_get_ready_is_an_error),
		CASE(reset_that_never_ends_has_a_deadline),
		CASE(refused_features_are_an_error),
		CASE(interrupts_are_acknowledged_until_none_is_left),
		CASE(interrupts_without_end_are_left),
		CASE(interrupt_of_another_device_is_not_claimed),
		CASE(interrupt_with_a_gone_device_wakes_but_is_not_claimed),
		CASE(device_without_usable_interrupt_is_said_to_be_polled),
		CASE(device_is_reset_when_it_is_found),
		CASE(queue_too_high_for_a_legacy_device_is_refused),
		CASE(gone_device_is_an_error_everywhere),
		CASE(config_is_read_in_one_access),
		CASE(config_of_four_bytes_is_written_at_once),
	};

	return cmocka_run_group_tests_name("virtio_mmio", tests, NULL, NULL);
}
