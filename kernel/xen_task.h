/* SPDX-License-Identifier: BSD-2-Clause */
/* What the guest does with Xen's toolstack: the store, the balloon, and orders to end. */
#ifndef KERNEL_XEN_TASK_H
#define KERNEL_XEN_TASK_H

/* Both end the guest, and return if they cannot. */
struct xen_task_ops {
	void (*power_off)(void);
	void (*reboot)(void);
};

/*
 * Has Xen's events come, without which there is neither a store nor input on its console; that
 * they do not is a line in the log. After irq_init(), before console_start(); nothing without Xen.
 */
void xen_task_init(void);

/*
 * Starts the task that connects to the store, attaches the balloon and obeys what the toolstack
 * writes to control/shutdown: after a line with the ledger's verdict it ends the guest. A word
 * that it does not know, `suspend` among them, is refused with a line. Without Xen there is none.
 */
void xen_task_start(const struct xen_task_ops *ops);

/*
 * Waits until the balloon has its first target, or cannot have it: a domain that was started with
 * less memory than it may have dies of touching more. At most 2 s for the store and 2 s for the
 * target. In a task; returns at once without Xen.
 */
void xen_task_wait_for_memory(void);

#endif
