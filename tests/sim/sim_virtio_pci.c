/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A simulated virtio device's registers on PCI; see sim_virtio_pci.h. Written
 * from the specification's device side: it shares no register names with the
 * code under test.
 */
#include "tests/sim/sim_virtio_pci.h"

#include <string.h>

#include "tests/sim/sim_irq.h"

#define MSIX_CONTROL 2
#define MSIX_TABLE 4

static void violate(struct sim_virtio_pci *pci, const char *what)
{
	sim_virtio_violate(pci->virtio, what);
}

/* ---- Queues, whichever registers they are reached by ---- */

static void enable_modern(struct sim_virtio_pci *pci)
{
	const uint32_t *half = pci->halves[pci->selected];

	sim_virtio_enable(pci->virtio, pci->selected, pci->size[pci->selected],
			  half[0] | (uint64_t)half[1] << 32, half[2] | (uint64_t)half[3] << 32,
			  half[4] | (uint64_t)half[5] << 32);
}

static void enable_legacy(struct sim_virtio_pci *pci, uint32_t pfn)
{
	uint64_t size = pci->virtio->queue[pci->selected].size_max;
	paddr_t base = pfn_to_paddr(pfn);

	sim_virtio_enable(pci->virtio, pci->selected, (uint16_t)size, base, base + 16 * size,
			  base + align_up(16 * size + 6 + 2 * size, 4096));
}

static bool is_enabled(const struct sim_virtio_pci *pci)
{
	return pci->virtio->queue[pci->selected].enabled && !pci->virtio->refuse_queues;
}

static void select_queue(struct sim_virtio_pci *pci, uint32_t value)
{
	if (value < VIRTIO_QUEUES_MAX)
		pci->selected = (uint16_t)value;
	else
		violate(pci, "a queue is selected that cannot be");
}

/* A reset undoes vectors. */
static void write_status(struct sim_virtio_pci *pci, uint8_t value)
{
	if (value == 0) {
		pci->config_vector = SIM_VIRTIO_PCI_NO_VECTOR;
		memset(pci->queue_vector, 0xff, sizeof(pci->queue_vector));
	}
	sim_virtio_set_status(pci->virtio, value);
}

static uint16_t take_vector(const struct sim_virtio_pci *pci, uint32_t value)
{
	return value < pci->vectors_taken ? (uint16_t)value : SIM_VIRTIO_PCI_NO_VECTOR;
}

/* ---- The common structure (4.1.4.3), field by field with its own width ---- */

static uint32_t common_read(struct sim_virtio_pci *pci, unsigned offset, unsigned width)
{
	struct sim_virtio *virtio = pci->virtio;

	switch (offset << 4 | width) {
	case 4 << 4 | 4:
		return (uint32_t)(sim_virtio_get_features(virtio) >> (pci->device_select ? 32 : 0));
	case 16 << 4 | 2:
		return pci->config_vector;
	case 18 << 4 | 2:
		return pci->num_queues;
	case 20 << 4 | 1:
		return sim_virtio_get_status(virtio);
	case 21 << 4 | 1:
		return virtio->generation;
	case 24 << 4 | 2:
		return virtio->queue[pci->selected].size_max;
	case 26 << 4 | 2:
		return pci->queue_vector[pci->selected];
	case 28 << 4 | 2:
		return is_enabled(pci);
	case 30 << 4 | 2:
		return pci->notify_offsets[pci->selected];
	default:
		violate(pci, "a read of no field of the common structure");
		return UINT32_MAX;
	}
}

static void write_features(struct sim_virtio_pci *pci, uint32_t value)
{
	uint64_t before = pci->driver_features;

	pci->driver_features = pci->driver_select == 0 ? (before & ~(uint64_t)UINT32_MAX) | value
						       : (uint32_t)before | (uint64_t)value << 32;
	sim_virtio_set_features(pci->virtio, pci->driver_features);
}

