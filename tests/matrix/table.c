/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of the matrix test. A cell takes one line of each list below; those
 * lines together are QEMU's arguments and the features that the guest must accept.
 * To add a possibility, add a line; to leave cells out, a rule with its reason.
 */
#include "tests/matrix/matrix.h"

#include <stdio.h>
#include <string.h>

/* virtio 1.3, 5.5.3 and 6 */
#define STATS_VQ (UINT64_C(1) << 1)
#define DEFLATE_ON_OOM (UINT64_C(1) << FEATURE_DEFLATE_ON_OOM)
#define FREE_PAGE_HINT (UINT64_C(1) << 3)
#define PAGE_POISON (UINT64_C(1) << 4)
#define REPORTING (UINT64_C(1) << 5)
#define F_INDIRECT_DESC (UINT64_C(1) << 28)
#define F_EVENT_IDX (UINT64_C(1) << 29)
#define VERSION_1 (UINT64_C(1) << 32)
#define F_ACCESS_PLATFORM (UINT64_C(1) << 33)
#define RING_PACKED (UINT64_C(1) << 34)

/* QEMU's balloon always has it, and the driver always wants it. */
#define ALWAYS STATS_VQ

#define PORT "-device pcie-root-port,id=port0,chassis=1,slot=1"
#define MMIO_1 "-global virtio-mmio.force-legacy=true"
#define MMIO_2 "-global virtio-mmio.force-legacy=false"
/* Without ACPI QEMU puts virtio_mmio.device= on the kernel's command line. */
#define NO_ACPI "-machine acpi=off "
#define HINT "free-page-hint=on,iothread=io0"
#define THREAD "-object iothread,id=io0"

/* clang-format off */
static const struct choice places[] = {
	{ "pc",                PCI_PLACE | ROOT_BUS, .machine = "pc" },
	{ "q35",               PCI_PLACE | ROOT_BUS, .machine = "q35" },
	{ "q35-port",          PCI_PLACE | ROOT_PORT, .machine = "q35", .args = PORT,
			       .properties = "bus=port0" },
	{ "microvm-v1",        MMIO_PLACE | LEGACY, .machine = "microvm", .args = MMIO_1 },
	{ "microvm-v1-append", MMIO_PLACE | LEGACY, .machine = "microvm", .args = NO_ACPI MMIO_1 },
	{ "microvm-v2",        MMIO_PLACE, .machine = "microvm", .args = MMIO_2,
			       .accepts = VERSION_1 },
	{ "microvm-v2-append", MMIO_PLACE, .machine = "microvm", .args = NO_ACPI MMIO_2,
			       .accepts = VERSION_1 },
};

static const struct choice devices[] = {
	{ "default",          PCI_DEVICE | LEGACY_AUTO, .device = "virtio-balloon-pci",
			      .accepts = VERSION_1 },
	{ "disable-legacy",   PCI_DEVICE | NO_LEGACY, .device = "virtio-balloon-pci",
			      .properties = "disable-legacy=on", .accepts = VERSION_1 },
	{ "disable-modern",   PCI_DEVICE | LEGACY, .device = "virtio-balloon-pci",
			      .properties = "disable-modern=on,disable-legacy=off" },
	{ "transitional",     PCI_DEVICE | TRANSITIONAL,
			      .device = "virtio-balloon-pci-transitional", .accepts = VERSION_1 },
	{ "non-transitional", PCI_DEVICE, .device = "virtio-balloon-pci-non-transitional",
			      .accepts = VERSION_1 },
	{ "mmio",             MMIO_DEVICE, .device = "virtio-balloon-device" },
};

/*
 * A device without `vectors` has no MSI-X, and the line anyway. All sources share
 * what there is; with two vectors the configuration has one of its own.
 */
static const struct choice interrupts[] = {
	{ "line",         .if_known = "vectors=0" },
	{ "msix-2",       MSIX, .properties = "vectors=2", .interrupts = "MSI-X, vectors " },
	{ "msix-1",       MSIX, .properties = "vectors=1", .interrupts = "MSI-X, vector " },
	{ "msix-refused", MSIX, .properties = "vectors=2", .append = "virtio.msix=off",
			  .interrupts = "INTx" },
};

static const struct choice rings[] = {
	{ "split",  .properties = "packed=off" },
	{ "packed", HIGH_BIT, .properties = "packed=on", .accepts = RING_PACKED },
};

