/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding ACPI tables, sound and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "drivers/acpi/acpi.h"
#include "tests/sim/sim_acpi.h"
#include "tests/sim/sim_log.h"

#define RSDP 0xf5a00
#define ROOT 0x7ffe0000
#define MCFG 0x7ffe1000
#define OTHER 0x7ffe2000

static int setup(void **state)
{
	(void)state;
	sim_acpi_reset();
	sim_log_reset();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sim_acpi_reset();
	return 0;
}

static uint8_t *add_mcfg(uint64_t base, uint16_t segment, uint8_t first, uint8_t last)
{
	uint8_t body[24] = { 0 };

	memcpy(body + 8, &base, 8);
	memcpy(body + 16, &segment, 2);
	body[18] = first;
	body[19] = last;
	return sim_acpi_add_table(MCFG, "MCFG", body, sizeof(body));
}

/* RSDP revision 0, an RSDT with MCFG and another table. */
static void add_machine(void)
{
	static const uint32_t tables[] = { OTHER, MCFG };

	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 2);
	sim_acpi_add_table(OTHER, "HPET", "abcd", 4);
	add_mcfg(0xb0000000, 0, 0, 255);
}

static void assert_ecam(uint64_t expected_base, uint8_t expected_last)
{
	paddr_t base = 0;
	uint8_t last = 0;

	assert_int_equal(acpi_find_ecam(&base, &last), 0);
	assert_int_equal(base, expected_base);
	assert_int_equal(last, expected_last);
}

static void assert_no_ecam(void)
{
	paddr_t base;
	uint8_t last;

	assert_int_equal(acpi_find_ecam(&base, &last), -ENOENT);
}

/* ---- The RSDP ---- */

static void tables_of_an_rsdt_are_found(void **state)
{
	(void)state;
	add_machine();
	assert_int_equal(acpi_init(RSDP), 0);
	assert_int_equal(acpi_find("HPET")->length, 40);
	assert_null(acpi_find("FACP"));
	assert_ecam(0xb0000000, 255);
	assert_int_equal(sim_log_warnings, 0);
}

static void tables_of_an_xsdt_are_found_above_4_gib_too(void **state)
{
	static const uint64_t tables[] = { UINT64_C(0x123456000), MCFG };

	(void)state;
	sim_acpi_add_rsdp(RSDP, 2, 0, UINT64_C(0x123450000));
	sim_acpi_add_xsdt(UINT64_C(0x123450000), tables, 2);
	sim_acpi_add_table(UINT64_C(0x123456000), "HPET", NULL, 0);
	add_mcfg(0xe0000000, 0, 0, 63);
	assert_int_equal(acpi_init(RSDP), 0);
	assert_non_null(acpi_find("HPET"));
	assert_ecam(0xe0000000, 63);
}

static void without_an_address_the_bios_area_is_searched(void **state)
{
	static uint8_t area[0x20000];

	(void)state;
	add_machine();
	memcpy(area + 0x100, "RSD PTR but not really one", 26);
	memset(area + 0x15a00, 0, 20);
	sim_acpi_add(0xe0000, area, 0x15a00);
	sim_acpi_add(RSDP + 20, area, 0x100000 - RSDP - 20);
	assert_int_equal(acpi_init(0), 0);
	assert_ecam(0xb0000000, 255);
}

static void the_last_place_of_the_bios_area_is_searched_too(void **state)
{
	static const uint8_t zeros[0x1ffe0];
	static const uint32_t tables[] = { MCFG };

	(void)state;
	sim_acpi_add(0xe0000, zeros, sizeof(zeros));
	sim_acpi_add_rsdp(0xfffe0, 0, ROOT, 0);
	sim_acpi_add(0xffff4, zeros, 12);
	sim_acpi_add_rsdt(ROOT, tables, 1);
	add_mcfg(0xb0000000, 0, 0, 255);
	assert_int_equal(acpi_init(0), 0);
}

