/* SPDX-License-Identifier: BSD-2-Clause */
/* The root of all that is known of a dump: see dump_root.h. */
#include "tools/dump_root.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int dump_fail(char error[CORE_ERROR_MAX], int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, CORE_ERROR_MAX, format, args);
	va_end(args);
	return err;
}

bool dump_is_name(const char *text, size_t size)
{
	static const char fit[] = "-0123456789abcdefghijklmnopqrstuvwxyz";
	size_t length = strnlen(text, size);

	return length < size && strspn(text, fit) == length;
}

int dump_read(const struct core *core, uint64_t array, uint64_t first, size_t size, size_t count,
	      void *to, const char *what, char error[CORE_ERROR_MAX])
{
	uint64_t paddr;
	int err = -EFAULT;

	if (!__builtin_mul_overflow(first, size, &paddr) &&
	    !__builtin_add_overflow(array, paddr, &paddr))
		err = core_read(core, paddr, to, size * count);
	if (err == -EFAULT)
		return dump_fail(error, -EINVAL,
				 "damaged: %s is said to be at %#" PRIx64
				 ", of which the dump has not all",
				 what, array);
	if (err)
		return dump_fail(error, err, "cannot be read: %s", strerror(-err));
	return 0;
}

static bool is_root(const struct dump_root *root, uint64_t paddr)
{
	return memcmp(root->magic, DUMP_MAGIC, DUMP_MAGIC_SIZE) == 0 && root->self == paddr;
}

static int find_root(const struct core *core, struct dump_root *root, char error[CORE_ERROR_MAX])
{
	for (uint64_t paddr = 0; paddr < DUMP_LIMIT; paddr += DUMP_PAGE) {
		int err = core_read(core, paddr, root, sizeof(*root));

		if (err == -EFAULT)
			continue;
		if (err)
			return dump_fail(error, err, "cannot be read: %s", strerror(-err));
		if (is_root(root, paddr))
			return 0;
	}
	return dump_fail(error, -EINVAL,
			 "no Aerostat is in this memory, or one too old to be found");
}

static int check_version(const char *what, uint32_t version, uint32_t size, uint32_t known_version,
			 size_t known_size, char error[CORE_ERROR_MAX])
{
	if (version != known_version)
		return dump_fail(error, -EINVAL,
				 "of %s version of Aerostat: its %s has layout %" PRIu32
				 ", this program knows %" PRIu32,
				 version < known_version ? "an older" : "a newer", what, version,
				 known_version);
	if (size != known_size)
		return dump_fail(error, -EINVAL,
				 "damaged: its %s should have %zu bytes, not %" PRIu32, what,
				 known_size, size);
	return 0;
}

int dump_read_root(const struct core *core, struct dump_root *root, char error[CORE_ERROR_MAX])
{
	int err = find_root(core, root, error);

	return err ? err
		   : check_version("description", root->version, root->size, DUMP_VERSION,
				   sizeof(*root), error);
}

int dump_read_part(const struct core *core, const char *what, uint64_t paddr, uint32_t version,
		   void *part, size_t size, char error[CORE_ERROR_MAX])
{
	uint32_t head[2];
	int err = dump_read(core, paddr, 0, sizeof(head), 1, head, what, error);

	if (!err)
		err = check_version(what, head[0], head[1], version, size, error);
	return err ? err : dump_read(core, paddr, 0, size, 1, part, what, error);
}
