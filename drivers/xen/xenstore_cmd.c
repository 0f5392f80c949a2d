/* SPDX-License-Identifier: BSD-2-Clause */
/* xenstore: the toolstack's store as the guest sees it, and one value of it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drivers/xen/xenstore.h"
#include "kernel/lib/command.h"
#include "kernel/lib/escape.h"
#include "kernel/lib/json.h"

static void print_value(const char *value, size_t length)
{
	char text[ESCAPE_MAX];

	for (size_t i = 0; i < length; i++)
		printf("%.*s", (int)escape_byte((unsigned char)value[i], text), text);
}

static void print_node(const struct xenstore_node *node)
{
	printf("  %-20s %4" PRIu64 "  ", node->path, node->changes);
	if (!node->exists)
		printf("(none)");
	else if (node->length == 0)
		printf("(empty)");
	else
		print_value(node->value, node->length);
	printf("%s\n", node->cut ? "..." : "");
}

static void print_state(void)
{
	const char *fault = xenstore_fault();

	if (fault)
		printf("not used any more: %s\n", fault);
	else
		printf("%s\n", xenstore_is_silent() ? "silent: it owes an answer" : "in use");
}

static int show(void)
{
	struct xenstore_counts counts;

	xenstore_get_counts(&counts);
	if (counts.requests == 0) {
		printf("there is no store\n");
		return 0;
	}
	print_state();
	printf("%" PRIu64 " requests, %" PRIu64 " events; %" PRIu64
	       " events or answers that nobody waited for\n",
	       counts.requests, counts.events, counts.unknown);
	if (xenstore_nodes())
		printf("  %-20s %s\n", "FOLLOWED", "NEW   VALUE");
	for (const struct xenstore_node *node = xenstore_nodes(); node; node = node->next)
		print_node(node);
	return 0;
}

static void print_json(void)
{
	struct xenstore_counts counts;
	const char *comma = "";

	xenstore_get_counts(&counts);
	printf("{\"fault\":");
	json_print_string(xenstore_fault());
	printf(",\"silent\":%s,\"requests\":%" PRIu64 ",\"events\":%" PRIu64 ",\"unknown\":%" PRIu64
	       ",\"nodes\":[",
	       xenstore_is_silent() ? "true" : "false", counts.requests, counts.events,
	       counts.unknown);
	for (const struct xenstore_node *node = xenstore_nodes(); node; node = node->next) {
		printf("%s{\"path\":", comma);
		json_print_string(node->path);
		printf(",\"changes\":%" PRIu64 ",\"value\":", node->changes);
		json_print_string(node->exists ? node->value : NULL);
		printf(",\"cut\":%s}", node->cut ? "true" : "false");
		comma = ",";
	}
	printf("]}\n");
}

static const char *explain(int err)
{
	switch (err) {
	case -ENODEV:
		return "there is no store";
	case -EINVAL:
		return "this is no path";
	case -ENOENT:
		return "there is no such node";
	case -EACCES:
		return "not allowed";
	case -ENOSPC:
		return "the domain has written too much";
	case -ETIMEDOUT:
		return "the store does not answer";
	default:
		return "the store refuses, or is not used any more";
	}
}

static int complain(const char *path, int err)
{
	printf("xenstore: ");
	print_value(path, strlen(path));
	printf(": %s\n", explain(err));
	/* The command's words were right. */
	return err == -EINVAL ? -ENOENT : err;
}

static int read_value(const char *path)
{
	static char value[XENSTORE_PAYLOAD_MAX + 1];
	size_t length;
	int err = xenstore_read(path, value, sizeof(value), &length);

	if (err)
		return complain(path, err);
	print_value(value, length);
	printf("\n");
	return 0;
}

static int write_value(const char *path, const char *value)
{
	int err = xenstore_write(path, value);

	return err ? complain(path, err) : 0;
}

static int cmd_xenstore(int argc, char **argv)
{
	if (argc == 1)
		return show();
	if (argc == 2 && strcmp(argv[1], "-j") == 0) {
		print_json();
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "read") == 0)
		return read_value(argv[2]);
	if (argc == 4 && strcmp(argv[1], "write") == 0)
		return write_value(argv[2], argv[3]);
	return -EINVAL;
}

COMMAND("xenstore", "[-j|read PATH|write PATH VALUE]",
	"Xen's store: what is followed in it; one value",
	"A PATH without a / before it is relative to this domain's, as memory/target.\n"
	"Bytes that cannot be printed are shown as \\xNN. With -j: one line of JSON.",
	cmd_xenstore);