static void the_ebda_is_searched_first(void **state)
{
	static const uint8_t zeros[0x3e0];
	static const uint32_t tables[] = { MCFG };

	(void)state;
	sim_acpi_add_rsdp(0x9fc00, 0, ROOT, 0);
	sim_acpi_add(0x9fc14, zeros, sizeof(zeros));
	sim_acpi_add_rsdt(ROOT, tables, 1);
	add_mcfg(0xb0000000, 0, 0, 255);
	assert_int_equal(acpi_init(0), 0);
}

/* All eight bytes of its address count; then the other root does. */
static void an_xsdt_at_an_absurd_address_leaves_the_rsdt(void **state)
{
	static const uint64_t absurd[] = { MCFG };
	static const uint32_t tables[] = { OTHER };

	(void)state;
	sim_acpi_add_rsdp(RSDP, 2, ROOT, UINT64_C(1) << 56 | UINT64_C(0x123450000));
	sim_acpi_add_xsdt(UINT64_C(0x123450000), absurd, 1);
	sim_acpi_add_rsdt(ROOT, tables, 1);
	sim_acpi_add_table(OTHER, "HPET", NULL, 0);
	add_mcfg(0xb0000000, 0, 0, 255);
	assert_int_equal(acpi_init(RSDP), 0);
	assert_non_null(acpi_find("HPET"));
	assert_null(acpi_find("MCFG"));
}

static void a_machine_without_acpi_is_no_fault(void **state)
{
	(void)state;
	assert_int_equal(acpi_init(0), -ENOENT);
	assert_int_equal(sim_log_warnings, 0);
	assert_null(acpi_find("MCFG"));
	assert_no_ecam();
	acpi_power_off();
	acpi_reset();
	assert_int_equal(sim_acpi_write_count, 0);
}

static void an_rsdp_with_a_bad_checksum_is_none(void **state)
{
	uint8_t *rsdp;

	(void)state;
	rsdp = sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	rsdp[9] ^= 1;
	assert_int_equal(acpi_init(RSDP), -ENOENT);
	rsdp[9] ^= 1;
	rsdp[0] = 'r';
	sim_acpi_fix_checksum(rsdp, 20, 8);
	assert_int_equal(acpi_init(RSDP), -ENOENT);
}

static void an_address_that_cannot_be_reached_is_no_rsdp(void **state)
{
	(void)state;
	assert_int_equal(acpi_init(0x12345000), -ENOENT);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning, "acpi: there is no RSDP at 0x12345000");
	assert_int_equal(acpi_init(UINT64_C(1) << 46), -ENOENT);
	assert_int_equal(acpi_init(UINT64_MAX), -ENOENT);
}

static void a_damaged_second_part_leaves_the_rsdt(void **state)
{
	static const uint32_t tables[] = { MCFG };
	uint8_t *rsdp;

	(void)state;
	rsdp = sim_acpi_add_rsdp(RSDP, 2, ROOT, UINT64_C(0x12345000));
	sim_acpi_add_rsdt(ROOT, tables, 1);
	add_mcfg(0xb0000000, 0, 0, 255);
	rsdp[33]++;
	assert_int_equal(acpi_init(RSDP), 0);
	assert_ecam(0xb0000000, 255);
	assert_int_equal(sim_log_warnings, 1);
	/* A length that would lead anywhere. */
	memset(rsdp + 20, 0xff, 4);
	assert_int_equal(acpi_init(RSDP), 0);
	memset(rsdp + 20, 0, 4);
	assert_int_equal(acpi_init(RSDP), 0);
}

/* A machine whose XSDT has an HPET, and whose RSDT an MCFG; returns its RSDP. */
static uint8_t *add_two_roots(size_t length)
{
	static const uint64_t above[] = { OTHER };
	static const uint32_t below[] = { MCFG };
	static uint8_t longer[4100];
	uint8_t *rsdp;

	rsdp = sim_acpi_add_rsdp(RSDP, 2, ROOT, UINT64_C(0x123450008));
	memcpy(longer, rsdp, 36);
	setup(NULL);
	rsdp = sim_acpi_add(RSDP, longer, sizeof(longer));
	memcpy(rsdp + 20, &length, 4);
	sim_acpi_add_xsdt(UINT64_C(0x123450008), above, 1);
	sim_acpi_add_rsdt(ROOT, below, 1);
	sim_acpi_add_table(OTHER, "HPET", NULL, 0);
	add_mcfg(0xb0000000, 0, 0, 255);
	return rsdp;
}