static const struct choice events[] = {
	{ "event_idx",    .properties = "event_idx=on", .accepts = F_EVENT_IDX },
	{ "no-event_idx", .properties = "event_idx=off" },
};

static const struct choice indirects[] = {
	{ "indirect",    .properties = "indirect_desc=on", .accepts = F_INDIRECT_DESC },
	{ "no-indirect", .properties = "indirect_desc=off" },
};

/*
 * QEMU offers PAGE_POISON and RING_RESET in all of them: without poison= the one
 * must be refused, and the other always; and IN_ORDER where it is offered.
 * Beside hinting the driver does without EVENT_IDX (see virtio_balloon.c for why).
 */
static const struct choice features[] = {
	{ .name = "none" },
	{ "deflate-on-oom",  .properties = "deflate-on-oom=on", .accepts = DEFLATE_ON_OOM },
	{ "reporting",       .properties = "free-page-reporting=on", .accepts = REPORTING },
	{ "hinting",         .properties = HINT, .args = THREAD,
			     .accepts = FREE_PAGE_HINT, .refuses = F_EVENT_IDX },
	{ "poison",          .append = "poison=a5", .accepts = PAGE_POISON },
	{ "all",             .append = "poison=a5", .args = THREAD,
			     .properties = "deflate-on-oom=on,free-page-reporting=on," HINT,
			     .accepts = DEFLATE_ON_OOM | REPORTING | FREE_PAGE_HINT | PAGE_POISON,
			     .refuses = F_EVENT_IDX },
	{ "access-platform", HIGH_BIT | ACCESS_PLATFORM, .properties = "iommu_platform=on",
			     .accepts = F_ACCESS_PLATFORM },
	{ "in-order",        HIGH_BIT | IN_ORDER, .properties = "in_order=on" },
};

const struct rule rules[] = {
	{ PCI_PLACE | MMIO_DEVICE, NULL,
	  "pc and q35 have no places for MMIO devices" },
	{ MMIO_PLACE | PCI_DEVICE, NULL,
	  "a microvm has no PCI unless it is asked for, and the guest supports none there" },
	{ MMIO_DEVICE | MSIX, NULL,
	  "an MMIO device has one interrupt line and nothing else" },
	{ LEGACY | HIGH_BIT, NULL,
	  "RING_PACKED, ACCESS_PLATFORM and IN_ORDER are above bit 31, the last of a legacy one" },
	{ ROOT_PORT | NO_LEGACY, NULL,
	  "behind a root port QEMU's default device is without legacy already" },
	{ TRANSITIONAL | ACCESS_PLATFORM, NULL,
	  "QEMU gives no ACCESS_PLATFORM to a device that has a legacy interface" },
	{ ROOT_BUS | LEGACY_AUTO | ACCESS_PLATFORM, NULL,
	  "likewise: on a root bus the default device has one" },
	{ MSIX, "vectors",
	  "this QEMU's balloon has no MSI-X: no property `vectors`" },
	{ IN_ORDER, "in_order",
	  "this QEMU's balloon has no property `in_order`" },
};
const size_t rule_count = sizeof(rules) / sizeof(rules[0]);

/* What each list has at least once here, and pairs that have been wrong before. */
const char *const vital_cells[] = {
	"pc/default/line/split/event_idx/indirect/none",
	"pc/default/line/packed/event_idx/indirect/reporting",
	"pc/disable-legacy/line/split/no-event_idx/no-indirect/access-platform",
	"pc/disable-modern/line/split/event_idx/indirect/reporting",
	"pc/non-transitional/line/packed/no-event_idx/indirect/all",
	"q35/default/line/split/event_idx/indirect/hinting",
	"q35/disable-legacy/line/packed/event_idx/no-indirect/poison",
	"q35/disable-modern/line/split/no-event_idx/indirect/all",
	"q35/transitional/line/packed/event_idx/indirect/none",
	"q35-port/default/line/packed/event_idx/indirect/all",
	"q35-port/disable-modern/line/split/event_idx/no-indirect/deflate-on-oom",
	"microvm-v1/mmio/line/split/event_idx/indirect/all",
	"microvm-v1-append/mmio/line/split/no-event_idx/indirect/none",
	"microvm-v2/mmio/line/packed/event_idx/indirect/reporting",
	"microvm-v2-append/mmio/line/split/event_idx/no-indirect/deflate-on-oom",
	/* where QEMU has them */
	"q35/default/msix-2/split/event_idx/indirect/all",
	"pc/disable-modern/msix-2/split/event_idx/indirect/none",
	"q35-port/default/msix-1/packed/event_idx/indirect/reporting",
	"pc/non-transitional/msix-refused/packed/no-event_idx/indirect/in-order",
};
const size_t vital_count = sizeof(vital_cells) / sizeof(vital_cells[0]);

