/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the matrix test's cells, two at a time, and writes what was negotiated
 * and what passed as a Markdown table. To be run from the project's root:
 *
 *	run [--all] [PATTERN]
 *
 * Without --all only the cells that matter most; PATTERN, with * and ?, chooses
 * by name. A cell that was not run to its end has failed. The table and the logs
 * of what failed go to build/, or to the folder RESULTS.
 */
#include "tests/matrix/matrix.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 2 /* the machine has two cores */
#define NAMES_TOLD 8

/* The cells of this run. Only what is in `shared` changes after the fork. */
static struct {
	struct cell *cells;
	size_t count;
	struct {
		atomic_size_t next; /* cell that nobody has taken */
		atomic_size_t done;
		struct result results[];
	} * shared;
} matrix;

/* ---- Which cells ---- */

static bool is_vital(const char *name)
{
	for (size_t i = 0; i < vital_count; i++)
		if (strcmp(vital_cells[i], name) == 0)
			return true;
	return false;
}

/*
 * All cells that make sense, or the vital ones. One that this QEMU cannot have is
 * in the table nevertheless.
 */
static void choose(bool all, const char *pattern)
{
	size_t combinations = cell_combinations(), vital = 0;

	matrix.cells = calloc(combinations, sizeof(matrix.cells[0]));
	if (!matrix.cells)
		abort();
	for (size_t i = 0; i < combinations; i++) {
		struct cell cell = cell_number(i);
		const struct rule *rule = cell_left_out(&cell);
		char name[CELL_NAME_MAX];

		cell_name(&cell, name);
		vital += is_vital(name) && (!rule || rule->property);
		if (rule)
			continue;
		if ((all || is_vital(name)) && fnmatch(pattern, name, 0) == 0)
			matrix.cells[matrix.count++] = cell;
	}
	if (vital != vital_count) {
		fprintf(stderr, "%zu of the cells that matter most are not in the table\n",
			vital_count - vital);
		exit(1);
	}
	if (matrix.count == 0) {
		fprintf(stderr,
			"no cell that can be run has a name like '%s': one is %s; `make "
			"matrix-all` "
			"has more than `make matrix`\n",
			pattern, vital_cells[0]);
		exit(1);
	}
}

/* ---- Running them ---- */

static const char *results_folder(void)
{
	const char *results = getenv("RESULTS");

	if (!results || results[0] == '\0')
		results = getenv("BUILD");
	return results && results[0] != '\0' ? results : "build";
}

static void run_cell(size_t i)
{
	struct result *result = &matrix.shared->results[i];
	char name[CELL_NAME_MAX], log[512];

	snprintf(log, sizeof(log), "%s/log/matrix-%zu.serial", results_folder(), i + 1);
	cell_name(&matrix.cells[i], name);
	cell_run(&matrix.cells[i], log, result);
	printf("%-4s %3zu/%zu  %s, %d ms%s%s\n", result->passed ? "ok" : "FAIL",
	       atomic_fetch_add(&matrix.shared->done, 1) + 1, matrix.count, name, result->ms,
	       result->passed ? "" : ": ", result->why);
	/* Only what has failed is worth reading. */
	if (result->passed)
		unlink(log);
	else
		fprintf(stderr, "     its serial line: %s\n", log);
}