static bool uses_xsdt(void)
{
	assert_int_equal(acpi_init(RSDP), 0);
	assert_int_equal(!acpi_find("HPET"), !!acpi_find("MCFG"));
	return acpi_find("HPET");
}

static void a_second_part_is_as_long_as_it_says(void **state)
{
	uint8_t *rsdp;

	(void)state;
	for (size_t length = 34; length < 64; length++) {
		rsdp = add_two_roots(length);
		sim_acpi_fix_checksum(rsdp, length, 32);
		assert_int_equal(uses_xsdt(), length >= 36);
	}
	rsdp = add_two_roots(4096);
	sim_acpi_fix_checksum(rsdp, 4096, 32);
	assert_true(uses_xsdt());
	rsdp = add_two_roots(4097);
	sim_acpi_fix_checksum(rsdp, 4097, 32);
	assert_false(uses_xsdt());
	/* Its sum counts. */
	rsdp = add_two_roots(36);
	sim_acpi_fix_checksum(rsdp, 36, 32);
	rsdp[33] ^= 1;
	assert_false(uses_xsdt());
	/* All four bytes of the length count. */
	rsdp = add_two_roots(0x01000024);
	sim_acpi_fix_checksum(rsdp, 36, 32);
	assert_false(uses_xsdt());
}

static void the_first_revision_has_no_second_part(void **state)
{
	uint8_t *rsdp = add_two_roots(36);

	(void)state;
	rsdp[15] = 1;
	sim_acpi_fix_checksum(rsdp, 20, 8);
	sim_acpi_fix_checksum(rsdp, 36, 32);
	assert_false(uses_xsdt());
}

static void behind_the_bios_area_nothing_is_searched(void **state)
{
	static const uint32_t tables[] = { MCFG };

	(void)state;
	sim_acpi_add_rsdp(0x100000, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 1);
	add_mcfg(0xb0000000, 0, 0, 255);
	assert_int_equal(acpi_init(0), -ENOENT);
}

/* The end of what can be addressed, and its beginning. */
static void a_table_lies_within_memory(void **state)
{
	const uint64_t end = UINT64_C(1) << 46;
	const uint64_t good[] = { end - 36 }, beyond[] = { end - 36, 0, MCFG };
	uint8_t body[64] = { 0 };

	(void)state;
	sim_acpi_add_rsdp(RSDP, 2, 0, UINT64_C(0x123450000));
	sim_acpi_add_xsdt(UINT64_C(0x123450000), good, 1);
	sim_acpi_add_table(end - 36, "HPET", NULL, 0);
	assert_int_equal(acpi_init(RSDP), 0);
	assert_non_null(acpi_find("HPET"));
	setup(NULL);
	sim_acpi_add_rsdp(RSDP, 2, 0, UINT64_C(0x123450000));
	sim_acpi_add_xsdt(UINT64_C(0x123450000), beyond, 3);
	sim_acpi_add_table(end - 36, "HPET", body, sizeof(body));
	sim_acpi_add_table(0, "HPET", NULL, 0);
	add_mcfg(0xb0000000, 0, 0, 255);
	assert_int_equal(acpi_init(RSDP), 0);
	assert_null(acpi_find("HPET"));
	assert_non_null(acpi_find("MCFG"));
}

