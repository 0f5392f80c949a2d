/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest, and its file; see subject.h. */
#include "tests/witness/subject.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/arguments.h"
#include "tools/deadline.h"
#include "tools/qmp.h"

/* A Linux moves single frames at 30 us each, beside other work on the machine. */
#define TIMEOUT_MS 180000
#define POLL_US 5000
#define LINUX_PROMPT "linux> "
#define SPARE_MIB "256"

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && value[0] ? value : otherwise;
}

static const char *prompt(const struct subject *subject)
{
	return subject->is_linux ? LINUX_PROMPT : VM_PROMPT;
}

/* ---- Start and stop ---- */

/* Half of the RAM lies above 4 GiB, and there, above all else, what a host may add. */
static void add_machine(struct arguments *a, const char *personality, const char *memory)
{
	static const char *const words[] = { "-nodefaults",
					     "-no-user-config",
					     "-no-reboot",
					     "-display",
					     "none",
					     "-accel",
					     "tcg",
					     "-cpu",
					     "max",
					     "-machine",
					     "q35,memory-backend=ram,max-ram-below-4g=512M",
					     "-m",
					     "1G" };

	arguments_add(a, environment("QEMU", "qemu-system-x86_64"));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		arguments_add(a, words[i]);
	arguments_add(a, "-object");
	arguments_add_text(a, "memory-backend-file,id=ram,size=1G,share=on,reserve=off,mem-path=%s",
			   memory);
	arguments_add(a, "-kernel");
	arguments_add_text(a, "%s/hypervisor.elf", environment("BUILD", "build"));
	arguments_add(a, "-fw_cfg");
	arguments_add_text(a, "name=opt/aerostat/hypervisor,string=%s", personality);
	arguments_add(a, "-fw_cfg");
	arguments_add(a, "name=opt/aerostat/spare-mib,string=" SPARE_MIB);
}

/* Where there is hibernation, hv_balloon gives nothing. Without the table Linux sees no VMBus. */
static void add_linux(struct arguments *a, const char *personality)
{
	const char *build = environment("BUILD", "build");

	arguments_add(a, "-initrd");
	arguments_add_text(a, "%s/witness/guest", build);
	arguments_add(a, "-append");
	arguments_add_text(a, "console=ttyS0 quiet loglevel=3 rdinit=/init driver=%s", personality);
	arguments_add(a, "-global");
	arguments_add(a, "ICH9-LPC.disable_s4=1");
	arguments_add(a, "-acpitable");
	arguments_add_text(
		a, "sig=SSDT,rev=2,oem_id=AEROST,oem_table_id=WITNESS,data=%s/witness/vmbus.aml",
		build);
}

static void add_aerostat(struct arguments *a)
{
	arguments_add(a, "-initrd");
	arguments_add_text(a, "%s/aerostat.elf", environment("BUILD", "build"));
	arguments_add(a, "-append");
	arguments_add(a, "floor=1M");
}

struct subject subject_start(bool is_linux, const char *personality)
{
	struct subject subject = { .is_linux = is_linux };
	char path[] = "/tmp/aerostat-witness-XXXXXX";
	char log[256];
	struct arguments a = { 0 };
	int fd = mkstemp(path), err;

	assert_return_code(fd, 0);
	close(fd);
	add_machine(&a, personality, path);
	if (is_linux)
		add_linux(&a, personality);
	else
		add_aerostat(&a);
	snprintf(log, sizeof(log), "%s/log/witness-%s-%s.serial", environment("BUILD", "build"),
		 personality, is_linux ? "linux" : "aerostat");
	err = vm_start(personality, a.argv, log, &subject.vm);
	if (!err)
		err = vm_expect(subject.vm, prompt(&subject), TIMEOUT_MS, NULL);
	if (!err)
		err = hypervisor_open(path, &subject.hypervisor, NULL);
	unlink(path);
	assert_int_equal(err, 0);
	subject.common = hypervisor_common(subject.hypervisor);
	return subject;
}

void subject_stop(struct subject *subject)
{
	if (subject->common->violation[0])
		fail_msg("the guest's mistake: %s", (const char *)subject->common->violation);
	assert_int_equal(subject->common->touched, 0);
	hypervisor_close(subject->hypervisor);
	vm_stop(subject->vm);
}

