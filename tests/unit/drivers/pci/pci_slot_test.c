/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hot-plug on a simulated bus: a root port whose slot gives power to what is
 * in it and lets go of it when that is turned off, and QEMU's ports for ACPI.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "drivers/pci/pci.h"
#include "drivers/pci/pci_events.h"
#include "drivers/pci/pci_hotplug.h"
#include "drivers/pci/pci_slot.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_pci.h"
#include "tests/sim/sim_time.h"

/* The port's capability, and registers of its slot. */
#define EXPRESS 0x54
#define SLOT_CONTROL (EXPRESS + 0x18)
#define SLOT_STATUS (EXPRESS + 0x1a)
#define BUTTON 0x01
#define CHANGED 0x08
#define COMPLETED 0x10
#define PRESENT 0x40
#define POWER_OFF 0x400

static const struct pci_windows windows = {
	.memory_start = 0xc0000000,
	.memory_end = 0xfec00000,
	.io_start = 0xc000,
	.io_end = 0x10000,
};

static struct sim_pci_function *port, *card;
static uint32_t up, down, selected, selected_most, card_bus;
static unsigned ejected, powered_off;
static bool never_completes, exchanged;
static bool card_stays; /* nothing falls out of the slot */
/* A command that takes this many waits to be obeyed; how many of them are left. */
static unsigned command_waits, waits_left;
static bool was_hurried; /* the next command came before */
static char events[256];

/* ---- The slot of the root port ---- */

static void put_status(uint16_t set, uint16_t clear)
{
	uint32_t status = sim_pci_get(port, SLOT_STATUS, 2);

	sim_pci_put(port, SLOT_STATUS, 2, (status & ~(uint32_t)clear) | set);
}

static bool has_power(void)
{
	return !(sim_pci_get(port, SLOT_CONTROL, 2) & POWER_OFF);
}

/* A function is in the slot, and without power nobody sees it. */
static void update_card(void)
{
	if (card && card->parent == port)
		card->gone = !(sim_pci_get(port, SLOT_STATUS, 2) & PRESENT) || !has_power();
}

static void write_status(uint32_t value, uint32_t before)
{
	sim_pci_put(port, SLOT_STATUS, 2, before & ~(value & 0x1f));
}

/* The port obeys a command some time after it was given. */
static void obey_later(void)
{
	if (waits_left > 0 && --waits_left == 0) {
		put_status(COMPLETED, 0);
		update_card();
	}
}

/* As QEMU: off, with the light off, lets the card fall out if it was not off before. */
static void write_control(uint32_t value)
{
	static bool was_off;
	bool off = (value & 0x700) == 0x700;

	was_hurried = was_hurried || waits_left > 0;
	waits_left = command_waits;
	if (!never_completes && command_waits == 0)
		put_status(COMPLETED, 0);
	if (off && !was_off) {
		powered_off++;
		if (!card_stays)
			put_status(CHANGED, PRESENT);
	}
	was_off = off;
	update_card();
}

static void on_write(struct sim_pci_function *f, unsigned offset, uint32_t value)
{
	if (f != port)
		return;
	if (offset == SLOT_STATUS)
		write_status(value, sim_pci_get(port, SLOT_STATUS, 2));
	else if (offset == SLOT_CONTROL)
		write_control(value);
}

static void reset_card(void)
{
	sim_pci_put(card, 0x04, 2, 0);
	sim_pci_set_bar(card, 0, SIM_PCI_IO, 64, 0);
	sim_pci_set_bar(card, 4, SIM_PCI_MEMORY64 | SIM_PCI_PREFETCHABLE, 0x4000, 0);
}

static void insert(void)
{
	reset_card();
	put_status(PRESENT | CHANGED | BUTTON, 0);
	update_card();
}

/* ---- ACPI's ports ---- */

static uint16_t acpi_base;
static bool has_successor; /* once the card was ejected, there is another one */

