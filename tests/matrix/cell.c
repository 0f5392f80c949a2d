/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One cell of the matrix: boots the real image, reads what was negotiated,
 * takes a quarter of its memory and gives it back, holding the guest's numbers
 * against QMP's each time, and ends it by its own `exit`. The first thing that is
 * wrong becomes a sentence in the result.
 */
#include "tests/matrix/matrix.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tools/deadline.h"
#include "tools/qmp.h"
#include "tools/show_mem.h"
#include "tools/vm.h"
#include "tools/vm_arguments.h"

#define MEM "128M"
#define RAM (INT64_C(128) << 20)
#define FRAME INT64_C(4096)
/* One frame more than a quarter: not only whole blocks and whole buffers. */
#define TAKEN (RAM / 4 + FRAME)
#define TARGETS 2 /* one interrupt each, at least */
#define TIMEOUT_MS 20000
#define POLL_US 20000
#define MAX_ARGS 64
#define DEVICE_PATH "/machine/peripheral/balloon0"
#define EXIT_COMMAND "exit 42"
#define EXIT_STATUS ((42 << 1) | 1) /* isa-debug-exit */

struct run {
	const struct cell *cell;
	struct result *result;
	struct vm *vm;
};

/* The first complaint is the one that counts. */
__attribute__((format(printf, 2, 3))) static int wrong(struct run *run, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (run->result->why[0] == '\0')
		vsnprintf(run->result->why, sizeof(run->result->why), format, args);
	va_end(args);
	return -EPROTO;
}

/* ---- QEMU's command line: from tools/run.sh, as people have it ---- */

/* Room is for all that the table can say. */
static void add(char *text, size_t size, char separator, const char *word)
{
	size_t len = strlen(text);

	if (word)
		snprintf(text + len, size - len, "%c%s", separator, word);
}

static void set_environment(const struct cell *cell)
{
	char args[1024] = "", properties[512] = "", append[128] = "", extra[2048];

	for (int axis = 0; axis < AXES; axis++) {
		add(args, sizeof(args), ' ', cell->by[axis]->args);
		add(properties, sizeof(properties), ',', cell->by[axis]->properties);
		add(properties, sizeof(properties), ',', cell_if_known(cell, (enum axis)axis));
		add(append, sizeof(append), ' ', cell->by[axis]->append);
	}
	/* run.sh knows one type of device only. */
	snprintf(extra, sizeof(extra), "%s -device %s,id=balloon0%s", args,
		 cell->by[DEVICE]->device, properties);
	setenv("MACHINE", cell->by[PLACE]->machine, 1);
	setenv("MEM", MEM, 1);
	setenv("FIRMWARE", "default", 1);
	setenv("BALLOON", "none", 1);
	setenv("EXTRA", extra, 1);
	setenv("APPEND", append, 1);
}

static int boot(struct run *run, const char *name, const char *log_path)
{
	char *args[MAX_ARGS];
	int err = 0;

	set_environment(run->cell);
	if (vm_read_arguments(args, MAX_ARGS))
		err = wrong(run, "tools/run.sh --print fails");
	if (!err && vm_start(name, (const char *const *)args, log_path, &run->vm))
		err = wrong(run, "QEMU does not start");
	vm_free_arguments(args);
	if (!err && vm_expect_prompt(run->vm, TIMEOUT_MS, NULL))
		err = wrong(run, "no prompt");
	return err;
}

/* The lines between; the caller's by free(). */
static int command(struct run *run, const char *line, char **text)
{
	if (vm_command(run->vm, line, TIMEOUT_MS, text))
		return wrong(run, "no answer to `%s`", line);
	return 0;
}

/* ---- What was negotiated ---- */

/* "EVENT_IDX missing, bit 40 too much" */
static void say_difference(struct run *run, uint64_t expected, uint64_t accepted)
{
	char text[160] = "";

	for (unsigned bit = 0; bit < FEATURE_BITS; bit++) {
		const char *name = feature_name(bit);
		size_t len = strlen(text);

		if (((expected ^ accepted) >> bit & 1) == 0)
			continue;
		snprintf(text + len, sizeof(text) - len, "%sbit %u %s %s", len ? ", " : "", bit,
			 name ? name : "?", accepted >> bit & 1 ? "too much" : "missing");
	}
	wrong(run, "features: %s", text);
}

static int check_features(struct run *run)
{
	uint64_t expected = cell_expected(run->cell);
	char *text;

	if (command(run, "features", &text))
		return -EPROTO;
	if (strspn(text, "01") != FEATURE_BITS)
		wrong(run, "`features` is no string of %d bits", FEATURE_BITS);
	for (unsigned bit = 0; bit < FEATURE_BITS && run->result->why[0] == '\0'; bit++)
		run->result->accepted |= (uint64_t)(text[bit] == '1') << bit;
	free(text);
	if (run->result->why[0] == '\0' && run->result->accepted != expected)
		say_difference(run, expected, run->result->accepted);
	return run->result->why[0] == '\0' ? 0 : -EPROTO;
}

