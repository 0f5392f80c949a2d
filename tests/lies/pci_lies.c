/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lies in config space, in bridges and in MSI-X (PCI Local Bus 3.0, chapter 6;
 * virtio 1.3, 4.1.4), and a device that is pulled out at any access. Lies of the
 * start are there when the bus is scanned; the others happen to a device in use.
 * Every lie ends with another machine, whose device is without fault.
 */
#include <string.h>

#include "tests/lies/lies.h"
#include "tests/sim/sim_irq.h"

#define AT_START (1u << STEP_START)
#define WITH_DEVICE (((1u << STEP_COUNT) - 1) & ~AT_START)
#define AT_EACH_ACCESS \
	(AT_START | 1u << STEP_INFLATE | 1u << STEP_DEFLATE | 1u << STEP_RECLAIM | \
	 1u << STEP_RECOVER | 1u << STEP_REMOVE)

#define COMMAND 0x04
#define HEADER_TYPE 0x0e
#define CAPABILITIES 0x34
#define BAR(n) (0x10 + 4 * (n))

/* From the start of one of virtio's capabilities. */
#define CAP_NEXT 1
#define CAP_TYPE 3
#define CAP_BAR 4
#define CAP_OFFSET 8
#define CAP_LENGTH 12
#define CAP_MULTIPLIER 16

static uint8_t *config(void)
{
	return machine.function->config;
}

static void put32(unsigned at, uint32_t value)
{
	sim_pci_put(machine.function, at, 4, value);
}

/* ---- The list of capabilities ---- */

/* Where the last one is, or that of a type of virtio's. */
static unsigned find_capability(unsigned type)
{
	unsigned at = config()[CAPABILITIES];

	while (config()[at + CAP_NEXT] != 0 && config()[at + CAP_TYPE] != type)
		at = config()[at + CAP_NEXT];
	return at;
}

#define LAST 0

static void capabilities_in_a_loop(struct sim_balloon *sim)
{
	(void)sim;
	config()[find_capability(LAST) + CAP_NEXT] = config()[CAPABILITIES];
}

static void capability_before_itself(struct sim_balloon *sim)
{
	unsigned first = config()[CAPABILITIES];

	(void)sim;
	config()[first + CAP_NEXT] = (uint8_t)first;
}

static void capabilities_in_the_header(struct sim_balloon *sim)
{
	(void)sim;
	config()[CAPABILITIES] = BAR(0);
}

static void capability_beyond_the_end(struct sim_balloon *sim)
{
	(void)sim;
	memmove(config() + 0xf4, config() + find_capability(SIM_VIRTIO_PCI_CAP_COMMON), 12);
	config()[CAPABILITIES] = 0xf4;
	config()[0xf4 + CAP_NEXT] = 0;
}

static void no_capabilities(struct sim_balloon *sim)
{
	(void)sim;
	config()[CAPABILITIES] = 0;
}

static void capabilities_overwritten(struct sim_balloon *sim)
{
	(void)sim;
	memset(config() + 0x40, 0xff, 0xc0);
}

/* ---- Where the structures are ---- */

static void put_structure(unsigned type, uint8_t bar, uint32_t offset, uint32_t length)
{
	unsigned at = find_capability(type);

	config()[at + CAP_BAR] = bar;
	put32(at + CAP_OFFSET, offset);
	put32(at + CAP_LENGTH, length);
}

#define STRUCTURE(name, type, bar, offset, length) \
	static void name(struct sim_balloon *sim) \
	{ \
		(void)sim; \
		put_structure(type, bar, offset, length); \
	}
STRUCTURE(common_in_bar_6, SIM_VIRTIO_PCI_CAP_COMMON, 6, 0, 0x1000)
STRUCTURE(notify_in_bar_7, SIM_VIRTIO_PCI_CAP_NOTIFY, 7, 0, 0x1000)
STRUCTURE(isr_in_bar_255, SIM_VIRTIO_PCI_CAP_ISR, 255, 0, 0x1000)
STRUCTURE(config_in_bar_6, SIM_VIRTIO_PCI_CAP_DEVICE, 6, 0, 0x1000)
STRUCTURE(common_in_no_bar, SIM_VIRTIO_PCI_CAP_COMMON, 2, 0, 0x1000)
STRUCTURE(common_of_no_length, SIM_VIRTIO_PCI_CAP_COMMON, SIM_VIRTIO_PCI_BAR, 0, 0)
STRUCTURE(common_too_short, SIM_VIRTIO_PCI_CAP_COMMON, SIM_VIRTIO_PCI_BAR, 0, 55)
STRUCTURE(notify_too_short, SIM_VIRTIO_PCI_CAP_NOTIFY, SIM_VIRTIO_PCI_BAR, 0x3000, 1)
STRUCTURE(common_not_aligned, SIM_VIRTIO_PCI_CAP_COMMON, SIM_VIRTIO_PCI_BAR, 2, 0x1000)
STRUCTURE(common_that_overflows, SIM_VIRTIO_PCI_CAP_COMMON, SIM_VIRTIO_PCI_BAR, 0xfffffff0, 0x100)
STRUCTURE(notify_beyond_its_bar, SIM_VIRTIO_PCI_CAP_NOTIFY, SIM_VIRTIO_PCI_BAR, 0x3000, 0x1001)
STRUCTURE(isr_at_the_end, SIM_VIRTIO_PCI_CAP_ISR, SIM_VIRTIO_PCI_BAR, SIM_VIRTIO_PCI_SIZE, 1)
STRUCTURE(config_of_no_length, SIM_VIRTIO_PCI_CAP_DEVICE, SIM_VIRTIO_PCI_BAR, 0x2000, 0)

