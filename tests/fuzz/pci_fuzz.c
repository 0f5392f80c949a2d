/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The input is a PCI bus: functions and bridges, their BARs and capabilities,
 * and bytes of config space that no device should have. The bus is scanned,
 * capability lists are walked, and structures of virtio and MSI-X are looked for.
 * All that is mapped must lie in a BAR of the function, and a bus of nothing but
 * honest functions without addresses must get a layout without fault.
 */
#include "tests/fuzz/fuzz.h"

#include "drivers/pci/pci_internal.h"
#include "drivers/pci/pci_msix.h"
#include "drivers/virtio/virtio_pci.h"
#include "drivers/virtio/virtio_pci_internal.h"
#include "tests/sim/sim_frame.h"
#include "tests/sim/sim_irq.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_pci.h"
#include "tests/sim/sim_time.h"

#define FUNCTIONS_MAX 40
#define READS_MAX 4000000 /* of config space; a scan of 256 buses needs fewer */
#define COMMON_SIZE 56
#define CAPABILITIES_MAX 48

enum op {
	OP_FUNCTION,
	OP_BRIDGE,
	OP_BAR,
	OP_CAPABILITY,
	OP_VIRTIO,
	OP_MSIX,
	OP_FLAGS,
	OP_BUS_NUMBERS,
	OP_WINDOWS,
	OP_BYTE,
	OP_ROOT,
	OP_COUNT,
};

/* What the machine leaves to PCI, from plenty to nothing. */
static const struct pci_windows windows[] = {
	{ 0xc0000000, 0xfec00000, UINT64_C(0x100000000), UINT64_C(0x900000000), 0xc000, 0x10000 },
	{ 0xc0000000, 0xc0300000, 0, 0, 0xc000, 0xc100 },
	{ 0xfe000000, 0xfe000000, UINT64_C(1) << 40, UINT64_C(1) << 50, 0, 0 },
	{ 0, 0, 0, 0, 0, 0 },
};

static struct sim_pci_function *functions[FUNCTIONS_MAX];
static struct sim_pci_function *bridges[FUNCTIONS_MAX + 1]; /* the first is the root: NULL */
static uint8_t bars[FUNCTIONS_MAX];			    /* that it has, a bit each */
static size_t function_count, bridge_count;
static bool honest;
static uint8_t roots[PCI_BUSES / 8]; /* as ACPI tells them */
static bool roots_unknown;

/* The function that goes away, after so many writes to anything. */
static struct sim_pci_function *leaving;
static unsigned writes_left;

/* ---- Building ---- */

static void leave(struct sim_pci_function *f, unsigned offset, uint32_t value)
{
	(void)f, (void)offset, (void)value;
	if (writes_left > 0 && --writes_left == 0)
		leaving->gone = true;
}

static void add_function(unsigned op, struct fuzz_input *in)
{
	uint8_t slot = fuzz_byte(in);
	uint8_t place = fuzz_byte(in);
	struct sim_pci_function *parent = bridges[place % bridge_count];
	struct sim_pci_function *f;

	if (function_count == FUNCTIONS_MAX)
		return;
	if (op == OP_BRIDGE)
		f = bridges[bridge_count++] = sim_pci_add_bridge(parent, slot >> 3, slot & 7);
	else
		f = sim_pci_add(parent, slot >> 3, slot & 7, 0x1af4, place & 0x80 ? 0x1002 : 0x1045,
				0x00ff00);
	if (place & 0x40)
		sim_pci_set_multifunction(f);
	bars[function_count] = 0;
	functions[function_count++] = f;
}

static void set_bar(struct sim_pci_function *f, struct fuzz_input *in)
{
	uint8_t index = fuzz_byte(in) % PCI_BARS;
	uint8_t kind = fuzz_byte(in) & 0xf;
	uint8_t shift = fuzz_byte(in);
	bool io = kind & SIM_PCI_IO, wide = !io && (kind & 6) == SIM_PCI_MEMORY64;
	uint64_t address = (shift & 0x40) ? fuzz_number(in, 8) : 0;
	uint64_t size = UINT64_C(1) << (io     ? 2 + shift % 8
					: wide ? 4 + shift % 60
					       : 4 + shift % 28);
	uint8_t taken = (uint8_t)((wide ? 3 : 1) << index);
	bool bridge = f->config[0x0e] & 1;

	honest = honest && address == 0 && (bars[function_count - 1] & taken) == 0 &&
		 taken < 1 << (bridge ? PCI_BRIDGE_BARS : PCI_BARS) &&
		 (io ? kind == SIM_PCI_IO : !(kind & 2));
	bars[function_count - 1] |= taken;
	sim_pci_set_bar(f, index, kind, size, address);
}