static int read_virtio(struct run *run, unsigned long *interrupts)
{
	struct result *result = run->result;
	char *text, *at;
	int err = 0;

	if (command(run, "virtio", &text))
		return -EPROTO;
	at = strstr(text, "balloon (type 5), ");
	if (!at || sscanf(at, "balloon (type 5), %15[^,], %lu interrupts", result->transport,
			  interrupts) != 2)
		err = wrong(run, "`virtio` shows no balloon");
	at = strstr(text, "interrupts by ");
	if (!at || sscanf(at, "interrupts by %47[^\n]", result->interrupts) != 1)
		err = wrong(run, "`virtio` does not say what it interrupts by");
	free(text);
	return err;
}

/* The transport, and which interrupts there are; by now some have come. */
static int check_transport(struct run *run)
{
	const char *by = cell_interrupts(run->cell);
	unsigned long count;
	char expected[16];

	snprintf(expected, sizeof(expected), "%s %s",
		 cell_is(run->cell, MMIO_PLACE) ? "mmio" : "pci",
		 cell_is(run->cell, LEGACY) ? "legacy" : "modern");
	if (read_virtio(run, &count))
		return -EPROTO;
	if (strcmp(run->result->transport, expected) != 0)
		return wrong(run, "it is %s, not %s", run->result->transport, expected);
	if (strncmp(run->result->interrupts, by, strlen(by)) != 0)
		return wrong(run, "interrupts by %s, not %s", run->result->interrupts, by);
	if (count < TARGETS)
		return wrong(run, "%lu interrupts for two targets", count);
	return 0;
}

/*
 * Sets the target again that is reached: one more interrupt, and nothing to do for the
 * queues. A guest that never got it would follow its target nevertheless: it looks once
 * a second.
 */
static int check_config_interrupt(struct run *run)
{
	unsigned long before, after;

	if (read_virtio(run, &before))
		return -EPROTO;
	if (qmp_balloon(vm_qmp(run->vm), (uint64_t)RAM))
		return wrong(run, "balloon: %s", qmp_error(vm_qmp(run->vm)));
	if (read_virtio(run, &after))
		return -EPROTO;
	return after > before ? 0 : wrong(run, "no interrupt for a new target");
}

static int poll_statistics(struct run *run)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "path", json_object_new_string(DEVICE_PATH));
	json_object_object_add(args, "property",
			       json_object_new_string("guest-stats-polling-interval"));
	json_object_object_add(args, "value", json_object_new_int(1));
	if (qmp_execute(vm_qmp(run->vm), "qom-set", args, NULL))
		return wrong(run, "qom-set: %s", qmp_error(vm_qmp(run->vm)));
	return 0;
}

/*
 * An idle guest waits for the device to return the buffer of statistics; nothing
 * else interrupts meanwhile. Other queues may be done before the guest waits for
 * them, and then never interrupt: that depends on the host's load.
 */
static int check_queue_interrupt(struct run *run)
{
	int64_t deadline = deadline_in(TIMEOUT_MS);
	unsigned long before, after;

	if (read_virtio(run, &before) || poll_statistics(run))
		return -EPROTO;
	do {
		usleep(POLL_US);
		if (read_virtio(run, &after))
			return -EPROTO;
	} while (after == before && deadline_left(deadline));
	return after > before ? 0 : wrong(run, "no interrupt for statistics");
}

/* ---- The balloon ---- */

/* A number of show_mem -j, by its path of one or two names; -1: there is none. */
static int64_t number_in(struct json_object *all, const char *group, const char *name)
{
	struct json_object *number = NULL;

	if (group && !json_object_object_get_ex(all, group, &all))
		return -1;
	if (!json_object_object_get_ex(all, name, &number) ||
	    !json_object_is_type(number, json_type_int))
		return -1;
	return json_object_get_int64(number);
}

static int expect_number(struct run *run, struct json_object *all, const char *group,
			 const char *name, int64_t expected)
{
	int64_t number = number_in(all, group, name);

	if (number == expected)
		return 0;
	return wrong(run, "show_mem -j: %s%s%s is %" PRId64 ", not %" PRId64, group ? group : "",
		     group ? "." : "", name, number, expected);
}

static bool deflate_on_oom(const struct run *run)
{
	return cell_expected(run->cell) >> FEATURE_DEFLATE_ON_OOM & 1;
}