static uint32_t port_read(uint16_t at)
{
	uint32_t value = 0;

	if (at < acpi_base || at > acpi_base + 0x10)
		return UINT32_MAX; /* nobody is there */
	if (at == acpi_base && selected == card_bus) {
		value = up;
		up = 0;
	} else if (at == acpi_base + 4 && selected == card_bus) {
		value = down;
	}
	return value;
}

static void port_write(uint16_t at, uint32_t value)
{
	assert_true(at == acpi_base + 0x10 || at == acpi_base + 8);
	if (at == acpi_base + 0x10)
		selected = value;
	if (selected > selected_most)
		selected_most = selected;
	if (at == acpi_base + 8 && selected == card_bus) {
		assert_int_equal(value, down);
		down = 0;
		ejected++;
		card->gone = !has_successor;
		reset_card();
	}
}

/* ---- Who wants to know ---- */

static void note(const struct pci_device *device, const char *what)
{
	size_t length = strlen(events);

	/* Function 0 goes without saying. */
	snprintf(events + length, sizeof(events) - length, "%s%02x:%02x%s ", what,
		 device->address.bus, device->address.device,
		 device->address.function == 1 ? ".1" : "");
}

static void added(const struct pci_device *device)
{
	note(device, "+");
	for (unsigned i = 0; i < PCI_BARS; i++)
		assert_true(device->bar[i].kind == PCI_BAR_NONE || device->bar[i].address != 0);
	/* As a driver does. */
	pci_enable(device);
}

static void removing(const struct pci_device *device, bool gone)
{
	note(device, gone ? "!" : "-");
	assert_true(gone == (card->gone || exchanged));
}

static const struct pci_hotplug_ops ops = { .added = added, .removing = removing };

/* ---- Fixture ---- */

static void add_port(void)
{
	card = NULL;
	port = sim_pci_add_bridge(NULL, 4, 0);
	sim_pci_set_capability(port, EXPRESS, 0x10, 0);
	sim_pci_put(port, 0x34, 1, EXPRESS);
	sim_pci_put(port, EXPRESS + 2, 2, 0x0142);    /* root port with a slot */
	sim_pci_put(port, EXPRESS + 0x14, 4, 0x006b); /* hot-plug, button, power, light */
	sim_pci_put(port, SLOT_CONTROL, 2, 0x07c1 | POWER_OFF);
	port->writable[SLOT_CONTROL] = 0xff;
	port->writable[SLOT_CONTROL + 1] = 0x1f;
	sim_pci_on_write = on_write;
	write_control(0x700);
	put_status(0, 0xffff);
	powered_off = 0;
}

static int setup(void **state)
{
	(void)state;
	sim_log_reset();
	sim_pci_reset();
	sim_time_reset();
	/* The guest has been up for some time. */
	sim_time_advance(7 * NS_PER_S);
	events[0] = '\0';
	up = down = selected = selected_most = 0;
	card_bus = 0;
	acpi_base = 0xae00;
	has_successor = card_stays = false;
	ejected = powered_off = 0;
	never_completes = exchanged = was_hurried = false;
	command_waits = waits_left = 0;
	sim_pci_add(NULL, 0, 0, 0x8086, 0x29c0, 0x060000);
	add_port();
	card = sim_pci_add(port, 0, 0, 0x1af4, 0x1045, 0x00ff00);
	reset_card();
	card->gone = true;
	return pci_config_use_ports();
}

/* One look at all slots, as the task of hot-plug has it. */
static void poll(void)
{
	pci_slot_drop_vanished();
	pci_slot_express_poll();
	pci_slot_acpi_poll();
}

static void check(const char *expected)
{
	for (int i = 0; i < 3; i++)
		poll();
	assert_string_equal(events, expected);
	assert_null(sim_pci_violation);
	assert_null(sim_pci_layout_fault(&windows));
	events[0] = '\0';
}

static size_t start(void)
{
	pci_scan(&windows);
	pci_slot_set_ops(&ops);
	return pci_slot_express_find() + pci_slot_acpi_find();
}

static unsigned listed(void)
{
	unsigned n = 0;

	for (const struct pci_device *d = pci_devices(); d; d = d->next)
		n++;
	return n;
}

/* ---- PCI Express ---- */

