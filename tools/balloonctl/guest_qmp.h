/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the files of the QMP backend: guest_qmp.c asks, guest_qmp_features.c
 * reads what QEMU says of the driver, guest_qmp_memory.c reads the guest's memory,
 * guest_qmp_devices.c knows the devices that bring memory, guest_qmp_target.c finds out
 * what QMP has no command for, and guest_qmp_hypervisor.c knows a balloon that is not QEMU's. Only
 * these files include it.
 */
#ifndef TOOLS_BALLOONCTL_GUEST_QMP_H
#define TOOLS_BALLOONCTL_GUEST_QMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct json_object;
struct qmp;
struct guest;
struct guest_state;

/* Where the balloon device is in QEMU's tree of objects. */
struct balloon_path {
	char *device;  /* has the properties */
	char *virtio;  /* the virtio device: the device itself, or one below a PCI function */
	bool is_plain; /* on a virtio-mmio bus, not on PCI */
};

/* Passes the sentence of a QMP error on; returns `err`. */
int guest_fail_qmp(struct guest *guest, int err);

/* Says that QEMU's answer to a command makes no sense; returns -EPROTO. */
int guest_fail_answer(struct guest *guest, const char *command);

/*
 * Tells of an error of qmp_execute() whether QEMU has refused, as there is no such object,
 * property or command; a lost connection is no refusal.
 */
bool qmp_has_refused(int err);

/*
 * Lists what an object has; *list is an array, the caller's by json_object_put(). -ENOENT: there
 * is no such object; else as qmp_execute() has them.
 */
int qom_list(struct qmp *qmp, const char *path, struct json_object **list);

/*
 * Reads a property; *value is the caller's by json_object_put(). Errors as
 * qmp_execute() has them: -ENODEV and -EREMOTEIO say that there is no such
 * object or property.
 */
int qom_get(struct qmp *qmp, const char *path, const char *property, struct json_object **value);

/*
 * Sets a property. -ENODEV and -EREMOTEIO: QEMU refuses; else as qmp_execute() has them.
 */
int qom_set_int(struct qmp *qmp, const char *path, const char *property, int64_t value);

/*
 * Fills in the features and driver_ok of `state` by the virtio device at `path`, if this QEMU
 * tells them. -ENOTCONN, -ETIMEDOUT, -EPROTO, or what else qmp.h has.
 */
int qmp_read_features(struct guest *guest, const char *path, struct guest_state *state);

/*
 * Fills in the features and driver_ok of `state` from QEMU's answer to
 * x-query-virtio-status. What the answer lacks counts as none.
 */
void qmp_read_driver(struct json_object *status, struct guest_state *state);

/*
 * Reads the device's num_pages, in bytes: what the host wants the balloon to hold.
 * -ENOENT: the guest has not mapped the device's registers, or it is of a kind
 * whose registers cannot be found; else what qmp.h has.
 */
int qmp_balloon_target(struct qmp *qmp, const struct balloon_path *path, uint64_t *taken);

/*
 * guest_qmp_devices.c: fills in dimms and the virtio-mem devices; *counted is the RAM that
 * the balloon counts. -EPROTO: answers that make no sense; -ENOTCONN, -ETIMEDOUT, or what else
 * qmp.h has.
 */
int qmp_read_ram(struct guest *guest, struct guest_state *state, uint64_t *counted);

/* guest_qmp_devices.c: the backend's request(). -EREMOTEIO: QEMU refuses; or what qmp.h has. */
int qmp_request(struct guest *guest, const char *device, uint64_t bytes);

/*
 * guest_qmp_devices.c: the backend's find_driver(). -ENOTSUP: this QEMU does not tell; or what
 * qmp.h has.
 */
int qmp_find_driver(struct guest *guest, const char *device, bool *driver_ok);

/*
 * guest_qmp_devices.c: the backend's find_migration(). -ENOTSUP: QEMU refuses to tell; or what
 * qmp.h has.
 */
int qmp_find_migration(struct guest *guest, bool *migrates);

/*
 * guest_qmp_memory.c: the backend's peek(), halt() and resume(). -EREMOTEIO: QEMU refuses;
 * -ENOTSUP: QEMU does not see this program; -EPROTO: it has not written what it says; or
 * what qmp.h has.
 */
int qmp_peek(struct guest *guest, uint64_t paddr, void *to, size_t size);
int qmp_halt(struct guest *guest, bool *ran);
int qmp_resume(struct guest *guest);

/*
 * guest_qmp_memory.c: tells whether numbers of processes mean the same to a process as to us; not
 * if that cannot be seen.
 */
bool qmp_has_our_numbers(pid_t pid);

#endif
