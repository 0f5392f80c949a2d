/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile host and a clumsy person, on the real image: used rings edited
 * while the guest runs (its memory is a file that this test has mapped, too),
 * floods of targets and of serial input, machines full of devices. Passed
 * means: the console answers, the ledger adds up, `hold` patterns are whole.
 *
 * Only what the device may write is edited: a host can always ruin a guest by
 * writing its memory, and nothing is promised there.
 *
 * SLOW=1 does the whole of it (make test-all), else a tenth.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tests/integration/harness.h"
#include "tools/deadline.h"

#define BACKEND "/machine/peripheral/balloon0/virtio-backend"

#define END "that-is-all"

static unsigned scaled(unsigned count)
{
	return getenv("SLOW") ? count : count / 10;
}

/*
 * All that the guest says to a line, by free(). Lines of the log may come at any
 * moment, with the prompt anew: the end is what no log says.
 */
static char *answer(struct vm *vm, const char *line)
{
	char *text;

	assert_int_equal(vm_send(vm, line, strlen(line)), 0);
	assert_int_equal(vm_send(vm, END "\r", strlen(END "\r")), 0);
	assert_int_equal(vm_expect(vm, END ": no such command", VM_TIMEOUT_MS, &text), 0);
	return text;
}

static void answer_says(struct vm *vm, const char *line, const char *wanted)
{
	char *text = answer(vm, line);

	if (!strstr(text, wanted))
		fail_msg("'%s' does not say \"%s\" but:\n%s", line, wanted, text);
	free(text);
}

/* ---- The used rings ---- */

/* Where a queue's parts lie; packed: the used area is the device's event (2.8.14). */
struct ring {
	uint64_t desc, avail, used, entries;
};

struct tampered {
	struct vm *vm;
	uint8_t *ram;
	/* One lie; false: there was nothing to edit. */
	bool (*edit)(uint8_t *ram, const struct ring *ring);
	unsigned writes, lives, broken, retries;
};

static uint64_t queue_value(struct json_object *queue, const char *name)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(queue, name, &value));
	return json_object_get_uint64(value);
}

static struct json_object *backend(void)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "path", json_object_new_string(BACKEND));
	return args;
}

/* False: the queue is not in use. */
static bool find_ring(struct vm *vm, int queue, struct ring *ring)
{
	struct json_object *args = backend(), *reply;

	json_object_object_add(args, "queue", json_object_new_int(queue));
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "x-query-virtio-queue-status", args, &reply));
	ring->desc = queue_value(reply, "vring-desc");
	ring->avail = queue_value(reply, "vring-avail");
	ring->used = queue_value(reply, "vring-used");
	ring->entries = queue_value(reply, "vring-num");
	json_object_put(reply);
	return ring->used != 0;
}

/* In flags (2.7.8), index, an entry's id or length, or anywhere. */
static bool edit_used_ring(uint8_t *ram, const struct ring *ring)
{
	uint16_t *words = (uint16_t *)(ram + ring->used);
	uint32_t *cells = (uint32_t *)(ram + ring->used + 4);
	size_t cell = (size_t)random() % (2 * ring->entries);

	switch (random() % 6) {
	case 0:
		words[0] = (uint16_t)random();
		break;
	case 1:
		words[1] = (uint16_t)random();
		break;
	case 2:
		words[1]++;
		break;
	case 3:
		cells[cell] = (uint32_t)random() % (2 * (uint32_t)ring->entries);
		break;
	case 4:
		cells[cell] = UINT32_MAX;
		break;
	default:
		memset(cells, (int)random(), 8 * ring->entries);
	}
	return true;
}

/* 2.8.13 */
struct packed_desc {
	uint64_t address;
	uint32_t length;
	uint16_t id, flags;
};

#define PACKED_AVAIL 0x0080
#define PACKED_USED 0x8000

static bool is_used(const struct packed_desc *desc)
{
	return !(desc->flags & PACKED_AVAIL) == !(desc->flags & PACKED_USED);
}