static const struct {
	uint64_t bit;
	const char *name;
} feature_names[] = {
	{ STATS_VQ,          "STATS_VQ" },
	{ DEFLATE_ON_OOM,    "DEFLATE_ON_OOM" },
	{ FREE_PAGE_HINT,    "FREE_PAGE_HINT" },
	{ PAGE_POISON,       "PAGE_POISON" },
	{ REPORTING,         "REPORTING" },
	{ F_INDIRECT_DESC,   "INDIRECT_DESC" },
	{ F_EVENT_IDX,       "EVENT_IDX" },
	{ VERSION_1,         "VERSION_1" },
	{ F_ACCESS_PLATFORM, "ACCESS_PLATFORM" },
	{ RING_PACKED,       "RING_PACKED" },
};

#define LIST(name) { name, sizeof(name) / sizeof((name)[0]) }

static const struct {
	const struct choice *choices;
	size_t count;
} axes[AXES] = {
	[PLACE] = LIST(places),
	[DEVICE] = LIST(devices),
	[INTERRUPTS] = LIST(interrupts),
	[RING] = LIST(rings),
	[EVENT_IDX] = LIST(events),
	[INDIRECT] = LIST(indirects),
	[FEATURES] = LIST(features),
};
/* clang-format on */

const char *const axis_names[AXES] = {
	"machine", "device", "interrupts", "ring", "event_idx", "indirect_desc", "features",
};

/* ---- what follows from the table ---- */

size_t cell_combinations(void)
{
	size_t product = 1;

	for (size_t axis = 0; axis < AXES; axis++)
		product *= axes[axis].count;
	return product;
}

/* The last axis changes fastest. */
struct cell cell_number(size_t number)
{
	struct cell cell;

	for (size_t axis = AXES; axis-- > 0;) {
		cell.by[axis] = &axes[axis].choices[number % axes[axis].count];
		number /= axes[axis].count;
	}
	return cell;
}

static unsigned traits_of(const struct cell *cell)
{
	unsigned traits = 0;

	for (size_t axis = 0; axis < AXES; axis++)
		traits |= cell->by[axis]->traits;
	return traits;
}

bool cell_is(const struct cell *cell, enum trait trait)
{
	return (traits_of(cell) & trait) != 0;
}

const struct rule *cell_left_out(const struct cell *cell)
{
	const char *device = cell->by[DEVICE]->device;
	unsigned traits = traits_of(cell);

	for (size_t i = 0; i < rule_count; i++)
		if ((traits & rules[i].traits) == rules[i].traits &&
		    (!rules[i].property || !qemu_device_has(device, rules[i].property)))
			return &rules[i];
	return NULL;
}

const char *cell_if_known(const struct cell *cell, enum axis axis)
{
	const char *text = cell->by[axis]->if_known;
	char property[32];

	if (!text)
		return NULL;
	snprintf(property, sizeof(property), "%.*s", (int)strcspn(text, "="), text);
	return qemu_device_has(cell->by[DEVICE]->device, property) ? text : NULL;
}

const char *cell_interrupts(const struct cell *cell)
{
	if (cell->by[INTERRUPTS]->interrupts)
		return cell->by[INTERRUPTS]->interrupts;
	return cell_is(cell, MMIO_PLACE) ? "GSI" : "INTx";
}

void cell_name(const struct cell *cell, char name[CELL_NAME_MAX])
{
	size_t len = 0;

	for (size_t axis = 0; axis < AXES && len < CELL_NAME_MAX; axis++)
		len += (size_t)snprintf(name + len, CELL_NAME_MAX - len, "%s%s", axis ? "/" : "",
					cell->by[axis]->name);
}

uint64_t cell_expected(const struct cell *cell)
{
	uint64_t accepts = ALWAYS, refuses = 0;

	for (size_t axis = 0; axis < AXES; axis++) {
		accepts |= cell->by[axis]->accepts;
		refuses |= cell->by[axis]->refuses;
	}
	return accepts & ~refuses;
}

const char *feature_name(unsigned bit)
{
	for (size_t i = 0; i < sizeof(feature_names) / sizeof(feature_names[0]); i++)
		if (feature_names[i].bit == UINT64_C(1) << bit)
			return feature_names[i].name;
	return NULL;
}