static void put_multiplier(uint32_t multiplier)
{
	put32(find_capability(SIM_VIRTIO_PCI_CAP_NOTIFY) + CAP_MULTIPLIER, multiplier);
}

static void multiplier_of_3(struct sim_balloon *sim)
{
	(void)sim;
	put_multiplier(3);
}

static void multiplier_of_2_to_31(struct sim_balloon *sim)
{
	(void)sim;
	put_multiplier(0x80000000);
}

static void notifications_beyond_the_end(struct sim_balloon *sim)
{
	(void)sim;
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
		machine.registers->notify_offsets[i] = 0x400;
}

static void no_queue_by_number(struct sim_balloon *sim)
{
	(void)sim;
	machine.registers->num_queues = 0;
}

static void many_queues_by_number(struct sim_balloon *sim)
{
	(void)sim;
	machine.registers->num_queues = UINT16_MAX;
}

/* ---- BARs: those that the structures, or the ports, are in ---- */

static unsigned main_bar(void)
{
	return machine.ring->legacy ? SIM_VIRTIO_PCI_PORTS_BAR : SIM_VIRTIO_PCI_BAR;
}

static void bar_with_a_hole(struct sim_balloon *sim)
{
	(void)sim;
	machine.function->writable[BAR(main_bar()) + 1] &= (uint8_t)~0x80;
}

static void bar_of_2_to_63(struct sim_balloon *sim)
{
	(void)sim;
	sim_pci_set_bar(machine.function, SIM_VIRTIO_PCI_BAR, SIM_PCI_MEMORY64, UINT64_C(1) << 63,
			0);
}

static void wide_bar_in_the_last_register(struct sim_balloon *sim)
{
	(void)sim;
	put32(BAR(SIM_VIRTIO_PCI_BAR), 0);
	memset(machine.function->writable + BAR(SIM_VIRTIO_PCI_BAR), 0, 4);
	put32(BAR(5), SIM_PCI_MEMORY64);
}

static void bar_of_a_reserved_type(struct sim_balloon *sim)
{
	(void)sim;
	config()[BAR(SIM_VIRTIO_PCI_BAR)] = 0x6;
}

static void bar_at_2_to_56(struct sim_balloon *sim)
{
	(void)sim;
	put32(BAR(SIM_VIRTIO_PCI_BAR) + 4, 1u << 24);
}

static void keep_everything(struct sim_balloon *sim)
{
	(void)sim;
	machine.function->stubborn = true;
}

static void move_bar(struct sim_balloon *sim)
{
	unsigned at = BAR(main_bar());

	(void)sim;
	put32(at, sim_pci_get(machine.function, at, 4) ^ 0x100000);
}

static void stop_decoding(struct sim_balloon *sim)
{
	(void)sim;
	config()[COMMAND] = 0;
}

/* ---- What it is ---- */

static void config_of_zeros(struct sim_balloon *sim)
{
	(void)sim;
	memset(config(), 0, 64);
}

static void header_of_a_bridge(struct sim_balloon *sim)
{
	(void)sim;
	config()[HEADER_TYPE] = 1;
}

static void header_of_no_type(struct sim_balloon *sim)
{
	(void)sim;
	config()[HEADER_TYPE] = 0x7f;
}

static void same_again(unsigned device, unsigned function)
{
	struct sim_pci_function *f = sim_pci_add(machine.bridge, device, function, 0x1af4, 0x1045,
						 0);

	memcpy(f->config, config(), sizeof(f->config));
	memcpy(f->writable, machine.function->writable, sizeof(f->writable));
	f->read = machine.function->read;
	f->write = machine.function->write;
}

