/* SPDX-License-Identifier: BSD-2-Clause */
/* A QEMU for tests: see fake_qemu.h. Its answers have the form of QEMU 7.2's. */
#include <stdarg.h>
#include <setjmp.h>

#include "tests/unit/tools/balloonctl/fake_qemu.h"

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/balloonctl/command.h"
#include "tools/balloonctl/guest.h"

#define PAGE 4096
#define MAX_ANSWERS 32
#define MAX_WORDS 10

/* All that follows is the child's own. */
static struct fake_qemu model;
static int64_t target;	/* memory left; 0: none was set */
static size_t nr_asked; /* for what is left, since then */
static unsigned used[MAX_ANSWERS];
static bool halted;
static pid_t client;
static unsigned nr_reports; /* of a guest that lives */
static char interval[16];   /* of its statistics */
static struct fake_mem mems[FAKE_MEMS];

/* Of run_command(). */
static int command_timeout_ms;

static int64_t left_now(void)
{
	size_t i = nr_asked;

	if (!target)
		return model.left_before ? model.left_before : FAKE_RAM;
	if (!model.lefts)
		return target;
	if (nr_asked + 1 < model.nr_lefts)
		nr_asked++;
	return model.lefts[i];
}

static const char virtio_status[] =
	"{\"name\": \"virtio-balloon\", \"device-id\": 5, \"broken\": false, "
	"\"status\": {\"statuses\": [%s]}, "
	"\"guest-features\": {\"dev-features\": [%s], \"transports\": [%s]}, "
	"\"host-features\": {\"unknown-dev-features\": 1099511627776, \"dev-features\": "
	"[\"VIRTIO_BALLOON_F_PAGE_POISON: Guest page poisoning enabled\", "
	"\"VIRTIO_BALLOON_F_STATS_VQ: Guest memory stats VQ available\"], \"transports\": "
	"[\"VIRTIO_RING_F_EVENT_IDX: Used & avail. event fields enabled\", "
	"\"VIRTIO_F_VERSION_1: Device compliant for v1 spec (legacy)\"]}}";

/* ---- virtio-mem ---- */

static void move_mem(struct fake_mem *mem)
{
	uint64_t most = mem->most ? mem->most : mem->region, goal = mem->requested;
	uint64_t step = mem->step ? mem->step : mem->region;

	if (mem->no_driver)
		return;
	if (goal > mem->plugged && mem->plugged < most) {
		goal = goal < most ? goal : most;
		mem->plugged += goal - mem->plugged < step ? goal - mem->plugged : step;
	} else if (goal < mem->plugged && mem->plugged > mem->least) {
		goal = goal > mem->least ? goal : mem->least;
		mem->plugged -= mem->plugged - goal < step ? mem->plugged - goal : step;
	}
}

static void answer_devices(char *text, size_t size)
{
	size_t length = (size_t)snprintf(text, size, "[");

	for (size_t i = 0; i < model.nr_mems; i++) {
		struct fake_mem *mem = &mems[i];

		move_mem(mem);
		length += (size_t)snprintf(
			text + length, size - length,
			"%s{\"type\": \"virtio-mem\", \"data\": {\"memdev\": \"/objects/vm%zu\", "
			"\"block-size\": %" PRIu64 ", \"size\": %" PRIu64 ", \"max-size\": %" PRIu64
			", \"requested-size\": %" PRIu64 "%s%s%s}}",
			i ? ", " : "", i, mem->block, mem->plugged, mem->region, mem->requested,
			mem->id ? ", \"id\": \"" : "", mem->id ? mem->id : "", mem->id ? "\"" : "");
	}
	snprintf(text + length, size - length, "]");
}

/* Those without an id, each by its number among all. */
static void answer_anonymous(char *text, size_t size)
{
	size_t length = (size_t)snprintf(text, size,
					 "[{\"name\": \"type\", \"type\": \"string\"}, "
					 "{\"name\": \"net\", \"type\": "
					 "\"child<virtio-net-pci>\"}");

	for (size_t i = 0; i < model.nr_mems; i++)
		if (!mems[i].id)
			length += (size_t)snprintf(text + length, size - length,
						   ", {\"name\": \"device[%zu]\", \"type\": "
						   "\"child<virtio-mem-pci>\"}",
						   i);
	snprintf(text + length, size - length, "]");
}

