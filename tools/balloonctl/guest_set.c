/* SPDX-License-Identifier: BSD-2-Clause */
/* The guests that are looked at: see guest_set.h. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/balloonctl/guest_set.h"

static bool has(const struct guest_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (!strcmp(poller_name(set->pollers[i]), name))
			return true;
	return false;
}

static int add(struct guest_set *set, const char *name)
{
	struct poller **more;
	int err;

	if (has(set, name))
		return 0;
	if (set->count == GUEST_SET_MAX)
		return -ENOSPC;
	more = realloc(set->pollers, (set->count + 1) * sizeof(more[0]));
	if (!more)
		return -ENOMEM;
	set->pollers = more;
	err = poller_start(name, &set->rate, &set->pollers[set->count]);
	if (!err)
		set->count++;
	return err;
}

static int find(struct guest_set *set, char **error)
{
	char **names;
	size_t count;
	int err = guest_list(&names, &count, error);

	for (size_t i = 0; i < count; i++) {
		/* A guest that does not fit now may fit at the next look. */
		add(set, names[i]);
		free(names[i]);
	}
	free(names);
	return err;
}

void guest_set_find(struct guest_set *set)
{
	char *error = NULL;

	/* What is wrong now may be right at the next look. */
	if (set->finds)
		find(set, &error);
	free(error);
}

/* At the start a person is there to be told. */
static int find_first(struct guest_set *set)
{
	char *error = NULL;
	int err = find(set, &error);

	if (err)
		complain("%s", error ? error : strerror(-err));
	free(error);
	return exit_status(err);
}

/* What can never be a guest is not waited for. */
static bool are_names(char **names, size_t count)
{
	char *error = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!guest_check_name(names[i], &error))
			continue;
		complain("%s", error ? error : "out of memory");
		free(error);
		return false;
	}
	return true;
}

static int add_all(struct guest_set *set, char **names, size_t count)
{
	if (!are_names(names, count))
		return EXIT_USAGE;
	for (size_t i = 0; i < count; i++) {
		int err = add(set, names[i]);

		if (err == -ENOSPC)
			complain("more than %d guests at a time cannot be watched", GUEST_SET_MAX);
		else if (err)
			complain("%s: %s", names[i], strerror(-err));
		if (err)
			return EXIT_WRONG;
	}
	return EXIT_REACHED;
}

int guest_set_open(struct guest_set *set, const struct common *common, char **names, size_t count,
		   const struct poller_rate *rate)
{
	char *only = (char *)common->guest;
	int status;

	assert(names || !count);
	*set = (struct guest_set){ .rate = *rate, .finds = !count && !only };
	if (!count && only)
		status = add_all(set, &only, 1);
	else
		status = add_all(set, names, count);
	if (!status && set->finds)
		status = find_first(set);
	if (status)
		guest_set_close(set);
	return status;
}

void guest_set_close(struct guest_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		poller_ask_stop(set->pollers[i]);
	for (size_t i = 0; i < set->count; i++)
		poller_stop(set->pollers[i]);
	free(set->pollers);
	*set = (struct guest_set){ 0 };
}