static void eight_of_it(struct sim_balloon *sim)
{
	(void)sim;
	sim_pci_set_multifunction(machine.function);
	for (unsigned i = 1; i < 8; i++)
		same_again(3, i);
}

static void it_everywhere(struct sim_balloon *sim)
{
	(void)sim;
	sim_pci_set_multifunction(machine.function);
	for (unsigned i = 0; i < 256; i++)
		if (i / 8 != 3 && !(!machine.bridge && i / 8 == 2))
			same_again(i / 8, i % 8);
}

/* ---- Bridges ---- */

static void bridge_to_its_own_bus(struct sim_balloon *sim)
{
	(void)sim;
	sim_pci_loop_to_root(sim_pci_add_bridge(NULL, 4, 0));
}

static void bridge_with_all_buses(struct sim_balloon *sim)
{
	(void)sim;
	sim_pci_set_bus_numbers(sim_pci_add_bridge(NULL, 1, 0), 0, 0, 255);
}

static void bridges_with_the_same_bus(struct sim_balloon *sim)
{
	(void)sim;
	sim_pci_set_bus_numbers(sim_pci_add_bridge(NULL, 4, 0), 0, 1, 1);
	sim_pci_set_bus_numbers(sim_pci_add_bridge(NULL, 5, 0), 0, 1, 1);
}

static void three_hundred_nested_bridges(struct sim_balloon *sim)
{
	struct sim_pci_function *above = NULL;

	(void)sim;
	for (unsigned i = 0; i < 300; i++)
		above = sim_pci_add_bridge(above, 31, 0);
}

static void bridge_that_keeps_nothing(struct sim_balloon *sim)
{
	(void)sim;
	if (machine.bridge)
		machine.bridge->stubborn = true;
	else
		sim_pci_add_bridge(NULL, 4, 0)->stubborn = true;
}

static void bridge_without_windows(struct sim_balloon *sim)
{
	(void)sim;
	if (machine.bridge)
		memset(machine.bridge->writable + 0x1c, 0, 0x18);
}

static void close_bridge(struct sim_balloon *sim)
{
	(void)sim;
	if (machine.bridge)
		machine.bridge->config[COMMAND] = 0;
}

/* ---- Interrupts ---- */

static unsigned msix(void)
{
	return machine.registers->msix;
}

static void table_in_bar_7(struct sim_balloon *sim)
{
	(void)sim;
	if (msix())
		put32(msix() + 4, 7);
}

static void table_beyond_its_bar(struct sim_balloon *sim)
{
	(void)sim;
	if (msix())
		sim_pci_put(machine.function, msix() + 2, 2, 0x07ff);
}

static void msix_that_stays_off(struct sim_balloon *sim)
{
	(void)sim;
	if (msix())
		machine.function->writable[msix() + 3] = 0;
}

static void msix_on_from_the_start(struct sim_balloon *sim)
{
	(void)sim;
	if (msix())
		config()[msix() + 3] |= 0x80;
}

static void no_vector_is_taken(struct sim_balloon *sim)
{
	(void)sim;
	machine.registers->vectors_taken = 0;
}

static void no_message_is_left(struct sim_balloon *sim)
{
	(void)sim;
	sim_irq_messages_left = 0;
}

static void table_of_ones(struct sim_balloon *sim)
{
	(void)sim;
	memset(machine.registers->table, 0xff, sizeof(machine.registers->table));
}

static void no_pin(struct sim_balloon *sim)
{
	(void)sim;
	config()[0x3d] = 0;
}

static void pin_of_200(struct sim_balloon *sim)
{
	(void)sim;
	config()[0x3d] = 200;
}

/* ---- Pulled out in mid-run ---- */

static void go_at_an_access(struct sim_balloon *sim)
{
	(void)sim;
	machine.accesses_left = world_nth + 1;
}

static void after_an_access(struct sim_balloon *sim)
{
	world_had_nth = machine.accesses_left == 0;
	world_rebuild(sim);
}

