/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names for lspci: classes (PCI Code and ID Assignment 1.11), and the devices
 * that QEMU builds. Only for people: nothing is decided by a name.
 */
#include "drivers/pci/pci_names.h"

#include "kernel/lib/types.h"

struct name {
	uint32_t id;
	const char *name;
};

/* Base class, subclass. */
static const struct name classes[] = {
	{ 0x0000, "Non-VGA unclassified device" },
	{ 0x0001, "VGA compatible unclassified device" },
	{ 0x00ff, "Unclassified device" },
	{ 0x0100, "SCSI storage controller" },
	{ 0x0101, "IDE interface" },
	{ 0x0106, "SATA controller" },
	{ 0x0108, "Non-Volatile memory controller" },
	{ 0x0180, "Mass storage controller" },
	{ 0x0200, "Ethernet controller" },
	{ 0x0280, "Network controller" },
	{ 0x0300, "VGA compatible controller" },
	{ 0x0380, "Display controller" },
	{ 0x0401, "Multimedia audio controller" },
	{ 0x0403, "Audio device" },
	{ 0x0500, "RAM memory" },
	{ 0x0580, "Memory controller" },
	{ 0x0600, "Host bridge" },
	{ 0x0601, "ISA bridge" },
	{ 0x0604, "PCI bridge" },
	{ 0x0680, "Bridge" },
	{ 0x0700, "Serial controller" },
	{ 0x0780, "Communication controller" },
	{ 0x0880, "System peripheral" },
	{ 0x0900, "Keyboard controller" },
	{ 0x0980, "Input device controller" },
	{ 0x0c03, "USB controller" },
	{ 0x0c05, "SMBus" },
	{ 0x1000, "Network and computing encryption device" },
};

static const struct name vendors[] = {
	{ 0x1013, "Cirrus Logic" },
	{ 0x1022, "Advanced Micro Devices" },
	{ 0x1234, "QEMU" },
	{ 0x15ad, "VMware" },
	{ 0x1af4, "Red Hat, Inc." },
	{ 0x1b36, "Red Hat, Inc." },
	{ 0x8086, "Intel Corporation" },
};

/* Vendor, device. */
static const struct name devices[] = {
	{ 0x101300b8, "GD 5446" },
	{ 0x12341111, "Standard VGA" },
	{ 0x15ad0405, "SVGA II Adapter" },
	{ 0x1af41000, "Virtio network device" },
	{ 0x1af41001, "Virtio block device" },
	{ 0x1af41002, "Virtio memory balloon" },
	{ 0x1af41003, "Virtio console" },
	{ 0x1af41004, "Virtio SCSI" },
	{ 0x1af41005, "Virtio RNG" },
	{ 0x1af41009, "Virtio filesystem" },
	{ 0x1af41041, "Virtio 1.0 network device" },
	{ 0x1af41042, "Virtio 1.0 block device" },
	{ 0x1af41043, "Virtio 1.0 console" },
	{ 0x1af41044, "Virtio 1.0 RNG" },
	{ 0x1af41045, "Virtio 1.0 memory balloon" },
	{ 0x1af41048, "Virtio 1.0 SCSI" },
	{ 0x1af41049, "Virtio 1.0 filesystem" },
	{ 0x1af41050, "Virtio 1.0 GPU" },
	{ 0x1af41052, "Virtio 1.0 input" },
	{ 0x1af41053, "Virtio 1.0 socket" },
	{ 0x1af41057, "Virtio 1.0 IOMMU" },
	{ 0x1af41058, "Virtio 1.0 memory" },
	{ 0x1af4105a, "Virtio 1.0 file system" },
	{ 0x1af4105b, "Virtio 1.0 persistent memory" },
	{ 0x1af41110, "Inter-VM shared memory" },
	{ 0x1b360001, "QEMU PCI-PCI bridge" },
	{ 0x1b360002, "QEMU PCI 16550A Adapter" },
	{ 0x1b360005, "QEMU PCI Test Device" },
	{ 0x1b360008, "QEMU PCIe Host bridge" },
	{ 0x1b360009, "QEMU PCI Expander bridge" },
	{ 0x1b36000b, "QEMU PCIe Expander bridge" },
	{ 0x1b36000c, "QEMU PCIe Root port" },
	{ 0x1b36000d, "QEMU XHCI Host Controller" },
	{ 0x1b36000e, "QEMU PCIe-to-PCI bridge" },
	{ 0x1b360010, "QEMU NVM Express Controller" },
	{ 0x1b360100, "QXL paravirtual graphic card" },
	{ 0x8086100e, "82540EM Gigabit Ethernet Controller" },
	{ 0x808610d3, "82574L Gigabit Network Connection" },
	{ 0x80861237, "440FX - 82441FX PMC [Natoma]" },
	{ 0x8086244e, "82801 PCI Bridge" },
	{ 0x80862918, "82801IB (ICH9) LPC Interface Controller" },
	{ 0x80862922, "82801IR/IO/IH (ICH9R/DO/DH) 6 port SATA Controller [AHCI mode]" },
	{ 0x80862930, "82801I (ICH9 Family) SMBus Controller" },
	{ 0x808629c0, "82G33/G31/P35/P31 Express DRAM Controller" },
	{ 0x80867000, "82371SB PIIX3 ISA [Natoma/Triton II]" },
	{ 0x80867010, "82371SB PIIX3 IDE [Natoma/Triton II]" },
	{ 0x80867020, "82371SB PIIX3 USB [Natoma/Triton II]" },
	{ 0x80867113, "82371AB/EB/MB PIIX4 ACPI" },
};

static const struct name capabilities[] = {
	{ 0x01, "Power Management" },
	{ 0x02, "AGP" },
	{ 0x03, "Vital Product Data" },
	{ 0x04, "Slot ID" },
	{ 0x05, "MSI" },
	{ 0x07, "PCI-X" },
	{ 0x08, "HyperTransport" },
	{ 0x09, "Vendor Specific Information" },
	{ 0x0a, "Debug port" },
	{ 0x0c, "Hot-plug capable" },
	{ 0x0d, "Subsystem" },
	{ 0x10, "Express" },
	{ 0x11, "MSI-X" },
	{ 0x12, "SATA HBA" },
	{ 0x13, "PCI Advanced Features" },
};

static const char *find(const struct name *names, size_t count, uint32_t id)
{
	for (size_t i = 0; i < count; i++) {
		if (names[i].id == id)
			return names[i].name;
	}
	return NULL;
}

const char *pci_class_name(uint16_t class)
{
	return find(classes, ARRAY_SIZE(classes), class);
}

const char *pci_vendor_name(uint16_t vendor)
{
	return find(vendors, ARRAY_SIZE(vendors), vendor);
}

const char *pci_device_name(uint16_t vendor, uint16_t device)
{
	return find(devices, ARRAY_SIZE(devices), (uint32_t)vendor << 16 | device);
}

const char *pci_capability_name(uint8_t id)
{
	return find(capabilities, ARRAY_SIZE(capabilities), id);
}
