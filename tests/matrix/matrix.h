/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The matrix test: every way to reach the balloon, with every ring and every
 * feature set that makes sense there.
 *
 * table.c: the table that a person reads and changes: the choices, the rules that
 * leave a cell out, the features that the guest must accept.
 * qemu.c: which of them the QEMU under test has.
 * cell.c: boots the real image for one cell and compares guest and QMP.
 * matrix.c: runs the cells, two at a time, and writes the results.
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

/* Rules and expectations speak of traits; a choice may have any of them. */
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
	const char *if_known;	/* another one, only for devices that have it */
	const char *args;	/* QEMU's, separated by blanks */
	const char *append;	/* the kernel's command line */
	const char *interrupts; /* how `virtio` must begin its line on them */
	uint64_t accepts;	/* bits that the guest must accept for this */
	uint64_t refuses;	/* bits that it must not, whatever else is chosen */
};

/*
 * Leaves out cells that have all these traits; with `property`, only under a QEMU
 * whose device does not have that property.
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

/* Return how many combinations there are, and one of them; some are left out by rules. */
size_t cell_combinations(void);
struct cell cell_number(size_t number);

/* Returns the first rule that leaves the cell out, or NULL. */
const struct rule *cell_left_out(const struct cell *cell);

/* Writes "pc/default/line/split/event_idx/indirect/none". */
void cell_name(const struct cell *cell, char name[CELL_NAME_MAX]);

/* Returns the `if_known` of a choice if the cell's device has that property, or NULL. */
const char *cell_if_known(const struct cell *cell, enum axis axis);

/* Returns how `virtio` must begin its line on interrupts. */
const char *cell_interrupts(const struct cell *cell);

/* Tells whether any choice of the cell has the trait. */
bool cell_is(const struct cell *cell, enum trait trait);

/* Returns the feature bits that the guest must accept; it must accept no others. */
uint64_t cell_expected(const struct cell *cell);

/* Returns "DEFLATE_ON_OOM" or the like; NULL for a bit that no cell expects. */
const char *feature_name(unsigned bit);

/* The result of a cell; plain data, as workers share it. */
struct result {
	bool passed;
	int ms;
	uint64_t accepted;
	char transport[16];  /* as `virtio` names it */
	char interrupts[48]; /* likewise */
	char why[200];	     /* it did not pass; "" before the cell ran */
};

/* Tells whether -device `device` (a string that stays) takes `property`. */
bool qemu_device_has(const char *device, const char *property);

/* Returns the first line of QEMU's --version. */
const char *qemu_version(void);

/*
 * Runs one cell and fills in `result`, which must be all zero before. The serial
 * log goes to `log_path`. Only for the one thread of a process of its own, as it
 * changes the environment.
 */
void cell_run(const struct cell *cell, const char *log_path, struct result *result);

#endif
