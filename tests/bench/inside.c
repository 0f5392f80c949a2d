/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest in the hypervisor for tests; see inside.h. */
#include "tests/bench/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/bench/arguments.h"

#define QEMU "qemu-system-x86_64"

static const char *aerostat_elf, *hypervisor_elf;

void inside_use(const char *aerostat, const char *hypervisor)
{
	aerostat_elf = aerostat;
	hypervisor_elf = hypervisor;
}

__attribute__((noreturn)) void inside_fail(const char *what)
{
	fprintf(stderr, "hypervisors: %s\n", what);
	exit(1);
}

double inside_seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void add_machine(struct arguments *a, const struct inside_options *options,
			const char *memory_path)
{
	static const char *const words[] = { QEMU,
					     "-nodefaults",
					     "-no-user-config",
					     "-display",
					     "none",
					     "-accel",
					     "tcg",
					     "-cpu",
					     "max,phys-bits=46",
					     "-machine",
					     "q35,memory-backend=ram" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		arguments_add(a, words[i]);
	arguments_add(a, "-m");
	arguments_add(a, options->memory);
	arguments_add(a, "-object");
	arguments_add_text(a, "memory-backend-file,id=ram,size=%s,share=on,reserve=off,mem-path=%s",
			   options->memory, memory_path);
	if (options->device) {
		arguments_add(a, "-device");
		arguments_add(a, options->device);
	}
}

static void add_kernel(struct arguments *a, const struct inside_options *options)
{
	arguments_add(a, "-append");
	arguments_add(a, options->append);
	arguments_add(a, "-kernel");
	if (!options->hypervisor) {
		arguments_add(a, aerostat_elf);
		return;
	}
	arguments_add(a, hypervisor_elf);
	arguments_add(a, "-initrd");
	arguments_add(a, aerostat_elf);
	arguments_add(a, "-fw_cfg");
	arguments_add_text(a, "name=opt/aerostat/hypervisor,string=%s", options->hypervisor);
}

void inside_start(struct inside *in, const struct inside_options *options)
{
	char path[] = "/tmp/aerostat-bench-XXXXXX";
	struct arguments a = { 0 };
	int fd = mkstemp(path);
	double before;

	*in = (struct inside){ 0 };
	if (fd < 0)
		inside_fail("no temporary file");
	close(fd);
	add_machine(&a, options, path);
	add_kernel(&a, options);
	before = inside_seconds(CLOCK_MONOTONIC);
	if (vm_start("hypervisors", a.argv, NULL, &in->vm) ||
	    vm_expect_prompt(in->vm, INSIDE_TIMEOUT_MS, NULL))
		exit(1);
	in->prompt_seconds = inside_seconds(CLOCK_MONOTONIC) - before;
	if (options->hypervisor && hypervisor_open(path, &in->hypervisor, NULL))
		inside_fail("no control block in the guest's memory");
	if (options->hypervisor)
		in->common = hypervisor_common(in->hypervisor);
	unlink(path);
	if (clock_getcpuclockid(vm_pid(in->vm), &in->processor))
		inside_fail("QEMU has no clock of its processor time");
}

void inside_stop(struct inside *in)
{
	if (in->common && (in->common->touched || in->common->violation[0]))
		inside_fail("the guest has made a mistake");
	hypervisor_close(in->hypervisor);
	vm_stop(in->vm);
}

void inside_ask(struct inside *in, const char *line, char **output)
{
	if (vm_command(in->vm, line, INSIDE_TIMEOUT_MS, output))
		exit(1);
}

void inside_await(const volatile uint64_t *figure, uint64_t value, const char *what)
{
	double deadline = inside_seconds(CLOCK_MONOTONIC) + INSIDE_TIMEOUT_MS / 1000;

	while (*figure != value) {
		if (inside_seconds(CLOCK_MONOTONIC) > deadline)
			inside_fail(what);
		usleep(INSIDE_POLL_US);
	}
}
