/* SPDX-License-Identifier: BSD-2-Clause */
/* Port 0xe9; see debugcon.h. */
#include "drivers/serial/debugcon.h"

#include "arch/io.h"
#include "arch/platform.h"

/* What the port reads as, to say that it is there. */
#define HERE 0xe9

bool debugcon_init(void)
{
	return io_read8(PORT_DEBUGCON) == HERE;
}

void debugcon_write(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		io_write8(PORT_DEBUGCON, (uint8_t)text[i]);
}