static int check_numbers(struct run *run, struct json_object *all, int64_t taken)
{
	bool oom = deflate_on_oom(run);
	struct json_object *ledger = NULL;

	if (!json_object_is_type(all, json_type_object))
		return wrong(run, "show_mem -j prints no JSON");
	if (expect_number(run, all, "balloon", "target", taken) ||
	    expect_number(run, all, "balloon", "actual", taken) ||
	    expect_number(run, all, "balloon", "shortfall", 0) ||
	    expect_number(run, all, "owners", "balloon", taken) ||
	    expect_number(run, all, "owners", "in-flight", 0) ||
	    expect_number(run, all, NULL, "inflated-total", oom ? 0 : taken) ||
	    expect_number(run, all, NULL, "inflated-free", oom ? taken : 0))
		return -EPROTO;
	if (!json_object_object_get_ex(all, "ledger", &ledger) ||
	    strcmp(json_object_get_string(ledger), "ok") != 0)
		return wrong(run, "show_mem -j: the ledger is not ok");
	return 0;
}

/*
 * Asks until no frame is in flight: `actual` may be told while the device still owes
 * the last answer. *all is the caller's, or NULL: that was no JSON.
 */
static int read_settled(struct run *run, struct json_object **all)
{
	int64_t deadline = deadline_in(TIMEOUT_MS);

	for (;;) {
		char *text;

		if (command(run, "show_mem -j", &text))
			return -EPROTO;
		*all = json_tokener_parse(text);
		free(text);
		if (number_in(*all, "owners", "in-flight") <= 0 || !deadline_left(deadline))
			return 0;
		json_object_put(*all);
		usleep(POLL_US);
	}
}

static int check_json(struct run *run, int64_t taken)
{
	struct json_object *all;
	int err;

	if (read_settled(run, &all))
		return -EPROTO;
	err = check_numbers(run, all, taken);
	json_object_put(all);
	return err;
}

/* Reads the form for people, too; both kinds of inflated memory are on one line. */
static int check_text(struct run *run, int64_t taken)
{
	struct show_mem mem;
	char *text;
	int err;

	if (command(run, "show_mem", &text))
		return -EPROTO;
	err = show_mem_parse(text, &mem);
	free(text);
	if (err)
		return wrong(run, "show_mem has no right line of the balloon or the ledger");
	if (mem.inflated_total != (deflate_on_oom(run) ? 0 : (uint64_t)taken) ||
	    mem.inflated_free != (deflate_on_oom(run) ? (uint64_t)taken : 0))
		return wrong(run,
			     "show_mem: InflatedTotal:%" PRIu64 "kB InflatedFree:%" PRIu64 "kB",
			     mem.inflated_total / 1024, mem.inflated_free / 1024);
	return mem.ledger_ok ? 0 : wrong(run, "show_mem: the ledger is not ok");
}

/* Counted anew, frame by frame. */
static int check_audit(struct run *run)
{
	int err = 0;
	char *text;

	if (command(run, "audit", &text))
		return -EPROTO;
	if (strncmp(text, "Ledger: ok (", 12) != 0)
		err = wrong(run, "audit: %.100s", text);
	free(text);
	return err;
}

/* What the guest says, in every way that it has, and what QMP says: @taken bytes. */
static int check_memory(struct run *run, int64_t taken)
{
	int64_t left = 0;

	if (check_json(run, taken) || check_text(run, taken) || check_audit(run))
		return -EPROTO;
	if (qmp_query_balloon(vm_qmp(run->vm), &left))
		return wrong(run, "query-balloon: %s", qmp_error(vm_qmp(run->vm)));
	if (left != RAM - taken)
		return wrong(run, "query-balloon is %" PRId64 ", not %" PRId64, left, RAM - taken);
	return 0;
}

static int take(struct run *run, int64_t taken)
{
	if (qmp_balloon(vm_qmp(run->vm), (uint64_t)(RAM - taken)))
		return wrong(run, "balloon: %s", qmp_error(vm_qmp(run->vm)));
	if (vm_wait_balloon(run->vm, RAM - taken, TIMEOUT_MS))
		return wrong(run, "does not get to %" PRId64 " bytes taken", taken);
	return check_memory(run, taken);
}

/* ---- The end ---- */

static int check_exit(struct run *run)
{
	int status;

	if (vm_send(run->vm, EXIT_COMMAND "\r", strlen(EXIT_COMMAND "\r")) ||
	    vm_wait_exit(run->vm, TIMEOUT_MS, &status))
		return wrong(run, "does not end by `" EXIT_COMMAND "`");
	if (status != EXIT_STATUS)
		return wrong(run, "QEMU's status is %d, not %d", status, EXIT_STATUS);
	if (vm_has_said(run->vm, "exit:"))
		return wrong(run, "complains about its `" EXIT_COMMAND "`");
	return 0;
}

void cell_run(const struct cell *cell, const char *log_path, struct result *result)
{
	struct run run = { .cell = cell, .result = result };
	int64_t start = deadline_now();
	char name[CELL_NAME_MAX];

	cell_name(cell, name);
	result->passed = !boot(&run, name, log_path) && !check_features(&run) &&
			 !take(&run, TAKEN) && !take(&run, 0) && !check_transport(&run) &&
			 !check_config_interrupt(&run) && !check_queue_interrupt(&run) &&
			 !check_exit(&run);
	vm_stop(run.vm);
	result->ms = (int)(deadline_now() - start);
}