static void a_slot_gives_power_and_addresses_to_what_comes(void **state)
{
	(void)state;
	assert_int_equal(start(), 1);
	check("");
	insert();
	check("+01:00 ");
	assert_true(has_power());
	assert_string_equal(sim_log_info, "pci: 01:00.0: plugged in");
	/* The light is on; what the port reports is as the firmware left it. */
	assert_int_equal(sim_pci_get(port, SLOT_CONTROL, 2), 0x01c1);
	assert_int_equal(sim_pci_get(port, SLOT_STATUS, 2), PRESENT);
	assert_int_equal(sim_pci_unassigned(), 0);
	assert_int_equal(listed(), 3);
	assert_int_equal(sim_log_warnings, 0);
}

static void the_button_lets_go_and_takes_power(void **state)
{
	(void)state;
	start();
	for (int i = 0; i < 300; i++) {
		insert();
		check("+01:00 ");
		put_status(BUTTON, 0);
		check("-01:00 ");
		assert_int_equal(powered_off, i + 1);
		assert_true(card->gone);
		assert_int_equal(sim_pci_get(port, SLOT_CONTROL, 2), 0x07c1);
		/* It decodes nothing, masters nothing, and interrupts nobody. */
		assert_int_equal(sim_pci_get(card, 0x04, 2), 0x0400);
		assert_string_equal(sim_log_info, "pci: 01:00.0: unplugged");
		assert_int_equal(listed(), 2);
	}
	assert_int_equal(sim_log_warnings, 0);
}

static void what_was_there_at_the_start_can_go(void **state)
{
	(void)state;
	put_status(PRESENT, 0);
	sim_pci_put(port, SLOT_CONTROL, 2, 0);
	write_control(0);
	update_card();
	start();
	assert_int_equal(listed(), 3);
	check("");
	put_status(BUTTON, 0);
	check("-01:00 ");
}

static void what_comes_and_goes_is_recorded(void **state)
{
	uint64_t plugged = pci_events.count[PCI_EVENT_PLUGGED];
	uint64_t unplugged = pci_events.count[PCI_EVENT_UNPLUGGED];
	uint64_t pulled = pci_events.count[PCI_EVENT_PULLED];
	struct event event;

	(void)state;
	start();
	insert();
	check("+01:00 ");
	assert_int_equal(pci_events.count[PCI_EVENT_PLUGGED] - plugged, 1);
	assert_true(events_get(&pci_events, pci_events.recorded, &event));
	assert_int_equal(event.type, PCI_EVENT_PLUGGED);
	assert_int_equal(event.argument[0], 1 << 8);
	put_status(BUTTON, 0);
	check("-01:00 ");
	assert_int_equal(pci_events.count[PCI_EVENT_UNPLUGGED] - unplugged, 1);
	insert();
	check("+01:00 ");
	put_status(CHANGED, PRESENT);
	update_card();
	check("!01:00 ");
	assert_int_equal(pci_events.count[PCI_EVENT_PULLED] - pulled, 1);
	assert_int_equal(pci_events.count[PCI_EVENT_UNPLUGGED] - unplugged, 1);
}

static void what_is_pulled_out_is_gone(void **state)
{
	(void)state;
	start();
	insert();
	check("+01:00 ");
	put_status(CHANGED, PRESENT);
	update_card();
	check("!01:00 ");
	assert_string_equal(sim_log_info, "pci: 01:00.0: gone");
	insert();
	check("+01:00 ");
}

/* There is no address that would tell. */
static void what_has_no_bars_is_seen_to_go(void **state)
{
	(void)state;
	start();
	insert();
	memset(card->writable + 0x10, 0, 24);
	sim_pci_put(card, 0x10, 4, 0);
	sim_pci_put(card, 0x20, 4, 0);
	check("+01:00 ");
	put_status(CHANGED, PRESENT);
	update_card();
	check("!01:00 ");
}

