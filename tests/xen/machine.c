/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine on which Xen runs; see machine.h. */
#include "tests/xen/machine.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/deadline.h"
#include "tools/json_member.h"
#include "tools/vm.h"

#define ARGUMENTS_MAX 40
#define PATHS 4

char *machine_text;
int machine_status;

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && value[0] != '\0' ? value : otherwise;
}

const char *machine_path(const char *name)
{
	static char paths[PATHS][512];
	static unsigned next;
	char *path = paths[next++ % PATHS];

	snprintf(path, sizeof(paths[0]), "%s/%s", environment("BUILD", "build"), name);
	return path;
}

/* ---- QEMU ---- */

static size_t add(const char **arguments, size_t count, const char *const *more)
{
	while (more && *more && count < ARGUMENTS_MAX - 1)
		arguments[count++] = *more++;
	return count;
}

/*
 * ICOUNT in the environment: the machine's time goes on by 2^ICOUNT ns an instruction, whatever
 * else the host does. Returns QEMU's words for that; NULL: real time.
 */
static const char *const *by_instructions(void)
{
	static char option[32];
	static const char *const words[] = { "-icount", option, NULL };
	const char *shift = environment("ICOUNT", NULL);

	snprintf(option, sizeof(option), "shift=%s,sleep=off", shift ? shift : "");
	return shift ? words : NULL;
}

static int start(const struct machine *machine, const char *log, struct vm **vm)
{
	const char *arguments[ARGUMENTS_MAX] = { NULL };
	const char *const common[] = {
		environment("QEMU", "qemu-system-x86_64"),
		"-nodefaults",
		"-no-user-config",
		"-no-reboot",
		"-display",
		"none",
		"-accel",
		"tcg",
		"-machine",
		"q35",
		"-cpu",
		machine->cpu,
		"-m",
		machine->memory,
		"-kernel",
		machine_path("xen/hypervisor"),
		"-append",
		machine->xen,
		"-initrd",
		machine->initrd,
		NULL,
	};
	size_t count;

	count = add(arguments, add(arguments, 0, common), machine->devices);
	add(arguments, count, by_instructions());
	return vm_start(machine->name, arguments, log, vm);
}

/* Without carriage returns and NULs. */
static char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL, *to;
	size_t size = 0;
	ssize_t length = file ? getdelim(&text, &size, EOF, file) : -1;

	if (file)
		fclose(file);
	if (length < 0) {
		free(text);
		return strdup("");
	}
	to = text;
	for (ssize_t i = 0; i < length; i++)
		if (text[i] != '\r' && text[i] != '\0')
			*to++ = text[i];
	*to = '\0';
	return text;
}

int machine_run(const struct machine *machine)
{
	int64_t start_ms = deadline_now();
	char log[512];
	struct vm *vm;
	int err;

	mkdir(machine_path("log"), 0777);
	snprintf(log, sizeof(log), "%s/xen-%s.serial", environment("RESULTS", machine_path("log")),
		 machine->name);
	err = start(machine, log, &vm);
	if (err) {
		fprintf(stderr, "%s: QEMU cannot be started: %s\n", machine->name, strerror(-err));
		return -1;
	}
	err = vm_wait_exit(vm, machine->timeout_ms, &machine_status);
	vm_stop(vm);
	machine_text = read_text(log);
	printf("xen: %s: %.1f s from QEMU's start to its end; %s\n", machine->name,
	       (double)(deadline_now() - start_ms) / 1000, log);
	return err || !machine_text ? -1 : 0;
}

int machine_forget(void **state)
{
	(void)state;
	free(machine_text);
	machine_text = NULL;
	return 0;
}

/* ---- What it has said ---- */

const char *machine_find(const char *from, const char *text)
{
	const char *found = strstr(from, text);

	if (!found)
		fail_msg("it has not said '%s'", text);
	return found + strlen(text);
}

struct json_object *machine_json(const char **at, const char *name)
{
	while (**at != '\0') {
		size_t length = strcspn(*at, "\n");
		char *line = strndup(*at, length);
		const char *begin = line ? strchr(line, '{') : NULL;
		struct json_object *object = begin ? json_tokener_parse(begin) : NULL;

		free(line);
		*at += length + ((*at)[length] == '\n');
		if (json_object_object_get_ex(object, name, NULL))
			return object;
		json_object_put(object);
	}
	fail_msg("there is no further line of JSON with '%s'", name);
	return NULL;
}

uint64_t machine_number(struct json_object *object, const char *name)
{
	uint64_t number = 0;

	if (!json_member_uint64(object, name, &number))
		fail_msg("there is no number '%s' in %s", name, json_object_to_json_string(object));
	return number;
}

void machine_check_ledger(struct json_object *memory, struct json_object *audit)
{
	struct json_object *owners = NULL;
	uint64_t owned = 0;

	assert_string_equal(json_member_string(memory, "ledger"), "ok");
	assert_string_equal(json_member_string(audit, "ledger"), "ok");
	assert_int_equal(machine_number(audit, "refused-changes"), 0);
	assert_true(json_object_object_get_ex(memory, "owners", &owners));
	json_object_object_foreach(owners, name, bytes)
	{
		(void)bytes;
		owned += machine_number(owners, name);
	}
	assert_int_equal(owned, machine_number(audit, "frames") * FRAME);
}
