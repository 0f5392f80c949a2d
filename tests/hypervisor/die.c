/* SPDX-License-Identifier: BSD-2-Clause */
/* The hypervisor's own end; see die.h. */
#include "tests/hypervisor/die.h"

#include <stdarg.h>
#include <stddef.h>

#include "arch/io.h"
#include "arch/platform.h"
#include "tests/hypervisor/control.h"

#define PORT_ACPI_POWER 0x604 /* PM1a control of pc and q35, as QEMU's firmware puts it */
#define ACPI_S5 0x2000	      /* SLP_EN; their SLP_TYP of S5 is 0 */

#define EXIT_READS 0x10000 /* QEMU 10 ends a little later than the write */

struct line {
	char text[HV_CONTROL_TEXT];
	size_t length;
};

static void put(struct line *line, char c)
{
	if (line->length < sizeof(line->text) - 1)
		line->text[line->length++] = c;
}

static void put_text(struct line *line, const char *text)
{
	while (*text)
		put(line, *text++);
}

static void put_hex(struct line *line, uint64_t value)
{
	int shift = 60;

	put_text(line, "0x");
	while (shift > 0 && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		put(line, "0123456789abcdef"[value >> shift & 15]);
}

static void format_line(struct line *line, const char *format, va_list arguments)
{
	for (; *format; format++) {
		if (*format != '%') {
			put(line, *format);
			continue;
		}
		format++;
		if (*format == 's')
			put_text(line, va_arg(arguments, const char *));
		else
			put_hex(line, va_arg(arguments, uint64_t));
	}
}

/* Nothing is left to be done where the machine has no such device. */
static _Noreturn void end_qemu(void)
{
	io_write32(PORT_DEBUG_EXIT, HYPERVISOR_DEATH_STATUS);
	for (unsigned i = 0; i < EXIT_READS && io_read8(PORT_DEBUG_EXIT) != 0xff; i++)
		;
	io_write16(PORT_ACPI_POWER, ACPI_S5);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void die(const char *format, ...)
{
	struct line line = { .length = 0 };
	va_list arguments;

	put_text(&line, "hypervisor: ");
	va_start(arguments, format);
	format_line(&line, format, arguments);
	va_end(arguments);
	for (size_t i = 0; i < line.length; i++) {
		io_write8(PORT_DEBUGCON, (uint8_t)line.text[i]);
		hv_control.common.death[i] = line.text[i];
	}
	io_write8(PORT_DEBUGCON, '\n');
	end_qemu();
}

/* newlib's assert() ends here. */
void __assert_func(const char *file, int line, const char *function, const char *expression);

void __assert_func(const char *file, int line, const char *function, const char *expression)
{
	die("%s:%x: %s(): %s does not hold", file, (uint64_t)line, function, expression);
}