static void an_xsdt_that_is_damaged_leaves_the_rsdt(void **state)
{
	static const uint32_t tables[] = { MCFG };
	static const uint64_t wrong[] = { OTHER };

	(void)state;
	sim_acpi_add_rsdp(RSDP, 2, ROOT, 0x7ffd0000);
	sim_acpi_add_rsdt(ROOT, tables, 1);
	sim_acpi_add_xsdt(0x7ffd0000, wrong, 1)[36]++;
	add_mcfg(0xb0000000, 0, 0, 255);
	assert_int_equal(acpi_init(RSDP), 0);
	assert_ecam(0xb0000000, 255);
}

/* ---- Tables ---- */

static void a_root_with_another_signature_is_none(void **state)
{
	(void)state;
	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_table(ROOT, "XSDT", NULL, 0);
	assert_int_equal(acpi_init(RSDP), -ENOENT);
}

static void tables_at_absurd_addresses_are_passed_over(void **state)
{
	static const uint64_t tables[] = {
		0, UINT64_MAX, UINT64_C(1) << 46, (UINT64_C(1) << 46) - 8, 0x10000000, MCFG
	};

	(void)state;
	sim_acpi_add_rsdp(RSDP, 2, 0, ROOT);
	sim_acpi_add_xsdt(ROOT, tables, 6);
	add_mcfg(0xb0000000, 0, 0, 255);
	assert_int_equal(acpi_init(RSDP), 0);
	assert_ecam(0xb0000000, 255);
	assert_int_equal(sim_log_warnings, 5);
}

static void a_table_of_an_impossible_length_is_absent(void **state)
{
	static const uint32_t lengths[] = { 0, 35, 0x100001, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		static const uint32_t tables[] = { MCFG };
		uint8_t *mcfg;

		setup(NULL);
		sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
		sim_acpi_add_rsdt(ROOT, tables, 1);
		mcfg = add_mcfg(0xb0000000, 0, 0, 255);
		memcpy(mcfg + 4, &lengths[i], 4);
		sim_acpi_fix_checksum(mcfg, 60, 9);
		assert_int_equal(acpi_init(RSDP), 0);
		assert_null(acpi_find("MCFG"));
		assert_int_equal(sim_log_warnings, 1);
	}
}

/* All its bytes are there, and add up. */
static void a_table_beyond_1_mib_is_absent(void **state)
{
	static const uint32_t tables[] = { MCFG };
	static uint8_t body[MIB + 1 - 36];

	(void)state;
	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 1);
	sim_acpi_add_table(MCFG, "MCFG", body, sizeof(body));
	assert_int_equal(acpi_init(RSDP), 0);
	assert_null(acpi_find("MCFG"));
}

static void an_rsdp_beyond_reason_has_no_second_part(void **state)
{
	static const uint64_t tables[] = { OTHER };
	static uint8_t data[8192];
	uint8_t *rsdp = sim_acpi_add_rsdp(0x1000, 2, 0, ROOT);
	uint32_t length = sizeof(data);

	(void)state;
	memcpy(data, rsdp, 36);
	memcpy(data + 20, &length, 4);
	sim_acpi_fix_checksum(data, 20, 8);
	sim_acpi_fix_checksum(data, length, 32);
	sim_acpi_add(0x10000, data, length);
	sim_acpi_add_xsdt(ROOT, tables, 1);
	sim_acpi_add_table(OTHER, "HPET", NULL, 0);
	assert_int_equal(acpi_init(0x1000), 0);
	assert_int_equal(acpi_init(0x10000), -ENOENT);
}

static void a_table_that_runs_into_nothing_is_absent(void **state)
{
	static const uint32_t tables[] = { MCFG };
	uint32_t length = 8192;

	(void)state;
	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 1);
	memcpy(add_mcfg(0xb0000000, 0, 0, 255) + 4, &length, 4);
	assert_int_equal(acpi_init(RSDP), 0);
	assert_null(acpi_find("MCFG"));
}

