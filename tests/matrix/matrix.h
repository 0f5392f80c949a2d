/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The matrix test: every way to reach the balloon, with every ring and every
 * feature set that makes sense there.
 *
 * table.c: the table that a person reads and changes: what there is to choose
 * from, what leaves a cell out, what the guest must accept.
 * qemu.c: what the QEMU under test has of it.
 * cell.c: boots the real image for one cell and holds guest and QMP together.
 * matrix.c: runs the cells, two at a time, and writes what came of them.
 */
#ifndef TESTS_MATRIX_MATRIX_H
#define TESTS_MATRIX_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FEATURE_BITS 64
#define FEATURE_DEFLATE_ON_OOM 2 /* the accounting depends on it */
#define CELL_NAME_MAX 128

enum axis { PLACE, DEVICE, INTERRUPTS, RING, EVENT_IDX, INDIRECT, FEATURES, AXES };

/* What rules and expectations ask for; a choice has any of them. */
enum trait {
	PCI_PLACE = 1 << 0,
	MMIO_PLACE = 1 << 1,
	ROOT_PORT = 1 << 2,
	ROOT_BUS = 1 << 3,
	PCI_DEVICE = 1 << 4,
	MMIO_DEVICE = 1 << 5,
	LEGACY = 1 << 6,       /* the guest has to use the legacy interface */
	TRANSITIONAL = 1 << 7, /* it is there, beside the modern one */
	LEGACY_AUTO = 1 << 8,  /* it is there on a root bus, not behind a root port */
	NO_LEGACY = 1 << 9,
	MSIX = 1 << 10,
	HIGH_BIT = 1 << 11, /* a feature bit above 31 */
	ACCESS_PLATFORM = 1 << 12,
	IN_ORDER = 1 << 13,
};

/* One possibility on one axis; NULL and 0 are "nothing". */
struct choice {
	const char *name;
	unsigned traits;
	const char *machine;
	const char *device;
	const char *properties; /* of the device */
	const char *if_known;	/* one more, for devices that have such a property */
	const char *args;	/* QEMU's, separated by blanks */
	const char *append;	/* the kernel's command line */
	const char *interrupts; /* what `virtio` must say of them, to begin with */
	uint64_t accepts;	/* bits that the guest must accept for this */
	uint64_t refuses;	/* bits that it must not, whatever else is chosen */
};

/*
 * Cells with all these traits make no sense, or with @property: not under a
 * QEMU whose device has no such property.
 */
struct rule {
	unsigned traits;
	const char *property;
	const char *reason;
};

struct cell {
	const struct choice *by[AXES];
};

extern const char *const axis_names[AXES];
extern const struct rule rules[];
extern const size_t rule_count;

/* Names of the cells that matter most, and their number. */
extern const char *const vital_cells[];
extern const size_t vital_count;

/* All combinations are numbered; those left out are among them. */
size_t cell_combinations(void);
struct cell cell_number(size_t number);

/* The first rule that leaves the cell out, or NULL. */
const struct rule *cell_left_out(const struct cell *cell);

/* "pc/default/line/split/event_idx/indirect/none" */
void cell_name(const struct cell *cell, char name[CELL_NAME_MAX]);

/* The choice's property of that name, if the cell's device has it; or NULL. */
const char *cell_if_known(const struct cell *cell, enum axis axis);

/* How `virtio` must begin what it says of the interrupts. */
const char *cell_interrupts(const struct cell *cell);

/* True if any choice of the cell has the trait. */
bool cell_is(const struct cell *cell, enum trait trait);

/* The feature bits that the guest must accept: these and no others. */
uint64_t cell_expected(const struct cell *cell);

/* "DEFLATE_ON_OOM", or NULL for a bit that no cell expects. */
const char *feature_name(unsigned bit);

/* What came of a cell; plain data, as workers share it. */
struct result {
	bool passed;
	int ms;
	uint64_t accepted;
	char transport[16];  /* as `virtio` names it */
	char interrupts[48]; /* likewise */
	char why[200];	     /* it did not pass; "" before the cell ran */
};

/* Whether -device @device (a string that stays) takes @property. */
bool qemu_device_has(const char *device, const char *property);

/* The first line of its --version. */
const char *qemu_version(void);

/*
 * Run one cell; the rest of *@result is all zero before. The serial log goes
 * to @log_path. Call it from one thread of a process of its own: it changes
 * the environment.
 */
void cell_run(const struct cell *cell, const char *log_path, struct result *result);

#endif