/* From now on it says that it was used in the round after. */
static void use_again(struct packed_desc *desc)
{
	desc->flags ^= PACKED_AVAIL | PACKED_USED;
}

/*
 * In the device's event, or in descriptors that it has used. One that waits for
 * the device is QEMU's input: edited, it could lead QEMU to any of the guest's memory.
 */
static bool edit_packed_ring(uint8_t *ram, const struct ring *ring)
{
	struct packed_desc *all = (struct packed_desc *)(ram + ring->desc);
	struct packed_desc *desc = &all[(size_t)random() % ring->entries];

	if (random() % 6 == 0) {
		memset(ram + ring->used, (int)random(), 4);
		return true;
	}
	if (!is_used(desc))
		return false;
	use_again(desc);
	switch (random() % 4) {
	case 0:
		desc->id = (uint16_t)random();
		break;
	case 1:
		desc->id = (uint16_t)((uint64_t)random() % ring->entries);
		break;
	case 2:
		desc->length = UINT32_MAX;
		break;
	default:
		for (uint64_t i = 0; i < ring->entries; i++)
			if (&all[i] != desc && is_used(&all[i]))
				use_again(&all[i]);
	}
	return true;
}

/* The guest stands still meanwhile, so that the ring is where QEMU says. */
static void tamper(struct tampered *t)
{
	struct vm *vm = t->vm;
	struct ring ring;

	harness_execute(vm, "stop");
	if (find_ring(vm, (int)(random() % 4), &ring)) {
		assert_true(ring.desc < harness_ram(vm) && ring.used < harness_ram(vm));
		assert_true(ring.entries <= 1024);
		t->writes += t->edit(t->ram, &ring);
	}
	harness_execute(vm, "cont");
}

static bool is_broken(struct vm *vm)
{
	char *text = answer(vm, "balloon\r");
	bool broken = strstr(text, "BROKEN: ");

	free(text);
	return broken;
}

static void check_life(struct tampered *t)
{
	answer_says(t->vm, "audit\r", "Ledger: ok (");
	answer_says(t->vm, "release all\r", "pattern intact");
	answer_says(t->vm, "hold 8M\r", "held ");
}

static void live_again(struct tampered *t)
{
	harness_execute(t->vm, "system_reset");
	/* Not a prompt of its last life. */
	assert_int_equal(vm_expect(t->vm, "booted by ", VM_TIMEOUT_MS, NULL), 0);
	harness_wait_prompt(t->vm, NULL);
	answer_says(t->vm, "hold 8M\r", "held ");
	t->lives++;
}

/* Nothing edits its rings now: with the reset it is well, and goes where it is asked to. */
static void retry(struct tampered *t)
{
	free(answer(t->vm, "balloon retry\r"));
	assert_false(is_broken(t->vm));
	answer_says(t->vm, "audit\r", "Ledger: ok (");
	harness_take(t->vm, 64 * MIB);
	harness_take(t->vm, 0);
	answer_says(t->vm, "audit\r", "Ledger: ok (");
	t->retries++;
}

/* Until there were so many edits; some must have been noticed. */
static void tamper_often(struct tampered *t, unsigned wanted)
{
	while (t->writes < wanted) {
		for (int i = 0; i < 5; i++) {
			harness_set_target(t->vm, (uint64_t)random() % (200 * MIB) / FRAME * FRAME);
			tamper(t);
		}
		check_life(t);
		if (is_broken(t->vm)) {
			if (t->broken++ % 2 == 0)
				retry(t);
			else
				live_again(t);
		}
	}
	assert_true(t->broken > 0);
}

/* A guest whose RAM is mapped at `ram`, too, until munmap(). */
static struct vm *boot_mapped(struct guest_options guest, uint8_t **ram)
{
	char path[] = "/tmp/aerostat-memory-XXXXXX";
	int fd = mkstemp(path);
	struct vm *vm;