/* By another kind of card, which happens to have the same addresses. */
static void what_was_exchanged_for_another_kind_is_noticed(void **state)
{
	(void)state;
	start();
	insert();
	check("+01:00 ");
	put_status(CHANGED, 0);
	sim_pci_put(card, 0x02, 2, 0x1044);
	exchanged = true;
	check("!01:00 +01:00 ");
}

/* Its only address is in the first BAR. */
static void what_was_exchanged_is_noticed_by_its_ports(void **state)
{
	(void)state;
	start();
	insert();
	memset(card->writable + 0x20, 0, 8);
	sim_pci_put(card, 0x20, 4, 0);
	check("+01:00 ");
	put_status(CHANGED, 0);
	sim_pci_set_bar(card, 0, SIM_PCI_IO, 64, 0);
	exchanged = true;
	check("!01:00 +01:00 ");
}

/* Its address is in another BAR than the first. */
static void what_is_in_its_place_stays_until_it_is_exchanged(void **state)
{
	(void)state;
	start();
	insert();
	memset(card->writable + 0x10, 0, 4);
	sim_pci_put(card, 0x10, 4, 0);
	check("+01:00 ");
	put_status(CHANGED, 0);
	check("");
	put_status(CHANGED, 0);
	sim_pci_set_bar(card, 4, SIM_PCI_MEMORY64 | SIM_PCI_PREFETCHABLE, 0x4000, 0);
	exchanged = true;
	check("!01:00 +01:00 ");
}

static void functions_of_a_card_come_first_to_last_and_go_last_to_first(void **state)
{
	struct sim_pci_function *second = sim_pci_add(port, 0, 1, 0x1af4, 0x1044, 0x00ff00);

	(void)state;
	second->gone = true;
	sim_pci_set_multifunction(card);
	start();
	insert();
	second->gone = false;
	check("+01:00 +01:00.1 ");
	put_status(BUTTON, 0);
	check("-01:00.1 -01:00 ");
}

static void a_bridge_in_a_slot_comes_alone_and_is_told(void **state)
{
	(void)state;
	start();
	insert();
	memset(card->writable + 0x10, 0, 24);
	sim_pci_put(card, 0x10, 4, 0);
	sim_pci_put(card, 0x20, 4, 0);
	sim_pci_put(card, 0x0e, 1, 1);
	check("+01:00 ");
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning,
			    "pci: 01:00.0: a bridge; what is behind it is not looked for");
}

/* Without power it stays where it is; only a hand takes it out. */
static void a_card_that_stays_in_its_slot_is_not_taken_in_again(void **state)
{
	(void)state;
	card_stays = true;
	start();
	insert();
	check("+01:00 ");
	put_status(BUTTON, 0);
	check("-01:00 ");
	check("");
	assert_false(has_power());
	put_status(BUTTON, 0);
	check("+01:00 ");
}

static void a_button_pressed_at_an_empty_slot_does_nothing(void **state)
{
	(void)state;
	start();
	put_status(BUTTON, 0);
	check("");
	assert_false(has_power());
	assert_int_equal(sim_pci_get(port, SLOT_STATUS, 2), 0);
	assert_int_equal(sim_time_waits, 0);
	assert_int_equal(sim_log_warnings, 0);
}

/* Nobody pressed a button: the hand that changed the card is enough. */
static void a_card_that_replaces_one_that_was_given_up_is_tried(void **state)
{
	(void)state;
	start();
	sim_pci_put(card, 0x00, 4, 0xffffffff);
	insert();
	check("");
	sim_pci_put(card, 0x00, 4, 0x10451af4);
	check("");
	put_status(CHANGED, 0);
	check("+01:00 ");
}

/* Between two looks: the newcomer has the same ids, but no addresses. */
static void what_was_exchanged_is_noticed(void **state)
{
	(void)state;
	start();
	insert();
	check("+01:00 ");
	put_status(CHANGED, 0);
	reset_card();
	exchanged = true;
	check("!01:00 +01:00 ");
}