/* All of it lies in the device's part of the header, or it would be another's register. */
static unsigned set_capability(struct sim_pci_function *f, uint8_t id, struct fuzz_input *in)
{
	unsigned offset = fuzz_byte(in);
	uint8_t next = fuzz_byte(in);

	if (offset < 0x40)
		f->config[0x34] = (uint8_t)(offset = 0x40 + offset * 4 % 0xc0);
	sim_pci_set_capability(f, offset, id, next);
	return offset;
}

static void put_bytes(struct sim_pci_function *f, unsigned offset, unsigned bytes,
		      struct fuzz_input *in)
{
	for (unsigned i = 0; i < bytes; i++)
		f->config[offset + i] = fuzz_byte(in);
}

static void set_virtio(struct sim_pci_function *f, struct fuzz_input *in)
{
	unsigned at = set_capability(f, 0x09, in);

	sim_pci_put(f, at + 2, 1, 20);
	put_bytes(f, at + 3, 2, in); /* type and BAR */
	sim_pci_put(f, at + 8, 4, (uint32_t)fuzz_number(in, 2) << 4);
	sim_pci_put(f, at + 12, 4, (uint32_t)fuzz_number(in, 4));
	sim_pci_put(f, at + 16, 4, fuzz_byte(in));
}

static void set_flags(struct sim_pci_function *f, struct fuzz_input *in)
{
	uint8_t flags = fuzz_byte(in);

	honest = false;
	f->gone = flags & 1;
	f->stubborn = flags & 2;
	if (flags & 4 && f->config[0x0e] & 1)
		sim_pci_loop_to_root(f);
	if (flags & 8) {
		leaving = f;
		writes_left = 1u + fuzz_byte(in);
	}
}

static void set_windows(struct sim_pci_function *f, struct fuzz_input *in)
{
	honest = false;
	put_bytes(f, 0x1c, 2, in);
	put_bytes(f, 0x20, 8, in);
	if (fuzz_byte(in) & 1)
		put_bytes(f, 0x28, 12, in);
}

/* A root bus that is there, is told of, or both; or nobody tells of any. */
static void add_root(struct fuzz_input *in)
{
	uint8_t bus = fuzz_byte(in), how = fuzz_byte(in);

	honest = false;
	if (how & 1)
		roots[bus / 8] |= (uint8_t)(1u << bus % 8);
	if (how & 2)
		roots_unknown = true;
	if (!(how & 4) || function_count == FUNCTIONS_MAX)
		return;
	bridges[bridge_count++] = sim_pci_add_root(how >> 3, bus);
	bars[function_count] = 0;
	functions[function_count++] = bridges[bridge_count - 1];
}

static void build(struct fuzz_input *in)
{
	unsigned op = fuzz_byte(in) % OP_COUNT;
	struct sim_pci_function *f;
	unsigned at;

	if (op <= OP_BRIDGE || function_count == 0) {
		add_function(op, in);
		return;
	}
	f = functions[function_count - 1];
	switch (op) {
	case OP_BAR:
		set_bar(f, in);
		break;
	case OP_CAPABILITY:
		set_capability(f, fuzz_byte(in), in);
		break;
	case OP_VIRTIO:
		set_virtio(f, in);
		break;
	case OP_MSIX:
		at = set_capability(f, 0x11, in);
		put_bytes(f, at + 2, 6, in);
		break;
	case OP_FLAGS:
		set_flags(f, in);
		break;
	case OP_BUS_NUMBERS:
		honest = false;
		put_bytes(f, 0x18, 3, in);
		break;
	case OP_WINDOWS:
		set_windows(f, in);
		break;
	case OP_ROOT:
		add_root(in);
		break;
	default:
		honest = false;
		at = fuzz_byte(in);
		f->config[at] = fuzz_byte(in);
		f->writable[at] = fuzz_byte(in);
		break;
	}
}

/* ---- What came of it ---- */

/* Whether a window of so many bytes lies in a memory BAR. */
static bool is_inside(const struct pci_device *device, const void *window, uint64_t size)
{
	uint64_t address = (uintptr_t)window;

	for (unsigned i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &device->bar[i];

		if ((bar->kind == PCI_BAR_MEMORY32 || bar->kind == PCI_BAR_MEMORY64) &&
		    bar->address != 0 && address >= bar->address && size <= bar->size &&
		    address - bar->address <= bar->size - size)
			return true;
	}
	return false;
}