static void a_root_that_ends_within_an_entry_is_read_up_to_there(void **state)
{
	static const uint8_t body[] = { 0, 0x20, 0xfe, 0x7f, 0, 0x10 };

	(void)state;
	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_table(ROOT, "RSDT", body, sizeof(body));
	sim_acpi_add_table(OTHER, "HPET", NULL, 0);
	assert_int_equal(acpi_init(RSDP), 0);
	assert_non_null(acpi_find("HPET"));
	assert_int_equal(sim_log_warnings, 0);
}

static void more_tables_than_64_are_passed_over(void **state)
{
	uint32_t tables[70];

	(void)state;
	for (size_t i = 0; i < 70; i++)
		tables[i] = OTHER;
	tables[64] = MCFG;
	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 70);
	sim_acpi_add_table(OTHER, "HPET", NULL, 0);
	add_mcfg(0xb0000000, 0, 0, 255);
	assert_int_equal(acpi_init(RSDP), 0);
	assert_null(acpi_find("MCFG"));
	assert_int_equal(sim_log_warnings, 1);
	setup(NULL);
	tables[63] = MCFG;
	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 64);
	sim_acpi_add_table(OTHER, "HPET", NULL, 0);
	add_mcfg(0xb0000000, 0, 0, 255);
	assert_int_equal(acpi_init(RSDP), 0);
	assert_non_null(acpi_find("MCFG"));
	assert_int_equal(sim_log_warnings, 0);
}

static void what_was_found_before_is_forgotten(void **state)
{
	(void)state;
	add_machine();
	assert_int_equal(acpi_init(RSDP), 0);
	assert_int_equal(acpi_init(0x12345000), -ENOENT);
	assert_int_equal(sim_log_warnings, 1);
	assert_string_equal(sim_log_warning, "acpi: there is no RSDP at 0x12345000");
	assert_null(acpi_find("MCFG"));
}

/* ---- MCFG ---- */

static void an_mcfg_with_a_bad_checksum_is_absent(void **state)
{
	static const uint32_t tables[] = { MCFG };

	(void)state;
	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 1);
	add_mcfg(0xb0000000, 0, 0, 255)[50] ^= 4;
	assert_int_equal(acpi_init(RSDP), 0);
	assert_null(acpi_find("MCFG"));
	assert_no_ecam();
	assert_int_equal(sim_log_warnings, 1);
}

static void ecam(const uint8_t *body, size_t size)
{
	static const uint32_t tables[] = { MCFG };

	setup(NULL);
	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 1);
	sim_acpi_add_table(MCFG, "MCFG", body, size);
	assert_int_equal(acpi_init(RSDP), 0);
}

static void only_segment_0_from_bus_0_is_taken(void **state)
{
	static const uint8_t body[] = {
		0, 0, 0, 0,    0, 0, 0, 0,    0, 0, 0, 0xa0, 0, 0, 0, 0,
		1, 0, 0, 255,  0, 0, 0, 0,				 /* segment 1 */
		0, 0, 0, 0xa0, 0, 0, 0, 0,    0, 0, 8, 255,  0, 0, 0, 0, /* from bus 8 */
		0, 0, 0, 0,    0, 0, 0, 0,    0, 0, 0, 255,  0, 0, 0, 0, /* nowhere */
		0, 0, 1, 0xa0, 0, 0, 0, 0,    0, 0, 0, 255,  0, 0, 0, 0, /* not aligned */
		0, 0, 0, 0xa0, 0, 0, 0, 0x80, 0, 0, 0, 255,  0, 0, 0, 0, /* absurd */
		0, 0, 0, 0xb0, 0, 0, 0, 0,    0, 0, 0, 15,   0, 0, 0, 0,
	};

	(void)state;
	ecam(body, sizeof(body));
	assert_ecam(0xb0000000, 15);
	ecam(body, sizeof(body) - 16);
	assert_no_ecam();
}

