/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that QEMU gives; see fw_cfg.h. Numbers in it are big-endian. */
#include "tests/hypervisor/fw_cfg.h"

#include <stdint.h>
#include <string.h>

#include "arch/io.h"

#define PORT_SELECT 0x510 /* 16 bits */
#define PORT_DATA 0x511
#define KEY_SIGNATURE 0x0000
#define KEY_DIRECTORY 0x0019
#define NAME_SIZE 56
#define FILES_MAX 4096

struct file {
	uint32_t size;
	uint16_t key, reserved;
	char name[NAME_SIZE];
};

_Static_assert(sizeof(struct file) == 64, "docs/specs/fw_cfg");

static void read_on(void *to, size_t size)
{
	uint8_t *bytes = to;

	while (size-- > 0)
		*bytes++ = io_read8(PORT_DATA);
}

static void read_from(uint16_t key, void *to, size_t size)
{
	io_write16(PORT_SELECT, key);
	read_on(to, size);
}

void fw_cfg_read(const char *name, char *text, size_t size)
{
	char signature[4];
	uint32_t count;
	struct file file;

	memset(text, 0, size);
	read_from(KEY_SIGNATURE, signature, sizeof(signature));
	if (memcmp(signature, "QEMU", sizeof(signature)) != 0)
		return;
	read_from(KEY_DIRECTORY, &count, sizeof(count));
	count = __builtin_bswap32(count);
	for (uint32_t i = 0; i < count && i < FILES_MAX; i++) {
		read_on(&file, sizeof(file));
		if (strncmp(file.name, name, NAME_SIZE) != 0)
			continue;
		file.size = __builtin_bswap32(file.size);
		read_from(__builtin_bswap16(file.key), text,
			  file.size < size ? file.size : size - 1);
		return;
	}
}
