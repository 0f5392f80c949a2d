/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Common parts of the integration tests: see harness.h for the contract.
 * QEMU's command line comes from tools/run.sh --print, so that what people
 * run is what is tested.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/integration/harness.h"
#include "tests/integration/inside.h"
#include "tools/deadline.h"
#include "tools/show_mem.h"

#define MAX_ARGS 2048
#define READ_MAX 262144
#define POLL_US (1000 * VM_POLL_MS)

const char *harness_group;

static const char *test_name = "";

static struct vm *running[MAX_GUESTS];

/* ---- start and stop ---- */

static void set_variable(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

/* In the child: run.sh writes the arguments to `fd`. */
static void print_arguments(const struct guest_options *guest, int fd)
{
	set_variable("MACHINE", guest->machine);
	set_variable("MEM", guest->mem ? guest->mem : "256M");
	set_variable("GROW", guest->grow);
	set_variable("FIRMWARE", guest->firmware);
	set_variable("APPEND", guest->append);
	set_variable("BALLOON", guest->balloon);
	set_variable("EXTRA", guest->extra);
	set_variable("HYPERVISOR", guest->hypervisor ? guest->hypervisor : harness_inside());
	dup2(fd, STDOUT_FILENO);
	execl("tools/run.sh", "run.sh", "--print", (char *)NULL);
	perror("tools/run.sh");
	_exit(127);
}

/* All that run.sh prints; ends the test if that is not a command line. */
static char *read_arguments(const struct guest_options *guest)
{
	size_t size = READ_MAX, len = 0;
	char *text = calloc(1, size);
	int fds[2], status = -1;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		print_arguments(guest, fds[1]);
	close(fds[1]);
	while ((n = read(fds[0], text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(fds[0]);
	waitpid(pid, &status, 0);
	if (status != 0)
		fail_msg("tools/run.sh --print ends with %d", WEXITSTATUS(status));
	return text;
}

/* Cuts `text` into lines; returns their number. */
static size_t split_lines(char *text, const char **lines, size_t max)
{
	char *save = NULL;
	size_t n = 0;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		assert_true(n < max);
		lines[n++] = line;
	}
	return n;
}

/* An empty -append is a line of its own, which strtok would swallow. */
static void mark_empty_lines(char *text, size_t size)
{
	char *at;

	while ((at = strstr(text, "\n\n"))) {
		size_t len = strlen(text);

		assert_true(len + 2 < size);
		memmove(at + 2, at + 1, len - (size_t)(at - text));
		at[1] = ' ';
	}
}

/* Backs the guest's memory with a file, to see what the host got back. */
static void use_memory_file(const char **args, const struct guest_options *guest, char *object,
			    size_t size)
{
	static const char *const olds[] = { "memory-backend-ram,id=ram,",
					    "memory-backend-memfd,id=hypervisor-ram,share=on," };

	for (; *args; args++) {
		for (size_t i = 0; i < 2; i++) {
			if (strncmp(*args, olds[i], strlen(olds[i])))
				continue;
			snprintf(object, size, "memory-backend-file,id=%s,share=on,mem-path=%s,%s",
				 i ? "hypervisor-ram" : "ram", guest->memory_file,
				 *args + strlen(olds[i]));
			*args = object;
			break;
		}
	}
}

/* A name for messages and, with the folder, for the log. */
static void name_guest(const struct guest_options *guest, char *name, size_t size)
{
	static unsigned int count;

	snprintf(name, size, "%s-%02u-%s-%s-%s", harness_group, ++count,
		 guest->machine ? guest->machine : "q35", guest->mem ? guest->mem : "256M",
		 guest->firmware ? guest->firmware : "default");
}

static void make_log_path(const char *name, char *path, size_t size)
{
	const char *results = getenv("RESULTS");

	if (!results)
		results = getenv("BUILD");
	if (!results)
		results = "build";
	snprintf(path, size, "%s/log", results);
	mkdir(path, 0777);
	snprintf(path, size, "%s/log/%s.serial", results, name);
}

const char *harness_inside(void)
{
	const char *inside = getenv("INSIDE");

	return inside && *inside ? inside : NULL;
}

static void skip_outsiders(const struct guest_options *guest)
{
	const char *reason = harness_inside() ? inside_reason(test_name, guest) : NULL;

	if (!reason)
		return;
	print_message("%s: not inside a hypervisor: %s\n", test_name, reason);
	skip();
}

struct vm *harness_start(const struct guest_options *guest)
{
	const char *args[MAX_ARGS + 1] = { NULL };
	char object[512], name[64], log[256], *text;
	size_t slot = 0;
	int ret;

	skip_outsiders(guest);
	text = read_arguments(guest);
	mark_empty_lines(text, READ_MAX);
	split_lines(text, args, MAX_ARGS);
	if (guest->memory_file)
		use_memory_file(args, guest, object, sizeof(object));
	while (slot < MAX_GUESTS && running[slot])
		slot++;
	assert_true(slot < MAX_GUESTS);
	name_guest(guest, name, sizeof(name));
	make_log_path(name, log, sizeof(log));
	ret = vm_start(name, args, log, &running[slot]);
	free(text);
	if (ret)
		fail_msg("cannot start the guest: %s", strerror(-ret));
	return running[slot];
}

void harness_wait_prompt(struct vm *vm, char **text)
{
	assert_int_equal(vm_expect_prompt(vm, VM_TIMEOUT_MS, text), 0);
}

struct vm *harness_boot(const struct guest_options *guest)
{
	struct vm *vm = harness_start(guest);

	harness_wait_prompt(vm, NULL);
	return vm;
}

void harness_stop(struct vm *vm)
{
	for (size_t i = 0; i < MAX_GUESTS; i++)
		if (running[i] == vm)
			running[i] = NULL;
	vm_stop(vm);
}

_Atomic unsigned *harness_tests_run;

int harness_setup(void **state)
{
	test_name = *state;
	return 0;
}

int harness_teardown(void **state)
{
	(*harness_tests_run)++;
	(void)state;
	for (size_t i = 0; i < MAX_GUESTS; i++)
		if (running[i])
			harness_stop(running[i]);
	return 0;
}

static char *ask_monitor(struct vm *vm, const char *line)
{
	char *text = NULL;

	assert_qmp(vm, qmp_human(vm_qmp(vm), line, &text));
	return text;
}

static void expect_nothing(const char *line, char *text)
{
	if (*text)
		fail_msg("%s: %s", line, text);
	free(text);
}

void harness_monitor(struct vm *vm, const char *line)
{
	expect_nothing(line, ask_monitor(vm, line));
}

void harness_monitor_when_free(struct vm *vm, const char *line, const char *taken)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	char *text = ask_monitor(vm, line);

	while (strstr(text, taken) && deadline_left(deadline)) {
		free(text);
		usleep(POLL_US);
		text = ask_monitor(vm, line);
	}
	expect_nothing(line, text);
}

void harness_execute(struct vm *vm, const char *command)
{
	assert_qmp(vm, qmp_execute(vm_qmp(vm), command, NULL, NULL));
}

void harness_wait_status(struct vm *vm, int status)
{
	int is;

	assert_int_equal(vm_wait_exit(vm, VM_TIMEOUT_MS, &is), 0);
	assert_int_equal(is, status);
}

/* ---- the console ---- */

char *harness_command(struct vm *vm, const char *line)
{
	char *text;

	assert_int_equal(vm_command(vm, line, VM_TIMEOUT_MS, &text), 0);
	return text;
}

void harness_command_says(struct vm *vm, const char *line, const char *text)
{
	char *answer = harness_command(vm, line);

	if (!strstr(answer, text))
		fail_msg("'%s' does not say \"%s\" but:\n%s", line, text, answer);
	free(answer);
}

void harness_wait_says(struct vm *vm, const char *line, const char *text, bool wanted)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	char *answer = harness_command(vm, line);

	while (!!strstr(answer, text) != wanted && deadline_left(deadline)) {
		usleep(POLL_US);
		free(answer);
		answer = harness_command(vm, line);
	}
	if (!!strstr(answer, text) != wanted)
		fail_msg("'%s' %s \"%s\":\n%s", line, wanted ? "never says" : "still says", text,
			 answer);
	free(answer);
}

/* ---- What is printed with -j ---- */

/* The guest may log a line of its own beside the one line of JSON. */
static struct json_object *parse_json_line(const char *command, const char *text)
{
	const char *start = text[0] == '{' ? text : strstr(text, "\n{");
	struct json_object *all;
	char *line;

	if (!start)
		fail_msg("%s prints no JSON but:\n%s", command, text);
	start = strchr(start, '{');
	line = strndup(start, strcspn(start, "\n"));
	all = json_tokener_parse(line);
	if (!json_object_is_type(all, json_type_object))
		fail_msg("%s prints what is no JSON: %s", command, line);
	free(line);
	return all;
}

struct json_object *harness_json(struct vm *vm, const char *line)
{
	char *text = harness_command(vm, line);
	struct json_object *all = parse_json_line(line, text);

	free(text);
	return all;
}

uint64_t harness_number(struct json_object *object, const char *name)
{
	struct json_object *number;

	if (!json_object_object_get_ex(object, name, &number) ||
	    !json_object_is_type(number, json_type_int))
		fail_msg("there is no number \"%s\" in %s", name,
			 json_object_to_json_string(object));
	/* json-c clamps negative numbers to 0 on this way out. */
	assert_true(json_object_get_int64(number) >= 0);
	return json_object_get_uint64(number);
}

static void read_balloon(struct json_object *all, struct memory *mem)
{
	struct json_object *balloon;

	if (!json_object_object_get_ex(all, "balloon", &balloon))
		fail_msg("show_mem -j has no \"balloon\"");
	mem->has_balloon = balloon;
	if (!balloon)
		return;
	mem->target = harness_number(balloon, "target");
	mem->actual = harness_number(balloon, "actual");
	mem->shortfall = harness_number(balloon, "shortfall");
	mem->floor = harness_number(balloon, "floor");
}

static void read_owners(struct json_object *all, struct memory *mem)
{
	struct json_object *owners = json_object_object_get(all, "owners");

	if (!json_object_is_type(owners, json_type_object))
		fail_msg("show_mem -j has no \"owners\"");
	mem->owned_by_balloon = harness_number(owners, "balloon");
	mem->unplugged = harness_number(owners, "unplugged");
	mem->held = harness_number(owners, "held");
	json_object_object_foreach(owners, name, bytes)
	{
		(void)bytes;
		/* Holes are in the map, but nobody manages them. */
		if (strcmp(name, "absent"))
			mem->owned += harness_number(owners, name);
	}
}

static void read_memory(struct json_object *all, struct memory *mem)
{
	struct json_object *ledger = json_object_object_get(all, "ledger");

	mem->ram = harness_number(all, "ram");
	mem->total = harness_number(all, "stat-total-memory");
	mem->free = harness_number(all, "stat-free-memory");
	mem->available = harness_number(all, "stat-available-memory");
	mem->has_removable = json_object_object_get(all, "removable");
	if (mem->has_removable)
		mem->removable = harness_number(all, "removable");
	mem->inflated_total = harness_number(all, "inflated-total");
	mem->inflated_free = harness_number(all, "inflated-free");
	mem->ledger_ok = json_object_is_type(ledger, json_type_string) &&
			 !strcmp(json_object_get_string(ledger), "ok");
	read_balloon(all, mem);
	read_owners(all, mem);
}

struct memory harness_memory(struct vm *vm)
{
	struct json_object *all = harness_json(vm, "show_mem -j");
	struct memory mem = { 0 };

	read_memory(all, &mem);
	json_object_put(all);
	return mem;
}

/* ---- the balloon ---- */

/* QEMU counts DIMMs among the memory that its balloon takes from, and virtio-mem never. */
static uint64_t sum_of_dimms(struct vm *vm)
{
	struct json_object *devices;
	uint64_t sum = 0;

	assert_qmp(vm, qmp_execute(vm_qmp(vm), "query-memory-devices", NULL, &devices));
	for (size_t i = 0; i < json_object_array_length(devices); i++) {
		struct json_object *device = json_object_array_get_idx(devices, i);
		struct json_object *type = json_object_object_get(device, "type");

		if (!strcmp(json_object_get_string(type), "dimm"))
			sum += harness_number(json_object_object_get(device, "data"), "size");
	}
	json_object_put(devices);
	return sum;
}

uint64_t harness_ram(struct vm *vm)
{
	struct json_object *reply;
	uint64_t ram;

	assert_qmp(vm, qmp_execute(vm_qmp(vm), "query-memory-size-summary", NULL, &reply));
	ram = harness_number(reply, "base-memory");
	json_object_put(reply);
	return ram + sum_of_dimms(vm);
}

void harness_set_target(struct vm *vm, uint64_t bytes_taken)
{
	assert_qmp(vm, qmp_balloon(vm_qmp(vm), harness_ram(vm) - bytes_taken));
}

void harness_take(struct vm *vm, uint64_t bytes)
{
	int64_t left = (int64_t)(harness_ram(vm) - bytes);

	harness_set_target(vm, bytes);
	assert_int_equal(vm_wait_balloon(vm, left, VM_TIMEOUT_MS), 0);
}

/* A fast machine may be there before it is stopped: then sooner. */
void harness_stop_on_the_way(struct vm *vm, uint64_t begin, uint64_t end)
{
	uint64_t arrived = harness_ram(vm) - end;

	for (useconds_t run = 64000; run; run /= 2) {
		int64_t left;

		harness_set_target(vm, end);
		usleep(run);
		harness_execute(vm, "stop");
		assert_qmp(vm, qmp_query_balloon(vm_qmp(vm), &left));
		if (left < 0 || (uint64_t)left != arrived)
			return;
		harness_execute(vm, "cont");
		harness_take(vm, begin);
	}
	fail_msg("always arrived at %ju bytes taken before it was stopped", (uintmax_t)end);
}

static void check_text_form(struct vm *vm, uint64_t taken, bool deflate_on_oom, uint64_t managed)
{
	char *text = harness_command(vm, "show_mem");
	struct show_mem mem;

	if (show_mem_parse(text, &mem))
		fail_msg("show_mem lacks a line:\n%s", text);
	free(text);
	assert_int_equal(mem.inflated_total, deflate_on_oom ? 0 : taken);
	assert_int_equal(mem.inflated_free, deflate_on_oom ? taken : 0);
	assert_true(mem.ledger_ok);
	assert_int_equal(mem.ledger_frames * FRAME, managed);
}

void harness_check_taken(struct vm *vm, uint64_t taken, bool deflate_on_oom)
{
	struct memory mem;
	int64_t left;
	char verdict[64];

	/* What QEMU was told may be a number on the way to an earlier target. */
	free(harness_command(vm, "balloon wait 60"));
	mem = harness_memory(vm);
	assert_qmp(vm, qmp_query_balloon(vm_qmp(vm), &left));
	assert_int_equal(left, harness_ram(vm) - taken);
	assert_true(mem.has_balloon);
	assert_int_equal(mem.actual, taken);
	assert_int_equal(mem.owned_by_balloon, taken);
	assert_int_equal(mem.inflated_total, deflate_on_oom ? 0 : taken);
	assert_int_equal(mem.inflated_free, deflate_on_oom ? taken : 0);
	assert_true(mem.ledger_ok);
	check_text_form(vm, taken, deflate_on_oom, mem.owned);
	snprintf(verdict, sizeof(verdict), "Ledger: ok (%" PRIu64 " frames)",
		 (uint64_t)(mem.owned / FRAME));
	harness_command_says(vm, "audit", verdict);
}