/* All bits of a segment's number count, and the end of what can be addressed is no place. */
static void an_entry_for_another_segment_or_beyond_memory_is_none(void **state)
{
	const struct {
		uint64_t base;
		uint16_t segment;
	} bad[] = { { 0xb0000000, 0x0100 }, { UINT64_C(1) << 46, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t body[24] = { 0 };

		memcpy(body + 8, &bad[i].base, 8);
		memcpy(body + 16, &bad[i].segment, 2);
		ecam(body, sizeof(body));
		assert_no_ecam();
	}
}

static void a_truncated_entry_is_none(void **state)
{
	static const uint8_t body[] = {
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 0, 0, 15, 0, 0, 0, 0,
	};

	(void)state;
	for (size_t size = 0; size < sizeof(body); size++) {
		ecam(body, size);
		assert_no_ecam();
	}
	ecam(body, sizeof(body));
	assert_ecam(0xb0000000, 15);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* ---- Timers ---- */

#define FADT_BODY 208 /* a whole one's, after the header */

/* A FADT of `size` bytes after the header that names a timer. */
static void add_fadt(uint32_t port, uint8_t port_size, uint32_t flags, size_t size)
{
	static const uint32_t tables[] = { OTHER };
	uint8_t body[FADT_BODY] = { 0 };

	memcpy(body + 76 - 36, &port, 4);
	body[91 - 36] = port_size;
	memcpy(body + 112 - 36, &flags, 4);
	sim_acpi_reset();
	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 1);
	sim_acpi_add_table(OTHER, "FACP", body, size);
	assert_int_equal(acpi_init(RSDP), 0);
}

static void the_pm_timers_port_and_width_are_found(void **state)
{
	unsigned bits = 0;
	uint16_t port = 0;

	(void)state;
	add_fadt(0x608, 4, 0, FADT_BODY);
	assert_int_equal(acpi_find_pm_timer(&port, &bits), 0);
	assert_int_equal(port, 0x608);
	assert_int_equal(bits, 24);
	add_fadt(0xb008, 4, 1u << 8, FADT_BODY);
	assert_int_equal(acpi_find_pm_timer(&port, &bits), 0);
	assert_int_equal(port, 0xb008);
	assert_int_equal(bits, 32);
	add_fadt(0xffff, 4, 0, FADT_BODY);
	assert_int_equal(acpi_find_pm_timer(&port, &bits), 0);
	assert_int_equal(port, 0xffff);
}

static void a_machine_without_a_pm_timer_has_none(void **state)
{
	unsigned bits;
	uint16_t port;

	(void)state;
	add_fadt(0, 4, 0, FADT_BODY);
	assert_int_equal(acpi_find_pm_timer(&port, &bits), -ENOENT);
	add_fadt(0x10000, 4, 0, FADT_BODY);
	assert_int_equal(acpi_find_pm_timer(&port, &bits), -ENOENT);
	add_fadt(0x608, 0, 0, FADT_BODY);
	assert_int_equal(acpi_find_pm_timer(&port, &bits), -ENOENT);
	/* Hardware-reduced: its fields mean nothing. */
	add_fadt(0x608, 4, 1u << 20, FADT_BODY);
	assert_int_equal(acpi_find_pm_timer(&port, &bits), -ENOENT);
	/* The table ends before the field. */
	add_fadt(0x608, 4, 0, 76 - 36 + 2);
	assert_int_equal(acpi_find_pm_timer(&port, &bits), -ENOENT);
	sim_acpi_reset();
	assert_int_equal(acpi_init(0), -ENOENT);
	assert_int_equal(acpi_find_pm_timer(&port, &bits), -ENOENT);
}

static int find_hpet(uint8_t space, uint64_t address, size_t size, paddr_t *found)
{
	static const uint32_t tables[] = { OTHER };
	uint8_t body[20] = { 0 };

	body[40 - 36] = space;
	memcpy(body + 44 - 36, &address, 8);
	sim_acpi_reset();
	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 1);
	sim_acpi_add_table(OTHER, "HPET", body, size);
	assert_int_equal(acpi_init(RSDP), 0);
	return acpi_find_hpet(found);
}