static void common_write(struct sim_virtio_pci *pci, unsigned offset, unsigned width,
			 uint32_t value)
{
	if (offset >= 32 && offset < 56 && width == 4 && offset % 4 == 0) {
		pci->halves[pci->selected][(offset - 32) / 4] = value;
		return;
	}
	switch (offset << 4 | width) {
	case 0 << 4 | 4:
		pci->device_select = value;
		break;
	case 8 << 4 | 4:
		pci->driver_select = value;
		break;
	case 12 << 4 | 4:
		write_features(pci, value);
		break;
	case 16 << 4 | 2:
		pci->config_vector = take_vector(pci, value);
		break;
	case 20 << 4 | 1:
		write_status(pci, (uint8_t)value);
		break;
	case 22 << 4 | 2:
		select_queue(pci, value);
		break;
	case 24 << 4 | 2:
		pci->size[pci->selected] = (uint16_t)value;
		break;
	case 26 << 4 | 2:
		pci->queue_vector[pci->selected] = take_vector(pci, value);
		break;
	case 28 << 4 | 2:
		if (value != 1)
			violate(pci, "queue_enable is written with other than 1");
		else if (!pci->virtio->refuse_queues)
			enable_modern(pci);
		break;
	default:
		violate(pci, "a write to no field of the common structure");
	}
}

/* ---- The other structures ---- */

/* The space for it is larger than the config: the rest is empty. */
static bool in_config(const struct sim_virtio_pci *pci, uint64_t offset, unsigned width)
{
	return offset + width <= pci->virtio->config_size;
}

static uint32_t config_read(struct sim_virtio_pci *pci, uint64_t offset, unsigned width)
{
	return in_config(pci, offset, width) ? sim_virtio_config_read(pci->virtio, offset, width)
					     : UINT32_MAX;
}

static void config_write(struct sim_virtio_pci *pci, uint64_t offset, unsigned width,
			 uint32_t value)
{
	if (in_config(pci, offset, width))
		sim_virtio_config_write(pci->virtio, offset, width, value);
}

static uint32_t modern_read(struct sim_virtio_pci *pci, uint64_t at, unsigned width)
{
	if (at < SIM_VIRTIO_PCI_ISR)
		return common_read(pci, (unsigned)at, width);
	if (at == SIM_VIRTIO_PCI_ISR && width == 1)
		return sim_virtio_read_isr(pci->virtio);
	if (at >= SIM_VIRTIO_PCI_DEVICE && at < SIM_VIRTIO_PCI_NOTIFY)
		return config_read(pci, at - SIM_VIRTIO_PCI_DEVICE, width);
	violate(pci, "a read of no register");
	return UINT32_MAX;
}

static void modern_write(struct sim_virtio_pci *pci, uint64_t at, unsigned width, uint32_t value)
{
	if (at < SIM_VIRTIO_PCI_ISR) {
		common_write(pci, (unsigned)at, width, value);
	} else if (at >= SIM_VIRTIO_PCI_DEVICE && at < SIM_VIRTIO_PCI_NOTIFY) {
		config_write(pci, at - SIM_VIRTIO_PCI_DEVICE, width, value);
	} else if (at >= SIM_VIRTIO_PCI_NOTIFY && width == 2) {
		pci->notified_at = at - SIM_VIRTIO_PCI_NOTIFY;
		sim_virtio_notify(pci->virtio, value);
	} else if (at >= SIM_VIRTIO_PCI_NOTIFY && width == 4) {
		pci->notified_at = at - SIM_VIRTIO_PCI_NOTIFY;
		sim_virtio_notify_data(pci->virtio, value);
	} else {
		violate(pci, "a write to no register");
	}
}

/* NULL: not in the table. */
static uint32_t *table_word(struct sim_virtio_pci *pci, uint64_t at, unsigned width)
{
	static uint32_t nowhere;

	if (at < SIM_VIRTIO_PCI_TABLE || at % 4 != 0 || width != 4)
		return NULL;
	at -= SIM_VIRTIO_PCI_TABLE;
	return at < sizeof(pci->table) ? &pci->table[at / 16][at / 4 % 4] : &nowhere;
}

/* ---- The legacy ports (4.1.4.10); while MSI-X is on, vectors lie in front of the config ---- */

static unsigned config_start(const struct sim_virtio_pci *pci)
{
	return sim_virtio_pci_msix_is_on(pci) ? 24 : 20;
}