/* ---- What is asked, and waited for ---- */

char *subject_ask(struct subject *subject, const char *line)
{
	char *said;

	if (!subject->is_linux) {
		assert_int_equal(vm_command(subject->vm, line, TIMEOUT_MS, &said), 0);
		return said;
	}
	assert_int_equal(vm_send(subject->vm, line, strlen(line)), 0);
	assert_int_equal(vm_send(subject->vm, "\n", 1), 0);
	assert_int_equal(vm_expect(subject->vm, LINUX_PROMPT, TIMEOUT_MS, &said), 0);
	return said;
}

void subject_ring(struct subject *subject)
{
	if (qmp_execute(vm_qmp(subject->vm), "inject-nmi", NULL, NULL))
		fail_msg("%s", qmp_error(vm_qmp(subject->vm)));
}

struct patience patience_begin(const struct subject *subject, const char *what)
{
	return (struct patience){ subject, deadline_in(TIMEOUT_MS), what };
}

void patience_wait(const struct patience *patience)
{
	if (deadline_left(patience->deadline) == 0) {
		vm_report(patience->subject->vm, patience->what);
		fail_msg("%s: waited %d s in vain for %s",
			 patience->subject->is_linux ? "Linux" : "Aerostat", TIMEOUT_MS / 1000,
			 patience->what);
	}
	usleep(POLL_US);
}

void subject_await(struct subject *subject, const volatile uint64_t *figure, uint64_t least,
		   uint64_t most, const char *what)
{
	struct patience patience = patience_begin(subject, what);

	while (*figure < least || *figure > most)
		patience_wait(&patience);
}

void subject_await_step(struct subject *subject, const volatile uint32_t *figure, uint32_t value,
			const char *what)
{
	struct patience patience = patience_begin(subject, what);

	while (*figure != value)
		patience_wait(&patience);
}

/* ---- The file ---- */

/* Cuts "name  : value" where the name ends. Blanks within a name are one. */
static void cut_line(struct guest_file *file, char *line)
{
	char *colon = strchr(line, ':'), *to = line;

	if (!colon || file->count == SUBJECT_FILE_LINES)
		return;
	*colon = '\0';
	for (const char *from = line; *from; from++)
		if (*from != ' ' || (to > line && to[-1] != ' '))
			*to++ = *from;
	while (to > line && to[-1] == ' ')
		to--;
	*to = '\0';
	file->name[file->count] = line;
	file->value[file->count++] = colon + 1 + strspn(colon + 1, " ");
}

struct guest_file subject_read(struct subject *subject, const char *command, const char *path)
{
	struct guest_file file = { 0 };
	char line[64], *save, *at;

	snprintf(line, sizeof(line), "cat /sys/kernel/debug/%s", path);
	file.text = subject_ask(subject, subject->is_linux ? line : command);
	for (at = strtok_r(file.text, "\n", &save); at; at = strtok_r(NULL, "\n", &save))
		cut_line(&file, at);
	return file;
}

void guest_file_free(struct guest_file *file)
{
	free(file->text);
	*file = (struct guest_file){ 0 };
}

static const char *find(const struct guest_file *file, const char *name)
{
	for (size_t i = 0; i < file->count; i++)
		if (strcmp(file->name[i], name) == 0)
			return file->value[i];
	fail_msg("there is no %s in the guest's file", name);
	return NULL;
}

uint64_t guest_file_figure(const struct guest_file *file, const char *name)
{
	return strtoull(find(file, name), NULL, 0);
}

uint64_t guest_file_failed(const struct guest_file *file, const char *name)
{
	const char *value = strchr(find(file, name), '(');

	if (!value)
		fail_msg("%s has no count of failures", name);
	return strtoull(value + 1, NULL, 0);
}

void guest_file_compare_names(const struct guest_file *one, const struct guest_file *other)
{
	for (size_t i = 0; i < one->count && i < other->count; i++)
		assert_string_equal(one->name[i], other->name[i]);
	assert_int_equal(one->count, other->count);
}
