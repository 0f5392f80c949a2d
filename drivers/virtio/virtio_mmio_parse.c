/* SPDX-License-Identifier: BSD-2-Clause */
/* Places of virtio devices in memory, as a command line names them (Linux has the form). */
#include <errno.h>
#include <string.h>

#include "drivers/virtio/virtio_mmio.h"
#include "kernel/lib/parse.h"

#define NUMBER_MAX 24

/* Cuts off the word before `separator`, or the rest if that is "". -EINVAL: none, or too long. */
static int take_word(const char **text, const char *separator, char word[NUMBER_MAX])
{
	size_t length = strcspn(*text, separator);

	if ((*text)[length] != separator[0] || length >= NUMBER_MAX)
		return -EINVAL;
	memcpy(word, *text, length);
	word[length] = '\0';
	*text += length + strlen(separator);
	return 0;
}

static int take_number(const char **text, const char *separator, uint64_t *value)
{
	char word[NUMBER_MAX];

	if (take_word(text, separator, word) || parse_u64(word, value))
		return -EINVAL;
	return 0;
}

static int take_size(const char **text, uint64_t *size)
{
	char word[NUMBER_MAX];

	if (take_word(text, "@", word) || (parse_u64(word, size) && parse_size(word, size)))
		return -EINVAL;
	return 0;
}

int virtio_mmio_parse(const char *text, struct virtio_mmio_place *place)
{
	uint64_t size, base, irq, id;
	const char *at = text;

	if (take_size(&at, &size) || take_number(&at, ":", &base))
		return -EINVAL;
	if (strchr(at, ':')) {
		if (take_number(&at, ":", &irq) || take_number(&at, "", &id))
			return -EINVAL;
	} else if (take_number(&at, "", &irq)) {
		return -EINVAL;
	}
	if (irq > UINT32_MAX)
		return -EINVAL;
	/*
	 * The text does not say how it is triggered. An edge serves devices of both
	 * kinds, as read_isr() acknowledges until nothing is left.
	 */
	*place = (struct virtio_mmio_place){
		.base = base, .size = size, .has_irq = true, .gsi = (uint32_t)irq, .level = false
	};
	return 0;
}