static uint32_t port_read(struct sim_virtio_pci *pci, unsigned offset, unsigned width)
{
	struct sim_virtio *virtio = pci->virtio;

	if (offset >= config_start(pci))
		return config_read(pci, offset - config_start(pci), width);
	switch (offset << 4 | width) {
	case 0 << 4 | 4:
		return (uint32_t)sim_virtio_get_features(virtio);
	case 8 << 4 | 4:
		return is_enabled(pci) ? (uint32_t)paddr_to_pfn(virtio->queue[pci->selected].desc)
				       : 0;
	case 12 << 4 | 2:
		return virtio->queue[pci->selected].size_max;
	case 18 << 4 | 1:
		return sim_virtio_get_status(virtio);
	case 19 << 4 | 1:
		return sim_virtio_read_isr(virtio);
	case 20 << 4 | 2:
		return pci->config_vector;
	case 22 << 4 | 2:
		return pci->queue_vector[pci->selected];
	default:
		violate(pci, "a read of no port");
		return UINT32_MAX;
	}
}

static void port_write(struct sim_virtio_pci *pci, unsigned offset, unsigned width, uint32_t value)
{
	if (offset >= config_start(pci)) {
		config_write(pci, offset - config_start(pci), width, value);
		return;
	}
	switch (offset << 4 | width) {
	case 4 << 4 | 4:
		sim_virtio_set_features(pci->virtio, value);
		break;
	case 8 << 4 | 4:
		if (!pci->virtio->refuse_queues)
			enable_legacy(pci, value);
		break;
	case 14 << 4 | 2:
		select_queue(pci, value);
		break;
	case 16 << 4 | 2:
		sim_virtio_notify(pci->virtio, value);
		break;
	case 18 << 4 | 1:
		write_status(pci, (uint8_t)value);
		break;
	case 20 << 4 | 2:
		pci->config_vector = take_vector(pci, value);
		break;
	case 22 << 4 | 2:
		pci->queue_vector[pci->selected] = take_vector(pci, value);
		break;
	default:
		violate(pci, "a write to no port");
	}
}

uint32_t sim_virtio_pci_read(struct sim_virtio_pci *pci, unsigned bar, uint64_t offset,
			     unsigned width)
{
	const uint32_t *word;

	if (pci->virtio->gone)
		return UINT32_MAX;
	if (bar == SIM_VIRTIO_PCI_PORTS_BAR)
		return port_read(pci, (unsigned)offset, width);
	if (bar == SIM_VIRTIO_PCI_BAR)
		return modern_read(pci, offset, width);
	word = table_word(pci, offset, width);
	if (word)
		return *word;
	violate(pci, "a read beside the MSI-X table");
	return UINT32_MAX;
}

void sim_virtio_pci_write(struct sim_virtio_pci *pci, unsigned bar, uint64_t offset, unsigned width,
			  uint32_t value)
{
	uint32_t *word;

	if (pci->virtio->gone)
		return;
	if (bar == SIM_VIRTIO_PCI_PORTS_BAR) {
		port_write(pci, (unsigned)offset, width, value);
	} else if (bar == SIM_VIRTIO_PCI_BAR) {
		modern_write(pci, offset, width, value);
	} else {
		word = table_word(pci, offset, width);
		if (word)
			*word = value;
		else
			violate(pci, "a write beside the MSI-X table");
	}
}

/* ---- Interrupts ---- */

bool sim_virtio_pci_msix_is_on(const struct sim_virtio_pci *pci)
{
	return pci->msix != 0 && (pci->config_space[pci->msix + MSIX_CONTROL + 1] & 0xc0) == 0x80;
}

static void send_message(struct sim_virtio_pci *pci, uint16_t vector)
{
	const uint32_t *entry = pci->table[vector % SIM_VIRTIO_PCI_VECTORS];

	if (vector != SIM_VIRTIO_PCI_NO_VECTOR && !(entry[3] & 1))
		sim_irq_send(entry[0] | (uint64_t)entry[1] << 32, entry[2]);
}

/* The first queue's vector is also all others': a driver of ours has one for them all. */
static void send_messages(struct sim_virtio_pci *pci, uint8_t isr)
{
	if (isr & VIRTIO_ISR_CONFIG)
		send_message(pci, pci->config_vector);
	for (unsigned i = 0; isr & VIRTIO_ISR_QUEUE && i < VIRTIO_QUEUES_MAX; i++) {
		if (pci->queue_vector[i] == SIM_VIRTIO_PCI_NO_VECTOR)
			continue;
		send_message(pci, pci->queue_vector[i]);
		isr &= (uint8_t)~VIRTIO_ISR_QUEUE;
	}
}