/* The device whose path is in the request; NULL: it is about something else. */
static struct fake_mem *find_mem(const char *request)
{
	for (size_t i = 0; i < model.nr_mems; i++) {
		char path[160];

		if (mems[i].id)
			snprintf(path, sizeof(path), "\"/machine/peripheral/%s", mems[i].id);
		else
			snprintf(path, sizeof(path), "\"/machine/peripheral-anon/device[%zu]", i);
		if (strstr(request, path))
			return &mems[i];
	}
	return NULL;
}

static void note_request(const char *request)
{
	const char *value = strstr(request, "\"requested-size\",\"value\":");
	struct fake_mem *mem = find_mem(request);

	if (value && mem)
		sscanf(value, "\"requested-size\",\"value\":%" SCNu64, &mem->requested);
}

/* ---- the balloon ---- */

static void answer_status(const char *request, char *text, size_t size)
{
	const struct fake_mem *mem = find_mem(request);

	if (mem ? mem->no_driver : model.no_driver)
		snprintf(text, size, virtio_status, "", "", "");
	else
		snprintf(text, size, virtio_status,
			 "\"VIRTIO_CONFIG_S_FEATURES_OK: Feature negotiation complete\", "
			 "\"VIRTIO_CONFIG_S_DRIVER_OK: Driver setup and ready\"",
			 "\"VIRTIO_BALLOON_F_STATS_VQ: Guest memory stats VQ available\"",
			 "\"VIRTIO_F_IOMMU_PLATFORM: IOMMU\", "
			 "\"VIRTIO_F_VERSION_1: Device compliant for v1 spec (legacy)\"");
}

/* Regions: the device's in the BAR's, the BAR's in the bus's. */
static const char *answer_property(const char *request)
{
	static char memdev[32];

	if (strstr(request, "\"memdev\"") && find_mem(request)) {
		snprintf(memdev, sizeof(memdev), "\"/objects/vm%zu\"",
			 (size_t)(find_mem(request) - mems));
		return memdev;
	}
	if (strstr(request, "guest-stats-polling-interval"))
		return *interval ? interval : "0";
	if (strstr(request, "guest-stats") && nr_reports) {
		static char report[128];

		snprintf(report, sizeof(report),
			 "{\"stats\": {\"stat-free-memory\": 4096}, \"last-update\": %u}",
			 1000 + nr_reports);
		return report;
	}
	if (strstr(request, "guest-stats"))
		return "{\"stats\": {\"stat-free-memory\": 4096, \"stat-swap-in\": "
		       "18446744073709551615}, \"last-update\": 0}";
	if (strstr(request, "parent_bus") && model.plain)
		return "\"/machine/unattached/device[27]/virtio-mmio-bus.23\"";
	if (strstr(request, "device[27]/virtio-mmio[0]"))
		return strstr(request, "\"addr\"") ? "65536" : "\"/machine/unattached/system[0]\"";
	if (strstr(request, "virtio-pci-device-virtio-balloon[0]") && !model.legacy)
		return strstr(request, "\"addr\"") ? "8192"
						   : "\"/machine/peripheral/b0/virtio-pci[0]\"";
	if (strstr(request, "virtio-pci[0]"))
		return strstr(request, "\"addr\"")	? "4261412864"
		       : model.unmapped || model.legacy ? "\"\""
							: "\"/machine/unattached/pci[0]\"";
	if (strstr(request, "virtio-pci[1]") && model.legacy)
		return strstr(request, "\"addr\"") ? "49152" : "\"/machine/unattached/io[0]\"";
	return NULL;
}

