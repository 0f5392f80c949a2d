/* SPDX-License-Identifier: BSD-2-Clause */
/* A first domain's lines, and what is looked for in all of them; see told.h. */
#include "tests/xen/told.h"

#include <glob.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_MS 3600000

static const char *const no_devices[] = { NULL };

struct look looks[LOOKS_MAX];
size_t look_count;

/* ---- What dom0 has told ---- */

const char *told_value(const char *line, const char *key)
{
	size_t length = strlen(key);

	if (strncmp(line, "% ", 2) != 0 || strncmp(line + 2, key, length) != 0 ||
	    line[2 + length] != ' ')
		return NULL;
	return line + 3 + length;
}

/* Of a domain's looks the last, if that does not know it yet. */
static struct look *look_without(const char *domain, bool has_list)
{
	for (size_t i = look_count; i-- > 0;)
		if (strcmp(looks[i].domain, domain) == 0)
			return (has_list ? looks[i].list_known : looks[i].xen_known) ? NULL
										     : &looks[i];
	return NULL;
}

/* "DOMAIN ID MIB"; also of domains that are not looked at now. */
static void read_list(const char *value)
{
	uint64_t id = 0, mib = 0;
	char domain[WORD] = "";
	struct look *look;

	sscanf(value, "%31s %" SCNu64 " %" SCNu64, domain, &id, &mib);
	look = look_without(domain, true);
	if (!look)
		return;
	look->list_known = true;
	look->id = id;
	look->list_mib = mib;
}

/* "DOMAIN KIB" */
static void read_xen(const char *value)
{
	uint64_t kib = 0;
	char domain[WORD] = "";
	struct look *look;

	sscanf(value, "%31s %" SCNu64, domain, &kib);
	look = look_without(domain, false);
	if (!look)
		return;
	look->xen_known = true;
	look->xen_kib = kib;
}

static void begin_look(const char *domain, const char *step)
{
	struct look *look = &looks[look_count++];

	assert_true(look_count <= LOOKS_MAX);
	memset(look, 0, sizeof(*look));
	snprintf(look->step, WORD, "%s", step);
	sscanf(domain, "%31s", look->domain);
}

static void read_line(const char *line, char step[WORD])
{
	struct look *look = look_count > 0 ? &looks[look_count - 1] : NULL;
	const char *value;

	if ((value = told_value(line, "step")))
		sscanf(value, "%31s", step);
	else if ((value = told_value(line, "look")))
		begin_look(value, step);
	else if ((value = told_value(line, "list")))
		read_list(value);
	else if ((value = told_value(line, "xen")))
		read_xen(value);
	else if (look && (value = told_value(line, "store")))
		sscanf(value, "%" SCNu64 " %" SCNu64, &look->static_max_kib, &look->target_kib);
	else if (look && (value = told_value(line, "memory")))
		look->memory = json_tokener_parse(value);
	else if (look && (value = told_value(line, "audit")))
		look->audit = json_tokener_parse(value);
	else if (look && (value = told_value(line, "balloon")))
		look->balloon = json_tokener_parse(value);
	else if (look && (value = told_value(line, "linux")))
		look->witness = json_tokener_parse(value);
}

void told_for_each_line(void (*fn)(const char *line, char step[WORD]))
{
	char *copy = strdup(machine_text), *rest = copy, *line, step[WORD] = "";

	assert_non_null(copy);
	while ((line = strsep(&rest, "\n")))
		fn(line, step);
	free(copy);
}

/* ---- The machine ---- */

/* SEED, so that a run can be had again; else another one each time. */
static unsigned long choose_seed(void)
{
	const char *given = getenv("SEED");

	return given ? strtoul(given, NULL, 10)
		     : ((unsigned long)time(NULL) * 1000 + (unsigned long)getpid()) % 1000000;
}

int told_run(const char *name, const char *steps, const char *memory, const char *dom0_memory,
	     const char *words, int more_ms)
{
	unsigned long seed = choose_seed();
	char initrd[1024], xen[64];
	glob_t linux_image;
	struct machine machine = {
		.name = name,
		/* Without what QEMU 7.2 does wrong for Linux: docs/hypervisors.md. */
		.cpu = "max,smap=off,rdtscp=off",
		.memory = memory,
		.xen = xen,
		.initrd = initrd,
		.devices = no_devices,
		.timeout_ms = TIMEOUT_MS + more_ms,
	};

	if (glob(machine_path("xen/dom0/boot/vmlinuz-*"), 0, NULL, &linux_image)) {
		fprintf(stderr, "there is no Linux in %s\n", machine_path("xen/dom0/boot"));
		return -1;
	}
	printf("xen: SEED=%lu\n", seed);
	snprintf(xen, sizeof(xen), "console=com1 dom0_mem=%s,max:%s", dom0_memory, dom0_memory);
	snprintf(initrd, sizeof(initrd), "%s console=hvc0 quiet seed=%lu steps=%s %s,%s",
		 linux_image.gl_pathv[0], seed, steps, words, machine_path("xen/dom0.cpio"));
	globfree(&linux_image);
	if (machine_run(&machine))
		return -1;
	told_for_each_line(read_line);
	return 0;
}

int told_forget(void **state)
{
	while (look_count > 0) {
		look_count--;
		json_object_put(looks[look_count].memory);
		json_object_put(looks[look_count].audit);
		json_object_put(looks[look_count].balloon);
		json_object_put(looks[look_count].witness);
	}
	return machine_forget(state);
}

/* ---- What is so in each run ---- */

void dom0_comes_to_the_end_of_its_steps(void **state)
{
	(void)state;
	machine_find(machine_text, "% step end ");
}

static void print_wrong(const char *line, char step[WORD])
{
	const char *value;

	if ((value = told_value(line, "step")))
		sscanf(value, "%31s", step);
	if (strncmp(line, "% wrong: ", 9) == 0)
		fail_msg("at %s: %s", step, line + 9);
}

void all_that_is_waited_for_comes(void **state)
{
	(void)state;
	told_for_each_line(print_wrong);
}

void told_check_looks(const struct told_look *wanted, size_t count)
{
	assert_int_equal(look_count, count);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(looks[i].step, wanted[i].step);
		assert_string_equal(looks[i].domain, wanted[i].domain);
		assert_true(looks[i].list_known && looks[i].xen_known);
	}
}

void ledgers_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < look_count; i++)
		if (!looks[i].witness)
			machine_check_ledger(looks[i].memory, looks[i].audit);
}

const struct look *told_first_of(const struct look *look)
{
	size_t i = 0;

	while (looks[i].id != look->id)
		i++;
	return &looks[i];
}

void xl_lists_what_the_toolstack_wants(void **state)
{
	(void)state;
	for (size_t i = 0; i < look_count; i++)
		assert_int_equal(looks[i].list_mib, looks[i].xen_kib / KIB);
}
