/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-mem (virtio 1.3, 5.15): devices that bring memory and take it back, block by
 * block, as the host wishes. Each is a source of mem_source.h, and has a task.
 */
#ifndef DRIVERS_MEM_VIRTIO_MEM_H
#define DRIVERS_MEM_VIRTIO_MEM_H

/*
 * Takes virtio-mem devices, those that are there and those that come; those of the boot
 * wait for virtio_mem_begin().
 */
void virtio_mem_start(void);

/*
 * Announces the regions of the devices found at boot, in the order of their addresses, and
 * starts their tasks. Once, after devices_find().
 */
void virtio_mem_begin(void);

#endif