	assert_true(fd >= 0);
	guest.memory_file = path;
	vm = harness_boot(&guest);
	*ram = mmap(NULL, harness_ram(vm), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(*ram != MAP_FAILED);
	close(fd);
	unlink(path);
	return vm;
}

static void survive(const char *balloon, bool (*edit)(uint8_t *ram, const struct ring *ring))
{
	struct tampered t = { .edit = edit, .lives = 1 };

	srandom(20261121);
	t.vm = boot_mapped((struct guest_options){ .balloon = balloon }, &t.ram);
	harness_command_says(t.vm, "hold 8M", "held ");
	tamper_often(&t, scaled(1000));
	live_again(&t);
	harness_take(t.vm, 64 * MIB);
	harness_check_taken(t.vm, 64 * MIB, false);
	print_message("%u edits, %u times given up, %u retried, %u lives\n", t.writes, t.broken,
		      t.retries, t.lives);
	munmap(t.ram, harness_ram(t.vm));
	harness_stop(t.vm);
}

static void used_rings_edited_while_it_runs_are_survived(void **state)
{
	(void)state;
	survive("free-page-reporting=on", edit_used_ring);
}

static void packed_rings_edited_while_it_runs_are_survived(void **state)
{
	(void)state;
	survive("free-page-reporting=on,packed=on", edit_packed_ring);
}

/* ---- A device that asks for a reset ---- */

#define VIRTIO_VENDOR 0x1af4
#define LEGACY_NOTIFY 16 /* 4.1.4.10 */
#define LEGACY_STATUS 18 /* the same status as in the modern registers */
#define NEEDS_RESET 0x40 /* 2.1 */

/* The ports of a transitional device; they are there, though the guest has other ways. */
static uint64_t find_ports(struct json_object *buses)
{
	struct json_object *devices, *id, *regions;

	assert_true(json_object_object_get_ex(json_object_array_get_idx(buses, 0), "devices",
					      &devices));
	for (size_t i = 0; i < json_object_array_length(devices); i++) {
		struct json_object *device = json_object_array_get_idx(devices, i);

		assert_true(json_object_object_get_ex(device, "id", &id));
		assert_true(json_object_object_get_ex(device, "regions", &regions));
		if (queue_value(id, "vendor") == VIRTIO_VENDOR)
			return queue_value(json_object_array_get_idx(regions, 0), "address");
	}
	fail_msg("there is no virtio device");
	return 0;
}

/* A command of the human monitor with a port's address in it; the answer is the caller's. */
static char *monitor_at(struct vm *vm, const char *format, uint64_t port)
{
	char line[64], *text;

	snprintf(line, sizeof(line), format, port);
	assert_qmp(vm, qmp_human(vm_qmp(vm), line, &text));
	return text;
}

/*
 * QEMU wants a reset when it reads nonsense from the available ring: an entry for
 * a descriptor that is not there, and a notification in the guest's place. Queue 0.
 */
static void make_it_ask(struct vm *vm, uint8_t *ram)
{
	struct json_object *buses;
	unsigned long status;
	struct ring ring;
	uint16_t *avail;
	uint64_t ports;
	char *text;

	assert_true(find_ring(vm, 0, &ring));
	avail = (uint16_t *)(ram + ring.avail);
	avail[2 + avail[1] % ring.entries] = 0x7fff;
	avail[1]++;
	assert_qmp(vm, qmp_execute(vm_qmp(vm), "query-pci", NULL, &buses));
	ports = find_ports(buses);
	json_object_put(buses);
	free(monitor_at(vm, "o/h 0x%" PRIx64 " 0", ports + LEGACY_NOTIFY));
	/* "portb[0xc052] = 0x4f" */
	text = monitor_at(vm, "i/b 0x%" PRIx64, ports + LEGACY_STATUS);
	assert_int_equal(sscanf(text, "portb[%*x] = %lx", &status), 1);
	assert_true(status & NEEDS_RESET);
	free(text);
}

static void wait_for_recoveries(struct vm *vm, unsigned wanted)
{
	int64_t deadline = deadline_in(VM_TIMEOUT_MS);
	char line[48];
	char *text;

	snprintf(line, sizeof(line), "Recovered from resets: %u\n", wanted);
	while (!strstr(text = answer(vm, "balloon\r"), line)) {
		if (deadline_left(deadline) == 0)
			fail_msg("waited for \"%s\", not:\n%s", line, text);
		free(text);
	}
	free(text);
}

static void a_device_that_asks_for_a_reset_gets_it(void **state)
{
	struct vm *vm;
	uint8_t *ram;

	(void)state;
	vm = boot_mapped((struct guest_options){ .mem = "2G" }, &ram);
	harness_command_says(vm, "hold 8M", "held ");
	harness_take(vm, 64 * MIB);
	harness_execute(vm, "stop");
	make_it_ask(vm, ram);
	harness_execute(vm, "cont");
	wait_for_recoveries(vm, 1);
	harness_check_taken(vm, 64 * MIB, false);
	harness_stop_on_the_way(vm, 64 * MIB, 1088 * MIB);
	make_it_ask(vm, ram);
	harness_execute(vm, "cont");
	wait_for_recoveries(vm, 2);
	harness_take(vm, 1088 * MIB);
	harness_check_taken(vm, 1088 * MIB, false);
	harness_command_says(vm, "release all", "pattern intact");
	munmap(ram, harness_ram(vm));
	harness_stop(vm);
}

/* ---- Floods ---- */

static void a_flood_of_targets_ends_at_the_last(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ 0 });
	const unsigned count = scaled(10000);

	(void)state;
	harness_command_says(vm, "hold 8M", "held ");
	srandom(1);
	for (unsigned i = 0; i < count; i++)
		harness_set_target(vm, (uint64_t)random() % (220 * MIB) / FRAME * FRAME);
	harness_take(vm, 77 * FRAME);
	harness_check_taken(vm, 77 * FRAME, false);
	harness_command_says(vm, "release all", "pattern intact");
	harness_stop(vm);
}

