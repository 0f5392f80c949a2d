/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tools/balloonctl/guest_libvirt_xml.c: memory devices in a domain's XML, as libvirt 9.0 writes
 * it, and in XML that it would not write.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"
#include "tools/balloonctl/guest.h"
#include "tools/balloonctl/guest_libvirt_xml.h"

#define KIB 1024ull
#define DEVICES(...) \
	"<domain>\n  <memory unit='KiB'>5505024</memory>\n  <devices>\n" __VA_ARGS__ \
	"  </devices>\n</domain>\n"
#define VIRTIO_MEM(alias, size, block, requested, current) \
	"    <memory model='virtio-mem'>\n" \
	"      <target>\n" \
	"        <size unit='KiB'>" size "</size>\n" \
	"        <node>0</node>\n" \
	"        <block unit='KiB'>" block "</block>\n" \
	"        <requested unit='KiB'>" requested "</requested>\n" \
	"        <current unit='KiB'>" current "</current>\n" \
	"      </target>\n" \
	"      <alias name='" alias "'/>\n" \
	"      <address type='pci' domain='0x0000' bus='0x03' slot='0x00' function='0x0'/>\n" \
	"    </memory>\n"
#define DIMM(model, size) \
	"    <memory model='" model "'>\n" \
	"      <target>\n" \
	"        <size unit='KiB'>" size "</size>\n" \
	"        <node>0</node>\n" \
	"      </target>\n" \
	"      <alias name='dimm0'/>\n" \
	"    </memory>\n"
#define GOOD VIRTIO_MEM("ua-m0", "4194304", "2048", "786432", "524288")

static struct guest_state is;
static uint64_t all;

static int read_xml(const char *xml)
{
	memset(&is, 0, sizeof(is));
	all = 1;
	return libvirt_read_devices(xml, &is, &all);
}

static void devices_are_read_in_bytes(void **state)
{
	(void)state;
	assert_int_equal(read_xml(DEVICES(GOOD DIMM("dimm", "262144") DIMM("nvdimm", "1024"))), 0);
	assert_true(all == (4194304 + 262144 + 1024) * KIB);
	assert_true(is.dimms == 262144 * KIB && is.has_grown && is.nr_devices == 1);
	assert_string_equal(is.devices[0].name, "ua-m0");
	assert_true(is.devices[0].region == 4194304 * KIB && is.devices[0].block == 2048 * KIB);
	assert_true(is.requested == 786432 * KIB && is.grown == 524288 * KIB);
	assert_string_equal(is.complaint, "");
	assert_int_equal(read_xml(DEVICES("")), 0);
	assert_true(!all && !is.has_grown && !is.dimms);
	assert_int_equal(read_xml(""), 0);
	assert_false(all);
}

/* What a person wrote for himself stands before the devices, whatever it says. */
static void words_of_a_person_are_no_devices(void **state)
{
	(void)state;
	assert_int_equal(read_xml("<domain><metadata><devices>" GOOD "</devices></metadata>"
				  "<memoryBacking/><devices></devices></domain>"),
			 0);
	assert_true(!all && !is.has_grown);
}