/* The registers are where the regions above say, and nowhere else. */
static void answer_monitor(const char *request, char *text, size_t size)
{
	int64_t taken = target ? FAKE_RAM - target : 0;
	const char *there = model.plain	   ? "xp /1wx 0x10100\""
			    : model.legacy ? "i /1wx 0xc014\""
					   : "xp /1wx 0xfe002000\"";

	if (strstr(request, there))
		snprintf(text, size, "\"00000000fe002000: 0x%08" PRIx64 "\\r\\n\"",
			 (uint64_t)taken / PAGE);
	else
		snprintf(text, size, "\"Cannot access memory\\r\\n\"");
}

static uint64_t argument(const char *request, const char *name)
{
	const char *at = strstr(request, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static bool runs(void)
{
	return !model.paused && !model.panicked && !halted;
}

/* It opens the file by name, as QEMU does, and must be told all of three arguments. */
static void answer_peek(const char *request, char *text, size_t size)
{
	const struct timespec pause = { .tv_nsec = model.peek_ms * 1000000l };
	const char *name = strstr(request, "\"filename\":\"");
	uint64_t count = argument(request, "\"size\":");
	static uint8_t memory[GUEST_PEEK_MAX];
	char path[64] = "";
	FILE *file;

	nanosleep(&pause, NULL);
	if (name)
		sscanf(name, "\"filename\":\"%63[^\"]", path);
	file = runs() || count > sizeof(memory) || !strstr(request, "\"val\":") ? NULL
										: fopen(path, "wb");
	if (!file)
		return;
	memset(memory, 0x5a, (size_t)count);
	if (model.peek)
		model.peek(argument(request, "\"val\":"), memory, (size_t)count);
	fwrite(memory, 1, (size_t)count, file);
	fclose(file);
	snprintf(text, size, "{}");
}

/* The value to return; "" for a command that is not known. */
static void answer_by_itself(const char *request, char *text, size_t size)
{
	const char *property = NULL;

	*text = '\0';
	if (strstr(request, "\"query-memory-size-summary\""))
		snprintf(text, size, "{\"base-memory\": %lld, \"plugged-memory\": 0}", FAKE_RAM);
	else if (strstr(request, "\"query-status\""))
		snprintf(text, size, "{\"running\": %s, \"status\": \"%s\"}",
			 runs() ? "true" : "false",
			 runs()		  ? "running"
			 : model.panicked ? "guest-panicked"
					  : "paused");
	else if (strstr(request, "\"query-balloon\""))
		snprintf(text, size, "{\"actual\": %" PRId64 "}", left_now());
	else if (strstr(request, "\"qom-list\"") && strstr(request, "peripheral\""))
		snprintf(text, size,
			 "[{\"name\": \"type\", \"type\": \"string\"}, {\"name\": \"b0\", "
			 "\"type\": \"child<virtio-balloon-%s>\"}]",
			 model.plain ? "device" : "pci");
	else if (strstr(request, "\"x-query-virtio-status\"") && !model.old)
		answer_status(request, text, size);
	else if (strstr(request, "\"query-memory-devices\"") && model.mems)
		answer_devices(text, size);
	else if (strstr(request, "\"qom-list\"") && strstr(request, "peripheral-anon\""))
		answer_anonymous(text, size);
	else if (strstr(request, "\"qom-get\""))
		property = answer_property(request);
	else if (strstr(request, "\"human-monitor-command\""))
		answer_monitor(request, text, size);
	else if (strstr(request, "\"pmemsave\""))
		answer_peek(request, text, size);
	else if (strstr(request, "\"qmp_capabilities\"") || strstr(request, "\"qom-set\""))
		snprintf(text, size, "{}");
	else if (strstr(request, "\"stop\"") || strstr(request, "\"cont\""))
		snprintf(text, size, "{}");
	if (property)
		snprintf(text, size, "%s", property);
}

static const struct fake_answer *find_answer(const char *request)
{
	for (unsigned i = 0; model.answers && model.answers[i].asks; i++) {
		const struct fake_answer *answer = &model.answers[i];

		if (!strstr(request, answer->asks) || (answer->times && used[i] >= answer->times))
			continue;
		used[i]++;
		return answer;
	}
	return NULL;
}

/* It is asked as soon as the interval is set, and answers at once. */
static void note_interval(const char *request)
{
	const char *value = strstr(request, "polling-interval\",\"value\":");

	if (!value)
		return;
	value = strstr(value, "\"value\":") + strlen("\"value\":");
	snprintf(interval, sizeof(interval), "%d", atoi(value));
	nr_reports += model.lives && atoi(value) > 0;
}

static void note_target(const char *request)
{
	const char *value = strstr(request, "\"balloon\"");

	value = value ? strstr(value, "\"value\":") : NULL;
	if (value)
		target = strtoll(value + strlen("\"value\":"), NULL, 10);
}

/* Does not return, unless nobody listens any more. */
static void lie(FILE *to, enum fake_lie lie)
{
	const struct timespec moment = { .tv_nsec = 10000000 };
	bool fast = lie == FAKE_CHATTERS || lie == FAKE_BREATHES;

	if (lie == FAKE_SAYS_HALF || lie == FAKE_DRIBBLES)
		fputs("{\"retu", to);
	fflush(to);
	while (lie == FAKE_SAYS_NOTHING || lie == FAKE_SAYS_HALF)
		pause();
	do {
		fputs(lie == FAKE_CHATTERS ? "{\"event\": \"CHATTER\"}\n"
		      : fast		   ? "\r\n"
					   : "x",
		      to);
		if (!fast)
			nanosleep(&moment, NULL);
	} while (fast ? !ferror(to) : !fflush(to));
}

/* false: the connection ends. */
static bool answer_request(FILE *to, const char *request)
{
	const struct fake_answer *answer = find_answer(request);
	const char *id = strstr(request, "\"id\":"), *error = NULL;
	char value[4096] = "";

	if (answer && answer->before)
		fputs(answer->before, to);
	if (answer && answer->signal)
		kill(client, answer->signal);
	if (answer && answer->lie) {
		lie(to, answer->lie);
		return false;
	}
	if (answer && answer->hang_up) {
		fputs("{\"retu", to);
		return false;
	}
	if (answer && answer->error)
		error = answer->error;
	else if (answer && answer->value)
		snprintf(value, sizeof(value), "%s", answer->value);
	else if (model.no_device && strstr(request, "balloon\""))
		error = "DeviceNotActive";
	else if (strstr(request, "\"balloon\""))
		snprintf(value, sizeof(value), "{}");
	else
		answer_by_itself(request, value, sizeof(value));
	if (!error) {
		note_target(request);
		note_interval(request);
		note_request(request);
		if (strstr(request, "\"stop\"") || strstr(request, "\"cont\""))
			halted = !!strstr(request, "\"stop\"");
		if (strstr(request, "\"cont\"") && model.resumed)
			model.resumed();
	}
	if (!error && *value)
		fprintf(to, "{\"return\": %s, %s\r\n", value, id);
	else
		fprintf(to, "{\"error\": {\"class\": \"%s\", \"desc\": \"no\"}, %s\r\n",
			error ? error : "CommandNotFound", id);
	return fflush(to) == 0;
}

/* json-c writes a slash as \/. */
static void unescape_slashes(char *text)
{
	char *to = text;

	for (; *text; text++)
		if (text[0] != '\\' || text[1] != '/')
			*to++ = *text;
	*to = '\0';
}

static void greet(FILE *to)
{
	fputs("{\"QMP\": {\"version\": {", to);
	if (model.version)
		fprintf(to, "\"qemu\": {\"micro\": 3, \"minor\": 1, \"major\": %u}", model.version);
	fputs("}, \"capabilities\": []}}\r\n", to);
	fflush(to);
}

/* Each request is a line, as the client of the tools sends it, "id" last in it. */
static void serve(int fd)
{
	FILE *from = fdopen(fd, "r"), *to = fdopen(dup(fd), "w");
	struct ucred peer = { 0 };
	socklen_t size = sizeof(peer);
	char line[4096];

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	client = peer.pid;
	if (model.greeting)
		lie(to, model.greeting);
	else
		greet(to);
	while (fgets(line, sizeof(line), from)) {
		line[strcspn(line, "\n")] = '\0';
		unescape_slashes(line);
		if (!answer_request(to, line))
			break;
	}
	fclose(to);
	fclose(from);
}

/* With connections that nobody will accept, of this process and of the child. */
static void fill_backlog(const struct sockaddr_un *addr)
{
	int fd;

	do
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	while (!connect(fd, (const struct sockaddr *)addr, sizeof(*addr)));
	assert_int_equal(errno, EAGAIN);
	close(fd);
}

/*
 * Goes on in a child that has other numbers of processes, if there may be one. Who listens
 * last is the one that a client sees, so `ready` is told after that.
 */
static void go_elsewhere(int fd, int ready)
{
	pid_t pid;

	if (unshare(CLONE_NEWPID) && unshare(CLONE_NEWUSER | CLONE_NEWPID))
		return;
	pid = fork();
	if (pid != 0) {
		waitpid(pid, NULL, 0);
		_exit(0);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (listen(fd, 5) || write(ready, "", 1) != 1)
		_exit(1);
}

void fake_qemu_start(const struct fake_qemu *qemu, struct fake_place *place)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), ready[2];
	char byte;

	strcpy(place->dir, "/tmp/balloonctl-XXXXXX");
	assert_non_null(mkdtemp(place->dir));
	snprintf(place->path, sizeof(place->path), "%s/fake.qmp", place->dir);
	strcpy(addr.sun_path, place->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, qemu->deaf ? 0 : 5), 0);
	if (qemu->deaf)
		fill_backlog(&addr);
	fflush(NULL);
	assert_int_equal(pipe(ready), 0);
	place->pid = fork();
	assert_true(place->pid >= 0);
	if (place->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		model = *qemu;
		for (size_t i = 0; i < model.nr_mems; i++)
			mems[i] = model.mems[i];
		close(ready[0]);
		if (model.elsewhere)
			go_elsewhere(fd, ready[1]);
		close(ready[1]);
		while (model.deaf)
			pause();
		while (true)
			serve(accept(fd, NULL, NULL));
	}
	close(ready[1]);
	place->is_elsewhere = qemu->elsewhere && read(ready[0], &byte, 1) == 1;
	close(ready[0]);
	close(fd);
}