static void a_card_that_does_not_answer_is_given_up_once(void **state)
{
	uint64_t before = sim_time_waits;

	(void)state;
	start();
	sim_pci_put(card, 0x00, 4, 0xffffffff);
	insert();
	check("");
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning, "pci: 00:04.0: what is in its slot does not answer");
	/* A second of simulated time, with a look every 10 ms. */
	assert_int_equal(sim_time_waits - before, 100);
}

/* The guest is stopped in each wait; the card has had no second to get ready. */
static void be_stopped(void)
{
	sim_time_jump((int64_t)(3 * NS_PER_S));
	if (sim_time_waits == 20)
		sim_pci_put(card, 0x00, 4, 0x10451af4);
}

static void a_card_has_its_second_while_the_guest_is_awake(void **state)
{
	(void)state;
	start();
	sim_pci_put(card, 0x00, 4, 0xffffffff);
	insert();
	sim_time_on_wait = be_stopped;
	check("+01:00 ");
	assert_int_equal(sim_log_warnings, 0);
	assert_int_equal(sim_time_waits, 20);
}

static void complete_late(void)
{
	sim_time_jump((int64_t)(3 * NS_PER_S));
	if (sim_time_waits == 20)
		put_status(COMPLETED, 0);
}

static void a_slot_has_its_second_while_the_guest_is_awake(void **state)
{
	(void)state;
	never_completes = true;
	start();
	insert();
	sim_time_on_wait = complete_late;
	check("+01:00 ");
	assert_int_equal(sim_time_waits, 20);
}

static void a_slot_that_never_completes_is_not_waited_for_long(void **state)
{
	(void)state;
	never_completes = true;
	start();
	insert();
	check("+01:00 ");
	assert_int_equal(sim_time_waits, 100);
}

/* While a command is obeyed. */
static void press_meanwhile(void)
{
	if (waits_left == 5)
		put_status(BUTTON, 0);
	obey_later();
}

/* It is not taken for the end of the command, and not acknowledged with that. */
static void a_button_pressed_during_a_command_is_not_lost(void **state)
{
	(void)state;
	start();
	command_waits = 7;
	insert();
	sim_time_on_wait = press_meanwhile;
	check("+01:00 -01:00 ");
	assert_false(was_hurried);
	sim_time_on_wait = NULL;
}

/* Its command is done then, and what the next one waits for has not happened yet. */
static void poll_once(void)
{
	poll();
	assert_int_equal(waits_left, 0);
	assert_int_equal(sim_pci_get(port, SLOT_STATUS, 2) & COMPLETED, 0);
}

/* 7.5.3.10: one command at a time, each waited for until the port says that it is done. */
static void each_command_is_waited_for(void **state)
{
	(void)state;
	start();
	command_waits = 7;
	sim_time_on_wait = obey_later;
	for (int i = 0; i < 3; i++) {
		insert();
		poll_once();
		check("+01:00 ");
		put_status(BUTTON, 0);
		poll_once();
		check("-01:00 ");
	}
	assert_false(was_hurried);
	sim_time_on_wait = NULL;
}

/* Such a port never says that it is done (7.5.3.9, No Command Completed Support). */
static void a_port_that_obeys_at_once_is_not_waited_for(void **state)
{
	uint64_t before;

	(void)state;
	sim_pci_put(port, EXPRESS + 0x14, 4, 0x0004006b);
	never_completes = true;
	start();
	insert();
	before = sim_time_waits;
	check("+01:00 ");
	put_status(BUTTON, 0);
	check("-01:00 ");
	assert_int_equal(sim_time_waits, before);
}

static void a_port_without_hotplug_is_left_alone(void **state)
{
	(void)state;
	sim_pci_put(port, EXPRESS + 0x14, 4, 0x0020);
	assert_int_equal(start(), 0);
}

static void a_port_that_is_gone_does_nothing(void **state)
{
	(void)state;
	start();
	port->gone = true;
	check("");
	assert_int_equal(sim_time_waits, 0);
	assert_int_equal(sim_log_warnings, 0);
}

