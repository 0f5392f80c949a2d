/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio devices in memory: nothing but a table or a person tells where (virtio 1.3, 4.2.1). */
#ifndef KERNEL_VIRTIO_MMIO_FIND_H
#define KERNEL_VIRTIO_MMIO_FIND_H

/*
 * Makes devices of what the command line names, as Linux takes it
 * (`virtio_mmio.device=SIZE@BASE:IRQ[:ID]`, any number of them), and then of
 * what ACPI names. Finds the I/O APICs first. After acpi_init().
 */
void virtio_mmio_find(const char *command_line);

#endif