static void sizes_that_are_none_are_complained_of(void **state)
{
	static const char *const bad[] = {
		VIRTIO_MEM("m", "4096", "1000", "0", "0"),
		VIRTIO_MEM("m", "4096", "2048", "-2048", "0"),
		VIRTIO_MEM("m", "4096", "2048", "2048", "8192"),
		VIRTIO_MEM("m", "4096", "2048", "much", "0"),
		VIRTIO_MEM("m", "4096", "2048", "", "0"),
		VIRTIO_MEM("m", "4096", "2048", "2048 ", "0"),
		VIRTIO_MEM("m", "4096", "2048", "99999999999999999999999", "0"),
		VIRTIO_MEM("m", "4096", "2048", "9007199254740992", "0"),
		VIRTIO_MEM("", "4096", "2048", "0", "0"),
		DIMM("virtio-mem", "4096"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char xml[4096];

		snprintf(xml, sizeof(xml), DEVICES("%s" GOOD), bad[i]);
		assert_int_equal(read_xml(xml), 0);
		assert_says(is.complaint, "makes no sense");
		assert_true(is.nr_devices == 1 && is.grown == 524288 * KIB);
		assert_true(all == (4096 + 4194304) * KIB);
	}
}

/* What an element lacks is not what the next one has. */
static void elements_are_apart(void **state)
{
	static const char bare[] = "<memory model='virtio-mem'><size unit='KiB'>4194304</size>"
				   "<block unit='KiB'>2048</block><requested unit='KiB'>2048"
				   "</requested><alias name='ua-m1'/></memory>";
	char xml[4096];

	(void)state;
	snprintf(xml, sizeof(xml), DEVICES("%s" GOOD), bare);
	assert_int_equal(read_xml(xml), 0);
	assert_says(is.complaint,
		    "the virtio-mem device ua-m1 makes no sense: it has more plugged");
	assert_true(is.nr_devices == 1 && is.grown == 524288 * KIB);
}

static void sizes_without_sense_are_refused(void **state)
{
	(void)state;
	assert_int_equal(read_xml(DEVICES(DIMM("dimm", "lots"))), -EPROTO);
	assert_int_equal(read_xml(DEVICES(DIMM("dimm", "-1"))), -EPROTO);
	assert_int_equal(read_xml(DEVICES("<memory model='dimm'></memory>")), -EPROTO);
	assert_int_equal(read_xml(DEVICES(DIMM("dimm", "9007199254740991"))), 0);
	assert_int_equal(read_xml(DEVICES(DIMM("dimm", "9007199254740991") DIMM("x", "1"))),
			 -EPROTO);
}

/* A document may end anywhere: nothing beyond it is read. */
static void xml_that_ends_early_is_no_device(void **state)
{
	static const char xml[] = DEVICES(GOOD);
	const char *end = strstr(xml, "</memory>\n  </devices>") + strlen("</memory>");

	(void)state;
	for (const char *cut = xml; *cut; cut++) {
		char *part = strndup(xml, (size_t)(cut - xml));

		assert_int_equal(read_xml(part), 0);
		assert_int_equal(is.nr_devices, cut >= end);
		free(libvirt_request_xml(part, "ua-m0", 0));
		free(part);
	}
}

static void name_that_does_not_fit_is_none(void **state)
{
	char xml[4096], name[GUEST_MEM_NAME + 1] = "";

	(void)state;
	memset(name, 'x', GUEST_MEM_NAME);
	snprintf(xml, sizeof(xml), DEVICES(VIRTIO_MEM("%s", "4", "4", "4", "4")), name);
	assert_int_equal(read_xml(xml), 0);
	assert_int_equal(is.nr_devices, 0);
	assert_null(libvirt_request_xml(xml, "", 4096));
	snprintf(xml, sizeof(xml), DEVICES(VIRTIO_MEM("%s", "4", "4", "4", "4")), name + 1);
	assert_int_equal(read_xml(xml), 0);
	assert_string_equal(is.devices[0].name, name + 1);
}

static void request_is_the_element_with_another_size(void **state)
{
	static const char other[] = VIRTIO_MEM("ua-m", "8", "4", "4", "0");
	static const char wanted[] = VIRTIO_MEM("ua-m0", "4194304", "2048", "1048576", "524288");
	char xml[4096], *made;

	(void)state;
	snprintf(xml, sizeof(xml), DEVICES("%s%s"), other, GOOD);
	made = libvirt_request_xml(xml, "ua-m0", 1048576 * KIB);
	assert_non_null(made);
	/* Without the blanks around it. */
	assert_memory_equal(made, wanted + 4, strlen(wanted) - 5);
	assert_int_equal(strlen(made), strlen(wanted) - 5);
	free(made);
	made = libvirt_request_xml(xml, "ua-m", 0);
	assert_says(made, "<requested unit='KiB'>0</requested>");
	assert_null(strstr(made, "ua-m0"));
	free(made);
	assert_null(libvirt_request_xml(xml, "ua", 0));
	assert_null(libvirt_request_xml(DEVICES(DIMM("dimm", "4")), "dimm0", 0));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_are_read_in_bytes),
		cmocka_unit_test(words_of_a_person_are_no_devices),
		cmocka_unit_test(sizes_that_are_none_are_complained_of),
		cmocka_unit_test(elements_are_apart),
		cmocka_unit_test(sizes_without_sense_are_refused),
		cmocka_unit_test(xml_that_ends_early_is_no_device),
		cmocka_unit_test(name_that_does_not_fit_is_none),
		cmocka_unit_test(request_is_the_element_with_another_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