static void check_bars(const struct pci_device *device)
{
	for (unsigned i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &device->bar[i];
		void *window;

		if (bar->kind == PCI_BAR_NONE)
			continue;
		fuzz_require(bar->size != 0 && (bar->size & (bar->size - 1)) == 0,
			     "BAR %u has %#llx bytes", i, (unsigned long long)bar->size);
		fuzz_require(bar->address + (bar->size - 1) >= bar->address, "BAR %u wraps", i);
		fuzz_require(pci_map_bar(device, i, bar->size, 1, &window) < 0 &&
				     pci_map_bar(device, i, 1, bar->size, &window) < 0 &&
				     pci_map_bar(device, i, UINT64_MAX, 2, &window) < 0,
			     "BAR %u is mapped beyond its end", i);
	}
}

static void check_capabilities(const struct pci_device *device)
{
	unsigned count = 0, at = 0;
	uint64_t seen = 0;
	uint8_t id;

	while ((at = pci_next_capability(device, at, &id)) != 0) {
		fuzz_require(at >= 0x40 && at <= 0xfc && at % 4 == 0, "a capability at %#x", at);
		fuzz_require(++count <= CAPABILITIES_MAX, "no end of capabilities");
		fuzz_require((seen >> at / 4 & 1) == 0, "the capability at %#x again", at);
		seen |= UINT64_C(1) << at / 4;
	}
}

static void check_structures(const struct pci_device *device)
{
	struct virtio_pci vp = { .pci = device };
	struct pci_msix msix;
	const char *why;

	if (virtio_pci_modern_setup(&vp, &why) == 0)
		fuzz_require(is_inside(device, vp.common, COMMON_SIZE) &&
				     is_inside(device, vp.isr, 1) &&
				     is_inside(device, vp.notify, vp.notify_size) &&
				     (!vp.config || is_inside(device, vp.config, vp.config_size)),
			     "a structure outside its BAR");
	if (pci_msix_setup(device, &msix) == 0)
		fuzz_require(is_inside(device, msix.table, 16 * (uint64_t)msix.count),
			     "a table outside its BAR");
}

static bool is_before(const struct pci_address a, const struct pci_address b)
{
	return (a.bus << 8 | a.device << 3 | a.function) <
	       (b.bus << 8 | b.device << 3 | b.function);
}

static void check_devices(void)
{
	size_t count = 0;

	for (const struct pci_device *d = pci_devices(); d; d = d->next) {
		fuzz_require(++count <= PCI_DEVICES_MAX, "no end of functions");
		fuzz_require(!d->next || is_before(d->address, d->next->address),
			     "functions out of order");
		check_bars(d);
		check_capabilities(d);
	}
	fuzz_require(sim_pci_reads < READS_MAX, "%u reads", sim_pci_reads);
	fuzz_require(!fake_irqs_off, "interrupts are left off");
}

static void use(void)
{
	for (const struct pci_device *d = pci_devices(); d; d = d->next)
		check_structures(d);
	virtio_pci_probe();
	for (const struct pci_device *d = pci_devices(); d; d = d->next)
		virtio_pci_remove(d, false);
	fuzz_require(!fake_irqs_off, "interrupts are left off");
}

static void rescan(struct fuzz_input *in)
{
	struct pci_address slot = { 0, fuzz_byte(in) % 32, 0 };

	if (pci_devices())
		pci_forget(pci_devices());
	pci_scan_slot(NULL, slot);
	check_devices();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, data + size };
	uint8_t machine = fuzz_byte(&in);
	const struct pci_windows *w = &windows[machine % ARRAY_SIZE(windows)];

	sim_log_reset();
	sim_frame_reset();
	sim_irq_reset();
	sim_time_reset();
	sim_time_step_ns = NS_PER_MS;
	sim_pci_reset();
	function_count = 0;
	bridge_count = 1;
	honest = true;
	leaving = NULL;
	writes_left = 0;
	roots_unknown = false;
	memset(roots, 0, sizeof(roots));
	while (fuzz_left(&in) > 0)
		build(&in);
	if (leaving)
		sim_pci_on_write = leave;
	if (!(machine & 4) || pci_config_use_ecam(SIM_PCI_ECAM_BASE, machine) != 0)
		fuzz_require(pci_config_use_ports() == 0, "no ports");
	pci_set_root_buses(roots, !roots_unknown);
	pci_scan(w);
	if (honest) {
		fuzz_require(!sim_pci_violation, "violation: %s", sim_pci_violation);
		fuzz_require(!sim_pci_layout_fault(w), "%s", sim_pci_layout_fault(w));
	}
	check_devices();
	use();
	rescan(&in);
	pci_scan(w);
	check_devices();
	return 0;
}
