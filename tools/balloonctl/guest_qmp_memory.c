/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a guest's memory by QMP: see guest_backend.h. QEMU writes it (pmemsave) into a file
 * without a name that this process holds: nothing of it ever lies in a folder, and whatever
 * ends this process, no file is left, and no writer.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <json-c/json.h>

#include "tools/balloonctl/guest_backend.h"
#include "tools/balloonctl/guest_qmp.h"
#include "tools/json_member.h"
#include "tools/qmp.h"

bool qmp_has_our_numbers(pid_t pid)
{
	struct stat ours, theirs;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	return !stat("/proc/self/ns/pid", &ours) && !stat(path, &theirs) &&
	       ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

/*
 * QEMU opens the file by our number. Where numbers of processes mean others to it, it
 * would write into a file of somebody else.
 */
static int check_namespace(struct guest *guest)
{
	pid_t pid;
	int err = qmp_peer(guest->connection, &pid);

	if (err)
		return guest_fail_qmp(guest, err);
	if (qmp_has_our_numbers(pid))
		return 0;
	return guest_fail(guest, -ENOTSUP,
			  "QEMU does not see this program (a container?), so it cannot hand the "
			  "guest's memory over; call balloonctl where QEMU runs, or have a dump "
			  "made by dump-guest-memory");
}

static int save(struct guest *guest, uint64_t paddr, size_t size, int fd)
{
	struct json_object *args = json_object_new_object();
	char path[48];
	int err;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	json_object_object_add(args, "val", json_object_new_uint64(paddr));
	json_object_object_add(args, "size", json_object_new_uint64(size));
	json_object_object_add(args, "filename", json_object_new_string(path));
	err = qmp_execute(guest->connection, "pmemsave", args, NULL);
	return err ? guest_fail_qmp(guest, err) : 0;
}

int qmp_peek(struct guest *guest, uint64_t paddr, void *to, size_t size)
{
	int err = check_namespace(guest);
	ssize_t n;
	int fd;

	if (err)
		return err;
	fd = memfd_create("balloonctl", MFD_CLOEXEC);
	if (fd < 0)
		return guest_fail(guest, -errno, "a file without a name: %s", strerror(errno));
	err = save(guest, paddr, size, fd);
	if (!err) {
		n = pread(fd, to, size, 0);
		if (n < 0)
			err = guest_fail(guest, -errno, "what QEMU has handed over: %s",
					 strerror(errno));
		else if (n != (ssize_t)size)
			err = guest_fail(guest, -EPROTO,
					 "QEMU has handed over %zd bytes of memory instead of %zu",
					 n, size);
	}
	close(fd);
	return err;
}

/* Asks in which state QEMU is. *runs is false, and *ended too, if it does not say. */
static int read_run_state(struct guest *guest, bool *runs, bool *ended)
{
	struct json_object *reply, *running;
	const char *status;
	int err = qmp_execute(guest->connection, "query-status", NULL, &reply);

	if (err)
		return err;
	*runs = json_object_object_get_ex(reply, "running", &running) &&
		json_object_get_boolean(running);
	status = json_member_string(reply, "status");
	*ended = !strcmp(status, "shutdown") || !strcmp(status, "internal-error");
	json_object_put(reply);
	return 0;
}

int qmp_halt(struct guest *guest, bool *ran)
{
	bool ended;
	int err = read_run_state(guest, ran, &ended);

	if (!err && *ran)
		err = qmp_execute(guest->connection, "stop", NULL, NULL);
	return err ? guest_fail_qmp(guest, err) : 0;
}

/* A guest that was about to end when it was halted has ended by then, and cannot run on. */
int qmp_resume(struct guest *guest)
{
	int err = qmp_execute(guest->connection, "cont", NULL, NULL);
	bool runs, ended;

	if (!err)
		return 0;
	guest_fail_qmp(guest, err);
	return err == -EREMOTEIO && !read_run_state(guest, &runs, &ended) && ended ? 0 : err;
}