static void raise(struct sim_virtio *virtio)
{
	struct sim_virtio_pci *pci = virtio->front;
	uint8_t isr = virtio->isr;

	if (sim_virtio_pci_msix_is_on(pci)) {
		virtio->isr = 0;
		send_messages(pci, isr);
	} else if (isr != 0 && sim_irq_line && !sim_irq_raise_line()) {
		violate(pci, "nobody claims an interrupt");
	}
}

/* ---- Capabilities ---- */

unsigned sim_virtio_pci_add_capability(struct sim_virtio_pci *pci, uint8_t id, uint8_t length)
{
	unsigned at = pci->free_config;

	pci->config_space[0x06] |= 0x10; /* there is a list */
	pci->config_space[pci->last_capability == 0 ? 0x34 : pci->last_capability + 1] =
		(uint8_t)at;
	pci->config_space[at] = id;
	pci->config_space[at + 1] = 0;
	pci->last_capability = at;
	pci->free_config += length;
	return at;
}

static void put32(struct sim_virtio_pci *pci, unsigned at, uint32_t value)
{
	memcpy(pci->config_space + at, &value, sizeof(value));
}

unsigned sim_virtio_pci_add_vendor(struct sim_virtio_pci *pci, uint8_t type, uint8_t bar,
				   uint32_t offset, uint32_t length)
{
	unsigned at = sim_virtio_pci_add_capability(pci, 0x09, 20);

	pci->config_space[at + 2] = type == SIM_VIRTIO_PCI_CAP_NOTIFY ? 20 : 16;
	pci->config_space[at + 3] = type;
	pci->config_space[at + 4] = bar;
	put32(pci, at + 8, offset);
	put32(pci, at + 12, length);
	if (type == SIM_VIRTIO_PCI_CAP_NOTIFY)
		put32(pci, at + 16, SIM_VIRTIO_PCI_MULTIPLIER);
	return at;
}

void sim_virtio_pci_add_modern(struct sim_virtio_pci *pci)
{
	uint8_t bar = SIM_VIRTIO_PCI_BAR;

	sim_virtio_pci_add_vendor(pci, SIM_VIRTIO_PCI_CAP_CONFIG, 0, 0, 0);
	sim_virtio_pci_add_vendor(pci, SIM_VIRTIO_PCI_CAP_NOTIFY, bar, SIM_VIRTIO_PCI_NOTIFY,
				  0x1000);
	sim_virtio_pci_add_vendor(pci, SIM_VIRTIO_PCI_CAP_DEVICE, bar, SIM_VIRTIO_PCI_DEVICE,
				  0x1000);
	sim_virtio_pci_add_vendor(pci, SIM_VIRTIO_PCI_CAP_ISR, bar, SIM_VIRTIO_PCI_ISR, 0x1000);
	sim_virtio_pci_add_vendor(pci, SIM_VIRTIO_PCI_CAP_COMMON, bar, SIM_VIRTIO_PCI_COMMON,
				  0x1000);
}

unsigned sim_virtio_pci_add_msix(struct sim_virtio_pci *pci, unsigned count)
{
	uint16_t control = (uint16_t)(count - 1);

	pci->msix = sim_virtio_pci_add_capability(pci, 0x11, 12);
	memcpy(pci->config_space + pci->msix + MSIX_CONTROL, &control, sizeof(control));
	put32(pci, pci->msix + MSIX_TABLE, SIM_VIRTIO_PCI_TABLE | SIM_VIRTIO_PCI_TABLE_BAR);
	return pci->msix;
}

void sim_virtio_pci_init(struct sim_virtio_pci *pci, struct sim_virtio *virtio,
			 uint8_t *config_space)
{
	memset(pci, 0, sizeof(*pci));
	pci->virtio = virtio;
	pci->config_space = config_space;
	memset(pci->halves, 0x77, sizeof(pci->halves));
	for (uint16_t i = 0; i < VIRTIO_QUEUES_MAX; i++) {
		pci->notify_offsets[i] = i;
		if (virtio->queue[i].size_max > 0)
			pci->num_queues = (uint16_t)(i + 1);
	}
	pci->config_vector = SIM_VIRTIO_PCI_NO_VECTOR;
	memset(pci->queue_vector, 0xff, sizeof(pci->queue_vector));
	pci->vectors_taken = SIM_VIRTIO_PCI_VECTORS;
	pci->free_config = 0x40;
	virtio->front = pci;
	virtio->raise = raise;
}