/* Express 7.5.3: its last register ends 28 bytes after it begins. */
static void a_slot_must_fit_into_config_space(void **state)
{
	(void)state;
	for (unsigned at = 0xe4; at <= 0xe8; at += 4) {
		sim_pci_put(port, 0x34, 1, at);
		sim_pci_set_capability(port, at, 0x10, 0);
		sim_pci_put(port, at + 2, 2, 0x0142);
		sim_pci_put(port, at + 0x14, 4, 0x006b);
		assert_int_equal(start(), at == 0xe4);
	}
}

/* What stands in the registers of its header is no slot. */
static void a_bridge_that_is_not_express_has_no_slot(void **state)
{
	(void)state;
	port->config[0x34] = 0;
	sim_pci_put(port, 0x02, 2, 0x0142);
	sim_pci_set_bar(port, 1, SIM_PCI_MEMORY32, 64, 0xc0000040);
	assert_int_equal(start(), 0);
}

static void more_slots_than_64_are_left_alone(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 70; i++) {
		struct sim_pci_function *f = sim_pci_add_bridge(NULL, 5 + i / 8, i % 8);

		if (i % 8 == 0)
			sim_pci_set_multifunction(f);
		memcpy(f->config + EXPRESS, port->config + EXPRESS, 0x1c);
		f->config[0x06] |= 0x10;
		sim_pci_put(f, 0x34, 1, EXPRESS);
		assert_int_equal(start(), i < 63 ? i + 2 : 64);
	}
}

static void a_closed_window_is_opened_for_what_comes(void **state)
{
	(void)state;
	sim_pci_set_bus_numbers(port, 0, 1, 1);
	sim_pci_put(port, 0x20, 4, 0x0000fff0); /* memory: closed by the firmware */
	sim_pci_put(port, 0x24, 4, 0x0001fff1);
	sim_pci_put(port, 0x1c, 2, 0x01f1);
	start();
	insert();
	check("+01:00 ");
	assert_int_equal(sim_pci_unassigned(), 0);
}

/* ---- ACPI ---- */

static void start_acpi(void)
{
	sim_pci_add(NULL, 1, 3, 0x8086, 0x7113, 0x068000);
	sim_pci_set_multifunction(sim_pci_add(NULL, 1, 0, 0x8086, 0x7000, 0x060100));
	sim_pci_port_read = port_read;
	sim_pci_port_write = port_write;
	/* The port has no slot of its own here. */
	sim_pci_put(port, EXPRESS + 0x14, 4, 0);
	put_status(0, 0xffff);
	sim_pci_put(port, SLOT_CONTROL, 2, 0);
	assert_int_equal(start(), 1);
}

static void acpi_plugs_and_ejects_on_the_root_bus(void **state)
{
	(void)state;
	card->parent = NULL;
	card->device = 5;
	/* However often it is looked for. */
	start_acpi();
	assert_int_equal(start(), 1);
	for (unsigned i = 1; i <= 300; i++) {
		reset_card();
		card->gone = false;
		up = 1u << 5;
		check("+00:05 ");
		down = 1u << 5;
		check("-00:05 ");
		assert_int_equal(ejected, i);
	}
	/* There are a root bus and a bridge. */
	assert_int_equal(selected_most, 1);
	assert_int_equal(sim_log_warnings, 0);
}

/* The other chipset, whose ports lie elsewhere. */
static void start_q35(void)
{
	acpi_base = 0x0cc0;
	sim_pci_add(NULL, 31, 0, 0x8086, 0x2918, 0x060100);
	sim_pci_port_read = port_read;
	sim_pci_port_write = port_write;
	sim_pci_put(port, EXPRESS + 0x14, 4, 0);
	put_status(0, 0xffff);
	sim_pci_put(port, SLOT_CONTROL, 2, 0);
	assert_int_equal(start(), 1);
}

static void acpi_works_on_q35(void **state)
{
	(void)state;
	card_bus = 1;
	start_q35();
	card->gone = false;
	up = 1;
	check("+01:00 ");
	down = 1;
	check("-01:00 ");
	assert_int_equal(ejected, 1);
}