void fake_qemu_stop(struct fake_place *place)
{
	kill(place->pid, SIGKILL);
	waitpid(place->pid, NULL, 0);
	unlink(place->path);
	rmdir(place->dir);
}

/* ---- commands ---- */

/* Points `fd` to a file that is read when it is over. */
static FILE *catch (int fd, int *saved)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	fflush(NULL);
	*saved = dup(fd);
	dup2(fileno(file), fd);
	return file;
}

static void release(int fd, int saved, FILE *file, char *text, size_t size)
{
	fflush(NULL);
	dup2(saved, fd);
	close(saved);
	rewind(file);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
}

void run_within(int timeout_ms)
{
	command_timeout_ms = timeout_ms;
}

struct outcome run_command(const char *name, const char *word, ...)
{
	struct common common = { .guest = name, .timeout_ms = command_timeout_ms };
	char *argv[MAX_WORDS + 1] = { NULL };
	struct outcome outcome;
	int argc = 0, out, err;
	FILE *outs, *errs;
	va_list words;

	va_start(words, word);
	for (; word && argc < MAX_WORDS; word = va_arg(words, const char *))
		argv[argc++] = strdup(word);
	va_end(words);
	outs = catch (STDOUT_FILENO, &out);
	errs = catch (STDERR_FILENO, &err);
	outcome.status = command_run(command_find(argv[0]), &common, argc, argv);
	release(STDERR_FILENO, err, errs, outcome.err, sizeof(outcome.err));
	release(STDOUT_FILENO, out, outs, outcome.out, sizeof(outcome.out));
	while (argc)
		free(argv[--argc]);
	return outcome;
}

void assert_says(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("\"%s\" does not say \"%s\"", text, words);
}
