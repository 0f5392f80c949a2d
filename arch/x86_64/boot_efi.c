/* SPDX-License-Identifier: BSD-2-Clause */
/* Booted by our own UEFI loader (efi/loader.c), which fills a boot_info itself. */
#include <string.h>

#include "arch/hyperv.h"
#include "arch/x86_64/entry.h"
#include "arch/xen.h"

static struct boot_info boot;

void efi_main(const struct boot_info *from_loader)
{
	if (!xen_find())
		hyperv_find();
	/* The loader's copy lies in memory that is about to be free. */
	memcpy(&boot, from_loader, sizeof(boot));
	kernel_main(&boot);
}