/* There number 0 may be any: what is known by it has no other. */
static void acpi_has_one_number_for_each_bus(void **state)
{
	(void)state;
	sim_pci_add(sim_pci_add_bridge(NULL, 6, 0), 0, 0, 0x1af4, 0x1044, 0x00ff00);
	card_bus = 0;
	start_q35();
	card->gone = false;
	up = 1;
	check("+01:00 ");
	card_bus = 1;
	down = 1;
	/* What is ejected here is always the card. */
	check("-02:00 !01:00 ");
	assert_int_equal(sim_log_warnings, 0);
}

/* Then there is room for one that comes at the same time. */
static void acpi_lets_go_before_it_takes_in(void **state)
{
	(void)state;
	card->parent = NULL;
	card->device = 31;
	card->gone = false;
	start_acpi();
	has_successor = true;
	down = up = 1u << 31;
	check("-00:1f +00:1f ");
	assert_int_equal(ejected, 1);
}

/* Of two bridges, in whatever order QEMU numbers their buses. */
static void acpi_learns_where_the_new_function_is(void **state)
{
	struct sim_pci_function *other = sim_pci_add_bridge(NULL, 6, 0);

	(void)state;
	sim_pci_add(other, 3, 0, 0x1af4, 0x1044, 0x00ff00);
	card->parent = other;
	card->device = 9;
	card_bus = 1;
	start_acpi();
	for (unsigned i = 1; i <= 2; i++) {
		reset_card();
		card->gone = false;
		up = 1u << 9;
		check("+02:09 ");
		down = 1u << 9;
		check("-02:09 ");
		assert_int_equal(ejected, i);
	}
	/* The other number can then only be the other bus, which has nothing in this slot. */
	card_bus = 2;
	down = 1u << 3;
	check("");
	assert_int_equal(ejected, 2);
	assert_string_equal(sim_log_warning,
			    "pci: slot 3 of bus number 2 of ACPI is to be emptied, but which bus "
			    "that is cannot be told");
	assert_int_equal(sim_log_warnings, 1);
	/* Another slot is another matter. */
	down = 1u << 4;
	check("");
	assert_int_equal(sim_log_warnings, 2);
}

static void acpi_asks_for_no_more_than_32_buses(void **state)
{
	(void)state;
	for (unsigned slot = 6; slot < 32; slot++)
		for (unsigned function = 0; function < 2; function++)
			sim_pci_set_multifunction(sim_pci_add_bridge(NULL, slot, function));
	start_acpi();
	check("");
	assert_int_equal(selected_most, 31);
}

/* One of the two registers is enough to tell. */
static void acpi_ports_that_fall_silent_say_nothing(void **state)
{
	(void)state;
	card->parent = NULL;
	card->device = 5;
	card->gone = false;
	start_acpi();
	down = UINT32_MAX;
	check("");
	down = 0;
	for (int i = 0; i < 3; i++) {
		up = UINT32_MAX;
		check("");
	}
	assert_int_equal(ejected, 0);
	assert_int_equal(sim_log_warnings, 0);
}

static void acpi_ports_of_another_vendor_are_none(void **state)
{
	(void)state;
	sim_pci_add(NULL, 1, 0, 0x1af4, 0x7113, 0x068000);
	sim_pci_add(NULL, 2, 0, 0x1af4, 0x2918, 0x068000);
	sim_pci_add(NULL, 3, 0, 0x8086, 0x2919, 0x068000);
	sim_pci_port_read = port_read;
	sim_pci_port_write = port_write;
	sim_pci_put(port, EXPRESS + 0x14, 4, 0);
	assert_int_equal(start(), 0);
	pci_slot_acpi_poll();
	assert_int_equal(selected_most, 0);
}

static void acpi_learns_which_bus_is_meant(void **state)
{
	(void)state;
	card_bus = 1;
	start_acpi();
	card->gone = false;
	up = 1;
	check("+01:00 ");
	down = 1;
	check("-01:00 ");
	assert_int_equal(ejected, 1);
}

static void acpi_finds_the_only_bus_that_can_be_meant(void **state)
{
	(void)state;
	card_bus = 1;
	card->gone = false;
	start_acpi();
	down = 1;
	check("-01:00 ");
	assert_int_equal(ejected, 1);
}

