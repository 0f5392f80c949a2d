/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long from the start of QEMU to the guest's prompt, beside how long to
 * the first byte of a kernel that does nothing else: in turn, in one run, so
 * that both see the same machine.
 *
 *	boot [-n RUNS] [-m MACHINE] [-M MEM] [-b BIOS] AEROSTAT.elf ONE_BYTE.elf
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX 1000
#define TIMEOUT_MS 60000

static const char *qemu = "qemu-system-x86_64";
static const char *machine = "q35";
static const char *memory = "1G";
static const char *bios;

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void die(const char *what)
{
	fprintf(stderr, "boot: %s\n", what);
	exit(1);
}

/* In the child: becomes QEMU with its serial line on standard output. */
static void exec_qemu(const char *kernel)
{
	char machine_option[128], ram[128];
	const char *argv[40] = { qemu,
				 "-nodefaults",
				 "-no-user-config",
				 "-display",
				 "none",
				 "-cpu",
				 "max,phys-bits=46",
				 "-accel",
				 "tcg",
				 "-serial",
				 "stdio",
				 "-device",
				 "virtio-balloon-pci",
				 "-kernel",
				 kernel };
	int n = 15;

	snprintf(machine_option, sizeof(machine_option), "%s,memory-backend=ram", machine);
	snprintf(ram, sizeof(ram), "memory-backend-ram,id=ram,reserve=off,size=%s", memory);
	argv[n++] = "-machine";
	argv[n++] = machine_option;
	argv[n++] = "-object";
	argv[n++] = ram;
	if (bios) {
		argv[n++] = "-bios";
		argv[n++] = bios;
	}
	execvp(qemu, (char *const *)argv);
	_exit(127);
}

/* Reads until `text` was seen; false if it does not come. */
static bool wait_for(int fd, const char *text)
{
	char seen[65536];
	size_t length = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (length < sizeof(seen) - 1 && poll(&p, 1, TIMEOUT_MS) > 0) {
		ssize_t n = read(fd, seen + length, sizeof(seen) - 1 - length);

		if (n <= 0)
			return false;
		length += (size_t)n;
		seen[length] = '\0';
		if (strstr(seen, text))
			return true;
	}
	return false;
}

/* Milliseconds from fork() to `text` on the serial line. */
static double measure(const char *kernel, const char *text)
{
	int out[2], in[2];
	double start, end;
	bool seen;
	pid_t pid;

	if (pipe(out) || pipe(in))
		die(strerror(errno));
	start = now_ms();
	pid = fork();
	if (pid < 0)
		die(strerror(errno));
	if (pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		for (int i = 0; i < 2; i++) {
			close(in[i]);
			close(out[i]);
		}
		exec_qemu(kernel);
	}
	close(out[1]);
	close(in[0]);
	seen = wait_for(out[0], text);
	end = now_ms();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(out[0]);
	close(in[1]);
	if (!seen) {
		fprintf(stderr, "boot: %s never printed \"%s\"\n", kernel, text);
		exit(1);
	}
	return end - start;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double print_row(const char *name, double *ms, int runs)
{
	qsort(ms, (size_t)runs, sizeof(*ms), compare);
	printf("%-34s %8.1f %8.1f %8.1f\n", name, ms[runs / 2], ms[0], ms[runs - 1]);
	return ms[runs / 2];
}

int main(int argc, char **argv)
{
	static double guest[RUNS_MAX], peer[RUNS_MAX];
	int runs = 11;
	int option;

	while ((option = getopt(argc, argv, "n:m:M:b:")) != -1) {
		switch (option) {
		case 'n':
			runs = atoi(optarg);
			break;
		case 'm':
			machine = optarg;
			break;
		case 'M':
			memory = optarg;
			break;
		case 'b':
			bios = optarg;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 2 || runs < 1 || runs > RUNS_MAX)
		die("usage: boot [-n 1..1000] [-m MACHINE] [-M MEM] [-b BIOS] GUEST PEER");
	if (getenv("QEMU") && *getenv("QEMU"))
		qemu = getenv("QEMU");
	signal(SIGPIPE, SIG_IGN);
	/* Once each for the caches, not counted. */
	measure(argv[optind], "aerostat> ");
	measure(argv[optind + 1], "!");
	for (int i = 0; i < runs; i++) {
		guest[i] = measure(argv[optind], "aerostat> ");
		peer[i] = measure(argv[optind + 1], "!");
	}
	printf("%s, %s, %s, TCG, %d runs in turn\n", machine, memory,
	       bios ? bios : "default firmware", runs);
	printf("%-34s %8s %8s %8s\n", "from QEMU's start, ms", "median", "min", "max");
	double a = print_row("Aerostat, to its prompt", guest, runs);
	double b = print_row("one byte and stop, to that byte", peer, runs);

	printf("ratio of the medians: %.2f\n", a / b);
	return 0;
}
