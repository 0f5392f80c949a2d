/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading bytes of AML (ACPI 6.4, 20.2) without running any: constants,
 * lengths, names. What is read is bounded by what the table, or the package
 * around it, has.
 */
#include <assert.h>

#include "drivers/acpi/acpi_internal.h"

struct aml aml_open(const struct acpi_header *table)
{
	return (struct aml){ .at = (const uint8_t *)table + sizeof(*table),
			     .end = (const uint8_t *)table + table->length };
}

bool aml_read_byte(struct aml *aml, uint8_t *byte)
{
	assert(aml->at <= aml->end);
	if (aml->at == aml->end)
		return false;
	*byte = *aml->at++;
	return true;
}

bool aml_enter_package(struct aml *aml)
{
	const uint8_t *start = aml->at;
	uint8_t lead, byte;
	size_t length;

	if (!aml_read_byte(aml, &lead))
		return false;
	length = lead & (lead >> 6 ? 0x0fu : 0x3fu);
	for (unsigned i = 0; i < lead >> 6; i++) {
		if (!aml_read_byte(aml, &byte))
			return false;
		length |= (size_t)byte << (4 + 8 * i);
	}
	if (length > (size_t)(aml->end - start) || start + length < aml->at)
		return false;
	aml->end = start + length;
	assert(aml->at <= aml->end);
	return true;
}

/* Returns how many bytes follow the prefix of a number, or -1: it begins none. */
static int number_size(uint8_t prefix)
{
	switch (prefix) {
	case AML_ZERO:
	case AML_ONE:
		return 0;
	case AML_BYTE:
		return 1;
	case AML_WORD:
		return 2;
	case AML_DWORD:
		return 4;
	case AML_QWORD:
		return 8;
	default:
		return -1;
	}
}

bool aml_read_integer(struct aml *aml, uint64_t *value)
{
	uint8_t prefix;
	int size;

	if (!aml_read_byte(aml, &prefix))
		return false;
	size = number_size(prefix);
	if (size < 0 || size > aml->end - aml->at)
		return false;
	*value = size == 0 ? prefix : acpi_read_number(aml->at, (size_t)size);
	aml->at += size;
	return true;
}

bool aml_find(struct aml *aml, const void *bytes, size_t size)
{
	const uint8_t *first = bytes;

	for (const uint8_t *at = aml->at; (size_t)(aml->end - at) >= size; at++) {
		/* Cheaper than a call for each of a long table's bytes. */
		if (*at == *first && memcmp(at, bytes, size) == 0) {
			aml->at = at + size;
			return true;
		}
	}
	return false;
}

bool aml_is_name(const uint8_t *start, const uint8_t *at)
{
	if (at > start && at[-1] == AML_NAME)
		return true;
	return at > start + 1 && at[-1] == AML_ROOT && at[-2] == AML_NAME;
}

bool aml_find_name(struct aml *aml, const char *name)
{
	const uint8_t *start = aml->at;

	while (aml_find(aml, name, AML_NAME_SIZE)) {
		if (aml_is_name(start, aml->at - AML_NAME_SIZE))
			return true;
	}
	return false;
}

bool aml_find_device(struct aml *aml, struct aml *inside, uint64_t *left)
{
	static const uint8_t device[] = { AML_EXTENDED, AML_EXTENDED_DEVICE };
	uint64_t size;

	while (aml_find(aml, device, sizeof(device))) {
		*inside = *aml;
		if (!aml_enter_package(inside))
			continue;
		size = (uint64_t)(inside->end - inside->at);
		*left -= min_u64(*left, size);
		return *left > 0;
	}
	return false;
}