static void acpi_does_not_guess_between_two_buses(void **state)
{
	struct sim_pci_function *other = sim_pci_add_bridge(NULL, 6, 0);

	(void)state;
	sim_pci_add(other, 0, 0, 0x1af4, 0x1044, 0x00ff00);
	card_bus = 2;
	card->gone = false;
	start_acpi();
	down = 1;
	check("");
	assert_int_equal(ejected, 0);
	assert_int_equal(sim_log_warnings, 1);
}

static void acpi_ports_that_are_not_there_are_not_asked(void **state)
{
	(void)state;
	sim_pci_add(NULL, 1, 0, 0x8086, 0x7113, 0x068000);
	sim_pci_put(port, EXPRESS + 0x14, 4, 0);
	assert_int_equal(start(), 0);
}

/* Of any version of the capability, which the lowest bits of its flags tell. */
static void a_port_without_a_slot_is_none_of_ours(void **state)
{
	(void)state;
	for (uint32_t version = 0; version < 16; version++) {
		sim_pci_put(port, EXPRESS + 2, 2, 0x0040 | version);
		assert_int_equal(start(), 0);
		sim_pci_put(port, EXPRESS + 2, 2, 0x0140 | version);
		assert_int_equal(start(), 1);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_slot_gives_power_and_addresses_to_what_comes),
		TEST(the_button_lets_go_and_takes_power),
		TEST(what_was_there_at_the_start_can_go),
		TEST(a_port_without_a_slot_is_none_of_ours),
		TEST(what_comes_and_goes_is_recorded),
		TEST(what_is_pulled_out_is_gone),
		TEST(what_was_exchanged_is_noticed),
		TEST(what_has_no_bars_is_seen_to_go),
		TEST(what_was_exchanged_for_another_kind_is_noticed),
		TEST(what_was_exchanged_is_noticed_by_its_ports),
		TEST(what_is_in_its_place_stays_until_it_is_exchanged),
		TEST(functions_of_a_card_come_first_to_last_and_go_last_to_first),
		TEST(a_bridge_in_a_slot_comes_alone_and_is_told),
		TEST(a_card_that_stays_in_its_slot_is_not_taken_in_again),
		TEST(a_button_pressed_at_an_empty_slot_does_nothing),
		TEST(a_card_that_replaces_one_that_was_given_up_is_tried),
		TEST(a_button_pressed_during_a_command_is_not_lost),
		TEST(a_slot_must_fit_into_config_space),
		TEST(a_bridge_that_is_not_express_has_no_slot),
		TEST(more_slots_than_64_are_left_alone),
		TEST(a_card_that_does_not_answer_is_given_up_once),
		TEST(a_card_has_its_second_while_the_guest_is_awake),
		TEST(a_slot_has_its_second_while_the_guest_is_awake),
		TEST(a_slot_that_never_completes_is_not_waited_for_long),
		TEST(each_command_is_waited_for),
		TEST(a_port_that_obeys_at_once_is_not_waited_for),
		TEST(a_port_without_hotplug_is_left_alone),
		TEST(a_port_that_is_gone_does_nothing),
		TEST(a_closed_window_is_opened_for_what_comes),
		TEST(acpi_plugs_and_ejects_on_the_root_bus),
		TEST(acpi_works_on_q35),
		TEST(acpi_has_one_number_for_each_bus),
		TEST(acpi_lets_go_before_it_takes_in),
		TEST(acpi_learns_where_the_new_function_is),
		TEST(acpi_asks_for_no_more_than_32_buses),
		TEST(acpi_ports_that_fall_silent_say_nothing),
		TEST(acpi_ports_of_another_vendor_are_none),
		TEST(acpi_learns_which_bus_is_meant),
		TEST(acpi_finds_the_only_bus_that_can_be_meant),
		TEST(acpi_does_not_guess_between_two_buses),
		TEST(acpi_ports_that_are_not_there_are_not_asked),
	};

	return cmocka_run_group_tests_name("pci_slot", tests, NULL, NULL);
}
