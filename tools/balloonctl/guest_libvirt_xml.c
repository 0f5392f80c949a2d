/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory devices and the balloon in libvirt's XML: see guest_libvirt_xml.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/guest_libvirt_xml.h"

#define KIB 1024ull

/* "<memory model='dimm' ...> ... </memory>" */
struct element {
	const char *start, *end;
	char model[32];
};

/* Other elements of that name, a domain's own memory first, have no model. */
static const char first_words[] = "<memory model='";

/* The last one: a description of a person's own comes before it. */
static const char *find_devices(const char *xml)
{
	const char *found = NULL;

	for (const char *at = xml; (at = strstr(at, "<devices>")); at++)
		found = at;
	return found ? found : "";
}

/* Finds the next one after `at`; false: there is none. */
static bool next_element(const char *at, struct element *element)
{
	static const char last_words[] = "</memory>";

	element->start = strstr(at, first_words);
	element->end = element->start ? strstr(element->start, last_words) : NULL;
	if (!element->end)
		return false;
	element->end += strlen(last_words);
	return sscanf(element->start + strlen(first_words), "%31[^']", element->model) == 1;
}

/* Where the words are in an element; NULL: nowhere. */
static const char *find_in(const struct element *element, const char *words)
{
	const char *at = strstr(element->start, words);

	return at && at < element->end ? at : NULL;
}

/* Reads "<requested unit='KiB'>1024</requested>"; what is no number is more than can be. */
static uint64_t read_size(const struct element *element, const char *name)
{
	char words[40], *end;
	const char *at;
	unsigned long long kib;

	snprintf(words, sizeof(words), "<%s unit='KiB'>", name);
	at = find_in(element, words);
	if (!at)
		return UINT64_MAX;
	at += strlen(words);
	errno = 0;
	kib = strtoull(at, &end, 10);
	return *at == '-' || end == at || *end != '<' || errno || kib > INT64_MAX / KIB ? UINT64_MAX
											: kib * KIB;
}

static void read_alias(const struct element *element, char name[GUEST_MEM_NAME])
{
	const char *at = find_in(element, "<alias name='");
	size_t length;

	*name = '\0';
	if (!at)
		return;
	at += strlen("<alias name='");
	length = strcspn(at, "'");
	/* A name that does not fit is no name. */
	if (length < GUEST_MEM_NAME)
		snprintf(name, GUEST_MEM_NAME, "%.*s", (int)length, at);
}

static void add_virtio_mem(const struct element *element, struct guest_state *state)
{
	struct guest_mem_device device = {
		.block = read_size(element, "block"),
		.region = read_size(element, "size"),
		.requested = read_size(element, "requested"),
		.plugged = read_size(element, "current"),
	};

	read_alias(element, device.name);
	guest_account_device(state, &device);
}

int libvirt_read_devices(const char *xml, struct guest_state *state, uint64_t *all)
{
	struct element element;

	*all = 0;
	for (const char *at = find_devices(xml); next_element(at, &element); at = element.end) {
		uint64_t size = read_size(&element, "size");

		if (size > INT64_MAX - *all)
			return -EPROTO;
		*all += size;
		if (!strcmp(element.model, "dimm"))
			state->dimms += size;
		else if (!strcmp(element.model, "virtio-mem"))
			add_virtio_mem(&element, state);
	}
	return 0;
}

unsigned libvirt_read_period(const char *xml)
{
	const char *at = strstr(find_devices(xml), "<memballoon");
	unsigned seconds;

	at = at ? strstr(at, "<stats period='") : NULL;
	return at && sscanf(at, "<stats period='%u'", &seconds) == 1 ? seconds : 0;
}

/* The element up to its requested size, the new one, and the rest of it. */
static char *replace_size(const struct element *element, uint64_t bytes)
{
	static const char words[] = "<requested unit='KiB'>";
	const char *at = find_in(element, words);
	const char *rest;
	char *text;

	if (!at)
		return NULL;
	at += strlen(words);
	rest = at + strcspn(at, "<");
	if (asprintf(&text, "%.*s%llu%.*s", (int)(at - element->start), element->start, bytes / KIB,
		     (int)(element->end - rest), rest) < 0)
		return NULL;
	return text;
}

char *libvirt_request_xml(const char *xml, const char *alias, uint64_t bytes)
{
	char name[GUEST_MEM_NAME];
	struct element element;

	for (const char *at = find_devices(xml); next_element(at, &element); at = element.end) {
		read_alias(&element, name);
		if (*name && !strcmp(name, alias))
			return replace_size(&element, bytes);
	}
	return NULL;
}
