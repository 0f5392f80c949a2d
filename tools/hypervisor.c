/* SPDX-License-Identifier: BSD-2-Clause */
/* The control block of a hypervisor inside QEMU; see hypervisor.h. */
#include "tools/hypervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The RAM below 4 GiB comes first in the file, in its order. */
#define LOW_END (UINT64_C(4) << 30)

struct hypervisor {
	uint8_t *memory;
	size_t size; /* as much of the file as is mapped */
	volatile struct hv_control *control;
};

static int map_file(struct hypervisor *hypervisor, int fd)
{
	struct stat file;

	if (fstat(fd, &file))
		return -errno;
	if (!S_ISREG(file.st_mode) || file.st_size < HV_CONTROL_ALIGN)
		return -EINVAL;
	if (file.st_uid != geteuid())
		return -EPERM;
	hypervisor->size = (uint64_t)file.st_size < LOW_END ? (size_t)file.st_size : LOW_END;
	hypervisor->memory = mmap(NULL, hypervisor->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				  0);
	return hypervisor->memory == MAP_FAILED ? -errno : 0;
}

/* Whether a block begins at a place, of whatever version. */
static bool is_block(const struct hypervisor *hypervisor, size_t place)
{
	const struct hv_control_common *common = (const void *)(hypervisor->memory + place);

	return hypervisor->size - place >= sizeof(struct hv_control) &&
	       memcmp(common->magic, HV_CONTROL_MAGIC, sizeof(common->magic)) == 0;
}

/* From the top, as it lies there. */
static int find(struct hypervisor *hypervisor)
{
	for (size_t blocks = hypervisor->size / HV_CONTROL_ALIGN + 1; blocks > 0; blocks--) {
		size_t place = (blocks - 1) * HV_CONTROL_ALIGN;
		struct hv_control *control = (void *)(hypervisor->memory + place);

		if (!is_block(hypervisor, place))
			continue;
		if (control->common.version != HV_CONTROL_VERSION ||
		    control->common.page_size != HV_CONTROL_PAGE)
			return -EPROTO;
		hypervisor->control = control;
		return 0;
	}
	return -ENOENT;
}

int hypervisor_open(const char *path, struct hypervisor **out)
{
	struct hypervisor *hypervisor = calloc(1, sizeof(*hypervisor));
	int fd, ret;

	if (!hypervisor)
		return -ENOMEM;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		ret = -errno;
		goto err_free;
	}
	ret = map_file(hypervisor, fd);
	close(fd);
	if (ret)
		goto err_free;
	ret = find(hypervisor);
	if (ret)
		goto err_unmap;
	*out = hypervisor;
	return 0;
err_unmap:
	munmap(hypervisor->memory, hypervisor->size);
err_free:
	free(hypervisor);
	return ret;
}

void hypervisor_close(struct hypervisor *hypervisor)
{
	if (!hypervisor)
		return;
	munmap(hypervisor->memory, hypervisor->size);
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