static void stopped_and_continued_often_it_goes_on(void **state)
{
	struct vm *vm = harness_boot(&(struct guest_options){ 0 });
	const unsigned count = scaled(1000);

	(void)state;
	for (unsigned i = 0; i < count; i++) {
		if (i % 20 == 0)
			harness_set_target(vm, (i % 40 ? 30 : 190) * MIB);
		harness_execute(vm, "stop");
		harness_execute(vm, "cont");
	}
	harness_take(vm, 100 * MIB);
	harness_check_taken(vm, 100 * MIB, false);
	harness_stop(vm);
}

#define FLOOD_TIMEOUT_MS (15 * 60 * 1000)
#define FLOOD_AGAIN_MS 5000
#define POLL_US 20000

/*
 * Types until it is answered: what comes faster than it is read is dropped (and
 * counted), and on a loaded machine that may be these words, too.
 */
static void type_until_answered(struct vm *vm, const char *words, const char *answer)
{
	int64_t deadline = deadline_in(FLOOD_TIMEOUT_MS);

	do {
		int64_t again = deadline_in(FLOOD_AGAIN_MS);

		assert_true(deadline_left(deadline) > 0);
		assert_int_equal(vm_send(vm, words, strlen(words)), 0);
		while (!vm_has_said(vm, answer) && deadline_left(again))
			usleep(POLL_US);
	} while (!vm_has_said(vm, answer));
}