static void the_hpets_registers_are_found_in_memory_only(void **state)
{
	paddr_t found = 0;

	(void)state;
	assert_int_equal(find_hpet(0, 0xfed00000, 20, &found), 0);
	assert_int_equal(found, 0xfed00000);
	assert_int_equal(find_hpet(1, 0xfed00000, 20, &found), -ENOENT);
	assert_int_equal(find_hpet(0, 0, 20, &found), -ENOENT);
	assert_int_equal(find_hpet(0, UINT64_MAX, 20, &found), -ENOENT);
	assert_int_equal(find_hpet(0, UINT64_C(1) << 46, 20, &found), -ENOENT);
	assert_int_equal(find_hpet(0, 0xfed00000, 12, &found), -ENOENT);
	sim_acpi_reset();
	assert_int_equal(acpi_init(0), -ENOENT);
	assert_int_equal(acpi_find_hpet(&found), -ENOENT);
}

/* ---- SRAT ---- */

#define SRAT_MEMORY 40 /* bytes */

struct range {
	uint8_t type, length;
	uint64_t start, size;
	uint32_t flags;
};

static size_t write_range(uint8_t *at, const struct range *range)
{
	memset(at, 0, SRAT_MEMORY);
	at[0] = range->type;
	at[1] = range->length;
	memcpy(at + 8, &range->start, 8);
	memcpy(at + 16, &range->size, 8);
	memcpy(at + 28, &range->flags, 4);
	return range->length;
}

/* An SRAT of these entries, of which the last `cut` bytes are missing. */
static void add_srat(const struct range *ranges, size_t count, size_t cut)
{
	static const uint32_t tables[] = { OTHER };
	uint8_t body[12 + 256 + SRAT_MEMORY] = { 0 };
	size_t size = 12;

	for (size_t i = 0; i < count; i++)
		size += write_range(body + size, &ranges[i]);
	sim_acpi_reset();
	sim_acpi_add_rsdp(RSDP, 0, ROOT, 0);
	sim_acpi_add_rsdt(ROOT, tables, 1);
	sim_acpi_add_table(OTHER, "SRAT", body, size - cut);
	assert_int_equal(acpi_init(RSDP), 0);
}

static void assert_hotplug_range(size_t n, paddr_t start, uint64_t size)
{
	paddr_t found_start = 0;
	uint64_t found_size = 0;

	assert_int_equal(acpi_find_hotplug_range(n, &found_start, &found_size), 0);
	assert_true(found_start == start);
	assert_true(found_size == size);
}

static void assert_no_hotplug_range(size_t n)
{
	paddr_t start = 1;
	uint64_t size = 2;

	assert_int_equal(acpi_find_hotplug_range(n, &start, &size), -ENOENT);
	assert_true(start == 1 && size == 2);
}

static void ranges_for_memory_that_comes_are_found(void **state)
{
	static const struct range ranges[] = {
		{ 0, 16, 0, 0, 3 }, /* a processor's */
		{ 1, 40, 0, 640 * KIB, 1 }, { 1, 40, 4 * GIB, 3 * GIB, 3 },
		{ 2, 24, 0, 0, 3 },	    { 1, 40, 64 * GIB, 1, 7 }, /* non-volatile, too */
	};

	(void)state;
	add_srat(ranges, ARRAY_SIZE(ranges), 0);
	assert_hotplug_range(0, 4 * GIB, 3 * GIB);
	assert_hotplug_range(1, 64 * GIB, 1);
	assert_no_hotplug_range(2);
	assert_no_hotplug_range(SIZE_MAX);
}

static void assert_no_range_in(struct range range)
{
	add_srat(&range, 1, 0);
	assert_no_hotplug_range(0);
}

