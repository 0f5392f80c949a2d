/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * harness.c: shared by the integration tests. A test boots the real image in the
 * way it describes, asks guest and QMP, and compares their numbers. Every function
 * here fails the running cmocka test when something is not as it must be; guests
 * that a failed test did not stop are stopped by harness_teardown().
 */
#ifndef TESTS_INTEGRATION_HARNESS_H
#define TESTS_INTEGRATION_HARNESS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "tools/qmp.h"
#include "tools/vm.h"

struct json_object;

#define KIB 1024ull
#define MIB (1024ull * KIB)
#define GIB (1024ull * MIB)
#define FRAME 4096ull
#define MAX_GUESTS 2 /* at a time: the machine has two cores */

/*
 * How to start a guest. Words as tools/run.sh has them, NULL for its
 * default; that script makes QEMU's command line for us as well.
 */
struct guest_options {
	const char *machine;  /* "pc", "q35", "microvm" */
	const char *mem;      /* default here: "256M" */
	const char *grow;     /* what virtio-mem may bring; slots come with it */
	const char *firmware; /* "qboot", "uefi" */
	const char *append;
	const char *balloon;	 /* properties, or "none" */
	const char *extra;	 /* split at blanks */
	const char *memory_file; /* shared memory backend, made anew */
	const char *hypervisor;	 /* "plain": inside the hypervisor for tests */
};

/* The figures of `show_mem -j`, all in bytes, and the RAM that QMP gives. */
struct memory {
	uint64_t ram, total, free, available;
	uint64_t inflated_total, inflated_free;
	bool has_removable; /* there is memory that may leave */
	uint64_t removable;
	bool has_balloon;
	uint64_t target, actual, shortfall, floor;
	uint64_t owned; /* sum over the owners */
	uint64_t owned_by_balloon, unplugged, held;
	bool ledger_ok;
};

/*
 * The hypervisor in which all guests of this run are started that do not say otherwise
 * (INSIDE= in the environment); NULL: none. What cannot run there is skipped when it
 * would start a guest, with the reason.
 */
const char *harness_inside(void);

/* Starts a guest that need not have run yet (with -S). */
struct vm *harness_start(const struct guest_options *guest);

/* Starts a guest and waits for its prompt. */
struct vm *harness_boot(const struct guest_options *guest);

/* Waits for the prompt; *text, if asked for, is the caller's by free(). */
void harness_wait_prompt(struct vm *vm, char **text);

/* Stops a guest that has done its part. */
void harness_stop(struct vm *vm);

/*
 * Counted by the teardown, of all groups, whose processes share it: a pattern that
 * chooses no test is a mistake.
 */
extern _Atomic unsigned *harness_tests_run;

/* The group that this process runs: its logs have its name. */
extern const char *harness_group;

/* cmocka setup: notes the test's name, which is in *state. Returns 0. */
int harness_setup(void **state);

/* cmocka teardown: stops the guests that a failed test did not stop. Returns 0. */
int harness_teardown(void **state);

/* Types a line; the answer is the caller's by free(). */
char *harness_command(struct vm *vm, const char *line);

/*
 * Types a line; gives the line of JSON in its answer, an object, the caller's by
 * json_object_put().
 */
struct json_object *harness_json(struct vm *vm, const char *line);

/* Gives a number that must be in an object, and not be negative. */
uint64_t harness_number(struct json_object *object, const char *name);

/* Types a line; its answer must contain `text`. */
void harness_command_says(struct vm *vm, const char *line, const char *text);

/* Types a line again and again until its answer contains `text`, or, if not `wanted`, does not. */
void harness_wait_says(struct vm *vm, const char *line, const char *text, bool wanted);

/* Runs a command of QEMU's monitor, which says something only if it fails. */
void harness_monitor(struct vm *vm, const char *line);

/*
 * Runs one again and again as long as its answer contains `taken`: QEMU lets go of what a device
 * had some time after the device is gone.
 */
void harness_monitor_when_free(struct vm *vm, const char *line, const char *taken);

/* Runs a command of QMP's that takes no arguments, such as "stop" and "cont". */
void harness_execute(struct vm *vm, const char *command);

/* Waits for the guest to end by itself, and QEMU with that status. */
void harness_wait_status(struct vm *vm, int status);

/* Gives the RAM that a balloon can speak of, in bytes: the guest's own, and that in DIMMs. */
uint64_t harness_ram(struct vm *vm);

/* Asks the guest and QMP for the figures. */
struct memory harness_memory(struct vm *vm);

/* Sends a target of `bytes` taken and waits until QMP says that it is reached. */
void harness_take(struct vm *vm, uint64_t bytes);

/* Sends the target and does not wait. */
void harness_set_target(struct vm *vm, uint64_t bytes_taken);

/*
 * Sends the guest from a balloon of `begin` bytes to one of `end`, and stops it
 * (QMP stop) before it has arrived. The two must be a gigabyte apart.
 */
void harness_stop_on_the_way(struct vm *vm, uint64_t begin, uint64_t end);

/*
 * Checks that guest (both forms of show_mem, and audit), QMP and ledger give the
 * same balloon of `taken` bytes, counted in the mode of DEFLATE_ON_OOM.
 */
void harness_check_taken(struct vm *vm, uint64_t taken, bool deflate_on_oom);

/* `call` is a qmp_ function, which must succeed. */
#define assert_qmp(vm, call) \
	do { \
		if ((call) != 0) \
			fail_msg("QMP: %s (%s)", qmp_error(vm_qmp(vm)), \
				 qmp_error_class(vm_qmp(vm))); \
	} while (0)

/* One entry of a group. */
#define TEST(name) \
	cmocka_unit_test_prestate_setup_teardown(name, harness_setup, harness_teardown, \
						 (void *)(uintptr_t) #name)

/* The groups: each returns the number of tests that failed. */
int block_tests(void);
int boot_tests(void);
int balloon_tests(void);
int balloonctl_tests(void);
int balloonctl_course_tests(void);
int balloonctl_hypervisor_tests(void);
int console_tests(void);
int dimm_tests(void);
int dump_tests(void);
int growth_state_tests(void);
int growth_tests(void);
int hotplug_tests(void);
int machine_tests(void);
int microvm_tests(void);
int move_tests(void);
int platform_tests(void);
int poison_tests(void);
int pressure_tests(void);
int pressure_disk_tests(void);
int pressure_situation_tests(void);
int pressure_course_tests(void);
int queues_tests(void);
int replacement_tests(void);
int run_script_memory_tests(void);
int run_script_tests(void);
int screen_tests(void);
int state_tests(void);
int hostile_tests(void);
int hyperv_tests(void);
int hypervisor_tests(void);
int hypervisor_xen_tests(void);
int vmware_tests(void);

#endif