/* A line of nonsense is typed in its midst; none of it is obeyed. */
static void flood_line(struct vm *vm, const char *bytes, size_t count)
{
	size_t piece = 65536;

	for (size_t at = 0; at < count; at += piece) {
		harness_set_target(vm, (at / piece % 2 ? 16 : 128) * MIB);
		vm_forget(vm);
		assert_int_equal(vm_send(vm, bytes + at, count - at < piece ? count - at : piece),
				 0);
	}
	/* Noise may spell anything else, but not this. */
	type_until_answered(vm, "\r\003\r" END "\r", END ": no such command");
	assert_int_equal(vm_expect(vm, END ": no such command", 0, NULL), 0);
	harness_wait_prompt(vm, NULL);
	harness_command_says(vm, "audit", "Ledger: ok (");
}

static void floods_of_serial_input_are_not_obeyed(void **state)
{
	/* QEMU hands over some 40 kB a second. */
	const size_t noise = getenv("SLOW") ? 4 * MIB : 128 * KIB;
	const size_t line = getenv("SLOW") ? MIB : 128 * KIB;
	struct vm *vm = harness_boot(&(struct guest_options){ 0 });
	char *bytes = malloc(noise > line ? noise : line);

	(void)state;
	assert_non_null(bytes);
	srandom(2);
	for (size_t i = 0; i < noise; i++)
		bytes[i] = (char)random();
	flood_line(vm, bytes, noise);
	memset(bytes, 0, line);
	flood_line(vm, bytes, line);
	memset(bytes, 'x', line);
	memcpy(bytes, "exit 3;", 7);
	flood_line(vm, bytes, line);
	free(bytes);
	harness_take(vm, 64 * MIB);
	harness_check_taken(vm, 64 * MIB, false);
	harness_stop(vm);
}

/* ---- Machines full of devices ---- */

#define EXTRA_MAX 65536

static void add_devices(char *extra, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_devices(char *extra, const char *format, ...)
{
	size_t len = strlen(extra);
	va_list args;

	va_start(args, format);
	vsnprintf(extra + len, EXTRA_MAX - len, format, args);
	va_end(args);
	assert_true(strlen(extra) < EXTRA_MAX - 200);
}

static void use_crowded_machine(const char *firmware, const char *extra)
{
	struct vm *vm = harness_boot(
		&(struct guest_options){ .machine = "pc", .firmware = firmware, .extra = extra });

	harness_take(vm, 64 * MIB);
	harness_check_taken(vm, 64 * MIB, false);
	harness_stop(vm);
}

/* 19 bridges of 27 devices each; by qboot, as SeaBIOS has no addresses for so many. */
static void a_machine_of_500_devices_is_scanned(void **state)
{
	static char extra[EXTRA_MAX];

	(void)state;
	extra[0] = '\0';
	for (int b = 0; b < 19; b++) {
		add_devices(extra, " -device pci-bridge,id=b%d,chassis_nr=%d", b, b + 1);
		for (unsigned d = 1; d <= 27; d++)
			add_devices(extra, " -device pci-testdev,bus=b%d,addr=%x", b, d);
	}
	use_crowded_machine("qboot", extra);
}

static void thirty_nested_bridges_are_scanned(void **state)
{
	static char extra[EXTRA_MAX];

	(void)state;
	strcpy(extra, "-device pci-bridge,id=b0,chassis_nr=1");
	for (int b = 1; b < 30; b++)
		add_devices(extra, " -device pci-bridge,id=b%d,chassis_nr=%d,bus=b%d", b, b + 1,
			    b - 1);
	use_crowded_machine(NULL, extra);
}

int hostile_tests(void)
{
	const struct CMUnitTest tests[] = {
		TEST(used_rings_edited_while_it_runs_are_survived),
		TEST(packed_rings_edited_while_it_runs_are_survived),
		TEST(a_device_that_asks_for_a_reset_gets_it),
		TEST(a_flood_of_targets_ends_at_the_last),
		TEST(stopped_and_continued_often_it_goes_on),
		TEST(floods_of_serial_input_are_not_obeyed),
		TEST(a_machine_of_500_devices_is_scanned),
		TEST(thirty_nested_bridges_are_scanned),
	};

	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