static void a_range_where_nothing_comes_is_none(void **state)
{
	(void)state;
	assert_no_range_in((struct range){ 1, 40, 4 * GIB, GIB, 1 });
	assert_no_range_in((struct range){ 1, 40, 4 * GIB, GIB, 2 });
	assert_no_range_in((struct range){ 1, 40, 4 * GIB, 0, 3 });
	assert_no_range_in((struct range){ 1, 40, GIB, UINT64_MAX, 3 });
	assert_no_range_in((struct range){ 1, 40, UINT64_MAX, 1, 3 });
	assert_no_range_in((struct range){ 1, 39, 4 * GIB, GIB, 3 });
	assert_no_range_in((struct range){ 3, 40, 4 * GIB, GIB, 3 });
	/* The last addresses there are. */
	add_srat(&(struct range){ 1, 40, UINT64_MAX - 1, 1, 3 }, 1, 0);
	assert_hotplug_range(0, UINT64_MAX - 1, 1);
}

static void entries_that_lie_about_their_length_end_the_table(void **state)
{
	static const struct range good = { 1, 40, 4 * GIB, GIB, 3 };
	struct range ranges[] = { { 0, 16, 0, 0, 0 }, good };

	(void)state;
	add_srat(ranges, 2, 0);
	assert_hotplug_range(0, 4 * GIB, GIB);
	add_srat(ranges, 2, 1);
	assert_no_hotplug_range(0);
	/* It ends within the first two bytes of an entry. */
	add_srat(ranges, 2, 39);
	assert_no_hotplug_range(0);
	ranges[0].length = 0;
	add_srat(ranges, 1, 0);
	assert_no_hotplug_range(0);
	ranges[0].length = 1;
	add_srat(ranges, 2, 0);
	assert_no_hotplug_range(0);
	ranges[0].length = 255;
	add_srat(ranges, 1, 200);
	assert_no_hotplug_range(0);
	/* A table of a header alone, and none. */
	add_srat(NULL, 0, 12);
	assert_no_hotplug_range(0);
	sim_acpi_reset();
	assert_int_equal(acpi_init(0), -ENOENT);
	assert_no_hotplug_range(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tables_of_an_rsdt_are_found),
		TEST(tables_of_an_xsdt_are_found_above_4_gib_too),
		TEST(without_an_address_the_bios_area_is_searched),
		TEST(the_last_place_of_the_bios_area_is_searched_too),
		TEST(the_ebda_is_searched_first),
		TEST(an_xsdt_at_an_absurd_address_leaves_the_rsdt),
		TEST(a_machine_without_acpi_is_no_fault),
		TEST(an_rsdp_with_a_bad_checksum_is_none),
		TEST(an_address_that_cannot_be_reached_is_no_rsdp),
		TEST(a_damaged_second_part_leaves_the_rsdt),
		TEST(a_second_part_is_as_long_as_it_says),
		TEST(the_first_revision_has_no_second_part),
		TEST(behind_the_bios_area_nothing_is_searched),
		TEST(a_table_lies_within_memory),
		TEST(an_xsdt_that_is_damaged_leaves_the_rsdt),
		TEST(a_root_with_another_signature_is_none),
		TEST(tables_at_absurd_addresses_are_passed_over),
		TEST(a_table_of_an_impossible_length_is_absent),
		TEST(a_table_beyond_1_mib_is_absent),
		TEST(an_rsdp_beyond_reason_has_no_second_part),
		TEST(a_table_that_runs_into_nothing_is_absent),
		TEST(a_root_that_ends_within_an_entry_is_read_up_to_there),
		TEST(more_tables_than_64_are_passed_over),
		TEST(what_was_found_before_is_forgotten),
		TEST(an_mcfg_with_a_bad_checksum_is_absent),
		TEST(only_segment_0_from_bus_0_is_taken),
		TEST(an_entry_for_another_segment_or_beyond_memory_is_none),
		TEST(a_truncated_entry_is_none),
		TEST(the_pm_timers_port_and_width_are_found),
		TEST(a_machine_without_a_pm_timer_has_none),
		TEST(the_hpets_registers_are_found_in_memory_only),
		TEST(ranges_for_memory_that_comes_are_found),
		TEST(a_range_where_nothing_comes_is_none),
		TEST(entries_that_lie_about_their_length_end_the_table),
	};

	return cmocka_run_group_tests_name("acpi", tests, NULL, NULL);
}
