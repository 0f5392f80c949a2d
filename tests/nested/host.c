/* SPDX-License-Identifier: BSD-2-Clause */
/* QEMU's own Hyper-V, in nested KVM; see host.h. */
#include "tests/nested/host.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/arguments.h"
#include "tools/json_member.h"
#include "tools/qmp.h"
#include "tools/vm.h"

#define TIMEOUT_MS 300000
#define SHORT_MS 2000 /* once something has not come */
#define REPORT "HV_BALLOON_STATUS_REPORT"

struct host host;

/* ---- From its start to its end ---- */

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && value[0] ? value : otherwise;
}

/* One processor: on it the inner QEMU goes before its guest. */
static void add_machine(struct arguments *a)
{
	static const char *const words[] = {
		"-nodefaults",
		"-no-user-config",
		"-no-reboot",
		"-display",
		"none",
		"-accel",
		"tcg",
		"-cpu",
		"max",
		"-machine",
		"q35",
		"-m",
		"2G",
		"-append",
		"console=ttyS0 quiet loglevel=3 rdinit=/init",
	};
	const char *build = environment("BUILD", "build");

	arguments_add(a, environment("QEMU", "qemu-system-x86_64"));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		arguments_add(a, words[i]);
	arguments_add(a, "-kernel");
	arguments_add_text(a, "%s/nested/linux", build);
	arguments_add(a, "-initrd");
	arguments_add_text(a, "%s/nested/initramfs", build);
}

/* QMP, for the second serial line: the first is vm.c's. */
static void add_inner(struct arguments *a, int fd)
{
	arguments_add(a, "-chardev");
	arguments_add_text(a, "socket,id=inner,fd=%d", fd);
	arguments_add(a, "-device");
	arguments_add(a, "isa-serial,index=1,chardev=inner");
}

static int start_outer(int fd)
{
	struct arguments a = { 0 };
	char log[256];

	add_machine(&a);
	add_inner(&a, fd);
	snprintf(log, sizeof(log), "%s/log/nested.serial", environment("BUILD", "build"));
	return vm_start("nested", a.argv, log, &host.vm);
}

/* The guest does not run before this QEMU is told to, in which its processor has come last then. */
static int start_inner(int fd)
{
	int err = vm_expect(host.vm, "% ready", TIMEOUT_MS, NULL);

	if (err) {
		close(fd);
		return err;
	}
	err = qmp_attach(host.qmp, fd, TIMEOUT_MS);
	qmp_set_timeout(host.qmp, TIMEOUT_MS);
	if (!err)
		err = qmp_execute(host.qmp, "cont", NULL, NULL);
	if (err) {
		vm_report(host.vm, qmp_error(host.qmp));
		return err;
	}
	return vm_expect_prompt(host.vm, TIMEOUT_MS, NULL);
}

int host_start(void **state)
{
	int pair[2], err;

	(void)state;
	host.qmp = qmp_new();
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) {
		perror("socketpair");
		return -1;
	}
	err = start_outer(pair[1]);
	close(pair[1]);
	if (err)
		close(pair[0]);
	else
		err = start_inner(pair[0]);
	return err ? -1 : 0;
}

int host_stop(void **state)
{
	(void)state;
	qmp_free(host.qmp);
	vm_stop(host.vm);
	host = (struct host){ 0 };
	return 0;
}

/* ---- What is asked ---- */

int host_timeout_ms(void)
{
	return host.gave_up ? SHORT_MS : TIMEOUT_MS;
}

void host_give_up(const char *what)
{
	int waited_ms = host_timeout_ms();

	host.gave_up = true;
	qmp_set_timeout(host.qmp, SHORT_MS);
	vm_report(host.vm, what);
	fail_msg("waited %d s in vain for %s", waited_ms / 1000, what);
}

static void check_qmp(int err)
{
	if (err)
		host_give_up(qmp_error(host.qmp));
}

/* Types a line; the answer is the caller's by free(). */
static void type_line(const char *line, char **said)
{
	if (vm_command(host.vm, line, host_timeout_ms(), said))
		host_give_up("the next prompt");
}

struct json_object *host_query(const char *command)
{
	struct json_object *reply;

	check_qmp(qmp_execute(host.qmp, command, NULL, &reply));
	return reply;
}

struct json_object *host_ask(const char *line)
{
	struct json_object *object = NULL;
	char *said, *start;

	type_line(line, &said);
	start = strchr(said, '{');
	if (start) {
		start[strcspn(start, "\n")] = '\0';
		object = json_tokener_parse(start);
	}
	free(said);
	return object;
}

uint64_t host_number(struct json_object *object, const char *name)
{
	uint64_t number = 0;

	if (!json_member_uint64(object, name, &number))
		fail_msg("there is no number \"%s\" in %s", name,
			 json_object_to_json_string(object));
	return number;
}

void host_says(const char *line, const char *text)
{
	char *said;

	type_line(line, &said);
	if (!strstr(said, text))
		fail_msg("%s does not say \"%s\" but:\n%s", line, text, said);
	free(said);
}

void host_ends(const char *line, const char *text)
{
	if (vm_send(host.vm, line, strlen(line)) || vm_send(host.vm, "\r", 1) ||
	    vm_expect(host.vm, text, host_timeout_ms(), NULL))
		host_give_up(text);
}

struct json_object *host_report(void)
{
	struct json_object *event, *data = NULL;

	/* Those that have come already are taken note of by an answer. */
	json_object_put(host_query("query-status"));
	qmp_forget_events(host.qmp);
	check_qmp(qmp_event(host.qmp, REPORT, host_timeout_ms(), &event));
	json_object_object_get_ex(event, "data", &data);
	json_object_get(data);
	json_object_put(event);
	return data;
}

void host_set_target(uint64_t bytes_left)
{
	json_object_put(host_report());
	check_qmp(qmp_balloon(host.qmp, bytes_left));
}
