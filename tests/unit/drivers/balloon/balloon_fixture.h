/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The balloon driver on a simulated device, with the real allocator on 64 MiB of
 * RAM: what the tests of the driver share. When a test ends, the books must be
 * right, and the driver must have broken none of the rules that the device
 * watches.
 */
#ifndef TESTS_UNIT_DRIVERS_BALLOON_BALLOON_FIXTURE_H
#define TESTS_UNIT_DRIVERS_BALLOON_BALLOON_FIXTURE_H

#include "drivers/balloon/balloon.h"
#include "drivers/balloon/balloon_port.h"
#include "drivers/balloon/balloon_stats.h"
#include "drivers/balloon/port/virtio_balloon.h"
#include "drivers/virtio/virtio.h"
#include "mm/frame.h"
#include "mm/ledger.h"
#include "tests/sim/sim_balloon.h"
#include "tests/sim/sim_log.h"
#include "tests/sim/sim_ram.h"
#include "tests/sim/sim_time.h"

#define RAM_START SIM_RAM_START
#define RAM_FRAMES SIM_RAM_FRAMES
#define NO_FLOOR 0

#define STATS_VQ VIRTIO_BIT(VIRTIO_BALLOON_F_STATS_VQ)
#define DEFLATE_ON_OOM VIRTIO_BIT(VIRTIO_BALLOON_F_DEFLATE_ON_OOM)
#define HINT VIRTIO_BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT)
#define PAGE_POISON VIRTIO_BIT(VIRTIO_BALLOON_F_PAGE_POISON)
#define REPORTING VIRTIO_BIT(VIRTIO_BALLOON_F_REPORTING)

/* An id of a round of hinting, as QEMU has them. */
#define ROUND 0x80000001u

extern struct sim_balloon sim;

/* So many entries a buffer of statistics has at most. */
#define WIRE_STATS_MAX 32

/* An entry of a statistics buffer (5.5.6.3), in this machine's own endianness. */
struct wire_stat {
	uint16_t tag;
	uint64_t value;
} __attribute__((packed));

/* Reserves the simulated RAM, once per program. Returns 0, or -1. */
int set_up_ram(void **state);

/* Before each test: 64 MiB, no device. Returns 0. */
int set_up(void **state);

/* The RAM, and this many frames at a place where there is nothing: touching them is fatal. */
void set_up_beside(pfn_t start, uint64_t frames);

/* After each test: the books are right, and the device has seen no rule broken. Returns 0. */
int tear_down(void **state);

/* Every owner's count is what the map says, and no change of owner was refused. */
void assert_books(void);

/* The device is there; the driver does not know it yet. */
void plug_in(bool legacy, uint64_t features);

/* The driver starts, with these settings or just a floor. Returns virtio_balloon_start()'s. */
int begin_with(const struct balloon_config *config);
int begin(uint64_t floor);

/* The driver lets the device go, which stays plugged in. */
void end_driver(void);

/* Both, for a modern device that offers VERSION_1 and these. */
void start(uint64_t features, uint64_t floor);

/* Rounds until there is nothing to do at once. */
void settle(void);

/* Rounds until the device has answered everything, and nothing is to do. */
void drain(void);

/* The host wants so many frames, or begins a round of hinting; and rounds. */
void go_to(uint64_t target);
void hint_round(uint32_t id);

/* Long enough for free blocks to be reported. */
void be_quiet(void);

/* All free frames are held. */
void exhaust(void);

/* How the balloon stands. */
uint64_t ballooned(void);
struct balloon_status status(void);

/* Guest, device and the number told to the host are the same. */
void assert_balloon(uint64_t frames);

/* A statistic that the device finds in the buffer now; the driver fills the next one then. */
uint64_t ask(uint16_t tag);

/*
 * Starts with a device that writes into all that it has, as soon as it gets it and as
 * the last thing before it lets go; with frames filled with POISON, or not.
 */
void start_scribbling(uint64_t features, bool poison);

/* The program ends, and says so: run in a child of this one. */
void assert_panics(void (*what)(void), const char *text);

#define POISON 0xa5

extern uint64_t scribbled; /* frames */

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
