/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port numbers that are the same on every PC and stand in no table. Drivers name
 * the registers at them.
 */
#ifndef ARCH_PLATFORM_H
#define ARCH_PLATFORM_H

/* 8259A interrupt controllers, and which of their lines are level triggered */
#define PORT_PIC_MASTER 0x20
#define PORT_PIC_MASTER_DATA 0x21
#define PORT_PIC_SLAVE 0xa0
#define PORT_PIC_SLAVE_DATA 0xa1
#define PORT_ELCR_MASTER 0x4d0
#define PORT_ELCR_SLAVE 0x4d1

/* 8254 timer; the speaker's port gates its channel 2 */
#define PORT_PIT_CHANNEL0 0x40
#define PORT_PIT_CHANNEL2 0x42
#define PORT_PIT_COMMAND 0x43
#define PORT_SPEAKER 0x61

/* 8042 keyboard controller, which can pull the reset line */
#define PORT_KEYBOARD_COMMAND 0x64
#define KEYBOARD_PULSE_RESET 0xfe

/* QEMU's isa-debug-exit, where `-device isa-debug-exit,iobase=0xf4,iosize=4` put it */
#define PORT_DEBUG_EXIT 0xf4

/* Serial lines: base of each 16550's eight registers */
#define PORT_COM1 0x3f8
#define PORT_COM2 0x2f8
#define PORT_COM3 0x3e8
#define PORT_COM4 0x2e8

/* Bochs' and QEMU's port for debugging output */
#define PORT_DEBUGCON 0xe9

/* PCI configuration mechanism #1 (PCI Local Bus 3.0, 3.2.2.3.2) */
#define PORT_PCI_CONFIG_ADDRESS 0xcf8
#define PORT_PCI_CONFIG_DATA 0xcfc

/* QEMU's ports for hot-plug by ACPI, on its two PC chipsets */
#define PORT_ACPI_HOTPLUG_PIIX4 0xae00
#define PORT_ACPI_HOTPLUG_ICH9 0x0cc0

#endif
