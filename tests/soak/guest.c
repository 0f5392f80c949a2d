/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest of the soak, its console and its target. Its memory is a file without a
 * name that QEMU opens by our descriptor; so it goes when both of us have gone.
 */
#include "tests/soak/soak.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tools/qmp.h"
#include "tools/vm.h"
#include "tools/vm_arguments.h"

#define MAX_ARGS 64
#define TIMEOUT_MS 180000 /* beside whatever else the machine does */
#define END "that-is-all"
#define DEVICE_PATH "/machine/peripheral/balloon0"
#define INTERVAL "guest-stats-polling-interval"

int guest_wrong(struct guest *guest, const char *format, ...)
{
	char *why = guest->tally->why;
	int len = snprintf(why, sizeof(guest->tally->why), "%s: ", guest->name);
	va_list args;

	va_start(args, format);
	vsnprintf(why + len, sizeof(guest->tally->why) - (size_t)len, format, args);
	va_end(args);
	for (; *why; why++)
		if (*why == '\n' || *why == '\r')
			*why = ' ';
	return -EPROTO;
}

/* ---- Start and end ---- */

static void set_variable(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static int map_memory(struct guest *guest, const struct plan *plan, int *fd)
{
	*fd = memfd_create("guest", 0);
	if (*fd < 0 || ftruncate(*fd, (off_t)plan->size))
		return guest_wrong(guest, "no memory file: %s", strerror(errno));
	guest->ram = mmap(NULL, plan->size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (guest->ram != MAP_FAILED)
		return 0;
	guest->ram = NULL;
	return guest_wrong(guest, "its memory cannot be mapped: %s", strerror(errno));
}

/* Backs the guest's memory with the file. */
static void use_memory(char *args[], int fd)
{
	const char *const old = "memory-backend-ram,id=ram,";
	char text[256];

	for (; *args; args++) {
		if (strncmp(*args, old, strlen(old)) != 0)
			continue;
		snprintf(text, sizeof(text),
			 "memory-backend-file,id=ram,share=on,mem-path=/proc/self/fd/%d,%s", fd,
			 *args + strlen(old));
		free(*args);
		*args = strdup(text);
	}
}

static int make_pipe(struct guest *guest)
{
	if (pipe2(guest->traces, O_NONBLOCK) == 0)
		return 0;
	guest->traces[0] = -1;
	return guest_wrong(guest, "no pipe: %s", strerror(errno));
}

static void close_pipe(struct guest *guest)
{
	for (size_t i = 0; i < 2 && guest->traces[0] >= 0; i++)
		close(guest->traces[i]);
	guest->traces[0] = -1;
}

void guest_hold_traces(struct guest *guest)
{
	static const char page[4096];

	while (write(guest->traces[1], page, sizeof(page)) > 0)
		;
	while (write(guest->traces[1], page, 1) > 0)
		;
}

void guest_take_traces(struct guest *guest)
{
	char page[4096];

	while (read(guest->traces[0], page, sizeof(page)) > 0)
		;
}

/* QEMU opens the pipe by our descriptor, which it inherits. */
static void set_extra(const struct guest *guest, const struct plan *plan)
{
	char text[512];

	snprintf(text, sizeof(text), "%s", plan->extra ? plan->extra : "");
	if (plan->trace)
		snprintf(text, sizeof(text), "%s -trace %s -D /proc/self/fd/%d",
			 plan->extra ? plan->extra : "", plan->trace, guest->traces[1]);
	setenv("EXTRA", text, 1);
}

static void log_path(const struct guest *guest, char *path, size_t size, unsigned number)
{
	const char *build = getenv("BUILD");
	char suffix[16] = "";

	if (number)
		snprintf(suffix, sizeof(suffix), "-%u", number);
	snprintf(path, size, "%s/log/soak-%s%s.serial", build ? build : "build", guest->name,
		 suffix);
}

static int start_vm(struct guest *guest, int fd)
{
	char *args[MAX_ARGS], log[256];
	int err = 0;

	if (vm_read_arguments(args, MAX_ARGS))
		err = guest_wrong(guest, "tools/run.sh --print fails");
	if (!err && fd >= 0)
		use_memory(args, fd);
	log_path(guest, log, sizeof(log), 0);
	if (!err && vm_start(guest->name, (const char *const *)args, log, &guest->vm))
		err = guest_wrong(guest, "QEMU does not start");
	vm_free_arguments(args);
	return err;
}

int guest_start(struct guest *guest, const struct plan *plan)
{
	bool incoming = plan->extra && strstr(plan->extra, "-incoming");
	int err = 0, fd = -1;

	guest->vm = NULL;
	guest->ram = NULL;
	guest->traces[0] = -1;
	guest->size = plan->size;
	set_variable("MEM", plan->mem);
	set_variable("BALLOON", plan->balloon);
	set_variable("APPEND", plan->append);
	if (plan->trace)
		err = make_pipe(guest);
	set_extra(guest, plan);
	if (!err && plan->mapped)
		err = map_memory(guest, plan, &fd);
	if (!err)
		err = start_vm(guest, fd);
	if (fd >= 0)
		close(fd);
	if (!err && !incoming && vm_expect_prompt(guest->vm, TIMEOUT_MS, NULL))
		err = guest_wrong(guest, "no prompt after its start");
	if (err)
		guest_end(guest, true);
	return err;
}

void guest_end(struct guest *guest, bool keep)
{
	char log[256], kept[256];

	vm_stop(guest->vm);
	guest->vm = NULL;
	if (guest->ram)
		munmap(guest->ram, guest->size);
	guest->ram = NULL;
	close_pipe(guest);
	log_path(guest, log, sizeof(log), 0);
	log_path(guest, kept, sizeof(kept), guest->tally->lost + 1);
	if (keep && rename(log, kept) == 0)
		fprintf(stderr, "%s; its serial line: %s\n", guest->tally->why, kept);
}

/* ---- The console ---- */

int guest_type(struct guest *guest, const char *line)
{
	vm_forget(guest->vm);
	if (vm_send(guest->vm, line, strlen(line)) || vm_send(guest->vm, "\r", 1))
		return guest_wrong(guest, "takes no `%s`", line);
	return 0;
}

/*
 * All that is said to a line, by free(). Lines of the log may come at any moment, with
 * the prompt anew: the end is what no log says.
 */
static int read_answer(struct guest *guest, const char *line, char **text)
{
	if (vm_send(guest->vm, END "\r", strlen(END "\r")) == 0 &&
	    vm_expect(guest->vm, END ": no such command", TIMEOUT_MS, text) == 0)
		return 0;
	return guest_wrong(guest, "no answer to `%s` within %d s", line, TIMEOUT_MS / 1000);
}

int guest_answers(struct guest *guest, const char *line, const char *wanted)
{
	char *text;
	int err = read_answer(guest, line, &text);

	if (err)
		return err;
	if (!strstr(text, wanted))
		err = guest_wrong(guest, "`%s` does not say \"%s\" but: %s", line, wanted, text);
	free(text);
	return err;
}

int guest_number(struct guest *guest, const char *line, const char *label, uint64_t *number)
{
	int err = guest_type(guest, line);
	char *text, *at;

	if (!err)
		err = read_answer(guest, line, &text);
	if (err)
		return err;
	at = strstr(text, label);
	if (at)
		*number = strtoull(at + strlen(label), NULL, 10);
	else
		err = guest_wrong(guest, "`%s` does not say \"%s\" but: %s", line, label, text);
	free(text);
	return err;
}

int guest_says(struct guest *guest, const char *line, const char *wanted)
{
	int err = guest_type(guest, line);

	return err ? err : guest_answers(guest, line, wanted);
}

void guest_tell(struct guest *guest)
{
	static const char *const lines[] = { "balloon", "virtio", "events", "show_mem", "dmesg" };
	struct tally ignored = *guest->tally;
	struct guest teller = *guest;

	teller.tally = &ignored;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (guest_says(&teller, lines[i], ""))
			return;
}

int guest_balloon_lives(struct guest *guest)
{
	char *text, *broken;
	int err = guest_type(guest, "balloon");

	if (!err)
		err = read_answer(guest, "balloon", &text);
	if (err)
		return err;
	broken = strstr(text, "BROKEN: ");
	if (broken)
		err = guest_wrong(guest, "given up: %.*s", (int)strcspn(broken, "\r\n"), broken);
	else if (!strstr(text, "Target: "))
		err = guest_wrong(guest, "`balloon` says: %s", text);
	free(text);
	return err;
}

/* ---- QMP ---- */

int guest_target(struct guest *guest, uint64_t bytes)
{
	struct qmp *qmp = vm_qmp(guest->vm);

	return qmp_balloon(qmp, guest->size - bytes)
		       ? guest_wrong(guest, "balloon: %s", qmp_error(qmp))
		       : 0;
}

int guest_arrives(struct guest *guest, uint64_t bytes)
{
	if (!vm_wait_balloon(guest->vm, (int64_t)(guest->size - bytes), TIMEOUT_MS))
		return 0;
	return guest_wrong(guest,
			   "the target of %" PRIu64 " frames taken is not reached within %d s",
			   bytes / FRAME, TIMEOUT_MS / 1000);
}

int guest_take(struct guest *guest, uint64_t bytes)
{
	int err = guest_target(guest, bytes);

	return err ? err : guest_arrives(guest, bytes);
}

int guest_poll_statistics(struct guest *guest, int seconds)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "path", json_object_new_string(DEVICE_PATH));
	json_object_object_add(args, "property", json_object_new_string(INTERVAL));
	json_object_object_add(args, "value", json_object_new_int(seconds));
	if (qmp_execute(vm_qmp(guest->vm), "qom-set", args, NULL))
		return guest_wrong(guest, "qom-set: %s", qmp_error(vm_qmp(guest->vm)));
	return 0;
}