static void work(pid_t parent)
{
	size_t i;

	/* SIGTERM is what vm.c takes its QEMU along with. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		exit(1);
	while ((i = atomic_fetch_add(&matrix.shared->next, 1)) < matrix.count)
		run_cell(i);
	exit(0);
}

static void run_all(void)
{
	size_t size = sizeof(*matrix.shared) + matrix.count * sizeof(struct result);
	pid_t parent = getpid();
	int status;

	matrix.shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (matrix.shared == MAP_FAILED)
		abort();
	fflush(NULL);
	for (int i = 0; i < WORKERS; i++) {
		pid_t pid = fork();

		if (pid == 0)
			work(parent);
		if (pid < 0)
			perror("fork");
	}
	while (wait(&status) > 0)
		if (status != 0)
			fprintf(stderr, "a worker ended in the middle of a cell\n");
}

/* ---- What came of them ---- */

static size_t count_passed(void)
{
	size_t passed = 0;

	for (size_t i = 0; i < matrix.count; i++)
		passed += matrix.shared->results[i].passed;
	return passed;
}

/* The last line, with the names of the first few that failed. */
static void tell_sum(size_t passed)
{
	size_t failed = matrix.count - passed, told = 0;
	char name[CELL_NAME_MAX];

	printf("matrix: %zu cells passed, %zu %s under %s", passed, failed,
	       failed > 0 ? "FAILED" : "failed", qemu_version());
	for (size_t i = 0; i < matrix.count && told < NAMES_TOLD; i++) {
		if (matrix.shared->results[i].passed)
			continue;
		cell_name(&matrix.cells[i], name);
		printf("%s %s", told++ > 0 ? "," : ":", name);
	}
	printf("%s\n", failed > told ? ", ..." : "");
}

static void write_left_out(FILE *out)
{
	size_t combinations = cell_combinations();

	fprintf(out, "Left out of %zu combinations:\n\n| cells | why |\n|---:|---|\n",
		combinations);
	for (size_t r = 0; r < rule_count; r++) {
		size_t count = 0;

		for (size_t i = 0; i < combinations; i++) {
			struct cell cell = cell_number(i);

			count += cell_left_out(&cell) == &rules[r];
		}
		fprintf(out, "| %zu | %s |\n", count, rules[r].reason);
	}
}

static void write_accepted(FILE *out, uint64_t accepted)
{
	for (unsigned bit = 0; bit < FEATURE_BITS; bit++) {
		if ((accepted >> bit & 1) == 0)
			continue;
		if (feature_name(bit))
			fprintf(out, "%s ", feature_name(bit));
		else
			fprintf(out, "bit-%u ", bit);
	}
}

/* What the guest said must not end the table's cell or row. */
static void write_text(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			fputs("\\|", out);
		else
			fputc((unsigned char)*text < ' ' ? ' ' : *text, out);
	}
}

static void write_row(FILE *out, size_t i)
{
	const struct result *result = &matrix.shared->results[i];

	for (size_t axis = 0; axis < AXES; axis++)
		fprintf(out, "| %s ", matrix.cells[i].by[axis]->name);
	fprintf(out, "| %s | %s | ", result->transport, result->interrupts);
	write_accepted(out, result->accepted);
	fprintf(out, "| %d | %s", result->ms, result->passed ? "passed" : "**FAILED**: ");
	if (!result->passed)
		write_text(out, result->why[0] != '\0' ? result->why : "not run to its end");
	fprintf(out, " |\n");
}

static int write_report(size_t passed)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s/matrix.md", results_folder());
	out = fopen(path, "we");
	if (!out) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -errno;
	}
	fprintf(out, "# What was negotiated, and what passed\n\n");
	fprintf(out, "%s\n\n%zu cells: %zu passed, %zu failed.\n\n", qemu_version(), matrix.count,
		passed, matrix.count - passed);
	for (size_t axis = 0; axis < AXES; axis++)
		fprintf(out, "| %s ", axis_names[axis]);
	fprintf(out, "| transport | interrupts by | accepted | ms | result |\n");
	for (size_t axis = 0; axis < AXES; axis++)
		fprintf(out, "|---");
	fprintf(out, "|---|---|---|---:|---|\n");
	for (size_t i = 0; i < matrix.count; i++)
		write_row(out, i);
	fprintf(out, "\n");
	write_left_out(out);
	return fclose(out) == 0 ? 0 : -EIO;
}

int main(int argc, char **argv)
{
	bool all = argc > 1 && strcmp(argv[1], "--all") == 0;
	const char *pattern = argc > 1 + all ? argv[1 + all] : "*";
	char folder[512];
	size_t passed;
	int err;

	/* Whole lines, as two workers write. */
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	choose(all, pattern);
	snprintf(folder, sizeof(folder), "%s/log", results_folder());
	mkdir(folder, 0777);
	run_all();
	passed = count_passed();
	err = write_report(passed);
	tell_sum(passed);
	return err || passed != matrix.count;
}