/* clang-format off */
const struct lie pci_lies[] = {
	{ "its capabilities are a loop",		capabilities_in_a_loop, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_go_on = true },
	{ "a capability comes before itself",		capability_before_itself, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "its capabilities lie in the header",		capabilities_in_the_header, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "a capability goes on after config space",	capability_beyond_the_end, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "it has no capabilities",			no_capabilities, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "its capabilities are overwritten",		capabilities_overwritten, world_rebuild,
	  .only = WITH_DEVICE, .must_go_on = true },
	{ "the common structure is in BAR 6",		common_in_bar_6, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "the notify structure is in BAR 7",		notify_in_bar_7, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "the ISR is in BAR 255",			isr_in_bar_255, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "the config is in BAR 6",			config_in_bar_6, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "the common structure is in a BAR that is not there", common_in_no_bar, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "the common structure has no length",		common_of_no_length, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "the common structure is too short",		common_too_short, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "the notify structure is too short",		notify_too_short, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "the config has no length",			config_of_no_length, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "the common structure is not aligned",	common_not_aligned, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "the common structure's end overflows",	common_that_overflows, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "the notify structure ends after its BAR",	notify_beyond_its_bar, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "the ISR begins where its BAR ends",		isr_at_the_end, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "the notify multiplier is 3",			multiplier_of_3, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "the notify multiplier is 2^31",		multiplier_of_2_to_31, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "queues are notified beyond the structure",	notifications_beyond_the_end, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "num_queues is 0",				no_queue_by_number, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "num_queues is 65535",			many_queues_by_number, world_rebuild,
	  .only = AT_START, .must_go_on = true },
	{ "a BAR's size has a hole",			bar_with_a_hole, world_rebuild,
	  .only = AT_START, .must_break = true },
	{ "a BAR has 2^63 bytes",			bar_of_2_to_63, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "a BAR of 64 bits is in the last register",
	  wide_bar_in_the_last_register, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "a BAR's type is reserved",			bar_of_a_reserved_type, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "a BAR is at 2^56",				bar_at_2_to_56, world_rebuild,
	  .only = AT_START, .modern_only = true },
	{ "it keeps nothing that is written to config space", keep_everything, world_rebuild,
	  .only = AT_START, .must_break = true },
	{ "its BAR is moved",				move_bar, world_rebuild,
	  .only = WITH_DEVICE },
	{ "it stops decoding",				stop_decoding, world_rebuild,
	  .only = WITH_DEVICE },
	{ "its config space is all zeros",		config_of_zeros, world_rebuild,
	  .only = AT_START, .must_break = true },
	{ "its header is a bridge's",			header_of_a_bridge, world_rebuild,
	  .only = AT_START },
	{ "its header is of no known type",		header_of_no_type, world_rebuild,
	  .only = AT_START, .modern_only = true, .must_break = true },
	{ "it is there eight times",			eight_of_it, world_rebuild,
	  .only = AT_START },
	{ "it is there in every slot",			it_everywhere, world_rebuild,
	  .only = AT_START },
	{ "a bridge leads to its own bus",		bridge_to_its_own_bus, world_rebuild,
	  .only = AT_START },
	{ "a bridge claims all buses",			bridge_with_all_buses, world_rebuild,
	  .only = AT_START },
	{ "two bridges have the same bus",		bridges_with_the_same_bus, world_rebuild,
	  .only = AT_START },
	{ "three hundred bridges are nested",		three_hundred_nested_bridges, world_rebuild,
	  .only = AT_START, .must_go_on = true },
	{ "a bridge keeps nothing",			bridge_that_keeps_nothing, world_rebuild,
	  .only = AT_START },
	{ "a bridge has no windows",			bridge_without_windows, world_rebuild,
	  .only = AT_START },
	{ "a bridge is closed",				close_bridge, world_rebuild,
	  .only = WITH_DEVICE },
	{ "the MSI-X table is in BAR 7",		table_in_bar_7, world_rebuild,
	  .only = AT_START, .must_go_on = true },
	{ "the MSI-X table ends after its BAR",	table_beyond_its_bar, world_rebuild,
	  .only = AT_START, .must_go_on = true },
	{ "MSI-X cannot be turned on",			msix_that_stays_off, world_rebuild,
	  .only = AT_START, .must_go_on = true },
	{ "MSI-X is on from the start",			msix_on_from_the_start, world_rebuild,
	  .only = AT_START, .must_go_on = true },
	{ "MSI-X vectors do not read back",		no_vector_is_taken, world_rebuild,
	  .only = AT_START | 1u << STEP_RECOVER, .must_go_on = true },
	{ "no message is left for it",			no_message_is_left, world_rebuild,
	  .only = AT_START, .must_go_on = true },
	{ "the MSI-X table is overwritten with ones",	table_of_ones, world_rebuild,
	  .only = WITH_DEVICE, .must_go_on = true },
	{ "it has no interrupt pin",			no_pin, world_rebuild,
	  .only = AT_START, .must_go_on = true },
	{ "its interrupt pin is 200",			pin_of_200, world_rebuild,
	  .only = AT_START, .must_go_on = true },
	{ "it is pulled out at the n-th access",	go_at_an_access, after_an_access,
	  .each = true, .only = AT_EACH_ACCESS },
};
/* clang-format on */
const size_t pci_lie_count = ARRAY_SIZE(pci_lies);
