/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shows the balloon without a person at the console: boots, runs show_mem, takes a
 * quarter of the memory over QMP, runs show_mem, gives it back, runs show_mem. Ends with 0 only if
 * the guest and QMP agreed to the byte each time. tools/run.sh --demo hands
 * over QEMU's command line; nothing of it is known here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tools/deadline.h"
#include "tools/qmp.h"
#include "tools/show_mem.h"
#include "tools/vm.h"

#define MIB (1024.0 * 1024.0)
#define DEMO_MS (5 * 60 * 1000) /* all of it; a large guest on a slow machine takes one */

/* When it is over, however far it has come. */
static int64_t end;

/* For one wait: as long as is usual, but not longer than all may take. */
static int wait_ms(void)
{
	int left = deadline_left(end);

	return left < VM_TIMEOUT_MS ? left : VM_TIMEOUT_MS;
}

static void print_guest(const char *text)
{
	vm_print(stdout, text, strlen(text));
}

static int complain(const char *what, const char *why)
{
	fflush(stdout);
	fprintf(stderr, "demo: %s%s%s\n", what, *why ? ": " : "", why);
	return -1;
}

static int memory_size(struct qmp *qmp, int64_t *bytes)
{
	struct json_object *reply, *base;

	if (qmp_execute(qmp, "query-memory-size-summary", NULL, &reply))
		return complain("no memory size", qmp_error(qmp));
	base = json_object_object_get(reply, "base-memory");
	*bytes = json_object_get_int64(base);
	json_object_put(reply);
	return *bytes > 0 ? 0 : complain("QEMU gives no memory size", "");
}

/* Type show_mem and hold it against query-balloon. */
static int show_and_compare(struct vm *vm, int64_t ram)
{
	struct show_mem mem;
	int64_t left, taken;
	char *text;
	int ret;

	if (vm_command(vm, "show_mem", wait_ms(), &text))
		return complain("the guest does not answer show_mem", "");
	printf("\n" VM_PROMPT "show_mem\n");
	print_guest(text);
	ret = show_mem_parse(text, &mem);
	free(text);
	if (ret)
		return complain("show_mem lacks its balloon or ledger line", "");
	if (qmp_query_balloon(vm_qmp(vm), &left))
		return complain("no balloon to ask", qmp_error(vm_qmp(vm)));
	taken = ram - left;
	printf("\nTaken, says the guest: %12" PRIu64 " bytes\n"
	       "Taken, says QMP:       %12" PRId64 " bytes\n",
	       show_mem_ballooned(&mem), taken);
	if (taken < 0 || show_mem_ballooned(&mem) != (uint64_t)taken)
		return complain("the guest and QMP do not agree", "");
	if (!mem.ledger_ok)
		return complain("the guest's ledger is broken", "");
	return 0;
}

/* Prints the line as a person would type it; the library adds an id. */
static int send_target(struct qmp *qmp, int64_t left)
{
	struct json_object *args = json_object_new_object();
	struct json_object *reply;

	json_object_object_add(args, "value", json_object_new_int64(left));
	printf("  QMP> {\"execute\":\"balloon\",\"arguments\":%s}\n",
	       json_object_to_json_string_ext(args, JSON_C_TO_STRING_PLAIN));
	fflush(stdout);
	if (qmp_execute(qmp, "balloon", args, &reply))
		return complain("no balloon to move", qmp_error(qmp));
	printf("  QMP< {\"return\":%s}\n",
	       json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PLAIN));
	fflush(stdout);
	json_object_put(reply);
	return 0;
}

static int set_balloon(struct vm *vm, int64_t left, const char *headline)
{
	int64_t start = deadline_now();

	printf("\n%s\n", headline);
	if (send_target(vm_qmp(vm), left))
		return -1;
	if (vm_wait_balloon(vm, left, wait_ms()))
		return complain("the balloon did not reach its target", "");
	printf("  query-balloon: %" PRId64 " bytes (%.1f MiB) left to the guest, after %.2f s\n",
	       left, (double)left / MIB, (double)(deadline_now() - start) / 1000);
	return 0;
}

static int show_all(struct vm *vm)
{
	int64_t ram = 0, left, quarter;
	char *text;

	if (vm_expect_prompt(vm, wait_ms(), &text))
		return complain("the guest did not come to its prompt", "");
	print_guest(text);
	free(text);
	if (memory_size(vm_qmp(vm), &ram))
		return -1;
	if (qmp_query_balloon(vm_qmp(vm), &left))
		return complain("the guest has no balloon device to show", qmp_error(vm_qmp(vm)));
	quarter = ram / 4 & ~4095LL;
	if (show_and_compare(vm, ram) ||
	    set_balloon(vm, ram - quarter, "Take a quarter of the memory:") ||
	    show_and_compare(vm, ram) || set_balloon(vm, ram, "Give it back:") ||
	    show_and_compare(vm, ram))
		return -1;
	printf("\nOK: the guest and QMP agreed to the byte: 0, then %" PRId64
	       ", then 0 bytes taken.\n",
	       quarter);
	return 0;
}

int main(int argc, char **argv)
{
	struct vm *vm;
	int ret;

	if (argc < 2) {
		fputs("usage: demo QEMU [ARGUMENT...] (see tools/run.sh)\n", stderr);
		return EXIT_FAILURE;
	}
	end = deadline_in(DEMO_MS);
	if (vm_start("demo", (const char *const *)argv + 1, NULL, &vm))
		return EXIT_FAILURE;
	qmp_set_deadline(vm_qmp(vm), end);
	ret = show_all(vm);
	if (fflush(stdout) || ferror(stdout))
		ret = complain("cannot write to stdout", "");
	vm_stop(vm);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
