/* SPDX-License-Identifier: BSD-2-Clause */
/* The control block of a hypervisor inside QEMU; see hypervisor.h. */
#include "tools/hypervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The RAM below 4 GiB comes first in the file, in its order. */
#define LOW_END (UINT64_C(4) << 30)

struct hypervisor {
	volatile struct hv_control *control; /* mapped */
};

/* How a block begins. */
struct head {
	char magic[16];
	uint32_t version, page_size;
};

_Static_assert(offsetof(struct hv_control_common, version) == offsetof(struct head, version) &&
		       offsetof(struct hv_control_common, page_size) ==
			       offsetof(struct head, page_size),
	       "as in the block");

static int check_file(int fd, uint64_t *size, struct hypervisor_found *found)
{
	struct stat file;

	if (fstat(fd, &file))
		return -errno;
	if (!S_ISREG(file.st_mode) || file.st_size < HV_CONTROL_ALIGN)
		return -EINVAL;
	found->owner = file.st_uid;
	if (file.st_uid != geteuid())
		return -EPERM;
	*size = (uint64_t)file.st_size < LOW_END ? (uint64_t)file.st_size : LOW_END;
	return 0;
}

/*
 * From the top, as it lies there. Memory is read, not mapped: to touch a hole through a mapping
 * would fill it.
 */
static int find(int fd, uint64_t size, uint64_t *place, struct head *head)
{
	for (uint64_t blocks = size / HV_CONTROL_ALIGN + 1; blocks > 0; blocks--) {
		ssize_t n;

		*place = (blocks - 1) * HV_CONTROL_ALIGN;
		if (size - *place < sizeof(struct hv_control))
			continue;
		n = pread(fd, head, sizeof(*head), (off_t)*place);
		if (n < 0)
			return -errno;
		if (n == sizeof(*head) &&
		    memcmp(head->magic, HV_CONTROL_MAGIC, sizeof(head->magic)) == 0)
			return 0;
	}
	return -ENOENT;
}

static int map(int fd, volatile struct hv_control **control, struct hypervisor_found *found)
{
	struct head head;
	uint64_t size = 0, place;
	void *mapped;
	int ret = check_file(fd, &size, found);

	if (!ret)
		ret = find(fd, size, &place, &head);
	if (ret)
		return ret;
	found->version = head.version;
	found->page_size = head.page_size;
	if (head.version != HV_CONTROL_VERSION || head.page_size != HV_CONTROL_PAGE)
		return -EPROTO;
	mapped = mmap(NULL, sizeof(struct hv_control), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      (off_t)place);
	if (mapped == MAP_FAILED)
		return -errno;
	*control = mapped;
	return 0;
}

int hypervisor_open(const char *path, struct hypervisor **out, struct hypervisor_found *found)
{
	struct hypervisor *hypervisor = calloc(1, sizeof(*hypervisor));
	struct hypervisor_found unwanted;
	int fd, ret;

	if (!hypervisor)
		return -ENOMEM;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		ret = errno == ENOENT ? -ENXIO : -errno;
		goto err_free;
	}
	ret = map(fd, &hypervisor->control, found ? found : &unwanted);
	close(fd);
	if (ret)
		goto err_free;
	*out = hypervisor;
	return 0;
err_free:
	free(hypervisor);
	return ret;
}

void hypervisor_close(struct hypervisor *hypervisor)
{
	if (!hypervisor)
		return;
	munmap((void *)hypervisor->control, sizeof(struct hv_control));
	free(hypervisor);
}

volatile struct hv_control_common *hypervisor_common(struct hypervisor *hypervisor)
{
	return &hypervisor->control->common;
}

volatile void *hypervisor_page(struct hypervisor *hypervisor, enum hv_control_page page)
{
	return hypervisor->control->page[page];
}
