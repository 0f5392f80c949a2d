/* SPDX-License-Identifier: BSD-2-Clause */
/* drivers/virtio/virtio_feature_names.c: names of feature bits, both ways. */
#include "drivers/virtio/virtio_feature_names.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtio_transport.h"

#define STATS VIRTIO_BIT(1)
#define EVENT_IDX VIRTIO_BIT(VIRTIO_F_EVENT_IDX)
#define IN_ORDER VIRTIO_BIT(VIRTIO_F_IN_ORDER)
#define PACKED VIRTIO_BIT(VIRTIO_F_RING_PACKED)

/* The driver of balloons here: it has names for their features, and takes none. */
static int take_none(struct virtio_device *device)
{
	(void)device;
	return -ENODEV;
}

static void never_called(struct virtio_device *device)
{
	fail_msg("%s was never taken", device->address);
}

static const struct virtio_feature_name balloon_names[] = {
	{ 0, "MUST_TELL_HOST" },
	{ 1, "STATS_VQ" },
	{ 5, "REPORTING" },
	{ 0, NULL },
};

static struct virtio_driver balloon_driver = { .type = VIRTIO_ID_BALLOON,
					       .feature_names = balloon_names,
					       .probe = take_none,
					       .remove = never_called };

static int setup(void **state)
{
	(void)state;
	virtio_register_driver(&balloon_driver);
	return 0;
}

/* The rings' names are there from the start, a device type's with its driver. */
static void names_of_a_type_come_with_its_driver(void **state)
{
	uint64_t features;

	(void)state;
	assert_null(virtio_feature_name(VIRTIO_ID_BALLOON, 1));
	assert_int_equal(virtio_parse_features(VIRTIO_ID_BALLOON, "STATS_VQ", &features), -EINVAL);
	assert_string_equal(virtio_feature_name(VIRTIO_ID_BALLOON, 29), "EVENT_IDX");
	virtio_register_driver(&balloon_driver);
	assert_string_equal(virtio_feature_name(VIRTIO_ID_BALLOON, 1), "STATS_VQ");
	assert_int_equal(virtio_parse_features(VIRTIO_ID_BALLOON, "STATS_VQ", &features), 0);
	assert_true(features == STATS);
}

static void feature_names_are_parsed(void **state)
{
	uint64_t features = 1;

	(void)state;
	assert_int_equal(virtio_parse_features(5, "EVENT_IDX", &features), 0);
	assert_true(features == EVENT_IDX);
	assert_int_equal(virtio_parse_features(5, "RING_PACKED,STATS_VQ,IN_ORDER", &features), 0);
	assert_true(features == (PACKED | STATS | IN_ORDER));
}

static void unknown_feature_names_are_refused_as_a_whole(void **state)
{
	static const char *const bad[] = {
		"",
		"EVENT",
		"EVENT_IDXX",
		"event_idx",
		"EVENT_IDX,",
		",EVENT_IDX",
		"EVENT_IDX,,IN_ORDER",
		"EVENT_IDX,NONE",
		"EVENT_IDX IN_ORDER",
		"29",
	};
	uint64_t features = 4711;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(virtio_parse_features(5, bad[i], &features), -EINVAL);
	assert_int_equal(virtio_parse_features(1, "STATS_VQ", &features), -EINVAL);
	assert_true(features == 4711);
}

static void features_have_names_by_type(void **state)
{
	(void)state;
	assert_string_equal(virtio_feature_name(VIRTIO_ID_BALLOON, 0), "MUST_TELL_HOST");
	assert_string_equal(virtio_feature_name(VIRTIO_ID_BALLOON, 5), "REPORTING");
	assert_string_equal(virtio_feature_name(VIRTIO_ID_BALLOON, 32), "VERSION_1");
	assert_string_equal(virtio_feature_name(1, 29), "EVENT_IDX");
	assert_null(virtio_feature_name(1, 2));
	assert_null(virtio_feature_name(VIRTIO_ID_BALLOON, 6));
	assert_null(virtio_feature_name(VIRTIO_ID_BALLOON, 64));
}

static const char *explain(unsigned bit)
{
	return bit == 1 ? "it has no figures" : "?";
}

/* The driver's own reason, if it has one. */
static void what_a_driver_declines_has_its_reason(void **state)
{
	static struct virtio_driver plain = { .type = 5 },
				    eloquent = { .type = 5, .why_declined = explain };
	struct virtio_transport transport = { .legacy = false };
	struct virtio_device device = { .type = VIRTIO_ID_BALLOON,
					.transport = &transport,
					.declined = STATS };

	(void)state;
	assert_string_equal(virtio_refusal_reason(&device, 1), "the driver does without");
	device.driver = &plain;
	assert_string_equal(virtio_refusal_reason(&device, 1), "the driver does without");
	device.driver = &eloquent;
	assert_string_equal(virtio_refusal_reason(&device, 1), "it has no figures");
	assert_string_equal(virtio_refusal_reason(&device, 0), "not implemented");
	assert_string_equal(virtio_refusal_reason(&device, 6), "unknown bit");
}

#define CASE(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_a_type_come_with_its_driver), /* first: none is there */
		CASE(feature_names_are_parsed),
		CASE(unknown_feature_names_are_refused_as_a_whole),
		CASE(features_have_names_by_type),
		CASE(what_a_driver_declines_has_its_reason),
	};

	return cmocka_run_group_tests_name("virtio_feature_names", tests, NULL, NULL);
}
